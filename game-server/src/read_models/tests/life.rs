//! Events of whole lives: the golden scenarios, and players who try everything, made by a seed.

use simulation::advance::advance;
use simulation::apply::apply;
use simulation::catalogue::{Catalogue, Category};
use simulation::command::{Command, Confirmation, FocusMode, Priority, Recurrence};
use simulation::decide::decide;
use simulation::event::TimedEvent;
use simulation::hero::Hero;
use simulation::rules::create::create;

use crate::simulate;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A Monday, nine in the morning.
const BORN_MS: i64 = 1_772_442_000_000;
const SEEDS: u64 = 24;
const STEPS: u32 = 220;

/// Numbers that a seed decides.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn of(name: &str) -> Random {
        Random(name.bytes().fold(1, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into())))
    }

    pub(super) fn below(&mut self, bound: u64) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64)]
    }
}

/// Every life, with its name.
pub(super) fn all() -> Vec<(String, Vec<TimedEvent>)> {
    let mut all = simulate::tests::golden_events();
    all.extend((0..SEEDS).map(|seed| (format!("seed {seed}"), of_seed(seed))));
    all
}

/// The life with the most events: several writes.
pub(super) fn long() -> Vec<TimedEvent> {
    (0..SEEDS).map(of_seed).max_by_key(Vec::len).unwrap()
}

/// A player who does something at any time, and waits from seconds to days in between.
pub(super) fn of_seed(seed: u64) -> Vec<TimedEvent> {
    let catalogue = Catalogue::builtin();
    let mut random = Random(seed);
    let (_, born) = create("Life", "Europe/Berlin", BORN_MS, &catalogue).unwrap();
    let (mut hero, mut events, mut now_ms) = (Hero::default(), Vec::new(), BORN_MS);
    let mut take = |hero: &mut Hero, new: Vec<TimedEvent>| {
        new.iter().for_each(|timed| apply(hero, timed));
        events.extend(new);
    };
    take(&mut hero, born);
    for _ in 0..STEPS {
        now_ms += match random.below(12) {
            0..=3 => 1_000 * i64::try_from(random.below(120)).unwrap(),
            4..=8 => MINUTE_MS * i64::try_from(random.below(60)).unwrap(),
            9..=10 => MINUTE_MS * i64::try_from(random.below(900)).unwrap(),
            _ => DAY_MS * i64::try_from(random.below(9)).unwrap(),
        };
        let overdue = advance(&hero, now_ms, &catalogue);
        take(&mut hero, overdue);
        let command = command(&mut random, &hero, &catalogue, now_ms);
        if let Ok(decided) = decide(&hero, &command, now_ms, &catalogue) {
            take(&mut hero, decided);
        }
    }
    events
}

fn command(random: &mut Random, hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> Command {
    let tasks: Vec<u32> = hero.tasks.iter().map(|task| task.task_id).collect();
    let task_id = (!tasks.is_empty()).then(|| random.pick(&tasks));
    let modules: Vec<_> = catalogue.modules.iter().take(8).map(|spec| spec.id).collect();
    let jobs: Vec<u32> = hero.assembly.jobs.iter().map(|job| job.job_id).collect();
    let job_id = if jobs.is_empty() { 1 } else { random.pick(&jobs) };
    let module_id = random.pick(&modules);
    let owned: Vec<_> = hero.modules.iter().map(|module| module.module_id).collect();
    let owned_id = if owned.is_empty() { module_id } else { random.pick(&owned) };
    let category = random.pick(&[Category::Creative, Category::Learning, Category::None]);
    match random.below(34) {
        0..=5 => {
            let planned_minutes = random.pick(&[5, 25, 60, 120, 180]);
            let mode = random.pick(&[
                FocusMode::Countdown { planned_minutes },
                FocusMode::Pomodoro { planned_minutes: 25, rounds: 3 },
                FocusMode::Flowtime,
            ]);
            Command::StartFocus { mode, category, task_id }
        }
        6 => Command::DescribeFocus { task_id, intention: Some("that".to_owned()) },
        7 => Command::PauseFocus,
        8 => Command::ResumeFocus,
        9 => Command::InterruptFocus,
        10 => Command::KeepGoing,
        11..=13 => Command::EndFocus,
        14 => Command::CancelFocus,
        15 => Command::StartBreak,
        16 => Command::EndBreak,
        17 => Command::ConfirmFocus(Confirmation::Yes),
        18 => Command::ConfirmFocus(Confirmation::Discard),
        19 => Command::ConfirmFocus(Confirmation::Until { at_ms: now_ms - 100 * MINUTE_MS }),
        20..=21 => Command::ReportOfflineFocus {
            started_at_ms: now_ms - 40 * MINUTE_MS,
            duration_ms: 30 * MINUTE_MS,
            category,
            task_id,
        },
        22..=24 => Command::CreateTask {
            title: "Task".to_owned(),
            category,
            priority: Priority::High,
            estimate_minutes: 30,
            due_on: None,
            recurrence: (random.below(3) == 0).then_some(Recurrence::EveryDays { days: 1 }),
            parent_id: None,
        },
        25..=26 => Command::CompleteTask { task_id: task_id.unwrap_or(1), occurrence_on: None },
        27 => Command::ReopenTask { task_id: task_id.unwrap_or(1), occurrence_on: None },
        28 => Command::DeleteTask { task_id: task_id.unwrap_or(1) },
        29..=30 => Command::AssembleModule { module_id },
        31 if random.below(2) == 0 => Command::CancelAssembly { job_id },
        31 => Command::FinishAssembly { job_id },
        32 => Command::SellModule { module_id: owned_id },
        _ => Command::UpgradeModule { module_id: owned_id },
    }
}
