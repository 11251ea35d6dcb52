//! Why the server refused a frame before the rules of the game were asked.
//!
//! The rules have refusals of their own (`session_open`, `too_expensive`, …); `docs/protocol.md` lists all of them.

use crate::server::Rejected;

/// A refusal by the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectCode {
    /// Sound MessagePack, but not a message: unknown field, wrong type, number out of range, string too long.
    Malformed,
    /// A command or a ping before `hello`.
    HelloExpected,
    /// A second `hello` on one socket.
    HelloRepeated,
    /// Not the last applied `cmd_seq` + 1, usually because an earlier command was refused.
    OutOfOrder,
    /// Four other devices of the hero were used since; the numbers of this stream are taken for ever.
    StreamForgotten,
    /// More frames, bytes or commands than allowed.
    Rate,
    /// The hero's queue is full for a moment.
    Busy,
    /// The store does not answer; timers go on.
    ReadOnly,
    /// The hero is set aside for repair by an operator.
    Quarantined,
    /// A mistake of the server.
    Internal,
}

impl RejectCode {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::HelloExpected,
        Self::HelloRepeated,
        Self::OutOfOrder,
        Self::StreamForgotten,
        Self::Rate,
        Self::Busy,
        Self::ReadOnly,
        Self::Quarantined,
        Self::Internal,
    ];

    /// The stable name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HelloExpected => "hello_expected",
            Self::HelloRepeated => "hello_repeated",
            Self::OutOfOrder => "out_of_order",
            Self::StreamForgotten => "stream_forgotten",
            Self::Rate => "rate",
            Self::Busy => "busy",
            Self::ReadOnly => "read_only",
            Self::Quarantined => "quarantined",
            Self::Internal => "internal",
        }
    }

    /// What to do about it, in plain words.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Malformed => "this frame is not a message; compare it with docs/protocol.md",
            Self::HelloExpected => "send hello first and wait for welcome",
            Self::HelloRepeated => "hello is sent once on a socket; open a new one to start over",
            Self::OutOfOrder => "number this command last applied + 1 and send it and all later ones again",
            Self::StreamForgotten => "draw a new stream_id, connect again and send this command as number 1",
            Self::Rate => "wait for retry_after_ms, then send slower",
            Self::Busy => "wait for retry_after_ms, then send the same command again",
            Self::ReadOnly => "nothing can be saved right now; keep the command and send it again later",
            Self::Quarantined => "this hero is being repaired; nothing is lost, try again later",
            Self::Internal => "a mistake of the server; send the same command again later",
        }
    }

    /// The refusal as a message.
    #[must_use]
    pub fn rejected(self, cmd_seq: Option<u64>, retry_after_ms: Option<u32>) -> Rejected {
        Rejected { cmd_seq, code: self.as_str().into(), hint: self.hint().into(), retry_after_ms }
    }
}
