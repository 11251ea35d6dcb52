//! Who was seen and who is kept out, beside the journal in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inner, MemoryStore};
use crate::accounts::{Device, DeviceId};
use crate::record::{HeroId, NodeId};
use crate::store::StoreFuture;
use crate::support::{BANNED_GUEST_KEPT_MS, CLOSED_KEPT_MS, CloseWish, SEEN_MAX, Seen, SupportStore};

/// What the tables of support hold.
#[derive(Debug, Default)]
pub(super) struct Support {
    bans: BTreeMap<HeroId, i64>,
    wishes: BTreeMap<HeroId, CloseWish>,
}

impl Inner {
    /// Guests whose devices were all seen before that.
    pub(super) fn stale_guests(&self, before_ms: i64) -> Vec<HeroId> {
        self.guests(before_ms, |device| device.last_seen_ms)
    }

    /// Guests whose devices all lost their right before that, and that nobody wants to keep.
    pub(super) fn orphaned_guests(&self, before_ms: i64) -> Vec<HeroId> {
        let mut orphaned = self.guests(before_ms, |device| device.revoked_at_ms.unwrap_or(i64::MAX));
        let banned_ms = before_ms.saturating_sub(BANNED_GUEST_KEPT_MS);
        let is_banned = |hero: &HeroId| self.support.bans.get(hero).is_some_and(|at_ms| *at_ms >= banned_ms);
        orphaned.retain(|hero| !self.accounts.unions.contains_key(hero) && !is_banned(hero));
        orphaned
    }

    /// Heroes without an account, the latest time of whose devices is before that, the earliest first.
    fn guests(&self, before_ms: i64, time_ms: impl Fn(&Device) -> i64) -> Vec<HeroId> {
        let mut latest: BTreeMap<HeroId, i64> = BTreeMap::new();
        for device in self.devices.values() {
            let at_ms = latest.entry(device.hero).or_insert(i64::MIN);
            *at_ms = (*at_ms).max(time_ms(device));
        }
        latest.retain(|hero, at_ms| *at_ms < before_ms && !self.is_owned(*hero));
        let found: BTreeSet<_> = latest.into_iter().map(|(hero, at_ms)| (at_ms, hero)).collect();
        found.into_iter().map(|(_, hero)| hero).collect()
    }

    fn is_owned(&self, hero: HeroId) -> bool {
        self.accounts.find(|account| account.hero == hero).is_some()
    }

    pub(super) fn forget_ban(&mut self, hero: HeroId) {
        self.support.bans.remove(&hero);
    }

    /// The device of each hero that was seen last.
    fn last_devices(&self) -> Vec<Seen> {
        let mut last: BTreeMap<HeroId, &Device> = BTreeMap::new();
        for device in self.devices.values() {
            let kept = last.entry(device.hero).or_insert(device);
            if (device.last_seen_ms, device.device) > (kept.last_seen_ms, kept.device) {
                *kept = device;
            }
        }
        let seen = last.into_values().map(|device| Seen {
            hero: device.hero,
            device: device.device,
            account: device.account,
            last_seen_ms: device.last_seen_ms,
            revoked_at_ms: device.revoked_at_ms,
            guest_banned_at_ms: self.support.bans.get(&device.hero).copied(),
        });
        seen.collect()
    }

    fn ban_guest(&mut self, hero: HeroId, now_ms: i64) -> bool {
        let is_guest = !self.is_owned(hero)
            && !self.accounts.unions.contains_key(&hero)
            && self.devices.values().any(|device| device.hero == hero);
        if is_guest {
            let at_ms = *self.support.bans.entry(hero).or_insert(now_ms);
            for device in self.devices.values_mut().filter(|device| device.hero == hero) {
                device.revoked_at_ms.get_or_insert(at_ms);
            }
        }
        is_guest
    }

    fn unban_guest(&mut self, hero: HeroId) -> bool {
        let Some(at_ms) = self.support.bans.remove(&hero) else { return false };
        for device in self.devices.values_mut().filter(|device| device.hero == hero) {
            device.revoked_at_ms = device.revoked_at_ms.filter(|revoked_ms| *revoked_ms != at_ms);
        }
        true
    }
}

impl SupportStore for MemoryStore {
    fn seen(&self, after: Option<(i64, DeviceId)>, limit: u32) -> StoreFuture<'_, Vec<Seen>> {
        Box::pin(async move {
            let mut seen = self.lock().last_devices();
            seen.retain(|it| after.is_none_or(|after| it.place() < after));
            seen.sort_by_key(|it| std::cmp::Reverse(it.place()));
            seen.truncate(limit.min(SEEN_MAX) as usize);
            Ok(seen)
        })
    }

    fn seen_hero(&self, hero: HeroId) -> StoreFuture<'_, Option<Seen>> {
        Box::pin(async move { Ok(self.lock().last_devices().into_iter().find(|it| it.hero == hero)) })
    }

    fn ban_guest(&self, hero: HeroId, now_ms: i64) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.write(|inner| Ok(inner.ban_guest(hero, now_ms))) })
    }

    fn unban_guest(&self, hero: HeroId) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.write(|inner| Ok(inner.unban_guest(hero))) })
    }

    fn close_sockets(&self, wish: CloseWish) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let wishes = &mut inner.support.wishes;
                wishes.retain(|_, old| old.at_ms >= wish.at_ms - CLOSED_KEPT_MS);
                wishes.insert(wish.hero, wish);
                Ok(())
            })
        })
    }

    fn close_wishes(&self, since_ms: i64, limit: u32) -> StoreFuture<'_, Vec<CloseWish>> {
        Box::pin(async move {
            let inner = self.lock();
            let mut wishes: Vec<_> =
                inner.support.wishes.values().filter(|it| it.at_ms >= since_ms).copied().collect();
            wishes.sort_by_key(|it| (it.at_ms, it.hero));
            wishes.truncate(limit as usize);
            Ok(wishes)
        })
    }

    fn node_name(&self, node: NodeId) -> StoreFuture<'_, Option<String>> {
        Box::pin(async move { Ok(self.lock().nodes.get(&node).map(|lease| lease.name.clone())) })
    }
}
