//! What happened, as lines for a client.

use protocol::server::{Event, Events};
use simulation::{catalogue::Catalogue, event::TimedEvent, hero::Hero};

use super::view;

/// One event as a line; `seq` is its place in the hero's journal.
pub fn event(seq: u64, timed: &TimedEvent) -> Event {
    let TimedEvent { at_ms, event } = timed;
    Event {
        seq,
        at_ms: *at_ms,
        kind: event.kind().to_owned(),
        cause: event.cause().map(str::to_owned),
        energy_me: event.energy_me(),
        dopamine_md: event.dopamine_md(),
        subject: event.subject(),
        note: event.note().map(ToString::to_string),
    }
}

/// Events in a row, the first of them with the number `first`, and the sections that they touched, as they are in
/// `hero` now.
pub fn events(first: u64, events: &[TimedEvent], hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> Events {
    Events {
        events: (first..).zip(events).map(|(seq, timed)| event(seq, timed)).collect(),
        patch: view::patch(hero, events, catalogue, now_ms),
    }
}
