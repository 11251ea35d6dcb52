//! Devices that do not read what they are sent, and how long the commands of everybody else take beside them.
//!
//! Twenty busy heroes have a second device each. All the time the busy ones act, so that there is much to be sent; the second
//! device reads it, or reads nothing. Measured are fifty other players, who act as people do.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;
use protocol::types::{Category, Priority};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::compare::{Comparison, Part, Round};
use super::slowloris::source;
use super::{Measurement, SecurityOptions, Verdict};
use crate::http::Endpoint;
use crate::wire::{Device, Received, Socket};

const PLAYERS: usize = 50;
const SLOW_READERS: usize = 20;
/// How often each of the measured ones acts.
const ACTS_EVERY: Duration = Duration::from_millis(500);
/// How often each busy one acts: about 20 KiB a second for its second device.
const BUSY_EVERY: Duration = Duration::from_millis(100);
/// Commands of a busy one that are not acknowledged yet.
const IN_FLIGHT_MAX: u64 = 2;
/// How often a device that does not read shows that it lives, and sees whether it was cut off.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_millis(500);
/// Between two parts, nothing is measured for so long.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a part without takes.
const WITHOUT: Duration = Duration::from_secs(8);
/// A part with takes until the server has closed as many slow sockets as there are slow readers, or so long.
const WITH_AT_MOST: Duration = Duration::from_secs(40);
/// Slow sockets that the server has closed.
const CLOSED: &str = "slow_clients_closed_total";
const GOAL: f64 = 0.05;

/// What everybody looks at.
struct Stage {
    endpoint: Endpoint,
    /// The second devices do not read.
    is_deaf: AtomicBool,
    /// Counts parts; what began in one and ended in another is not kept.
    part: AtomicUsize,
    /// The measured part, if one is, and what it took.
    measured: Mutex<Option<(Part, Round)>>,
}

pub(super) async fn run(options: &SecurityOptions) -> Result<Vec<Measurement>> {
    let rounds = options.count(5, 1);
    let plan = options.plan("slow-reader")?.without_socket_limits();
    let server = plan.start().await?;
    let stage = Arc::new(Stage {
        endpoint: plan.endpoint(),
        is_deaf: AtomicBool::new(false),
        part: AtomicUsize::new(0),
        measured: Mutex::new(None),
    });
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for number in 0..SLOW_READERS {
        let device = Device::new_guest(&stage.endpoint, Some(source(5, number)), 1).await?;
        tasks.spawn(listen(Arc::clone(&stage), device.sibling(2, Some(source(6, number)))));
        tasks.spawn(be_busy(Arc::clone(&stage), device));
    }
    for number in 0..PLAYERS {
        let device = Device::new_guest(&stage.endpoint, Some(source(7, number)), 1).await?;
        tasks.spawn(play(Arc::clone(&stage), device, number));
    }
    let measuring = async {
        let mut all = Vec::new();
        sleep(SETTLE).await;
        for _ in 0..rounds {
            let mut round = Round::default();
            for part in Part::ALL {
                stage.is_deaf.store(part == Part::With, Ordering::Relaxed);
                sleep(SETTLE).await;
                let closed = plan.metric(CLOSED).await?;
                let is_over = async |took: Duration| match part {
                    Part::With if took < WITH_AT_MOST => {
                        let now = plan.metric(CLOSED).await?;
                        Ok(now - closed >= f64::from(u16::try_from(SLOW_READERS).unwrap_or(u16::MAX)))
                    }
                    Part::With => Ok(true),
                    Part::Before | Part::After => Ok(took >= WITHOUT),
                };
                round = stage.measure(part, round, is_over).await?;
            }
            all.push(round);
        }
        Ok::<_, anyhow::Error>(all)
    };
    let all = tokio::select! {
        all = measuring => all?,
        Some(ended) = tasks.join_next() => bail!("somebody stopped playing: {ended:?}"),
    };
    let closed = plan.metric(CLOSED).await?;
    tasks.shutdown().await;
    let problems = plan.log_problems();
    let is_well = server.stop().await?.success() && problems.is_empty();
    ensure!(closed > 0.0, "no reader was slow enough to be noticed by the server: nothing was measured");
    let found = Comparison::of(&all)?;
    let seen = format!(
        "acknowledgement for {PLAYERS} players beside {SLOW_READERS} readers that do not read: {}; the server closed {closed:.0} \
         slow sockets; limits of sockets lifted",
        found.words()
    );
    let verdict = if is_well { found.verdict(GOAL) } else { Verdict::Missed };
    let mut figures = found.figures();
    figures["slow_closed"] = json!(closed);
    figures["problems"] = json!(problems);
    Ok(vec![Measurement::new("slow-reader", "p99 at most x1.05", seen, verdict, figures)])
}

impl Stage {
    async fn measure(
        &self,
        part: Part,
        round: Round,
        is_over: impl AsyncFn(Duration) -> Result<bool>,
    ) -> Result<Round> {
        let began = Instant::now();
        self.part.fetch_add(1, Ordering::Relaxed);
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = Some((part, round));
        while !is_over(began.elapsed()).await? {
            sleep(Duration::from_millis(200)).await;
        }
        self.part.fetch_add(1, Ordering::Relaxed);
        let measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner).take();
        measured.map(|(_, round)| round).context("only this function takes it")
    }

    fn took(&self, began_in: usize, took: Duration) {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((part, round)) = &mut *measured
            && self.part.load(Ordering::Relaxed) == began_in
        {
            round.add(*part, took);
        }
    }
}

/// Somebody who is measured.
async fn play(stage: Arc<Stage>, device: Device, number: usize) -> Result<()> {
    // Not all in the same moment.
    sleep(ACTS_EVERY / 50 * u32::try_from(number % 50).unwrap_or(0)).await;
    let (mut socket, welcome) = device.open(&stage.endpoint, None).await?;
    let mut cmd_seq = welcome.cmd_seq_applied;
    let mut turns = interval(ACTS_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Reads while it waits, as a client does.
        tokio::select! {
            _ = turns.tick() => {}
            received = socket.receive() => {
                if let Received::Closed(code) = received? { bail!("closed with {code}") }
                continue;
            }
        }
        cmd_seq += 1;
        let part = stage.part.load(Ordering::Relaxed);
        let began = Instant::now();
        act(&mut socket, cmd_seq, Command::RenameHero { name: format!("Hero {cmd_seq}") }).await?;
        stage.took(part, began.elapsed());
    }
}

/// Somebody who makes much to be sent: a task gets another long title all the time.
async fn be_busy(stage: Arc<Stage>, device: Device) -> Result<()> {
    let (mut socket, welcome) = device.open(&stage.endpoint, None).await?;
    let mut cmd_seq = welcome.cmd_seq_applied + 1;
    let made = act(&mut socket, cmd_seq, create_task()).await?;
    let task_id = made.context("a task has a number")?;
    let mut turns = interval(BUSY_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut durable = cmd_seq;
    loop {
        tokio::select! {
            _ = turns.tick(), if cmd_seq < durable + IN_FLIGHT_MAX => {
                cmd_seq += 1;
                let body = rewrite_task(task_id, cmd_seq);
                socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await?;
            }
            received = socket.receive() => match received? {
                Received::Message(ServerMessage::Durable(result)) => durable = result.cmd_seq,
                Received::Message(ServerMessage::Rejected(rejected)) => bail!("refused: {rejected:?}"),
                Received::Message(_) => {}
                Received::Closed(code) => bail!("a busy one was closed with {code}"),
            }
        }
    }
}

fn create_task() -> Command {
    Command::CreateTask {
        title: "a task".to_owned(),
        category: Category::Learning,
        priority: Priority::Medium,
        estimate_minutes: 25,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}

fn rewrite_task(task_id: u32, number: u64) -> Command {
    Command::UpdateTask {
        task_id,
        title: format!("{}{}", "🦀".repeat(protocol::limit::TITLE_CHARS_MAX - 1), number % 10),
        category: Category::Learning,
        priority: Priority::Medium,
        estimate_minutes: 25,
        due_on: None,
        recurrence: None,
    }
}

/// Sends a command and waits until it is durable.
async fn act(socket: &mut Socket, cmd_seq: u64, body: Command) -> Result<Option<u32>> {
    socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await?;
    loop {
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Durable(result)) if result.cmd_seq == cmd_seq => {
                return Ok(result.created_id);
            }
            Received::Message(ServerMessage::Rejected(rejected)) => bail!("refused: {rejected:?}"),
            Received::Message(_) => {}
            Received::Closed(code) => bail!("closed with {code}"),
        }
    }
}

/// The second device of a busy hero: it reads, or it does not, and comes back when it was cut off.
async fn listen(stage: Arc<Stage>, device: Device) -> Result<()> {
    loop {
        let Ok(mut socket) = device.open_narrow(&stage.endpoint).await else {
            sleep(SIGN_OF_LIFE_EVERY).await;
            continue;
        };
        loop {
            if stage.is_deaf.load(Ordering::Relaxed) {
                sleep(SIGN_OF_LIFE_EVERY).await;
                let pong = socket.send_raw(Message::Pong(Vec::new().into()));
                if !matches!(timeout(SIGN_OF_LIFE_EVERY, pong).await, Ok(Ok(()))) {
                    break;
                }
            } else if let Ok(Ok(Received::Closed(_)) | Err(_)) =
                timeout(SIGN_OF_LIFE_EVERY, socket.receive()).await
            {
                break;
            }
        }
    }
}
