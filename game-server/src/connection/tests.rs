//! A socket over a pipe: its limits, against a client that keeps to none.

use futures_util::{SinkExt, StreamExt};
use persistence::{DeviceId, MemoryStore};
use protocol::client::{ClientMessage, Hello};
use tokio::{io::DuplexStream, sync::watch, task::JoinHandle};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};
use uuid::Uuid;

use super::*;
use crate::{accounts::Grant, clock::Clock, config::Config, metrics::Metrics, node::Identity, store::Stores};

/// A client that has said hello, and the task that serves it.
async fn client() -> (WebSocketStream<DuplexStream>, JoinHandle<()>) {
    let node = node();
    let grant = Grant { hero: HeroId(Uuid::now_v7()), device: DeviceId(Uuid::now_v7()) };
    let ticket = node.tickets.issue(grant, node.clock.now_ms());
    let (mut client, serving) = opened(node).await;
    let hello = Hello {
        ticket: ticket.expose().to_owned(),
        stream_id: 1,
        last_seq: None,
        client: "test".to_owned(),
        time_zone: None,
    };
    let frame = codec::encode_client(&ClientMessage::Hello(hello));
    client.send(Message::Binary(frame.into())).await.expect("the server reads");
    (client, serving)
}

/// A client that says nothing.
async fn silent_client() -> (WebSocketStream<DuplexStream>, JoinHandle<()>) {
    opened(node()).await
}

fn node() -> Arc<Node> {
    let config = Config::parse(|_| None).expect("the defaults are valid");
    let (_outages_tx, outages) = watch::channel(Arc::default());
    let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
    let stores = Stores::of(MemoryStore::new());
    Node::start(config, clock, metrics, stores, outages, Identity::alone()).expect("threads can be had")
}

async fn opened(node: Arc<Node>) -> (WebSocketStream<DuplexStream>, JoinHandle<()>) {
    let place = node.admission.enter([127, 0, 0, 1].into()).expect("there is room");
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(serve(theirs, place, node));
    (WebSocketStream::from_raw_socket(ours, Role::Client, None).await, serving)
}

/// How the server closes; everything before it is passed over.
async fn closed(client: &mut WebSocketStream<DuplexStream>) -> u16 {
    loop {
        match client.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("the server must say why it closes: {other:?}"),
        }
    }
}

#[tokio::test]
async fn pings_of_the_websocket_count_like_any_message() {
    let (mut client, serving) = client().await;
    for _ in 0..1_000 {
        if client.send(Message::Ping(Bytes::new())).await.is_err() {
            break;
        }
    }
    let code = timeout(Duration::from_secs(10), closed(&mut client)).await.expect("a flood is not served");
    assert_eq!(code, close::RATE);
    serving.await.expect("the socket's task ends");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_answers_every_ping_is_sent_away_after_12_hours() {
    let (mut client, serving) = client().await;
    let began = Instant::now();
    // Reading answers the pings.
    let code = closed(&mut client).await;
    let took = began.elapsed();
    assert_eq!(code, close::RESTART);
    assert!(took > AGE_MAX && took <= AGE_MAX + 2 * PING_EVERY, "{took:?}");
    drop(client);
    serving.await.expect("the socket's task ends");
}

#[tokio::test]
async fn a_close_of_the_client_is_answered() {
    for (mut client, serving) in [client().await, silent_client().await] {
        client.close(None).await.expect("the server reads");
        loop {
            match client.next().await {
                Some(Ok(Message::Close(_))) => break,
                Some(Ok(_)) => {}
                other => panic!("a close is answered by a close: {other:?}"),
            }
        }
        serving.await.expect("the socket's task ends");
    }
}

#[tokio::test]
async fn pings_before_hello_are_few() {
    let (mut client, serving) = silent_client().await;
    for _ in 0..=CONTROLS_BEFORE_HELLO_MAX {
        if client.send(Message::Ping(Bytes::new())).await.is_err() {
            break;
        }
    }
    let code = timeout(Duration::from_secs(2), closed(&mut client)).await.expect("at once, not after 3 s");
    assert_eq!(code, close::UNAUTHENTICATED);
    serving.await.expect("the socket's task ends");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_falls_silent_is_closed_after_25_seconds() {
    let (client, serving) = client().await;
    let began = Instant::now();
    serving.await.expect("the socket's task ends");
    let took = began.elapsed();
    drop(client);
    assert!(took >= SILENT_MAX && took <= SILENT_MAX + CLOSE_WITHIN + Duration::from_millis(100), "{took:?}");
}

/// A task is there for as long as its socket, and each byte of it as many times as there are players.
#[tokio::test]
async fn a_quiet_socket_is_a_small_task() {
    let node = node();
    let place = node.admission.enter([127, 0, 0, 1].into()).expect("there is room");
    let (ours, _theirs) = tokio::io::duplex(1024);
    let bytes = size_of_val(&serve(ours, place, node));
    assert!(bytes <= 1_168, "{bytes} bytes");
}
