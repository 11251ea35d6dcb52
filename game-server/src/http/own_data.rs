//! `GET /v1/me/export.json` and `/v1/me/ledger.csv`, `DELETE /v1/me`, `POST /v1/me/restore`: what is somebody's own.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use persistence::Seq;
use protocol::limit;
use serde::{Deserialize, Serialize};
use simulation::calendar::format_rfc3339;
use utoipa::ToSchema;

use super::auth::refused;
use super::caller::{caller, owner};
use super::request::{limited, load_failed, parse, read_body};
use super::{ApiError, Peer, Public};
use crate::accounts::erasing::NotErased;
use crate::accounts::own_data::NoDocument;
use crate::accounts::password::PASSWORD_CHARS_MAX;
use crate::admission::AddressKey;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseRequest {
    /// The account's password, if it has one.
    #[schema(max_length = 128)]
    password: Option<String>,
}

/// When everything is gone.
#[derive(Serialize, ToSchema)]
struct Erasing {
    /// Server UTC; an account can be restored until then.
    erase_at_ms: i64,
}

/// Everything that is kept about whoever asks.
#[utoipa::path(
    get, path = "/v1/me/export.json", operation_id = "export", tag = "me", security(("account" = []), ("guest" = [])),
    params(("from_seq" = Option<u64>, Query, minimum = 1, description = "The `next_seq` of the document before")),
    responses(
        (status = 200, description = "The document, see docs/protocol.md", content((Object = "application/json")),
            headers(("content-disposition" = String, description = "A name for the file"))),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`, `quarantined`"),
    )
)]
pub(super) async fn export(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.documents, peer, async {
        let caller = caller(&public, &headers).await?;
        let from = from_seq(query.as_deref())?;
        let document = public.own_data.export(&caller, from).await.map_err(no_document)?;
        let name = format!("dopamine-hero-{}.json", today(&public));
        Ok(attachment("application/json", &name, document))
    })
    .await
}

/// Every change of the balances, a line each.
#[utoipa::path(
    get, path = "/v1/me/ledger.csv", operation_id = "ledger", tag = "me", security(("account" = []), ("guest" = [])),
    responses(
        (status = 200, description = "The lines, see docs/protocol.md", content((String = "text/csv")),
            headers(("content-disposition" = String, description = "A name for the file"))),
        (status = 401, description = "`unauthenticated`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`, `quarantined`"),
    )
)]
pub(super) async fn ledger(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.documents, peer, async {
        let caller = caller(&public, &headers).await?;
        let document = public.own_data.ledger(caller.grant.hero).await.map_err(no_document)?;
        let name = format!("dopamine-hero-ledger-{}.csv", today(&public));
        Ok(attachment("text/csv; charset=utf-8; header=present", &name, document))
    })
    .await
}

/// Forgets whoever asks: an account in thirty days, a guest within minutes.
#[utoipa::path(
    delete, path = "/v1/me", operation_id = "erase_me", tag = "me", security(("account" = []), ("guest" = [])),
    request_body = Option<EraseRequest>,
    responses(
        (status = 200, description = "When", body = Erasing),
        (status = 400, description = "`malformed`: the password, too"),
        (status = 401, description = "`unauthenticated`, `wrong_login`"),
        (status = 403, description = "`login_again`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
pub(super) async fn erase(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let caller = caller(&public, &headers).await?;
        let body = read_body(body).await?;
        let hint =
            "JSON like {\"password\": \"…\"}; a guest, or an account without a password, sends {} or nothing";
        let EraseRequest { password } =
            if body.is_empty() { EraseRequest::default() } else { parse(&body, hint)? };
        if password.as_deref().is_some_and(|password| password.chars().count() > PASSWORD_CHARS_MAX) {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", "no password is so long"));
        }
        let address = AddressKey::from(peer.0.ip());
        let (erasing, now_ms) = (Arc::clone(&public.erasing), public.clock.now_ms());
        // It goes on when the client gives up waiting: the devices must not stay when the date is set.
        let asking = tokio::spawn(async move {
            match caller.account {
                Some(account) => erasing.ask(caller, account, password.as_deref(), address).await,
                None => Ok(erasing.forget_guest(caller.grant.hero).await.map(|()| now_ms)?),
            }
        });
        let erase_at_ms = asking.await.map_err(|_panic| ApiError::internal())?.map_err(not_erased)?;
        Ok(Json(Erasing { erase_at_ms }).into_response())
    })
    .await
}

/// Keeps an account that waits to be erased.
#[utoipa::path(
    post, path = "/v1/me/restore", operation_id = "restore_me", tag = "me", security(("account" = [])),
    responses(
        (status = 204, description = "It stays"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 410, description = "`too_late`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn restore(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let (caller, account) = owner(&public, &headers).await?;
        public.erasing.restore(caller, account).await.map_err(not_erased)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// From which event on, as `from_seq=NUMBER` says; from the first without.
fn from_seq(query: Option<&str>) -> Result<Seq, ApiError> {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(Seq(1)) };
    let number = query.strip_prefix("from_seq=").and_then(|number| number.parse().ok());
    let seq = number.filter(|number| (1..=limit::INTEGER_MAX).contains(number)).map(Seq);
    let hint = "the only parameter is from_seq, the number of an event: the next_seq of the document before";
    seq.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint))
}

fn today(public: &Public) -> String {
    format_rfc3339(public.clock.now_ms()).chars().take_while(|c| *c != 'T').collect()
}

fn attachment(
    content_type: &'static str,
    name: &str,
    document: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    let mut response = Body::from_stream(document).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn no_document(error: NoDocument) -> ApiError {
    match error {
        NoDocument::Busy => {
            let hint = "many take their data along right now; try again in a moment";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", hint).retry_after(5)
        }
        NoDocument::Unreadable(error) => load_failed(error),
        NoDocument::Auth(error) => refused(error),
    }
}

fn not_erased(error: NotErased) -> ApiError {
    match error {
        NotErased::NoPassword => {
            let hint = "say the account's password once more: {\"password\": \"…\"}";
            ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint)
        }
        NotErased::LoginTooOld => {
            let hint = "this account has no password, so log in again; within five minutes it can be deleted";
            ApiError::new(StatusCode::FORBIDDEN, "login_again", hint)
        }
        NotErased::TooLate => {
            let hint = "the thirty days are over; this account is being erased";
            ApiError::new(StatusCode::GONE, "too_late", hint)
        }
        NotErased::Auth(error) => refused(error),
    }
}
