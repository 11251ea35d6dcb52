//! The sections of the catalogue that are tables and limits rather than entries.
//!
//! One struct a section. Units are the last word of a name; see the rules for what each number means.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::module::Rarity;
use crate::id::ModuleId;

/// Part of a piecewise constant function: `permille` up to (not including) `until_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// Where the bracket ends.
    pub until_ms: i64,
    /// Its value.
    pub permille: i64,
}

/// A piecewise constant function of a position in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brackets {
    /// Ascending by `until_ms`; the first one begins at 0.
    pub steps: Vec<Bracket>,
    /// The value after the last step.
    pub beyond_permille: i64,
}

impl Brackets {
    /// The value at a position and where it changes next (nothing after the last step).
    #[must_use]
    pub fn at(&self, position_ms: i64) -> (i64, Option<i64>) {
        let index = self.steps.partition_point(|step| step.until_ms <= position_ms);
        match self.steps.get(index) {
            Some(step) => (step.permille, Some(step.until_ms)),
            None => (self.beyond_permille, None),
        }
    }
}

/// Focus sessions: rules, section 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FocusRules {
    /// Milli-energy per second of focus before all factors.
    pub base_me_per_s: i64,
    /// Factor by the position on the ramp inside the session.
    pub ramp: Brackets,
    /// Factor by the focused time in the player-day.
    pub day: Brackets,
    /// The most that the modifier can be; it begins at 1000.
    pub modifier_max_permille: i64,
    /// Added to the modifier for each day of the streak.
    pub streak_step_permille: i64,
    /// Streak days that count.
    pub streak_days_max: i64,
    /// Added to the modifier for each mastery mark passed.
    pub mastery_step_permille: i64,
    /// Lifetime minutes of a category, ascending.
    pub mastery_marks_min: Vec<i64>,
    /// Added to the modifier for each other member of the room who runs.
    pub room_step_permille: i64,
    /// The most that a room adds.
    pub room_max_permille: i64,
    /// Shorter sessions are discarded.
    pub session_min_ms: i64,
    /// Cancelling until then is free.
    pub cancel_free_ms: i64,
    /// Shortest planned session.
    pub countdown_min_ms: i64,
    /// Longest planned session.
    pub countdown_max_ms: i64,
    /// Planned length if the player says nothing.
    pub countdown_default_ms: i64,
    /// The same for a hero without a session yet.
    pub countdown_first_ms: i64,
    /// Short break of a pomodoro.
    pub pomodoro_break_ms: i64,
    /// Long break of a pomodoro.
    pub pomodoro_long_break_ms: i64,
    /// Every n-th break is a long one.
    pub pomodoro_long_every: i64,
    /// Most rounds of one pomodoro.
    pub pomodoro_rounds_max: i64,
    /// A longer pause is an interruption.
    pub pause_free_ms: i64,
    /// A longer pause ends the session.
    pub pause_max_ms: i64,
    /// More pauses than that in total end the session.
    pub pauses_total_max_ms: i64,
    /// What an interruption takes from the ramp position.
    pub interruption_ramp_loss_ms: i64,
    /// Coming back until then pays `bonuses.comeback`.
    pub comeback_ms: i64,
    /// How long a session waits after its planned end for an answer.
    pub overtime_max_ms: i64,
    /// Flowtime without a sign of the client for so long is closed.
    pub flowtime_silence_ms: i64,
    /// Such a session is closed at the last sign plus this.
    pub flowtime_grace_ms: i64,
    /// A longer planned session asks "still you?" afterwards.
    pub trusted_ms: i64,
    /// Focus after which a session ignites.
    pub ignition_ms: i64,
}

/// A fixed reward with a daily limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyBonus {
    /// Paid each time.
    pub reward_me: i64,
    /// Times a player-day.
    pub per_day_max: i64,
}

/// Rewards beside focus and tasks: rules, sections 2, 3 and 8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BonusRules {
    /// A session reached `focus.ignition_ms`.
    pub ignition: DailyBonus,
    /// Back in time after an interruption.
    pub comeback: DailyBonus,
    /// A break was taken.
    pub break_taken: DailyBonus,
    /// The part of a break that counts as taken.
    pub break_taken_permille: i64,
    /// The daily goal was reached.
    pub daily_goal: DailyBonus,
    /// Members of a room ended together.
    pub room_finish: DailyBonus,
    /// What "together" means.
    pub room_finish_within_ms: i64,
    /// Share of the planned part's energy for completing it.
    pub completion_permille: i64,
    /// The same for flowtime that the player ended.
    pub completion_flowtime_permille: i64,
    /// Back after days away.
    pub welcome_back_me: i64,
    /// How many days away that takes.
    pub welcome_back_days: i64,
    /// Days between two of them.
    pub welcome_back_every_days: i64,
    /// Smallest daily goal.
    pub goal_min_minutes: i64,
    /// Largest daily goal.
    pub goal_max_minutes: i64,
    /// Goal of a new hero.
    pub goal_default_minutes: i64,
}

/// Tasks: rules, section 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRules {
    /// Reward before minutes and factors.
    pub base_me: i64,
    /// Added for each estimated minute.
    pub per_minute_me: i64,
    /// Minutes of an estimate that count.
    pub estimate_counted_max_min: i64,
    /// Largest estimate.
    pub estimate_max_min: i64,
    /// Factor of low priority.
    pub low_permille: i64,
    /// Factor of medium priority.
    pub medium_permille: i64,
    /// Factor of high priority.
    pub high_permille: i64,
    /// Factor with enough linked focus.
    pub backed_permille: i64,
    /// Factor without it.
    pub unbacked_permille: i64,
    /// Least linked focus that backs a task.
    pub backing_min_ms: i64,
    /// Share of the estimate that backs a task.
    pub backing_estimate_permille: i64,
    /// Most subtasks of a task.
    pub subtasks_max: i64,
    /// Subtasks pay together at most this share of the parent's reward.
    pub subtasks_pay_max_permille: i64,
    /// Done so soon after creation pays `quick_me` flat.
    pub quick_ms: i64,
    /// See `quick_ms`.
    pub quick_me: i64,
    /// Most energy from tasks a player-day.
    pub per_day_max_me: i64,
    /// Longest title in characters.
    pub title_chars_max: i64,
    /// Most tasks that are open at the same time.
    pub open_max: i64,
    /// A task this old counts as a frog.
    pub frog_age_days: i64,
    /// This many subtasks count as a split.
    pub split_subtasks_min: i64,
    /// An actual time within this share of the estimate is a good estimate.
    pub good_estimate_permille: i64,
}

/// The player-day: rules, section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayRules {
    /// Minutes after local midnight at which a day begins for a new hero.
    pub start_default_min: i64,
    /// The latest start.
    pub start_max_min: i64,
    /// The shortest day after a change of zone or start.
    pub length_min_ms: i64,
    /// Changes of zone or start that take effect within `changes_window_days`.
    pub changes_max: i64,
    /// See `changes_max`.
    pub changes_window_days: i64,
}

/// Streak and shields: rules, section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreakRules {
    /// Credited focus that makes a day active.
    pub active_focus_ms: i64,
    /// What is left of the streak after a missed day without a shield, rounded down.
    pub missed_keeps_permille: i64,
    /// Weekdays that can be fixed as rest.
    pub rest_weekdays_max: i64,
    /// Longest vacation at a time.
    pub vacation_days_max: i64,
    /// An outage from this length on excuses a day.
    pub outage_min_ms: i64,
    /// Shields of a new hero.
    pub shields_start: i64,
    /// One more shield after so many active days.
    pub shield_every_active_days: i64,
    /// Most shields without modules.
    pub shields_max: i64,
}

/// Levels: rules, section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRules {
    /// Level L needs `step · L · (L − 1)` XP.
    pub xp_step: i64,
    /// The highest level.
    pub level_max: u8,
}

impl LevelRules {
    /// The level for a lifetime of whole energy.
    #[must_use]
    pub fn level_of(&self, xp: i64) -> u8 {
        let quarters = i128::from(xp.max(0)) * 4 / i128::from(self.xp_step.max(1));
        let level = (1 + (1 + quarters).isqrt()) / 2;
        u8::try_from(level).unwrap_or(u8::MAX).min(self.level_max)
    }

    /// The XP at which a level begins.
    #[must_use]
    pub fn xp_of(&self, level: u8) -> i64 {
        self.xp_step * i64::from(level) * (i64::from(level) - 1).max(0)
    }
}

/// What a hero level gives: the rack's size and places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RackLevel {
    /// From this hero level on.
    pub hero_level: u8,
    /// Cells in a row.
    pub columns: u8,
    /// Rows.
    pub rows: u8,
    /// Jobs that are assembled at the same time.
    pub assembly_slots: u8,
    /// Presets without bought slots.
    pub presets: u8,
}

/// The rack: rules, section 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RackRules {
    /// Ascending by hero level; the first one is level 1.
    pub levels: Vec<RackLevel>,
    /// Cables that may arrive at the core.
    pub core_inputs: u8,
    /// How far a cable reaches without a module that says more.
    pub reach_cells: u8,
    /// Most that multipliers add to a generator.
    pub path_bonus_max_permille: i64,
    /// Most that the rack adds to the energy modifier.
    pub energy_max_permille: i64,
    /// Focused time of a session in which an early boost works.
    pub early_ms: i64,
    /// Modules that a new hero owns.
    pub starters: Vec<ModuleId>,
    /// Price of one more preset slot.
    pub preset_slot_md: i64,
    /// Most preset slots, bought ones included.
    pub presets_max: u8,
}

impl RackRules {
    /// What a hero level gives.
    #[must_use]
    pub fn at_level(&self, hero_level: u8) -> &RackLevel {
        let after = self.levels.partition_point(|row| row.hero_level <= hero_level);
        self.levels.get(after.saturating_sub(1)).expect("validation refuses a catalogue without rack levels")
    }
}

/// Synergies: rules, section 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynergyRules {
    /// Most that synergies add to the core together.
    pub core_max_permille: i64,
    /// A path with a multiplier and a modifier behind it: added to the core.
    pub full_voice_permille: i64,
    /// Two generators side by side: added to the core a pair.
    pub harmony_pair_permille: i64,
    /// Pairs that count.
    pub harmony_pairs_max: i64,
    /// A legendary module with empty neighbours: added to the core.
    pub quiet_space_permille: i64,
    /// How many neighbours must be empty.
    pub quiet_space_empty_min: i64,
    /// A module of each rarity: added to the core.
    pub spectrum_permille: i64,
    /// A module of each category: added to the energy modifier.
    pub four_winds_energy_permille: i64,
    /// A clock among modules: added to the assembly speed.
    pub in_time_assembly_permille: i64,
    /// How many modules must be next to it.
    pub in_time_neighbours_min: i64,
}

/// Assembly: rules, section 6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssemblyRules {
    /// Progress per millisecond when idle; a module needs `build_ms · 1000`.
    pub idle_permille: i64,
    /// Progress per millisecond while focusing.
    pub focus_permille: i64,
    /// Finishing now costs `finish_now_md` for each such part that is left, rounded up.
    pub finish_now_every_ms: i64,
    /// See `finish_now_every_ms`.
    pub finish_now_md: i64,
}

/// What each step to the next module level costs, for one rarity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradeCost {
    /// Whose modules.
    pub rarity: Rarity,
    /// From level 1 to 2, from 2 to 3 and so on.
    pub steps_md: Vec<i64>,
}

/// Upgrades: rules, section 6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradeRules {
    /// Factor on the primary effect for module level 1, 2 and so on.
    pub factors_permille: Vec<i64>,
    /// One entry a rarity.
    pub costs: Vec<UpgradeCost>,
}

impl UpgradeRules {
    /// The highest module level.
    #[must_use]
    pub fn level_max(&self) -> u8 {
        u8::try_from(self.factors_permille.len()).unwrap_or(u8::MAX)
    }

    /// The factor of a module level; levels outside of the table count as the nearest one.
    #[must_use]
    pub fn factor_permille(&self, module_level: u8) -> i64 {
        let index = usize::from(module_level.clamp(1, self.level_max().max(1))) - 1;
        self.factors_permille.get(index).copied().unwrap_or(1000)
    }

    /// What the step from `module_level` to the next one costs; nothing at the highest level.
    #[must_use]
    pub fn cost_md(&self, rarity: Rarity, module_level: u8) -> Option<i64> {
        let costs = self.costs.iter().find(|costs| costs.rarity == rarity)?;
        costs.steps_md.get(usize::from(module_level.checked_sub(1)?)).copied()
    }
}

/// Selling a module: rules, section 6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SellRules {
    /// Everything comes back until then.
    pub full_refund_ms: i64,
    /// Share of the energy that comes back later.
    pub energy_permille: i64,
    /// Share of the dopamine (upgrades) that comes back later.
    pub dopamine_permille: i64,
}

/// Sessions that began offline: rules, sections 3 and 9.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineRules {
    /// Longest accepted focus in one gap between contacts.
    pub gap_max_ms: i64,
    /// Longest accepted focus a player-day.
    pub day_max_ms: i64,
    /// So late they still change the days they touch.
    pub late_max_ms: i64,
}
