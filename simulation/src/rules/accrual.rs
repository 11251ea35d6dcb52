//! What the tick needs to know of a hero: how fast its open session earns, and when to look at it again.

use super::focus::{self, Terms};
use crate::advance;
use crate::catalogue::Catalogue;
use crate::component::{Accrual, Accruing, Settled};
use crate::hero::{Hero, SessionState};

/// The rates of the running session at `now_ms`; nothing when no clock runs.
#[must_use]
pub fn accrual(hero: &Hero, now_ms: i64, catalogue: &Catalogue) -> Option<Accruing> {
    let session = hero.session.as_deref().filter(|session| session.state == SessionState::Running)?;
    let hold_ms = focus::hold_ms(session, catalogue);
    let at_ms = now_ms.max(session.meter.at_ms).min(hold_ms);
    let meter = focus::settled(hero, session, at_ms, catalogue);
    let rates = focus::rates(Terms::of(session), &meter, hero.today.focus_ms, catalogue);
    let bracket_ms = rates.for_ms.map_or(i64::MAX, |for_ms| at_ms + for_ms);
    Some(Accruing {
        accrual: Accrual {
            at_ms,
            until_ms: bracket_ms.min(hold_ms),
            energy_parts: meter.energy_rest,
            energy_parts_per_ms: rates.energy_parts_per_ms,
        },
        settled: Settled {
            at_ms,
            focus_ms: meter.focus_ms,
            energy_me: meter.energy_me,
            dopamine_md: meter.dopamine_md,
            dopamine_parts: meter.dopamine_rest,
            dopamine_parts_per_ms: rates.dopamine_parts_per_ms,
        },
    })
}

/// When to look at the hero again: a rate changes, or time alone makes something happen.
#[must_use]
pub fn next_boundary_ms(hero: &Hero, now_ms: i64, catalogue: &Catalogue) -> Option<i64> {
    let bracket_ms = accrual(hero, now_ms, catalogue)
        .map(|accruing| accruing.accrual.until_ms)
        .filter(|until_ms| *until_ms > now_ms && *until_ms < i64::MAX);
    let event_ms = advance::next_due_ms(hero, catalogue);
    bracket_ms.into_iter().chain(event_ms).min()
}
