//! The life of a session: rules, section 2. `running → paused → running → ended`, at most one open.

use alloc::boxed::Box;

use super::focus::{self, Terms};
use super::{rack, text};
use crate::catalogue::{Catalogue, Category};
use crate::command::FocusMode;
use crate::draft::Draft;
use crate::event::{Bonus, Credit, Event};
use crate::hero::{EndKind, Hero, Meter, Session, SessionState, category_slot};
use crate::rack::RackEffect;
use crate::rejection::{Field, Rejection};
use crate::text::PlayerText;

/// A sign of life in an open-ended session is noted at most this often.
const SIGNAL_EVERY_MS: i64 = 300_000;

/// Longest intention in characters.
const INTENTION_CHARS_MAX: usize = 200;

pub(crate) fn start(
    draft: &mut Draft<'_>,
    now_ms: i64,
    mode: FocusMode,
    category: Category,
    task_id: Option<u32>,
) -> Result<(), Rejection> {
    if draft.hero.session.is_some() {
        return Err(Rejection::SessionOpen);
    }
    let target_ms = check_mode(mode, draft.catalogue)?;
    check_task(&draft.hero, task_id)?;
    let catalogue = draft.catalogue;
    let (hero, effect) = draft.hero_and_effect();
    let mod_permille = multiplier(hero, effect, category, catalogue);
    let meter = focus::fresh(now_ms, effect.ramp_start_ms);
    let (early_rate_ud_per_s, rate_ud_per_s) = (effect.early_rate_ud_per_s, effect.rate_ud_per_s);
    let interruption_ms = effect.interruption_ramp_loss_ms;
    let session = Session {
        session_id: draft.next_id(),
        revision: 1,
        state: SessionState::Running,
        mode,
        category,
        task_id,
        intention: None,
        started_at_ms: now_ms,
        started_day_no: draft.hero.today.bounds.day_no,
        meter,
        acted: meter,
        signal_ms: now_ms,
        open_ended: target_ms.is_none(),
        target_ms,
        round: 1,
        round_from_me: 0,
        completion_me: 0,
        acted_completion_me: 0,
        credited_focus_ms: 0,
        credited_me: 0,
        credited_md: 0,
        task_from_ms: 0,
        paused_ms: 0,
        interruptions: 0,
        ignited: false,
        started_day_counted: draft.hero.today.active,
        mod_permille,
        early_rate_ud_per_s,
        rate_ud_per_s,
        interruption_ms,
    };
    draft.emit(now_ms, Event::SessionStarted { session: Box::new(session) });
    super::confirm::silence(draft, now_ms);
    super::rest::end_before_session(draft, now_ms);
    Ok(())
}

/// The planned focus of a session or of each round; nothing in flowtime.
fn check_mode(mode: FocusMode, catalogue: &Catalogue) -> Result<Option<i64>, Rejection> {
    let rules = &catalogue.focus;
    let (minutes, rounds) = match mode {
        FocusMode::Flowtime => return Ok(None),
        FocusMode::Countdown { planned_minutes } => (planned_minutes, 1),
        FocusMode::Pomodoro { planned_minutes, rounds } => (planned_minutes, rounds),
    };
    let planned_ms = i64::from(minutes) * 60_000;
    if !(rules.countdown_min_ms..=rules.countdown_max_ms).contains(&planned_ms) {
        let (min, max) = (rules.countdown_min_ms / 60_000, rules.countdown_max_ms / 60_000);
        return Err(Rejection::OutOfRange { field: Field::PlannedMinutes, min, max });
    }
    if !(1..=rules.pomodoro_rounds_max).contains(&i64::from(rounds)) {
        return Err(Rejection::OutOfRange { field: Field::Rounds, min: 1, max: rules.pomodoro_rounds_max });
    }
    Ok(Some(planned_ms))
}

/// The planned focus of a session or of each round; nothing in flowtime.
#[must_use]
pub fn planned_ms(mode: FocusMode) -> Option<i64> {
    match mode {
        FocusMode::Flowtime => None,
        FocusMode::Countdown { planned_minutes } | FocusMode::Pomodoro { planned_minutes, .. } => {
            Some(i64::from(planned_minutes) * 60_000)
        }
    }
}

/// How many rounds the plan has.
#[must_use]
pub const fn rounds(mode: FocusMode) -> u8 {
    match mode {
        FocusMode::Flowtime | FocusMode::Countdown { .. } => 1,
        FocusMode::Pomodoro { rounds, .. } => rounds,
    }
}

pub(super) fn check_task(hero: &Hero, task_id: Option<u32>) -> Result<(), Rejection> {
    match task_id {
        Some(task_id) if hero.task(task_id).is_none() => Err(Rejection::UnknownTask),
        _ => Ok(()),
    }
}

/// The energy multiplier of a session that starts now.
#[must_use]
pub fn mod_permille(hero: &Hero, category: Category, catalogue: &Catalogue) -> i64 {
    multiplier(hero, &rack::effect(hero, catalogue), category, catalogue)
}

fn multiplier(hero: &Hero, effect: &RackEffect, category: Category, catalogue: &Catalogue) -> i64 {
    let rules = &catalogue.focus;
    let streak = i64::from(hero.streak.chain.days).min(rules.streak_days_max) * rules.streak_step_permille;
    let (affinity, mastery) = category.index().map_or((0, 0), |slot| {
        let affinity = effect.category_energy_permille.get(slot).copied().unwrap_or(0);
        let focus_ms =
            hero.statistics.focus_ms_by_category.get(category_slot(category)).copied().unwrap_or(0);
        let marks = rules.mastery_marks_min.iter().filter(|mark| focus_ms >= **mark * 60_000).count();
        (affinity, i64::try_from(marks).unwrap_or(0) * rules.mastery_step_permille)
    });
    (1000 + streak + effect.energy_permille + affinity + mastery).min(rules.modifier_max_permille)
}

pub(crate) fn describe(
    draft: &mut Draft<'_>,
    now_ms: i64,
    task_id: Option<u32>,
    intention: Option<&str>,
) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    check_task(&draft.hero, task_id)?;
    if let Some(intention) = intention {
        text::check(intention, Field::Intention, INTENTION_CHARS_MAX)?;
    }
    let intention = intention.map(PlayerText::from);
    if session.task_id == task_id && session.intention == intention {
        return Ok(());
    }
    let focus_ms = focus::settled(&draft.hero, session, now_ms, draft.catalogue).focus_ms;
    let old_task_id = session.task_id.filter(|_| session.task_id != task_id);
    let (old_task_focus_ms, task_from_ms) = if old_task_id.is_some() {
        (focus_ms - session.task_from_ms, focus_ms)
    } else {
        (0, session.task_from_ms)
    };
    draft.emit(
        now_ms,
        Event::SessionDescribed { task_id, intention, old_task_id, old_task_focus_ms, task_from_ms },
    );
    Ok(())
}

pub(crate) fn pause(draft: &mut Draft<'_>, now_ms: i64, interrupted: bool) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    match session.state {
        SessionState::Running => {
            let mut meter = focus::settled(&draft.hero, session, now_ms, draft.catalogue);
            meter.at_ms = now_ms;
            let state = if interrupted {
                meter.ramp_ms = (meter.ramp_ms - session.interruption_ms).max(0);
                SessionState::Interrupted { since_ms: now_ms }
            } else {
                SessionState::Paused { since_ms: now_ms }
            };
            draft.emit(now_ms, Event::SessionPaused { meter, state });
            Ok(())
        }
        SessionState::Paused { .. } if interrupted => {
            let ramp_ms = focus::interrupted_ramp_ms(session);
            draft.emit(now_ms, Event::SessionInterrupted { ramp_ms });
            Ok(())
        }
        SessionState::Paused { .. } | SessionState::Interrupted { .. } => Ok(()),
        SessionState::Overtime { .. } | SessionState::Resting | SessionState::Waiting { .. } => {
            Err(Rejection::SessionNotRunning)
        }
    }
}

pub(crate) fn resume(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    match session.state {
        SessionState::Running => Ok(()),
        SessionState::Paused { since_ms } => {
            draft.emit(now_ms, Event::SessionResumed { paused_ms: now_ms - since_ms, comeback: false });
            Ok(())
        }
        SessionState::Interrupted { since_ms } => {
            let paused_ms = now_ms - since_ms;
            let comeback = paused_ms <= draft.catalogue.focus.comeback_ms;
            draft.emit(now_ms, Event::SessionResumed { paused_ms, comeback });
            let rules = draft.catalogue.bonuses.comeback;
            if comeback && i64::from(draft.hero.today.comebacks) < rules.per_day_max {
                draft.emit(now_ms, Event::BonusPaid { bonus: Bonus::Comeback, energy_me: rules.reward_me });
            }
            Ok(())
        }
        SessionState::Resting => super::rest::end(draft, now_ms),
        SessionState::Overtime { .. } | SessionState::Waiting { .. } => keep_going(draft, now_ms),
    }
}

pub(crate) fn keep_going(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    let (mode, round) = (session.mode, session.round);
    match session.state {
        SessionState::Overtime { since_ms } => {
            let terms = Terms::of(session);
            let day_before_ms = draft.hero.today.focus_ms;
            let meter =
                focus::advanced(terms, &session.meter, day_before_ms, now_ms - since_ms, draft.catalogue);
            let next = next_round(mode, round, meter.focus_ms);
            let (round, target_ms) =
                next.map_or((round, None), |(round, target_ms)| (round, Some(target_ms)));
            draft.emit(now_ms, Event::SessionContinued { meter, round, target_ms });
            Ok(())
        }
        SessionState::Waiting { .. } => {
            let meter = Meter { at_ms: now_ms, ..session.meter };
            let (round, target_ms) = next_round(mode, round, meter.focus_ms)
                .expect("only a round that is not the last has a break");
            draft.emit(now_ms, Event::SessionContinued { meter, round, target_ms: Some(target_ms) });
            Ok(())
        }
        SessionState::Running => {
            if session.open_ended && now_ms - session.signal_ms >= SIGNAL_EVERY_MS {
                let mut meter = focus::settled(&draft.hero, session, now_ms, draft.catalogue);
                meter.at_ms = now_ms;
                draft.emit(now_ms, Event::SessionSignalled { meter });
            }
            Ok(())
        }
        SessionState::Paused { .. } | SessionState::Interrupted { .. } | SessionState::Resting => {
            Err(Rejection::SessionNotRunning)
        }
    }
}

/// The next round and the focused time at which it is fulfilled.
pub(super) fn next_round(mode: FocusMode, round: u8, focus_ms: i64) -> Option<(u8, i64)> {
    let planned_ms = planned_ms(mode)?;
    (round < rounds(mode)).then(|| (round + 1, focus_ms + planned_ms))
}

pub(crate) fn end(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    let (ended_at_ms, end) = match session.state {
        SessionState::Running if session.target_ms.is_none() => (now_ms, EndKind::Completed),
        SessionState::Running => (now_ms, EndKind::Banked),
        SessionState::Paused { since_ms } | SessionState::Interrupted { since_ms } => {
            (since_ms, if session.target_ms.is_none() { EndKind::Completed } else { EndKind::Banked })
        }
        SessionState::Overtime { since_ms } => (since_ms, fulfilled(session)),
        SessionState::Resting | SessionState::Waiting { .. } => (session.meter.at_ms, EndKind::Banked),
    };
    let meter = focus::settled(&draft.hero, session, now_ms, draft.catalogue);
    finish(draft, now_ms, ended_at_ms, meter, end);
    Ok(())
}

pub(crate) fn cancel(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let session = draft.hero.session.as_deref().ok_or(Rejection::NoSession)?;
    let within_ms = draft.catalogue.focus.cancel_free_ms;
    if now_ms - session.started_at_ms > within_ms {
        return Err(Rejection::TooLate { within_ms });
    }
    let session_id = session.session_id;
    draft.emit(now_ms, Event::SessionDiscarded { session_id });
    Ok(())
}

/// How a session ends whose round is fulfilled: completed only after the last round.
pub(super) fn fulfilled(session: &Session) -> EndKind {
    if session.round >= rounds(session.mode) { EndKind::Completed } else { EndKind::Banked }
}

/// Closes the open session as of `ended_at_ms`.
pub(super) fn finish(draft: &mut Draft<'_>, at_ms: i64, ended_at_ms: i64, meter: Meter, end: EndKind) {
    let Some(session) = draft.hero.session.as_deref() else { return };
    let session_id = session.session_id;
    let rules = &draft.catalogue.focus;
    if meter.focus_ms < rules.session_min_ms {
        draft.emit(at_ms, Event::SessionDiscarded { session_id });
        return;
    }
    let mut completion_me = session.completion_me;
    if session.mode == FocusMode::Flowtime && end == EndKind::Completed {
        completion_me += focus::share(meter.energy_me, draft.catalogue.bonuses.completion_flowtime_permille);
    }
    let asks = planned_ms(session.mode).is_some_and(|planned_ms| planned_ms > rules.trusted_ms)
        && meter.focus_ms > rules.trusted_ms;
    let credit = if asks { Credit::default() } else { credit(session, &meter) };
    draft.emit(at_ms, Event::SessionEnded { session_id, end, ended_at_ms, meter, credit, asks });
    if !asks {
        complete(draft, at_ms, completion_me);
    }
}

/// Pays the completion bonus.
pub(super) fn complete(draft: &mut Draft<'_>, at_ms: i64, energy_me: i64) {
    if energy_me > 0 {
        draft.emit(at_ms, Event::BonusPaid { bonus: Bonus::Completion, energy_me });
    }
}

/// What a session has earned beyond what the ends of days have credited.
pub(super) fn credit(session: &Session, meter: &Meter) -> Credit {
    Credit {
        energy_me: meter.energy_me - session.credited_me,
        dopamine_md: meter.dopamine_md - session.credited_md,
        focus_ms: meter.focus_ms - session.credited_focus_ms,
        day_focus_ms: meter.day_focus_ms,
        task_id: session.task_id,
        task_focus_ms: (meter.focus_ms - session.task_from_ms).max(0),
    }
}
