//! How read models are read from an SQL database, the same for each: every number is a 64-bit integer there, and a
//! parameter is `$n`.

use uuid::Uuid;

use crate::error::StoreError;
use crate::read_model::{
    AssemblyRow, AssemblyState, Behind, FocusSessionRow, LedgerRow, LedgerSum, READ_ROWS_MAX, SessionState,
    TaskRow, Totals,
};
use crate::record::{EventKind, HeroId, Seq};
use crate::rows::{Columns, damaged, hero, number, present};

pub(crate) const READ_SEQ: &str = "SELECT seq FROM read_position WHERE hero_id = $1";

/// After the hero of `$1`; the nil id stands before every hero.
pub(crate) const BEHIND: &str = "SELECT head.hero_id, coalesce(position.seq, 0) AS read_seq, head.last_seq
    FROM hero_head head LEFT JOIN read_position position USING (hero_id)
    WHERE head.hero_id > $1 AND head.last_seq > coalesce(position.seq, 0) ORDER BY head.hero_id LIMIT $2";

/// One statement, so that position and sums are of one moment.
pub(crate) const LEDGER_SUM: &str = "SELECT
    coalesce((SELECT seq FROM read_position WHERE hero_id = $1), 0) AS read_seq,
    CAST(coalesce(sum(energy_me), 0) AS bigint) AS energy_me,
    CAST(coalesce(sum(dopamine_md), 0) AS bigint) AS dopamine_md
    FROM energy_ledger WHERE hero_id = $1";

pub(crate) const LEDGER: &str =
    "SELECT hero_id, seq, at_ms, kind, cause, subject, energy_me, earned_me, dopamine_md
    FROM energy_ledger WHERE hero_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";

pub(crate) const SESSIONS: &str =
    "SELECT hero_id, session_id, state, end_kind, mode, planned_minutes, category, task_id,
    started_at_ms, ended_at_ms, interruptions, focus_ms, energy_me, dopamine_md
    FROM focus_sessions WHERE hero_id = $1 AND session_id < $2 ORDER BY session_id DESC LIMIT $3";

pub(crate) const TASKS: &str =
    "SELECT hero_id, task_id, parent_id, category, priority, estimate_minutes, due_day,
    repeats, created_at_ms, done_at_ms, removed_at_ms, focus_ms
    FROM tasks WHERE hero_id = $1 AND task_id < $2 ORDER BY task_id DESC LIMIT $3";

pub(crate) const ASSEMBLIES: &str =
    "SELECT hero_id, job_id, module_id, state, counts, paid_me, refund_me, finish_md,
    work_ms, started_at_ms, ended_at_ms
    FROM module_assemblies WHERE hero_id = $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $3";

/// Each part is answered by its index alone.
pub(crate) const TOTALS: &str = "SELECT
    (SELECT count(*) FROM focus_sessions WHERE ended_at_ms >= $1 AND state IN ('asks', 'ended')) AS sessions,
    (SELECT CAST(coalesce(sum(focus_ms), 0) AS bigint) FROM focus_sessions
        WHERE ended_at_ms >= $1 AND state IN ('asks', 'ended')) AS focus_ms,
    (SELECT CAST(coalesce(sum(earned_me), 0) AS bigint) FROM energy_ledger
        WHERE at_ms >= $1 AND earned_me <> 0) AS energy_me,
    (SELECT count(*) FROM tasks WHERE done_at_ms >= $1 AND done_at_ms IS NOT NULL) AS tasks_done,
    (SELECT count(*) FROM module_assemblies
        WHERE ended_at_ms >= $1 AND state = 'assembled' AND counts = 1) AS modules_assembled";

/// Forgets a hero's rows; the first step is the position, so that a follower waits at it.
pub(crate) const RESET: [&str; 5] = [
    "UPDATE read_position SET seq = 0 WHERE hero_id = $1",
    "DELETE FROM energy_ledger WHERE hero_id = $1",
    "DELETE FROM focus_sessions WHERE hero_id = $1",
    "DELETE FROM tasks WHERE hero_id = $1",
    "DELETE FROM module_assemblies WHERE hero_id = $1",
];

/// The hero after which a page begins, as a parameter.
pub(crate) fn after(after: Option<HeroId>) -> Uuid {
    after.map_or(Uuid::nil(), |hero| hero.0)
}

/// The number before which a page ends, as a parameter.
pub(crate) fn before(before: Option<u64>) -> i64 {
    before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX)
}

/// The length of a page, as a parameter.
pub(crate) fn limit(limit: u32) -> i64 {
    i64::from(limit.min(READ_ROWS_MAX))
}

pub(crate) fn read_seq(row: &impl Columns) -> Result<Seq, sqlx::Error> {
    number(row, "seq").map(Seq)
}

pub(crate) fn behind(row: &impl Columns) -> Result<Behind, StoreError> {
    let hero = hero(row)?;
    let read = || {
        Ok(Behind { hero, read_seq: Seq(number(row, "read_seq")?), last_seq: Seq(number(row, "last_seq")?) })
    };
    read().map_err(|error| damaged(hero, "read position", &error))
}

pub(crate) fn ledger_sum(row: &impl Columns) -> Result<LedgerSum, sqlx::Error> {
    Ok(LedgerSum {
        read_seq: Seq(number(row, "read_seq")?),
        energy_me: present(row, "energy_me")?,
        dopamine_md: present(row, "dopamine_md")?,
    })
}

pub(crate) fn totals(row: &impl Columns) -> Result<Totals, sqlx::Error> {
    Ok(Totals {
        sessions: number(row, "sessions")?,
        focus_ms: present(row, "focus_ms")?,
        energy_me: present(row, "energy_me")?,
        tasks_done: number(row, "tasks_done")?,
        modules_assembled: number(row, "modules_assembled")?,
    })
}

pub(crate) fn ledger(row: &impl Columns) -> Result<LedgerRow, StoreError> {
    let read = || {
        let kind = EventKind::try_from(text(row, "kind")?);
        Ok(LedgerRow {
            seq: Seq(number(row, "seq")?),
            at_ms: present(row, "at_ms")?,
            kind: kind.map_err(|error| sqlx::Error::Decode(error.into()))?,
            cause: row.text("cause")?,
            subject: row.text("subject")?,
            energy_me: present(row, "energy_me")?,
            earned_me: present(row, "earned_me")?,
            dopamine_md: present(row, "dopamine_md")?,
        })
    };
    readable(row, read(), "line of a ledger")
}

pub(crate) fn session(row: &impl Columns) -> Result<FocusSessionRow, StoreError> {
    let read = || {
        Ok(FocusSessionRow {
            session_id: number(row, "session_id")?,
            state: word(row, "state", SessionState::of_word)?,
            end_kind: row.text("end_kind")?,
            mode: text(row, "mode")?,
            planned_minutes: optional(row, "planned_minutes")?,
            category: text(row, "category")?,
            task_id: optional(row, "task_id")?,
            started_at_ms: present(row, "started_at_ms")?,
            ended_at_ms: row.integer("ended_at_ms")?,
            interruptions: number(row, "interruptions")?,
            focus_ms: present(row, "focus_ms")?,
            energy_me: present(row, "energy_me")?,
            dopamine_md: present(row, "dopamine_md")?,
        })
    };
    readable(row, read(), "session")
}

pub(crate) fn task(row: &impl Columns) -> Result<TaskRow, StoreError> {
    let read = || {
        Ok(TaskRow {
            task_id: number(row, "task_id")?,
            parent_id: optional(row, "parent_id")?,
            category: text(row, "category")?,
            priority: text(row, "priority")?,
            estimate_minutes: number(row, "estimate_minutes")?,
            due_day: optional(row, "due_day")?,
            repeats: present(row, "repeats")? != 0,
            created_at_ms: present(row, "created_at_ms")?,
            done_at_ms: row.integer("done_at_ms")?,
            removed_at_ms: row.integer("removed_at_ms")?,
            focus_ms: present(row, "focus_ms")?,
        })
    };
    readable(row, read(), "task")
}

pub(crate) fn assembly(row: &impl Columns) -> Result<AssemblyRow, StoreError> {
    let read = || {
        Ok(AssemblyRow {
            job_id: number(row, "job_id")?,
            module_id: text(row, "module_id")?,
            state: word(row, "state", AssemblyState::of_word)?,
            counts: present(row, "counts")? != 0,
            paid_me: present(row, "paid_me")?,
            refund_me: present(row, "refund_me")?,
            finish_md: present(row, "finish_md")?,
            work_ms: present(row, "work_ms")?,
            started_at_ms: row.integer("started_at_ms")?,
            ended_at_ms: row.integer("ended_at_ms")?,
        })
    };
    readable(row, read(), "assembly")
}

fn readable<T>(row: &impl Columns, read: Result<T, sqlx::Error>, what: &str) -> Result<T, StoreError> {
    let hero = hero(row)?;
    read.map_err(|error| damaged(hero, what, &error))
}

fn text(row: &impl Columns, column: &str) -> Result<String, sqlx::Error> {
    row.text(column)?.ok_or_else(|| sqlx::Error::Decode(format!("{column} is missing").into()))
}

fn word<T>(row: &impl Columns, column: &str, of_word: impl Fn(&str) -> Option<T>) -> Result<T, sqlx::Error> {
    let found = text(row, column)?;
    of_word(&found).ok_or_else(|| sqlx::Error::Decode(format!("{column} = {found} is unknown").into()))
}

fn optional<T: TryFrom<i64>>(row: &impl Columns, column: &str) -> Result<Option<T>, sqlx::Error> {
    row.integer(column)?.map(|_| number(row, column)).transpose()
}
