//! `wire`: bytes to and from a player who focuses and does nothing.
//!
//! It is the first session of a new player, and the windows are its first, with the ignition at two minutes. The figure is their mean;
//! each is shown too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::ServerMessage;
use protocol::types::{Category, FocusMode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::counted::{Bytes, Counted};
use super::crowd::source;
use super::{BenchOptions, float, float_of, round};
use crate::http::{Endpoint, connect};
use crate::wire::{Device, Received, Socket};

const PLAYERS: usize = 20;
const WINDOWS: usize = 2;
const LASTS: Duration = Duration::from_secs(120);
const BYTES_PER_SECOND_MAX: f64 = 4.0;
/// A ping of the server has no content: two bytes. Our pong is masked: two bytes and the mask.
const PING_BYTES: u64 = 2;
const PONG_BYTES: u64 = 6;

/// What one window of a player held.
#[derive(Clone, Debug, Default)]
struct Window {
    received: u64,
    sent: u64,
    pings: u64,
    /// Messages by name.
    messages: BTreeMap<&'static str, u64>,
}

pub(super) async fn run(options: &BenchOptions) -> Result<Value> {
    let players = options.players(PLAYERS, 2);
    let lasts = if options.quick { Duration::from_secs(1) } else { LASTS };
    let plan = options.plan("wire")?;
    let server = plan.start().await?;
    let mut tasks = JoinSet::new();
    for index in 0..players {
        let endpoint = plan.endpoint();
        tasks.spawn(async move { play(&endpoint, index, lasts).await });
    }
    let mut windows = vec![Window::default(); WINDOWS];
    while let Some(seen) = tasks.join_next().await {
        for (sum, window) in windows.iter_mut().zip(seen??) {
            sum.add(&window);
        }
    }
    ensure!(server.stop().await?.success(), "the server did not end well: {}", plan.log_tail());
    let player_seconds = float_of(players) * lasts.as_secs_f64();
    let each = |bytes: u64| round(float(bytes) / player_seconds);
    let shown: Vec<Value> = windows
        .iter()
        .map(|window| {
            json!({
                "bytes_per_s": each(window.above_pings()),
                "received_per_s": each(window.received),
                "sent_per_s": each(window.sent),
                "keep_alive_per_s": each(window.keep_alive()),
                "messages": window.messages,
            })
        })
        .collect();
    let above_pings = windows.iter().map(Window::above_pings).sum::<u64>();
    let mean = round(float(above_pings) / player_seconds / float_of(WINDOWS));
    Ok(json!({
        "players": players,
        "window_s": lasts.as_secs_f64(),
        "windows": shown,
        "bytes_per_s": mean,
        "goal": format!("bytes_per_s above keep-alive <= {BYTES_PER_SECOND_MAX}"),
        "is_met": mean <= BYTES_PER_SECOND_MAX,
    }))
}

impl Window {
    fn keep_alive(&self) -> u64 {
        self.pings * (PING_BYTES + PONG_BYTES)
    }

    fn above_pings(&self) -> u64 {
        (self.received + self.sent).saturating_sub(self.keep_alive())
    }

    fn add(&mut self, other: &Window) {
        self.received += other.received;
        self.sent += other.sent;
        self.pings += other.pings;
        for (name, count) in &other.messages {
            *self.messages.entry(name).or_default() += count;
        }
    }
}

/// Starts a session without an end, and listens.
async fn play(endpoint: &Endpoint, index: usize, lasts: Duration) -> Result<Vec<Window>> {
    let device = Device::new_guest(endpoint, Some(source(index)), 1).await?;
    let bytes = Arc::new(Bytes::default());
    let stream = connect(endpoint, device.source).await?;
    let counted = Counted { stream, bytes: Arc::clone(&bytes) };
    let mut socket = Socket::upgrade(endpoint, counted).await?;
    let ticket = device.ticket(endpoint).await?;
    let welcome = socket.greet(device.hello(ticket, None)).await?;
    let cmd_seq = welcome.cmd_seq_applied + 1;
    let body = Command::StartFocus { mode: FocusMode::Flowtime, category: Category::None, task_id: None };
    socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await?;
    loop {
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Durable(_)) => break,
            Received::Message(ServerMessage::Rejected(rejected)) => bail!("refused: {rejected:?}"),
            Received::Message(_) => {}
            Received::Closed(code) => bail!("closed with {code}"),
        }
    }
    let mut until = Instant::now();
    let mut windows = Vec::new();
    for _ in 0..WINDOWS {
        until += lasts;
        windows.push(listen(&mut socket, &bytes, until).await?);
    }
    Ok(windows)
}

async fn listen(socket: &mut Socket<Counted>, bytes: &Bytes, until: Instant) -> Result<Window> {
    let (received, sent, pings) = (bytes.received.get(), bytes.sent.get(), socket.pings);
    let mut messages = BTreeMap::new();
    while let Ok(heard) = timeout_at(until, socket.receive()).await {
        match heard.context("while listening")? {
            Received::Message(message) => *messages.entry(name(&message)).or_default() += 1,
            Received::Closed(code) => bail!("closed with {code}"),
        }
    }
    Ok(Window {
        received: bytes.received.get() - received,
        sent: bytes.sent.get() - sent,
        pings: socket.pings - pings,
        messages,
    })
}

fn name(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::Welcome(_) => "welcome",
        ServerMessage::Durable(_) => "durable",
        ServerMessage::Duplicate(_) => "duplicate",
        ServerMessage::Rejected(_) => "rejected",
        ServerMessage::Events(_) => "events",
        ServerMessage::Progress(_) => "progress",
        ServerMessage::Pong(_) => "pong",
        ServerMessage::Status(_) => "status",
        ServerMessage::GoingAway(_) => "going_away",
    }
}
