//! What `cargo xtask instructions` counts of the rules, for a player of some weeks: a rack, six modules, ten tasks and a
//! month of days.
//!
//! Without arguments it names its cases; with a case and a number it does that case so many times.

#![expect(clippy::unwrap_used, reason = "a program that measures ends at the first thing that goes wrong")]

use std::hint::black_box;
use std::mem;
use std::sync::{Arc, LazyLock};

use simulation::advance::advance;
use simulation::apply::apply;
use simulation::catalogue::{Catalogue, Category};
use simulation::command::{Command, FocusMode, Priority};
use simulation::decide::decide;
use simulation::event::{Bonus, Event, TimedEvent};
use simulation::hero::Hero;
use simulation::rules::create::create;
use simulation::world::Simulation;

type Case = (&'static str, fn(times: usize));

const CASES: [Case; 7] = [
    ("decide_create_task", |times| decide_case(&create_task(), times)),
    ("decide_start_focus", |times| decide_case(&start_focus(), times)),
    ("decide_complete_task", |times| decide_case(&complete_task(), times)),
    ("apply", apply_case),
    ("commit", commit_case),
    ("tick_10000_heroes", tick_case),
    ("flush_event_bytes", event_bytes_case),
];

/// Most times a case is done. What each time needs of its own is made this often, however often the case is done: so
/// the difference between two counts is the case alone.
const TIMES_MAX: usize = 40;
/// A Monday, nine in the morning in UTC.
const START_MS: i64 = 1_772_442_000_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// The first day after the month, at a time when the hero has gone to bed long ago.
const NOW_MS: i64 = START_MS + 30 * DAY_MS;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
static HERO: LazyLock<Hero> = LazyLock::new(played);

fn main() {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [case, times] = arguments.as_slice() else {
        return CASES.iter().for_each(|(name, _)| println!("{name}"));
    };
    let times = times.parse().unwrap();
    assert!(times <= TIMES_MAX, "at most {TIMES_MAX} times");
    let (_, run) = CASES.iter().find(|(name, _)| name == case).unwrap();
    run(times);
}

/// Asks the rules, as a shard does before anything is journaled.
fn decide_case(command: &Command, times: usize) {
    let hero = &*HERO;
    for _ in 0..times {
        black_box(decide(black_box(hero), command, NOW_MS, &CATALOGUE).unwrap());
    }
}

/// Folds what three commands did into a hero.
fn apply_case(times: usize) {
    let events = happened();
    let mut heroes = vec![HERO.clone(); TIMES_MAX];
    for hero in heroes.iter_mut().take(times) {
        events.iter().for_each(|timed| apply(hero, black_box(timed)));
    }
    mem::forget(heroes);
}

/// The same in a world, which then looks at the rates and at when the hero is due next.
fn commit_case(times: usize) {
    let events = happened();
    let mut world = Simulation::new(Arc::new(CATALOGUE.clone()));
    let entities: Vec<_> = (0..TIMES_MAX).map(|_| world.insert(HERO.clone(), NOW_MS)).collect();
    for entity in entities.into_iter().take(times) {
        world.commit(entity, black_box(&events), NOW_MS);
    }
    mem::forget(world);
}

/// Ticks at 10 Hz while every hero focuses and nobody is due.
fn tick_case(times: usize) {
    let mut hero = HERO.clone();
    command(&mut hero, &start_focus(), NOW_MS);
    let mut world = Simulation::new(Arc::new(CATALOGUE.clone()));
    for _ in 0..10_000 {
        world.insert(hero.clone(), NOW_MS);
    }
    for (now_ms, _) in (NOW_MS..).step_by(100).zip(0..times) {
        assert!(world.tick(now_ms).is_empty(), "the first boundary is two minutes away");
    }
    mem::forget(world);
}

/// Events as the journal keeps them: 256 of them, what a flush holds.
fn event_bytes_case(times: usize) {
    let events: Vec<_> = happened().into_iter().cycle().take(256).collect();
    for _ in 0..times {
        for timed in &events {
            black_box(rmp_serde::to_vec_named(black_box(&timed.event)).unwrap());
        }
    }
}

/// What three commands do to the hero, one after the other.
fn happened() -> Vec<TimedEvent> {
    let mut hero = HERO.clone();
    [create_task(), start_focus(), complete_task()]
        .iter()
        .flat_map(|it| command(&mut hero, it, NOW_MS))
        .collect()
}

fn create_task() -> Command {
    Command::CreateTask {
        title: "Write the second chapter".into(),
        category: Category::Creative,
        priority: Priority::Medium,
        estimate_minutes: 45,
        due_on: Some("2026-04-03".into()),
        recurrence: None,
        parent_id: None,
    }
}

fn start_focus() -> Command {
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    Command::StartFocus { mode, category: Category::Creative, task_id: None }
}

fn complete_task() -> Command {
    let open = HERO.tasks.iter().find(|task| task.done_at_ms.is_none()).unwrap();
    Command::CompleteTask { task_id: open.task_id, occurrence_on: None }
}

/// Lets time do what it does, then a command.
fn command(hero: &mut Hero, command: &Command, now_ms: i64) -> Vec<TimedEvent> {
    let advanced = advance(hero, now_ms, &CATALOGUE);
    advanced.iter().for_each(|timed| apply(hero, timed));
    let decided = decide(hero, command, now_ms, &CATALOGUE).unwrap();
    decided.iter().for_each(|timed| apply(hero, timed));
    decided
}

/// A hero that was played for a month.
fn played() -> Hero {
    let (mut hero, _) = create("Mira", "Europe/Berlin", START_MS, &CATALOGUE).unwrap();
    // What is earned in a month, at once: enough for the modules.
    let earned = Event::BonusPaid { bonus: Bonus::Comeback, energy_me: 5_000_000 };
    apply(&mut hero, &TimedEvent { at_ms: START_MS, event: earned });
    for day in 0..30 {
        let morning_ms = START_MS + day * DAY_MS;
        command(&mut hero, &start_focus(), morning_ms);
        command(&mut hero, &Command::EndFocus, morning_ms + 26 * MINUTE_MS);
        if day < 10 {
            command(&mut hero, &create_task(), morning_ms + 30 * MINUTE_MS);
        }
        let modules = ["gen_pulse", "gen_saw", "mul_vca", "mod_filter", "mul_mixer", "gen_noise"];
        if let Some(name) = usize::try_from(day).ok().and_then(|day| modules.get(day))
            && hero.modules.len() < 6
        {
            let module_id = (*name).parse().unwrap();
            command(&mut hero, &Command::AssembleModule { module_id }, morning_ms + 40 * MINUTE_MS);
        }
    }
    command(&mut hero, &Command::AutoPatch, NOW_MS - MINUTE_MS);
    assert_eq!((hero.tasks.len(), hero.modules.len(), hero.days.len()), (10, 6, 30));
    hero
}
