//! Commands from inside the server: what an account's settings, a union or an operator want of a hero.
//!
//! They take the way of a player's commands (decide, reserve room, journal, apply, answer when it is durable) on the node
//! that owns the hero; one that does not asks for it first. They belong to no stream, so that nothing says whether one
//! was applied before: where that matters it says so itself, and a second time changes nothing.

use std::{fmt, time::Duration};

use simulation::{command::Command, event::TimedEvent, hero::Hero, rejection::Rejection};
use tokio::sync::oneshot;

/// How long whoever asks waits: longer than a hero may take to come from another node.
pub const ACT_WITHIN: Duration = Duration::from_secs(30);

/// What a command from inside the server did.
#[derive(Clone, Debug)]
pub struct Acted {
    /// Nothing when it was true already.
    pub events: Vec<TimedEvent>,
    /// The place of the first of them in the journal; without events that of the last one there was.
    pub seq: u64,
    /// The hero before it, brought to the moment.
    pub before: Hero,
    /// The hero with it.
    pub hero: Hero,
}

/// Why a command from inside the server was not carried out, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActFailed {
    /// The rules refuse it. Nothing has changed.
    #[error("the rules refuse it: {}", .0.code())]
    Rejected(Rejection),
    /// A queue is full, or the hero does not come from another node. Nothing has changed: try again soon.
    #[error("too much is going on with this hero")]
    Busy,
    /// Nothing can be saved right now. Nothing has changed: try again later.
    #[error("nothing can be saved right now")]
    ReadOnly,
    /// The hero waits for repair. Nothing has changed.
    #[error("the hero is set aside for repair")]
    SetAside,
    /// It is not known whether it was done. Ask again: who wants the same gets the answer.
    #[error("it is not known whether it was done")]
    Unsure,
}

/// Where an answer goes.
pub type Answering = oneshot::Sender<Result<Acted, ActFailed>>;

/// A command on its way to a hero.
pub struct Act {
    pub(crate) command: Box<Command>,
    /// For a hero that has no zone yet.
    pub(crate) time_zone: Option<String>,
    pub(crate) answer: Answering,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A union's command is as large as a hero.
        f.debug_struct("Act").finish_non_exhaustive()
    }
}
