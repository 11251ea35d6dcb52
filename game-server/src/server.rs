//! A whole server in one value: store, node, three listeners, and the order in which they start and stop.
//!
//! Start: store, node, listeners, ready. Stop: not ready, no new connections, drain the node (everything durable, everybody
//! sent away with 1012), give the heroes free, end sockets and listeners, close the store. `main.rs` and the tests start the
//! same server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use admin_http::Panel;
use persistence::{Drained, NodeId};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::accounts::avatar::{Avatars, PlaceFailed};
use crate::accounts::erasing::Erasing;
use crate::accounts::firebase::{Firebase, FirebaseFailed};
use crate::accounts::own_data::OwnData;
use crate::accounts::settings::Settings;
use crate::accounts::union::Claims;
use crate::accounts::{Accounts, Keys, KeysError, mail, revocation};
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::connection;
use crate::hints;
use crate::http::{self, AuthLimits, OriginPolicy, Play, Public, Readiness, ReadinessState};
use crate::lease::{self, Keeping};
use crate::listener::{BindError, Limits, Listener, Running};
use crate::metrics::{CONNECTIONS_EVERY, Metrics, UPKEEP_EVERY};
use crate::node::{Identity, Node, Wishes};
use crate::operations::cost::Costs;
use crate::operations::{self, NodeOperations};
use crate::published::{self, Posted, PublishedFailed};
use crate::store::Stores;
use crate::store::{OpenFailed, OpenStore};
use crate::uptime::{Beating, Heartbeat};

/// Connections of the operators' listener: each panel holds one for its live stream and a few for what it asks.
const OPERATORS_CONNECTIONS_MAX: usize = 192;
/// How long the listeners may take to end once the node is drained.
const LISTENERS_WITHIN: Duration = Duration::from_secs(2);
/// How long the store may take to close its connections.
const STORE_WITHIN: Duration = Duration::from_secs(2);

/// Why a server did not start. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenFailed),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There is no secret to begin with.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Pictures cannot be kept where they should.
    #[error(transparent)]
    Avatars(#[from] PlaceFailed),
    /// ID tokens cannot be verified.
    #[error(transparent)]
    Firebase(#[from] FirebaseFailed),
    /// The catalogue in force cannot be used.
    #[error(transparent)]
    Published(#[from] PublishedFailed),
    /// The budget cannot be told.
    #[error("cannot make an HTTPS client for SLACK_WEBHOOK_URL")]
    Costs(#[source] reqwest::Error),
    /// The system gives no threads.
    #[error("cannot start the simulation's threads")]
    Threads(#[source] std::io::Error),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    readiness: Arc<Readiness>,
    sockets: TaskTracker,
    public: Running,
    admin: Running,
    panel: Arc<Panel>,
    metrics: Running,
    operations: Arc<NodeOperations>,
    upkeep: JoinHandle<()>,
    hints: JoinHandle<()>,
    publishing: JoinHandle<()>,
    revocations: JoinHandle<()>,
    mails: JoinHandle<()>,
    unions: JoinHandle<()>,
    pruning: JoinHandle<()>,
    erasing: JoinHandle<()>,
    costs: JoinHandle<()>,
    heartbeat: Beating,
    lease: Keeping,
    store: OpenStore,
}

impl Server {
    /// Starts everything on an open store.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(config: Config, clock: Clock, store: OpenStore) -> Result<Server, StartError> {
        // All addresses first: a port that is taken must not cost a started node.
        let admin_address = SocketAddr::new(config.admin_host, config.admin_port);
        let metrics_address = SocketAddr::new(config.metrics_host, config.metrics_port);
        let public = Listener::bind("players", SocketAddr::new(config.host, config.port)).await?;
        let admin = Listener::bind("operators", admin_address).await?;
        let scrape = Listener::bind("metrics", metrics_address).await?;

        let metrics = Arc::new(Metrics::new());
        let readiness = Arc::new(Readiness::new(Arc::clone(&metrics)));
        let avatars = Avatars::open(&config.avatars)?;
        let firebase = config.firebase.as_ref().map(|config| Firebase::open(config, clock.clone()));
        let firebase = firebase.transpose()?;
        let keys = Keys::open(&config, &store.stores().seal_key)?;
        let stores = &Stores { keys, ..store.stores().clone() };
        let accounts = Accounts::new(Arc::clone(&stores.accounts), stores.keys.clone(), clock.clone());
        let url = || config.database.to_string();
        accounts.check_secret().await.map_err(|source| OpenFailed::Store { url: url(), source })?;
        // Before the node: a hero must not be taken in while it is not known how long the service was away.
        let posted = Posted::read(&*stores.catalogues).await?;
        let minimum_ms = posted.catalogue.streak.outage_min_ms;
        let heartbeat = heartbeat(&config, &clock, &metrics, stores, minimum_ms).await?;
        let name = node_name(&config, public.address());
        let config = Config { node_name: Some(name.clone()), ..config };
        let costs =
            Costs::new(&config, Arc::clone(&stores.budget), clock.clone()).map_err(StartError::Costs)?;
        let costs = Arc::new(costs);
        let identity = identity(&name, &config, stores).await?;
        let node_id = identity.node_id;
        let node =
            Node::start(config, clock, Arc::clone(&metrics), stores.clone(), heartbeat.outages(), identity)
                .map_err(StartError::Threads)?;
        // Before anybody can connect.
        node.post(posted).await;
        let publishing = published::follow(Arc::clone(&node), Arc::clone(&stores.catalogues));
        let lease = Keeping::start(
            Arc::clone(&stores.journal),
            node_id,
            node.standing.clone(),
            Wishes(Arc::clone(&node)),
        );
        let hints = hints::listen(Arc::clone(&node));
        let revocations = revocation::watch(
            node.accounts.revocations().clone(),
            (Arc::clone(node.accounts.store()), Arc::clone(&node.support)),
            node.clock.clone(),
            Arc::clone(&node.directory),
        );
        let mails = mail::deliver(&node.accounts, node.config.mail.as_ref());
        let players = Arc::clone(&node);
        let play: Play = Arc::new(move |io, place, sockets| {
            sockets.spawn(connection::serve(io, place, Arc::clone(&players)));
        });
        let routes = routes(&node, &readiness, (avatars, firebase), play);
        // What a server that died has left half done.
        let unions = tokio::spawn(Arc::clone(&routes.claims).keep_finishing());
        let pruning = tokio::spawn(node.accounts.clone().keep_pruning());
        let erasing = tokio::spawn(Arc::clone(&routes.erasing).keep_erasing());
        let operations =
            NodeOperations::new(Arc::clone(&node), Arc::clone(&readiness), Arc::clone(&costs), name);
        let operations = Arc::new(operations);
        let costs = costs.keep();
        let sockets = routes.sockets.clone();
        let router = http::router(Arc::new(routes));

        let public_limits =
            Limits { connections_max: 4_096.max(node.config.connections_max / 2), ..Limits::default() };
        let inner_limits = Limits { connections_max: 64, ..Limits::default() };
        let public = public.start(router, public_limits, Arc::clone(&metrics));
        let panel = operations::panel::open(&node, Arc::clone(&operations), &stores.operators);
        let admin_limits = Limits { connections_max: OPERATORS_CONNECTIONS_MAX, ..Limits::default() };
        let admin = admin.start(operations::panel::router(&panel, &node), admin_limits, Arc::clone(&metrics));
        let scrape = scrape.start(Arc::clone(&operations).metrics_router(), inner_limits, metrics);
        let upkeep = tokio::spawn(upkeep(Arc::clone(&operations)));
        let heartbeat = heartbeat.reread_when(Arc::clone(&node.outage_declared)).start();
        readiness.set(ReadinessState::Ready);
        Ok(Server {
            node,
            readiness,
            sockets,
            public,
            admin,
            panel,
            metrics: scrape,
            operations,
            upkeep,
            hints,
            publishing,
            revocations,
            mails,
            unions,
            pruning,
            erasing,
            costs,
            heartbeat,
            lease,
            store,
        })
    }

    /// Where players connect.
    pub fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where operators look.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Where Prometheus scrapes.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// What operators can ask of it and do.
    pub fn operations(&self) -> &Arc<NodeOperations> {
        &self.operations
    }

    /// The server behind its listeners.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Player sockets whose tasks have not ended.
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// Waits until something broke that only a restart mends (exit 70), and says what.
    pub async fn failed(&self) -> String {
        self.node.failed().await
    }

    /// Waits until an operator wants it to stop.
    pub async fn asked_to_stop(&self) {
        self.node.asked_to_stop().await;
    }

    /// Stops in order: what was acknowledged is durable, every socket is told to come back, nothing is left running.
    pub async fn shutdown(self, deadline: Duration) -> Drained {
        let give_up = Instant::now() + deadline;
        self.readiness.set(ReadinessState::Draining);
        self.public.stop();
        let drained = self.node.drain(deadline).await;
        // What this node had is free for the others at once: before the last socket is closed, because whoever left first
        // is there already, and one that does not read must not keep everybody else waiting.
        let _late = timeout_at(give_up.max(Instant::now() + LISTENERS_WITHIN), self.lease.stop()).await;
        self.node.say_goodbye(give_up).await;
        self.sockets.close();
        self.panel.close();
        let ends = async {
            self.sockets.wait().await;
            self.public.finish().await;
            self.admin.finish().await;
            self.metrics.finish().await;
        };
        // What is late now is a client that does not read; it has lost nothing and the process ends anyway.
        let ends = async { tokio::join!(self.heartbeat.stop(), ends) };
        let _late = timeout_at(give_up.max(Instant::now() + LISTENERS_WITHIN), ends).await;
        self.upkeep.abort();
        self.hints.abort();
        self.publishing.abort();
        self.revocations.abort();
        self.mails.abort();
        self.unions.abort();
        self.pruning.abort();
        self.erasing.abort();
        self.costs.abort();
        // Connections to a database that does not answer are not waited for: there is nothing on them that counts.
        let _late = timeout(STORE_WITHIN, self.store.close()).await;
        drained
    }
}

async fn heartbeat(
    config: &Config,
    clock: &Clock,
    metrics: &Arc<Metrics>,
    stores: &Stores,
    minimum_ms: i64,
) -> Result<Heartbeat, StartError> {
    let (store, metrics) = (Arc::clone(&stores.uptime), Arc::clone(metrics));
    let begun = Heartbeat::begin(store, clock.clone(), metrics, minimum_ms).await;
    begun.map_err(|source| OpenFailed::Store { url: config.database.to_string(), source }.into())
}

/// Joins those that share the store.
async fn identity(name: &str, config: &Config, stores: &Stores) -> Result<Identity, StartError> {
    let node_id = NodeId(Uuid::now_v7());
    let standing = lease::begin(&stores.journal, node_id, name).await;
    let failed = |source| OpenFailed::Store { url: config.database.to_string(), source };
    Ok(Identity { node_id, standing: standing.map_err(failed)? })
}

/// What this server is called among those that share its store.
fn node_name(config: &Config, address: SocketAddr) -> String {
    config.node_name.clone().unwrap_or_else(|| format!("{}:{}", host_name(), address.port()))
}

/// What the machine is called; no two servers on it have the same port.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// What the routes of a node need; `play` is what is done with a socket.
pub fn routes(
    node: &Arc<Node>,
    readiness: &Arc<Readiness>,
    (avatars, firebase): (Avatars, Option<Firebase>),
    play: Play,
) -> Public {
    let config = &node.config;
    Public {
        accounts: node.accounts.clone(),
        settings: Settings::new(Arc::clone(node)),
        claims: Arc::new(Claims::new(Arc::clone(node))),
        erasing: Arc::new(Erasing::new(Arc::clone(node), avatars.clone())),
        avatars,
        firebase,
        own_data: OwnData::new(Arc::clone(node)),
        tickets: node.tickets.clone(),
        admission: Arc::clone(&node.admission),
        clock: node.clock.clone(),
        metrics: Arc::clone(&node.metrics),
        readiness: Arc::clone(readiness),
        board: Arc::clone(&node.board),
        play,
        sockets: TaskTracker::new(),
        origins: OriginPolicy::from_config(config),
        trusted_proxies: config.trusted_proxies.clone(),
        limits: AuthLimits::new(config.auth_limit, &node.cache, &node.metrics),
        production: config.environment == Environment::Production,
    }
}

async fn upkeep(operations: Arc<NodeOperations>) {
    let numbers = async {
        let mut ticks = ticks(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            operations.upkeep();
        }
    };
    // Beside it: the numbers go on while the database does not answer.
    let database = async {
        let mut ticks = ticks(CONNECTIONS_EVERY);
        loop {
            ticks.tick().await;
            operations.observe_database().await;
        }
    };
    tokio::join!(numbers, database);
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
