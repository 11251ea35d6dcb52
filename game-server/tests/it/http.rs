//! What the routes of the players' listener answer.

use game_server::clock::Clock;
use game_server::http::BODY_BYTES_MAX;

use crate::harness::{Answer, SECRET, TestServer, request};

#[tokio::test]
async fn a_guest_gets_a_hero_a_token_and_tickets() {
    let server = TestServer::start_at(Clock::fixed(1_700_000_000_000), &[]).await;
    let answer = server.request("POST", "/v1/guests", &[], "{\"device_name\": \"Laptop\"}").await;
    assert_eq!(answer.status, 201);
    let json = answer.json();
    assert_eq!(json["created_at_ms"], 1_700_000_000_000_i64);
    let token = json["device_token"].as_str().expect("a token");
    assert!(token.starts_with("dh_") && token.len() == 46, "{token}");
    assert_eq!(json["hero_id"].as_str().expect("an id").len(), 36);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let bearer = format!("Bearer {token}");
    let answer = server.request("POST", "/v1/ws-ticket", &[("Authorization", &bearer)], "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["expires_in_ms"], 30_000);
    let (first, second) = (answer.json()["ticket"].clone(), server.ticket(token).await);
    assert_ne!(first, second.as_str(), "every ticket is new");
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_token_gets_no_ticket() {
    let server = TestServer::start().await;
    let (_, token) = server.guest().await;
    let wrong = format!("Bearer {}x", &token[..token.len() - 1]);
    let basic = format!("Basic {token}");
    for headers in [
        &[][..],
        &[("authorization", wrong.as_str())],
        &[("authorization", basic.as_str())],
        &[("authorization", "Bearer")],
        &[("cookie", token.as_str())],
    ] {
        let answer = server.request("POST", "/v1/ws-ticket", headers, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let answer = server.request("POST", &format!("/v1/ws-ticket?token={token}"), &[], "").await;
    assert_eq!(answer.status, 401, "a credential in an address counts for nothing");
    server.stop().await;
}

#[tokio::test]
async fn bodies_are_small_and_known() {
    let server = TestServer::start().await;
    let long = format!("{{\"device_name\": \"{}\"}}", "x".repeat(300));
    for body in ["[]", "{\"device_name\": 5}", "{\"hero_id\": \"x\"}", "{", "null x", "\u{0}", &long] {
        let answer = server.request("POST", "/v1/guests", &[], body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"), "{body}");
    }
    let large = " ".repeat(BODY_BYTES_MAX + 1);
    let answer = server.request("POST", "/v1/guests", &[], &large).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let chunked = format!("{BODY_BYTES_MAX:x}\r\n{}\r\n5\r\nhello\r\n0\r\n\r\n", &large[1..]);
    let answer = server.request("POST", "/v1/guests", &[("transfer-encoding", "chunked")], &chunked).await;
    assert_eq!(answer.status, 413, "a body without a length is counted as it comes");
    assert_eq!(server.metrics().guests_created_total.get(), 0);
    server.stop().await;
}

#[tokio::test]
async fn the_catalogue_is_json_and_is_sent_once() {
    let server = TestServer::start().await;
    let answer = server.request("GET", "/v1/catalogue", &[], "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json();
    let etag = answer.header("etag").expect("an ETag").to_owned();
    for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}")] {
        let answer = server.request("GET", "/v1/catalogue", &[("if-none-match", &known)], "").await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
    }
    let answer = server.request("GET", "/v1/catalogue", &[("if-none-match", "\"other\"")], "").await;
    assert_eq!(answer.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn health_and_readiness_answer() {
    let server = TestServer::start().await;
    assert_eq!(server.request("GET", "/health", &[], "").await.json()["status"], "ok");
    let answer = server.request("GET", "/ready", &[], "").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ready")));
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_told_with_a_request_id() {
    let server = TestServer::start().await;
    for (method, path, status, code) in [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/guests", 405, "method_not_allowed"),
        ("DELETE", "/v1/ws-ticket", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/no-such-file.js", 404, "not_found"),
        ("GET", "/..%2f..%2fCargo.toml", 404, "not_found"),
        ("GET", "/v1/avatars/%FF", 404, "not_found"),
    ] {
        let answer = server.request(method, path, &[], "").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}");
        let json = answer.json();
        assert_eq!(json["request_id"].as_str(), answer.header("x-request-id"));
        assert!(json["hint"].as_str().expect("a hint").len() > 10);
        assert_eq!(json.as_object().expect("a map").len(), 3);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_description_for_machines_is_not_served() {
    let server = TestServer::start().await;
    for path in [
        "/openapi.json",
        "/openapi.yaml",
        "/swagger.json",
        "/v1/openapi.json",
        "/v1/openapi",
        "/v1/docs",
        "/docs/openapi.json",
        "/api-docs/openapi.json",
        "/.well-known/openapi.json",
    ] {
        let answer = server.request("GET", path, &[], "").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_page_of_the_client_is_its_index() {
    let server = TestServer::start().await;
    for path in ["/", "/index.html", "/rack", "/settings/sound"] {
        let answer = server.request("GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").expect("a type").starts_with("text/html"), "{path}");
        assert!(answer.text().to_lowercase().starts_with("<!doctype html>"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
    }
    server.stop().await;
}

fn assert_secured(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}");
    }
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{what}");
    assert!(!policy.contains("unsafe"), "{what}");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = TestServer::start().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/v1/catalogue"),
        ("GET", "/v1/ws"),
        ("POST", "/v1/guests"),
        ("POST", "/v1/ws-ticket"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/"),
        ("GET", "/index.html"),
        ("GET", "/no-such-file.js"),
        ("OPTIONS", "/v1/guests"),
        ("BREW", "/v1/guests"),
    ] {
        let answer = server.request(method, path, &[], "").await;
        assert_secured(&answer, path);
        assert_eq!(answer.header("strict-transport-security"), None, "TLS is production's");
    }
    server.stop().await;

    let folder = std::env::temp_dir().join(format!("dopamine-hero-{}", uuid::Uuid::new_v4()));
    let url = format!("sqlite://{}", folder.join("heroes.sqlite").display());
    let server = TestServer::start_with(&[("APP_ENV", "production"), SECRET, ("DATABASE_URL", &url)]).await;
    let answer = server.request("GET", "/health", &[], "").await;
    assert_secured(&answer, "production");
    assert!(answer.header("strict-transport-security").is_some());
    server.stop().await;
    std::fs::remove_dir_all(folder).expect("the folder was made");
}

#[tokio::test]
async fn one_address_is_limited_and_headers_cannot_change_whose_it_is() {
    let server = TestServer::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "3")]).await;
    for left in ["2", "1", "0"] {
        let answer = server.request("POST", "/v1/guests", &[], "").await;
        assert_eq!((answer.status, answer.header("ratelimit-remaining")), (201, Some(left)));
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
    }
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let answer = server.request("POST", "/v1/guests", &[(header, "198.51.100.7")], "").await;
        assert_eq!((answer.status, answer.code().as_str()), (429, "rate"), "{header}");
        let wait: u64 = answer.header("retry-after").expect("when").parse().expect("seconds");
        assert!((1..=300).contains(&wait), "{wait}");
    }
    assert_eq!(server.metrics().guests_created_total.get(), 3);
    assert_eq!(server.request("GET", "/ready", &[], "").await.status, 200, "other routes are not limited");
    server.stop().await;
}

#[tokio::test]
async fn behind_a_load_balancer_the_hop_that_it_wrote_counts_and_nothing_else() {
    let variables = [("RATE_LIMIT_MAX_REQUESTS", "2"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let server = TestServer::start_with(&variables).await;
    let make = async |forwarded: &str| {
        let answer = server.request("POST", "/v1/guests", &[("x-forwarded-for", forwarded)], "").await;
        answer.status
    };
    // What stands to the left was written by the client, another one in each request.
    assert_eq!(make("203.0.113.1, 198.51.100.7").await, 201);
    assert_eq!(make("203.0.113.2, 198.51.100.7").await, 201);
    assert_eq!(make("203.0.113.3, 198.51.100.7").await, 429);
    assert_eq!(make("198.51.100.8").await, 201, "another client of the same load balancer");
    assert_eq!(make("2001:db8::1").await, 201);
    assert_eq!(make("2001:db8::2").await, 201);
    assert_eq!(make("2001:db8::3").await, 429, "a /64 is one address");
    assert_eq!(make("2001:db8:0:1::1").await, 201);
    server.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let server = TestServer::start().await;
    server.guest().await;
    server.request("GET", "/v1/nothing", &[], "").await;
    server.request("GET", "/somebodys-secret", &[], "").await;
    let answer = request(server.server().metrics_address(), "GET", "/metrics", &[], "").await;
    let text = answer.text();
    assert!(text.contains("http_requests_total{route=\"guests\",status=\"2xx\"} 1\n"), "{text}");
    assert!(text.contains("http_requests_total{route=\"other\",status=\"4xx\"} 1\n"), "{text}");
    assert!(!text.contains("nothing") && !text.contains("secret"));
    server.stop().await;
}
