//! The follower's decisions, as a function of events and times.

use std::time::Duration;

use persistence::HeroId;

use super::super::{ASIDE_MAX, BACKOFF_MAX, COLLECT, Event, HEROES_PER_STEP, State, Step, WAITING_MAX, Work};
use super::hero;

const SECOND: Duration = Duration::from_secs(1);
const GO: Event = Event::Tick { is_read_only: false };

/// A state whose first sweep found nothing.
fn swept() -> State {
    let mut state = State::default();
    assert_eq!(state.handle(COLLECT, GO), Some(Work::Sweep(None)));
    assert_eq!(state.handle(COLLECT, Event::Swept(Vec::new())), None);
    assert_eq!((state.wake(), state.lag()), (None, 0));
    state
}

fn heroes(numbers: std::ops::Range<u128>) -> Vec<HeroId> {
    numbers.map(hero).collect()
}

fn followed(again: Vec<HeroId>, took: Duration) -> Event {
    Event::Followed { took, step: Step { events: 1, again, aside: Vec::new(), assembled: Vec::new() } }
}

#[test]
fn news_is_collected_and_taken_once() {
    let mut state = swept();
    assert_eq!(state.handle(5 * SECOND, Event::Heard(heroes(1..3))), None);
    assert_eq!(state.handle(5 * SECOND + COLLECT / 2, Event::Heard(heroes(2..4))), None);
    assert_eq!(state.wake(), Some(5 * SECOND + COLLECT), "the first one counts");
    assert_eq!(state.handle(5 * SECOND + COLLECT / 2, GO), None, "not yet");
    assert_eq!(state.handle(5 * SECOND + COLLECT, GO), Some(Work::Follow(heroes(1..4))));
    assert_eq!((state.wake(), state.lag()), (None, 3));
    // What comes while a step runs waits for it and a second more.
    assert_eq!(state.handle(7 * SECOND, Event::Heard(heroes(1..2))), None);
    assert_eq!((state.wake(), state.lag()), (None, 4));
    assert_eq!(state.handle(8 * SECOND, followed(Vec::new(), SECOND / 100)), None);
    assert_eq!((state.wake(), state.lag()), (Some(8 * SECOND + COLLECT), 1));
    assert_eq!(state.handle(9 * SECOND, GO), Some(Work::Follow(heroes(1..2))));
    assert_eq!(state.handle(10 * SECOND, followed(Vec::new(), SECOND)), None);
    assert_eq!((state.wake(), state.lag()), (None, 0));
}

#[test]
fn what_was_begun_is_finished_first_and_after_a_rest() {
    let mut state = swept();
    let count = HEROES_PER_STEP as u128;
    state.handle(SECOND, Event::Heard(heroes(0..count + 2)));
    assert_eq!(state.handle(2 * SECOND, GO), Some(Work::Follow(heroes(0..count))));
    let took = Duration::from_millis(40);
    state.handle(3 * SECOND, followed(heroes(5..7), took));
    assert_eq!(state.wake(), Some(3 * SECOND + 3 * took));
    let next: Vec<HeroId> = [5, 6, count, count + 1].map(hero).into();
    assert_eq!(state.handle(4 * SECOND, GO), Some(Work::Follow(next)));
}

#[test]
fn a_sweep_goes_on_where_it_was_when_nobody_waits() {
    let mut state = State::default();
    assert_eq!(state.handle(COLLECT, GO), Some(Work::Sweep(None)));
    state.handle(COLLECT, Event::Swept(heroes(1..3)));
    assert_eq!(state.wake(), Some(COLLECT), "at once");
    assert_eq!(state.handle(COLLECT, GO), Some(Work::Follow(heroes(1..3))));
    state.handle(2 * SECOND, followed(Vec::new(), SECOND));
    assert_eq!(state.wake(), Some(5 * SECOND), "three times as long as it took");
    assert_eq!(state.handle(5 * SECOND, GO), Some(Work::Sweep(Some(hero(2)))));
    state.handle(5 * SECOND, Event::Swept(Vec::new()));
    assert_eq!(state.wake(), None);
}

#[test]
fn what_was_missed_or_has_no_room_is_found_by_a_sweep() {
    let mut state = swept();
    state.handle(SECOND, Event::Missed);
    assert_eq!(state.handle(2 * SECOND, GO), Some(Work::Sweep(None)));
    let mut state = swept();
    let many = WAITING_MAX as u128;
    state.handle(SECOND, Event::Heard(heroes(0..many + 1)));
    assert_eq!(state.lag(), WAITING_MAX);
    for step in 1..=many.div_ceil(HEROES_PER_STEP as u128) {
        let now = SECOND * u32::try_from(step + 1).unwrap();
        assert!(matches!(state.handle(now, GO), Some(Work::Follow(_))), "step {step}");
        state.handle(now, followed(Vec::new(), Duration::ZERO));
    }
    let now = state.wake().expect("a sweep waits");
    assert_eq!(state.handle(now, GO), Some(Work::Sweep(None)));
}

#[test]
fn a_store_that_is_away_is_waited_for() {
    let mut state = swept();
    state.handle(SECOND, Event::Heard(heroes(1..3)));
    assert_eq!(state.handle(2 * SECOND, Event::Tick { is_read_only: true }), None);
    assert_eq!(state.wake(), Some(2 * SECOND + COLLECT), "it looks again");
    let mut now = state.wake().unwrap();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let work = state.handle(now, GO).expect("it tries again");
        assert_eq!(work, Work::Follow(heroes(1..3)), "nobody is lost");
        state.handle(now, Event::Failed(work));
        assert_eq!(state.lag(), 2);
        waits.push(state.wake().unwrap() - now);
        now = state.wake().unwrap();
    }
    assert_eq!(waits[..5], [1, 2, 4, 8, 16].map(|factor| SECOND * factor));
    assert_eq!(waits[7], BACKOFF_MAX);
    state.handle(now, GO);
    state.handle(now, followed(heroes(1..2), Duration::ZERO));
    let work = state.handle(now, GO).unwrap();
    state.handle(now, Event::Failed(work));
    assert_eq!(state.wake(), Some(now + SECOND), "a good step begins anew");
}

#[test]
fn who_cannot_be_read_is_asked_no_more_and_counted() {
    let mut state = swept();
    state.handle(SECOND, Event::Heard(heroes(1..2)));
    state.handle(2 * SECOND, GO);
    let aside = |number: u128| (hero(number), "it breaks the fold".to_owned());
    let step = Step { aside: vec![aside(1)], ..Step::default() };
    state.handle(2 * SECOND, Event::Followed { took: SECOND, step });
    state.handle(3 * SECOND, Event::Heard(heroes(1..2)));
    assert_eq!((state.wake(), state.lag()), (None, 1));
    // There is a limit; beyond it a hero is tried again.
    let many = ASIDE_MAX as u128 + 2;
    let step = Step { aside: (2..=many).map(aside).collect(), ..Step::default() };
    state.handle(3 * SECOND, Event::Followed { took: SECOND, step });
    assert_eq!(state.lag(), ASIDE_MAX);
    state.handle(4 * SECOND, Event::Heard(vec![hero(many)]));
    assert!(state.wake().is_some());
}
