//! `OperatorStore`: who may use the operators' panel, what they did, and what waits for a second one of them. In the same
//! database as the journal.
//!
//! The store keeps rows and compares; it knows no role but the word `owner`, verifies no password and no hash.

pub(crate) mod sql;

use crate::accounts::{Sealed, TokenHash};
use crate::store::StoreFuture;

/// Most operators. One more is refused.
pub const OPERATORS_MAX: u32 = 1_000;
/// Most approvals [`OperatorStore::approvals`] returns.
pub const APPROVALS_MAX: u32 = 100;
/// Most audit rows one call returns.
pub const AUDIT_ROWS_MAX: u32 = 1_000;

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// What it may do: `viewer`, `support`, `operator` or `owner`.
    pub role: String,
    /// The password's hash with its parameters, in PHC form.
    pub password: String,
    /// What it shares with its authenticator.
    pub totp: Sealed,
    /// The step of the last code that was used.
    pub totp_step: i64,
    /// Rises with every change that ends its logins.
    pub revision: i64,
    /// When it was made, server UTC.
    pub created_at_ms: i64,
    /// When it last logged in.
    pub last_login_ms: Option<i64>,
    /// Since when it may not log in.
    pub disabled_at_ms: Option<i64>,
}

/// What lets somebody become an operator, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What its token hashes to.
    pub token: TokenHash,
    /// For whom.
    pub name: String,
    /// As what.
    pub role: String,
    /// Until when.
    pub expires_at_ms: i64,
}

/// Somebody who accepts an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// What the token hashes to.
    pub token: TokenHash,
    /// The password's hash, in PHC form.
    pub password: String,
    /// What it shares with its authenticator.
    pub totp: Sealed,
    /// The step of the code that it showed.
    pub totp_step: i64,
    /// Now, server UTC.
    pub now_ms: i64,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The operator is there.
    Done(Operator),
    /// There is no such invitation, or not any more.
    Unknown,
    /// It would take the last owner its role. The invitation stays good.
    LastOwner,
    /// There are [`OPERATORS_MAX`].
    Full,
}

/// What became of a change of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorChanged {
    /// It is so now.
    Done,
    /// There is no such operator.
    Missing,
    /// No owner would be left that can log in.
    LastOwner,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place.
    pub seq: u64,
    /// When, server UTC.
    pub at_ms: i64,
    /// Random.
    pub nonce: [u8; 16],
    /// Who.
    pub operator: String,
    /// As what.
    pub role: String,
    /// What.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// What else, as JSON.
    pub details: String,
    /// The row whose outcome this one tells.
    pub outcome_of: Option<u64>,
    /// That outcome.
    pub outcome: Option<String>,
    /// Made by the caller.
    pub hash: [u8; 32],
}

/// Where the audit log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The last row's place.
    pub seq: u64,
    /// The last row's hash.
    pub hash: [u8; 32],
    /// Made by the caller.
    pub seal: [u8; 32],
}

/// A wish that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Which: the row of the audit log in which it was asked for.
    pub id: u64,
    /// What.
    pub action: String,
    /// To whom.
    pub subject: String,
    /// The wish, as JSON.
    pub wish: String,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub requested_by: String,
    /// Since when, server UTC.
    pub requested_at_ms: i64,
    /// Until when it can be decided.
    pub expires_at_ms: i64,
    /// What was decided.
    pub decision: Option<Decision>,
    /// When it was carried out.
    pub done_at_ms: Option<i64>,
}

/// A second person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it shall be done.
    pub is_approved: bool,
    /// Who said so.
    pub by: String,
    /// When, server UTC.
    pub at_ms: i64,
    /// The row of the audit log that says so.
    pub audit_seq: u64,
}

/// Where operators live. Every method may fail because the database is away.
pub trait OperatorStore: Send + Sync {
    /// All operators, by name.
    fn operators(&self) -> StoreFuture<'_, Vec<Operator>>;

    /// One of them.
    fn operator<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Operator>>;

    /// Changes what an operator may do; what is nothing stays.
    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        role: Option<&'a str>,
        is_disabled: Option<bool>,
        now_ms: i64,
    ) -> StoreFuture<'a, OperatorChanged>;

    /// Uses a code up and notes the login: `true` for the first caller with this step or a later one.
    fn use_code<'a>(&'a self, name: &'a str, step: i64, now_ms: i64) -> StoreFuture<'a, bool>;

    /// Keeps an invitation. An earlier one for the same name is void; those that ended before `now_ms` are forgotten.
    fn put_invitation(&self, invitation: Invitation, now_ms: i64) -> StoreFuture<'_, ()>;

    /// The invitation with this token, ended or not.
    fn invitation(&self, token: TokenHash) -> StoreFuture<'_, Option<Invitation>>;

    /// Uses an invitation up and makes its operator, or gives the one of its name the new role, password and
    /// authenticator. All or nothing.
    fn accept(&self, acceptance: Acceptance) -> StoreFuture<'_, Accepted>;

    /// Where the audit log ends; nothing before the first row.
    fn audit_head(&self) -> StoreFuture<'_, Option<AuditHead>>;

    /// Appends a row and moves the end to `head`, both or neither: `true` if the end was `before`, and nothing stood in
    /// the row's place.
    fn append_audit(
        &self,
        before: Option<AuditHead>,
        row: AuditRecord,
        head: AuditHead,
    ) -> StoreFuture<'_, bool>;

    /// Rows after a place, in order, at most `limit` and [`AUDIT_ROWS_MAX`].
    fn audit_after(&self, seq: u64, limit: u32) -> StoreFuture<'_, Vec<AuditRecord>>;

    /// Rows that are no outcome, newest first, before a place, at most `limit` and [`AUDIT_ROWS_MAX`], each with its
    /// outcome.
    fn audit_page(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<(AuditRecord, Option<String>)>>;

    /// Keeps a wish.
    ///
    /// # Errors
    /// [`crate::StoreError::Poison`] when there is one of this id.
    fn put_approval(&self, approval: Approval) -> StoreFuture<'_, ()>;

    /// One of them.
    fn approval(&self, id: u64) -> StoreFuture<'_, Option<Approval>>;

    /// Those that can be decided at `now_ms` first, then by id, the newest first; at most [`APPROVALS_MAX`].
    fn approvals(&self, now_ms: i64) -> StoreFuture<'_, Vec<Approval>>;

    /// Decides a wish: `true` for the first caller before its end.
    fn decide(&self, id: u64, decision: Decision) -> StoreFuture<'_, bool>;

    /// Notes that it was carried out; the first time counts.
    fn finish_approval(&self, id: u64, now_ms: i64) -> StoreFuture<'_, ()>;
}
