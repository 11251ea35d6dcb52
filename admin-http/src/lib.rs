//! The operator's HTTP interface: what a running server tells about itself.
//!
//! What is here is small and real: `GET /health` and `GET /v1/overview`. It has no login, no roles, no audit log and no
//! way to change anything; all of that comes with the admin panel. Because it has no login it may only listen on a
//! loopback address ([`check_address`]) and only answers to a loopback name, so that neither a neighbour on the network
//! nor a web page that points its own name at this machine can read it.
//!
//! The crate knows nothing of the game: the server implements [`Operations`].
#![cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "what comes from outside must not panic"))]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

/// What a server knows about itself. Every answer must be cheap: it is asked while the server is in trouble.
pub trait Operations: Send + Sync + 'static {
    /// How the server is now.
    fn overview(&self) -> Overview;
}

/// How a server is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The program's version.
    pub version: String,
    /// When it started, server UTC.
    pub started_at_ms: i64,
    /// How long it has been running.
    pub uptime_ms: i64,
    /// `starting`, `ready` or `draining`.
    pub readiness: String,
    /// Player sockets that are open.
    pub connections_open: u64,
    /// Heroes that shards hold.
    pub heroes_in_memory: u64,
    /// The simulation.
    pub simulation: SimulationOverview,
    /// The journal writer.
    pub journal: JournalOverview,
}

/// How the simulation is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimulationOverview {
    /// Threads that simulate.
    pub shards: u64,
    /// Ticks a second that each should make.
    pub tick_hz: u32,
    /// Ticks of all shards since the start.
    pub ticks: u64,
    /// Ticks that took longer than their period.
    pub tick_overruns: u64,
}

/// How the journal writer is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalOverview {
    /// Events that are not durable yet.
    pub queue_events: u64,
    /// Their bytes.
    pub queue_bytes: u64,
    /// How long the oldest of them has been waiting.
    pub oldest_age_ms: u64,
    /// Whether durable commands are refused because the store is away.
    pub read_only: bool,
}

/// The operators' listener would be reachable from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operators' listener has no login yet and may only listen on a loopback address, not on {address}; \
     reach it from elsewhere through an SSH tunnel"
)]
pub struct NotLoopback {
    /// Where it was to listen.
    pub address: IpAddr,
}

/// Says whether the operators' listener may listen there.
///
/// # Errors
/// [`NotLoopback`].
pub fn check_address(address: SocketAddr) -> Result<(), NotLoopback> {
    if address.ip().is_loopback() { Ok(()) } else { Err(NotLoopback { address: address.ip() }) }
}

/// Every route of the operators' listener.
pub fn router(operations: Arc<dyn Operations>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/v1/overview", get(overview))
        .layer(axum::middleware::from_fn(guard))
        .with_state(operations)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn health() -> Response {
    Json(Health { status: "ok" }).into_response()
}

async fn overview(State(operations): State<Arc<dyn Operations>>) -> Json<Overview> {
    Json(operations.overview())
}

/// Refuses requests under a foreign name and adds the security headers.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = if is_loopback_name(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "the operators' listener answers only to localhost\n").into_response()
    };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_loopback_name(headers: &HeaderMap) -> bool {
    // HTTP/1.1 requires a host; a request without one comes from no browser.
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
