//! The running session, the break, and the question afterwards.

use protocol::types::{self as wire, Progress};
use simulation::{
    catalogue::Catalogue,
    command::FocusMode,
    component::Accruing,
    hero::{Hero, Session, SessionState},
    rules::{
        accrual::accrual,
        focus::{DOPAMINE_PARTS, ENERGY_PARTS, certain},
        timer::auto_end_at,
    },
};

use super::category;

pub(super) fn focus(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> wire::Focus {
    wire::Focus {
        session: hero.session.as_deref().map(|session| open_session(hero, session, catalogue, now_ms)),
        on_break: hero.on_break.map(|on_break| wire::Break {
            started_at_ms: on_break.started_at_ms,
            planned_ms: on_break.planned_ms,
        }),
        to_confirm: hero.to_confirm.as_deref().map(|waiting| wire::ToConfirm {
            session_id: waiting.session.session_id,
            started_at_ms: waiting.session.started_at_ms,
            ended_at_ms: waiting.ended_at_ms,
        }),
    }
}

fn open_session(hero: &Hero, session: &Session, catalogue: &Catalogue, now_ms: i64) -> wire::Session {
    wire::Session {
        session_id: session.session_id,
        revision: session.revision,
        state: match session.state {
            SessionState::Running => wire::SessionState::Running,
            SessionState::Paused { .. } => wire::SessionState::Paused,
            SessionState::Interrupted { .. } => wire::SessionState::Interrupted,
            SessionState::Overtime { .. } => wire::SessionState::Overtime,
            SessionState::Resting => wire::SessionState::Resting,
            SessionState::Waiting { .. } => wire::SessionState::Waiting,
        },
        mode: match session.mode {
            FocusMode::Countdown { planned_minutes } => wire::FocusMode::Countdown { planned_minutes },
            FocusMode::Pomodoro { planned_minutes, rounds } => {
                wire::FocusMode::Pomodoro { planned_minutes, rounds }
            }
            FocusMode::Flowtime => wire::FocusMode::Flowtime,
        },
        category: category(session.category),
        task_id: session.task_id,
        intention: session.intention.as_ref().map(ToString::to_string),
        started_at_ms: session.started_at_ms,
        anchor_ms: session.meter.at_ms,
        focus_ms_at_anchor: session.meter.focus_ms,
        planned_ms: session.target_ms,
        round: session.round,
        auto_end_at_ms: auto_end_at(hero, catalogue),
        interruptions: session.interruptions,
        progress: progress_of(hero, session, catalogue, now_ms),
    }
}

/// Where the open session stands; nothing without one.
pub fn progress(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> Option<Progress> {
    hero.session.as_deref().map(|session| progress_of(hero, session, catalogue, now_ms))
}

fn progress_of(hero: &Hero, session: &Session, catalogue: &Catalogue, now_ms: i64) -> Progress {
    let now_ms = now_ms.max(session.meter.at_ms);
    let meter = certain(hero, session, now_ms, catalogue);
    let mut progress = Progress {
        session_id: session.session_id,
        at_ms: now_ms,
        focus_ms: meter.focus_ms,
        // What the ends of days have credited is in the wallet already.
        energy_me: meter.energy_me - session.credited_me,
        dopamine_md: meter.dopamine_md - session.credited_md,
        energy_rate_ue_per_s: 0,
        dopamine_rate_ud_per_s: 0,
        next_boundary_ms: None,
    };
    let running = accrual(hero, now_ms, catalogue).filter(|running| now_ms < running.accrual.until_ms);
    if let Some(Accruing { accrual, settled }) = running {
        // Parts a millisecond are milli-units a second times 1000; micro-units are 1000 times as many again.
        progress.energy_rate_ue_per_s = accrual.energy_parts_per_ms / (ENERGY_PARTS / 1_000_000);
        progress.dopamine_rate_ud_per_s = settled.dopamine_parts_per_ms / (DOPAMINE_PARTS / 1_000_000);
        // Only what ends these rates: a client draws until then and holds the value. At each of them it hears from us.
        let target_ms = session.target_ms.map(|target_ms| now_ms + (target_ms - meter.focus_ms).max(0));
        let day_ends_ms = hero.today.bounds.end_ms;
        progress.next_boundary_ms = target_ms.into_iter().chain([accrual.until_ms, day_ends_ms]).min();
    }
    progress
}
