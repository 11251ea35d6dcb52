//! Sessions and breaks.

use serde::{Deserialize, Serialize};

use crate::command::{Category, FocusMode};
use crate::text::PlayerText;

/// Where the accrual of a session stands at one moment. Everything after it is linear until the next bracket.
///
/// Sums are kept as whole milli-units and the rest of the division, so that no product is ever rounded twice: a
/// session's total is the floor of its whole numerator whichever way its time was split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// The moment for which the rest holds.
    pub at_ms: i64,
    /// Focused time in the session.
    pub focus_ms: i64,
    /// Position on the ramp: focused time, moved back by interruptions.
    pub ramp_ms: i64,
    /// Focused time of the session in the current player-day that the day does not hold yet.
    pub day_focus_ms: i64,
    /// Energy of the session, whole.
    pub energy_me: i64,
    /// What is left of it, in 10^-12 mE; below 10^12.
    pub energy_rest: i64,
    /// Dopamine of the session, whole.
    pub dopamine_md: i64,
    /// What is left of it, in 10^-9 mD; below 10^9.
    pub dopamine_rest: i64,
}

/// Whether the clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Counting.
    Running,
    /// Stopped by the player, not yet long enough to be an interruption.
    Paused {
        /// Since when.
        since_ms: i64,
    },
    /// Stopped, and it counts as an interruption.
    Interrupted {
        /// Since when.
        since_ms: i64,
    },
    /// The plan or the round is fulfilled; time waits for an answer.
    Overtime {
        /// Since when.
        since_ms: i64,
    },
    /// In the break between two pomodoro rounds.
    Resting,
    /// That break is over and the next round has not begun.
    Waiting {
        /// Since when.
        since_ms: i64,
    },
}

/// The open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The hero's number for it.
    pub session_id: u32,
    /// Rises with every change.
    pub revision: u32,
    /// Whether the clock runs.
    pub state: SessionState,
    /// How its end is found.
    pub mode: FocusMode,
    /// What kind of work.
    pub category: Category,
    /// The task it is for.
    pub task_id: Option<u32>,
    /// Free words, at most 200 characters.
    pub intention: Option<PlayerText>,
    /// When it began.
    pub started_at_ms: i64,
    /// The player-day in which it began.
    pub started_day_no: i32,
    /// Accrual as of the last change.
    pub meter: Meter,
    /// Accrual when the player last did something, or when the day last ended: later time can be denied.
    pub acted: Meter,
    /// When a client last gave a sign of life; counts in flowtime and after "keep going".
    pub signal_ms: i64,
    /// Open-ended: flowtime, or a plan that was kept going.
    pub open_ended: bool,
    /// Focused time at which the round or the plan is fulfilled.
    pub target_ms: Option<i64>,
    /// Pomodoro round, from 1.
    pub round: u8,
    /// Energy of the session when the round began; the completion bonus is a share of what came since.
    pub round_from_me: i64,
    /// Completion bonuses of the rounds so far, paid at the end.
    pub completion_me: i64,
    /// `completion_me` when `acted` was taken.
    pub acted_completion_me: i64,
    /// Focus already credited at the ends of days.
    pub credited_focus_ms: i64,
    /// Energy already credited at the ends of days.
    pub credited_me: i64,
    /// Dopamine already credited at the ends of days.
    pub credited_md: i64,
    /// Focused time at which the link to the current task began.
    pub task_from_ms: i64,
    /// All pauses that are over.
    pub paused_ms: i64,
    /// Interruptions so far.
    pub interruptions: u16,
    /// The ignition is behind it, paid or not.
    pub ignited: bool,
    /// The day in which it began counts as active thanks to it, or did so without it.
    pub started_day_counted: bool,
    /// Energy multiplier, fixed at the start.
    pub mod_permille: i64,
    /// Dopamine in the first ten minutes, µD/s, fixed at the start.
    pub early_rate_ud_per_s: i64,
    /// Dopamine after that, µD/s, fixed at the start.
    pub rate_ud_per_s: i64,
    /// What an interruption costs on the ramp, fixed at the start.
    pub interruption_ms: i64,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// As planned, or by the player in flowtime.
    Completed,
    /// Earlier; everything is kept.
    Banked,
    /// By time, without an answer.
    Auto,
}

/// The last session that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Which.
    pub session_id: u32,
    /// When.
    pub ended_at_ms: i64,
    /// Its break was taken.
    pub break_taken: bool,
}

/// A running break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// When it began.
    pub started_at_ms: i64,
    /// How long it should be.
    pub planned_ms: i64,
}

/// A long session whose last part waits for "still you?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToConfirm {
    /// The session as it was.
    pub session: Session,
    /// When it ended.
    pub ended_at_ms: i64,
}
