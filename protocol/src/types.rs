//! The hero as a client sees it, in sections. Each section is always sent whole.

mod workshop;

use serde::{Deserialize, Serialize};

pub use workshop::{Assembly, Blueprint, Cable, Job, OwnedModule, Placement, Preset, Presets, Rack};

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Making something.
    Creative,
    /// Thinking something through.
    Analytical,
    /// Moving.
    Physical,
    /// Taking something in.
    Learning,
    /// Not said.
    None,
}

/// How important a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 900 ‰ of the reward.
    Low,
    /// 1000 ‰ of the reward.
    Medium,
    /// 1200 ‰ of the reward.
    High,
}

/// How a task repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recurrence {
    /// Each n-th day from the due date (or the day of creation) on.
    EveryDays {
        /// 1 to 365.
        days: u16,
    },
    /// On these weekdays; 1 is Monday, 7 is Sunday.
    Weekdays {
        /// At least one.
        weekdays: Vec<u8>,
    },
}

/// How the end of a session is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FocusMode {
    /// One stretch.
    Countdown {
        /// 5 to 180.
        planned_minutes: u16,
    },
    /// Rounds with breaks of 5 minutes, each fourth one 15.
    Pomodoro {
        /// 5 to 180, each round.
        planned_minutes: u16,
        /// 1 to 12.
        rounds: u8,
    },
    /// Open-ended.
    Flowtime,
}

/// The whole hero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hero {
    /// UUID.
    pub hero_id: String,
    /// Who and when.
    pub profile: Profile,
    /// What there is to spend, and the level.
    pub wallet: Wallet,
    /// What runs now.
    pub focus: Focus,
    /// The current player-day.
    pub today: Today,
    /// Showing up.
    pub streak: Streak,
    /// All open tasks, and those done in the last days.
    pub tasks: Vec<Task>,
    /// Owned modules.
    pub modules: Vec<OwnedModule>,
    /// What is being built.
    pub assembly: Assembly,
    /// The rack and what it does.
    pub rack: Rack,
    /// Kept racks.
    pub presets: Presets,
    /// Unlocked achievements.
    pub achievements: Vec<Unlocked>,
    /// Totals and the last 30 days.
    pub statistics: Statistics,
}

/// The sections that changed; a missing one did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeroPatch {
    /// See [`Hero::profile`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub profile: Option<Profile>,
    /// See [`Hero::wallet`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub wallet: Option<Wallet>,
    /// See [`Hero::focus`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub focus: Option<Focus>,
    /// See [`Hero::today`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub today: Option<Today>,
    /// See [`Hero::streak`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub streak: Option<Streak>,
    /// Tasks that are new or changed: replace by `task_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tasks: Option<Vec<Task>>,
    /// Tasks that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tasks_removed: Option<Vec<u32>>,
    /// See [`Hero::modules`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub modules: Option<Vec<OwnedModule>>,
    /// See [`Hero::assembly`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub assembly: Option<Assembly>,
    /// See [`Hero::rack`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub rack: Option<Rack>,
    /// See [`Hero::presets`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub presets: Option<Presets>,
    /// See [`Hero::achievements`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub achievements: Option<Vec<Unlocked>>,
    /// See [`Hero::statistics`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub statistics: Option<Statistics>,
}

/// Who and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Profile {
    /// Chosen by the player.
    pub name: String,
    /// When the hero was made.
    pub created_at_ms: i64,
    /// IANA name of the zone in force.
    pub time_zone: String,
    /// Start of the player-day, minutes after midnight.
    pub day_start_minutes: u16,
    /// Zone that takes effect when the day ends.
    pub next_time_zone: Option<String>,
    /// Start of day that takes effect when the day ends.
    pub next_day_start_minutes: Option<u16>,
    /// Minutes of focus that make the daily goal.
    pub daily_goal_minutes: u16,
    /// Fixed rest days; 1 is Monday.
    pub rest_weekdays: Vec<u8>,
    /// Last day of the vacation (`YYYY-MM-DD`).
    pub vacation_until: Option<String>,
    /// Owned skins and cable colours.
    pub cosmetics: Vec<String>,
    /// Worn ones.
    pub equipped: Vec<String>,
}

/// What there is to spend, and the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Wallet {
    /// Energy balance.
    pub energy_me: i64,
    /// Dopamine balance.
    pub dopamine_md: i64,
    /// All energy ever earned.
    pub lifetime_energy_me: i64,
    /// 1 to 100.
    pub level: u16,
    /// Experience (whole lifetime energy) at which this level began.
    pub level_xp: i64,
    /// Experience of the next level; nothing at the cap.
    pub next_level_xp: Option<i64>,
}

/// What runs now: a session, or a break, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Focus {
    /// The open session.
    pub session: Option<Session>,
    /// The running break.
    pub on_break: Option<Break>,
    /// A session that asks "still you?".
    pub to_confirm: Option<ToConfirm>,
}

/// Whether the clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Counting.
    Running,
    /// Stopped by the player.
    Paused,
    /// Stopped, and it counts as an interruption.
    Interrupted,
    /// The plan is over and the clock waits for an answer: keep going, or silence.
    Overtime,
    /// Stopped for the break between two pomodoro rounds.
    Resting,
    /// That break is over, and the next round waits for the player.
    Waiting,
}

/// The open session: all a client needs to draw a true timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Session {
    /// The hero's number for it.
    pub session_id: u32,
    /// Rises with every change: an older one is never drawn over a newer one.
    pub revision: u32,
    /// Whether the clock runs.
    pub state: SessionState,
    /// How its end is found.
    pub mode: FocusMode,
    /// What kind of work.
    pub category: Category,
    /// The task.
    pub task_id: Option<u32>,
    /// Free words.
    pub intention: Option<String>,
    /// When it began.
    pub started_at_ms: i64,
    /// Server time for which `focus_ms_at_anchor` holds.
    pub anchor_ms: i64,
    /// Focused time at the anchor; while running it grows by 1 ms a ms.
    pub focus_ms_at_anchor: i64,
    /// Focused time at which the plan is fulfilled; nothing in flowtime.
    pub planned_ms: Option<i64>,
    /// Current pomodoro round, from 1.
    pub round: u8,
    /// When an unanswered pause or overtime ends the session.
    pub auto_end_at_ms: Option<i64>,
    /// Interruptions so far.
    pub interruptions: u16,
    /// Rates and sums for drawing.
    pub progress: Progress,
}

/// Enough to draw the running session until the next change without another byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Progress {
    /// The session.
    pub session_id: u32,
    /// The moment for which the numbers hold.
    pub at_ms: i64,
    /// Focused time in the session so far.
    pub focus_ms: i64,
    /// Energy of the session so far, not yet in the wallet.
    pub energy_me: i64,
    /// Dopamine of the session so far, not yet in the wallet.
    pub dopamine_md: i64,
    /// How fast energy comes; 0 while paused.
    pub energy_rate_ue_per_s: i64,
    /// How fast dopamine comes; 0 while paused.
    pub dopamine_rate_ud_per_s: i64,
    /// When the rates change next if nobody does anything.
    pub next_boundary_ms: Option<i64>,
}

/// A running break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Break {
    /// When it began.
    pub started_at_ms: i64,
    /// How long it should be; 80 % of it pays.
    pub planned_ms: i64,
}

/// A long session that asks once afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToConfirm {
    /// Which.
    pub session_id: u32,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: i64,
}

/// The current player-day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Today {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// When the day began.
    pub starts_at_ms: i64,
    /// When it ends.
    pub ends_at_ms: i64,
    /// Focused time credited so far, without what the open session has not banked.
    pub focus_ms: i64,
    /// The goal is reached.
    pub goal_reached: bool,
    /// Energy from tasks so far; at most 60,000.
    pub task_energy_me: i64,
    /// The day already counts for the streak.
    pub active: bool,
}

/// Showing up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Streak {
    /// Days in a row.
    pub days: u32,
    /// The longest ever.
    pub longest_days: u32,
    /// All active days ever; never falls.
    pub active_days: u32,
    /// Misses that cost nothing.
    pub shields: u8,
    /// How many can be kept.
    pub shields_max: u8,
}

/// A task, with its subtasks as tasks of their own that name it as parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Task {
    /// The hero's number for it.
    pub task_id: u32,
    /// The parent of a subtask.
    pub parent_id: Option<u32>,
    /// 1 to 200 characters.
    pub title: String,
    /// What kind of work.
    pub category: Category,
    /// How important.
    pub priority: Priority,
    /// 0 is "no estimate".
    pub estimate_minutes: u16,
    /// `YYYY-MM-DD`.
    pub due_on: Option<String>,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// For a recurring task: its latest date until today (`YYYY-MM-DD`), nothing if that is over a week ago.
    pub occurrence_on: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was done, for a task that is; for a recurring one, when that date was.
    pub done_at_ms: Option<i64>,
    /// Focus linked to it so far.
    pub focus_ms: i64,
    /// What finishing it would pay today; 500 at most within 60 s of its creation, whatever this says.
    pub reward_me: i64,
}

/// An unlocked achievement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Unlocked {
    /// Catalogue id.
    pub achievement_id: String,
    /// When.
    pub at_ms: i64,
}

/// Totals and the last 30 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Statistics {
    /// Focused time ever.
    pub focus_ms: i64,
    /// Sessions ended (not discarded).
    pub sessions: u32,
    /// Tasks done.
    pub tasks_done: u32,
    /// Returns after an interruption.
    pub comebacks: u32,
    /// Focused minutes by category: creative, analytical, physical, learning, none.
    pub focus_minutes_by_category: [u32; 5],
    /// The last 30 player-days, oldest first and today last, days without anything left out.
    pub days: Vec<DayTotal>,
}

/// One player-day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DayTotal {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Focused time.
    pub focus_ms: i64,
    /// Energy earned.
    pub energy_me: i64,
    /// Tasks done.
    pub tasks_done: u16,
}
