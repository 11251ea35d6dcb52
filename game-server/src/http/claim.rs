//! `POST /v1/me/claim/preview` and `POST /v1/me/claim`: a guest's hero becomes part of the account's.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::staying_owner;
use super::request::{act_failed, limited, load_failed, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::union::{ClaimFailed, Preview};
use crate::acting::ActFailed;

/// When to come back after too many unions: they count for thirty days, and a day may be enough.
const TOO_MANY_RETRY_SECONDS: u64 = 24 * 60 * 60;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClaimRequest {
    /// Of the guest's device.
    #[schema(pattern = "^dh_[A-Za-z0-9_-]{43}$")]
    device_token: String,
}

/// What a union has brought.
#[derive(Serialize, ToSchema)]
struct Claimed {
    /// In numbers.
    united: Preview,
}

const HINT: &str = "the body is JSON like {\"device_token\": \"dh_...\"}, with no other field";

/// Says what uniting a guest's hero with the account's would bring. Changes nothing.
#[utoipa::path(
    post, path = "/v1/me/claim/preview", operation_id = "preview_claim", tag = "me", security(("account" = [])),
    request_body = ClaimRequest,
    responses(
        (status = 200, description = "What it would bring", body = Preview),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`; `erasing`: restore it first"),
        (status = 404, description = "`unknown_guest`"),
        (status = 409, description = "`same_hero`, `already_claimed`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`; `too_many_claims`: three within 30 days"),
        (status = 503, description = "`read_only`, `busy`, `quarantined`"),
    )
)]
pub(super) async fn preview(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (_, account) = staying_owner(&public, &headers).await?;
        let ClaimRequest { device_token } = parse(&read_body(body).await?, HINT)?;
        let preview = public.claims.preview(account, &device_token).await.map_err(failed)?;
        Ok(Json(preview).into_response())
    })
    .await
}

/// Unites a guest's hero with the account's.
///
/// Safe to send again until it is answered.
#[utoipa::path(
    post, path = "/v1/me/claim", tag = "me", security(("account" = [])),
    request_body = ClaimRequest,
    responses(
        (status = 200, description = "What it has brought", body = Claimed),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`; `erasing`: restore it first"),
        (status = 404, description = "`unknown_guest`"),
        (status = 409, description = "`same_hero`, `already_claimed`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`; `too_many_claims`: three within 30 days"),
        (status = 503, description = "`read_only`, `quarantined`; `busy`: send it again"),
    )
)]
pub(super) async fn claim(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (_, account) = staying_owner(&public, &headers).await?;
        let ClaimRequest { device_token } = parse(&read_body(body).await?, HINT)?;
        // It goes on when the client gives up waiting: half of it is no place to stop.
        let claims = Arc::clone(&public.claims);
        let claiming = tokio::spawn(async move { claims.claim(account, &device_token).await });
        let united = claiming.await.map_err(|_panic| ApiError::internal())?.map_err(failed)?;
        Ok(Json(Claimed { united }).into_response())
    })
    .await
}

fn failed(failed: ClaimFailed) -> ApiError {
    match failed {
        ClaimFailed::NoAccount => {
            let hint = "this account is gone; log in again";
            ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", hint)
        }
        ClaimFailed::UnknownGuest => {
            let hint = "no guest's device has this device_token, or it was revoked";
            ApiError::new(StatusCode::NOT_FOUND, "unknown_guest", hint)
        }
        ClaimFailed::SameHero => {
            let hint = "this device acts for your own hero already; there is nothing to unite";
            ApiError::new(StatusCode::CONFLICT, "same_hero", hint)
        }
        ClaimFailed::AlreadyClaimed => {
            let hint = "this hero belongs to an account; only a guest's hero can be claimed";
            ApiError::new(StatusCode::CONFLICT, "already_claimed", hint)
        }
        ClaimFailed::TooMany => {
            let hint = "three guests were united with this account within 30 days; try again later";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_claims", hint)
                .retry_after(TOO_MANY_RETRY_SECONDS)
        }
        ClaimFailed::Unfinished(ActFailed::Rejected(rejection)) => {
            tracing::error!(code = rejection.code(), "the rules refuse a union");
            ApiError::internal()
        }
        ClaimFailed::Unfinished(failed) => act_failed(failed),
        ClaimFailed::Unreadable(error) => load_failed(error),
        ClaimFailed::Store(error) => store_failed(error),
    }
}
