//! Accounts beside the journal in the same database.

use super::{PostgresStore, connection::failed, in_time};
use crate::accounts::{AccountStore, DEVICES_MAX, Device, DeviceId, NewGuest, TokenHash};
use crate::record::{Chain, HeroId};
use crate::rows;
use crate::store::StoreFuture;

impl AccountStore for PostgresStore {
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()> {
        let sql = "WITH head AS (
                INSERT INTO hero_head (hero_id, epoch, last_seq, snap_seq, min_reader, chain, state)
                VALUES ($1, 0, 0, 0, 0, $2, 'free'))
            INSERT INTO device (device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms)
            VALUES ($3, $1, $4, $5, $6, $6)";
        in_time(async move {
            let NewGuest { hero, device, token_hash, name, created_at_ms } = guest;
            let genesis = Chain::genesis(hero);
            let query = sqlx::query(sql)
                .bind(hero.0)
                .bind(&genesis.0[..])
                .bind(device.0)
                .bind(&token_hash.0[..])
                .bind(name)
                .bind(created_at_ms);
            self.execute(query).await
        })
    }

    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>> {
        let sql = "SELECT device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms
            FROM device WHERE token_hash = $1";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(&token_hash.0[..])).await?;
            rows.first().map(rows::device).transpose().map_err(failed)
        })
    }

    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql = "UPDATE device SET last_seen_ms = greatest(last_seen_ms, $1) WHERE device_id = $2";
        in_time(self.execute(sqlx::query(sql).bind(now_ms).bind(device.0)))
    }

    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>> {
        let sql = "SELECT device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms
            FROM device WHERE hero_id = $1 ORDER BY created_at_ms, device_id LIMIT $2";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(hero.0).bind(i64::from(DEVICES_MAX))).await?;
            rows.iter().map(rows::device).collect::<Result<_, _>>().map_err(failed)
        })
    }
}
