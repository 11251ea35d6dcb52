//! What a player does next. Knows what it was shown of its hero, and no more of it than it needs: thousands of players share
//! one process.

use std::collections::VecDeque;

use protocol::client::Command;
use protocol::server::{ServerMessage, Welcome, WelcomeState};
use protocol::types::{Category, FocusMode, HeroPatch, Priority, SessionState};
use rand::RngExt;
use rand::rngs::StdRng;

use super::Program;

/// Tasks that a player keeps of each kind before it finishes or deletes some.
const TASKS_KEPT_MAX: usize = 10;
/// What a beginner builds.
const WANTED_MODULES: [&str; 3] = ["gen_pulse", "mod_filter", "mul_vca"];

/// One player's habits.
#[derive(Debug)]
pub(super) struct Habits {
    program: Program,
    /// Everything it does is as long as it may be.
    is_wordy: bool,
    session: Option<SessionState>,
    /// Tasks that are not done, and those that are.
    open: VecDeque<u32>,
    done: VecDeque<u32>,
    count: u64,
}

impl Habits {
    pub(super) fn new(program: Program, is_wordy: bool) -> Self {
        Self { program, is_wordy, session: None, open: VecDeque::new(), done: VecDeque::new(), count: 0 }
    }

    /// What it does as soon as it is there.
    pub(super) fn first(&self, random: &mut StdRng) -> Option<Command> {
        match self.program {
            Program::Commands => None,
            Program::Idle => Some(Command::StartFocus {
                mode: FocusMode::Flowtime,
                category: Category::None,
                task_id: None,
            }),
            _ => Some(start(random, None)),
        }
    }

    /// What it does when something is due.
    pub(super) fn next(&mut self, random: &mut StdRng) -> Command {
        self.count += 1;
        if self.is_wordy {
            return self.wordy(random);
        }
        match self.program {
            Program::Commands | Program::SlowReaders => self.quick(random),
            _ => self.believable(random),
        }
    }

    /// A command that is never refused, so that every due command is answered by `durable` or by a refusal that means
    /// load.
    fn quick(&mut self, random: &mut StdRng) -> Command {
        if self.done.len() > TASKS_KEPT_MAX
            && let Some(task_id) = self.done.pop_front()
        {
            return Command::DeleteTask { task_id };
        }
        let roll = random.random_range(0..3_u32);
        if (roll == 0 || self.open.len() > TASKS_KEPT_MAX)
            && let Some(command) = self.complete()
        {
            return command;
        }
        match roll {
            1 => Command::RenameHero { name: format!("player {}", self.count) },
            _ => self.create(random),
        }
    }

    /// One task that gets another long title all the time.
    fn wordy(&mut self, random: &mut StdRng) -> Command {
        let Some(task_id) = self.open.front().copied() else { return self.create(random) };
        Command::UpdateTask {
            task_id,
            title: format!("{}{}", "🦀".repeat(protocol::limit::TITLE_CHARS_MAX - 1), self.count % 10),
            category: Category::None,
            priority: Priority::Medium,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
        }
    }

    /// What people do: mostly they focus, and now and then they look after tasks and the rack.
    fn believable(&mut self, random: &mut StdRng) -> Command {
        if self.done.len() > TASKS_KEPT_MAX
            && let Some(task_id) = self.done.pop_front()
        {
            return Command::DeleteTask { task_id };
        }
        let roll = random.random_range(0..100_u32);
        match self.session {
            None => match roll {
                0..60 => start(random, self.open.back().copied()),
                60..80 => self.create(random),
                80..88 => self.complete().unwrap_or(Command::AutoPatch),
                88..94 => {
                    let index = random.random_range(0..WANTED_MODULES.len());
                    let module_id = WANTED_MODULES.get(index).copied().unwrap_or("gen_pulse").to_owned();
                    Command::AssembleModule { module_id }
                }
                94..97 => Command::AutoPatch,
                _ => Command::SetDailyGoal { minutes: random.random_range(10..=120) },
            },
            Some(SessionState::Running) => match roll {
                0..25 => Command::PauseFocus,
                25..40 => Command::InterruptFocus,
                40..60 => self.complete().unwrap_or_else(|| self.create(random)),
                60..72 if self.open.len() < TASKS_KEPT_MAX => self.create(random),
                60..80 => Command::DescribeFocus {
                    task_id: self.open.back().copied(),
                    intention: Some(format!("step {}", self.count)),
                },
                _ => Command::EndFocus,
            },
            Some(SessionState::Paused | SessionState::Interrupted) if roll < 85 => Command::ResumeFocus,
            Some(_) => Command::EndFocus,
        }
    }

    fn create(&mut self, random: &mut StdRng) -> Command {
        Command::CreateTask {
            title: format!("task {}", self.count),
            category: category(random),
            priority: Priority::Medium,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
            parent_id: None,
        }
    }

    fn complete(&mut self) -> Option<Command> {
        let task_id = self.open.pop_front()?;
        self.done.push_back(task_id);
        Some(Command::CompleteTask { task_id, occurrence_on: None })
    }

    /// A task that it wanted is there.
    pub(super) fn has_task(&mut self, task_id: u32) {
        if self.open.len() < 2 * TASKS_KEPT_MAX {
            self.open.push_back(task_id);
        }
    }

    pub(super) fn welcome(&mut self, welcome: &Welcome) {
        match &welcome.state {
            WelcomeState::Snapshot(hero) => {
                self.session = hero.focus.session.as_ref().map(|session| session.state);
            }
            WelcomeState::Events(events) => self.patched(&events.patch),
        }
    }

    pub(super) fn hear(&mut self, message: &ServerMessage) {
        if let ServerMessage::Events(events) = message {
            self.patched(&events.patch);
        }
    }

    fn patched(&mut self, patch: &HeroPatch) {
        if let Some(focus) = &patch.focus {
            self.session = focus.session.as_ref().map(|session| session.state);
        }
    }
}

fn start(random: &mut StdRng, task_id: Option<u32>) -> Command {
    let mode = match random.random_range(0..10_u32) {
        0..6 => FocusMode::Countdown { planned_minutes: random.random_range(5..=50) },
        6..8 => FocusMode::Flowtime,
        _ => FocusMode::Pomodoro { planned_minutes: 25, rounds: 4 },
    };
    // Not every session is about a task.
    let task_id = task_id.filter(|_| random.random_range(0..2_u32) == 0);
    Command::StartFocus { mode, category: category(random), task_id }
}

fn category(random: &mut StdRng) -> Category {
    match random.random_range(0..5_u32) {
        0 => Category::Creative,
        1 => Category::Analytical,
        2 => Category::Physical,
        3 => Category::Learning,
        _ => Category::None,
    }
}
