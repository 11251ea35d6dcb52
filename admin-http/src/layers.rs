//! What surrounds every route: names that are answered, pages that may change something, a request id, a time limit, a
//! net for panics, security headers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

use crate::digest::hex;
use crate::error::ApiError;
use crate::hosts::is_safe;
use crate::operations::Refused;
use crate::{Client, Fact, Panel, hook};

/// How long a request may take until its answer begins.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Longest path with its query, in bytes.
const ADDRESS_BYTES_MAX: usize = 2 * 1024;
/// The panel needs its own scripts, styles, pictures and answers, and nothing from anywhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) async fn around(State(panel): State<Arc<Panel>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = new_request_id(&panel);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_change = !is_safe(&method);
    let mut response = if let Some(token) = hook::token_of(&request).map(str::to_owned) {
        let client = request.extensions().get::<Client>().copied();
        let drained = async { hook::drain(&panel, client, &token).await.into_response() };
        guarded(&panel, is_change, drained, &request_id).await
    } else {
        match check(&panel, &request) {
            Ok(()) => guarded(&panel, is_change, next.run(request), &request_id).await,
            Err(error) => error.into_response(),
        }
    };
    let error = response.extensions_mut().remove::<ApiError>();
    let code = error.as_ref().map(|error| error.code);
    if let Some(error) = error {
        let headers = std::mem::take(response.headers_mut());
        response = error.into_body(&request_id);
        for (name, value) in &headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    secure(panel.settings.is_production, response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, took) = (response.status(), started.elapsed());
    (panel.settings.on_fact)(Fact::Answered { request_id, method, route, status, code, took });
    response
}

fn new_request_id(panel: &Panel) -> String {
    let mut bytes = [0; 16];
    panel.records.fill_random(&mut bytes);
    hex(&bytes)
}

fn check(panel: &Panel, request: &Request) -> Result<(), ApiError> {
    panel.hosts.check_name(request.headers())?;
    panel.hosts.check_page(request.method(), request.headers())?;
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > ADDRESS_BYTES_MAX {
        return Err(ApiError::too_large("the path and its query are at most 2 KiB"));
    }
    Ok(())
}

async fn guarded(
    panel: &Panel,
    is_change: bool,
    answer: impl Future<Output = Response>,
    request_id: &str,
) -> Response {
    let answer = AssertUnwindSafe(timeout(REQUEST_WITHIN, answer)).catch_unwind();
    match answer.await {
        Ok(Ok(response)) => response,
        // What changes something goes on without its request; the audit log will say how it ended.
        Ok(Err(_late)) if is_change => ApiError::from(Refused::Unsure).into_response(),
        Ok(Err(_late)) => ApiError::from(Refused::Busy).into_response(),
        Err(_panic) => {
            (panel.settings.on_fact)(Fact::Panicked { request_id: request_id.to_owned() });
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", Refused::Internal.to_string())
                .into_response()
        }
    }
}

fn secure(is_production: bool, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if is_production {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
