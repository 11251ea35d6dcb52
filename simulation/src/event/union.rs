//! What came with a guest.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::hero::{DayRecord, Job, Meter, OwnedModule, Statistics, StreakState, Today, Unlocked};
use crate::id::{CosmeticId, HeroKey};
use crate::rack::Synergy;

/// What a union changed. Amounts are what is added; days, streak and totals are as they are from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestUnion {
    /// Who came.
    pub guest: HeroKey,
    /// Energy that came, refunds included.
    pub energy_me: i64,
    /// Dopamine that came, refunds included.
    pub dopamine_md: i64,
    /// Lifetime energy that came.
    pub earned_me: i64,
    /// The part of `energy_me` that was paid for what both had.
    pub refund_me: i64,
    /// The part of `dopamine_md` that was paid for what both had.
    pub refund_md: i64,
    /// Modules that are new, or better than the copy that they take the place of.
    pub modules: Vec<OwnedModule>,
    /// Jobs that go on here, with new numbers.
    pub jobs: Vec<Job>,
    /// Jobs of the hero that are not needed any more: the module came.
    pub jobs_ended: Vec<u32>,
    /// Achievements that the hero did not have.
    pub achievements: Vec<Unlocked>,
    /// Synergies that the hero had not found.
    pub synergies: Vec<Synergy>,
    /// Cosmetics that the hero did not have.
    pub cosmetics: Vec<CosmeticId>,
    /// Bought preset slots that came.
    pub preset_slots: u8,
    /// Presets that were loaded once, as bits of their slots.
    pub presets_used: u32,
    /// Totals from now on.
    pub statistics: Statistics,
    /// The current player-day from now on.
    pub today: Today,
    /// Remembered days that are new or look different from now on, oldest first.
    pub records: Vec<DayRecord>,
    /// Streak and shields from now on.
    pub streak: StreakState,
    /// Accrual of the open session at this moment, if its place in the day moves: what it earned until now stays.
    pub meter: Option<Meter>,
}
