//! What a client wants, in the words of the rules. Exhaustive: a new command on the wire does not compile without a
//! line here.

use protocol::{client as wire, types};
use simulation::{
    catalogue::Category,
    command::{Command, Confirmation, FocusMode, Priority, Recurrence},
    id::{CosmeticId, ModuleId},
    rejection::Rejection,
};

/// Translates a command.
///
/// # Errors
/// A name that cannot be one of the catalogue's. Everything else is for the rules to judge.
pub fn command(body: wire::Command) -> Result<Command, Rejection> {
    use wire::Command as Wire;
    Ok(match body {
        Wire::StartFocus { .. }
        | Wire::DescribeFocus { .. }
        | Wire::PauseFocus
        | Wire::ResumeFocus
        | Wire::InterruptFocus
        | Wire::KeepGoing
        | Wire::EndFocus
        | Wire::CancelFocus
        | Wire::StartBreak
        | Wire::EndBreak
        | Wire::ConfirmFocus(_)
        | Wire::ReportOfflineFocus { .. } => focus(body),
        Wire::CreateTask { .. }
        | Wire::UpdateTask { .. }
        | Wire::CompleteTask { .. }
        | Wire::ReopenTask { .. }
        | Wire::DeleteTask { .. } => task(body),
        Wire::RenameHero { name } => Command::RenameHero { name },
        Wire::SetTimeZone { time_zone, day_start_minutes } => {
            Command::SetTimeZone { time_zone, day_start_minutes }
        }
        Wire::SetDailyGoal { minutes } => Command::SetDailyGoal { minutes },
        Wire::SetRestDays { weekdays } => Command::SetRestDays { weekdays },
        Wire::StartVacation { days } => Command::StartVacation { days },
        Wire::EndVacation => Command::EndVacation,
        Wire::AssembleModule { module_id } => Command::AssembleModule { module_id: module(&module_id)? },
        Wire::PinBlueprint { module_id } => Command::PinBlueprint { module_id: module(&module_id)? },
        Wire::PayBlueprint { amount_me } => Command::PayBlueprint { amount_me },
        Wire::UnpinBlueprint => Command::UnpinBlueprint,
        Wire::FinishAssembly { job_id } => Command::FinishAssembly { job_id },
        Wire::CancelAssembly { job_id } => Command::CancelAssembly { job_id },
        Wire::UpgradeModule { module_id } => Command::UpgradeModule { module_id: module(&module_id)? },
        Wire::SellModule { module_id } => Command::SellModule { module_id: module(&module_id)? },
        Wire::PlaceModule { module_id, cell } => {
            Command::PlaceModule { module_id: module(&module_id)?, cell }
        }
        Wire::RemoveModule { module_id } => Command::RemoveModule { module_id: module(&module_id)? },
        Wire::ConnectCable(types::Cable { from, to }) => {
            Command::ConnectCable { from: module(&from)?, to: module(&to)? }
        }
        Wire::DisconnectCable { from } => Command::DisconnectCable { from: module(&from)? },
        Wire::AutoPatch => Command::AutoPatch,
        Wire::SavePreset { slot, name, category: kind } => {
            Command::SavePreset { slot, name, category: category(kind) }
        }
        Wire::LoadPreset { slot } => Command::LoadPreset { slot },
        Wire::DeletePreset { slot } => Command::DeletePreset { slot },
        Wire::ImportPreset { slot, code } => Command::ImportPreset { slot, code },
        Wire::BuyPresetSlot => Command::BuyPresetSlot,
        Wire::BuyCosmetic { cosmetic_id } => Command::BuyCosmetic { cosmetic_id: cosmetic(&cosmetic_id)? },
        Wire::EquipCosmetic { cosmetic_id } => {
            Command::EquipCosmetic { cosmetic_id: cosmetic(&cosmetic_id)? }
        }
    })
}

fn focus(body: wire::Command) -> Command {
    use wire::Command as Wire;
    match body {
        Wire::StartFocus { mode, category: kind, task_id } => {
            Command::StartFocus { mode: focus_mode(mode), category: category(kind), task_id }
        }
        Wire::DescribeFocus { task_id, intention } => Command::DescribeFocus { task_id, intention },
        Wire::PauseFocus => Command::PauseFocus,
        Wire::ResumeFocus => Command::ResumeFocus,
        Wire::InterruptFocus => Command::InterruptFocus,
        Wire::KeepGoing => Command::KeepGoing,
        Wire::EndFocus => Command::EndFocus,
        Wire::CancelFocus => Command::CancelFocus,
        Wire::StartBreak => Command::StartBreak,
        Wire::EndBreak => Command::EndBreak,
        Wire::ConfirmFocus(answer) => Command::ConfirmFocus(match answer {
            wire::Confirmation::Yes => Confirmation::Yes,
            wire::Confirmation::Until { at_ms } => Confirmation::Until { at_ms },
            wire::Confirmation::Discard => Confirmation::Discard,
        }),
        Wire::ReportOfflineFocus { started_at_ms, duration_ms, category: kind, task_id } => {
            Command::ReportOfflineFocus { started_at_ms, duration_ms, category: category(kind), task_id }
        }
        other => unreachable!("{other:?} is not about focus: `command` sends only those here"),
    }
}

fn task(body: wire::Command) -> Command {
    use wire::Command as Wire;
    match body {
        Wire::CreateTask {
            title,
            category: kind,
            priority: importance,
            estimate_minutes,
            due_on,
            recurrence: repeats,
            parent_id,
        } => Command::CreateTask {
            title,
            category: category(kind),
            priority: priority(importance),
            estimate_minutes,
            due_on,
            recurrence: repeats.map(recurrence),
            parent_id,
        },
        Wire::UpdateTask {
            task_id,
            title,
            category: kind,
            priority: importance,
            estimate_minutes,
            due_on,
            recurrence: repeats,
        } => Command::UpdateTask {
            task_id,
            title,
            category: category(kind),
            priority: priority(importance),
            estimate_minutes,
            due_on,
            recurrence: repeats.map(recurrence),
        },
        Wire::CompleteTask { task_id, occurrence_on } => Command::CompleteTask { task_id, occurrence_on },
        Wire::ReopenTask { task_id, occurrence_on } => Command::ReopenTask { task_id, occurrence_on },
        Wire::DeleteTask { task_id } => Command::DeleteTask { task_id },
        other => unreachable!("{other:?} is not about tasks: `command` sends only those here"),
    }
}

fn module(name: &str) -> Result<ModuleId, Rejection> {
    ModuleId::new(name).map_err(|_| Rejection::UnknownModule)
}

fn cosmetic(name: &str) -> Result<CosmeticId, Rejection> {
    CosmeticId::new(name).map_err(|_| Rejection::UnknownCosmetic)
}

fn category(category: types::Category) -> Category {
    match category {
        types::Category::Creative => Category::Creative,
        types::Category::Analytical => Category::Analytical,
        types::Category::Physical => Category::Physical,
        types::Category::Learning => Category::Learning,
        types::Category::None => Category::None,
    }
}

fn priority(priority: types::Priority) -> Priority {
    match priority {
        types::Priority::Low => Priority::Low,
        types::Priority::Medium => Priority::Medium,
        types::Priority::High => Priority::High,
    }
}

fn recurrence(recurrence: types::Recurrence) -> Recurrence {
    match recurrence {
        types::Recurrence::EveryDays { days } => Recurrence::EveryDays { days },
        types::Recurrence::Weekdays { weekdays } => Recurrence::Weekdays { weekdays },
    }
}

fn focus_mode(mode: types::FocusMode) -> FocusMode {
    match mode {
        types::FocusMode::Countdown { planned_minutes } => FocusMode::Countdown { planned_minutes },
        types::FocusMode::Pomodoro { planned_minutes, rounds } => {
            FocusMode::Pomodoro { planned_minutes, rounds }
        }
        types::FocusMode::Flowtime => FocusMode::Flowtime,
    }
}
