//! Mails: links that show whose address it is, and that set a new password.
//!
//! Whoever asks is answered before anything is looked up: the answer takes as long, and says as little, whether there is an
//! account or not. One task does the rest; its queue and the letters under way are bounded. A letter that cannot be delivered
//! is tried again for some minutes, then given up: its owner asks for another.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use persistence::accounts::{AccountKey, Code, CodePurpose, LookupHash};
use persistence::{AccountId, StoreError};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::{Accounts, Secret, hash, profile, session};
use crate::config::MailConfig;

/// How long the link that sets a new password is good.
pub const RESET_LIFE_MS: i64 = 15 * 60 * 1000;
/// How long the link that verifies an address is good.
pub const VERIFY_LIFE_MS: i64 = 24 * 60 * 60 * 1000;
/// What every code begins with.
pub const CODE_PREFIX: &str = "dhc_";
/// Mails of one kind to one account are this far apart: nobody's mailbox is flooded by strangers.
pub const APART_MS: i64 = 60_000;

/// Wishes that wait. Over it they are dropped, and the log says so.
const WISHES_MAX: usize = 1_000;
/// Letters under way at the same time.
const UNDER_WAY_MAX: usize = 8;
/// Accounts that were written to lately and are remembered.
const LATELY_MAX: usize = 10_000;
/// How long the mail server may take for one step.
const STEP_WITHIN: Duration = Duration::from_secs(10);
/// Waits before the further tries.
const TRY_AGAIN_AFTER: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];

/// Where wishes for mails go; nowhere until somebody delivers them.
#[derive(Clone, Debug, Default)]
pub struct Mails(Arc<OnceLock<mpsc::Sender<Wish>>>);

/// Who is written to, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wish {
    /// The owner of this account, if its address is not verified.
    Verify(AccountId),
    /// The owner of this address, if there is one.
    Reset(LookupHash),
    /// The owner of this account, which will be erased.
    Erasing(AccountId),
}

impl Mails {
    fn wish(&self, wish: Wish) {
        if self.0.get().is_some_and(|queue| queue.try_send(wish).is_err()) {
            tracing::warn!("the queue of mails is full: one is not sent");
        }
    }
}

impl Accounts {
    /// Writes to the owner of an account, so that the address can be verified.
    pub fn mail_verification(&self, account: AccountId) {
        self.mails.wish(Wish::Verify(account));
    }

    /// Writes to whoever has this address, if anybody has, so that a new password can be set.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn mail_reset(&self, mail: &str) -> Result<(), StoreError> {
        let mail = profile::normal_mail(mail).unwrap_or_default();
        let key = profile::mail_hash(self.lookup_key().await?, &mail);
        self.mails.wish(Wish::Reset(key));
        Ok(())
    }

    /// Writes to the owner of an account that it will be erased, and until when that can be undone.
    pub(super) fn mail_erasing(&self, account: AccountId) {
        self.mails.wish(Wish::Erasing(account));
    }

    /// What is to be sent; nothing when there is nobody to write to.
    async fn letter(&self, wish: Wish, public_url: &str) -> Result<Option<Letter>, StoreError> {
        let key = match wish {
            Wish::Verify(account) | Wish::Erasing(account) => AccountKey::Id(account),
            Wish::Reset(mail) => AccountKey::Mail(mail),
        };
        let Some(account) = self.store.account(key).await? else { return Ok(None) };
        let is_done = matches!(wish, Wish::Verify(_)) && account.mail_verified_at_ms.is_some();
        if is_done || account.banned_at_ms.is_some() {
            return Ok(None);
        }
        let profile = profile::Profile::open(&self.keys, account.account, &account.profile);
        let address = profile.and_then(|profile| profile.mail).and_then(|mail| mail.parse::<Address>().ok());
        let Some(to) = address else { return Ok(None) };
        let (purpose, life_ms) = match wish {
            Wish::Verify(_) => (CodePurpose::VerifyMail, VERIFY_LIFE_MS),
            Wish::Reset(_) => (CodePurpose::ResetPassword, RESET_LIFE_MS),
            // Nothing to say to an owner who has changed his mind since.
            Wish::Erasing(_) => {
                return Ok(account.erase_at_ms.map(|at_ms| Letter::erasing(to, at_ms, public_url)));
            }
        };
        let code = Secret::random(CODE_PREFIX);
        let expires_at_ms = self.clock.now_ms() + life_ms;
        let hash = hash(code.expose());
        self.store.put_code(Code { hash, account: account.account, purpose, expires_at_ms }).await?;
        Ok(Some(Letter::new(to, purpose, public_url, &code)))
    }
}

/// Whether a text could be a code of ours.
pub(super) fn is_code(text: &str) -> bool {
    session::is_token(text, CODE_PREFIX)
}

/// A mail that is written. It holds a code, so it is never printed.
struct Letter {
    to: Address,
    subject: &'static str,
    text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Letter(***)")
    }
}

impl Letter {
    fn new(to: Address, purpose: CodePurpose, public_url: &str, code: &Secret) -> Letter {
        let code = code.expose();
        // Behind the #, so that no server on the way writes the code into a log.
        let (subject, text) = match purpose {
            CodePurpose::VerifyMail => (
                "Confirm your address",
                format!(
                    "Hello,\n\nsomebody made an account of Dopamine Hero with this address. If it was you, confirm it \
                     here within a day:\n\n{public_url}/#verify={code}\n\nIf it was not you, do nothing.\n"
                ),
            ),
            CodePurpose::ResetPassword => (
                "Set a new password",
                format!(
                    "Hello,\n\nsomebody wants a new password for the account of this address. If it was you, set it here \
                     within 15 minutes:\n\n{public_url}/#reset={code}\n\nAll devices are logged out then. If it was not \
                     you, do nothing: the old password stays.\n"
                ),
            ),
        };
        Letter { to, subject, text }
    }

    /// It holds no code: whoever wants to undo it logs in.
    fn erasing(to: Address, erase_at_ms: i64, public_url: &str) -> Letter {
        let until = simulation::calendar::format_rfc3339(erase_at_ms);
        let until = until.split_once('T').map_or(until.as_str(), |(date, _time)| date);
        let text = format!(
            "Hello,\n\nsomebody asked to delete the account of this address. It is hidden \
             now, and on {until} it is erased for good.\n\nUntil then you can undo it: log in, and press 'Keep it after \
             all':\n\n{public_url}/\n\nIf it was not you, do that, and set a new password.\n"
        );
        Letter { to, subject: "Your account will be erased", text }
    }

    /// Nothing when it cannot be written.
    fn message(self, from: &Mailbox) -> Option<Message> {
        // As it is, which lines of ASCII under 400 bytes may be: other encodings break the link into two lines.
        let text = self.text.replace('\n', "\r\n").into_bytes();
        let body = Body::dangerous_pre_encoded(text, ContentTransferEncoding::SevenBit);
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to))
            .subject(self.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .ok()
    }
}

/// Delivers until the task is aborted. Without a mail server nothing is sent, and the log says so.
pub fn deliver(accounts: &Accounts, config: Option<&MailConfig>) -> JoinHandle<()> {
    let Some(config) = config.cloned() else {
        tracing::info!(
            "no SMTP_URL: no mails are sent, addresses stay unverified and forgotten passwords are lost"
        );
        return tokio::spawn(async {});
    };
    let (queue, wishes) = mpsc::channel(WISHES_MAX);
    let _first = accounts.mails.0.set(queue);
    tokio::spawn(work(accounts.clone(), config, wishes))
}

/// Connects when there is something to send; nothing when it never can.
pub(crate) fn transport(config: &MailConfig) -> Option<AsyncSmtpTransport<Tokio1Executor>> {
    match AsyncSmtpTransport::<Tokio1Executor>::from_url(config.smtp_url()) {
        Ok(builder) => Some(builder.timeout(Some(STEP_WITHIN)).build()),
        Err(_) => {
            tracing::error!("SMTP_URL is not understood: no mails are sent");
            None
        }
    }
}

async fn work(accounts: Accounts, config: MailConfig, mut wishes: mpsc::Receiver<Wish>) {
    let Some(transport) = transport(&config) else { return };
    let mut lately: HashMap<Wish, i64> = HashMap::new();
    let mut under_way: JoinSet<()> = JoinSet::new();
    while let Some(wish) = wishes.recv().await {
        let now_ms = accounts.clock.now_ms();
        lately.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < APART_MS);
        if lately.contains_key(&wish) || lately.len() >= LATELY_MAX {
            continue;
        }
        let message = match accounts.letter(wish, &config.public_url).await {
            Ok(Some(letter)) => letter.message(&config.from),
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "a mail is not sent: the account cannot be read");
                continue;
            }
        };
        let Some(message) = message else {
            tracing::warn!("a mail is not sent: its address cannot be written to");
            continue;
        };
        lately.insert(wish, now_ms);
        while under_way.len() >= UNDER_WAY_MAX {
            under_way.join_next().await;
        }
        while under_way.try_join_next().is_some() {}
        let transport = transport.clone();
        under_way.spawn(async move { send(&transport, message).await });
    }
}

/// Sends one letter, with patience. What a mail server answers may repeat the address, so it is not logged.
async fn send(transport: &AsyncSmtpTransport<Tokio1Executor>, message: Message) {
    let mut waits = TRY_AGAIN_AFTER.iter();
    loop {
        let Err(error) = transport.send(message.clone()).await else {
            return tracing::debug!("a mail was handed over");
        };
        let code = error.status().map(|code| code.to_string()).unwrap_or_default();
        if error.is_permanent() {
            return tracing::warn!(code, "the mail server refuses a mail; it is given up");
        }
        let Some(wait) = waits.next() else {
            return tracing::warn!(code, "a mail could not be handed over in minutes; it is given up");
        };
        tracing::info!(code, timed_out = error.is_timeout(), "a mail could not be handed over yet");
        tokio::time::sleep(*wait).await;
    }
}
