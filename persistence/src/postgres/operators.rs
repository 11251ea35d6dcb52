//! Operators beside the journal in the same database.

use super::{PostgresStore, in_time};
use crate::accounts::TokenHash;
use crate::operators::sql::{self, operator_store};
use crate::operators::{
    Acceptance, Accepted, Approval, AuditHead, AuditRecord, Decision, Invitation, Operator, OperatorChanged,
};
use crate::store::StoreFuture;

operator_store!(PostgresStore, in_time);
