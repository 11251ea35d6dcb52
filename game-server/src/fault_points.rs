//! TEST ONLY (feature `fault-points`): the process dies at a named point of a chosen append, or a rule panics on command.
//!
//! It wraps the store, below everything that is tested. Chosen by `FAULT_POINT` in `main.rs`; without it nothing happens.

use std::fmt;
use std::future::poll_fn;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use persistence::{
    Appended, Claim, Epoch, EventRecord, HeroAppend, HeroHead, HeroId, JournalStore, NodeId, Seq,
    SnapshotOutcome, SnapshotRecord, Speaker, StoreFuture,
};
use simulation::command::Command;

/// A hero that is given this name makes the rules panic.
pub const PANIC_NAME: &str = "panic, please";

/// Where in the way of an append the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The heroes have changed in memory; the store has not heard of it.
    BeforeSend,
    /// The store was asked and has not answered.
    AfterSend,
    /// The store has it; nobody was told.
    AfterCommit,
}

/// `before-send:N`, `after-send:N` or `after-commit:N`: the N-th append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPoint {
    place: Place,
    append: u64,
}

/// A text that names no fault point.
#[derive(Debug, thiserror::Error)]
#[error("FAULT_POINT is before-send:N, after-send:N or after-commit:N, with N from 1")]
pub struct BadFaultPoint;

impl FromStr for FaultPoint {
    type Err = BadFaultPoint;

    fn from_str(text: &str) -> Result<Self, BadFaultPoint> {
        let (place, append) = text.split_once(':').ok_or(BadFaultPoint)?;
        let place = match place {
            "before-send" => Place::BeforeSend,
            "after-send" => Place::AfterSend,
            "after-commit" => Place::AfterCommit,
            _ => return Err(BadFaultPoint),
        };
        match append.parse() {
            Ok(append @ 1..) => Ok(Self { place, append }),
            _ => Err(BadFaultPoint),
        }
    }
}

/// A store in front of which the process dies.
pub struct DyingStore {
    store: Arc<dyn JournalStore>,
    point: FaultPoint,
    appends: AtomicU64,
}

impl fmt::Debug for DyingStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DyingStore").field("point", &self.point).finish_non_exhaustive()
    }
}

impl DyingStore {
    /// Dies at `point`.
    #[must_use]
    pub fn new(store: Arc<dyn JournalStore>, point: FaultPoint) -> Self {
        Self { store, point, appends: AtomicU64::new(0) }
    }
}

/// No clean-up, no destructor: as a kill does it.
fn die(place: Place, append: u64) -> ! {
    eprintln!("fault point: {place:?} at append {append}");
    std::process::abort()
}

impl JournalStore for DyingStore {
    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        let append = self.appends.fetch_add(1, Ordering::Relaxed) + 1;
        if append != self.point.append {
            return self.store.append(batch);
        }
        Box::pin(async move {
            let place = self.point.place;
            if place == Place::BeforeSend {
                die(place, append);
            }
            let mut stored = self.store.append(batch);
            if place == Place::AfterSend {
                return poll_fn(|context| match stored.as_mut().poll(context) {
                    Poll::Pending => die(place, append),
                    // A store that answers at once is never asked and not answered; the next point is as near.
                    Poll::Ready(done) => Poll::Ready(done),
                })
                .await;
            }
            match stored.await {
                Ok(_) => die(place, append),
                Err(error) => Err(error),
            }
        })
    }

    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
        self.store.claim(hero, node)
    }

    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
        self.store.snapshot(snapshots)
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
        self.store.join(node, name)
    }

    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
        self.store.renew(node)
    }

    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
        self.store.retire(node)
    }

    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
        self.store.wanted(node)
    }

    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
        self.store.speak(hero, speaker)
    }

    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
        self.store.speakers(hero)
    }

    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
        self.store.release(hero, epoch)
    }

    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
        self.store.events(hero, from, limit)
    }

    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
        self.store.snapshots(hero, at_most, limit)
    }

    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
        self.store.head(hero)
    }

    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
        self.store.heads(heroes)
    }

    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
        self.store.heroes(after, limit)
    }

    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
        self.store.quarantine(hero, reason)
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        self.store.check()
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.store.ping()
    }
}

/// Panics like a rule with a bug.
///
/// # Panics
/// When the command gives a hero the name [`PANIC_NAME`].
pub fn panic_on(command: &Command) {
    if let Command::RenameHero { name } = command {
        assert!(name != PANIC_NAME, "a rule panics because it was asked to");
    }
}
