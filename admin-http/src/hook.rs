//! How a program starts the drain: the hook of a deployment knows this server's token and has no login.
//!
//! `POST /v1/drain` with `Authorization: Bearer …` and nothing that a browser adds is answered here, under any name and whatever
//! its body, and reaches no route. So the token opens nothing else, and no page can make a browser use it.

use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use serde_json::json;

use crate::audit::Entry;
use crate::digest::{hex, is_same_secret, sha256};
use crate::error::ApiError;
use crate::routes::login::{note_failure, wait};
use crate::throttle::Throttle;
use crate::views::Draining;
use crate::{Client, Panel};

/// Where.
pub(crate) const PATH: &str = "/v1/drain";
/// Who, in the audit log. It has a space, so that no operator is called so.
pub(crate) const NAME: &str = "deploy hook";
/// Why, in the audit log.
const REASON: &str = "asked with ADMIN_DRAIN_TOKEN";

/// The token, and who guesses it.
pub(crate) struct Hook {
    /// Nothing: no token is right.
    token: Option<String>,
    /// Of its own, so that people who mistype passwords do not make a deployment wait.
    throttle: Throttle,
}

impl Hook {
    pub(crate) fn new(token: Option<String>) -> Self {
        Self { token, throttle: Throttle::default() }
    }

    fn is_right(&self, token: &str) -> bool {
        self.token.as_deref().is_some_and(|right| is_same_secret(token, right))
    }
}

/// The token of a request that comes from a hook; nothing when it goes the way of everybody else.
pub(crate) fn token_of(request: &Request) -> Option<&str> {
    let headers = request.headers();
    // A browser adds at least one of them to every POST, and no page can stop it.
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if is_browser || request.method() != Method::POST || request.uri().path() != PATH {
        return None;
    }
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = sent.split_once(' ').unwrap_or((sent, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Begins the drain if the token is right.
pub(crate) async fn drain(
    panel: &Arc<Panel>,
    client: Option<Client>,
    token: &str,
) -> Result<(StatusCode, Json<Draining>), ApiError> {
    let client = client.ok_or_else(ApiError::internal)?;
    let now_ms = panel.records.now_ms();
    // By the token that was sent: what others guess elsewhere makes nobody wait who knows the right one.
    let name = hex(&sha256(token.as_bytes()));
    wait(panel.hook.throttle.begin(&name, client.0, now_ms))?;
    if !panel.hook.is_right(token) {
        note_failure(panel, Some(NAME.to_owned()), client, now_ms).await;
        return Err(ApiError::wrong_hook_token());
    }
    panel.hook.throttle.succeeded(&name, client.0, now_ms);
    let begun = (StatusCode::ACCEPTED, Json(Draining::begun()));
    if panel.operations.overview().readiness == Draining::STATUS {
        // Asked again there is nothing to be done, and so nothing to be noted.
        return Ok(begun);
    }
    let entry = Entry {
        operator: NAME.to_owned(),
        role: None,
        action: "drain",
        subject: "server".to_owned(),
        reason: REASON.to_owned(),
        details: json!({ "address": client.0 }),
        outcome: None,
    };
    panel.noted(entry, |panel, actor| async move { panel.operations.drain(actor).await }).await?;
    Ok(begun)
}
