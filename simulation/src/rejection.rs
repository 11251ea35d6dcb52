//! Why a command was refused: expected play, data, never an error of the program. A refused command changes nothing.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::id::ModuleId;

/// Why a command was refused and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// A session is open.
    SessionOpen,
    /// No session is open.
    NoSession,
    /// The session's clock does not run.
    SessionNotRunning,
    /// The session is not paused and waits for nothing.
    SessionNotPaused,
    /// There is nothing to take a break from.
    NoBreakDue,
    /// No break runs.
    NoBreak,
    /// No session asks "still you?".
    NothingToConfirm,
    /// Too late for that.
    TooLate {
        /// What would still have been in time.
        within_ms: i64,
    },
    /// A number is outside of its limits.
    OutOfRange {
        /// Which.
        field: Field,
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// A text is empty, too long or has control characters.
    InvalidText {
        /// Which.
        field: Field,
        /// The most characters allowed.
        chars_max: i64,
    },
    /// Not a date of the form `YYYY-MM-DD`.
    InvalidDate,
    /// Not a time zone that is known.
    UnknownTimeZone,
    /// Not on a date of the task's rule, or one that is too far away.
    NoSuchOccurrence,
    /// The interval overlaps what is known, lies before the last contact or in the future.
    OfflineRefused,
    /// No such task.
    UnknownTask,
    /// A subtask of a subtask, or a recurring subtask.
    NotAParent,
    /// Already done.
    AlreadyDone,
    /// Not done.
    NotDone,
    /// A list is full.
    LimitReached {
        /// Which.
        field: Field,
        /// The most allowed.
        max: i64,
    },
    /// Not enough energy.
    NotEnoughEnergy {
        /// The price.
        needed_me: i64,
    },
    /// Not enough dopamine.
    NotEnoughDopamine {
        /// The price.
        needed_md: i64,
    },
    /// The hero's level is too low.
    LevelTooLow {
        /// The level it takes.
        needed: u16,
    },
    /// No such module in the catalogue.
    UnknownModule,
    /// The module is not owned.
    NotOwned,
    /// The module is owned or being built; there is one of each.
    AlreadyOwned,
    /// All assembly slots are busy.
    SlotFull {
        /// How many there are.
        slots: u8,
    },
    /// No such job.
    UnknownJob,
    /// Another blueprint is pinned.
    BlueprintPinned,
    /// No blueprint is pinned.
    NoBlueprint,
    /// The module has its highest level.
    LevelMax,
    /// The module lies in the rack.
    InRack,
    /// The module does not lie in the rack.
    NotInRack,
    /// A module or cable does not fit.
    RackRefused(RackReason),
    /// No such preset slot.
    UnknownSlot,
    /// The preset slot is empty.
    EmptySlot,
    /// The code is not one of a preset.
    InvalidCode,
    /// No such cosmetic.
    UnknownCosmetic,
}

/// What a rejection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields of commands and the lists of a hero, under their own names")]
pub enum Field {
    PlannedMinutes,
    Rounds,
    DurationMs,
    StartedAtMs,
    AtMs,
    Title,
    Intention,
    Name,
    EstimateMinutes,
    Recurrence,
    DayStartMinutes,
    Minutes,
    Weekdays,
    Days,
    AmountMe,
    Tasks,
    Subtasks,
    PresetSlots,
    Code,
}

/// Why the rack refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RackReason {
    /// The cell is not on the grid of this level.
    NoSuchCell,
    /// Another module lies there.
    CellTaken,
    /// The cable would be too long.
    OutOfReach,
    /// The module takes no further cable.
    InputsFull,
    /// The cable would close a loop.
    Loop,
}
