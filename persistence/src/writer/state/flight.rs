//! The one flush in flight: its groups, and the steps still to be taken.
//!
//! A flush is one step. Only when the store refuses its data it becomes one step per hero, so that the offender is
//! found. Until a step is answered it is resent exactly as it was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Group;
use crate::error::Fence;
use crate::record::{Epoch, HeroId, Seq};
use crate::store::HeroAppend;
use crate::writer::permit::Permit;
use crate::writer::stats::WriterFact;
use crate::writer::{FLUSH_BYTES_MAX, FLUSH_EVENTS_MAX, Ticket};

#[derive(Debug)]
pub(super) struct Flight {
    groups: VecDeque<Flying>,
    steps: VecDeque<Step>,
    /// How far the steps that are durable brought each hero.
    advanced: Vec<(HeroId, Epoch, Seq)>,
    events_count: usize,
    bytes: usize,
    waited: Duration,
    started: Duration,
}

/// What is left of a group when its events are in a step.
#[derive(Debug)]
struct Flying {
    ticket: Ticket,
    hero: HeroId,
    epoch: Epoch,
    arrived: Duration,
    /// Held until the group is settled or dropped.
    _permit: Permit,
}

#[derive(Debug)]
pub(super) enum Step {
    Append(Arc<[HeroAppend]>),
    Quarantine { hero: HeroId, epoch: Epoch, what: Arc<str> },
}

impl Flight {
    pub(super) fn groups_count(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn oldest(&self) -> Option<Duration> {
        self.groups.front().map(|group| group.arrived)
    }

    pub(super) fn first_ticket(&self) -> Option<Ticket> {
        self.groups.front().map(|group| group.ticket)
    }

    pub(super) fn is_over(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn step(&self) -> &Step {
        self.steps.front().expect("a flight without steps is over")
    }

    /// The front step is durable.
    pub(super) fn step_done(&mut self) {
        if let Some(Step::Append(batch)) = self.steps.pop_front() {
            self.advanced.extend(batch.iter().map(|part| (part.hero, part.epoch, part.last_seq())));
        }
    }

    /// What became durable, when every step is over; `None` when nothing did.
    pub(super) fn end(self, now: Duration) -> Option<WriterFact> {
        (!self.advanced.is_empty()).then(|| WriterFact::Flushed {
            events_count: self.events_count,
            bytes: self.bytes,
            advanced: self.advanced,
            waited: self.waited,
            took: now.saturating_sub(self.started),
        })
    }

    /// Takes heroes out of the front step. `false` when it does not hold one of them.
    pub(super) fn drop_from_step(&mut self, heroes: &[Fence]) -> bool {
        let Some(Step::Append(batch)) = self.steps.pop_front() else { return false };
        let rest: Vec<HeroAppend> =
            batch.iter().filter(|part| heroes.iter().all(|fence| fence.hero != part.hero)).cloned().collect();
        let is_known = !heroes.is_empty() && rest.len() + heroes.len() == batch.len();
        if !rest.is_empty() {
            self.steps.push_front(Step::Append(rest.into()));
        }
        is_known
    }

    /// The front step holds data the store refuses.
    pub(super) fn split_or_quarantine(&mut self, what: &str) {
        let Some(Step::Append(batch)) = self.steps.pop_front() else {
            unreachable!("only an append is refused")
        };
        if let [part] = &*batch {
            let what = Arc::from(format!("the store refused its events: {what}"));
            self.steps.push_front(Step::Quarantine { hero: part.hero, epoch: part.epoch, what });
        } else {
            for part in batch.iter().rev() {
                self.steps.push_front(Step::Append([part.clone()].into()));
            }
        }
    }

    /// The front step, a quarantine, is durable.
    pub(super) fn quarantine_done(&mut self) -> (HeroId, Epoch, Arc<str>) {
        match self.steps.pop_front() {
            Some(Step::Quarantine { hero, epoch, what }) => (hero, epoch, what),
            other => unreachable!("{other:?} is no quarantine"),
        }
    }

    pub(super) fn drop_groups(&mut self, hero: HeroId, epoch: Epoch) {
        self.groups.retain(|group| group.hero != hero || group.epoch > epoch);
    }
}

/// Fills a flight.
#[derive(Default)]
pub(super) struct Builder {
    groups: VecDeque<Flying>,
    parts: Vec<HeroAppend>,
    /// Where a hero's part is.
    indexes: BTreeMap<HeroId, usize>,
    events_count: usize,
    bytes: usize,
}

impl Builder {
    /// Whether the group may join. A group that does not follow the hero's earlier ones starts the next flush, so that
    /// the store judges it by itself.
    pub(super) fn has_room_for(&self, group: &Group) -> bool {
        let earlier = self.indexes.get(&group.part.hero).and_then(|index| self.parts.get(*index));
        let follows = earlier.is_none_or(|part| {
            let last = part.events.last().expect("a part holds at least one event");
            part.epoch == group.part.epoch
                && group.part.first_seq() == last.seq.next()
                && group.part.previous == last.chain
        });
        let fits = self.events_count + group.part.events.len() <= FLUSH_EVENTS_MAX
            && self.bytes + group.bytes <= FLUSH_BYTES_MAX;
        self.groups.is_empty() || (follows && fits)
    }

    pub(super) fn push(&mut self, group: Group) {
        let Group { ticket, part, permit, bytes, arrived } = group;
        let (hero, epoch) = (part.hero, part.epoch);
        self.groups.push_back(Flying { ticket, hero, epoch, arrived, _permit: permit });
        self.events_count += part.events.len();
        self.bytes += bytes;
        match self.indexes.get(&hero).and_then(|index| self.parts.get_mut(*index)) {
            Some(earlier) => earlier.events.extend(part.events),
            None => {
                self.indexes.insert(hero, self.parts.len());
                self.parts.push(part);
            }
        }
    }

    pub(super) fn build(self, now: Duration) -> Flight {
        let oldest = self.groups.front().map_or(now, |group| group.arrived);
        Flight {
            groups: self.groups,
            advanced: Vec::with_capacity(self.parts.len()),
            steps: [Step::Append(self.parts.into())].into(),
            events_count: self.events_count,
            bytes: self.bytes,
            waited: now.saturating_sub(oldest),
            started: now,
        }
    }
}
