//! How a store fails. Each variant is one somebody acts on; the table "when the database is away" is in the writer.

use std::fmt;

use crate::record::{Epoch, HeroId, NodeId};

/// Where a failure came from, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A hero that the caller may not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence {
    /// Which.
    pub hero: HeroId,
    /// The epoch the caller wrote with. An owner with a later epoch is not meant.
    pub epoch: Epoch,
    /// Why.
    pub why: FenceReason,
}

/// Why a hero's write was refused. The answer is always the same (drop the hero, claim, load); this is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FenceReason {
    /// Somebody else claimed or released the hero: the epoch is not the current one.
    Epoch,
    /// The first event is not the one after the last that is stored.
    Gap,
    /// Another event is stored at the same position.
    Conflict,
    /// The hero is quarantined.
    Quarantined,
    /// The store does not know the hero.
    Unknown,
}

impl fmt::Display for FenceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoch => "another owner",
            Self::Gap => "gap",
            Self::Conflict => "conflict",
            Self::Quarantined => "quarantined",
            Self::Unknown => "unknown hero",
        })
    }
}

/// A failed call of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The named heroes are not the caller's to write. Nothing of the call was stored: drop them, resend the rest.
    #[error("fenced: {}", Fences(heroes))]
    Fenced {
        /// The heroes that spoiled the call.
        heroes: Vec<Fence>,
    },
    /// Somebody held a lock or a transaction lost a race. Nothing was stored: send the same again soon.
    #[error("the store is busy")]
    Busy(#[source] Cause),
    /// The store cannot be reached or refuses work. Nothing was stored: degrade and try again with backoff.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// Nobody knows whether it was stored: send the identical call again and let its answer decide.
    #[error("it is not known whether the store kept the write")]
    Ambiguous(#[source] Cause),
    /// No space is left. Nothing was stored: read-only until there is space.
    #[error("the store is full")]
    Full(#[source] Cause),
    /// The data itself is refused (a constraint). Nothing was stored: split by hero and quarantine the offender.
    #[error("the store refuses the data: {what}")]
    Poison {
        /// What the store said.
        what: String,
    },
    /// Another node owns the hero and lives. It has been told that the hero is wanted: claim again in a moment.
    #[error("hero {hero} is held by node {}", node.0)]
    Held {
        /// Which.
        hero: HeroId,
        /// Who has it.
        node: NodeId,
    },
    /// The hero is quarantined and may not be claimed.
    #[error("hero {hero} is quarantined: {reason}")]
    Quarantined {
        /// Which.
        hero: HeroId,
        /// Why it was put there.
        reason: String,
    },
    /// What is stored about a hero contradicts itself: quarantine the hero, keep its rows.
    #[error("the journal of hero {hero} is damaged: {what}")]
    Corrupt {
        /// Whose.
        hero: HeroId,
        /// What does not fit.
        what: String,
    },
    /// Tables of another version, or none. The text says what to do. The process must not start.
    #[error("{what}")]
    SchemaUnknown {
        /// What was found and what to do.
        what: String,
    },
    /// Another process owns the store. The process must not start.
    #[error("{what}")]
    InUse {
        /// Who has it and what to do.
        what: String,
    },
    /// The store runs with settings that can lose data, or cannot be opened. The process must not start.
    #[error("{what}")]
    Unfit {
        /// What was found and what to do.
        what: String,
    },
    /// A write to the disk failed, or an invariant is broken: what is in memory can no longer be trusted. Exit 70 and
    /// let the supervisor restart (D15).
    #[error("the store is broken: {what}")]
    Broken {
        /// What happened.
        what: String,
    },
}

struct Fences<'a>(&'a [Fence]);

impl fmt::Display for Fences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A flush may hold hundreds of heroes; the log line stays short.
        const SHOWN_MAX: usize = 4;
        for (index, Fence { hero, epoch, why }) in self.0.iter().take(SHOWN_MAX).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{hero} at epoch {} ({why})", epoch.0)?;
        }
        match self.0.len().checked_sub(SHOWN_MAX) {
            Some(more @ 1..) => write!(f, " and {more} more"),
            _ => Ok(()),
        }
    }
}
