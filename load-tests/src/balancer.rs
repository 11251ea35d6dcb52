//! A TCP balancer: each new connection goes to the next server that is ready and takes it. `GET /ready` is asked every
//! second, as balancers do; connections that are there stay where they are.
//!
//! It connects to servers from the address of its client, as balancers do that keep client addresses.
//!
//! ```text
//! client ─▶ carry ── next ready one that accepts ──▶ server 1..n
//!             ▲                                        │
//!             └── ready or not ◀── watch ◀── /ready ───┘
//! ```

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::http::{Endpoint, connect, request};

/// How often each server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer, or to take a connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Connections at the same time; one more is closed at once.
const CONNECTIONS_MAX: usize = 50_000;

/// A running balancer; its connections end with it.
#[derive(Debug)]
pub struct Balancer {
    endpoint: Endpoint,
    /// Aborts everything when it is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Backend {
    endpoint: Endpoint,
    is_ready: AtomicBool,
}

#[derive(Debug)]
struct Backends {
    all: Vec<Backend>,
    next: AtomicUsize,
}

impl Balancer {
    /// Listens on a free port of 127.0.0.1 before these servers, which are ready.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(servers: Vec<Endpoint>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a balancer")?;
        let endpoint = Endpoint::local(listener.local_addr()?.port());
        let ready = |endpoint| Backend { endpoint, is_ready: AtomicBool::new(true) };
        let all = servers.into_iter().map(ready).collect();
        let backends = Arc::new(Backends { all, next: AtomicUsize::new(0) });
        let mut tasks = JoinSet::new();
        for index in 0..backends.all.len() {
            tasks.spawn(watch(Arc::clone(&backends), index));
        }
        tasks.spawn(listen(listener, backends));
        Ok(Self { endpoint, _tasks: tasks })
    }

    /// Where clients connect.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

async fn watch(backends: Arc<Backends>, index: usize) {
    let Some(backend) = backends.all.get(index) else { return };
    let mut asks = interval(ASK_EVERY);
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        asks.tick().await;
        let asked = timeout(ANSWER_WITHIN, request(&backend.endpoint, None, "GET", "/ready", None, None));
        let is_ready = matches!(asked.await, Ok(Ok(answer)) if answer.status == 200);
        backend.is_ready.store(is_ready, Ordering::Relaxed);
    }
}

async fn listen(listener: TcpListener, backends: Arc<Backends>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((client, peer)) = accepted else { continue };
                if connections.len() < CONNECTIONS_MAX {
                    connections.spawn(carry(client, peer, Arc::clone(&backends)));
                }
            }
        }
    }
}

/// One connection to its end. Without a server it is closed at once, and the client tries again.
async fn carry(mut client: TcpStream, peer: SocketAddr, backends: Arc<Backends>) {
    let Some(mut server) = backends.take(peer).await else { return };
    // Without it small frames wait; a kernel that refuses is only slower.
    let _slower = client.set_nodelay(true);
    // However it ends, both sides see it.
    let _ended = copy_bidirectional(&mut client, &mut server).await;
}

impl Backends {
    async fn take(&self, peer: SocketAddr) -> Option<TcpStream> {
        let source = match peer.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for offset in 0..self.all.len() {
            let backend = self.all.get(first.wrapping_add(offset) % self.all.len())?;
            if !backend.is_ready.load(Ordering::Relaxed) {
                continue;
            }
            if let Ok(Ok(server)) = timeout(ANSWER_WITHIN, connect(&backend.endpoint, source)).await {
                return Some(server);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that answers everything with its name, as HTTP.
    async fn named(name: &'static str, status: &'static str) -> (Endpoint, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = Endpoint::local(listener.local_addr().unwrap().port());
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _asked = stream.read(&mut [0; 1024]).await;
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                let _gone = stream.write_all(answer.as_bytes()).await;
            }
        });
        (endpoint, task)
    }

    async fn asked(balancer: &Balancer) -> String {
        let answer = request(balancer.endpoint(), None, "GET", "/", None, None).await;
        answer.map(|answer| String::from_utf8(answer.body).unwrap()).unwrap_or_default()
    }

    #[tokio::test]
    async fn connections_go_round_and_past_who_does_not_take_them() {
        let (one, _one) = named("one", "200 OK").await;
        let (two, mut two_task) = named("two", "200 OK").await;
        let balancer = Balancer::start(vec![one, two]).await.unwrap();
        let answers = [asked(&balancer).await, asked(&balancer).await, asked(&balancer).await];
        assert!(answers == ["one", "two", "one"] || answers == ["two", "one", "two"], "{answers:?}");
        two_task.shutdown().await;
        for _ in 0..4 {
            assert_eq!(asked(&balancer).await, "one", "also before anybody has noticed");
        }
    }

    #[tokio::test]
    async fn who_is_not_ready_gets_nothing() {
        let (one, _one) = named("one", "200 OK").await;
        let (draining, _draining) = named("draining", "503 Service Unavailable").await;
        let balancer = Balancer::start(vec![one, draining]).await.unwrap();
        let noticed = async {
            loop {
                let answers = [asked(&balancer).await, asked(&balancer).await, asked(&balancer).await];
                if answers == ["one", "one", "one"] {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), noticed).await.expect("it is noticed within a second");
    }
}
