//! What the journal keeps: one event, one snapshot, and the hash chain that ties them together.
//!
//! An event is an outcome, never a command (D6). Each carries the SHA-256 of the event before it, so that a lost,
//! doubled, reordered or changed row is noticed by whoever reads the history.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Largest payload of one event. An event is a handful of amounts and ids; a larger one is a bug.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024;
/// Largest state in one snapshot. A hero is bounded by the rules; a larger one is a bug.
pub const STATE_BYTES_MAX: usize = 1024 * 1024;
/// Longest event kind, in bytes.
pub const KIND_BYTES_MAX: usize = 48;
/// Most events one call of [`crate::JournalStore::append`] may hold over all heroes. The writer flushes at 256; a
/// whole command that crosses that line may add up to [`GROUP_EVENTS_MAX`].
pub const APPEND_EVENTS_MAX: usize = 512;
/// Most events one command may cause: the room of one hero in the writer's queue (D7).
pub const GROUP_EVENTS_MAX: usize = 64;
/// Most rows one page of [`crate::JournalStore::events`] or [`crate::JournalStore::heroes`] holds; larger limits are
/// cut to it.
pub const PAGE_ROWS_MAX: u32 = 1_000;
/// Most events [`crate::JournalStore::load`] replays. With a snapshot every 200 events a tail is some hundreds; this
/// allows for a hero whose snapshots are all bad.
pub const TAIL_EVENTS_MAX: u64 = 200_000;
/// Snapshots kept per hero (the newest ones).
pub const SNAPSHOTS_KEPT: u32 = 3;
/// Largest stream id and command number: what a JavaScript number holds exactly.
pub const CLIENT_NUMBER_MAX: u64 = (1 << 53) - 1;

/// Names a hero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeroId(pub Uuid);

impl fmt::Display for HeroId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for HeroId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeroId({self})")
    }
}

impl FromStr for HeroId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// Names a server process. A restarted server is another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// Which ownership of a hero wrote something. It comes from the database alone and rises on every claim (D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Position of an event in its hero's history: 1, 2, 3 … without gaps (D1). 0 stands for "before the first event".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names one device's stream of commands, chosen by the client; at most [`CLIENT_NUMBER_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub u64);

/// Number of a command in its stream: 1, 2, 3 …; at most [`CLIENT_NUMBER_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandSeq(pub u64);

/// The command that caused an event. Only the first event of a command carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandRef {
    /// The stream of the device that sent it.
    pub stream_id: StreamId,
    /// Its number in that stream.
    pub cmd_seq: CommandSeq,
}

/// Short name of what an event is, such as `session_started`: ASCII lower case, digits, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventKind(Cow<'static, str>);

impl EventKind {
    /// A kind known at compile time.
    ///
    /// # Panics
    /// When the name breaks the rules of a kind: that is a bug of the caller.
    #[must_use]
    pub fn of(name: &'static str) -> Self {
        assert!(is_kind(name), "event kind {name:?} is not 1 to {KIND_BYTES_MAX} of a-z 0-9 _ .");
        Self(Cow::Borrowed(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EventKind {
    type Error = BadKind;

    fn try_from(name: String) -> Result<Self, BadKind> {
        if is_kind(&name) { Ok(Self(Cow::Owned(name))) } else { Err(BadKind) }
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        kind.0.into_owned()
    }
}

/// A text that is no event kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event kind is 1 to {KIND_BYTES_MAX} of a-z 0-9 _ .")]
pub struct BadKind;

fn is_kind(name: &str) -> bool {
    (1..=KIND_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.')
}

/// SHA-256 over an event and everything before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain(pub [u8; 32]);

impl Chain {
    /// The chain of a hero without events. It depends on the hero, so that two histories cannot be swapped.
    #[must_use]
    pub fn genesis(hero: HeroId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"dopamine-hero genesis 1");
        hash.update(hero.0.as_bytes());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({self})")
    }
}

/// What an owner knows about an event before it gets its place in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBody {
    /// The command behind it; only on the first event of a command.
    pub command: Option<CommandRef>,
    /// What it is.
    pub kind: EventKind,
    /// Version of the payload's format.
    pub schema_version: u16,
    /// Version of the catalogue the rules used.
    pub catalogue_version: u32,
    /// When it happened, server UTC.
    pub at_ms: i64,
    /// The event itself, at most [`PAYLOAD_BYTES_MAX`]; the store never looks into it.
    pub payload: Bytes,
}

/// One row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Whose.
    pub hero: HeroId,
    /// Its position, gap-free from 1.
    pub seq: Seq,
    /// The ownership that wrote it.
    pub epoch: Epoch,
    /// The command behind it; only on the first event of a command.
    pub command: Option<CommandRef>,
    /// What it is.
    pub kind: EventKind,
    /// Version of the payload's format.
    pub schema_version: u16,
    /// Version of the catalogue the rules used.
    pub catalogue_version: u32,
    /// When it happened, server UTC.
    pub at_ms: i64,
    /// SHA-256 over the previous event's chain and this record.
    pub chain: Chain,
    /// The event itself.
    pub payload: Bytes,
}

impl EventRecord {
    /// Gives an event its place after `previous` and computes its chain.
    #[must_use]
    pub fn seal(hero: HeroId, epoch: Epoch, seq: Seq, previous: Chain, body: EventBody) -> Self {
        let EventBody { command, kind, schema_version, catalogue_version, at_ms, payload } = body;
        let mut record = Self {
            hero,
            seq,
            epoch,
            command,
            kind,
            schema_version,
            catalogue_version,
            at_ms,
            chain: previous,
            payload,
        };
        record.chain = record.chain_after(previous);
        record
    }

    /// The chain this record must carry when it stands after `previous`.
    #[must_use]
    pub fn chain_after(&self, previous: Chain) -> Chain {
        // Fixed widths and lengths before every variable part: two different records never encode to equal bytes.
        let mut hash = Sha256::new();
        hash.update(b"dopamine-hero event 1");
        hash.update(previous.0);
        hash.update(self.hero.0.as_bytes());
        hash.update(self.seq.0.to_be_bytes());
        hash.update(self.epoch.0.to_be_bytes());
        match self.command {
            None => hash.update([0]),
            Some(CommandRef { stream_id, cmd_seq }) => {
                hash.update([1]);
                hash.update(stream_id.0.to_be_bytes());
                hash.update(cmd_seq.0.to_be_bytes());
            }
        }
        hash.update((self.kind.as_str().len() as u64).to_be_bytes());
        hash.update(self.kind.as_str().as_bytes());
        hash.update(self.schema_version.to_be_bytes());
        hash.update(self.catalogue_version.to_be_bytes());
        hash.update(self.at_ms.to_be_bytes());
        hash.update((self.payload.len() as u64).to_be_bytes());
        hash.update(&self.payload);
        Chain(hash.finalize().into())
    }

    /// Bytes this record takes in queues and flushes: the payload and a flat amount for the rest of the row.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.payload.len() + Self::ROW_BYTES
    }

    /// What [`EventRecord::bytes`] adds to the payload.
    pub const ROW_BYTES: usize = 160;
}

/// A hero's whole state at one position of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// Whose.
    pub hero: HeroId,
    /// The last event the state contains.
    pub seq: Seq,
    /// The ownership that made it.
    pub epoch: Epoch,
    /// Version of the state's format.
    pub schema_version: u16,
    /// The chain of the event at `seq`.
    pub chain: Chain,
    /// SHA-256 over the state and every other field.
    pub state_hash: [u8; 32],
    /// The state, at most [`STATE_BYTES_MAX`]; the store never looks into it.
    pub state: Bytes,
    /// When it was made, server UTC.
    pub at_ms: i64,
}

impl SnapshotRecord {
    /// Makes a snapshot and its hash.
    #[must_use]
    pub fn seal(
        hero: HeroId,
        seq: Seq,
        epoch: Epoch,
        schema_version: u16,
        chain: Chain,
        state: Bytes,
        at_ms: i64,
    ) -> Self {
        let mut record = Self { hero, seq, epoch, schema_version, chain, state_hash: [0; 32], state, at_ms };
        record.state_hash = record.hash();
        record
    }

    /// Whether nothing in it was changed since it was made.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.state_hash == self.hash()
    }

    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"dopamine-hero snapshot 1");
        hash.update(self.hero.0.as_bytes());
        hash.update(self.seq.0.to_be_bytes());
        hash.update(self.epoch.0.to_be_bytes());
        hash.update(self.schema_version.to_be_bytes());
        hash.update(self.chain.0);
        hash.update(self.at_ms.to_be_bytes());
        hash.update((self.state.len() as u64).to_be_bytes());
        hash.update(&self.state);
        hash.finalize().into()
    }
}

/// A number as a database keeps it.
///
/// # Panics
/// When it is above 2^63: positions and epochs count up from 1 and client numbers are checked before.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).expect("positions, epochs and client numbers stay below 2^63")
}
