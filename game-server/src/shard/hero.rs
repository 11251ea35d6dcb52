//! A hero in memory: where its journal stands, who watches it, and whether a snapshot is due.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use persistence::{Chain, Claim, Epoch, Ticket};
use simulation::{event::TimedEvent, world::HeroEntity};
use tokio::time::Instant;

use crate::{outbox::Outbox, streams::Streams, texts::TextKey};

/// Events kept to answer a resume without the store. More are missing: the client gets a snapshot.
const RECENT_MAX: usize = 16;
/// Events after which a snapshot is due.
const SNAPSHOT_EVENTS: u64 = 200;
/// How long a change may be without a snapshot.
const SNAPSHOT_AFTER: Duration = Duration::from_secs(30);
/// Looks of the housekeeping, one a second, after which a hero for whom nobody has asked is packed: a player who does one thing
/// does another.
const QUIET_LOOKS: u8 = 3;
/// How long a hero without devices and without anything running stays in memory.
const LINGER: Duration = Duration::from_secs(60);

/// What this node is to a hero in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Its one writer.
    Owner,
    /// On its way to another node: nothing new happens to it here, what did is being written.
    Leaving,
    /// Another node's, whose news is followed, because a device of its player is here.
    Follower,
}

/// A device that watches a hero.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) outbox: Arc<Outbox>,
    pub(super) stream_id: u64,
    /// Events up to this one are in its welcome.
    pub(super) welcomed_seq: u64,
    /// Its welcome was told: from now on it may hear other things.
    pub(super) is_welcomed: bool,
    /// Its repeated commands whose answers wait.
    pub(super) repeats: usize,
}

/// A hero in memory.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) entity: HeroEntity,
    pub(super) hold: Hold,
    pub(super) epoch: Epoch,
    pub(super) texts: TextKey,
    /// The last event given to the journal; not necessarily durable.
    pub(super) seq: u64,
    /// The chain at `seq`.
    pub(super) chain: Chain,
    /// The ticket of the last group given to the journal.
    pub(super) ticket: Ticket,
    pub(super) streams: Streams,
    pub(super) devices: Vec<Device>,
    /// Times the rules panicked on this hero.
    pub(super) panics: u8,
    /// Time did something that the store, which is away, could not take, or that is another node's to journal. Nobody
    /// looks again before the store is back or that node has done it.
    pub(super) is_held: bool,
    /// Since when the owner, another node, has left undone what time did.
    pub(super) overdue_since: Option<Instant>,
    /// When other nodes were last told who has this hero.
    pub(super) at_told: Option<Instant>,
    /// Looks of the housekeeping since somebody asked for it.
    quiet_looks: u8,
    recent: VecDeque<TimedEvent>,
    snapshot_seq: u64,
    dirty_since: Option<Instant>,
    alone_since: Option<Instant>,
}

impl Resident {
    pub(super) fn new(
        entity: HeroEntity,
        texts: TextKey,
        Claim { epoch, last_seq, chain, .. }: Claim,
        snapshot_seq: u64,
    ) -> Self {
        Self {
            entity,
            hold: Hold::Owner,
            epoch,
            texts,
            seq: last_seq.0,
            chain,
            ticket: Ticket::default(),
            streams: Streams::default(),
            devices: Vec::new(),
            panics: 0,
            is_held: false,
            overdue_since: None,
            at_told: None,
            quiet_looks: 0,
            recent: VecDeque::new(),
            snapshot_seq,
            dirty_since: None,
            alone_since: None,
        }
    }

    pub(super) fn device(&self, connection_id: u64) -> Option<&Device> {
        self.devices.iter().find(|device| device.outbox.connection_id == connection_id)
    }

    /// Notes events that were given to the journal.
    pub(super) fn noted(&mut self, events: &[TimedEvent], now: Instant) {
        self.dirty_since.get_or_insert(now);
        for event in events {
            if self.recent.len() == RECENT_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back(event.clone());
        }
    }

    /// The events after `last_seq`, if all of them are still at hand.
    pub(super) fn since(&self, last_seq: u64) -> Option<Vec<TimedEvent>> {
        let missing = self.seq.checked_sub(last_seq)?;
        let missing = usize::try_from(missing).ok().filter(|missing| *missing <= self.recent.len())?;
        Some(self.recent.iter().skip(self.recent.len() - missing).cloned().collect())
    }

    /// Since when it has changed, if that is a reason for a snapshot by now.
    pub(super) fn snapshot_due(&self, now: Instant) -> Option<Instant> {
        // One that was loaded with many events has not changed here, and is due all the same.
        let since = self.dirty_since.unwrap_or(now);
        let is_old = now - since >= SNAPSHOT_AFTER || self.seq - self.snapshot_seq >= SNAPSHOT_EVENTS;
        (self.is_dirty() && is_old).then_some(since)
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.seq > self.snapshot_seq
    }

    pub(super) fn snapshot_taken(&mut self) {
        self.snapshot_seq = self.seq;
        self.dirty_since = None;
    }

    /// Somebody asks for the hero.
    pub(super) fn asked_for(&mut self) {
        self.quiet_looks = 0;
    }

    /// Notes one more look. Says whether it has been quiet for long enough to be packed.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.quiet_looks = (self.quiet_looks + 1).min(QUIET_LOOKS);
        self.quiet_looks == QUIET_LOOKS
    }

    /// Whether nobody has watched for long enough to forget it.
    pub(super) fn is_forgotten(&mut self, now: Instant) -> bool {
        if !self.devices.is_empty() {
            self.alone_since = None;
            return false;
        }
        now - *self.alone_since.get_or_insert(now) >= LINGER
    }
}
