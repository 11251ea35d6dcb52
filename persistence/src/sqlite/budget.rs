//! The month's money beside the journal in the same file.

use sqlx::Row;

use super::SqliteStore;
use super::connection::failed;
use crate::budget::{
    BudgetNotice, BudgetStore, CLAIM_LIFE_MS, Month, SIZES_MAX, ServerTime, check_budget, check_time,
};
use crate::store::StoreFuture;

impl BudgetStore for SqliteStore {
    fn budget_usd(&self) -> StoreFuture<'_, Option<u32>> {
        Box::pin(async move {
            let query = sqlx::query("SELECT budget_usd FROM budget");
            let row = query.fetch_optional(&self.inner.readers).await.map_err(failed)?;
            row.map(|row| row.try_get(0)).transpose().map_err(failed)
        })
    }

    fn set_budget_usd(&self, budget_usd: u32, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql =
            "INSERT INTO budget (id, budget_usd, changed_at_ms) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE
            SET budget_usd = excluded.budget_usd, changed_at_ms = excluded.changed_at_ms";
        Box::pin(async move {
            check_budget(budget_usd)?;
            self.execute(sqlx::query(sql).bind(budget_usd).bind(now_ms)).await
        })
    }

    fn add_server_time<'a>(
        &'a self,
        month: Month,
        size: &'a str,
        seconds: u32,
        now_ms: i64,
    ) -> StoreFuture<'a, ()> {
        let sql = "INSERT INTO server_time (month, size, seconds, since_ms) VALUES (?, ?, ?, ?)
            ON CONFLICT (month, size) DO UPDATE
            SET seconds = seconds + excluded.seconds, since_ms = min(since_ms, excluded.since_ms)";
        Box::pin(async move {
            check_time(size, seconds)?;
            self.execute(sqlx::query(sql).bind(month.0).bind(size).bind(seconds).bind(now_ms)).await
        })
    }

    fn server_time(&self, month: Month) -> StoreFuture<'_, Vec<ServerTime>> {
        let sql = "SELECT size, seconds, since_ms FROM server_time WHERE month = ?
            ORDER BY seconds DESC, size LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(month.0).bind(SIZES_MAX);
            let rows = query.fetch_all(&self.inner.readers).await.map_err(failed)?;
            let times = rows.iter().map(|row| {
                Ok(ServerTime {
                    size: row.try_get("size")?,
                    seconds: u64::try_from(row.try_get::<i64, _>("seconds")?).unwrap_or(0),
                    since_ms: row.try_get("since_ms")?,
                })
            });
            times.collect::<Result<_, _>>().map_err(failed)
        })
    }

    fn claim_notice(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, bool> {
        let sql = "INSERT INTO budget_notice (month, percent, channel, claimed_at_ms) VALUES (?, ?, ?, ?)
            ON CONFLICT (month, percent, channel) DO UPDATE SET claimed_at_ms = excluded.claimed_at_ms
            WHERE told_at_ms IS NULL AND claimed_at_ms <= ?";
        let BudgetNotice { month, percent, channel } = notice;
        Box::pin(async move {
            let query = sqlx::query(sql).bind(month.0).bind(percent).bind(channel).bind(now_ms);
            let query = query.bind(now_ms.saturating_sub(CLAIM_LIFE_MS));
            let mut writer = self.writer_in_turn().await?;
            let done = query.execute(writer.connection()).await.map_err(failed)?;
            writer.keep();
            Ok(done.rows_affected() == 1)
        })
    }

    fn notice_told(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql = "UPDATE budget_notice SET told_at_ms = ? WHERE month = ? AND percent = ? AND channel = ?";
        let BudgetNotice { month, percent, channel } = notice;
        Box::pin(self.execute(sqlx::query(sql).bind(now_ms).bind(month.0).bind(percent).bind(channel)))
    }

    fn told_percents(&self, month: Month) -> StoreFuture<'_, Vec<u32>> {
        let sql = "SELECT DISTINCT percent FROM budget_notice WHERE month = ? AND told_at_ms IS NOT NULL
            ORDER BY percent LIMIT 100";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(month.0);
            let rows = query.fetch_all(&self.inner.readers).await.map_err(failed)?;
            rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)
        })
    }
}
