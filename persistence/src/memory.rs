//! The store without a disk: for tests and for faults on purpose.
//!
//! It decides everything from its rows, its script and the seed it was given: the same calls give the same answers.
//! What it applied is durable; [`MemoryStore::crash`] forgets the calls that wait and keeps the rows, as a disk does.

mod accounts;
mod budget;
mod catalogue;
mod control;
mod fault;
mod operators;
mod read_models;
mod support;
mod text_keys;
mod uptime;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tokio::time::Instant;

pub use fault::Fault;
use fault::{Outcome, Script};

use crate::accounts::{Device, DeviceId};
use crate::error::{Fence, FenceReason, StoreError};
use crate::record::{
    Chain, CommandRef, Epoch, EventRecord, HeroId, NodeId, PAGE_ROWS_MAX, SNAPSHOTS_KEPT, Seq,
    SnapshotRecord, StreamId,
};
use crate::store::{
    Appended, Claim, HeroAppend, HeroHead, HeroState, JournalStore, LEASE, SnapshotOutcome, Speaker,
    StoreFuture, Verdict, WANTED_MAX, check_batch, check_snapshots, judge, reader_needed,
};
use crate::text_keys::StoredTextKey;

/// Keeps everything in memory; faults can be scripted. Clones share the same data.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    is_shared: bool,
    inner: Arc<Mutex<Inner>>,
    gate: Arc<watch::Sender<Gate>>,
}

#[derive(Debug, Default)]
struct Inner {
    heroes: BTreeMap<HeroId, Rows>,
    devices: BTreeMap<DeviceId, Device>,
    accounts: accounts::Accounts,
    support: support::Support,
    catalogues: catalogue::Catalogues,
    text_keys: BTreeMap<HeroId, StoredTextKey>,
    budget: budget::Tables,
    operators: operators::Tables,
    last_beat_ms: Option<i64>,
    /// When each began, and when it was over.
    outages: BTreeMap<i64, i64>,
    read_models: BTreeMap<HeroId, read_models::Tables>,
    nodes: BTreeMap<NodeId, Lease>,
    script: Script,
    append_calls: u64,
    in_flight: u32,
    in_flight_max: u32,
}

#[derive(Debug)]
struct Lease {
    name: String,
    until: Instant,
}

#[derive(Debug)]
struct Rows {
    head: HeroHead,
    /// Another node waits for it.
    is_wanted: bool,
    speakers: BTreeMap<StreamId, Speaker>,
    events: BTreeMap<Seq, EventRecord>,
    snapshots: BTreeMap<Seq, SnapshotRecord>,
    commands: BTreeSet<CommandRef>,
}

/// What a held append waits for.
#[derive(Debug, Default, Clone, Copy)]
struct Gate {
    held: bool,
    crashes: u64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store that several nodes may use.
    #[must_use]
    pub fn new() -> Self {
        let gate = Arc::new(watch::Sender::new(Gate::default()));
        Self { is_shared: true, inner: Arc::default(), gate }
    }

    /// An empty store that only one node uses.
    #[must_use]
    pub fn private() -> Self {
        Self { is_shared: false, ..Self::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code panics while it holds this lock")
    }

    /// A write that is no append: only the lasting fault applies.
    fn write<T>(&self, work: impl FnOnce(&mut Inner) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut inner = self.lock();
        inner.apply_late();
        match inner.script.always.clone() {
            None => work(&mut inner),
            Some(fault) => match fault.outcome() {
                Outcome::Refuse(error) => Err(error),
                Outcome::ApplyAndFail(error) => work(&mut inner).and(Err(error)),
                // Only appends can come late; anything else is simply lost.
                Outcome::FailAndApplyLate(error) => Err(error),
            },
        }
    }

    async fn append_now(&self, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
        check_batch(batch)?;
        let _running = Running::start(self);
        let crashes = self.gate.borrow().crashes;
        let mut gate = self.gate.subscribe();
        let open = gate.wait_for(|gate| !gate.held || gate.crashes != crashes).await;
        if open.expect("this store holds the sender").crashes != crashes {
            return Err(StoreError::Broken { what: "the machine crashed".into() });
        }
        let mut inner = self.lock();
        inner.apply_late();
        let Some(fault) = inner.script.take(batch) else { return inner.append(batch) };
        match fault.outcome() {
            Outcome::Refuse(error) => Err(error),
            Outcome::ApplyAndFail(error) => inner.append(batch).and(Err(error)),
            Outcome::FailAndApplyLate(error) => {
                inner.script.late.push(batch.to_vec());
                Err(error)
            }
        }
    }
}

/// Counts an append while it runs, also when its future is dropped.
struct Running<'a>(&'a MemoryStore);

impl<'a> Running<'a> {
    fn start(store: &'a MemoryStore) -> Self {
        let mut inner = store.lock();
        inner.append_calls += 1;
        inner.in_flight += 1;
        inner.in_flight_max = inner.in_flight_max.max(inner.in_flight);
        Self(store)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

impl Rows {
    fn new(hero: HeroId) -> Self {
        let head = HeroHead {
            hero,
            epoch: Epoch(0),
            last_seq: Seq(0),
            snap_seq: Seq(0),
            chain: Chain::genesis(hero),
            min_reader: 0,
            state: HeroState::Free,
        };
        Self {
            head,
            is_wanted: false,
            speakers: BTreeMap::new(),
            events: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            commands: BTreeSet::new(),
        }
    }
}

impl Inner {
    fn claim(&mut self, hero: HeroId, node: NodeId) -> Result<Claim, StoreError> {
        let rows = self.heroes.entry(hero).or_insert_with(|| Rows::new(hero));
        let head = &mut rows.head;
        match &head.state {
            HeroState::Quarantined { reason } => {
                return Err(StoreError::Quarantined { hero, reason: reason.clone() });
            }
            HeroState::Owned { node: owner }
                if *owner != node
                    && self.nodes.get(owner).is_some_and(|lease| lease.until > Instant::now()) =>
            {
                rows.is_wanted = true;
                return Err(StoreError::Held { hero, node: *owner });
            }
            HeroState::Owned { .. } | HeroState::Free => {}
        }
        rows.is_wanted = false;
        head.epoch = Epoch(head.epoch.0 + 1);
        head.state = HeroState::Owned { node };
        let HeroHead { epoch, last_seq, snap_seq, chain, min_reader, .. } = *head;
        Ok(Claim { hero, epoch, last_seq, snap_seq, chain, min_reader })
    }

    /// What a dead connection sent long ago arrives now, before whatever comes next (fault 11).
    fn apply_late(&mut self) {
        for batch in std::mem::take(&mut self.script.late) {
            // Nobody waits for this answer; a fence here is the expected end of a write that came too late.
            let _nobody_listens = self.append(&batch);
        }
    }

    fn append(&mut self, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
        let mut fences = Vec::new();
        let mut answers = Vec::with_capacity(batch.len());
        for part in batch {
            let (hero, epoch) = (part.hero, part.epoch);
            let rows = self.heroes.get(&hero);
            match judge(rows.map(|rows| &rows.head), part)? {
                Verdict::Write => answers.push(Appended::Written),
                Verdict::Refuse(why) => fences.push(Fence { hero, epoch, why }),
                Verdict::Compare => {
                    let stored = rows.and_then(|rows| rows.events.get(&part.last_seq()));
                    if stored.map(|event| event.chain) == part.events.last().map(|event| event.chain) {
                        answers.push(Appended::AlreadyDurable);
                    } else {
                        fences.push(Fence { hero, epoch, why: FenceReason::Conflict });
                    }
                }
            }
        }
        if !fences.is_empty() {
            return Err(StoreError::Fenced { heroes: fences });
        }
        self.check_commands(batch, &answers)?;
        for (part, answer) in batch.iter().zip(&answers) {
            if *answer == Appended::Written {
                let rows = self.heroes.get_mut(&part.hero).expect("judged above");
                let last = part.events.last().expect("checked: not empty");
                (rows.head.last_seq, rows.head.chain) = (last.seq, last.chain);
                rows.head.min_reader = rows.head.min_reader.max(reader_needed(part));
                rows.commands.extend(part.events.iter().filter_map(|event| event.command));
                rows.events.extend(part.events.iter().map(|event| (event.seq, event.clone())));
            }
        }
        Ok(answers)
    }

    /// The unique constraint on (hero, stream, command).
    fn check_commands(&self, batch: &[HeroAppend], answers: &[Appended]) -> Result<(), StoreError> {
        for (part, _) in batch.iter().zip(answers).filter(|(_, answer)| **answer == Appended::Written) {
            let mut new = BTreeSet::new();
            for command in part.events.iter().filter_map(|event| event.command) {
                let is_stored =
                    self.heroes.get(&part.hero).is_some_and(|rows| rows.commands.contains(&command));
                if is_stored || !new.insert(command) {
                    let what = format!("command {} of a stream is there already", command.cmd_seq.0);
                    return Err(StoreError::Poison { what });
                }
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &SnapshotRecord) -> SnapshotOutcome {
        let Some(rows) = self.heroes.get_mut(&snapshot.hero) else { return SnapshotOutcome::Stale };
        // Also after a release: until the next claim the epoch is still the owner's.
        let is_locked = matches!(rows.head.state, HeroState::Quarantined { .. });
        let is_owner = !is_locked && rows.head.epoch == snapshot.epoch;
        let is_on_chain = rows.events.get(&snapshot.seq).is_some_and(|event| event.chain == snapshot.chain);
        if !is_owner || rows.head.last_seq < snapshot.seq || !is_on_chain {
            return SnapshotOutcome::Stale;
        }
        rows.snapshots.insert(snapshot.seq, snapshot.clone());
        rows.head.snap_seq = rows.head.snap_seq.max(snapshot.seq);
        rows.head.min_reader = rows.head.min_reader.max(snapshot.schema_version);
        while rows.snapshots.len() > SNAPSHOTS_KEPT as usize {
            rows.snapshots.pop_first();
        }
        SnapshotOutcome::Kept
    }
}

impl JournalStore for MemoryStore {
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
        Box::pin(async move { self.write(|inner| inner.claim(hero, node)) })
    }

    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        Box::pin(self.append_now(batch))
    }

    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
        Box::pin(async move {
            check_snapshots(snapshots)?;
            self.write(|inner| Ok(snapshots.iter().map(|snapshot| inner.snapshot(snapshot)).collect()))
        })
    }

    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.write(|inner| {
                inner.nodes.retain(|_, lease| lease.name != name);
                inner.nodes.insert(node, Lease { name: name.to_owned(), until: Instant::now() + LEASE });
                Ok(())
            })
        })
    }

    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let lease = inner.nodes.get_mut(&node);
                Ok(lease.map(|lease| lease.until = Instant::now() + LEASE).is_some())
            })
        })
    }

    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                inner.nodes.remove(&node);
                Ok(())
            })
        })
    }

    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
        Box::pin(async move {
            self.write(|inner| {
                let is_wanted = |rows: &&Rows| rows.is_wanted && rows.head.state == HeroState::Owned { node };
                let wanted = inner.heroes.values().filter(is_wanted).map(|rows| rows.head.hero);
                Ok(wanted.take(WANTED_MAX as usize).collect())
            })
        })
    }

    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let rows = inner.heroes.entry(hero).or_insert_with(|| Rows::new(hero));
                rows.speakers.insert(speaker.stream_id, speaker);
                Ok(())
            })
        })
    }

    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
        Box::pin(async move {
            self.write(|inner| {
                let rows = inner.heroes.get(&hero);
                Ok(rows.map(|rows| rows.speakers.values().copied().collect()).unwrap_or_default())
            })
        })
    }

    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let head = inner.heroes.get_mut(&hero).map(|rows| &mut rows.head);
                if let Some(head) = head
                    && head.epoch == epoch
                    && matches!(head.state, HeroState::Owned { .. })
                {
                    head.state = HeroState::Free;
                }
                Ok(())
            })
        })
    }

    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
        let limit = limit.min(PAGE_ROWS_MAX) as usize;
        Box::pin(async move {
            let inner = self.lock();
            let Some(rows) = inner.heroes.get(&hero) else { return Ok(Vec::new()) };
            Ok(rows.events.range(from..).take(limit).map(|(_, event)| event.clone()).collect())
        })
    }

    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
        Box::pin(async move {
            let inner = self.lock();
            let Some(rows) = inner.heroes.get(&hero) else { return Ok(Vec::new()) };
            Ok(rows
                .snapshots
                .range(..=at_most)
                .rev()
                .take(limit as usize)
                .map(|(_, it)| it.clone())
                .collect())
        })
    }

    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
        Box::pin(async move { Ok(self.lock().heroes.get(&hero).map(|rows| rows.head.clone())) })
    }

    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
        Box::pin(async move {
            self.write(|inner| {
                let heads = heroes.iter().take(PAGE_ROWS_MAX as usize);
                Ok(heads.filter_map(|hero| Some(inner.heroes.get(hero)?.head.clone())).collect())
            })
        })
    }

    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let limit = limit.min(PAGE_ROWS_MAX) as usize;
        Box::pin(async move {
            let from = after.map_or(Unbounded, Excluded);
            let inner = self.lock();
            Ok(inner.heroes.range((from, Unbounded)).take(limit).map(|(_, rows)| rows.head.clone()).collect())
        })
    }

    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if let Some(rows) = inner.heroes.get_mut(&hero)
                    && !matches!(rows.head.state, HeroState::Quarantined { .. })
                {
                    rows.head.state = HeroState::Quarantined { reason: reason.into() };
                }
                Ok(())
            })
        })
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { self.write(|_| Ok(())) })
    }
}
