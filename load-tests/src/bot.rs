//! One faithful client: a device that plays, reconnects, repeats what was not answered and checks every word.
//!
//! ```text
//! Mind ─wish▶ Bot ─writes down▶ Ledger
//!             │ ▲
//!    Outbox ◀─┘ └── Socket ── welcome, durable, duplicate, rejected, events ──▶ Mirror (checks)
//! ```
//! The state is synchronous; [`Bot::run`] only moves frames. Nothing in here asks the server for the truth afterwards:
//! that is the audit's work.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use protocol::client::{ClientMessage, CommandFrame, Ping};
use protocol::server::{CommandResult, Rejected, ServerMessage, Welcome};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::http::Endpoint;
use crate::ledger::{Absence, Ledger};
use crate::mind::Mind;
use crate::mirror::Mirror;
use crate::outbox::{Answered, Outbox, is_worth_repeating};
use crate::stats::Stats;
use crate::wire::{ANSWER_WITHIN, Device, Received, Socket};

/// Acknowledged commands a bot keeps to say them again and hear the same answer.
const RECENT_MAX: usize = 8;
/// One wish in so many is followed by the repetition of an old command.
const REPLAY_ONCE_IN: u32 = 25;
/// One wish in so many is followed by a ping.
const PING_ONCE_IN: u32 = 20;
/// The mean wait before a bot tries again while the server should be there.
const RECONNECT_MS: u64 = 150;
/// Commands that a bot lets fly at the same time: enough that a refusal meets later ones on their way.
const IN_FLIGHT_MAX: usize = 4;
/// Absences that a bot remembers.
const ABSENCES_MAX: usize = 1_000;
/// How often a bot tries to finish its open commands before it gives up and reports them.
const FINISH_ATTEMPTS_MAX: u32 = 50;

/// Whether there is a server to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The server is down on purpose: nobody tries.
    Down,
    /// The server is up.
    Up,
    /// The server is up; no new wishes, clear what is open and go.
    Finish,
}

/// What a device makes of a socket that is open and answers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// How long it waits for an answer.
    pub after: Duration,
    /// Then something is wrong with the server; else it just comes back elsewhere.
    pub is_finding: bool,
}

impl Silence {
    /// No healthy server is silent for so long.
    pub const REPORTED: Self = Self { after: ANSWER_WITHIN, is_finding: true };
}

/// What all bots of a run share.
#[derive(Clone)]
pub struct World {
    /// Where the servers are: a device comes back to any of them, and to the next one when one does not answer.
    pub nodes: Arc<[Endpoint]>,
    /// What a device makes of silence.
    pub silence: Silence,
    /// Whether it is there.
    pub phase: watch::Receiver<Phase>,
    /// Counters for the progress line.
    pub stats: Arc<Stats>,
    /// Mean time between two wishes of one bot.
    pub wish_every_ms: u64,
    /// One wish in so many is followed by a cut of the connection; 0 is never.
    pub cut_once_in: u32,
}

/// A device that plays.
pub struct Bot {
    /// Who it is.
    pub device: Device,
    /// What it asked and was told.
    pub ledger: Ledger,
    /// What it believes.
    pub mirror: Mirror,
    /// How its sockets ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// Each time that a server closed its socket.
    pub absences: Vec<Absence>,
    /// The catalogue that it was told of last.
    pub catalogue_version: u32,
    outbox: Outbox,
    mind: Mind,
    recent: VecDeque<CommandFrame>,
    stats: Arc<Stats>,
    retry_at: Option<Instant>,
    away_ms: Option<u64>,
    is_open: bool,
    heard_at: Instant,
    answers_at: Instant,
    finish_attempts: u32,
    /// At which server it is.
    node: usize,
}

/// Why a socket's loop ended.
enum End {
    /// All done: the bot leaves.
    Finished,
    /// Come back after this long, at most.
    Reconnect(Duration),
    /// Come back to another server, at once.
    Elsewhere,
}

impl Bot {
    /// A bot with an empty book.
    #[must_use]
    pub fn new(device: Device, mind: Mind, stats: Arc<Stats>) -> Self {
        Self {
            ledger: Ledger::new(device.hero_id.clone(), device.stream_id),
            device,
            mirror: Mirror::default(),
            closed: BTreeMap::new(),
            absences: Vec::new(),
            catalogue_version: 0,
            outbox: Outbox::default(),
            mind,
            recent: VecDeque::new(),
            stats,
            retry_at: None,
            away_ms: None,
            is_open: false,
            heard_at: Instant::now(),
            answers_at: Instant::now(),
            finish_attempts: 0,
            node: 0,
        }
    }

    /// The same, at another server first.
    #[must_use]
    pub fn at(self, node: usize) -> Self {
        Self { node, ..self }
    }

    /// Plays until the world finishes, through any number of server deaths, and hands itself back.
    pub async fn run(mut self, world: World) -> Self {
        let mut phase = world.phase.clone();
        loop {
            // A closed channel means that the scenario is gone: then there is nothing to play for.
            if phase.wait_for(|phase| *phase != Phase::Down).await.is_err() {
                return self;
            }
            let finishing = *phase.borrow() == Phase::Finish;
            if finishing && self.outbox.is_empty() {
                return self;
            }
            if finishing {
                self.finish_attempts += 1;
                if self.finish_attempts > FINISH_ATTEMPTS_MAX {
                    let open = self.outbox.len();
                    self.ledger.find(format!("{open} commands were never answered"));
                    return self;
                }
            }
            let wait = match self.play(&world, &mut phase).await {
                Ok(End::Finished) => return self,
                Ok(End::Reconnect(wait)) => {
                    self.node = self.any_node(&world);
                    wait
                }
                Ok(End::Elsewhere) => {
                    self.node += 1;
                    Duration::ZERO
                }
                Err(_) => {
                    if self.is_open {
                        // It broke under what was sent, before anything was read.
                        self.absent(1006);
                    } else {
                        self.stats.failed_opens.add(1);
                    }
                    self.node += 1;
                    Duration::from_millis(self.mind.jittered_ms(RECONNECT_MS))
                }
            };
            if *phase.borrow() != Phase::Down {
                // The back-off of a client; a server that is declared dead ends it early.
                tokio::select! {
                    _ = phase.changed() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }

    fn absent(&mut self, code: u16) {
        self.is_open = false;
        if self.absences.len() < ABSENCES_MAX {
            let (since, closed) = (self.heard_at, Instant::now());
            self.absences.push(Absence { since, closed, code, until: None, is_whole: false });
        }
    }

    /// Where a balancer that knows nothing sends it.
    fn any_node(&mut self, world: &World) -> usize {
        match u64::try_from(world.nodes.len()) {
            Ok(count) if count > 1 => usize::try_from(self.mind.below(count)).unwrap_or(0),
            _ => 0,
        }
    }

    /// One socket, from hello to its end.
    async fn play(&mut self, world: &World, phase: &mut watch::Receiver<Phase>) -> Result<End> {
        let node = &world.nodes[self.node % world.nodes.len()];
        let (mut socket, welcome) = self.device.open(node, self.mirror.last_seq()).await?;
        let connected = self.stats.connect();
        if socket.before_welcome > 0 {
            self.ledger.find(format!("{} messages came before the welcome", socket.before_welcome));
        }
        let findings = self.ledger.findings_count;
        self.on_welcome(&welcome);
        self.is_open = true;
        self.heard_at = Instant::now();
        self.answers_at = self.heard_at;
        if let Some(absence) = self.absences.last_mut().filter(|absence| absence.until.is_none()) {
            absence.until = Some(self.heard_at);
            absence.is_whole = self.ledger.findings_count == findings;
        }
        let mut wish_at = self.next_wish(world);
        loop {
            self.send_outgoing(&mut socket).await?;
            let finishing = *phase.borrow() == Phase::Finish;
            if finishing && self.outbox.is_empty() {
                socket.close().await;
                drop(connected);
                return Ok(End::Finished);
            }
            let patience_ends = self.answers_at + world.silence.after;
            let waiting = self.outbox.in_flight() > 0;
            tokio::select! {
                biased;
                _ = phase.changed() => {}
                received = socket.receive() => match self.hear(received) {
                    None => {}
                    Some(end) => return Ok(end),
                },
                () = sleep_until(patience_ends), if waiting => {
                    if world.silence.is_finding {
                        self.ledger.find(format!(
                            "{} commands had no answer within {} s on an open socket",
                            self.outbox.in_flight(),
                            world.silence.after.as_secs()
                        ));
                    }
                    return Ok(End::Elsewhere);
                }
                () = sleep_until(self.retry_at.unwrap_or(wish_at)), if self.retry_at.is_some() => {
                    self.retry_at = None;
                }
                () = sleep_until(wish_at), if !finishing => {
                    wish_at = self.next_wish(world);
                    if self.wish(world, &mut socket).await? {
                        self.stats.cut.add(1);
                        return Ok(End::Reconnect(Duration::ZERO));
                    }
                }
            }
        }
    }

    fn next_wish(&mut self, world: &World) -> Instant {
        Instant::now() + Duration::from_millis(self.mind.jittered_ms(world.wish_every_ms))
    }

    /// One move of the player. Returns whether the connection is to be cut now.
    async fn wish(&mut self, world: &World, socket: &mut Socket) -> Result<bool> {
        if self.outbox.has_room() && self.outbox.in_flight() < IN_FLIGHT_MAX && self.ledger.has_room() {
            if let Some(hero) = self.mirror.hero() {
                let wish = self.mind.wish(hero);
                let entry = self.ledger.wish(&wish.command, wish.marker);
                self.outbox.push(entry, wish.command);
            }
            self.send_outgoing(socket).await?;
        }
        if self.mind.once_in(REPLAY_ONCE_IN) {
            let applied = self.outbox.applied();
            let old: Vec<CommandFrame> =
                self.recent.iter().filter(|frame| frame.cmd_seq <= applied).cloned().collect();
            let index = usize::try_from(self.mind.below(u64::try_from(old.len()).unwrap_or(0))).unwrap_or(0);
            if let Some(frame) = old.into_iter().nth(index) {
                self.stats.replayed.add(1);
                socket.send(&ClientMessage::Command(frame)).await?;
            }
        }
        if self.mind.once_in(PING_ONCE_IN) {
            socket.send(&ClientMessage::Ping(Ping { client_ms: self.outbox.applied() })).await?;
        }
        Ok(world.cut_once_in > 0 && self.mind.once_in(world.cut_once_in))
    }

    async fn send_outgoing(&mut self, socket: &mut Socket) -> Result<()> {
        if self.retry_at.is_some() {
            return Ok(());
        }
        for outgoing in self.outbox.take_outgoing() {
            self.ledger.sending(outgoing.entry, outgoing.frame.cmd_seq);
            self.stats.sent.add(1);
            if self.outbox.in_flight() == 1 {
                self.answers_at = Instant::now();
            }
            self.remember(&outgoing.frame);
            socket.send(&ClientMessage::Command(outgoing.frame)).await?;
        }
        Ok(())
    }

    /// Keeps the latest body of a number, so that a repetition is word for word what was sent.
    fn remember(&mut self, frame: &CommandFrame) {
        self.recent.retain(|known| known.cmd_seq < frame.cmd_seq);
        self.recent.push_back(frame.clone());
        while self.recent.len() > RECENT_MAX + IN_FLIGHT_MAX {
            self.recent.pop_front();
        }
    }

    /// Takes what came; returns how the socket ended, if it did.
    fn hear(&mut self, received: Result<Received>) -> Option<End> {
        match received {
            Ok(Received::Message(message)) => {
                self.heard_at = Instant::now();
                self.on_message(message);
                None
            }
            Ok(Received::Closed(code)) => {
                *self.closed.entry(code).or_default() += 1;
                self.absent(code);
                if matches!(code, 1000 | 1003 | 1007 | 1008 | 1009 | 1011 | 4001 | 4003 | 4008) {
                    self.ledger.find(format!("a faithful client was closed with {code}"));
                }
                let back_off_ms = self.mind.jittered_ms(RECONNECT_MS);
                let wait_ms = self.away_ms.take().unwrap_or(back_off_ms);
                Some(End::Reconnect(Duration::from_millis(wait_ms)))
            }
            Err(error) => {
                self.ledger.find(format!("{error:#}"));
                Some(End::Reconnect(Duration::ZERO))
            }
        }
    }

    /// Takes a welcome: checks it against everything that was told before.
    pub fn on_welcome(&mut self, welcome: &Welcome) {
        self.on_version(welcome.catalogue_version);
        let told = self.outbox.applied();
        if welcome.cmd_seq_applied < told {
            let lost = told - welcome.cmd_seq_applied;
            self.ledger.lost_on_resume += lost;
            self.stats.lost.add(lost);
            self.ledger.find(format!(
                "command {told} was acknowledged, and after the restart the stream stands at {}",
                welcome.cmd_seq_applied
            ));
            // Their lines stay without an answer: the audit looks for their markers.
            self.outbox.forget(welcome.cmd_seq_applied);
            self.recent.clear();
        }
        if welcome.seq < self.mirror.seq() {
            self.ledger.find(format!(
                "event {} was shown as durable, and after the restart the journal ends at {}",
                self.mirror.seq(),
                welcome.seq
            ));
        }
        if let protocol::server::WelcomeState::Events(events) = &welcome.state {
            for event in &events.events {
                self.ledger.fact(event);
            }
        }
        for finding in self.mirror.welcome(welcome) {
            self.ledger.find(finding);
        }
        let resumed = self.outbox.on_welcome(welcome.cmd_seq_applied);
        self.stats.resumed_applied.add(resumed.applied);
        self.stats.resumed_open.add(resumed.open);
        self.retry_at = None;
    }

    fn on_version(&mut self, version: u32) {
        if self.catalogue_version != version {
            self.catalogue_version = version;
            self.stats.told_version(version);
        }
    }

    fn on_message(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Durable(result) => self.on_done(&result, false),
            ServerMessage::Duplicate(result) => self.on_done(&result, true),
            ServerMessage::Rejected(rejected) => self.on_rejected(&rejected),
            ServerMessage::Events(events) => {
                for event in &events.events {
                    self.ledger.fact(event);
                }
                self.stats.events.add(u64::try_from(events.events.len()).unwrap_or(0));
                for finding in self.mirror.events(&events) {
                    self.ledger.find(finding);
                }
            }
            ServerMessage::GoingAway(away) => {
                // The socket is closed by the server; until then answers may still come.
                self.stats.drained.add(1);
                self.away_ms = Some(u64::from(away.reconnect_after_ms));
            }
            ServerMessage::Welcome(_) => self.ledger.find("a second welcome on one socket".to_owned()),
            ServerMessage::Status(status) => self.on_version(status.catalogue_version),
            ServerMessage::Pong(_) | ServerMessage::Progress(_) => {}
        }
    }

    fn on_done(&mut self, result: &CommandResult, repeated: bool) {
        self.answers_at = Instant::now();
        match self.outbox.on_done(result) {
            Answered::Done(entry) => {
                if self.ledger.acknowledge(entry, result, repeated) {
                    self.stats.acknowledged.add(1);
                }
                if repeated {
                    self.stats.duplicates.add(1);
                }
            }
            Answered::Refused(_) | Answered::Again(_) | Answered::Unasked => {
                self.check_repetition(result, repeated);
            }
        }
    }

    /// The answer to a command that was said again although it was answered: it must be the same answer.
    fn check_repetition(&mut self, result: &CommandResult, repeated: bool) {
        let told = self.ledger.acknowledged_as(result.cmd_seq);
        match told {
            _ if !repeated => {
                self.stats.doubled.add(1);
                self.ledger.find(format!("command {} was acknowledged twice as new", result.cmd_seq));
            }
            Some(told) if (told.seq, told.created_id) == (result.seq, result.created_id) => {
                self.stats.duplicates.add(1);
            }
            Some(told) => self.ledger.find(format!(
                "command {} was acknowledged as event {} and repeated as event {}",
                result.cmd_seq, told.seq, result.seq
            )),
            None => self.ledger.find(format!("an answer to command {}, which nobody asked", result.cmd_seq)),
        }
    }

    fn on_rejected(&mut self, rejected: &Rejected) {
        self.answers_at = Instant::now();
        self.stats.refuse(&rejected.code);
        if let Some(wait_ms) = rejected.retry_after_ms {
            self.retry_at = Some(Instant::now() + Duration::from_millis(u64::from(wait_ms)));
        }
        match self.outbox.on_rejected(rejected) {
            Answered::Refused(entry) => {
                self.ledger.refuse(entry, &rejected.code);
                if matches!(rejected.code.as_str(), "malformed" | "hello_expected" | "hello_repeated") {
                    self.ledger.find(format!("a faithful command was refused as {}", rejected.code));
                }
            }
            Answered::Again(_) | Answered::Done(_) => {}
            // A repetition for the sake of repetition may be put off, but not for good.
            Answered::Unasked if is_worth_repeating(&rejected.code) => {}
            Answered::Unasked => {
                self.ledger.find(format!("a refusal ({}) of {:?}", rejected.code, rejected.cmd_seq));
            }
        }
    }
}
