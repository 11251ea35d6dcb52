//! Rows to records. A row that is no record is damage, not a bug: it comes from the disk.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::error::StoreError;
use crate::record::{
    Chain, CommandRef, CommandSeq, Epoch, EventKind, EventRecord, HeroId, NodeId, Seq, SnapshotRecord,
    StreamId,
};
use crate::store::{HeroHead, HeroState};

/// Selects heads in the shape [`head`] reads.
macro_rules! head_sql {
    () => {
        "SELECT head.hero_id, head.epoch, head.last_seq, head.snap_seq, head.min_reader, head.chain, head.node_id,
            head.state, poison.reason FROM hero_head head LEFT JOIN poison_command poison USING (hero_id)"
    };
}
pub(super) use head_sql;

pub(super) fn head(row: &SqliteRow) -> Result<HeroHead, StoreError> {
    let hero = hero(row)?;
    let read = || {
        let node: Option<Uuid> = row.try_get("node_id")?;
        let state = match (row.try_get::<&str, _>("state")?, node) {
            ("owned", Some(node)) => HeroState::Owned { node: NodeId(node) },
            ("quarantined", _) => {
                let reason: Option<String> = row.try_get("reason")?;
                HeroState::Quarantined { reason: reason.unwrap_or_else(|| "unknown".into()) }
            }
            _ => HeroState::Free,
        };
        Ok(HeroHead {
            hero,
            epoch: Epoch(number(row, "epoch")?),
            last_seq: Seq(number(row, "last_seq")?),
            snap_seq: Seq(number(row, "snap_seq")?),
            chain: Chain(hash(row, "chain")?),
            min_reader: number(row, "min_reader")?,
            state,
        })
    };
    read().map_err(|error| damaged(hero, "head", &error))
}

pub(super) fn event(row: &SqliteRow) -> Result<EventRecord, StoreError> {
    let hero = hero(row)?;
    let read = || {
        let command = match row.try_get::<Option<i64>, _>("stream_id")? {
            None => None,
            Some(_) => Some(CommandRef {
                stream_id: StreamId(number(row, "stream_id")?),
                cmd_seq: CommandSeq(number(row, "cmd_seq")?),
            }),
        };
        let kind: String = row.try_get("kind")?;
        Ok(EventRecord {
            hero,
            seq: Seq(number(row, "seq")?),
            epoch: Epoch(number(row, "epoch")?),
            command,
            kind: EventKind::try_from(kind).map_err(|error| sqlx::Error::Decode(error.into()))?,
            schema_version: number(row, "schema_version")?,
            catalogue_version: number(row, "catalogue_version")?,
            at_ms: row.try_get("at_ms")?,
            chain: Chain(hash(row, "chain")?),
            payload: row.try_get::<Vec<u8>, _>("payload")?.into(),
        })
    };
    read().map_err(|error| damaged(hero, "event", &error))
}

pub(super) fn snapshot(row: &SqliteRow) -> Result<SnapshotRecord, StoreError> {
    let hero = hero(row)?;
    let read = || {
        Ok(SnapshotRecord {
            hero,
            seq: Seq(number(row, "seq")?),
            epoch: Epoch(number(row, "epoch")?),
            schema_version: number(row, "schema_version")?,
            chain: Chain(hash(row, "chain")?),
            state_hash: hash(row, "state_hash")?,
            state: row.try_get::<Vec<u8>, _>("state")?.into(),
            at_ms: row.try_get("at_ms")?,
        })
    };
    read().map_err(|error| damaged(hero, "snapshot", &error))
}

fn hero(row: &SqliteRow) -> Result<HeroId, StoreError> {
    match row.try_get::<Uuid, _>("hero_id") {
        Ok(id) => Ok(HeroId(id)),
        Err(error) => Err(StoreError::Broken { what: format!("a row without a hero: {error}") }),
    }
}

fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| sqlx::Error::Decode(format!("{column} = {value} is out of range").into()))
}

fn hash(row: &SqliteRow, column: &str) -> Result<[u8; 32], sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode(format!("{column} is not 32 bytes").into()))
}

fn damaged(hero: HeroId, row: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { hero, what: format!("a stored {row} cannot be read: {error}") }
}
