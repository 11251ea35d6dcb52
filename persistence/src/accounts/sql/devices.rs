//! Devices and their refresh tokens.

use uuid::Uuid;

use super::{End, Statements, Work, each, only};
use crate::accounts::{
    AccountEventKind, DEVICES_MAX, Device, DeviceId, NewSession, Revoke, Revoked, Rotate, Rotation, TokenHash,
};
use crate::error::StoreError;
use crate::record::HeroId;
use crate::rows;

pub(crate) struct DeviceByToken(pub(crate) TokenHash);

impl Work for DeviceByToken {
    type Answer = Option<Device>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT * FROM device WHERE token_hash = $1", &[(&self.0.0).into()]).await?;
        Ok(End::Keep(only(&found, rows::device)?))
    }
}

pub(crate) struct DeviceById(pub(crate) DeviceId);

impl Work for DeviceById {
    type Answer = Option<Device>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT * FROM device WHERE device_id = $1", &[self.0.0.into()]).await?;
        Ok(End::Keep(only(&found, rows::device)?))
    }
}

pub(crate) struct TouchDevice {
    pub(crate) device: DeviceId,
    pub(crate) now_ms: i64,
}

impl Work for TouchDevice {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let sql = "UPDATE device SET last_seen_ms = $1 WHERE device_id = $2 AND last_seen_ms < $1";
        on.rows(sql, &[self.now_ms.into(), self.device.0.into()]).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct Devices(pub(crate) HeroId);

impl Work for Devices {
    type Answer = Vec<Device>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM device WHERE hero_id = $1 AND revoked_at_ms IS NULL
            ORDER BY created_at_ms, device_id LIMIT $2";
        let found = on.rows(sql, &[self.0.0.into(), i64::from(DEVICES_MAX).into()]).await?;
        Ok(End::Keep(each(&found, rows::device)?))
    }
}

pub(crate) struct AddSession(pub(crate) NewSession);

impl Work for AddSession {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let NewSession { device, account, hero, name, refresh, created_at_ms, expires_at_ms } = self.0;
        let row = "INSERT INTO device (device_id, hero_id, account_id, name, created_at_ms, last_seen_ms)
            VALUES ($1, $2, $3, $4, $5, $5)";
        let values =
            [device.0.into(), hero.0.into(), account.0.into(), name.as_str().into(), created_at_ms.into()];
        on.rows(row, &values).await?;
        insert_token(on, refresh, device, created_at_ms, expires_at_ms).await?;
        let over = "UPDATE device SET revoked_at_ms = $1 WHERE hero_id = $2 AND revoked_at_ms IS NULL
            AND device_id <> $3 AND device_id NOT IN (SELECT device_id FROM device
                WHERE hero_id = $2 AND revoked_at_ms IS NULL AND device_id <> $3
                ORDER BY last_seen_ms DESC, device_id LIMIT $4)";
        let others = i64::from(DEVICES_MAX - 1);
        on.rows(over, &[created_at_ms.into(), hero.0.into(), device.0.into(), others.into()]).await?;
        Ok(End::Keep(()))
    }
}

/// A refresh token is exchanged for the next.
pub(crate) struct TakeTurns(pub(crate) Rotate);

impl Work for TakeTurns {
    type Answer = Rotation;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Rotation>, StoreError> {
        let Rotate { presented, next, now_ms, grace_ms, expires_at_ms } = self.0;
        // Of two that come at once, the second one waits here and finds it used.
        let first = "UPDATE refresh_token SET used_at_ms = $2
            WHERE token_hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2 RETURNING device_id";
        let first = on.rows(first, &[(&presented.0).into(), now_ms.into()]).await?;
        let device = match only(&first, rows::device_id)? {
            Some(device) => device,
            None => {
                let known = "SELECT device_id, used_at_ms FROM refresh_token
                    WHERE token_hash = $1 AND used_at_ms IS NOT NULL AND expires_at_ms > $2";
                let known = on.rows(known, &[(&presented.0).into(), now_ms.into()]).await?;
                let used =
                    only(&known, |row| Ok((rows::device_id(row)?, rows::present(row, "used_at_ms")?)))?;
                let Some((device, used_at_ms)) = used else { return Ok(End::Undo(Rotation::Unknown)) };
                if now_ms.saturating_sub(used_at_ms) > grace_ms {
                    return reused(on, device, now_ms).await;
                }
                device
            }
        };
        // Whoever takes the device its right comes before this or waits for it.
        let seen =
            "UPDATE device SET last_seen_ms = CASE WHEN last_seen_ms < $2 THEN $2 ELSE last_seen_ms END
            WHERE device_id = $1 AND revoked_at_ms IS NULL RETURNING *";
        let seen = on.rows(seen, &[device.0.into(), now_ms.into()]).await?;
        let Some(device) = only(&seen, rows::device)? else { return Ok(End::Undo(Rotation::Unknown)) };
        insert_token(on, next, device.device, now_ms, expires_at_ms).await?;
        Ok(End::Keep(Rotation::Rotated(device)))
    }
}

async fn insert_token<S: Statements>(
    on: &mut S,
    token: TokenHash,
    device: DeviceId,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO refresh_token (token_hash, device_id, issued_at_ms, expires_at_ms)
        VALUES ($1, $2, $3, $4)";
    on.rows(sql, &[(&token.0).into(), device.0.into(), now_ms.into(), expires_at_ms.into()]).await?;
    Ok(())
}

async fn reused<S: Statements>(
    on: &mut S,
    device: DeviceId,
    now_ms: i64,
) -> Result<End<Rotation>, StoreError> {
    let sql =
        "UPDATE device SET revoked_at_ms = $2 WHERE device_id = $1 AND revoked_at_ms IS NULL RETURNING *";
    let revoked = on.rows(sql, &[device.0.into(), now_ms.into()]).await?;
    let Some(device) = only(&revoked, rows::device)? else { return Ok(End::Undo(Rotation::Unknown)) };
    let event = "INSERT INTO account_event (event_id, account_id, hero_id, device_id, kind, at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        Uuid::now_v7().into(),
        device.account.map(|account| account.0).into(),
        device.hero.0.into(),
        device.device.0.into(),
        AccountEventKind::RefreshReused.as_str().into(),
        now_ms.into(),
    ];
    on.rows(event, &values).await?;
    Ok(End::Keep(Rotation::Reused(device)))
}

pub(crate) struct RevokeDevices {
    pub(crate) hero: HeroId,
    pub(crate) which: Revoke,
    pub(crate) now_ms: i64,
}

impl Work for RevokeDevices {
    type Answer = Vec<DeviceId>;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let (only_one, all_but) = match self.which {
            Revoke::One(device) => (Some(device.0), None),
            Revoke::All => (None, None),
            Revoke::AllBut(device) => (None, Some(device.0)),
        };
        let sql = "UPDATE device SET revoked_at_ms = $2 WHERE hero_id = $1 AND revoked_at_ms IS NULL
            AND device_id = coalesce($3, device_id) AND ($4 IS NULL OR device_id <> $4) RETURNING device_id";
        let values = [self.hero.0.into(), self.now_ms.into(), only_one.into(), all_but.into()];
        let revoked = on.rows(sql, &values).await?;
        Ok(End::Keep(each(&revoked, rows::device_id)?))
    }
}

pub(crate) struct ReadRevoked {
    pub(crate) since_ms: i64,
    pub(crate) limit: u32,
}

impl Work for ReadRevoked {
    type Answer = Vec<Revoked>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT hero_id, device_id, revoked_at_ms FROM device WHERE revoked_at_ms >= $1
            ORDER BY revoked_at_ms, device_id LIMIT $2";
        let found = on.rows(sql, &[self.since_ms.into(), i64::from(self.limit).into()]).await?;
        Ok(End::Keep(each(&found, rows::revoked)?))
    }
}
