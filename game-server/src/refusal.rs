//! Every refusal that the server itself makes, with its hint and whether trying again can help. The rules' own come
//! from the simulation.

use std::time::Duration;

use protocol::{code::RejectCode, server::Rejected};

/// How long a client waits when a queue is full: some flushes long.
const BUSY_RETRY_MS: u32 = 250;
/// How long a client waits when the store is away.
const READ_ONLY_RETRY_MS: u32 = 2_000;

/// Faster than the connection may.
pub fn rate(cmd_seq: Option<u64>, retry_after: Duration) -> Rejected {
    let retry_after_ms = u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX);
    RejectCode::Rate.rejected(cmd_seq, Some(retry_after_ms))
}

/// A queue is full.
pub fn busy(cmd_seq: Option<u64>) -> Rejected {
    RejectCode::Busy.rejected(cmd_seq, Some(BUSY_RETRY_MS))
}

/// The store is away.
pub fn read_only(cmd_seq: u64) -> Rejected {
    RejectCode::ReadOnly.rejected(Some(cmd_seq), Some(READ_ONLY_RETRY_MS))
}

/// Not the next number of the stream.
pub fn out_of_order(cmd_seq: u64, applied: u64) -> Rejected {
    let mut rejected = RejectCode::OutOfOrder.rejected(Some(cmd_seq), None);
    rejected.hint =
        format!("cmd_seq {} is next in this stream, not {cmd_seq}: {}", applied + 1, rejected.hint);
    rejected
}

/// Of a stream that made room for other devices.
pub fn stream_forgotten(cmd_seq: u64) -> Rejected {
    RejectCode::StreamForgotten.rejected(Some(cmd_seq), None)
}

/// A command whose values make no sense, or that the rules refuse.
pub fn with_code(cmd_seq: u64, code: &str, hint: String) -> Rejected {
    Rejected { cmd_seq: Some(cmd_seq), code: code.to_owned(), hint, retry_after_ms: None }
}
