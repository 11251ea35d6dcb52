//! Slow, large and endless requests.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{TestServer, read_answer, read_to_end};

#[tokio::test]
async fn headers_that_do_not_come_within_five_seconds_end_the_connection() {
    let server = TestServer::start().await;
    let started = Instant::now();
    let mut silent = TcpStream::connect(server.address()).await.expect("a connection");
    let mut slow = TcpStream::connect(server.address()).await.expect("a connection");
    slow.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("the first part is taken");
    let (silence, slowness) = tokio::join!(read_to_end(&mut silent), read_to_end(&mut slow));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(4_500) && took < Duration::from_secs(10), "{took:?}");
    assert_eq!(silence.len(), 0);
    assert!(slowness.is_empty() || slowness.starts_with(b"HTTP/1.1 408"), "{slowness:?}");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_cut_too_but_serves_many_requests_before() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    for _ in 0..3 {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("still open");
        assert_eq!(read_answer(&mut stream).await.status, 200);
    }
    assert!(read_to_end(&mut stream).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn heads_are_limited_in_lines_and_bytes() {
    let server = TestServer::start().await;
    let lines = |count: usize| (0..count).map(|_| ("x-line", "1")).collect::<Vec<_>>();
    // Two lines are the harness's own: host and connection.
    assert_eq!(server.request("GET", "/health", &lines(62), "").await.status, 200);
    assert_eq!(server.request("GET", "/health", &lines(63), "").await.status, 431);
    let long = "x".repeat(15 * 1024);
    assert_eq!(server.request("GET", "/health", &[("x-long", &long)], "").await.status, 200);
    let longer = "x".repeat(17 * 1024);
    assert_eq!(server.request("GET", "/health", &[("x-long", &longer)], "").await.status, 431);
    server.stop().await;
}

#[tokio::test]
async fn trickling_connections_do_not_hold_up_a_login() {
    let server = TestServer::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "1000")]).await;
    let mut trickle = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
        stream.write_all(b"GET /v1/").await.expect("a few bytes");
        trickle.push(stream);
    }
    let (_, token) = server.guest().await;
    let started = Instant::now();
    server.ticket(&token).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    drop(trickle);
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_lets_a_running_request_finish_and_ends_idle_connections() {
    let server = TestServer::start().await;
    let mut idle = TcpStream::connect(server.address()).await.expect("a connection");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("open");
    assert_eq!(read_answer(&mut idle).await.status, 200);
    let mut running = TcpStream::connect(server.address()).await.expect("a connection");
    let head = "POST /v1/guests HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    running.write_all(head.as_bytes()).await.expect("open");
    assert_eq!(read_answer(&mut running).await.status, 100, "the route waits for the body");
    let finish = async {
        assert!(read_to_end(&mut idle).await.is_empty(), "the idle one is closed");
        running.write_all(b"{}").await.expect("still open");
        assert_eq!(read_answer(&mut running).await.status, 201);
    };
    tokio::join!(server.stop(), finish);
}
