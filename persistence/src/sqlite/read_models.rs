//! Read models beside the journal in the same file.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Sqlite};

use super::SqliteStore;
use super::append::chunks;
use super::connection::failed;
use crate::error::StoreError;
use crate::read_model::{
    AssemblyRow, Behind, FocusSessionRow, HeroRows, LedgerRow, LedgerSum, ReadModelStore, ReadRows, TaskRow,
    Totals, check_parts,
};
use crate::read_rows;
use crate::record::{HeroId, PAGE_ROWS_MAX, Seq, int};
use crate::store::StoreFuture;

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

impl SqliteStore {
    /// In the turn of everybody who is not the journal writer: a flush waits for one such call at most.
    async fn write_rows_now(&self, parts: &[HeroRows]) -> Result<Vec<bool>, StoreError> {
        check_parts(parts)?;
        let mut writer = self.writer_in_turn().await?;
        writer.begin().await?;
        match write(writer.connection(), parts).await {
            Ok(written) => writer.commit().await.map(|()| written),
            Err(error) => {
                writer.roll_back().await;
                Err(failed(error))
            }
        }
    }

    /// All at once, however much it is: no server runs beside whoever asks for it.
    async fn reset_now(&self, hero: HeroId) -> Result<(), StoreError> {
        let mut writer = self.writer_in_turn().await?;
        writer.begin().await?;
        for sql in read_rows::RESET {
            if let Err(error) = sqlx::query(sql).bind(hero.0).execute(writer.connection()).await {
                writer.roll_back().await;
                return Err(failed(error));
            }
        }
        writer.commit().await
    }

    async fn read(&self, query: Query<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        query.fetch_all(&self.inner.readers).await.map_err(failed)
    }

    fn read_page<T: Send + 'static>(
        &self,
        sql: &'static str,
        (hero, before, limit): (HeroId, Option<u64>, u32),
        row: fn(&SqliteRow) -> Result<T, StoreError>,
    ) -> StoreFuture<'_, Vec<T>> {
        let (before, limit) = (read_rows::before(before), read_rows::limit(limit));
        Box::pin(async move {
            let rows = self.read(sqlx::query(sql).bind(hero.0).bind(before).bind(limit)).await?;
            rows.iter().map(row).collect()
        })
    }
}

impl ReadModelStore for SqliteStore {
    fn read_seq(&self, hero: HeroId) -> StoreFuture<'_, Seq> {
        Box::pin(async move {
            let rows = self.read(sqlx::query(read_rows::READ_SEQ).bind(hero.0)).await?;
            rows.first().map_or(Ok(Seq(0)), read_rows::read_seq).map_err(failed)
        })
    }

    fn behind(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<Behind>> {
        Box::pin(async move {
            let query = sqlx::query(read_rows::BEHIND).bind(read_rows::after(after));
            let rows = self.read(query.bind(limit.min(PAGE_ROWS_MAX))).await?;
            rows.iter().map(read_rows::behind).collect()
        })
    }

    fn write_rows<'a>(&'a self, parts: &'a [HeroRows]) -> StoreFuture<'a, Vec<bool>> {
        Box::pin(self.write_rows_now(parts))
    }

    fn reset(&self, hero: HeroId) -> StoreFuture<'_, ()> {
        Box::pin(self.reset_now(hero))
    }

    fn ledger_sum(&self, hero: HeroId) -> StoreFuture<'_, LedgerSum> {
        Box::pin(async move {
            let rows = self.read(sqlx::query(read_rows::LEDGER_SUM).bind(hero.0)).await?;
            rows.first().map_or(Ok(LedgerSum::default()), read_rows::ledger_sum).map_err(failed)
        })
    }

    fn ledger(&self, hero: HeroId, before: Option<Seq>, limit: u32) -> StoreFuture<'_, Vec<LedgerRow>> {
        self.read_page(read_rows::LEDGER, (hero, before.map(|seq| seq.0), limit), read_rows::ledger)
    }

    fn sessions(
        &self,
        hero: HeroId,
        before: Option<u32>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<FocusSessionRow>> {
        self.read_page(read_rows::SESSIONS, (hero, before.map(u64::from), limit), read_rows::session)
    }

    fn tasks(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<TaskRow>> {
        self.read_page(read_rows::TASKS, (hero, before.map(u64::from), limit), read_rows::task)
    }

    fn assemblies(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<AssemblyRow>> {
        self.read_page(read_rows::ASSEMBLIES, (hero, before.map(u64::from), limit), read_rows::assembly)
    }

    fn totals(&self, since_ms: i64) -> StoreFuture<'_, Totals> {
        Box::pin(async move {
            let rows = self.read(sqlx::query(read_rows::TOTALS).bind(since_ms)).await?;
            rows.first().map_or(Ok(Totals::default()), read_rows::totals).map_err(failed)
        })
    }
}

/// Inside the caller's transaction.
async fn write(connection: &mut SqliteConnection, parts: &[HeroRows]) -> Result<Vec<bool>, sqlx::Error> {
    // A hero without a position is at 0.
    let sql = "INSERT INTO read_position (hero_id, seq)
        SELECT ?1, ?3 WHERE ?2 = 0 OR EXISTS (SELECT 1 FROM read_position WHERE hero_id = ?1)
        ON CONFLICT (hero_id) DO UPDATE SET seq = excluded.seq WHERE seq = ?2";
    let mut written = Vec::with_capacity(parts.len());
    for part in parts {
        let query = sqlx::query(sql).bind(part.hero.0).bind(int(part.from.0)).bind(int(part.to.0));
        written.push(query.execute(&mut *connection).await?.rows_affected() == 1);
    }
    let taken = || parts.iter().zip(&written).filter(|(_, is_written)| **is_written).map(|(part, _)| part);
    insert_ledger(connection, &rows(taken(), |rows| &rows.ledger)).await?;
    upsert_sessions(connection, &rows(taken(), |rows| &rows.sessions)).await?;
    upsert_tasks(connection, &rows(taken(), |rows| &rows.tasks)).await?;
    upsert_assemblies(connection, &rows(taken(), |rows| &rows.assemblies)).await?;
    Ok(written)
}

fn rows<'a, R>(
    parts: impl Iterator<Item = &'a HeroRows>,
    of: impl Fn(&'a ReadRows) -> &'a Vec<R>,
) -> Vec<(HeroId, &'a R)> {
    parts.flat_map(|part| of(&part.rows).iter().map(|row| (part.hero, row))).collect()
}

async fn insert_ledger(
    connection: &mut SqliteConnection,
    rows: &[(HeroId, &LedgerRow)],
) -> Result<(), sqlx::Error> {
    for chunk in chunks(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO energy_ledger (hero_id, seq, at_ms, kind, cause, subject, energy_me, earned_me, dopamine_md) ",
        );
        query.push_values(chunk, |mut values, (hero, row)| {
            values
                .push_bind(hero.0)
                .push_bind(int(row.seq.0))
                .push_bind(row.at_ms)
                .push_bind(row.kind.as_str())
                .push_bind(row.cause.as_deref())
                .push_bind(row.subject.as_deref())
                .push_bind(row.energy_me)
                .push_bind(row.earned_me)
                .push_bind(row.dopamine_md);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn upsert_sessions(
    connection: &mut SqliteConnection,
    rows: &[(HeroId, &FocusSessionRow)],
) -> Result<(), sqlx::Error> {
    for chunk in chunks(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO focus_sessions (hero_id, session_id, state, end_kind, mode, planned_minutes, category, task_id,
                started_at_ms, ended_at_ms, interruptions, focus_ms, energy_me, dopamine_md) ",
        );
        query.push_values(chunk, |mut values, (hero, row)| {
            values
                .push_bind(hero.0)
                .push_bind(row.session_id)
                .push_bind(row.state.word())
                .push_bind(row.end_kind.as_deref())
                .push_bind(row.mode.as_str())
                .push_bind(row.planned_minutes)
                .push_bind(row.category.as_str())
                .push_bind(row.task_id)
                .push_bind(row.started_at_ms)
                .push_bind(row.ended_at_ms)
                .push_bind(row.interruptions)
                .push_bind(row.focus_ms)
                .push_bind(row.energy_me)
                .push_bind(row.dopamine_md);
        });
        query.push(
            " ON CONFLICT (hero_id, session_id) DO UPDATE SET state = excluded.state,
                end_kind = coalesce(excluded.end_kind, end_kind), mode = excluded.mode,
                planned_minutes = excluded.planned_minutes, category = excluded.category, task_id = excluded.task_id,
                started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms,
                interruptions = excluded.interruptions, focus_ms = excluded.focus_ms, energy_me = excluded.energy_me,
                dopamine_md = excluded.dopamine_md",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn upsert_tasks(
    connection: &mut SqliteConnection,
    rows: &[(HeroId, &TaskRow)],
) -> Result<(), sqlx::Error> {
    for chunk in chunks(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO tasks (hero_id, task_id, parent_id, category, priority, estimate_minutes, due_day,
                repeats, created_at_ms, done_at_ms, removed_at_ms, focus_ms) ",
        );
        query.push_values(chunk, |mut values, (hero, row)| {
            values
                .push_bind(hero.0)
                .push_bind(row.task_id)
                .push_bind(row.parent_id)
                .push_bind(row.category.as_str())
                .push_bind(row.priority.as_str())
                .push_bind(row.estimate_minutes)
                .push_bind(row.due_day)
                .push_bind(row.repeats)
                .push_bind(row.created_at_ms)
                .push_bind(row.done_at_ms)
                .push_bind(row.removed_at_ms)
                .push_bind(row.focus_ms);
        });
        query.push(
            " ON CONFLICT (hero_id, task_id) DO UPDATE SET parent_id = excluded.parent_id, category = excluded.category, priority = excluded.priority,
                estimate_minutes = excluded.estimate_minutes, due_day = excluded.due_day, repeats = excluded.repeats,
                created_at_ms = excluded.created_at_ms, done_at_ms = excluded.done_at_ms,
                removed_at_ms = excluded.removed_at_ms, focus_ms = excluded.focus_ms",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn upsert_assemblies(
    connection: &mut SqliteConnection,
    rows: &[(HeroId, &AssemblyRow)],
) -> Result<(), sqlx::Error> {
    for chunk in chunks(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO module_assemblies (hero_id, job_id, module_id, state, counts, paid_me, refund_me, finish_md,
                work_ms, started_at_ms, ended_at_ms) ",
        );
        query.push_values(chunk, |mut values, (hero, row)| {
            values
                .push_bind(hero.0)
                .push_bind(row.job_id)
                .push_bind(row.module_id.as_str())
                .push_bind(row.state.word())
                .push_bind(row.counts)
                .push_bind(row.paid_me)
                .push_bind(row.refund_me)
                .push_bind(row.finish_md)
                .push_bind(row.work_ms)
                .push_bind(row.started_at_ms)
                .push_bind(row.ended_at_ms);
        });
        query.push(
            " ON CONFLICT (hero_id, job_id) DO UPDATE SET module_id = excluded.module_id, state = excluded.state,
                counts = excluded.counts, paid_me = excluded.paid_me, refund_me = excluded.refund_me,
                finish_md = excluded.finish_md, work_ms = excluded.work_ms,
                started_at_ms = coalesce(excluded.started_at_ms, started_at_ms), ended_at_ms = excluded.ended_at_ms",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
