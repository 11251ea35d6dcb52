//! What journal lines and ledgers say about an event.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Bonus, Event};
use crate::text::PlayerText;

impl Bonus {
    /// Its cause in the ledger.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Ignition => "ignition",
            Self::Completion => "completion",
            Self::Comeback => "comeback",
            Self::DailyGoal => "daily_goal",
            Self::WelcomeBack => "welcome_back",
        }
    }
}

impl Event {
    /// Its name in the journal and on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::HeroCreated { .. } => "hero_created",
            Self::NothingChanged => "nothing_changed",
            Self::SessionStarted { .. } => "session_started",
            Self::SessionDescribed { .. } => "session_described",
            Self::SessionPaused { .. } => "session_paused",
            Self::SessionInterrupted { .. } => "session_interrupted",
            Self::SessionResumed { .. } => "session_resumed",
            Self::RoundFinished { .. } => "round_finished",
            Self::SessionContinued { .. } => "session_continued",
            Self::SessionSignalled { .. } => "session_signalled",
            Self::SessionEnded { .. } => "session_ended",
            Self::SessionDiscarded { .. } => "session_discarded",
            Self::SessionConfirmed { .. } => "session_confirmed",
            Self::OfflineFocusCredited { .. } => "offline_focus_credited",
            Self::BreakStarted { .. } => "break_started",
            Self::BreakEnded { .. } => "break_ended",
            Self::BonusPaid { .. } => "bonus_paid",
            Self::DayActivated { .. } => "day_activated",
            Self::DaysEnded { .. } => "days_ended",
            Self::DayExtended { .. } => "day_extended",
            Self::OutageDeclared { .. } => "outage_declared",
            Self::ShieldGiven { .. } => "shield_given",
            Self::TaskCreated { .. } => "task_created",
            Self::TaskUpdated { .. } => "task_updated",
            Self::TaskCompleted { .. } => "task_completed",
            Self::TaskReopened { .. } => "task_reopened",
            Self::TaskDeleted { .. } => "task_deleted",
            Self::HeroRenamed { .. } => "hero_renamed",
            Self::ZoneQueued { .. } => "zone_queued",
            Self::DailyGoalSet { .. } => "daily_goal_set",
            Self::RestDaysSet { .. } => "rest_days_set",
            Self::VacationSet { .. } => "vacation_set",
            Self::LevelReached { .. } => "level_reached",
            Self::AchievementUnlocked { .. } => "achievement_unlocked",
            Self::AssemblyStarted { .. } => "assembly_started",
            Self::AssemblyPaceChanged { .. } => "assembly_pace_changed",
            Self::ModuleAssembled { .. } => "module_assembled",
            Self::AssemblyCancelled { .. } => "assembly_cancelled",
            Self::BlueprintPinned { .. } => "blueprint_pinned",
            Self::BlueprintPaid { .. } => "blueprint_paid",
            Self::BlueprintUnpinned { .. } => "blueprint_unpinned",
            Self::ModuleUpgraded { .. } => "module_upgraded",
            Self::ModuleSold { .. } => "module_sold",
            Self::RackChanged { .. } => "rack_changed",
            Self::SynergyFound { .. } => "synergy_found",
            Self::PresetSaved { .. } => "preset_saved",
            Self::PresetQueued { .. } => "preset_queued",
            Self::PresetUnqueued => "preset_unqueued",
            Self::PresetDeleted { .. } => "preset_deleted",
            Self::PresetSlotBought { .. } => "preset_slot_bought",
            Self::CosmeticBought { .. } => "cosmetic_bought",
            Self::CosmeticEquipped { .. } => "cosmetic_equipped",
            Self::BalanceCorrected { .. } => "balance_corrected",
            Self::HeroHandedOver { .. } => "hero_handed_over",
            Self::GuestUnited { .. } => "guest_united",
            Self::TasksBrought { .. } => "tasks_brought",
        }
    }

    /// Energy earned: what counts as experience.
    #[must_use]
    pub fn earned_me(&self) -> i64 {
        match self {
            Self::SessionEnded { credit, .. } | Self::SessionConfirmed { credit, .. } => credit.energy_me,
            Self::DaysEnded { credit: Some(day), .. } => day.credit.energy_me,
            Self::OfflineFocusCredited { parts, .. } => parts.iter().map(|part| part.energy_me).sum(),
            Self::BreakEnded { energy_me, .. }
            | Self::BonusPaid { energy_me, .. }
            | Self::TaskCompleted { energy_me, .. }
            | Self::AchievementUnlocked { energy_me, .. } => *energy_me,
            Self::GuestUnited { union } => union.earned_me,
            _ => 0,
        }
    }

    /// Change of the energy balance: earned, paid and refunded.
    #[must_use]
    pub fn energy_me(&self) -> i64 {
        match self {
            Self::AssemblyStarted { cost_me, .. } | Self::BlueprintPaid { cost_me, .. } => -cost_me,
            Self::AssemblyCancelled { refund_me, .. }
            | Self::BlueprintUnpinned { refund_me, .. }
            | Self::ModuleSold { refund_me, .. } => *refund_me,
            Self::BalanceCorrected { energy_me, .. } => *energy_me,
            Self::HeroHandedOver { energy_me, .. } => -energy_me,
            Self::GuestUnited { union } => union.energy_me,
            _ => self.earned_me(),
        }
    }

    /// Change of the dopamine balance.
    #[must_use]
    pub fn dopamine_md(&self) -> i64 {
        match self {
            Self::SessionEnded { credit, .. } | Self::SessionConfirmed { credit, .. } => credit.dopamine_md,
            Self::DaysEnded { credit: Some(day), .. } => day.credit.dopamine_md,
            Self::OfflineFocusCredited { parts, .. } => parts.iter().map(|part| part.dopamine_md).sum(),
            Self::ModuleAssembled { cost_md, .. }
            | Self::ModuleUpgraded { cost_md, .. }
            | Self::PresetSlotBought { cost_md }
            | Self::CosmeticBought { cost_md, .. } => -cost_md,
            Self::ModuleSold { refund_md, .. } => *refund_md,
            Self::BalanceCorrected { dopamine_md, .. } => *dopamine_md,
            Self::HeroHandedOver { dopamine_md, .. } => -dopamine_md,
            Self::GuestUnited { union } => union.dopamine_md,
            _ => 0,
        }
    }

    /// Why a balance changed; nothing for events that never move one.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        match self {
            Self::SessionEnded { .. }
            | Self::SessionConfirmed { .. }
            | Self::OfflineFocusCredited { .. }
            | Self::DaysEnded { credit: Some(_), .. } => Some("focus"),
            Self::BonusPaid { bonus, .. } => Some(bonus.cause()),
            Self::BreakEnded { .. } => Some("break"),
            Self::TaskCompleted { .. } => Some("task"),
            Self::AchievementUnlocked { .. } => Some("achievement"),
            Self::AssemblyStarted { .. } | Self::BlueprintPaid { .. } => Some("assembly"),
            Self::ModuleAssembled { cost_md, .. } if *cost_md != 0 => Some("finish_now"),
            Self::AssemblyCancelled { .. } | Self::BlueprintUnpinned { .. } => Some("refund"),
            Self::ModuleUpgraded { .. } => Some("upgrade"),
            Self::ModuleSold { .. } => Some("sale"),
            Self::PresetSlotBought { .. } => Some("preset_slot"),
            Self::CosmeticBought { .. } => Some("cosmetic"),
            Self::BalanceCorrected { .. } => Some("correction"),
            Self::HeroHandedOver { .. } | Self::GuestUnited { .. } => Some("union"),
            _ => None,
        }
    }

    /// What it is about: a catalogue name, or the number of a task, session, job, preset or event.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::SessionStarted { session } => Some(session.session_id.to_string()),
            Self::SessionEnded { session_id, .. }
            | Self::SessionDiscarded { session_id }
            | Self::SessionConfirmed { session_id, .. }
            | Self::OfflineFocusCredited { session_id, .. } => Some(session_id.to_string()),
            Self::TaskCreated { task } | Self::TaskUpdated { task } => Some(task.task_id.to_string()),
            Self::TaskCompleted { task_id, .. } | Self::TaskReopened { task_id, .. } => {
                Some(task_id.to_string())
            }
            Self::TaskDeleted { task_ids, .. } => task_ids.first().map(ToString::to_string),
            Self::LevelReached { level } => Some(level.to_string()),
            Self::AchievementUnlocked { achievement_id, .. } => Some(achievement_id.to_string()),
            Self::AssemblyStarted { job, .. } => Some(job.module_id.to_string()),
            Self::ModuleAssembled { module, .. } => Some(module.module_id.to_string()),
            Self::AssemblyCancelled { module_id, .. }
            | Self::BlueprintPinned { module_id }
            | Self::BlueprintPaid { module_id, .. }
            | Self::BlueprintUnpinned { module_id, .. }
            | Self::ModuleUpgraded { module_id, .. }
            | Self::ModuleSold { module_id, .. } => Some(module_id.to_string()),
            Self::SynergyFound { synergy } => Some(synergy.name().to_string()),
            Self::RackChanged { preset_slot: Some(slot), .. }
            | Self::PresetQueued { slot }
            | Self::PresetDeleted { slot } => Some(format!("{slot}")),
            Self::PresetSaved { preset } => Some(format!("{}", preset.slot)),
            Self::CosmeticBought { cosmetic_id, .. } | Self::CosmeticEquipped { cosmetic_id, .. } => {
                Some(cosmetic_id.to_string())
            }
            Self::BalanceCorrected { reverts, .. } => reverts.map(|seq| seq.to_string()),
            Self::HeroHandedOver { into, .. } => Some(into.to_string()),
            Self::GuestUnited { union } => Some(union.guest.to_string()),
            _ => None,
        }
    }

    /// What somebody of the team says to the player.
    #[must_use]
    pub const fn note(&self) -> Option<&PlayerText> {
        match self {
            Self::BalanceCorrected { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The number of what it made: a session, a task or a job.
    #[must_use]
    pub fn created_id(&self) -> Option<u32> {
        match self {
            Self::SessionStarted { session } => Some(session.session_id),
            Self::OfflineFocusCredited { session_id, .. } => Some(*session_id),
            Self::TaskCreated { task } => Some(task.task_id),
            Self::AssemblyStarted { job, .. } => Some(job.job_id),
            _ => None,
        }
    }
}
