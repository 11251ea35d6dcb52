//! The client's half of exactly-once: numbers commands, remembers them before they are sent, repeats them unchanged.
//!
//! A command keeps its number until the server has said that it did *not* apply it. Only then, and only when no earlier
//! frame is still on its way, are the numbers above the last applied one given again. Knows no socket and no clock.

use std::collections::VecDeque;

use protocol::client::{Command, CommandFrame};
use protocol::server::{CommandResult, Rejected};

/// Commands a device holds at most, sent or not. Full: the player waits.
pub const PENDING_MAX: usize = 16;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Not sent on this socket.
    Waiting,
    /// Sent, not answered.
    Sent,
    /// The server said that it was not applied, and that it may work later.
    SendAgain,
    /// The server said that it was not applied and never will be.
    Refused,
}

/// A command that is not known to be done.
#[derive(Clone, Debug)]
struct Pending {
    cmd_seq: u64,
    entry: usize,
    body: Command,
    progress: Progress,
}

/// A command on its way out, and which line of the ledger it is.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The line of the ledger.
    pub entry: usize,
    /// The frame.
    pub frame: CommandFrame,
}

/// The commands whose answers were lost with a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resumed {
    /// The server had applied so many of them.
    pub applied: u64,
    /// And so many not.
    pub open: u64,
}

/// What an answer means for the line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Done.
    Done(usize),
    /// Will never be done.
    Refused(usize),
    /// Not done yet; it will be sent again.
    Again(usize),
    /// An answer to nothing that was asked.
    Unasked,
}

/// The command stream of one device.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    applied: u64,
    pending: VecDeque<Pending>,
}

impl Outbox {
    /// The highest number that the server is known to have applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// How many commands are not known to be done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// How many commands were sent and are not answered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.pending.iter().filter(|pending| pending.progress == Progress::Sent).count()
    }

    /// Whether there is room for one more command.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.pending.len() < PENDING_MAX
    }

    /// Takes a command; it gets the next number.
    ///
    /// # Panics
    /// When there is no room: ask [`Self::has_room`] first.
    pub fn push(&mut self, entry: usize, body: Command) {
        assert!(self.has_room(), "the outbox is full");
        let cmd_seq = self.pending.back().map_or(self.applied, |last| last.cmd_seq) + 1;
        self.pending.push_back(Pending { cmd_seq, entry, body, progress: Progress::Waiting });
    }

    /// What to send now, in order. Nothing while a refusal is being cleared up.
    pub fn take_outgoing(&mut self) -> Vec<Outgoing> {
        self.renumber();
        if self.is_clearing() {
            return Vec::new();
        }
        let mut outgoing = Vec::new();
        for pending in &mut self.pending {
            if pending.progress == Progress::Waiting {
                pending.progress = Progress::Sent;
                let frame = CommandFrame { cmd_seq: pending.cmd_seq, body: pending.body.clone() };
                outgoing.push(Outgoing { entry: pending.entry, frame });
            }
        }
        outgoing
    }

    /// `durable` or `duplicate` came.
    pub fn on_done(&mut self, result: &CommandResult) -> Answered {
        let Some(index) = self.pending.iter().position(|pending| pending.cmd_seq == result.cmd_seq) else {
            return Answered::Unasked;
        };
        let entry = self.pending.remove(index).map_or(0, |pending| pending.entry);
        self.applied = self.applied.max(result.cmd_seq);
        Answered::Done(entry)
    }

    /// `rejected` came.
    pub fn on_rejected(&mut self, rejected: &Rejected) -> Answered {
        let later = rejected.retry_after_ms.is_some() || is_worth_repeating(&rejected.code);
        let found = self
            .pending
            .iter_mut()
            .find(|pending| Some(pending.cmd_seq) == rejected.cmd_seq && pending.progress == Progress::Sent);
        match found {
            // Put off without a look at the stream, by a server that is busy or stops: it is applied all the same, and
            // only its answer is still to come.
            Some(pending) if later && pending.cmd_seq <= self.applied => {
                pending.progress = Progress::Waiting;
                Answered::Again(pending.entry)
            }
            Some(pending) if later => {
                pending.progress = Progress::SendAgain;
                Answered::Again(pending.entry)
            }
            Some(pending) => {
                pending.progress = Progress::Refused;
                Answered::Refused(pending.entry)
            }
            None => Answered::Unasked,
        }
    }

    /// `welcome` came on a fresh socket: everything is sent again, with its old number. What the server has applied
    /// already is answered with `duplicate`, which brings the answer that got lost.
    pub fn on_welcome(&mut self, cmd_seq_applied: u64) -> Resumed {
        self.applied = self.applied.max(cmd_seq_applied);
        let mut resumed = Resumed::default();
        for pending in &mut self.pending {
            match pending.progress {
                Progress::Sent => {
                    pending.progress = Progress::Waiting;
                    if pending.cmd_seq <= cmd_seq_applied { resumed.applied += 1 } else { resumed.open += 1 }
                }
                Progress::Waiting | Progress::SendAgain | Progress::Refused => {}
            }
        }
        resumed
    }

    /// The server has forgotten what it said it had: the stream starts over behind what is left.
    pub fn forget(&mut self, cmd_seq_applied: u64) -> Vec<usize> {
        self.applied = cmd_seq_applied;
        self.pending.drain(..).map(|pending| pending.entry).collect()
    }

    fn is_clearing(&self) -> bool {
        self.pending.iter().any(|pending| matches!(pending.progress, Progress::SendAgain | Progress::Refused))
    }

    /// Gives the numbers behind the last applied one again, once nothing is in flight any more.
    fn renumber(&mut self) {
        if self.in_flight() > 0 || !self.is_clearing() {
            return;
        }
        self.pending.retain(|pending| pending.progress != Progress::Refused);
        let applied = self.applied;
        // A number at or below the mark belongs to a command that is applied: it must not change.
        let (known, open): (VecDeque<_>, VecDeque<_>) =
            self.pending.drain(..).partition(|pending| pending.cmd_seq <= applied);
        self.pending = known;
        for (number, mut pending) in (applied + 1..).zip(open) {
            pending.cmd_seq = number;
            pending.progress = Progress::Waiting;
            self.pending.push_back(pending);
        }
    }
}

/// Refusals that say nothing about the command itself.
#[must_use]
pub fn is_worth_repeating(code: &str) -> bool {
    matches!(code, "out_of_order" | "busy" | "rate" | "read_only" | "quarantined" | "internal")
}

#[cfg(test)]
mod tests;
