//! The operators' panel on a real server and real databases: from the token of the command line to the audit log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use admin_http::views::Role;
use data_encoding::BASE32_NOPAD;
use game_server::clock::Clock;
use game_server::config::Config;
use game_server::tools;
use ring::hmac;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use test_servers::Postgres;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Answer, SECRET, TestServer, config, request};

const PASSWORD: &str = "a few words are enough";

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("dopamine-operators-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a folder can be made");
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("heroes.sqlite")
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What an authenticator shows, by the RFC and not by our code.
fn code(secret: &[u8], now_ms: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &(now_ms / 30_000).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 0xf);
    let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

/// A browser at the panel of one server.
struct Browser {
    address: SocketAddr,
    clock: Clock,
    cookie: String,
    csrf: String,
}

impl Browser {
    fn at(server: &TestServer, clock: &Clock) -> Browser {
        let address = server.server().admin_address();
        Browser { address, clock: clock.clone(), cookie: String::new(), csrf: String::new() }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [("origin", origin.as_str()), ("cookie", &self.cookie), ("x-csrf-token", &self.csrf)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.address, method, path, &headers, &body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null).await
    }

    fn came_in(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(
            cookie.starts_with("__Host-operator=") && cookie.contains("HttpOnly; Secure; SameSite=Strict")
        );
        self.cookie = cookie.split(';').next().expect("a first part").to_owned();
        self.csrf = answer.json()["csrf_token"].as_str().expect("a token").to_owned();
    }

    /// Becomes an operator with a token; what it shares with its authenticator.
    async fn accept(&mut self, token: &str) -> Vec<u8> {
        let ask = json!({ "token": token, "password": PASSWORD });
        let offer = self.ask("POST", "/v1/setup", ask).await;
        assert_eq!(offer.status, 200, "{}", offer.text());
        let secret_text = offer.json()["totp_secret"].as_str().expect("a text").to_owned();
        let secret = BASE32_NOPAD.decode(secret_text.as_bytes()).expect("base32");
        let code = code(&secret, self.clock.now_ms());
        let confirm =
            json!({ "token": token, "password": PASSWORD, "totp_secret": secret_text, "code": code });
        let answer = self.ask("POST", "/v1/setup/confirm", confirm).await;
        self.came_in(&answer);
        secret
    }

    async fn login(&mut self, name: &str, secret: &[u8]) -> Answer {
        let code = code(secret, self.clock.now_ms());
        self.ask("POST", "/v1/login", json!({ "name": name, "password": PASSWORD, "code": code })).await
    }
}

async fn invite(variables: &[(&str, &str)], name: &str, role: Role) -> String {
    let mut out = Vec::new();
    tools::operators::invite(&config(variables), name, role, &mut out).await.expect("an invitation");
    String::from_utf8(out).expect("text").trim().to_owned()
}

/// What `audit verify` says, and whether the log is whole.
async fn verify(config: &Config, expect: Option<&str>) -> (bool, String) {
    let mut out = Vec::new();
    let is_whole = tools::operators::verify_audit(config, expect, &mut out).await.expect("it can be read");
    (is_whole, String::from_utf8(out).expect("text"))
}

/// From nothing to a second operator who is thrown out again, beside the running server.
async fn a_life_of_operators(url: &str) {
    let variables = [("DATABASE_URL", url), SECRET];
    let clock = Clock::fixed(Clock::system().now_ms());
    let server = TestServer::start_at(clock.clone(), &variables).await;
    let mut ada = Browser::at(&server, &clock);
    assert_eq!(ada.get("/v1/session").await.json()["state"], "setup");
    assert_eq!(ada.get("/v1/overview").await.code(), "unauthenticated");
    let login = ada.login("admin", b"12345678901234567890").await;
    assert_eq!(login.code(), "wrong_login", "there is no default account");

    let token = invite(&variables, "ada", Role::Owner).await;
    let secret = ada.accept(&token).await;
    let overview = ada.get("/v1/overview").await;
    assert_eq!(overview.json()["readiness"], "ready", "{}", overview.text());
    assert_eq!(ada.login("ada", &secret).await.code(), "wrong_login", "the code was used to set up");
    clock.advance(30_000);
    let again = ada.login("ada", &secret).await;
    ada.came_in(&again);

    // A second one, as a viewer, who then becomes more and has to come in again.
    let invitation =
        ada.ask("POST", "/v1/operators/invitations", json!({ "name": "bob", "role": "viewer" })).await;
    let mut bob = Browser::at(&server, &clock);
    let bobs = bob.accept(invitation.json()["token"].as_str().expect("a token")).await;
    assert_eq!(bob.get("/v1/audit").await.code(), "forbidden");
    assert_eq!(ada.ask("POST", "/v1/operators/bob", json!({ "role": "operator" })).await.status, 204);
    assert_eq!(bob.get("/v1/overview").await.code(), "unauthenticated");
    clock.advance(30_000);
    let again = bob.login("bob", &bobs).await;
    bob.came_in(&again);

    // Nothing changes without the login's own token.
    let forged =
        Browser { csrf: ada.csrf.clone(), cookie: bob.cookie.clone(), ..Browser::at(&server, &clock) };
    let outage = json!({ "reason": "a test of it", "from_ms": 1, "until_ms": 2 });
    assert_eq!(forged.ask("POST", "/v1/outages", outage.clone()).await.code(), "csrf");
    let page = bob.get("/v1/audit").await.json();
    let told: Vec<_> =
        page["rows"].as_array().expect("rows").iter().map(|row| row["action"].clone()).collect();
    let expected = [
        "login",
        "operator.change",
        "operator.join",
        "operator.invite",
        "login",
        // With the code that was used: its outcome says so.
        "login",
        "operator.join",
        "operator.invite",
        "login_failed",
    ];
    assert_eq!(told, expected);
    let whole = bob.get("/v1/audit/verify").await.json();
    assert_eq!(whole["is_whole"], true, "{whole}");
    let (is_whole, text) = verify(&config(&variables), None).await;
    assert!(is_whole, "{text}");

    assert_eq!(ada.ask("POST", "/v1/operators/bob", json!({ "is_disabled": true })).await.status, 204);
    clock.advance(30_000);
    assert_eq!(bob.login("bob", &bobs).await.code(), "wrong_login");
    let owner = ada.ask("POST", "/v1/operators/ada", json!({ "role": "viewer" })).await;
    assert_eq!(owner.code(), "conflict", "the last owner stays");
    assert_eq!(ada.ask("POST", "/v1/logout", json!({})).await.status, 204);
    assert_eq!(ada.get("/v1/overview").await.status, 401);
    // None of it is reachable where players are.
    for path in ["/v1/overview", "/v1/session", "/v1/audit", "/v1/operators"] {
        assert_eq!(server.request("GET", path, &[("cookie", &ada.cookie)], "").await.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn operators_come_and_go_on_sqlite() {
    let folder = Folder::new();
    a_life_of_operators(&folder.url()).await;
}

#[tokio::test]
async fn operators_come_and_go_on_postgres() {
    let postgres = Postgres::start();
    migrate(&postgres.url()).await;
    a_life_of_operators(&postgres.url()).await;
}

async fn migrate(url: &str) {
    let mut out = Vec::new();
    tools::migrate(&config(&[("DATABASE_URL", url)]), false, &mut out).await.expect("tables");
}

#[tokio::test]
async fn the_first_invitation_needs_no_server_and_no_file() {
    let folder = Folder::new();
    let url = folder.url();
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    let token = invite(&variables, "ada", Role::Owner).await;
    let clock = Clock::system();
    let server = TestServer::start_at(clock.clone(), &variables).await;
    Browser::at(&server, &clock).accept(&token).await;
    server.stop().await;
    assert!(verify(&config(&variables), None).await.0);
    let nowhere = tools::operators::invite(&config(&[]), "ada", Role::Owner, &mut Vec::new()).await;
    assert!(nowhere.expect_err("nothing is kept").to_string().contains("memory:"));
}

#[tokio::test]
async fn whoever_is_logged_in_sees_the_overview_while_the_database_is_away() {
    let mut postgres = Postgres::start();
    migrate(&postgres.url()).await;
    let url = postgres.url();
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    let clock = Clock::fixed(Clock::system().now_ms());
    let server = TestServer::start_at(clock.clone(), &variables).await;
    let token = invite(&variables, "ada", Role::Owner).await;
    let mut ada = Browser::at(&server, &clock);
    ada.accept(&token).await;
    postgres.kill();
    let drain = ada.ask("POST", "/v1/drain", json!({ "reason": "is it noted?" })).await;
    assert_eq!((drain.status, drain.code().as_str()), (503, "read_only"), "no row, no effect");
    assert!(!server.server().node().is_draining());
    for _ in 0..3 {
        // So that the database is asked each time.
        clock.advance(6_000);
        let overview = ada.get("/v1/overview").await;
        assert_eq!(overview.status, 200, "{}", overview.text());
    }
    assert_eq!(ada.get("/v1/session").await.json()["state"], "signed_in");
    let other = Browser::at(&server, &clock);
    assert_eq!(other.get("/v1/session").await.json()["state"], "anonymous");
    postgres.restart();
    server.stop().await;
}

#[tokio::test]
async fn a_live_stream_does_not_hold_the_server_up() {
    let folder = Folder::new();
    let url = folder.url();
    let variables = [("DATABASE_URL", url.as_str()), SECRET];
    let clock = Clock::system();
    let server = TestServer::start_at(clock.clone(), &variables).await;
    let mut ada = Browser::at(&server, &clock);
    ada.accept(&invite(&variables, "ada", Role::Owner).await).await;
    let mut stream = TcpStream::connect(ada.address).await.expect("somebody listens");
    let head = format!("GET /v1/live HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\r\n", ada.address, ada.cookie);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("event: overview") {
        assert!(tokio::io::AsyncReadExt::read_buf(&mut stream, &mut seen).await.expect("it goes on") > 0);
    }
    assert!(String::from_utf8_lossy(&seen).contains("text/event-stream"));
    server.stop().await;
}

/// Rows of a log that was written by a server, and the last line that its log has of it.
async fn some_rows(url: &str) -> (Config, String) {
    let variables = [("DATABASE_URL", url), SECRET];
    for (name, role) in [("ada", Role::Owner), ("bob", Role::Operator), ("eve", Role::Viewer)] {
        invite(&variables, name, role).await;
    }
    let config = config(&variables);
    let (is_whole, text) = verify(&config, None).await;
    assert!(is_whole && text.starts_with("6 rows"), "{text}");
    (config, url.to_owned())
}

/// What somebody with the database in hand might do: each on a copy of its own, and each must be found.
const TAMPERS: [&str; 7] = [
    "UPDATE audit_row SET subject = 'mallory' WHERE seq = 3",
    "UPDATE audit_row SET at_ms = at_ms + 1 WHERE seq = 6",
    "UPDATE audit_row SET outcome = 'failed: no' WHERE seq = 4",
    "DELETE FROM audit_row WHERE seq = 3",
    "DELETE FROM audit_row WHERE seq > 4",
    "DELETE FROM audit_head",
    "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit_row WHERE seq = 4)",
];

#[tokio::test]
async fn rows_that_were_tampered_with_in_sqlite_are_found() {
    let folder = Folder::new();
    let (_, url) = some_rows(&folder.url()).await;
    for (number, sql) in TAMPERS.into_iter().enumerate() {
        let copy = folder.0.join(format!("copy-{number}.sqlite"));
        std::fs::copy(folder.file(), &copy).expect("a copy");
        change_sqlite(&copy, sql).await;
        let copied = format!("sqlite://{}", copy.display());
        let (is_whole, text) = verify(&config(&[("DATABASE_URL", &copied), SECRET]), None).await;
        assert!(!is_whole && text.starts_with("DAMAGED"), "{sql}: {text}");
        // Nothing is chained to what was damaged at its end.
        if sql.contains("audit_head") {
            let variables = [("DATABASE_URL", copied.as_str()), SECRET];
            let refused =
                tools::operators::invite(&config(&variables), "fay", Role::Owner, &mut Vec::new()).await;
            assert!(refused.is_err(), "{sql}");
        }
    }
    // With another secret, nothing of it is ours.
    let other = ("SECRET_KEYS", "MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY=");
    assert!(!verify(&config(&[("DATABASE_URL", &url), other]), None).await.0);
}

async fn change_sqlite(file: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.expect("it opens");
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it is changed");
    assert!(done.rows_affected() > 0, "{sql}");
    connection.close().await.expect("it closes");
}

#[tokio::test]
async fn rows_that_were_tampered_with_in_postgres_are_found() {
    let postgres = Postgres::start();
    for sql in TAMPERS {
        let url = postgres.new_database();
        migrate(&url).await;
        let (config, _) = some_rows(&url).await;
        postgres.sql(&url, sql);
        let (is_whole, text) = verify(&config, None).await;
        assert!(!is_whole && text.starts_with("DAMAGED"), "{sql}: {text}");
    }
}

#[tokio::test]
async fn an_old_copy_is_told_by_a_line_of_the_log() {
    let folder = Folder::new();
    let (config, url) = some_rows(&folder.url()).await;
    let old = folder.0.join("old.sqlite");
    std::fs::copy(folder.file(), &old).expect("a copy");
    invite(&[("DATABASE_URL", &url), SECRET], "fay", Role::Viewer).await;
    let line = last_line(&folder.file()).await;
    assert!(verify(&config, Some(&line)).await.0);
    let copied = format!("sqlite://{}", old.display());
    let old = self::config(&[("DATABASE_URL", &copied), SECRET]);
    assert!(verify(&old, None).await.0, "it is whole by itself");
    let (is_whole, text) = verify(&old, Some(&line)).await;
    assert!(!is_whole && text.contains("older copy"), "{text}");
}

/// As the server logs it: `SEQ:HASH`.
async fn last_line(file: &Path) -> String {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.expect("it opens");
    let sql = "SELECT seq || ':' || lower(hex(hash)) FROM audit_head";
    let line: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("an end");
    connection.close().await.expect("it closes");
    line
}

#[tokio::test]
async fn the_name_of_the_panel_is_configured_and_no_other_is_answered() {
    let variables = [("ADMIN_ORIGIN", "https://admin.example.org")];
    let server = TestServer::start_with(&variables).await;
    let address = server.server().admin_address();
    let status = async |host: &str| request(address, "GET", "/health", &[("host", host)], "").await.status;
    assert_eq!(status("admin.example.org").await, 200);
    assert_eq!(status("localhost:3002").await, 200);
    assert_eq!(status("evil.example").await, 403);
    server.stop().await;
}
