//! What a shard does with each thing it hears: plain functions over its state, no await, no clock of the system.
//! Here: requests, commands and ticks.

mod acting;
mod counting;
mod excusing;
mod hand_over;
mod publishing;
mod residence;
mod telling;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use persistence::{
    Cache, CommandRef, CommandSeq, EventRecord, HeroAppend, HeroId, JournalHandle, Refused, Seq, StreamId,
    Subscription, Ticket,
};
use protocol::{
    close, codec,
    limit::RESULTS_PER_STREAM_MAX,
    server::{CommandResult, Notice, Rejected, ServerMessage},
};
use simulation::{
    catalogue::Catalogue,
    command::Command,
    event::TimedEvent,
    world::{HeroEntity, Simulation},
};
use tokio::{sync::oneshot, time::Instant};

pub(super) use self::publishing::{SLICE_HEROES_MAX, Slice};
#[cfg(test)]
pub(super) use self::residence::{FORGOTTEN_PER_LOOK_MAX, SNAPSHOTS_PER_LOOK_MAX};
pub(crate) use self::telling::send_away;
use self::{acting::Unwilling, hand_over::Queued, publishing::Round, residence::HOUSEKEEPING_EVERY};
use super::{
    Request,
    hero::{Device, Hold, Resident},
    load::ShardLoader,
    packing::PACKING,
};
use crate::{
    acting::{Act, Acted, Answering},
    clock::Clock,
    convert, journal,
    lease::Standing,
    metrics::{CommandKind, CommandOutcome, Metrics, RejectionCode},
    outbox::Outbox,
    read_models::{Changes, FreshRows},
    refusal,
    streams::{Answer, Place},
    telemetry::{Received, Way},
    uptime::Outages,
};

/// Commands that may wait for one hero to be loaded. Full: `busy`.
const LOADING_COMMANDS_MAX: usize = 64;
/// Repeats that may wait for one device until what they ask for is durable: every answer that is kept, once. Full: the
/// socket is closed with 1013; on the next one `welcome` says it all.
const REPEATS_MAX: usize = RESULTS_PER_STREAM_MAX;
/// Events of time alone that are journaled together.
const TIME_EVENTS_MAX: usize = 32;
/// Panics of the rules on one hero before it is quarantined.
const PANICS_MAX: u8 = 2;

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
    /// When the service was away.
    pub outages: Outages,
    /// How sure this node is of what it owns.
    pub standing: Standing,
    /// Where other nodes find quickly who has which hero.
    pub cache: Cache,
    /// Where the read models find what events changed.
    pub fresh_rows: FreshRows,
}

pub(super) struct Shard {
    parts: ShardParts,
    loader: ShardLoader,
    simulation: Simulation,
    /// In boxes: the tree is half empty.
    heroes: BTreeMap<HeroId, Box<Resident>>,
    entities: BTreeMap<HeroEntity, HeroId>,
    loading: BTreeMap<HeroId, Loading>,
    /// Sockets, by their number, of which it is being noted that they speak for their streams.
    entering: BTreeMap<u64, Entering>,
    /// Told when the watermark has passed their ticket; in order of tickets.
    waiting: VecDeque<(Ticket, Output)>,
    watermark: Ticket,
    read_only: bool,
    draining: Option<oneshot::Sender<()>>,
    drained: bool,
    housekept: Instant,
    /// Heroes that another node asked for and that are not given back yet.
    leaving: BTreeSet<HeroId>,
    /// Heroes that have not been told of the newest outages yet; at most those in memory.
    to_excuse: VecDeque<HeroId>,
    /// A look for news is under way.
    is_looking: bool,
    /// Gaps of the lease after which it was looked what is still here.
    gaps_seen: u64,
    doubt: Doubt,
    /// What operators tell every player.
    notice: Option<Notice>,
    /// Heroes have yet to hear what operators published.
    round: Option<Round>,
}

/// Whether others may have taken heroes that are in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    None,
    /// Somebody must look.
    Open,
    /// Somebody looks.
    Asked,
}

/// A hero on its way from the store.
#[derive(Default)]
struct Loading {
    attaches: Vec<Attach>,
    commands: Vec<Queued>,
    /// At most [`LOADING_COMMANDS_MAX`], like the commands.
    acts: Vec<Act>,
}

/// A socket whose first word is on its way to the store.
struct Entering {
    hero: HeroId,
    attach: Attach,
    commands: Vec<Queued>,
}

struct Attach {
    stream_id: u64,
    last_seq: Option<u64>,
    time_zone: Option<String>,
    outbox: Arc<Outbox>,
}

/// What is told once the ticket before it is durable.
enum Output {
    /// The first thing that a device hears.
    Welcome { hero: HeroId, outbox: Arc<Outbox>, frame: Bytes, catalogue_version: u32 },
    /// To one socket: an answer that it has asked for again.
    Repeat { hero: HeroId, outbox: Arc<Outbox>, frame: Bytes },
    /// An acknowledgement, with the time of its command for the measurement.
    Acknowledge(Arc<Outbox>, Bytes, Received),
    /// Events up to `seq`, to every device whose welcome did not contain them.
    Devices { hero: HeroId, seq: u64, frame: Bytes },
    /// To every device of a hero: what it shows under other numbers.
    Repriced { hero: HeroId, frame: Bytes },
    /// To every device of a hero, the latest only.
    Progress { hero: HeroId, frame: Bytes },
    /// To whoever asked from inside the server.
    Acted { hero: HeroId, answer: Answering, acted: Box<Acted> },
    /// Every device of a hero that was handed over comes back, and is led to where it went.
    Leave { hero: HeroId },
}

impl Shard {
    pub(super) fn new(parts: ShardParts, loader: ShardLoader) -> Self {
        let simulation = Simulation::new(Arc::clone(&parts.catalogue)).with_packing(PACKING);
        let read_only = parts.journal.is_read_only();
        Self {
            parts,
            loader,
            simulation,
            heroes: BTreeMap::new(),
            entities: BTreeMap::new(),
            loading: BTreeMap::new(),
            entering: BTreeMap::new(),
            waiting: VecDeque::new(),
            watermark: Ticket::default(),
            read_only,
            draining: None,
            drained: false,
            housekept: Instant::now(),
            leaving: BTreeSet::new(),
            to_excuse: VecDeque::new(),
            is_looking: false,
            gaps_seen: 0,
            doubt: Doubt::None,
            notice: None,
            round: None,
        }
    }

    pub(super) fn subscribe(&self) -> Subscription {
        self.parts.journal.subscribe()
    }

    pub(super) fn request(&mut self, request: Request) {
        match request {
            Request::Attach { hero, stream_id, last_seq, time_zone, outbox } => {
                self.attach(hero, Attach { stream_id, last_seq, time_zone, outbox });
            }
            Request::Command { hero, connection_id, cmd_seq, command, received } => {
                self.command(hero, connection_id, cmd_seq, command, received);
            }
            Request::Detach { hero, connection_id } => self.detach(hero, connection_id),
            Request::Act { hero, act } => self.act(hero, act),
        }
    }

    fn command(
        &mut self,
        id: HeroId,
        connection_id: u64,
        cmd_seq: u64,
        command: Box<Command>,
        mut received: Received,
    ) {
        if let Some(entering) = self.entering.get_mut(&connection_id) {
            if entering.commands.len() < LOADING_COMMANDS_MAX {
                return entering.commands.push((connection_id, cmd_seq, command, received));
            }
            let outbox = Arc::clone(&entering.attach.outbox);
            return tell_rejected(&self.parts.metrics, &outbox, refusal::busy(Some(cmd_seq)));
        }
        if self.loading.contains_key(&id) {
            return self.queue_command(id, connection_id, cmd_seq, command, received);
        }
        // A hero that was dropped (fenced) has told its sockets to close; so has a device that is gone.
        let Some(resident) = self.heroes.get(&id) else { return };
        let Some(device) = resident.device(connection_id) else { return };
        let (outbox, stream_id) = (Arc::clone(&device.outbox), device.stream_id);
        let refuse = |shard: &Self, rejected| tell_rejected(&shard.parts.metrics, &outbox, rejected);
        if self.draining() {
            return refuse(self, refusal::busy(Some(cmd_seq)));
        }
        if !self.is_sure() {
            return refuse(self, refusal::read_only(cmd_seq));
        }
        let Some(resident) = self.heroes.get(&id) else { return };
        if resident.hold != Hold::Owner {
            return self.queue_command(id, connection_id, cmd_seq, command, received);
        }
        match resident.streams.place(stream_id, cmd_seq) {
            Place::Next => {}
            Place::Forgotten => return refuse(self, refusal::stream_forgotten(cmd_seq)),
            Place::Ahead { applied } => return refuse(self, refusal::out_of_order(cmd_seq, applied)),
            Place::Repeat(answer) => return self.repeat(id, &outbox, cmd_seq, answer),
        }
        let reference = CommandRef { stream_id: StreamId(stream_id), cmd_seq: CommandSeq(cmd_seq) };
        let _span = tracing::debug_span!("command", hero = %id, connection_id, cmd_seq).entered();
        received.on_way(Way::deciding);
        let started = Instant::now();
        let done = self.decide(id, &command);
        let done = done.map(|(advanced, decided)| self.journal_command(id, &advanced, &decided, reference));
        let kind = CommandKind::of(&command);
        self.parts.metrics.command_seconds.record_duration(kind, started.elapsed());
        match done {
            Ok(Ok(answer)) => {
                let frame = answered(ServerMessage::Durable, cmd_seq, answer);
                let seq = self.heroes.get(&id).map_or(answer.0, |resident| resident.seq);
                received.on_way(|way| way.journaled(id, seq));
                tracing::debug!(seq, "accepted");
                self.tell(id, Output::Acknowledge(outbox, frame, received));
            }
            Ok(Err(Refused::Busy)) => refuse(self, refusal::busy(Some(cmd_seq))),
            Ok(Err(Refused::ReadOnly | Refused::Closed)) => refuse(self, refusal::read_only(cmd_seq)),
            Err(unwilling) => refuse(self, unwilling.rejected(cmd_seq)),
        }
    }

    /// The stored answer to a command that was applied before. It may not be durable yet, so it waits like the first;
    /// but it holds no room in the journal, so that only some may wait.
    fn repeat(&mut self, id: HeroId, outbox: &Arc<Outbox>, cmd_seq: u64, answer: Option<Answer>) {
        let devices = self.heroes.get_mut(&id).map_or(&mut [][..], |resident| &mut resident.devices);
        let same = |device: &&mut Device| device.outbox.connection_id == outbox.connection_id;
        if let Some(device) = devices.iter_mut().find(same) {
            if device.repeats == REPEATS_MAX {
                return outbox.close(close::OVERLOAD, "asks too often for what is not saved yet");
            }
            device.repeats += 1;
        }
        self.parts.metrics.commands_total.of(CommandOutcome::Duplicate).increment();
        // An answer that is no longer kept is still a success; 0 says that its place is not known.
        let frame = answered(ServerMessage::Duplicate, cmd_seq, answer.unwrap_or(Answer(0, None)));
        self.tell(id, Output::Repeat { hero: id, outbox: Arc::clone(outbox), frame });
    }

    /// Asks the rules, without touching the world.
    fn decide(
        &mut self,
        id: HeroId,
        command: &Command,
    ) -> Result<(Vec<TimedEvent>, Vec<TimedEvent>), Unwilling> {
        let now_ms = self.parts.clock.now_ms();
        let entity = self.unpack(id).expect("only heroes that are here are asked for");
        let simulation = &self.simulation;
        // Planning is pure: whatever a panic leaves half-done is dropped with it.
        let plan = || {
            #[cfg(feature = "fault-points")]
            crate::fault_points::panic_on(command);
            simulation.plan(entity, command, now_ms)
        };
        match catch_unwind(AssertUnwindSafe(plan)) {
            Ok(plan) => match plan.decided {
                Ok(decided) => Ok((plan.advanced, decided)),
                Err(rejection) => Err(Unwilling::Rules(rejection)),
            },
            Err(_panic) => {
                self.panicked(id);
                Err(Unwilling::Broken)
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

    /// Journals and applies what a command did: what time did before it, then the command itself.
    fn journal_command(
        &mut self,
        id: HeroId,
        advanced: &[TimedEvent],
        decided: &[TimedEvent],
        reference: CommandRef,
    ) -> Result<Answer, Refused> {
        // What time did happens even if there is no room left for the command.
        self.publish_time(id, advanced)?;
        let created_id = decided.first().and_then(|timed| timed.event.created_id());
        let first = self.publish(id, decided, Some(reference))?;
        let answer = Answer(first, created_id);
        let resident = self.heroes.get_mut(&id).expect("published just now");
        resident.streams.apply(reference.stream_id.0, reference.cmd_seq.0, answer);
        Ok(answer)
    }

    /// Publishes what time alone did, in parts that fit into a hero's room in the journal's queue. What does not fit
    /// is found again the next time somebody looks.
    fn publish_time(&mut self, id: HeroId, events: &[TimedEvent]) -> Result<(), Refused> {
        for part in events.chunks(TIME_EVENTS_MAX) {
            self.publish(id, part, None)?;
        }
        Ok(())
    }

    /// Hands events to the journal, applies them, and prepares what devices will hear. Returns the first one's place.
    /// Refused: nothing has changed.
    fn publish(
        &mut self,
        id: HeroId,
        events: &[TimedEvent],
        command: Option<CommandRef>,
    ) -> Result<u64, Refused> {
        let resident = self.heroes.get_mut(&id).expect("only heroes in memory have events");
        let bodies = events.iter().enumerate().map(|(index, timed)| {
            // The first event names what a command did, and carries its number.
            journal::body(
                timed,
                command.filter(|_| index == 0),
                self.parts.catalogue.version,
                &resident.texts,
            )
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
        let now_ms = self.parts.clock.now_ms();
        let mut changes = Changes::after_seq(Seq(first - 1));
        self.simulation.commit_before(resident.entity, events, now_ms, &mut changes);
        self.parts.fresh_rows.note(id, epoch, changes);
        resident.ticket =
            self.parts.journal.submit(permit, HeroAppend { hero: id, epoch, previous, events: records });
        resident.noted(events, Instant::now());
        let seq = resident.seq;
        if !resident.devices.is_empty() {
            let hero = self.simulation.hero(resident.entity);
            let news = convert::events(first, events, &hero, &self.parts.catalogue, now_ms);
            let frame = codec::encode_server(&ServerMessage::Events(Box::new(news)));
            self.tell(id, Output::Devices { hero: id, seq, frame });
            self.leave_if_over(id);
        }
        self.count(events);
        Ok(first)
    }

    /// Lets time do what it does, for every hero that is due. One without room in the journal stays due. While the shard
    /// drains, time stands still: what it would do is found by the next owner, and the journal comes to an end.
    pub(super) fn tick(&mut self) {
        if self.draining() {
            return;
        }
        let started = Instant::now();
        let now_ms = self.parts.clock.now_ms();
        for entity in self.simulation.tick(now_ms) {
            let Some(id) = self.entities.get(&entity).copied() else { continue };
            // Thousands may be due while the store is away; asking each of them at every tick would be all we do.
            let is_held =
                |resident: &Resident| resident.is_held && (self.read_only || resident.hold != Hold::Owner);
            if !self.heroes.get(&id).is_some_and(|resident| is_held(resident)) {
                self.advance(id);
            }
        }
        if self.is_sure() {
            self.excuse_some(now_ms);
        }
        self.go_round();
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
        let Some(entity) = self.unpack(id) else { return };
        let Some(resident) = self.heroes.get(&id) else { return };
        let simulation = &self.simulation;
        match catch_unwind(AssertUnwindSafe(|| simulation.overdue(entity, now_ms))) {
            Ok(events) if events.is_empty() => {
                // Nothing happened but the rates changed: a bracket began.
                self.simulation.refresh(entity, now_ms);
                self.tell_progress(id);
            }
            Ok(_) if resident.hold != Hold::Owner => self.leave_to_owner(id),
            Ok(events) => {
                // Without room it is tried again at the next tick, or when the store is back; the numbers do not
                // depend on when.
                let refused = self.publish_time(id, &events).err();
                if let Some(resident) = self.heroes.get_mut(&id) {
                    resident.is_held = refused == Some(Refused::ReadOnly);
                }
            }
            Err(_panic) => self.panicked(id),
        }
    }

    fn tell_progress(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let hero = self.simulation.hero(resident.entity);
        let Some(progress) = convert::progress(&hero, &self.parts.catalogue, self.parts.clock.now_ms())
        else {
            return;
        };
        let frame = codec::encode_server(&ServerMessage::Progress(progress));
        self.tell(id, Output::Progress { hero: id, frame });
    }
}

fn answered(
    kind: fn(CommandResult) -> ServerMessage,
    cmd_seq: u64,
    Answer(seq, created_id): Answer,
) -> Bytes {
    codec::encode_server(&kind(CommandResult { cmd_seq, seq, created_id }))
}

fn tell_rejected(metrics: &Metrics, outbox: &Outbox, rejected: Rejected) {
    metrics.rejected_total.of(RejectionCode::of(&rejected.code)).increment();
    metrics.commands_total.of(CommandOutcome::Rejected).increment();
    outbox.push(codec::encode_server(&ServerMessage::Rejected(rejected)));
}
