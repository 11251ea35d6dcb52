//! One TCP listener and the HTTP/1.1 connections on it.
//!
//! ```text
//! accept ─TcpStream▶ one task a connection ─request▶ router
//!    ▲                        ▲
//!    └──────── stop ──────────┘
//! ```
//! It owns the sockets until a request is upgraded. It knows no route. A connection that sends its headers too slowly
//! or too many of them is cut, and running out of file descriptors slows accepting down instead of ending it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::http::Peer;
use crate::metrics::Metrics;

/// Bytes of a request's head. Larger: 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header lines of a request. More: 431.
const HEADER_LINES_MAX: usize = 64;
/// How long a plain HTTP connection may live; then it is closed after its running request.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(300);
/// How long the last request of an old connection may take to be answered.
const LAST_ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The first pause after accepting failed; it doubles.
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// The longest pause after accepting failed.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What differs between listeners.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long the head of a request may take, from the first moment a connection has nothing else to do.
    pub head_within: Duration,
    /// Plain HTTP connections at once. Full: a new one is closed without an answer.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { head_within: Duration::from_secs(5), connections_max: 4_096 }
    }
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({name})")]
pub struct BindError {
    /// Which listener.
    pub name: &'static str,
    /// Where.
    pub address: SocketAddr,
    /// Why.
    pub source: io::Error,
}

/// A bound listener that accepts nothing yet.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    name: &'static str,
}

impl Listener {
    /// Binds; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`BindError`]: the address is taken or not ours.
    pub async fn bind(name: &'static str, address: SocketAddr) -> Result<Listener, BindError> {
        let bind_error = |source| BindError { name, address, source };
        let tcp = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = tcp.local_addr().map_err(bind_error)?;
        Ok(Listener { tcp, address, name })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts to serve `router`.
    pub fn start(self, router: Router, limits: Limits, metrics: Arc<Metrics>) -> Running {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let serving = Arc::new(Serving { router, limits, metrics, stop: stop.clone(), tasks: tasks.clone() });
        let address = self.address;
        tracing::info!(name = self.name, %address, "listening");
        tasks.spawn(accept(self.tcp, serving));
        Running { address, stop, tasks }
    }
}

/// A listener that serves.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more; idle connections close, busy ones after their answer.
    pub fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// Stops and waits until every connection has ended; upgraded sockets are not meant.
    pub async fn finish(&self) {
        self.stop();
        self.tasks.wait().await;
    }
}

struct Serving {
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

async fn accept(tcp: TcpListener, serving: Arc<Serving>) {
    let places = Arc::new(Semaphore::new(serving.limits.connections_max));
    let mut pause = PAUSE_MIN;
    loop {
        let accepted = tokio::select! {
            biased;
            () = serving.stop.cancelled() => return,
            accepted = tcp.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE_MIN;
                // Without a place the stream is dropped here, which closes it: cheaper than any answer.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    serving.tasks.spawn(connection(stream, peer, place, Arc::clone(&serving)));
                } else {
                    serving.metrics.connections_refused_total.increment();
                }
            }
            // The other side left between the handshake and now: its loss only.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                serving.metrics.http_accept_errors_total.increment();
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections right now");
                tokio::select! {
                    biased;
                    () = serving.stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn connection(stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, serving: Arc<Serving>) {
    serving.metrics.http_connections_open.increment();
    // Small frames matter more than full packets; a kernel that refuses is only slower.
    let _slower = stream.set_nodelay(true);
    let router = serving.router.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().oneshot(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(serving.limits.head_within)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADER_LINES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(http);
    let ended = tokio::select! {
        biased;
        () = serving.stop.cancelled() => None,
        ended = &mut http => Some(ended),
        () = tokio::time::sleep(CONNECTION_AGE_MAX) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            http.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER_WITHIN, http).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        // Malformed, slow or gone: daily life of a public port, and never our mistake.
        tracing::debug!(%peer, %error, "a connection ended early");
    }
    serving.metrics.http_connections_open.decrement();
    drop(place);
}
