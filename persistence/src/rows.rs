//! Rows to records, the same for every SQL database. A row that is no record is damage, not a bug: it comes from a disk.

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::accounts::{
    Account, AccountEvent, AccountEventKind, AccountId, Device, DeviceId, LookupHash, Revoked, Sealed,
    TokenHash, Union,
};
use crate::error::StoreError;
use crate::record::{
    Chain, CommandRef, CommandSeq, Epoch, EventKind, EventRecord, HeroId, NodeId, Seq, SnapshotRecord,
    StreamId,
};
use crate::store::{HeroHead, HeroState, Speaker};
use crate::text_keys::StoredTextKey;

/// What is read of a row by name, whichever database it comes from. Every number is a 64-bit one there.
pub(crate) trait Columns {
    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error>;
    fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error>;
    fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error>;
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
            fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
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
        account: row.uuid("account_id")?.map(AccountId),
        token_hash: optional_hash(row, "token_hash")?.map(TokenHash),
        name: row.text("name")?.unwrap_or_default(),
        created_at_ms: present(row, "created_at_ms")?,
        last_seen_ms: present(row, "last_seen_ms")?,
        revoked_at_ms: row.integer("revoked_at_ms")?,
    })
}

pub(crate) fn account(row: &impl Columns) -> Result<Account, sqlx::Error> {
    Ok(Account {
        account: AccountId(present_uuid(row, "account_id")?),
        hero: HeroId(present_uuid(row, "hero_id")?),
        mail: optional_hash(row, "mail")?.map(LookupHash),
        subject: optional_hash(row, "subject")?.map(LookupHash),
        password: row.text("password")?,
        profile: Sealed(row.bytes("profile")?),
        avatar: row.text("avatar")?,
        mail_verified_at_ms: row.integer("mail_verified_at_ms")?,
        created_at_ms: present(row, "created_at_ms")?,
        banned_at_ms: row.integer("banned_at_ms")?,
        erase_at_ms: row.integer("erase_at_ms")?,
    })
}

pub(crate) fn account_id(row: &impl Columns) -> Result<AccountId, sqlx::Error> {
    present_uuid(row, "account_id").map(AccountId)
}

pub(crate) fn device_id(row: &impl Columns) -> Result<DeviceId, sqlx::Error> {
    present_uuid(row, "device_id").map(DeviceId)
}

pub(crate) fn hero_id(row: &impl Columns) -> Result<HeroId, sqlx::Error> {
    present_uuid(row, "hero_id").map(HeroId)
}

pub(crate) fn text_key(row: &impl Columns) -> Result<StoredTextKey, sqlx::Error> {
    let key = row.optional_bytes("key")?;
    Ok(key.map_or(StoredTextKey::Forgotten, |key| StoredTextKey::Kept(Sealed(key))))
}

pub(crate) fn revoked(row: &impl Columns) -> Result<Revoked, sqlx::Error> {
    Ok(Revoked { hero: hero_id(row)?, device: device_id(row)?, at_ms: present(row, "revoked_at_ms")? })
}

pub(crate) fn union(row: &impl Columns) -> Result<Union, sqlx::Error> {
    Ok(Union {
        guest: HeroId(present_uuid(row, "guest_id")?),
        into: HeroId(present_uuid(row, "into_id")?),
        account: account_id(row)?,
        begun_at_ms: present(row, "begun_at_ms")?,
        finished_at_ms: row.integer("finished_at_ms")?,
    })
}

/// Nothing when a newer program noted something that this one does not know.
pub(crate) fn account_event(row: &impl Columns) -> Result<Option<AccountEvent>, sqlx::Error> {
    let Some(kind) = AccountEventKind::parse(&row.text("kind")?.unwrap_or_default()) else {
        return Ok(None);
    };
    Ok(Some(AccountEvent {
        id: present_uuid(row, "event_id")?,
        account: row.uuid("account_id")?.map(AccountId),
        hero: row.uuid("hero_id")?.map(HeroId),
        device: row.uuid("device_id")?.map(DeviceId),
        kind,
        at_ms: present(row, "at_ms")?,
    }))
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

fn optional_hash(row: &impl Columns, column: &str) -> Result<Option<[u8; 32]>, sqlx::Error> {
    match row.optional_bytes(column)? {
        None => Ok(None),
        Some(_) => hash(row, column).map(Some),
    }
}

pub(crate) fn damaged(hero: HeroId, row: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { hero, what: format!("a stored {row} cannot be read: {error}") }
}
