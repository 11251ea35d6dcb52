//! Seeded runs with many faults and crashes. The check is outside the writer: a ledger of what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use persistence::store::StoreFuture;
use persistence::{
    Appended, Claim, Epoch, EventRecord, HeroAppend, HeroHead, HeroId, JournalStore, MemoryStore, NodeId,
    Notice, Seq, SnapshotOutcome, SnapshotRecord, Speaker, Ticket, scan,
};
use proptest::prelude::*;

use crate::bench::Bench;
use crate::history::{Owner, hero};

const HEROES: u128 = 5;

/// Commands at random for a while under faults; then power is cut. Says how many events were
/// acknowledged, or what is wrong.
async fn run(seed: u64, store: impl FnOnce(MemoryStore) -> Arc<dyn JournalStore>) -> Result<u64, String> {
    let memory = MemoryStore::new();
    let mut bench = Bench::over(memory.clone(), store(memory.clone()), HEROES).await;
    memory.fail_at_random(seed, 300);
    let mut numbers = Numbers(seed);
    // Ticket → the hero's position it reaches; and what was acknowledged.
    let mut waiting: BTreeMap<Ticket, (HeroId, Seq)> = BTreeMap::new();
    let mut acknowledged: BTreeMap<HeroId, Seq> = BTreeMap::new();
    for _ in 0..300 {
        let number = u128::from(numbers.below(5)) + 1;
        let events = numbers.below(6) + 1;
        if bench.reserve(number, 6).is_ok() {
            let ticket = bench.submit(number, events);
            waiting.insert(ticket, (hero(number), bench.owners[&hero(number)].seq));
            if numbers.below(4) == 0 {
                bench.journal.snapshot(bench.owners[&hero(number)].snapshot("state"));
            }
        }
        // Patience with a store that is away, else there would be nothing to lose.
        if numbers.below(3) == 0 || bench.journal.is_read_only() {
            tokio::time::sleep(Duration::from_millis(numbers.below(200))).await;
        }
        let (notices, watermark) = bench.subscription.take();
        if let Some(wrong) = notices.iter().find(|notice| !matches!(notice, Notice::ReadOnly(_))) {
            return Err(format!("nobody was fenced or poisoned, but {wrong:?}"));
        }
        let later = waiting.split_off(&Ticket(watermark.0 + 1));
        acknowledged.extend(std::mem::replace(&mut waiting, later).into_values());
    }
    // The power cut, with whatever is in flight.
    bench.task.abort();
    memory.crash();
    for (hero, owner) in &bench.owners {
        let stored = memory.events(*hero, Seq(1), 1_000).await.map_err(|error| error.to_string())?;
        let promised = acknowledged.get(hero).map_or(0, |seq| seq.0);
        if (stored.len() as u64) < promised {
            return Err(format!(
                "{promised} events of {hero} were acknowledged, {} are stored",
                stored.len()
            ));
        }
        if owner.made.get(..stored.len()) != Some(&stored[..]) {
            return Err(format!("what is stored of {hero} is not what was made"));
        }
        let scanned = scan::scan(&memory, *hero, &mut |_| Ok(())).await.map_err(|error| error.to_string())?;
        let findings = scanned.map(|scanned| scanned.findings).unwrap_or_default();
        if !findings.is_empty() {
            return Err(format!("{hero}: {findings:?}"));
        }
    }
    match memory.in_flight_max() {
        0 | 1 => Ok(acknowledged.values().map(|seq| seq.0).sum()),
        flights => Err(format!("{flights} flushes were in flight")),
    }
}

fn in_paused_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_doubled_or_reordered(seed: u64) {
        let result = in_paused_time(run(seed, |memory| Arc::new(memory)));
        prop_assert!(matches!(result, Ok(50..)), "{result:?}");
    }
}

/// The same run is the same run: a seed is enough to see a failure again.
#[test]
fn a_seed_repeats_a_run() {
    let calls = |seed| {
        in_paused_time(async move {
            let mut counted = None;
            run(seed, |memory| {
                counted = Some(memory.clone());
                Arc::new(memory)
            })
            .await
            .unwrap();
            counted.unwrap().append_calls()
        })
    };
    assert_eq!(calls(11), calls(11));
}

/// The check is worth something: a store that says "durable" before it is gets caught.
#[test]
fn a_store_that_acknowledges_before_it_stores_is_caught() {
    let caught = (0..20).filter(|seed| {
        let result = in_paused_time(run(*seed, |memory| Arc::new(Lying::new(memory))));
        result.is_err_and(|what| what.contains("were acknowledged"))
    });
    assert!(caught.count() >= 10);
}

/// And one that loses a write in the middle.
#[test]
fn a_store_that_drops_a_write_is_caught() {
    let caught = (0..20).filter(|seed| {
        let dropping =
            |memory| Arc::new(Dropping { memory, calls: AtomicU64::new(0) }) as Arc<dyn JournalStore>;
        in_paused_time(run(*seed, dropping)).is_err()
    });
    // Not always: it may drop the repetition of a write that got through.
    assert!(caught.count() >= 10);
}

/// Acknowledges at once and stores one call later, as a disk that lies about fsync.
struct Lying {
    memory: MemoryStore,
    unwritten: std::sync::Mutex<Vec<HeroAppend>>,
}

impl Lying {
    fn new(memory: MemoryStore) -> Self {
        Self { memory, unwritten: std::sync::Mutex::new(Vec::new()) }
    }
}

/// Everything but append is the memory store's.
macro_rules! delegate {
    () => {
        fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
            self.memory.claim(hero, node)
        }
        fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
            // Snapshots of events that are not there yet would give the lie away by a fence.
            Box::pin(async { Ok(vec![SnapshotOutcome::Kept; snapshots.len()]) })
        }
        fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
            self.memory.join(node, name)
        }
        fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
            self.memory.renew(node)
        }
        fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
            self.memory.retire(node)
        }
        fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
            self.memory.wanted(node)
        }
        fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
            self.memory.speak(hero, speaker)
        }
        fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
            self.memory.speakers(hero)
        }
        fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
            self.memory.release(hero, epoch)
        }
        fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
            self.memory.events(hero, from, limit)
        }
        fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
            self.memory.snapshots(hero, at_most, limit)
        }
        fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
            self.memory.head(hero)
        }
        fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
            self.memory.heads(heroes)
        }
        fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
            self.memory.heroes(after, limit)
        }
        fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
            self.memory.quarantine(hero, reason)
        }
        fn check(&self) -> StoreFuture<'_, ()> {
            self.memory.check()
        }
        fn ping(&self) -> StoreFuture<'_, ()> {
            self.memory.ping()
        }
    };
}

impl JournalStore for Lying {
    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        Box::pin(async move {
            let earlier = std::mem::replace(&mut *self.unwritten.lock().unwrap(), batch.to_vec());
            while !earlier.is_empty() && self.memory.append(&earlier).await.is_err() {}
            Ok(vec![Appended::Written; batch.len()])
        })
    }

    delegate!();
}

/// Forgets its tenth write and says it is durable.
struct Dropping {
    memory: MemoryStore,
    calls: AtomicU64,
}

impl JournalStore for Dropping {
    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            9 => Box::pin(async { Ok(vec![Appended::Written; batch.len()]) }),
            _ => self.memory.append(batch),
        }
    }

    delegate!();
}

/// Numbers that depend on nothing but a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_knows_its_own_history() {
    // The ledger of these tests is only as good as the owner that fills it.
    let memory = MemoryStore::new();
    let mut owner = Owner::claim(&memory, hero(1)).await;
    owner.write(&memory, 3).await;
    assert_eq!(memory.events(hero(1), Seq(1), 10).await.unwrap(), owner.made);
}
