//! Operators beside the journal in the same file.

use super::SqliteStore;
use crate::accounts::TokenHash;
use crate::operators::sql::{self, operator_store};
use crate::operators::{
    Acceptance, Accepted, Approval, AuditHead, AuditRecord, Decision, Invitation, Operator, OperatorChanged,
};
use crate::store::StoreFuture;

operator_store!(SqliteStore, Box::pin);
