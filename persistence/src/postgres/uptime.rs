//! Beats and outages beside the journal in the same database. All nodes share them: the service is there when one is.

use sqlx::Row;

use super::{PostgresStore, connection::failed, in_time};
use crate::store::StoreFuture;
use crate::uptime::{OUTAGES_MAX, Outage, UptimeStore};

impl UptimeStore for PostgresStore {
    fn beat(&self, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO uptime (id, last_beat_ms) VALUES (1, $1)
            ON CONFLICT (id) DO UPDATE SET last_beat_ms = excluded.last_beat_ms";
        in_time(self.execute(sqlx::query(sql).bind(now_ms)))
    }

    fn last_beat(&self) -> StoreFuture<'_, Option<i64>> {
        in_time(async move {
            let rows = self.read(sqlx::query("SELECT last_beat_ms FROM uptime")).await?;
            rows.first().map(|row| row.try_get(0)).transpose().map_err(failed)
        })
    }

    fn add_outage(&self, outage: Outage) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO outage (from_ms, until_ms) VALUES ($1, $2)
            ON CONFLICT (from_ms) DO UPDATE SET until_ms = greatest(outage.until_ms, excluded.until_ms)";
        in_time(async move {
            outage.check()?;
            self.execute(sqlx::query(sql).bind(outage.from_ms).bind(outage.until_ms)).await
        })
    }

    fn outages(&self, since_ms: i64) -> StoreFuture<'_, Vec<Outage>> {
        let sql = "SELECT from_ms, until_ms FROM outage WHERE until_ms > $1 ORDER BY from_ms DESC LIMIT $2";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(since_ms).bind(i64::from(OUTAGES_MAX))).await?;
            let oldest_first = rows.iter().rev().map(|row| {
                Ok(Outage { from_ms: row.try_get("from_ms")?, until_ms: row.try_get("until_ms")? })
            });
            oldest_first.collect::<Result<_, _>>().map_err(failed)
        })
    }
}
