//! Rows that shards make beside their events, out of the heroes that they have in memory anyway. They wait here until their
//! events are durable; then the follower writes them, and reads nothing of the journal as long as it keeps up.
//!
//! It forgets without loss: whatever is not here, or does not begin where the stored rows end, is made from the journal.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use persistence::{Epoch, HeroId, Seq};

use super::rows::Changes;

/// Rows and parts that may wait, of all heroes together: seconds' worth. Full: those of the hero at hand are forgotten.
const WAITING_MAX: usize = 32_768;

/// Fresh rows of every hero in memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct FreshRows(Arc<Mutex<Fresh>>);

#[derive(Debug, Default)]
struct Fresh {
    heroes: BTreeMap<HeroId, Waiting>,
    size: usize,
}

/// What one hero's events changed, in order and without gaps.
#[derive(Debug)]
struct Waiting {
    /// Whose events they are: another owner's are others, also when they have the same numbers.
    epoch: Epoch,
    /// Events of this epoch are durable up to here.
    durable: Seq,
    parts: VecDeque<Changes>,
}

impl FreshRows {
    /// Keeps what a group of events changed, before the journal has it. A group is durable as a whole.
    pub(crate) fn note(&self, hero: HeroId, epoch: Epoch, changes: Changes) {
        let mut fresh = self.lock();
        let follows = |waiting: &Waiting| {
            waiting.epoch == epoch && waiting.parts.back().is_none_or(|last| last.to() == changes.from())
        };
        if !fresh.heroes.get(&hero).is_some_and(follows) {
            fresh.forget(hero);
        }
        if fresh.size + size(&changes) > WAITING_MAX {
            return fresh.forget(hero);
        }
        fresh.size += size(&changes);
        let new = || Waiting { epoch, durable: Seq(0), parts: VecDeque::new() };
        fresh.heroes.entry(hero).or_insert_with(new).parts.push_back(changes);
    }

    /// Events are durable up to these.
    pub(crate) fn durable(&self, heroes: &[(HeroId, Epoch, Seq)]) {
        let mut fresh = self.lock();
        for (hero, epoch, seq) in heroes {
            if let Some(waiting) = fresh.heroes.get_mut(hero).filter(|waiting| waiting.epoch == *epoch) {
                waiting.durable = waiting.durable.max(*seq);
            }
        }
    }

    /// What of a hero is durable, until so many rows are full, and whether more is durable, here or only in the journal.
    pub(crate) fn take(&self, hero: HeroId, room: usize) -> Option<(Changes, bool)> {
        let mut fresh = self.lock();
        let waiting = fresh.heroes.get_mut(&hero)?;
        let mut taken: Option<Changes> = None;
        let mut freed = 0;
        while waiting.parts.front().is_some_and(|part| part.to() <= waiting.durable)
            && taken.as_ref().is_none_or(|taken| taken.count() < room)
        {
            let Some(part) = waiting.parts.pop_front() else { break };
            freed += size(&part);
            match &mut taken {
                Some(taken) => taken.append(part),
                None => taken = Some(part),
            }
        }
        let (durable, is_empty) = (waiting.durable, waiting.parts.is_empty());
        fresh.size -= freed;
        if is_empty {
            fresh.heroes.remove(&hero);
        }
        taken.map(|taken| {
            let has_more = taken.to() < durable;
            (taken, has_more)
        })
    }

    /// The journal was read up to here: what was made beside these events is not needed.
    pub(crate) fn supersede(&self, hero: HeroId, to: Seq) {
        let mut fresh = self.lock();
        let Some(waiting) = fresh.heroes.get_mut(&hero) else { return };
        let mut freed = 0;
        while let Some(part) = waiting.parts.pop_front_if(|part| part.from() < to) {
            freed += size(&part);
        }
        let is_empty = waiting.parts.is_empty();
        fresh.size -= freed;
        if is_empty {
            fresh.heroes.remove(&hero);
        }
    }

    /// A hero has left memory, and what of it is not durable may never be.
    pub(crate) fn forget(&self, hero: HeroId) {
        self.lock().forget(hero);
    }

    fn lock(&self) -> MutexGuard<'_, Fresh> {
        self.0.lock().expect("nothing panics while the rows are held")
    }
}

impl Fresh {
    fn forget(&mut self, hero: HeroId) {
        let parts = self.heroes.remove(&hero).map_or_else(VecDeque::new, |waiting| waiting.parts);
        self.size -= parts.iter().map(size).sum::<usize>();
    }
}

/// What a part counts: it takes room even when it has no row.
fn size(part: &Changes) -> usize {
    part.count() + 1
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HERO: HeroId = HeroId(Uuid::from_u128(1));
    const OTHER: HeroId = HeroId(Uuid::from_u128(2));

    /// A part without rows.
    fn part(from: u64, to: u64) -> Changes {
        let mut part = Changes::after_seq(Seq(from));
        part.skip_to(Seq(to));
        part
    }

    fn taken(fresh: &FreshRows, hero: HeroId) -> Option<(u64, u64)> {
        fresh.take(hero, 100).map(|(changes, _)| (changes.from().0, changes.to().0))
    }

    #[test]
    fn only_what_is_durable_is_taken() {
        let fresh = FreshRows::default();
        fresh.note(HERO, Epoch(1), part(0, 2));
        fresh.note(HERO, Epoch(1), part(2, 5));
        assert_eq!(taken(&fresh, HERO), None);
        fresh.durable(&[(HERO, Epoch(1), Seq(2))]);
        assert_eq!(taken(&fresh, HERO), Some((0, 2)));
        assert_eq!(taken(&fresh, HERO), None);
        fresh.note(HERO, Epoch(1), part(5, 6));
        fresh.durable(&[(HERO, Epoch(1), Seq(6))]);
        assert_eq!(taken(&fresh, HERO), Some((2, 6)));
        assert_eq!(fresh.lock().size, 0);
    }

    #[test]
    fn what_another_owner_might_have_written_otherwise_is_never_taken() {
        let fresh = FreshRows::default();
        fresh.note(HERO, Epoch(1), part(0, 2));
        fresh.note(HERO, Epoch(1), part(2, 5));
        // Fenced at 2; another node wrote 3 to 5, and then it came back.
        fresh.note(HERO, Epoch(3), part(5, 6));
        fresh.durable(&[(HERO, Epoch(3), Seq(6))]);
        assert_eq!(taken(&fresh, HERO), Some((5, 6)));
        fresh.note(HERO, Epoch(3), part(6, 7));
        fresh.durable(&[(HERO, Epoch(1), Seq(9))]);
        assert_eq!(taken(&fresh, HERO), None, "that was said of an older epoch");
        fresh.forget(HERO);
        fresh.durable(&[(HERO, Epoch(3), Seq(7))]);
        assert_eq!((taken(&fresh, HERO), fresh.lock().size), (None, 0));
    }

    #[test]
    fn a_gap_begins_anew() {
        let fresh = FreshRows::default();
        fresh.note(HERO, Epoch(1), part(0, 2));
        fresh.note(HERO, Epoch(1), part(3, 4));
        fresh.durable(&[(HERO, Epoch(1), Seq(4))]);
        assert_eq!(taken(&fresh, HERO), Some((3, 4)));
    }

    #[test]
    fn what_the_journal_gave_is_not_needed() {
        let fresh = FreshRows::default();
        for (from, to) in [(0, 2), (2, 4), (4, 6)] {
            fresh.note(HERO, Epoch(1), part(from, to));
        }
        fresh.durable(&[(HERO, Epoch(1), Seq(6))]);
        fresh.supersede(HERO, Seq(4));
        assert_eq!(taken(&fresh, HERO), Some((4, 6)));
    }

    #[test]
    fn what_has_no_room_is_forgotten_and_leaves_room() {
        let fresh = FreshRows::default();
        for seq in 0..WAITING_MAX as u64 {
            fresh.note(HERO, Epoch(1), part(seq, seq + 1));
        }
        fresh.note(OTHER, Epoch(1), part(0, 1));
        fresh.durable(&[(HERO, Epoch(1), Seq(1)), (OTHER, Epoch(1), Seq(1))]);
        assert_eq!((taken(&fresh, OTHER), taken(&fresh, HERO)), (None, Some((0, 1))));
        fresh.note(HERO, Epoch(1), part(WAITING_MAX as u64, WAITING_MAX as u64 + 1));
        fresh.note(HERO, Epoch(1), part(WAITING_MAX as u64 + 1, WAITING_MAX as u64 + 2));
        assert_eq!(fresh.lock().size, 0, "its own had no room");
    }
}
