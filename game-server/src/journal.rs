//! Between heroes and the bytes of the journal: events to rows, rows to events, and a hero from its rows.
//!
//! State is snapshot + events. A fold runs no rule and draws no random number: an event is an outcome.

use bytes::Bytes;
use persistence::{CommandRef, EventBody, EventKind, EventRecord, SnapshotRecord};
use serde::{Deserialize, Serialize};
use simulation::{
    event::{Event, TimedEvent},
    hero::Hero,
};

use crate::streams::{Answer, Streams};

/// Version of the events and of the state; a reader refuses what is newer.
pub const SCHEMA_VERSION: u16 = simulation::hero::SCHEMA_VERSION;

/// A hero as it is kept: what the rules know, and how far each device's commands were applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredHero {
    /// What the rules know.
    pub hero: Hero,
    /// How far each device's commands were applied.
    pub streams: Streams,
}

/// Rows that do not fold to a hero. The hero is set aside and its rows are kept.
#[derive(Debug, thiserror::Error)]
pub enum FoldFailed {
    /// A row or state of a newer program.
    #[error("seq {seq} has schema version {found}, this program reads up to {SCHEMA_VERSION}: upgrade it")]
    TooNew {
        /// Where.
        seq: u64,
        /// Its version.
        found: u16,
    },
    /// Bytes that are not an event.
    #[error("seq {seq} cannot be read as an event")]
    Event {
        /// Where.
        seq: u64,
        /// What the decoder says.
        source: rmp_serde::decode::Error,
    },
    /// Bytes that are not a state.
    #[error("the snapshot at seq {seq} cannot be read")]
    State {
        /// Where.
        seq: u64,
        /// What the decoder says.
        source: rmp_serde::decode::Error,
    },
    /// A command that is not the next of its stream.
    #[error("seq {seq} holds command {cmd_seq} of stream {stream_id}, which is not the next one")]
    Stream {
        /// Where.
        seq: u64,
        /// Which stream.
        stream_id: u64,
        /// Which command.
        cmd_seq: u64,
    },
}

/// An event as a row of the journal.
#[must_use]
pub fn body(timed: &TimedEvent, command: Option<CommandRef>, catalogue_version: u32) -> EventBody {
    let payload = rmp_serde::to_vec_named(&timed.event).expect("events are plain data");
    EventBody {
        command,
        kind: EventKind::of(timed.event.kind()),
        schema_version: SCHEMA_VERSION,
        catalogue_version,
        at_ms: timed.at_ms,
        payload: payload.into(),
    }
}

/// The event in a row.
///
/// # Errors
/// [`FoldFailed::TooNew`] and [`FoldFailed::Event`].
pub fn event(record: &EventRecord) -> Result<TimedEvent, FoldFailed> {
    let seq = record.seq.0;
    readable(seq, record.schema_version)?;
    let event: Event =
        rmp_serde::from_slice(&record.payload).map_err(|source| FoldFailed::Event { seq, source })?;
    Ok(TimedEvent { at_ms: record.at_ms, event })
}

/// A state as it goes into a snapshot.
#[must_use]
pub fn encode_state(hero: &Hero, streams: &Streams) -> Bytes {
    /// The same shape as [`StoredHero`], borrowed.
    #[derive(Serialize)]
    struct Borrowed<'a> {
        hero: &'a Hero,
        streams: &'a Streams,
    }
    rmp_serde::to_vec_named(&Borrowed { hero, streams }).expect("heroes are plain data").into()
}

/// The state in a snapshot.
///
/// # Errors
/// [`FoldFailed::TooNew`] and [`FoldFailed::State`].
pub fn state(snapshot: &SnapshotRecord) -> Result<StoredHero, FoldFailed> {
    let seq = snapshot.seq.0;
    readable(seq, snapshot.schema_version)?;
    rmp_serde::from_slice(&snapshot.state).map_err(|source| FoldFailed::State { seq, source })
}

/// A hero from its snapshot and the events after it.
///
/// # Errors
/// Any [`FoldFailed`].
pub fn fold(snapshot: Option<&SnapshotRecord>, tail: &[EventRecord]) -> Result<StoredHero, FoldFailed> {
    let mut stored = snapshot.map(state).transpose()?.unwrap_or_default();
    for record in tail {
        apply(&mut stored, record)?;
    }
    Ok(stored)
}

/// Applies one row.
///
/// # Errors
/// Any [`FoldFailed`]; the state is as before then.
pub fn apply(stored: &mut StoredHero, record: &EventRecord) -> Result<TimedEvent, FoldFailed> {
    let timed = event(record)?;
    if let Some(CommandRef { stream_id, cmd_seq }) = record.command {
        let (stream_id, cmd_seq) = (stream_id.0, cmd_seq.0);
        // A stream that was forgotten begins again at 1; the first event of a stream decides.
        if cmd_seq != stored.streams.applied(stream_id) + 1 {
            return Err(FoldFailed::Stream { seq: record.seq.0, stream_id, cmd_seq });
        }
        stored.streams.apply(stream_id, cmd_seq, Answer(record.seq.0, timed.event.created_id()));
    }
    simulation::apply::apply(&mut stored.hero, &timed);
    Ok(timed)
}

fn readable(seq: u64, found: u16) -> Result<(), FoldFailed> {
    if found > SCHEMA_VERSION { Err(FoldFailed::TooNew { seq, found }) } else { Ok(()) }
}
