//! Two nodes on one store, the network to their players, and what a supervisor does with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use game_server::accounts::{Grant, Keys};
use game_server::clock::Clock;
use game_server::config::Config;
use game_server::connection;
use game_server::lease::{self, Keeping};
use game_server::metrics::Metrics;
use game_server::node::{Identity, Node, Wishes};
use game_server::store::Stores;
use game_server::texts::TextKeys;
use persistence::accounts::Sealed;
use persistence::{
    DeviceId, Drained, HeroId, JournalStore, NodeId, StoreFuture, StoredTextKey, TextKeyStore,
};
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::checks::Ledger;
use crate::line::{Disk, Lie, Line, Store};
use crate::numbers::Numbers;
use crate::pipe::{Weather, pipe};
use crate::road::{Road, Way};
use crate::trace::Trace;

/// Saturday, 2026-08-01, 10:00 UTC.
const BEGIN_MS: i64 = 1_785_578_400_000;
const NAMES: [&str; 2] = ["one", "two"];
/// How often a node's clock follows the time.
const CLOCK_STEP: Duration = Duration::from_millis(100);
/// A drain that takes longer is given up, as a supervisor does.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// A running node, seen from outside.
struct Process {
    node: Arc<Node>,
    keeping: Keeping,
    /// To the store.
    line: Arc<Road>,
    /// To the players.
    sockets: Arc<Road>,
    tasks: Vec<JoinHandle<()>>,
}

/// A machine: its clock goes on while no process runs on it.
struct Machine {
    clock_offset_ms: i64,
    process: Option<Process>,
    numbers: Numbers,
}

/// Everything of one run.
pub(crate) struct World {
    pub(crate) trace: Arc<Trace>,
    pub(crate) ledger: Ledger,
    pub(crate) disk: Arc<Disk>,
    keys: Keys,
    started: Instant,
    machines: [Mutex<Machine>; 2],
    finishing: AtomicBool,
    sockets: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// Every hero has the same key, so that the same seed writes the same bytes.
struct SameKeys(Keys);

impl SameKeys {
    fn key(&self, hero: HeroId) -> StoredTextKey {
        StoredTextKey::Kept(self.0.seal("text key", hero.0, &[7; 64]))
    }
}

impl TextKeyStore for SameKeys {
    fn text_key(&self, hero: HeroId) -> StoreFuture<'_, Option<StoredTextKey>> {
        Box::pin(async move { Ok(Some(self.key(hero))) })
    }

    fn put_text_key(&self, hero: HeroId, _candidate: Sealed) -> StoreFuture<'_, StoredTextKey> {
        Box::pin(async move { Ok(self.key(hero)) })
    }
}

impl World {
    /// With what the texts of its heroes are read.
    pub(crate) fn texts(&self) -> TextKeys {
        TextKeys::new(Arc::new(SameKeys(self.keys.clone())), self.keys.clone())
    }

    pub(crate) fn new(lie: Lie, numbers: &mut Numbers) -> Arc<Self> {
        let disk = Arc::new(Disk::new(lie, numbers.fork()));
        let machine = |numbers| Mutex::new(Machine { clock_offset_ms: 0, process: None, numbers });
        let trace = Arc::new(Trace::new());
        Arc::new(Self {
            ledger: Ledger::new(Arc::clone(&trace)),
            trace,
            disk,
            keys: Keys::random(),
            started: Instant::now(),
            machines: [machine(numbers.fork()), machine(numbers.fork())],
            finishing: AtomicBool::new(false),
            sockets: Mutex::default(),
        })
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::Relaxed)
    }

    /// From now on nobody begins anything new, and no new connection is bad.
    pub(crate) fn finish(&self) {
        self.finishing.store(true, Ordering::Relaxed);
    }

    fn machine(&self, index: usize) -> std::sync::MutexGuard<'_, Machine> {
        self.machines[index].lock().expect("nobody panics while it is held")
    }

    /// Starts a node; a store that is away is asked again.
    pub(crate) async fn start(self: &Arc<Self>, index: usize) {
        let (line, sockets) = (Arc::new(Road::open()), Arc::new(Road::open()));
        let (node_id, numbers) = {
            let mut machine = self.machine(index);
            (NodeId(machine.numbers.id()), machine.numbers.fork())
        };
        self.trace.note(&format!("{} starts", NAMES[index]), node_id.0.as_bytes());
        let trace = Arc::clone(&self.trace);
        let store = Store(Arc::new(Line::new(
            NAMES[index].to_owned(),
            Arc::clone(&self.disk),
            trace,
            Arc::clone(&line),
            numbers,
        )));
        let journal: Arc<dyn JournalStore> = Arc::new(store);
        let standing = loop {
            match lease::begin(&journal, node_id, NAMES[index]).await {
                Ok(standing) => break standing,
                Err(_away) => sleep(Duration::from_secs(1)).await,
            }
        };
        let stores = Stores {
            journal: Arc::clone(&journal),
            text_keys: Arc::new(SameKeys(self.keys.clone())),
            keys: self.keys.clone(),
            ..Stores::of(self.disk.memory.clone())
        };
        let clock = Clock::fixed(self.wall_ms(index));
        let config = Config::parse(|name| (name == "SHARDS").then(|| "2".to_owned())).expect("it is valid");
        let (_none_tx, outages) = watch::channel(Arc::default());
        let identity = Identity { node_id, standing: standing.clone() };
        let metrics = Arc::new(Metrics::new());
        let (node, shards) = Node::build(config, clock.clone(), metrics, stores, outages, identity);
        let keeping = Keeping::start(journal, node_id, standing, Wishes(Arc::clone(&node)));
        let mut tasks: Vec<_> = shards.into_iter().map(|shard| tokio::spawn(shard.run())).collect();
        tasks.push(tokio::spawn(follow_time(clock, Arc::clone(&line))));
        tasks.push(tokio::spawn(watch_failure(
            Arc::clone(self),
            index,
            Arc::clone(&node),
            Arc::clone(&line),
        )));
        self.machine(index).process = Some(Process { node, keeping, line, sockets, tasks });
    }

    fn wall_ms(&self, index: usize) -> i64 {
        let passed = i64::try_from(self.started.elapsed().as_millis()).expect("a run is short");
        BEGIN_MS + passed + self.machine(index).clock_offset_ms
    }

    /// A machine's clock is set.
    pub(crate) fn step_clock(&self, index: usize, step_ms: i64) {
        self.trace.note(&format!("{} clock {step_ms:+} ms", NAMES[index]), &[]);
        let mut machine = self.machine(index);
        machine.clock_offset_ms += step_ms;
        if let Some(process) = &machine.process {
            process.node.clock.advance(step_ms);
        }
    }

    /// What a client gets: a ticket, and a connection to the node that gave it.
    pub(crate) fn open(
        &self,
        index: usize,
        hero: HeroId,
        numbers: &mut Numbers,
    ) -> Option<(String, DuplexStream)> {
        let machine = self.machine(index);
        let Process { node, sockets, .. } = machine.process.as_ref()?;
        if node.is_draining() {
            return None;
        }
        // Each player has an address, as in life; the limits of one address are not what is played here.
        let address = std::net::Ipv6Addr::from(hero.0.as_u128());
        let place = node.admission.enter(address.into()).ok()?;
        let grant = Grant { hero, device: DeviceId(Uuid::nil()) };
        let ticket = node.tickets.issue(grant, node.clock.now_ms()).expose().to_owned();
        let drawn = Weather::drawn(numbers);
        let weather = if self.is_finishing() { Weather::fine() } else { drawn };
        let (client, far, network) = pipe(weather, numbers.fork(), Arc::clone(sockets));
        let mut tasks = self.sockets.lock().expect("nobody panics while it is held");
        tasks.push(tokio::spawn(network));
        tasks.push(tokio::spawn(connection::serve(far, place, Arc::clone(node))));
        Some((ticket, client))
    }

    /// Kills a node: it reaches nothing any more and nothing reaches it, whatever its tasks still believe. What it had
    /// sent may still arrive. `false` when there was none.
    pub(crate) fn kill(&self, index: usize) -> bool {
        let Some(process) = self.machine(index).process.take() else { return false };
        self.trace.note(&format!("{} is killed", NAMES[index]), &[]);
        process.line.set(Way::Severed);
        process.sockets.set(Way::Severed);
        process.tasks.iter().for_each(JoinHandle::abort);
        self.disk.lose_unwritten();
        true
    }

    /// Sets the ways of a node, unless it died meanwhile.
    pub(crate) fn set_ways(&self, index: usize, line: Way, sockets: Way) {
        let machine = self.machine(index);
        let Some(process) = &machine.process else { return };
        self.trace.note(&format!("{} store {line:?}, players {sockets:?}", NAMES[index]), &[]);
        process.line.set(line);
        process.sockets.set(sockets);
    }

    /// Every connection to a node breaks.
    pub(crate) fn cut_sockets(&self, index: usize) {
        if let Some(process) = &mut self.machine(index).process {
            self.trace.note(&format!("{} loses its players", NAMES[index]), &[]);
            let old = std::mem::replace(&mut process.sockets, Arc::new(Road::open()));
            old.set(Way::Severed);
        }
    }

    /// Stops a node in order.
    pub(crate) async fn stop(&self, index: usize) -> Option<Drained> {
        let process = self.machine(index).process.take()?;
        self.trace.note(&format!("{} drains", NAMES[index]), &[]);
        let drained = process.node.drain(DRAIN_WITHIN).await;
        // As the server does: it does not wait for a store that is away.
        let _late = tokio::time::timeout(DRAIN_WITHIN, process.keeping.stop()).await;
        process.node.say_goodbye(tokio::time::Instant::now() + DRAIN_WITHIN).await;
        process.line.set(Way::Severed);
        process.sockets.set(Way::Severed);
        process.tasks.iter().for_each(JoinHandle::abort);
        self.trace.note(&format!("{} stopped: {drained:?}", NAMES[index]), &[]);
        Some(drained)
    }

    pub(crate) fn is_running(&self, index: usize) -> bool {
        self.machine(index).process.is_some()
    }

    /// The sockets' tasks have all ended, none by a panic.
    pub(crate) async fn end_sockets(&self) {
        let tasks = std::mem::take(&mut *self.sockets.lock().expect("nobody panics while it is held"));
        for task in tasks {
            if tokio::time::timeout(Duration::from_secs(60), task).await.map_or(true, |ended| ended.is_err())
            {
                self.ledger.wrong("a socket's task panicked or did not end".to_owned());
            }
        }
    }
}

/// A machine's clock goes as fast as the time.
async fn follow_time(clock: Clock, line: Arc<Road>) {
    let mut ticks = tokio::time::interval(CLOCK_STEP);
    ticks.tick().await;
    while !line.is_severed() {
        ticks.tick().await;
        clock.advance(i64::try_from(CLOCK_STEP.as_millis()).expect("it is short"));
    }
}

/// A node that gives itself up while nothing worse than the faults of this simulation happens has a mistake.
async fn watch_failure(world: Arc<World>, index: usize, node: Arc<Node>, line: Arc<Road>) {
    let what = node.failed().await;
    if !line.is_severed() {
        world.ledger.wrong(format!("node {} gave itself up: {what}", NAMES[index]));
    }
}
