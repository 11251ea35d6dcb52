//! `/v1/me…`: who somebody is, and with which devices.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use persistence::accounts::{AccountEventKind, Revoke};
use persistence::{AccountId, DeviceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::refused;
use super::avatar::avatar_url;
use super::caller::{owner, staying_owner};
use super::request::{act_failed, limited, load_failed, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::profile::{PREFERENCES_BYTES_MAX, clean_name};
use crate::accounts::session::Caller;
use crate::admission::AddressKey;

/// An account.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The account.
    #[schema(format = "uuid")]
    account_id: String,
    /// Its hero.
    #[schema(format = "uuid")]
    hero_id: String,
    /// The device that asks.
    #[schema(format = "uuid")]
    device_id: String,
    /// The address.
    #[schema(required)]
    mail: Option<String>,
    /// Whether the address was shown to be the player's.
    mail_verified: bool,
    /// Whether a password is asked for; an account of another identity provider may have none.
    has_password: bool,
    /// What others may call the player.
    #[schema(required, max_length = 40)]
    name: Option<String>,
    /// Where the player's picture is.
    #[schema(required)]
    avatar_url: Option<String>,
    /// What clients keep here.
    #[schema(value_type = Object)]
    preferences: Map<String, Value>,
    /// A name of the IANA database.
    time_zone: String,
    /// When the hero's day begins, after midnight.
    day_start_minutes: u16,
    /// When it was made, server UTC.
    created_at_ms: i64,
    /// When it is erased for good; nothing unless it was deleted.
    #[schema(required)]
    erase_at_ms: Option<i64>,
}

/// What is to be another way. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeChange {
    /// What others may call the player, cut after 40 characters; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// What the client keeps here, at most 4 KiB of JSON.
    #[schema(value_type = Option<Object>)]
    preferences: Option<Map<String, Value>>,
    /// A name of the IANA database.
    #[schema(max_length = 64)]
    time_zone: Option<String>,
    /// When the hero's day begins, after midnight.
    #[schema(maximum = 360)]
    day_start_minutes: Option<u16>,
}

/// A field that is there, be it null.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one that holds.
    #[schema(max_length = 128)]
    old: String,
    /// The next one.
    #[schema(min_length = 8, max_length = 128)]
    new: String,
}

/// How a device shows who it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeviceKind {
    /// By a guest's token.
    Guest,
    /// By a login.
    Session,
}

/// A device that may act.
#[derive(Serialize, ToSchema)]
struct DeviceView {
    /// The device.
    #[schema(format = "uuid")]
    device_id: String,
    /// What the player calls it.
    name: String,
    /// How it shows who it is.
    kind: DeviceKind,
    /// When it came, server UTC.
    created_at_ms: i64,
    /// When it was last heard of, to the hour.
    last_seen_ms: i64,
    /// Whether it is the one that asks.
    current: bool,
}

/// The devices that may act.
#[derive(Serialize, ToSchema)]
struct Devices {
    /// In no order.
    devices: Vec<DeviceView>,
}

/// Shows the account.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "show_me", tag = "me", security(("account" = [])),
    responses(
        (status = 200, description = "The account", body = Me),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn show(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (caller, account) = owner(&public, &headers).await?;
        Ok(Json(view(&public, &caller, account).await?).into_response())
    })
    .await
}

async fn view(public: &Public, caller: &Caller, id: AccountId) -> Result<Me, ApiError> {
    let (account, profile) = public.accounts.account(id).await.map_err(refused)?;
    let zone = public.settings.zone(account.hero).await.map_err(load_failed)?;
    Ok(Me {
        account_id: id.0.to_string(),
        hero_id: account.hero.to_string(),
        device_id: caller.grant.device.0.to_string(),
        mail: profile.mail,
        mail_verified: account.mail_verified_at_ms.is_some(),
        has_password: account.password.is_some(),
        name: profile.name,
        avatar_url: account.avatar.as_deref().map(avatar_url),
        preferences: profile.preferences,
        time_zone: zone.time_zone,
        day_start_minutes: zone.day_start_minutes,
        created_at_ms: account.created_at_ms,
        erase_at_ms: account.erase_at_ms,
    })
}

/// Changes the account, all of what is named or nothing.
#[utoipa::path(
    patch, path = "/v1/me", operation_id = "change_me", tag = "me", security(("account" = [])),
    request_body = MeChange,
    responses(
        (status = 200, description = "The account as it is now", body = Me),
        (status = 400, description = "`malformed`; `unknown_time_zone`; `out_of_range`: the day begins too late"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`; `erasing`: restore it first"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`, `busy`, `quarantined`"),
    )
)]
pub(super) async fn change(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (caller, account) = staying_owner(&public, &headers).await?;
        let hint = "JSON with name (a text or null), preferences (a map), time_zone (a text), day_start_minutes (a \
                    number), all optional";
        let change: MeChange = parse(&read_body(body).await?, hint)?;
        let (_, mut profile) = public.accounts.account(account).await.map_err(refused)?;
        if let Some(name) = change.name {
            profile.name = name.as_deref().and_then(clean_name);
        }
        if let Some(preferences) = change.preferences {
            let bytes = serde_json::to_vec(&preferences).map_or(usize::MAX, |text| text.len());
            if bytes > PREFERENCES_BYTES_MAX {
                let hint = "preferences are at most 4 KiB of JSON";
                return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", hint));
            }
            profile.preferences = preferences;
        }
        // First what the rules may refuse, so that a refused request has changed nothing.
        if change.time_zone.is_some() || change.day_start_minutes.is_some() {
            let hero = caller.grant.hero;
            let zone = public.settings.zone(hero).await.map_err(load_failed)?;
            let time_zone = change.time_zone.unwrap_or(zone.time_zone);
            let minutes = change.day_start_minutes.unwrap_or(zone.day_start_minutes);
            public.settings.set_zone(hero, time_zone, minutes).await.map_err(act_failed)?;
        }
        public.accounts.set_profile(account, &profile).await.map_err(refused)?;
        Ok(Json(view(&public, &caller, account).await?).into_response())
    })
    .await
}

/// Sets another password, and logs all other devices out.
#[utoipa::path(
    post, path = "/v1/me/password", tag = "me", security(("account" = [])),
    request_body = PasswordChange,
    responses(
        (status = 204, description = "It is set"),
        (status = 400, description = "`malformed`, `weak_password`"),
        (status = 401, description = "`unauthenticated`; `wrong_login`: not the old password"),
        (status = 403, description = "`guest`"),
        (status = 413, description = "`too_large`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`busy`, `read_only`"),
    )
)]
pub(super) async fn change_password(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    limited(&public.limits.auth, peer, async {
        let (caller, account) = owner(&public, &headers).await?;
        let hint = "JSON like {\"old\": \"…\", \"new\": \"…\"}";
        let PasswordChange { old, new } = parse(&read_body(body).await?, hint)?;
        let address = AddressKey::from(peer.0.ip());
        let changed = public.accounts.change_password(account, caller.grant.device, &old, &new, address);
        changed.await.map_err(refused)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Lists the devices that may act for the account.
#[utoipa::path(
    get, path = "/v1/me/devices", tag = "me", security(("account" = [])),
    responses(
        (status = 200, description = "The devices", body = Devices),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn devices(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (caller, _) = owner(&public, &headers).await?;
        let devices = public.accounts.devices(caller.grant.hero).await.map_err(store_failed)?;
        let view = |device: persistence::Device| DeviceView {
            device_id: device.device.0.to_string(),
            kind: if device.token_hash.is_some() { DeviceKind::Guest } else { DeviceKind::Session },
            name: device.name,
            created_at_ms: device.created_at_ms,
            last_seen_ms: device.last_seen_ms,
            current: device.device == caller.grant.device,
        };
        Ok(Json(Devices { devices: devices.into_iter().map(view).collect() }).into_response())
    })
    .await
}

/// Takes a device its right; its sockets close within 5 s.
#[utoipa::path(
    delete, path = "/v1/me/devices/{device_id}", tag = "me", security(("account" = [])),
    params(("device_id" = String, Path, format = "uuid", description = "As `GET /v1/me/devices` names it")),
    responses(
        (status = 204, description = "It is out"),
        (status = 401, description = "`unauthenticated`"),
        (status = 403, description = "`guest`"),
        (status = 404, description = "`unknown_device`"),
        (status = 429, description = "`rate`"),
        (status = 503, description = "`read_only`"),
    )
)]
pub(super) async fn revoke_device(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    device: Result<Path<String>, PathRejection>,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (caller, _) = owner(&public, &headers).await?;
        let unknown = || {
            let hint = "this account has no such device any more; GET /v1/me/devices lists those that it has";
            ApiError::new(StatusCode::NOT_FOUND, "unknown_device", hint)
        };
        let Path(device) = device.map_err(|_no_text| unknown())?;
        let device = DeviceId(Uuid::parse_str(&device).map_err(|_| unknown())?);
        let which = Revoke::One(device);
        let revoked = public.accounts.revoke(caller.grant.hero, which, AccountEventKind::DeviceRevoked).await;
        match revoked.map_err(refused)? {
            0 => Err(unknown()),
            _ => Ok(StatusCode::NO_CONTENT.into_response()),
        }
    })
    .await
}
