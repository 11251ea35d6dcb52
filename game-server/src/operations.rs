//! What the running server tells its operators: the answers of the operators' listener, and the numbers that are
//! looked up rather than counted.

use std::sync::Arc;
use std::time::Duration;

use admin_http::{JournalOverview, Operations, Overview, SimulationOverview};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::{Readiness, ReadinessState};
use crate::node::Node;

/// The operators' view of one server.
#[derive(Debug)]
pub struct NodeOperations {
    node: Arc<Node>,
    readiness: Arc<Readiness>,
    started_at_ms: i64,
}

impl NodeOperations {
    /// Of a server that starts now.
    pub fn new(node: Arc<Node>, readiness: Arc<Readiness>) -> NodeOperations {
        let started_at_ms = node.clock.now_ms();
        NodeOperations { node, readiness, started_at_ms }
    }

    /// Looks up the numbers that nobody counts as they happen.
    pub fn observe(&self) {
        let metrics = &self.node.metrics;
        let stats = self.node.journal.stats();
        metrics.journal_queue_events.set(stats.queue_events);
        metrics.journal_queue_bytes.set(stats.queue_bytes);
        metrics.journal_oldest_age_seconds.set_duration(stats.oldest_age);
        metrics.journal_read_only.set(i64::from(stats.is_read_only));
        metrics.lease_age_seconds.set_duration(self.node.standing.age());
    }

    /// What must happen every [`crate::metrics::UPKEEP_EVERY`], scraped or not.
    pub fn upkeep(&self) {
        self.observe();
        let metrics = &self.node.metrics;
        metrics.run_upkeep();
        self.node
            .cache
            .set_presence(whole(metrics.connections_open.get()), whole(metrics.heroes_in_memory.get()));
    }

    /// The metrics listener's routes.
    pub fn metrics_router(self: Arc<Self>) -> Router {
        Router::new().route("/metrics", get(show_metrics)).with_state(self)
    }
}

async fn show_metrics(State(operations): State<Arc<NodeOperations>>) -> impl IntoResponse {
    operations.observe();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, operations.node.metrics.render())
}

impl Operations for NodeOperations {
    fn overview(&self) -> Overview {
        let stats = self.node.journal.stats();
        let (node, metrics) = (&self.node, &self.node.metrics);
        let readiness = match self.readiness.get() {
            ReadinessState::Starting => "starting",
            ReadinessState::Ready => "ready",
            ReadinessState::Draining => "draining",
        };
        Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at_ms: self.started_at_ms,
            uptime_ms: node.clock.now_ms() - self.started_at_ms,
            readiness: readiness.to_owned(),
            connections_open: whole(metrics.connections_open.get()),
            heroes_in_memory: whole(metrics.heroes_in_memory.get()),
            simulation: SimulationOverview {
                shards: node.config.shards as u64,
                tick_hz: node.config.tick_hz,
                ticks: metrics.tick_seconds.count(),
                tick_overruns: metrics.tick_overruns_total.get(),
            },
            journal: JournalOverview {
                queue_events: stats.queue_events,
                queue_bytes: stats.queue_bytes,
                oldest_age_ms: u64::try_from(stats.oldest_age.as_millis()).unwrap_or(u64::MAX),
                read_only: stats.is_read_only,
            },
        }
    }
}

/// A gauge as a count.
fn whole(value: f64) -> u64 {
    // Through a duration, because it rounds and refuses what is negative or no number.
    Duration::try_from_secs_f64(value).map_or(0, |seconds| (seconds + Duration::from_millis(500)).as_secs())
}
