//! One player of a load program.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use protocol::client::{ClientMessage, Command, Ping};
use protocol::server::ServerMessage;
use protocol::types::{Category, FocusMode, Priority};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{LoadOptions, Meter, Meters, Program};
use crate::http::Endpoint;
use crate::outbox::{Answered, Outbox};
use crate::wire::{Device, Received, Socket};

/// Mean time between two pings of one player.
const PING_EVERY_MS: u64 = 10_000;
/// Due commands that wait for room in the outbox; further ones are counted as not sent.
const BACKLOG_MAX: usize = 64;
/// How long answers are awaited after the measured time.
const GRACE: Duration = Duration::from_secs(10);
/// Tasks that a player keeps of each kind before it finishes or deletes some.
const TASKS_KEPT_MAX: usize = 10;

/// What one player is to do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) index: u32,
    pub(super) options: LoadOptions,
    pub(super) endpoint: Endpoint,
    pub(super) connect_due: Instant,
    pub(super) source: Option<Ipv4Addr>,
}

/// When is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

/// Connects when it is due, waits for the start, plays to the end.
pub(super) async fn play(
    plan: &Plan,
    meters: &Meters,
    mut started: watch::Receiver<Option<Window>>,
    permits: &Semaphore,
) -> Result<()> {
    sleep_until(plan.connect_due).await;
    let mut random = StdRng::seed_from_u64(plan.options.seed ^ (u64::from(plan.index) << 32));
    let permit = permits.acquire().await.context("the run is over")?;
    let stream_id = random.random_range(1..=protocol::limit::INTEGER_MAX);
    let device = Device::new_guest(&plan.endpoint, plan.source, stream_id).await?;
    let (socket, _) = device.open(&plan.endpoint, None).await?;
    drop(permit);
    meters.record(Meter::Connect, plan.connect_due);
    meters.connected.add(1);
    let mut player = Player {
        socket,
        outbox: Outbox::default(),
        random,
        dues: Vec::new(),
        backlog: VecDeque::new(),
        open: VecDeque::new(),
        done: VecDeque::new(),
        ping_sent: None,
        retry_at: None,
        meters,
    };
    if plan.options.program == Program::Idle {
        let command =
            Command::StartFocus { mode: FocusMode::Flowtime, category: Category::None, task_id: None };
        player.push(command, Instant::now());
        player.send_outgoing().await?;
    }
    let window = loop {
        if let Some(window) = *started.borrow_and_update() {
            break window;
        }
        tokio::select! {
            biased;
            changed = started.changed() => changed.context("the run was given up")?,
            received = player.socket.receive() => if !player.hear(received?) { return Ok(()) },
        }
    };
    player.measure(plan, window).await
}

struct Player<'a> {
    socket: Socket,
    outbox: Outbox,
    random: StdRng,
    /// The due moment of each command, by its line.
    dues: Vec<Instant>,
    backlog: VecDeque<Instant>,
    /// Tasks that are not done, and those that are.
    open: VecDeque<u32>,
    done: VecDeque<u32>,
    ping_sent: Option<Instant>,
    retry_at: Option<Instant>,
    meters: &'a Meters,
}

impl Player<'_> {
    async fn measure(&mut self, plan: &Plan, window: Window) -> Result<()> {
        let every = Duration::from_secs_f64(f64::from(plan.options.players) / plan.options.rate);
        let acts = plan.options.program == Program::Commands;
        // A random phase for each player, then a fixed beat: together that is an even stream at the wanted rate.
        let mut due = window.from + every.mul_f64(self.random.random_range(0.0..1.0));
        let mut ping_due = window.from + self.ping_wait();
        while Instant::now() < window.until {
            self.fill();
            self.send_outgoing().await?;
            tokio::select! {
                biased;
                () = sleep_until(window.until) => break,
                () = sleep_until(due), if acts => {
                    self.meters.due.add(1);
                    if self.backlog.len() < BACKLOG_MAX { self.backlog.push_back(due) } else { self.meters.not_sent.add(1) }
                    due += every;
                }
                () = sleep_until(ping_due) => {
                    ping_due = Instant::now() + self.ping_wait();
                    if self.ping_sent.is_none() {
                        self.ping_sent = Some(Instant::now());
                        self.socket.send(&ClientMessage::Ping(Ping { client_ms: 1 })).await?;
                    }
                }
                () = sleep_until(self.retry_at.unwrap_or(due)), if self.retry_at.is_some() => self.retry_at = None,
                received = self.socket.receive() => if !self.hear(received?) { return Ok(()) },
            }
        }
        self.wind_up(window).await
    }

    fn ping_wait(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(PING_EVERY_MS / 2..PING_EVERY_MS * 3 / 2))
    }

    /// Waits for the answers to what was sent.
    async fn wind_up(&mut self, window: Window) -> Result<()> {
        self.meters.not_sent.add(u64::try_from(self.backlog.len()).unwrap_or(0));
        while self.outbox.in_flight() > 0 {
            match timeout_at(window.until + GRACE, self.socket.receive()).await {
                Ok(received) => {
                    if !self.hear(received?) {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        self.meters.unanswered.add(u64::try_from(self.outbox.in_flight()).unwrap_or(0));
        Ok(())
    }

    /// Moves due commands into the outbox as far as there is room.
    fn fill(&mut self) {
        while self.outbox.has_room()
            && let Some(due) = self.backlog.pop_front()
        {
            let command = self.next_command();
            self.push(command, due);
        }
    }

    fn push(&mut self, command: Command, due: Instant) {
        self.dues.push(due);
        self.outbox.push(self.dues.len() - 1, command);
    }

    /// A command that is never refused, so that every due command is answered by `durable` or by a refusal that means
    /// load.
    fn next_command(&mut self) -> Command {
        if self.done.len() > TASKS_KEPT_MAX
            && let Some(task_id) = self.done.pop_front()
        {
            return Command::DeleteTask { task_id };
        }
        let roll = self.random.random_range(0..3_u32);
        if (roll == 0 || self.open.len() > TASKS_KEPT_MAX)
            && let Some(task_id) = self.open.pop_front()
        {
            self.done.push_back(task_id);
            return Command::CompleteTask { task_id, occurrence_on: None };
        }
        match roll {
            1 => Command::RenameHero { name: format!("player {}", self.dues.len()) },
            _ => Command::CreateTask {
                title: format!("task {}", self.dues.len()),
                category: Category::Analytical,
                priority: Priority::Medium,
                estimate_minutes: 30,
                due_on: None,
                recurrence: None,
                parent_id: None,
            },
        }
    }

    async fn send_outgoing(&mut self) -> Result<()> {
        if self.retry_at.is_none() {
            for outgoing in self.outbox.take_outgoing() {
                self.socket.send(&ClientMessage::Command(outgoing.frame)).await?;
            }
        }
        Ok(())
    }

    /// Takes what came. Returns whether the socket is still open.
    fn hear(&mut self, received: Received) -> bool {
        self.meters.received_bytes.add(std::mem::take(&mut self.socket.received_bytes));
        let message = match received {
            Received::Closed(code) => {
                self.meters.closed(code);
                self.meters.unanswered.add(u64::try_from(self.outbox.in_flight()).unwrap_or(0));
                return false;
            }
            Received::Message(message) => message,
        };
        match message {
            ServerMessage::Durable(result) | ServerMessage::Duplicate(result) => {
                if let Answered::Done(entry) = self.outbox.on_done(&result) {
                    self.meters.acknowledged.add(1);
                    if let Some(due) = self.dues.get(entry) {
                        self.meters.record(Meter::Durable, *due);
                    }
                    self.open.extend(result.created_id);
                }
            }
            ServerMessage::Rejected(rejected) => {
                self.meters.refusals.refuse(&rejected.code);
                self.outbox.on_rejected(&rejected);
                if let Some(wait_ms) = rejected.retry_after_ms {
                    self.retry_at = Some(Instant::now() + Duration::from_millis(u64::from(wait_ms)));
                }
            }
            ServerMessage::Pong(_) => {
                if let Some(sent) = self.ping_sent.take() {
                    self.meters.record(Meter::Ping, sent);
                }
            }
            ServerMessage::Welcome(_)
            | ServerMessage::Events(_)
            | ServerMessage::Progress(_)
            | ServerMessage::Status(_)
            | ServerMessage::GoingAway(_) => {}
        }
        true
    }
}
