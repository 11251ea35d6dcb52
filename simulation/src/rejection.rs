//! Why a command was refused: expected play, data, never an error of the program. A refused command changes nothing.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::rack::RackError;

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
        needed: u8,
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
    /// The free starter module cannot be cancelled.
    StarterJob,
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
    /// The event was taken back before.
    AlreadyReverted,
    /// The hero was a guest's and is part of an account's hero now.
    Claimed,
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
    AmountMd,
    Reason,
    Operator,
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

impl From<RackError> for Rejection {
    fn from(error: RackError) -> Self {
        match error {
            RackError::NotOwned(_) => Self::NotOwned,
            RackError::NotPlaced(_) => Self::NotInRack,
            RackError::PlacedTwice(_) | RackError::CellTaken => Self::RackRefused(RackReason::CellTaken),
            RackError::NoSuchCell => Self::RackRefused(RackReason::NoSuchCell),
            RackError::OutOfReach { .. } => Self::RackRefused(RackReason::OutOfReach),
            RackError::InputsFull(_) | RackError::OutputTaken(_) => Self::RackRefused(RackReason::InputsFull),
            RackError::Loop(_) => Self::RackRefused(RackReason::Loop),
        }
    }
}

impl Field {
    /// Its name in commands and in the hero.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlannedMinutes => "planned_minutes",
            Self::Rounds => "rounds",
            Self::DurationMs => "duration_ms",
            Self::StartedAtMs => "started_at_ms",
            Self::AtMs => "at_ms",
            Self::Title => "title",
            Self::Intention => "intention",
            Self::Name => "name",
            Self::EstimateMinutes => "estimate_minutes",
            Self::Recurrence => "recurrence",
            Self::DayStartMinutes => "day_start_minutes",
            Self::Minutes => "minutes",
            Self::Weekdays => "weekdays",
            Self::Days => "days",
            Self::AmountMe => "amount_me",
            Self::AmountMd => "amount_md",
            Self::Reason => "reason",
            Self::Operator => "operator",
            Self::Tasks => "tasks",
            Self::Subtasks => "subtasks",
            Self::PresetSlots => "preset_slots",
            Self::Code => "code",
        }
    }
}

impl Rejection {
    /// What a client branches on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SessionOpen => "session_open",
            Self::NoSession => "no_session",
            Self::SessionNotRunning => "session_not_running",
            Self::SessionNotPaused => "session_not_paused",
            Self::NoBreakDue => "no_break_due",
            Self::NoBreak => "no_break",
            Self::NothingToConfirm => "nothing_to_confirm",
            Self::TooLate { .. } => "too_late",
            Self::OutOfRange { .. } => "out_of_range",
            Self::InvalidText { .. } => "invalid_text",
            Self::InvalidDate => "invalid_date",
            Self::UnknownTimeZone => "unknown_time_zone",
            Self::NoSuchOccurrence => "no_such_occurrence",
            Self::OfflineRefused => "offline_refused",
            Self::UnknownTask => "unknown_task",
            Self::NotAParent => "not_a_parent",
            Self::LimitReached { .. } => "limit_reached",
            Self::NotEnoughEnergy { .. } => "not_enough_energy",
            Self::NotEnoughDopamine { .. } => "not_enough_dopamine",
            Self::LevelTooLow { .. } => "level_too_low",
            Self::UnknownModule => "unknown_module",
            Self::NotOwned => "not_owned",
            Self::AlreadyOwned => "already_owned",
            Self::SlotFull { .. } => "slot_full",
            Self::UnknownJob => "unknown_job",
            Self::StarterJob => "starter_job",
            Self::BlueprintPinned => "blueprint_pinned",
            Self::NoBlueprint => "no_blueprint",
            Self::LevelMax => "level_max",
            Self::InRack => "in_rack",
            Self::NotInRack => "not_in_rack",
            Self::RackRefused(reason) => match reason {
                RackReason::NoSuchCell => "no_such_cell",
                RackReason::CellTaken => "cell_taken",
                RackReason::OutOfReach => "out_of_reach",
                RackReason::InputsFull => "inputs_full",
                RackReason::Loop => "cable_loop",
            },
            Self::UnknownSlot => "unknown_slot",
            Self::EmptySlot => "empty_slot",
            Self::InvalidCode => "invalid_code",
            Self::UnknownCosmetic => "unknown_cosmetic",
            Self::AlreadyReverted => "already_reverted",
            Self::Claimed => "claimed",
        }
    }

    /// What to do, in plain words.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::TooLate { within_ms } => {
                format!("this was possible for {} s; it is over now", within_ms / 1000)
            }
            Self::OutOfRange { field, min, max } => format!("send {} from {min} to {max}", field.name()),
            Self::InvalidText { field, chars_max } => {
                format!("send {} with 1 to {chars_max} characters and no control characters", field.name())
            }
            Self::LimitReached { field, max } => {
                format!("{} has room for {max}; remove one first", field.name())
            }
            Self::NotEnoughEnergy { needed_me } => {
                format!("it costs {}.{:03} E; earn more first", needed_me / 1000, needed_me % 1000)
            }
            Self::NotEnoughDopamine { needed_md } => {
                format!("it costs {}.{:03} D; earn more first", needed_md / 1000, needed_md % 1000)
            }
            Self::LevelTooLow { needed } => format!("it needs hero level {needed}"),
            Self::SlotFull { slots } => {
                format!("all {slots} assembly slots are busy; wait for one, finish it now or cancel it")
            }
            other => other.fixed_hint().to_string(),
        }
    }

    const fn fixed_hint(&self) -> &'static str {
        match self {
            Self::SessionOpen => "a session is open; end it first",
            Self::NoSession => "start a session first",
            Self::SessionNotRunning => "the clock is not running; resume first",
            Self::SessionNotPaused => "the clock is running; there is nothing to resume",
            Self::NoBreakDue => "a break follows a session or a pomodoro round, once",
            Self::NoBreak => "no break is running",
            Self::NothingToConfirm => "no session is waiting for an answer",
            Self::InvalidDate => "send a date as YYYY-MM-DD",
            Self::UnknownTimeZone => "send an IANA zone such as Europe/Berlin",
            Self::NoSuchOccurrence => "send a date of the task's rule within the last week",
            Self::OfflineRefused => {
                "an offline session lies after the last contact and before now, and overlaps nothing"
            }
            Self::UnknownTask => "there is no such task; it may have been removed on another device",
            Self::NotAParent => "subtasks have one level and do not recur",
            Self::UnknownModule => "send a module id of the catalogue in force",
            Self::NotOwned => "assemble the module first",
            Self::AlreadyOwned => "there is one copy of each module; this one is owned or being built",
            Self::UnknownJob => "there is no such job; it may be finished",
            Self::StarterJob => "the starter module is free; let it finish",
            Self::BlueprintPinned => "another blueprint is pinned; unpin it first",
            Self::NoBlueprint => "pin a blueprint first",
            Self::LevelMax => "the module has its highest level",
            Self::InRack => "take the module out of the rack first",
            Self::NotInRack => "place the module in the rack first",
            Self::RackRefused(reason) => match reason {
                RackReason::NoSuchCell => "the grid of this level has no such cell",
                RackReason::CellTaken => "another module lies there; move it first",
                RackReason::OutOfReach => "the cable would be too long; move the modules closer",
                RackReason::InputsFull => "all inputs are taken; unplug one first",
                RackReason::Loop => "the cable would close a loop",
            },
            Self::UnknownSlot => "there is no such preset slot at this level",
            Self::EmptySlot => "the preset slot is empty",
            Self::InvalidCode => "the code is damaged or not one of a preset",
            Self::UnknownCosmetic => "send a cosmetic id of the catalogue in force",
            Self::AlreadyReverted => "an event is taken back once",
            Self::Claimed => {
                "this hero is part of an account's hero now; get a new ticket, which leads there"
            }
            Self::TooLate { .. }
            | Self::OutOfRange { .. }
            | Self::InvalidText { .. }
            | Self::LimitReached { .. }
            | Self::NotEnoughEnergy { .. }
            | Self::NotEnoughDopamine { .. }
            | Self::LevelTooLow { .. }
            | Self::SlotFull { .. } => "",
        }
    }
}
