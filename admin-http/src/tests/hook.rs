//! The drain without a login: who may start it, and what the audit log says.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Bench, DRAIN_TOKEN, request};
use crate::access::Access;
use crate::{Panel, Settings, routes};

/// As a program asks: no cookie, no origin, whatever name it knows the server by.
fn hook(authorization: &str) -> Request<Body> {
    let request = Request::post("/v1/drain").header("host", "10.0.0.7:3002");
    request.header("authorization", authorization).body(Body::empty()).expect("a request")
}

fn with(authorization: &str, name: &'static str, value: &str) -> Request<Body> {
    let mut request = hook(authorization);
    request.headers_mut().insert(name, value.parse().expect("a value"));
    request
}

fn right() -> String {
    format!("Bearer {DRAIN_TOKEN}")
}

fn is_refused(answer: &Answer, code: &str) {
    assert_eq!(answer.code(), code, "{}", answer.text);
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

#[tokio::test]
async fn the_right_token_starts_the_drain_once_and_is_a_row_before() {
    let bench = Bench::staffed();
    for _ in 0..3 {
        let answer = bench.send(hook(&right())).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        assert_eq!(answer.json(), json!({ "status": "draining" }));
    }
    let done = bench.server.done();
    let [(actor, what)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((what.as_str(), actor.operator.as_str()), ("drain", "deploy hook"));
    let operator = bench.login("operator").await;
    let page = bench.ask(Some(&operator), "GET", "/v1/audit", Value::Null).await.json();
    // Newest first: the login comes before it.
    let row = &page["rows"][1];
    assert_eq!(row["seq"], actor.audit_seq);
    assert_eq!((row["operator"].as_str(), row["role"].as_str()), (Some("deploy hook"), None));
    assert_eq!((row["action"].as_str(), row["outcome"].as_str()), (Some("drain"), Some("done")));
    assert_eq!(row["details"]["address"], "192.0.2.1");
    assert!(!page.to_string().contains(DRAIN_TOKEN));
}

#[tokio::test]
async fn without_its_row_nothing_is_drained() {
    let bench = Bench::new();
    bench.records.is_away.store(true, Ordering::Relaxed);
    let answer = bench.send(hook(&right())).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "read_only"));
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn another_token_starts_nothing_and_is_noted() {
    let wrong = ["0".repeat(32), format!("{DRAIN_TOKEN}0"), DRAIN_TOKEN[1..].to_owned(), String::new()];
    for token in wrong {
        let bench = Bench::new();
        let answer = bench.send(hook(&format!("Bearer {token}"))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        is_refused(&answer, "wrong_token");
        assert!(bench.server.done().is_empty());
        assert_eq!(bench.records.told(), [("login_failed".to_owned(), None)]);
    }
}

#[tokio::test]
async fn where_no_token_is_set_none_is_right() {
    let bench = Bench::new();
    let settings = Settings { drain_token: None, ..bench.panel.settings.clone() };
    let panel = Panel::new(bench.server.clone(), bench.records.clone(), settings);
    let bench = Bench { router: panel.router(), panel, ..bench };
    for authorization in [right(), "Bearer".to_owned(), "bearer ".to_owned()] {
        is_refused(&bench.send(hook(&authorization)).await, "wrong_token");
    }
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn what_a_browser_sends_goes_the_way_of_browsers() {
    let bench = Bench::staffed();
    let owner = bench.login("owner").await;
    // A page of somebody else that made its own name point here.
    is_refused(&bench.send(with(&right(), "origin", "http://10.0.0.7:3002")).await, "foreign_name");
    is_refused(&bench.send(with(&right(), "sec-fetch-site", "same-origin")).await, "foreign_name");
    is_refused(&bench.send(hook("Basic b3duZXI6cGFzc3dvcmQ=")).await, "foreign_name");
    // A cookie is no token, and no page may do without the login's own.
    let mut request = request(Some(&owner), "POST", "/v1/drain", json!({ "reason": "a new version" }));
    request.headers_mut().remove("x-csrf-token");
    is_refused(&bench.send(request).await, "csrf");
    let mut request = with("Bearer", "cookie", &owner.cookie);
    request.headers_mut().insert("host", "localhost:3002".parse().expect("a name"));
    request.headers_mut().remove("authorization");
    is_refused(&bench.send(request).await, "csrf");
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn the_token_opens_no_other_route() {
    let bench = Bench::staffed();
    for (method, path, access) in routes::all(&bench.panel).into_parts().2 {
        if access == Access::Open || (method == "POST" && path == "/v1/drain") {
            continue;
        }
        for host in ["localhost:3002", "10.0.0.7:3002"] {
            let path = path.replace(['{', '}'], "");
            let request = Request::builder().method(method.as_str()).uri(&path).header("host", host);
            let request = request.header("authorization", right()).body(Body::empty()).expect("a request");
            let answer = bench.send(request).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
            assert!(refused.contains(&answer.status), "{method} {path} at {host}: {}", answer.text);
        }
    }
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn whoever_guesses_waits_and_delays_no_login() {
    let bench = Bench::staffed();
    for _ in 0..5 {
        is_refused(&bench.send(hook("Bearer guess")).await, "wrong_token");
    }
    for authorization in ["Bearer another".to_owned(), right()] {
        let answer = bench.send(hook(&authorization)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(bench.server.done().is_empty());
    bench.login("owner").await;
    assert_eq!(bench.send(hook(&right())).await.status, StatusCode::ACCEPTED, "a minute later");
}

/// The token is shown to nobody, whatever is printed.
#[test]
fn the_token_is_not_printed() {
    let bench = Bench::new();
    let printed = format!("{:?} {:?}", bench.panel, bench.panel.settings);
    assert!(!printed.contains(DRAIN_TOKEN), "{printed}");
}
