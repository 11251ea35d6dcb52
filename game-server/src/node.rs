//! One running server without its listeners: the shards, the journal writer, and what they share.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use persistence::{
    AboutStore, Cache, CacheConfig, CacheTask, CatalogueStore, Drained, HeroId, JournalHandle, JournalStore,
    JournalWriter, NodeId, ReadModelStore, SupportStore, UptimeStore, WriterConfig, WriterFailed,
};
use simulation::{catalogue::Catalogue, command::Command};
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use uuid::Uuid;

use crate::{
    accounts::{Accounts, Tickets},
    acting::{ACT_WITHIN, Act, ActFailed, Acted},
    admission::{Admission, AdmissionLimits},
    cache_facts,
    clock::Clock,
    config::Config,
    directory::Directory,
    journal_facts,
    lease::{self, Standing},
    metrics::Metrics,
    published::{Board, Posted},
    rate::Players,
    read_models,
    shard::{self, Built, Loader, Request, ShardHandle, ShardParts, send_away},
    store::Stores,
    telemetry::Traces,
    texts::TextKeys,
    uptime::Outages,
};

/// How long the sockets may take to say goodbye at the end of a drain.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);
/// How often a goodbye looks whether everybody has left.
const GOODBYE_EVERY: Duration = Duration::from_millis(20);

/// A running server without its listeners.
pub struct Node {
    /// What the operator set.
    pub config: Config,
    /// Server time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Guests and devices.
    pub accounts: Accounts,
    /// What opens sockets.
    pub tickets: Tickets,
    /// Places for sockets.
    pub admission: Arc<Admission>,
    /// How much every player may send.
    pub rates: Players,
    /// Who is connected.
    pub directory: Arc<Directory>,
    /// What operators publish: the numbers in force, and what players are told.
    pub board: Arc<Board>,
    /// Where they publish it.
    pub catalogues: Arc<dyn CatalogueStore>,
    /// What knows how the database is.
    pub about: Arc<dyn AboutStore>,
    /// Where heroes are kept.
    pub store: Arc<dyn JournalStore>,
    /// What happened, as tables for people.
    pub read_models: Arc<dyn ReadModelStore>,
    /// Who was seen last, and who is kept out.
    pub support: Arc<dyn SupportStore>,
    /// When the service was there.
    pub uptime: Arc<dyn UptimeStore>,
    /// Told when an operator has declared an outage: the heartbeat reads them again.
    pub outage_declared: Arc<Notify>,
    /// With what its texts are read.
    pub texts: TextKeys,
    /// The persistence actor.
    pub journal: JournalHandle,
    /// Follows some commands to the disk.
    pub traces: Traces,
    /// How sure this node is of what it owns.
    pub standing: Standing,
    /// What Redis may know, if there is one.
    pub cache: Cache,
    cache_task: Mutex<Option<CacheTask>>,
    /// Brings heroes from the store.
    pub loader: Loader,
    shards: Vec<ShardHandle>,
    connection_ids: AtomicU64,
    draining: AtomicBool,
    failed: watch::Sender<Option<String>>,
    stop_asked: watch::Sender<bool>,
    node_id: NodeId,
}

/// Who this node is among those that share its store.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id: another one at every start.
    pub node_id: NodeId,
    /// Its lease.
    pub standing: Standing,
}

impl Identity {
    /// A node that shares its store with nobody.
    #[must_use]
    pub fn alone() -> Self {
        Self { node_id: NodeId(Uuid::now_v7()), standing: Standing::alone() }
    }
}

/// What the lease tells goes to the shards.
#[derive(Debug)]
pub struct Wishes(pub Arc<Node>);

impl lease::Listener for Wishes {
    fn wanted(&self, hero: HeroId) {
        self.0.shard(hero).hand_over(hero);
    }

    fn replaced(&self) {
        let what =
            "another server with the same NODE_NAME has started and takes over; give each its own name";
        self.0.failed.send_replace(Some(what.to_owned()));
    }
}

impl Node {
    /// Starts the journal writer, and the shards on threads of their own.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(
        config: Config,
        clock: Clock,
        metrics: Arc<Metrics>,
        stores: Stores,
        outages: Outages,
        identity: Identity,
    ) -> std::io::Result<Arc<Self>> {
        let (node, shards) = Self::build(config, clock, metrics, stores, outages, identity);
        for (index, built) in shards.into_iter().enumerate() {
            let failed = node.failed.clone();
            built.spawn(index, move |panic| {
                failed.send_replace(Some(format!("shard {index}: {panic}")));
            })?;
        }
        Ok(node)
    }

    /// Starts the journal writer; the caller runs the shards, where and how it likes.
    #[must_use]
    pub fn build(
        config: Config,
        clock: Clock,
        metrics: Arc<Metrics>,
        stores: Stores,
        outages: Outages,
        identity: Identity,
    ) -> (Arc<Self>, Vec<Built>) {
        let Identity { node_id, standing } = identity;
        let board = Arc::new(Board::default());
        // The low half of an id is random, and a simulation that chooses its ids chooses this too.
        let seed = node_id.0.as_u64_pair().1;
        let (cache, cache_task) = start_cache(&config, &metrics, node_id, stores.seal_key);
        let (read_models, inbox) = read_models::channel();
        let fresh_rows = read_models.fresh();
        let traces = Traces::new(config.telemetry.traced_share());
        let on_fact =
            journal_facts::listener(Arc::clone(&metrics), cache.clone(), read_models, traces.clone());
        let (journal, writer) =
            JournalWriter::start(Arc::clone(&stores.journal), WriterConfig { seed, on_fact });
        let follower = read_models::start(
            inbox,
            journal.clone(),
            Arc::clone(&stores.journal),
            Arc::clone(&stores.read_models),
            Arc::clone(&metrics),
        );
        tokio::spawn(watch_follower(follower));
        let failed_tx = watch::Sender::new(None);
        tokio::spawn(watch_writer(writer, failed_tx.clone()));
        let texts = TextKeys::new(stores.text_keys, stores.keys.clone());
        let (store, runtime) = (Arc::clone(&stores.journal), Handle::current());
        let loader = Loader::new(store, texts.clone(), node_id, cache.clone(), runtime);
        let parts = ShardParts {
            catalogue: Arc::clone(&board.posted().catalogue),
            journal: journal.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            tick_hz: config.tick_hz,
            outages,
            standing: standing.clone(),
            cache: cache.clone(),
            fresh_rows,
        };
        let build = |_| shard::build(parts.clone(), loader.clone(), config.tick_hz);
        let (shards, built) = (0..config.shards).map(build).unzip();
        let node = Arc::new(Self {
            tickets: Tickets::new(stores.keys.clone()),
            accounts: Accounts::new(stores.accounts, stores.keys, clock.clone()),
            admission: Admission::new(AdmissionLimits::from_config(&config), Arc::clone(&metrics)),
            rates: Players::new(config.socket_limits),
            directory: Arc::new(Directory::default()),
            connection_ids: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            store: stores.journal,
            read_models: stores.read_models,
            support: stores.support,
            uptime: stores.uptime,
            outage_declared: Arc::default(),
            texts,
            config,
            clock,
            metrics,
            board,
            catalogues: stores.catalogues,
            about: stores.about,
            stop_asked: watch::Sender::new(false),
            node_id,
            journal,
            traces,
            standing,
            cache,
            cache_task: Mutex::new(cache_task),
            loader,
            shards,
            failed: failed_tx,
        });
        (node, built)
    }

    /// The shard of a hero.
    #[must_use]
    pub fn shard(&self, hero: HeroId) -> &ShardHandle {
        let index = Directory::shard_of(hero, self.shards.len());
        self.shards.get(index).expect("shard_of stays below the number of shards")
    }

    /// Requests that wait for the shard with the fullest inbox.
    #[must_use]
    pub fn fullest_inbox_requests(&self) -> usize {
        self.shards.iter().map(ShardHandle::inbox_requests).max().unwrap_or(0)
    }

    /// Does something with a hero, from inside the server: what a player does goes the same way. Answers when it is
    /// durable. The hero comes from another node if need be.
    ///
    /// # Errors
    /// [`ActFailed`]; but for [`ActFailed::Unsure`] nothing has changed.
    pub async fn act(&self, hero: HeroId, command: Command) -> Result<Acted, ActFailed> {
        self.act_in_zone(hero, command, None).await
    }

    /// The same; a hero that was never played begins in this zone.
    ///
    /// # Errors
    /// As [`Node::act`].
    pub async fn act_in_zone(
        &self,
        hero: HeroId,
        command: Command,
        time_zone: Option<String>,
    ) -> Result<Acted, ActFailed> {
        let (answer, answered) = oneshot::channel();
        let act = Act { command: Box::new(command), time_zone, answer };
        self.shard(hero).try_send(Request::Act { hero, act }).map_err(|_full| ActFailed::Busy)?;
        match timeout(ACT_WITHIN, answered).await {
            Ok(Ok(answer)) => answer,
            // It was on its way to the store when the hero went, or nobody answered in time.
            Ok(Err(_)) | Err(_) => Err(ActFailed::Unsure),
        }
    }

    /// Who this node is among those that share its store.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.node_id
    }

    /// The numbers in force.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.board.posted().catalogue)
    }

    /// Puts what operators published in force here: first for whoever asks for the numbers, then for the shards, whose
    /// players ask for them as soon as they hear of it.
    pub async fn post(&self, posted: Posted) {
        let posted = Arc::new(posted);
        self.board.post(Arc::clone(&posted));
        for shard in &self.shards {
            shard.post(Arc::clone(&posted)).await;
        }
    }

    /// The shards, for whoever looks at all heroes.
    #[must_use]
    pub fn shards(&self) -> &[ShardHandle] {
        &self.shards
    }

    /// An operator wants this server to stop, as a signal would.
    pub fn ask_to_stop(&self) {
        self.stop_asked.send_replace(true);
    }

    /// Waits until an operator wants this server to stop.
    pub async fn asked_to_stop(&self) {
        let mut asked = self.stop_asked.subscribe();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending().await
        }
    }

    /// A number for the next socket.
    pub fn next_connection_id(&self) -> u64 {
        self.connection_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Waits until something broke that a restart must mend (exit 70), and says what.
    pub async fn failed(&self) -> String {
        let mut failed = self.failed.subscribe();
        // Nobody holds the lock while it waits.
        let what = failed.wait_for(Option::is_some).await.map(|what| what.clone().unwrap_or_default());
        match what {
            Ok(what) => what,
            Err(_stopped) => std::future::pending().await,
        }
    }

    /// Everything durable and everybody sent away. Nothing of a hero is written here any more.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.draining.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + deadline;
        for shard in &self.shards {
            // A shard that is late has its events in the journal's queue all the same.
            let _late = timeout_at(deadline, shard.drain()).await;
        }
        let drained = self.journal.drain(deadline.saturating_duration_since(Instant::now())).await;
        // A shard that was late has sent nobody away. What is not acknowledged is asked for again on the next socket.
        self.directory.for_all(send_away);
        drained
    }

    /// Waits until every socket is closed, and ends what carried words to other nodes.
    pub async fn say_goodbye(&self, give_up: Instant) {
        let goodbye = (Instant::now() + GOODBYE_WITHIN).min(give_up.max(Instant::now()));
        while self.directory.connections() > 0 && Instant::now() < goodbye {
            tokio::time::sleep(GOODBYE_EVERY).await;
        }
        let cache_task = self.cache_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(cache_task) = cache_task {
            cache_task.stop().await;
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

fn start_cache(
    config: &Config,
    metrics: &Arc<Metrics>,
    node: NodeId,
    key: [u8; 32],
) -> (Cache, Option<CacheTask>) {
    let Some(url) = config.redis.clone() else { return (Cache::none(), None) };
    let seed = Uuid::new_v4().as_u64_pair().0;
    let on_fact = cache_facts::listener(Arc::clone(metrics));
    let (cache, task) = Cache::start(url, &CacheConfig { node, key, seed, on_fact });
    (cache, Some(task))
}

/// A writer that ends by itself takes the process with it (D15): what is in memory can no longer be trusted.
async fn watch_writer(writer: JoinHandle<Result<(), WriterFailed>>, failed: watch::Sender<Option<String>>) {
    let what = match writer.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => format!("{error}: {:?}", std::error::Error::source(&error)),
        Err(panic) => format!("the journal writer panicked: {panic}"),
    };
    failed.send_replace(Some(what));
}

/// Nothing in the game waits for the read models: it goes on without them, and the next start catches up.
async fn watch_follower(follower: JoinHandle<()>) {
    if let Err(panic) = follower.await {
        tracing::error!(%panic, "the read models are not followed any more; a restart catches up");
    }
}

#[cfg(test)]
mod tests {
    use persistence::{Fault, MemoryStore};
    use tokio::time::timeout;

    use super::*;
    use crate::outbox::Outbox;

    #[tokio::test]
    async fn a_broken_store_takes_the_process_with_it() {
        let store = MemoryStore::new();
        let config = Config::parse(|_| None).expect("the defaults are valid");
        let (_outages_tx, outages) = watch::channel(Arc::default());
        let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
        let node = Node::start(config, clock, metrics, Stores::of(store.clone()), outages, Identity::alone())
            .expect("threads can be had");
        store.fail_next(Fault::Broken);
        let hero = HeroId(Uuid::now_v7());
        let outbox = Arc::new(Outbox::new(1));
        let attach = Request::Attach { hero, stream_id: 1, last_seq: None, time_zone: None, outbox };
        node.shard(hero).try_send(attach).expect("the inbox has room");
        let what = timeout(Duration::from_secs(20), node.failed()).await.expect("it is noticed");
        assert!(what.contains("journal writer"), "{what}");
    }

    #[tokio::test]
    async fn a_drain_that_runs_out_of_time_sends_everybody_away_too() {
        let store = MemoryStore::new();
        let config = Config::parse(|_| None).expect("the defaults are valid");
        let (_outages_tx, outages) = watch::channel(Arc::default());
        let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
        let node = Node::start(config, clock, metrics, Stores::of(store.clone()), outages, Identity::alone())
            .expect("threads can be had");
        let hero = HeroId(Uuid::now_v7());
        let outbox = Arc::new(Outbox::new(1));
        let _entered = node.directory.enter(hero, Arc::clone(&outbox));
        store.hold_appends();
        let attach =
            Request::Attach { hero, stream_id: 1, last_seq: None, time_zone: None, outbox: outbox.clone() };
        node.shard(hero).try_send(attach).expect("the inbox has room");
        while node.journal.stats().queue_events == 0 {
            tokio::task::yield_now().await;
        }
        let drained = node.drain(Duration::from_millis(50)).await;
        assert!(matches!(drained, Drained::Late { .. }), "{drained:?}");
        let (_frames, closing) = outbox.take();
        assert_eq!(closing.map(|closing| closing.code), Some(protocol::close::RESTART));
    }
}
