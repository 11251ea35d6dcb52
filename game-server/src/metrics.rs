//! Every number the server shows to Prometheus, each declared once.
//!
//! To add one, add one entry to the table below, set it where the thing happens, and run the tests with `UPDATE=1`:
//! `docs/metrics.md` is generated from the table. Names carry their base unit (`_seconds`, `_bytes`, `_me`), counters end
//! in `_total`, labels come from closed sets and are never ids.
//!
//! There is no global recorder: [`Metrics`] owns its numbers, so that two servers in one process do not add up.

mod instrument;
mod label;
mod spread;

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

pub use instrument::{
    AssemblySeconds, Bounds, Counter, CounterBy, EventCounts, Fast, Gauge, Histogram, HistogramBy,
    Instrument, Kind, Registry, Seconds, SessionSeconds,
};
pub use label::{
    CommandKind, CommandOutcome, Label, LabelSet, RedisCall, RedisOutcome, RejectionCode, Route, StatusClass,
};
pub use spread::Counts;

/// How often the histograms are tidied; without it samples pile up between scrapes.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How often the database is asked how many connections it has.
pub const CONNECTIONS_EVERY: Duration = Duration::from_secs(30);

/// One metric as it was declared.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What it can do.
    pub kind: Kind,
    /// Its labels and their values.
    pub labels: fn() -> Vec<(&'static str, Vec<&'static str>)>,
    /// What it means.
    pub help: &'static str,
}

macro_rules! declare {
    ($($name:ident: $type:ty, $help:literal;)*) => {
        /// The numbers of one server. Cheap to set: every handle is made at start.
        #[derive(Debug)]
        pub struct Metrics {
            $(#[doc = $help] pub $name: $type,)*
            handle: PrometheusHandle,
        }

        /// Every metric, in the order of `docs/metrics.md`.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: stringify!($name),
            kind: <$type as Instrument>::KIND,
            labels: <$type as Instrument>::labels,
            help: $help,
        },)*];

        impl Metrics {
            fn register(registry: &Registry, handle: PrometheusHandle) -> Metrics {
                Metrics { $($name: <$type as Instrument>::register(registry, stringify!($name), $help),)* handle }
            }

            fn bounds(builder: PrometheusBuilder) -> PrometheusBuilder {
                $(let builder = <$type as Instrument>::bounds(builder, stringify!($name));)*
                builder
            }
        }
    };
}

declare! {
    ready: Gauge, "1 while the server takes players, 0 while it starts or drains.";
    connections_open: Gauge, "Player sockets that are open.";
    connections_unauthenticated: Gauge, "Player sockets that have not said yet who they are.";
    connections_refused_total: Counter, "Sockets refused before the upgrade because there was no room, and silent ones that had to make it.";
    slow_clients_closed_total: Counter, "Sockets closed because they did not read what was sent.";
    rejected_total: CounterBy<RejectionCode>, "Frames that were refused; `rules` stands for every refusal by the game's rules.";
    heroes_in_memory: Gauge, "Heroes that shards hold.";
    focus_sessions_open: Gauge, "Focus sessions that run or pause.";
    energy_generated_me_total: Counter, "Milli-energy credited to players.";
    focus_session_seconds: Histogram<SessionSeconds>, "Focused time of a session when it ended, pauses not counted.";
    tasks_completed_total: Counter, "Tasks and occurrences done for the first time.";
    modules_assembled_total: Counter, "Modules that players built; those that a hero begins with are not counted.";
    module_assembly_seconds: Histogram<AssemblySeconds>, "From the start of a module's assembly to its end, counted when it reaches the read models.";
    commands_total: CounterBy<CommandOutcome>, "Commands by what became of them.";
    command_seconds: HistogramBy<CommandKind, Fast>, "How long the rules and the handing over to the journal took for one command, refused ones too.";
    command_ack_seconds: Histogram<Seconds>, "From a command's arrival to its durable answer.";
    tick_seconds: Histogram<Fast>, "How long one tick of one shard took.";
    tick_overruns_total: Counter, "Ticks that took longer than their period.";
    shard_inbox_requests: Gauge, "Requests that wait for the shard with the fullest inbox; at 8192 clients are told `busy`.";
    outbox_bytes: Gauge, "Bytes that wait for players' sockets, all of them together.";
    outbox_fullest_frames: Gauge, "Frames that wait for the slowest socket; at 256 it is closed.";
    hero_load_seconds: Histogram<Seconds>, "How long a hero took from the store into memory, waiting for another node included.";
    hero_load_failures_total: Counter, "Loads that failed: the store is away, the hero is held elsewhere for too long, erased or damaged.";
    journal_flush_seconds: Histogram<Seconds>, "How long one flush took, to the disk and back.";
    journal_wait_seconds: Histogram<Seconds>, "How long the oldest event of a flush had waited when the flush began.";
    journal_bytes_total: Counter, "Bytes that became durable.";
    journal_batch_events: Histogram<EventCounts>, "Events in one flush.";
    journal_queue_events: Gauge, "Events that wait for a flush or are in one.";
    journal_queue_bytes: Gauge, "Bytes that wait for a flush or are in one.";
    journal_oldest_age_seconds: Gauge, "How long the oldest event has been waiting; above 5 s the server is read-only.";
    journal_read_only: Gauge, "1 while durable commands are refused because the store is away.";
    journal_retries_total: Counter, "Flushes that had to be sent again.";
    fences_total: Counter, "Heroes dropped because another owner has them.";
    heroes_quarantined_total: Counter, "Heroes set aside because the store refused their events; an operator must look.";
    heroes_followed: Gauge, "Heroes of other nodes that are followed because a device of their player is here.";
    hand_overs_total: Counter, "Heroes given to a node that asked for them.";
    hand_over_seconds: Histogram<Seconds>, "How long a hero that another node held was waited for; a dead node's takes its lease of 15 s.";
    lease_age_seconds: Gauge, "How long ago this node last renewed its lease; above 10 s it answers for no hero. 0 where the store is its own.";
    lease_gaps_total: Counter, "How often the lease was in doubt, so that every hero was looked up again.";
    snapshots_total: Counter, "Snapshots written.";
    snapshot_seconds: Histogram<Seconds>, "How long one write of snapshots took.";
    snapshots_refused_total: Counter, "Writes of snapshots that the store refused; the events are there, loads take longer.";
    read_models_lag_heroes: Gauge, "Heroes whose events are not all in the read models yet; also those that cannot be read.";
    read_models_events_total: Counter, "Events brought into the read models.";
    outages_detected_total: Counter, "Stretches of an hour or more in which players could not save, found afterwards.";
    redis_up: Gauge, "1 while Redis is connected and answers; 0 also when there is none.";
    redis_away_total: Counter, "Times that Redis was given up, and later looks that found it still away.";
    redis_calls_total: CounterBy<(RedisCall, RedisOutcome)>, "Calls of Redis by how they ended; `away` and `full` were not sent, the last three were not believed.";
    redis_call_seconds: Histogram<Seconds>, "How long one call of Redis took; after 0.05 s it is given up.";
    redis_refusals_total: Counter, "Requests that this server would have answered and the count over all servers refused.";
    guests_created_total: Counter, "Guests made.";
    tickets_issued_total: Counter, "Socket tickets issued.";
    http_connections_open: Gauge, "TCP connections on the players' listener, sockets of players not counted.";
    http_accept_errors_total: Counter, "Failures to accept a TCP connection, such as no free file descriptor.";
    http_requests_total: CounterBy<(Route, StatusClass)>, "HTTP requests by route and class of status.";
    http_request_seconds: HistogramBy<Route, Seconds>, "How long one HTTP request took until its answer began, by route.";
    database_connections_busy: Gauge, "Connections to Postgres on loan to calls of this server; 0 with SQLite.";
    database_connections_max: Gauge, "Most connections that this server opens to Postgres; 0 with SQLite.";
    postgres_connections_open: Gauge, "Connections of everybody to this Postgres, looked up every 30 s; 0 with SQLite and while it does not answer.";
    postgres_connections_max: Gauge, "Most connections that this Postgres gives to programs; 0 with SQLite and while it does not answer.";
    process_cpu_seconds_total: Counter, "CPU time of this process, in whole seconds: a rate over 5 min is off by less than 0.01 cores.";
    process_resident_memory_bytes: Gauge, "Memory of this process that is in RAM.";
    process_open_fds: Gauge, "File descriptors that this process has open; each socket is one.";
    process_max_fds: Gauge, "File descriptors that it may open.";
    process_start_time_seconds: Gauge, "When it started, in seconds since 1970.";
    machine_cpu_cores: Gauge, "Cores that this process may use: the container's limit, or the machine's cores.";
    machine_cpu_seconds_total: Counter, "CPU time used by everything in the container if it has a limit of CPU, else in the machine, in whole seconds.";
    machine_cpu_throttled_seconds_total: Counter, "Time for which the container was held back by its limit of CPU, in whole seconds.";
    machine_memory_used_bytes: Gauge, "Memory used, without what the system can take back, by the container if it has a limit of memory, else in the machine.";
    machine_memory_limit_bytes: Gauge, "The container's limit of memory, or the machine's memory.";
    data_disk_bytes: Gauge, "Size of the file system that holds the SQLite file; 0 with Postgres, whose machine must be watched itself.";
    data_disk_free_bytes: Gauge, "What is free of it for this process.";
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let recorder = Metrics::bounds(PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        Metrics::register(&Registry(recorder), handle)
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Tidies histograms; see [`UPKEEP_EVERY`].
    pub fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests;
