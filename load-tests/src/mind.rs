//! What a believable player does next, drawn from a seed. Mostly sensible, sometimes too early or too poor, because
//! refusals must lose nothing either.

use protocol::client::Command;
use protocol::types::{Category, FocusMode, Hero, Priority, SessionState, Task};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Open tasks at which a player finishes or deletes some before adding more.
const OPEN_TASKS_MAX: usize = 30;
/// Modules a beginner can want.
const WANTED_MODULES: [&str; 4] = ["gen_sine", "gen_pulse", "mod_filter", "mul_vca"];

/// A command and the words by which it can be found again.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What is wanted.
    pub command: Command,
    /// Words that no other command of the run contains.
    pub marker: Option<String>,
}

/// The player behind one device.
#[derive(Debug)]
pub struct Mind {
    random: StdRng,
    name: String,
    wishes: u64,
}

impl Mind {
    /// A player whose whole behaviour follows from the seed and whose markers begin with its name.
    #[must_use]
    pub fn new(seed: u64, name: String) -> Self {
        Self { random: StdRng::seed_from_u64(seed), name, wishes: 0 }
    }

    /// A number of milliseconds around a mean, from half of it to one and a half.
    pub fn jittered_ms(&mut self, mean_ms: u64) -> u64 {
        self.random.random_range(mean_ms / 2..=mean_ms + mean_ms / 2)
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u32) -> bool {
        self.random.random_range(0..n.max(1)) == 0
    }

    /// A number below a bound, or 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.random.random_range(0..bound) }
    }

    /// What the player wants now.
    pub fn wish(&mut self, hero: &Hero) -> Wish {
        self.wishes += 1;
        let marker = format!("{}-{:05}", self.name, self.wishes);
        let open: Vec<&Task> = hero.tasks.iter().filter(|task| task.done_at_ms.is_none()).collect();
        match self.random.random_range(0..100_u32) {
            0..34 if open.len() < OPEN_TASKS_MAX => self.create_task(marker),
            0..60 => match self.pick(&open) {
                Some(task_id) => plain(Command::CompleteTask { task_id, occurrence_on: None }),
                None => self.create_task(marker),
            },
            60..66 => match self.pick(&open) {
                Some(task_id) => self.update_task(task_id, marker),
                None => self.create_task(marker),
            },
            66..71 => {
                let all: Vec<&Task> = hero.tasks.iter().collect();
                match self.pick(&all) {
                    Some(task_id) => plain(Command::DeleteTask { task_id }),
                    None => self.create_task(marker),
                }
            }
            71..74 => {
                let done: Vec<&Task> = hero.tasks.iter().filter(|task| task.done_at_ms.is_some()).collect();
                match self.pick(&done) {
                    Some(task_id) => plain(Command::ReopenTask { task_id, occurrence_on: None }),
                    None => self.create_task(marker),
                }
            }
            74..90 => self.focus(hero, marker),
            90..93 => marked(Command::RenameHero { name: marker.clone() }, marker),
            93..95 => plain(Command::SetDailyGoal { minutes: self.random.random_range(5..=240) }),
            95..98 => self.assembly(),
            _ => plain(Command::AutoPatch),
        }
    }

    fn pick(&mut self, tasks: &[&Task]) -> Option<u32> {
        if tasks.is_empty() {
            return None;
        }
        tasks.get(self.random.random_range(0..tasks.len())).map(|task| task.task_id)
    }

    fn category(&mut self) -> Category {
        match self.random.random_range(0..5_u32) {
            0 => Category::Creative,
            1 => Category::Analytical,
            2 => Category::Physical,
            3 => Category::Learning,
            _ => Category::None,
        }
    }

    fn priority(&mut self) -> Priority {
        match self.random.random_range(0..3_u32) {
            0 => Priority::Low,
            1 => Priority::Medium,
            _ => Priority::High,
        }
    }

    fn create_task(&mut self, marker: String) -> Wish {
        let command = Command::CreateTask {
            title: marker.clone(),
            category: self.category(),
            priority: self.priority(),
            estimate_minutes: self.random.random_range(0..=120),
            due_on: None,
            recurrence: None,
            parent_id: None,
        };
        marked(command, marker)
    }

    fn update_task(&mut self, task_id: u32, marker: String) -> Wish {
        let command = Command::UpdateTask {
            task_id,
            title: marker.clone(),
            category: self.category(),
            priority: self.priority(),
            estimate_minutes: self.random.random_range(0..=120),
            due_on: None,
            recurrence: None,
        };
        marked(command, marker)
    }

    fn focus(&mut self, hero: &Hero, marker: String) -> Wish {
        let Some(session) = &hero.focus.session else {
            let mode = if self.once_in(3) {
                FocusMode::Flowtime
            } else {
                FocusMode::Countdown { planned_minutes: self.random.random_range(5..=50) }
            };
            return plain(Command::StartFocus { mode, category: self.category(), task_id: None });
        };
        let roll = self.random.random_range(0..10_u32);
        match (session.state, roll) {
            // Now and then the answer to another state: it is refused or true already.
            (_, 0) => plain(Command::KeepGoing),
            (_, 1 | 2) => {
                marked(Command::DescribeFocus { task_id: None, intention: Some(marker.clone()) }, marker)
            }
            (_, 3) => plain(Command::EndFocus),
            (SessionState::Running, 4..8) => plain(Command::PauseFocus),
            (SessionState::Running, _) => plain(Command::InterruptFocus),
            (SessionState::Paused | SessionState::Interrupted, _) => plain(Command::ResumeFocus),
            (SessionState::Overtime | SessionState::Resting | SessionState::Waiting, _) => {
                plain(Command::EndFocus)
            }
        }
    }

    fn assembly(&mut self) -> Wish {
        let index = self.random.random_range(0..WANTED_MODULES.len());
        let module_id = WANTED_MODULES.get(index).copied().unwrap_or("gen_sine").to_owned();
        plain(Command::AssembleModule { module_id })
    }
}

fn plain(command: Command) -> Wish {
    Wish { command, marker: None }
}

fn marked(command: Command, marker: String) -> Wish {
    Wish { command, marker: Some(marker) }
}
