//! Accounts beside the journal in the same file.

use super::SqliteStore;
use super::connection::failed;
use crate::accounts::{AccountStore, DEVICES_MAX, Device, DeviceId, NewGuest, TokenHash};
use crate::error::StoreError;
use crate::record::{Chain, HeroId};
use crate::rows;
use crate::store::StoreFuture;

impl SqliteStore {
    async fn create_guest_now(&self, guest: NewGuest) -> Result<(), StoreError> {
        let NewGuest { hero, device, token_hash, name, created_at_ms } = guest;
        let genesis = Chain::genesis(hero);
        let head =
            "INSERT INTO hero_head (hero_id, epoch, last_seq, snap_seq, min_reader, chain, node_id, state)
            VALUES (?, 0, 0, 0, 0, ?, NULL, 'free')";
        let row = "INSERT INTO device (device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
        let head = sqlx::query(head).bind(hero.0).bind(&genesis.0[..]);
        let row = sqlx::query(row)
            .bind(device.0)
            .bind(hero.0)
            .bind(&token_hash.0[..])
            .bind(name)
            .bind(created_at_ms);
        let mut writer = self.writer_in_turn().await?;
        writer.begin().await?;
        for query in [head, row] {
            if let Err(error) = query.execute(writer.connection()).await {
                writer.roll_back().await;
                return Err(failed(error));
            }
        }
        writer.commit().await
    }
}

impl AccountStore for SqliteStore {
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()> {
        Box::pin(self.create_guest_now(guest))
    }

    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>> {
        let sql = "SELECT device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms FROM device
            WHERE token_hash = ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(&token_hash.0[..]);
            let row = query.fetch_optional(&self.inner.readers).await.map_err(failed)?;
            row.as_ref().map(rows::device).transpose().map_err(failed)
        })
    }

    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql = "UPDATE device SET last_seen_ms = max(last_seen_ms, ?) WHERE device_id = ?";
        Box::pin(self.execute(sqlx::query(sql).bind(now_ms).bind(device.0)))
    }

    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>> {
        let sql = "SELECT device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms FROM device
            WHERE hero_id = ? ORDER BY created_at_ms, device_id LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(hero.0).bind(DEVICES_MAX);
            let rows = query.fetch_all(&self.inner.readers).await.map_err(failed)?;
            rows.iter().map(rows::device).collect::<Result<_, _>>().map_err(failed)
        })
    }
}
