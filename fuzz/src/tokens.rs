//! Whatever somebody shows instead of a token: access tokens, device tokens, refresh tokens, codes of mails.

use std::cell::RefCell;

use game_server::accounts::session::{AuthError, Registration};
use game_server::accounts::{Accounts, Keys};
use game_server::clock::Clock;
use game_server::config::Config;
use persistence::MemoryStore;
use tokio::runtime::Runtime;

/// Saturday, 2026-08-01, 10:00 UTC. The clock stands: what was issued stays good.
const NOW_MS: i64 = 1_785_578_400_000;
/// Any secret, always the same one.
const SECRET: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";
/// Bytes of one change to a good token.
const CHANGE_BYTES: usize = 4;

struct Lab {
    runtime: Runtime,
    accounts: Accounts,
    /// Good for a request.
    bearers: Vec<String>,
    /// Good for nothing but the next one.
    refresh: String,
}

thread_local! {
    static LAB: RefCell<Lab> = RefCell::new(Lab::new());
}

impl Lab {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it needs no I/O");
        let secret = |name: &str| (name == "SECRET_KEYS").then(|| SECRET.to_owned());
        let config = Config::parse(secret).expect("it is valid");
        let keys = Keys::open(&config, &[0; 32]).expect("the secret is configured");
        let accounts = Accounts::new(std::sync::Arc::new(MemoryStore::new()), keys, Clock::fixed(NOW_MS));
        let (session, guest) = runtime.block_on(async {
            let wish = Registration {
                mail: "ada@example.org",
                password: "four plain words here",
                name: None,
                device_name: "fuzz",
                guest: None,
            };
            let session = accounts.register(wish).await.expect("nobody has the address");
            (session, accounts.create_guest("fuzz").await.expect("memory has room"))
        });
        let bearers = vec![session.access_token.expose().to_owned(), guest.device_token.expose().to_owned()];
        Self { runtime, accounts, bearers, refresh: session.refresh_token.expose().to_owned() }
    }

    /// Odd: the text itself. Even: a good token with some changes, because nobody guesses a signature.
    fn text(&self, bytes: &[u8]) -> String {
        let Some((&kind, rest)) = bytes.split_first() else { return String::new() };
        if kind % 2 == 1 {
            return String::from_utf8_lossy(rest).into_owned();
        }
        let good = self.bearers.iter().chain([&self.refresh]).cycle().nth(usize::from(kind / 2));
        let mut text: Vec<u8> = good.map(|good| good.clone().into_bytes()).unwrap_or_default();
        for change in rest.chunks_exact(CHANGE_BYTES) {
            let &[how, high, low, byte] = change else { continue };
            let at = usize::from(u16::from_be_bytes([high, low])) % (text.len() + 1);
            match how % 4 {
                0 => text.insert(at, byte),
                1 => text.truncate(at),
                2 => drop(text.get(at).is_some().then(|| text.remove(at))),
                _ => text.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A text is accepted when it is, byte for byte, one that was issued for that, and never otherwise.
pub fn check(bytes: &[u8]) {
    LAB.with_borrow(|lab| {
        let text = lab.text(bytes);
        let caller = lab.runtime.block_on(lab.accounts.caller(&text)).expect("memory is there");
        assert_eq!(caller.is_some(), lab.bearers.contains(&text), "{text:?}");
        if text != lab.refresh {
            let refreshed = lab.runtime.block_on(lab.accounts.refresh(&text));
            assert!(matches!(refreshed, Err(AuthError::Unauthenticated)), "{text:?}");
        }
        let verified = lab.runtime.block_on(lab.accounts.verify_mail(&text));
        assert!(matches!(verified, Err(AuthError::Code)), "{text:?}");
    });
}
