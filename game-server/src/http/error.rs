//! What went wrong, as a client sees it: a code to branch on, a hint for a person, and a number to ask us about. No
//! SQL, no path, no panic text.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A refused or failed request.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    hint: &'static str,
    retry_after_seconds: Option<u64>,
}

/// The body of every error. The request id is added when the answer leaves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorBody {
    /// To branch on.
    pub(super) code: &'static str,
    /// For a person.
    pub(super) hint: &'static str,
    /// To ask the operator about; also in `x-request-id`.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub(super) request_id: String,
}

impl ApiError {
    /// An error with this status, code and hint.
    pub const fn new(status: StatusCode, code: &'static str, hint: &'static str) -> ApiError {
        ApiError { status, code, hint, retry_after_seconds: None }
    }

    /// Tells the client when to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> ApiError {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// A mistake of ours. The log says more.
    pub const fn internal() -> ApiError {
        let hint = "a mistake of the server; try again later and tell us the request_id if it stays";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", hint)
    }

    /// The store does not answer right now.
    pub fn unavailable() -> ApiError {
        let hint = "nothing can be saved right now; try again in a moment";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "read_only", hint).retry_after(5)
    }

    /// No such route.
    pub const fn not_found() -> ApiError {
        let hint = "there is no such route; docs/protocol.md lists them";
        ApiError::new(StatusCode::NOT_FOUND, "not_found", hint)
    }

    /// A route with another method.
    pub const fn method_not_allowed() -> ApiError {
        let hint = "this route takes another method; docs/protocol.md lists them";
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", hint)
    }

    pub(super) fn into_body(self, request_id: &str) -> Response {
        let body = ErrorBody { code: self.code, hint: self.hint, request_id: request_id.to_owned() };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // The outermost layer knows the request id and writes the body.
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
