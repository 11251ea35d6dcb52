//! Sizes, times, headers, streams.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt;

use super::{Bench, request};
use crate::Client;

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_an_id() {
    let bench = Bench::staffed();
    let owner = bench.login("owner").await;
    for (browser, method, path) in [
        (None, "GET", "/"),
        (None, "GET", "/health"),
        (None, "GET", "/players/some-hero"),
        (None, "GET", "/nothing.js"),
        (None, "GET", "/v1/nothing"),
        (None, "DELETE", "/v1/session"),
        (None, "GET", "/v1/overview"),
        (Some(&owner), "GET", "/v1/overview"),
        (Some(&owner), "GET", "/v1/players?query=panic"),
    ] {
        let answer = bench.ask(browser, method, path, Value::Null).await;
        let header = |name: &str| answer.headers[name].to_str().expect("text");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("strict-transport-security").contains("max-age"));
        assert_eq!(header("x-request-id").len(), 32);
        if path.starts_with("/v1") && !answer.status.is_success() {
            assert_eq!(answer.json()["request_id"], header("x-request-id"), "{path}");
        }
    }
    let answer = bench.ask(None, "GET", "/v1/nothing", Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let answer = bench.ask(None, "DELETE", "/v1/session", Value::Null).await;
    assert_eq!(answer.code(), "method_not_allowed");
    let page = bench.ask(None, "GET", "/players/some-hero", Value::Null).await;
    assert!(page.headers["content-type"].to_str().expect("text").starts_with("text/html"));
}

#[tokio::test]
async fn bodies_and_addresses_have_limits() {
    let bench = Bench::staffed();
    let operator = bench.login("operator").await;
    let large = json!({ "name": "x".repeat(16 * 1024), "password": "", "code": "" });
    assert_eq!(bench.ask(None, "POST", "/v1/login", large).await.code(), "too_large");
    let upload = |bytes: usize| json!({ "reason": "new season", "text": "x".repeat(bytes) });
    let answer = bench.ask(Some(&operator), "POST", "/v1/catalogue", upload(256 * 1024)).await;
    assert_eq!(answer.code(), "invalid", "it came through, and is none");
    assert_eq!(bench.server.done().len(), 1);
    for bytes in [256 * 1024 + 1, 384 * 1024] {
        let answer = bench.ask(Some(&operator), "POST", "/v1/catalogue", upload(bytes)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    }
    for (path, code) in [
        (format!("/v1/players?query={}", "x".repeat(2_048)), "too_large"),
        (format!("/v1/players?query={}", "x".repeat(257)), "malformed"),
        ("/v1/players?query=a%00b".into(), "malformed"),
        ("/v1/players?unknown=1".into(), "malformed"),
        ("/v1/history?span=year".into(), "malformed"),
        ("/v1/audit?before=-1".into(), "malformed"),
        (format!("/v1/players/{}", "x".repeat(65)), "malformed"),
        ("/v1/players/a%00b".into(), "malformed"),
        ("/v1/players/h/at/x".into(), "malformed"),
    ] {
        assert_eq!(bench.ask(Some(&operator), "GET", &path, Value::Null).await.code(), code, "{path}");
    }
    for body in ["", "null", "[]", "[\"cheats\", true]", "{", "{\"reason\":\"cheats\"}"] {
        let mut request = request(Some(&operator), "POST", "/v1/players/h/ban", Value::Null);
        *request.body_mut() = Body::from(body);
        assert_eq!(bench.send(request).await.code(), "malformed", "{body}");
    }
    let unknown = json!({ "reason": "cheats", "is_banned": true, "more": 1 });
    assert_eq!(bench.ask(Some(&operator), "POST", "/v1/players/h/ban", unknown).await.code(), "malformed");
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_question_without_an_answer_are_errors_like_others() {
    let bench = Bench::staffed();
    let support = bench.login("support").await;
    let answer = bench.ask(Some(&support), "GET", "/v1/players?query=panic", Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(
        !answer.text.contains("mistake of the server\"") || !answer.text.contains("assert"),
        "{}",
        answer.text
    );
    let answer = bench.ask(Some(&support), "GET", "/v1/players?query=hang", Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_every_two_seconds_and_ends_with_its_login() {
    let bench = Bench::staffed();
    let viewer = bench.login("viewer").await;
    let open = async |browser| {
        let mut request = request(Some(browser), "GET", "/v1/live", Value::Null);
        request.extensions_mut().insert(Client([192, 0, 2, 1].into()));
        bench.panel.router().oneshot(request).await.expect("a router never fails")
    };
    let mut body = open(&viewer).await.into_body();
    for _ in 0..3 {
        let frame = body.frame().await.expect("it goes on").expect("no error");
        let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
        assert!(text.starts_with("event: overview\ndata: {"), "{text}");
    }
    bench.panel.sessions.end_of("viewer");
    assert!(body.frame().await.is_none(), "the login has ended");

    let viewer = bench.login("viewer").await;
    let mut open_streams = Vec::new();
    for _ in 0..64 {
        let response = open(&viewer).await;
        assert_eq!(response.status(), StatusCode::OK);
        open_streams.push(response);
    }
    assert_eq!(open(&viewer).await.status(), StatusCode::SERVICE_UNAVAILABLE, "64 at most");
    let mut one = open_streams.pop().expect("there are 64").into_body();
    drop(open_streams);
    bench.panel.close();
    let ended = timeout(Duration::from_secs(1), async { while one.frame().await.is_some() {} }).await;
    assert!(ended.is_ok(), "a listener that stops is not held up");
}

#[tokio::test]
async fn a_request_without_a_host_comes_from_no_browser() {
    let get = Request::get("/health").body(Body::empty()).expect("a request");
    assert_eq!(Bench::new().send(get).await.status, StatusCode::OK);
}
