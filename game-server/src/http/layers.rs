//! What surrounds every route: a request id, a time limit, a net for panics, CORS, security headers, numbers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use uuid::Uuid;

use super::{ApiError, Peer, Public};
use crate::metrics::{Route, StatusClass};

/// How long a request may take until its answer begins: a body that trickles in, or a store that is away.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// Scripts, styles and data come from ourselves only; nobody may frame us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn around(State(public): State<Arc<Public>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = Uuid::new_v4().simple().to_string();
    let route = Route::of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = request.method().clone();
    let client = request.extensions().get::<Peer>().map(|&Peer(client)| client.ip());
    // The path of an unknown route is text of a stranger, so only known ones are named.
    let span = tracing::info_span!("request", request_id, %method, ?route, hero = tracing::field::Empty);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = method == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && request.uri().path().starts_with("/v1/");

    let mut response = if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        guarded(request, next).instrument(span.clone()).await
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let headers = std::mem::take(response.headers_mut());
        response = error.into_body(&request_id);
        for (name, value) in &headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    let status = response.status();
    let headers = response.headers_mut();
    cross_origin(&public, origin.as_ref(), is_preflight, headers);
    secure(public.production, headers);
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    public.metrics.http_requests_total.of((route, StatusClass::of(status.as_u16()))).increment();
    public.metrics.http_request_seconds.record_duration(route, started.elapsed());
    tracing::debug!(parent: &span, status = status.as_u16(), client = client.map(tracing::field::display), "request");
    response
}

async fn guarded(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(timeout(REQUEST_WITHIN, next.run(request))).catch_unwind();
    match answer.await {
        Ok(Ok(response)) => response,
        Ok(Err(_late)) => {
            let hint = "the request took longer than 10 s; send it again";
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", hint).into_response()
        }
        Err(_panic) => {
            tracing::error!("a route panicked");
            ApiError::internal().into_response()
        }
    }
}

/// Lets pages of the listed origins read our answers; all others are left to the browser's default. Never with
/// `Access-Control-Allow-Credentials`: cookies are for the server's own pages only, so no other page, listed or not, can
/// make a browser use one. Listed pages keep their tokens themselves (`keep: "token"`).
fn cross_origin(public: &Public, origin: Option<&HeaderValue>, is_preflight: bool, headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    if !origin.to_str().is_ok_and(|text| public.origins.lists(text)) {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    let exposed = "etag, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id";
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

fn secure(production: bool, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if production {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    // What a picture may do is less still.
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
