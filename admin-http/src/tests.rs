use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{JournalOverview, Operations, Overview, SimulationOverview, check_address, router};

struct Fixed;

impl Operations for Fixed {
    fn overview(&self) -> Overview {
        Overview {
            version: "1.2.3".into(),
            started_at_ms: 1_000,
            uptime_ms: 500,
            readiness: "ready".into(),
            connections_open: 3,
            heroes_in_memory: 2,
            simulation: SimulationOverview { shards: 2, tick_hz: 10, ticks: 40, tick_overruns: 0 },
            journal: JournalOverview {
                queue_events: 5,
                queue_bytes: 900,
                oldest_age_ms: 4,
                read_only: false,
            },
        }
    }
}

async fn get(path: &str, host: &str) -> (StatusCode, String, axum::http::HeaderMap) {
    let request = Request::get(path).header("host", host).body(Body::empty()).expect("a request");
    let response = router(Arc::new(Fixed)).oneshot(request).await.expect("a router never fails");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    (parts.status, String::from_utf8(bytes.to_vec()).expect("text"), parts.headers)
}

#[tokio::test]
async fn the_overview_is_the_operations_answer() {
    let (status, body, headers) = get("/v1/overview", "127.0.0.1:3002").await;
    assert_eq!(status, StatusCode::OK);
    let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(json["connections_open"], 3);
    assert_eq!(json["journal"]["oldest_age_ms"], 4);
    assert_eq!(json["simulation"]["tick_hz"], 10);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn only_loopback_names_are_answered() {
    for host in ["localhost", "localhost:3002", "127.0.0.1", "127.8.8.8:1", "[::1]:3002", "[::1]"] {
        assert_eq!(get("/health", host).await.0, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:3002", "10.0.0.1:3002", "", "127.0.0.1.evil.example"]
    {
        assert_eq!(get("/health", host).await.0, StatusCode::FORBIDDEN, "{host}");
    }
}

#[test]
fn only_loopback_addresses_may_be_listened_on() {
    for address in ["127.0.0.1:3002", "[::1]:3002"] {
        assert_eq!(check_address(address.parse().expect("an address")), Ok(()));
    }
    for address in ["0.0.0.0:3002", "[::]:3002", "192.0.2.1:3002"] {
        let refused = check_address(address.parse().expect("an address")).expect_err("not loopback");
        assert!(refused.to_string().contains("no login yet"), "{refused}");
    }
}
