//! Players: looked for, looked at, and helped.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::Panel;
use crate::effect::{Wish, reason};
use crate::error::ApiError;
use crate::request::{Asked, Named, Sent, check_id};
use crate::sessions::Caller;
use crate::views::{Balance, BanAsk, CloseAsk, EraseAsk, HeroAt, Player, PlayerPage, ReasonAsk, Timeline};

/// Longest text that is looked for, in bytes.
const QUERY_BYTES_MAX: usize = 256;
/// Events of a page of a timeline.
const TIMELINE_EVENTS: u32 = 50;
/// Most of them.
const TIMELINE_EVENTS_MAX: u32 = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindQuery {
    /// An id of a hero or account, a whole mail address, or the beginning of a name; nothing: the newest.
    #[serde(default)]
    #[param(max_length = 256)]
    query: String,
    /// The `next` of the page before.
    #[param(max_length = 256)]
    after: Option<String>,
}

/// Looks for players.
#[utoipa::path(
    get, path = "/v1/players", tag = "players", params(FindQuery),
    responses((status = 200, description = "A page", body = PlayerPage))
)]
pub(crate) async fn find(
    State(panel): State<Arc<Panel>>,
    Asked(query): Asked<FindQuery>,
) -> Result<Json<PlayerPage>, ApiError> {
    let is_short = |text: &str| text.len() <= QUERY_BYTES_MAX && !text.chars().any(char::is_control);
    if !is_short(&query.query) || !query.after.as_deref().is_none_or(is_short) {
        return Err(ApiError::malformed("query and after are one line of at most 256 bytes"));
    }
    Ok(Json(panel.operations.find_players(&query.query, query.after.as_deref()).await?))
}

/// One player.
#[utoipa::path(
    get, path = "/v1/players/{hero}", tag = "players", params(("hero" = String, Path, description = "The hero")),
    responses((status = 200, description = "The player", body = Player))
)]
pub(crate) async fn show(
    State(panel): State<Arc<Panel>>,
    Named(hero): Named<String>,
) -> Result<Json<Player>, ApiError> {
    check_id(&hero)?;
    Ok(Json(panel.operations.player(&hero).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// Events before this one; without it, the newest.
    before: Option<u64>,
    /// How many, at most 200.
    limit: Option<u32>,
}

/// What happened to a hero.
#[utoipa::path(
    get, path = "/v1/players/{hero}/timeline", tag = "players",
    params(("hero" = String, Path, description = "The hero"), TimelineQuery),
    responses((status = 200, description = "Newest first", body = Timeline))
)]
pub(crate) async fn timeline(
    State(panel): State<Arc<Panel>>,
    Named(hero): Named<String>,
    Asked(query): Asked<TimelineQuery>,
) -> Result<Json<Timeline>, ApiError> {
    check_id(&hero)?;
    let limit = query.limit.unwrap_or(TIMELINE_EVENTS).clamp(1, TIMELINE_EVENTS_MAX);
    Ok(Json(panel.operations.timeline(&hero, query.before, limit).await?))
}

/// A hero as it was after an event.
#[utoipa::path(
    get, path = "/v1/players/{hero}/at/{seq}", tag = "players",
    params(("hero" = String, Path, description = "The hero"), ("seq" = u64, Path, description = "The event")),
    responses((status = 200, description = "The hero then", body = HeroAt))
)]
pub(crate) async fn at(
    State(panel): State<Arc<Panel>>,
    Named((hero, seq)): Named<(String, u64)>,
) -> Result<Json<HeroAt>, ApiError> {
    check_id(&hero)?;
    Ok(Json(panel.operations.hero_at(&hero, seq).await?))
}

/// Why a balance is what it is.
#[utoipa::path(
    get, path = "/v1/players/{hero}/balance", tag = "players",
    params(("hero" = String, Path, description = "The hero")),
    responses((status = 200, description = "By cause", body = Balance))
)]
pub(crate) async fn balance(
    State(panel): State<Arc<Panel>>,
    Named(hero): Named<String>,
) -> Result<Json<Balance>, ApiError> {
    check_id(&hero)?;
    Ok(Json(panel.operations.balance(&hero).await?))
}

/// Everything that is kept about a hero, as a file. It is asked for with a reason, because it is personal.
#[utoipa::path(
    post, path = "/v1/players/{hero}/export", tag = "players", request_body = ReasonAsk,
    params(("hero" = String, Path, description = "The hero")),
    responses((status = 200, description = "A file of JSON", body = Object))
)]
pub(crate) async fn export(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(hero): Named<String>,
    Sent(ask): Sent<ReasonAsk>,
) -> Result<Response, ApiError> {
    let wish = wish("player.export", &hero, &ask.reason, Value::Null)?;
    let name = format!("attachment; filename=\"hero-{}.json\"", file_name(&hero));
    let exported = panel
        .carry_out(&caller, wish, move |panel, _actor| async move { panel.operations.export(&hero).await });
    let mut response = exported.await?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// An id without what means something in a header.
fn file_name(hero: &str) -> String {
    hero.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect()
}

/// Closes sockets.
#[utoipa::path(
    post, path = "/v1/players/{hero}/close", tag = "players", request_body = CloseAsk,
    params(("hero" = String, Path, description = "The hero")),
    responses((status = 204, description = "Closed"))
)]
pub(crate) async fn close(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(hero): Named<String>,
    Sent(ask): Sent<CloseAsk>,
) -> Result<StatusCode, ApiError> {
    if let Some(connection) = &ask.connection_id {
        check_id(connection)?;
    }
    let wish = wish("player.close", &hero, &ask.reason, json!({ "connection_id": ask.connection_id }))?;
    let closed = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.close_connections(actor, &hero, ask.connection_id.as_deref()).await
    });
    closed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a player the right to log in, or gives it back.
#[utoipa::path(
    post, path = "/v1/players/{hero}/ban", tag = "players", request_body = BanAsk,
    params(("hero" = String, Path, description = "The hero")),
    responses((status = 204, description = "It is so now"))
)]
pub(crate) async fn ban(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(hero): Named<String>,
    Sent(ask): Sent<BanAsk>,
) -> Result<StatusCode, ApiError> {
    let wish = wish("player.ban", &hero, &ask.reason, json!({ "is_banned": ask.is_banned }))?;
    let banned = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.ban(actor, &hero, ask.is_banned).await
    });
    banned.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases a player, or takes that back.
#[utoipa::path(
    post, path = "/v1/players/{hero}/erase", tag = "players", request_body = EraseAsk,
    params(("hero" = String, Path, description = "The hero")),
    responses((status = 204, description = "It is so now"))
)]
pub(crate) async fn erase(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(hero): Named<String>,
    Sent(ask): Sent<EraseAsk>,
) -> Result<StatusCode, ApiError> {
    let wish = wish("player.erase", &hero, &ask.reason, json!({ "is_wanted": ask.is_wanted }))?;
    let erased = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.erase(actor, &hero, ask.is_wanted).await
    });
    erased.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wish(action: &'static str, hero: &str, why: &str, details: Value) -> Result<Wish, ApiError> {
    check_id(hero)?;
    Ok(Wish { action, subject: hero.to_owned(), reason: reason(why)?, details })
}
