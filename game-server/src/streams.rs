//! Exactly-once: how far each device's stream of commands was applied, and the answers it may ask for again.
//!
//! It is part of the durable state of a hero: it is written into its snapshots and rebuilt from the command references
//! in its journal, so that a crash, a compaction or another owner changes no answer.

use std::collections::VecDeque;

use protocol::limit::{RESULTS_PER_STREAM_MAX, STREAMS_MAX};
use serde::{Deserialize, Serialize};

/// Forgotten streams that are still refused. More: the oldest could begin again at 1, and the store would refuse it and
/// lock the hero; so it is many more than a player's devices will ever draw, and still only some kilobytes.
const FORGOTTEN_MAX: usize = 1024;

/// The streams of one hero, at most [`STREAMS_MAX`]; a new one takes the place of the one unused for longest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    /// In order of use, the latest last.
    live: Vec<Stream>,
    /// Streams that made room; they never begin again, because their numbers are taken in the journal.
    forgotten: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stream {
    stream_id: u64,
    /// The last applied number; the next command must carry one more.
    applied: u64,
    /// Answers to the last commands, the newest last: they belong to `applied`, `applied − 1`, …
    answers: VecDeque<Answer>,
}

/// What a command was answered: its first event and what it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer(pub u64, pub Option<u32>);

/// What a command is to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The next one: apply it.
    Next,
    /// It was applied; nothing is left of its answer if that is too long ago.
    Repeat(Option<Answer>),
    /// The stream made room for others: the device must draw a new stream id.
    Forgotten,
    /// Something before it is missing.
    Ahead {
        /// The last applied number.
        applied: u64,
    },
}

impl Streams {
    /// The last applied number of a stream; 0 for one that is not known.
    #[must_use]
    pub fn applied(&self, stream_id: u64) -> u64 {
        self.find(stream_id).map_or(0, |stream| stream.applied)
    }

    /// Every stream and its last applied number.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.live.iter().map(|stream| (stream.stream_id, stream.applied))
    }

    /// Whether a command is to be applied.
    #[must_use]
    pub fn place(&self, stream_id: u64, cmd_seq: u64) -> Place {
        if self.forgotten.contains(&stream_id) {
            return Place::Forgotten;
        }
        let applied = self.applied(stream_id);
        if cmd_seq == applied + 1 {
            return Place::Next;
        }
        if cmd_seq == 0 || cmd_seq > applied {
            return Place::Ahead { applied };
        }
        let back = usize::try_from(applied - cmd_seq).unwrap_or(usize::MAX);
        let answers = self.find(stream_id).map(|stream| &stream.answers);
        Place::Repeat(answers.and_then(|answers| {
            let index = answers.len().checked_sub(1)?.checked_sub(back)?;
            answers.get(index).copied()
        }))
    }

    /// Notes that a command was applied.
    ///
    /// # Panics
    /// When it is not the next one of its stream: the caller must have asked [`Streams::place`].
    pub fn apply(&mut self, stream_id: u64, cmd_seq: u64, answer: Answer) {
        assert_eq!(cmd_seq, self.applied(stream_id) + 1, "stream {stream_id} took a command out of order");
        let mut stream = match self.live.iter().position(|stream| stream.stream_id == stream_id) {
            Some(index) => self.live.remove(index),
            None => Stream { stream_id, applied: 0, answers: VecDeque::new() },
        };
        stream.applied = cmd_seq;
        if stream.answers.len() == RESULTS_PER_STREAM_MAX {
            stream.answers.pop_front();
        }
        stream.answers.push_back(answer);
        // The order of use is the order in the list, so that a replay forgets the same stream.
        if self.live.len() == STREAMS_MAX {
            if self.forgotten.len() == FORGOTTEN_MAX {
                self.forgotten.remove(0);
            }
            self.forgotten.push(self.live.remove(0).stream_id);
        }
        self.live.push(stream);
    }

    fn find(&self, stream_id: u64) -> Option<&Stream> {
        self.live.iter().find(|stream| stream.stream_id == stream_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_applied_once_and_answered_again() {
        let mut streams = Streams::default();
        assert_eq!(streams.place(7, 1), Place::Next);
        streams.apply(7, 1, Answer(10, Some(3)));
        assert_eq!(streams.place(7, 1), Place::Repeat(Some(Answer(10, Some(3)))));
        assert_eq!(streams.place(7, 2), Place::Next);
        assert_eq!(streams.place(7, 3), Place::Ahead { applied: 1 });
        assert_eq!(streams.place(7, 0), Place::Ahead { applied: 1 });
    }

    #[test]
    fn old_answers_are_forgotten_but_never_applied_again() {
        let mut streams = Streams::default();
        for cmd_seq in 1..=100 {
            streams.apply(7, cmd_seq, Answer(cmd_seq * 2, None));
        }
        assert_eq!(streams.place(7, 100), Place::Repeat(Some(Answer(200, None))));
        assert_eq!(streams.place(7, 37), Place::Repeat(Some(Answer(74, None))));
        assert_eq!(streams.place(7, 36), Place::Repeat(None));
        assert_eq!(streams.place(7, 1), Place::Repeat(None));
    }

    #[test]
    fn the_stream_unused_for_longest_makes_room() {
        let mut streams = Streams::default();
        for stream_id in 1..=4 {
            streams.apply(stream_id, 1, Answer(stream_id, None));
        }
        streams.apply(1, 2, Answer(5, None));
        streams.apply(5, 1, Answer(6, None));
        assert_eq!(streams.applied(2), 0, "the second was unused for longest");
        assert_eq!(streams.place(2, 1), Place::Forgotten);
        assert_eq!(streams.place(2, 2), Place::Forgotten);
        assert_eq!((streams.applied(1), streams.applied(5)), (2, 1));
    }

    #[test]
    fn a_device_from_a_drawer_never_begins_again() {
        let mut streams = Streams::default();
        // Five devices take turns, and whoever was forgotten draws a new stream: for years.
        for stream_id in 1..=500 {
            streams.apply(stream_id, 1, Answer(stream_id, None));
        }
        assert_eq!(streams.place(1, 1), Place::Forgotten);
    }
}
