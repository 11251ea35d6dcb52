//! The writer's decisions: events in, effects out. No clock, no channel, no await.

mod backoff;
mod flight;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::permit::{Permit, SnapshotPermit};
use super::stats::WriterFact;
use super::{FLUSH_AGE, FLUSH_BYTES_MAX, FLUSH_EVENTS_MAX, Message, Notice, READ_ONLY_AGE, Ticket};
use crate::error::{Fence, FenceReason, StoreError};
use crate::record::{Epoch, HeroId, SnapshotRecord};
use crate::store::{Appended, HeroAppend, SnapshotOutcome};
use backoff::Backoff;
use flight::{Flight, Step};

/// Good flushes after which read-only ends.
const GOOD_FLUSHES: u32 = 3;
/// Time between probes in read-only mode.
const PROBE_EVERY: Duration = Duration::from_millis(200);
/// Snapshots written in one transaction: one fsync for all, and short beside the flushes that wait for it.
const SNAPSHOTS_PER_WRITE_MAX: usize = 32;
/// Bytes of state at which a write of snapshots is full; one snapshot may pass it.
const SNAPSHOTS_PER_WRITE_BYTES_MAX: usize = 1024 * 1024;
/// Flushes go before snapshots, until a snapshot has waited this long; then they take turns.
const SNAPSHOT_AGE: Duration = Duration::from_secs(1);

/// All events of one command.
#[derive(Debug)]
pub(super) struct Group {
    ticket: Ticket,
    part: HeroAppend,
    permit: Permit,
    bytes: usize,
    arrived: Duration,
}

impl Group {
    pub(super) fn new(ticket: Ticket, part: HeroAppend, permit: Permit) -> Self {
        let bytes = part.bytes();
        Self { ticket, part, permit, bytes, arrived: Duration::ZERO }
    }
}

/// A snapshot that waits for its events.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Its events were submitted up to here.
    after: Ticket,
    record: SnapshotRecord,
    /// Held until it is written or dropped.
    _permit: SnapshotPermit,
    since: Duration,
}

impl Waiting {
    pub(super) fn new(after: Ticket, record: SnapshotRecord, permit: SnapshotPermit) -> Self {
        Self { after, record, _permit: permit, since: Duration::ZERO }
    }
}

/// What can happen to the writer.
#[derive(Debug)]
pub(super) enum Event {
    /// Groups were submitted and snapshots handed over, in this order. They are looked at together: a look costs more than
    /// to take one in.
    Received(Vec<Message>),
    /// The store answered the one call that runs.
    Answered(Answer),
    /// The time asked for has come.
    Tick,
    /// Nothing new will come: write what is here at once.
    Drain,
}

/// The store's answer to an [`Op`].
#[derive(Debug)]
pub(super) enum Answer {
    Append(Result<Vec<Appended>, StoreError>),
    Quarantine(Result<(), StoreError>),
    Snapshot(Result<Vec<SnapshotOutcome>, StoreError>),
    Ping(Result<(), StoreError>),
}

/// A call of the store; only one runs at a time.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Append(Arc<[HeroAppend]>),
    Quarantine { hero: HeroId, reason: Arc<str> },
    Snapshot(Arc<[SnapshotRecord]>),
    Ping,
}

/// What the run loop must do, in the order of the fields.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) facts: Vec<WriterFact>,
    pub(super) read_only: Option<bool>,
    pub(super) notices: Vec<Notice>,
    pub(super) watermark: Ticket,
    pub(super) op: Option<Op>,
    /// When to send [`Event::Tick`], if nothing else happens.
    pub(super) wake: Option<Duration>,
    pub(super) failed: Option<StoreError>,
}

/// Everything the writer knows.
#[derive(Debug)]
pub(super) struct State {
    queue: VecDeque<Group>,
    queue_events: usize,
    queue_bytes: usize,
    flight: Option<Flight>,
    snapshots: BTreeMap<HeroId, Waiting>,
    /// Snapshots the store is writing.
    writing: Vec<Waiting>,
    received: Ticket,
    is_running: bool,
    op_started: Duration,
    was_flush: bool,
    backoff: Backoff,
    is_read_only: bool,
    good_flushes: u32,
    probe_at: Duration,
    is_draining: bool,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            queue: VecDeque::new(),
            queue_events: 0,
            queue_bytes: 0,
            flight: None,
            snapshots: BTreeMap::new(),
            writing: Vec::new(),
            received: Ticket(0),
            is_running: false,
            op_started: Duration::ZERO,
            was_flush: false,
            backoff: Backoff::new(seed),
            is_read_only: false,
            good_flushes: 0,
            probe_at: Duration::ZERO,
            is_draining: false,
        }
    }

    /// Takes an event at a time that never goes back.
    pub(super) fn handle(&mut self, now: Duration, event: Event) -> Effects {
        let mut effects = Effects::default();
        match event {
            Event::Received(messages) => {
                for message in messages {
                    match message {
                        Message::Group(group) => self.enqueue(now, group),
                        Message::Snapshot(snapshot) => self.keep_snapshot(now, snapshot),
                    }
                }
            }
            Event::Answered(answer) => self.answered(now, answer, &mut effects),
            Event::Tick => (),
            Event::Drain => self.is_draining = true,
        }
        self.decide_read_only(now, &mut effects);
        effects.watermark = self.settled();
        if effects.failed.is_none() {
            self.plan(now, &mut effects);
        }
        effects
    }

    /// Whether nothing waits and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_running && self.flight.is_none() && self.queue.is_empty() && self.snapshots.is_empty()
    }

    /// Groups that are not settled.
    pub(super) fn groups_count(&self) -> usize {
        self.queue.len() + self.flight.as_ref().map_or(0, Flight::groups_count)
    }

    /// When the oldest event that is not settled arrived.
    pub(super) fn oldest(&self) -> Option<Duration> {
        let flying = self.flight.as_ref().and_then(Flight::oldest);
        flying.or_else(|| self.queue.front().map(|group| group.arrived))
    }

    fn settled(&self) -> Ticket {
        let flying = self.flight.as_ref().and_then(Flight::first_ticket);
        match flying.or_else(|| self.queue.front().map(|group| group.ticket)) {
            Some(waiting) => Ticket(waiting.0 - 1),
            None => self.received,
        }
    }

    fn enqueue(&mut self, now: Duration, mut group: Group) {
        assert!(group.ticket.0 == self.received.0 + 1, "tickets come in order");
        self.received = group.ticket;
        group.arrived = now;
        self.queue_events += group.part.events.len();
        self.queue_bytes += group.bytes;
        self.queue.push_back(group);
    }

    fn keep_snapshot(&mut self, now: Duration, mut snapshot: Waiting) {
        let hero = snapshot.record.hero;
        let earlier = self.snapshots.get(&hero).map(|it| it.since);
        snapshot.since = earlier.unwrap_or(now);
        self.snapshots.insert(hero, snapshot);
    }

    fn answered(&mut self, now: Duration, answer: Answer, effects: &mut Effects) {
        assert!(self.is_running, "the store answers only what it was asked");
        self.is_running = false;
        match answer {
            Answer::Append(Ok(_)) => self.step_done(now, effects),
            Answer::Append(Err(StoreError::Fenced { heroes })) => self.fenced(now, heroes, effects),
            Answer::Append(Err(StoreError::Poison { what })) => self.refused(&what),
            Answer::Quarantine(Ok(())) => self.quarantined(now, effects),
            Answer::Snapshot(answer) => self.snapshots_answered(now, answer, effects),
            Answer::Ping(Ok(())) => {
                self.good_answer();
                self.good_flushes += 1;
                self.probe_at = now + PROBE_EVERY;
            }
            Answer::Append(Err(error)) | Answer::Quarantine(Err(error)) | Answer::Ping(Err(error)) => {
                self.failed(now, error, effects);
            }
        }
    }

    /// The front step of the flight is durable.
    fn step_done(&mut self, now: Duration, effects: &mut Effects) {
        self.good_answer();
        let flight = self.flight.as_mut().expect("an append runs only for a flight");
        flight.step_done();
        if flight.is_over() {
            self.good_flushes += 1;
            self.probe_at = now + PROBE_EVERY;
        }
        self.end_flight_when_over(now, effects);
    }

    fn good_answer(&mut self) {
        self.backoff.reset();
    }

    /// Nothing of the step is stored: it goes again without the named heroes, which lose everything that waits (D10).
    fn fenced(&mut self, now: Duration, heroes: Vec<Fence>, effects: &mut Effects) {
        self.good_answer();
        for fence in &heroes {
            self.drop_hero(fence.hero, fence.epoch);
        }
        let flight = self.flight.as_mut().expect("an append runs only for a flight");
        if !flight.drop_from_step(&heroes) {
            let what = "the store fenced heroes it was not asked about".into();
            effects.failed = Some(StoreError::Broken { what });
        }
        self.end_flight_when_over(now, effects);
        effects.facts.push(WriterFact::Fenced(heroes.clone()));
        effects.notices.push(Notice::Fenced(heroes));
    }

    /// The store refuses data: find out whose, then lock that hero.
    fn refused(&mut self, what: &str) {
        self.good_answer();
        self.flight.as_mut().expect("an append runs only for a flight").split_or_quarantine(what);
    }

    fn quarantined(&mut self, now: Duration, effects: &mut Effects) {
        self.good_answer();
        let flight = self.flight.as_mut().expect("a quarantine runs only for a flight");
        let (hero, epoch, what) = flight.quarantine_done();
        self.drop_hero(hero, epoch);
        self.end_flight_when_over(now, effects);
        effects.facts.push(WriterFact::Poisoned { hero, what: what.as_ref().into() });
        effects.notices.push(Notice::Poisoned { hero, epoch });
    }

    fn end_flight_when_over(&mut self, now: Duration, effects: &mut Effects) {
        if let Some(flight) = self.flight.take_if(|flight| flight.is_over()) {
            effects.facts.extend(flight.end(now));
        }
    }

    /// Forgets what waits of a hero up to an epoch; a newer owner's groups stay.
    fn drop_hero(&mut self, hero: HeroId, epoch: Epoch) {
        let is_dropped = |group: &Group| group.part.hero == hero && group.part.epoch <= epoch;
        for group in self.queue.iter().filter(|group| is_dropped(group)) {
            self.queue_events -= group.part.events.len();
            self.queue_bytes -= group.bytes;
        }
        self.queue.retain(|group| !is_dropped(group));
        if let Some(flight) = &mut self.flight {
            flight.drop_groups(hero, epoch);
        }
        if self.snapshots.get(&hero).is_some_and(|waiting| waiting.record.epoch <= epoch) {
            self.snapshots.remove(&hero);
        }
    }

    fn snapshots_answered(
        &mut self,
        now: Duration,
        answer: Result<Vec<SnapshotOutcome>, StoreError>,
        effects: &mut Effects,
    ) {
        let written = std::mem::take(&mut self.writing);
        match answer {
            Ok(outcomes) => {
                self.good_answer();
                let (mut kept, mut stale) = (Vec::new(), Vec::new());
                for (Waiting { record, .. }, outcome) in written.into_iter().zip(&outcomes) {
                    match outcome {
                        SnapshotOutcome::Kept => kept.push(record),
                        SnapshotOutcome::Stale => {
                            let (hero, epoch) = (record.hero, record.epoch);
                            stale.push(Fence { hero, epoch, why: FenceReason::Epoch });
                        }
                    }
                }
                effects.facts.push(WriterFact::SnapshotsWritten {
                    kept,
                    stale_count: stale.len(),
                    took: now.saturating_sub(self.op_started),
                });
                if !stale.is_empty() {
                    // Its events tell the same sooner or later; an idle owner would not hear it otherwise. What still
                    // waits is left to the store's judgement.
                    effects.notices.push(Notice::Fenced(stale));
                }
            }
            Err(StoreError::Poison { what }) => {
                self.good_answer();
                effects.facts.push(WriterFact::SnapshotsRefused { what });
            }
            Err(error) => {
                for waiting in written {
                    self.snapshots.entry(waiting.record.hero).or_insert(waiting);
                }
                self.failed(now, error, effects);
            }
        }
    }

    /// The world outside failed: what was asked is asked again later, unless nothing can be trusted any more.
    fn failed(&mut self, now: Duration, error: StoreError, effects: &mut Effects) {
        self.good_flushes = 0;
        let after = match &error {
            StoreError::Busy(_) => self.backoff.short(now),
            StoreError::Ambiguous(_) if self.backoff.is_first() => self.backoff.short(now),
            StoreError::Ambiguous(_) | StoreError::Unavailable(_) => self.backoff.long(now),
            StoreError::Full(_) => {
                self.set_read_only(true, effects);
                self.backoff.long(now)
            }
            _ => {
                effects.failed = Some(error);
                return;
            }
        };
        effects.facts.push(WriterFact::Retried { what: full_text(&error), after });
    }

    fn decide_read_only(&mut self, now: Duration, effects: &mut Effects) {
        let is_late = self.oldest().is_some_and(|arrived| now.saturating_sub(arrived) >= READ_ONLY_AGE);
        if is_late {
            self.set_read_only(true, effects);
        } else if self.is_read_only && self.good_flushes >= GOOD_FLUSHES {
            self.set_read_only(false, effects);
        }
    }

    fn set_read_only(&mut self, is_read_only: bool, effects: &mut Effects) {
        if self.is_read_only != is_read_only {
            self.is_read_only = is_read_only;
            self.good_flushes = 0;
            effects.read_only = Some(is_read_only);
            effects.notices.push(Notice::ReadOnly(is_read_only));
            effects.facts.push(WriterFact::ReadOnly(is_read_only));
        }
    }

    /// Chooses the next call of the store, or when to look again.
    fn plan(&mut self, now: Duration, effects: &mut Effects) {
        let read_only_at =
            self.oldest().filter(|_| !self.is_read_only).map(|arrived| arrived + READ_ONLY_AGE);
        if self.is_running {
            effects.wake = read_only_at;
            return;
        }
        if let Some(at) = self.backoff.blocked_until().filter(|at| *at > now) {
            effects.wake = Some(read_only_at.map_or(at, |other| other.min(at)));
            return;
        }
        match self.next_op(now) {
            Some(op) => {
                self.was_flush = matches!(op, Op::Append(_));
                self.is_running = true;
                self.op_started = now;
                effects.op = Some(op);
                effects.wake = read_only_at;
            }
            None => {
                let flush_at = self.queue.front().map(|group| group.arrived + FLUSH_AGE);
                let probe_at = (self.is_read_only && self.queue.is_empty()).then_some(self.probe_at);
                // No flush runs here, so the age of a flush comes long before read-only.
                effects.wake = [flush_at, probe_at].into_iter().flatten().min();
            }
        }
    }

    fn next_op(&mut self, now: Duration) -> Option<Op> {
        if self.flight.is_none() && self.is_flush_due(now) && !self.is_snapshots_turn(now) {
            self.flight = Some(self.take_off(now));
        }
        if let Some(flight) = &self.flight {
            return Some(match flight.step() {
                Step::Append(batch) => Op::Append(Arc::clone(batch)),
                Step::Quarantine { hero, what, .. } => {
                    Op::Quarantine { hero: *hero, reason: Arc::clone(what) }
                }
            });
        }
        // While read-only a snapshot would only stand in the way of the events.
        if !self.is_read_only || self.is_draining {
            self.writing = self.take_snapshots();
            if !self.writing.is_empty() {
                return Some(Op::Snapshot(
                    self.writing.iter().map(|waiting| waiting.record.clone()).collect(),
                ));
            }
        }
        (self.is_read_only && self.queue.is_empty() && now >= self.probe_at).then_some(Op::Ping)
    }

    fn is_flush_due(&self, now: Duration) -> bool {
        self.queue.front().is_some_and(|oldest| {
            self.is_draining
                || now.saturating_sub(oldest.arrived) >= FLUSH_AGE
                || self.queue_events >= FLUSH_EVENTS_MAX
                || self.queue_bytes >= FLUSH_BYTES_MAX
        })
    }

    fn is_snapshots_turn(&self, now: Duration) -> bool {
        let settled = self.settled();
        let mut ready = self.snapshots.values().filter(|waiting| waiting.after <= settled);
        self.was_flush && !self.is_read_only && ready.any(|it| now.saturating_sub(it.since) >= SNAPSHOT_AGE)
    }

    /// Fills a flush with whole groups from the front of the queue.
    fn take_off(&mut self, now: Duration) -> Flight {
        let mut flight = flight::Builder::default();
        while let Some(group) = self.queue.front() {
            if !flight.has_room_for(group) {
                break;
            }
            let group = self.queue.pop_front().expect("looked at a line above");
            self.queue_events -= group.part.events.len();
            self.queue_bytes -= group.bytes;
            flight.push(group);
        }
        flight.build(now)
    }

    fn take_snapshots(&mut self) -> Vec<Waiting> {
        let settled = self.settled();
        let mut bytes = 0;
        let mut heroes = Vec::new();
        for (hero, waiting) in self.snapshots.iter().filter(|(_, waiting)| waiting.after <= settled) {
            bytes += waiting.record.state.len();
            let is_full = heroes.len() == SNAPSHOTS_PER_WRITE_MAX || bytes > SNAPSHOTS_PER_WRITE_BYTES_MAX;
            if is_full && !heroes.is_empty() {
                break;
            }
            heroes.push(*hero);
        }
        heroes.iter().filter_map(|hero| self.snapshots.remove(hero)).collect()
    }
}

/// An error with everything behind it, for the log.
fn full_text(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
