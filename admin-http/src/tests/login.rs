//! How somebody becomes an operator, comes in, and leaves.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Bench, Browser, PASSWORD, SECRET, request};
use crate::records::Records;
use crate::views::Role;
use crate::{invite, totp};

#[tokio::test]
async fn the_first_operator_comes_with_a_token_of_the_command_line() {
    let bench = Bench::new();
    let session = bench.ask(None, "GET", "/v1/session", Value::Null).await.json();
    assert_eq!((&session["state"], &session["operator"]), (&json!("setup"), &Value::Null));
    let records = Arc::clone(&bench.records) as Arc<dyn Records>;
    let token = invite(records, "ada", Role::Owner).await.expect("it is made").token;

    let ask = |path: &'static str, body: Value| bench.ask(None, "POST", path, body);
    let answer = ask("/v1/setup", json!({ "token": format!("{token}x"), "password": PASSWORD })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_token"));
    let answer = ask("/v1/setup", json!({ "token": token, "password": "short" })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let offer = ask("/v1/setup", json!({ "token": token, "password": PASSWORD })).await.json();
    assert_eq!((&offer["name"], &offer["role"]), (&json!("ada"), &json!("owner")));
    assert!(bench.records.lock().operators.is_empty(), "nothing is made yet");

    let text = offer["totp_secret"].as_str().expect("a text");
    let secret = totp::parse_secret(text).expect("base32");
    let code = totp::code_at(&secret, bench.records.now());
    let confirm = |code: &str| {
        let body = json!({ "token": token, "password": PASSWORD, "totp_secret": text, "code": code });
        ask("/v1/setup/confirm", body)
    };
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(confirm(wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = confirm(&code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["state"], "signed_in");
    let browser = Browser { cookie: answer.cookie(), csrf: String::new() };
    assert_eq!(bench.ask(Some(&browser), "GET", "/v1/operators", Value::Null).await.status, StatusCode::OK);
    assert_eq!(confirm(&code).await.code(), "wrong_token", "it is good once");
    let told: Vec<_> = bench.records.told().into_iter().map(|(action, _)| action).collect();
    assert_eq!(told, ["operator.invite", "operator.join"]);
    // The code that it showed is used up.
    assert_eq!(bench.login_with("ada", PASSWORD, &code).await.code(), "wrong_login");
    let session = bench.ask(None, "GET", "/v1/session", Value::Null).await.json();
    assert_eq!(session["state"], "anonymous");
}

#[tokio::test]
async fn an_invitation_ends_after_a_day() {
    let bench = Bench::new();
    let records = Arc::clone(&bench.records) as Arc<dyn Records>;
    let invitation = invite(records, "ada", Role::Owner).await.expect("it is made");
    let body = json!({ "token": invitation.token, "password": PASSWORD });
    bench.records.advance(24 * 60 * 60 * 1_000 - 1);
    assert_eq!(bench.ask(None, "POST", "/v1/setup", body.clone()).await.status, StatusCode::OK);
    bench.records.advance(1);
    assert_eq!(bench.ask(None, "POST", "/v1/setup", body).await.code(), "wrong_token");
    let records = Arc::clone(&bench.records) as Arc<dyn Records>;
    for name in ["", "Ada", "a b", "command line", &"x".repeat(33), "é"] {
        assert!(invite(Arc::clone(&records), name, Role::Owner).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn wrong_anything_is_one_answer() {
    let bench = Bench::staffed();
    bench.records.add("disabled", Role::Owner, PASSWORD, SECRET);
    bench.records.lock().operators.get_mut("disabled").expect("there").is_disabled = true;
    let mut answers = Vec::new();
    let cases = [
        ("nobody", PASSWORD, true),
        ("owner", "wrong horse", true),
        ("owner", PASSWORD, false),
        ("disabled", PASSWORD, true),
        ("a password that came here", "", false),
    ];
    for (name, password, is_code_right) in cases {
        let code = totp::code_at(SECRET, bench.records.now());
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let answer = bench.login_with(name, password, if is_code_right { &code } else { wrong }).await;
        let mut body = answer.json();
        body.as_object_mut().expect("a map").remove("request_id");
        assert!(!answer.headers.contains_key("set-cookie"));
        answers.push((answer.status, body));
        // So that no wait comes into it.
        bench.records.advance(16 * 60 * 1_000);
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let rows = bench.records.lock().rows.clone();
    assert_eq!(rows.iter().filter(|row| row.action == "login_failed").count(), cases.len());
    assert!(rows.iter().all(|row| !row.operator.contains("password")), "what is no name is not kept");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let bench = Bench::staffed();
    let code = totp::code_at(SECRET, bench.records.now());
    assert_eq!(bench.login_with("owner", PASSWORD, &code).await.status, StatusCode::OK);
    let again = bench.login_with("owner", PASSWORD, &code).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_login"));
    // Of the step before, which still shows somewhere: not after a later one.
    let earlier = totp::code_at(SECRET, bench.records.now() - 30_000);
    assert_eq!(bench.login_with("owner", PASSWORD, &earlier).await.code(), "wrong_login");
}

#[tokio::test]
async fn whoever_guesses_waits() {
    let bench = Bench::staffed();
    for _ in 0..5 {
        assert_eq!(bench.login_with("owner", "wrong horse", "000000").await.code(), "wrong_login");
    }
    let code = totp::code_at(SECRET, bench.records.now());
    let answer = bench.login_with("owner", PASSWORD, &code).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate"));
    assert_eq!(answer.headers["retry-after"], "1");
    bench.records.advance(1_000);
    assert_eq!(bench.login_with("owner", PASSWORD, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_login_gets_a_new_id_and_the_cookie_is_out_of_reach() {
    let bench = Bench::staffed();
    // What somebody has put into the browser before is not taken over.
    let planted = Browser { cookie: "__Host-operator=planted".into(), csrf: "planted".into() };
    bench.records.advance(60_000);
    let code = totp::code_at(SECRET, bench.records.now());
    let body = json!({ "name": "owner", "password": PASSWORD, "code": code });
    let answer = bench.send(request(Some(&planted), "POST", "/v1/login", body)).await;
    let cookie = answer.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-operator="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain") && answer.cookie() != planted.cookie);
    assert!(
        !answer.text.contains(answer.cookie().trim_start_matches("__Host-operator=")),
        "no script sees it"
    );
    let answer = bench.ask(Some(&planted), "GET", "/v1/overview", Value::Null).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let (one, two) = (bench.login("owner").await, bench.login("owner").await);
    assert!(one.cookie != two.cookie && one.csrf != two.csrf);
}

#[tokio::test]
async fn a_login_ends_idle_old_and_by_hand() {
    const MINUTE_MS: i64 = 60_000;
    let bench = Bench::staffed();
    let look = |browser: Browser, path: &'static str| {
        let bench = &bench;
        async move { bench.ask(Some(&browser), "GET", path, Value::Null).await.status }
    };
    let owner = bench.login("owner").await;
    bench.records.advance(14 * MINUTE_MS);
    assert_eq!(look(owner.clone(), "/v1/operators").await, StatusCode::OK);
    bench.records.advance(14 * MINUTE_MS);
    assert_eq!(look(owner.clone(), "/v1/overview").await, StatusCode::OK, "what the panel asks by itself");
    bench.records.advance(MINUTE_MS);
    assert_eq!(look(owner, "/v1/overview").await, StatusCode::UNAUTHORIZED, "keeps no login alive");

    let owner = bench.login("owner").await;
    for _ in 0..48 {
        assert_eq!(look(owner.clone(), "/v1/operators").await, StatusCode::OK);
        bench.records.advance(10 * MINUTE_MS);
    }
    assert_eq!(look(owner, "/v1/operators").await, StatusCode::UNAUTHORIZED, "8 hours");

    let owner = bench.login("owner").await;
    let answer = bench.ask(Some(&owner), "POST", "/v1/logout", json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    assert_eq!(look(owner, "/v1/overview").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_lost_phone_is_replaced_by_an_invitation_and_old_logins_end() {
    let bench = Bench::staffed();
    let (owner, viewer) = (bench.login("owner").await, bench.login("viewer").await);
    let ask = json!({ "name": "viewer", "role": "support" });
    let invitation = bench.ask(Some(&owner), "POST", "/v1/operators/invitations", ask).await.json();
    let token = &invitation["token"];
    let offer = bench
        .ask(None, "POST", "/v1/setup", json!({ "token": token, "password": "new password" }))
        .await
        .json();
    let text = offer["totp_secret"].as_str().expect("a text");
    let code = totp::code_at(&totp::parse_secret(text).expect("base32"), bench.records.now());
    let body = json!({ "token": token, "password": "new password", "totp_secret": text, "code": code });
    let answer = bench.ask(None, "POST", "/v1/setup/confirm", body).await;
    assert_eq!(answer.json()["operator"]["role"], "support", "{}", answer.text);
    let old = bench.ask(Some(&viewer), "GET", "/v1/overview", Value::Null).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let rows = bench.ask(Some(&owner), "GET", "/v1/audit?limit=1", Value::Null).await.text;
    assert!(!rows.contains(token.as_str().expect("a text")), "no token is kept");
}
