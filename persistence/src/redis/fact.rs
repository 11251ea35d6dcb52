//! What the cache tells, for metrics and the log: closed sets, never an id.

use std::time::Duration;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheFact {
    /// A call ended, or a hint came. Every call is told exactly once.
    Called {
        /// Which.
        call: Call,
        /// How.
        outcome: Outcome,
        /// How long it took; zero when nothing was sent.
        took: Duration,
    },
    /// Redis is not asked any more until a probe succeeds.
    Away {
        /// Why.
        why: String,
        /// When it is probed next.
        after: Duration,
    },
    /// Redis is connected, with its subscriptions.
    Back,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A hot snapshot was read.
    GetSnapshot,
    /// A hot snapshot was written.
    PutSnapshot,
    /// Where a hero's devices are was read.
    GetAt,
    /// Where a hero's devices are was written.
    PutAt,
    /// The nodes were listed.
    GetPresence,
    /// This node said that it is there.
    PutPresence,
    /// A soft counter was raised.
    Count,
    /// A hint was sent.
    SendHint,
    /// A hint came.
    HearHint,
    /// A value that was no value of ours was deleted.
    Forget,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; what was asked for is there.
    Done,
    /// What was asked for is not there.
    Absent,
    /// Redis is away: nothing was sent.
    Away,
    /// No answer in time.
    Slow,
    /// Redis could not: the connection broke, it is loading, full or read-only.
    Failed,
    /// The queue is full: nothing was sent.
    Full,
    /// What came is not believed.
    Lied(Lie),
}

/// Why something that came from Redis is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// It was not sealed by us, or for another place.
    BadSeal,
    /// It is nothing of ours at all.
    Nonsense,
    /// It is larger than anything of ours.
    TooLarge,
}
