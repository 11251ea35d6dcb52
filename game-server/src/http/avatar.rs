//! `PUT` and `DELETE /v1/me/avatar`, `GET /v1/avatars/{key}`.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use persistence::AccountId;
use persistence::accounts::{Account, AccountChange, AccountKey, Changed};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{owner, staying_owner, unauthenticated};
use super::request::{limited, read_body_up_to, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::avatar::{AvatarFailed, AvatarKey, SENT_BYTES_MAX, Unfit};

/// A key never names another picture.
const CACHING: &str = "public, max-age=31536000, immutable";
/// Opened as a page, a picture may do nothing at all, whatever a browser takes it for.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox";
const TOO_LARGE: &str = "the picture is larger than 2 MiB; send a smaller one";

/// The account's picture.
#[derive(Debug, Serialize, ToSchema)]
struct AvatarAnswer {
    /// Where it is; null without one.
    #[schema(required)]
    avatar_url: Option<String>,
}

/// Where a picture is.
pub(super) fn avatar_url(key: &str) -> String {
    format!("/v1/avatars/{key}")
}

/// Gives the account a picture.
///
/// A PNG, JPEG or WebP of at most 2 MiB, 4096 pixels a side and 4096 × 3072 in all. Its middle is kept, 256 × 256 pixels,
/// without anything else that was in the file.
#[utoipa::path(
    put, path = "/v1/me/avatar", operation_id = "put_avatar", tag = "me", security(("account" = [])),
    request_body(content(("image/png"), ("image/jpeg"), ("image/webp")), description = "The file"),
    responses(
        (status = 200, description = "Where it is", body = AvatarAnswer),
        (status = 400, description = "`malformed`: the body ended too early"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`; `erasing`: restore it first"),
        (status = 404, description = "`not_configured`"),
        (status = 413, description = "`too_large`"),
        (status = 415, description = "`picture`: of another kind"),
        (status = 422, description = "`picture`: damaged, or too many pixels"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `away`, `read_only`"),
    )
)]
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

/// Takes the account's picture away, if it has one.
#[utoipa::path(
    delete, path = "/v1/me/avatar", operation_id = "delete_avatar", tag = "me", security(("account" = [])),
    responses(
        (status = 200, description = "There is none", body = AvatarAnswer),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 404, description = "`not_configured`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
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

/// Shows a picture. It never changes under its address.
#[utoipa::path(
    get, path = "/v1/avatars/{key}", operation_id = "show_avatar", tag = "play",
    params(("key" = String, Path, pattern = "^[0-9a-f]{32}-[0-9a-f]{32}$", description = "As `avatar_url` says")),
    responses(
        (status = 200, description = "A PNG", content(("image/png"))),
        (status = 404, description = "`not_found`"),
        (status = 503, description = "`busy`, `away`"),
    )
)]
pub(super) async fn show(
    State(public): State<Arc<Public>>,
    key: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(key) = key.map_err(|_no_text| no_picture())?;
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
