//! `/v1/auth/password/…` and `/v1/auth/mail/…`: what the codes of mails are good for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::refused;
use super::caller::owner;
use super::request::{limited, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::profile::MAIL_BYTES_MAX;
use crate::admission::AddressKey;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForgotRequest {
    /// Where the account's mails go, at most 254 bytes.
    #[schema(max_length = 254)]
    mail: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetRequest {
    /// From the link of the mail.
    #[schema(max_length = 128)]
    code: String,
    /// The new one.
    #[schema(min_length = 8, max_length = 128)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    /// From the link of the mail.
    #[schema(max_length = 128)]
    code: String,
}

/// Sends a mail with which a new password can be set, if there is such an account.
#[utoipa::path(
    post, path = "/v1/auth/password/forgot", tag = "auth",
    request_body = ForgotRequest,
    responses(
        (status = 202, description = "Whether or not there is such an account"),
        (status = 400, description = "`malformed`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn forgot(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let hint = "JSON like {\"mail\": \"…\"}";
        let ForgotRequest { mail } = parse(&read_body(body).await?, hint)?;
        if mail.len() > MAIL_BYTES_MAX {
            let hint = "mail is at most 254 bytes";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint));
        }
        public.accounts.mail_reset(&mail).await.map_err(store_failed)?;
        Ok(StatusCode::ACCEPTED.into_response())
    })
    .await
}

/// Sets a new password with the code of a mail, and logs every device out.
#[utoipa::path(
    post, path = "/v1/auth/password/reset", tag = "auth",
    request_body = ResetRequest,
    responses(
        (status = 204, description = "It is set"),
        (status = 400, description = "`malformed`; `code`: used, unknown or too old; `weak_password`: the code stays good"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
pub(super) async fn reset(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let hint = "JSON like {\"code\": \"…\", \"password\": \"…\"}";
        let ResetRequest { code, password } = parse(&read_body(body).await?, hint)?;
        let address = AddressKey::from(peer.0.ip());
        public.accounts.reset_password(&code, &password, address).await.map_err(refused)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Shows with the code of a mail that the address is the player's.
#[utoipa::path(
    post, path = "/v1/auth/mail/verify", tag = "auth",
    request_body = VerifyRequest,
    responses(
        (status = 204, description = "It is"),
        (status = 400, description = "`malformed`; `code`: used, unknown or too old"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn verify(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let VerifyRequest { code } = parse(&read_body(body).await?, "JSON like {\"code\": \"…\"}")?;
        public.accounts.verify_mail(&code).await.map_err(refused)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Sends the mail with the code of the address again, at most once a minute.
#[utoipa::path(
    post, path = "/v1/auth/mail/resend", tag = "auth", security(("account" = [])),
    responses(
        (status = 202, description = "Unless the address is verified already"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn resend(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let (_, account) = owner(&public, &headers).await?;
        public.accounts.mail_verification(account);
        Ok(StatusCode::ACCEPTED.into_response())
    })
    .await
}
