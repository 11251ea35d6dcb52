//! Answers every message with itself, for the WebSocket conformance suite (`cargo xtask security conformance`). It is no
//! part of the server's binary.
//!
//! Listener, HTTP limits, routes, upgrade and frame layer are the server's own. A player's socket differs in this only:
//! it takes binary messages of at most 8 KiB out of at most 16 fragments within 5 s, which the suite is not made for.
//! Here a message may be text, have 16 MiB, any number of fragments, and a minute; and nobody has to say hello.
//!
//! It prints its address and serves until it is killed.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use game_server::accounts::avatar::Avatars;
use game_server::admission::Place;
use game_server::clock::Clock;
use game_server::config::Config;
use game_server::http::{self, Play, Readiness, ReadinessState};
use game_server::listener::{self, Listener};
use game_server::metrics::Metrics;
use game_server::node::{Identity, Node};
use game_server::server;
use game_server::socket::{self, Limits};
use game_server::store::Stores;
use persistence::MemoryStore;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

/// As much as the suite sends at once.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

const LIMITS: Limits = Limits {
    message_bytes_max: MESSAGE_BYTES_MAX,
    fragments_max: u32::MAX,
    message_within: Duration::from_secs(60),
    write_buffer_bytes_max: 2 * MESSAGE_BYTES_MAX,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = |name: &str| (name == "DATABASE_URL").then(|| "memory:".to_owned());
    let config = Config::parse(memory).map_err(|problems| format!("{problems:?}"))?;
    let (_none_tx, outages) = watch::channel(Arc::default());
    let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
    let stores = Stores::of(MemoryStore::new());
    let node = Node::start(config, clock, Arc::clone(&metrics), stores, outages, Identity::alone())?;
    let listener = Listener::bind("echo", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.address());
    let readiness = Arc::new(Readiness::new(Arc::clone(&metrics)));
    readiness.set(ReadinessState::Ready);
    let avatars = Avatars::open(&node.config.avatars)?;
    let play: Play = Arc::new(|io, place, sockets| {
        sockets.spawn(echo(io, place));
    });
    let router = http::router(Arc::new(server::routes(&node, &readiness, (avatars, None), play)));
    let running = listener.start(router, listener::Limits::default(), metrics);
    std::future::pending::<()>().await;
    drop(running);
    Ok(())
}

async fn echo<S>(stream: S, mut place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    place.authenticated();
    let mut socket = socket::open(stream, LIMITS).await;
    while let Some(Ok(message)) = socket::next_message(&mut socket).await {
        let answered = match message {
            Message::Text(_) | Message::Binary(_) => match socket::feed(&mut socket, message).await {
                Ok(()) => socket.flush().await,
                error => error,
            },
            // The frame layer has answered these.
            _ => Ok(()),
        };
        if answered.is_err() {
            return;
        }
    }
}
