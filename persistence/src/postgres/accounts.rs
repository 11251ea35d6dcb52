//! Accounts beside the journal in the same database.

use sqlx::postgres::PgRow;

use super::connection::Held;
use super::{PostgresStore, in_time};
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

struct On<'a, 'b>(&'a mut Held<'b>);

impl Statements for On<'_, '_> {
    type Row = PgRow;

    async fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreError> {
        let answer = bind_all!(sql, values).fetch_all(self.0.connection()).await;
        self.0.checked(answer)
    }
}

impl PostgresStore {
    /// Whatever fails before the end leaves nothing: its connection is closed with the open transaction.
    pub(super) async fn run<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        let mut held = self.inner.others.take().await?;
        if !W::WRITES {
            let (End::Keep(answer) | End::Undo(answer)) = work.run(&mut On(&mut held)).await?;
            held.keep();
            return Ok(answer);
        }
        let mut on = On(&mut held);
        on.rows("BEGIN", &[]).await?;
        let (end, answer) = match work.run(&mut on).await? {
            End::Keep(answer) => ("COMMIT", answer),
            End::Undo(answer) => ("ROLLBACK", answer),
        };
        on.rows(end, &[]).await?;
        held.keep();
        Ok(answer)
    }
}

account_store!(PostgresStore, in_time);
support_store!(PostgresStore, in_time);
