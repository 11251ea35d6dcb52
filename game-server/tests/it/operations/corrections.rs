//! Balances that the team changes, and what the journal says about them.

use admin_http::Refused;
use admin_http::views::{Corrected, Correction};
use futures_util::FutureExt;
use game_server::clock::Clock;
use game_server::{convert, verify};
use persistence::{EventRecord, HeroId, Seq};
use protocol::client::Command;
use protocol::server::ServerMessage;
use protocol::types::{Category, FocusMode};
use serde_json::{Value, json};
use simulation::hero::Hero;

use super::{ada, desk};
use crate::harness::{TestServer, wait_until};
use crate::player::{Player, create};

/// A Monday, noon.
const NOON_MS: i64 = 1_772_452_800_000;

fn give(energy_me: i64, dopamine_md: i64) -> Correction {
    Correction { energy_me, dopamine_md, reverts: None }
}

/// A player who has focused for five minutes, and where its journal stands.
async fn played(clock: &Clock, variables: &[(&str, &str)]) -> (TestServer, String, Player, u64) {
    let server = TestServer::start_at(clock.clone(), variables).await;
    let (hero, device_token) = server.guest().await;
    let (mut player, ..) = Player::connect(&server, &device_token, 0).await;
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    player.command(Command::StartFocus { mode, category: Category::None, task_id: None }).await;
    clock.advance(5 * 60_000);
    let seq = player.command(Command::EndFocus).await.seq;
    (server, hero, player, seq)
}

/// The next line about a correction that the player is told, and its wallet then.
async fn told(player: &mut Player) -> (protocol::server::Event, protocol::types::Wallet) {
    loop {
        if let ServerMessage::Events(news) = player.receive().await
            && let Some(event) = news.events.iter().find(|event| event.kind == "balance_corrected")
        {
            return (event.clone(), news.patch.wallet.expect("its balance moved"));
        }
    }
}

async fn assert_clean(server: &TestServer) {
    let node = server.server().node();
    let mut out = Vec::new();
    let summary = verify::run(&*node.store, &*node.read_models, &node.texts, &mut out).await;
    assert_eq!(summary.expect("a store").damaged, 0, "{}", String::from_utf8_lossy(&out));
}

/// Waits until the tables for people have read everything.
async fn caught_up(server: &TestServer, seq: u64) {
    let metrics = server.metrics();
    wait_until("nobody is behind", || {
        metrics.read_models_events_total.get() >= seq && metrics.read_models_lag_heroes.get() == 0.0
    })
    .await;
}

#[tokio::test]
async fn a_gift_is_heard_kept_and_explained() {
    let (server, hero, mut player, _) = played(&Clock::fixed(NOON_MS), &[]).await;
    let before = desk(&server).balance(&hero).await.expect("it is known");
    let done = desk(&server).correct(ada(7), &hero, give(5_000, 1_500)).await.expect("it is done");
    let (event, wallet) = told(&mut player).await;
    assert_eq!((event.seq, event.energy_me, event.dopamine_md), (done.seq, 5_000, 1_500));
    assert_eq!(
        (event.cause.as_deref(), event.note.as_deref()),
        (Some("correction"), Some("Sorry for the lost hour"))
    );
    assert_eq!((wallet.energy_me, wallet.dopamine_md), (done.energy_me, done.dopamine_md));
    assert_eq!(done.energy_me, before.energy_me + 5_000);

    let timeline = desk(&server).timeline(&hero, None, 1).await.expect("it is known");
    let [line] = &timeline.events[..] else { panic!("{timeline:?}") };
    assert_eq!((timeline.last_seq, line.seq, timeline.before), (done.seq, done.seq, Some(done.seq)));
    assert_eq!((line.operator.as_deref(), line.cause.as_deref()), (Some("ada"), Some("correction")));
    let body = &line.body["balance_corrected"];
    assert_eq!(
        (body["audit_seq"].clone(), body["reason"].clone()),
        (json!(7), json!("Sorry for the lost hour"))
    );
    assert_eq!(line.command, None, "no device did it");

    caught_up(&server, done.seq).await;
    let balance = desk(&server).balance(&hero).await.expect("it is known");
    assert!(balance.adds_up);
    let correction = balance.causes.iter().find(|sum| sum.cause == "correction").expect("it is a cause");
    assert_eq!((correction.count, correction.energy_me, correction.dopamine_md), (1, 5_000, 1_500));
    let sum: i64 = balance.causes.iter().map(|sum| sum.energy_me).sum();
    assert_eq!((sum, balance.energy_me), (done.energy_me, done.energy_me));
    assert_eq!(balance.lines[0].energy_balance_me, done.energy_me);
    let ledger = server.read_models().ledger(hero.parse().expect("an id"), None, 1).await.expect("a store");
    assert_eq!((ledger[0].seq, ledger[0].energy_me, ledger[0].earned_me), (Seq(done.seq), 5_000, 0));
    assert_eq!(ledger[0].subject, None, "its words stay in the journal");

    let document = desk(&server).export(&hero).await.expect("it is small");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    assert_eq!(document["last_seq"], json!(done.seq));
    player.leave().await;
    assert_clean(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn the_same_row_of_the_audit_log_answers_as_the_first_time() {
    let (server, hero, player, _) = played(&Clock::fixed(NOON_MS), &[]).await;
    let first = desk(&server).correct(ada(7), &hero, give(5_000, 0)).await.expect("it is done");
    desk(&server).correct(ada(8), &hero, give(1_000, 0)).await.expect("another one");
    let again = desk(&server).correct(ada(7), &hero, give(5_000, 0)).await.expect("it was done");
    assert_eq!(again, first, "also after something else happened");
    let balance = desk(&server).balance(&hero).await.expect("it is known");
    assert_eq!(balance.energy_me, first.energy_me + 1_000, "nothing was given twice");
    let timeline = desk(&server).timeline(&hero, None, 200).await.expect("it is known");
    assert_eq!(timeline.events.iter().filter(|event| event.kind == "balance_corrected").count(), 2);
    player.leave().await;
    server.stop().await;
}

#[tokio::test]
async fn nothing_falls_below_nothing() {
    let (server, hero, player, _) = played(&Clock::fixed(NOON_MS), &[]).await;
    let before = desk(&server).balance(&hero).await.expect("it is known");
    let too_much = give(-before.energy_me - 1_234, 0);
    let refused = desk(&server).correct(ada(1), &hero, too_much).await;
    let Err(Refused::Invalid(hint)) = refused else { panic!("{refused:?}") };
    assert!(hint.contains("by 1.234 "), "{hint}");
    let refused = desk(&server).correct(ada(1), &hero, give(0, 0)).await;
    assert!(matches!(refused, Err(Refused::Invalid(_))), "{refused:?}");
    let after = desk(&server).balance(&hero).await.expect("it is known");
    assert_eq!((after.energy_me, after.lines), (before.energy_me, before.lines), "nothing has changed");
    let all =
        desk(&server).correct(ada(1), &hero, give(-before.energy_me, 0)).await.expect("there is so much");
    assert_eq!(all.energy_me, 0);
    let unknown = desk(&server).correct(ada(2), "0198f1c2-7d3e-7abc-8def-0123456789ab", give(1, 0)).await;
    assert!(matches!(unknown, Err(Refused::NotFound(_))), "{unknown:?}");
    player.leave().await;
    assert_clean(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn an_event_is_taken_back_once_with_its_own_amounts() {
    let (server, hero, player, ended) = played(&Clock::fixed(NOON_MS), &[]).await;
    let timeline = desk(&server).timeline(&hero, None, 200).await.expect("it is known");
    let line = timeline.events.iter().find(|event| event.seq == ended).expect("it is listed");
    assert!(line.energy_me > 0, "{line:?}");
    let right =
        Correction { energy_me: -line.energy_me, dopamine_md: -line.dopamine_md, reverts: Some(ended) };

    let wrong = Correction { energy_me: right.energy_me + 1, ..right };
    let refused = desk(&server).correct(ada(1), &hero, wrong).await;
    let Err(Refused::Invalid(hint)) = refused else { panic!("{refused:?}") };
    assert!(hint.contains(&format!("energy_me {} ", right.energy_me)), "{hint}");
    let unmoved = timeline.events.iter().find(|event| event.kind == "session_started").expect("it is listed");
    let refused =
        desk(&server).correct(ada(1), &hero, Correction { reverts: Some(unmoved.seq), ..right }).await;
    assert!(matches!(refused, Err(Refused::Invalid(_))), "{refused:?}");
    let refused = desk(&server).correct(ada(1), &hero, Correction { reverts: Some(999), ..right }).await;
    assert!(matches!(refused, Err(Refused::NotFound(_))), "{refused:?}");

    // Two operators at the same moment: one of them does it.
    let (one, other) = tokio::join!(
        desk(&server).correct(ada(2), &hero, right),
        desk(&server).correct(ada(3), &hero, right)
    );
    let done: Vec<Corrected> =
        [&one, &other].into_iter().filter_map(|it| it.as_ref().ok().copied()).collect();
    let [done] = done[..] else { panic!("{one:?} {other:?}") };
    let refused = if one.is_ok() { other } else { one };
    assert!(matches!(refused, Err(Refused::Conflict(_))), "{refused:?}");
    // Also when the hero has forgotten it.
    for audit_seq in 100..140 {
        desk(&server).correct(ada(audit_seq), &hero, give(100, 0)).await.expect("it is done");
    }
    let refused = desk(&server).correct(ada(4), &hero, right).await;
    let Err(Refused::Conflict(hint)) = refused else { panic!("{refused:?}") };
    assert!(hint.contains(&format!("by event {}", done.seq)), "{hint}");
    // A mistake can be taken back too.
    let back =
        Correction { energy_me: -right.energy_me, dopamine_md: -right.dopamine_md, reverts: Some(done.seq) };
    desk(&server).correct(ada(5), &hero, back).await.expect("it moved a balance");
    let subject =
        desk(&server).timeline(&hero, None, 1).await.expect("it is known").events[0].subject.clone();
    assert_eq!(subject, Some(done.seq.to_string()));
    player.leave().await;
    assert_clean(&server).await;
    server.stop().await;
}

/// A fold of its own: the events from the first one, without snapshots and without the server's reading code.
fn folded(records: &[EventRecord], texts: &game_server::texts::TextKey) -> Hero {
    let mut hero = Hero::default();
    for record in records {
        let payload = texts.open(&record.payload).expect("the key is there");
        let event = rmp_serde::from_slice(&payload).expect("an event");
        simulation::apply::apply(&mut hero, &simulation::event::TimedEvent { at_ms: record.at_ms, event });
    }
    hero
}

#[tokio::test]
async fn time_travel_shows_what_an_independent_fold_shows() {
    let fast = [
        ("SOCKET_COMMANDS_PER_SECOND", "1000"),
        ("SOCKET_COMMANDS_BURST", "1000"),
        ("SOCKET_MESSAGES_PER_SECOND", "1000"),
        ("SOCKET_MESSAGES_BURST", "1000"),
    ];
    let clock = Clock::fixed(NOON_MS);
    let (server, hero, mut player, _) = played(&clock, &fast).await;
    for name in 0..220 {
        clock.advance(1_000);
        player.command(Command::RenameHero { name: format!("Name {name}") }).await;
    }
    let node = server.server().node();
    let id: HeroId = hero.parse().expect("an id");
    // So that the answers come from a snapshot and some events, and older ones from the events alone.
    let mut kept = Vec::new();
    wait_until("a snapshot is kept", || {
        let found = node.store.snapshots(id, Seq(u64::MAX), 1).now_or_never();
        kept = found.and_then(Result::ok).unwrap_or_default();
        !kept.is_empty()
    })
    .await;
    player.command(create("Water the plants")).await;
    let task_id = player.command(create("Call home")).await.created_id.expect("a task");
    player.command(Command::CompleteTask { task_id, occurrence_on: None }).await;
    player.leave().await;
    let last = node.store.head(id).await.expect("a store").expect("it is there").last_seq.0;
    assert!((100..last - 2).contains(&kept[0].seq.0), "a snapshot at {} of {last}", kept[0].seq.0);
    let records = node.store.events(id, Seq(1), 1_000).await.expect("a store");
    assert_eq!(records.len() as u64, last);
    let texts = node.texts.find(id).await.expect("a store").expect("a key");
    for seq in 1..=last {
        let there = desk(&server).hero_at(&hero, seq).await.expect("it happened");
        let own = folded(&records[..usize::try_from(seq).expect("small")], &texts);
        let view = convert::hero_view(&own, &hero, &node.catalogue(), own.latest_ms);
        assert_eq!(there.hero, serde_json::to_value(view).expect("JSON"), "at {seq}");
        assert_eq!((there.seq, there.at_ms), (seq, records[usize::try_from(seq - 1).expect("small")].at_ms));
    }
    let named = desk(&server).timeline(&hero, None, 200).await.expect("it is known");
    let named =
        named.events.iter().find(|event| event.body == json!({ "hero_renamed": { "name": "Name 200" } }));
    let named = desk(&server).hero_at(&hero, named.expect("it was named so").seq).await.expect("it happened");
    assert_eq!(named.before["profile"]["name"], json!("Name 199"), "what it changed, as it was");
    assert_eq!(named.before.as_object().map(serde_json::Map::len), Some(1), "and nothing else");
    for wrong in [0, last + 1] {
        let refused = desk(&server).hero_at(&hero, wrong).await;
        assert!(matches!(refused, Err(Refused::NotFound(_))), "{refused:?}");
    }
    let mut pages = 0;
    let mut before = None;
    let mut seqs = Vec::new();
    loop {
        let page = desk(&server).timeline(&hero, before, 70).await.expect("it is known");
        pages += 1;
        seqs.extend(page.events.iter().map(|event| event.seq));
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, last.div_ceil(70));
    assert_eq!(seqs, (1..=last).rev().collect::<Vec<_>>(), "pages have no gap");
    server.stop().await;
}
