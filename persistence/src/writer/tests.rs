//! The writer's decisions, as a function of events and times.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::permit::Ledger;
use super::state::{Answer, Effects, Event, Group, Op, State, Waiting};
use super::*;
use crate::record::{Chain, EventBody, EventKind, EventRecord, Seq, SnapshotRecord};
use crate::store::{Appended, HeroAppend, SnapshotOutcome};
use crate::{Fence, FenceReason};

/// A state with its ledger and what the heroes have come to.
struct Rig {
    state: State,
    ledger: Arc<Ledger>,
    tickets: u64,
    heroes: std::collections::BTreeMap<HeroId, (Seq, Chain)>,
}

fn hero(number: u128) -> HeroId {
    HeroId(Uuid::from_u128(number))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn stored(op: &Op) -> Answer {
    match op {
        Op::Append(batch) => Answer::Append(Ok(vec![Appended::Written; batch.len()])),
        Op::Snapshot(snapshots) => Answer::Snapshot(Ok(vec![SnapshotOutcome::Kept; snapshots.len()])),
        Op::Quarantine { .. } => Answer::Quarantine(Ok(())),
        Op::Ping => Answer::Ping(Ok(())),
    }
}

fn away() -> Answer {
    Answer::Append(Err(StoreError::Unavailable("away".into())))
}

impl Rig {
    fn new() -> Self {
        Self { state: State::new(3), ledger: Arc::default(), tickets: 0, heroes: Default::default() }
    }

    fn group(&mut self, number: u128, events: usize) -> Event {
        self.sized_group(number, events, 10)
    }

    fn sized_group(&mut self, number: u128, events: usize, payload_bytes: usize) -> Event {
        let (hero, epoch) = (hero(number), Epoch(1));
        let at = self.heroes.entry(hero).or_insert((Seq(0), Chain::genesis(hero)));
        let previous = at.1;
        let body = EventBody {
            command: None,
            kind: EventKind::of("tested"),
            schema_version: 1,
            catalogue_version: 1,
            at_ms: 0,
            payload: vec![0; payload_bytes].into(),
        };
        let mut made = Vec::new();
        for _ in 0..events {
            let event = EventRecord::seal(hero, epoch, at.0.next(), at.1, body.clone());
            *at = (event.seq, event.chain);
            made.push(event);
        }
        let part = HeroAppend { hero, epoch, previous, events: made };
        let permit = self.ledger.reserve(hero, events, part.bytes()).unwrap();
        self.tickets += 1;
        Event::Received(vec![Message::Group(Group::new(Ticket(self.tickets), part, permit))])
    }

    fn snapshot(&mut self, number: u128) -> Event {
        let (seq, chain) = self.heroes[&hero(number)];
        let record = SnapshotRecord::seal(hero(number), seq, Epoch(1), 1, chain, "state".into(), 0);
        let permit = self.ledger.reserve_snapshot(5).unwrap();
        Event::Received(vec![Message::Snapshot(Waiting::new(Ticket(self.tickets), record, permit))])
    }

    fn submit(&mut self, now: Duration, number: u128, events: usize) -> Effects {
        let event = self.group(number, events);
        self.state.handle(now, event)
    }

    fn tick(&mut self, now: Duration) -> Effects {
        self.state.handle(now, Event::Tick)
    }

    fn answer(&mut self, now: Duration, answer: Answer) -> Effects {
        self.state.handle(now, Event::Answered(answer))
    }
}

#[test]
fn a_flush_waits_for_its_age_and_no_longer() {
    let mut rig = Rig::new();
    let effects = rig.submit(ms(10), 1, 1);
    assert!(effects.op.is_none());
    assert_eq!(effects.wake, Some(ms(10) + FLUSH_AGE));
    let effects = rig.submit(ms(12), 2, 1);
    assert_eq!(effects.wake, Some(ms(15)), "the oldest counts");
    assert!(rig.tick(ms(14)).op.is_none());
    let effects = rig.tick(ms(15));
    assert!(matches!(&effects.op, Some(Op::Append(batch)) if batch.len() == 2));
    assert_eq!(effects.watermark, Ticket(0));
    assert_eq!(effects.wake, Some(ms(10) + READ_ONLY_AGE));
    let effects = rig.answer(ms(20), stored(&effects.op.unwrap()));
    assert_eq!((effects.watermark, effects.wake), (Ticket(2), None));
    assert!(rig.state.is_idle() && rig.ledger.is_empty());
}

#[test]
fn a_flush_is_full_at_its_events_or_bytes() {
    let mut rig = Rig::new();
    for number in 1..=4 {
        assert_eq!(rig.submit(ms(0), number, 64).op.is_some(), number == 4, "256 events");
    }
    let mut rig = Rig::new();
    for number in 1..=3 {
        let group = rig.sized_group(number, 7, 16_000);
        assert_eq!(rig.state.handle(ms(0), group).op.is_some(), number == 3, "336 KiB");
    }
    // The third would pass the limit and waits.
    assert_eq!(rig.state.groups_count(), 3);
    let batch = vec![Appended::Written; 2];
    assert_eq!(rig.answer(ms(1), Answer::Append(Ok(batch))).watermark, Ticket(2));
}

#[test]
fn commands_of_a_hero_are_joined_in_order() {
    let mut rig = Rig::new();
    for number in [1, 2, 1, 1] {
        rig.submit(ms(0), number, 2);
    }
    let Some(Op::Append(batch)) = rig.tick(ms(5)).op else { panic!("a flush is due") };
    let shape: Vec<_> = batch.iter().map(|part| (part.hero, part.first_seq().0, part.last_seq().0)).collect();
    assert_eq!(shape, [(hero(1), 1, 6), (hero(2), 1, 2)]);
    crate::store::check_batch(&batch).unwrap();
}

#[test]
fn a_retry_is_the_identical_batch_whatever_came_since() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 2);
    let Some(Op::Append(first)) = rig.tick(ms(5)).op else { panic!("a flush is due") };
    rig.submit(ms(6), 1, 1);
    rig.submit(ms(6), 2, 1);
    let effects = rig.answer(ms(7), Answer::Append(Err(StoreError::Ambiguous("cut".into()))));
    let wake = effects.wake.unwrap();
    assert!(effects.op.is_none() && wake > ms(7) && wake <= ms(17), "{wake:?}");
    let Some(Op::Append(second)) = rig.tick(wake).op else { panic!("a retry is due") };
    assert_eq!(first, second);
}

#[test]
fn the_backoff_grows_to_its_limit() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    let mut now = ms(5);
    let mut waits = Vec::new();
    for _ in 0..12 {
        assert!(rig.tick(now).op.is_some());
        let facts = rig.answer(now, away()).facts;
        let after = facts.iter().find_map(|fact| match fact {
            WriterFact::Retried { after, .. } => Some(*after),
            _ => None,
        });
        let after = after.unwrap();
        // Earlier than asked nothing happens, whatever else does.
        assert!(rig.tick(now + after - Duration::from_nanos(1)).op.is_none());
        now += after;
        waits.push(after);
    }
    for (wait, full_ms) in waits.iter().zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]) {
        assert!(*wait <= ms(full_ms) && *wait >= ms(full_ms) * 3 / 4, "{wait:?} of {full_ms} ms");
    }
}

#[test]
fn read_only_begins_while_a_call_is_still_running() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    let effects = rig.tick(ms(5));
    assert_eq!(effects.wake, Some(READ_ONLY_AGE));
    let effects = rig.tick(READ_ONLY_AGE);
    assert_eq!((effects.read_only, effects.notices), (Some(true), vec![Notice::ReadOnly(true)]));
    assert_eq!(rig.tick(READ_ONLY_AGE * 2).read_only, None, "it is said once");
}

#[test]
fn read_only_ends_after_three_good_flushes_with_time_between_probes() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    rig.tick(ms(5));
    let full = Answer::Append(Err(StoreError::Full("full".into())));
    let effects = rig.answer(ms(6), full);
    assert_eq!(effects.read_only, Some(true));
    let mut now = effects.wake.unwrap();
    let op = rig.tick(now).op.unwrap();
    let mut effects = rig.answer(now, stored(&op));
    for probe in 1..=2 {
        assert_eq!(effects.read_only, None);
        let wake = effects.wake.unwrap();
        assert!(wake >= now + ms(200), "probe {probe}");
        now = wake;
        let op = rig.tick(now).op.unwrap();
        assert!(matches!(op, Op::Ping));
        effects = rig.answer(now, stored(&op));
    }
    assert_eq!(effects.read_only, Some(false));
    assert_eq!(effects.wake, None);
}

#[test]
fn a_bad_probe_starts_the_count_again() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    rig.tick(ms(5));
    let mut wake = rig.answer(ms(6), Answer::Append(Err(StoreError::Full("full".into())))).wake;
    let mut pings = 0;
    for step in 0.. {
        let now = wake.unwrap();
        let op = rig.tick(now).op.unwrap();
        pings += u32::from(matches!(op, Op::Ping));
        // The flush and one probe are good, the second probe is not.
        let answer = if step == 2 { Answer::Ping(Err(StoreError::Full("full".into()))) } else { stored(&op) };
        let effects = rig.answer(now, answer);
        if effects.read_only == Some(false) {
            break;
        }
        wake = effects.wake;
    }
    assert_eq!(pings, 1 + 1 + 3);
}

#[test]
fn snapshots_get_their_turn_under_load() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    let snapshot = rig.snapshot(1);
    rig.state.handle(ms(0), snapshot);
    let mut op = rig.tick(ms(5)).op.unwrap();
    let mut written_at = Vec::new();
    // Whenever the store answers the next flush is due already.
    for step in 1..=200 {
        let now = ms(5 + step * 10);
        rig.submit(now - ms(9), 2, 1);
        op = rig.answer(now, stored(&op)).op.unwrap();
        if matches!(op, Op::Snapshot(_)) {
            written_at.push(now);
        }
    }
    assert_eq!(written_at, [ms(1_005)], "flushes go first for a second");
}

#[test]
fn a_snapshot_waits_for_its_events_and_goes_with_them_when_fenced() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    let snapshot = rig.snapshot(1);
    assert!(rig.state.handle(ms(0), snapshot).op.is_none());
    rig.tick(ms(5));
    let fence = Fence { hero: hero(1), epoch: Epoch(1), why: FenceReason::Epoch };
    let fenced = Answer::Append(Err(StoreError::Fenced { heroes: vec![fence] }));
    let effects = rig.answer(ms(6), fenced);
    assert_eq!(effects.notices, [Notice::Fenced(vec![fence])]);
    assert_eq!(effects.watermark, Ticket(1), "settled: told by the notice");
    assert!(effects.op.is_none() && rig.state.is_idle() && rig.ledger.is_empty());
}

#[test]
fn a_store_that_fences_the_wrong_hero_is_broken() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    rig.tick(ms(5));
    let fence = Fence { hero: hero(2), epoch: Epoch(1), why: FenceReason::Epoch };
    let effects = rig.answer(ms(6), Answer::Append(Err(StoreError::Fenced { heroes: vec![fence] })));
    assert!(matches!(effects.failed, Some(StoreError::Broken { .. })));
    assert!(effects.op.is_none());
}

#[test]
fn a_poisoned_flush_is_searched_hero_by_hero() {
    let mut rig = Rig::new();
    for number in [1, 2, 3] {
        rig.submit(ms(0), number, 1);
    }
    let poison = || Answer::Append(Err(StoreError::Poison { what: "no".into() }));
    let heroes = |effects: &Effects| match &effects.op {
        Some(Op::Append(batch)) => batch.iter().map(|part| part.hero).collect(),
        other => panic!("{other:?}"),
    };
    let effects = rig.tick(ms(5));
    let all: Vec<HeroId> = heroes(&effects);
    assert_eq!(all, [hero(1), hero(2), hero(3)]);
    let effects = rig.answer(ms(6), poison());
    assert_eq!(heroes(&effects), [hero(1)]);
    let effects = rig.answer(ms(7), stored(&effects.op.unwrap()));
    assert_eq!(
        (heroes(&effects), effects.watermark),
        (vec![hero(2)], Ticket(0)),
        "not before the flush is over"
    );
    let effects = rig.answer(ms(8), poison());
    let Some(Op::Quarantine { hero: offender, .. }) = &effects.op else { panic!("{:?}", effects.op) };
    assert_eq!(*offender, hero(2));
    assert_eq!(effects.notices, [], "not before it is locked");
    let effects = rig.answer(ms(9), Answer::Quarantine(Ok(())));
    assert_eq!(effects.notices, [Notice::Poisoned { hero: hero(2), epoch: Epoch(1) }]);
    assert_eq!(heroes(&effects), [hero(3)]);
    let effects = rig.answer(ms(10), stored(&effects.op.unwrap()));
    assert_eq!(effects.watermark, Ticket(3));
    assert_eq!(advanced(&effects), [(hero(1), Epoch(1), Seq(1)), (hero(3), Epoch(1), Seq(1))]);
}

/// What the one flush that ended in these effects made durable.
fn advanced(effects: &Effects) -> &[(HeroId, Epoch, Seq)] {
    match effects.facts.iter().find(|fact| matches!(fact, WriterFact::Flushed { .. })) {
        Some(WriterFact::Flushed { advanced, .. }) => advanced,
        _ => panic!("no flush ended: {:?}", effects.facts),
    }
}

#[test]
fn a_flush_names_its_heroes_and_how_far_they_came() {
    let mut rig = Rig::new();
    for (number, events) in [(1, 2), (2, 1), (1, 3)] {
        rig.submit(ms(0), number, events);
    }
    let op = rig.tick(ms(5)).op.unwrap();
    let effects = rig.answer(ms(6), stored(&op));
    assert_eq!(advanced(&effects), [(hero(1), Epoch(1), Seq(5)), (hero(2), Epoch(1), Seq(1))]);
}

#[test]
fn a_flush_that_ends_with_a_quarantine_still_names_the_others() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    rig.submit(ms(0), 2, 1);
    rig.tick(ms(5));
    let poison = || Answer::Append(Err(StoreError::Poison { what: "no".into() }));
    let op = rig.answer(ms(6), poison()).op.unwrap();
    rig.answer(ms(7), stored(&op));
    rig.answer(ms(8), poison());
    let effects = rig.answer(ms(9), Answer::Quarantine(Ok(())));
    assert_eq!(advanced(&effects), [(hero(1), Epoch(1), Seq(1))]);
    // One whose heroes are all gone made nothing durable.
    rig.submit(ms(10), 2, 1);
    let effects = rig.tick(ms(15));
    assert!(effects.op.is_some());
    let fence = Fence { hero: hero(2), epoch: Epoch(1), why: FenceReason::Quarantined };
    let effects = rig.answer(ms(16), Answer::Append(Err(StoreError::Fenced { heroes: vec![fence] })));
    assert_eq!(effects.facts, [WriterFact::Fenced(vec![fence])]);
}

#[test]
fn a_drain_does_not_wait_for_age() {
    let mut rig = Rig::new();
    rig.submit(ms(0), 1, 1);
    let snapshot = rig.snapshot(1);
    rig.state.handle(ms(0), snapshot);
    let op = rig.state.handle(ms(1), Event::Drain).op.unwrap();
    assert!(matches!(op, Op::Append(_)));
    let op = rig.answer(ms(2), stored(&op)).op.unwrap();
    assert!(matches!(op, Op::Snapshot(_)));
    rig.answer(ms(3), stored(&op));
    assert!(rig.state.is_idle() && rig.ledger.is_empty());
}
