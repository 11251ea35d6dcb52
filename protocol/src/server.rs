//! What the server sends. One enum; each variant says what caused it.

use serde::{Deserialize, Serialize};

use crate::types::{Hero, HeroPatch, Progress};

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answers `hello`.
    Welcome(Box<Welcome>),
    /// The command is applied and on disk: the only success.
    Durable(CommandResult),
    /// The command had been applied before; this is its stored answer.
    Duplicate(CommandResult),
    /// The frame was refused and certainly not applied.
    Rejected(Rejected),
    /// Durable facts of the hero and what they changed, to every device of the hero.
    Events(Box<Events>),
    /// Where the running session stands. Volatile: only the latest counts.
    Progress(Progress),
    /// Answers `ping`.
    Pong(Pong),
    /// How the service is: whether it can store anything, which catalogue is in force, what its operators say.
    Status(Status),
    /// The server is about to close this socket on purpose.
    GoingAway(GoingAway),
}

/// Opens the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Welcome {
    /// Names this socket in the operator's logs.
    pub connection_id: String,
    /// The hero's last event that is contained in `state`.
    pub seq: u64,
    /// How far this stream was applied: repeat what lies above, in order.
    pub cmd_seq_applied: u64,
    /// The hero, or what is new since `last_seq`.
    pub state: WelcomeState,
    /// Which catalogue is in force, see `GET /v1/catalogue`.
    pub catalogue_version: u32,
    /// Server time when the frame was made.
    pub server_now_ms: i64,
    /// How often the simulation ticks.
    pub tick_hz: u32,
    /// Whether durable commands are refused for the moment.
    pub read_only: bool,
    /// Another device of this hero is connected too.
    pub other_devices: u32,
}

/// Either a full hero or just the difference; the server says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WelcomeState {
    /// Replace everything.
    Snapshot(Box<Hero>),
    /// Nothing but these events happened since `last_seq`.
    Events(Box<Events>),
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CommandResult {
    /// The command.
    pub cmd_seq: u64,
    /// The event that it caused first.
    pub seq: u64,
    /// The id of what it made (task, session, job), if it made something.
    pub created_id: Option<u32>,
}

/// Why something was refused and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rejected {
    /// The command, or nothing if the frame was not one.
    pub cmd_seq: Option<u64>,
    /// From the list in `docs/protocol.md`; a client branches on this.
    pub code: String,
    /// What to do, in plain words for a developer or a player.
    pub hint: String,
    /// When to try the same again, if trying again can help.
    pub retry_after_ms: Option<u32>,
}

/// Durable facts, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Events {
    /// What happened, oldest first, gap-free.
    pub events: Vec<Event>,
    /// The sections of the hero that these events touched, whole and current.
    pub patch: HeroPatch,
}

/// One line of the hero's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// Its place in the hero's journal: 1, 2, 3, …
    pub seq: u64,
    /// When it happened (not when it was noticed).
    pub at_ms: i64,
    /// From the list in `docs/protocol.md`; unknown kinds are to be ignored.
    pub kind: String,
    /// Why, for amounts: `focus`, `ignition`, `completion`, `task`, `achievement`, …
    pub cause: Option<String>,
    /// Change of the energy balance.
    pub energy_me: i64,
    /// Change of the dopamine balance.
    pub dopamine_md: i64,
    /// The module, achievement, task, preset or event it is about.
    pub subject: Option<String>,
    /// What the team says to the player about it, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub note: Option<String>,
}

/// Answers `ping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pong {
    /// Copied from the ping.
    pub client_ms: u64,
    /// Server time.
    pub server_now_ms: i64,
}

/// How the service is, whenever some of it changes. After `welcome` it comes only if there is something to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Status {
    /// While true, commands are refused with `read_only`; timers go on and are true.
    pub read_only: bool,
    /// How many other devices of this hero are connected.
    pub other_devices: u32,
    /// Which catalogue is in force: it may change while the socket is open, see `GET /v1/catalogue`.
    pub catalogue_version: u32,
    /// What the operators tell every player; nothing once it is taken back.
    pub notice: Option<Notice>,
}

/// A few words of the operators, such as when the service will be away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Notice {
    /// At most 200 characters. Plain text: show it as text, never as markup.
    pub text: String,
    /// Stop showing it then; nothing: until it is taken back.
    pub until_ms: Option<i64>,
}

/// The server is about to close this socket on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GoingAway {
    /// Come back after this long; spread by the server so that not everybody comes at once.
    pub reconnect_after_ms: u32,
}
