//! What time alone does to an open session: ignition, planned end, interruptions, closing. Rules, section 2.

use super::{focus, session};
use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::{Bonus, Event};
use crate::hero::{EndKind, Hero, Session, SessionState};

/// When a running session's focus reaches `focus_ms`; nothing while the clock stands, or if that is not certain yet.
pub(super) fn reaches(session: &Session, focus_ms: i64, catalogue: &Catalogue) -> Option<i64> {
    if session.state != SessionState::Running {
        return None;
    }
    let at_ms = session.meter.at_ms + (focus_ms - session.meter.focus_ms).max(0);
    (at_ms <= focus::hold_ms(session, catalogue)).then_some(at_ms)
}

pub(crate) fn ignition_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let session = hero.session.as_deref().filter(|session| !session.ignited)?;
    reached_or(session, catalogue.focus.ignition_ms, hero, catalogue)
}

/// When `focus_ms` is reached; at once if it lies behind.
pub(super) fn reached_or(
    session: &Session,
    focus_ms: i64,
    hero: &Hero,
    catalogue: &Catalogue,
) -> Option<i64> {
    if session.meter.focus_ms >= focus_ms {
        return Some(hero.latest_ms);
    }
    reaches(session, focus_ms, catalogue)
}

pub(crate) fn ignite(draft: &mut Draft<'_>, at_ms: i64) {
    let rules = draft.catalogue.bonuses.ignition;
    let pays = i64::from(draft.hero.today.ignitions) < rules.per_day_max;
    let energy_me = if pays { rules.reward_me } else { 0 };
    draft.emit(at_ms, Event::BonusPaid { bonus: Bonus::Ignition, energy_me });
}

pub(crate) fn round_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let session = hero.session.as_deref()?;
    reaches(session, session.target_ms?, catalogue)
}

pub(crate) fn finish_round(draft: &mut Draft<'_>, at_ms: i64) {
    let Some(session) = draft.hero.session.as_deref() else { return };
    let meter = focus::settled(&draft.hero, session, at_ms, draft.catalogue);
    let planned_me = meter.energy_me - session.round_from_me;
    let completion_me = focus::share(planned_me, draft.catalogue.bonuses.completion_permille);
    draft.emit(at_ms, Event::RoundFinished { meter, completion_me });
}

pub(crate) fn interruption_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    match hero.session.as_deref()?.state {
        SessionState::Paused { since_ms } => Some(since_ms + catalogue.focus.pause_free_ms),
        _ => None,
    }
}

pub(crate) fn interrupt(draft: &mut Draft<'_>, at_ms: i64) {
    let Some(session) = draft.hero.session.as_deref() else { return };
    let ramp_ms = focus::interrupted_ramp_ms(session);
    draft.emit(at_ms, Event::SessionInterrupted { ramp_ms });
}

/// When the open session ends if nobody does anything; nothing if its plan or break comes first.
#[must_use]
pub fn auto_end_at(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let session = hero.session.as_deref()?;
    let rules = &catalogue.focus;
    match session.state {
        SessionState::Running => session.open_ended.then_some(session.signal_ms + rules.flowtime_silence_ms),
        SessionState::Paused { since_ms } | SessionState::Interrupted { since_ms } => {
            let left_ms = (rules.pauses_total_max_ms - session.paused_ms).max(0);
            Some(since_ms + rules.pause_max_ms.min(left_ms))
        }
        SessionState::Overtime { since_ms } | SessionState::Waiting { since_ms } => {
            Some(since_ms + rules.overtime_max_ms)
        }
        SessionState::Resting => None,
    }
}

pub(crate) fn close(draft: &mut Draft<'_>, at_ms: i64) {
    let Some(session) = draft.hero.session.as_deref() else { return };
    let (ended_at_ms, end) = match session.state {
        SessionState::Running => (focus::hold_ms(session, draft.catalogue).min(at_ms), EndKind::Auto),
        SessionState::Paused { since_ms } | SessionState::Interrupted { since_ms } => {
            (since_ms, EndKind::Banked)
        }
        SessionState::Overtime { since_ms } => (since_ms, session::fulfilled(session)),
        SessionState::Resting | SessionState::Waiting { .. } => (session.meter.at_ms, EndKind::Banked),
    };
    let meter = focus::certain(&draft.hero, session, at_ms, draft.catalogue);
    session::finish(draft, at_ms, ended_at_ms, meter, end);
}
