//! `POST /v1/auth/firebase` and `POST /v1/auth/firebase/link`: accounts of people whom Firebase knows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::auth::{Keep, answer, guest, refused};
use super::caller::{bearer, owner};
use super::request::{check_device_name, limited, parse, read_body_up_to};
use super::{ApiError, Peer, Public};
use crate::accounts::firebase::Firebase;
use crate::admission::AddressKey;

/// Room for a token of 8 KiB and the other fields.
const BODY_BYTES_MAX: usize = 10 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirebaseRequest {
    id_token: String,
    #[serde(default)]
    device_name: String,
    #[serde(default)]
    keep: Keep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    id_token: String,
    password: String,
}

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
