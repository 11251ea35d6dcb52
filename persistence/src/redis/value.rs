//! How our values look inside their seal, and under which names they stand. Numbers are big-endian, widths are fixed;
//! only hints, which will grow, are MessagePack.
//!
//! A changed layout takes a new name, because nodes of two versions share one Redis for a while.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fact::Lie;
use super::seal::{HEADER_BYTES, Opened};
use crate::record::{Chain, Epoch, HeroId, NodeId, Seq, SnapshotRecord};

/// Largest state that is kept hot. A larger one is rare, and loading it from the database is not what is slow.
pub const HOT_STATE_BYTES_MAX: usize = 256 * 1024;
const SNAPSHOT_HEAD_BYTES: usize = 2 + 8 + 32 + 32;
/// Largest sealed snapshot.
pub(super) const SNAPSHOT_BYTES_MAX: usize = HEADER_BYTES + SNAPSHOT_HEAD_BYTES + HOT_STATE_BYTES_MAX;
/// Any other sealed value, hints apart.
pub(super) const SMALL_BYTES_MAX: usize = HEADER_BYTES + 64;
/// Most heroes in one [`Hint::Advanced`]; more are sent as several.
pub const ADVANCED_HEROES_MAX: usize = 256;
/// Largest sealed hint: 256 heroes with three fields of at most 18 bytes each, and something to grow.
pub(super) const HINT_BYTES_MAX: usize = 24 * 1024;
/// Deepest nesting of a hint; ours have four levels.
const HINT_DEPTH_MAX: usize = 8;

/// Every node listens here.
pub(super) const EVERYBODY: &str = "dh:advanced";
/// The nodes, by the time they were last there. The braces keep it and [`presence`] together in a Redis Cluster.
pub(super) const NODES: &str = "dh:{nodes}";

pub(super) fn hot(hero: HeroId) -> String {
    format!("dh:hot:{hero}")
}

pub(super) fn at(hero: HeroId) -> String {
    format!("dh:at:{hero}")
}

pub(super) fn node_channel(node: NodeId) -> String {
    format!("dh:node:{}", node.0)
}

pub(super) fn presence(node: NodeId) -> String {
    format!("{NODES}:{}", node.0)
}

pub(super) fn counter(pseudonym: &str) -> String {
    format!("dh:count:{pseudonym}")
}

/// What one node tells others. A lost hint costs time, a false one costs a look at the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hint {
    /// To the owner of a hero: please give it back, its player is here.
    Wanted {
        /// Which hero.
        hero: HeroId,
        /// Who asks.
        by: NodeId,
    },
    /// To everybody: these heroes have new events in the database, up to these positions.
    Advanced {
        /// At most [`ADVANCED_HEROES_MAX`].
        heroes: Vec<(HeroId, Epoch, Seq)>,
    },
    /// To everybody: a hero has no owner now.
    Released {
        /// Which hero.
        hero: HeroId,
        /// The ownership that ended.
        epoch: Epoch,
    },
}

/// A hint on its way.
#[derive(Serialize, Deserialize)]
struct Message {
    /// Who sent it: nobody hears itself.
    from: NodeId,
    hint: Hint,
}

/// A node that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodePresence {
    /// Which.
    pub node: NodeId,
    /// Its player sockets.
    pub sockets: u64,
    /// The heroes it owns.
    pub heroes: u64,
}

/// A soft counter after it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many in this window, this one too.
    pub count: u64,
    /// When the window ends and the count begins again.
    pub ends_in: Duration,
}

/// Where a hero is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whereabouts {
    /// The node that said so.
    pub node: NodeId,
    /// The ownership under which it did.
    pub epoch: Epoch,
    /// Its devices there.
    pub devices: u32,
}

pub(super) fn encode_snapshot(record: &SnapshotRecord) -> Vec<u8> {
    let mut body = Vec::with_capacity(SNAPSHOT_HEAD_BYTES + record.state.len());
    body.extend_from_slice(&record.schema_version.to_be_bytes());
    body.extend_from_slice(&record.at_ms.to_be_bytes());
    body.extend_from_slice(&record.chain.0);
    body.extend_from_slice(&record.state_hash);
    body.extend_from_slice(&record.state);
    body
}

pub(super) fn decode_snapshot(hero: HeroId, opened: &Opened<'_>) -> Result<SnapshotRecord, Lie> {
    let mut fields = Fields(opened.body);
    Ok(SnapshotRecord {
        hero,
        seq: opened.seq,
        epoch: opened.epoch,
        schema_version: u16::from_be_bytes(fields.take()?),
        at_ms: i64::from_be_bytes(fields.take()?),
        chain: Chain(fields.take()?),
        state_hash: fields.take()?,
        state: Bytes::copy_from_slice(fields.0),
    })
}

pub(super) fn encode_at(node: NodeId, devices: u32) -> Vec<u8> {
    [node.0.as_bytes().as_slice(), &devices.to_be_bytes()].concat()
}

pub(super) fn decode_at(opened: &Opened<'_>) -> Result<Whereabouts, Lie> {
    let mut fields = Fields(opened.body);
    Ok(Whereabouts {
        node: NodeId(Uuid::from_bytes(fields.take()?)),
        epoch: opened.epoch,
        devices: u32::from_be_bytes(fields.take()?),
    })
}

pub(super) fn encode_presence(sockets: u64, heroes: u64) -> Vec<u8> {
    [sockets.to_be_bytes(), heroes.to_be_bytes()].concat()
}

pub(super) fn decode_presence(node: NodeId, opened: &Opened<'_>) -> Result<NodePresence, Lie> {
    let mut fields = Fields(opened.body);
    Ok(NodePresence {
        node,
        sockets: u64::from_be_bytes(fields.take()?),
        heroes: u64::from_be_bytes(fields.take()?),
    })
}

pub(super) fn encode_hint(from: NodeId, hint: Hint) -> Vec<u8> {
    rmp_serde::to_vec(&Message { from, hint }).expect("a hint is ids and numbers")
}

/// Who says what.
pub(super) fn decode_hint(opened: &Opened<'_>) -> Result<(NodeId, Hint), Lie> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(opened.body);
    decoder.set_max_depth(HINT_DEPTH_MAX);
    let Message { from, hint } = Message::deserialize(&mut decoder).map_err(|_| Lie::Nonsense)?;
    match &hint {
        Hint::Advanced { heroes } if heroes.len() > ADVANCED_HEROES_MAX => Err(Lie::TooLarge),
        _ => Ok((from, hint)),
    }
}

/// Fields of fixed width, one after another.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Lie> {
        let (field, rest) = self.0.split_first_chunk().ok_or(Lie::Nonsense)?;
        self.0 = rest;
        Ok(*field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(body: &[u8]) -> Opened<'_> {
        Opened { epoch: Epoch(3), seq: Seq(200), body }
    }

    fn node() -> NodeId {
        NodeId(Uuid::from_u128(7))
    }

    #[test]
    fn a_snapshot_comes_back_as_it_was_and_a_cut_one_does_not() {
        let hero = HeroId(Uuid::from_u128(1));
        let state = Bytes::from_static(b"state");
        let record =
            SnapshotRecord::seal(hero, Seq(200), Epoch(3), 4, Chain::genesis(hero), state, 1_700_000_000_000);
        let body = encode_snapshot(&record);
        let decoded = decode_snapshot(hero, &opened(&body)).expect("it is whole");
        assert_eq!(decoded, record);
        assert!(decoded.is_intact());
        assert_eq!(decode_snapshot(hero, &opened(&body[..SNAPSHOT_HEAD_BYTES - 1])), Err(Lie::Nonsense));
    }

    #[test]
    fn small_values_come_back_as_they_were() {
        let at = Whereabouts { node: node(), epoch: Epoch(3), devices: 2 };
        assert_eq!(decode_at(&opened(&encode_at(node(), 2))), Ok(at));
        let presence = NodePresence { node: node(), sockets: 10, heroes: 8 };
        assert_eq!(decode_presence(node(), &opened(&encode_presence(10, 8))), Ok(presence));
        assert!(HEADER_BYTES + encode_at(node(), 2).len() <= SMALL_BYTES_MAX);
    }

    #[test]
    fn the_largest_hint_fits_and_a_larger_one_is_refused() {
        let heroes = |count| Hint::Advanced {
            heroes: vec![(HeroId(Uuid::max()), Epoch(u64::MAX), Seq(u64::MAX)); count],
        };
        let body = encode_hint(node(), heroes(ADVANCED_HEROES_MAX));
        assert!(HEADER_BYTES + body.len() <= HINT_BYTES_MAX, "{}", body.len());
        assert_eq!(decode_hint(&opened(&body)), Ok((node(), heroes(ADVANCED_HEROES_MAX))));
        let body = encode_hint(node(), heroes(ADVANCED_HEROES_MAX + 1));
        assert_eq!(decode_hint(&opened(&body)), Err(Lie::TooLarge));
        assert_eq!(decode_hint(&opened(b"\x92\xc4")), Err(Lie::Nonsense));
    }
}
