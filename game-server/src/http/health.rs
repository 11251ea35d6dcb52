//! `GET /health`: the process lives. `GET /ready`: send players here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, Public};
use crate::metrics::Metrics;

/// Whether players are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadinessState {
    /// Not yet: the store is being opened.
    Starting,
    /// Yes.
    Ready,
    /// No longer: the server shuts down.
    Draining,
}

/// Whether players are taken, for everybody to see.
///
/// A store that goes away later does not change it: the server goes on in read-only mode, and taking all servers out
/// of the balancer for a fault that they share would make it worse. `journal_read_only` tells the operator.
#[derive(Debug)]
pub struct Readiness {
    state: AtomicU8,
    metrics: Arc<Metrics>,
}

impl Readiness {
    /// Starting.
    pub fn new(metrics: Arc<Metrics>) -> Readiness {
        Readiness { state: AtomicU8::new(ReadinessState::Starting as u8), metrics }
    }

    /// Changes it.
    pub fn set(&self, state: ReadinessState) {
        self.state.store(state as u8, Ordering::Release);
        self.metrics.ready.set(i64::from(state == ReadinessState::Ready));
    }

    /// What it is.
    pub fn get(&self) -> ReadinessState {
        match self.state.load(Ordering::Acquire) {
            0 => ReadinessState::Starting,
            1 => ReadinessState::Ready,
            _ => ReadinessState::Draining,
        }
    }
}

/// How it goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    /// In one word.
    status: &'static str,
}

/// Says that the process lives.
#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, description = "`ok`", body = Answer))
)]
pub(super) async fn health() -> Json<Answer> {
    Json(Answer { status: "ok" })
}

/// Says whether players are taken.
#[utoipa::path(
    get, path = "/ready", tag = "operations",
    responses(
        (status = 200, description = "They are", body = Answer),
        (status = 503, description = "`starting`, `draining`"),
    )
)]
pub(super) async fn ready(State(public): State<Arc<Public>>) -> Response {
    let not = |code, hint| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, hint).retry_after(1);
    match public.readiness.get() {
        ReadinessState::Ready => Json(Answer { status: "ready" }).into_response(),
        ReadinessState::Starting => not("starting", "the store is being opened").into_response(),
        ReadinessState::Draining => not("draining", "the server shuts down").into_response(),
    }
}
