//! What a hero owns and has reached.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::catalogue::Category;
use crate::id::{AchievementId, CosmeticId, ModuleId};
use crate::rack::Rack;
use crate::text::PlayerText;

/// What there is to spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Energy.
    pub energy_me: i64,
    /// Dopamine.
    pub dopamine_md: i64,
    /// All energy ever earned; never falls.
    pub lifetime_me: i64,
    /// The level that was last announced.
    pub level: u8,
}

/// Skins and cable colours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosmetics {
    /// Owned ones.
    pub owned: Vec<CosmeticId>,
    /// Worn ones, at most one of a kind.
    pub equipped: Vec<CosmeticId>,
}

/// An owned module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedModule {
    /// Catalogue id.
    pub module_id: ModuleId,
    /// 1 to 5.
    pub level: u8,
    /// What it cost.
    pub paid_me: i64,
    /// What its upgrades cost.
    pub invested_md: i64,
    /// When it was finished.
    pub built_at_ms: i64,
}

/// What is being built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assembly {
    /// By number, ascending.
    pub jobs: Vec<Job>,
    /// Speed of all jobs, as of the last event: 1000 is idle. Without a job it says nothing.
    pub speed_permille: u32,
    /// The moment for which `done_mms` of every job holds.
    pub anchor_ms: i64,
    /// A module that is paid for in instalments.
    pub blueprint: Option<Box<Blueprint>>,
}

/// A running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The hero's number for it.
    pub job_id: u32,
    /// What it makes.
    pub module_id: ModuleId,
    /// What was paid.
    pub paid_me: i64,
    /// Work needed, in ms of idle speed.
    pub work_ms: i64,
    /// Work done at the anchor, in thousandths of a ms of idle speed.
    pub done_permille_ms: i64,
}

/// A module that is paid for in instalments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blueprint {
    /// What it will make.
    pub module_id: ModuleId,
    /// Paid so far.
    pub paid_me: i64,
}

/// Kept racks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presets {
    /// By slot, ascending.
    pub kept: Vec<Preset>,
    /// Slots bought beyond those of the level.
    pub slots_bought: u8,
    /// Will be loaded when the session ends.
    pub queued_slot: Option<u8>,
    /// Bit n: slot n was loaded once.
    pub slots_used: u32,
}

/// A kept rack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// Its number.
    pub slot: u8,
    /// 1 to 40 characters.
    pub name: PlayerText,
    /// What it is meant for.
    pub category: Category,
    /// Layout and cables.
    pub rack: Rack,
}

/// An unlocked achievement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlocked {
    /// Catalogue id.
    pub achievement_id: AchievementId,
    /// When.
    pub at_ms: i64,
}

/// Categories, [`Category::None`] included: creative, analytical, physical, learning, none.
pub const CATEGORY_COUNT: usize = 5;

/// The place of a category in tables of [`CATEGORY_COUNT`].
#[must_use]
pub fn category_slot(category: Category) -> usize {
    category.index().unwrap_or(CATEGORY_COUNT - 1)
}

/// Totals; none of them falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Focused time credited, by category.
    pub focus_ms_by_category: [i64; CATEGORY_COUNT],
    /// Last player-day with a session, by category; 0 is never.
    pub last_day_by_category: [i32; CATEGORY_COUNT],
    /// Sessions ended, not discarded.
    pub sessions: u32,
    /// Sessions that reached two minutes.
    pub sparks: u32,
    /// Tasks done for the first time.
    pub tasks_done: u32,
    /// Those of them that were backed by focus.
    pub tasks_backed: u32,
    /// Those of them whose focus was within 20 % of the estimate.
    pub estimates_met: u32,
    /// Named categories with focus within one week, the most so far.
    pub categories_in_week: u8,
    /// Rare, epic and legendary modules owned so far.
    pub rarities_owned: [u8; 3],
    /// Old tasks (7 days) that were done with focus.
    pub frogs: u32,
    /// Tasks with three or more subtasks, all done.
    pub splits: u32,
    /// Returns after an interruption.
    pub comebacks: u32,
    /// Breaks taken.
    pub breaks: u32,
    /// Modules assembled, the free starter left out.
    pub modules_built: u32,
    /// Returns after a week away.
    pub welcomes: u32,
}

impl Statistics {
    /// Focused time credited, all categories.
    #[must_use]
    pub fn focus_ms(&self) -> i64 {
        self.focus_ms_by_category.iter().sum()
    }
}
