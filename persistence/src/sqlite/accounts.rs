//! Accounts beside the journal in the same file.

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::SqliteStore;
use super::connection::failed;
use crate::accounts::sql::{self, End, Statements, Value, Work, account_store, bind_all, support_store};
use crate::accounts::{
    Account, AccountChange, AccountEvent, AccountId, AccountKey, Changed, Code, CodePurpose, Created, Device,
    DeviceId, NewAccount, NewGuest, NewSession, Revoke, Revoked, Rotate, Rotation, Sealed, TokenHash, Union,
    UnionBegun,
};
use crate::error::StoreError;
use crate::record::HeroId;
use crate::store::StoreFuture;
use crate::text_keys::StoredTextKey;

struct On<'a>(&'a mut SqliteConnection);

impl Statements for On<'_> {
    type Row = SqliteRow;

    async fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<SqliteRow>, StoreError> {
        bind_all!(sql, values).fetch_all(&mut *self.0).await.map_err(failed)
    }
}

impl SqliteStore {
    pub(super) async fn run<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        if !W::WRITES {
            let mut reader = self.inner.readers.acquire().await.map_err(failed)?;
            let (End::Keep(answer) | End::Undo(answer)) = work.run(&mut On(&mut reader)).await?;
            return Ok(answer);
        }
        let mut writer = self.writer_in_turn().await?;
        writer.begin().await?;
        match work.run(&mut On(writer.connection())).await {
            Ok(End::Keep(answer)) => {
                writer.commit().await?;
                Ok(answer)
            }
            Ok(End::Undo(answer)) => {
                writer.roll_back().await;
                Ok(answer)
            }
            Err(error) => {
                writer.roll_back().await;
                Err(error)
            }
        }
    }
}

account_store!(SqliteStore, Box::pin);
support_store!(SqliteStore, Box::pin);
