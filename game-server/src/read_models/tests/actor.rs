//! The follower at work beside a journal writer, in paused time.

use std::sync::Arc;
use std::time::Duration;

use persistence::{
    AssemblyRow, AssemblyState, Epoch, EventRecord, Fault, HeroAppend, JournalHandle, JournalStore,
    JournalWriter, MemoryStore, ReadModelStore, Seq, WriterConfig, WriterFailed,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::super::{INBOX_MAX, ReadModels, channel, start};
use super::{Owner, check, hero, life, rows};
use crate::journal_facts;
use crate::metrics::Metrics;
use crate::telemetry::Traces;

/// Longer than anything here takes, in paused time.
const PATIENCE: Duration = Duration::from_secs(600);

struct Bench {
    store: MemoryStore,
    metrics: Arc<Metrics>,
    journal: JournalHandle,
    writer: JoinHandle<Result<(), WriterFailed>>,
    follower: JoinHandle<()>,
    handle: ReadModels,
}

impl Bench {
    fn new(store: MemoryStore) -> Bench {
        let metrics = Arc::new(Metrics::new());
        let shared = Arc::new(store.clone());
        let (handle, inbox) = channel();
        let on_fact = journal_facts::listener(
            Arc::clone(&metrics),
            persistence::Cache::none(),
            handle.clone(),
            Traces::off(),
        );
        let (journal, writer) = JournalWriter::start(shared.clone(), WriterConfig { seed: 7, on_fact });
        let follower = start(inbox, journal.clone(), shared.clone(), shared, Arc::clone(&metrics));
        Bench { store, metrics, journal, writer, follower, handle }
    }

    async fn live(&self, number: u128, seed: u64) -> Owner {
        self.play(Owner::new(&self.store, hero(number)).await, seed).await
    }

    /// Brings a life into the journal, group by group, as a shard does.
    async fn play(&self, mut owner: Owner, seed: u64) -> Owner {
        let id = owner.claim.hero;
        // Made beside the journal: only what goes through the writer is heard of.
        let beside = MemoryStore::new();
        let mut twin = Owner::new(&beside, id).await;
        twin.write(&beside, &life::of_seed(seed)).await;
        let mut from = Seq(1);
        loop {
            let events = beside.events(id, from, 48).await.unwrap();
            let Some(last) = events.last() else { break };
            from = last.seq.next();
            let bytes = events.iter().map(EventRecord::bytes).sum();
            let permit = loop {
                match self.journal.try_reserve(id, events.len(), bytes) {
                    Ok(permit) => break permit,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            let previous = owner.claim.chain;
            (owner.claim.last_seq, owner.claim.chain) = (last.seq, last.chain);
            let group = HeroAppend { hero: id, epoch: owner.claim.epoch, previous, events };
            let _ticket = self.journal.submit(permit, group);
        }
        owner.hero = twin.hero;
        owner
    }

    async fn caught_up(&self, owner: &Owner) {
        let id = owner.claim.hero;
        let waited = timeout(PATIENCE, async {
            while self.store.read_seq(id).await.unwrap() != owner.claim.last_seq {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.expect("it catches up");
        check(owner, &rows(&self.store, id).await);
    }

    /// The follower ends with the writer, without being told.
    async fn stop(self) {
        drop(self.handle);
        self.journal.drain(PATIENCE).await;
        self.writer.await.unwrap().unwrap();
        timeout(PATIENCE, self.follower).await.expect("it ends").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn heroes_are_followed_as_they_play() {
    let bench = Bench::new(MemoryStore::new());
    let owners = [bench.live(1, 1).await, bench.live(2, 2).await, bench.live(3, 3).await];
    for owner in &owners {
        bench.caught_up(owner).await;
    }
    let events: u64 = owners.iter().map(|owner| owner.claim.last_seq.0).sum();
    timeout(PATIENCE, async {
        while bench.metrics.read_models_lag_heroes.get() > 0.0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("nobody is behind");
    assert_eq!(bench.metrics.read_models_events_total.get(), events);
    let mut assembled = 0;
    for owner in &owners {
        let rows = rows(&bench.store, owner.claim.hero).await.assemblies;
        let is_built = |row: &&AssemblyRow| row.counts && row.state == AssemblyState::Assembled;
        assembled += rows.iter().filter(is_built).count() as u64;
    }
    assert!(assembled > 0, "these lives build something");
    assert_eq!(bench.metrics.module_assembly_seconds.count(), assembled, "each module is measured once");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_happened_before_it_started_is_found() {
    let store = MemoryStore::new();
    let mut owner = Owner::new(&store, hero(1)).await;
    owner.write(&store, &life::of_seed(4)).await;
    let bench = Bench::new(store);
    bench.caught_up(&owner).await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_loses_no_row() {
    let bench = Bench::new(MemoryStore::new());
    let faults = [Fault::Unavailable, Fault::AmbiguousApplied, Fault::AmbiguousLost, Fault::Full];
    for (number, fault) in (1..).zip(faults) {
        let owner = Owner::new(&bench.store, hero(number)).await;
        let known = bench.live(number + 100, 5).await;
        // Both meet it: the journal with one hero's events, the follower with the other's.
        bench.store.fail_until_healed(fault);
        let mut playing = Box::pin(bench.play(owner, 6));
        let _not_yet = timeout(Duration::from_secs(40), &mut playing).await;
        bench.store.heal();
        let owner = timeout(PATIENCE, playing).await.expect("the journal takes it again");
        bench.caught_up(&owner).await;
        bench.caught_up(&known).await;
    }
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_hears_too_little_sweeps() {
    let store = MemoryStore::new();
    let mut early = Owner::new(&store, hero(5)).await;
    early.write(&store, &life::of_seed(5)).await;
    let mut owner = Owner::new(&store, hero(1)).await;
    let bench = Bench::new(store);
    bench.caught_up(&early).await;
    // The first sweep is past the other hero. So much is heard at once that some of it is forgotten.
    owner.write(&bench.store, &life::of_seed(6)).await;
    for _ in 0..=INBOX_MAX {
        bench.handle.advanced(&[(hero(99), Epoch(1), Seq(1))]);
    }
    bench.caught_up(&owner).await;
    bench.stop().await;
}
