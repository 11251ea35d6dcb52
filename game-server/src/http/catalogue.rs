//! `GET /v1/catalogue`: what modules, achievements and levels there are. The same for everybody until operators put another one in
//! force.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Public;

/// The catalogue as JSON, and its ETag.
#[derive(Clone, Debug)]
pub struct CatalogueJson {
    body: Bytes,
    etag: HeaderValue,
}

impl CatalogueJson {
    /// From the text that is sent.
    pub fn new(body: impl Into<Bytes>) -> CatalogueJson {
        let body = body.into();
        let etag = format!("\"{}\"", &HEXLOWER.encode(&Sha256::digest(&body))[..16]);
        let etag = HeaderValue::try_from(etag).expect("hexadecimal digits in quotes are a header value");
        CatalogueJson { body, etag }
    }
}

/// Shows every module, achievement, cosmetic and number of the rules.
///
/// The same for everybody until operators put another one in force; `status` over the socket says when.
#[utoipa::path(
    get, path = "/v1/catalogue", operation_id = "show_catalogue", tag = "play",
    params(("if-none-match" = Option<String>, Header, description = "The `ETag` that the client has")),
    responses(
        (status = 200, description = "The catalogue", body = Object, content_type = "application/json",
            headers(("etag" = String, description = "Another one for every other catalogue"))),
        (status = 304, description = "The client has it",
            headers(("etag" = String, description = "That of the request"))),
    )
)]
pub(super) async fn show(State(public): State<Arc<Public>>, headers: HeaderMap) -> Response {
    let CatalogueJson { body, etag } = public.board.posted().json.clone();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &etag));
    // Asked again each time, so that a client never plays with an old catalogue; mostly the answer is 304.
    let caching = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (caching, kind, body).into_response()
}

fn names(if_none_match: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (if_none_match.to_str(), etag.to_str()) else { return false };
    list.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
}
