//! `POST /v1/guests` and `POST /v1/ws-ticket`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::player;
use super::request::{check_device_name, limited, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::TICKET_LIFE_MS;

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GuestRequest {
    /// What the player may call the device, at most 256 bytes of UTF-8.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_name: Option<String>,
}

/// A new guest.
#[derive(Debug, Serialize, ToSchema)]
struct GuestAnswer<'a> {
    /// The hero.
    #[schema(format = "uuid")]
    hero_id: String,
    /// The device's key. It is shown this once.
    #[schema(pattern = "^dh_[A-Za-z0-9_-]{43}$")]
    device_token: &'a str,
    /// When it was made, server UTC.
    created_at_ms: i64,
}

/// Makes a guest: a hero, and a device that plays it.
#[utoipa::path(
    post, path = "/v1/guests", tag = "guests",
    request_body(content = Option<GuestRequest>, description = "Nothing, or what the device is called"),
    responses(
        (status = 201, description = "The guest", body = GuestAnswer<'_>),
        (status = 400, description = "`malformed`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
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

/// Opens one socket.
#[derive(Debug, Serialize, ToSchema)]
struct TicketAnswer<'a> {
    /// For the field `ticket` of `hello`, once.
    ticket: &'a str,
    /// How long it is good.
    #[schema(minimum = 0)]
    expires_in_ms: i64,
}

/// Issues a ticket, with which one socket says whose it is.
#[utoipa::path(
    post, path = "/v1/ws-ticket", tag = "play", security(("account" = []), ("guest" = [])),
    responses(
        (status = 200, description = "The ticket", body = TicketAnswer<'_>),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`erasing`: restore the account first"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
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
