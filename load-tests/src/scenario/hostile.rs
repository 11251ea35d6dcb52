//! Every wrong frame a client can think of, with what must follow: the right refusal or the right close code, and
//! nothing else. After each group the hero is what it was, seen through a second device.
//!
//! - [`frames`]: bytes that are no message, and messages at the wrong moment.
//! - [`shapes`]: each message with each field wrong in each way, derived from one good example of each.
//! - [`values`]: sound commands whose values the rules refuse, and ids of other heroes.

pub mod frames;
pub mod shapes;
pub mod values;

use anyhow::{Context, Result, ensure};
use protocol::client::ClientMessage;
use protocol::server::{ServerMessage, WelcomeState};
use protocol::types::Hero;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Message;

use crate::http::Endpoint;
use crate::mirror::lasting;
use crate::wire::{Device, Received, Socket};

/// Findings that a report keeps in words.
const FINDINGS_MAX: usize = 200;

/// What must follow a wrong frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `rejected` with one of these codes; the socket goes on.
    Rejected(&'static [&'static str]),
    /// The socket is closed with one of these codes, without any other word.
    Closed(&'static [u16]),
}

/// Frames that are sent on one socket after a good hello.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is wrong.
    pub name: String,
    /// What is sent.
    pub frames: Vec<Message>,
    /// What must follow.
    pub expected: Expected,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HostileReport {
    /// Cases that were tried.
    pub cases: u64,
    /// Cases whose answer was wrong, in words.
    pub findings: Vec<String>,
    /// How many there are.
    pub findings_count: u64,
}

impl HostileReport {
    /// Nothing wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings_count == 0
    }

    /// A few lines.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut lines = vec![format!("{} cases, {} wrong answers", self.cases, self.findings_count)];
        lines.extend(self.findings.iter().map(|finding| format!("! {finding}")));
        lines.join("\n")
    }

    fn find(&mut self, finding: String) {
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// Adds another report.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.findings_count += other.findings_count;
        let room = FINDINGS_MAX.saturating_sub(self.findings.len());
        self.findings.extend(other.findings.into_iter().take(room));
    }
}

/// Everything, against one server whose limits of frames per second are lifted.
///
/// # Errors
/// When the server cannot be reached at all.
pub async fn run(endpoint: &Endpoint) -> Result<HostileReport> {
    let mut report = HostileReport::default();
    report.add(frames::before_hello(endpoint).await?);
    report.add(frames::tickets(endpoint).await?);
    report.add(run_cases(endpoint, frames::after_hello()).await?);
    report.add(frames::order(endpoint).await?);
    report.add(run_cases(endpoint, shapes::cases()?).await?);
    report.add(values::run(endpoint).await?);
    Ok(report)
}

/// Sends each case from one device of a fresh hero and watches the hero from another.
///
/// # Errors
/// When the server cannot be reached at all.
pub async fn run_cases(endpoint: &Endpoint, cases: Vec<Case>) -> Result<HostileReport> {
    let victim = Target::new(endpoint).await?;
    let mut report = HostileReport::default();
    let mut socket = None;
    for case in cases {
        report.cases += 1;
        let open = match socket.take() {
            Some(open) => open,
            None => victim.attacker.open(endpoint, None).await?.0,
        };
        match try_case(open, &case).await {
            Ok(still_open) => socket = still_open,
            Err(problem) => report.find(format!("{}: {problem:#}", case.name)),
        }
    }
    victim.check(endpoint, &mut report).await?;
    Ok(report)
}

/// Sends one case. Returns the socket, if it is still good for more.
async fn try_case(mut socket: Socket, case: &Case) -> Result<Option<Socket>> {
    for frame in &case.frames {
        // A server may close in the middle of a case; then its close code is what counts.
        if socket.send_raw(frame.clone()).await.is_err() {
            break;
        }
    }
    loop {
        let received = socket.receive_soon().await?;
        match (received, case.expected) {
            (Received::Message(ServerMessage::Rejected(rejected)), Expected::Rejected(codes)) => {
                ensure!(
                    codes.contains(&rejected.code.as_str()),
                    "refused as {} ({}), not as {codes:?}",
                    rejected.code,
                    rejected.hint
                );
                ensure!(!rejected.hint.is_empty(), "refused as {} without a hint", rejected.code);
                return Ok(Some(socket));
            }
            (Received::Closed(code), Expected::Closed(codes)) => {
                ensure!(codes.contains(&code), "closed with {code}, not with {codes:?}");
                return Ok(None);
            }
            (Received::Message(ServerMessage::Progress(_) | ServerMessage::Status(_)), _) => {}
            (other, expected) => anyhow::bail!("answered with {other:?}, not with {expected:?}"),
        }
    }
}

/// A hero with something to lose, the device that attacks and the device that looks.
pub struct Target {
    /// Sends what is wrong.
    pub attacker: Device,
    witness: Device,
    seq: u64,
    hero: Box<Hero>,
}

impl Target {
    /// A fresh hero with a few tasks.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn new(endpoint: &Endpoint) -> Result<Self> {
        let witness = Device::new_guest(endpoint, None, 1).await?;
        furnish(endpoint, &witness).await?;
        let attacker = witness.sibling(2, None);
        // The attacker's own stream exists from here on, so that a new device is not a change.
        let (socket, _) = attacker.open(endpoint, None).await?;
        socket.close().await;
        let (seq, hero) = look(endpoint, &witness).await?;
        Ok(Self { attacker, witness, seq, hero })
    }

    /// The numbers of what it has.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        self.hero.tasks.iter().map(|task| task.task_id).collect()
    }

    /// Nothing has changed, and a good command still works.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn check(&self, endpoint: &Endpoint, report: &mut HostileReport) -> Result<()> {
        let (seq, hero) = look(endpoint, &self.witness).await?;
        if seq != self.seq {
            report.find(format!("the journal went from {} to {seq}", self.seq));
        }
        if lasting(&hero) != lasting(&self.hero) {
            report.find("the hero has changed".to_owned());
        }
        let (mut socket, welcome) = self.witness.open(endpoint, Some(seq)).await?;
        let body = protocol::client::Command::RenameHero { name: "still here".to_owned() };
        let cmd_seq = welcome.cmd_seq_applied + 1;
        let frame = protocol::client::CommandFrame { cmd_seq, body };
        socket.send(&ClientMessage::Command(frame)).await?;
        if let Err(problem) = until_durable(&mut socket, cmd_seq).await {
            report.find(format!("a good command afterwards: {problem:#}"));
        }
        socket.close().await;
        Ok(())
    }
}

/// Gives a hero two tasks, so that there are ids to guess and something to lose.
///
/// # Errors
/// When a good command is refused.
pub async fn furnish(endpoint: &Endpoint, device: &Device) -> Result<()> {
    let (mut socket, welcome) = device.open(endpoint, None).await?;
    for (number, title) in (welcome.cmd_seq_applied + 1..).zip(["precious", "private"]) {
        let body = protocol::client::Command::CreateTask {
            title: title.to_owned(),
            category: protocol::types::Category::Creative,
            priority: protocol::types::Priority::High,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
            parent_id: None,
        };
        let frame = protocol::client::CommandFrame { cmd_seq: number, body };
        socket.send(&ClientMessage::Command(frame)).await?;
        until_durable(&mut socket, number).await?;
    }
    socket.close().await;
    Ok(())
}

/// Waits for the success of a command.
///
/// # Errors
/// When something else becomes of it.
pub async fn until_durable(socket: &mut Socket, cmd_seq: u64) -> Result<protocol::server::CommandResult> {
    loop {
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Durable(result)) if result.cmd_seq == cmd_seq => {
                return Ok(result);
            }
            Received::Message(
                ServerMessage::Events(_) | ServerMessage::Progress(_) | ServerMessage::Status(_),
            ) => {}
            other => anyhow::bail!("command {cmd_seq} was answered with {other:?}"),
        }
    }
}

/// The whole hero as a device sees it now.
///
/// # Errors
/// When the server does not show it.
pub async fn look(endpoint: &Endpoint, device: &Device) -> Result<(u64, Box<Hero>)> {
    let (socket, welcome) = device.open(endpoint, None).await?;
    socket.close().await;
    match welcome.state {
        WelcomeState::Snapshot(hero) => Ok((welcome.seq, hero)),
        WelcomeState::Events(_) => None.context("a hello without last_seq was answered without a snapshot"),
    }
}
