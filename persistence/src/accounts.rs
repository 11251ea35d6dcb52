//! `AccountStore`: which device may act for which hero. Small on purpose; only guests exist today.

use crate::record::HeroId;
use crate::store::StoreFuture;

use uuid::Uuid;

/// Longest device name, in bytes; longer ones are cut by the caller.
pub const DEVICE_NAME_BYTES_MAX: usize = 64;
/// Most devices [`AccountStore::devices`] returns.
pub const DEVICES_MAX: u32 = 100;

/// Names one device of a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub Uuid);

/// SHA-256 of a device token. The token itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A device that may act for a hero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which device.
    pub device: DeviceId,
    /// For whom it acts.
    pub hero: HeroId,
    /// What its token hashes to.
    pub token_hash: TokenHash,
    /// What the player calls it.
    pub name: String,
    /// When it was made, server UTC.
    pub created_at_ms: i64,
    /// When it last connected, server UTC.
    pub last_seen_ms: i64,
    /// When it lost its right to act; `None` while it has it.
    pub revoked_at_ms: Option<i64>,
}

/// A player who starts without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGuest {
    /// The new hero.
    pub hero: HeroId,
    /// Its first device.
    pub device: DeviceId,
    /// What the device's token hashes to.
    pub token_hash: TokenHash,
    /// What the player calls the device, at most [`DEVICE_NAME_BYTES_MAX`].
    pub name: String,
    /// Now, server UTC.
    pub created_at_ms: i64,
}

/// Where accounts live: in the same database as the journal.
pub trait AccountStore: Send + Sync {
    /// Makes a hero and its first device, durably, both or neither.
    ///
    /// # Errors
    /// [`crate::StoreError::Poison`] when the hero, device or token exists; those of a database that is away.
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()>;

    /// The device with this token, revoked or not.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>>;

    /// Notes that a device connected. An unknown device is ignored.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()>;

    /// A hero's devices, oldest first, at most [`DEVICES_MAX`].
    ///
    /// # Errors
    /// Those of a database that is away.
    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>>;
}
