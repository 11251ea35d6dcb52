//! What a shard does with each thing it hears: plain functions over its state, no await, no clock of the system.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use persistence::{
    CommandRef, CommandSeq, EventRecord, HeroAppend, HeroId, JournalHandle, Notice, Refused, Seq, SnapshotRecord,
    StreamId, Subscription, Ticket,
};
use protocol::{
    close, codec,
    server::{CommandResult, Rejected, ServerMessage, Status, Welcome, WelcomeState},
};
use simulation::{Catalogue, Command, Event, HeroEntity, Simulation, TimedEvent};
use tokio::{sync::oneshot, time::Instant};

use super::{
    LoadFailed, Loaded, Request,
    hero::{Device, Resident},
    load::ShardLoader,
};
use crate::{
    clock::Clock,
    connection, convert, journal::{self, StoredHero},
    metrics::{CommandOutcome, Metrics, RejectionCode},
    outbox::Outbox,
    refusal,
    streams::{Answer, Place, Streams},
};

/// Heroes that may be loading at once. Full: the socket is closed with 1013.
const LOADING_MAX: usize = 4 * 1024;
/// Commands that may wait for one hero to be loaded. Full: `busy`.
const LOADING_COMMANDS_MAX: usize = 64;
/// Panics of the rules on one hero before it is quarantined.
const PANICS_MAX: u8 = 2;
/// How often heroes are looked at for snapshots and forgetting.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(1);
/// Reconnects after a drain are spread over this long.
const RECONNECT_SPREAD_MS: u32 = 5_000;

/// What a shard is made of.
#[derive(Clone)]
pub struct ShardParts {
    /// The rules' numbers.
    pub catalogue: Arc<Catalogue>,
    /// Where events go.
    pub journal: JournalHandle,
    /// Server time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// For `welcome`.
    pub tick_hz: u32,
}

pub(super) struct Shard {
    parts: ShardParts,
    loader: ShardLoader,
    simulation: Simulation,
    heroes: HashMap<HeroId, Resident>,
    entities: HashMap<HeroEntity, HeroId>,
    loading: HashMap<HeroId, Loading>,
    /// Told when the watermark has passed their ticket; in order of tickets.
    waiting: VecDeque<(Ticket, Output)>,
    watermark: Ticket,
    read_only: bool,
    draining: Option<oneshot::Sender<()>>,
    drained: bool,
    housekept: Instant,
}

/// A hero on its way from the store.
#[derive(Default)]
struct Loading {
    attaches: Vec<Attach>,
    commands: Vec<(u64, u64, Box<Command>, Instant)>,
}

struct Attach {
    stream_id: u64,
    last_seq: Option<u64>,
    time_zone: Option<String>,
    outbox: Arc<Outbox>,
}

/// What is told once the ticket before it is durable.
enum Output {
    /// To one socket.
    One(Arc<Outbox>, Bytes),
    /// An acknowledgement, with the time of its command for the measurement.
    Acknowledge(Arc<Outbox>, Bytes, Instant),
    /// Events up to `seq`, to every device whose welcome did not contain them.
    Devices { hero: HeroId, seq: u64, frame: Bytes },
    /// To every device of a hero, the latest only.
    Progress { hero: HeroId, frame: Bytes },
}

impl Shard {
    pub(super) fn new(parts: ShardParts, loader: ShardLoader) -> Self {
        let simulation = Simulation::new(Arc::clone(&parts.catalogue));
        let read_only = parts.journal.is_read_only();
        Self {
            parts,
            loader,
            simulation,
            heroes: HashMap::new(),
            entities: HashMap::new(),
            loading: HashMap::new(),
            waiting: VecDeque::new(),
            watermark: Ticket::default(),
            read_only,
            draining: None,
            drained: false,
            housekept: Instant::now(),
        }
    }

    pub(super) fn subscribe(&self) -> Subscription {
        self.parts.journal.subscribe()
    }

    // ── requests ──

    pub(super) fn request(&mut self, request: Request) {
        match request {
            Request::Attach { hero, stream_id, last_seq, time_zone, outbox } => {
                self.attach(hero, Attach { stream_id, last_seq, time_zone, outbox });
            }
            Request::Command { hero, connection_id, cmd_seq, command, received } => {
                self.command(hero, connection_id, cmd_seq, command, received);
            }
            Request::Detach { hero, connection_id } => self.detach(hero, connection_id),
        }
    }

    fn attach(&mut self, hero: HeroId, attach: Attach) {
        if self.draining() {
            attach.outbox.push(connection::going_away(spread(attach.outbox.connection_id)));
            attach.outbox.close(close::RESTART, "this server is stopping");
        } else if self.heroes.contains_key(&hero) {
            self.welcome(hero, attach);
        } else if let Some(loading) = self.loading.get_mut(&hero) {
            loading.attaches.push(attach);
        } else if self.loading.len() >= LOADING_MAX {
            attach.outbox.close(close::OVERLOAD, "too many players are coming at once");
        } else {
            self.loading.insert(hero, Loading { attaches: vec![attach], commands: Vec::new() });
            self.loader.start(hero);
        }
    }

    fn detach(&mut self, hero: HeroId, connection_id: u64) {
        if let Some(loading) = self.loading.get_mut(&hero) {
            loading.attaches.retain(|attach| attach.outbox.connection_id != connection_id);
        }
        if let Some(resident) = self.heroes.get_mut(&hero) {
            let before = resident.devices.len();
            resident.devices.retain(|device| device.outbox.connection_id != connection_id);
            if resident.devices.len() != before {
                self.tell_status(hero);
            }
        }
    }

    fn command(&mut self, id: HeroId, connection_id: u64, cmd_seq: u64, command: Box<Command>, received: Instant) {
        if let Some(loading) = self.loading.get_mut(&id) {
            let known = loading.attaches.iter().find(|attach| attach.outbox.connection_id == connection_id);
            if loading.commands.len() < LOADING_COMMANDS_MAX {
                loading.commands.push((connection_id, cmd_seq, command, received));
            } else if let Some(attach) = known {
                tell_rejected(&self.parts.metrics, &attach.outbox, refusal::busy(Some(cmd_seq)));
            }
            return;
        }
        // A hero that was dropped (fenced) has told its sockets to close; so has a device that is gone.
        let Some(resident) = self.heroes.get(&id) else { return };
        let Some(device) = resident.device(connection_id) else { return };
        let (outbox, stream_id) = (Arc::clone(&device.outbox), device.stream_id);
        let refuse = |shard: &Self, rejected| tell_rejected(&shard.parts.metrics, &outbox, rejected);
        if self.draining() {
            return refuse(self, refusal::busy(Some(cmd_seq)));
        }
        match resident.streams.place(stream_id, cmd_seq) {
            Place::Next => {}
            Place::Ahead { applied } => return refuse(self, refusal::out_of_order(cmd_seq, applied)),
            Place::Repeat(answer) => return self.repeat(id, &outbox, cmd_seq, answer),
        }
        let reference = CommandRef { stream_id: StreamId(stream_id), cmd_seq: CommandSeq(cmd_seq) };
        match self.decide(id, &command) {
            Ok((advanced, decided)) => match self.journal_command(id, advanced, decided, reference) {
                Ok(answer) => {
                    let frame = answered(ServerMessage::Durable, cmd_seq, answer);
                    self.tell(id, Output::Acknowledge(outbox, frame, received));
                }
                Err(Refused::Busy) => refuse(self, refusal::busy(Some(cmd_seq))),
                Err(Refused::ReadOnly | Refused::Closed) => refuse(self, refusal::read_only(cmd_seq)),
            },
            Err(rejected) => refuse(self, Rejected { cmd_seq: Some(cmd_seq), ..rejected }),
        }
    }

    /// The stored answer to a command that was applied before. It may not be durable yet, so it waits like the first.
    fn repeat(&mut self, id: HeroId, outbox: &Arc<Outbox>, cmd_seq: u64, answer: Option<Answer>) {
        self.parts.metrics.commands_total.of(CommandOutcome::Duplicate).increment();
        // An answer that is no longer kept is still a success; 0 says that its place is not known.
        let frame = answered(ServerMessage::Duplicate, cmd_seq, answer.unwrap_or(Answer(0, None)));
        self.tell(id, Output::One(Arc::clone(outbox), frame));
    }

    /// Asks the rules, without touching the world.
    fn decide(&mut self, id: HeroId, command: &Command) -> Result<(Vec<TimedEvent>, Vec<TimedEvent>), Rejected> {
        let now_ms = self.parts.clock.now_ms();
        let entity = self.heroes[&id].entity;
        let simulation = &self.simulation;
        // Planning is pure: whatever a panic leaves half-done is dropped with it.
        match catch_unwind(AssertUnwindSafe(|| simulation.plan(entity, command, now_ms))) {
            Ok(plan) => match plan.decided {
                Ok(decided) => Ok((plan.advanced, decided)),
                Err(rejection) => Err(convert::rejected(0, &rejection)),
            },
            Err(_panic) => {
                self.panicked(id);
                Err(protocol::code::RejectCode::Internal.rejected(None, None))
            }
        }
    }

    fn panicked(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get_mut(&id) else { return };
        resident.panics += 1;
        tracing::error!(hero = %id, panics = resident.panics, "the rules panicked; the hero is unchanged");
        if resident.panics >= PANICS_MAX {
            self.loader.quarantine(id, "the rules panicked on it".to_owned());
            self.drop_hero(id, close::INTERNAL, "this hero is set aside for repair, nothing is lost");
        }
    }

    // ── events ──

    /// Journals and applies what a command did: what time did before it, then the command itself.
    fn journal_command(
        &mut self,
        id: HeroId,
        advanced: Vec<TimedEvent>,
        decided: Vec<TimedEvent>,
        reference: CommandRef,
    ) -> Result<Answer, Refused> {
        let created_id = decided.first().and_then(|timed| timed.event.created_id());
        let primary = advanced.len();
        let mut events = advanced;
        events.extend(decided);
        let first = self.publish(id, &events, Some((primary, reference)))?;
        let answer = Answer(first + primary as u64, created_id);
        let resident = self.heroes.get_mut(&id).expect("published just now");
        resident.streams.apply(reference.stream_id.0, reference.cmd_seq.0, answer);
        Ok(answer)
    }

    /// Hands events to the journal, applies them, and prepares what devices will hear. Returns the first one's place.
    /// Refused: nothing has changed.
    fn publish(
        &mut self,
        id: HeroId,
        events: &[TimedEvent],
        command: Option<(usize, CommandRef)>,
    ) -> Result<u64, Refused> {
        let resident = self.heroes.get_mut(&id).expect("only heroes in memory have events");
        let bodies = events.iter().enumerate().map(|(index, timed)| {
            let reference = command.filter(|(primary, _)| *primary == index).map(|(_, reference)| reference);
            journal::body(timed, reference, self.parts.catalogue.version)
        });
        let bodies: Vec<_> = bodies.collect();
        let bytes = bodies.iter().map(|body| body.payload.len() + EventRecord::ROW_BYTES).sum();
        let permit = self.parts.journal.try_reserve(id, events.len(), bytes)?;
        let (epoch, previous, first) = (resident.epoch, resident.chain, resident.seq + 1);
        let mut records = Vec::with_capacity(bodies.len());
        for body in bodies {
            let record = EventRecord::seal(id, epoch, Seq(resident.seq + 1), resident.chain, body);
            (resident.seq, resident.chain) = (record.seq.0, record.chain);
            records.push(record);
        }
        resident.ticket = self.parts.journal.submit(permit, HeroAppend { hero: id, epoch, previous, events: records });
        let now_ms = self.parts.clock.now_ms();
        self.simulation.commit(resident.entity, events, now_ms);
        resident.noted(events, Instant::now());
        let seq = resident.seq;
        if !resident.devices.is_empty() {
            let hero = self.simulation.hero(resident.entity);
            let news = convert::events(first, events, hero, &self.parts.catalogue, now_ms);
            let frame = codec::encode_server(&ServerMessage::Events(Box::new(news)));
            self.tell(id, Output::Devices { hero: id, seq, frame });
        }
        self.count(events);
        Ok(first)
    }

    fn count(&self, events: &[TimedEvent]) {
        let metrics = &self.parts.metrics;
        for timed in events {
            metrics.energy_generated_me_total.add(u64::try_from(timed.event.earned_me()).unwrap_or(0));
            match timed.event {
                Event::SessionStarted { .. } => metrics.focus_sessions_open.increment(),
                Event::SessionEnded { .. } | Event::SessionDiscarded { .. } => {
                    metrics.focus_sessions_open.decrement();
                }
                _ => {}
            }
        }
    }

    /// Lets time do what it does, for every hero that is due. One without room in the journal stays due.
    pub(super) fn tick(&mut self) {
        let started = Instant::now();
        let now_ms = self.parts.clock.now_ms();
        for entity in self.simulation.tick(now_ms) {
            if let Some(id) = self.entities.get(&entity) {
                self.advance(*id);
            }
        }
        if started - self.housekept >= HOUSEKEEPING_EVERY {
            self.housekept = started;
            self.housekeeping(started);
        }
        let took = started.elapsed();
        self.parts.metrics.tick_seconds.record_duration(took);
        if took > Duration::from_secs(1) / self.parts.tick_hz {
            self.parts.metrics.tick_overruns_total.increment();
        }
    }

    fn advance(&mut self, id: HeroId) {
        let now_ms = self.parts.clock.now_ms();
        let Some(resident) = self.heroes.get(&id) else { return };
        let entity = resident.entity;
        let simulation = &self.simulation;
        match catch_unwind(AssertUnwindSafe(|| simulation.overdue(entity, now_ms))) {
            Ok(events) if events.is_empty() => {
                // Nothing happened but the rates changed: a bracket began.
                self.simulation.refresh(entity, now_ms);
                self.tell_progress(id);
            }
            Ok(events) => {
                // Without room it is tried again at the next tick; the numbers do not depend on when.
                let _refused = self.publish(id, &events, None);
            }
            Err(_panic) => self.panicked(id),
        }
    }

    fn tell_progress(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let hero = self.simulation.hero(resident.entity);
        let Some(progress) = convert::progress(hero, &self.parts.catalogue, self.parts.clock.now_ms()) else { return };
        let frame = codec::encode_server(&ServerMessage::Progress(progress));
        self.tell(id, Output::Progress { hero: id, frame });
    }

    // ── devices ──

    fn welcome(&mut self, id: HeroId, attach: Attach) {
        let Attach { stream_id, last_seq, outbox, .. } = attach;
        // A hero is shown as it is now, not as it was when it was last looked at.
        self.advance(id);
        let now_ms = self.parts.clock.now_ms();
        let Some(resident) = self.heroes.get_mut(&id) else { return };
        // One socket a stream: the older one of the same device is a ghost.
        for device in resident.devices.iter().filter(|device| device.stream_id == stream_id) {
            device.outbox.close(close::NORMAL, "this device opened another socket");
        }
        resident.devices.retain(|device| device.stream_id != stream_id);
        let hero = self.simulation.hero(resident.entity);
        let catalogue = &self.parts.catalogue;
        let missed = last_seq.and_then(|last_seq| resident.since(last_seq).map(|events| (last_seq + 1, events)));
        let state = match missed {
            Some((first, events)) => {
                WelcomeState::Events(Box::new(convert::events(first, &events, hero, catalogue, now_ms)))
            }
            None => {
                let view = convert::hero_view(hero, &id.to_string(), catalogue, now_ms);
                WelcomeState::Snapshot(Box::new(view))
            }
        };
        let welcome = Welcome {
            connection_id: outbox.connection_id.to_string(),
            seq: resident.seq,
            cmd_seq_applied: resident.streams.applied(stream_id),
            state,
            catalogue_version: self.parts.catalogue.version,
            server_now_ms: now_ms,
            tick_hz: self.parts.tick_hz,
            read_only: self.read_only,
            other_devices: count(resident.devices.len()),
        };
        let frame = codec::encode_server(&ServerMessage::Welcome(Box::new(welcome)));
        let welcomed_seq = resident.seq;
        resident.devices.push(Device { outbox: Arc::clone(&outbox), stream_id, welcomed_seq });
        self.tell(id, Output::One(outbox, frame));
        self.tell_status(id);
    }

    /// Tells every device of a hero whether it can save and how many others there are.
    fn tell_status(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let other_devices = count(resident.devices.len().saturating_sub(1));
        let status = Status { read_only: self.read_only, other_devices };
        let frame = codec::encode_server(&ServerMessage::Status(status));
        self.tell(id, Output::Devices { hero: id, seq: u64::MAX, frame });
    }

    // ── loading and forgetting ──

    pub(super) fn loaded(&mut self, id: HeroId, loaded: Result<Box<Loaded>, LoadFailed>) {
        let Some(Loading { attaches, commands }) = self.loading.remove(&id) else { return };
        match loaded {
            Ok(loaded) => self.reside(id, *loaded, &attaches),
            Err(error) => {
                tracing::error!(hero = %id, error = &error as &dyn std::error::Error, "could not load");
                let (code, reason) = if error.is_damage() {
                    (close::INTERNAL, "this hero is set aside for repair, nothing is lost")
                } else {
                    (close::OVERLOAD, "this hero cannot be loaded right now")
                };
                attaches.iter().for_each(|attach| attach.outbox.close(code, reason));
                return;
            }
        }
        for attach in attaches {
            self.welcome(id, attach);
        }
        for (connection_id, cmd_seq, command, received) in commands {
            self.command(id, connection_id, cmd_seq, command, received);
        }
    }

    fn reside(&mut self, id: HeroId, loaded: Loaded, attaches: &[Attach]) {
        let now_ms = self.parts.clock.now_ms();
        let Loaded { claim, stored, snapshot_seq } = loaded;
        let StoredHero { hero, streams } = stored;
        let is_new = claim.last_seq.0 == 0;
        let entity = self.simulation.insert(hero, now_ms);
        self.entities.insert(entity, id);
        let mut resident = Resident::new(entity, claim.epoch, claim.last_seq.0, claim.chain, snapshot_seq);
        resident.streams = streams;
        // A first welcome can never be sent before something durable, because nothing was submitted.
        resident.ticket = self.watermark;
        self.heroes.insert(id, resident);
        self.count_hero(entity, 1);
        if is_new {
            let zone = attaches.iter().find_map(|attach| attach.time_zone.as_deref());
            let born = simulation::birth(zone, now_ms);
            if self.publish(id, &born, None).is_err() {
                // No room to write even the first event: the player comes back in a moment.
                attaches.iter().for_each(|attach| attach.outbox.close(close::OVERLOAD, "cannot save right now"));
                self.forget(id);
            }
        }
    }

    fn housekeeping(&mut self, now: Instant) {
        let due: Vec<_> =
            self.heroes.iter().filter(|(_, hero)| hero.is_dirty() && hero.snapshot_due(now)).map(|(id, _)| *id).collect();
        for id in due {
            self.snapshot(id);
        }
        let mut forgotten = Vec::new();
        for (id, resident) in &mut self.heroes {
            let settled = resident.ticket <= self.watermark;
            let hero = self.simulation.hero(resident.entity);
            let idle = hero.session.is_none() && hero.on_break.is_none();
            if resident.is_forgotten(now) && settled && idle {
                forgotten.push(*id);
            }
        }
        for id in forgotten {
            if !self.heroes[&id].is_dirty() || self.snapshot(id) {
                self.forget(id);
            }
        }
    }

    /// Gives a snapshot to the journal. Without room it is tried again later.
    fn snapshot(&mut self, id: HeroId) -> bool {
        let Some(resident) = self.heroes.get_mut(&id) else { return false };
        let state = journal::encode_state(self.simulation.hero(resident.entity), &resident.streams);
        let record = SnapshotRecord::seal(
            id,
            Seq(resident.seq),
            resident.epoch,
            journal::SCHEMA_VERSION,
            resident.chain,
            state,
            self.parts.clock.now_ms(),
        );
        let taken = self.parts.journal.snapshot(record);
        if taken {
            resident.snapshot_taken();
        }
        taken
    }

    fn forget(&mut self, id: HeroId) {
        if let Some(resident) = self.take(id) {
            self.loader.release(id, resident.epoch);
        }
    }

    fn take(&mut self, id: HeroId) -> Option<Resident> {
        let resident = self.heroes.remove(&id)?;
        self.count_hero(resident.entity, -1);
        self.entities.remove(&resident.entity);
        self.simulation.remove(resident.entity);
        Some(resident)
    }

    fn count_hero(&self, entity: HeroEntity, change: i64) {
        self.parts.metrics.heroes_in_memory.add(change);
        if self.simulation.hero(entity).session.is_some() {
            self.parts.metrics.focus_sessions_open.add(change);
        }
    }

    /// Drops a hero and everything of it that is not durable; its devices come back and see what is.
    fn drop_hero(&mut self, id: HeroId, code: u16, reason: &'static str) {
        let Some(resident) = self.take(id) else { return };
        self.waiting.retain(|(_, output)| match output {
            Output::Devices { hero, .. } | Output::Progress { hero, .. } => *hero != id,
            Output::One(outbox, _) | Output::Acknowledge(outbox, ..) => {
                !resident.devices.iter().any(|device| device.outbox.connection_id == outbox.connection_id)
            }
        });
        resident.devices.iter().for_each(|device| device.outbox.close(code, reason));
    }

    // ── durability ──

    /// Tells now what is durable already, and the rest when it is.
    fn tell(&mut self, id: HeroId, output: Output) {
        let ticket = self.heroes.get(&id).map_or(self.watermark, |resident| resident.ticket);
        if ticket <= self.watermark || cfg!(feature = "broken-ack-before-flush") {
            self.release(output);
        } else {
            self.waiting.push_back((ticket, output));
        }
    }

    pub(super) fn settled(&mut self, notices: Vec<Notice>, watermark: Ticket) {
        for notice in notices {
            match notice {
                Notice::Fenced(fences) => {
                    for fence in fences {
                        if self.heroes.get(&fence.hero).is_some_and(|hero| hero.epoch <= fence.epoch) {
                            self.parts.metrics.fences_total.increment();
                            self.drop_hero(fence.hero, close::MOVED, "another server owns this hero now");
                        }
                    }
                }
                Notice::Poisoned { hero, .. } => {
                    self.drop_hero(hero, close::INTERNAL, "this hero is set aside for repair, nothing is lost");
                }
                Notice::ReadOnly(read_only) => self.read_only(read_only),
            }
        }
        self.watermark = watermark;
        while self.waiting.front().is_some_and(|(ticket, _)| *ticket <= watermark) {
            if let Some((_, output)) = self.waiting.pop_front() {
                self.release(output);
            }
        }
        self.finish_drain();
    }

    fn release(&self, output: Output) {
        match output {
            Output::One(outbox, frame) => outbox.push(frame),
            Output::Acknowledge(outbox, frame, received) => {
                self.parts.metrics.command_ack_seconds.record_duration(received.elapsed());
                self.parts.metrics.commands_total.of(CommandOutcome::Durable).increment();
                outbox.push(frame);
            }
            Output::Devices { hero, seq, frame } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                for device in devices.iter().filter(|device| device.welcomed_seq < seq) {
                    device.outbox.push(frame.clone());
                }
            }
            Output::Progress { hero, frame } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                devices.iter().for_each(|device| device.outbox.progress(frame.clone()));
            }
        }
    }

    fn read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
        let heroes: Vec<_> = self.heroes.keys().copied().collect();
        for id in heroes {
            self.tell_status(id);
        }
    }

    // ── the end ──

    fn draining(&self) -> bool {
        self.drained || self.draining.is_some()
    }

    /// Takes no more commands, gives the journal a snapshot of every changed hero, and answers when all is settled.
    pub(super) fn drain(&mut self, done: oneshot::Sender<()>) {
        let dirty: Vec<_> = self.heroes.iter().filter(|(_, hero)| hero.is_dirty()).map(|(id, _)| *id).collect();
        for id in dirty {
            // Without room the events alone will do.
            let _taken = self.snapshot(id);
        }
        self.draining = Some(done);
        self.finish_drain();
    }

    fn finish_drain(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        let Some(done) = self.draining.take() else { return };
        self.drained = true;
        for resident in self.heroes.values() {
            for device in &resident.devices {
                device.outbox.push(connection::going_away(spread(device.outbox.connection_id)));
                device.outbox.close(close::RESTART, "this server is stopping");
            }
        }
        // Whoever asked may have run out of time.
        let _late = done.send(());
    }
}

fn answered(kind: fn(CommandResult) -> ServerMessage, cmd_seq: u64, Answer(seq, created_id): Answer) -> Bytes {
    codec::encode_server(&kind(CommandResult { cmd_seq, seq, created_id }))
}

fn tell_rejected(metrics: &Metrics, outbox: &Outbox, rejected: Rejected) {
    metrics.rejected_total.of(RejectionCode::of(&rejected.code)).increment();
    metrics.commands_total.of(CommandOutcome::Rejected).increment();
    outbox.push(codec::encode_server(&ServerMessage::Rejected(rejected)));
}

fn count(devices: usize) -> u32 {
    u32::try_from(devices).unwrap_or(u32::MAX)
}

/// Spreads reconnects over some seconds, evenly over the sockets.
fn spread(connection_id: u64) -> u32 {
    let slot = u32::try_from(connection_id % 97).expect("below 97");
    250 + slot * (RECONNECT_SPREAD_MS / 97)
}
