//! Pictures of players: made small and harmless, kept under random names, given to everybody who knows the name.
//!
//! The account's row says which picture is in force. A new one is kept first, put in force second, and only then the old
//! one is deleted, so that whatever fails in between leaves a picture that can be seen. What a failure leaves behind lies
//! in the account's own folder and goes with [`Avatars::erase`].

mod picture;
mod place;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use persistence::AccountId;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task;
use uuid::Uuid;

pub use picture::{AVATAR_BYTES_MAX, AVATAR_PIXELS, PIXELS_MAX, SIDE_PIXELS_MAX, Unfit, avatar_of};
pub use place::PlaceFailed;

use crate::config::AvatarPlace;
use picture::PNG_SIGNATURE;

/// Largest picture that may be sent, in bytes.
pub const SENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Pictures that are sent or wait at once, each with up to [`SENT_BYTES_MAX`]. The next one is told to come back.
const CHANGES_MAX: usize = 16;
/// Pictures that are decoded at once, each with up to about 128 MiB. The next one waits.
const DECODINGS_MAX: usize = 2;
/// Pictures that are read at once. The next one is told to come back.
const READS_MAX: usize = 64;
/// Pictures of one account that are looked up at once when all are deleted; a second look finds the rest.
const ERASED_AT_ONCE: usize = 100;
/// Half of a key, in characters.
const HALF_CHARS: usize = 32;

/// The name of one picture: who has it does not know whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvatarKey {
    /// The same for all pictures of an account, and does not lead back to it.
    owner: String,
    /// Another one for every picture.
    picture: String,
}

impl AvatarKey {
    fn new(account: AccountId) -> AvatarKey {
        AvatarKey { owner: owner(account), picture: Uuid::new_v4().simple().to_string() }
    }

    fn path(&self) -> Path {
        Path::from_iter([self.owner.clone(), format!("{}.png", self.picture)])
    }
}

fn owner(account: AccountId) -> String {
    let hash = Sha256::new().chain_update(b"owner of an avatar").chain_update(account.0).finalize();
    let mut text = HEXLOWER.encode(&hash);
    text.truncate(HALF_CHARS);
    text
}

impl fmt::Display for AvatarKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.owner, self.picture)
    }
}

/// A text that is no name of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl FromStr for AvatarKey {
    type Err = NoKey;

    /// Only what [`AvatarKey`] prints: no dot, slash or percent sign ever reaches a file system.
    fn from_str(text: &str) -> Result<AvatarKey, NoKey> {
        let is_half = |half: &str| {
            half.len() == HALF_CHARS && half.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (owner, picture) = text.split_once('-').ok_or(NoKey)?;
        if !is_half(owner) || !is_half(picture) {
            return Err(NoKey);
        }
        Ok(AvatarKey { owner: owner.to_owned(), picture: picture.to_owned() })
    }
}

/// Why a picture was not kept, found or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvatarFailed {
    /// The operator has named no place for pictures.
    NotConfigured,
    /// Too many at once, or another one of the same account.
    Busy,
    /// It is no picture that is taken.
    Unfit(Unfit),
    /// The place does not answer. The log says more.
    Away,
}

/// Keeps pictures of players.
#[derive(Clone)]
pub struct Avatars {
    place: Option<Arc<dyn ObjectStore>>,
    changes: Arc<Semaphore>,
    decodings: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    /// Accounts whose picture is being changed; as many as `changes` lets in.
    changing: Arc<Mutex<BTreeSet<AccountId>>>,
}

impl fmt::Debug for Avatars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Avatars").finish_non_exhaustive()
    }
}

impl Avatars {
    /// Opens the place.
    ///
    /// # Errors
    /// When it cannot be used; the text says what to do.
    pub fn open(place: &AvatarPlace) -> Result<Avatars, PlaceFailed> {
        Ok(Avatars {
            place: place::open(place)?,
            changes: Arc::new(Semaphore::new(CHANGES_MAX)),
            decodings: Arc::new(Semaphore::new(DECODINGS_MAX)),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            changing: Arc::default(),
        })
    }

    /// Begins to change the picture of an account. Before its body is read, so that bodies that wait are few.
    ///
    /// # Errors
    /// [`AvatarFailed::NotConfigured`] and [`AvatarFailed::Busy`].
    pub fn begin(&self, account: AccountId) -> Result<AvatarChange, AvatarFailed> {
        let place = self.place.clone().ok_or(AvatarFailed::NotConfigured)?;
        let room = Arc::clone(&self.changes).try_acquire_owned().map_err(no_room)?;
        if !self.changing.lock().unwrap_or_else(PoisonError::into_inner).insert(account) {
            return Err(AvatarFailed::Busy);
        }
        Ok(AvatarChange { avatars: self.clone(), place, account, _room: room })
    }

    /// The PNG of a key; nothing when there is none.
    ///
    /// # Errors
    /// [`AvatarFailed::Busy`] and [`AvatarFailed::Away`].
    pub async fn get(&self, key: &AvatarKey) -> Result<Option<Bytes>, AvatarFailed> {
        let Some(place) = &self.place else { return Ok(None) };
        let _room = self.reads.try_acquire().map_err(no_room)?;
        let found = match place.get(&key.path()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(away("read", &error)),
        };
        if found.meta.size > AVATAR_BYTES_MAX as u64 {
            tracing::warn!(%key, "what lies at an avatar's place is larger than any avatar");
            return Ok(None);
        }
        let png = found.bytes().await.map_err(|error| away("read", &error))?;
        if !png.starts_with(&PNG_SIGNATURE) {
            tracing::warn!(%key, "what lies at an avatar's place is no avatar");
            return Ok(None);
        }
        Ok(Some(png))
    }

    /// Deletes every picture of an account, in force or left over.
    ///
    /// # Errors
    /// [`AvatarFailed::Away`]; some may be left, and the same call again deletes them.
    pub async fn erase(&self, account: AccountId) -> Result<(), AvatarFailed> {
        let Some(place) = &self.place else { return Ok(()) };
        let folder = Path::from_iter([owner(account)]);
        loop {
            let list = place.list(Some(&folder)).take(ERASED_AT_ONCE).map_ok(|found| found.location);
            let found: Vec<Path> = list.try_collect().await.map_err(|error| away("list", &error))?;
            if found.is_empty() {
                return Ok(());
            }
            for path in &found {
                delete(&**place, path).await?;
            }
        }
    }

    /// Decodes and encodes where nobody waits for the thread. A decoder that panics has met a damaged picture.
    async fn make(&self, sent: Bytes) -> Result<Bytes, AvatarFailed> {
        let turn = Arc::clone(&self.decodings).acquire_owned().await.map_err(|_closed| AvatarFailed::Busy)?;
        let made = task::spawn_blocking(move || {
            // The turn ends with the work, not with the request, which may have given up before.
            let _turn = turn;
            avatar_of(&sent)
        });
        match made.await {
            Ok(made) => made.map_err(AvatarFailed::Unfit),
            Err(panic) => {
                tracing::error!(is_panic = panic.is_panic(), "decoding a picture broke off");
                Err(AvatarFailed::Unfit(Unfit::Damaged))
            }
        }
    }
}

/// A change of one account's picture that has begun; there is one at a time.
pub struct AvatarChange {
    avatars: Avatars,
    place: Arc<dyn ObjectStore>,
    account: AccountId,
    _room: OwnedSemaphorePermit,
}

impl fmt::Debug for AvatarChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AvatarChange").field("account", &self.account).finish_non_exhaustive()
    }
}

impl AvatarChange {
    /// Makes a picture of what was sent and keeps it, under a new name. It is in force when the account's row says so.
    ///
    /// # Errors
    /// [`AvatarFailed::Unfit`] and [`AvatarFailed::Away`].
    pub async fn keep(&self, sent: Bytes) -> Result<AvatarKey, AvatarFailed> {
        let png = self.avatars.make(sent).await?;
        let key = AvatarKey::new(self.account);
        self.place.put(&key.path(), png.into()).await.map_err(|error| away("write", &error))?;
        Ok(key)
    }

    /// Deletes a picture that is not in force, or no longer. When that fails it stays until [`Avatars::erase`]: the log
    /// says so, and the player need not know.
    pub async fn forget(&self, key: &AvatarKey) {
        let _logged = delete(&*self.place, &key.path()).await;
    }
}

impl Drop for AvatarChange {
    fn drop(&mut self) {
        self.avatars.changing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
    }
}

async fn delete(place: &dyn ObjectStore, path: &Path) -> Result<(), AvatarFailed> {
    match place.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(away("delete", &error)),
    }
}

fn no_room(_full: TryAcquireError) -> AvatarFailed {
    AvatarFailed::Busy
}

fn away(what: &'static str, error: &object_store::Error) -> AvatarFailed {
    tracing::warn!(what, error = %place::Brief(error), "the place of the avatars did not answer as hoped");
    AvatarFailed::Away
}

#[cfg(test)]
mod tests;
