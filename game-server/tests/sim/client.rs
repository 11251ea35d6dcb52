//! A device: it knows the protocol, and of the servers only where they are.
//!
//! It does what `docs/protocol.md` asks of clients: numbers its commands, keeps each until it is answered, repeats the
//! unanswered ones with the same numbers on the next socket, and numbers anew what follows a refusal.

mod socket;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use persistence::HeroId;
use protocol::client::Command;
use protocol::server::{CommandResult, Event, Rejected, ServerMessage, Welcome, WelcomeState};
use protocol::types::{Category, FocusMode, Priority};
use tokio::time::Instant;

use crate::numbers::Numbers;
use crate::world::World;

/// Commands that a device sends before it has heard of the first.
const AHEAD_MAX: usize = 4;
/// Answers that the server keeps of a stream; older ones need not be given again.
const REMEMBERED_MAX: u64 = 64;

/// Refusals that are no answer: the same command is sent again.
const AGAIN: [&str; 5] = ["busy", "read_only", "rate", "internal", "out_of_order"];
/// Refusals that an honest client never hears.
const NEVER: [&str; 5] = ["malformed", "hello_expected", "hello_repeated", "stream_forgotten", "quarantined"];

/// A command without an answer.
#[derive(Debug)]
struct Unanswered {
    command: Command,
    /// The number it was sent with on this socket.
    sent_as: Option<u64>,
    not_before: Instant,
}

/// One device of one hero.
#[derive(Debug)]
pub(crate) struct Client {
    world: Arc<World>,
    name: String,
    hero: HeroId,
    stream_id: u64,
    numbers: Numbers,
    /// The node it asks first.
    node: usize,
    last_seq: Option<u64>,
    /// Commands answered so far: the next one's number is one more.
    answered: u64,
    unanswered: VecDeque<Unanswered>,
    answers: BTreeMap<u64, Command>,
    task_ids: Vec<u32>,
    made: u64,
}

impl Client {
    pub(crate) fn new(world: Arc<World>, name: String, hero: HeroId, mut numbers: Numbers) -> Self {
        let (stream_id, node) = (numbers.between(1, (1 << 53) - 1), numbers.index(2));
        Self {
            world,
            name,
            hero,
            stream_id,
            numbers,
            node,
            last_seq: None,
            answered: 0,
            unanswered: VecDeque::new(),
            answers: BTreeMap::new(),
            task_ids: Vec::new(),
            made: 0,
        }
    }

    /// Plays until the world asks to finish and every command is answered.
    pub(crate) async fn play(mut self) {
        while !(self.world.is_finishing() && self.unanswered.is_empty()) {
            let _why = self.connect().await;
            if self.numbers.percent(40) {
                self.node = 1 - self.node;
            }
            let pause = self.numbers.millis(50, 2_500);
            tokio::time::sleep(pause).await;
        }
    }

    fn wrong(&self, what: &str) {
        self.world.ledger.wrong(format!("{} {what}", self.name));
    }

    fn welcomed(&mut self, welcome: &Welcome) {
        let applied = welcome.cmd_seq_applied;
        if applied < self.answered {
            self.wrong(&format!("was welcomed with {applied} applied, {} were acknowledged", self.answered));
        }
        if applied > self.answered + self.unanswered.len() as u64 {
            self.wrong(&format!("was welcomed with {applied} applied, more than it ever sent"));
        }
        if self.last_seq.is_some_and(|last_seq| welcome.seq < last_seq) {
            self.wrong(&format!("has seen {:?} and was welcomed at {}", self.last_seq, welcome.seq));
        }
        match &welcome.state {
            WelcomeState::Snapshot(_) => {}
            WelcomeState::Events(events) => self.saw(&events.events),
        }
        if matches!(welcome.state, WelcomeState::Events(_)) && self.last_seq != Some(welcome.seq) {
            self.wrong(&format!("was welcomed at {} with events to {:?}", welcome.seq, self.last_seq));
        }
        self.last_seq = Some(welcome.seq);
        for unanswered in &mut self.unanswered {
            (unanswered.sent_as, unanswered.not_before) = (None, Instant::now());
        }
    }

    fn saw(&mut self, events: &[Event]) {
        for event in events {
            self.world.trace.count("event");
            if self.last_seq.is_none_or(|last_seq| event.seq != last_seq + 1) {
                self.wrong(&format!("saw event {} after {:?}", event.seq, self.last_seq));
            }
            self.last_seq = Some(event.seq);
            self.world.ledger.shown(self.hero, event);
        }
    }

    fn heard(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Durable(result) => self.answer(result, "durable"),
            ServerMessage::Duplicate(result) => self.answer(result, "duplicate"),
            ServerMessage::Rejected(rejected) => self.rejected(&rejected),
            ServerMessage::Events(events) => self.saw(&events.events),
            ServerMessage::Welcome(_) => self.wrong("was welcomed twice"),
            ServerMessage::Progress(_)
            | ServerMessage::Pong(_)
            | ServerMessage::Status(_)
            | ServerMessage::GoingAway(_) => {}
        }
    }

    fn answer(&mut self, result: CommandResult, kind: &str) {
        self.world.trace.count(kind);
        let cmd_seq = result.cmd_seq;
        let reference = (self.hero, self.stream_id, cmd_seq);
        if let Some(command) = self.answers.get(&cmd_seq) {
            return self.world.ledger.acknowledged(reference, result, command);
        }
        let is_next = self.unanswered.front().is_some_and(|first| first.sent_as == Some(cmd_seq));
        if cmd_seq != self.answered + 1 || !is_next {
            return self.wrong(&format!(
                "heard that {cmd_seq} is {kind}, expected to hear of {}",
                self.answered + 1
            ));
        }
        let Some(Unanswered { command, .. }) = self.unanswered.pop_front() else { return };
        self.world.ledger.acknowledged(reference, result, &command);
        if let (Command::CreateTask { .. }, Some(id)) = (&command, result.created_id) {
            self.task_ids.push(id);
        }
        self.answered = cmd_seq;
        self.answers.insert(cmd_seq, command);
    }

    fn rejected(&mut self, rejected: &Rejected) {
        let code = rejected.code.as_str();
        self.world.trace.count(code);
        if NEVER.contains(&code) {
            return self.wrong(&format!("heard {rejected:?}"));
        }
        let Some(cmd_seq) = rejected.cmd_seq else { return };
        let Some(index) = self.unanswered.iter().position(|it| it.sent_as == Some(cmd_seq)) else {
            // A repeat of what is answered already may be refused while nothing can be said.
            if !self.answers.contains_key(&cmd_seq) {
                self.wrong(&format!("heard of {cmd_seq}, which is not under way: {rejected:?}"));
            }
            return;
        };
        if AGAIN.contains(&code) {
            let wait = u64::from(rejected.retry_after_ms.unwrap_or(300)).min(5_000);
            let wait = Duration::from_millis(wait) + self.numbers.millis(1, 200);
            let unanswered = &mut self.unanswered[index];
            (unanswered.sent_as, unanswered.not_before) = (None, Instant::now() + wait);
        } else {
            // Certainly not applied: its number goes to the next one.
            self.unanswered.remove(index);
        }
    }

    /// The next command to be sent now: the first that is not under way, if all before it are.
    fn due(&mut self, now: Instant) -> Option<(u64, Command)> {
        for (number, unanswered) in (self.answered + 1..).zip(&mut self.unanswered) {
            match unanswered.sent_as {
                Some(sent_as) if sent_as == number => {}
                // It was numbered before a refusal and will be refused as well.
                Some(_) => return None,
                None if unanswered.not_before > now => return None,
                None => {
                    unanswered.sent_as = Some(number);
                    return Some((number, unanswered.command.clone()));
                }
            }
        }
        None
    }

    /// A command that was answered already, to hear the answer again.
    fn repeated(&mut self) -> Option<(u64, Command)> {
        let oldest = self.answered.saturating_sub(REMEMBERED_MAX - AHEAD_MAX as u64).max(1);
        if self.answered == 0 {
            return None;
        }
        let number = self.numbers.between(oldest, self.answered);
        Some((number, self.answers.get(&number)?.clone()))
    }

    /// The player does something.
    fn act(&mut self) {
        if self.unanswered.len() >= AHEAD_MAX {
            return;
        }
        self.made += 1;
        let text = format!("{}-{}.", self.name, self.made);
        let category = Category::Analytical;
        let task_id = match self.task_ids.len() {
            0 => 1,
            count => self.task_ids[self.numbers.index(count)],
        };
        let command = match self.numbers.between(0, 11) {
            0..=2 => Command::RenameHero { name: text },
            3 | 4 => Command::CreateTask {
                title: text,
                category,
                priority: Priority::Medium,
                estimate_minutes: 25,
                due_on: None,
                recurrence: None,
                parent_id: None,
            },
            5 => Command::CompleteTask { task_id, occurrence_on: None },
            6 => Command::ReopenTask { task_id, occurrence_on: None },
            7 => Command::StartFocus {
                mode: FocusMode::Countdown { planned_minutes: 5 },
                category,
                task_id: None,
            },
            8 => Command::PauseFocus,
            9 => Command::ResumeFocus,
            10 => Command::EndFocus,
            _ => Command::SetDailyGoal {
                minutes: 30 + u16::try_from(self.numbers.between(0, 60)).expect("it is small"),
            },
        };
        self.unanswered.push_back(Unanswered { command, sent_as: None, not_before: Instant::now() });
    }
}
