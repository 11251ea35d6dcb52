//! Where the operators' panel keeps its operators and its audit log: in the same database as the journal, with keys of the
//! server's secret. Every row of the audit log is a line of this server's log as well, so that an old copy of the database
//! that is put back can be told from the one that was.

use std::future::Future;
use std::sync::Arc;

use admin_http::views::Role;
use admin_http::{
    Answer, ApprovalRecord, AuditHead, AuditRecord, DecisionRecord, InvitationRecord, NewOperator,
    OperatorRecord, Records, Refused,
};
use data_encoding::HEXLOWER;
use persistence::accounts::TokenHash;
use persistence::operators::{self as kept, Accepted, OperatorChanged};
use persistence::{OperatorStore, StoreError};
use rand::Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::accounts::Keys;
use crate::accounts::password::{self, Passwords, Verified};
use crate::clock::Clock;

/// What a secret of an authenticator is sealed as.
const TOTP: &str = "operator totp";

/// The records of one database.
#[derive(Debug, Clone)]
pub struct NodeRecords {
    store: Store,
    keys: Keys,
    clock: Clock,
    passwords: Passwords,
}

#[derive(Clone)]
struct Store(Arc<dyn OperatorStore>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorStore")
    }
}

impl NodeRecords {
    /// Of this database, with these keys.
    pub fn new(store: Arc<dyn OperatorStore>, keys: Keys, clock: Clock, passwords: Passwords) -> Self {
        Self { store: Store(store), keys, clock, passwords }
    }

    fn store(&self) -> &dyn OperatorStore {
        &*self.store.0
    }

    fn operator_of(&self, kept: kept::Operator) -> Result<OperatorRecord, Refused> {
        let secret = self.keys.open_sealed(TOTP, owner(&kept.name), &kept.totp);
        if secret.is_none() {
            tracing::error!(
                operator = kept.name,
                "the secret of an authenticator cannot be read: no secret in SECRET_KEYS is the one it was made with; \
                 invite this operator anew"
            );
        }
        Ok(OperatorRecord {
            role: role_of(&kept.role)?,
            name: kept.name,
            password: kept.password,
            totp_secret: secret.unwrap_or_default(),
            revision: kept.revision,
            created_at_ms: kept.created_at_ms,
            last_login_ms: kept.last_login_ms,
            is_disabled: kept.disabled_at_ms.is_some(),
        })
    }

    async fn accept_now(&self, new: NewOperator) -> Result<Option<OperatorRecord>, Refused> {
        let token = TokenHash(new.token_hash);
        // For whom it is sealed, the invitation says.
        let Some(invitation) = looked(self.store().invitation(token)).await? else { return Ok(None) };
        let acceptance = kept::Acceptance {
            token,
            password: new.password,
            totp: self.keys.seal(TOTP, owner(&invitation.name), &new.totp_secret),
            totp_step: new.totp_step,
            now_ms: new.now_ms,
        };
        match asked(self.store().accept(acceptance)).await? {
            Accepted::Done(operator) => self.operator_of(operator).map(Some),
            Accepted::Unknown => Ok(None),
            Accepted::LastOwner => Err(last_owner()),
            Accepted::Full => Err(Refused::Conflict("there are as many operators as there may be".into())),
        }
    }
}

impl Records for NodeRecords {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }

    fn weak_password(&self, password: &str, name: &str) -> Option<&'static str> {
        password::check(password, name).err().map(password::Weak::hint)
    }

    fn hash_password(&self, password: String) -> Answer<'_, String> {
        Box::pin(async move { self.passwords.hash(password).await.map_err(|_busy| Refused::Busy) })
    }

    fn verify_password(&self, password: String, hash: Option<String>) -> Answer<'_, bool> {
        Box::pin(async move {
            let verified = self.passwords.verify(password, hash).await.map_err(|_busy| Refused::Busy)?;
            Ok(matches!(verified, Verified::Right { .. }))
        })
    }

    fn operators(&self) -> Answer<'_, Vec<OperatorRecord>> {
        Box::pin(async move {
            let operators = looked(self.store().operators()).await?;
            operators.into_iter().map(|operator| self.operator_of(operator)).collect()
        })
    }

    fn operator<'a>(&'a self, name: &'a str) -> Answer<'a, Option<OperatorRecord>> {
        Box::pin(async move {
            let operator = looked(self.store().operator(name)).await?;
            operator.map(|operator| self.operator_of(operator)).transpose()
        })
    }

    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        role: Option<Role>,
        is_disabled: Option<bool>,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let role = role.map(Role::as_str);
            match asked(self.store().change_operator(name, role, is_disabled, self.now_ms())).await? {
                OperatorChanged::Done => Ok(()),
                OperatorChanged::Missing => {
                    Err(Refused::NotFound("there is no operator of this name".into()))
                }
                OperatorChanged::LastOwner => Err(last_owner()),
            }
        })
    }

    fn use_code<'a>(&'a self, name: &'a str, step: i64, now_ms: i64) -> Answer<'a, bool> {
        Box::pin(asked(self.store().use_code(name, step, now_ms)))
    }

    fn put_invitation(&self, invitation: InvitationRecord) -> Answer<'_, ()> {
        let invitation = kept::Invitation {
            token: TokenHash(invitation.token_hash),
            name: invitation.name,
            role: invitation.role.as_str().to_owned(),
            expires_at_ms: invitation.expires_at_ms,
        };
        Box::pin(asked(self.store().put_invitation(invitation, self.now_ms())))
    }

    fn invitation(&self, token_hash: [u8; 32]) -> Answer<'_, Option<InvitationRecord>> {
        Box::pin(async move {
            let found = looked(self.store().invitation(TokenHash(token_hash))).await?;
            let view = |kept: kept::Invitation| {
                let role = role_of(&kept.role)?;
                Ok(InvitationRecord { token_hash, name: kept.name, role, expires_at_ms: kept.expires_at_ms })
            };
            found.map(view).transpose()
        })
    }

    fn accept(&self, new: NewOperator) -> Answer<'_, Option<OperatorRecord>> {
        Box::pin(self.accept_now(new))
    }

    fn audit_keys(&self) -> Vec<[u8; 32]> {
        self.keys.audit_keys()
    }

    fn audit_head(&self) -> Answer<'_, Option<AuditHead>> {
        Box::pin(async move {
            let head = looked(self.store().audit_head()).await?;
            Ok(head.map(|kept::AuditHead { seq, hash, seal }| AuditHead { seq, hash, seal }))
        })
    }

    fn append_audit(&self, before: Option<AuditHead>, row: AuditRecord, head: AuditHead) -> Answer<'_, bool> {
        Box::pin(async move {
            let end = |AuditHead { seq, hash, seal }| kept::AuditHead { seq, hash, seal };
            let is_stored =
                asked(self.store().append_audit(before.map(end), kept_row(row.clone()), end(head))).await?;
            if is_stored {
                log_row(&row);
            }
            Ok(is_stored)
        })
    }

    fn audit_after(&self, seq: u64, limit: u32) -> Answer<'_, Vec<AuditRecord>> {
        Box::pin(async move {
            let rows = looked(self.store().audit_after(seq, limit)).await?;
            Ok(rows.into_iter().map(row_of).collect())
        })
    }

    fn audit_page(&self, before: Option<u64>, limit: u32) -> Answer<'_, Vec<(AuditRecord, Option<String>)>> {
        Box::pin(async move {
            let rows = looked(self.store().audit_page(before, limit)).await?;
            Ok(rows.into_iter().map(|(row, outcome)| (row_of(row), outcome)).collect())
        })
    }

    fn put_approval(&self, approval: ApprovalRecord) -> Answer<'_, ()> {
        let approval = kept::Approval {
            id: approval.id,
            action: approval.action,
            subject: approval.subject,
            wish: approval.wish,
            reason: approval.reason,
            requested_by: approval.requested_by,
            requested_at_ms: approval.requested_at_ms,
            expires_at_ms: approval.expires_at_ms,
            decision: approval.decision.map(kept_decision),
            done_at_ms: approval.done_at_ms,
        };
        Box::pin(asked(self.store().put_approval(approval)))
    }

    fn approval(&self, id: u64) -> Answer<'_, Option<ApprovalRecord>> {
        Box::pin(async move { Ok(looked(self.store().approval(id)).await?.map(approval_of)) })
    }

    fn approvals(&self, now_ms: i64) -> Answer<'_, Vec<ApprovalRecord>> {
        Box::pin(async move {
            let approvals = looked(self.store().approvals(now_ms)).await?;
            Ok(approvals.into_iter().map(approval_of).collect())
        })
    }

    fn decide(&self, id: u64, decision: DecisionRecord) -> Answer<'_, bool> {
        Box::pin(asked(self.store().decide(id, kept_decision(decision))))
    }

    fn finish_approval(&self, id: u64, now_ms: i64) -> Answer<'_, ()> {
        Box::pin(asked(self.store().finish_approval(id, now_ms)))
    }
}

/// What a store answered, as the panel takes it.
async fn asked<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Refused> {
    answer.await.map_err(|error| {
        let refused = match error {
            StoreError::Busy(_) => Refused::Busy,
            StoreError::Unavailable(_) | StoreError::Full(_) => Refused::Away,
            StoreError::Ambiguous(_) => Refused::Unsure,
            _ => Refused::Internal,
        };
        let error = anyhow::Error::from(error);
        tracing::warn!(error = format!("{error:#}"), "the store of operators did not answer as hoped");
        refused
    })
}

/// The same of a question that changes nothing: without an answer nothing is unsure.
async fn looked<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Refused> {
    asked(answer).await.map_err(|refused| if refused == Refused::Unsure { Refused::Away } else { refused })
}

/// Whoever reads this line later knows what must stand in the audit log.
fn log_row(row: &AuditRecord) {
    tracing::info!(
        audit_seq = row.seq,
        audit_hash = HEXLOWER.encode(&row.hash),
        operator = row.operator,
        action = row.action,
        subject = row.subject,
        outcome_of = row.outcome_of,
        outcome = row.outcome,
        "audit"
    );
}

fn last_owner() -> Refused {
    Refused::Conflict("no owner would be left who can log in; make somebody else an owner first".into())
}

/// Whose a sealed secret is: moved to another operator it does not open.
fn owner(name: &str) -> Uuid {
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    Uuid::from_bytes(*hash.first_chunk().expect("a hash is longer"))
}

fn role_of(text: &str) -> Result<Role, Refused> {
    Role::parse(text).ok_or_else(|| {
        tracing::error!(role = text, "the database holds a role that this program does not know");
        Refused::Internal
    })
}

fn row_of(row: kept::AuditRecord) -> AuditRecord {
    AuditRecord {
        seq: row.seq,
        at_ms: row.at_ms,
        nonce: row.nonce,
        operator: row.operator,
        role: row.role,
        action: row.action,
        subject: row.subject,
        reason: row.reason,
        details: row.details,
        outcome_of: row.outcome_of,
        outcome: row.outcome,
        hash: row.hash,
    }
}

fn kept_row(row: AuditRecord) -> kept::AuditRecord {
    kept::AuditRecord {
        seq: row.seq,
        at_ms: row.at_ms,
        nonce: row.nonce,
        operator: row.operator,
        role: row.role,
        action: row.action,
        subject: row.subject,
        reason: row.reason,
        details: row.details,
        outcome_of: row.outcome_of,
        outcome: row.outcome,
        hash: row.hash,
    }
}

fn kept_decision(decision: DecisionRecord) -> kept::Decision {
    let DecisionRecord { is_approved, by, at_ms, audit_seq } = decision;
    kept::Decision { is_approved, by, at_ms, audit_seq }
}

fn approval_of(approval: kept::Approval) -> ApprovalRecord {
    let decision = |kept::Decision { is_approved, by, at_ms, audit_seq }| DecisionRecord {
        is_approved,
        by,
        at_ms,
        audit_seq,
    };
    ApprovalRecord {
        id: approval.id,
        action: approval.action,
        subject: approval.subject,
        wish: approval.wish,
        reason: approval.reason,
        requested_by: approval.requested_by,
        requested_at_ms: approval.requested_at_ms,
        expires_at_ms: approval.expires_at_ms,
        decision: approval.decision.map(decision),
        done_at_ms: approval.done_at_ms,
    }
}
