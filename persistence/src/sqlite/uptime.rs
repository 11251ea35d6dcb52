//! Beats and outages beside the journal in the same file.

use sqlx::Row;

use super::SqliteStore;
use super::connection::failed;
use crate::store::StoreFuture;
use crate::uptime::{OUTAGES_MAX, Outage, UptimeStore};

impl UptimeStore for SqliteStore {
    fn beat(&self, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO uptime (id, last_beat_ms) VALUES (1, ?)
            ON CONFLICT (id) DO UPDATE SET last_beat_ms = excluded.last_beat_ms";
        Box::pin(self.execute(sqlx::query(sql).bind(now_ms)))
    }

    fn last_beat(&self) -> StoreFuture<'_, Option<i64>> {
        Box::pin(async move {
            let query = sqlx::query("SELECT last_beat_ms FROM uptime");
            let row = query.fetch_optional(&self.inner.readers).await.map_err(failed)?;
            row.map(|row| row.try_get(0)).transpose().map_err(failed)
        })
    }

    fn add_outage(&self, outage: Outage) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO outage (from_ms, until_ms) VALUES (?, ?)
            ON CONFLICT (from_ms) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)";
        Box::pin(async move {
            outage.check()?;
            self.execute(sqlx::query(sql).bind(outage.from_ms).bind(outage.until_ms)).await
        })
    }

    fn outages(&self, since_ms: i64) -> StoreFuture<'_, Vec<Outage>> {
        let sql = "SELECT from_ms, until_ms FROM outage WHERE until_ms > ? ORDER BY from_ms DESC LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(since_ms).bind(OUTAGES_MAX);
            let rows = query.fetch_all(&self.inner.readers).await.map_err(failed)?;
            let oldest_first = rows.iter().rev().map(|row| {
                Ok(Outage { from_ms: row.try_get("from_ms")?, until_ms: row.try_get("until_ms")? })
            });
            oldest_first.collect::<Result<_, _>>().map_err(failed)
        })
    }
}
