//! The append: one statement that compares, swaps and inserts; when it refuses, a second look says why.

use std::collections::BTreeMap;

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::array::Column;
use super::connection::Held;
use super::head_sql;
use crate::error::{Fence, FenceReason, StoreError};
use crate::record::{EventRecord, HeroId, int};
use crate::rows;
use crate::store::{Appended, HeroAppend, HeroHead, Verdict, judge, reader_needed};

/// What `journal_append` raises when a head is not where the caller believes.
const HEAD_MOVED: &str = "DH001";

/// The append of the broken build: it compares nothing and swaps nothing, and what is there already stays. It exists for
/// the test with a frozen owner, which must find what it loses.
const UNFENCED: &str = "WITH moved AS (
        UPDATE hero_head AS head
        SET last_seq = greatest(head.last_seq, part.last), min_reader = greatest(head.min_reader, part.reader),
            chain = CASE WHEN part.last >= head.last_seq THEN part.chain ELSE head.chain END
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::integer[])
            AS part (hero, epoch, base, last, previous, chain, reader)
        WHERE head.hero_id = part.hero)
    INSERT INTO hero_event (hero_id, seq, epoch, stream_id, cmd_seq, at_ms, catalogue_version, schema_version, kind,
        chain, payload)
    SELECT * FROM unnest($8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
        $14::bigint[], $15::integer[], $16::text[], $17::bytea[], $18::bytea[])
    ON CONFLICT DO NOTHING";

pub(super) async fn append(held: &mut Held<'_>, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
    let all: Vec<&HeroAppend> = batch.iter().collect();
    if write(held, &all).await? {
        return Ok(vec![Appended::Written; batch.len()]);
    }
    let answers = look(held, batch).await?;
    let new: Vec<&HeroAppend> = batch
        .iter()
        .zip(&answers)
        .filter(|(_, it)| **it == Appended::Written)
        .map(|(part, _)| part)
        .collect();
    // Either all of it is there already, or it is the rest of an earlier, larger call.
    if new.is_empty() || (new.len() < batch.len() && write(held, &new).await?) {
        return Ok(answers);
    }
    // It fits now and did not a moment ago: an older call of ours came between.
    Err(StoreError::Busy("the heads moved while they were read".into()))
}

/// Stores all of it or nothing. `false` when a head is not where it should be.
async fn write(held: &mut Held<'_>, parts: &[&HeroAppend]) -> Result<bool, StoreError> {
    let written = append_statement(parts).execute(held.connection()).await.map(drop);
    match written {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(HEAD_MOVED) => Ok(false),
        other => held.checked(other).map(|()| true),
    }
}

/// The statement that stores these parts or nothing of them. Its arrays are encoded here, before anything is sent.
pub fn append_statement<'a>(parts: &[&'a HeroAppend]) -> Query<'a, Postgres, PgArguments> {
    fn column<'a, T>(
        parts: &[&'a HeroAppend],
        of: impl Fn(&'a HeroAppend) -> T + Clone,
    ) -> Column<impl Iterator<Item = T> + Clone> {
        Column::new(parts.iter().map(move |part| of(part)))
    }
    fn field<'a, T>(
        parts: &[&'a HeroAppend],
        of: impl Fn(&'a EventRecord) -> T + Clone,
    ) -> Column<impl Iterator<Item = T> + Clone> {
        Column::new(parts.iter().flat_map(|part| &part.events).map(of))
    }
    let last = |part: &'a HeroAppend| part.events.last().map(|event| &event.chain.0[..]);
    let sql = "SELECT journal_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    sqlx::query(if cfg!(feature = "broken-fence-off") { UNFENCED } else { sql })
        .bind(column(parts, |part| part.hero.0))
        .bind(column(parts, |part| int(part.epoch.0)))
        .bind(column(parts, |part| int(part.first_seq().0) - 1))
        .bind(column(parts, |part| int(part.last_seq().0)))
        .bind(column(parts, |part| &part.previous.0[..]))
        .bind(column(parts, last))
        .bind(column(parts, |part| i32::from(reader_needed(part))))
        .bind(field(parts, |event| event.hero.0))
        .bind(field(parts, |event| int(event.seq.0)))
        .bind(field(parts, |event| int(event.epoch.0)))
        .bind(field(parts, |event| event.command.map(|it| int(it.stream_id.0))))
        .bind(field(parts, |event| event.command.map(|it| int(it.cmd_seq.0))))
        .bind(field(parts, |event| event.at_ms))
        .bind(field(parts, |event| i64::from(event.catalogue_version)))
        .bind(field(parts, |event| i32::from(event.schema_version)))
        .bind(field(parts, |event| event.kind.as_str()))
        .bind(field(parts, |event| &event.chain.0[..]))
        .bind(field(parts, |event| &event.payload[..]))
}

/// Why the heads did not fit: nothing was stored, or all of it by an earlier call.
async fn look(held: &mut Held<'_>, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
    let heads = heads(held, batch).await?;
    let mut fences = Vec::new();
    let mut answers = Vec::with_capacity(batch.len());
    for part in batch {
        let (hero, epoch) = (part.hero, part.epoch);
        let found = heads.get(&hero);
        match judge(found.map(|(head, _)| head), part)? {
            Verdict::Write => answers.push(Appended::Written),
            Verdict::Compare if found.is_some_and(|(_, is_stored)| *is_stored) => {
                answers.push(Appended::AlreadyDurable);
            }
            Verdict::Compare => fences.push(Fence { hero, epoch, why: FenceReason::Conflict }),
            Verdict::Refuse(why) => fences.push(Fence { hero, epoch, why }),
        }
    }
    if fences.is_empty() { Ok(answers) } else { Err(StoreError::Fenced { heroes: fences }) }
}

/// The heads, and whether the last event of each part is stored as it is. One statement, so that both are of one moment.
async fn heads(
    held: &mut Held<'_>,
    batch: &[HeroAppend],
) -> Result<BTreeMap<HeroId, (HeroHead, bool)>, StoreError> {
    let sql = concat!(
        "SELECT head.*, EXISTS (SELECT FROM hero_event event
            WHERE event.hero_id = part.hero AND event.seq = part.last AND event.chain = part.chain)::integer::bigint
            AS is_stored
        FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS part (hero, last, chain)
        JOIN (",
        head_sql!(),
        ") AS head ON head.hero_id = part.hero"
    );
    let last = |part: &HeroAppend| part.events.last().map(|event| event.chain.0.to_vec());
    let query = sqlx::query(sql)
        .bind(batch.iter().map(|part| part.hero.0).collect::<Vec<_>>())
        .bind(batch.iter().map(|part| int(part.last_seq().0)).collect::<Vec<_>>())
        .bind(batch.iter().map(last).collect::<Vec<_>>());
    let rows = query.fetch_all(held.connection()).await;
    let rows = held.checked(rows)?;
    let head = |row: &sqlx::postgres::PgRow| {
        let head = rows::head(row)?;
        let is_stored = rows::Columns::integer(row, "is_stored").map_err(super::failed)? == Some(1);
        Ok((head.hero, (head, is_stored)))
    };
    rows.iter().map(head).collect()
}
