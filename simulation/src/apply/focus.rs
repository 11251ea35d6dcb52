//! Sessions, breaks and what they credit.

use crate::event::{Credit, Event, OfflinePart};
use crate::hero::{
    Break, DayRecord, EndKind, EndedSession, Hero, Meter, Session, SessionState, ToConfirm, category_slot,
};

pub(super) fn apply(hero: &mut Hero, at_ms: i64, event: &Event) {
    match event {
        Event::SessionStarted { session } => {
            hero.last_id = hero.last_id.max(session.session_id);
            hero.session = Some(session.clone());
        }
        Event::SessionEnded { ended_at_ms, meter, credit, asks, end, .. } => {
            ended(hero, *ended_at_ms, meter, credit, *asks, *end);
        }
        Event::SessionDiscarded { .. } => {
            hero.session = None;
            hero.on_break = None;
        }
        Event::SessionConfirmed { credit, .. } => {
            if let Some(asked) = hero.to_confirm.take() {
                credit_focus(hero, credit, asked.session.category);
            }
        }
        Event::OfflineFocusCredited { session_id, ended_at_ms, category, task_id, parts, spark, .. } => {
            hero.last_id = hero.last_id.max(*session_id);
            hero.focus_known_until_ms = hero.focus_known_until_ms.max(*ended_at_ms);
            hero.statistics.sessions += 1;
            hero.statistics.sparks += u32::from(*spark);
            for part in parts {
                offline_part(hero, part);
            }
            let focus_ms = parts.iter().map(|part| part.focus_ms).sum();
            hero.gap_offline_ms += focus_ms;
            let day_no = parts.last().map_or(0, |part| part.day_no);
            count_focus(hero, focus_ms, category_slot(*category), day_no);
            link_focus(hero, *task_id, focus_ms);
        }
        Event::BreakStarted { on_break } => break_started(hero, *on_break),
        Event::BreakEnded { taken, round_begins, .. } => {
            hero.on_break = None;
            if *taken {
                hero.statistics.breaks += 1;
                hero.today.breaks = hero.today.breaks.saturating_add(1);
            }
            if let Some(session) = changed(hero)
                && session.state == SessionState::Resting
            {
                session.state = SessionState::Waiting { since_ms: at_ms };
                if let Some(begins) = round_begins {
                    session.round = begins.round;
                    session.target_ms = Some(begins.target_ms);
                    session.round_from_me = session.meter.energy_me;
                    run(session, at_ms);
                }
            }
        }
        _ => session_event(hero, at_ms, event),
    }
}

fn session_event(hero: &mut Hero, at_ms: i64, event: &Event) {
    if let Event::SessionDescribed { old_task_id, old_task_focus_ms, .. } = event {
        link_focus(hero, *old_task_id, *old_task_focus_ms);
    }
    if let Event::SessionResumed { comeback: true, .. } = event {
        hero.statistics.comebacks += 1;
    }
    let Some(session) = changed(hero) else { return };
    match event {
        Event::SessionDescribed { task_id, intention, task_from_ms, .. } => {
            session.task_id = *task_id;
            session.intention.clone_from(intention);
            session.task_from_ms = *task_from_ms;
        }
        Event::SessionPaused { meter, state } => {
            acted(session, *meter, at_ms);
            session.state = *state;
            if let SessionState::Interrupted { .. } = state {
                session.interruptions = session.interruptions.saturating_add(1);
            }
        }
        Event::SessionInterrupted { ramp_ms } => {
            session.meter.ramp_ms = *ramp_ms;
            session.interruptions = session.interruptions.saturating_add(1);
            if let SessionState::Paused { since_ms } = session.state {
                session.state = SessionState::Interrupted { since_ms };
            }
        }
        Event::SessionResumed { paused_ms, .. } => {
            session.paused_ms += paused_ms;
            run(session, at_ms);
        }
        Event::RoundFinished { meter, completion_me } => {
            session.meter = *meter;
            session.completion_me += completion_me;
            session.state = SessionState::Overtime { since_ms: meter.at_ms };
        }
        Event::SessionContinued { meter, round, target_ms } => {
            acted(session, *meter, at_ms);
            session.round = *round;
            session.target_ms = *target_ms;
            session.open_ended = target_ms.is_none();
            session.round_from_me = meter.energy_me;
            run(session, at_ms);
        }
        Event::SessionSignalled { meter } => acted(session, *meter, at_ms),
        _ => {}
    }
}

/// The open session, with its revision raised.
fn changed(hero: &mut Hero) -> Option<&mut Session> {
    let session = hero.session.as_deref_mut()?;
    session.revision += 1;
    Some(session)
}

/// The player was there at this moment.
fn acted(session: &mut Session, meter: Meter, at_ms: i64) {
    session.meter = meter;
    session.acted = meter;
    session.acted_completion_me = session.completion_me;
    session.signal_ms = at_ms;
}

/// The clock runs from this moment on.
fn run(session: &mut Session, at_ms: i64) {
    let meter = Meter { at_ms, ..session.meter };
    acted(session, meter, at_ms);
    session.state = SessionState::Running;
}

fn ended(hero: &mut Hero, ended_at_ms: i64, meter: &Meter, credit: &Credit, asks: bool, end: EndKind) {
    let Some(mut session) = hero.session.take() else { return };
    hero.on_break = None;
    hero.focus_known_until_ms = hero.focus_known_until_ms.max(ended_at_ms);
    hero.last_session = Some(EndedSession {
        session_id: session.session_id,
        ended_at_ms,
        break_taken: matches!(end, EndKind::Auto),
    });
    hero.statistics.sessions += 1;
    if asks {
        session.meter = *meter;
        hero.to_confirm = Some(alloc::boxed::Box::new(ToConfirm { session: *session, ended_at_ms }));
    } else {
        credit_focus(hero, credit, session.category);
    }
}

/// Moves what a session earned into the day and the totals; the wallet has it already.
pub(super) fn credit_focus(hero: &mut Hero, credit: &Credit, category: crate::catalogue::Category) {
    hero.today.focus_ms += credit.day_focus_ms;
    let day_no = hero.today.bounds.day_no;
    count_focus(hero, credit.focus_ms, category_slot(category), day_no);
    link_focus(hero, credit.task_id, credit.task_focus_ms);
}

fn count_focus(hero: &mut Hero, focus_ms: i64, slot: usize, day_no: i32) {
    let statistics = &mut hero.statistics;
    if let Some(total) = statistics.focus_ms_by_category.get_mut(slot) {
        *total += focus_ms;
    }
    if focus_ms == 0 {
        return;
    }
    if let Some(last) = statistics.last_day_by_category.get_mut(slot) {
        *last = day_no.max(*last);
    }
    let week = statistics.last_day_by_category.iter().take(4).filter(|last| **last > day_no - 7).count();
    statistics.categories_in_week = statistics.categories_in_week.max(u8::try_from(week).unwrap_or(u8::MAX));
}

fn link_focus(hero: &mut Hero, task_id: Option<u32>, focus_ms: i64) {
    if let Some(task) = task_id.and_then(|task_id| hero.task_mut(task_id)) {
        task.focus_ms += focus_ms;
    }
}

fn offline_part(hero: &mut Hero, part: &OfflinePart) {
    if part.day_no == hero.today.bounds.day_no {
        hero.today.focus_ms += part.focus_ms;
        hero.today.offline_ms += part.focus_ms;
    } else if let Some(record) = hero.days.iter_mut().find(|record| record.day_no == part.day_no) {
        add_offline(record, part);
    }
}

fn add_offline(record: &mut DayRecord, part: &OfflinePart) {
    record.focus_ms = record.focus_ms.saturating_add(u32::try_from(part.focus_ms).unwrap_or(u32::MAX));
    record.energy_me = record.energy_me.saturating_add(u32::try_from(part.energy_me).unwrap_or(u32::MAX));
    let minutes = minutes_up(part.focus_ms);
    record.offline_minutes = record.offline_minutes.saturating_add(minutes);
}

/// Whole minutes, rounded up: what is used up of a limit is never told too small.
pub(crate) fn minutes_up(ms: i64) -> u16 {
    u16::try_from((ms + 59_999).div_euclid(60_000)).unwrap_or(u16::MAX)
}

fn break_started(hero: &mut Hero, on_break: Break) {
    hero.on_break = Some(on_break);
    match changed(hero) {
        Some(session) => session.state = SessionState::Resting,
        None => {
            if let Some(last) = &mut hero.last_session {
                last.break_taken = true;
            }
        }
    }
}
