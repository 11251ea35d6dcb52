//! The game's numbers, what it costs, and this server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::Panel;
use crate::digest::{hex, sha256};
use crate::effect::{Wish, reason};
use crate::error::ApiError;
use crate::request::{CATALOGUE_BODY_BYTES_MAX, Named, Sent};
use crate::sessions::Caller;
use crate::views::{
    BannerAsk, BudgetAsk, CatalogueSwitch, CatalogueText, CatalogueUpload, CatalogueVersions, Cost, Draining,
    DryRun, ReasonAsk, System, UploadedCatalogue,
};

/// Largest text of a catalogue, in bytes.
const CATALOGUE_BYTES_MAX: usize = 256 * 1024;
/// Longest banner, in characters.
const BANNER_CHARS_MAX: usize = 200;

/// The versions of the catalogue.
#[utoipa::path(get, path = "/v1/catalogue", tag = "catalogue", responses((status = 200, description = "Newest first", body = CatalogueVersions)))]
pub(crate) async fn catalogues(State(panel): State<Arc<Panel>>) -> Result<Json<CatalogueVersions>, ApiError> {
    Ok(Json(panel.operations.catalogues().await?))
}

/// The text of a version.
#[utoipa::path(
    get, path = "/v1/catalogue/{version}", tag = "catalogue",
    params(("version" = u32, Path, description = "The version")),
    responses((status = 200, description = "As it was uploaded", body = CatalogueText))
)]
pub(crate) async fn catalogue(
    State(panel): State<Arc<Panel>>,
    Named(version): Named<u32>,
) -> Result<Json<CatalogueText>, ApiError> {
    Ok(Json(panel.operations.catalogue_text(version).await?))
}

/// Checks a catalogue and keeps it.
#[utoipa::path(
    post, path = "/v1/catalogue", tag = "catalogue", request_body = CatalogueUpload,
    responses((status = 200, description = "What was found", body = UploadedCatalogue))
)]
pub(crate) async fn upload_catalogue(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<CatalogueUpload, CATALOGUE_BODY_BYTES_MAX>,
) -> Result<Json<UploadedCatalogue>, ApiError> {
    if ask.text.len() > CATALOGUE_BYTES_MAX {
        return Err(ApiError::too_large("a catalogue is at most 256 KiB"));
    }
    let details = json!({ "bytes": ask.text.len(), "sha256": hex(&sha256(ask.text.as_bytes())) });
    let wish = wish("catalogue.upload", "catalogue", &ask.reason, details)?;
    let uploaded = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.upload_catalogue(actor, &ask.text).await
    });
    Ok(Json(uploaded.await?))
}

/// What a version would change for the heroes that are here now.
#[utoipa::path(
    get, path = "/v1/catalogue/{version}/dry-run", tag = "catalogue",
    params(("version" = u32, Path, description = "The version")),
    responses((status = 200, description = "Nothing was changed", body = DryRun))
)]
pub(crate) async fn dry_run(
    State(panel): State<Arc<Panel>>,
    Named(version): Named<u32>,
) -> Result<Json<DryRun>, ApiError> {
    Ok(Json(panel.operations.dry_run(version).await?))
}

/// Puts a version in force.
#[utoipa::path(
    post, path = "/v1/catalogue/switch", tag = "catalogue", request_body = CatalogueSwitch,
    responses((status = 204, description = "It is in force"))
)]
pub(crate) async fn switch_catalogue(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<CatalogueSwitch>,
) -> Result<StatusCode, ApiError> {
    let CatalogueSwitch { in_force, version, .. } = ask;
    let details = json!({ "from": in_force, "to": version });
    let wish = wish("catalogue.switch", "catalogue", &ask.reason, details)?;
    let switched = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.switch_catalogue(actor, in_force, version).await
    });
    switched.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the server costs and should cost.
#[utoipa::path(get, path = "/v1/cost", tag = "cost", responses((status = 200, description = "Recommendations only", body = Cost)))]
pub(crate) async fn cost(State(panel): State<Arc<Panel>>) -> Result<Json<Cost>, ApiError> {
    Ok(Json(panel.operations.cost().await?))
}

/// Sets the monthly budget.
#[utoipa::path(
    post, path = "/v1/cost/budget", tag = "cost", request_body = BudgetAsk,
    responses((status = 204, description = "It is so now"))
)]
pub(crate) async fn set_budget(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<BudgetAsk>,
) -> Result<StatusCode, ApiError> {
    let wish = wish("cost.budget", "budget", &ask.reason, json!({ "budget_usd": ask.budget_usd }))?;
    let set = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.set_budget(actor, ask.budget_usd).await
    });
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This server and its neighbours.
#[utoipa::path(get, path = "/v1/system", tag = "server", responses((status = 200, description = "Secrets are masked", body = System)))]
pub(crate) async fn system(State(panel): State<Arc<Panel>>) -> Result<Json<System>, ApiError> {
    Ok(Json(panel.operations.system().await?))
}

/// Tells every player something, or nothing any more.
#[utoipa::path(
    post, path = "/v1/banner", tag = "server", request_body = BannerAsk,
    responses((status = 204, description = "It is so now"))
)]
pub(crate) async fn set_banner(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<BannerAsk>,
) -> Result<StatusCode, ApiError> {
    let is_text = |text: &str| {
        (1..=BANNER_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    if !ask.banner.as_ref().is_none_or(|banner| is_text(&banner.text)) {
        return Err(ApiError::invalid("a banner is one line of 1 to 200 characters"));
    }
    let wish = wish("banner", "players", &ask.reason, json!({ "banner": ask.banner }))?;
    let set = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.set_banner(actor, ask.banner).await
    });
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends everybody away and stops this server. With `ADMIN_DRAIN_TOKEN` as bearer, a program needs no login and no body.
#[utoipa::path(
    post, path = "/v1/drain", tag = "server", request_body = ReasonAsk,
    responses((status = 202, description = "It begins, or has begun", body = Draining))
)]
pub(crate) async fn drain(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<ReasonAsk>,
) -> Result<(StatusCode, Json<Draining>), ApiError> {
    let wish = wish("drain", "server", &ask.reason, Value::Null)?;
    let begun =
        panel.carry_out(&caller, wish, |panel, actor| async move { panel.operations.drain(actor).await });
    begun.await?;
    Ok((StatusCode::ACCEPTED, Json(Draining::begun())))
}

fn wish(action: &'static str, subject: &str, why: &str, details: Value) -> Result<Wish, ApiError> {
    Ok(Wish { action, subject: subject.to_owned(), reason: reason(why)?, details })
}
