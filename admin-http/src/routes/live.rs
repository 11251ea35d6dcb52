//! How the server is: also while its database is away.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::{Extension, Json};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::{IntoParams, ToSchema};

use crate::Panel;
use crate::error::ApiError;
use crate::operations::Refused;
use crate::request::Asked;
use crate::sessions::Caller;
use crate::views::{HistoryPoint, Overview, Span};

/// How often a stream tells how the server is.
const LIVE_EVERY: Duration = Duration::from_secs(2);

/// That it lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
}

/// Says that the listener lives.
#[utoipa::path(get, path = "/health", tag = "server", responses((status = 200, description = "It lives", body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// How the server is now.
#[utoipa::path(get, path = "/v1/overview", tag = "server", responses((status = 200, description = "Now", body = Overview)))]
pub(crate) async fn overview(State(panel): State<Arc<Panel>>) -> Json<Overview> {
    Json(panel.operations.overview())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// How far back.
    span: Span,
}

/// How it was.
#[utoipa::path(
    get, path = "/v1/history", tag = "server", params(HistoryQuery),
    responses((status = 200, description = "Oldest first", body = [HistoryPoint]))
)]
pub(crate) async fn history(
    State(panel): State<Arc<Panel>>,
    Asked(query): Asked<HistoryQuery>,
) -> Json<Vec<HistoryPoint>> {
    Json(panel.operations.history(query.span))
}

/// Events `overview`, one every 2 s, until the login ends.
#[utoipa::path(
    get, path = "/v1/live", tag = "server",
    responses((status = 200, description = "`overview` events", body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn live(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let place = Arc::clone(&panel.streams).try_acquire_owned().map_err(|_full| Refused::Busy)?;
    let mut ticks = interval(LIVE_EVERY);
    // A browser that was slow gets the latest, not all that it missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let closing = panel.closing.subscribe();
    let live = Live { panel, caller, ticks, closing, _place: place };
    Ok(Sse::new(stream::unfold(live, next)))
}

struct Live {
    panel: Arc<Panel>,
    caller: Caller,
    ticks: Interval,
    closing: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

async fn next(mut live: Live) -> Option<(Result<Event, Infallible>, Live)> {
    tokio::select! {
        biased;
        _closed = live.closing.wait_for(|closing| *closing) => return None,
        _tick = live.ticks.tick() => {}
    }
    if !live.panel.may_still_look(&live.caller).await {
        return None;
    }
    let overview = serde_json::to_string(&live.panel.operations.overview());
    let overview = overview.expect("an overview is maps, texts and numbers");
    Some((Ok(Event::default().event("overview").data(overview)), live))
}
