//! The hero: one aggregate, one writer, one snapshot. Plain data; the rules live in `rules/`.
//!
//! A hero is meant to be small (about 3 KiB with ten tasks, six modules and a month of days) and is saved whole.
//! Everything in it is an outcome of events: [`crate::apply::apply`] is the only code that changes it.

mod belongings;
mod correction;
mod day;
mod focus;
mod kin;
mod task;

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use belongings::{
    Assembly, Blueprint, CATEGORY_COUNT, Cosmetics, Job, OwnedModule, Preset, Presets, Statistics, Unlocked,
    Wallet, category_slot,
};
pub use correction::{CORRECTIONS_KEPT, Corrected};
pub use day::{DayBounds, DayKind, DayRecord, StreakChain, StreakState, Today, Zone};
pub use focus::{Break, EndKind, EndedSession, Meter, Session, SessionState, ToConfirm};
pub use kin::{Estate, GUESTS_KEPT, HandedOver, Kin};
pub use task::{Occurrence, Repeat, Task};

use crate::rack::Rack;
use crate::text::PlayerText;

/// Version of the shape of [`Hero`] and of [`crate::event::Event`]. A reader refuses what is newer.
///
/// 2: what players type is an extension value, so that it can be encrypted; 1 had strings, which are read still.
pub const SCHEMA_VERSION: u16 = 2;

/// Everything the game knows about one player.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hero {
    /// Chosen by the player, 1 to 40 characters.
    pub name: PlayerText,
    /// When the hero was made.
    pub created_at_ms: i64,
    /// Moment of the last event. Nothing happens before it: a clock that steps back stands still here.
    pub latest_ms: i64,
    /// When the player was last heard of.
    pub contact_ms: i64,
    /// Where the last silence before that began: an offline session cannot have begun earlier.
    pub gap_from_ms: i64,
    /// Offline focus accepted in that silence; limited.
    pub gap_offline_ms: i64,
    /// End of the last known focus, online or off: an offline session cannot overlap it.
    pub focus_known_until_ms: i64,
    /// The last number given to a task, session or job.
    pub last_id: u32,
    /// Zone and start of day in force.
    pub zone: Zone,
    /// Takes their place when a player-day ends.
    pub next_zone: Option<Box<Zone>>,
    /// Days on which a change of zone took effect, the last two.
    pub zone_changes: Vec<i32>,
    /// Minutes of focus that make the daily goal.
    pub daily_goal_minutes: u16,
    /// Bit 0 is Monday.
    pub rest_weekdays: u8,
    /// Last player-day of the vacation.
    pub vacation_until: Option<i32>,
    /// Skins and cable colours.
    pub cosmetics: Cosmetics,
    /// What there is to spend.
    pub wallet: Wallet,
    /// The open session.
    pub session: Option<Box<Session>>,
    /// The running break.
    pub on_break: Option<Break>,
    /// The last session that ended: a break belongs to it.
    pub last_session: Option<EndedSession>,
    /// A long session that waits for "still you?".
    pub to_confirm: Option<Box<ToConfirm>>,
    /// The current player-day.
    pub today: Today,
    /// The last 30 player-days before it, oldest first, without gaps.
    pub days: Vec<DayRecord>,
    /// Showing up.
    pub streak: StreakState,
    /// By number, ascending.
    pub tasks: Vec<Task>,
    /// By time of assembly.
    pub modules: Vec<OwnedModule>,
    /// What is being built.
    pub assembly: Assembly,
    /// What lies on the grid and how it is cabled.
    pub rack: Rack,
    /// Synergies that were ever found, by catalogue order of their kind.
    pub synergies_found: Vec<crate::rack::Synergy>,
    /// Kept racks.
    pub presets: Presets,
    /// By time.
    pub achievements: Vec<Unlocked>,
    /// Totals.
    pub statistics: Statistics,
    /// Heroes that became part of this one, or the one that it became part of. Left out while there are none, so that
    /// such a hero is written as it always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kin: Option<Box<Kin>>,
    /// The last corrections by operators, the latest last. Left out while there are none, as `kin`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Corrected>,
}

impl Hero {
    /// Focus of the current player-day, the open session's included as far as it is settled.
    #[must_use]
    pub fn day_focus_ms(&self) -> i64 {
        self.today.focus_ms + self.session.as_ref().map_or(0, |session| session.meter.day_focus_ms)
    }

    /// The task of that number.
    #[must_use]
    pub fn task(&self, task_id: u32) -> Option<&Task> {
        self.tasks
            .binary_search_by_key(&task_id, |task| task.task_id)
            .ok()
            .and_then(|index| self.tasks.get(index))
    }

    pub(crate) fn task_mut(&mut self, task_id: u32) -> Option<&mut Task> {
        let index = self.tasks.binary_search_by_key(&task_id, |task| task.task_id).ok()?;
        self.tasks.get_mut(index)
    }

    /// The owned module of that name.
    #[must_use]
    pub fn module(&self, module_id: crate::id::ModuleId) -> Option<&OwnedModule> {
        self.modules.iter().find(|module| module.module_id == module_id)
    }

    /// The running job of that number.
    #[must_use]
    pub fn job(&self, job_id: u32) -> Option<&Job> {
        self.assembly.jobs.iter().find(|job| job.job_id == job_id)
    }

    /// Whether an achievement was unlocked.
    #[must_use]
    pub fn has_achievement(&self, achievement_id: crate::id::AchievementId) -> bool {
        self.achievements.iter().any(|unlocked| unlocked.achievement_id == achievement_id)
    }
}
