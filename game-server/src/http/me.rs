//! `/v1/me…`: who somebody is, and with which devices.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use persistence::accounts::{AccountEventKind, Revoke};
use persistence::{AccountId, DeviceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::auth::refused;
use super::avatar::avatar_url;
use super::caller::{owner, staying_owner};
use super::request::{act_failed, limited, load_failed, parse, read_body, store_failed};
use super::{ApiError, Peer, Public};
use crate::accounts::profile::{PREFERENCES_BYTES_MAX, clean_name};
use crate::accounts::session::Caller;
use crate::admission::AddressKey;

#[derive(Serialize)]
struct Me {
    account_id: String,
    hero_id: String,
    device_id: String,
    mail: Option<String>,
    mail_verified: bool,
    name: Option<String>,
    avatar_url: Option<String>,
    preferences: Map<String, Value>,
    time_zone: String,
    day_start_minutes: u16,
    created_at_ms: i64,
    erase_at_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeChange {
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    preferences: Option<Map<String, Value>>,
    time_zone: Option<String>,
    day_start_minutes: Option<u16>,
}

/// A field that is there, be it null.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    old: String,
    new: String,
}

#[derive(Serialize)]
struct DeviceView {
    device_id: String,
    name: String,
    kind: &'static str,
    created_at_ms: i64,
    last_seen_ms: i64,
    current: bool,
}

#[derive(Serialize)]
struct Devices {
    devices: Vec<DeviceView>,
}

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
        name: profile.name,
        avatar_url: account.avatar.as_deref().map(avatar_url),
        preferences: profile.preferences,
        time_zone: zone.time_zone,
        day_start_minutes: zone.day_start_minutes,
        created_at_ms: account.created_at_ms,
        erase_at_ms: account.erase_at_ms,
    })
}

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
            kind: if device.token_hash.is_some() { "guest" } else { "session" },
            name: device.name,
            created_at_ms: device.created_at_ms,
            last_seen_ms: device.last_seen_ms,
            current: device.device == caller.grant.device,
        };
        Ok(Json(Devices { devices: devices.into_iter().map(view).collect() }).into_response())
    })
    .await
}

pub(super) async fn revoke_device(
    State(public): State<Arc<Public>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(device): Path<String>,
) -> Response {
    limited(&public.limits.me, peer, async {
        let (caller, _) = owner(&public, &headers).await?;
        let unknown = || {
            let hint = "this account has no such device any more; GET /v1/me/devices lists those that it has";
            ApiError::new(StatusCode::NOT_FOUND, "unknown_device", hint)
        };
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
