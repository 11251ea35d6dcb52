//! `POST /v1/guests` and `POST /v1/ws-ticket`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{ApiError, Peer, Public, RateLimit, read_body};
use crate::accounts::TICKET_LIFE_MS;
use crate::admission::AddressKey;

/// Longest device name that is taken, in bytes; longer ones are cut further down, absurd ones are refused here.
const DEVICE_NAME_BYTES_MAX: usize = 256;

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
        if name.len() > DEVICE_NAME_BYTES_MAX {
            let hint = "device_name is at most 256 bytes";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint));
        }
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
    // Only a map: serde would take a list of the fields as well.
    let is_map = body.trim_ascii_start().starts_with(b"{");
    let request = if is_map { serde_json::from_slice(body).ok() } else { None };
    request.ok_or_else(|| {
        let hint = "the body is empty or JSON like {\"device_name\": \"...\"}, with no other field";
        ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint)
    })
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
        let token = bearer(&headers).ok_or_else(unauthenticated)?;
        let found = public.accounts.authenticate(token).await.map_err(store_failed)?;
        let grant = found.ok_or_else(unauthenticated)?;
        let ticket = public.tickets.issue(grant, public.clock.now_ms());
        public.metrics.tickets_issued_total.increment();
        let answer = TicketAnswer { ticket: ticket.expose(), expires_in_ms: TICKET_LIFE_MS };
        Ok(Json(answer).into_response())
    })
    .await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthenticated() -> ApiError {
    let hint = "send the device token of POST /v1/guests as Authorization: Bearer";
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", hint)
}

fn store_failed(error: persistence::StoreError) -> ApiError {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = format!("{error:#}"), "the account store did not answer as hoped");
    ApiError::unavailable()
}

/// Counts the request against its address before anything else is done for it.
async fn limited(
    limit: &RateLimit,
    Peer(peer): Peer,
    answer: impl Future<Output = Result<Response, ApiError>>,
) -> Response {
    let (headers, over) = limit.check(AddressKey::from(peer.ip())).await;
    let mut response = match over {
        None => answer.await.into_response(),
        Some(error) => error.into_response(),
    };
    response.headers_mut().extend(headers);
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
