//! `PUT` and `DELETE /v1/me/avatar`, `GET /v1/avatars/{key}`.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use persistence::AccountId;
use persistence::accounts::{Account, AccountChange, AccountKey, Changed};
use serde::Serialize;

use super::caller::{owner, staying_owner, unauthenticated};
use super::request::{limited, read_body_up_to, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::avatar::{AvatarFailed, AvatarKey, SENT_BYTES_MAX, Unfit};

/// A key never names another picture.
const CACHING: &str = "public, max-age=31536000, immutable";
/// Opened as a page, a picture may do nothing at all, whatever a browser takes it for.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox";
const TOO_LARGE: &str = "the picture is larger than 2 MiB; send a smaller one";

#[derive(Debug, Serialize)]
struct AvatarAnswer {
    avatar_url: Option<String>,
}

/// Where a picture is.
pub(super) fn avatar_url(key: &str) -> String {
    format!("/v1/avatars/{key}")
}

pub(super) async fn put(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let (_, account) = staying_owner(&public, &headers).await?;
        // What says itself that it is too large is not waited for.
        if body.size_hint().lower() > SENT_BYTES_MAX as u64 {
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", TOO_LARGE));
        }
        let change = public.avatars.begin(account).map_err(failed)?;
        let sent = read_body_up_to(body, SENT_BYTES_MAX, TOO_LARGE).await?;
        let old = find(&public, account).await?.avatar;
        let key = change.keep(sent).await.map_err(failed)?;
        // A store that did not answer may have done it all the same: then the new picture must be there.
        let changed = set(&public, account, Some(key.to_string())).await?;
        if changed != Changed::Done {
            change.forget(&key).await;
            return Err(unauthenticated());
        }
        if let Some(old) = old.and_then(|old| old.parse().ok()) {
            change.forget(&old).await;
        }
        Ok(Json(AvatarAnswer { avatar_url: Some(avatar_url(&key.to_string())) }).into_response())
    })
    .await
}

pub(super) async fn delete(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let (_, account) = owner(&public, &headers).await?;
        let change = public.avatars.begin(account).map_err(failed)?;
        let old = find(&public, account).await?.avatar;
        if set(&public, account, None).await? != Changed::Done {
            return Err(unauthenticated());
        }
        if let Some(old) = old.and_then(|old| old.parse().ok()) {
            change.forget(&old).await;
        }
        Ok(Json(AvatarAnswer { avatar_url: None }).into_response())
    })
    .await
}

pub(super) async fn show(
    State(public): State<Arc<Public>>,
    Path(key): Path<String>,
) -> Result<Response, ApiError> {
    let key: AvatarKey = key.parse().map_err(|_no_key| no_picture())?;
    let png = public.avatars.get(&key).await.map_err(failed)?.ok_or_else(no_picture)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (header::CACHE_CONTROL, HeaderValue::from_static(CACHING)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    ];
    Ok((headers, png).into_response())
}

async fn find(public: &Public, account: AccountId) -> Result<Account, ApiError> {
    let found = public.accounts.store().account(AccountKey::Id(account)).await.map_err(store_failed)?;
    found.ok_or_else(unauthenticated)
}

async fn set(public: &Public, account: AccountId, avatar: Option<String>) -> Result<Changed, ApiError> {
    let change = AccountChange::Avatar(avatar);
    public.accounts.store().change_account(account, change).await.map_err(store_failed)
}

fn no_picture() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such picture, or not any more")
}

fn failed(failed: AvatarFailed) -> ApiError {
    let (status, code, hint) = match failed {
        AvatarFailed::NotConfigured => (
            StatusCode::NOT_FOUND,
            "not_configured",
            "this server keeps no pictures; its operator can change that",
        ),
        AvatarFailed::Busy => {
            let hint = "too many pictures at once, or another one of yours; try again in a moment";
            return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", hint).retry_after(1);
        }
        AvatarFailed::Away => {
            let hint = "pictures cannot be reached right now; try again in a moment";
            return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "away", hint).retry_after(5);
        }
        AvatarFailed::Unfit(Unfit::Kind) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "picture", "send a PNG, a JPEG or a WebP")
        }
        AvatarFailed::Unfit(Unfit::TooLarge) => {
            let hint = "a picture has at most 4096 pixels a side and 4096 x 3072 in all; send a smaller one";
            (StatusCode::UNPROCESSABLE_ENTITY, "picture", hint)
        }
        AvatarFailed::Unfit(Unfit::Damaged) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "picture",
            "the picture is damaged; save it anew and send that",
        ),
    };
    ApiError::new(status, code, hint)
}
