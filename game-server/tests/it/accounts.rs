//! Accounts on a real server: made, logged in, refreshed, logged out.

use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::{SinkExt, StreamExt};
use game_server::clock::Clock;
use game_server::tools;
use persistence::AccountId;
use persistence::accounts::{AccountChange, AccountKey};
use protocol::client::{ClientMessage, Hello};
use serde_json::{Value, json};
use test_servers::Postgres;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{Answer, PATIENCE, SECRET, TestServer, config};

pub(crate) const NOW_MS: i64 = 1_800_000_000_000;
pub(crate) const PASSWORD: &str = "three plain words";
const TEN_MINUTES_MS: i64 = 10 * 60 * 1000;

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

pub(crate) async fn post(server: &TestServer, path: &str, token: Option<&str>, body: &Value) -> Answer {
    call(server, "POST", path, token, body).await
}

pub(crate) async fn call(
    server: &TestServer,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> Answer {
    let authorization = token.map(bearer);
    let headers: Vec<(&str, &str)> =
        authorization.iter().map(|value| ("authorization", value.as_str())).collect();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.request(method, path, &headers, &body).await
}

/// A program of its own: its refresh token comes in the body.
pub(crate) async fn register(server: &TestServer, mail: &str, guest: Option<&str>) -> Value {
    let wish = json!({ "mail": mail, "password": PASSWORD, "name": "Ada", "device_name": "Laptop", "keep": "token" });
    let answer = post(server, "/v1/auth/register", guest, &wish).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

pub(crate) async fn login(server: &TestServer, mail: &str, password: &str) -> Answer {
    post(server, "/v1/auth/login", None, &json!({ "mail": mail, "password": password, "keep": "token" }))
        .await
}

pub(crate) async fn refresh(server: &TestServer, token: &str) -> Answer {
    post(server, "/v1/auth/refresh", None, &json!({ "refresh_token": token })).await
}

async fn start() -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    (TestServer::start_at(clock.clone(), &[]).await, clock)
}

#[tokio::test]
async fn a_guest_keeps_its_hero_and_gets_other_tokens() {
    let (server, _) = start().await;
    let (hero, device_token) = server.guest().await;
    let session = register(&server, "Ada@Example.org", Some(&device_token)).await;
    assert_eq!(text(&session, "hero_id"), hero);
    let answer = post(&server, "/v1/ws-ticket", Some(&device_token), &Value::Null).await;
    assert_eq!(answer.status, 401, "the guest's token is void");
    let access = text(&session, "access_token");
    server.ticket(&access).await;
    let me = call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.json();
    assert_eq!(
        (text(&me, "hero_id"), text(&me, "mail"), text(&me, "name")),
        (hero.clone(), "Ada@Example.org".into(), "Ada".into())
    );
    assert_eq!((me["mail_verified"].clone(), me["created_at_ms"].clone()), (json!(false), json!(NOW_MS)));
    let again = json!({ "mail": "b@example.org", "password": PASSWORD });
    let taken = post(&server, "/v1/auth/register", Some(&access), &again).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "hero_taken"));
    let wrong = post(&server, "/v1/auth/register", Some("dh_nobody"), &again).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "unauthenticated"));
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said() {
    let (server, _) = start().await;
    register(&server, "ada@example.org", None).await;
    let cases = [
        (json!({ "mail": " ADA@example.org ", "password": PASSWORD }), 409, "mail_taken"),
        (json!({ "mail": "nobody", "password": PASSWORD }), 400, "malformed"),
        (json!({ "mail": "b@example.org", "password": "short" }), 400, "weak_password"),
        (json!({ "mail": "b@example.org", "password": "password1" }), 400, "weak_password"),
        (json!({ "mail": "b@example.org", "password": "x".repeat(129) }), 400, "weak_password"),
        (json!({ "mail": "b@example.org" }), 400, "malformed"),
        (json!({ "mail": "b@example.org", "password": PASSWORD, "admin": true }), 400, "malformed"),
        (json!(["b@example.org", PASSWORD]), 400, "malformed"),
        (
            json!({ "mail": "b@example.org", "password": PASSWORD, "device_name": "x".repeat(300) }),
            400,
            "malformed",
        ),
    ];
    for (body, status, code) in cases {
        let answer = post(&server, "/v1/auth/register", None, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn nobody_learns_why_a_login_failed() {
    let (server, _) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let mut bodies = Vec::new();
    for (mail, password) in [
        ("ada@example.org", "another password"),
        ("nobody@example.org", PASSWORD),
        ("no address", ""),
        ("", "x"),
    ] {
        let answer = login(&server, mail, password).await;
        assert_eq!(answer.status, 401);
        bodies.push((answer.code(), answer.json()["hint"].clone()));
    }
    let ada = AccountId(text(&ada, "account_id").parse().expect("an id"));
    let store = server.server().node().accounts.store();
    store.change_account(ada, AccountChange::BannedAt(Some(NOW_MS))).await.expect("the store works");
    let banned = login(&server, "ada@example.org", PASSWORD).await;
    assert_eq!(banned.status, 401);
    bodies.push((banned.code(), banned.json()["hint"].clone()));
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_weaker_hash_is_made_again_for_whoever_comes_in() {
    let (server, _) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let ada = AccountId(text(&ada, "account_id").parse().expect("an id"));
    let store = server.server().node().accounts.store();
    let stored = async || {
        let account =
            store.account(AccountKey::Id(ada)).await.expect("the store works").expect("it is there");
        account.password.expect("a password")
    };
    let change = async |change| store.change_account(ada, change).await.expect("the store works");
    let parameters = Params::new(8 * 1024, 1, 1, None).expect("valid");
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let weak: PasswordHash = hasher.hash_password(PASSWORD.as_bytes()).expect("valid");
    change(AccountChange::Password(weak.to_string())).await;
    change(AccountChange::BannedAt(Some(NOW_MS))).await;
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 401);
    assert_eq!(stored().await, weak.to_string(), "nothing is done for a banned one, it would take longer");
    change(AccountChange::BannedAt(None)).await;
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 200);
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "as strong as today's");
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_login_works_whatever_the_case_of_the_address() {
    let (server, clock) = start().await;
    let registered = register(&server, "ada@example.org", None).await;
    let answer = login(&server, " Ada@EXAMPLE.org", PASSWORD).await;
    assert_eq!(answer.status, 200);
    let session = answer.json();
    assert_eq!(text(&session, "hero_id"), text(&registered, "hero_id"));
    assert_ne!(text(&session, "device_id"), text(&registered, "device_id"));
    let access = text(&session, "access_token");
    clock.advance(TEN_MINUTES_MS - 1000);
    assert_eq!(call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.status, 200);
    clock.advance(1000);
    assert_eq!(call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.status, 401, "ten minutes");
    server.stop().await;
}

#[tokio::test]
async fn wrong_passwords_wait_and_the_owner_comes_in() {
    let (server, clock) = start().await;
    register(&server, "ada@example.org", None).await;
    for _ in 0..5 {
        assert_eq!(login(&server, "ada@example.org", "guess guess").await.status, 401);
    }
    let answer = login(&server, "ada@example.org", PASSWORD).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "rate"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    clock.advance(1_000);
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 200);
    assert_eq!(login(&server, "nobody@example.org", PASSWORD).await.status, 401, "another account");
    server.stop().await;
}

#[tokio::test]
async fn an_address_may_log_in_twenty_times_a_minute() {
    let (server, _) = start().await;
    for number in 0..20 {
        assert_eq!(login(&server, &format!("{number}@example.org"), "x").await.status, 401);
    }
    // On a slow machine some of them are given back meanwhile, one every three seconds.
    let mut answer = login(&server, "20@example.org", "x").await;
    for number in 21..60 {
        if answer.status == 429 {
            break;
        }
        answer = login(&server, &format!("{number}@example.org"), "x").await;
    }
    assert_eq!((answer.status, answer.code().as_str()), (429, "rate"));
    assert_eq!(answer.header("ratelimit-limit"), Some("20"));
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_a_thief_is_noticed() {
    let (server, clock) = start().await;
    let session = register(&server, "ada@example.org", None).await;
    let first = text(&session, "refresh_token");
    let answer = refresh(&server, &first).await;
    assert_eq!(answer.status, 200);
    assert_eq!(text(&answer.json(), "device_id"), text(&session, "device_id"), "the same device");
    let second = text(&answer.json(), "refresh_token");
    assert_ne!(first, second);
    clock.advance(10_000);
    assert_eq!(refresh(&server, &first).await.status, 200, "its answer may have been lost");
    let mut socket = open(&server, &text(&answer.json(), "access_token")).await;
    clock.advance(1);
    assert_eq!(refresh(&server, &first).await.status, 401, "a thief, or the owner after one");
    assert_eq!(refresh(&server, &second).await.status, 401, "nobody has it any more");
    let closed = Instant::now();
    assert_eq!(close_code(&mut socket).await, 4001);
    assert!(closed.elapsed() < Duration::from_secs(5));
    let access = text(&answer.json(), "access_token");
    assert_eq!(call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.status, 401, "at once");
    for nonsense in ["", "dhr_", "dh_x", &"x".repeat(5_000)] {
        assert_eq!(refresh(&server, nonsense).await.status, 401, "{nonsense}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_browser_keeps_its_token_where_no_script_can_read_it() {
    let (server, _) = start().await;
    let wish = json!({ "mail": "ada@example.org", "password": PASSWORD });
    let answer = post(&server, "/v1/auth/register", None, &wish).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json().get("refresh_token"), None);
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-dh_refresh=dhr_"), "{pair}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=5184000"] {
        assert!(attributes.split("; ").any(|it| it == attribute), "{attribute} in {attributes}");
    }
    assert!(!attributes.to_ascii_lowercase().contains("domain"), "{attributes}");
    let host = server.address().to_string();
    let own = format!("http://{host}");
    let from = |origin: &str| {
        let (server, pair, host, origin) = (&server, pair.to_owned(), host.clone(), origin.to_owned());
        async move {
            let headers = [("cookie", pair.as_str()), ("host", &host), ("origin", &origin)];
            let headers = if origin.is_empty() { &headers[..2] } else { &headers[..] };
            server.request("POST", "/v1/auth/refresh", headers, "{}").await
        }
    };
    for origin in ["", "null", "https://evil.example", "http://127.0.0.1.evil.example", "https://127.0.0.1"] {
        let answer = from(origin).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "origin"), "{origin}");
    }
    let answer = from(&own).await;
    assert_eq!(answer.status, 200);
    let next = answer.header("set-cookie").expect("a new cookie");
    assert!(next.starts_with("__Host-dh_refresh=dhr_") && !next.starts_with(pair), "rotated");
    let access = text(&answer.json(), "access_token");
    let answer = post(&server, "/v1/auth/logout", Some(&access), &Value::Null).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").expect("forgotten").contains("Max-Age=0"));
    let answer = from(&own).await;
    assert_eq!(answer.status, 401, "logged out");
    assert!(answer.header("set-cookie").expect("forgotten").contains("Max-Age=0"));
    server.stop().await;
}

#[tokio::test]
async fn devices_are_listed_and_signed_out() {
    let (server, _) = start().await;
    let first = register(&server, "ada@example.org", None).await;
    let second = login(&server, "ada@example.org", PASSWORD).await.json();
    let stranger = register(&server, "bob@example.org", None).await;
    let (access, other) = (text(&first, "access_token"), text(&second, "access_token"));
    let listed = call(&server, "GET", "/v1/me/devices", Some(&access), &Value::Null).await.json();
    let devices = listed["devices"].as_array().expect("a list").clone();
    assert_eq!(devices.len(), 2, "{devices:?}");
    assert_eq!((devices[0]["current"].clone(), devices[0]["name"].clone()), (json!(true), json!("Laptop")));
    assert_eq!((devices[1]["current"].clone(), devices[1]["kind"].clone()), (json!(false), json!("session")));
    let mut socket = open(&server, &other).await;
    let path = format!("/v1/me/devices/{}", text(&second, "device_id"));
    let foreign = call(&server, "DELETE", &path, Some(&text(&stranger, "access_token")), &Value::Null).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (404, "unknown_device"), "somebody else's");
    assert_eq!(call(&server, "DELETE", &path, Some(&access), &Value::Null).await.status, 204);
    assert_eq!(close_code(&mut socket).await, 4001);
    assert_eq!(call(&server, "GET", "/v1/me", Some(&other), &Value::Null).await.status, 401);
    assert_eq!(call(&server, "DELETE", &path, Some(&access), &Value::Null).await.status, 404, "only once");
    let nonsense = call(&server, "DELETE", "/v1/me/devices/x", Some(&access), &Value::Null).await;
    assert_eq!(nonsense.status, 404);
    server.stop().await;
}

/// Without Redis, too: each looks into the database every two seconds.
#[tokio::test]
async fn a_device_that_is_signed_out_on_one_server_is_closed_on_another() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    tools::migrate(&config(&variables), false, &mut Vec::new()).await.expect("empty tables can be made");
    let here = TestServer::start_with(&variables).await;
    let there = TestServer::start_with(&variables).await;
    let first = register(&here, "ada@example.org", None).await;
    let second = login(&there, "ada@example.org", PASSWORD).await.json();
    let other = text(&second, "access_token");
    let mut socket = open(&there, &other).await;
    let path = format!("/v1/me/devices/{}", text(&second, "device_id"));
    let answer = call(&here, "DELETE", &path, Some(&text(&first, "access_token")), &Value::Null).await;
    assert_eq!(answer.status, 204);
    assert_eq!(close_code(&mut socket).await, 4001);
    for server in [&here, &there] {
        assert_eq!(call(server, "GET", "/v1/me", Some(&other), &Value::Null).await.status, 401);
    }
    there.shut_down().await;
    here.stop().await;
}

#[tokio::test]
async fn another_password_signs_all_other_devices_out() {
    let (server, _) = start().await;
    let first = register(&server, "ada@example.org", None).await;
    let second = login(&server, "ada@example.org", PASSWORD).await.json();
    let access = text(&first, "access_token");
    let mut socket = open(&server, &text(&second, "access_token")).await;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    let wrong =
        post(&server, "/v1/me/password", Some(&access), &change("guess guess", "four plain words here"))
            .await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "wrong_login"));
    let weak = post(&server, "/v1/me/password", Some(&access), &change(PASSWORD, "ada@example.org")).await;
    assert_eq!((weak.status, weak.code().as_str()), (400, "weak_password"));
    let changed =
        post(&server, "/v1/me/password", Some(&access), &change(PASSWORD, "four plain words here")).await;
    assert_eq!(changed.status, 204);
    assert_eq!(close_code(&mut socket).await, 4001);
    assert_eq!(refresh(&server, &text(&second, "refresh_token")).await.status, 401);
    assert_eq!(refresh(&server, &text(&first, "refresh_token")).await.status, 200, "this one stays");
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 401);
    assert_eq!(login(&server, "ada@example.org", "four plain words here").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_profile_is_changed_and_bounded() {
    let (server, _) = start().await;
    let session = register(&server, "ada@example.org", None).await;
    let access = text(&session, "access_token");
    let change = |body: Value| {
        let (server, access) = (&server, access.clone());
        async move { call(server, "PATCH", "/v1/me", Some(&access), &body).await }
    };
    let me = change(json!({ "name": " Grace\n ", "preferences": { "theme": "dark" } })).await.json();
    assert_eq!((me["name"].clone(), me["preferences"].clone()), (json!("Grace"), json!({ "theme": "dark" })));
    let me = change(json!({})).await.json();
    assert_eq!((me["name"].clone(), me["preferences"].clone()), (json!("Grace"), json!({ "theme": "dark" })));
    assert_eq!(change(json!({ "name": null })).await.json()["name"], Value::Null);
    let large = change(json!({ "preferences": { "x": "y".repeat(4_100) } })).await;
    assert_eq!((large.status, large.code().as_str()), (413, "too_large"));
    assert_eq!(change(json!({ "hero_id": "x" })).await.code(), "malformed");
    let (_, guest) = server.guest().await;
    let refused = call(&server, "GET", "/v1/me", Some(&guest), &Value::Null).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "guest"));
    server.stop().await;
}

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// A socket that has been welcomed.
pub(crate) async fn open(server: &TestServer, access: &str) -> Socket {
    open_stream(server, access, 1).await
}

/// The same of another device.
pub(crate) async fn open_stream(server: &TestServer, access: &str, stream_id: u64) -> Socket {
    let ticket = server.ticket(access).await;
    let mut request = format!("ws://{}/v1/ws", server.address()).into_client_request().expect("an address");
    let subprotocol = protocol::SUBPROTOCOL.parse().expect("a header");
    request.headers_mut().insert("sec-websocket-protocol", subprotocol);
    let stream = TcpStream::connect(server.address()).await.expect("somebody listens");
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("it upgrades");
    let hello = Hello { ticket, stream_id, last_seq: None, client: "test".into(), time_zone: None };
    let frame = protocol::codec::encode_client(&ClientMessage::Hello(hello));
    socket.send(Message::Binary(frame.into())).await.expect("it is open");
    let welcome = timeout(PATIENCE, socket.next()).await.expect("in time");
    assert!(matches!(welcome, Some(Ok(Message::Binary(_)))), "{welcome:?}");
    socket
}

pub(crate) async fn close_code(socket: &mut Socket) -> u16 {
    let closing = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("closed without a word: {other:?}"),
            }
        }
    };
    timeout(PATIENCE, closing).await.expect("it closes")
}
