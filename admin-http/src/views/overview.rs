//! How a server is, and how it was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a server is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Overview {
    /// The program's version.
    pub version: String,
    /// What this server is called.
    pub node_name: String,
    /// Now.
    pub now_ms: i64,
    /// When it started.
    pub started_at_ms: i64,
    /// How long it has been running.
    pub uptime_ms: i64,
    /// `starting`, `ready` or `draining`.
    pub readiness: String,
    /// Player sockets that are open.
    pub connections_open: u64,
    /// Most sockets at once.
    pub connections_max: u64,
    /// Heroes that shards hold.
    pub heroes_in_memory: u64,
    /// Focus sessions that run or pause.
    pub focus_sessions_open: u64,
    /// Energy that players got in the last 60 minutes (since the start, if that is less).
    pub energy_hour_me: u64,
    /// Tasks done since the start.
    pub tasks_completed: u64,
    /// Modules assembled since the start.
    pub modules_assembled: u64,
    /// The simulation.
    pub simulation: SimulationOverview,
    /// The journal writer.
    pub journal: JournalOverview,
    /// Acknowledgements of the last minute, 99th percentile; nothing when there were none.
    pub ack_p99_ms: Option<f64>,
    /// CPU of this process, in thousandths of one core, over the last 5 s.
    pub cpu_permille: u32,
    /// Cores that it may use.
    pub cores: u32,
    /// Resident memory of this process.
    pub memory_bytes: u64,
    /// Memory that it may use: the container's limit or the machine's.
    pub memory_limit_bytes: u64,
    /// Whether Redis answers; nothing when there is none.
    pub redis_up: Option<bool>,
}

/// How the simulation is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SimulationOverview {
    /// Threads that simulate.
    pub shards: u64,
    /// Ticks a second that each should make.
    pub tick_hz: u32,
    /// Ticks of all shards since the start.
    pub ticks: u64,
    /// Ticks that took longer than their period.
    pub tick_overruns: u64,
    /// A tick of the last minute, 99th percentile.
    pub tick_p99_ms: Option<f64>,
    /// What it may take.
    pub tick_budget_ms: f64,
}

/// How the journal writer is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct JournalOverview {
    /// Events that are not durable yet.
    pub queue_events: u64,
    /// Most of them.
    pub queue_events_max: u64,
    /// Their bytes.
    pub queue_bytes: u64,
    /// How long the oldest of them has been waiting.
    pub oldest_age_ms: u64,
    /// Whether durable commands are refused because the store is away.
    pub read_only: bool,
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The last hour, a point every 5 s.
    Hour,
    /// The last day, a point every 2 min.
    Day,
}

/// How a server was at a moment. Rates and percentiles are of the time since the point before.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryPoint {
    /// When.
    pub at_ms: i64,
    /// Player sockets.
    pub connections_open: u64,
    /// Heroes in memory.
    pub heroes_in_memory: u64,
    /// Focus sessions.
    pub focus_sessions_open: u64,
    /// Energy given out, as if for an hour.
    pub energy_per_hour_me: u64,
    /// Tasks done, as if for an hour.
    pub tasks_per_hour: f64,
    /// Modules assembled, as if for an hour.
    pub modules_per_hour: f64,
    /// Tick, 99th percentile.
    pub tick_p99_ms: Option<f64>,
    /// Acknowledgement, 99th percentile.
    pub ack_p99_ms: Option<f64>,
    /// The oldest event that is not durable.
    pub journal_oldest_age_ms: u64,
    /// Events that are not durable.
    pub journal_queue_events: u64,
    /// CPU in thousandths of one core.
    pub cpu_permille: u32,
    /// Resident memory.
    pub memory_bytes: u64,
}
