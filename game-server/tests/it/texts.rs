//! What a player types is nowhere to be read but by the player: not in the files of SQLite, Postgres or Redis, and by
//! nobody at all once the owner was erased.

use std::path::{Path, PathBuf};

use game_server::clock::Clock;
use game_server::server::Server;
use game_server::store::OpenStore;
use game_server::tools;
use persistence::HeroId;
use protocol::client::Command;
use protocol::types::{Category, FocusMode, Hero};
use test_servers::{Postgres, Redis};

use crate::harness::{SECRET, TestServer, config};
use crate::player::{Player, create};

/// In everything that is typed here, and in nothing else.
const CANARY: &str = "Xylophon";
/// What the files do hold: the search finds what is there.
const CONTROL: &str = "task_created";

/// Types something wherever something can be typed; the hero as it is told afterwards.
async fn play(server: &TestServer, device_token: &str) -> Hero {
    let (mut player, ..) = Player::connect(server, device_token, 0).await;
    player.command(Command::RenameHero { name: format!("{CANARY} name") }).await;
    let task_id = player.command(create(&format!("{CANARY} title"))).await.created_id.expect("a task");
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    player.command(Command::StartFocus { mode, category: Category::None, task_id: Some(task_id) }).await;
    let intention = Some(format!("{CANARY} intention"));
    player.command(Command::DescribeFocus { task_id: Some(task_id), intention }).await;
    let name = format!("{CANARY} preset");
    player.command(Command::SavePreset { slot: 0, name, category: Category::None }).await;
    player.leave().await;
    let (player, _, hero) = Player::connect(server, device_token, 0).await;
    player.leave().await;
    hero
}

/// What the player sees of what was typed.
fn typed(hero: &Hero) -> [Option<&str>; 4] {
    [
        Some(hero.profile.name.as_str()),
        hero.tasks.first().map(|task| task.title.as_str()),
        hero.focus.session.as_ref().and_then(|session| session.intention.as_deref()),
        hero.presets.presets.first().map(|preset| preset.name.as_str()),
    ]
}

fn assert_readable(hero: &Hero) {
    let expected = ["name", "title", "intention", "preset"].map(|what| Some(format!("{CANARY} {what}")));
    assert_eq!(typed(hero), expected.each_ref().map(Option::as_deref));
}

/// Files below a folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes.windows(text.len()).any(|window| window == text.as_bytes())
            {
                found.push(path);
            }
        }
    }
    found
}

fn assert_private(folder: &Path, control: &str) {
    assert_eq!(holding(folder, CANARY), Vec::<PathBuf>::new());
    assert!(!holding(folder, control).is_empty(), "the search finds what is there");
}

async fn export(variables: &[(&str, &str)], hero_id: &str) -> String {
    let mut out = Vec::new();
    tools::export(&config(variables), hero_id, &mut out).await.expect("the hero is there");
    String::from_utf8(out).expect("JSON is text")
}

#[tokio::test]
async fn typed_words_are_not_in_a_sqlite_file_and_gone_with_their_owner() {
    let folder = std::env::temp_dir().join(format!("dopamine-hero-texts-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).expect("a new folder");
    let url = format!("sqlite:{}", folder.join("hero.db").display());
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    let server = TestServer::start_with(&variables).await;
    let (hero_id, device_token) = server.guest().await;
    assert_readable(&play(&server, &device_token).await);
    assert_private(&folder, CONTROL);
    server.stop().await;
    assert_private(&folder, CONTROL);

    // From the snapshot and the events, by another process.
    let server = TestServer::start_with(&variables).await;
    let (player, _, hero) = Player::connect(&server, &device_token, 0).await;
    assert_readable(&hero);
    player.leave().await;
    server.stop().await;
    for what in ["name", "title", "intention", "preset"] {
        assert!(export(&variables, &hero_id).await.contains(&format!("{CANARY} {what}")), "{what}");
    }
    let other_secret = [("DATABASE_URL", url.as_str())];
    assert!(!export(&other_secret, &hero_id).await.contains(CANARY), "a stolen file says nothing");

    let store = OpenStore::open(&config(&other_secret).database).await.expect("the store opens");
    let refused = Server::start(config(&other_secret), Clock::system(), store).await.expect_err("refused");
    let told = format!("{:#}", anyhow::Error::from(refused));
    assert!(told.contains("SECRET_KEYS"), "{told}");

    let hero: HeroId = hero_id.parse().expect("an id");
    let store = OpenStore::open(&config(&variables).database).await.expect("the store opens");
    assert!(store.stores().accounts.erase_guest(hero).await.expect("the store is there"));
    store.close().await;
    let kept = export(&variables, &hero_id).await;
    assert!(!kept.contains(CANARY), "nobody can read it any more");
    assert!(kept.contains("session_started"), "what happened is still there");
    let mut out = Vec::new();
    let summary = tools::verify(&config(&variables), &mut out).await.expect("the store is there");
    assert_eq!((summary.heroes, summary.damaged), (1, 0), "{}", String::from_utf8_lossy(&out));
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[tokio::test]
async fn typed_words_are_neither_in_postgres_nor_in_redis() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let (url, redis_url) = (postgres.url(), redis.url());
    let variables = [("DATABASE_URL", url.as_str()), ("REDIS_URL", redis_url.as_str()), SECRET];
    tools::migrate(&config(&variables), false, &mut Vec::new()).await.expect("empty tables can be made");
    let server = TestServer::start_with(&variables).await;
    let (_, device_token) = server.guest().await;
    assert_readable(&play(&server, &device_token).await);
    server.stop().await;
    postgres.sql(&url, "CHECKPOINT");
    assert_private(postgres.folder(), CONTROL);
    redis.cli(&["CONFIG", "SET", "rdbcompression", "no"]);
    redis.cli(&["SAVE"]);
    assert_private(redis.folder(), "dh:");

    let server = TestServer::start_with(&variables).await;
    let (player, _, hero) = Player::connect(&server, &device_token, 0).await;
    assert_readable(&hero);
    player.leave().await;
    server.stop().await;
}
