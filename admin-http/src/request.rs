//! What many routes read: a small body of JSON, a query, a part of the path. Each refusal is one of ours.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// Largest body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024;
/// Largest body that holds a catalogue: 256 KiB, and what JSON adds to line ends and quotes.
pub(crate) const CATALOGUE_BODY_BYTES_MAX: usize = 384 * 1024;
/// Longest id in a path, in bytes.
const ID_BYTES_MAX: usize = 64;

/// A body of JSON.
pub(crate) struct Sent<T, const BYTES_MAX: usize = BODY_BYTES_MAX>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Sent<T, BYTES_MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body(), BYTES_MAX).await?;
        // Only a map: serde would take a list of the fields as well.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(ApiError::malformed("the body is no JSON object"));
        }
        // What serde says names fields and places, and nothing that was sent but a word of it.
        let parsed = serde_json::from_slice(&bytes);
        parsed
            .map(Sent)
            .map_err(|error| ApiError::malformed(format!("the body is not what this route takes: {error}")))
    }
}

async fn read(body: Body, bytes_max: usize) -> Result<bytes::Bytes, ApiError> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ApiError::too_large("a body is at most 16 KiB, and a catalogue at most 256 KiB"))
        }
        Err(_) => Err(ApiError::malformed("the body ended too early")),
    }
}

/// A query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let parsed = Query::try_from_uri(&parts.uri);
        parsed.map(|Query(query)| Asked(query)).map_err(|error| ApiError::malformed(error.body_text()))
    }
}

/// Parts of the path.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parsed = Path::from_request_parts(parts, state).await;
        parsed.map(|Path(named)| Named(named)).map_err(|error| ApiError::malformed(error.body_text()))
    }
}

/// An id as it may stand in a path, a log line and a database.
pub(crate) fn check_id(id: &str) -> Result<(), ApiError> {
    if !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ApiError::malformed("an id is at most 64 letters, digits and signs"))
}
