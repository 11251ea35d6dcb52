//! Which heroes are in memory: they come from the store when a device does, are saved while they change, and leave when
//! nobody has watched them for a while.

use std::time::Duration;

use persistence::{Epoch, HeroId, Seq, SnapshotRecord, StoreError};
use protocol::close;
use simulation::{event::TimedEvent, rules::create::create, world::HeroEntity};
use tokio::time::Instant;

use super::{Attach, Entering, Hold, Loading, Output, Shard, acting::refuse_acts, telling::send_away};
use crate::{
    acting::{Act, ActFailed},
    journal::{self, StoredHero},
    shard::{LoadFailed, Loaded, audit, hero::Resident},
};

/// Until the player chooses one.
const NAME_AT_FIRST: &str = "Hero";
/// For a device that does not say where it is.
const ZONE_AT_FIRST: &str = "Etc/UTC";
/// Snapshots made at one look: heroes that changed in the same second must not hold up a tick together. The ones that
/// have waited for longest come first, the others at the next look.
pub(in crate::shard) const SNAPSHOTS_PER_LOOK_MAX: usize = 512;
/// Heroes forgotten at one look, and given back to the store one after the other. The others linger.
pub(in crate::shard) const FORGOTTEN_PER_LOOK_MAX: usize = 256;
/// Heroes packed at one look: some milliseconds. The others wait for the next look.
const PACKED_PER_LOOK_MAX: usize = 512;
/// How often heroes are looked at for snapshots and forgetting.
pub(super) const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(1);

impl Shard {
    /// A device came. Where nodes share a store it is first noted that this socket speaks for its stream from now on, so
    /// that what an older one still says on another node is not heard any more.
    pub(super) fn attach(&mut self, hero: HeroId, attach: Attach) {
        if !self.loader.is_shared() {
            return self.admit(hero, attach);
        }
        if !self.can_admit(&attach) {
            return;
        }
        let (stream_id, connection_id) = (attach.stream_id, attach.outbox.connection_id);
        self.entering.insert(connection_id, Entering { hero, attach, commands: Vec::new() });
        self.loader.speak(hero, stream_id, connection_id);
    }

    pub(in crate::shard) fn speaks(&mut self, connection_id: u64, is_noted: bool) {
        // It may have left since.
        let Some(Entering { hero, attach, commands }) = self.entering.remove(&connection_id) else { return };
        if !is_noted {
            return attach.outbox.close(close::OVERLOAD, "nothing can be saved right now, please come back");
        }
        self.admit(hero, attach);
        for (connection_id, cmd_seq, command, received) in commands {
            self.command(hero, connection_id, cmd_seq, command, received);
        }
    }

    fn can_admit(&mut self, attach: &Attach) -> bool {
        if self.draining() {
            send_away(&attach.outbox);
        } else if self.read_only {
            attach.outbox.close(close::OVERLOAD, "nothing can be saved right now, please come back");
        } else if !self.is_sure() {
            attach.outbox.close(close::OVERLOAD, "this server was away for a moment, please come back");
        } else {
            return true;
        }
        false
    }

    fn admit(&mut self, hero: HeroId, attach: Attach) {
        if !self.can_admit(&attach) {
            // It was told why.
        } else if self.heroes.get(&hero).is_some_and(|resident| resident.hold == Hold::Owner) {
            self.welcome(hero, attach);
        } else if let Some(loading) = self.want(hero) {
            loading.attaches.push(attach);
        } else {
            attach.outbox.close(close::OVERLOAD, "too many players are coming at once");
        }
    }

    pub(super) fn detach(&mut self, hero: HeroId, connection_id: u64) {
        self.entering.remove(&connection_id);
        if let Some(loading) = self.loading.get_mut(&hero) {
            loading.attaches.retain(|attach| attach.outbox.connection_id != connection_id);
        }
        if let Some(resident) = self.heroes.get_mut(&hero) {
            let before = resident.devices.len();
            resident.devices.retain(|device| device.outbox.connection_id != connection_id);
            if resident.devices.len() != before {
                self.tell_status(hero);
                self.tell_at(hero);
            }
            self.end_following(hero);
        }
    }

    pub(in crate::shard) fn loaded(&mut self, id: HeroId, loaded: Result<Box<Loaded>, LoadFailed>) {
        let Some(Loading { attaches, commands, acts }) = self.loading.remove(&id) else { return };
        if loaded.is_err() {
            self.parts.metrics.hero_load_failures_total.increment();
        }
        match loaded {
            Ok(loaded) => self.reside(id, *loaded, &attaches, &acts),
            // Held, or changing hands again and again until it was too late.
            Err(LoadFailed::Store(StoreError::Held { .. } | StoreError::Busy(_))) => {
                for attach in &attaches {
                    attach.outbox.close(close::OVERLOAD, "another server does not let this hero go yet");
                }
                refuse_acts(acts, || ActFailed::Busy);
                return self.refuse_queued(id, &commands);
            }
            Err(LoadFailed::Erased) => {
                for attach in &attaches {
                    attach.outbox.close(close::UNAUTHENTICATED, "this hero was erased, as its player asked");
                }
                refuse_acts(acts, || ActFailed::SetAside);
                return self.refuse_queued(id, &commands);
            }
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                let (code, reason) = if error.is_damage() {
                    tracing::error!(hero = %id, error = cause, "the hero cannot be loaded, it is set aside");
                    (close::INTERNAL, "this hero is set aside for repair, nothing is lost")
                } else {
                    tracing::warn!(hero = %id, error = cause, "the store is away: a hero cannot be loaded now");
                    (close::OVERLOAD, "this hero cannot be loaded right now")
                };
                attaches.iter().for_each(|attach| attach.outbox.close(code, reason));
                if error.is_damage() {
                    refuse_acts(acts, || ActFailed::SetAside);
                    return self.drop_hero(id, code, reason);
                }
                refuse_acts(acts, || ActFailed::ReadOnly);
                return self.refuse_queued(id, &commands);
            }
        }
        for attach in attaches {
            self.welcome(id, attach);
        }
        for (connection_id, cmd_seq, command, received) in commands {
            self.command(id, connection_id, cmd_seq, command, received);
        }
        acts.into_iter().for_each(|act| self.act_here(id, act));
    }

    /// Unpacks a hero that is asked for.
    pub(super) fn unpack(&mut self, id: HeroId) -> Option<HeroEntity> {
        let resident = self.heroes.get_mut(&id)?;
        resident.asked_for();
        self.simulation.unpack(resident.entity);
        Some(resident.entity)
    }

    fn reside(&mut self, id: HeroId, loaded: Loaded, attaches: &[Attach], acts: &[Act]) {
        let now_ms = self.parts.clock.now_ms();
        let Loaded { claim, texts, stored, snapshot_seq, missed, elsewhere, waited, took } = loaded;
        self.parts.metrics.hero_load_seconds.record_duration(took);
        if let Some(waited) = waited {
            self.parts.metrics.hand_over_seconds.record_duration(waited);
        }
        let StoredHero { hero, streams } = stored;
        let followers = self.stop_following(id, &elsewhere);
        let is_new = claim.last_seq.0 == 0;
        let entity = self.simulation.insert(hero, now_ms);
        self.entities.insert(entity, id);
        let mut resident = Resident::new(entity, texts, claim, snapshot_seq);
        resident.streams = streams;
        // A first welcome can never be sent before something durable, because nothing was submitted.
        resident.ticket = self.watermark;
        self.heroes.insert(id, Box::new(resident));
        self.count_hero(entity, 1);
        if !followers.0.is_empty() {
            self.take_over(id, followers, missed);
        }
        if is_new {
            let of_acts = acts.iter().filter_map(|act| act.time_zone.as_deref());
            let zone = attaches.iter().filter_map(|attach| attach.time_zone.as_deref()).chain(of_acts).next();
            let born = self.birth(zone, now_ms);
            if self.publish(id, &born, None).is_err() {
                // No room to write even the first event: the player comes back in a moment.
                attaches
                    .iter()
                    .for_each(|attach| attach.outbox.close(close::OVERLOAD, "cannot save right now"));
                let released = self.forget(id).into_iter().collect();
                self.loader.release(released, None);
            }
        } else {
            // Without room it is excused when it is loaded again, or with the next outage.
            let _full = self.excuse(id, now_ms);
        }
    }

    /// The first events of a new hero. A zone that is not known is no reason to refuse a player.
    fn birth(&self, zone: Option<&str>, now_ms: i64) -> Vec<TimedEvent> {
        let create =
            |zone| create(NAME_AT_FIRST, zone, now_ms, &self.parts.catalogue).map(|(_, events)| events);
        let asked = zone.and_then(|zone| create(zone).ok());
        asked.unwrap_or_else(|| create(ZONE_AT_FIRST).expect("the fallback's name and zone are valid"))
    }

    pub(super) fn housekeeping(&mut self, now: Instant) {
        let mut due: Vec<_> =
            self.owned().filter_map(|(id, hero)| Some((hero.snapshot_due(now)?, id))).collect();
        due.sort_unstable();
        for (_, id) in due.into_iter().take(SNAPSHOTS_PER_LOOK_MAX) {
            if !self.snapshot(id) {
                break;
            }
        }
        let (mut forgotten, mut packed) = (Vec::new(), 0);
        for (id, resident) in &mut self.heroes {
            let settled = resident.ticket <= self.watermark;
            let is_engaged = self.simulation.is_engaged(resident.entity);
            if resident.hold == Hold::Owner && resident.is_forgotten(now) && settled && !is_engaged {
                forgotten.push(*id);
            }
            if resident.is_quiet() && packed < PACKED_PER_LOOK_MAX {
                packed += usize::from(self.simulation.pack(resident.entity));
            }
        }
        self.look_for_news(now);
        self.tell_at_again(now);
        // One after the other: while the last ones are given back, nobody else is forgotten.
        let Some(turn) = self.loader.release_turn().filter(|_| !forgotten.is_empty()) else { return };
        let mut released = Vec::new();
        for id in forgotten.into_iter().take(FORGOTTEN_PER_LOOK_MAX) {
            let is_dirty = self.heroes.get(&id).is_some_and(|resident| resident.is_dirty());
            if is_dirty && !self.snapshot(id) {
                break;
            }
            released.extend(self.forget(id));
        }
        self.loader.release(released, Some(turn));
    }

    /// Gives a snapshot to the journal. Without room it is tried again later.
    pub(super) fn snapshot(&mut self, id: HeroId) -> bool {
        let Some(resident) = self.heroes.get(&id) else { return false };
        let record = self.snapshot_of(id, resident);
        let chosen = audit::is_chosen(&record);
        let taken = self.parts.journal.snapshot(record);
        if taken && let Some(resident) = self.heroes.get_mut(&id) {
            resident.snapshot_taken();
            if chosen {
                // It checks what is stored by then: this one, or the one before.
                self.loader.audit(id, resident.texts);
            }
        }
        taken
    }

    /// A hero as it is now.
    pub(super) fn snapshot_of(&self, id: HeroId, resident: &Resident) -> SnapshotRecord {
        let state =
            journal::encode_state(&self.simulation.hero(resident.entity), &resident.streams, &resident.texts);
        SnapshotRecord::seal(
            id,
            Seq(resident.seq),
            resident.epoch,
            journal::SCHEMA_VERSION,
            resident.chain,
            state,
            self.parts.clock.now_ms(),
        )
    }

    #[cfg(test)]
    pub(in crate::shard) fn is_packed(&self, id: HeroId) -> Option<bool> {
        use std::borrow::Cow;

        let resident = self.heroes.get(&id)?;
        // What is packed is unpacked for whoever reads it.
        Some(matches!(self.simulation.hero(resident.entity), Cow::Owned(_)))
    }

    /// The heroes of which this node is the writer.
    pub(super) fn owned(&self) -> impl Iterator<Item = (HeroId, &Resident)> {
        self.heroes.iter().filter(|(_, hero)| hero.hold != Hold::Follower).map(|(id, hero)| (*id, &**hero))
    }

    /// Lets a hero go. Says what is to be given back to the store.
    fn forget(&mut self, id: HeroId) -> Option<(HeroId, Epoch)> {
        self.take(id).map(|resident| (id, resident.epoch))
    }

    pub(super) fn take(&mut self, id: HeroId) -> Option<Box<Resident>> {
        let resident = self.heroes.remove(&id)?;
        self.leaving.remove(&id);
        if resident.hold == Hold::Follower {
            self.parts.metrics.heroes_followed.decrement();
        } else {
            self.count_hero(resident.entity, -1);
        }
        self.entities.remove(&resident.entity);
        self.simulation.remove(resident.entity);
        Some(resident)
    }

    pub(super) fn count_hero(&self, entity: HeroEntity, change: i64) {
        self.parts.metrics.heroes_in_memory.add(change);
        if self.simulation.hero(entity).session.is_some() {
            self.parts.metrics.focus_sessions_open.add(change);
        }
    }

    /// Drops a hero and everything of it that is not durable; its devices come back and see what is.
    pub(super) fn drop_hero(&mut self, id: HeroId, code: u16, reason: &'static str) {
        let Some(resident) = self.take(id) else { return };
        self.parts.fresh_rows.forget(id);
        self.waiting.retain(|(_, output)| match output {
            // Nobody knows any more whether what was done is kept: whoever asked is not answered.
            Output::Devices { hero, .. }
            | Output::Repriced { hero, .. }
            | Output::Progress { hero, .. }
            | Output::Acted { hero, .. }
            | Output::Leave { hero } => *hero != id,
            Output::Welcome { outbox, .. }
            | Output::Repeat { outbox, .. }
            | Output::Acknowledge(outbox, ..) => {
                !resident.devices.iter().any(|device| device.outbox.connection_id == outbox.connection_id)
            }
        });
        resident.devices.iter().for_each(|device| device.outbox.close(code, reason));
    }
}
