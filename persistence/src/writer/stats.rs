//! What the writer tells about itself. The server turns it into metrics and log lines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Fence;
use crate::record::{Epoch, HeroId, Seq, SnapshotRecord};

/// Something that happened in the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterFact {
    /// A flush is durable: all of it, or what was left when fenced and refused heroes were taken out.
    Flushed {
        /// Events in it.
        events_count: usize,
        /// Bytes in it.
        bytes: usize,
        /// Each hero that has new events, who wrote them, and the last one that is durable. A hero occurs once.
        advanced: Vec<(HeroId, Epoch, Seq)>,
        /// How long its oldest event had waited when it started.
        waited: Duration,
        /// From the first call of the store to the answer that settled it.
        took: Duration,
    },
    /// A call of the store failed and will be repeated.
    Retried {
        /// What the store said.
        what: String,
        /// When, from now.
        after: Duration,
    },
    /// Heroes were fenced.
    Fenced(Vec<Fence>),
    /// A hero was quarantined because the store refused its data.
    Poisoned {
        /// Which hero.
        hero: HeroId,
        /// What the store said.
        what: String,
    },
    /// Read-only began or ended.
    ReadOnly(bool),
    /// Snapshots were written.
    SnapshotsWritten {
        /// Those that were kept.
        kept: Vec<SnapshotRecord>,
        /// How many came from a former owner.
        stale_count: usize,
        /// How long it took.
        took: Duration,
    },
    /// The store refused snapshots; they are dropped, the events are there.
    SnapshotsRefused {
        /// What the store said.
        what: String,
    },
}

/// Where the queue stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct WriterStats {
    /// Events reserved, waiting or in flight.
    pub queue_events: u64,
    /// Bytes reserved, waiting or in flight.
    pub queue_bytes: u64,
    /// How long the oldest event has waited; zero when none does.
    pub oldest_age: Duration,
    /// Whether durable commands are refused.
    pub is_read_only: bool,
}

/// No event waits.
const NONE_US: u64 = u64::MAX;

/// What the writer leaves for whoever asks.
#[derive(Debug)]
pub(super) struct Gauges {
    started: Instant,
    oldest_us: AtomicU64,
}

impl Gauges {
    pub(super) fn new(started: Instant) -> Self {
        Self { started, oldest_us: AtomicU64::new(NONE_US) }
    }

    pub(super) fn set_oldest(&self, arrived: Option<Duration>) {
        let arrived_us = arrived.and_then(|it| u64::try_from(it.as_micros()).ok());
        self.oldest_us.store(arrived_us.unwrap_or(NONE_US), Ordering::Relaxed);
    }

    pub(super) fn oldest_age(&self) -> Duration {
        match self.oldest_us.load(Ordering::Relaxed) {
            NONE_US => Duration::ZERO,
            arrived_us => self.started.elapsed().saturating_sub(Duration::from_micros(arrived_us)),
        }
    }
}
