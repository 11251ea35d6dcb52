//! `POST /v1/guests` and `POST /v1/ws-ticket`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::caller::player;
use super::request::{check_device_name, limited, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::TICKET_LIFE_MS;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuestRequest {
    /// What the player may call the device.
    #[serde(default)]
    device_name: Option<String>,
}

#[derive(Debug, Serialize)]
struct GuestAnswer<'a> {
    hero_id: String,
    device_token: &'a str,
    created_at_ms: i64,
}

pub(super) async fn create_guest(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    limited(&public.limits.guests, peer, async {
        let request = parse_guest(&read_body(body).await?)?;
        let name = request.device_name.unwrap_or_default();
        check_device_name(&name)?;
        let guest = public.accounts.create_guest(&name).await.map_err(store_failed)?;
        public.metrics.guests_created_total.increment();
        tracing::info!(hero = %guest.hero, "a guest was made");
        let answer = GuestAnswer {
            hero_id: guest.hero.to_string(),
            device_token: guest.device_token.expose(),
            created_at_ms: guest.created_at_ms,
        };
        Ok((StatusCode::CREATED, Json(answer)).into_response())
    })
    .await
}

fn parse_guest(body: &[u8]) -> Result<GuestRequest, ApiError> {
    if body.is_empty() {
        return Ok(GuestRequest::default());
    }
    parse(body, "the body is empty or JSON like {\"device_name\": \"...\"}, with no other field")
}

#[derive(Debug, Serialize)]
struct TicketAnswer<'a> {
    ticket: &'a str,
    expires_in_ms: i64,
}

pub(super) async fn issue_ticket(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.tickets, peer, async {
        let caller = player(&public, &headers).await?;
        let ticket = public.tickets.issue(caller.grant, public.clock.now_ms());
        public.metrics.tickets_issued_total.increment();
        let answer = TicketAnswer { ticket: ticket.expose(), expires_in_ms: TICKET_LIFE_MS };
        Ok(Json(answer).into_response())
    })
    .await
}
