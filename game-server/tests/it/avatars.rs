//! Pictures of players, over HTTP.

use game_server::accounts::avatar::SENT_BYTES_MAX;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Answer, TestServer, read_answer};

/// A PNG of one pixel.
const PNG: [u8; 69] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144,
    119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 201, 254, 146,
    239, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// A request whose body is bytes.
async fn request(server: &TestServer, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: text/html\r\ncontent-length: {}\r\n\r\n",
        server.address(),
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).await.expect("somebody listens");
    // A server that has heard enough may close before everything is sent.
    let _closed = stream.write_all(&[head.as_bytes(), body].concat()).await;
    read_answer(&mut stream).await
}

async fn register(server: &TestServer, mail: &str) -> String {
    let body =
        format!("{{\"mail\": \"{mail}\", \"password\": \"seven green lanterns\", \"keep\": \"token\"}}");
    let headers = [("content-type", "application/json")];
    let answer = server.request("POST", "/v1/auth/register", &headers, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn url(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["avatar_url"].as_str().expect("an address").to_owned()
}

#[tokio::test]
async fn a_picture_is_put_shown_replaced_and_taken_away() {
    let server = TestServer::start().await;
    let token = register(&server, "ada@example.org").await;
    let first = url(&request(&server, "PUT", "/v1/me/avatar", &token, &PNG).await);
    let shown = request(&server, "GET", &first, "", b"").await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.starts_with(b"\x89PNG"));
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(shown.header(name), Some(value), "{name}");
    }
    assert_eq!(url(&request(&server, "GET", "/v1/me", &token, b"").await), first);

    let second = url(&request(&server, "PUT", "/v1/me/avatar", &token, &PNG).await);
    assert_ne!(first, second);
    assert_eq!(request(&server, "GET", &first, "", b"").await.status, 404, "the old one is gone");
    assert_eq!(request(&server, "GET", &second, "", b"").await.status, 200);

    let taken = request(&server, "DELETE", "/v1/me/avatar", &token, b"").await;
    assert_eq!((taken.status, taken.json()["avatar_url"].is_null()), (200, true));
    assert_eq!(request(&server, "GET", &second, "", b"").await.status, 404);
    assert!(request(&server, "GET", "/v1/me", &token, b"").await.json()["avatar_url"].is_null());
    assert_eq!(request(&server, "DELETE", "/v1/me/avatar", &token, b"").await.status, 200, "again");
    server.stop().await;
}

#[tokio::test]
async fn only_an_account_has_a_picture_and_only_its_own() {
    let server = TestServer::start().await;
    let (_, guest) = server.guest().await;
    for method in ["PUT", "DELETE"] {
        let answer = request(&server, method, "/v1/me/avatar", &guest, &PNG).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "guest"));
        let answer = request(&server, method, "/v1/me/avatar", "nobody", &PNG).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
    }
    let ada = register(&server, "ada@example.org").await;
    let eve = register(&server, "eve@example.org").await;
    let adas = url(&request(&server, "PUT", "/v1/me/avatar", &ada, &PNG).await);
    url(&request(&server, "PUT", "/v1/me/avatar", &eve, &PNG).await);
    request(&server, "DELETE", "/v1/me/avatar", &eve, b"").await;
    assert_eq!(request(&server, "GET", &adas, &eve, b"").await.status, 200, "Eve took only hers away");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_picture_changes_nothing() {
    let server = TestServer::start().await;
    let token = register(&server, "ada@example.org").await;
    let before = url(&request(&server, "PUT", "/v1/me/avatar", &token, &PNG).await);
    let large = vec![0; SENT_BYTES_MAX + 1];
    for (body, status, code) in [
        (&b"<!doctype html><script>alert(1)</script>"[..], 415, "picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "picture"),
        (b"GIF89a", 415, "picture"),
        (b"", 415, "picture"),
        (&PNG[..40], 422, "picture"),
        (&large, 413, "too_large"),
    ] {
        let answer = request(&server, "PUT", "/v1/me/avatar", &token, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{} bytes", body.len());
    }
    assert_eq!(url(&request(&server, "GET", "/v1/me", &token, b"").await), before);
    assert_eq!(request(&server, "GET", &before, "", b"").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_strange_key_finds_nothing() {
    let server = TestServer::start().await;
    let zeros = "0".repeat(32);
    for path in [
        format!("/v1/avatars/{zeros}-{zeros}"),
        "/v1/avatars/..%2f..%2fetc%2fpasswd".to_owned(),
        "/v1/avatars/%2e%2e".to_owned(),
        "/v1/avatars/%00".to_owned(),
        format!("/v1/avatars/{zeros}%2f{zeros}.png"),
        "/v1/avatars/".to_owned(),
        "/v1/avatars/a/b".to_owned(),
    ] {
        let answer = request(&server, "GET", &path, "", b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    server.stop().await;
}
