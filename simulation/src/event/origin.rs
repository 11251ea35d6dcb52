//! Who made an event happen.

use super::Event;

impl Event {
    /// Whether only a player's command makes it: then it shows that the player was there. Events that silence can
    /// make as well count as time's.
    #[must_use]
    pub const fn is_contact(&self) -> bool {
        match self {
            Self::SessionEnded { .. }
            | Self::SessionDiscarded { .. }
            | Self::SessionConfirmed { .. }
            | Self::SessionInterrupted { .. }
            | Self::RoundFinished { .. }
            | Self::BreakEnded { .. }
            | Self::BonusPaid { .. }
            | Self::DayActivated { .. }
            | Self::DaysEnded { .. }
            | Self::DayExtended { .. }
            | Self::OutageDeclared { .. }
            | Self::ShieldGiven { .. }
            | Self::LevelReached { .. }
            | Self::AchievementUnlocked { .. }
            | Self::AssemblyPaceChanged { .. }
            | Self::ModuleAssembled { .. }
            | Self::RackChanged { .. }
            | Self::SynergyFound { .. }
            | Self::PresetUnqueued
            // The team did it.
            | Self::BalanceCorrected { .. }
            // Two heroes become one on whatever device; what another one does meanwhile is not said by that.
            | Self::HeroHandedOver { .. }
            | Self::GuestUnited { .. }
            | Self::TasksBrought { .. } => false,
            Self::HeroCreated { .. }
            | Self::NothingChanged
            | Self::SessionStarted { .. }
            | Self::SessionDescribed { .. }
            | Self::SessionPaused { .. }
            | Self::SessionResumed { .. }
            | Self::SessionContinued { .. }
            | Self::SessionSignalled { .. }
            | Self::OfflineFocusCredited { .. }
            | Self::BreakStarted { .. }
            | Self::TaskCreated { .. }
            | Self::TaskUpdated { .. }
            | Self::TaskCompleted { .. }
            | Self::TaskReopened { .. }
            | Self::TaskDeleted { .. }
            | Self::HeroRenamed { .. }
            | Self::ZoneQueued { .. }
            | Self::DailyGoalSet { .. }
            | Self::RestDaysSet { .. }
            | Self::VacationSet { .. }
            | Self::AssemblyStarted { .. }
            | Self::AssemblyCancelled { .. }
            | Self::BlueprintPinned { .. }
            | Self::BlueprintPaid { .. }
            | Self::BlueprintUnpinned { .. }
            | Self::ModuleUpgraded { .. }
            | Self::ModuleSold { .. }
            | Self::PresetSaved { .. }
            | Self::PresetQueued { .. }
            | Self::PresetDeleted { .. }
            | Self::PresetSlotBought { .. }
            | Self::CosmeticBought { .. }
            | Self::CosmeticEquipped { .. } => true,
        }
    }
}
