//! Sockets that do not say who they are take few places, and give them back.

use std::time::Duration;

use protocol::client::{ClientMessage, Hello};
use protocol::{SUBPROTOCOL, codec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::harness::{Answer, TestServer, read_answer, wait_until};

/// A socket that is open and says nothing.
async fn silent_socket(server: &TestServer) -> (TcpStream, Answer) {
    silent_socket_from([127, 0, 0, 1], server).await
}

/// The same from an address of this machine's choice.
async fn silent_socket_from(address: [u8; 4], server: &TestServer) -> (TcpStream, Answer) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((address, 0).into()).expect("all of 127.0.0.0/8 is ours");
    let mut stream = socket.connect(server.address()).await.expect("a connection");
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).await.expect("open");
    let answer = read_answer(&mut stream).await;
    (stream, answer)
}

/// A hello as a frame of a client; the mask is zeros.
fn hello(ticket: &str) -> Vec<u8> {
    let hello = Hello {
        ticket: ticket.to_owned(),
        stream_id: 1,
        last_seq: None,
        client: "test".to_owned(),
        time_zone: None,
    };
    let hello = codec::encode_client(&ClientMessage::Hello(hello));
    let length = u8::try_from(hello.len()).expect("a short hello");
    let mut frame = vec![0x82, 0x80 | 126, 0, length, 0, 0, 0, 0];
    frame.extend(hello);
    frame
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
    for number in 0..500_u16 {
        // From so many addresses that all places for unknown sockets are taken: 2 % of 10,000.
        let [high, low] = number.to_be_bytes();
        let (socket, answer) = silent_socket_from([127, 8, high, low + u8::from(low == 0)], &server).await;
        assert_eq!(answer.status, 101, "no socket of another address is refused for them");
        sockets.push(socket);
    }
    let started = Instant::now();
    let (_, token) = server.guest().await;
    let ticket = server.ticket(&token).await;
    let (mut socket, answer) = silent_socket(&server).await;
    assert_eq!(answer.status, 101, "{answer:?}");
    socket.write_all(&hello(&ticket)).await.expect("the server reads");
    let mut head = [0; 2];
    socket.read_exact(&mut head).await.expect("a frame");
    assert_eq!(head[0], 0x82, "a welcome, not a close");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(server.metrics().connections_refused_total.get() >= 300, "the most silent ones made room");
    drop(socket);
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
