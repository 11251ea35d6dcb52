//! The operators' and the metrics listener, and that neither is reachable through the public one.

use game_server::clock::Clock;
use game_server::server::Server;
use game_server::store::OpenStore;

use crate::harness::{TestServer, config, request};

#[tokio::test]
async fn a_stranger_sees_that_the_operators_listener_lives_and_no_more() {
    let server = TestServer::start().await;
    let admin = server.server().admin_address();
    assert_eq!(request(admin, "GET", "/health", &[], "").await.json()["status"], "ok");
    assert_eq!(request(admin, "GET", "/v1/overview", &[], "").await.code(), "unauthenticated");
    let page = request(admin, "GET", "/", &[], "").await;
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
    let answer = request(admin, "GET", "/health", &[("host", "evil.example")], "");
    assert_eq!(answer.await.status, 403, "a page that points its name at this machine reads nothing");
    server.stop().await;
}

#[tokio::test]
async fn what_is_inside_stays_inside() {
    let server = TestServer::start().await;
    let answer = server.request("GET", "/v1/overview", &[], "").await;
    assert_eq!(answer.status, 404);
    for path in
        ["/metrics", "/v1/metrics", "/openapi.json", "/v1/openapi.json", "/v1/health", "/admin", "/v1/admin"]
    {
        let answer = server.request("GET", path, &[], "").await;
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        assert!(is_page || answer.status == 404, "{path} is nothing but the web client's page: {answer:?}");
        assert!(!answer.text().contains("# HELP"), "{path}");
    }
    let health = server.request("GET", "/health", &[], "").await;
    assert_eq!(
        health.json().as_object().expect("a map").len(),
        1,
        "alive, and no word more: {}",
        health.text()
    );
    let answer = request(server.server().metrics_address(), "GET", "/metrics", &[], "").await;
    assert!(answer.text().contains("\nready 1\n"), "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let server = TestServer::start().await;
    let port = server.address().port().to_string();
    let taken = config(&[("PORT", &port)]);
    let store = OpenStore::open(&taken.database).await.expect("the store opens");
    let error = Server::start(taken, Clock::system(), store).await.expect_err("the port is taken");
    assert!(error.to_string().contains(&port), "{error}");
    server.stop().await;
}
