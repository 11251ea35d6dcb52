//! Who may use which route, and from which page.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Bench, request};
use crate::access::Access;
use crate::routes;
use crate::views::Role;

/// A path with something in its gaps, and a body that is right for the route.
fn fill(path: &str) -> (String, Value) {
    let body = match path {
        "/v1/players/{hero}/ban" => json!({ "reason": "a good one", "is_banned": true }),
        "/v1/players/{hero}/erase" => json!({ "reason": "a good one", "is_wanted": true }),
        "/v1/players/{hero}/close" => json!({ "reason": "a good one", "connection_id": null }),
        "/v1/players/{hero}/corrections" => {
            json!({ "reason": "a good one", "energy_me": 1, "dopamine_md": 0, "reverts": null })
        }
        "/v1/approvals/{id}" => json!({ "is_approved": true }),
        "/v1/outages" => json!({ "reason": "a good one", "from_ms": 1, "until_ms": 2 }),
        "/v1/catalogue" => json!({ "reason": "a good one", "text": "()" }),
        "/v1/catalogue/switch" => json!({ "reason": "a good one", "in_force": 1, "version": 2 }),
        "/v1/cost/budget" => json!({ "reason": "a good one", "budget_usd": 500 }),
        "/v1/banner" => json!({ "reason": "a good one", "banner": null }),
        "/v1/operators/invitations" => json!({ "name": "eve", "role": "viewer" }),
        "/v1/operators/{name}" => json!({ "is_disabled": false }),
        "/v1/logout" => json!({}),
        _ => json!({ "reason": "a good one" }),
    };
    let path = path.replace("{hero}", "0190c2d4-5b6e-7f80-9a1b-2c3d4e5f6071").replace("{name}", "nobody");
    let path = path.replace("{seq}", "1").replace("{version}", "1").replace("{id}", "1");
    (if path == "/v1/history" { "/v1/history?span=hour".into() } else { path }, body)
}

#[tokio::test]
async fn every_route_with_every_role() {
    let table = routes::all(&Bench::new().panel).into_parts().2;
    assert!(table.len() >= 38, "{} routes", table.len());
    for (method, path, access) in table {
        let (Access::Of(needed) | Access::Watch(needed)) = access else { continue };
        // A stream never ends by itself; whoever may not see it gets an answer that does.
        let is_stream = path == "/v1/live";
        let (filled, body) = fill(&path);
        let body = if method == "GET" { Value::Null } else { body };
        for role in Role::ALL {
            let bench = Bench::staffed();
            let browser = bench.login(role.as_str()).await;
            if is_stream && role >= needed {
                bench.panel.close();
            }
            let answer = bench.ask(Some(&browser), &method, &filled, body.clone()).await;
            let what = format!("{method} {path} as {}: {} {}", role.as_str(), answer.status, answer.text);
            if role < needed {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (StatusCode::FORBIDDEN, "forbidden"),
                    "{what}"
                );
                assert_eq!(bench.records.told().len(), 1, "nothing but the login is noted: {what}");
            } else {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST];
                assert!(!refused.contains(&answer.status), "{what}");
                assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{what}");
            }
        }
        let nobody = Bench::staffed().ask(None, &method, &filled, body).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path} as nobody");
    }
}

#[test]
fn five_routes_are_open_and_no_more() {
    let table = routes::all(&Bench::new().panel).into_parts().2;
    let open = table.iter().filter(|(.., access)| *access == Access::Open);
    let open: Vec<_> = open.map(|(method, path, _)| format!("{method} {path}")).collect();
    let expected =
        ["GET /health", "GET /v1/session", "POST /v1/setup", "POST /v1/setup/confirm", "POST /v1/login"];
    assert_eq!(open, expected);
    for (method, path, access) in table {
        let is_watch = matches!(access, Access::Watch(_));
        assert!(!is_watch || method == "GET", "{path} keeps no login alive and changes nothing");
    }
}

#[tokio::test]
async fn nothing_changes_without_the_token_of_the_login_or_from_another_page() {
    let bench = Bench::staffed();
    let (owner, other) = (bench.login("owner").await, bench.login("operator").await);
    let ban = || {
        request(Some(&owner), "POST", "/v1/players/h/ban", json!({ "reason": "cheats", "is_banned": true }))
    };
    let with = |name: &'static str, value: &str| {
        let mut request = ban();
        request.headers_mut().insert(name, value.parse().expect("a value"));
        request
    };
    let without = |name: &'static str| {
        let mut request = ban();
        request.headers_mut().remove(name);
        request
    };
    let forged = [
        without("x-csrf-token"),
        with("x-csrf-token", ""),
        with("x-csrf-token", &other.csrf),
        without("origin"),
        with("origin", "null"),
        with("origin", "https://evil.example"),
        with("sec-fetch-site", "cross-site"),
        with("sec-fetch-site", "same-site"),
    ];
    for request in forged {
        let headers = format!("{:?}", request.headers());
        let answer = bench.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "csrf"), "{headers}");
    }
    assert!(bench.server.done().is_empty());
    assert_eq!(bench.send(ban()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.server.done().len(), 1);
}

#[tokio::test]
async fn a_get_changes_nothing() {
    let bench = Bench::staffed();
    let owner = bench.login("owner").await;
    let before = bench.records.told();
    for (method, path, access) in routes::all(&bench.panel).into_parts().2 {
        if method == "GET" && access != Access::Open && path != "/v1/live" {
            bench.ask(Some(&owner), "GET", &fill(&path).0, Value::Null).await;
        }
    }
    assert!(bench.server.done().is_empty());
    assert_eq!(bench.records.told(), before, "reading is no row");
    // And what changes something is not reached by it.
    let answer = bench.ask(Some(&owner), "GET", "/v1/players/h/ban", Value::Null).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_effect_is_a_row_first_and_its_outcome_a_second_one() {
    let bench = Bench::staffed();
    let operator = bench.login("operator").await;
    let ban = json!({ "reason": "  cheats in two windows ", "is_banned": true });
    let answer = bench.ask(Some(&operator), "POST", "/v1/players/h/ban", ban.clone()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let (actor, what) = bench.server.done().remove(0);
    assert_eq!((actor.operator.as_str(), actor.reason.as_str()), ("operator", "cheats in two windows"));
    assert_eq!(what, "ban h true");
    let page = bench.ask(Some(&operator), "GET", "/v1/audit", Value::Null).await.json();
    let row = &page["rows"][0];
    assert_eq!(row["seq"], actor.audit_seq);
    assert_eq!((row["action"].as_str(), row["outcome"].as_str()), (Some("player.ban"), Some("done")));
    assert_eq!(row["details"]["is_banned"], true);

    // What fails is told too.
    let upload = json!({ "reason": "new season", "text": "x" });
    let answer = bench.ask(Some(&operator), "POST", "/v1/catalogue", upload).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let last = bench.records.told().pop();
    assert_eq!(last, Some(("catalogue.upload".into(), Some("failed: no catalogue".into()))));

    // Without the row there is no effect.
    bench.records.is_away.store(true, Ordering::Relaxed);
    let answer = bench.ask(Some(&operator), "POST", "/v1/players/h/ban", ban).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "read_only"));
    assert_eq!(bench.server.done().len(), 2);
    // Looking goes on.
    bench.records.advance(6_000);
    let answer = bench.ask(Some(&operator), "GET", "/v1/overview", Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = bench.ask(None, "GET", "/v1/session", Value::Null).await;
    assert_eq!(answer.json()["state"], "anonymous");
}

#[tokio::test]
async fn a_row_that_cannot_be_written_stops_its_effect() {
    let bench = Bench::staffed();
    let operator = bench.login("operator").await;
    // Somebody has cut the log off: nothing is chained to what is left.
    bench.records.lock().head = None;
    let ban = json!({ "reason": "cheats", "is_banned": true });
    let answer = bench.ask(Some(&operator), "POST", "/v1/players/h/ban", ban).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(answer.text.contains("audit verify"), "{}", answer.text);
    assert!(bench.server.done().is_empty());
}

#[tokio::test]
async fn a_reason_is_one_line_of_3_to_200_characters() {
    let bench = Bench::staffed();
    let operator = bench.login("operator").await;
    for (reason, is_good) in [
        ("", false),
        ("  ab ", false),
        ("a\nb\nc", false),
        (&"x".repeat(201), false),
        (&"ü".repeat(200), true),
    ] {
        let ban = json!({ "reason": reason, "is_banned": true });
        let answer = bench.ask(Some(&operator), "POST", "/v1/players/h/ban", ban).await;
        assert_eq!(answer.status.is_success(), is_good, "{reason}: {}", answer.text);
    }
}

#[tokio::test]
async fn whoever_is_changed_or_disabled_is_out_at_once() {
    let bench = Bench::staffed();
    let (owner, operator) = (bench.login("owner").await, bench.login("operator").await);
    let change = |what: Value| bench.ask(Some(&owner), "POST", "/v1/operators/operator", what);
    assert_eq!(change(json!({ "role": "viewer" })).await.status, StatusCode::NO_CONTENT);
    let answer = bench.ask(Some(&operator), "GET", "/v1/overview", Value::Null).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let again = bench.login("operator").await;
    assert_eq!(change(json!({ "is_disabled": true })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        bench.ask(Some(&again), "GET", "/v1/overview", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    let answer = bench.ask(Some(&owner), "POST", "/v1/operators/owner", json!({ "role": "viewer" })).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "never the last owner");

    // On another server: what changes something sees it at once, what looks within 5 s.
    let support = bench.login("support").await;
    bench.records.lock().operators.get_mut("support").expect("there").revision += 1;
    assert_eq!(bench.ask(Some(&support), "GET", "/v1/overview", Value::Null).await.status, StatusCode::OK);
    bench.records.advance(5_000);
    assert_eq!(
        bench.ask(Some(&support), "GET", "/v1/overview", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    let support = bench.login("support").await;
    bench.records.lock().operators.get_mut("support").expect("there").is_disabled = true;
    let close = json!({ "reason": "he asked", "connection_id": null });
    let answer = bench.ask(Some(&support), "POST", "/v1/players/h/close", close).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn foreign_names_are_not_answered() {
    let bench = Bench::staffed();
    for host in ["evil.example", "localhost.evil.example:3002", "10.0.0.1:3002"] {
        let get = Request::get("/health").header("host", host).body(Body::empty()).expect("a request");
        assert_eq!(bench.send(get).await.status, StatusCode::FORBIDDEN, "{host}");
    }
    for host in ["localhost:3002", "[::1]:3002", "admin.example.org"] {
        let get = Request::get("/health").header("host", host).body(Body::empty()).expect("a request");
        assert_eq!(bench.send(get).await.status, StatusCode::OK, "{host}");
    }
}
