//! What a client sends. One enum; each variant says what answers it.

use serde::{Deserialize, Serialize};

use crate::types::{Cable, Category, FocusMode, Priority, Recurrence};

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first frame of a socket, within 3 s. Answered by `welcome`, or by close 4001.
    Hello(Hello),
    /// Something the player wants. Answered by `durable`, `rejected` or `duplicate`.
    Command(CommandFrame),
    /// Keep-alive and clock measurement. Answered by `pong`.
    Ping(Ping),
}

/// Opens a session on a fresh socket, or resumes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Single-use, from `POST /v1/ws-ticket`, at most 30 s old.
    pub ticket: String,
    /// Names this device's command stream: drawn once per device at random, 1 to 2^53 − 1, and kept.
    pub stream_id: u64,
    /// The last event the client has seen, or nothing for a full snapshot.
    #[serde(default)]
    #[cfg_attr(test, ts(optional = nullable))]
    pub last_seq: Option<u64>,
    /// Name and version of the client, for the operator; at most 64 characters.
    pub client: String,
    /// IANA zone of the device, used only to give a new hero its first zone.
    #[serde(default)]
    #[cfg_attr(test, ts(optional = nullable))]
    pub time_zone: Option<String>,
}

/// A command with its place in the device's stream, which makes it happen exactly once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CommandFrame {
    /// 1 for the first command of a stream; the server takes the last applied number + 1 and no other.
    pub cmd_seq: u64,
    /// What the player wants.
    pub body: Command,
}

/// Client time, echoed by `pong`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// Any number of the client's choice, 0 to 2^53 − 1; usually its monotonic clock in ms.
    pub client_ms: u64,
}

/// What a player can want. Ids are the hero's own small numbers: a command never reaches another hero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
        #[cfg_attr(test, ts(optional = nullable))]
        task_id: Option<u32>,
    },
    /// Sets what the open session is for; asked after the start, never before.
    DescribeFocus {
        /// The task it is for.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        task_id: Option<u32>,
        /// Free words, at most 200 characters.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
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
        #[cfg_attr(test, ts(optional = nullable))]
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
        #[cfg_attr(test, ts(optional = nullable))]
        due_on: Option<String>,
        /// Repeats by date; only for a task without a parent.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        recurrence: Option<Recurrence>,
        /// Makes it a subtask (one level, 20 at most).
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
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
        #[cfg_attr(test, ts(optional = nullable))]
        due_on: Option<String>,
        /// See `create_task`.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        recurrence: Option<Recurrence>,
    },
    /// Done. Paid once per occurrence, whatever is undone and done again.
    CompleteTask {
        /// Which.
        task_id: u32,
        /// The occurrence's date for a recurring task (`YYYY-MM-DD`), else nothing.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        occurrence_on: Option<String>,
    },
    /// Not done after all; the reward stays.
    ReopenTask {
        /// Which.
        task_id: u32,
        /// As in `complete_task`.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
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

    // ── assembly and modules ──
    /// Pays for a module and starts to build it.
    AssembleModule {
        /// A catalogue id such as `gen_pulse`.
        module_id: String,
    },
    /// Reserves a blueprint to pay for in instalments.
    PinBlueprint {
        /// A catalogue id.
        module_id: String,
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
        module_id: String,
    },
    /// Sells a module that is not in the rack.
    SellModule {
        /// An owned module.
        module_id: String,
    },

    // ── rack ──
    /// Puts an owned module on a free cell, or moves it there; its cables that no longer reach are unplugged.
    PlaceModule {
        /// An owned module.
        module_id: String,
        /// Row-major index, 0 at the top left.
        cell: u8,
    },
    /// Takes a module off the grid together with its cables.
    RemoveModule {
        /// A placed module.
        module_id: String,
    },
    /// Plugs a module's output into another module's input, or into the core. Replaces the output's old cable.
    ConnectCable(Cable),
    /// Unplugs a module's output.
    DisconnectCable {
        /// The module whose output it is.
        from: String,
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
        cosmetic_id: String,
    },
    /// Wears an owned cosmetic.
    EquipCosmetic {
        /// An owned cosmetic.
        cosmetic_id: String,
    },
}

/// The answer to "still you?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
