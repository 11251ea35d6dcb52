//! The label that says which command.

use simulation::command::Command;

use super::Label;

label! {
    /// What a player wanted, in the words of the wire.
    CommandKind as "kind" {
        /// Opens a session.
        StartFocus = "start_focus",
        /// Says what it is for.
        DescribeFocus = "describe_focus",
        /// Stops the clock.
        PauseFocus = "pause_focus",
        /// Starts it again.
        ResumeFocus = "resume_focus",
        /// Pulled away.
        InterruptFocus = "interrupt_focus",
        /// Goes on after the planned end.
        KeepGoing = "keep_going",
        /// Ends the session.
        EndFocus = "end_focus",
        /// As if it had not been.
        CancelFocus = "cancel_focus",
        /// Begins a break.
        StartBreak = "start_break",
        /// Ends it.
        EndBreak = "end_break",
        /// Answers "still you?".
        ConfirmFocus = "confirm_focus",
        /// A session without the server.
        ReportOfflineFocus = "report_offline_focus",
        /// A new task.
        CreateTask = "create_task",
        /// An edited one.
        UpdateTask = "update_task",
        /// Done.
        CompleteTask = "complete_task",
        /// Not done after all.
        ReopenTask = "reopen_task",
        /// Removed.
        DeleteTask = "delete_task",
        /// A name.
        RenameHero = "rename_hero",
        /// A zone.
        SetTimeZone = "set_time_zone",
        /// A goal.
        SetDailyGoal = "set_daily_goal",
        /// Rest days.
        SetRestDays = "set_rest_days",
        /// Vacation.
        StartVacation = "start_vacation",
        /// Its end.
        EndVacation = "end_vacation",
        /// Builds a module.
        AssembleModule = "assemble_module",
        /// Reserves a blueprint.
        PinBlueprint = "pin_blueprint",
        /// Pays an instalment.
        PayBlueprint = "pay_blueprint",
        /// Gives it up.
        UnpinBlueprint = "unpin_blueprint",
        /// Finishes a job now.
        FinishAssembly = "finish_assembly",
        /// Cancels one.
        CancelAssembly = "cancel_assembly",
        /// Raises a module.
        UpgradeModule = "upgrade_module",
        /// Sells one.
        SellModule = "sell_module",
        /// Puts one into the rack.
        PlaceModule = "place_module",
        /// Takes one out.
        RemoveModule = "remove_module",
        /// Plugs a cable.
        ConnectCable = "connect_cable",
        /// Unplugs it.
        DisconnectCable = "disconnect_cable",
        /// Lays out everything.
        AutoPatch = "auto_patch",
        /// Keeps a rack.
        SavePreset = "save_preset",
        /// Uses it.
        LoadPreset = "load_preset",
        /// Forgets it.
        DeletePreset = "delete_preset",
        /// Takes a shared one.
        ImportPreset = "import_preset",
        /// One more place for them.
        BuyPresetSlot = "buy_preset_slot",
        /// Buys looks.
        BuyCosmetic = "buy_cosmetic",
        /// Wears them.
        EquipCosmetic = "equip_cosmetic",
        /// What no player can send: the server's or an operator's own.
        Inside = "inside",
    }
}

impl CommandKind {
    /// The label of a command. Every one is named, so that whoever adds one decides.
    pub fn of(command: &Command) -> CommandKind {
        match command {
            Command::StartFocus { .. } => CommandKind::StartFocus,
            Command::DescribeFocus { .. } => CommandKind::DescribeFocus,
            Command::PauseFocus => CommandKind::PauseFocus,
            Command::ResumeFocus => CommandKind::ResumeFocus,
            Command::InterruptFocus => CommandKind::InterruptFocus,
            Command::KeepGoing => CommandKind::KeepGoing,
            Command::EndFocus => CommandKind::EndFocus,
            Command::CancelFocus => CommandKind::CancelFocus,
            Command::StartBreak => CommandKind::StartBreak,
            Command::EndBreak => CommandKind::EndBreak,
            Command::ConfirmFocus(_) => CommandKind::ConfirmFocus,
            Command::ReportOfflineFocus { .. } => CommandKind::ReportOfflineFocus,
            Command::CreateTask { .. } => CommandKind::CreateTask,
            Command::UpdateTask { .. } => CommandKind::UpdateTask,
            Command::CompleteTask { .. } => CommandKind::CompleteTask,
            Command::ReopenTask { .. } => CommandKind::ReopenTask,
            Command::DeleteTask { .. } => CommandKind::DeleteTask,
            Command::RenameHero { .. } => CommandKind::RenameHero,
            Command::SetTimeZone { .. } => CommandKind::SetTimeZone,
            Command::SetDailyGoal { .. } => CommandKind::SetDailyGoal,
            Command::SetRestDays { .. } => CommandKind::SetRestDays,
            Command::StartVacation { .. } => CommandKind::StartVacation,
            Command::EndVacation => CommandKind::EndVacation,
            Command::AssembleModule { .. } => CommandKind::AssembleModule,
            Command::PinBlueprint { .. } => CommandKind::PinBlueprint,
            Command::PayBlueprint { .. } => CommandKind::PayBlueprint,
            Command::UnpinBlueprint => CommandKind::UnpinBlueprint,
            Command::FinishAssembly { .. } => CommandKind::FinishAssembly,
            Command::CancelAssembly { .. } => CommandKind::CancelAssembly,
            Command::UpgradeModule { .. } => CommandKind::UpgradeModule,
            Command::SellModule { .. } => CommandKind::SellModule,
            Command::PlaceModule { .. } => CommandKind::PlaceModule,
            Command::RemoveModule { .. } => CommandKind::RemoveModule,
            Command::ConnectCable { .. } => CommandKind::ConnectCable,
            Command::DisconnectCable { .. } => CommandKind::DisconnectCable,
            Command::AutoPatch => CommandKind::AutoPatch,
            Command::SavePreset { .. } => CommandKind::SavePreset,
            Command::LoadPreset { .. } => CommandKind::LoadPreset,
            Command::DeletePreset { .. } => CommandKind::DeletePreset,
            Command::ImportPreset { .. } => CommandKind::ImportPreset,
            Command::BuyPresetSlot => CommandKind::BuyPresetSlot,
            Command::BuyCosmetic { .. } => CommandKind::BuyCosmetic,
            Command::EquipCosmetic { .. } => CommandKind::EquipCosmetic,
            Command::CorrectBalance { .. }
            | Command::DeclareOutage { .. }
            | Command::HandOver { .. }
            | Command::UniteGuest { .. } => CommandKind::Inside,
        }
    }
}
