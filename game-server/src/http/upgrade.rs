//! `GET /v1/ws`: everything that is checked before a request becomes a socket.
//!
//! No cookie and no header says who the player is: that is the first frame's matter.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{ApiError, Peer, Public, ReadinessState};
use crate::admission::NoRoom;

/// Opens a WebSocket. What is said over it is in docs/protocol.md.
#[utoipa::path(
    get, path = "/v1/ws", operation_id = "open_socket", tag = "play",
    params(
        ("connection" = String, Header, description = "`Upgrade`"),
        ("upgrade" = String, Header, description = "`websocket`"),
        ("sec-websocket-version" = String, Header, description = "`13`"),
        ("sec-websocket-key" = String, Header, description = "16 bytes in base64"),
        ("sec-websocket-protocol" = String, Header, description = "Names `dopamine-hero.v1.msgpack`"),
        ("origin" = Option<String>, Header, description = "Of a browser: this server's own, or one that it allows"),
    ),
    responses(
        (status = 101, description = "The socket is open"),
        (status = 400, description = "`not_a_websocket`, `subprotocol`"),
        (status = 403, description = "`origin`: a page of another origin"),
        (status = 429, description = "`unauthenticated_sockets`: too many of this address without `hello`"),
        (status = 503, description = "`full`, `draining`"),
    )
)]
pub(super) async fn open(
    State(public): State<Arc<Public>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
) -> Result<Response, ApiError> {
    check_origin(&public, request.headers())?;
    let accept_key = check_handshake(request.headers())?;
    if public.readiness.get() != ReadinessState::Ready {
        let hint = "the server is about to stop; come back in a moment";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", hint).retry_after(1));
    }
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or_else(|| {
        let hint = "this connection cannot be upgraded; use HTTP/1.1";
        ApiError::new(StatusCode::BAD_REQUEST, "not_a_websocket", hint)
    })?;
    let place = public.admission.enter(peer.ip()).map_err(|no_room| match no_room {
        NoRoom::Full => {
            let hint = "every place is taken; come back in a moment";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "full", hint).retry_after(5)
        }
        NoRoom::Unauthenticated => {
            let hint = "too many sockets of this address have not sent hello; finish or close them first";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "unauthenticated_sockets", hint).retry_after(3)
        }
    })?;
    let play = Arc::clone(&public.play);
    let sockets = public.sockets.clone();
    // A task for the upgrade, and then one for the socket: what waits for both is not there for as long as the socket is.
    public.sockets.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => play(TokioIo::new(upgraded), place, &sockets),
            Err(error) => tracing::debug!(%peer, %error, "an upgrade did not come about"),
        }
    });
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept_key),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol::SUBPROTOCOL)),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// A page of another origin may not open a socket in a player's name. A client that is no browser sends no `Origin`.
fn check_origin(public: &Public, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let allowed =
        origins.next().is_none() && origin.to_str().is_ok_and(|origin| public.origins.allows(origin, host));
    if allowed {
        return Ok(());
    }
    let hint = "pages of this origin may not open a socket; the operator lists origins in ALLOWED_ORIGINS";
    Err(ApiError::new(StatusCode::FORBIDDEN, "origin", hint))
}

/// Checks the WebSocket handshake and computes its answer.
fn check_handshake(headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let bad = |hint| ApiError::new(StatusCode::BAD_REQUEST, "not_a_websocket", hint);
    if !has_token(headers, &header::CONNECTION, |token| token.eq_ignore_ascii_case("upgrade"))
        || !has_token(headers, &header::UPGRADE, |token| token.eq_ignore_ascii_case("websocket"))
    {
        return Err(bad("open this address as a WebSocket (Connection: Upgrade, Upgrade: websocket)"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(bad("Sec-WebSocket-Version must be 13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let Some(key) = key else { return Err(bad("Sec-WebSocket-Key must be 16 bytes in base64")) };
    if !has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, |token| token == protocol::SUBPROTOCOL) {
        let hint = "name the subprotocol dopamine-hero.v1.msgpack in Sec-WebSocket-Protocol";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "subprotocol", hint));
    }
    HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| bad("Sec-WebSocket-Key must be 16 bytes in base64"))
}

fn has_token(headers: &HeaderMap, name: &HeaderName, is_it: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| is_it(token.trim()))
}
