//! Operators in SQL, the same text for every database, as accounts are.

mod audit;

use crate::accounts::sql::{End, Statements, Work, each, only};
use crate::accounts::{Sealed, TokenHash};
use crate::error::StoreError;
use crate::operators::{Acceptance, Accepted, Invitation, OPERATORS_MAX, Operator, OperatorChanged};
use crate::rows::{self, Columns};

pub(crate) use audit::{
    AppendAudit, AuditAfter, AuditPage, Decide, FindApproval, FinishApproval, PutApproval, ReadApprovals,
    ReadAuditHead,
};

fn operator(row: &impl Columns) -> Result<Operator, sqlx::Error> {
    Ok(Operator {
        name: row.text("name")?.unwrap_or_default(),
        role: row.text("role")?.unwrap_or_default(),
        password: row.text("password")?.unwrap_or_default(),
        totp: Sealed(row.bytes("totp")?),
        totp_step: rows::present(row, "totp_step")?,
        revision: rows::present(row, "revision")?,
        created_at_ms: rows::present(row, "created_at_ms")?,
        last_login_ms: row.integer("last_login_ms")?,
        disabled_at_ms: row.integer("disabled_at_ms")?,
    })
}

fn invitation(row: &impl Columns) -> Result<Invitation, sqlx::Error> {
    Ok(Invitation {
        token: TokenHash(bytes(row, "token_hash")?),
        name: row.text("name")?.unwrap_or_default(),
        role: row.text("role")?.unwrap_or_default(),
        expires_at_ms: rows::present(row, "expires_at_ms")?,
    })
}

fn bytes<const N: usize>(row: &impl Columns, column: &str) -> Result<[u8; N], sqlx::Error> {
    let bytes = row.bytes(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode(format!("{column} is not {N} bytes").into()))
}

pub(crate) struct ReadOperators;

impl Work for ReadOperators {
    type Answer = Vec<Operator>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM panel_operator ORDER BY name LIMIT $1";
        let found = on.rows(sql, &[i64::from(OPERATORS_MAX).into()]).await?;
        Ok(End::Keep(each(&found, operator)?))
    }
}

pub(crate) struct FindOperator<'a>(pub(crate) &'a str);

impl Work for FindOperator<'_> {
    type Answer = Option<Operator>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT * FROM panel_operator WHERE name = $1", &[self.0.into()]).await?;
        Ok(End::Keep(only(&found, operator)?))
    }
}

/// Locks the owners, so that no two of them take each other the role at the same time; whether there is one that can log
/// in.
async fn lock_owners<S: Statements>(on: &mut S) -> Result<bool, StoreError> {
    let sql = "UPDATE panel_operator SET revision = revision WHERE role = 'owner' RETURNING disabled_at_ms";
    let owners = each(&on.rows(sql, &[]).await?, |row| row.integer("disabled_at_ms"))?;
    Ok(owners.contains(&None))
}

async fn has_owner<S: Statements>(on: &mut S) -> Result<bool, StoreError> {
    let sql = "SELECT name FROM panel_operator WHERE role = 'owner' AND disabled_at_ms IS NULL LIMIT 1";
    Ok(!on.rows(sql, &[]).await?.is_empty())
}

pub(crate) struct ChangeOperator<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: Option<&'a str>,
    pub(crate) is_disabled: Option<bool>,
    pub(crate) now_ms: i64,
}

impl Work for ChangeOperator<'_> {
    type Answer = OperatorChanged;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<OperatorChanged>, StoreError> {
        let had_owner = lock_owners(on).await?;
        let sql = "UPDATE panel_operator SET role = coalesce($2, role), revision = revision + 1,
            disabled_at_ms = CASE $3 WHEN 1 THEN coalesce(disabled_at_ms, $4) WHEN 0 THEN NULL ELSE disabled_at_ms END
            WHERE name = $1 RETURNING name";
        let values =
            [self.name.into(), self.role.into(), self.is_disabled.map(i64::from).into(), self.now_ms.into()];
        if on.rows(sql, &values).await?.is_empty() {
            return Ok(End::Undo(OperatorChanged::Missing));
        }
        if had_owner && !has_owner(on).await? {
            return Ok(End::Undo(OperatorChanged::LastOwner));
        }
        Ok(End::Keep(OperatorChanged::Done))
    }
}

pub(crate) struct UseCode<'a> {
    pub(crate) name: &'a str,
    pub(crate) step: i64,
    pub(crate) now_ms: i64,
}

impl Work for UseCode<'_> {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let sql = "UPDATE panel_operator SET totp_step = $2, last_login_ms = $3
            WHERE name = $1 AND totp_step < $2 AND disabled_at_ms IS NULL RETURNING name";
        let used = on.rows(sql, &[self.name.into(), self.step.into(), self.now_ms.into()]).await?;
        Ok(End::Keep(!used.is_empty()))
    }
}

pub(crate) struct PutInvitation {
    pub(crate) invitation: Invitation,
    pub(crate) now_ms: i64,
}

impl Work for PutInvitation {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let Invitation { token, name, role, expires_at_ms } = self.invitation;
        let old = "DELETE FROM panel_invitation WHERE name = $1 OR expires_at_ms < $2";
        on.rows(old, &[name.as_str().into(), self.now_ms.into()]).await?;
        let sql =
            "INSERT INTO panel_invitation (token_hash, name, role, expires_at_ms) VALUES ($1, $2, $3, $4)";
        let values = [(&token.0).into(), name.as_str().into(), role.as_str().into(), expires_at_ms.into()];
        on.rows(sql, &values).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct FindInvitation(pub(crate) TokenHash);

impl Work for FindInvitation {
    type Answer = Option<Invitation>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM panel_invitation WHERE token_hash = $1";
        let found = on.rows(sql, &[(&self.0.0).into()]).await?;
        Ok(End::Keep(only(&found, invitation)?))
    }
}

pub(crate) struct Accept(pub(crate) Acceptance);

impl Work for Accept {
    type Answer = Accepted;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Accepted>, StoreError> {
        let Acceptance { token, password, totp, totp_step, now_ms } = self.0;
        let had_owner = lock_owners(on).await?;
        let sql = "DELETE FROM panel_invitation WHERE token_hash = $1 AND expires_at_ms > $2 RETURNING *";
        let taken = on.rows(sql, &[(&token.0).into(), now_ms.into()]).await?;
        let Some(Invitation { name, role, .. }) = only(&taken, invitation)? else {
            return Ok(End::Undo(Accepted::Unknown));
        };
        let others = "SELECT count(*) AS operators FROM panel_operator WHERE name <> $1";
        let others = on.rows(others, &[name.as_str().into()]).await?;
        let others: u32 = only(&others, |row| rows::number(row, "operators"))?.unwrap_or(0);
        if others >= OPERATORS_MAX {
            return Ok(End::Undo(Accepted::Full));
        }
        let sql = "INSERT INTO panel_operator
                (name, role, password, totp, totp_step, revision, created_at_ms, last_login_ms)
            VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
            ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password,
                totp = excluded.totp, totp_step = excluded.totp_step, last_login_ms = excluded.last_login_ms,
                revision = panel_operator.revision + 1, disabled_at_ms = NULL
            RETURNING *";
        let values = [
            name.as_str().into(),
            role.as_str().into(),
            password.as_str().into(),
            (&totp.0).into(),
            totp_step.into(),
            now_ms.into(),
        ];
        let made = on.rows(sql, &values).await?;
        if had_owner && !has_owner(on).await? {
            return Ok(End::Undo(Accepted::LastOwner));
        }
        let made = only(&made, operator)?;
        let missing = || StoreError::Broken { what: "an operator that was made is not there".into() };
        Ok(End::Keep(Accepted::Done(made.ok_or_else(missing)?)))
    }
}

/// Implements the contract on a store that has `run(work)`.
macro_rules! operator_store {
    ($store:ty, $wrap:path) => {
        impl crate::operators::OperatorStore for $store {
            fn operators(&self) -> StoreFuture<'_, Vec<Operator>> {
                $wrap(self.run(sql::ReadOperators))
            }
            fn operator<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Operator>> {
                $wrap(self.run(sql::FindOperator(name)))
            }
            fn change_operator<'a>(
                &'a self,
                name: &'a str,
                role: Option<&'a str>,
                is_disabled: Option<bool>,
                now_ms: i64,
            ) -> StoreFuture<'a, OperatorChanged> {
                $wrap(self.run(sql::ChangeOperator { name, role, is_disabled, now_ms }))
            }
            fn use_code<'a>(&'a self, name: &'a str, step: i64, now_ms: i64) -> StoreFuture<'a, bool> {
                $wrap(self.run(sql::UseCode { name, step, now_ms }))
            }
            fn put_invitation(&self, invitation: Invitation, now_ms: i64) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::PutInvitation { invitation, now_ms }))
            }
            fn invitation(&self, token: TokenHash) -> StoreFuture<'_, Option<Invitation>> {
                $wrap(self.run(sql::FindInvitation(token)))
            }
            fn accept(&self, acceptance: Acceptance) -> StoreFuture<'_, Accepted> {
                $wrap(self.run(sql::Accept(acceptance)))
            }
            fn audit_head(&self) -> StoreFuture<'_, Option<AuditHead>> {
                $wrap(self.run(sql::ReadAuditHead))
            }
            fn append_audit(
                &self,
                before: Option<AuditHead>,
                row: AuditRecord,
                head: AuditHead,
            ) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::AppendAudit { before, row, head }))
            }
            fn audit_after(&self, seq: u64, limit: u32) -> StoreFuture<'_, Vec<AuditRecord>> {
                $wrap(self.run(sql::AuditAfter { seq, limit }))
            }
            fn audit_page(
                &self,
                before: Option<u64>,
                limit: u32,
            ) -> StoreFuture<'_, Vec<(AuditRecord, Option<String>)>> {
                $wrap(self.run(sql::AuditPage { before, limit }))
            }
            fn put_approval(&self, approval: Approval) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::PutApproval(approval)))
            }
            fn approval(&self, id: u64) -> StoreFuture<'_, Option<Approval>> {
                $wrap(self.run(sql::FindApproval(id)))
            }
            fn approvals(&self, now_ms: i64) -> StoreFuture<'_, Vec<Approval>> {
                $wrap(self.run(sql::ReadApprovals(now_ms)))
            }
            fn decide(&self, id: u64, decision: Decision) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::Decide { id, decision }))
            }
            fn finish_approval(&self, id: u64, now_ms: i64) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::FinishApproval { id, now_ms }))
            }
        }
    };
}
pub(crate) use operator_store;
