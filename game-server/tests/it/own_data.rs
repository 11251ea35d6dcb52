//! A player's own data on a real server: taken along, deleted, kept after all, erased for good.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;
use game_server::accounts::avatar::Avatars;
use game_server::accounts::erasing::{ERASE_AFTER_MS, Erasing, FRESH_LOGIN_MS, Looked};
use game_server::clock::Clock;
use persistence::accounts::{AccountEventKind, AccountKey, LookupHash, NewAccount, NewSession, Sealed};
use persistence::{AccountId, AccountStore, DeviceId, HeroId, JournalStore, Seq, TokenHash};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulation::command::{Category, Command, FocusMode, Priority};
use uuid::Uuid;

use crate::accounts::{
    NOW_MS, PASSWORD, call, close_code, login, open, open_stream, post, refresh, register, text,
};
use crate::harness::{Answer, TestServer, wait_until};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Longer than anything may be open after its devices have lost their right.
const SILENCE_MS: i64 = 61_000;

async fn start() -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    (TestServer::start_at(clock.clone(), &[]).await, clock)
}

async fn get(server: &TestServer, path: &str, token: &str) -> Answer {
    call(server, "GET", path, Some(token), &Value::Null).await
}

async fn delete(server: &TestServer, token: &str, body: &Value) -> Answer {
    call(server, "DELETE", "/v1/me", Some(token), body).await
}

async fn ask_to_be_erased(server: &TestServer, token: &str) -> i64 {
    let answer = delete(server, token, &json!({ "password": PASSWORD })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["erase_at_ms"].as_i64().expect("a time")
}

async fn restore(server: &TestServer, token: &str) -> Answer {
    post(server, "/v1/me/restore", Some(token), &Value::Null).await
}

/// Status and code of a request for a ticket.
async fn ticket(server: &TestServer, token: &str) -> (u16, String) {
    let answer = post(server, "/v1/ws-ticket", Some(token), &Value::Null).await;
    (answer.status, if answer.status == 200 { String::new() } else { answer.code() })
}

fn erasing() -> (u16, String) {
    (403, "erasing".into())
}

fn void() -> (u16, String) {
    (401, "unauthenticated".into())
}

fn id(session: &Value, name: &str) -> Uuid {
    text(session, name).parse().expect("an id")
}

fn store(server: &TestServer) -> &Arc<dyn AccountStore> {
    server.server().node().accounts.store()
}

/// What the server's own task does, at a moment that the test chooses.
fn eraser(server: &TestServer) -> Erasing {
    let node = server.server().node();
    Erasing::new(Arc::clone(node), Avatars::open(&node.config.avatars).expect("a place"))
}

async fn look(server: &TestServer) -> Looked {
    eraser(server).look().await.expect("the store works")
}

/// What happened to a hero's account, the newest first.
async fn noted(server: &TestServer, session: &Value) -> Vec<AccountEventKind> {
    let events =
        store(server).account_events(HeroId(id(session, "hero_id")), 50).await.expect("the store works");
    events.iter().map(|event| event.kind).collect()
}

async fn act(server: &TestServer, hero: Uuid, command: Command) -> Option<u32> {
    let acted = server.server().node().act(HeroId(hero), command).await.expect("the rules allow it");
    acted.events.iter().find_map(|timed| timed.event.created_id())
}

/// Ten minutes of focus for a task with this title.
async fn play(server: &TestServer, clock: &Clock, hero: Uuid, title: &str) {
    let (category, priority) = (Category::Creative, Priority::Medium);
    let task = Command::CreateTask {
        title: title.into(),
        category,
        priority,
        estimate_minutes: 0,
        due_on: None,
        recurrence: None,
        parent_id: None,
    };
    let task_id = act(server, hero, task).await;
    assert!(task_id.is_some());
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    act(server, hero, Command::StartFocus { mode, category, task_id }).await;
    clock.advance(10 * MINUTE_MS);
    act(server, hero, Command::EndFocus).await;
}

fn attached(answer: &Answer, content_type: &str, name: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some(content_type));
    let disposition = format!("attachment; filename=\"{name}\"");
    assert_eq!(answer.header("content-disposition"), Some(disposition.as_str()));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_was_put_in_comes_out_and_nobody_elses() {
    let (server, clock) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let (access, hero) = (text(&ada, "access_token"), id(&ada, "hero_id"));
    let change = json!({ "preferences": { "theme": "dark" } });
    assert_eq!(call(&server, "PATCH", "/v1/me", Some(&access), &change).await.status, 200);
    let early = get(&server, "/v1/me/export.json", &access).await.json();
    assert_eq!((&early["hero"], &early["journal"]["last_seq"]), (&Value::Null, &json!(0)), "never played");
    play(&server, &clock, hero, "Paint the door").await;
    let bob = register(&server, "bob@example.org", None).await;
    play(&server, &clock, id(&bob, "hero_id"), "Buy a drum").await;
    let access = text(&refresh(&server, &text(&ada, "refresh_token")).await.json(), "access_token");

    let answer = get(&server, "/v1/me/export.json", &access).await;
    attached(&answer, "application/json", "dopamine-hero-2027-01-15.json");
    let all = answer.json();
    assert_eq!((&all["kind"], &all["hero_id"]), (&json!("account"), &ada["hero_id"]));
    let account = &all["account"];
    assert_eq!((&account["mail"], &account["name"]), (&json!("ada@example.org"), &json!("Ada")));
    assert_eq!((&account["preferences"], &account["has_password"]), (&change["preferences"], &json!(true)));
    assert_eq!(account["created_at_ms"], json!(NOW_MS));
    assert_eq!((&all["devices"][0]["name"], &all["devices"][1]), (&json!("Laptop"), &Value::Null));
    let happened: Vec<_> =
        all["account_events"].as_array().expect("a list").iter().map(|it| &it["kind"]).collect();
    assert_eq!(happened, ["logged_in", "registered"]);
    assert_eq!(all["account_events_cut"], json!(false));
    assert_eq!(all["hero"]["tasks"][0]["title"], json!("Paint the door"));
    let journal = &all["journal"];
    let events = journal["events"].as_array().expect("a list");
    assert_eq!((&journal["from_seq"], &journal["next_seq"]), (&json!(1), &Value::Null));
    assert_eq!((&events[0]["kind"], events[0]["seq"].as_u64()), (&json!("hero_created"), Some(1)));
    assert_eq!(journal["last_seq"], json!(events.len()));
    assert!(events.iter().any(|it| it["body"].to_string().contains("Paint the door")), "{journal}");
    assert!(!answer.text().contains("Buy a drum") && !answer.text().contains("bob@"), "somebody else's");
    assert!(!answer.text().contains("argon2"), "what proves a password is no use to its owner");

    let rest = get(&server, "/v1/me/export.json?from_seq=3", &access).await.json();
    assert_eq!(rest["journal"]["events"].as_array().map(Vec::as_slice), Some(&events[2..]));
    for wrong in ["from_seq=0", "from_seq=x", "from_seq=-1", "from_seq=9007199254740992", "seq=1"] {
        let answer = get(&server, &format!("/v1/me/export.json?{wrong}"), &access).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"), "{wrong}");
    }
    for path in ["/v1/me/export.json", "/v1/me/ledger.csv"] {
        assert_eq!(get(&server, path, "dh_nobody").await.status, 401);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_adds_up_and_runs_in_no_spreadsheet() {
    let (server, clock) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let hero = id(&ada, "hero_id");
    for title in ["=cmd()", "+1", "-1", "@sum", "a, \"quoted\" line"] {
        play(&server, &clock, hero, title).await;
    }
    let access = text(&refresh(&server, &text(&ada, "refresh_token")).await.json(), "access_token");
    let answer = get(&server, "/v1/me/ledger.csv", &access).await;
    attached(&answer, "text/csv; charset=utf-8; header=present", "dopamine-hero-ledger-2027-01-15.csv");
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let columns: Vec<_> = reader.headers().expect("columns").iter().map(str::to_owned).collect();
    assert_eq!(
        columns.join(" "),
        "time_utc seq what cause subject title energy dopamine energy_balance dopamine_balance"
    );
    let lines: Vec<csv::StringRecord> = reader.records().map(|line| line.expect("a line")).collect();
    let titles: Vec<_> =
        lines.iter().filter(|line| &line[2] == "session_ended").map(|line| line[5].to_owned()).collect();
    assert_eq!(titles, ["'=cmd()", "'+1", "'-1", "'@sum", "a, \"quoted\" line"]);
    assert!(
        lines.iter().all(|line| line[0].starts_with("2027-01-15T") && line[0].ends_with('Z')),
        "{lines:?}"
    );
    for cell in lines.iter().flat_map(|line| line.iter()) {
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        assert!(!is_formula || cell.parse::<f64>().is_ok(), "{cell}");
    }
    let thousandths = |cell: &str| cell.replace('.', "").parse::<i64>().expect("a number");
    let (mut energy, mut dopamine) = (0, 0);
    for line in &lines {
        energy += thousandths(&line[6]);
        dopamine += thousandths(&line[7]);
        assert_eq!((thousandths(&line[8]), thousandths(&line[9])), (energy, dopamine), "{line:?}");
    }
    let wallet = &get(&server, "/v1/me/export.json", &access).await.json()["hero"]["wallet"];
    assert_eq!((&wallet["energy_me"], &wallet["dopamine_md"]), (&json!(energy), &json!(dopamine)));
    assert!(energy > 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_journal_comes_whole_and_own_data_has_a_limit_of_its_own() {
    let (server, _) = start().await;
    let (hero, token) = server.guest().await;
    let hero: Uuid = hero.parse().expect("an id");
    for round in 0..22 {
        let rename = |number| Command::RenameHero { name: format!("Hero {round} {number}") };
        join_all((0..50).map(|number| act(&server, hero, rename(number)))).await;
    }
    let all = get(&server, "/v1/me/export.json", &token).await.json();
    let seqs: Vec<_> =
        all["journal"]["events"].as_array().expect("a list").iter().map(|it| it["seq"].as_u64()).collect();
    let last = all["journal"]["last_seq"].as_u64().expect("a number");
    assert!(last >= 1_100 && seqs == (1..=last).map(Some).collect::<Vec<_>>(), "more than two pages, no gap");
    assert_eq!((&all["kind"], &all["account"]), (&json!("guest"), &Value::Null));
    for _ in 1..20 {
        assert_eq!(get(&server, "/v1/me/ledger.csv", &token).await.status, 200);
    }
    let over = get(&server, "/v1/me/ledger.csv", &token).await;
    assert_eq!((over.status, over.code().as_str()), (429, "rate"));
    assert_eq!((over.header("ratelimit-limit"), over.header("content-disposition")), (Some("20"), None));
    server.ticket(&token).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_is_asked_for_with_the_password_and_can_be_undone() {
    let (server, clock) = start().await;
    let first = register(&server, "ada@example.org", None).await;
    let access = text(&first, "access_token");
    let second = login(&server, "ada@example.org", PASSWORD).await.json();
    for (body, status, code) in [
        (Value::Null, 400, "malformed"),
        (json!({}), 400, "malformed"),
        (json!({ "password": PASSWORD, "now": true }), 400, "malformed"),
        (json!({ "password": "guess guess" }), 401, "wrong_login"),
    ] {
        let answer = delete(&server, &access, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    let me = get(&server, "/v1/me", &access).await.json();
    assert_eq!((&me["erase_at_ms"], &me["has_password"]), (&Value::Null, &json!(true)));
    let mut own = open(&server, &access).await;
    let mut other = open_stream(&server, &text(&second, "access_token"), 2).await;
    let early = server.ticket(&access).await;

    let at_ms = ask_to_be_erased(&server, &access).await;
    assert_eq!(at_ms, NOW_MS + ERASE_AFTER_MS);
    assert_eq!((close_code(&mut own).await, close_code(&mut other).await), (4001, 4001));
    assert_eq!(server.server().node().tickets.redeem(&early, NOW_MS), None, "a ticket from before is void");
    assert_eq!(get(&server, "/v1/me", &text(&second, "access_token")).await.status, 401, "logged out");
    assert_eq!(refresh(&server, &text(&second, "refresh_token")).await.status, 401);
    assert_eq!(get(&server, "/v1/me", &access).await.json()["erase_at_ms"], json!(at_ms));
    clock.advance(MINUTE_MS);
    assert_eq!(ask_to_be_erased(&server, &access).await, at_ms, "asked twice, the date stays");

    // Logging in works, and looking, and taking along; nothing that plays or changes does.
    let third = login(&server, "ada@example.org", PASSWORD).await.json();
    let access = text(&third, "access_token");
    assert_eq!(ticket(&server, &access).await, erasing());
    let (_, guest) = server.guest().await;
    for (method, path, body) in [
        ("PATCH", "/v1/me", json!({ "name": "Bo" })),
        ("POST", "/v1/me/claim/preview", json!({ "device_token": guest })),
        ("POST", "/v1/me/claim", json!({ "device_token": guest })),
        ("PUT", "/v1/me/avatar", json!({})),
    ] {
        let answer = call(&server, method, path, Some(&access), &body).await;
        assert_eq!((answer.status, answer.code()), erasing(), "{method} {path}");
    }
    let export = get(&server, "/v1/me/export.json", &access).await.json();
    assert_eq!(export["account"]["erase_at_ms"], json!(at_ms));

    assert_eq!(restore(&server, &access).await.status, 204);
    assert_eq!(restore(&server, &access).await.status, 204, "there is nothing to undo any more");
    assert_eq!(get(&server, "/v1/me", &access).await.json()["erase_at_ms"], Value::Null);
    // A ticket of the very millisecond of the wish would be void too.
    clock.advance(1);
    let mut socket = open(&server, &access).await;
    clock.advance(ERASE_AFTER_MS);
    assert_eq!(look(&server).await.accounts, 0, "it stays for good");
    assert!(
        store(&server)
            .account(AccountKey::Id(AccountId(id(&first, "account_id"))))
            .await
            .expect("works")
            .is_some()
    );
    let kinds = noted(&server, &first).await;
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!(
        (count(AccountEventKind::EraseAsked), count(AccountEventKind::EraseUndone)),
        (1, 1),
        "{kinds:?}"
    );
    socket.close(None).await.expect("it closes");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_a_password_to_delete_waits_as_a_login_does() {
    let (server, _) = start().await;
    let access = text(&register(&server, "ada@example.org", None).await, "access_token");
    for _ in 0..5 {
        assert_eq!(delete(&server, &access, &json!({ "password": "guess guess" })).await.status, 401);
    }
    let answer = delete(&server, &access, &json!({ "password": PASSWORD })).await;
    assert_eq!(
        (answer.status, answer.code().as_str(), answer.header("retry-after")),
        (429, "rate", Some("1"))
    );
    assert_eq!(get(&server, "/v1/me", &access).await.json()["erase_at_ms"], Value::Null);
    server.stop().await;
}

/// Where a journal ends once several ticks have added nothing.
async fn settled(journal: &dyn JournalStore, hero: HeroId) -> Seq {
    let head = async || journal.head(hero).await.expect("works").expect("the journal stays").last_seq;
    let mut end = head().await;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = head().await;
        if now == end {
            return end;
        }
        end = now;
    }
    panic!("it never ends")
}

async fn kinds_after(journal: &dyn JournalStore, hero: HeroId, seq: Seq) -> Vec<String> {
    let events = journal.events(hero, seq.next(), 100).await.expect("works");
    events.into_iter().map(|event| event.kind.as_str().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_erased_on_whichever_server_and_the_mail_is_free_again() {
    let (server, clock) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let (access, hero) = (text(&ada, "access_token"), id(&ada, "hero_id"));
    play(&server, &clock, hero, "Paint the door").await;
    // It is in the middle of a session when it is asked for, and its device keeps a socket open as long as it can.
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    act(&server, hero, Command::StartFocus { mode, category: Category::Creative, task_id: None }).await;
    let access = if clock.now_ms() > NOW_MS {
        text(&refresh(&server, &text(&ada, "refresh_token")).await.json(), "access_token")
    } else {
        access
    };
    let at_ms = ask_to_be_erased(&server, &access).await;
    clock.advance(at_ms - clock.now_ms() - 1);
    assert_eq!(look(&server).await, Looked::default(), "not a millisecond early");
    let late = login(&server, "ada@example.org", PASSWORD).await.json();
    let late_access = text(&late, "access_token");
    clock.advance(1);
    assert_eq!(restore(&server, &late_access).await.code(), "too_late");
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 401, "as if it was gone");
    let first = look(&server).await;
    assert_eq!((first.accounts, first.silenced), (0, 1), "first nobody acts for it any more");
    assert_eq!(ticket(&server, &late_access).await, void());
    assert_eq!(look(&server).await.accounts, 0, "other servers have not closed its sockets yet");
    clock.advance(SILENCE_MS);
    // Two servers of one database look at the same time.
    let (one, two) = (eraser(&server), eraser(&server));
    let (one, two) = tokio::join!(one.look(), two.look());
    assert_eq!(one.expect("works").accounts + two.expect("works").accounts, 1);
    let account = AccountId(id(&ada, "account_id"));
    assert_eq!(store(&server).account(AccountKey::Id(account)).await.expect("works"), None);
    assert_eq!(noted(&server, &ada).await.iter().filter(|it| **it == AccountEventKind::Erased).count(), 1);
    assert_eq!(get(&server, "/v1/me", &late_access).await.status, 401);
    assert_eq!(refresh(&server, &text(&late, "refresh_token")).await.status, 401);

    // What was left in memory is ended by the rules, as time goes, and then its days end until it leaves: nobody acts.
    let journal = &server.server().node().store;
    let before = settled(&**journal, HeroId(hero)).await;
    let ended = kinds_after(&**journal, HeroId(hero), Seq(0)).await;
    assert_eq!(ended.iter().filter(|kind| *kind == "session_ended").count(), 2, "both sessions are over");
    let again = register(&server, "Ada@example.org", None).await;
    assert_ne!(
        (text(&again, "account_id"), text(&again, "hero_id")),
        (text(&ada, "account_id"), text(&ada, "hero_id"))
    );
    clock.advance(3 * DAY_MS);
    act(&server, id(&again, "hero_id"), Command::RenameHero { name: "New".into() }).await;
    settled(&**journal, HeroId(hero)).await;
    let after = kinds_after(&**journal, HeroId(hero), before).await;
    assert!(after.iter().all(|kind| kind == "days_ended"), "{after:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_go_before_the_account_does() {
    let (server, clock) = start().await;
    let ada = register(&server, "ada@example.org", None).await;
    let access = text(&ada, "access_token");
    let at_ms = ask_to_be_erased(&server, &access).await;
    clock.advance(at_ms - clock.now_ms());
    look(&server).await;
    clock.advance(SILENCE_MS);
    let node = server.server().node();
    let folder = tempdir();
    let place = game_server::config::AvatarPlace::Folder(folder.clone());
    let avatars = Avatars::open(&place).expect("a place");
    let account = AccountId(id(&ada, "account_id"));
    let png = png();
    let key = avatars.begin(account).expect("room").keep(png.into()).await.expect("it is kept");
    assert!(avatars.get(&key).await.expect("works").is_some());
    let eraser = Erasing::new(Arc::clone(node), avatars.clone());
    assert_eq!(eraser.look().await.expect("works").accounts, 1);
    assert_eq!(avatars.get(&key).await.expect("works"), None);
    std::fs::remove_dir_all(&folder).expect("it is ours");
    server.stop().await;
}

fn tempdir() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("own-data-{}", Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A small picture.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut bytes, image::ImageFormat::Png).expect("it is written");
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_password_a_fresh_login_deletes() {
    let (server, clock) = start().await;
    let (account, hero) = (AccountId(Uuid::now_v7()), HeroId(Uuid::now_v7()));
    let new = NewAccount {
        account,
        hero,
        is_new_hero: true,
        mail: None,
        subject: Some(LookupHash([7; 32])),
        password: None,
        profile: Sealed(Vec::new()),
        created_at_ms: NOW_MS,
    };
    store(&server).create_account(new).await.expect("works");
    let log_in = async |byte: u8| {
        let token = format!("dhr_{}", BASE64URL_NOPAD.encode(&[byte; 32]));
        let session = NewSession {
            device: DeviceId(Uuid::now_v7()),
            account,
            hero,
            name: String::new(),
            refresh: TokenHash(Sha256::digest(token.as_bytes()).into()),
            created_at_ms: clock.now_ms(),
            expires_at_ms: clock.now_ms() + DAY_MS,
        };
        store(&server).add_session(session).await.expect("works");
        refresh(&server, &token).await.json()
    };
    let old = log_in(1).await;
    clock.advance(FRESH_LOGIN_MS + 1);
    // The token is new, and the login is not.
    let token = refresh(&server, &text(&old, "refresh_token")).await.json();
    for body in [json!({}), json!({ "password": "anything at all" })] {
        let answer = delete(&server, &text(&token, "access_token"), &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "login_again"), "{body}");
    }
    let fresh = text(&log_in(2).await, "access_token");
    assert_eq!(get(&server, "/v1/me", &fresh).await.json()["has_password"], json!(false));
    clock.advance(FRESH_LOGIN_MS);
    assert_eq!(
        delete(&server, &fresh, &Value::Null).await.json()["erase_at_ms"],
        json!(clock.now_ms() + ERASE_AFTER_MS)
    );
    assert_eq!(get(&server, "/v1/me", &text(&token, "access_token")).await.status, 401, "all others are out");
    assert_eq!(ticket(&server, &fresh).await, erasing());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_forgotten_at_once_with_its_token_alone() {
    let (server, clock) = start().await;
    let (hero, token) = server.guest().await;
    let (_, other) = server.guest().await;
    let mut socket = open(&server, &token).await;
    let answer = delete(&server, &token, &Value::Null).await;
    assert_eq!((answer.status, answer.json()["erase_at_ms"].as_i64()), (200, Some(NOW_MS)));
    assert_eq!(close_code(&mut socket).await, 4001);
    assert_eq!(ticket(&server, &token).await, void(), "there is no way back");
    assert_eq!(restore(&server, &other).await.code(), "guest");
    assert_eq!(look(&server).await.guests, 0, "other servers have not closed its sockets yet");
    clock.advance(SILENCE_MS);
    let (one, two) = (eraser(&server), eraser(&server));
    let (one, two) = tokio::join!(one.look(), two.look());
    assert_eq!(one.expect("works").guests + two.expect("works").guests, 1);
    let hash = TokenHash(Sha256::digest(token.as_bytes()).into());
    assert_eq!(store(&server).device_by_token(hash).await.expect("works"), None);
    let hero = HeroId(hero.parse().expect("an id"));
    assert!(server.server().node().store.head(hero).await.expect("works").is_some(), "the journal stays");
    server.ticket(&other).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_nobody_plays_are_forgotten_after_thirty_days_or_never() {
    for (days, is_forgotten) in [("30", true), ("0", false)] {
        let clock = Clock::fixed(NOW_MS);
        let server = TestServer::start_at(clock.clone(), &[("GUEST_LIFE_DAYS", days)]).await;
        let (_, left) = server.guest().await;
        let (_, played) = server.guest().await;
        let owned = register(&server, "ada@example.org", Some(&server.guest().await.1)).await;
        clock.advance(29 * DAY_MS);
        server.ticket(&played).await;
        clock.advance(DAY_MS);
        assert_eq!(look(&server).await, Looked::default(), "not a millisecond early");
        clock.advance(1);
        assert_eq!(look(&server).await.silenced, usize::from(is_forgotten));
        clock.advance(SILENCE_MS);
        assert_eq!(look(&server).await.guests, usize::from(is_forgotten));
        let expected = if is_forgotten { void() } else { (200, String::new()) };
        assert_eq!(ticket(&server, &left).await, expected);
        assert_eq!(ticket(&server, &played).await.0, 200, "it was here yesterday");
        assert_eq!(
            refresh(&server, &text(&owned, "refresh_token")).await.status,
            200,
            "an account is no guest"
        );
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_erases_what_is_due() {
    let folder = tempdir();
    let url = format!("sqlite://{}", folder.join("hero.sqlite").display());
    let variables = [("DATABASE_URL", url.as_str()), crate::harness::SECRET];
    let clock = Clock::fixed(NOW_MS);
    let server = TestServer::start_at(clock.clone(), &variables).await;
    let ada = register(&server, "ada@example.org", None).await;
    let access = text(&ada, "access_token");
    ask_to_be_erased(&server, &access).await;
    assert_eq!(post(&server, "/v1/auth/logout", Some(&access), &Value::Null).await.status, 204);
    server.stop().await;
    clock.advance(ERASE_AFTER_MS);
    let server = TestServer::start_at(clock, &variables).await;
    let account = AccountKey::Id(AccountId(id(&ada, "account_id")));
    let accounts = Arc::clone(store(&server));
    let handle = tokio::runtime::Handle::current();
    let is_gone = move || {
        let accounts = Arc::clone(&accounts);
        tokio::task::block_in_place(|| handle.block_on(accounts.account(account)).expect("works").is_none())
    };
    wait_until("its own task has erased it", is_gone).await;
    assert_eq!(noted(&server, &ada).await.first(), Some(&AccountEventKind::Erased));
    server.stop().await;
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
