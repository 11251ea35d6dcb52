//! A guest's hero is claimed over HTTP.

use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};

async fn post(server: &TestServer, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    server.request("POST", path, &[("authorization", &bearer)], &body.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_claimed_after_a_preview_and_once() {
    let server = TestServer::start().await;
    let wish = json!({"mail": "ada@example.org", "password": "three plain words", "keep": "token"});
    let session = server.request("POST", "/v1/auth/register", &[], &wish.to_string()).await;
    assert_eq!(session.status, 201, "{session:?}");
    let access = session.json()["access_token"].as_str().expect("a text").to_owned();
    let (_, token) = server.guest().await;
    let body = json!({ "device_token": token });
    let preview = post(&server, "/v1/me/claim/preview", &access, &body).await;
    assert_eq!((preview.status, preview.json()["tasks_added"].as_i64()), (200, Some(0)), "{preview:?}");
    let claimed = post(&server, "/v1/me/claim", &access, &body).await;
    assert_eq!(claimed.status, 200, "{claimed:?}");
    assert_eq!(claimed.json()["united"], preview.json());
    let again = post(&server, "/v1/me/claim", &access, &body).await;
    assert_eq!(again.status, 200, "{again:?}");
    let after = post(&server, "/v1/me/claim/preview", &access, &body).await;
    assert_eq!((after.status, after.code().as_str()), (409, "same_hero"));
    let unknown = post(&server, "/v1/me/claim", &access, &json!({ "device_token": "dh_no" })).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "unknown_guest"));
    // A guest has no account to claim anything into.
    let (_, other) = server.guest().await;
    let refused = post(&server, "/v1/me/claim", &other, &body).await;
    assert_eq!(refused.status, 403);
    let malformed = post(&server, "/v1/me/claim", &access, &json!([])).await;
    assert_eq!((malformed.status, malformed.code().as_str()), (400, "malformed"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_chooses_where_its_hero_is() {
    let server = TestServer::start().await;
    let wish = json!({"mail": "ada@example.org", "password": "three plain words", "keep": "token"});
    let session = server.request("POST", "/v1/auth/register", &[], &wish.to_string()).await;
    let bearer = format!("Bearer {}", session.json()["access_token"].as_str().expect("a text"));
    let headers = [("authorization", bearer.as_str())];
    let zone = |me: &Answer| {
        let me = me.json();
        (me["time_zone"].as_str().map(str::to_owned), me["day_start_minutes"].as_i64())
    };
    let change = async |body: Value| server.request("PATCH", "/v1/me", &headers, &body.to_string()).await;
    let me = server.request("GET", "/v1/me", &headers, "").await;
    assert_eq!(zone(&me), (Some("Etc/UTC".to_owned()), Some(240)));
    let me = change(json!({"time_zone": "Europe/Paris"})).await;
    assert_eq!((me.status, zone(&me)), (200, (Some("Europe/Paris".to_owned()), Some(240))));
    let me = change(json!({"day_start_minutes": 60})).await;
    assert_eq!(zone(&me), (Some("Europe/Paris".to_owned()), Some(60)));
    let refused = change(json!({"time_zone": "Mars/Base", "name": "Bo"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "unknown_time_zone"));
    let me = server.request("GET", "/v1/me", &headers, "").await;
    assert_eq!((zone(&me), &me.json()["name"]), ((Some("Europe/Paris".to_owned()), Some(60)), &Value::Null));
    server.stop().await;
}
