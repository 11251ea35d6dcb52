//! What the running server tells its operators: the answers of the operators' listener, and the numbers that are
//! looked up rather than counted.

mod catalogue;
mod corrections;
pub mod cost;
mod history;
mod overview;
pub mod panel;
mod players;
pub mod records;
mod system;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::history::History;
use admin_http::views::{
    Balance, Banner, CatalogueText, CatalogueVersions, Corrected, Correction, Cost, DryRun, HeroAt,
    HistoryPoint, Outage, Overview, Player, PlayerPage, Span, System, Timeline, UploadedCatalogue,
};
use admin_http::{Actor, Answer, Operations};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::config::{Config, DatabaseUrl};
use crate::http::Readiness;
use crate::machine::{Machine, Usage};
use crate::node::Node;

/// The operators' view of one server.
#[derive(Debug)]
pub struct NodeOperations {
    node: Arc<Node>,
    readiness: Arc<Readiness>,
    name: String,
    started_at_ms: i64,
    desk: players::Desk,
    /// One dry run at a time.
    dry_runs: tokio::sync::Semaphore,
    costs: Arc<cost::Costs>,
    machine: Machine,
    /// What the upkeep has looked up, for whoever asks in between.
    history: Mutex<History>,
}

impl NodeOperations {
    /// Of a server that starts now and is called so.
    pub fn new(
        node: Arc<Node>,
        readiness: Arc<Readiness>,
        costs: Arc<cost::Costs>,
        name: String,
    ) -> NodeOperations {
        let started_at_ms = node.clock.now_ms();
        let machine = Machine::of_this_process(data_folder(&node.config));
        node.metrics.process_start_time_seconds.set(started_at_ms / 1_000);
        let history = Mutex::new(History::begin(history::sample(&node, machine.usage())));
        NodeOperations {
            node,
            readiness,
            name,
            started_at_ms,
            desk: players::Desk::default(),
            dry_runs: tokio::sync::Semaphore::new(1),
            costs,
            machine,
            history,
        }
    }

    /// Of a node of a test, with the budget in its store.
    #[cfg(test)]
    pub(crate) fn of_test(node: Arc<Node>, store: &persistence::MemoryStore) -> NodeOperations {
        let readiness = Arc::new(Readiness::new(Arc::clone(&node.metrics)));
        let costs = cost::Costs::new(&node.config, Arc::new(store.clone()), node.clock.clone());
        NodeOperations::new(node, readiness, Arc::new(costs.expect("clients can be made")), "one".into())
    }

    /// Looks up the numbers that nobody counts as they happen.
    pub fn observe(&self) {
        let metrics = &self.node.metrics;
        let stats = self.node.journal.stats();
        metrics.journal_queue_events.set(stats.queue_events);
        metrics.journal_queue_bytes.set(stats.queue_bytes);
        metrics.journal_oldest_age_seconds.set_duration(stats.oldest_age);
        metrics.journal_read_only.set(i64::from(stats.is_read_only));
        metrics.lease_age_seconds.set_duration(self.node.standing.age());
        metrics.shard_inbox_requests.set(self.node.fullest_inbox_requests());
        let connections = self.node.store.connections();
        metrics.database_connections_busy.set(connections.used);
        metrics.database_connections_max.set(connections.max);
    }

    /// Looks up what everybody does to the database; takes as long as the database.
    pub async fn observe_database(&self) {
        let metrics = &self.node.metrics;
        let asked = self.node.store.server_connections().await;
        // Whether it is away, others say.
        let connections = asked.ok().flatten().unwrap_or_default();
        metrics.postgres_connections_open.set(connections.used);
        metrics.postgres_connections_max.set(connections.max);
    }

    /// What waits for sockets: every one of them is looked at, so this is not done for every scrape.
    fn observe_outboxes(&self) {
        let (mut bytes, mut fullest) = (0, 0);
        self.node.directory.for_all(|outbox| {
            let (frames_waiting, bytes_waiting) = outbox.waiting();
            bytes += bytes_waiting;
            fullest = fullest.max(frames_waiting);
        });
        self.node.metrics.outbox_bytes.set(bytes);
        self.node.metrics.outbox_fullest_frames.set(fullest);
    }

    fn show(&self, usage: &Usage) {
        let metrics = &self.node.metrics;
        metrics.process_cpu_seconds_total.follow(usage.process_cpu.as_secs());
        metrics.process_resident_memory_bytes.set(usage.process_memory_bytes);
        metrics.process_open_fds.set(usage.fds_open);
        metrics.process_max_fds.set(usage.fds_max);
        metrics.machine_cpu_cores.set_float(usage.cores);
        metrics.machine_cpu_seconds_total.follow(usage.cpu.as_secs());
        metrics.machine_cpu_throttled_seconds_total.follow(usage.cpu_throttled.as_secs());
        metrics.machine_memory_used_bytes.set(usage.memory_used_bytes);
        metrics.machine_memory_limit_bytes.set(usage.memory_limit_bytes);
        metrics.data_disk_bytes.set(usage.disk_bytes);
        metrics.data_disk_free_bytes.set(usage.disk_free_bytes);
    }

    /// What must happen every [`crate::metrics::UPKEEP_EVERY`], scraped or not.
    pub fn upkeep(&self) {
        self.observe();
        self.observe_outboxes();
        let usage = self.machine.usage();
        self.show(&usage);
        self.history().add(history::sample(&self.node, usage));
        let metrics = &self.node.metrics;
        metrics.run_upkeep();
        self.costs.sample(&usage, whole(metrics.connections_open.get()));
        self.node
            .cache
            .set_presence(whole(metrics.connections_open.get()), whole(metrics.heroes_in_memory.get()));
    }

    fn history(&self) -> std::sync::MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The metrics listener's routes.
    pub fn metrics_router(self: Arc<Self>) -> Router {
        Router::new().route("/metrics", get(show_metrics)).with_state(self)
    }
}

async fn show_metrics(State(operations): State<Arc<NodeOperations>>) -> impl IntoResponse {
    operations.observe();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, operations.node.metrics.render())
}

impl Operations for NodeOperations {
    fn overview(&self) -> Overview {
        overview::overview(self)
    }

    fn history(&self, span: Span) -> Vec<HistoryPoint> {
        overview::history(self, span)
    }

    fn system(&self) -> Answer<'_, System> {
        Box::pin(system::system(self))
    }

    fn find_players<'a>(&'a self, query: &'a str, after: Option<&'a str>) -> Answer<'a, PlayerPage> {
        Box::pin(players::find_players(self, query, after))
    }

    fn player<'a>(&'a self, hero: &'a str) -> Answer<'a, Player> {
        Box::pin(players::player(self, hero))
    }

    fn timeline<'a>(&'a self, hero: &'a str, before: Option<u64>, limit: u32) -> Answer<'a, Timeline> {
        Box::pin(players::timeline(self, hero, before, limit))
    }

    fn hero_at<'a>(&'a self, hero: &'a str, seq: u64) -> Answer<'a, HeroAt> {
        Box::pin(players::hero_at(self, hero, seq))
    }

    fn balance<'a>(&'a self, hero: &'a str) -> Answer<'a, Balance> {
        Box::pin(players::balance(self, hero))
    }

    fn export<'a>(&'a self, hero: &'a str) -> Answer<'a, Vec<u8>> {
        Box::pin(players::export(self, hero))
    }

    fn close_connections<'a>(
        &'a self,
        actor: Actor,
        hero: &'a str,
        connection: Option<&'a str>,
    ) -> Answer<'a, ()> {
        Box::pin(players::close_connections(self, actor, hero, connection))
    }

    fn ban<'a>(&'a self, actor: Actor, hero: &'a str, is_banned: bool) -> Answer<'a, ()> {
        Box::pin(players::ban(self, actor, hero, is_banned))
    }

    fn erase<'a>(&'a self, actor: Actor, hero: &'a str, is_wanted: bool) -> Answer<'a, ()> {
        Box::pin(players::erase(self, actor, hero, is_wanted))
    }

    fn correct<'a>(&'a self, actor: Actor, hero: &'a str, correction: Correction) -> Answer<'a, Corrected> {
        Box::pin(corrections::correct(self, actor, hero, correction))
    }

    fn correction_limit(&self) -> Correction {
        corrections::correction_limit(self)
    }

    fn outages(&self) -> Answer<'_, Vec<Outage>> {
        Box::pin(corrections::outages(self))
    }

    fn declare_outage(&self, actor: Actor, outage: Outage) -> Answer<'_, ()> {
        Box::pin(corrections::declare_outage(self, actor, outage))
    }

    fn catalogues(&self) -> Answer<'_, CatalogueVersions> {
        Box::pin(catalogue::catalogues(self))
    }

    fn catalogue_text(&self, version: u32) -> Answer<'_, CatalogueText> {
        Box::pin(catalogue::catalogue_text(self, version))
    }

    fn upload_catalogue<'a>(&'a self, actor: Actor, text: &'a str) -> Answer<'a, UploadedCatalogue> {
        Box::pin(catalogue::upload_catalogue(self, actor, text))
    }

    fn dry_run(&self, version: u32) -> Answer<'_, DryRun> {
        Box::pin(catalogue::dry_run(self, version))
    }

    fn switch_catalogue(&self, actor: Actor, in_force: u32, version: u32) -> Answer<'_, ()> {
        Box::pin(catalogue::switch_catalogue(self, actor, in_force, version))
    }

    fn cost(&self) -> Answer<'_, Cost> {
        Box::pin(cost::cost(self))
    }

    fn set_budget(&self, actor: Actor, budget_usd: u32) -> Answer<'_, ()> {
        Box::pin(cost::set_budget(self, actor, budget_usd))
    }

    fn set_banner(&self, actor: Actor, banner: Option<Banner>) -> Answer<'_, ()> {
        Box::pin(system::set_banner(self, actor, banner))
    }

    fn drain(&self, actor: Actor) -> Answer<'_, ()> {
        Box::pin(system::drain(self, actor))
    }
}

/// The folder of what must not run out of room on this machine.
fn data_folder(config: &Config) -> Option<PathBuf> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Some(folder.unwrap_or(Path::new(".")).to_owned())
        }
        // Postgres has its own disk, memory has none.
        DatabaseUrl::Memory | DatabaseUrl::Postgres(_) => None,
    }
}

/// A gauge as a count.
pub(crate) fn whole(value: f64) -> u64 {
    // Through a duration, because it rounds and refuses what is negative or no number.
    Duration::try_from_secs_f64(value).map_or(0, |seconds| (seconds + Duration::from_millis(500)).as_secs())
}
