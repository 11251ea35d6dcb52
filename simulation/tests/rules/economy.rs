//! Is the economy sane? Rules, section 11: a simulated player, day by day, through the same code as everybody.

use simulation::catalogue::{Category, Rarity};
use simulation::command::{Command, FocusMode, Priority};
use simulation::hero::Hero;
use simulation::id::ModuleId;

use crate::script::{CATALOGUE, Play};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// How somebody plays.
#[derive(Clone, Copy)]
struct Player {
    /// Focus a day.
    minutes: u16,
    /// Length of a session.
    session_minutes: u16,
    /// Tasks of half an hour a day, each backed by focus.
    tasks: u16,
    /// One day a week without a session.
    misses: bool,
}

/// What became of a player.
#[derive(Debug, Default)]
struct Story {
    /// Energy earned by each day.
    earned_e: Vec<i64>,
    /// Level at the end of each day.
    levels: Vec<u8>,
    /// Day of the first module of each rarity, from 1.
    first: [Option<usize>; 4],
}

fn command(play: &mut Play, command: &Command) -> bool {
    play.command(command).is_ok()
}

fn story(player: Player, days: usize) -> Story {
    let mut play = Play::at("2026-03-02T08:00:00Z", "UTC");
    let mut story = Story::default();
    for day in 1..=days {
        let morning_ms = play.start_ms + i64::try_from(day - 1).expect("few days") * DAY_MS;
        play.wait(morning_ms - play.now_ms);
        let before_me = play.hero.wallet.lifetime_me;
        if !(player.misses && day % 7 == 4) {
            work(&mut play, player, day);
        }
        shop(&mut play);
        story.earned_e.push((play.hero.wallet.lifetime_me - before_me) / 1000);
        story.levels.push(play.hero.wallet.level);
        for rarity in 0..4 {
            if owns(&play.hero, Rarity::ALL[rarity]) {
                story.first[rarity].get_or_insert(day);
            }
        }
    }
    play.check_invariants();
    story
}

/// A module that was bought: the starter does not count.
fn owns(hero: &Hero, rarity: Rarity) -> bool {
    hero.modules.iter().any(|module| {
        module.paid_me > 0 && CATALOGUE.module(module.module_id).is_some_and(|spec| spec.rarity == rarity)
    })
}

fn work(play: &mut Play, player: Player, day: usize) {
    let mut task_ids = Vec::new();
    for _ in 0..player.tasks {
        let create = Command::CreateTask {
            title: "Half an hour".into(),
            category: Category::None,
            priority: Priority::Medium,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
            parent_id: None,
        };
        if command(play, &create) {
            task_ids.push(play.hero.last_id);
        }
    }
    let mut left = player.minutes;
    let mut sessions = 0;
    while left > 0 {
        let minutes = left.min(player.session_minutes).max(5);
        left = left.saturating_sub(minutes);
        let category = Category::NAMED[(day + sessions) % 4];
        let start = Command::StartFocus {
            mode: FocusMode::Countdown { planned_minutes: minutes },
            category,
            task_id: task_ids.get(sessions).copied(),
        };
        assert!(command(play, &start), "nothing is open");
        play.wait(i64::from(minutes) * MINUTE_MS);
        assert!(command(play, &Command::EndFocus), "it waits for an answer");
        if let Some(task_id) = task_ids.get(sessions) {
            command(play, &Command::CompleteTask { task_id: *task_id, occurrence_on: None });
        }
        shop(play);
        if left > 0 {
            assert!(command(play, &Command::StartBreak), "a break follows a session");
            play.wait(5 * MINUTE_MS);
        }
        sessions += 1;
    }
}

/// What raises the energy of a session, best first for its price; a player wants these before the rest.
const WISHES: [&str; 12] = [
    "gen_pulse",
    "mod_filter",
    "spc_patience",
    "mod_env_creative",
    "mod_env_analytical",
    "mod_env_physical",
    "mod_env_learning",
    "mod_lfo",
    "mod_reverb",
    "mod_resonator",
    "mod_compressor",
    "mod_horizon",
];

/// Greedy: the first wish that is not there yet is saved for; the rest is bought by price when nothing is wished.
fn shop(play: &mut Play) {
    for wish in WISHES {
        let module_id = ModuleId::literal(wish);
        let building = play.hero.assembly.jobs.iter().any(|job| job.module_id == module_id);
        if play.hero.module(module_id).is_none() && !building {
            command(play, &Command::AssembleModule { module_id });
            break;
        }
    }
    let wished = |id: ModuleId| WISHES.iter().any(|wish| *wish == id.as_str());
    if WISHES.iter().all(|wish| play.hero.module(ModuleId::literal(wish)).is_some()) {
        let mut modules: Vec<_> = CATALOGUE.modules.iter().filter(|spec| !wished(spec.id)).collect();
        modules.sort_by_key(|spec| (spec.cost_me, spec.id));
        for spec in modules {
            command(play, &Command::AssembleModule { module_id: spec.id });
        }
    }
    // Upgrades: what raises energy first.
    for wish in WISHES {
        command(play, &Command::UpgradeModule { module_id: ModuleId::literal(wish) });
    }
    command(play, &Command::AutoPatch);
}

fn average(days: &[i64]) -> i64 {
    days.iter().sum::<i64>() / i64::try_from(days.len()).expect("few days")
}

/// What the rules publish about a player.
struct Published {
    /// Energy a day in days 1 to 7 and 61 to 90.
    earned_e: [i64; 2],
    /// Level at the end of days 1, 7, 30 and 90.
    levels: [u8; 4],
}

/// Energy within 10 %, levels within 5 % or one level.
#[track_caller]
fn check(player: Player, published: &Published) -> Story {
    let story = story(player, 90);
    let earned_e = [average(&story.earned_e[..7]), average(&story.earned_e[60..])];
    for (found, published) in earned_e.iter().zip(published.earned_e) {
        assert!(
            (found - published).abs() * 10 <= published,
            "energy a day {earned_e:?}, not about {published}"
        );
    }
    let levels = [story.levels[0], story.levels[6], story.levels[29], story.levels[89]];
    for (found, published) in levels.iter().zip(published.levels) {
        let off = i64::from(found.abs_diff(published));
        assert!(off <= 1 || off * 20 <= i64::from(published), "levels {levels:?}, not about {published}");
    }
    assert!(story.first.iter().flatten().is_sorted(), "the rarer, the later: {:?}", story.first);
    assert_eq!(story.first[0], Some(1), "the first module is built on the first day");
    story
}

#[test]
fn two_hours_a_day() {
    let player = Player { minutes: 120, session_minutes: 40, tasks: 2, misses: false };
    let story = check(player, &Published { earned_e: [276, 459], levels: [4, 10, 23, 42] });
    // The row that the rules are tuned by holds within 5 % everywhere.
    for (day, published) in [(1, 4_i64), (7, 10), (30, 23), (90, 42)] {
        let found = i64::from(story.levels[day - 1]);
        assert!(
            (found - published).abs() * 20 <= published,
            "level {found} on day {day}, published {published}"
        );
    }
    assert!(story.first[3].is_some_and(|day| day <= 45), "a legendary within 45 days: {:?}", story.first);
}

#[test]
fn two_hours_a_day_and_one_miss_a_week() {
    let player = Player { minutes: 120, session_minutes: 40, tasks: 2, misses: true };
    check(player, &Published { earned_e: [233, 382], levels: [4, 9, 21, 39] });
}

#[test]
fn three_quarters_of_an_hour_a_day() {
    let player = Player { minutes: 45, session_minutes: 25, tasks: 1, misses: false };
    check(player, &Published { earned_e: [142, 191], levels: [3, 7, 16, 29] });
}

#[test]
fn twenty_minutes_a_day() {
    let player = Player { minutes: 20, session_minutes: 10, tasks: 2, misses: false };
    check(player, &Published { earned_e: [79, 104], levels: [2, 6, 12, 21] });
}

#[test]
fn six_hours_a_day() {
    let player = Player { minutes: 360, session_minutes: 90, tasks: 2, misses: false };
    check(player, &Published { earned_e: [572, 1_028], levels: [5, 14, 33, 64] });
}
