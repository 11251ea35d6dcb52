//! `SupportStore`: what an operator needs to find players and to keep them out. In the same database as the accounts.

use crate::accounts::{AccountId, DeviceId};
use crate::record::{HeroId, NodeId};
use crate::store::StoreFuture;

/// Most heroes of one look at who was seen last.
pub const SEEN_MAX: u32 = 500;
/// For so long a banned guest is kept, so that the ban can be taken back; afterwards it is forgotten like any guest that
/// nobody can reach.
pub const BANNED_GUEST_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// For so long it is known that sockets were to be closed: much longer than the time within which every node looks.
pub const CLOSED_KEPT_MS: i64 = 60 * 60 * 1000;

/// A hero and the device of it that was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub hero: HeroId,
    /// The device that was seen last, of those that may act and those that may not.
    pub device: DeviceId,
    /// The account that it acts for.
    pub account: Option<AccountId>,
    /// When it was seen, server UTC; an hour may be missing.
    pub last_seen_ms: i64,
    /// Since when it may not act.
    pub revoked_at_ms: Option<i64>,
    /// Since when the hero is a banned guest.
    pub guest_banned_at_ms: Option<i64>,
}

impl Seen {
    /// Where a look goes on after this one.
    #[must_use]
    pub const fn place(&self) -> (i64, DeviceId) {
        (self.last_seen_ms, self.device)
    }
}

/// That the sockets of a hero were to be closed, on all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloseWish {
    /// Whose.
    pub hero: HeroId,
    /// When somebody wished it, server UTC; with the hero it names the wish.
    pub at_ms: i64,
    /// Because its player is banned.
    pub is_ban: bool,
}

/// Where it is found who was seen, and noted who is kept out. Every method may fail because the database is away.
pub trait SupportStore: Send + Sync {
    /// Heroes with a device, the one seen last first, after `after` ([`Seen::place`]), at most `limit` and [`SEEN_MAX`].
    /// Each hero is there once, where its last device is.
    fn seen(&self, after: Option<(i64, DeviceId)>, limit: u32) -> StoreFuture<'_, Vec<Seen>>;

    /// The same of one hero; nothing when it has no device.
    fn seen_hero(&self, hero: HeroId) -> StoreFuture<'_, Option<Seen>>;

    /// Bans a guest: all its devices lose their right, and it is kept for [`BANNED_GUEST_KEPT_MS`]. Says whether it is a
    /// banned guest now; not when it belongs to an account, is promised to one, or has no device. Asked for again, the first
    /// time counts.
    fn ban_guest(&self, hero: HeroId, now_ms: i64) -> StoreFuture<'_, bool>;

    /// Lifts a guest's ban: the devices that lost their right by it have it again. Says whether there was one.
    fn unban_guest(&self, hero: HeroId) -> StoreFuture<'_, bool>;

    /// Notes that the sockets of a hero are to be closed on all nodes. A later wish takes the place of an earlier one.
    fn close_sockets(&self, wish: CloseWish) -> StoreFuture<'_, ()>;

    /// The wishes since then, the earliest first, at most `limit`. Those that are older than [`CLOSED_KEPT_MS`] may be
    /// missing.
    fn close_wishes(&self, since_ms: i64, limit: u32) -> StoreFuture<'_, Vec<CloseWish>>;

    /// What a node is called, as long as it has a lease; nothing when it has none.
    fn node_name(&self, node: NodeId) -> StoreFuture<'_, Option<String>>;
}
