//! Rows to records, the same for every SQL database. A row that is no record is damage, not a bug: it comes from a disk.

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::accounts::{Device, DeviceId, TokenHash};
use crate::error::StoreError;
use crate::record::{
    Chain, CommandRef, CommandSeq, Epoch, EventKind, EventRecord, HeroId, NodeId, Seq, SnapshotRecord,
    StreamId,
};
use crate::store::{HeroHead, HeroState, Speaker};

/// What is read of a row by name, whichever database it comes from. Every number is a 64-bit one there.
pub(crate) trait Columns {
    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error>;
    fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error>;
}

macro_rules! columns {
    ($row:ty) => {
        impl Columns for $row {
            fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }
            fn uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error> {
                self.try_get(column)
            }
            fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
                self.try_get(column)
            }
            fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error> {
                self.try_get(column)
            }
        }
    };
}

columns!(SqliteRow);
columns!(PgRow);

pub(crate) fn head(row: &impl Columns) -> Result<HeroHead, StoreError> {
    let hero = hero(row)?;
    let read = || {
        let node = row.uuid("node_id")?;
        let state = match (row.text("state")?.unwrap_or_default().as_str(), node) {
            ("owned", Some(node)) => HeroState::Owned { node: NodeId(node) },
            ("quarantined", _) => {
                HeroState::Quarantined { reason: row.text("reason")?.unwrap_or_else(|| "unknown".into()) }
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

pub(crate) fn event(row: &impl Columns) -> Result<EventRecord, StoreError> {
    let hero = hero(row)?;
    let read = || {
        let command = match row.integer("stream_id")? {
            None => None,
            Some(_) => Some(CommandRef {
                stream_id: StreamId(number(row, "stream_id")?),
                cmd_seq: CommandSeq(number(row, "cmd_seq")?),
            }),
        };
        let kind = row.text("kind")?.unwrap_or_default();
        Ok(EventRecord {
            hero,
            seq: Seq(number(row, "seq")?),
            epoch: Epoch(number(row, "epoch")?),
            command,
            kind: EventKind::try_from(kind).map_err(|error| sqlx::Error::Decode(error.into()))?,
            schema_version: number(row, "schema_version")?,
            catalogue_version: number(row, "catalogue_version")?,
            at_ms: present(row, "at_ms")?,
            chain: Chain(hash(row, "chain")?),
            payload: row.bytes("payload")?.into(),
        })
    };
    read().map_err(|error| damaged(hero, "event", &error))
}

pub(crate) fn snapshot(row: &impl Columns) -> Result<SnapshotRecord, StoreError> {
    let hero = hero(row)?;
    let read = || {
        Ok(SnapshotRecord {
            hero,
            seq: Seq(number(row, "seq")?),
            epoch: Epoch(number(row, "epoch")?),
            schema_version: number(row, "schema_version")?,
            chain: Chain(hash(row, "chain")?),
            state_hash: hash(row, "state_hash")?,
            state: row.bytes("state")?.into(),
            at_ms: present(row, "at_ms")?,
        })
    };
    read().map_err(|error| damaged(hero, "snapshot", &error))
}

pub(crate) fn device(row: &impl Columns) -> Result<Device, sqlx::Error> {
    Ok(Device {
        device: DeviceId(present_uuid(row, "device_id")?),
        hero: HeroId(present_uuid(row, "hero_id")?),
        token_hash: TokenHash(hash(row, "token_hash")?),
        name: row.text("name")?.unwrap_or_default(),
        created_at_ms: present(row, "created_at_ms")?,
        last_seen_ms: present(row, "last_seen_ms")?,
        revoked_at_ms: row.integer("revoked_at_ms")?,
    })
}

pub(crate) fn speaker(row: &impl Columns) -> Result<Speaker, sqlx::Error> {
    Ok(Speaker {
        stream_id: StreamId(number(row, "stream_id")?),
        node: NodeId(present_uuid(row, "node_id")?),
        connection_id: number(row, "connection_id")?,
    })
}

pub(crate) fn hero(row: &impl Columns) -> Result<HeroId, StoreError> {
    match present_uuid(row, "hero_id") {
        Ok(id) => Ok(HeroId(id)),
        Err(error) => Err(StoreError::Broken { what: format!("a row without a hero: {error}") }),
    }
}

pub(crate) fn present(row: &impl Columns, column: &str) -> Result<i64, sqlx::Error> {
    row.integer(column)?.ok_or_else(|| sqlx::Error::Decode(format!("{column} is missing").into()))
}

fn present_uuid(row: &impl Columns, column: &str) -> Result<Uuid, sqlx::Error> {
    row.uuid(column)?.ok_or_else(|| sqlx::Error::Decode(format!("{column} is missing").into()))
}

pub(crate) fn number<T: TryFrom<i64>>(row: &impl Columns, column: &str) -> Result<T, sqlx::Error> {
    let value = present(row, column)?;
    T::try_from(value).map_err(|_| sqlx::Error::Decode(format!("{column} = {value} is out of range").into()))
}

fn hash(row: &impl Columns, column: &str) -> Result<[u8; 32], sqlx::Error> {
    let bytes = row.bytes(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode(format!("{column} is not 32 bytes").into()))
}

pub(crate) fn damaged(hero: HeroId, row: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { hero, what: format!("a stored {row} cannot be read: {error}") }
}
