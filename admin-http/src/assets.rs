//! The panel's page, embedded into the program: everything that is no route.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::ApiError;

/// What `cargo xtask build web` made; nothing in a checkout where it never ran.
#[derive(RustEmbed)]
#[folder = "../web/admin/dist"]
#[allow_missing = true]
struct PanelFiles;

/// Shown instead of a panel that was not built.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
<title>Dopamine Hero, operators</title>\n<h1>The server runs, the operators' panel is not built</h1>\n\
<p>Run <code>cargo xtask build web</code> in the repository, then build the server again.</p>\n";

/// Below this folder file names carry a hash of their content, so that a file never changes under its name.
const HASHED_FOLDER: &str = "assets/";

pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "v1" || path.starts_with("v1/") {
        return ApiError::not_found().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let allowed = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (allowed, ApiError::method_not_allowed()).into_response();
    }
    if let Some(file) = PanelFiles::get(path).filter(|_| !path.is_empty()) {
        return found(path, file);
    }
    // What looks like a file does not exist; what looks like a page is one of the panel's own.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_file && path != "index.html" {
        return ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such file").into_response();
    }
    match PanelFiles::get("index.html") {
        Some(file) => found("index.html", file),
        None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response(),
    }
}

fn found(path: &str, file: EmbeddedFile) -> Response {
    let body = match file.data {
        // Embedded: sent from where it is.
        Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
        // Read from disk, in a debug build.
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = body.into_response();
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let caching =
        if path.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}
