//! How somebody becomes an operator, comes in, and leaves.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::operators::is_name;
use crate::audit::Entry;
use crate::digest::{hex, sha256};
use crate::error::ApiError;
use crate::operations::Refused;
use crate::records::{InvitationRecord, NewOperator, OperatorRecord};
use crate::request::Sent;
use crate::sessions::{Caller, forget_cookie, set_cookie};
use crate::views::{LoginAsk, Session, SessionState, SetupAsk, SetupConfirm, SetupOffer, SignedIn};
use crate::{Client, Panel, totp};

/// Rows about failed logins within [`FAILURES_WINDOW_MS`]; the next row says how many more there were.
const FAILURES_MAX: u32 = 30;
/// See there.
const FAILURES_WINDOW_MS: i64 = 60 * 60 * 1_000;

/// The login of this browser.
#[utoipa::path(
    get, path = "/v1/session", tag = "login",
    responses((status = 200, description = "Whether somebody is there", body = Session))
)]
pub(crate) async fn session(State(panel): State<Arc<Panel>>, headers: HeaderMap) -> Json<Session> {
    if let Some(caller) = panel.sessions.find(&headers, panel.records.now_ms())
        && panel.may_still_look(&caller).await
    {
        return Json(view(&panel, &caller));
    }
    let state = if has_operators(&panel).await { SessionState::Anonymous } else { SessionState::Setup };
    Json(Session {
        state,
        operator: None,
        csrf_token: None,
        environment: panel.settings.environment.clone(),
        idle_until_ms: None,
        ends_at_ms: None,
    })
}

/// Whether there is one; so it is said while the database is away.
async fn has_operators(panel: &Panel) -> bool {
    if panel.has_operators.load(Ordering::Relaxed) {
        return true;
    }
    let has = panel.records.operators().await.map_or(true, |operators| !operators.is_empty());
    panel.has_operators.store(has, Ordering::Relaxed);
    has
}

fn view(panel: &Panel, caller: &Caller) -> Session {
    Session {
        state: SessionState::SignedIn,
        operator: Some(SignedIn { name: caller.name.clone(), role: caller.role }),
        csrf_token: Some(caller.csrf_token.clone()),
        environment: panel.settings.environment.clone(),
        idle_until_ms: Some(caller.idle_until_ms),
        ends_at_ms: Some(caller.ends_at_ms),
    }
}

/// Offers an authenticator to somebody who was invited. Nothing is made yet.
#[utoipa::path(
    post, path = "/v1/setup", tag = "login", request_body = SetupAsk,
    responses((status = 200, description = "What to put into the authenticator", body = SetupOffer))
)]
pub(crate) async fn setup(
    State(panel): State<Arc<Panel>>,
    Extension(client): Extension<Client>,
    Sent(ask): Sent<SetupAsk>,
) -> Result<Json<SetupOffer>, ApiError> {
    let invitation = invited(&panel, client, &ask.token).await?;
    check_password(&panel, &ask.password, &invitation.name)?;
    let mut secret = [0; totp::SECRET_BYTES];
    panel.records.fill_random(&mut secret);
    Ok(Json(SetupOffer {
        totp_secret: totp::secret_text(&secret),
        totp_uri: totp::uri(&invitation.name, &secret),
        name: invitation.name,
        role: invitation.role,
    }))
}

/// Makes the operator, once its authenticator has shown a code.
#[utoipa::path(
    post, path = "/v1/setup/confirm", tag = "login", request_body = SetupConfirm,
    responses((status = 200, description = "The operator is logged in", body = Session))
)]
pub(crate) async fn confirm(
    State(panel): State<Arc<Panel>>,
    Extension(client): Extension<Client>,
    Sent(ask): Sent<SetupConfirm>,
) -> Result<Response, ApiError> {
    let InvitationRecord { token_hash, name, role, .. } = invited(&panel, client, &ask.token).await?;
    check_password(&panel, &ask.password, &name)?;
    let secret = totp::parse_secret(&ask.totp_secret);
    let secret =
        secret.ok_or_else(|| ApiError::invalid("totp_secret is the one that was offered, as it was"))?;
    let now_ms = panel.records.now_ms();
    let Some(totp_step) = totp::step_of(&secret, &ask.code, now_ms) else {
        let hint =
            "the code is not the one that shows now; check that the clocks of phone and server are right";
        return Err(ApiError::invalid(hint));
    };
    let password = panel.records.hash_password(ask.password).await?;
    let entry = Entry { role: Some(role), ..entry(&name, "operator.join", Value::Null) };
    let new = NewOperator { token_hash, password, totp_secret: secret, totp_step, now_ms };
    let accepted = panel.noted(entry, move |panel, _actor| async move {
        let accepted = panel.records.accept(new).await?;
        accepted.ok_or_else(|| Refused::Conflict("the invitation was used before".into()))
    });
    let operator = accepted.await?;
    panel.sessions.end_of(&operator.name);
    panel.has_operators.store(true, Ordering::Relaxed);
    Ok(come_in(&panel, &operator))
}

/// The invitation of a token that is good now.
async fn invited(panel: &Panel, Client(address): Client, token: &str) -> Result<InvitationRecord, ApiError> {
    let now_ms = panel.records.now_ms();
    let token_hash = sha256(token.as_bytes());
    // Longer than any operator's name, so that the two never count for each other.
    let name = hex(&token_hash);
    wait(panel.throttle.begin(&name, address, now_ms))?;
    let invitation = panel.records.invitation(token_hash).await?;
    let invitation = invitation.filter(|invitation| now_ms < invitation.expires_at_ms);
    let invitation = invitation.ok_or_else(ApiError::wrong_token)?;
    panel.throttle.succeeded(&name, address, now_ms);
    Ok(invitation)
}

fn check_password(panel: &Panel, password: &str, name: &str) -> Result<(), ApiError> {
    match panel.records.weak_password(password, name) {
        None => Ok(()),
        Some(hint) => Err(ApiError::invalid(hint)),
    }
}

/// Refuses a try that must wait.
pub(crate) fn wait(wait_ms: i64) -> Result<(), ApiError> {
    match u64::try_from(wait_ms).unwrap_or_default().div_ceil(1_000) {
        0 => Ok(()),
        seconds => Err(ApiError::rate(seconds)),
    }
}

/// Comes in. Whatever is wrong, the answer and its time are the same.
#[utoipa::path(
    post, path = "/v1/login", tag = "login", request_body = LoginAsk,
    responses((status = 200, description = "The operator is logged in", body = Session))
)]
pub(crate) async fn login(
    State(panel): State<Arc<Panel>>,
    Extension(client): Extension<Client>,
    Sent(ask): Sent<LoginAsk>,
) -> Result<Response, ApiError> {
    let now_ms = panel.records.now_ms();
    // What is no name is nobody's: it may be a password that came into the wrong field.
    let name = if is_name(&ask.name) { ask.name.as_str() } else { "" };
    wait(panel.throttle.begin(name, client.0, now_ms))?;
    let operator = panel.records.operator(name).await?;
    let hash = operator.as_ref().map(|operator| operator.password.clone());
    let is_right = panel.records.verify_password(ask.password, hash).await?;
    let secret = operator.as_ref().map_or(&[][..], |operator| &operator.totp_secret);
    let step = totp::step_of(secret, &ask.code, now_ms);
    let known = operator.as_ref().map(|operator| operator.name.clone());
    let right = operator.filter(|operator| is_right && !operator.is_disabled).zip(step);
    let Some((operator, step)) = right else {
        note_failure(&panel, known, client, now_ms).await;
        return Err(ApiError::wrong_login());
    };
    let entry = Entry { role: Some(operator.role), ..entry(name, "login", from(client)) };
    let owned = operator.name.clone();
    let used = panel.noted(entry, move |panel, _actor| async move {
        let is_first = panel.records.use_code(&owned, step, now_ms).await?;
        if is_first { Ok(()) } else { Err(Refused::Conflict("the code was used before".into())) }
    });
    used.await.map_err(
        |error| if error.status == StatusCode::CONFLICT { ApiError::wrong_login() } else { error },
    )?;
    panel.throttle.succeeded(name, client.0, now_ms);
    Ok(come_in(&panel, &operator))
}

/// Leaves.
#[utoipa::path(post, path = "/v1/logout", tag = "login", responses((status = 204, description = "Nobody is logged in here")))]
pub(crate) async fn logout(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    panel.sessions.end(caller.key);
    with_cookie(StatusCode::NO_CONTENT.into_response(), &forget_cookie())
}

/// A login with a new id; one that the browser had before means nothing.
fn come_in(panel: &Panel, operator: &OperatorRecord) -> Response {
    let mut random = [0; 64];
    panel.records.fill_random(&mut random);
    let now_ms = panel.records.now_ms();
    let (cookie, caller) =
        panel.sessions.begin(&operator.name, operator.role, operator.revision, &random, now_ms);
    with_cookie(Json(view(panel, &caller)).into_response(), &set_cookie(&cookie))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let cookie = HeaderValue::from_str(cookie).expect("a cookie of ours is plain text");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

fn entry(name: &str, action: &'static str, details: Value) -> Entry {
    Entry {
        operator: name.to_owned(),
        role: None,
        action,
        subject: name.to_owned(),
        reason: String::new(),
        details,
        outcome: None,
    }
}

fn from(Client(address): Client) -> Value {
    json!({ "address": address })
}

/// How many failures were noted, and how many were not.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    state: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    since_ms: i64,
    rows: u32,
    untold: u64,
}

impl Failures {
    /// Whether another one is noted, and how many were not since the last one that was.
    fn next(&self, now_ms: i64) -> Option<u64> {
        let mut noted = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ms - noted.since_ms >= FAILURES_WINDOW_MS {
            (noted.since_ms, noted.rows) = (now_ms, 0);
        }
        if noted.rows >= FAILURES_MAX {
            noted.untold += 1;
            return None;
        }
        noted.rows += 1;
        Some(std::mem::take(&mut noted.untold))
    }
}

/// A failed login is a row, but not for ever: whoever guesses must not fill the log. Whether it could be written changes
/// nothing for whoever guesses.
pub(crate) async fn note_failure(panel: &Panel, known: Option<String>, client: Client, now_ms: i64) {
    let Some(untold) = panel.failures.next(now_ms) else { return };
    let mut details = from(client);
    if let Some(details) = details.as_object_mut()
        && untold > 0
    {
        details.insert("more_before".into(), untold.into());
    }
    let entry = entry(known.as_deref().unwrap_or_default(), "login_failed", details);
    let _away = panel.log.append(entry).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_failures_an_hour_are_told_and_the_rest_is_counted() {
        let failures = Failures::default();
        let begun_ms = 10 * FAILURES_WINDOW_MS;
        let told = (0..100).filter(|number| failures.next(begun_ms + number).is_some()).count();
        assert_eq!(told, 30);
        assert_eq!(failures.next(begun_ms + FAILURES_WINDOW_MS), Some(70));
        assert_eq!(failures.next(begun_ms + FAILURES_WINDOW_MS), Some(0));
    }
}
