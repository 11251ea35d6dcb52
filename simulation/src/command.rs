//! What a player can want: the same words as on the wire, so that a scenario file speaks both.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::catalogue::Category;
use crate::hero::Estate;
use crate::id::{CosmeticId, HeroKey, ModuleId};

/// How important a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a player can want. Ids are the hero's own small numbers: a command never reaches another hero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    // ── focus ──
    /// Opens a focus session; refused with `session_open` while one is open.
    StartFocus {
        /// How its end is found.
        mode: FocusMode,
        /// What kind of work; decides which category modules and mastery count.
        category: Category,
        /// The task it is for.
        #[serde(default)]
        task_id: Option<u32>,
    },
    /// Sets what the open session is for; asked after the start, never before.
    DescribeFocus {
        /// The task it is for.
        #[serde(default)]
        task_id: Option<u32>,
        /// Free words, at most 200 characters.
        #[serde(default)]
        intention: Option<String>,
    },
    /// Stops the clock; more than 60 s of pause counts as an interruption.
    PauseFocus,
    /// Starts the clock again.
    ResumeFocus,
    /// "Got pulled away": a pause that is an interruption from the start.
    InterruptFocus,
    /// After the planned end: the time goes on to count.
    KeepGoing,
    /// Ends the open session and keeps everything earned.
    EndFocus,
    /// Within the first 10 s: as if it had not been started.
    CancelFocus,
    /// Starts a break after a session or a pomodoro round.
    StartBreak,
    /// Ends the break early or on time.
    EndBreak,
    /// Answers "still you?" after a long session.
    ConfirmFocus(Confirmation),
    /// A session that ran without the server, measured by the device's monotonic clock.
    ReportOfflineFocus {
        /// When it began, by the client's best estimate of server time.
        started_at_ms: i64,
        /// How long it ran by the monotonic clock.
        duration_ms: i64,
        /// What kind of work.
        category: Category,
        /// The task it was for.
        #[serde(default)]
        task_id: Option<u32>,
    },

    // ── tasks ──
    /// Adds a task; the result carries its id.
    CreateTask {
        /// 1 to 200 characters.
        title: String,
        /// Self-chosen, no effect on the reward.
        category: Category,
        /// 900, 1000 or 1200 ‰ of the reward.
        priority: Priority,
        /// 0 to 480; 0 is "no estimate".
        estimate_minutes: u16,
        /// `YYYY-MM-DD` in the hero's zone.
        #[serde(default)]
        due_on: Option<String>,
        /// Repeats by date; only for a task without a parent.
        #[serde(default)]
        recurrence: Option<Recurrence>,
        /// Makes it a subtask (one level, 20 at most).
        #[serde(default)]
        parent_id: Option<u32>,
    },
    /// Replaces the editable fields of a task.
    UpdateTask {
        /// Which.
        task_id: u32,
        /// 1 to 200 characters.
        title: String,
        /// See `create_task`.
        category: Category,
        /// See `create_task`.
        priority: Priority,
        /// See `create_task`.
        estimate_minutes: u16,
        /// See `create_task`.
        #[serde(default)]
        due_on: Option<String>,
        /// See `create_task`.
        #[serde(default)]
        recurrence: Option<Recurrence>,
    },
    /// Done. Paid once per occurrence, whatever is undone and done again.
    CompleteTask {
        /// Which.
        task_id: u32,
        /// The occurrence's date for a recurring task (`YYYY-MM-DD`), else nothing.
        #[serde(default)]
        occurrence_on: Option<String>,
    },
    /// Not done after all; the reward stays.
    ReopenTask {
        /// Which.
        task_id: u32,
        /// As in `complete_task`.
        #[serde(default)]
        occurrence_on: Option<String>,
    },
    /// Removes a task and its subtasks from the list; history stays.
    DeleteTask {
        /// Which.
        task_id: u32,
    },

    // ── profile ──
    /// Names the hero, 1 to 40 characters.
    RenameHero {
        /// The new name.
        name: String,
    },
    /// Changes zone and start of day; takes effect at the end of the current player-day.
    SetTimeZone {
        /// IANA name.
        time_zone: String,
        /// 0 to 360 minutes after midnight.
        day_start_minutes: u16,
    },
    /// Minutes of focus a day that count as the goal, 5 to 240.
    SetDailyGoal {
        /// The goal.
        minutes: u16,
    },
    /// At most two weekdays that never break a streak; 1 is Monday, 7 is Sunday.
    SetRestDays {
        /// The weekdays.
        weekdays: Vec<u8>,
    },
    /// Vacation from today on, 1 to 30 days.
    StartVacation {
        /// How many player-days, today included.
        days: u8,
    },
    /// Back early.
    EndVacation,
    /// The service was away: never on the wire, sent by the server or an operator. Player-days that it touched for
    /// 60 minutes or more cost no streak.
    DeclareOutage {
        /// When it began.
        from_ms: i64,
        /// When it was over.
        until_ms: i64,
    },

    // ── assembly and modules ──
    /// Pays for a module and starts to build it.
    AssembleModule {
        /// A catalogue id such as `gen_pulse`.
        module_id: ModuleId,
    },
    /// Reserves a blueprint to pay for in instalments.
    PinBlueprint {
        /// A catalogue id.
        module_id: ModuleId,
    },
    /// Pays an instalment; at the full price the assembly starts.
    PayBlueprint {
        /// How much, at least 1.
        amount_me: i64,
    },
    /// Gives the blueprint up; everything paid comes back.
    UnpinBlueprint,
    /// Finishes a job now for dopamine.
    FinishAssembly {
        /// Which job.
        job_id: u32,
    },
    /// Cancels a job; the energy comes back.
    CancelAssembly {
        /// Which job.
        job_id: u32,
    },
    /// Raises a module by one level for dopamine.
    UpgradeModule {
        /// An owned module.
        module_id: ModuleId,
    },
    /// Sells a module that is not in the rack.
    SellModule {
        /// An owned module.
        module_id: ModuleId,
    },

    // ── rack ──
    /// Puts an owned module on a free cell, or moves it there; its cables that no longer reach are unplugged.
    PlaceModule {
        /// An owned module.
        module_id: ModuleId,
        /// Row-major index, 0 at the top left.
        cell: u8,
    },
    /// Takes a module off the grid together with its cables.
    RemoveModule {
        /// A placed module.
        module_id: ModuleId,
    },
    /// Plugs a module's output into another module's input, or into the core. Replaces the output's old cable.
    ConnectCable {
        /// The module whose output it is.
        from: ModuleId,
        /// The module whose input it is, or `core`.
        to: ModuleId,
    },
    /// Unplugs a module's output.
    DisconnectCable {
        /// The module whose output it is.
        from: ModuleId,
    },
    /// Lays out and cables everything that is owned.
    AutoPatch,
    /// Keeps the current rack under a number.
    SavePreset {
        /// 0 to the number of preset slots − 1.
        slot: u8,
        /// 1 to 40 characters.
        name: String,
        /// What it is meant for.
        category: Category,
    },
    /// Makes a preset the rack, at once or after the open session.
    LoadPreset {
        /// Which slot.
        slot: u8,
    },
    /// Empties a slot.
    DeletePreset {
        /// Which slot.
        slot: u8,
    },
    /// Keeps a rack that somebody shared as a short code.
    ImportPreset {
        /// Which slot.
        slot: u8,
        /// The code, at most 512 characters.
        code: String,
    },
    /// Buys one more preset slot for dopamine.
    BuyPresetSlot,
    /// Buys a skin or cable colour for dopamine.
    BuyCosmetic {
        /// A catalogue id.
        cosmetic_id: CosmeticId,
    },
    /// Wears an owned cosmetic.
    EquipCosmetic {
        /// An owned cosmetic.
        cosmetic_id: CosmeticId,
    },

    // ── operators ──
    /// The team changes the balances: never on the wire. Neither may fall below nothing. A second time with the same
    /// row of the audit log it is true already.
    CorrectBalance {
        /// What comes, or goes if it is negative.
        energy_me: i64,
        /// What comes, or goes if it is negative.
        dopamine_md: i64,
        /// Who does it.
        operator: String,
        /// The row of the audit log that says so.
        audit_seq: u64,
        /// Why: 1 to 200 characters, which the player reads.
        reason: String,
        /// The event that it takes back, each at most once.
        #[serde(default)]
        reverts: Option<u64>,
    },

    // ── guests ──
    /// A guest's hero becomes part of another one and ends: never on the wire. Whatever runs is ended and credited
    /// first; afterwards every command is refused with `claimed`.
    HandOver {
        /// Whose part it becomes.
        into: HeroKey,
    },
    /// Takes in what a guest's hero leaves: never on the wire. A second time it is true already.
    UniteGuest {
        /// What it leaves.
        estate: Estate,
    },
}

/// The answer to "still you?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Confirmation {
    /// All of it was work.
    Yes,
    /// Only until then.
    Until {
        /// A moment inside the session.
        at_ms: i64,
    },
    /// None of it.
    Discard,
}
