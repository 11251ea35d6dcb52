//! Who may act for which hero: guests, accounts, their devices, and the tickets that open sockets.
//!
//! A guest's device proves itself with its token: 256 random bits that only the device keeps; the server stores their
//! SHA-256. An account's device has refresh tokens of the same kind and access tokens ([`session`]). No token ever goes over
//! the socket or into a URL: it buys a ticket, which is single-use and lives 30 s, and the ticket opens the socket.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use persistence::accounts::DEVICE_NAME_BYTES_MAX;
use persistence::{AccountId, AccountStore, DeviceId, HeroId, NewGuest, StoreError, TokenHash};
use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::clock::Clock;

pub mod avatar;
pub mod banning;
mod codes;
mod common_passwords;
pub mod erasing;
pub mod firebase;
mod keys;
pub mod mail;
pub mod own_data;
pub mod password;
pub mod profile;
pub mod revocation;
pub mod session;
pub mod settings;
mod throttle;
mod tickets;
mod token;
pub mod union;

pub use keys::{Keys, KeysError};
pub use mail::Mails;
pub use password::Passwords;
pub use revocation::Revocations;
pub use throttle::Throttle;
pub use tickets::{TICKET_LIFE_MS, TICKETS_MAX, Tickets};
pub use token::{ACCESS_LIFE_MS, Access};

/// What every device token begins with, so that a leaked one is recognised by whoever finds it.
pub const TOKEN_PREFIX: &str = "dh_";
/// 256 bits: never guessed.
const TOKEN_BYTES: usize = 32;
/// Length of a token after its prefix: 32 bytes as base64url.
const TOKEN_TEXT_CHARS: usize = 43;
/// Rows that are past their end do no harm; they only must not pile up.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);
/// A device that connects often is noted at most this often.
const TOUCH_EVERY_MS: i64 = 60 * 60 * 1000;

/// A text that must not be seen. It prints as `***`; whoever sends it says so with [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    fn of(text: String) -> Secret {
        Secret(text)
    }

    fn random(prefix: &str) -> Secret {
        let mut bytes = [0; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Secret(format!("{prefix}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// The text itself, for the one place that hands it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Who a request or a socket acts for. It comes from a token or a ticket, never from what a client claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The hero.
    pub hero: HeroId,
    /// The device.
    pub device: DeviceId,
}

/// A fresh guest: what the client must keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The new hero.
    pub hero: HeroId,
    /// Proves the device from now on; it cannot be shown again.
    pub device_token: Secret,
    /// When it was made, server UTC.
    pub created_at_ms: i64,
}

/// Makes guests and accounts, and recognises devices. Clones share everything.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: Clock,
    keys: Keys,
    /// Read from the store when it is first needed; it never changes.
    lookup_key: Arc<OnceCell<[u8; 32]>>,
    passwords: Passwords,
    throttle: Arc<Throttle>,
    revocations: Revocations,
    mails: Mails,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts kept in `store`.
    pub fn new(store: Arc<dyn AccountStore>, keys: Keys, clock: Clock) -> Accounts {
        Accounts {
            store,
            clock,
            keys,
            lookup_key: Arc::default(),
            passwords: Passwords::default(),
            throttle: Arc::default(),
            revocations: Revocations::default(),
            mails: Mails::default(),
        }
    }

    /// Forgets tokens and codes that are past their end, once an hour.
    pub async fn keep_pruning(self) {
        let mut hours = interval(PRUNE_EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            if let Err(error) = self.store.prune(self.clock.now_ms()).await {
                tracing::warn!(%error, "could not forget tokens that are past their end; tried again in an hour");
            }
        }
    }

    /// Where they are kept.
    pub fn store(&self) -> &Arc<dyn AccountStore> {
        &self.store
    }

    /// What is derived from the server's secret.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Hashes passwords; whoever else does shares its places, so that there is one hash on each core.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Tells whoever closes sockets.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Whether the configured secret is the one of this database: with another one nobody would be found, and no hero
    /// could be played.
    ///
    /// # Errors
    /// A secret that is not; a database that is away.
    pub async fn check_secret(&self) -> Result<(), StoreError> {
        self.lookup_key().await.map(drop)
    }

    /// The key of all lookups, the same for ever and for all servers of a database.
    async fn lookup_key(&self) -> Result<&[u8; 32], StoreError> {
        let read = async || {
            let mut candidate = [0; 32];
            rand::rng().fill_bytes(&mut candidate);
            let candidate = self.keys.seal("lookup key", Uuid::nil(), &candidate);
            let stands = self.store.lookup_key(candidate).await?;
            let opened = self.keys.open_sealed("lookup key", Uuid::nil(), &stands);
            opened.and_then(|key| key.try_into().ok()).ok_or_else(|| {
                let what = "no secret in SECRET_KEYS is the one that this database was made with: add that one, \
                            after a comma";
                StoreError::Unavailable(what.into())
            })
        };
        self.lookup_key.get_or_try_init(read).await
    }

    /// Makes a hero with one device, durably.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn create_guest(&self, device_name: &str) -> Result<Guest, StoreError> {
        let hero = HeroId(Uuid::now_v7());
        let device_token = Secret::random(TOKEN_PREFIX);
        let created_at_ms = self.clock.now_ms();
        let guest = NewGuest {
            hero,
            device: DeviceId(Uuid::now_v7()),
            token_hash: hash(device_token.expose()),
            name: clean_device_name(device_name),
            created_at_ms,
        };
        self.store.create_guest(guest).await?;
        Ok(Guest { hero, device_token, created_at_ms })
    }

    /// Who a guest's device token belongs to, and the account if the guest has become one; nobody when it is unknown,
    /// malformed or revoked.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn authenticate(&self, token: &str) -> Result<Option<(Grant, Option<AccountId>)>, StoreError> {
        if !session::is_token(token, TOKEN_PREFIX) {
            return Ok(None);
        }
        let device = self.store.device_by_token(hash(token)).await?;
        let Some(device) = device.filter(|device| device.revoked_at_ms.is_none()) else {
            return Ok(None);
        };
        let now_ms = self.clock.now_ms();
        if now_ms.saturating_sub(device.last_seen_ms) >= TOUCH_EVERY_MS {
            // Only a note for the operator: a login must not fail for it.
            if let Err(error) = self.store.touch_device(device.device, now_ms).await {
                tracing::warn!(%error, "could not note that a device connected");
            }
        }
        Ok(Some((Grant { hero: device.hero, device: device.device }, device.account)))
    }
}

fn hash(secret: &str) -> TokenHash {
    TokenHash(Sha256::digest(secret.as_bytes()).into())
}

/// A device name as it is stored: one line, no control characters, cut at a character's end.
fn clean_device_name(name: &str) -> String {
    let mut clean = String::new();
    for c in name.trim().chars().filter(|c| !c.is_control()) {
        if clean.len() + c.len_utf8() > DEVICE_NAME_BYTES_MAX {
            break;
        }
        clean.push(c);
    }
    clean
}

#[cfg(test)]
mod tests;
