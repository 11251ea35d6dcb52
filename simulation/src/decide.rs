//! What a command does: events, or a refusal that changes nothing.

use alloc::vec;
use alloc::vec::Vec;

use crate::advance;
use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::draft::Draft;
use crate::event::{Event, TimedEvent};
use crate::hero::Hero;
use crate::rejection::Rejection;
use crate::rules::correction::By;
use crate::rules::task::Words;
use crate::rules::{
    assembly, confirm, correction, offline, preset, profile, rack, rest, session, streak, task, union,
};

/// Decides a command at `now_ms`, for a hero that [`crate::advance::advance`] has brought there. The first event says
/// what the command did; what follows from it comes after. A command that was already true gives
/// [`Event::NothingChanged`].
///
/// # Errors
/// Why the command is refused.
pub fn decide(
    hero: &Hero,
    command: &Command,
    now_ms: i64,
    catalogue: &Catalogue,
) -> Result<Vec<TimedEvent>, Rejection> {
    // A clock that steps back stands still.
    let now_ms = now_ms.max(hero.latest_ms);
    if let Some(end) = hero.handed_over() {
        return match command {
            Command::HandOver { into } if *into == end.into => {
                Ok(vec![TimedEvent { at_ms: now_ms, event: Event::NothingChanged }])
            }
            _ => Err(Rejection::Claimed),
        };
    }
    let mut draft = Draft::new(hero, catalogue);
    match command {
        Command::StartFocus { .. }
        | Command::DescribeFocus { .. }
        | Command::PauseFocus
        | Command::ResumeFocus
        | Command::InterruptFocus
        | Command::KeepGoing
        | Command::EndFocus
        | Command::CancelFocus
        | Command::StartBreak
        | Command::EndBreak
        | Command::ConfirmFocus(_)
        | Command::ReportOfflineFocus { .. } => decide_focus(&mut draft, command, now_ms)?,
        Command::CreateTask { .. }
        | Command::UpdateTask { .. }
        | Command::CompleteTask { .. }
        | Command::ReopenTask { .. }
        | Command::DeleteTask { .. } => decide_task(&mut draft, command, now_ms)?,
        Command::RenameHero { .. }
        | Command::SetTimeZone { .. }
        | Command::SetDailyGoal { .. }
        | Command::SetRestDays { .. }
        | Command::StartVacation { .. }
        | Command::EndVacation
        | Command::DeclareOutage { .. } => decide_profile(&mut draft, command, now_ms)?,
        Command::AssembleModule { .. }
        | Command::PinBlueprint { .. }
        | Command::PayBlueprint { .. }
        | Command::UnpinBlueprint
        | Command::FinishAssembly { .. }
        | Command::CancelAssembly { .. }
        | Command::UpgradeModule { .. }
        | Command::SellModule { .. } => decide_assembly(&mut draft, command, now_ms)?,
        Command::PlaceModule { .. }
        | Command::RemoveModule { .. }
        | Command::ConnectCable { .. }
        | Command::DisconnectCable { .. }
        | Command::AutoPatch
        | Command::SavePreset { .. }
        | Command::LoadPreset { .. }
        | Command::DeletePreset { .. }
        | Command::ImportPreset { .. }
        | Command::BuyPresetSlot
        | Command::BuyCosmetic { .. }
        | Command::EquipCosmetic { .. } => decide_rack(&mut draft, command, now_ms)?,
        Command::CorrectBalance { energy_me, dopamine_md, operator, audit_seq, reason, reverts } => {
            let by = By { operator, audit_seq: *audit_seq, reason };
            correction::correct(&mut draft, now_ms, (*energy_me, *dopamine_md), by, *reverts)?;
        }
        Command::HandOver { into } => union::hand_over(&mut draft, now_ms, *into),
        Command::UniteGuest { estate } => union::unite(&mut draft, now_ms, estate),
    }
    if draft.events.is_empty() {
        draft.emit(now_ms, Event::NothingChanged);
    }
    advance::run(&mut draft, now_ms);
    Ok(draft.events)
}

fn decide_focus(draft: &mut Draft<'_>, command: &Command, now_ms: i64) -> Result<(), Rejection> {
    match command {
        Command::StartFocus { mode, category, task_id } => {
            session::start(draft, now_ms, *mode, *category, *task_id)
        }
        Command::DescribeFocus { task_id, intention } => {
            session::describe(draft, now_ms, *task_id, intention.as_deref())
        }
        Command::PauseFocus => session::pause(draft, now_ms, false),
        Command::InterruptFocus => session::pause(draft, now_ms, true),
        Command::ResumeFocus => session::resume(draft, now_ms),
        Command::KeepGoing => session::keep_going(draft, now_ms),
        Command::EndFocus => session::end(draft, now_ms),
        Command::CancelFocus => session::cancel(draft, now_ms),
        Command::StartBreak => rest::start(draft, now_ms),
        Command::EndBreak => rest::end(draft, now_ms),
        Command::ConfirmFocus(answer) => confirm::answer(draft, now_ms, *answer),
        Command::ReportOfflineFocus { started_at_ms, duration_ms, category, task_id } => {
            offline::report(draft, now_ms, *started_at_ms, *duration_ms, *category, *task_id)
        }
        _ => Ok(()),
    }
}

fn decide_task(draft: &mut Draft<'_>, command: &Command, now_ms: i64) -> Result<(), Rejection> {
    match command {
        Command::CreateTask {
            title,
            category,
            priority,
            estimate_minutes,
            due_on,
            recurrence,
            parent_id,
        } => {
            let words = Words {
                title,
                category: *category,
                priority: *priority,
                estimate_minutes: *estimate_minutes,
                due_on: due_on.as_ref(),
                recurrence: recurrence.as_ref(),
            };
            task::create(draft, now_ms, &words, *parent_id)
        }
        Command::UpdateTask { task_id, title, category, priority, estimate_minutes, due_on, recurrence } => {
            let words = Words {
                title,
                category: *category,
                priority: *priority,
                estimate_minutes: *estimate_minutes,
                due_on: due_on.as_ref(),
                recurrence: recurrence.as_ref(),
            };
            task::update(draft, now_ms, *task_id, &words)
        }
        Command::CompleteTask { task_id, occurrence_on } => {
            task::complete(draft, now_ms, *task_id, occurrence_on.as_ref())
        }
        Command::ReopenTask { task_id, occurrence_on } => {
            task::reopen(draft, now_ms, *task_id, occurrence_on.as_ref())
        }
        Command::DeleteTask { task_id } => task::delete(draft, now_ms, *task_id),
        _ => Ok(()),
    }
}

fn decide_profile(draft: &mut Draft<'_>, command: &Command, now_ms: i64) -> Result<(), Rejection> {
    match command {
        Command::RenameHero { name } => profile::rename(draft, now_ms, name),
        Command::SetTimeZone { time_zone, day_start_minutes } => {
            profile::set_zone(draft, now_ms, time_zone, *day_start_minutes)
        }
        Command::SetDailyGoal { minutes } => profile::set_goal(draft, now_ms, *minutes),
        Command::SetRestDays { weekdays } => profile::set_rest_days(draft, now_ms, weekdays),
        Command::StartVacation { days } => profile::start_vacation(draft, now_ms, *days),
        Command::EndVacation => {
            profile::end_vacation(draft, now_ms);
            Ok(())
        }
        Command::DeclareOutage { from_ms, until_ms } => {
            streak::declare_outage(draft, now_ms, *from_ms, *until_ms)
        }
        _ => Ok(()),
    }
}

fn decide_assembly(draft: &mut Draft<'_>, command: &Command, now_ms: i64) -> Result<(), Rejection> {
    match command {
        Command::AssembleModule { module_id } => assembly::assemble(draft, now_ms, *module_id),
        Command::PinBlueprint { module_id } => assembly::pin(draft, now_ms, *module_id),
        Command::PayBlueprint { amount_me } => assembly::pay(draft, now_ms, *amount_me),
        Command::UnpinBlueprint => assembly::unpin(draft, now_ms),
        Command::FinishAssembly { job_id } => assembly::finish_now(draft, now_ms, *job_id),
        Command::CancelAssembly { job_id } => assembly::cancel(draft, now_ms, *job_id),
        Command::UpgradeModule { module_id } => assembly::upgrade(draft, now_ms, *module_id),
        Command::SellModule { module_id } => assembly::sell(draft, now_ms, *module_id),
        _ => Ok(()),
    }
}

fn decide_rack(draft: &mut Draft<'_>, command: &Command, now_ms: i64) -> Result<(), Rejection> {
    match command {
        Command::PlaceModule { module_id, cell } => rack::place(draft, now_ms, *module_id, *cell),
        Command::RemoveModule { module_id } => rack::remove(draft, now_ms, *module_id),
        Command::ConnectCable { from, to } => rack::connect(draft, now_ms, *from, *to),
        Command::DisconnectCable { from } => rack::disconnect(draft, now_ms, *from),
        Command::AutoPatch => {
            rack::auto(draft, now_ms);
            Ok(())
        }
        Command::SavePreset { slot, name, category } => preset::save(draft, now_ms, *slot, name, *category),
        Command::LoadPreset { slot } => preset::load(draft, now_ms, *slot),
        Command::DeletePreset { slot } => preset::delete(draft, now_ms, *slot),
        Command::ImportPreset { slot, code } => preset::import(draft, now_ms, *slot, code),
        Command::BuyPresetSlot => preset::buy_slot(draft, now_ms),
        Command::BuyCosmetic { cosmetic_id } => preset::buy_cosmetic(draft, now_ms, *cosmetic_id),
        Command::EquipCosmetic { cosmetic_id } => preset::equip(draft, now_ms, *cosmetic_id),
        _ => Ok(()),
    }
}
