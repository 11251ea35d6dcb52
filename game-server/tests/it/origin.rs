//! Which requests become sockets, and which pages may read our answers.

use protocol::SUBPROTOCOL;

use crate::harness::{Answer, TestServer};

const LISTED: &str = "https://play.example.org";

/// A correct upgrade request, with some headers replaced; an empty value removes one.
async fn upgrade(server: &TestServer, changes: &[(&str, &str)]) -> Answer {
    let mut headers = vec![
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", SUBPROTOCOL),
    ];
    for (name, value) in changes {
        headers.retain(|(found, _)| found != name);
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    server.request("GET", "/v1/ws", &headers, "").await
}

#[tokio::test]
async fn only_pages_of_known_origins_open_sockets() {
    let variables = [("ALLOWED_ORIGINS", LISTED), ("UNAUTHENTICATED_PER_ADDRESS_MAX", "100")];
    let server = TestServer::start_with(&variables).await;
    let own = format!("http://{}", server.address());
    for origin in [LISTED, &own, ""] {
        let answer = upgrade(&server, &[("origin", origin)]).await;
        assert_eq!(answer.status, 101, "{origin:?}: {answer:?}");
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(answer.header("sec-websocket-protocol"), Some(SUBPROTOCOL));
        for name in
            ["x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy"]
        {
            assert!(answer.header(name).is_some(), "{name} is missing on the upgrade");
        }
    }
    let other_port = format!("http://127.0.0.1:{}", server.address().port().wrapping_add(1).max(1));
    for origin in [
        "https://evil.example",
        "null",
        "https://play.example.org.evil.example",
        "https://play.example.or",
        "https://PLAY.example.org",
        "HTTPS://play.example.org",
        "https://play.example.org:444",
        "https://play.example.org:443",
        "http://play.example.org",
        "https://play.example.org/",
        &format!("{LISTED} {LISTED}"),
        &own.to_uppercase(),
        &other_port,
    ] {
        let answer = upgrade(&server, &[("origin", origin)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "origin"), "{origin}");
    }
    let twice = format!("{LISTED}\r\norigin: {LISTED}");
    assert_eq!(upgrade(&server, &[("origin", &twice)]).await.status, 403, "two origins are none");
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_told_what_is_missing() {
    let server = TestServer::start().await;
    for (change, code, hint) in [
        (("connection", "close"), "not_a_websocket", "WebSocket"),
        (("upgrade", "h2c"), "not_a_websocket", "WebSocket"),
        (("sec-websocket-version", "8"), "not_a_websocket", "13"),
        (("sec-websocket-key", ""), "not_a_websocket", "Key"),
        (("sec-websocket-key", "short"), "not_a_websocket", "Key"),
        (("sec-websocket-protocol", ""), "subprotocol", SUBPROTOCOL),
        (("sec-websocket-protocol", "dopamine-hero.v2.msgpack"), "subprotocol", SUBPROTOCOL),
    ] {
        let answer = upgrade(&server, &[change]).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{change:?}");
        assert!(answer.json()["hint"].as_str().expect("a hint").contains(hint), "{change:?}");
    }
    let list = format!("chat , {SUBPROTOCOL}");
    assert_eq!(upgrade(&server, &[("sec-websocket-protocol", &list)]).await.status, 101, "one of several");
    assert_eq!(upgrade(&server, &[("connection", "keep-alive, Upgrade")]).await.status, 101);
    server.stop().await;
}

#[tokio::test]
async fn only_listed_pages_read_our_answers() {
    let server = TestServer::start_with(&[("ALLOWED_ORIGINS", LISTED)]).await;
    let preflight = [
        ("origin", LISTED),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    let answer = server.request("OPTIONS", "/v1/ws-ticket", &preflight, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(LISTED)));
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, content-type"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, PATCH, PUT, DELETE"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let answer = server.request("POST", "/v1/guests", &[("origin", LISTED)], "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, Some(LISTED)));
    assert_eq!(answer.header("access-control-allow-credentials"), None, "no cookie is ever meant");
    let own = format!("http://{}", server.address());
    for origin in
        ["https://evil.example", "null", "https://play.example.org:443", "https://PLAY.example.org", &own]
    {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = server.request("OPTIONS", "/v1/ws-ticket", &headers, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    assert_eq!(answer.header("vary"), Some("origin"), "a cache must not mix them up");
    server.stop().await;
}
