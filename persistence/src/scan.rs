//! Reads a hero's whole history and says what does not fit (under construction: signatures first).

use crate::error::StoreError;
use crate::record::{CommandSeq, EventRecord, HeroId, Seq, SnapshotRecord, StreamId};
use crate::store::{HeroHead, JournalStore};

/// Something in a hero's history that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An event is missing.
    Gap {
        /// The position that should come next.
        expected: Seq,
        /// The position that came.
        found: Seq,
    },
    /// An event's chain does not follow from the event before it.
    ChainBroken {
        /// Where.
        seq: Seq,
    },
    /// An event was written with a lower epoch than one before it.
    EpochFell {
        /// Where.
        seq: Seq,
    },
    /// An event was written with an epoch the head does not know yet.
    EpochAhead {
        /// Where.
        seq: Seq,
    },
    /// The head names another last event or chain than the events show.
    HeadDiffers {
        /// What the head says.
        head: Seq,
        /// What was found.
        found: Seq,
    },
    /// A stream's command is there twice, or one is missing before it.
    StreamBroken {
        /// Where.
        seq: Seq,
        /// The stream.
        stream_id: StreamId,
        /// The command that should come next.
        expected: CommandSeq,
        /// The command that came.
        found: CommandSeq,
    },
    /// A snapshot's hash is not that of its content.
    SnapshotDamaged {
        /// Its position.
        seq: Seq,
    },
    /// A snapshot's chain is not that of the event at its position.
    SnapshotOffChain {
        /// Its position.
        seq: Seq,
    },
    /// Rows that cannot be read at all.
    Unreadable {
        /// What the store said.
        what: String,
    },
    /// What the fold said.
    Fold {
        /// Where.
        seq: Seq,
        /// What does not fit.
        what: String,
    },
}

/// One thing of a history, in the order of positions; a snapshot comes after the event at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The next event.
    Event(&'a EventRecord),
    /// An intact snapshot of everything so far.
    Snapshot(&'a SnapshotRecord),
}

/// What a scan saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The head at the start of the scan.
    pub head: HeroHead,
    /// Events read.
    pub events_count: u64,
    /// Snapshots read.
    pub snapshots_count: u64,
    /// Everything that does not fit.
    pub findings: Vec<Finding>,
}

/// Reads one hero's history. `fold` gets every step in order; what it returns as an error becomes a
/// [`Finding::Fold`]. `None` when the store does not know the hero. May run beside a server.
///
/// # Errors
/// Those of a database that is away.
pub async fn scan(
    _store: &dyn JournalStore,
    _hero: HeroId,
    _fold: &mut (dyn FnMut(Step<'_>) -> Result<(), String> + Send),
) -> Result<Option<Scanned>, StoreError> {
    unimplemented!("signatures first")
}
