//! What one device asked for and what it was told, kept outside the server: the witness of every fault test.

use protocol::client::Command;
use protocol::server::CommandResult;
use serde::Serialize;
use tokio::time::Instant;

/// Lines that one device writes at most; then it issues no new commands.
pub const ENTRIES_MAX: usize = 20_000;
/// Facts that one device remembers at most; later ones are checked when they come and then forgotten.
pub const FACTS_MAX: usize = 50_000;
/// Findings that one device keeps in words; further ones are only counted.
const FINDINGS_MAX: usize = 50;

/// The server said: this is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// The number under which it was acknowledged.
    pub cmd_seq: u64,
    /// The event it caused first.
    pub seq: u64,
    /// What it made.
    pub created_id: Option<u32>,
    /// It came as `duplicate`, after the first answer was lost.
    pub repeated: bool,
}

/// One command.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its name on the wire.
    pub kind: String,
    /// Words that appear in no other command of the whole run.
    pub marker: Option<String>,
    /// The number of its last sending; 0 if it never left.
    pub cmd_seq: u64,
    /// How often it was sent.
    pub sends: u32,
    /// The success, if it was told.
    pub acknowledged: Option<Acknowledgement>,
    /// The final refusal, if it was told.
    pub refused: Option<String>,
}

/// A line of the hero's journal as the server showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its place.
    pub seq: u64,
    /// When it happened.
    pub at_ms: i64,
    /// What.
    pub kind: String,
    /// Change of the energy balance.
    pub energy_me: i64,
    /// Change of the dopamine balance.
    pub dopamine_md: i64,
}

/// The book of one device.
#[derive(Clone, Debug, Serialize)]
pub struct Ledger {
    /// The hero.
    pub hero_id: String,
    /// The device's stream.
    pub stream_id: u64,
    /// Every command, in the order of wishes.
    pub entries: Vec<Entry>,
    /// Every fact that was shown as durable.
    pub facts: Vec<Fact>,
    /// What was wrong, in words.
    pub findings: Vec<String>,
    /// How much was wrong.
    pub findings_count: u64,
    /// Acknowledged commands that a restarted server no longer knew.
    pub lost_on_resume: u64,
}

/// A time without a server: from what was heard last to the next welcome.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// When the last frame came before the socket was closed; that was `going_away` if the server said so.
    pub since: Instant,
    /// When the socket was closed.
    pub closed: Instant,
    /// How the socket was closed.
    pub code: u16,
    /// When the device was welcomed again.
    pub until: Option<Instant>,
    /// Whether it was welcomed with everything it had been told before.
    pub is_whole: bool,
}

impl Ledger {
    /// An empty book.
    #[must_use]
    pub fn new(hero_id: String, stream_id: u64) -> Self {
        Self {
            hero_id,
            stream_id,
            entries: Vec::new(),
            facts: Vec::new(),
            findings: Vec::new(),
            findings_count: 0,
            lost_on_resume: 0,
        }
    }

    /// Whether there is room for one more command.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.entries.len() < ENTRIES_MAX
    }

    /// Writes a wish down, before anything is sent, and returns its line.
    pub fn wish(&mut self, command: &Command, marker: Option<String>) -> usize {
        self.entries.push(Entry {
            kind: kind_of(command),
            marker,
            cmd_seq: 0,
            sends: 0,
            acknowledged: None,
            refused: None,
        });
        self.entries.len() - 1
    }

    /// A command is about to be sent under a number.
    pub fn sending(&mut self, entry: usize, cmd_seq: u64) {
        if let Some(entry) = self.entries.get_mut(entry) {
            entry.cmd_seq = cmd_seq;
            entry.sends += 1;
        }
    }

    /// A success came. Returns whether it is the first one for this line.
    pub fn acknowledge(&mut self, entry: usize, result: &CommandResult, repeated: bool) -> bool {
        let acknowledgement = Acknowledgement {
            cmd_seq: result.cmd_seq,
            seq: result.seq,
            created_id: result.created_id,
            repeated,
        };
        match self.entries.get_mut(entry) {
            Some(entry) if entry.acknowledged.is_none() => {
                entry.acknowledged = Some(acknowledgement);
                true
            }
            _ => false,
        }
    }

    /// A final refusal came.
    pub fn refuse(&mut self, entry: usize, code: &str) {
        if let Some(entry) = self.entries.get_mut(entry) {
            entry.refused = Some(code.to_owned());
        }
    }

    /// A durable fact was shown.
    pub fn fact(&mut self, event: &protocol::server::Event) {
        if self.facts.len() < FACTS_MAX {
            self.facts.push(Fact {
                seq: event.seq,
                at_ms: event.at_ms,
                kind: event.kind.clone(),
                energy_me: event.energy_me,
                dopamine_md: event.dopamine_md,
            });
        }
    }

    /// Something is wrong.
    pub fn find(&mut self, finding: String) {
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// The acknowledgement that was given for a number, if any. Later lines first: repeats ask for recent ones.
    #[must_use]
    pub fn acknowledged_as(&self, cmd_seq: u64) -> Option<Acknowledgement> {
        self.entries
            .iter()
            .rev()
            .filter_map(|entry| entry.acknowledged)
            .find(|acknowledgement| acknowledgement.cmd_seq == cmd_seq)
    }

    /// How many commands were acknowledged.
    #[must_use]
    pub fn acknowledged_count(&self) -> usize {
        self.entries.iter().filter(|entry| entry.acknowledged.is_some()).count()
    }
}

/// A command's name on the wire.
#[must_use]
pub fn kind_of(command: &Command) -> String {
    match serde_json::to_value(command) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}
