//! Room in the queue, counted where it is asked for: on the shard's thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{HERO_EVENTS_MAX, QUEUE_BYTES_MAX, QUEUE_EVENTS_MAX, Refused, SNAPSHOT_BYTES_MAX, SNAPSHOTS_MAX};
use crate::record::HeroId;

/// Who holds how much room.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    // Held for a few additions at a time, never across an await; the writer touches it once a group.
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    events: usize,
    bytes: usize,
    heroes: HashMap<HeroId, usize>,
    snapshots: usize,
    snapshot_bytes: usize,
    is_read_only: bool,
    is_closed: bool,
}

impl Ledger {
    pub(super) fn reserve(
        self: &Arc<Self>,
        hero: HeroId,
        events: usize,
        bytes: usize,
    ) -> Result<Permit, Refused> {
        assert!((1..=HERO_EVENTS_MAX).contains(&events), "a command makes 1 to {HERO_EVENTS_MAX} events");
        let mut counts = self.lock();
        if counts.is_closed {
            return Err(Refused::Closed);
        }
        if counts.is_read_only {
            return Err(Refused::ReadOnly);
        }
        let hero_events = counts.heroes.get(&hero).copied().unwrap_or(0) + events;
        if hero_events > HERO_EVENTS_MAX
            || counts.events + events > QUEUE_EVENTS_MAX
            || counts.bytes + bytes > QUEUE_BYTES_MAX
        {
            return Err(Refused::Busy);
        }
        counts.events += events;
        counts.bytes += bytes;
        counts.heroes.insert(hero, hero_events);
        Ok(Permit { ledger: Arc::clone(self), hero, events, bytes })
    }

    pub(super) fn reserve_snapshot(self: &Arc<Self>, bytes: usize) -> Option<SnapshotPermit> {
        let mut counts = self.lock();
        if counts.snapshots == SNAPSHOTS_MAX || counts.snapshot_bytes + bytes > SNAPSHOT_BYTES_MAX {
            return None;
        }
        counts.snapshots += 1;
        counts.snapshot_bytes += bytes;
        Some(SnapshotPermit { ledger: Arc::clone(self), bytes })
    }

    pub(super) fn set_read_only(&self, is_read_only: bool) {
        self.lock().is_read_only = is_read_only;
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.lock().is_read_only
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Whether nobody holds any room.
    pub(super) fn is_empty(&self) -> bool {
        let counts = self.lock();
        counts.events == 0 && counts.snapshots == 0
    }

    /// Events and bytes reserved.
    pub(super) fn used(&self) -> (usize, usize) {
        let counts = self.lock();
        (counts.events, counts.bytes)
    }

    fn give_back(&self, hero: HeroId, events: usize, bytes: usize) {
        let mut counts = self.lock();
        counts.events -= events;
        counts.bytes -= bytes;
        if let Some(held) = counts.heroes.get_mut(&hero) {
            *held -= events;
            if *held == 0 {
                counts.heroes.remove(&hero);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("no code panics while it holds this lock")
    }
}

/// Room in the queue for one command's events. Dropping it gives the room back.
#[derive(Debug)]
pub struct Permit {
    ledger: Arc<Ledger>,
    hero: HeroId,
    events: usize,
    bytes: usize,
}

impl Permit {
    /// Gives back what the command did not need.
    pub(super) fn shrink(&mut self, hero: HeroId, events: usize, bytes: usize) {
        assert!(hero == self.hero, "a permit is for one hero");
        assert!((1..=self.events).contains(&events), "{events} events with a permit for {}", self.events);
        assert!(bytes <= self.bytes, "{bytes} bytes with a permit for {}", self.bytes);
        self.ledger.give_back(hero, self.events - events, self.bytes - bytes);
        (self.events, self.bytes) = (events, bytes);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.ledger.give_back(self.hero, self.events, self.bytes);
    }
}

/// Room for one snapshot.
#[derive(Debug)]
pub(super) struct SnapshotPermit {
    ledger: Arc<Ledger>,
    bytes: usize,
}

impl Drop for SnapshotPermit {
    fn drop(&mut self) {
        let mut counts = self.ledger.lock();
        counts.snapshots -= 1;
        counts.snapshot_bytes -= self.bytes;
    }
}
