//! The month's money beside the journal in the same database: all nodes add to it, and one of them tells.

use sqlx::Row;

use super::connection::failed;
use super::{PostgresStore, in_time};
use crate::budget::{
    BudgetNotice, BudgetStore, CLAIM_LIFE_MS, Month, SIZES_MAX, ServerTime, check_budget, check_time,
};
use crate::store::StoreFuture;

impl BudgetStore for PostgresStore {
    fn budget_usd(&self) -> StoreFuture<'_, Option<u32>> {
        in_time(async move {
            let rows = self.read(sqlx::query("SELECT budget_usd FROM budget")).await?;
            let budget: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose().map_err(failed)?;
            Ok(budget.map(|usd| u32::try_from(usd).unwrap_or(u32::MAX)))
        })
    }

    fn set_budget_usd(&self, budget_usd: u32, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql =
            "INSERT INTO budget (id, budget_usd, changed_at_ms) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE
            SET budget_usd = excluded.budget_usd, changed_at_ms = excluded.changed_at_ms";
        in_time(async move {
            check_budget(budget_usd)?;
            self.execute(sqlx::query(sql).bind(i64::from(budget_usd)).bind(now_ms)).await
        })
    }

    fn add_server_time<'a>(
        &'a self,
        month: Month,
        size: &'a str,
        seconds: u32,
        now_ms: i64,
    ) -> StoreFuture<'a, ()> {
        let sql = "INSERT INTO server_time (month, size, seconds, since_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (month, size) DO UPDATE SET seconds = server_time.seconds + excluded.seconds,
            since_ms = least(server_time.since_ms, excluded.since_ms)";
        in_time(async move {
            check_time(size, seconds)?;
            let query = sqlx::query(sql).bind(number(month.0)).bind(size);
            self.execute(query.bind(i64::from(seconds)).bind(now_ms)).await
        })
    }

    fn server_time(&self, month: Month) -> StoreFuture<'_, Vec<ServerTime>> {
        let sql = "SELECT size, seconds, since_ms FROM server_time WHERE month = $1
            ORDER BY seconds DESC, size LIMIT $2";
        in_time(async move {
            let query = sqlx::query(sql).bind(number(month.0)).bind(i64::from(SIZES_MAX));
            let rows = self.read(query).await?;
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
        let sql = "INSERT INTO budget_notice AS old (month, percent, channel, claimed_at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (month, percent, channel) DO UPDATE SET claimed_at_ms = excluded.claimed_at_ms
            WHERE old.told_at_ms IS NULL AND old.claimed_at_ms <= $5 RETURNING 1";
        let BudgetNotice { month, percent, channel } = notice;
        in_time(async move {
            let query = sqlx::query(sql).bind(number(month.0)).bind(number(percent)).bind(channel);
            let rows = self.read(query.bind(now_ms).bind(now_ms.saturating_sub(CLAIM_LIFE_MS))).await?;
            Ok(rows.len() == 1)
        })
    }

    fn notice_told(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, ()> {
        let sql =
            "UPDATE budget_notice SET told_at_ms = $1 WHERE month = $2 AND percent = $3 AND channel = $4";
        let BudgetNotice { month, percent, channel } = notice;
        let query = sqlx::query(sql).bind(now_ms).bind(number(month.0)).bind(number(percent)).bind(channel);
        in_time(self.execute(query))
    }

    fn told_percents(&self, month: Month) -> StoreFuture<'_, Vec<u32>> {
        let sql = "SELECT DISTINCT percent FROM budget_notice WHERE month = $1 AND told_at_ms IS NOT NULL
            ORDER BY percent LIMIT 100";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(number(month.0))).await?;
            let percents = rows.iter().map(|row| {
                let percent: i32 = row.try_get(0)?;
                Ok(u32::try_from(percent).unwrap_or(0))
            });
            percents.collect::<Result<_, _>>().map_err(failed)
        })
    }
}

/// As the columns have it.
fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
