//! A whole server in one value: store, node, three listeners, and the order in which they start and stop.
//!
//! Start: store, node, listeners, ready. Stop: not ready, no new connections, drain the node (everything durable, sockets
//! closed with 1012), end the listeners, close the store. `main.rs` and the tests start the same server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use persistence::{Drained, MemoryStore, SqliteStore, StoreError};
use simulation::catalogue::Catalogue;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::{Config, DatabaseUrl, Environment};
use crate::connection;
use crate::http::{self, AuthLimits, CatalogueJson, OriginPolicy, Play, Public, Readiness, ReadinessState};
use crate::listener::{BindError, Limits, Listener, Running};
use crate::metrics::{Metrics, UPKEEP_EVERY};
use crate::node::{Node, Stores};
use crate::operations::NodeOperations;
use crate::uptime::{Beating, Heartbeat};

/// How long the listeners may take to end once the node is drained.
const LISTENERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a server did not start. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error("cannot open the store {url}")]
    Store {
        /// Which.
        url: String,
        /// Why.
        source: StoreError,
    },
    /// The folder of the store cannot be made.
    #[error("cannot make the folder {folder} for the store")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operators' listener would be public.
    #[error(transparent)]
    Admin(#[from] admin_http::NotLoopback),
    /// The system gives no threads.
    #[error("cannot start the simulation's threads")]
    Threads(#[source] std::io::Error),
}

/// An open store and what closes it.
pub struct OpenStore {
    stores: Stores,
    sqlite: Option<SqliteStore>,
}

impl std::fmt::Debug for OpenStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenStore").field("sqlite", &self.sqlite.is_some()).finish_non_exhaustive()
    }
}

impl OpenStore {
    /// Opens a store for writing and checks that it keeps what it confirms.
    ///
    /// # Errors
    /// [`StartError::Store`] and [`StartError::Folder`].
    pub async fn open(url: &DatabaseUrl) -> Result<OpenStore, StartError> {
        let path = match url {
            DatabaseUrl::Memory => {
                return Ok(OpenStore { stores: Stores::of(MemoryStore::new()), sqlite: None });
            }
            DatabaseUrl::Sqlite(path) => path,
        };
        make_folder_of(path)?;
        let store_error = |source| StartError::Store { url: path.display().to_string(), source };
        let sqlite = SqliteStore::open(path).await.map_err(store_error)?;
        let stores = Stores::of(sqlite.clone());
        stores.journal.check().await.map_err(store_error)?;
        Ok(OpenStore { stores, sqlite: Some(sqlite) })
    }

    /// The faces of the store.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Gives the file free.
    pub async fn close(self) {
        if let Some(sqlite) = self.sqlite {
            sqlite.close().await;
        }
    }
}

pub(crate) fn make_folder_of(path: &Path) -> Result<(), StartError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder)
            .map_err(|source| StartError::Folder { folder: folder.display().to_string(), source }),
        _ => Ok(()),
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    readiness: Arc<Readiness>,
    sockets: TaskTracker,
    public: Running,
    admin: Running,
    metrics: Running,
    upkeep: JoinHandle<()>,
    heartbeat: Beating,
    sqlite: Option<SqliteStore>,
}

impl Server {
    /// Starts everything on an open store.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(config: Config, clock: Clock, store: OpenStore) -> Result<Server, StartError> {
        // All addresses first: a port that is taken must not cost a started node.
        let admin_address = SocketAddr::new(config.admin_host, config.admin_port);
        admin_http::check_address(admin_address)?;
        let metrics_address = SocketAddr::new(config.metrics_host, config.metrics_port);
        let public = Listener::bind("players", SocketAddr::new(config.host, config.port)).await?;
        let admin = Listener::bind("operators", admin_address).await?;
        let scrape = Listener::bind("metrics", metrics_address).await?;

        let metrics = Arc::new(Metrics::new());
        let readiness = Arc::new(Readiness::new(Arc::clone(&metrics)));
        // Before the node: a hero must not be taken in while it is not known how long the service was away.
        let heartbeat = heartbeat(&config, &clock, &metrics, &store.stores).await?;
        let node = Node::start(config, clock, Arc::clone(&metrics), store.stores, heartbeat.outages())
            .map_err(StartError::Threads)?;
        let operations = Arc::new(NodeOperations::new(Arc::clone(&node), Arc::clone(&readiness)));
        let sockets = TaskTracker::new();
        let router = http::router(Arc::new(routes(&node, &readiness, &sockets)));

        let public_limits =
            Limits { connections_max: 4_096.max(node.config.connections_max / 2), ..Limits::default() };
        let inner_limits = Limits { connections_max: 64, ..Limits::default() };
        let public = public.start(router, public_limits, Arc::clone(&metrics));
        let admin_router = admin_http::router(Arc::clone(&operations) as _);
        let admin = admin.start(admin_router, inner_limits, Arc::clone(&metrics));
        let scrape = scrape.start(Arc::clone(&operations).metrics_router(), inner_limits, metrics);
        let upkeep = tokio::spawn(upkeep(operations));
        let heartbeat = heartbeat.start();
        readiness.set(ReadinessState::Ready);
        let sqlite = store.sqlite;
        Ok(Server { node, readiness, sockets, public, admin, metrics: scrape, upkeep, heartbeat, sqlite })
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

    /// Stops in order: what was acknowledged is durable, every socket is told to come back, nothing is left running.
    pub async fn shutdown(self, deadline: Duration) -> Drained {
        let give_up = Instant::now() + deadline;
        self.readiness.set(ReadinessState::Draining);
        self.public.stop();
        let drained = self.node.drain(deadline).await;
        self.sockets.close();
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
        if let Some(sqlite) = self.sqlite {
            sqlite.close().await;
        }
        drained
    }
}

async fn heartbeat(
    config: &Config,
    clock: &Clock,
    metrics: &Arc<Metrics>,
    stores: &Stores,
) -> Result<Heartbeat, StartError> {
    let minimum_ms = Catalogue::builtin().streak.outage_min_ms;
    let (store, metrics) = (Arc::clone(&stores.uptime), Arc::clone(metrics));
    let begun = Heartbeat::begin(store, clock.clone(), metrics, minimum_ms).await;
    begun.map_err(|source| {
        let url = match &config.database {
            DatabaseUrl::Memory => "memory:".to_owned(),
            DatabaseUrl::Sqlite(path) => path.display().to_string(),
        };
        StartError::Store { url, source }
    })
}

fn routes(node: &Arc<Node>, readiness: &Arc<Readiness>, sockets: &TaskTracker) -> Public {
    let config = &node.config;
    let players = Arc::clone(node);
    let play: Play = Arc::new(move |io, peer| connection::serve(io, peer, Arc::clone(&players)).boxed());
    let catalogue =
        serde_json::to_vec(&*node.catalogue).expect("a catalogue is maps, lists, texts and numbers");
    Public {
        accounts: node.accounts.clone(),
        tickets: node.tickets.clone(),
        admission: Arc::clone(&node.admission),
        clock: node.clock.clone(),
        metrics: Arc::clone(&node.metrics),
        readiness: Arc::clone(readiness),
        catalogue: CatalogueJson::new(catalogue),
        play,
        sockets: sockets.clone(),
        origins: OriginPolicy::from_config(config),
        limits: AuthLimits::new(config.auth_limit),
        production: config.environment == Environment::Production,
    }
}

async fn upkeep(operations: Arc<NodeOperations>) {
    let mut ticks = interval(UPKEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        operations.upkeep();
    }
}
