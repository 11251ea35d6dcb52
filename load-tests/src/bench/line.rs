//! One of many connections that ask and wait for the answer, without a break: to the game, or to the bare echo.

use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::codec;
use protocol::server::ServerMessage;
use protocol::types::{Category, Priority};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::echo::question;
use crate::http::{Endpoint, connect};
use crate::wire::{ANSWER_WITHIN, Device};

/// The commands of a line, again and again: a task is made, done, and deleted. So no hero grows.
pub(super) const STEPS: usize = 3;
/// The longest latency that is told apart.
const LATENCY_US_MAX: u64 = 60_000_000;
/// How frames begin that are no answer to a command: the name of the message, as MessagePack writes it.
const EVENTS: &[u8] = b"\x81\xa6events";

/// What one step took, summed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub(super) count: u64,
    pub(super) asked_bytes: u64,
    pub(super) answered_bytes: u64,
}

/// What all lines saw in a round.
pub(super) struct Seen {
    pub(super) steps: [Step; STEPS],
    pub(super) latency_us: Histogram<u64>,
}

impl Seen {
    pub(super) fn new() -> Result<Self> {
        let latency_us = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)?;
        Ok(Self { steps: [Step::default(); STEPS], latency_us })
    }

    pub(super) fn count(&self) -> u64 {
        self.steps.iter().map(|step| step.count).sum()
    }

    pub(super) fn add(&mut self, other: &Seen) -> Result<()> {
        for (step, more) in self.steps.iter_mut().zip(&other.steps) {
            step.count += more.count;
            step.asked_bytes += more.asked_bytes;
            step.answered_bytes += more.answered_bytes;
        }
        self.latency_us.add(&other.latency_us).context("they have the same bounds")
    }
}

/// To whom a line talks.
enum Peer {
    Game {
        cmd_seq: u64,
        task_id: u32,
    },
    /// Question and size of answer of each step.
    Echo([(Message, usize); STEPS]),
}

/// A connection.
pub(super) struct Line {
    socket: WebSocketStream<TcpStream>,
    peer: Peer,
    step: usize,
}

impl Line {
    /// A new guest in the game.
    pub(super) async fn to_game(endpoint: &Endpoint, source: Ipv4Addr) -> Result<Self> {
        let device = Device::new_guest(endpoint, Some(source), 1).await?;
        let (socket, welcome) = device.open(endpoint, None).await?;
        let peer = Peer::Game { cmd_seq: welcome.cmd_seq_applied, task_id: 0 };
        Ok(Self { socket: socket.into_frames(), peer, step: 0 })
    }

    /// To the echo, with questions and answers of these sizes.
    pub(super) async fn to_echo(endpoint: &Endpoint, sizes: [(usize, usize); STEPS]) -> Result<Self> {
        let stream = connect(endpoint, None).await?;
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
        let url = format!("ws://{}/", endpoint.authority);
        let (socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await?;
        let peer =
            Peer::Echo(sizes.map(|(asked, answered)| (Message::binary(question(asked, answered)), answered)));
        Ok(Self { socket, peer, step: 0 })
    }

    /// One step and its answer.
    async fn turn(&mut self, seen: &Mutex<Seen>) -> Result<()> {
        let frame = match &mut self.peer {
            Peer::Echo(questions) => questions[self.step].0.clone(),
            Peer::Game { cmd_seq, task_id } => {
                *cmd_seq += 1;
                let frame = CommandFrame { cmd_seq: *cmd_seq, body: command(self.step, *task_id) };
                Message::binary(codec::encode_client(&ClientMessage::Command(frame)))
            }
        };
        let asked = frame.len();
        let began = Instant::now();
        self.socket.send(frame).await.context("the socket is gone")?;
        let mut answered = 0;
        loop {
            let message = self.socket.next().await.context("the socket ended")??;
            let Message::Binary(frame) = message else { continue };
            answered += frame.len();
            if self.is_answer(&frame)? {
                break;
            }
        }
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(LATENCY_US_MAX);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.latency_us.saturating_record(took_us.max(1));
        let step = &mut seen.steps[self.step];
        step.count += 1;
        step.asked_bytes += u64::try_from(asked)?;
        step.answered_bytes += u64::try_from(answered)?;
        self.step = (self.step + 1) % STEPS;
        Ok(())
    }

    fn is_answer(&mut self, frame: &[u8]) -> Result<bool> {
        match &mut self.peer {
            Peer::Echo(questions) => Ok(frame.len() == questions[self.step].1),
            // What it says is of no use here, and reading it costs more than anything else that a line does.
            Peer::Game { .. } if frame.starts_with(EVENTS) => Ok(false),
            Peer::Game { cmd_seq, task_id } => match codec::decode_server(frame)? {
                ServerMessage::Durable(result) if result.cmd_seq == *cmd_seq => {
                    *task_id = result.created_id.unwrap_or(*task_id);
                    Ok(true)
                }
                ServerMessage::Progress(_) | ServerMessage::Status(_) => Ok(false),
                other => bail!("command {cmd_seq} was answered with {other:?}"),
            },
        }
    }
}

fn command(step: usize, task_id: u32) -> Command {
    match step {
        0 => Command::CreateTask {
            title: "Answer the grant letter".to_owned(),
            category: Category::Analytical,
            priority: Priority::Medium,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
            parent_id: None,
        },
        1 => Command::CompleteTask { task_id, occurrence_on: None },
        _ => Command::DeleteTask { task_id },
    }
}

/// Lets all lines ask for so long, and returns what they saw. Each asks without a break, or once in a while.
pub(super) async fn drive(lines: &mut Vec<Line>, lasts: Duration, every: Option<Duration>) -> Result<Seen> {
    let seen = std::sync::Arc::new(Mutex::new(Seen::new()?));
    let until = Instant::now() + lasts;
    let mut tasks = JoinSet::new();
    for mut line in lines.drain(..) {
        let seen = std::sync::Arc::clone(&seen);
        tasks.spawn(async move {
            loop {
                let now = Instant::now();
                if now >= until {
                    break;
                }
                timeout(ANSWER_WITHIN, line.turn(&seen)).await.context("no answer")??;
                if let Some(every) = every {
                    sleep_until(now + every).await;
                }
            }
            anyhow::Ok(line)
        });
    }
    while let Some(line) = tasks.join_next().await {
        lines.push(line??);
    }
    let seen = std::sync::Arc::into_inner(seen).context("all lines are back")?;
    Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
}
