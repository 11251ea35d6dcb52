//! The audit log and approvals.

use super::bytes;
use crate::accounts::sql::{End, Statements, Value, Work, each, only};
use crate::error::StoreError;
use crate::operators::{APPROVALS_MAX, AUDIT_ROWS_MAX, Approval, AuditHead, AuditRecord, Decision};
use crate::record::int;
use crate::rows::{self, Columns};

fn audit_record(row: &impl Columns) -> Result<AuditRecord, sqlx::Error> {
    let text = |column: &str| row.text(column).map(Option::unwrap_or_default);
    Ok(AuditRecord {
        seq: rows::number(row, "seq")?,
        at_ms: rows::present(row, "at_ms")?,
        nonce: bytes(row, "nonce")?,
        operator: text("operator")?,
        role: text("role")?,
        action: text("action")?,
        subject: text("subject")?,
        reason: text("reason")?,
        details: text("details")?,
        outcome_of: optional(row, "outcome_of")?,
        outcome: row.text("outcome")?,
        hash: bytes(row, "hash")?,
    })
}

fn audit_head(row: &impl Columns) -> Result<AuditHead, sqlx::Error> {
    Ok(AuditHead { seq: rows::number(row, "seq")?, hash: bytes(row, "hash")?, seal: bytes(row, "seal")? })
}

fn approval(row: &impl Columns) -> Result<Approval, sqlx::Error> {
    let text = |column: &str| row.text(column).map(Option::unwrap_or_default);
    let decision = match row.integer("is_approved")? {
        None => None,
        Some(is_approved) => Some(Decision {
            is_approved: is_approved == 1,
            by: text("decided_by")?,
            at_ms: rows::present(row, "decided_at_ms")?,
            audit_seq: rows::number(row, "decision_seq")?,
        }),
    };
    Ok(Approval {
        id: rows::number(row, "id")?,
        action: text("action")?,
        subject: text("subject")?,
        wish: text("wish")?,
        reason: text("reason")?,
        requested_by: text("requested_by")?,
        requested_at_ms: rows::present(row, "requested_at_ms")?,
        expires_at_ms: rows::present(row, "expires_at_ms")?,
        decision,
        done_at_ms: row.integer("done_at_ms")?,
    })
}

fn optional(row: &impl Columns, column: &str) -> Result<Option<u64>, sqlx::Error> {
    match row.integer(column)? {
        None => Ok(None),
        Some(_) => rows::number(row, column).map(Some),
    }
}

pub(crate) struct ReadAuditHead;

impl Work for ReadAuditHead {
    type Answer = Option<AuditHead>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT seq, hash, seal FROM audit_head WHERE id = 1", &[]).await?;
        Ok(End::Keep(only(&found, audit_head)?))
    }
}

pub(crate) struct AppendAudit {
    pub(crate) before: Option<AuditHead>,
    pub(crate) row: AuditRecord,
    pub(crate) head: AuditHead,
}

impl Work for AppendAudit {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let Self { before, row, head } = self;
        let seq = int(head.seq);
        let moved = match &before {
            None => {
                let sql = "INSERT INTO audit_head (id, seq, hash, seal) VALUES (1, $1, $2, $3)
                    ON CONFLICT DO NOTHING RETURNING id";
                on.rows(sql, &[seq.into(), (&head.hash).into(), (&head.seal).into()]).await?
            }
            Some(before) => {
                let sql = "UPDATE audit_head SET seq = $1, hash = $2, seal = $3
                    WHERE id = 1 AND seq = $4 AND hash = $5 RETURNING id";
                let values = [
                    seq.into(),
                    (&head.hash).into(),
                    (&head.seal).into(),
                    int(before.seq).into(),
                    (&before.hash).into(),
                ];
                on.rows(sql, &values).await?
            }
        };
        if moved.is_empty() {
            return Ok(End::Undo(false));
        }
        let sql =
            "INSERT INTO audit_row (seq, at_ms, nonce, operator, role, action, subject, reason, details,
                outcome_of, outcome, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT DO NOTHING RETURNING seq";
        let values = [
            int(row.seq).into(),
            row.at_ms.into(),
            Value::Bytes(Some(&row.nonce)),
            row.operator.as_str().into(),
            row.role.as_str().into(),
            row.action.as_str().into(),
            row.subject.as_str().into(),
            row.reason.as_str().into(),
            row.details.as_str().into(),
            row.outcome_of.map(int).into(),
            row.outcome.as_deref().into(),
            (&row.hash).into(),
        ];
        let is_stored = !on.rows(sql, &values).await?.is_empty();
        Ok(if is_stored { End::Keep(true) } else { End::Undo(false) })
    }
}

pub(crate) struct AuditAfter {
    pub(crate) seq: u64,
    pub(crate) limit: u32,
}

impl Work for AuditAfter {
    type Answer = Vec<AuditRecord>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM audit_row WHERE seq > $1 ORDER BY seq LIMIT $2";
        let limit = i64::from(self.limit.min(AUDIT_ROWS_MAX));
        let found = on.rows(sql, &[place(self.seq).into(), limit.into()]).await?;
        Ok(End::Keep(each(&found, audit_record)?))
    }
}

pub(crate) struct AuditPage {
    pub(crate) before: Option<u64>,
    pub(crate) limit: u32,
}

impl Work for AuditPage {
    type Answer = Vec<(AuditRecord, Option<String>)>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT audit_row.*, (SELECT told.outcome FROM audit_row AS told
                WHERE told.outcome_of = audit_row.seq ORDER BY told.seq LIMIT 1) AS came_of_it
            FROM audit_row WHERE outcome_of IS NULL AND seq < $1 ORDER BY seq DESC LIMIT $2";
        let limit = i64::from(self.limit.min(AUDIT_ROWS_MAX));
        let before = self.before.map_or(i64::MAX, place);
        let found = on.rows(sql, &[before.into(), limit.into()]).await?;
        Ok(End::Keep(each(&found, |row| Ok((audit_record(row)?, row.text("came_of_it")?)))?))
    }
}

/// A place from outside: beyond the end of numbers there is no row.
fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) struct PutApproval(pub(crate) Approval);

impl Work for PutApproval {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let it = self.0;
        let sql =
            "INSERT INTO panel_approval (id, action, subject, wish, reason, requested_by, requested_at_ms,
                expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = [
            int(it.id).into(),
            it.action.as_str().into(),
            it.subject.as_str().into(),
            it.wish.as_str().into(),
            it.reason.as_str().into(),
            it.requested_by.as_str().into(),
            it.requested_at_ms.into(),
            it.expires_at_ms.into(),
        ];
        on.rows(sql, &values).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct FindApproval(pub(crate) u64);

impl Work for FindApproval {
    type Answer = Option<Approval>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT * FROM panel_approval WHERE id = $1", &[place(self.0).into()]).await?;
        Ok(End::Keep(only(&found, approval)?))
    }
}

pub(crate) struct ReadApprovals(pub(crate) i64);

impl Work for ReadApprovals {
    type Answer = Vec<Approval>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM panel_approval
            ORDER BY CASE WHEN is_approved IS NULL AND expires_at_ms > $1 THEN 0 ELSE 1 END, id DESC LIMIT $2";
        let found = on.rows(sql, &[self.0.into(), i64::from(APPROVALS_MAX).into()]).await?;
        Ok(End::Keep(each(&found, approval)?))
    }
}

pub(crate) struct Decide {
    pub(crate) id: u64,
    pub(crate) decision: Decision,
}

impl Work for Decide {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let Decision { is_approved, by, at_ms, audit_seq } = self.decision;
        let sql = "UPDATE panel_approval SET is_approved = $2, decided_by = $3, decided_at_ms = $4, decision_seq = $5
            WHERE id = $1 AND is_approved IS NULL AND expires_at_ms > $4 RETURNING id";
        let values = [
            place(self.id).into(),
            i64::from(is_approved).into(),
            by.as_str().into(),
            at_ms.into(),
            int(audit_seq).into(),
        ];
        Ok(End::Keep(!on.rows(sql, &values).await?.is_empty()))
    }
}

pub(crate) struct FinishApproval {
    pub(crate) id: u64,
    pub(crate) now_ms: i64,
}

impl Work for FinishApproval {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let sql = "UPDATE panel_approval SET done_at_ms = coalesce(done_at_ms, $2) WHERE id = $1";
        on.rows(sql, &[place(self.id).into(), self.now_ms.into()]).await?;
        Ok(End::Keep(()))
    }
}
