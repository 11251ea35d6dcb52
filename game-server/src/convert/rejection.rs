//! Refusals of the rules as messages.

use protocol::server::Rejected;
use simulation::rejection::Rejection;

/// A refusal by the rules. Waiting never helps by itself, so there is nothing to retry after.
pub fn rejected(cmd_seq: u64, rejection: &Rejection) -> Rejected {
    Rejected {
        cmd_seq: Some(cmd_seq),
        code: rejection.code().to_owned(),
        hint: rejection.hint(),
        retry_after_ms: None,
    }
}
