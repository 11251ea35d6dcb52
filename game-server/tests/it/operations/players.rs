//! Players that are found, kept out, sent away and forgotten.

use admin_http::Refused;
use game_server::clock::Clock;
use game_server::tools;
use protocol::client::Command;
use serde_json::{Value, json};
use test_servers::Postgres;

use super::{ada, desk};
use crate::accounts::{NOW_MS, PASSWORD, call, close_code, login, open, post, register, text};
use crate::harness::{SECRET, TestServer, config};
use crate::player::Player;

/// A guest's hero with this name; its token.
async fn named(server: &TestServer, name: &str) -> (String, String) {
    let (hero, device_token) = server.guest().await;
    let (mut player, ..) = Player::connect(server, &device_token, 0).await;
    player.command(Command::RenameHero { name: name.to_owned() }).await;
    player.leave().await;
    (hero, device_token)
}

async fn found(server: &TestServer, query: &str) -> Vec<String> {
    let page = desk(server).find_players(query, None).await.expect("a question");
    assert_eq!(page.next, None, "that is all");
    page.players.into_iter().map(|row| row.hero_id).collect()
}

#[tokio::test]
async fn players_are_found_by_id_mail_and_name() {
    let clock = Clock::fixed(NOW_MS);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    let (grace, _) = named(&server, "Grace").await;
    clock.advance(1_000);
    let (gracious, _) = named(&server, "graCious ü").await;
    clock.advance(1_000);
    let (img, _) = named(&server, "<img onerror>").await;
    clock.advance(1_000);
    let session = register(&server, "Ada@Example.org", None).await;
    let ada_hero = text(&session, "hero_id");
    let access = text(&session, "access_token");
    let mut socket = open(&server, &access).await;

    assert_eq!(found(&server, " GRAC ").await, [gracious.clone(), grace.clone()], "the one seen last first");
    assert_eq!(found(&server, "gracious Ü").await, std::slice::from_ref(&gracious));
    assert_eq!(found(&server, "race").await, Vec::<String>::new(), "only beginnings");
    assert_eq!(found(&server, "<img").await, std::slice::from_ref(&img));
    assert_eq!(found(&server, "").await, [ada_hero.clone(), img, gracious, grace.clone()]);
    assert_eq!(found(&server, &grace).await, [grace]);
    assert_eq!(found(&server, " ADA@example.org").await, std::slice::from_ref(&ada_hero));
    assert_eq!(
        found(&server, "ada@example.or").await,
        Vec::<String>::new(),
        "a mail address is whole or nothing"
    );
    assert_eq!(found(&server, "0198f1c2-7d3e-7abc-8def-0123456789ab").await, Vec::<String>::new());
    let wrong = desk(&server).find_players("x", Some("nonsense")).await;
    assert!(matches!(wrong, Err(Refused::Invalid(_))), "{wrong:?}");
    let long = desk(&server).find_players(&"x".repeat(255), None).await;
    assert!(matches!(long, Err(Refused::Invalid(_))), "{long:?}");

    let player = desk(&server).player(&ada_hero).await.expect("it is there");
    assert_eq!((player.row.kind.as_str(), player.row.connections), ("account", 1));
    let facts = player.account.expect("it is an account");
    assert_eq!((facts.mail.as_deref(), facts.is_mail_verified), (Some("A…@Example.org"), false));
    assert_eq!(found(&server, &facts.account_id).await, std::slice::from_ref(&ada_hero));
    assert_eq!((player.devices.len(), player.devices[0].name.as_str()), (1, "Laptop"));
    let [connection] = &player.sockets[..] else { panic!("{:?}", player.sockets) };
    assert_eq!(connection.connected_at_ms, clock.now_ms());
    assert_eq!(connection.device_id.as_deref(), Some(player.devices[0].device_id.as_str()));
    assert_eq!(player.hero.expect("it folds")["hero_id"], json!(ada_hero));
    let name = server.server().node().config.node_name.clone();
    assert!(name.is_some());
    assert_eq!((player.owner, player.quarantined), (name, None));

    let other = desk(&server).close_connections(ada(1), &ada_hero, Some("999")).await;
    assert!(matches!(other, Err(Refused::NotFound(_))), "{other:?}");
    desk(&server)
        .close_connections(ada(1), &ada_hero, Some(&connection.connection_id))
        .await
        .expect("it is here");
    assert_eq!(close_code(&mut socket).await, 1012);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_names_say_how_far_they_came() {
    let clock = Clock::fixed(NOW_MS);
    let server = TestServer::start_at(clock.clone(), &[("RATE_LIMIT_MAX_REQUESTS", "10000")]).await;
    let (first, _) = named(&server, "Zoe").await;
    // More than one question looks at; none of them was ever played.
    for _ in 0..520 {
        clock.advance(10);
        server.guest().await;
    }
    let page = desk(&server).find_players("zoe", None).await.expect("a question");
    assert!(page.players.is_empty());
    let next = page.next.expect("it did not come to the end");
    let page = desk(&server).find_players("zoe", Some(&next)).await.expect("a question");
    assert_eq!((page.players[0].hero_id.as_str(), page.next), (first.as_str(), None));
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = desk(&server).find_players("", after.as_deref()).await.expect("a question");
        assert!(page.players.len() <= 50);
        all.extend(page.players.into_iter().map(|row| row.hero_id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), all.last()), (521, Some(&first)));
    server.stop().await;
}

async fn two_servers(postgres: &Postgres) -> (TestServer, TestServer) {
    let url = postgres.url();
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    tools::migrate(&config(&variables), false, &mut Vec::new()).await.expect("empty tables can be made");
    let here = TestServer::start_with(&[&variables[..], &[("NODE_NAME", "here")]].concat()).await;
    (here, TestServer::start_with(&[&variables[..], &[("NODE_NAME", "there")]].concat()).await)
}

#[tokio::test]
async fn a_ban_closes_sockets_on_every_server_and_nobody_comes_back() {
    let postgres = Postgres::start();
    let (here, there) = two_servers(&postgres).await;
    let session = register(&there, "ada@example.org", None).await;
    let (hero, access) = (text(&session, "hero_id"), text(&session, "access_token"));
    let mut socket = open(&there, &access).await;
    let player = desk(&here).player(&hero).await.expect("it is there");
    assert_eq!((player.owner.as_deref(), player.sockets.len()), (Some("there"), 0));
    desk(&here).ban(ada(1), &hero, true).await.expect("it is done");
    assert_eq!(close_code(&mut socket).await, 4003);
    for server in [&here, &there] {
        assert_eq!(call(server, "GET", "/v1/me", Some(&access), &Value::Null).await.status, 401);
        let refused = login(server, "ada@example.org", PASSWORD).await;
        assert_eq!((refused.status, refused.code().as_str()), (401, "wrong_login"));
    }
    assert_eq!(desk(&here).player(&hero).await.expect("it is there").row.kind, "banned");
    desk(&here).ban(ada(2), &hero, true).await.expect("it is so already");
    desk(&there).ban(ada(3), &hero, false).await.expect("it is done");
    let back = login(&there, "ada@example.org", PASSWORD).await.json();
    let mut socket = open(&there, &text(&back, "access_token")).await;
    desk(&here).close_connections(ada(4), &hero, None).await.expect("it is done");
    assert_eq!(close_code(&mut socket).await, 1012, "sent away, and free to come back");

    let (guest, device_token) = there.guest().await;
    let mut socket = open(&there, &device_token).await;
    desk(&here).ban(ada(5), &guest, true).await.expect("it is done");
    assert_eq!(close_code(&mut socket).await, 4003);
    let refused = post(&there, "/v1/ws-ticket", Some(&device_token), &Value::Null).await;
    assert_eq!(refused.status, 401);
    assert_eq!(desk(&here).player(&guest).await.expect("it is there").row.kind, "banned");
    desk(&here).ban(ada(6), &guest, false).await.expect("it is done");
    drop(open(&there, &device_token).await);
    there.shut_down().await;
    here.stop().await;
}

#[tokio::test]
async fn an_operator_can_have_a_player_forgotten_and_take_it_back() {
    let clock = Clock::fixed(NOW_MS);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    let session = register(&server, "ada@example.org", None).await;
    let hero = text(&session, "hero_id");
    let mut socket = open(&server, &text(&session, "access_token")).await;
    desk(&server).erase(ada(1), &hero, true).await.expect("it is done");
    assert_eq!(close_code(&mut socket).await, 4001);
    let player = desk(&server).player(&hero).await.expect("it is there");
    let erase_at_ms = player.account.and_then(|account| account.erase_at_ms);
    assert_eq!((player.row.kind.as_str(), erase_at_ms), ("erasing", Some(NOW_MS + 30 * 24 * 60 * 60 * 1000)));
    desk(&server).erase(ada(2), &hero, false).await.expect("there is time");
    assert_eq!(desk(&server).player(&hero).await.expect("it is there").row.kind, "account");
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 200);

    let (guest, device_token) = named(&server, "Grace").await;
    assert_eq!(found(&server, "grace").await, std::slice::from_ref(&guest));
    desk(&server).ban(ada(3), &guest, true).await.expect("it is done");
    desk(&server).erase(ada(4), &guest, true).await.expect("also a banned one");
    let refused = post(&server, "/v1/ws-ticket", Some(&device_token), &Value::Null).await;
    assert_eq!(refused.status, 401);
    assert_eq!(desk(&server).player(&guest).await.expect("it is there").row.kind, "erasing");
    let back = desk(&server).erase(ada(5), &guest, false).await;
    assert!(matches!(back, Err(Refused::Conflict(_))), "{back:?}");
    let store = server.server().node().accounts.store();
    assert!(
        store.erase_guest(guest.parse().expect("an id")).await.expect("a store"),
        "as the next look does"
    );
    let player = desk(&server).player(&guest).await.expect("its journal stays");
    assert_eq!((player.row.kind.as_str(), player.row.name), ("unknown", None));
    assert_eq!(found(&server, "grace").await, Vec::<String>::new());
    let page = desk(&server).find_players(&guest, None).await.expect("a question");
    assert_eq!(page.players[0].name, None, "what it was called is forgotten, also where it was read before");
    let gone = desk(&server).ban(ada(6), &guest, true).await;
    assert!(matches!(gone, Err(Refused::NotFound(_))), "{gone:?}");
    server.stop().await;
}
