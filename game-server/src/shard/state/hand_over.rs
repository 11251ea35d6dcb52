//! Heroes that change hands: asked for by another node and given back, followed while they live elsewhere, and taken back
//! when one of the devices here does something.
//!
//! ```text
//!          asked for          all durable, released         a device here acts: claim
//! Owner ─────────────▶ Leaving ─────────────▶ Follower ─────────────────────────────▶ Owner
//!                                             │ ▲ news: events from the store
//!                                             └─┘
//! ```

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use persistence::{CommandRef, EventRecord, HeroId, redis::AT_LIFE};
use protocol::{close, codec, server::ServerMessage};
use simulation::{command::Command, event::TimedEvent};
use tokio::time::Instant;

use super::{Device, Doubt, Hold, LOADING_COMMANDS_MAX, Loading, Output, Resident, Shard, tell_rejected};
use crate::{
    convert,
    journal::{self, FoldFailed},
    refusal,
    shard::load::News,
    streams::{Answer, Place},
    telemetry::Received,
};

/// Heroes that may be loading at once. Full: the socket is closed with 1013, a command is refused with `busy`.
const LOADING_MAX: usize = 4 * 1024;
/// Followed heroes that are looked up at once; the others have their turn at the next look.
const LOOK_HEROES_MAX: usize = 1_000;
/// Heroes of which it is said again at one look who has them; the others come at the next.
const AT_AGAIN_MAX: usize = 512;
/// An owner that leaves undone for so long what time did is asked for its hero: it may be dead.
const OVERDUE_MAX: Duration = Duration::from_secs(5);

/// A command that waits until its hero is here: socket, number, what, when.
pub(super) type Queued = (u64, u64, Box<Command>, Received);

impl Shard {
    /// Begins to load a hero that is not this node's, or joins those who wait for it. `None` when too many are.
    pub(super) fn want(&mut self, id: HeroId) -> Option<&mut Loading> {
        if !self.loading.contains_key(&id) {
            if self.loading.len() >= LOADING_MAX {
                return None;
            }
            self.loading.insert(id, Loading::default());
            match self.heroes.get(&id) {
                // It is asked for back as soon as it is given away.
                Some(resident) if resident.hold == Hold::Leaving => {}
                Some(resident) => self.loader.start(id, Some(resident.seq)),
                None => self.loader.start(id, None),
            }
        }
        self.loading.get_mut(&id)
    }

    /// Keeps a command until its hero is here.
    pub(super) fn queue_command(
        &mut self,
        id: HeroId,
        connection_id: u64,
        cmd_seq: u64,
        command: Box<Command>,
        received: Received,
    ) {
        if let Some(loading) = self.want(id)
            && loading.commands.len() < LOADING_COMMANDS_MAX
        {
            return loading.commands.push((connection_id, cmd_seq, command, received));
        }
        self.refuse_queued(id, &[(connection_id, cmd_seq, command, received)]);
    }

    /// Refuses commands that waited in vain; nothing has happened to them.
    pub(super) fn refuse_queued(&mut self, id: HeroId, commands: &[Queued]) {
        if let Some(resident) = self.heroes.get_mut(&id) {
            resident.overdue_since = None;
        }
        let waiting = self.loading.get(&id).map_or(&[][..], |loading| &loading.attaches);
        let residing = self.heroes.get(&id).map_or(&[][..], |resident| &resident.devices);
        for (connection_id, cmd_seq, ..) in commands {
            let mut outboxes = waiting
                .iter()
                .map(|attach| &attach.outbox)
                .chain(residing.iter().map(|device| &device.outbox));
            if let Some(outbox) = outboxes.find(|outbox| outbox.connection_id == *connection_id) {
                tell_rejected(&self.parts.metrics, outbox, refusal::busy(Some(*cmd_seq)));
            }
        }
    }

    /// Tells other nodes that this one has the hero, so that they know whom to ask before the store has told them.
    pub(super) fn tell_at(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get_mut(&id).filter(|hero| hero.hold == Hold::Owner) else { return };
        resident.at_told = Some(Instant::now());
        let devices = u32::try_from(resident.devices.len()).unwrap_or(u32::MAX);
        self.parts.cache.set_at(id, resident.epoch, devices);
    }

    /// Says it again before it is forgotten.
    pub(super) fn tell_at_again(&mut self, now: Instant) {
        let is_due = |hero: &Resident| {
            !hero.devices.is_empty() && hero.at_told.is_some_and(|told| now - told > AT_LIFE / 2)
        };
        let due: Vec<HeroId> = self
            .heroes
            .iter()
            .filter(|(_, hero)| is_due(hero))
            .map(|(id, _)| *id)
            .take(AT_AGAIN_MAX)
            .collect();
        due.into_iter().for_each(|id| self.tell_at(id));
    }

    /// Another node has this hero's player. A hero that is on its way here is asked for again.
    pub(in crate::shard) fn hand_over(&mut self, id: HeroId) {
        if self.draining() {
            return;
        }
        let Some(resident) = self.heroes.get_mut(&id) else { return };
        if resident.hold == Hold::Owner {
            resident.hold = Hold::Leaving;
            self.leaving.insert(id);
            self.give_back_settled();
        }
    }

    /// Gives those back whose events are all durable.
    pub(super) fn give_back_settled(&mut self) {
        let is_settled = |id: &HeroId| self.heroes.get(id).is_some_and(|hero| hero.ticket <= self.watermark);
        let settled: Vec<HeroId> = self.leaving.iter().copied().filter(is_settled).collect();
        for id in settled {
            self.leaving.remove(&id);
            let Some(resident) = self.heroes.get(&id) else { continue };
            let snapshot = resident.is_dirty().then(|| self.snapshot_of(id, resident));
            self.loader.give_back(id, resident.epoch, snapshot);
        }
    }

    pub(in crate::shard) fn given_back(&mut self, id: HeroId, is_done: bool) {
        let Some(resident) = self.heroes.get_mut(&id).filter(|hero| hero.hold == Hold::Leaving) else {
            return;
        };
        if !is_done {
            // Still ours; whoever wants it asks again.
            resident.hold = Hold::Owner;
            let Some(Loading { attaches, commands, acts }) = self.loading.remove(&id) else { return };
            attaches.into_iter().for_each(|attach| self.welcome(id, attach));
            for (connection_id, cmd_seq, command, received) in commands {
                self.command(id, connection_id, cmd_seq, command, received);
            }
            acts.into_iter().for_each(|act| self.act_here(id, act));
            return;
        }
        resident.hold = Hold::Follower;
        let (entity, seq) = (resident.entity, resident.seq);
        self.count_hero(entity, -1);
        self.parts.metrics.hand_overs_total.increment();
        self.parts.metrics.heroes_followed.increment();
        if self.loading.contains_key(&id) {
            self.loader.start(id, Some(seq));
        }
        self.end_following(id);
    }

    /// Nobody here watches it any more.
    pub(super) fn end_following(&mut self, id: HeroId) {
        let is_over = |hero: &Resident| hero.hold == Hold::Follower && hero.devices.is_empty();
        if self.heroes.get(&id).is_some_and(|hero| is_over(hero)) && !self.loading.contains_key(&id) {
            self.take(id);
        }
    }

    /// A followed hero comes back as another one: takes the old one out. Returns its devices, and the last event that
    /// they know. A device for whose stream a socket speaks `elsewhere` is the ghost of one that went there: what it said
    /// last is not heard.
    pub(super) fn stop_following(&mut self, id: HeroId, elsewhere: &[u64]) -> (Vec<Device>, u64) {
        let Some(mut resident) = self.take(id) else { return Default::default() };
        resident.devices.retain(|device| {
            let is_ghost = elsewhere.contains(&device.stream_id);
            if is_ghost {
                device.outbox.close(close::NORMAL, "this device opened another socket");
            }
            !is_ghost
        });
        (resident.devices, resident.seq)
    }

    /// Devices that followed the hero learn what they missed, and go on. News that came while the hero was on its way
    /// is among what was loaded: they know events up to `known`.
    pub(super) fn take_over(
        &mut self,
        id: HeroId,
        (devices, known): (Vec<Device>, u64),
        missed: Option<Vec<EventRecord>>,
    ) {
        let texts = self.heroes.get(&id).map(|resident| resident.texts);
        let news = |records: Vec<EventRecord>| {
            let unknown = records.iter().filter(|record| record.seq.0 > known);
            unknown.map(|record| journal::event(record, texts.as_ref())).collect()
        };
        let events: Option<Result<Vec<_>, _>> = missed.map(news);
        let Some(Ok(events)) = events else {
            for device in &devices {
                device.outbox.close(close::MOVED, "too much happened on another server, please come back");
            }
            return;
        };
        if let Some(resident) = self.heroes.get_mut(&id) {
            resident.devices = devices;
        }
        self.tell_news(id, &events);
    }

    /// What time did is the owner's to journal.
    pub(super) fn leave_to_owner(&mut self, id: HeroId) {
        if let Some(resident) = self.heroes.get_mut(&id) {
            resident.is_held = true;
            resident.overdue_since.get_or_insert_with(Instant::now);
        }
    }

    /// Asks the store what became of followed heroes, and asks for those whose owner does nothing.
    pub(super) fn look_for_news(&mut self, now: Instant) {
        let followed = || self.heroes.iter().filter(|(_, hero)| hero.hold == Hold::Follower);
        let is_overdue = |hero: &Resident| hero.overdue_since.is_some_and(|since| now - since > OVERDUE_MAX);
        let overdue: Vec<HeroId> =
            followed().filter(|(_, hero)| is_overdue(hero)).map(|(id, _)| *id).collect();
        let seqs: Vec<_> = followed().map(|(id, hero)| (*id, hero.seq)).take(LOOK_HEROES_MAX).collect();
        for id in overdue {
            let _too_many_now = self.want(id);
        }
        if !seqs.is_empty() && !self.is_looking {
            self.is_looking = true;
            self.loader.look(seqs);
        }
    }

    /// A hint: the store is asked whether it is so.
    pub(in crate::shard) fn advanced(&mut self, id: HeroId, seq: u64) {
        let is_news = |hero: &Resident| hero.hold == Hold::Follower && hero.seq < seq;
        if let Some(resident) = self.heroes.get(&id).filter(|hero| is_news(hero)) {
            self.loader.look(vec![(id, resident.seq)]);
        }
    }

    pub(in crate::shard) fn news(&mut self, news: Vec<News>) {
        self.is_looking = false;
        for News { hero, events, is_free } in news {
            if self.heroes.get(&hero).is_none_or(|resident| resident.hold != Hold::Follower) {
                continue;
            }
            if let Err(error) = self.follow(hero, &events) {
                tracing::warn!(%hero, %error, "cannot follow a hero of another node");
                self.drop_hero(hero, close::MOVED, "another server owns this hero now");
            } else if is_free && !self.draining() {
                // Its owner has let go, and a device is here.
                let _too_many_now = self.want(hero);
            }
        }
    }

    /// Applies what the owner has written.
    fn follow(&mut self, id: HeroId, records: &[EventRecord]) -> Result<(), FollowFailed> {
        let Some(resident) = self.heroes.get_mut(&id) else { return Ok(()) };
        let (known, mut events) = (resident.seq, Vec::new());
        for record in records.iter().filter(|record| record.seq.0 > known) {
            if record.seq.0 != resident.seq + 1 || record.chain != record.chain_after(resident.chain) {
                return Err(FollowFailed::Chain(record.seq.0));
            }
            let timed = journal::event(record, Some(&resident.texts))?;
            if let Some(CommandRef { stream_id, cmd_seq }) = record.command {
                if resident.streams.place(stream_id.0, cmd_seq.0) != Place::Next {
                    return Err(FollowFailed::Chain(record.seq.0));
                }
                resident.streams.apply(
                    stream_id.0,
                    cmd_seq.0,
                    Answer(record.seq.0, timed.event.created_id()),
                );
            }
            (resident.seq, resident.chain) = (record.seq.0, record.chain);
            events.push(timed);
        }
        if events.is_empty() {
            return Ok(());
        }
        resident.noted(&events, Instant::now());
        (resident.is_held, resident.overdue_since) = (false, None);
        let (entity, now_ms) = (resident.entity, self.parts.clock.now_ms());
        let simulation = &mut self.simulation;
        // Whatever a panic leaves half-done is dropped with the hero.
        catch_unwind(AssertUnwindSafe(|| simulation.commit(entity, &events, now_ms)))
            .map_err(|_panic| FollowFailed::Panicked)?;
        self.tell_news(id, &events);
        Ok(())
    }

    /// Tells the devices of a hero the last events, which are durable.
    fn tell_news(&mut self, id: HeroId, events: &[TimedEvent]) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let seq = resident.seq;
        if !events.is_empty() {
            let first = seq + 1 - events.len() as u64;
            let hero = self.simulation.hero(resident.entity);
            let now_ms = self.parts.clock.now_ms();
            let news = convert::events(first, events, &hero, &self.parts.catalogue, now_ms);
            let frame = codec::encode_server(&ServerMessage::Events(Box::new(news)));
            self.tell(id, Output::Devices { hero: id, seq, frame });
            self.leave_if_over(id);
        }
        self.tell_progress(id);
    }

    /// Whether this node may answer for what it has in memory (D4). After a gap it first looks what is still here.
    pub(super) fn is_sure(&mut self) -> bool {
        let gaps = self.parts.standing.gaps();
        if gaps != self.gaps_seen {
            self.parts.metrics.lease_gaps_total.increment();
            (self.gaps_seen, self.doubt) = (gaps, Doubt::Open);
        }
        if self.doubt == Doubt::Open && self.parts.standing.is_sure() {
            self.doubt = Doubt::Asked;
            let owned = self.owned().map(|(id, hero)| (id, hero.epoch)).collect();
            self.loader.look_after_a_gap(owned);
        }
        self.doubt == Doubt::None && self.parts.standing.is_sure()
    }

    pub(in crate::shard) fn lost(&mut self, lost: Option<Vec<HeroId>>) {
        let Some(lost) = lost else {
            // The next tick asks again.
            self.doubt = Doubt::Open;
            return;
        };
        for id in lost {
            self.parts.metrics.fences_total.increment();
            self.drop_hero(id, close::MOVED, "another server owns this hero now");
        }
        if self.doubt == Doubt::Asked {
            self.doubt = Doubt::None;
        }
    }
}

/// Why a hero of another node can no longer be followed.
#[derive(Debug, thiserror::Error)]
enum FollowFailed {
    #[error("event {0} does not follow what is here")]
    Chain(u64),
    #[error(transparent)]
    Fold(#[from] FoldFailed),
    #[error("its events broke the fold")]
    Panicked,
}
