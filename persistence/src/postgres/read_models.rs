//! Read models beside the journal in the same database. They never use the journal's connection.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};

use super::connection::failed;
use super::{PostgresStore, in_time};
use crate::error::StoreError;
use crate::read_model::{
    AssemblyRow, Behind, FocusSessionRow, HeroRows, LedgerRow, LedgerSum, ReadModelStore, ReadRows, TaskRow,
    Totals, check_parts,
};
use crate::read_rows;
use crate::record::{HeroId, PAGE_ROWS_MAX, Seq, int};
use crate::rows;
use crate::store::StoreFuture;

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// One statement writes all of it. A position that is another takes its hero's rows out; one that another transaction
/// moves is waited for. Parameters 1 to 3 are the positions, then each table's columns follow.
const WRITE: &str = "WITH part AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS part (hero, base, last)),
    moved AS (
        UPDATE read_position AS position SET seq = part.last FROM part
        WHERE position.hero_id = part.hero AND position.seq = part.base RETURNING position.hero_id),
    made AS (
        INSERT INTO read_position (hero_id, seq) SELECT hero, last FROM part WHERE base = 0
        ON CONFLICT (hero_id) DO NOTHING RETURNING hero_id),
    taken AS (SELECT hero_id FROM moved UNION ALL SELECT hero_id FROM made),
    ledger AS (
        INSERT INTO energy_ledger (hero_id, seq, at_ms, energy_me, earned_me, dopamine_md, kind, cause, subject)
        SELECT new.* FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::text[], $11::text[], $12::text[]) AS new (hero_id, seq, at_ms, energy_me, earned_me, dopamine_md, kind,
            cause, subject)
        WHERE new.hero_id IN (SELECT hero_id FROM taken)),
    sessions AS (
        INSERT INTO focus_sessions AS kept (hero_id, session_id, planned_minutes, task_id, started_at_ms, ended_at_ms,
            interruptions, focus_ms, energy_me, dopamine_md, state, end_kind, mode, category)
        SELECT new.* FROM unnest($13::uuid[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
            $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::text[],
            $25::text[], $26::text[]) AS new (hero_id, session_id, planned_minutes, task_id, started_at_ms,
            ended_at_ms, interruptions, focus_ms, energy_me, dopamine_md, state, end_kind, mode, category)
        WHERE new.hero_id IN (SELECT hero_id FROM taken)
        ON CONFLICT (hero_id, session_id) DO UPDATE SET planned_minutes = excluded.planned_minutes,
            task_id = excluded.task_id, started_at_ms = excluded.started_at_ms, ended_at_ms = excluded.ended_at_ms,
            interruptions = excluded.interruptions, focus_ms = excluded.focus_ms, energy_me = excluded.energy_me,
            dopamine_md = excluded.dopamine_md, state = excluded.state,
            end_kind = coalesce(excluded.end_kind, kept.end_kind), mode = excluded.mode,
            category = excluded.category),
    tasks_written AS (
        INSERT INTO tasks (hero_id, task_id, parent_id, estimate_minutes, due_day, repeats, created_at_ms, done_at_ms,
            removed_at_ms, focus_ms, category, priority)
        SELECT new.* FROM unnest($27::uuid[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[],
            $32::bigint[], $33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[], $37::text[], $38::text[])
            AS new (hero_id, task_id, parent_id, estimate_minutes, due_day, repeats, created_at_ms,
            done_at_ms, removed_at_ms, focus_ms, category, priority)
        WHERE new.hero_id IN (SELECT hero_id FROM taken)
        ON CONFLICT (hero_id, task_id) DO UPDATE SET parent_id = excluded.parent_id,
            estimate_minutes = excluded.estimate_minutes, due_day = excluded.due_day, repeats = excluded.repeats,
            created_at_ms = excluded.created_at_ms, done_at_ms = excluded.done_at_ms,
            removed_at_ms = excluded.removed_at_ms, focus_ms = excluded.focus_ms,
            category = excluded.category, priority = excluded.priority),
    assemblies AS (
        INSERT INTO module_assemblies AS kept (hero_id, job_id, counts, paid_me, refund_me, finish_md, work_ms,
            started_at_ms, ended_at_ms, module_id, state)
        SELECT new.* FROM unnest($39::uuid[], $40::bigint[], $41::bigint[], $42::bigint[], $43::bigint[],
            $44::bigint[], $45::bigint[], $46::bigint[], $47::bigint[], $48::text[], $49::text[]) AS new (hero_id,
            job_id, counts, paid_me, refund_me, finish_md, work_ms, started_at_ms, ended_at_ms, module_id, state)
        WHERE new.hero_id IN (SELECT hero_id FROM taken)
        ON CONFLICT (hero_id, job_id) DO UPDATE SET counts = excluded.counts, paid_me = excluded.paid_me,
            refund_me = excluded.refund_me, finish_md = excluded.finish_md, work_ms = excluded.work_ms,
            started_at_ms = coalesce(excluded.started_at_ms, kept.started_at_ms), ended_at_ms = excluded.ended_at_ms,
            module_id = excluded.module_id, state = excluded.state)
    SELECT hero_id FROM taken";

impl PostgresStore {
    async fn write_rows_now(&self, parts: &[HeroRows]) -> Result<Vec<bool>, StoreError> {
        check_parts(parts)?;
        let query = sqlx::query(WRITE)
            .bind(parts.iter().map(|part| part.hero.0).collect::<Vec<_>>())
            .bind(parts.iter().map(|part| int(part.from.0)).collect::<Vec<_>>())
            .bind(parts.iter().map(|part| int(part.to.0)).collect::<Vec<_>>());
        let query = bind_ledger(query, parts);
        let query = bind_sessions(query, parts);
        let query = bind_tasks(query, parts);
        let query = bind_assemblies(query, parts);
        let taken = self.read(query).await?;
        let taken: Vec<HeroId> = taken.iter().map(rows::hero).collect::<Result<_, _>>()?;
        Ok(parts.iter().map(|part| taken.contains(&part.hero)).collect())
    }

    /// A transaction: dropped midway, its connection is closed and Postgres rolls it back.
    async fn reset_now(&self, hero: HeroId) -> Result<(), StoreError> {
        let mut held = self.inner.others.take().await?;
        let begun = sqlx::query("BEGIN").execute(held.connection()).await;
        held.checked(begun)?;
        for sql in read_rows::RESET {
            let done = sqlx::query(sql).bind(hero.0).execute(held.connection()).await;
            held.checked(done)?;
        }
        let committed = sqlx::query("COMMIT").execute(held.connection()).await;
        held.checked(committed)?;
        held.keep();
        Ok(())
    }

    fn read_page<T: Send + 'static>(
        &self,
        sql: &'static str,
        (hero, before, limit): (HeroId, Option<u64>, u32),
        row: fn(&PgRow) -> Result<T, StoreError>,
    ) -> StoreFuture<'_, Vec<T>> {
        let (before, limit) = (read_rows::before(before), read_rows::limit(limit));
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(hero.0).bind(before).bind(limit)).await?;
            rows.iter().map(row).collect()
        })
    }
}

impl ReadModelStore for PostgresStore {
    fn read_seq(&self, hero: HeroId) -> StoreFuture<'_, Seq> {
        in_time(async move {
            let rows = self.read(sqlx::query(read_rows::READ_SEQ).bind(hero.0)).await?;
            rows.first().map_or(Ok(Seq(0)), read_rows::read_seq).map_err(failed)
        })
    }

    fn behind(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<Behind>> {
        in_time(async move {
            let limit = i64::from(limit.min(PAGE_ROWS_MAX));
            let query = sqlx::query(read_rows::BEHIND).bind(read_rows::after(after)).bind(limit);
            self.read(query).await?.iter().map(read_rows::behind).collect()
        })
    }

    fn write_rows<'a>(&'a self, parts: &'a [HeroRows]) -> StoreFuture<'a, Vec<bool>> {
        in_time(self.write_rows_now(parts))
    }

    fn reset(&self, hero: HeroId) -> StoreFuture<'_, ()> {
        in_time(self.reset_now(hero))
    }

    fn ledger_sum(&self, hero: HeroId) -> StoreFuture<'_, LedgerSum> {
        in_time(async move {
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
        in_time(async move {
            let rows = self.read(sqlx::query(read_rows::TOTALS).bind(since_ms)).await?;
            rows.first().map_or(Ok(Totals::default()), read_rows::totals).map_err(failed)
        })
    }
}

/// One column of one table, over all heroes.
fn column<'a, R: 'a, T>(
    parts: &'a [HeroRows],
    rows: impl Fn(&'a ReadRows) -> &'a Vec<R>,
    of: impl Fn(&'a R) -> T,
) -> Vec<T> {
    parts.iter().flat_map(|part| rows(&part.rows)).map(of).collect()
}

/// Whose each row of one table is.
fn heroes<R>(parts: &[HeroRows], rows: impl Fn(&ReadRows) -> &Vec<R>) -> Vec<uuid::Uuid> {
    parts.iter().flat_map(|part| rows(&part.rows).iter().map(|_| part.hero.0)).collect()
}

fn bind_ledger<'q>(query: Query<'q>, parts: &'q [HeroRows]) -> Query<'q> {
    let rows = |rows: &'q ReadRows| &rows.ledger;
    query
        .bind(heroes(parts, |rows| &rows.ledger))
        .bind(column(parts, rows, |row| int(row.seq.0)))
        .bind(column(parts, rows, |row| row.at_ms))
        .bind(column(parts, rows, |row| row.energy_me))
        .bind(column(parts, rows, |row| row.earned_me))
        .bind(column(parts, rows, |row| row.dopamine_md))
        .bind(column(parts, rows, |row| row.kind.as_str()))
        .bind(column(parts, rows, |row| row.cause.as_deref()))
        .bind(column(parts, rows, |row| row.subject.as_deref()))
}

fn bind_sessions<'q>(query: Query<'q>, parts: &'q [HeroRows]) -> Query<'q> {
    let rows = |rows: &'q ReadRows| &rows.sessions;
    query
        .bind(heroes(parts, |rows| &rows.sessions))
        .bind(column(parts, rows, |row| i64::from(row.session_id)))
        .bind(column(parts, rows, |row| row.planned_minutes.map(i64::from)))
        .bind(column(parts, rows, |row| row.task_id.map(i64::from)))
        .bind(column(parts, rows, |row| row.started_at_ms))
        .bind(column(parts, rows, |row| row.ended_at_ms))
        .bind(column(parts, rows, |row| i64::from(row.interruptions)))
        .bind(column(parts, rows, |row| row.focus_ms))
        .bind(column(parts, rows, |row| row.energy_me))
        .bind(column(parts, rows, |row| row.dopamine_md))
        .bind(column(parts, rows, |row| row.state.word()))
        .bind(column(parts, rows, |row| row.end_kind.as_deref()))
        .bind(column(parts, rows, |row| row.mode.as_str()))
        .bind(column(parts, rows, |row| row.category.as_str()))
}

fn bind_tasks<'q>(query: Query<'q>, parts: &'q [HeroRows]) -> Query<'q> {
    let rows = |rows: &'q ReadRows| &rows.tasks;
    query
        .bind(heroes(parts, |rows| &rows.tasks))
        .bind(column(parts, rows, |row| i64::from(row.task_id)))
        .bind(column(parts, rows, |row| row.parent_id.map(i64::from)))
        .bind(column(parts, rows, |row| i64::from(row.estimate_minutes)))
        .bind(column(parts, rows, |row| row.due_day.map(i64::from)))
        .bind(column(parts, rows, |row| i64::from(row.repeats)))
        .bind(column(parts, rows, |row| row.created_at_ms))
        .bind(column(parts, rows, |row| row.done_at_ms))
        .bind(column(parts, rows, |row| row.removed_at_ms))
        .bind(column(parts, rows, |row| row.focus_ms))
        .bind(column(parts, rows, |row| row.category.as_str()))
        .bind(column(parts, rows, |row| row.priority.as_str()))
}

fn bind_assemblies<'q>(query: Query<'q>, parts: &'q [HeroRows]) -> Query<'q> {
    let rows = |rows: &'q ReadRows| &rows.assemblies;
    query
        .bind(heroes(parts, |rows| &rows.assemblies))
        .bind(column(parts, rows, |row| i64::from(row.job_id)))
        .bind(column(parts, rows, |row| i64::from(row.counts)))
        .bind(column(parts, rows, |row| row.paid_me))
        .bind(column(parts, rows, |row| row.refund_me))
        .bind(column(parts, rows, |row| row.finish_md))
        .bind(column(parts, rows, |row| row.work_ms))
        .bind(column(parts, rows, |row| row.started_at_ms))
        .bind(column(parts, rows, |row| row.ended_at_ms))
        .bind(column(parts, rows, |row| row.module_id.as_str()))
        .bind(column(parts, rows, |row| row.state.word()))
}
