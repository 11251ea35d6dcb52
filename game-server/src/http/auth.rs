//! `/v1/auth/…`: accounts are made, devices come and go.
//!
//! A browser keeps its refresh token in a cookie that no script can read and no other site can send; a program of its own
//! asks for it in the body instead (`"keep": "token"`).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{bearer, caller, unauthenticated};
use super::request::{check_device_name, limited, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::session::{AuthError, REFRESH_LIFE_MS, Registration, Session};
use crate::accounts::{ACCESS_LIFE_MS, Grant};
use crate::admission::AddressKey;

/// The cookie of the refresh token. The prefix makes browsers insist on TLS, on this host and on the root path.
pub(super) const COOKIE: &str = "__Host-dh_refresh";

/// When to come back while the keys of ID tokens cannot be fetched.
const KEYS_RETRY_SECONDS: u64 = 5;

/// Where the client keeps its refresh token.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Keep {
    /// In a cookie: a browser.
    #[default]
    Cookie,
    /// By itself: a program.
    Token,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    /// An address like `ada@example.org`, at most 254 bytes.
    #[schema(max_length = 254)]
    mail: String,
    /// Not one of those that everybody tries first.
    #[schema(min_length = 8, max_length = 128)]
    password: String,
    /// What others may call the player. Cut after 40 characters.
    name: Option<String>,
    /// What the player calls the device, at most 256 bytes of UTF-8.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_name: String,
    #[serde(default)]
    keep: Keep,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    /// The account's address.
    #[schema(max_length = 254)]
    mail: String,
    /// The account's password.
    #[schema(max_length = 128)]
    password: String,
    /// What the player calls the device, at most 256 bytes of UTF-8.
    #[serde(default)]
    #[schema(max_length = 256)]
    device_name: String,
    #[serde(default)]
    keep: Keep,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    /// The newest one that the device was given. Left out: it is in the cookie.
    refresh_token: Option<String>,
}

/// A device that is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionAnswer<'a> {
    /// For `Authorization: Bearer`. Keep it in memory only.
    access_token: &'a str,
    /// How long the access token is good.
    #[schema(minimum = 0)]
    expires_in_ms: i64,
    /// The account.
    #[schema(format = "uuid")]
    account_id: String,
    /// Its hero.
    #[schema(format = "uuid")]
    hero_id: String,
    /// The device.
    #[schema(format = "uuid")]
    device_id: String,
    /// With `keep` = `token`: buys the next session, once, within 60 days. Otherwise it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^dhr_[A-Za-z0-9_-]{43}$")]
    refresh_token: Option<&'a str>,
}

/// Makes an account and logs the device in.
///
/// With a guest's token as bearer the guest's hero becomes the account's, and that token is void.
#[utoipa::path(
    post, path = "/v1/auth/register", tag = "auth", security((), ("guest" = [])),
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The session", body = SessionAnswer<'_>,
            headers(("set-cookie" = String, description = "The refresh token, unless it is in the body"))),
        (status = 400, description = "`malformed`, `weak_password`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 409, description = "`mail_taken`, `hero_taken`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
pub(super) async fn register(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let hint = "JSON like {\"mail\": \"…\", \"password\": \"…\"}; optional: name, device_name, keep";
        let request: RegisterRequest = parse(&read_body(body).await?, hint)?;
        check_device_name(&request.device_name)?;
        let guest = match bearer(&headers) {
            None => None,
            Some(_) => Some(guest(&public, &headers).await?),
        };
        let wish = Registration {
            mail: &request.mail,
            password: &request.password,
            name: request.name.as_deref(),
            device_name: &request.device_name,
            guest,
        };
        let session = public.accounts.register(wish).await.map_err(refused)?;
        tracing::info!(hero = %session.access.hero, "an account was made");
        Ok(answer(StatusCode::CREATED, &session, request.keep))
    })
    .await
}

/// The guest whose hero becomes the account's.
pub(super) async fn guest(public: &Public, headers: &HeaderMap) -> Result<Grant, ApiError> {
    let caller = caller(public, headers).await?;
    match caller.account {
        None => Ok(caller.grant),
        Some(_) => Err(refused(AuthError::HeroTaken)),
    }
}

/// Logs a device in.
///
/// Whatever is wrong, the answer is the same.
#[utoipa::path(
    post, path = "/v1/auth/login", tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "The session", body = SessionAnswer<'_>,
            headers(("set-cookie" = String, description = "The refresh token, unless it is in the body"))),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`wrong_login`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
pub(super) async fn login(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    limited(&public.limits.logins, peer, async {
        let hint = "JSON like {\"mail\": \"…\", \"password\": \"…\"}; optional: device_name, keep";
        let request: LoginRequest = parse(&read_body(body).await?, hint)?;
        check_device_name(&request.device_name)?;
        let LoginRequest { mail, password, device_name, keep } = request;
        let address = AddressKey::from(peer.0.ip());
        let session =
            public.accounts.login(&mail, &password, &device_name, address).await.map_err(refused)?;
        Ok(answer(StatusCode::OK, &session, keep))
    })
    .await
}

/// Exchanges a refresh token for the next one and an access token.
///
/// The old one is good for 10 s more; later use of it logs the device out.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "auth", security((), ("refresh" = [])),
    request_body(content = Option<RefreshRequest>, description = "Nothing or `{}` with the cookie, else the token"),
    responses(
        (status = 200, description = "The session", body = SessionAnswer<'_>,
            headers(("set-cookie" = String, description = "The refresh token, unless it is in the body"))),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`origin`: the cookie is for this server's own pages"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn refresh(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let refreshed = limited(&public.limits.refreshes, peer, async {
        let (token, keep) = presented(&public, &headers, refresh_request(body).await?)?;
        let session = public.accounts.refresh(&token).await.map_err(refused)?;
        Ok(answer(StatusCode::OK, &session, keep))
    });
    without_dead_cookie(&headers, refreshed.await)
}

/// Logs the device out; its sockets close.
///
/// It is named by a bearer token, by the cookie or by its refresh token.
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "auth",
    security((), ("account" = []), ("guest" = []), ("refresh" = [])),
    request_body(content = Option<RefreshRequest>, description = "Nothing or `{}`, else the refresh token"),
    responses(
        (status = 204, description = "It is out",
            headers(("set-cookie" = String, description = "Forgets the refresh token"))),
        (status = 400, description = "`malformed`"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`origin`: the cookie is for this server's own pages"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn logout(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let request = refresh_request(body).await?;
        if bearer(&headers).is_some() {
            let caller = caller(&public, &headers).await?;
            public.accounts.log_out(caller.grant).await.map_err(refused)?;
        } else {
            let (token, _) = presented(&public, &headers, request)?;
            public.accounts.log_out_by_refresh(&token).await.map_err(refused)?;
        }
        Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget_cookie())]).into_response())
    })
    .await
}

async fn refresh_request(body: Body) -> Result<RefreshRequest, ApiError> {
    let body = read_body(body).await?;
    if body.is_empty() {
        return Ok(RefreshRequest::default());
    }
    parse(&body, "JSON: {} with the cookie, or {\"refresh_token\": \"…\"}")
}

/// The refresh token, from the body or from the cookie, and where its successor belongs.
fn presented(
    public: &Public,
    headers: &HeaderMap,
    request: RefreshRequest,
) -> Result<(String, Keep), ApiError> {
    if let Some(token) = request.refresh_token {
        return Ok((token, Keep::Token));
    }
    let token = cookie(headers).ok_or_else(unauthenticated)?.to_owned();
    // A cookie is sent by the browser, whoever's page asks: so it must be one of ours.
    super::origin::require_own(public, headers)?;
    Ok((token, Keep::Cookie))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn set_cookie(token: &str) -> HeaderValue {
    let seconds = REFRESH_LIFE_MS / 1000;
    let text = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    let mut value = HeaderValue::try_from(text).expect("tokens are letters, digits, - and _");
    value.set_sensitive(true);
    value
}

fn forget_cookie() -> HeaderValue {
    let text = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    HeaderValue::try_from(text).expect("a constant text")
}

/// A browser need not send a token again that is not good any more.
fn without_dead_cookie(headers: &HeaderMap, mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED && cookie(headers).is_some() {
        response.headers_mut().insert(header::SET_COOKIE, forget_cookie());
    }
    response
}

pub(super) fn answer(status: StatusCode, session: &Session, keep: Keep) -> Response {
    let refresh_token = session.refresh_token.expose();
    let body = SessionAnswer {
        access_token: session.access_token.expose(),
        expires_in_ms: ACCESS_LIFE_MS,
        account_id: session.access.account.0.to_string(),
        hero_id: session.access.hero.to_string(),
        device_id: session.access.device.0.to_string(),
        refresh_token: matches!(keep, Keep::Token).then_some(refresh_token),
    };
    let mut response = (status, Json(body)).into_response();
    if matches!(keep, Keep::Cookie) {
        response.headers_mut().insert(header::SET_COOKIE, set_cookie(refresh_token));
    }
    response
}

/// What a client is told.
pub(super) fn refused(error: AuthError) -> ApiError {
    let bad = |code, hint| ApiError::new(StatusCode::BAD_REQUEST, code, hint);
    match error {
        AuthError::WrongLogin => {
            let hint = "mail or password is wrong; a new password can be set with the link of a mail";
            ApiError::new(StatusCode::UNAUTHORIZED, "wrong_login", hint)
        }
        AuthError::Wait { retry_after_ms } => {
            let hint =
                "too many wrong passwords; wait as long as Retry-After says, or set a new password by mail";
            let seconds = u64::try_from(retry_after_ms).unwrap_or(0).div_ceil(1000);
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate", hint).retry_after(seconds)
        }
        AuthError::Unauthenticated => unauthenticated(),
        AuthError::NoMail => bad("malformed", "mail must be an address like ada@example.org"),
        AuthError::Weak(weak) => bad("weak_password", weak.hint()),
        AuthError::Code => bad("code", "this link is used or too old; ask for another mail"),
        AuthError::MailTaken => {
            let hint = "this address has an account already; log in, or set a new password by mail";
            ApiError::new(StatusCode::CONFLICT, "mail_taken", hint)
        }
        AuthError::LinkFirst => {
            let hint = "this address has an account already; log in to it with its password, or set a new one by mail, \
                        and then link it with POST /v1/auth/firebase/link";
            ApiError::new(StatusCode::CONFLICT, "link_first", hint)
        }
        AuthError::SubjectTaken => {
            let hint = "this Firebase user belongs to another account; log in to that one";
            ApiError::new(StatusCode::CONFLICT, "subject_taken", hint)
        }
        AuthError::WrongIdToken => {
            let hint = "this ID token is not good here; sign in with Firebase again and send the new one";
            ApiError::new(StatusCode::UNAUTHORIZED, "wrong_login", hint)
        }
        AuthError::KeysAway => {
            let hint = "Firebase's keys cannot be fetched right now; try again in a moment, or log in with a password";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "away", hint).retry_after(KEYS_RETRY_SECONDS)
        }
        AuthError::HeroTaken => {
            let hint = "this hero belongs to an account already; log in to it";
            ApiError::new(StatusCode::CONFLICT, "hero_taken", hint)
        }
        AuthError::Busy => {
            let hint = "many log in right now; try again in a moment";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", hint).retry_after(2)
        }
        AuthError::Store(error) => store_failed(error),
    }
}
