//! `POST /v1/auth/firebase` and `POST /v1/auth/firebase/link`: accounts of people whom Firebase knows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{Keep, SessionAnswer, answer, guest, refused};
use super::caller::{bearer, owner};
use super::request::{check_device_name, limited, parse, read_body_up_to};
use super::{ApiError, Peer, Public};
use crate::accounts::firebase::Firebase;
use crate::admission::AddressKey;

/// Room for a token of 8 KiB and the other fields.
const BODY_BYTES_MAX: usize = 10 * 1024;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirebaseRequest {
    /// As Firebase gives it.
    #[schema(max_length = 8192)]
    id_token: String,
    /// What the player calls the device, at most 256 bytes of UTF-8.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_name: String,
    #[serde(default)]
    keep: Keep,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    /// As Firebase gives it.
    #[schema(max_length = 8192)]
    id_token: String,
    /// The account's password.
    #[schema(max_length = 128)]
    password: String,
}

/// Logs a person in whom Firebase knows.
///
/// The first time an account is made; with a guest's token as bearer the guest's hero becomes the account's, and that token
/// is void.
#[utoipa::path(
    post, path = "/v1/auth/firebase", operation_id = "firebase_login", tag = "auth", security((), ("guest" = [])),
    request_body = FirebaseRequest,
    responses(
        (status = 200, description = "The session", body = SessionAnswer<'_>,
            headers(("set-cookie" = String, description = "The refresh token, unless it is in the body"))),
        (status = 201, description = "The session of a new account", body = SessionAnswer<'_>,
            headers(("set-cookie" = String, description = "The refresh token, unless it is in the body"))),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`: the guest's token; `wrong_login`"),
        (status = 404, description = "`not_configured`"),
        (status = 409, description = "`hero_taken`, `link_first`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`away`, `busy`, `read_only`"),
    )
)]
pub(super) async fn enter(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.logins, peer, async {
        let firebase = configured(&public)?;
        let hint = "JSON like {\"id_token\": \"…\"}; optional: device_name, keep";
        let request: FirebaseRequest = parse(&body_of(body).await?, hint)?;
        check_device_name(&request.device_name)?;
        let guest = match bearer(&headers) {
            None => None,
            Some(_) => Some(guest(&public, &headers).await?),
        };
        let identity = firebase.identify(&request.id_token).await.map_err(refused)?;
        let entered = public.accounts.enter(&identity, guest, &request.device_name).await;
        let (session, is_new) = entered.map_err(refused)?;
        if is_new {
            tracing::info!(hero = %session.access.hero, "an account was made");
        }
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(answer(status, &session, request.keep))
    })
    .await
}

/// Lets a person whom Firebase knows log in to the account.
#[utoipa::path(
    post, path = "/v1/auth/firebase/link", operation_id = "firebase_link", tag = "auth", security(("account" = [])),
    request_body = LinkRequest,
    responses(
        (status = 204, description = "It is so"),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`; `wrong_login`: the password, or the token of Firebase"),
        (status = 403, description = "`guest`"),
        (status = 404, description = "`not_configured`"),
        (status = 409, description = "`subject_taken`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`away`, `busy`, `read_only`"),
    )
)]
pub(super) async fn link(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.logins, peer, async {
        let firebase = configured(&public)?;
        let (caller, account) = owner(&public, &headers).await?;
        let hint = "JSON like {\"id_token\": \"…\", \"password\": \"…\"}";
        let LinkRequest { id_token, password } = parse(&body_of(body).await?, hint)?;
        let identity = firebase.identify(&id_token).await.map_err(refused)?;
        let address = AddressKey::from(peer.0.ip());
        let linked = public.accounts.link(account, caller.grant, &identity, &password, address);
        linked.await.map_err(refused)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

async fn body_of(body: Body) -> Result<bytes::Bytes, ApiError> {
    read_body_up_to(body, BODY_BYTES_MAX, "the body is larger than 10 KiB").await
}

fn configured(public: &Public) -> Result<&Firebase, ApiError> {
    public.firebase.as_ref().ok_or_else(|| {
        let hint =
            "this server takes no tokens of Firebase; its operator can change that with FIREBASE_PROJECT_ID";
        ApiError::new(StatusCode::NOT_FOUND, "not_configured", hint)
    })
}
