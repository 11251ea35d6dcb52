//! `JournalStore`: what every database must offer, and the checks they share.
//!
//! Object safe with boxed futures, not an enum: the server, the writer, the scan and the tests hold an
//! `Arc<dyn JournalStore>`, tests wrap a store to break it on purpose, and one allocation is nothing beside a flush.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::error::{FenceReason, StoreError};
use crate::record::{
    APPEND_EVENTS_MAX, CLIENT_NUMBER_MAX, Chain, Epoch, EventRecord, HeroId, NodeId, PAYLOAD_BYTES_MAX,
    STATE_BYTES_MAX, Seq, SnapshotRecord, StreamId,
};

/// What every call of a store returns. Dropping it before it is ready leaves the call's outcome unknown, as a lost
/// connection does; the store stays usable.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How long a lease lasts (D3). It is for liveness only; safety is the epoch.
pub const LEASE: Duration = Duration::from_secs(15);
/// Most heroes one call of [`JournalStore::wanted`] returns; the others are found by the next.
pub const WANTED_MAX: u32 = 256;

/// How long it is remembered which socket speaks for a stream: longer than a socket lives.
pub const SPEAKER_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Most speakers one call of [`JournalStore::speakers`] returns: those that were opened last.
pub const SPEAKERS_MAX: u32 = 256;

/// The socket that speaks for a stream of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speaker {
    /// The device's stream.
    pub stream_id: StreamId,
    /// The node it is connected to.
    pub node: NodeId,
    /// Its number there.
    pub connection_id: u64,
}

/// Connections to a database server.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionCount {
    /// Those in use.
    pub used: u64,
    /// Most of them.
    pub max: u64,
}

/// An ownership of one hero, and where its history stood when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which hero.
    pub hero: HeroId,
    /// Every write carries it; a later claim makes it worthless.
    pub epoch: Epoch,
    /// The last stored event; 0 when there is none.
    pub last_seq: Seq,
    /// The newest snapshot's position; 0 when there is none.
    pub snap_seq: Seq,
    /// The chain at `last_seq`.
    pub chain: Chain,
    /// The highest event or state format in this history. A server that reads only older ones must release the hero.
    pub min_reader: u16,
}

/// A hero as it is stored: start from the snapshot, apply the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The newest snapshot that holds; `None` means: start from a new hero.
    pub snapshot: Option<SnapshotRecord>,
    /// Every event after it, up to the claim's last one.
    pub tail: Vec<EventRecord>,
    /// Positions of newer snapshots that were damaged and passed over, newest first. Somebody should look.
    pub damaged_snapshots: Vec<Seq>,
}

/// Events of one hero, in order, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeroAppend {
    /// Whose.
    pub hero: HeroId,
    /// The owner's epoch; the same as in every event.
    pub epoch: Epoch,
    /// The chain before the first event.
    pub previous: Chain,
    /// At least one.
    pub events: Vec<EventRecord>,
}

impl HeroAppend {
    /// Position of the first event.
    ///
    /// # Panics
    /// When there are no events.
    #[must_use]
    pub fn first_seq(&self) -> Seq {
        self.events.first().expect("an append holds at least one event").seq
    }

    /// Position of the last event.
    ///
    /// # Panics
    /// When there are no events.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.events.last().expect("an append holds at least one event").seq
    }

    /// Bytes it takes in queues and flushes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.iter().map(EventRecord::bytes).sum()
    }
}

/// How a hero's part of an append ended. Both mean: durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Stored by this call.
    Written,
    /// An earlier call had already stored exactly this.
    AlreadyDurable,
}

/// How one snapshot of a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotOutcome {
    /// Stored, or already there.
    Kept,
    /// The hero belongs to somebody else, or the snapshot is ahead of the stored events or off their chain (D11).
    /// Nothing was stored.
    Stale,
}

/// Who may write a hero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeroState {
    /// Nobody, until the next claim.
    Free,
    /// A node that claimed it.
    Owned {
        /// Which.
        node: NodeId,
    },
    /// Nobody, until an operator decides.
    Quarantined {
        /// Why.
        reason: String,
    },
}

/// The row that says where a hero's history stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeroHead {
    /// Which hero.
    pub hero: HeroId,
    /// The newest epoch; 0 when it was never claimed.
    pub epoch: Epoch,
    /// The last stored event; 0 when there is none.
    pub last_seq: Seq,
    /// The newest snapshot's position; 0 when there is none.
    pub snap_seq: Seq,
    /// The chain at `last_seq`.
    pub chain: Chain,
    /// The highest event or state format in this history.
    pub min_reader: u16,
    /// Who may write it.
    pub state: HeroState,
}

/// Where a journal lives. One contract suite runs against every implementation.
pub trait JournalStore: Send + Sync {
    /// Whether other nodes may use this store at the same time. If not, nobody needs a lease.
    fn is_shared(&self) -> bool {
        true
    }

    /// Takes a hero: the epoch rises, whoever had it before is fenced. Makes the hero when it is new. Of claims at
    /// the same time each gets its own epoch and only the last may write. A hero whose owner is another node with a
    /// running lease is not taken but asked for: the owner finds it in [`JournalStore::wanted`] and releases it.
    ///
    /// # Errors
    /// [`StoreError::Held`], [`StoreError::Quarantined`], and those of a database that is away.
    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim>;

    /// Reads what a claim owns: the newest snapshot that holds and every event after it, both checked against the
    /// claim (D5).
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when no snapshot and tail lead to the claim's position and chain.
    fn load<'a>(&'a self, claim: &'a Claim) -> StoreFuture<'a, Loaded> {
        Box::pin(crate::load::load(self, claim))
    }

    /// Stores all of the batch or nothing, durably, comparing and swapping (epoch, last_seq) of every hero in it.
    /// Answers in the order of the batch. A hero may occur only once.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] names the heroes that spoiled it; [`StoreError::Poison`] leaves the search to the caller.
    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>>;

    /// Stores snapshots in one transaction and keeps the last [`crate::record::SNAPSHOTS_KEPT`] of each hero. Events
    /// are never deleted here (D12). Answers in the order of the call; a stale one does not spoil the others.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>>;

    /// Tells the store that a node begins: its lease runs [`LEASE`] from now on the database's clock. A node of the
    /// same name that was there before is over, so that a server that was killed finds its heroes free.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()>;

    /// Tells the store that a node lives: its lease runs [`LEASE`] from now on the database's clock (D3). `false` when
    /// the store does not know the node, because it never joined, left, or another of its name took over.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool>;

    /// Tells the store that a node is over: what it still owns may be taken at once.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()>;

    /// Heroes of this node that other nodes have asked for, at most [`WANTED_MAX`].
    ///
    /// # Errors
    /// Those of a database that is away.
    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>>;

    /// Notes that a socket speaks for its stream from now on, and no other does. Whoever claims the hero later learns it:
    /// what an older socket still says on another node, which the player's device has given up, is not heard any more.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()>;

    /// Who speaks for the streams of a hero, at most [`SPEAKERS_MAX`]; those of the last [`SPEAKER_LIFE`] for certain.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>>;

    /// Gives a hero back. A no-op when the epoch is no longer the current one.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()>;

    /// Events from a position on, in order, at most `limit` and [`crate::record::PAGE_ROWS_MAX`]. The chain is not
    /// checked here.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a row cannot be read as an event.
    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>>;

    /// A hero's snapshots at or before a position, newest first, at most `limit`, not checked.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a row cannot be read as a snapshot.
    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>>;

    /// A hero's head; `None` when the store does not know it.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>>;

    /// The heads of these heroes, in no order; unknown ones are left out. At most [`PAGE_ROWS_MAX`] are looked at.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>>;

    /// Heroes in the order of their ids, those after `after`, at most `limit` and [`crate::record::PAGE_ROWS_MAX`].
    ///
    /// # Errors
    /// Those of a database that is away.
    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>>;

    /// Locks a hero until an operator decides; its owner is fenced, its rows stay. A second call changes nothing.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()>;

    /// Checks that the store keeps what it confirms (D14) and that its tables are those of this program.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`] or [`StoreError::Unfit`], each saying what to do.
    fn check(&self) -> StoreFuture<'_, ()>;

    /// A small durable write: proves that an append would work.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn ping(&self) -> StoreFuture<'_, ()>;

    /// Connections of this process to a database server: those on loan to a call, and the most that it opens. None in a
    /// file of one's own.
    fn connections(&self) -> ConnectionCount {
        ConnectionCount::default()
    }

    /// Connections of everybody to the database server, and the most that it gives to programs; nothing where there is
    /// no server.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn server_connections(&self) -> StoreFuture<'_, Option<ConnectionCount>> {
        Box::pin(async { Ok(None) })
    }
}

/// The end of a claim, for the stores that ask first and read why not: `head` is what the hero's row says, and
/// `is_mine` that this claim has just written it.
///
/// # Errors
/// Those of [`JournalStore::claim`].
pub(crate) fn claimed(
    hero: HeroId,
    node: NodeId,
    head: Option<HeroHead>,
    is_mine: bool,
) -> Result<Claim, StoreError> {
    match head {
        Some(HeroHead { state: HeroState::Quarantined { reason }, .. }) => {
            Err(StoreError::Quarantined { hero, reason })
        }
        Some(HeroHead { epoch, last_seq, snap_seq, chain, min_reader, .. }) if is_mine => {
            Ok(Claim { hero, epoch, last_seq, snap_seq, chain, min_reader })
        }
        Some(HeroHead { state: HeroState::Owned { node: owner }, .. }) if owner != node => {
            Err(StoreError::Held { hero, node: owner })
        }
        // Released or taken by ourselves between the two looks.
        Some(_) => Err(StoreError::Busy("the hero changed hands just now".into())),
        None => Err(StoreError::Broken { what: format!("hero {hero} could neither be claimed nor found") }),
    }
}

/// What a head says about a hero's part of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the next: write it.
    Write,
    /// It is not new: it is durable when the event stored at its last position has its last chain, else a conflict.
    Compare,
    /// It may not be written.
    Refuse(FenceReason),
}

/// The compare of compare-and-swap (D1), for the stores that read a head before they write.
///
/// # Errors
/// [`StoreError::Broken`] when position and epoch fit and the chain does not: what is in memory did not grow out of
/// what is stored (D15).
pub(crate) fn judge(head: Option<&HeroHead>, part: &HeroAppend) -> Result<Verdict, StoreError> {
    let Some(head) = head else { return Ok(Verdict::Refuse(FenceReason::Unknown)) };
    let (first, last) = (part.first_seq(), part.last_seq());
    let verdict = match head.state {
        HeroState::Quarantined { .. } => Verdict::Refuse(FenceReason::Quarantined),
        HeroState::Free => Verdict::Refuse(FenceReason::Epoch),
        HeroState::Owned { .. } if head.epoch != part.epoch => Verdict::Refuse(FenceReason::Epoch),
        HeroState::Owned { .. } if last <= head.last_seq => Verdict::Compare,
        HeroState::Owned { .. } if first <= head.last_seq => Verdict::Refuse(FenceReason::Conflict),
        HeroState::Owned { .. } if first > head.last_seq.next() => Verdict::Refuse(FenceReason::Gap),
        HeroState::Owned { .. } if part.previous != head.chain => {
            let what = format!("event {} of hero {} does not follow the stored chain", first.0, part.hero);
            return Err(StoreError::Broken { what });
        }
        HeroState::Owned { .. } => Verdict::Write,
    };
    Ok(verdict)
}

/// The highest format an append brings into a history.
pub(crate) fn reader_needed(part: &HeroAppend) -> u16 {
    part.events.iter().map(|event| event.schema_version).max().unwrap_or(0)
}

/// Checks a batch before it goes to a database: limits, order and chain. A mistake here is a bug in this process, and
/// writing it would make a history nobody can load (D15).
///
/// # Errors
/// [`StoreError::Broken`].
pub fn check_batch(batch: &[HeroAppend]) -> Result<(), StoreError> {
    let broken = |what: String| Err(StoreError::Broken { what });
    let events_count: usize = batch.iter().map(|part| part.events.len()).sum();
    if events_count > APPEND_EVENTS_MAX {
        return broken(format!("an append of {events_count} events is larger than {APPEND_EVENTS_MAX}"));
    }
    let mut heroes: Vec<HeroId> = batch.iter().map(|part| part.hero).collect();
    heroes.sort_unstable();
    if !heroes.is_sorted_by(|one, next| one < next) {
        return broken("a hero occurs twice in one append".into());
    }
    for part in batch {
        let hero = part.hero;
        let Some(first) = part.events.first() else {
            return broken(format!("an append without events for hero {hero}"));
        };
        let (mut seq, mut chain) = (first.seq, part.previous);
        for event in &part.events {
            if event.hero != hero || event.epoch != part.epoch || event.seq != seq || seq.0 == 0 {
                return broken(format!("event {} of hero {hero} is out of place", event.seq.0));
            }
            if event.payload.len() > PAYLOAD_BYTES_MAX {
                return broken(format!("event {} of hero {hero} is too large", event.seq.0));
            }
            if event.command.is_some_and(|it| it.stream_id.0.max(it.cmd_seq.0) > CLIENT_NUMBER_MAX) {
                return broken(format!("event {} of hero {hero} names an impossible command", event.seq.0));
            }
            if event.chain != event.chain_after(chain) {
                return broken(format!("event {} of hero {hero} breaks the chain", event.seq.0));
            }
            (seq, chain) = (seq.next(), event.chain);
        }
    }
    Ok(())
}

/// Checks snapshots before they go to a database.
///
/// # Errors
/// [`StoreError::Broken`].
pub fn check_snapshots(snapshots: &[SnapshotRecord]) -> Result<(), StoreError> {
    match snapshots.iter().find(|snapshot| !snapshot.is_intact() || snapshot.state.len() > STATE_BYTES_MAX) {
        None => Ok(()),
        Some(bad) => Err(StoreError::Broken {
            what: format!(
                "the snapshot of hero {} at {} is too large or has a wrong hash",
                bad.hero, bad.seq.0
            ),
        }),
    }
}
