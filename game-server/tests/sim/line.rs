//! A node's line to the store: latency, stalls, an end; and what the disk behind it does with a write.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use persistence::store::StoreFuture;
use persistence::{
    Appended, Claim, Epoch, EventRecord, HeroAppend, HeroHead, HeroId, JournalStore, MemoryStore, NodeId,
    Seq, SnapshotOutcome, SnapshotRecord, Speaker, StoreError,
};
use tokio::sync::oneshot;

use crate::numbers::Numbers;
use crate::road::Road;
use crate::trace::Trace;

/// What the disk does wrong: each is here to be caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    /// It confirms a write and stores it with the next one; what waits is lost when a node dies.
    ConfirmsEarly,
    /// A write of somebody who is no longer the owner is confirmed, and not stored.
    ConfirmsStrangers,
    /// One write of some is confirmed, and not stored.
    DropsSome,
}

/// The store of both nodes.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) memory: MemoryStore,
    /// Closed while writes are held.
    pub(crate) writes: Road,
    lie: Lie,
    unwritten: Mutex<Vec<HeroAppend>>,
    numbers: Mutex<Numbers>,
}

impl Disk {
    pub(crate) fn new(lie: Lie, numbers: Numbers) -> Self {
        let (unwritten, numbers) = (Mutex::default(), Mutex::new(numbers));
        Self { memory: MemoryStore::new(), writes: Road::open(), lie, unwritten, numbers }
    }

    async fn append(&self, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
        let confirmed = || Ok(vec![Appended::Written; batch.len()]);
        self.writes.passes().await;
        match self.lie {
            Lie::None => self.memory.append(batch).await,
            Lie::ConfirmsEarly => {
                let before = std::mem::replace(
                    &mut *self.unwritten.lock().expect("nobody panics while it is held"),
                    batch.to_vec(),
                );
                // Confirmed already: nobody can be told what became of it.
                let _unknown = self.memory.append(&before).await;
                confirmed()
            }
            Lie::ConfirmsStrangers => match self.memory.append(batch).await {
                Err(StoreError::Fenced { .. }) => confirmed(),
                answer => answer,
            },
            Lie::DropsSome if self.numbers.lock().expect("nobody panics while it is held").percent(5) => {
                confirmed()
            }
            Lie::DropsSome => self.memory.append(batch).await,
        }
    }

    /// A node died.
    pub(crate) fn lose_unwritten(&self) {
        self.unwritten.lock().expect("nobody panics while it is held").clear();
    }
}

/// One process's line to the store.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    disk: Arc<Disk>,
    trace: Arc<Trace>,
    road: Arc<Road>,
    numbers: Mutex<Numbers>,
}

impl Line {
    pub(crate) fn new(
        name: String,
        disk: Arc<Disk>,
        trace: Arc<Trace>,
        road: Arc<Road>,
        numbers: Numbers,
    ) -> Self {
        Self { name, disk, trace, road, numbers: Mutex::new(numbers) }
    }

    /// The way there, or the way back.
    async fn travel(
        &self,
        lost: fn(Box<dyn std::error::Error + Send + Sync>) -> StoreError,
    ) -> Result<(), StoreError> {
        let wait = self.latency();
        tokio::time::sleep(wait).await;
        match self.road.passes().await {
            true => Ok(()),
            false => Err(lost("the line is cut".into())),
        }
    }

    fn latency(&self) -> Duration {
        let mut numbers = self.numbers.lock().expect("nobody panics while it is held");
        if numbers.percent(90) { numbers.millis(0, 3) } else { numbers.millis(0, 60) }
    }

    fn call<'a, T: Send + 'a>(&'a self, work: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(async move {
            self.travel(StoreError::Unavailable).await?;
            let answer = work.await;
            self.travel(StoreError::Ambiguous).await?;
            answer
        })
    }

    fn note(&self, what: &str, batch: &[HeroAppend], outcome: &str) {
        let parts: Vec<_> = batch
            .iter()
            .map(|part| {
                let hero = part.hero.0.as_u128() >> 112;
                format!("{hero:x}@{}:{}-{}", part.epoch.0, part.first_seq().0, part.last_seq().0)
            })
            .collect();
        let chains: Vec<u8> =
            batch.iter().flat_map(|part| &part.events).flat_map(|event| event.chain.0).collect();
        self.trace.note(&format!("{} {what} {}{outcome}", self.name, parts.join(" ")), &chains);
    }
}

/// A line that is shared with writes that travel on their own.
#[derive(Clone, Debug)]
pub(crate) struct Store(pub(crate) Arc<Line>);

impl JournalStore for Store {
    /// A write that is under way arrives, also when nobody waits for its answer any more.
    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        let (line, batch) = (Arc::clone(&self.0), batch.to_vec());
        let (answer_tx, answer) = oneshot::channel();
        tokio::spawn(async move {
            let written = async {
                line.travel(StoreError::Unavailable).await?;
                line.note("append", &batch, "");
                let answer = line.disk.append(&batch).await;
                match &answer {
                    Ok(parts) if parts.contains(&Appended::AlreadyDurable) => {
                        line.trace.count("written before");
                    }
                    Ok(_) => line.trace.count("written"),
                    Err(StoreError::Fenced { .. }) => line.trace.count("fenced"),
                    Err(_) => line.trace.count("failed"),
                }
                line.note("answer", &batch, &format!(" {answer:?}"));
                line.travel(StoreError::Ambiguous).await?;
                answer
            };
            let _nobody_waits = answer_tx.send(written.await);
        });
        Box::pin(async { answer.await.unwrap_or_else(|_| Err(StoreError::Ambiguous("no answer".into()))) })
    }

    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
        let work = Box::pin(async move {
            let claimed = self.0.disk.memory.claim(hero, node).await;
            let outcome = claimed.as_ref().map_or_else(
                |error| error.to_string(),
                |claim| format!("epoch {} seq {}", claim.epoch.0, claim.last_seq.0),
            );
            self.0
                .trace
                .note(&format!("{} claim {:x}: {outcome}", self.0.name, hero.0.as_u128() >> 112), &[]);
            claimed
        });
        self.0.call(work)
    }
    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
        let work = Box::pin(async move {
            let name = &self.0.name;
            self.0.trace.note(&format!("{name} release {:x}@{}", hero.0.as_u128() >> 112, epoch.0), &[]);
            self.0.disk.memory.release(hero, epoch).await
        });
        self.0.call(work)
    }
    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
        self.0.call(self.0.disk.memory.snapshot(snapshots))
    }
    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
        self.0.call(self.0.disk.memory.join(node, name))
    }
    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
        self.0.call(self.0.disk.memory.renew(node))
    }
    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
        self.0.call(self.0.disk.memory.retire(node))
    }
    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
        self.0.call(self.0.disk.memory.wanted(node))
    }
    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
        self.0.call(self.0.disk.memory.speak(hero, speaker))
    }
    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
        self.0.call(self.0.disk.memory.speakers(hero))
    }
    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
        self.0.call(self.0.disk.memory.events(hero, from, limit))
    }
    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
        self.0.call(self.0.disk.memory.snapshots(hero, at_most, limit))
    }
    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
        self.0.call(self.0.disk.memory.head(hero))
    }
    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
        self.0.call(self.0.disk.memory.heads(heroes))
    }
    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
        self.0.call(self.0.disk.memory.heroes(after, limit))
    }
    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
        self.0.call(self.0.disk.memory.quarantine(hero, reason))
    }
    fn check(&self) -> StoreFuture<'_, ()> {
        self.0.call(self.0.disk.memory.check())
    }
    fn ping(&self) -> StoreFuture<'_, ()> {
        self.0.call(self.0.disk.memory.ping())
    }
}
