//! Which sections of the hero, as a client sees it, an event touches.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::{BitOr, BitOrAssign};

use super::Event;

/// A set of sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections(u16);

impl Sections {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Name, zone, goal, rest days, vacation, cosmetics.
    pub const PROFILE: Self = Self(1);
    /// Balances and level.
    pub const WALLET: Self = Self(1 << 1);
    /// Session, break, question.
    pub const FOCUS: Self = Self(1 << 2);
    /// The current player-day.
    pub const TODAY: Self = Self(1 << 3);
    /// Streak and shields.
    pub const STREAK: Self = Self(1 << 4);
    /// Some tasks, see [`Event::changed_task_ids`] and [`Event::removed_task_ids`].
    pub const TASKS: Self = Self(1 << 5);
    /// Owned modules.
    pub const MODULES: Self = Self(1 << 6);
    /// Jobs and blueprint.
    pub const ASSEMBLY: Self = Self(1 << 7);
    /// Layout, cables, synergies.
    pub const RACK: Self = Self(1 << 8);
    /// Kept racks.
    pub const PRESETS: Self = Self(1 << 9);
    /// Achievements.
    pub const ACHIEVEMENTS: Self = Self(1 << 10);
    /// Totals and the last 30 days.
    pub const STATISTICS: Self = Self(1 << 11);
    /// Everything.
    pub const ALL: Self = Self((1 << 12) - 1);

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for Sections {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for Sections {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

/// What every payment of energy touches: balance, level, and the day's sum.
const PAID: Sections = Sections::WALLET.with(Sections::TODAY).with(Sections::STATISTICS);
const FOCUS_PAID: Sections = PAID.with(Sections::FOCUS).with(Sections::TASKS);

impl Event {
    /// The sections it touches.
    #[must_use]
    pub const fn sections(&self) -> Sections {
        match self {
            Self::HeroCreated { .. } => Sections::ALL,
            Self::NothingChanged => Sections::NONE,
            Self::SessionDescribed { .. } => Sections::FOCUS.with(Sections::TASKS),
            Self::SessionStarted { .. }
            | Self::SessionPaused { .. }
            | Self::SessionInterrupted { .. }
            | Self::RoundFinished { .. }
            | Self::SessionContinued { .. }
            | Self::SessionSignalled { .. }
            | Self::SessionDiscarded { .. }
            | Self::BreakStarted { .. } => Sections::FOCUS,
            Self::SessionResumed { .. } => Sections::FOCUS.with(Sections::STATISTICS),
            Self::SessionEnded { .. } | Self::SessionConfirmed { .. } => FOCUS_PAID,
            Self::OfflineFocusCredited { .. } => FOCUS_PAID,
            Self::BreakEnded { .. } => PAID.with(Sections::FOCUS),
            Self::BonusPaid { .. } => PAID,
            Self::DayActivated { .. } | Self::OutageDeclared { .. } => {
                Sections::TODAY.with(Sections::STREAK).with(Sections::STATISTICS)
            }
            Self::DaysEnded { .. } => FOCUS_PAID.with(Sections::STREAK).with(Sections::PROFILE),
            Self::DayExtended { .. } => Sections::TODAY.with(Sections::PROFILE),
            Self::ShieldGiven { .. } => Sections::STREAK,
            Self::TaskCompleted { .. } => PAID.with(Sections::TASKS),
            Self::TaskCreated { .. } | Self::TaskUpdated { .. } | Self::TaskReopened { .. } => {
                Sections::TASKS
            }
            // The open session may have been for it.
            Self::TaskDeleted { .. } => Sections::TASKS.with(Sections::FOCUS),
            Self::DailyGoalSet { .. } => Sections::PROFILE.with(Sections::TODAY),
            Self::HeroRenamed { .. }
            | Self::ZoneQueued { .. }
            | Self::RestDaysSet { .. }
            | Self::VacationSet { .. } => Sections::PROFILE,
            // A level brings cells, slots and presets.
            Self::LevelReached { .. } => {
                Sections::WALLET.with(Sections::ASSEMBLY).with(Sections::RACK).with(Sections::PRESETS)
            }
            Self::AchievementUnlocked { .. } => PAID.with(Sections::ACHIEVEMENTS),
            Self::AssemblyStarted { .. }
            | Self::AssemblyCancelled { .. }
            | Self::BlueprintPaid { .. }
            | Self::BlueprintUnpinned { .. } => Sections::ASSEMBLY.with(Sections::WALLET),
            Self::AssemblyPaceChanged { .. } | Self::BlueprintPinned { .. } => Sections::ASSEMBLY,
            Self::ModuleAssembled { .. } => Sections::ASSEMBLY.with(Sections::MODULES).with(Sections::WALLET),
            Self::ModuleUpgraded { .. } | Self::ModuleSold { .. } => {
                Sections::MODULES.with(Sections::WALLET).with(Sections::RACK)
            }
            // Loading a preset empties the queue; the rack changes what the streak can hold and what tasks pay.
            Self::RackChanged { .. } => Sections::RACK.with(Sections::PRESETS).with(Sections::STREAK),
            Self::SynergyFound { .. } => Sections::RACK,
            Self::PresetSaved { .. }
            | Self::PresetQueued { .. }
            | Self::PresetUnqueued
            | Self::PresetDeleted { .. } => Sections::PRESETS,
            Self::PresetSlotBought { .. } => Sections::PRESETS.with(Sections::WALLET),
            Self::CosmeticBought { .. } => Sections::PROFILE.with(Sections::WALLET),
            Self::CosmeticEquipped { .. } => Sections::PROFILE,
            Self::BalanceCorrected { .. } | Self::HeroHandedOver { .. } => Sections::WALLET,
            Self::GuestUnited { .. } => Sections::ALL,
            Self::TasksBrought { .. } => Sections::TASKS,
        }
    }

    /// Tasks that are new or changed. Subtasks name their parent's number too, whose reward depends on them.
    #[must_use]
    pub fn changed_task_ids(&self) -> Vec<u32> {
        match self {
            Self::TaskCreated { task } | Self::TaskUpdated { task } => vec![task.task_id],
            Self::TaskCompleted { task_id, .. } | Self::TaskReopened { task_id, .. } => vec![*task_id],
            Self::TaskDeleted { parent_id, .. } => parent_id.iter().copied().collect(),
            Self::SessionDescribed { old_task_id, task_id, .. } => {
                old_task_id.iter().chain(task_id.iter()).copied().collect()
            }
            Self::SessionEnded { credit, .. } | Self::SessionConfirmed { credit, .. } => {
                credit.task_id.into_iter().collect()
            }
            Self::DaysEnded { credit: Some(day), .. } => day.credit.task_id.into_iter().collect(),
            Self::OfflineFocusCredited { task_id, .. } => task_id.iter().copied().collect(),
            Self::TasksBrought { tasks } => tasks.iter().map(|task| task.task_id).collect(),
            _ => Vec::new(),
        }
    }

    /// Tasks that left the list.
    #[must_use]
    pub fn removed_task_ids(&self) -> Vec<u32> {
        match self {
            Self::TaskDeleted { task_ids, .. } => task_ids.clone(),
            Self::DaysEnded { archived_task_ids, .. } => archived_task_ids.clone(),
            _ => Vec::new(),
        }
    }
}
