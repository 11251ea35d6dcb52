//! Accounts in SQL, the same text for every database: numbered parameters, `RETURNING` and `ON CONFLICT DO NOTHING` are
//! all it needs. Whoever comes second waits for the row that the first one changed, and then sees what it did.

mod devices;
mod life;
mod people;
mod support;
mod texts;

use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::Columns;

pub(crate) use devices::{
    AddSession, DeviceById, DeviceByToken, Devices, ReadRevoked, RevokeDevices, TakeTurns, TouchDevice,
};
pub(crate) use life::{
    AccountEvents, BeginUnion, DueErasures, EraseAccount, EraseGuest, FinishUnion, LookupKey, Note,
    OrphanedGuests, Prune, StaleGuests, UnfinishedUnions, UnionsSince,
};
pub(crate) use people::{ChangeAccount, CreateAccount, CreateGuest, FindAccount, PutCode, TakeCode};
pub(crate) use support::{
    BanGuest, CloseSockets, CloseWishes, NodeName, ReadSeen, SeenHero, UnbanGuest, support_store,
};
pub(crate) use texts::{FindTextKey, PutTextKey};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Id(Option<Uuid>),
    Bytes(Option<&'a [u8]>),
    Text(Option<&'a str>),
    Integer(Option<i64>),
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a [u8; 32]> for Value<'a> {
    fn from(hash: &'a [u8; 32]) -> Self {
        Self::Bytes(Some(hash))
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a> From<Option<&'a [u8; 32]>> for Value<'a> {
    fn from(hash: Option<&'a [u8; 32]>) -> Self {
        Self::Bytes(hash.map(|hash| &hash[..]))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

/// Binds the parameters of one statement of either database.
macro_rules! bind_all {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match *value {
                crate::accounts::sql::Value::Id(id) => query.bind(id),
                crate::accounts::sql::Value::Bytes(bytes) => query.bind(bytes),
                crate::accounts::sql::Value::Text(text) => query.bind(text),
                crate::accounts::sql::Value::Integer(number) => query.bind(number),
            };
        }
        query
    }};
}
pub(crate) use bind_all;

/// A connection, in a transaction if the work writes.
pub(crate) trait Statements: Send {
    /// A row of its answers.
    type Row: Columns + Send + Sync;

    /// Runs one statement.
    fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;
}

/// How a transaction ends.
pub(crate) enum End<T> {
    /// What was written stays.
    Keep(T),
    /// Nothing was changed.
    Undo(T),
}

/// Statements that belong together.
pub(crate) trait Work: Send {
    /// What comes of it.
    type Answer: Send;
    /// Whether it writes: then it is one transaction.
    const WRITES: bool;

    /// Runs it.
    fn run<S: Statements>(
        self,
        on: &mut S,
    ) -> impl Future<Output = Result<End<Self::Answer>, StoreError>> + Send;
}

/// A stored row that cannot be read.
fn unreadable(error: sqlx::Error) -> StoreError {
    StoreError::Broken { what: format!("a row of an account cannot be read: {error}") }
}

/// Reads every row.
pub(crate) fn each<R: Columns, T>(
    rows: &[R],
    read: impl Fn(&R) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect::<Result<_, _>>().map_err(unreadable)
}

/// Reads the only row there may be.
pub(crate) fn only<R: Columns, T>(
    rows: &[R],
    read: impl Fn(&R) -> Result<T, sqlx::Error>,
) -> Result<Option<T>, StoreError> {
    rows.first().map(read).transpose().map_err(unreadable)
}

/// Implements the contract on a store that has `run(work)`.
macro_rules! account_store {
    ($store:ty, $wrap:path) => {
        impl crate::accounts::AccountStore for $store {
            fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::CreateGuest(guest)))
            }
            fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>> {
                $wrap(self.run(sql::DeviceByToken(token_hash)))
            }
            fn device(&self, device: DeviceId) -> StoreFuture<'_, Option<Device>> {
                $wrap(self.run(sql::DeviceById(device)))
            }
            fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::TouchDevice { device, now_ms }))
            }
            fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>> {
                $wrap(self.run(sql::Devices(hero)))
            }
            fn create_account(&self, account: NewAccount) -> StoreFuture<'_, Created> {
                $wrap(self.run(sql::CreateAccount(account)))
            }
            fn account(&self, key: AccountKey) -> StoreFuture<'_, Option<Account>> {
                $wrap(self.run(sql::FindAccount(key)))
            }
            fn change_account(&self, account: AccountId, change: AccountChange) -> StoreFuture<'_, Changed> {
                $wrap(self.run(sql::ChangeAccount { account, change }))
            }
            fn add_session(&self, session: NewSession) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::AddSession(session)))
            }
            fn rotate(&self, rotate: Rotate) -> StoreFuture<'_, Rotation> {
                $wrap(self.run(sql::TakeTurns(rotate)))
            }
            fn revoke(&self, hero: HeroId, which: Revoke, now_ms: i64) -> StoreFuture<'_, Vec<DeviceId>> {
                $wrap(self.run(sql::RevokeDevices { hero, which, now_ms }))
            }
            fn revoked_since(&self, since_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Revoked>> {
                $wrap(self.run(sql::ReadRevoked { since_ms, limit }))
            }
            fn put_code(&self, code: Code) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::PutCode(code)))
            }
            fn take_code(
                &self,
                hash: TokenHash,
                purpose: CodePurpose,
                now_ms: i64,
            ) -> StoreFuture<'_, Option<AccountId>> {
                $wrap(self.run(sql::TakeCode { hash, purpose, now_ms }))
            }
            fn begin_union(&self, union: Union) -> StoreFuture<'_, UnionBegun> {
                $wrap(self.run(sql::BeginUnion(union)))
            }
            fn finish_union(&self, guest: HeroId, now_ms: i64) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::FinishUnion { guest, now_ms }))
            }
            fn unfinished_unions(&self, limit: u32) -> StoreFuture<'_, Vec<Union>> {
                $wrap(self.run(sql::UnfinishedUnions(limit)))
            }
            fn unions_since(&self, account: AccountId, since_ms: i64) -> StoreFuture<'_, u32> {
                $wrap(self.run(sql::UnionsSince { account, since_ms }))
            }
            fn note(&self, event: AccountEvent) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::Note(event)))
            }
            fn account_events(&self, hero: HeroId, limit: u32) -> StoreFuture<'_, Vec<AccountEvent>> {
                $wrap(self.run(sql::AccountEvents { hero, limit }))
            }
            fn due_erasures(&self, now_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Account>> {
                $wrap(self.run(sql::DueErasures { now_ms, limit }))
            }
            fn erase_account(&self, account: AccountId, now_ms: i64) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::EraseAccount { account, now_ms }))
            }
            fn stale_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>> {
                $wrap(self.run(sql::StaleGuests { before_ms, limit }))
            }

            fn orphaned_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>> {
                $wrap(self.run(sql::OrphanedGuests { before_ms, limit }))
            }
            fn erase_guest(&self, hero: HeroId) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::EraseGuest(hero)))
            }
            fn prune(&self, now_ms: i64) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::Prune(now_ms)))
            }
            fn lookup_key(&self, candidate: Sealed) -> StoreFuture<'_, Sealed> {
                $wrap(self.run(sql::LookupKey(candidate)))
            }
        }

        impl crate::text_keys::TextKeyStore for $store {
            fn text_key(&self, hero: HeroId) -> StoreFuture<'_, Option<StoredTextKey>> {
                $wrap(self.run(sql::FindTextKey(hero)))
            }
            fn put_text_key(&self, hero: HeroId, candidate: Sealed) -> StoreFuture<'_, StoredTextKey> {
                $wrap(self.run(sql::PutTextKey { hero, candidate }))
            }
        }
    };
}
pub(crate) use account_store;
