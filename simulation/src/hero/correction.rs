//! Corrections by operators that a hero remembers, so that none is done twice.

use serde::{Deserialize, Serialize};

/// Corrections that a hero remembers. Whoever asks twice does so within minutes; what was taken back before so many
/// others is found in the journal.
pub const CORRECTIONS_KEPT: usize = 32;

/// A correction that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The row of the audit log that asked for it.
    pub audit_seq: u64,
    /// The event that it took back.
    pub reverts: Option<u64>,
}
