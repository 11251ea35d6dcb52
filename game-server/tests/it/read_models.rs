//! What a player does over a real socket is in the tables soon after, and says what the player was told.

use std::time::Duration;

use game_server::clock::Clock;
use game_server::tools;
use persistence::{HeroId, LedgerSum, SessionState};
use protocol::client::Command;
use protocol::types::{Category, FocusMode};
use test_servers::Postgres;
use tokio::time::timeout;

use crate::harness::{PATIENCE, TestServer, config, wait_until};
use crate::player::{Player, create};

/// A Monday, noon.
const NOON_MS: i64 = 1_772_452_800_000;

#[tokio::test]
async fn the_tables_say_what_the_player_was_told() {
    let clock = Clock::fixed(NOON_MS);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    let (hero_id, device_token) = server.guest().await;
    let (mut player, ..) = Player::connect(&server, &device_token, 0).await;
    let task_id = player.command(create("Water the plants")).await.created_id.expect("a task");
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    let start = Command::StartFocus { mode, category: Category::None, task_id: Some(task_id) };
    let session_id = player.command(start).await.created_id.expect("a session");
    clock.advance(5 * 60_000);
    player.command(Command::EndFocus).await;
    player.command(Command::CompleteTask { task_id, occurrence_on: None }).await;
    player.command(Command::AssembleModule { module_id: "gen_pulse".to_owned() }).await;
    player.leave().await;

    // What a device that comes now is told.
    let (player, seq, told) = Player::connect(&server, &device_token, 0).await;
    player.leave().await;
    let models = server.read_models();
    let hero: HeroId = hero_id.parse().expect("an id");
    let metrics = server.metrics();
    wait_until("nobody is behind", || {
        metrics.read_models_events_total.get() >= seq && metrics.read_models_lag_heroes.get() == 0.0
    })
    .await;
    let sum = models.ledger_sum(hero).await.expect("a store");
    assert!(sum.read_seq.0 >= seq);
    let wallet = told.wallet;
    assert_eq!(
        sum,
        LedgerSum { energy_me: wallet.energy_me, dopamine_md: wallet.dopamine_md, ..sum },
        "the ledger is the wallet"
    );
    let sessions = models.sessions(hero, None, 10).await.expect("a store");
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((session.session_id, session.state), (session_id, SessionState::Ended));
    assert_eq!((session.end_kind.as_deref(), session.focus_ms), (Some("completed"), 5 * 60_000));
    assert_eq!((session.started_at_ms, session.ended_at_ms), (NOON_MS, Some(NOON_MS + 5 * 60_000)));
    let tasks = models.tasks(hero, None, 10).await.expect("a store");
    assert_eq!(tasks.len(), told.tasks.len());
    assert_eq!(tasks[0].focus_ms, 5 * 60_000);
    assert_eq!(tasks[0].done_at_ms, Some(NOON_MS + 5 * 60_000));
    let assemblies = models.assemblies(hero, None, 10).await.expect("a store");
    let modules: Vec<_> = assemblies.iter().map(|row| row.module_id.as_str()).collect();
    assert_eq!(modules, ["gen_pulse", "gen_sine"], "newest first, with the free starter");
    let totals = models.totals(NOON_MS).await.expect("a store");
    assert_eq!((totals.sessions, totals.focus_ms, totals.tasks_done), (1, 5 * 60_000, 1));
    assert_eq!(totals.energy_me, wallet.lifetime_energy_me);
    server.stop().await;
}

/// The command and the follower of a running server may be at the same hero: each row comes once.
#[tokio::test]
async fn a_rebuild_beside_a_running_server_on_postgres_doubles_nothing() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("SOCKET_COMMANDS_PER_SECOND", "1000"),
        ("SOCKET_COMMANDS_BURST", "1000"),
        ("SOCKET_MESSAGES_PER_SECOND", "1000"),
        ("SOCKET_MESSAGES_BURST", "1000"),
    ];
    let config = config(&variables);
    tools::migrate(&config, false, &mut Vec::new()).await.expect("empty tables can be made");
    let server = TestServer::start_with(&variables).await;
    let (hero_id, device_token) = server.guest().await;
    let hero: HeroId = hero_id.parse().expect("an id");
    let (mut player, ..) = Player::connect(&server, &device_token, 0).await;
    let mut last = 0;
    for round in 0..12 {
        let playing = async {
            for task in 0..5 {
                let task_id = player.command(create(&format!("Task {round}.{task}"))).await.created_id;
                let task_id = task_id.expect("a task");
                last = player.command(Command::CompleteTask { task_id, occurrence_on: None }).await.seq;
            }
        };
        let mut out = Vec::new();
        let rebuilding = tools::rebuild_read_models(&config, None, None, &mut out);
        let ((), rebuilt) = tokio::join!(playing, rebuilding);
        rebuilt.unwrap_or_else(|error| panic!("{error:#}: {}", String::from_utf8_lossy(&out)));
    }
    player.leave().await;
    let models = server.read_models();
    timeout(PATIENCE, async {
        while models.read_seq(hero).await.expect("a store").0 < last {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("it catches up");
    server.stop().await;
    let mut out = Vec::new();
    let summary = tools::verify(&config, &mut out).await.expect("a store");
    assert_eq!((summary.heroes, summary.damaged), (1, 0), "{}", String::from_utf8_lossy(&out));
}
