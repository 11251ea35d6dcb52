//! Between heroes and the bytes of the journal: events to rows, rows to events, and a hero from its rows.
//!
//! State is snapshot + events. A fold runs no rule and draws no random number: an event is an outcome.

use std::borrow::Cow;

use bytes::Bytes;
use persistence::{CommandRef, EventBody, EventKind, EventRecord, SnapshotRecord};
use serde::{Deserialize, Serialize};
use simulation::{
    event::{Event, TimedEvent},
    hero::Hero,
};

use crate::streams::{Answer, Streams};
use crate::texts::{TextDamaged, TextKey};

/// Version of the events and of the state; a reader refuses what is newer.
pub const SCHEMA_VERSION: u16 = simulation::hero::SCHEMA_VERSION;

/// Room that most events fit into.
const USUAL_EVENT_BYTES: usize = 256;

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
    /// A text that does not open with the hero's key.
    #[error("seq {seq}: {source}")]
    Text {
        /// Where.
        seq: u64,
        /// What is wrong.
        source: TextDamaged,
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

/// An event as a row of the journal, its texts encrypted.
#[must_use]
pub fn body(
    timed: &TimedEvent,
    command: Option<CommandRef>,
    catalogue_version: u32,
    texts: &TextKey,
) -> EventBody {
    let mut plain = Vec::with_capacity(USUAL_EVENT_BYTES);
    rmp_serde::encode::write_named(&mut plain, &timed.event).expect("events are plain data");
    let payload = texts.seal(plain);
    EventBody {
        command,
        kind: EventKind::of(timed.event.kind()),
        schema_version: SCHEMA_VERSION,
        catalogue_version,
        at_ms: timed.at_ms,
        payload: payload.into(),
    }
}

/// The event in a row. Without a key its texts stay sealed.
///
/// # Errors
/// [`FoldFailed::TooNew`], [`FoldFailed::Event`] and [`FoldFailed::Text`].
pub fn event(record: &EventRecord, texts: Option<&TextKey>) -> Result<TimedEvent, FoldFailed> {
    let seq = record.seq.0;
    readable(seq, record.schema_version)?;
    let payload = open(seq, &record.payload, texts)?;
    let event: Event = rmp_serde::from_slice(&payload).map_err(|source| FoldFailed::Event { seq, source })?;
    Ok(TimedEvent { at_ms: record.at_ms, event })
}

/// A state as it goes into a snapshot, its texts encrypted.
#[must_use]
pub fn encode_state(hero: &Hero, streams: &Streams, texts: &TextKey) -> Bytes {
    /// The same shape as [`StoredHero`], borrowed.
    #[derive(Serialize)]
    struct Borrowed<'a> {
        hero: &'a Hero,
        streams: &'a Streams,
    }
    texts.seal(rmp_serde::to_vec_named(&Borrowed { hero, streams }).expect("heroes are plain data")).into()
}

/// The state in a snapshot. Without a key its texts stay sealed.
///
/// # Errors
/// [`FoldFailed::TooNew`], [`FoldFailed::State`] and [`FoldFailed::Text`].
pub fn state(snapshot: &SnapshotRecord, texts: Option<&TextKey>) -> Result<StoredHero, FoldFailed> {
    let seq = snapshot.seq.0;
    readable(seq, snapshot.schema_version)?;
    rmp_serde::from_slice(&open(seq, &snapshot.state, texts)?)
        .map_err(|source| FoldFailed::State { seq, source })
}

/// A hero from its snapshot and the events after it.
///
/// # Errors
/// Any [`FoldFailed`].
pub fn fold(
    snapshot: Option<&SnapshotRecord>,
    tail: &[EventRecord],
    texts: Option<&TextKey>,
) -> Result<StoredHero, FoldFailed> {
    let mut stored = snapshot.map(|it| state(it, texts)).transpose()?.unwrap_or_default();
    for record in tail {
        apply(&mut stored, record, texts)?;
    }
    Ok(stored)
}

/// Applies one row.
///
/// # Errors
/// Any [`FoldFailed`]; the state is as before then.
pub fn apply(
    stored: &mut StoredHero,
    record: &EventRecord,
    texts: Option<&TextKey>,
) -> Result<TimedEvent, FoldFailed> {
    let timed = event(record, texts)?;
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

fn open<'a>(seq: u64, stored: &'a [u8], texts: Option<&TextKey>) -> Result<Cow<'a, [u8]>, FoldFailed> {
    let opened = texts.map_or(Ok(Cow::Borrowed(stored)), |texts| texts.open(stored));
    opened.map_err(|source| FoldFailed::Text { seq, source })
}

fn readable(seq: u64, found: u16) -> Result<(), FoldFailed> {
    if found > SCHEMA_VERSION { Err(FoldFailed::TooNew { seq, found }) } else { Ok(()) }
}
