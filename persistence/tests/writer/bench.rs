//! A writer, its store and a shard that believes only what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use persistence::{
    Drained, HeroId, JournalHandle, JournalStore, JournalWriter, MemoryStore, Notice, Permit, Refused, Seq,
    Subscription, Ticket, WriterConfig, WriterFact, WriterFailed,
};
use tokio::task::JoinHandle;

use crate::history::{Owner, hero};

/// Longer than anything here takes, in paused time: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Bench {
    pub(crate) memory: MemoryStore,
    pub(crate) journal: JournalHandle,
    pub(crate) task: JoinHandle<Result<(), WriterFailed>>,
    pub(crate) subscription: Subscription,
    pub(crate) facts: Arc<Mutex<Vec<WriterFact>>>,
    pub(crate) owners: BTreeMap<HeroId, Owner>,
    /// Every notice so far.
    pub(crate) notices: Vec<Notice>,
    pub(crate) watermark: Ticket,
}

impl Bench {
    /// A writer over a memory store, heroes 1 to `heroes` claimed.
    pub(crate) async fn new(heroes: u128) -> Self {
        let memory = MemoryStore::new();
        Self::over(memory.clone(), Arc::new(memory), heroes).await
    }

    /// A writer over a store that leads to `memory` somehow.
    pub(crate) async fn over(memory: MemoryStore, store: Arc<dyn JournalStore>, heroes: u128) -> Self {
        let mut owners = BTreeMap::new();
        for number in 1..=heroes {
            owners.insert(hero(number), Owner::claim(&memory, hero(number)).await);
        }
        let facts = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&facts);
        let on_fact = Arc::new(move |fact| listener.lock().unwrap().push(fact));
        let (journal, task) = JournalWriter::start(store, WriterConfig { seed: 7, on_fact });
        let subscription = journal.subscribe();
        Self { memory, journal, task, subscription, facts, owners, notices: Vec::new(), watermark: Ticket(0) }
    }

    pub(crate) fn reserve(&self, number: u128, events: usize) -> Result<Permit, Refused> {
        self.journal.try_reserve(hero(number), events, events * 1_000)
    }

    /// Submits a command of `events` events of a hero.
    pub(crate) fn submit(&mut self, number: u128, events: u64) -> Ticket {
        let permit = self.reserve(number, usize::try_from(events).unwrap()).unwrap();
        let group = self.owners.get_mut(&hero(number)).unwrap().events(events);
        self.journal.submit(permit, group)
    }

    /// Reads what the writer says until it is so.
    pub(crate) async fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let (notices, watermark) = self.subscription.take();
                assert!(watermark >= self.watermark, "the watermark never falls");
                self.notices.extend(notices);
                self.watermark = watermark;
                if is_so(self) {
                    return;
                }
                assert!(self.subscription.changed().await, "the writer stopped before {what}");
            }
        });
        waited.await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    pub(crate) async fn settled(&mut self, ticket: Ticket) {
        self.wait_until("settled", |bench| bench.watermark >= ticket).await;
    }

    /// Events stored of a hero.
    pub(crate) async fn stored(&self, number: u128) -> u64 {
        self.memory.head(hero(number)).await.unwrap().unwrap().last_seq.0
    }

    /// The store holds exactly what the hero's owner made.
    pub(crate) async fn assert_stored_all(&self, number: u128) {
        let stored = self.memory.events(hero(number), Seq(1), 1_000).await.unwrap();
        assert_eq!(stored, self.owners[&hero(number)].made);
    }

    pub(crate) async fn drain(self) {
        assert_eq!(self.journal.drain(PATIENCE).await, Drained::Clean);
        self.task.await.unwrap().unwrap();
        assert_eq!(self.journal.stats().queue_events, 0, "every permit came back");
        assert_eq!(self.journal.stats().queue_bytes, 0);
        assert_eq!(self.memory.in_flight_max(), 1, "one flush in flight");
    }

    pub(crate) fn facts(&self) -> Vec<WriterFact> {
        self.facts.lock().unwrap().clone()
    }

    /// Events in each flush so far.
    pub(crate) fn flushes(&self) -> Vec<usize> {
        let events = |fact| match fact {
            WriterFact::Flushed { events_count, .. } => Some(events_count),
            _ => None,
        };
        self.facts().into_iter().filter_map(events).collect()
    }
}
