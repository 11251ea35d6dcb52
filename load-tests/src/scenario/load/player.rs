//! One player of a load program: arrives when it is due, does what is due, and comes back whenever the connection is gone.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use protocol::client::{ClientMessage, Command, Ping};
use protocol::server::{ServerMessage, Welcome};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::Program;
use super::habits::Habits;
use super::meters::{Meter, Meters};
use crate::http::Endpoint;
use crate::outbox::{Answered, Outbox};
use crate::wire::{Device, Received, Socket};

/// Mean time between two pings of one player, as the protocol asks of clients.
const PING_EVERY_MS: u64 = 15_000;
/// On a phone: mean time until it is put away, in seconds, and how long that is, at most.
const LEAVES_EVERY_S: f64 = 600.0;
const AWAY_MS_MAX: u64 = 10_000;
/// Due commands that wait for room in the outbox; further ones are counted as not sent.
const BACKLOG_MAX: usize = 64;
/// How long answers and lost connections are awaited after the measured time.
const GRACE: Duration = Duration::from_secs(30);
/// First and longest wait before another try to connect.
const RETRY_MS: u64 = 250;
const RETRY: Duration = Duration::from_millis(RETRY_MS);
const RETRY_MS_MAX: u64 = 4_000;
/// How often a device that never reads shows that it is there, so that only its silence is noticed.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(5);
/// Of so many players one has a device that never reads.
const DEAF_ONE_IN: u32 = 10;

/// What one player is to do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) index: u32,
    pub(super) program: Program,
    pub(super) seed: u64,
    /// Mean seconds between two of its commands.
    pub(super) every: Option<f64>,
    pub(super) endpoint: Endpoint,
    pub(super) arrives: Instant,
    pub(super) source: Option<Ipv4Addr>,
}

impl Plan {
    fn has_deaf_device(&self) -> bool {
        self.program == Program::SlowReaders && self.index.is_multiple_of(DEAF_ONE_IN)
    }
}

/// When is measured, and when everybody loses the connection.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) until: Instant,
    pub(super) storms: Arc<[Instant]>,
}

/// Arrives when it is due, waits for the start, plays to the end.
pub(super) async fn play(
    plan: &Plan,
    meters: &Arc<Meters>,
    mut started: watch::Receiver<Option<Window>>,
    permits: &Semaphore,
) -> Result<()> {
    sleep_until(plan.arrives).await;
    let mut random = StdRng::seed_from_u64(plan.seed ^ (u64::from(plan.index) << 32));
    let permit = permits.acquire().await.context("the run is over")?;
    let stream_id = random.random_range(1..=protocol::limit::INTEGER_MAX);
    let device = Device::new_guest(&plan.endpoint, plan.source, stream_id).await?;
    let (mut socket, welcome) = device.open(&plan.endpoint, None).await?;
    drop(permit);
    meters.record(Meter::Arrive, plan.arrives);
    meters.connected.add(1);
    let mut deaf = JoinSet::new();
    if plan.has_deaf_device() {
        let sibling = device.sibling(stream_id % protocol::limit::INTEGER_MAX + 1, plan.source);
        deaf.spawn(be_deaf(plan.endpoint.clone(), sibling, Arc::clone(meters)));
    }
    let mut player = Player::new(plan, device, random, meters);
    player.welcomed(&welcome);
    if let Some(first) = player.habits.first(&mut player.random) {
        player.push(first, None);
        player.send_outgoing(&mut socket).await?;
    }
    let window = loop {
        if let Some(window) = started.borrow_and_update().clone() {
            break window;
        }
        tokio::select! {
            biased;
            changed = started.changed() => changed.context("the run was given up")?,
            received = socket.receive() => if let Some(code) = player.hear(received?, &mut socket) {
                bail!("closed with {code} before measuring began");
            },
        }
    };
    player.measure(socket, &window).await
}

/// How a socket ended.
enum End {
    /// The time is over.
    Over,
    /// The player put the phone away, for so long.
    Left(Duration),
    /// The connection was lost, or the server ended it; back after so long.
    Lost(Duration),
}

struct Player<'a> {
    plan: &'a Plan,
    device: Device,
    habits: Habits,
    outbox: Outbox,
    random: StdRng,
    /// What was asked for, by its line.
    asked: Vec<Asked>,
    backlog: VecDeque<Instant>,
    /// The last event that it was shown.
    seq: u64,
    ping_sent: Option<Instant>,
    retry_at: Option<Instant>,
    away: Option<Duration>,
    meters: &'a Meters,
}

/// A command that was asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// When it was due; nothing for one that is not measured.
    due: Option<Instant>,
    /// It makes a task.
    is_task: bool,
}

/// What is due next.
struct Beats {
    command: Option<Instant>,
    ping: Instant,
    leave: Option<Instant>,
    storm: Option<Instant>,
}

impl<'a> Player<'a> {
    fn new(plan: &'a Plan, device: Device, random: StdRng, meters: &'a Meters) -> Self {
        Self {
            plan,
            device,
            habits: Habits::new(plan.program, plan.has_deaf_device()),
            outbox: Outbox::default(),
            random,
            asked: Vec::new(),
            backlog: VecDeque::new(),
            seq: 0,
            ping_sent: None,
            retry_at: None,
            away: None,
            meters,
        }
    }

    async fn measure(mut self, mut socket: Socket, window: &Window) -> Result<()> {
        let mut beats = Beats {
            command: self.plan.every.map(|every| window.from + self.exponential(every)),
            ping: window.from + self.ping_wait(),
            leave: (self.plan.program == Program::FocusDay)
                .then(|| window.from + self.exponential(LEAVES_EVERY_S)),
            storm: window.storms.first().copied(),
        };
        loop {
            let ended = self.stay(&mut socket, &mut beats, window).await;
            self.meters.sent_bytes.add(socket.sent_bytes);
            let (wait, is_wanted) = match ended? {
                End::Over => return self.wind_up(socket, window).await,
                End::Left(wait) => (wait, true),
                End::Lost(wait) => (wait, false),
            };
            drop(socket);
            self.meters.disconnected.add(1);
            let lost_at = Instant::now();
            sleep(wait).await;
            let back = self.come_back(window).await?;
            let Some(back) = back else { return Ok(()) };
            socket = back;
            self.meters.returned.add(1);
            let now = Instant::now();
            if is_wanted {
                // Whoever is away does nothing; nobody waits for it.
                beats.command = self.plan.every.map(|every| now + self.exponential(every));
                beats.leave = Some(now + self.exponential(LEAVES_EVERY_S));
            } else {
                self.meters.record(Meter::Return, lost_at);
            }
            beats.ping = now + self.ping_wait();
            beats.storm = window.storms.iter().copied().find(|storm| *storm > now);
        }
    }

    /// One socket, until it ends.
    async fn stay(&mut self, socket: &mut Socket, beats: &mut Beats, window: &Window) -> Result<End> {
        loop {
            self.fill();
            if self.send_outgoing(socket).await.is_err() {
                return Ok(End::Lost(self.retry_wait(RETRY_MS)));
            }
            let soonest = [beats.command, Some(beats.ping), beats.leave, beats.storm, self.retry_at];
            let wake = soonest.into_iter().flatten().min().unwrap_or(window.until).min(window.until);
            tokio::select! {
                biased;
                received = socket.receive() => if let Some(code) = self.hear(received?, socket) {
                    self.meters.closed(code);
                    let wait = self.away.take().unwrap_or_else(|| self.retry_wait(RETRY_MS));
                    return Ok(End::Lost(wait));
                },
                () = sleep_until(wake) => {
                    let now = Instant::now();
                    if now >= window.until {
                        return Ok(End::Over);
                    }
                    if let Some(end) = self.wake(now, socket, beats).await? {
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Does what is due now.
    async fn wake(&mut self, now: Instant, socket: &mut Socket, beats: &mut Beats) -> Result<Option<End>> {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
        }
        if beats.storm.is_some_and(|at| at <= now) {
            return Ok(Some(End::Lost(Duration::ZERO)));
        }
        // Whoever waits for an answer looks at it first: what is measured is the server's time alone.
        let is_waiting = !self.outbox.is_empty() || !self.backlog.is_empty();
        if is_waiting && let Some(leave) = &mut beats.leave {
            *leave = (*leave).max(now + RETRY);
        }
        if beats.leave.is_some_and(|at| at <= now) {
            let away_ms = self.random.random_range(AWAY_MS_MAX / 10..=AWAY_MS_MAX);
            return Ok(Some(End::Left(Duration::from_millis(away_ms))));
        }
        while let (Some(due), Some(every)) = (beats.command.filter(|at| *at <= now), self.plan.every) {
            self.meters.due.add(1);
            if self.backlog.len() < BACKLOG_MAX {
                self.backlog.push_back(due);
            } else {
                self.meters.not_sent.add(1);
            }
            beats.command = Some(due + self.exponential(every));
        }
        if beats.ping <= now {
            beats.ping = now + self.ping_wait();
            if self.ping_sent.is_none() {
                self.ping_sent = Some(now);
                // What is wrong with the socket is found by whoever reads it.
                let _gone = socket.send(&ClientMessage::Ping(Ping { client_ms: 1 })).await;
            }
        }
        Ok(None)
    }

    /// Connects again, however often that takes; nothing when the run is over before.
    async fn come_back(&mut self, window: &Window) -> Result<Option<Socket>> {
        let give_up = window.until + GRACE;
        let mut wait_ms = RETRY_MS;
        loop {
            match timeout_at(give_up, self.device.open(&self.plan.endpoint, Some(self.seq))).await {
                Ok(Ok((socket, welcome))) => {
                    self.welcomed(&welcome);
                    return Ok(Some(socket));
                }
                Ok(Err(_)) if Instant::now() < give_up => {
                    sleep(self.retry_wait(wait_ms)).await;
                    wait_ms = (wait_ms * 2).min(RETRY_MS_MAX);
                }
                Ok(Err(error)) => return Err(error.context("it never came back")),
                Err(_late) => bail!("it did not come back within {} s after the end", GRACE.as_secs()),
            }
        }
    }

    /// Waits for the answers to what was sent, also on another socket.
    async fn wind_up(mut self, mut socket: Socket, window: &Window) -> Result<()> {
        let give_up = window.until + GRACE;
        self.meters.not_sent.add(u64::try_from(self.backlog.len()).unwrap_or(0));
        self.backlog.clear();
        while !self.outbox.is_empty() && Instant::now() < give_up {
            if self.retry_at.is_some_and(|at| at <= Instant::now()) {
                self.retry_at = None;
            }
            let sent = self.send_outgoing(&mut socket).await;
            if self.outbox.is_empty() {
                // What was left was refused.
                break;
            }
            let wake = self.retry_at.unwrap_or(give_up).min(give_up);
            let closed = match sent {
                Err(_) => Some(1006),
                Ok(()) => match timeout_at(wake, socket.receive()).await {
                    Ok(received) => self.hear(received?, &mut socket),
                    Err(_time) => None,
                },
            };
            if let Some(code) = closed {
                self.meters.closed(code);
                sleep(self.away.take().unwrap_or(Duration::from_millis(RETRY_MS))).await;
                let Some(back) = self.come_back(window).await? else { break };
                socket = back;
            }
        }
        self.meters.unanswered.add(u64::try_from(self.outbox.len()).unwrap_or(0));
        Ok(())
    }

    fn welcomed(&mut self, welcome: &Welcome) {
        self.meters.welcomed.add(1);
        let told = self.outbox.applied();
        if welcome.cmd_seq_applied < told {
            self.meters.lost.add(told - welcome.cmd_seq_applied);
            self.outbox.forget(welcome.cmd_seq_applied);
        }
        self.outbox.on_welcome(welcome.cmd_seq_applied);
        self.seq = welcome.seq;
        self.habits.welcome(welcome);
        (self.ping_sent, self.retry_at) = (None, None);
    }

    /// Moves due commands into the outbox as far as there is room.
    fn fill(&mut self) {
        while self.outbox.has_room()
            && let Some(due) = self.backlog.pop_front()
        {
            let command = self.habits.next(&mut self.random);
            self.push(command, Some(due));
        }
    }

    fn push(&mut self, command: Command, due: Option<Instant>) {
        self.asked.push(Asked { due, is_task: matches!(command, Command::CreateTask { .. }) });
        self.outbox.push(self.asked.len() - 1, command);
    }

    async fn send_outgoing(&mut self, socket: &mut Socket) -> Result<()> {
        if self.retry_at.is_none() {
            for outgoing in self.outbox.take_outgoing() {
                socket.send(&ClientMessage::Command(outgoing.frame)).await?;
            }
        }
        Ok(())
    }

    /// Takes what came. Returns how the socket was closed, if it was.
    fn hear(&mut self, received: Received, socket: &mut Socket) -> Option<u16> {
        self.meters.received_bytes.add(std::mem::take(&mut socket.received_bytes));
        let message = match received {
            Received::Closed(code) => return Some(code),
            Received::Message(message) => message,
        };
        self.habits.hear(&message);
        match message {
            ServerMessage::Durable(result) | ServerMessage::Duplicate(result) => {
                if let Answered::Done(entry) = self.outbox.on_done(&result) {
                    let asked = self.asked.get(entry).copied().unwrap_or_default();
                    if let Some(task_id) = result.created_id.filter(|_| asked.is_task) {
                        self.habits.has_task(task_id);
                    }
                    if let Some(due) = asked.due {
                        self.meters.acknowledged.add(1);
                        self.meters.record(Meter::Durable, due);
                    }
                }
            }
            ServerMessage::Rejected(rejected) => {
                self.meters.refusals.refuse(&rejected.code);
                if let Answered::Refused(entry) = self.outbox.on_rejected(&rejected)
                    && self.asked.get(entry).is_some_and(|asked| asked.due.is_some())
                {
                    self.meters.refused.add(1);
                }
                if let Some(wait_ms) = rejected.retry_after_ms {
                    self.retry_at = Some(Instant::now() + Duration::from_millis(u64::from(wait_ms)));
                }
            }
            ServerMessage::Pong(_) => {
                if let Some(sent) = self.ping_sent.take() {
                    self.meters.record(Meter::Ping, sent);
                }
            }
            ServerMessage::Events(events) => {
                self.seq = events.events.last().map_or(self.seq, |event| event.seq.max(self.seq));
            }
            ServerMessage::GoingAway(away) => {
                self.away = Some(Duration::from_millis(u64::from(away.reconnect_after_ms)));
            }
            ServerMessage::Welcome(_) | ServerMessage::Progress(_) | ServerMessage::Status(_) => {}
        }
        None
    }

    /// A wait of a Poisson process: all players together are an even stream at the wanted rate, whatever each one does.
    fn exponential(&mut self, mean_s: f64) -> Duration {
        let share: f64 = self.random.random_range(f64::MIN_POSITIVE..1.0);
        Duration::from_secs_f64((-share.ln() * mean_s).min(86_400.0))
    }

    fn ping_wait(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(PING_EVERY_MS / 2..PING_EVERY_MS * 3 / 2))
    }

    fn retry_wait(&mut self, mean_ms: u64) -> Duration {
        Duration::from_millis(self.random.random_range(mean_ms / 2..=mean_ms * 3 / 2))
    }
}

/// A device that is there and never reads; cut off, it comes back and does the same.
async fn be_deaf(endpoint: Endpoint, device: Device, meters: Arc<Meters>) {
    loop {
        if let Ok(mut socket) = device.open_narrow(&endpoint).await {
            let pong = || Message::Pong(Vec::new().into());
            while let Ok(Ok(())) = timeout(SIGN_OF_LIFE_EVERY, socket.send_raw(pong())).await {
                sleep(SIGN_OF_LIFE_EVERY).await;
            }
            meters.deaf_closed.add(1);
        }
        sleep(SIGN_OF_LIFE_EVERY).await;
    }
}
