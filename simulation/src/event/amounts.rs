//! What events carry: amounts, and where they come from.

use serde::{Deserialize, Serialize};

use crate::hero::Meter;

/// Why a bonus was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bonus {
    /// Two minutes of focus.
    Ignition,
    /// The plan is fulfilled, or flowtime was ended by the player.
    Completion,
    /// Back within 15 minutes of an interruption.
    Comeback,
    /// The daily goal.
    DailyGoal,
    /// Back after a week away.
    WelcomeBack,
}

/// What moves from a session into the wallet, the day and the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Energy earned.
    pub energy_me: i64,
    /// Dopamine earned.
    pub dopamine_md: i64,
    /// Focused time for the day and the totals.
    pub focus_ms: i64,
    /// The part of it that belongs to the day at hand.
    pub day_focus_ms: i64,
    /// Focus for the linked task, if there is one.
    pub task_id: Option<u32>,
    /// See `task_id`.
    pub task_focus_ms: i64,
}

/// Focus of an offline session in one player-day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflinePart {
    /// Which day.
    pub day_no: i32,
    /// Focused time.
    pub focus_ms: i64,
    /// Energy earned.
    pub energy_me: i64,
    /// Dopamine earned.
    pub dopamine_md: i64,
}

/// A pomodoro round that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundBegins {
    /// Which, from 1.
    pub round: u8,
    /// Focused time at which it is fulfilled.
    pub target_ms: i64,
}

/// What an open session earned until the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCredit {
    /// What moves.
    pub credit: Credit,
    /// Accrual at the end of the day, with nothing of the new day yet.
    pub meter: Meter,
}
