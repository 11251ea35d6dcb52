//! Breaks: rules, section 2.

use super::session::{self, next_round};
use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::{Event, RoundBegins};
use crate::hero::{Break, Hero, SessionState};
use crate::rejection::Rejection;

pub(crate) fn start(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    if draft.hero.on_break.is_some() {
        return Ok(());
    }
    let rules = &draft.catalogue.focus;
    let mut planned_ms = rules.pomodoro_break_ms;
    if let Some(session) = draft.hero.session.as_deref() {
        if !matches!(session.state, SessionState::Overtime { .. }) {
            return Err(Rejection::SessionOpen);
        }
        if next_round(session.mode, session.round, 0).is_none() {
            // The plan is fulfilled: going for a break is the answer that ends the session.
            session::end(draft, now_ms)?;
        } else if i64::from(session.round) % rules.pomodoro_long_every == 0 {
            planned_ms = rules.pomodoro_long_break_ms;
        }
    } else {
        let last = draft.hero.last_session.filter(|last| !last.break_taken).ok_or(Rejection::NoBreakDue)?;
        if now_ms - last.ended_at_ms > rules.overtime_max_ms {
            return Err(Rejection::NoBreakDue);
        }
    }
    draft.emit(now_ms, Event::BreakStarted { on_break: Break { started_at_ms: now_ms, planned_ms } });
    Ok(())
}

pub(crate) fn end(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let on_break = draft.hero.on_break.ok_or(Rejection::NoBreak)?;
    let next = draft
        .hero
        .session
        .as_deref()
        .filter(|session| session.state == SessionState::Resting)
        .and_then(|session| next_round(session.mode, session.round, session.meter.focus_ms));
    let round_begins = next.map(|(round, target_ms)| RoundBegins { round, target_ms });
    ended(draft, now_ms, on_break, round_begins);
    Ok(())
}

/// A session that starts ends the break before it.
pub(super) fn end_before_session(draft: &mut Draft<'_>, now_ms: i64) {
    if let Some(on_break) = draft.hero.on_break {
        ended(draft, now_ms, on_break, None);
    }
}

fn ended(draft: &mut Draft<'_>, at_ms: i64, on_break: Break, round_begins: Option<RoundBegins>) {
    let rules = &draft.catalogue.bonuses;
    let needed = i128::from(on_break.planned_ms) * i128::from(rules.break_taken_permille);
    let taken = i128::from(at_ms - on_break.started_at_ms) * 1000 >= needed;
    let pays = taken && i64::from(draft.hero.today.breaks) < rules.break_taken.per_day_max;
    let reward_me = rules.break_taken.reward_me;
    let energy_me = if pays { reward_me + draft.effect().break_bonus_me } else { 0 };
    draft.emit(at_ms, Event::BreakEnded { taken, energy_me, round_begins });
}

pub(crate) fn due(hero: &Hero, _catalogue: &Catalogue) -> Option<i64> {
    hero.on_break.map(|on_break| on_break.started_at_ms + on_break.planned_ms)
}

/// The break is over; the next round waits for the player.
pub(crate) fn run_out(draft: &mut Draft<'_>, at_ms: i64) {
    if let Some(on_break) = draft.hero.on_break {
        ended(draft, at_ms, on_break, None);
    }
}
