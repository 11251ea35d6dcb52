//! How this server is. Nothing here asks the database, so it answers while that is away.

use std::time::Duration;

use admin_http::views::{HistoryPoint, JournalOverview, Overview, SimulationOverview, Span};
use persistence::writer::QUEUE_EVENTS_MAX;
use tokio::time::Instant;

use super::{NodeOperations, whole};
use crate::http::ReadinessState;

pub(super) fn overview(operations: &NodeOperations) -> Overview {
    let node = &operations.node;
    let metrics = &node.metrics;
    let readiness = match operations.readiness.get() {
        ReadinessState::Starting => "starting",
        ReadinessState::Ready => "ready",
        ReadinessState::Draining => "draining",
    };
    let now_ms = node.clock.now_ms();
    let history = operations.history();
    let (tick_p99_ms, ack_p99_ms) =
        history.minute_p99_ms(&metrics.tick_seconds.counts(), &metrics.command_ack_seconds.counts());
    let usage = &history.last().usage;
    Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node_name: operations.name.clone(),
        now_ms,
        started_at_ms: operations.started_at_ms,
        uptime_ms: now_ms - operations.started_at_ms,
        readiness: readiness.to_owned(),
        connections_open: whole(metrics.connections_open.get()),
        connections_max: node.config.connections_max as u64,
        heroes_in_memory: whole(metrics.heroes_in_memory.get()),
        focus_sessions_open: whole(metrics.focus_sessions_open.get()),
        energy_hour_me: history.energy_hour_me(Instant::now(), metrics.energy_generated_me_total.get()),
        tasks_completed: metrics.tasks_completed_total.get(),
        modules_assembled: metrics.modules_assembled_total.get(),
        simulation: simulation(operations, tick_p99_ms),
        journal: journal(operations),
        ack_p99_ms,
        cpu_permille: history.last_point().map_or(0, |point| point.cpu_permille),
        cores: u32::try_from(whole(usage.cores.ceil())).unwrap_or(u32::MAX).max(1),
        memory_bytes: usage.process_memory_bytes,
        memory_limit_bytes: usage.memory_limit_bytes,
        redis_up: node.config.redis.is_some().then(|| metrics.redis_up.get() > 0.0),
    }
}

fn simulation(operations: &NodeOperations, tick_p99_ms: Option<f64>) -> SimulationOverview {
    let node = &operations.node;
    let tick = Duration::from_secs(1) / node.config.tick_hz;
    SimulationOverview {
        shards: node.config.shards as u64,
        tick_hz: node.config.tick_hz,
        ticks: node.metrics.tick_seconds.count(),
        tick_overruns: node.metrics.tick_overruns_total.get(),
        tick_p99_ms,
        tick_budget_ms: tick.as_secs_f64() * 1_000.0,
    }
}

fn journal(operations: &NodeOperations) -> JournalOverview {
    let stats = operations.node.journal.stats();
    JournalOverview {
        queue_events: stats.queue_events,
        queue_events_max: QUEUE_EVENTS_MAX as u64,
        queue_bytes: stats.queue_bytes,
        oldest_age_ms: u64::try_from(stats.oldest_age.as_millis()).unwrap_or(u64::MAX),
        read_only: stats.is_read_only,
    }
}

pub(super) fn history(operations: &NodeOperations, span: Span) -> Vec<HistoryPoint> {
    operations.history().points(span)
}
