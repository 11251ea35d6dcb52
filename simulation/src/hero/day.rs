//! Player-days and the streak.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// A zone and the start of the day in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// IANA name.
    pub time_zone: String,
    /// 0 to 360 minutes after midnight.
    pub day_start_minutes: u16,
}

/// A player-day and its bounds in UTC, which never change once it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayBounds {
    /// Days since 1970-01-01 of its date.
    pub day_no: i32,
    /// Its first moment.
    pub start_ms: i64,
    /// The first moment of the next day.
    pub end_ms: i64,
}

/// What a player-day was for the streak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Nothing happened and nothing excused it.
    #[default]
    Idle,
    /// A rest weekday, vacation, or a number that a change of zone skipped.
    Rest,
    /// The service was away.
    Outage,
    /// At least five minutes of focus.
    Active,
}

/// Where the streak stands between two days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreakChain {
    /// Days in a row.
    pub days: u16,
    /// Misses that cost nothing.
    pub shields: u8,
    /// Active days towards the next shield.
    pub toward_shield: u8,
}

/// A player-day that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRecord {
    /// Days since 1970-01-01 of its date.
    pub day_no: i32,
    /// Its first moment, in minutes since 1970; its end is the next day's.
    pub start_minute: u32,
    /// Focused time.
    pub focus_ms: u32,
    /// Energy earned.
    pub energy_me: u32,
    /// Tasks done.
    pub tasks_done: u16,
    /// Accepted offline focus, in whole minutes rounded up.
    pub offline_minutes: u16,
    /// The streak before this day.
    pub before: StreakChain,
    /// Shields that came from elsewhere in this day.
    pub shields_given: u8,
    /// What it was.
    pub kind: DayKind,
}

impl DayRecord {
    /// Its first moment.
    #[must_use]
    pub fn start_ms(&self) -> i64 {
        i64::from(self.start_minute) * 60_000
    }
}

/// The current player-day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Today {
    /// Which, from when to when.
    pub bounds: DayBounds,
    /// Focused time credited.
    pub focus_ms: i64,
    /// Energy earned.
    pub energy_me: i64,
    /// Energy earned by tasks; limited.
    pub task_energy_me: i64,
    /// Accepted offline focus; limited.
    pub offline_ms: i64,
    /// Tasks done.
    pub tasks_done: u16,
    /// Paid ignitions; limited.
    pub ignitions: u8,
    /// Paid returns after an interruption; limited.
    pub comebacks: u8,
    /// Paid breaks; limited.
    pub breaks: u8,
    /// The daily goal was paid.
    pub goal_reached: bool,
    /// It counts for the streak.
    pub active: bool,
    /// The service was away for an hour of it.
    pub outage: bool,
    /// The streak before this day.
    pub before: StreakChain,
    /// Shields that came from elsewhere in this day.
    pub shields_given: u8,
}

/// Showing up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreakState {
    /// Now.
    pub chain: StreakChain,
    /// The longest ever.
    pub longest_days: u16,
    /// All active days ever.
    pub active_days: u32,
    /// The last active day.
    pub last_active_day: Option<i32>,
    /// The last day that was paid as a return.
    pub last_welcome_day: Option<i32>,
    /// The shield of `spc_memory` was given.
    pub memory_shield_given: bool,
}
