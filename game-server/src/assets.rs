//! The web client, embedded into the binary: everything that is no route.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::ApiError;

/// What `cargo xtask build web` made; nothing in a checkout where it never ran.
#[derive(RustEmbed)]
#[folder = "../web/player/dist"]
#[allow_missing = true]
struct WebClient;

/// Shown instead of a web client that was not built.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
<title>Dopamine Hero</title>\n<h1>The server runs, the web client is not built</h1>\n\
<p>Run <code>cargo xtask run</code> in the repository: it builds the web client and the server and starts them.\n\
Or run <code>cargo xtask build web</code>, then build the server again.</p>\n";

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
    if let Some(file) = WebClient::get(path).filter(|_| !path.is_empty()) {
        return found(path, file);
    }
    // What looks like a file does not exist; what looks like a page is one of the web client's own.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_file && path != "index.html" {
        return ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such file").into_response();
    }
    match WebClient::get("index.html") {
        Some(file) => found("index.html", file),
        None => html(Body::from(NOT_BUILT)),
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
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    response
}

/// How long a browser may use a file without asking again.
fn caching(path: &str) -> &'static str {
    if path.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn html(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::caching;

    #[test]
    fn only_files_with_a_hash_in_their_name_are_kept_for_ever() {
        assert!(caching("assets/index-BxY12z.js").contains("immutable"));
        for path in ["index.html", "service-worker.js", "manifest.webmanifest", "icons/assets/a.png"] {
            assert_eq!(caching(path), "no-cache", "{path}");
        }
    }
}
