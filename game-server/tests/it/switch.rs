//! Another catalogue under connected players: nobody is disconnected, no command is lost or done twice, everybody hears
//! of it, and what is stored is sound. `load-tests catalogue-switch` does the same with a thousand of them from outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use admin_http::views::Banner;
use admin_http::{Actor, Operations};
use game_server::clock::Clock;
use game_server::server::Server;
use game_server::store::OpenStore;
use game_server::verify;
use persistence::Drained;
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::{ServerMessage, Status};
use simulation::catalogue::Catalogue;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::{PATIENCE, TestServer, config};
use crate::player::{Player, create};

const BOTS: usize = 50;
/// Commands of each bot between two switches, at least.
const COMMANDS_MIN: u64 = 5;

fn actor() -> Actor {
    Actor { operator: "ada".to_owned(), audit_seq: 1, reason: "a test".to_owned() }
}

fn text(version: u32) -> String {
    let text = Catalogue::BUILTIN_TEXT.replacen("version: 1,", &format!("version: {version},"), 1);
    text.replacen("base_me_per_s: 20", &format!("base_me_per_s: {}", 20 + version), 1)
}

/// What a bot saw.
struct Seen {
    acknowledged: u64,
    versions: BTreeSet<u32>,
    notices: BTreeSet<String>,
}

/// Sends one command after the other until it is told to stop, and listens. Any frame out of place ends the test.
async fn play(
    mut player: Player,
    mut steps: watch::Receiver<Option<u32>>,
    done: watch::Sender<u64>,
) -> (Player, Seen) {
    let mut seen = Seen { acknowledged: 0, versions: BTreeSet::new(), notices: BTreeSet::new() };
    loop {
        let step = *steps.borrow_and_update();
        let Some(version) = step else { break };
        // Some commands under these numbers, and not before their version was told.
        let mut commands = 0;
        while commands < COMMANDS_MIN || !seen.versions.contains(&version) {
            let cmd_seq = seen.acknowledged + 1;
            let body = if cmd_seq.is_multiple_of(2) {
                create("Bot")
            } else {
                Command::RenameHero { name: format!("Bot {cmd_seq}") }
            };
            player.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await;
            loop {
                match player.receive().await {
                    ServerMessage::Durable(result) => {
                        assert_eq!(result.cmd_seq, cmd_seq, "each command once, in order");
                        break;
                    }
                    ServerMessage::Status(status) => note(&mut seen, status),
                    ServerMessage::Events(_) | ServerMessage::Progress(_) => {}
                    other => panic!("nothing else belongs here: {other:?}"),
                }
            }
            seen.acknowledged = cmd_seq;
            commands += 1;
        }
        done.send_modify(|done| *done += 1);
        if steps.changed().await.is_err() {
            break;
        }
    }
    (player, seen)
}

fn note(seen: &mut Seen, status: Status) {
    seen.versions.insert(status.catalogue_version);
    seen.notices.extend(status.notice.map(|notice| notice.text));
}

#[tokio::test]
async fn a_switch_under_players_disconnects_nobody_and_loses_nothing() {
    let server = TestServer::start_with(&[
        ("UNAUTHENTICATED_PER_ADDRESS_MAX", "1000"),
        ("RATE_LIMIT_MAX_REQUESTS", "100000"),
        ("SOCKET_COMMANDS_PER_SECOND", "1000"),
        ("SOCKET_COMMANDS_BURST", "1000"),
        ("SOCKET_MESSAGES_PER_SECOND", "1000"),
        ("SOCKET_MESSAGES_BURST", "1000"),
        ("SOCKET_BYTES_PER_SECOND", "10000000"),
        ("SOCKET_BYTES_BURST", "10000000"),
    ])
    .await;
    let node = Arc::clone(server.server().node());
    let operations = Arc::clone(server.server().operations());
    for version in [2, 3] {
        let uploaded = operations.upload_catalogue(actor(), &text(version)).await.expect("it is taken");
        assert_eq!((uploaded.version, uploaded.problems.len()), (Some(version), 0));
    }
    let banner = Banner { text: "New numbers today.".to_owned(), until_ms: None };
    operations.set_banner(actor(), Some(banner)).await.expect("it is set");

    let (steps, _) = watch::channel(Some(1));
    let (done, mut finished) = watch::channel(0_u64);
    let mut bots = JoinSet::new();
    for _ in 0..BOTS {
        let (_, token) = server.guest().await;
        let (player, _, _) = Player::connect(&server, &token, 0).await;
        bots.spawn(play(player, steps.subscribe(), done.clone()));
    }
    let mut everybody = 0;
    // To another, to a third, back to the second, and back to the one inside the program.
    for (from, to) in [(1, 2), (2, 3), (3, 2), (2, 1)] {
        everybody += BOTS as u64;
        timeout(PATIENCE, finished.wait_for(|done| *done >= everybody))
            .await
            .expect("in time")
            .expect("bots play");
        steps.send_replace(Some(to));
        operations.switch_catalogue(actor(), from, to).await.expect("it is switched");
        assert_eq!(node.catalogue().version, to);
    }
    everybody += BOTS as u64;
    timeout(PATIENCE, finished.wait_for(|done| *done >= everybody))
        .await
        .expect("in time")
        .expect("bots play");
    steps.send_replace(None);
    while let Some(bot) = bots.join_next().await {
        let (player, seen) = bot.expect("a bot broke");
        assert_eq!(seen.versions, BTreeSet::from([1, 2, 3]));
        assert!(seen.acknowledged >= 5 * COMMANDS_MIN);
        assert_eq!(seen.notices, BTreeSet::from(["New numbers today.".to_owned()]));
        player.leave().await;
    }
    assert_eq!(node.metrics.slow_clients_closed_total.get(), 0);
    let mut report = Vec::new();
    let summary =
        verify::run(&*node.store, server.read_models(), &node.texts, &mut report).await.expect("it is there");
    assert_eq!((summary.damaged, summary.heroes), (0, BOTS as u64), "{}", String::from_utf8_lossy(&report));
    drop((operations, node));
    server.stop().await;
}

/// A catalogue in a store is used from the first moment of the next start, also by whoever asks over HTTP.
#[tokio::test]
async fn a_start_uses_what_is_in_force() {
    let folder = std::env::temp_dir().join(format!("dopamine-hero-{}", uuid::Uuid::new_v4()));
    let url = format!("sqlite://{}", folder.join("heroes.sqlite").display());
    let config = config(&[("DATABASE_URL", &url)]);
    let start = async || {
        let store = OpenStore::open(&config.database).await.expect("the store opens");
        Server::start(config.clone(), Clock::system(), store).await.expect("the server starts")
    };
    let server = start().await;
    let node = Arc::clone(server.node());
    let operations = Arc::clone(server.operations());
    operations.upload_catalogue(actor(), &text(2)).await.expect("it is taken");
    operations.switch_catalogue(actor(), 1, 2).await.expect("it is switched");
    let shown = crate::harness::request(server.address(), "GET", "/v1/catalogue", &[], "").await;
    assert_eq!(shown.json()["version"], 2);
    drop((operations, node));
    assert_eq!(server.shutdown(PATIENCE).await, Drained::Clean);
    let server = start().await;
    let shown = crate::harness::request(server.address(), "GET", "/v1/catalogue", &[], "").await;
    assert_eq!((&shown.json()["version"], &shown.json()["focus"]["base_me_per_s"]), (&2.into(), &22.into()));
    let etag = shown.header("etag").expect("it has one").to_owned();
    let again =
        crate::harness::request(server.address(), "GET", "/v1/catalogue", &[("if-none-match", &etag)], "")
            .await;
    assert_eq!(again.status, 304);
    assert_eq!(server.shutdown(PATIENCE).await, Drained::Clean);
    std::fs::remove_dir_all(&folder).expect("the folder is the test's own");
}
