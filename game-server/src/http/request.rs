//! What many routes need: a small body, JSON in it, and a limit for each address.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::{ApiError, Peer, RateLimit};
use crate::acting::ActFailed;
use crate::admission::AddressKey;
use crate::shard::LoadFailed;

/// Largest body of a request that holds JSON, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024;
/// Longest device name that is taken, in bytes; longer ones are cut further down, absurd ones are refused here.
const DEVICE_NAME_BYTES_MAX: usize = 256;
/// When to come back while a hero is on its way from another server.
const BUSY_RETRY_SECONDS: u64 = 2;
/// When to come back while a hero waits for repair, which a person does.
const REPAIR_RETRY_SECONDS: u64 = 300;

/// Reads a small body.
pub(super) async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    read_body_up_to(body, BODY_BYTES_MAX, "the body is larger than 8 KiB").await
}

/// Reads a body of at most so many bytes; `hint` says how many.
pub(super) async fn read_body_up_to(
    body: Body,
    bytes_max: usize,
    hint: &'static str,
) -> Result<Bytes, ApiError> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", hint))
        }
        Err(_) => Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", "the body ended too early")),
    }
}

/// The JSON in a body. `hint` says what it should have been.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], hint: &'static str) -> Result<T, ApiError> {
    // Only a map: serde would take a list of the fields as well.
    let is_map = body.trim_ascii_start().starts_with(b"{");
    let request = if is_map { serde_json::from_slice(body).ok() } else { None };
    request.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "malformed", hint))
}

pub(super) fn check_device_name(name: &str) -> Result<(), ApiError> {
    if name.len() <= DEVICE_NAME_BYTES_MAX {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "malformed", "device_name is at most 256 bytes"))
}

pub(super) fn store_failed(error: persistence::StoreError) -> ApiError {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = format!("{error:#}"), "the account store did not answer as hoped");
    ApiError::unavailable()
}

/// A hero that cannot be read.
pub(super) fn load_failed(error: LoadFailed) -> ApiError {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = format!("{error:#}"), "a hero cannot be read for a request");
    ApiError::unavailable()
}

/// Something that was wanted of a hero and was not done.
pub(super) fn act_failed(failed: ActFailed) -> ApiError {
    let away = |code, hint| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, hint);
    match failed {
        ActFailed::Rejected(rejection) => {
            let hint = "the rules refuse this value; docs/protocol.md says what the code means";
            ApiError::new(StatusCode::BAD_REQUEST, rejection.code(), hint)
        }
        ActFailed::Busy | ActFailed::Unsure => {
            let hint =
                "the hero is busy on another server; send the same request again, nothing happens twice";
            away("busy", hint).retry_after(BUSY_RETRY_SECONDS)
        }
        ActFailed::ReadOnly => ApiError::unavailable(),
        ActFailed::SetAside => {
            away("quarantined", "this hero is being repaired; nothing is lost, try again later")
                .retry_after(REPAIR_RETRY_SECONDS)
        }
    }
}

/// Counts the request against its address before anything else is done for it.
pub(super) async fn limited(
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
