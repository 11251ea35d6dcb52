//! What the panel keeps, and what it cannot make itself: one trait, which the server implements over its database. This
//! crate hashes no password and knows no clock.

use crate::operations::Answer;
use crate::views::Role;

/// Most operators that are listed; more are refused.
pub const OPERATORS_MAX: usize = 1_000;
/// Most approvals that are listed.
pub const APPROVALS_MAX: usize = 100;

/// An operator as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorRecord {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The password's hash.
    pub password: String,
    /// What it shares with its authenticator; empty when the server cannot read it any more.
    pub totp_secret: Vec<u8>,
    /// Rises with every change that ends the operator's logins.
    pub revision: i64,
    /// Since when.
    pub created_at_ms: i64,
    /// When it last logged in.
    pub last_login_ms: Option<i64>,
    /// Whether it may not log in.
    pub is_disabled: bool,
}

impl std::fmt::Debug for OperatorRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorRecord")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What lets somebody become an operator, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRecord {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// For whom.
    pub name: String,
    /// As what.
    pub role: Role,
    /// Until when.
    pub expires_at_ms: i64,
}

/// Somebody who accepts an invitation.
#[derive(Clone)]
pub struct NewOperator {
    /// SHA-256 of the token, which is used up.
    pub token_hash: [u8; 32],
    /// The password's hash.
    pub password: String,
    /// What it shares with its authenticator.
    pub totp_secret: Vec<u8>,
    /// The step of the code that it showed: no code up to it is good again.
    pub totp_step: i64,
    /// Now.
    pub now_ms: i64,
}

impl std::fmt::Debug for NewOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewOperator(…)")
    }
}

/// A row of the audit log as it is kept. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place: 1 for the first, without a gap.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// Random, so that no two rows are the same.
    pub nonce: [u8; 16],
    /// Who.
    pub operator: String,
    /// What that operator might do then; empty for somebody unknown.
    pub role: String,
    /// What.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// What else was said, as JSON, at most 4 KiB.
    pub details: String,
    /// The row whose outcome this one tells.
    pub outcome_of: Option<u64>,
    /// That outcome.
    pub outcome: Option<String>,
    /// Keyed, over the row and the hash of the one before.
    pub hash: [u8; 32],
}

/// Where the audit log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last row's place, which is also how many there are.
    pub seq: u64,
    /// The last row's hash.
    pub hash: [u8; 32],
    /// Keyed, over both: nobody without the key can make another end.
    pub seal: [u8; 32],
}

/// A wish that waits for a second person, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRecord {
    /// The row of the audit log in which it was asked for.
    pub id: u64,
    /// What.
    pub action: String,
    /// To whom.
    pub subject: String,
    /// The wish itself, as JSON.
    pub wish: String,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub requested_by: String,
    /// Since when.
    pub requested_at_ms: i64,
    /// Until when somebody may decide.
    pub expires_at_ms: i64,
    /// What was decided.
    pub decision: Option<DecisionRecord>,
    /// When it was carried out.
    pub done_at_ms: Option<i64>,
}

/// A second person's word, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Whether it shall be done.
    pub is_approved: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// The row of the audit log that says so. It names the effect, so that it happens once.
    pub audit_seq: u64,
}

/// Where operators, invitations, the audit log and approvals are kept.
pub trait Records: Send + Sync + 'static {
    /// Server UTC.
    fn now_ms(&self) -> i64;
    /// Fills the bytes with what nobody can guess.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Why a new password is not taken: what to do about it.
    fn weak_password(&self, password: &str, name: &str) -> Option<&'static str>;
    /// The hash of a new password. Slow on purpose.
    fn hash_password(&self, password: String) -> Answer<'_, String>;
    /// Whether a password is the one of a hash. Without a hash it takes as long and is wrong.
    fn verify_password(&self, password: String, hash: Option<String>) -> Answer<'_, bool>;

    /// All operators by name, at most [`OPERATORS_MAX`].
    fn operators(&self) -> Answer<'_, Vec<OperatorRecord>>;
    /// One of them.
    fn operator<'a>(&'a self, name: &'a str) -> Answer<'a, Option<OperatorRecord>>;
    /// Changes what an operator may do. What is nothing stays.
    ///
    /// Refuses [`crate::Refused::NotFound`], and [`crate::Refused::Conflict`] when no owner would be left.
    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        role: Option<Role>,
        is_disabled: Option<bool>,
    ) -> Answer<'a, ()>;
    /// Uses the code of a step up, and notes the login. `false` when it, or a later one, was used before.
    fn use_code<'a>(&'a self, name: &'a str, step: i64, now_ms: i64) -> Answer<'a, bool>;

    /// Keeps an invitation; those that ended are forgotten.
    fn put_invitation(&self, invitation: InvitationRecord) -> Answer<'_, ()>;
    /// The invitation of this token, also one that has ended.
    fn invitation(&self, token_hash: [u8; 32]) -> Answer<'_, Option<InvitationRecord>>;
    /// Uses an invitation up; the operator is there from now on, or has another password and authenticator. Nothing when
    /// the invitation is used or has ended.
    ///
    /// Refuses [`crate::Refused::Conflict`] when no owner would be left.
    fn accept(&self, new: NewOperator) -> Answer<'_, Option<OperatorRecord>>;

    /// The keys of the audit log: the first one writes, every one verifies.
    fn audit_keys(&self) -> Vec<[u8; 32]>;
    /// Where the log ends; nothing before the first row.
    fn audit_head(&self) -> Answer<'_, Option<AuditHead>>;
    /// Appends a row and moves the end, both or neither, if the end is still `before`; else `false`.
    fn append_audit(&self, before: Option<AuditHead>, row: AuditRecord, head: AuditHead) -> Answer<'_, bool>;
    /// Rows after a place, in order, at most `limit`.
    fn audit_after(&self, seq: u64, limit: u32) -> Answer<'_, Vec<AuditRecord>>;
    /// Rows that are no outcome, newest first, before a place, at most `limit`, each with its outcome.
    fn audit_page(&self, before: Option<u64>, limit: u32) -> Answer<'_, Vec<(AuditRecord, Option<String>)>>;

    /// Keeps a wish.
    fn put_approval(&self, approval: ApprovalRecord) -> Answer<'_, ()>;
    /// One of them.
    fn approval(&self, id: u64) -> Answer<'_, Option<ApprovalRecord>>;
    /// Those that can still be decided at `now_ms` first, then the newest, at most [`APPROVALS_MAX`].
    fn approvals(&self, now_ms: i64) -> Answer<'_, Vec<ApprovalRecord>>;
    /// Decides, if nobody has and it has not ended at the decision's time; else `false`.
    fn decide(&self, id: u64, decision: DecisionRecord) -> Answer<'_, bool>;
    /// Notes that it was carried out.
    fn finish_approval(&self, id: u64, now_ms: i64) -> Answer<'_, ()>;
}
