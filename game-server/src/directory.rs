//! Who is connected: hero → the sockets of its devices. A map, not an actor.
//!
//! It answers "how many others" and reaches a hero's sockets from outside its shard (logout, ban, drain). The shard of a
//! hero needs no entry: it follows from the id alone.

use std::{collections::BTreeSet, sync::Arc, sync::atomic::AtomicUsize, sync::atomic::Ordering};

use dashmap::DashMap;
use persistence::{DeviceId, HeroId};
use protocol::close;

use crate::outbox::Outbox;

/// Most sockets of one hero at a time. Full: the oldest is closed, so that a phone that lost its network gets in again.
pub const DEVICES_MAX: usize = 8;

/// Who is connected on this node.
#[derive(Debug, Default)]
pub struct Directory {
    sockets: DashMap<HeroId, Vec<Arc<Outbox>>>,
    count: AtomicUsize,
}

impl Directory {
    /// Which shard of `shards` owns a hero.
    #[must_use]
    pub fn shard_of(hero: HeroId, shards: usize) -> usize {
        let bits = hero.0.as_u128();
        // Ids of version 7 begin with the time; the low half is random.
        let random = u64::try_from(bits & u128::from(u64::MAX)).expect("masked to 64 bits");
        usize::try_from(random % shards as u64).expect("below the number of shards")
    }

    /// Enters a socket; it leaves when the guard is dropped.
    pub fn enter(self: &Arc<Self>, hero: HeroId, outbox: Arc<Outbox>) -> Entered {
        let mut sockets = self.sockets.entry(hero).or_default();
        if sockets.len() >= DEVICES_MAX {
            sockets.remove(0).close(close::POLICY, "too many devices at once, the oldest one left");
        } else {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        // Most have one device: no room for more before they come.
        sockets.reserve_exact(1);
        sockets.push(Arc::clone(&outbox));
        drop(sockets);
        Entered { directory: Arc::clone(self), hero, outbox }
    }

    /// Sockets on this node.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether a device of this hero is on this node.
    #[must_use]
    pub fn is_connected(&self, hero: HeroId) -> bool {
        self.sockets.contains_key(&hero)
    }

    /// Does something with each socket of a hero.
    pub fn for_hero(&self, hero: HeroId, mut act: impl FnMut(&Outbox)) {
        if let Some(sockets) = self.sockets.get(&hero) {
            sockets.iter().for_each(|outbox| act(outbox));
        }
    }

    /// Closes the sockets of these devices, whichever hero they act for.
    pub fn close_devices(&self, devices: &BTreeSet<DeviceId>, code: u16, reason: &'static str) {
        if devices.is_empty() {
            return;
        }
        self.for_all(|outbox| {
            if outbox.device.is_some_and(|device| devices.contains(&device)) {
                outbox.close(code, reason);
            }
        });
    }

    /// Does something with every socket of the node, the oldest first.
    pub fn for_all(&self, mut act: impl FnMut(&Outbox)) {
        let mut all: Vec<Arc<Outbox>> = Vec::with_capacity(self.connections());
        for sockets in &self.sockets {
            all.extend(sockets.iter().map(Arc::clone));
        }
        // The map's order is another one in every process.
        all.sort_unstable_by_key(|outbox| outbox.connection_id);
        all.iter().for_each(|outbox| act(outbox));
    }
}

/// A socket's entry in the directory.
#[derive(Debug)]
pub struct Entered {
    directory: Arc<Directory>,
    hero: HeroId,
    outbox: Arc<Outbox>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let connection_id = self.outbox.connection_id;
        self.directory.sockets.remove_if_mut(&self.hero, |_, sockets| {
            let before = sockets.len();
            sockets.retain(|outbox| outbox.connection_id != connection_id);
            self.directory.count.fetch_sub(before - sockets.len(), Ordering::Relaxed);
            sockets.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hero(number: u128) -> HeroId {
        HeroId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_socket_leaves_when_its_entry_is_dropped() {
        let directory = Arc::new(Directory::default());
        let first = directory.enter(hero(1), Arc::new(Outbox::new(1)));
        let second = directory.enter(hero(1), Arc::new(Outbox::new(2)));
        assert_eq!(directory.connections(), 2);
        drop(first);
        let mut left = Vec::new();
        directory.for_hero(hero(1), |outbox| left.push(outbox.connection_id));
        assert_eq!(left, [2]);
        drop(second);
        assert_eq!(directory.connections(), 0);
        assert!(directory.sockets.is_empty());
    }

    #[test]
    fn a_new_device_always_gets_in_and_the_oldest_leaves() {
        let directory = Arc::new(Directory::default());
        let outboxes: Vec<_> = (0..=DEVICES_MAX as u64).map(|id| Arc::new(Outbox::new(id))).collect();
        let entries: Vec<_> =
            outboxes.iter().map(|outbox| directory.enter(hero(1), Arc::clone(outbox))).collect();
        let closed: Vec<_> = outboxes.iter().filter(|outbox| outbox.take().1.is_some()).collect();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0].connection_id, 0);
        assert_eq!(directory.connections(), DEVICES_MAX);
        drop(entries);
        assert_eq!(directory.connections(), 0);
    }

    #[test]
    fn heroes_spread_over_the_shards() {
        let mut sizes = [0; 4];
        for number in 0..1000 {
            sizes[Directory::shard_of(hero(number), 4)] += 1;
        }
        assert!(sizes.iter().all(|&size| size > 200), "{sizes:?}");
    }
}
