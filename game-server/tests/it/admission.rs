//! Sockets that do not say who they are take few places, and give them back.

use std::time::Duration;

use protocol::SUBPROTOCOL;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Answer, TestServer, read_answer, wait_until};

/// A socket that is open and says nothing.
async fn silent_socket(server: &TestServer) -> (TcpStream, Answer) {
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).await.expect("open");
    let answer = read_answer(&mut stream).await;
    (stream, answer)
}

#[tokio::test]
async fn an_address_has_four_silent_sockets_and_gets_the_places_back() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        let (socket, answer) = silent_socket(&server).await;
        assert_eq!(answer.status, 101);
        sockets.push(socket);
    }
    let (_, answer) = silent_socket(&server).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "unauthenticated_sockets"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.metrics().connections_open.get(), 4.0);
    assert_eq!(server.metrics().connections_refused_total.get(), 1);
    drop(sockets);
    wait_until("the places are free", || server.metrics().connections_open.get() == 0.0).await;
    let (socket, answer) = silent_socket(&server).await;
    assert_eq!(answer.status, 101);
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn five_hundred_silent_sockets_do_not_hold_up_a_login() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for _ in 0..500 {
        sockets.push(silent_socket(&server).await.0);
    }
    let started = Instant::now();
    let (_, token) = server.guest().await;
    server.ticket(&token).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    drop(sockets);
    server.stop().await;
}

#[tokio::test]
async fn a_full_server_says_so() {
    let variables = [("CONNECTIONS_MAX", "2"), ("UNAUTHENTICATED_PER_ADDRESS_MAX", "10")];
    let server = TestServer::start_with(&variables).await;
    let (_first, _) = silent_socket(&server).await;
    let (_second, _) = silent_socket(&server).await;
    let (_, answer) = silent_socket(&server).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "full"));
    drop((_first, _second));
    server.stop().await;
}
