//! The journal writer (under construction: signatures first).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::error::{Fence, StoreError};
use crate::record::{Epoch, HeroId, SnapshotRecord};
use crate::store::{HeroAppend, JournalStore};

/// Settings of a writer.
#[derive(Debug, Clone)]
pub struct WriterConfig {
    /// Seeds the jitter of retries.
    pub seed: u64,
}

/// Number of a submitted group, rising in the order of submission over all handles of a writer; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// Why a permit was refused. Nothing has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The hero's or the whole queue is full: try again in a moment.
    Busy,
    /// The store is away or full.
    ReadOnly,
    /// The writer is draining or gone.
    Closed,
}

/// What a subscriber must hear before it believes the watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// These heroes' groups of the named epochs are not stored and never will be.
    Fenced(Vec<Fence>),
    /// The store refuses this hero's data: quarantined; its groups of this epoch are not stored.
    Poisoned {
        /// Which hero.
        hero: HeroId,
        /// Up to which epoch.
        epoch: Epoch,
    },
    /// Durable commands are refused (`true`) or taken again (`false`).
    ReadOnly(bool),
}

/// Room in the queue for one command's events. Dropping it gives the room back.
#[derive(Debug)]
pub struct Permit(());

/// What a shard listens to.
#[derive(Debug)]
pub struct Subscription {
    /// Notices, in order.
    pub notices: mpsc::Receiver<Notice>,
    /// Every ticket up to this one is settled: durable, unless a notice sent earlier says otherwise.
    pub watermark: watch::Receiver<Ticket>,
}

impl Subscription {
    /// The notices so far and the watermark they belong to, in an order that is safe: no notice that the watermark
    /// relies on is missing.
    pub fn take(&mut self) -> (Vec<Notice>, Ticket) {
        unimplemented!("signatures first")
    }

    /// Waits for a notice or a higher watermark. `false` when the writer is gone.
    pub async fn changed(&mut self) -> bool {
        unimplemented!("signatures first")
    }
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Everything submitted is settled and every snapshot is written.
    Clean,
    /// Time ran out first.
    Late {
        /// Groups that were not settled. Their commands were never acknowledged.
        groups: usize,
    },
}

/// Why the writer stopped by itself. The process must exit 70 (D15).
#[derive(Debug, thiserror::Error)]
pub enum WriterFailed {
    /// The store is broken.
    #[error("the journal writer stopped")]
    Store(#[from] StoreError),
    /// A subscriber did not read its notices.
    #[error("a subscriber of the journal writer does not read its notices")]
    SubscriberStuck,
}

/// Numbers for metrics; durations in microseconds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WriterStats {
    /// Events that wait or are in flight.
    pub queue_events: u64,
}

/// Talks to the writer. Cheap to clone; every call but `drain` is synchronous.
#[derive(Debug, Clone)]
pub struct JournalHandle(Arc<()>);

/// Starts writers.
#[derive(Debug)]
pub struct JournalWriter;

impl JournalWriter {
    /// Starts the writer task.
    pub fn start(
        _store: Arc<dyn JournalStore>,
        _config: WriterConfig,
    ) -> (JournalHandle, JoinHandle<Result<(), WriterFailed>>) {
        unimplemented!("signatures first")
    }
}

impl JournalHandle {
    /// Reserves room for one command's events (D7).
    ///
    /// # Errors
    /// [`Refused`].
    pub fn try_reserve(&self, _hero: HeroId, _events: usize, _bytes: usize) -> Result<Permit, Refused> {
        unimplemented!("signatures first")
    }

    /// Hands over all events of one command. They are flushed together, after everything submitted before.
    #[must_use]
    pub fn submit(&self, _permit: Permit, _group: HeroAppend) -> Ticket {
        unimplemented!("signatures first")
    }

    /// Hands over a snapshot; it is written after the events it contains. `false` when there is no room for it now.
    pub fn snapshot(&self, _snapshot: SnapshotRecord) -> bool {
        unimplemented!("signatures first")
    }

    /// A new listener. It hears every notice from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        unimplemented!("signatures first")
    }

    /// Whether durable commands are refused now.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        unimplemented!("signatures first")
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        unimplemented!("signatures first")
    }

    /// Refuses new permits, flushes everything, stops the writer.
    pub async fn drain(&self, _deadline: Duration) -> Drained {
        unimplemented!("signatures first")
    }
}
