//! What went wrong, as the panel sees it: a code to branch on, a hint for a person, and a number to find it in the log.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::operations::Refused;

/// When to come back after `busy` or `read_only`.
const RETRY_SECONDS: u64 = 2;

/// What every refusal says.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorBody {
    /// To branch on.
    pub code: String,
    /// What to do.
    pub hint: String,
    /// To find it in the log; also in `x-request-id`.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub request_id: String,
}

/// A refused or failed request.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    hint: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, hint: impl Into<Cow<'static, str>>) -> Self {
        ApiError { status, code, hint: hint.into(), retry_after_seconds: None }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) fn malformed(hint: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", hint)
    }

    pub(crate) fn invalid(hint: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", hint)
    }

    pub(crate) fn too_large(hint: &'static str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", hint)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "log in; a login ends after 15 min without use",
        )
    }

    pub(crate) fn wrong_login() -> Self {
        let hint = "name, password or code is wrong; a code is good once, so wait for the next one";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_login", hint)
    }

    pub(crate) fn wrong_token() -> Self {
        let hint = "this invitation is not good, or not any more; ask for another one";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_token", hint)
    }

    pub(crate) fn wrong_hook_token() -> Self {
        let hint =
            "this token does not start the drain: it must be the one in this server's ADMIN_DRAIN_TOKEN";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_token", hint)
    }

    pub(crate) fn forbidden(needed: crate::views::Role) -> Self {
        let hint = format!("this needs the role {}", needed.as_str());
        Self::new(StatusCode::FORBIDDEN, "forbidden", hint)
    }

    pub(crate) fn csrf(hint: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "csrf", hint)
    }

    pub(crate) fn rate(seconds: u64) -> Self {
        let hint = format!("too many wrong tries; try again in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate", hint).retry_after(seconds)
    }

    pub(crate) fn internal() -> Self {
        Self::from(Refused::Internal)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such route; admin-http/openapi.json lists them",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        let hint = "this route takes another method; admin-http/openapi.json lists them";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", hint)
    }

    /// As the answer, once the request's id is known.
    pub(crate) fn into_body(self, request_id: &str) -> Response {
        let body = ErrorBody {
            code: self.code.to_owned(),
            hint: self.hint.into_owned(),
            request_id: request_id.to_owned(),
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let hint = refused.to_string();
        let (status, code) = match refused {
            Refused::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Refused::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Refused::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Refused::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Refused::Away => (StatusCode::SERVICE_UNAVAILABLE, "read_only"),
            Refused::Unsure => (StatusCode::BAD_GATEWAY, "unsure"),
            Refused::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let error = Self::new(status, code, hint);
        if status == StatusCode::SERVICE_UNAVAILABLE { error.retry_after(RETRY_SECONDS) } else { error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // The outermost layer knows the request's id and writes the body.
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
