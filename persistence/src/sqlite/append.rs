//! The append, inside the caller's transaction. Nearly always all of it is new: then one swap of the heads says so, and no
//! row comes back. When a head does not move, the caller starts again and [`append`] reads the heads and judges.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::connection::failed;
use super::head_sql;
use crate::error::{Fence, FenceReason, StoreError};
use crate::record::{Chain, EventRecord, HeroId, Seq, int};
use crate::rows;
use crate::store::{Appended, HeroAppend, HeroHead, Verdict, judge, reader_needed};

/// Rows per statement. Only these sizes, so that a handful of prepared statements serve every batch.
const CHUNK_ROWS: [usize; 3] = [64, 8, 1];

/// The append when every part is the next of its hero. `false` when one is not: then the transaction must be rolled back.
pub(super) async fn append_next(
    connection: &mut SqliteConnection,
    batch: &[HeroAppend],
) -> Result<bool, StoreError> {
    let parts: Vec<&HeroAppend> = batch.iter().collect();
    if move_heads(connection, &parts).await? != parts.len() {
        return Ok(false);
    }
    insert_events(connection, &parts).await.map_err(failed)?;
    Ok(true)
}

/// The append of anything: read the heads, judge, insert the events, move the heads.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    batch: &[HeroAppend],
) -> Result<Vec<Appended>, StoreError> {
    let heads = heads(connection, batch).await?;
    let mut fences = Vec::new();
    let mut answers = Vec::with_capacity(batch.len());
    for part in batch {
        let (hero, epoch) = (part.hero, part.epoch);
        match judge(heads.get(&hero), part)? {
            Verdict::Write => answers.push(Appended::Written),
            Verdict::Refuse(why) => fences.push(Fence { hero, epoch, why }),
            Verdict::Compare => {
                let stored = chain_at(connection, hero, part.last_seq()).await.map_err(failed)?;
                if stored == part.events.last().map(|event| event.chain) {
                    answers.push(Appended::AlreadyDurable);
                } else {
                    fences.push(Fence { hero, epoch, why: FenceReason::Conflict });
                }
            }
        }
    }
    if !fences.is_empty() {
        return Err(StoreError::Fenced { heroes: fences });
    }
    let new: Vec<&HeroAppend> = batch
        .iter()
        .zip(&answers)
        .filter(|(_, it)| **it == Appended::Written)
        .map(|(part, _)| part)
        .collect();
    insert_events(connection, &new).await.map_err(failed)?;
    let moved = move_heads(connection, &new).await?;
    if moved != new.len() {
        let what = format!("{moved} of {} heads moved inside one transaction", new.len());
        return Err(StoreError::Broken { what });
    }
    Ok(answers)
}

async fn heads(
    connection: &mut SqliteConnection,
    batch: &[HeroAppend],
) -> Result<BTreeMap<HeroId, HeroHead>, StoreError> {
    let mut heads = BTreeMap::new();
    for chunk in chunks(batch) {
        let mut query = QueryBuilder::<Sqlite>::new(concat!(head_sql!(), " WHERE head.hero_id IN ("));
        let mut list = query.separated(", ");
        for part in chunk {
            list.push_bind(part.hero.0);
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *connection).await.map_err(failed)? {
            let head = rows::head(&row)?;
            heads.insert(head.hero, head);
        }
    }
    Ok(heads)
}

async fn chain_at(
    connection: &mut SqliteConnection,
    hero: HeroId,
    seq: Seq,
) -> Result<Option<Chain>, sqlx::Error> {
    let sql = "SELECT chain FROM hero_event WHERE hero_id = ? AND seq = ?";
    let row = sqlx::query(sql).bind(hero.0).bind(int(seq.0)).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.try_get::<&[u8], _>(0)?.try_into().ok().map(Chain))
}

async fn insert_events(connection: &mut SqliteConnection, new: &[&HeroAppend]) -> Result<(), sqlx::Error> {
    let events: Vec<&EventRecord> = new.iter().flat_map(|part| &part.events).collect();
    for chunk in chunks(&events) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO hero_event (hero_id, seq, epoch, stream_id, cmd_seq, kind, schema_version,
                catalogue_version, at_ms, chain, payload) ",
        );
        query.push_values(chunk, |mut row, event| {
            row.push_bind(event.hero.0)
                .push_bind(int(event.seq.0))
                .push_bind(int(event.epoch.0))
                .push_bind(event.command.map(|it| int(it.stream_id.0)))
                .push_bind(event.command.map(|it| int(it.cmd_seq.0)))
                .push_bind(event.kind.as_str())
                .push_bind(event.schema_version)
                .push_bind(event.catalogue_version)
                .push_bind(event.at_ms)
                .push_bind(&event.chain.0[..])
                .push_bind(&event.payload[..]);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// The swap (D1): a head moves when all that [`judge`] asks of a part to be written holds. Returns how many moved.
async fn move_heads(connection: &mut SqliteConnection, new: &[&HeroAppend]) -> Result<usize, StoreError> {
    let mut moved = 0;
    for chunk in chunks(new) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "UPDATE hero_head SET last_seq = new.column4, chain = new.column5,
                min_reader = max(min_reader, new.column6) FROM (",
        );
        query.push_values(chunk, |mut row, part| {
            let last = part.events.last().expect("checked: an append holds at least one event");
            row.push_bind(part.hero.0)
                .push_bind(int(part.epoch.0))
                .push_bind(int(part.first_seq().0) - 1)
                .push_bind(int(last.seq.0))
                .push_bind(&last.chain.0[..])
                .push_bind(reader_needed(part))
                .push_bind(&part.previous.0[..]);
        });
        query.push(
            ") AS new WHERE hero_id = new.column1 AND epoch = new.column2 AND last_seq = new.column3
                AND chain = new.column7 AND state = 'owned' AND node_id IS NOT NULL",
        );
        let done = query.build().execute(&mut *connection).await.map_err(failed)?;
        moved += usize::try_from(done.rows_affected()).expect("at most one head a part");
    }
    Ok(moved)
}

/// Cuts a slice into pieces of the sizes of [`CHUNK_ROWS`], largest first.
pub(super) fn chunks<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNK_ROWS.into_iter().find(|&size| size <= rest.len())?;
        let (chunk, after) = rest.split_at(size);
        rest = after;
        Some(chunk)
    })
}
