//! Upload, dry run and switch against a node, as an operator's request calls them.

use std::sync::Arc;
use std::time::Duration;

use admin_http::{Actor, Operations, Refused};
use persistence::{CatalogueStore, Fault, HeroId, InForce, MemoryStore, NewCatalogue};
use protocol::server::ServerMessage;
use simulation::catalogue::Catalogue;
use simulation::command::{Category, Command, FocusMode};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::compare;
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::node::{Identity, Node};
use crate::operations::NodeOperations;
use crate::outbox::Outbox;
use crate::published::{self, Posted, PublishedFailed};
use crate::shard::Request;
use crate::store::Stores;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Lab {
    store: MemoryStore,
    node: Arc<Node>,
    operations: NodeOperations,
    following: JoinHandle<()>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Lab {
    async fn start() -> Lab {
        Lab::over(MemoryStore::new()).await
    }

    /// A node on a store, as a server starts it.
    async fn over(store: MemoryStore) -> Lab {
        let config = Config::parse(|name| (name == "SHARDS").then(|| "2".to_owned())).expect("it is valid");
        let (_outages_tx, outages) = watch::channel(Arc::default());
        let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
        let stores = Stores::of(store.clone());
        let node = Node::start(config, clock, Arc::clone(&metrics), stores, outages, Identity::alone());
        let node = node.expect("threads can be had");
        node.post(Posted::read(&store).await.expect("what is published can be read")).await;
        let following = published::follow(Arc::clone(&node), Arc::new(store.clone()));
        let operations = NodeOperations::of_test(Arc::clone(&node), &store);
        Lab { store, node, operations, following }
    }

    async fn upload(&self, text: &str) -> u32 {
        let uploaded = self.operations.upload_catalogue(actor(), text).await.expect("it is taken");
        assert_eq!(uploaded.problems, []);
        uploaded.version.expect("it has no problems")
    }

    async fn switch(&self, in_force: u32, version: u32) -> Result<(), Refused> {
        self.operations.switch_catalogue(actor(), in_force, version).await
    }

    /// A player's device, welcomed.
    async fn connect(&self, number: u128) -> Device {
        let hero = HeroId(Uuid::from_u128(number));
        let outbox = Arc::new(Outbox::new(self.node.next_connection_id()));
        let attach = Request::Attach {
            hero,
            stream_id: 7,
            last_seq: None,
            time_zone: None,
            outbox: Arc::clone(&outbox),
        };
        self.node.shard(hero).try_send(attach).expect("the inbox has room");
        let mut device = Device { hero, outbox, frames: Vec::new() };
        device.wait_for(|message| matches!(message, ServerMessage::Welcome(_))).await;
        device
    }
}

struct Device {
    hero: HeroId,
    outbox: Arc<Outbox>,
    frames: Vec<ServerMessage>,
}

impl Device {
    async fn wait_for(&mut self, wanted: impl Fn(&ServerMessage) -> bool) {
        let found = async {
            loop {
                let (frames, closing) = self.outbox.take();
                assert_eq!(closing, None, "the socket stays open");
                let decoded =
                    frames.iter().map(|frame| protocol::codec::decode_server(frame).expect("sound"));
                self.frames.extend(decoded);
                if self.frames.iter().any(&wanted) {
                    return self.frames.clear();
                }
                self.outbox.something().await;
            }
        };
        timeout(PATIENCE, found).await.expect("it comes in time");
    }

    async fn command(&mut self, lab: &Lab, cmd_seq: u64, command: Command) {
        let request = Request::Command {
            hero: self.hero,
            connection_id: self.outbox.connection_id,
            cmd_seq,
            command: Box::new(command),
            received: Instant::now().into(),
        };
        lab.node.shard(self.hero).try_send(request).expect("the inbox has room");
        self.wait_for(
            |message| matches!(message, ServerMessage::Durable(result) if result.cmd_seq == cmd_seq),
        )
        .await;
    }

    async fn told_version(&mut self, version: u32) {
        let is_it = |message: &ServerMessage| matches!(message, ServerMessage::Status(status) if status.catalogue_version == version);
        self.wait_for(is_it).await;
    }
}

fn actor() -> Actor {
    Actor { operator: "ada".to_owned(), audit_seq: 1, reason: "a test".to_owned() }
}

/// The built-in text under another version, with pieces replaced.
fn text(version: u32, pieces: &[(&str, &str)]) -> String {
    let mut text = Catalogue::BUILTIN_TEXT.replacen("version: 1,", &format!("version: {version},"), 1);
    for (old, new) in pieces {
        assert!(text.contains(old), "{old:?} is not in the built-in catalogue");
        text = text.replacen(old, new, 1);
    }
    text
}

/// The module that every hero begins with is gone, and another one is in its place.
fn without_sine(version: u32) -> String {
    let text = text(version, &[("starters: [\"gen_sine\"]", "starters: [\"gen_pulse\"]")]);
    let start = text.find("        (\n            id: \"gen_sine\"").expect("it is there");
    let end = text.find("        (\n            id: \"gen_pulse\"").expect("it is there");
    format!("{}{}", &text[..start], &text[end..])
}

#[tokio::test]
async fn at_first_the_built_in_one_is_in_force_and_listed() {
    let lab = Lab::start().await;
    let listed = lab.operations.catalogues().await.expect("the store is there");
    assert_eq!(listed.in_force, 1);
    let [only] = &listed.versions[..] else { panic!("{:?}", listed.versions) };
    assert_eq!((only.version, only.uploaded_at_ms, only.in_force_since_ms), (1, None, None));
    let shown = lab.operations.catalogue_text(1).await.expect("it is inside the program");
    assert_eq!(shown.text, Catalogue::BUILTIN_TEXT);
    assert!(matches!(lab.operations.catalogue_text(2).await, Err(Refused::NotFound(_))));
}

#[tokio::test]
async fn an_upload_says_everything_that_is_wrong() {
    let lab = Lab::start().await;
    let wrong = text(2, &[("base_me_per_s: 20", "base_me_per_s: -1"), ("level_max: 100", "level_max: 0")]);
    let uploaded = lab.operations.upload_catalogue(actor(), &wrong).await.expect("it is answered");
    assert_eq!(uploaded.version, None);
    let paths: Vec<_> = uploaded.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["focus.base_me_per_s", "levels.level_max"]);
    assert_eq!(lab.operations.catalogues().await.expect("the store is there").versions.len(), 1);
}

#[tokio::test]
async fn a_number_belongs_to_one_text() {
    let lab = Lab::start().await;
    let other = text(1, &[("base_me_per_s: 20", "base_me_per_s: 21")]);
    let uploaded = lab.operations.upload_catalogue(actor(), &other).await.expect("it is answered");
    assert_eq!((uploaded.version, uploaded.problems.len()), (None, 1));
    let problem = &uploaded.problems[0];
    assert_eq!(problem.path, "version");
    let line = usize::try_from(problem.line).expect("it is small");
    assert!(other.lines().nth(line - 1).expect("the line is there").contains("version: 1"), "{problem:?}");
    assert_eq!(lab.upload(&text(2, &[])).await, 2);
    assert_eq!(lab.upload(&text(2, &[])).await, 2, "the same once more is no mistake");
    let other = text(2, &[("base_me_per_s: 20", "base_me_per_s: 21")]);
    let uploaded = lab.operations.upload_catalogue(actor(), &other).await.expect("it is answered");
    assert_eq!((uploaded.version, uploaded.problems.len()), (None, 1));
    assert_eq!(lab.operations.catalogue_text(2).await.expect("it is kept").text, text(2, &[]));
}

#[tokio::test]
async fn a_switch_reaches_the_rules_the_players_and_the_next_start() {
    let lab = Lab::start().await;
    let mut device = lab.connect(1).await;
    let before = lab.node.board.posted().json.clone();
    lab.upload(&text(2, &[("base_me_per_s: 20", "base_me_per_s: 40")])).await;
    lab.switch(1, 2).await.expect("it is switched");
    assert_eq!(lab.node.catalogue().focus.base_me_per_s, 40, "when it is answered, it is so");
    assert_ne!(format!("{:?}", lab.node.board.posted().json), format!("{before:?}"), "and it is sent");
    device.told_version(2).await;
    let listed = lab.operations.catalogues().await.expect("the store is there");
    assert_eq!(listed.in_force, 2);
    let since = listed.versions.iter();
    let since = since.map(|it| (it.version, it.in_force_since_ms.is_some(), it.uploaded_by.is_some()));
    let since: Vec<_> = since.collect();
    assert!(since.contains(&(2, true, true)) && since.contains(&(1, false, false)), "{since:?}");

    let again = Lab::over(lab.store.clone()).await;
    assert_eq!(again.node.catalogue().version, 2);
    again.switch(2, 1).await.expect("and back to the one inside the program");
    assert_eq!(again.node.catalogue().focus.base_me_per_s, 20);
    // The other server has not been told; it asks.
    device.told_version(1).await;
    assert_eq!(lab.node.catalogue().version, 1);
}

#[tokio::test]
async fn a_switch_from_an_old_picture_is_refused() {
    let lab = Lab::start().await;
    for version in [2, 3] {
        lab.upload(&text(version, &[])).await;
    }
    assert!(matches!(lab.switch(2, 3).await, Err(Refused::Conflict(_))), "version 1 is in force");
    assert!(matches!(lab.switch(1, 1).await, Err(Refused::Invalid(_))));
    assert!(matches!(lab.switch(1, 9).await, Err(Refused::NotFound(_))));
    lab.switch(1, 2).await.expect("it is switched");
    assert!(matches!(lab.switch(1, 3).await, Err(Refused::Conflict(_))), "somebody else was first");
    assert_eq!(lab.node.catalogue().version, 2);
}

#[tokio::test]
async fn a_switch_that_would_take_modules_away_is_refused() {
    let lab = Lab::start().await;
    lab.upload(&without_sine(2)).await;
    lab.connect(1).await;
    let Err(Refused::Conflict(why)) = lab.switch(1, 2).await else { panic!("a hero builds gen_sine") };
    assert!(why.contains("gen_sine") && why.contains("1 heroes"), "{why}");
    assert_eq!(lab.node.catalogue().version, 1);
    assert_eq!(lab.store.published().await.expect("it is in memory").in_force, None);
    let tried = lab.operations.dry_run(2).await.expect("it is tried");
    assert_eq!((tried.heroes, tried.heroes_broken), (1, 1));
    assert!(tried.examples[0].notes.contains(&"gen_sine is gone".to_owned()), "{:?}", tried.examples);
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_for_whom_and_changes_nothing() {
    let lab = Lab::start().await;
    let mut devices = Vec::new();
    for number in 1..=300 {
        devices.push(lab.connect(number).await);
    }
    let start = Command::StartFocus { mode: FocusMode::Flowtime, category: Category::None, task_id: None };
    devices[0].command(&lab, 1, start).await;
    let blueprint = Command::PinBlueprint { module_id: simulation::id::ModuleId::literal("gen_pulse") };
    devices[1].command(&lab, 1, blueprint).await;
    lab.upload(&text(
        2,
        &[
            ("base_me_per_s: 20", "base_me_per_s: 30"),
            ("cost_me: 25_000", "cost_me: 26_000"),
            (
                "(hero_level: 1, columns: 2, rows: 2, assembly_slots: 1",
                "(hero_level: 1, columns: 2, rows: 2, assembly_slots: 2",
            ),
        ],
    ))
    .await;
    let tried = lab.operations.dry_run(2).await.expect("it is tried");
    assert_eq!((tried.from, tried.to), (1, 2));
    assert_eq!((tried.heroes, tried.heroes_changed, tried.heroes_broken), (300, 300, 0));
    let paths: Vec<_> = tried.changes.iter().map(|change| change.path.as_str()).collect();
    let expected =
        ["version", "focus.base_me_per_s", "rack.levels[0].assembly_slots", "modules[gen_pulse].cost_me"];
    assert!(expected.iter().all(|path| paths.contains(path)) && paths.len() == 4, "{paths:?}");
    assert_eq!(tried.histogram.iter().sum::<u64>(), 300);
    assert_eq!(tried.histogram[30], 300, "half as much again: {:?}", tried.histogram);
    assert_eq!(tried.examples.len(), 100);
    let example = &tried.examples[0];
    // An hour at the base rate, and the day's first half hour counts double.
    assert!(example.energy_per_hour_from_me > 72_000 * 3 / 2, "{example:?}");
    let rounded_me = example.energy_per_hour_to_me - example.energy_per_hour_from_me * 3 / 2;
    assert!((-1..=1).contains(&rounded_me), "{example:?}");
    assert!(example.notes.contains(&"assembly slots 1 → 2".to_owned()), "{example:?}");
    assert_eq!(lab.node.catalogue().version, 1);
    let same = lab.operations.dry_run(1).await.expect("the same is tried");
    assert_eq!((same.heroes_changed, same.changes.len(), same.histogram[20]), (0, 0, 300));
}

#[tokio::test]
async fn while_the_store_is_away_nothing_is_promised() {
    let lab = Lab::start().await;
    lab.upload(&text(2, &[])).await;
    lab.store.fail_until_healed(Fault::Unavailable);
    let uploaded = lab.operations.upload_catalogue(actor(), &text(3, &[])).await;
    assert_eq!(uploaded, Err(Refused::Away));
    assert_eq!(lab.switch(1, 2).await, Err(Refused::Away), "what it needs first could not be kept");
    lab.store.heal();
    lab.switch(1, 2).await.expect("it is switched");
    lab.store.fail_until_healed(Fault::Unavailable);
    assert_eq!(lab.switch(2, 1).await, Err(Refused::Away));
    assert_eq!(lab.node.catalogue().version, 2);
}

#[tokio::test]
async fn a_version_that_this_program_cannot_read_is_not_followed() {
    let lab = Lab::start().await;
    let newer = NewCatalogue {
        version: 7,
        text: "(version: 7, magic: ())".to_owned(),
        at_ms: 1,
        by: "a newer program".to_owned(),
    };
    lab.store.keep_catalogue(newer).await.expect("it is in memory");
    assert!(matches!(lab.switch(1, 7).await, Err(Refused::Invalid(_))));
    // A newer program beside this one can.
    assert!(
        lab.store.put_in_force(None, InForce { version: 7, since_ms: 1 }).await.expect("it is in memory")
    );
    let followed = lab.node.board.follow_now().await;
    assert!(matches!(followed, Err(PublishedFailed::Unreadable { version: 7, .. })), "{followed:?}");
    assert_eq!(lab.node.catalogue().version, 1, "it goes on with what it has");
    let started = Posted::read(&lab.store).await.map(|posted| posted.catalogue.version);
    assert!(
        matches!(started, Err(PublishedFailed::Unreadable { .. })),
        "and does not start with something else"
    );
    published::use_builtin(&lab.store, 2).await.expect("the way out");
    lab.node.board.follow_now().await.expect("it can be read");
    assert_eq!(Posted::read(&lab.store).await.expect("and a server starts").catalogue.version, 1);
}

#[test]
fn differences_are_named() {
    let (from, to) = (Catalogue::builtin(), Catalogue::parse(&without_sine(2)).expect("it is valid"));
    let changes = compare::changes(&from, &to);
    let gone = changes.iter().find(|change| change.path == "modules[gen_sine]").expect("it is told");
    assert!(gone.to.is_none() && gone.from.as_ref().is_some_and(|text| text.contains("Sine")), "{gone:?}");
    assert!(changes.iter().all(|change| !change.path.starts_with("modules[gen_pulse]")), "{changes:?}");
    let starters = changes.iter().find(|change| change.path == "rack.starters[0]").expect("it is told");
    assert_eq!((starters.from.as_deref(), starters.to.as_deref()), (Some("gen_sine"), Some("gen_pulse")));
    assert_eq!(compare::changes(&from, &from), []);
}
