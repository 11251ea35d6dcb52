//! What time alone makes happen. Boundaries are walked in order of time, each event has its own moment, and a call
//! that is split anywhere gives the same hero.

use alloc::vec::Vec;

use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::TimedEvent;
use crate::hero::Hero;
use crate::rules::{achievement, assembly, confirm, day, preset, rack, rest, streak, timer, wallet};

/// The most events that one call returns, and the most that a decision returns. Reserve room for that many before
/// calling; the tests come nowhere near. What a call leaves over, the next one finds.
pub const EVENTS_PER_ADVANCE_MAX: usize = 64;

/// One boundary and what follows from it never makes more events than this.
const EVENTS_PER_BOUNDARY_MAX: usize = 24;

/// Something that time makes happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    Ignition,
    StartedDayActive,
    DayActive,
    DailyGoal,
    RoundFinished,
    Interruption,
    SessionClosed,
    BreakOver,
    JobDone,
    SilentConfirmation,
    DayOver,
}

/// When something is due; nothing if it cannot happen as things stand.
type WhenDue = fn(&Hero, &Catalogue) -> Option<i64>;

/// When each boundary is due. At the same moment, the first in the list happens first: what belongs to a day comes
/// before its end.
const BOUNDARIES: [(Boundary, WhenDue); 11] = [
    (Boundary::Ignition, timer::ignition_due),
    (Boundary::StartedDayActive, day::started_day_due),
    (Boundary::DayActive, day::active_due),
    (Boundary::DailyGoal, day::goal_due),
    (Boundary::RoundFinished, timer::round_due),
    (Boundary::Interruption, timer::interruption_due),
    (Boundary::SessionClosed, timer::auto_end_at),
    (Boundary::BreakOver, rest::due),
    (Boundary::JobDone, assembly::due),
    (Boundary::SilentConfirmation, confirm::due),
    (Boundary::DayOver, day::end_due),
];

/// What happened until `now_ms`. Empty if nothing did; then the hero need not change.
#[must_use]
pub fn advance(hero: &Hero, now_ms: i64, catalogue: &Catalogue) -> Vec<TimedEvent> {
    if next_due_ms(hero, catalogue).is_none_or(|due_ms| due_ms > now_ms) {
        return Vec::new();
    }
    let mut draft = Draft::new(hero, catalogue);
    run(&mut draft, now_ms);
    draft.events
}

/// When time alone will make something happen next.
#[must_use]
pub fn next_due_ms(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    next(hero, catalogue).map(|(at_ms, _)| at_ms)
}

fn next(hero: &Hero, catalogue: &Catalogue) -> Option<(i64, Boundary)> {
    if hero.handed_over().is_some() {
        // It is over: what it had goes on elsewhere.
        return None;
    }
    BOUNDARIES
        .iter()
        .filter_map(|(boundary, due)| {
            due(hero, catalogue).map(|at_ms| (at_ms.max(hero.latest_ms), *boundary))
        })
        .min_by_key(|(at_ms, _)| *at_ms)
}

/// Lets everything happen that is due by `now_ms`, with what follows from it.
pub(crate) fn run(draft: &mut Draft<'_>, now_ms: i64) {
    if !draft.events.is_empty() {
        consequences(draft);
    }
    while draft.events.len() + EVENTS_PER_BOUNDARY_MAX <= EVENTS_PER_ADVANCE_MAX {
        let Some((at_ms, boundary)) = next(&draft.hero, draft.catalogue) else { break };
        if at_ms > now_ms {
            break;
        }
        let before = draft.events.len();
        happen(draft, at_ms, boundary, now_ms);
        // A boundary that makes nothing happen would be due for ever: stop instead of turning round and round.
        debug_assert!(draft.events.len() > before, "{boundary:?} was due at {at_ms} and did nothing");
        if draft.events.len() == before {
            break;
        }
        consequences(draft);
    }
}

fn happen(draft: &mut Draft<'_>, at_ms: i64, boundary: Boundary, now_ms: i64) {
    match boundary {
        Boundary::Ignition => timer::ignite(draft, at_ms),
        Boundary::StartedDayActive => day::activate_started_day(draft, at_ms),
        Boundary::DayActive => day::activate(draft, at_ms),
        Boundary::DailyGoal => day::reach_goal(draft, at_ms),
        Boundary::RoundFinished => timer::finish_round(draft, at_ms),
        Boundary::Interruption => timer::interrupt(draft, at_ms),
        Boundary::SessionClosed => timer::close(draft, at_ms),
        Boundary::BreakOver => rest::run_out(draft, at_ms),
        Boundary::JobDone => assembly::finish(draft, at_ms),
        Boundary::SilentConfirmation => confirm::silence(draft, at_ms),
        Boundary::DayOver => {
            // Days in which nothing happens pass together, until something does.
            let others = BOUNDARIES.iter().filter(|(other, _)| *other != Boundary::DayOver);
            let other_ms = others.filter_map(|(_, due)| due(&draft.hero, draft.catalogue)).min();
            day::end(draft, other_ms.map_or(now_ms, |other_ms| now_ms.min(other_ms - 1)));
        }
    }
}

/// What follows at once from the last event, until nothing does.
fn consequences(draft: &mut Draft<'_>) {
    if draft.hero.handed_over().is_some() {
        return;
    }
    loop {
        let before = draft.events.len();
        let at_ms = draft.hero.latest_ms;
        preset::load_queued(draft, at_ms);
        if draft.rack_touched {
            rack::find_synergies(draft, at_ms);
            streak::give_shield(draft, at_ms);
        }
        wallet::level_up(draft, at_ms);
        achievement::unlock(draft, at_ms);
        assembly::keep_pace(draft, at_ms);
        if draft.events.len() == before {
            break;
        }
    }
    draft.rack_touched = false;
}
