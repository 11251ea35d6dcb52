//! Reads a hero's whole history and says what does not fit.
//!
//! It may run beside a server: snapshots are read first, the head next, the events last, and events are only ever
//! added, so that everything it compares is there.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::record::{
    Chain, CommandRef, CommandSeq, Epoch, EventRecord, HeroId, PAGE_ROWS_MAX, Seq, SnapshotRecord, StreamId,
};
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

/// Most findings kept per hero; a history that is this wrong needs no longer list.
pub const FINDINGS_MAX: usize = 100;

/// Reads one hero's history. `fold` gets every step in order up to the first damage, after which nothing can be
/// trusted; what it returns as an error becomes a [`Finding::Fold`]. `None` when the store does not know the hero.
///
/// # Errors
/// Those of a database that is away.
pub async fn scan(
    store: &dyn JournalStore,
    hero: HeroId,
    fold: &mut (dyn FnMut(Step<'_>) -> Result<(), String> + Send),
) -> Result<Option<Scanned>, StoreError> {
    let mut findings = Findings::default();
    // Three are kept; more would be a finding of its own, and a page holds them all the same.
    let snapshots =
        findings.readable(store.snapshots(hero, SEQ_MAX, PAGE_ROWS_MAX).await)?.unwrap_or_default();
    let Some(head) = store.head(hero).await? else { return Ok(None) };
    let snapshots_count = snapshots.len() as u64;
    let mut walk = Walk::new(&head, snapshots, findings);
    while walk.seq < head.last_seq {
        let page = store.events(hero, walk.seq.next(), PAGE_ROWS_MAX).await;
        let Some(page) = walk.findings.readable(page)? else { break };
        let wanted: Vec<_> = page.into_iter().take_while(|event| event.seq <= head.last_seq).collect();
        if wanted.is_empty() {
            break;
        }
        wanted.iter().for_each(|event| walk.event(event, fold));
    }
    walk.end();
    walk.beyond(store).await?;
    let Walk { events_count, findings, .. } = walk;
    Ok(Some(Scanned { head, events_count, snapshots_count, findings: findings.0 }))
}

/// After every position a store can keep.
const SEQ_MAX: Seq = Seq(i64::MAX as u64);

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn push(&mut self, finding: Finding) {
        if self.0.len() < FINDINGS_MAX {
            self.0.push(finding);
        }
    }

    /// Rows that cannot be read are a finding, not a failure of the scan.
    fn readable<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { what, .. }) => {
                self.push(Finding::Unreadable { what });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Where the scan stands in a history.
struct Walk<'a> {
    head: &'a HeroHead,
    /// Newest first: the next one is at the end.
    snapshots: Vec<SnapshotRecord>,
    seq: Seq,
    chain: Chain,
    epoch: Epoch,
    marks: BTreeMap<StreamId, CommandSeq>,
    events_count: u64,
    findings: Findings,
    /// Whether an event was missing or changed: from there on the fold would see nonsense.
    is_damaged: bool,
}

impl<'a> Walk<'a> {
    fn new(head: &'a HeroHead, snapshots: Vec<SnapshotRecord>, findings: Findings) -> Self {
        Self {
            head,
            snapshots,
            seq: Seq(0),
            chain: Chain::genesis(head.hero),
            epoch: Epoch(0),
            marks: BTreeMap::new(),
            events_count: 0,
            findings,
            is_damaged: false,
        }
    }

    fn event(&mut self, event: &EventRecord, fold: &mut dyn FnMut(Step<'_>) -> Result<(), String>) {
        let seq = event.seq;
        if seq != self.seq.next() {
            self.findings.push(Finding::Gap { expected: self.seq.next(), found: seq });
            self.is_damaged = true;
        } else if event.chain != event.chain_after(self.chain) {
            self.findings.push(Finding::ChainBroken { seq });
            self.is_damaged = true;
        }
        if event.epoch < self.epoch {
            self.findings.push(Finding::EpochFell { seq });
        }
        if event.epoch > self.head.epoch {
            self.findings.push(Finding::EpochAhead { seq });
        }
        if let Some(CommandRef { stream_id, cmd_seq: found }) = event.command {
            let mark = self.marks.insert(stream_id, found).unwrap_or(CommandSeq(0));
            let expected = CommandSeq(mark.0 + 1);
            if found != expected {
                self.findings.push(Finding::StreamBroken { seq, stream_id, expected, found });
            }
        }
        // Go on from what is stored, so that one damage is one finding.
        (self.seq, self.chain, self.epoch) = (seq, event.chain, self.epoch.max(event.epoch));
        self.events_count += 1;
        self.fold(seq, Step::Event(event), fold);
        while let Some(snapshot) = self.snapshots.pop_if(|snapshot| snapshot.seq <= seq) {
            self.snapshot(&snapshot, event, fold);
        }
    }

    fn snapshot(
        &mut self,
        snapshot: &SnapshotRecord,
        event: &EventRecord,
        fold: &mut dyn FnMut(Step<'_>) -> Result<(), String>,
    ) {
        let seq = snapshot.seq;
        if !snapshot.is_intact() {
            self.findings.push(Finding::SnapshotDamaged { seq });
        } else if seq != event.seq || snapshot.chain != event.chain {
            self.findings.push(Finding::SnapshotOffChain { seq });
        } else {
            self.fold(seq, Step::Snapshot(snapshot), fold);
        }
    }

    fn fold(&mut self, seq: Seq, step: Step<'_>, fold: &mut dyn FnMut(Step<'_>) -> Result<(), String>) {
        if !self.is_damaged
            && let Err(what) = fold(step)
        {
            self.findings.push(Finding::Fold { seq, what });
        }
    }

    fn end(&mut self) {
        if self.seq != self.head.last_seq || self.chain != self.head.chain {
            self.findings.push(Finding::HeadDiffers { head: self.head.last_seq, found: self.seq });
        }
        for snapshot in std::mem::take(&mut self.snapshots) {
            self.findings.push(Finding::SnapshotOffChain { seq: snapshot.seq });
        }
    }

    /// Events after the head's last one: a server may have added them meanwhile, then the head has moved too.
    async fn beyond(&mut self, store: &dyn JournalStore) -> Result<(), StoreError> {
        let after = store.events(self.head.hero, self.head.last_seq.next(), 1).await;
        let Some(Some(event)) = self.findings.readable(after)?.map(|page| page.into_iter().next()) else {
            return Ok(());
        };
        let now = store.head(self.head.hero).await?.map(|head| head.last_seq);
        if now.is_none_or(|last_seq| last_seq < event.seq) {
            self.findings.push(Finding::HeadDiffers { head: self.head.last_seq, found: event.seq });
        }
        Ok(())
    }
}
