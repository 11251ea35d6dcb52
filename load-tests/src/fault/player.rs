//! A device that does what a case tells it, step by step, and keeps a ledger like every bot.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use protocol::client::{ClientMessage, Command, CommandFrame};
use protocol::server::{CommandResult, Events, ServerMessage, WelcomeState};
use tokio::time::{Instant, timeout};

use crate::http::Endpoint;
use crate::ledger::Ledger;
use crate::outbox::is_worth_repeating;
use crate::wire::{Device, Received, Socket};

/// The wait before a refused command is said again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How long a server may take to be back after a fault.
const COMES_WITHIN: Duration = Duration::from_secs(30);

/// The random end of a hero's id.
const MARK_CHARS: usize = 12;

/// One device of a hero. Every command gives the hero another name, by which it is found again.
pub(super) struct Player {
    pub(super) device: Device,
    pub(super) ledger: Ledger,
    socket: Option<Socket>,
    /// What was said last, and its line of the ledger.
    said: Option<(CommandFrame, usize)>,
    /// The name of the hero in the news that came last.
    name_seen: String,
}

impl Player {
    pub(super) fn new(device: Device) -> Self {
        let ledger = Ledger::new(device.hero_id.clone(), device.stream_id);
        Self { device, ledger, socket: None, said: None, name_seen: String::new() }
    }

    /// A new hero with two devices.
    pub(super) async fn pair(node: &Endpoint, source: Option<std::net::Ipv4Addr>) -> Result<[Self; 2]> {
        let one = Device::new_guest(node, source, 1).await?;
        let other = one.sibling(2, source);
        Ok([Self::new(one), Self::new(other)])
    }

    /// What no other hero of the run has, short enough for a name.
    pub(super) fn mark(&self) -> &str {
        let id = &self.device.hero_id;
        &id[id.len().saturating_sub(MARK_CHARS)..]
    }

    /// Comes to a server, and leaves the one it was at. Returns how long the welcome took.
    pub(super) async fn come(&mut self, node: &Endpoint) -> Result<Duration> {
        self.leave().await;
        let ticket = self.device.ticket(node).await?;
        let mut socket = Socket::connect(node, self.device.source).await?;
        let hello = self.device.hello(ticket, None);
        let began = Instant::now();
        socket.send(&ClientMessage::Hello(hello)).await?;
        let welcome = match socket.receive_soon().await? {
            Received::Message(ServerMessage::Welcome(welcome)) => welcome,
            other => bail!("hello was answered with {other:?}"),
        };
        let took = began.elapsed();
        let told = self.ledger.entries.iter().filter_map(|entry| entry.acknowledged).next_back();
        if let Some(told) = told.filter(|told| told.cmd_seq > welcome.cmd_seq_applied) {
            self.ledger.lost_on_resume += told.cmd_seq - welcome.cmd_seq_applied;
            self.ledger.find(format!("command {} was acknowledged and is not known any more", told.cmd_seq));
        }
        if let WelcomeState::Snapshot(hero) = &welcome.state {
            self.name_seen.clone_from(&hero.profile.name);
        }
        self.socket = Some(socket);
        Ok(took)
    }

    /// As `come`, again and again while the server does not take anybody.
    pub(super) async fn come_in_the_end(&mut self, node: &Endpoint) -> Result<()> {
        let coming = async {
            while self.come(node).await.is_err() {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        };
        timeout(COMES_WITHIN, coming).await.context("the server takes nobody")
    }

    /// Says goodbye, if it is anywhere.
    pub(super) async fn leave(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
    }

    /// Gives the hero a name and does not wait for the answer.
    pub(super) async fn say(&mut self, name: &str) -> Result<()> {
        let cmd_seq = self.said.as_ref().map_or(0, |(frame, _)| frame.cmd_seq) + 1;
        let body = Command::RenameHero { name: name.to_owned() };
        let entry = self.ledger.wish(&body, Some(name.to_owned()));
        self.said = Some((CommandFrame { cmd_seq, body }, entry));
        self.repeat().await
    }

    /// Says again what it said last, word for word.
    pub(super) async fn repeat(&mut self) -> Result<()> {
        let (frame, entry) = self.said.clone().context("nothing was said yet")?;
        self.ledger.sending(entry, frame.cmd_seq);
        self.socket().await?.send(&ClientMessage::Command(frame)).await
    }

    /// Waits until what it said last is acknowledged. Returns how long that took.
    pub(super) async fn done(&mut self) -> Result<Duration> {
        let began = Instant::now();
        loop {
            match self.hear().await? {
                Heard::Done => return Ok(began.elapsed()),
                Heard::Refused => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                    self.repeat().await?;
                }
                Heard::News | Heard::Nothing => {}
                Heard::Closed(code) => bail!("the socket was closed with {code}"),
            }
        }
    }

    /// Waits until it sees the name that the hero got from another device.
    pub(super) async fn sees(&mut self, name: &str) -> Result<Duration> {
        let began = Instant::now();
        while self.name_seen != name {
            if let Heard::Closed(code) = self.hear().await? {
                bail!("the socket was closed with {code} before {name} was seen");
            }
        }
        Ok(began.elapsed())
    }

    /// Listens to whatever still comes until the server closes. Returns the code.
    pub(super) async fn until_closed(&mut self) -> Result<u16> {
        loop {
            if let Heard::Closed(code) = self.hear().await? {
                return Ok(code);
            }
        }
    }

    /// The next thing that the server says.
    async fn hear(&mut self) -> Result<Heard> {
        let received = self.socket().await?.receive_soon().await?;
        Ok(match received {
            Received::Message(ServerMessage::Durable(result)) => self.on_done(&result, false),
            Received::Message(ServerMessage::Duplicate(result)) => self.on_done(&result, true),
            Received::Message(ServerMessage::Events(events)) => self.on_events(&events),
            Received::Message(ServerMessage::Rejected(rejected)) => {
                if !is_worth_repeating(&rejected.code) {
                    bail!("refused: {rejected:?}");
                }
                Heard::Refused
            }
            Received::Message(_) => Heard::Nothing,
            Received::Closed(code) => {
                self.socket = None;
                Heard::Closed(code)
            }
        })
    }

    async fn socket(&mut self) -> Result<&mut Socket> {
        self.socket.as_mut().context("not connected")
    }

    fn on_done(&mut self, result: &CommandResult, is_repeat: bool) -> Heard {
        match &self.said {
            Some((frame, entry)) if frame.cmd_seq == result.cmd_seq => {
                self.ledger.acknowledge(*entry, result, is_repeat);
                Heard::Done
            }
            _ => Heard::Nothing,
        }
    }

    fn on_events(&mut self, events: &Events) -> Heard {
        for event in &events.events {
            self.ledger.fact(event);
        }
        if let Some(profile) = &events.patch.profile {
            self.name_seen.clone_from(&profile.name);
        }
        Heard::News
    }
}

/// What a player heard.
enum Heard {
    /// What it said last is durable.
    Done,
    /// It was not applied, and may work in a moment.
    Refused,
    /// The hero changed.
    News,
    /// Nothing that matters.
    Nothing,
    /// The socket is gone.
    Closed(u16),
}
