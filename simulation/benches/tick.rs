//! What a tick costs: nanoseconds for each accruing hero in the world, against a plain loop over the same rows in a vector,
//! taking turns on the one thread that there is; and what a million heroes cost who do nothing.
//!
//! `cargo xtask bench tick` prints one line of JSON; progress goes to standard error.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use simulation::catalogue::{Catalogue, Category};
use simulation::command::{Command, FocusMode};
use simulation::component::Accrual;
use simulation::hero::Hero;
use simulation::rules::create::create;
use simulation::world::Simulation;

/// Worlds of so many heroes.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Ticks of all heroes together that one measurement takes.
const HERO_TICKS: usize = 2_000_000;
/// Pairs of measurements, world and loop in turns; medians count.
const PAIRS: usize = 41;
/// Time from one tick to the next. Short, so that nobody becomes due while measuring: that is another cost.
const STEP_MS: i64 = 1;
/// A Monday, nine in the morning in UTC.
const START_MS: i64 = 1_772_442_000_000;
/// The session has run for so long when the measurement begins: past its first boundaries.
const BEFORE_MS: i64 = 7 * 60_000;
/// How much dearer than the loop a hero may be.
const RATIO_MAX: f64 = 1.25;
/// How much dearer a hero may be among a million than among ten thousand.
const GROWTH_MAX: f64 = 1.20;

/// What one size showed.
struct Seen {
    heroes: usize,
    world_ns: f64,
    loop_ns: f64,
    ratio: f64,
}

fn main() {
    // `cargo bench` hands its own flags over; there is nothing to choose here.
    let catalogue = Arc::new(Catalogue::builtin());
    let hero = focusing(&catalogue);
    let seen = SIZES.map(|heroes| accruing(&catalogue, &hero, heroes));
    let empty_ns = resting(&catalogue, 0);
    let idle_ns = resting(&catalogue, SIZES[2]);
    let growth = |of: fn(&Seen) -> f64| of(&seen[2]) / of(&seen[0]);
    let (world_growth, loop_growth) = (growth(|it| it.world_ns), growth(|it| it.loop_ns));
    let worst = seen.iter().map(|it| it.ratio).fold(0.0, f64::max);
    let sizes: Vec<String> = seen.iter().map(Seen::json).collect();
    println!(
        "{{\"bench\":\"tick\",\"sizes\":[{}],\"ratio\":{worst:.2},\"goal\":\"ratio <= {RATIO_MAX:.2}\",\"is_met\":{},\
         \"growth\":{world_growth:.2},\"growth_of_loop\":{loop_growth:.2},\"growth_goal\":\"growth <= {GROWTH_MAX:.2}\",\
         \"is_growth_met\":{},\"row_bytes\":{},\
         \"idle\":{{\"heroes\":{},\"tick_ns\":{idle_ns:.0},\"empty_world_tick_ns\":{empty_ns:.0},\"ns_a_hero\":{:.5}}}}}",
        sizes.join(","),
        worst <= RATIO_MAX,
        world_growth <= GROWTH_MAX,
        size_of::<Accrual>(),
        SIZES[2],
        ((idle_ns - empty_ns) / count(SIZES[2])).max(0.0),
    );
}

impl Seen {
    fn json(&self) -> String {
        let Self { heroes, world_ns, loop_ns, ratio } = self;
        format!(
            "{{\"heroes\":{heroes},\"world_ns_a_hero\":{world_ns:.3},\"loop_ns_a_hero\":{loop_ns:.3},\"ratio\":{ratio:.2}}}"
        )
    }
}

/// A hero on its first day with an open session. It is small, so that a million of them fit; a tick does not look at what a
/// larger one has more of.
fn focusing(catalogue: &Arc<Catalogue>) -> Hero {
    let mut world = Simulation::new(Arc::clone(catalogue));
    let (hero, _) = create("Somebody", "UTC", START_MS, catalogue).expect("name and zone are valid");
    let entity = world.insert(hero, START_MS);
    let start = Command::StartFocus { mode: FocusMode::Flowtime, category: Category::None, task_id: None };
    let started = world.plan(entity, &start, START_MS).decided.expect("nothing is open");
    world.commit(entity, &started, START_MS);
    let passed = world.overdue(entity, START_MS + BEFORE_MS);
    world.commit(entity, &passed, START_MS + BEFORE_MS);
    world.remove(entity).expect("it was put in")
}

/// A world of such heroes and a loop over the same rows.
fn accruing(catalogue: &Arc<Catalogue>, hero: &Hero, heroes: usize) -> Seen {
    let mut now_ms = START_MS + BEFORE_MS;
    let mut world = Simulation::new(Arc::clone(catalogue));
    let mut rows: Vec<Accrual> = (0..heroes)
        .map(|_| {
            let entity = world.insert(hero.clone(), now_ms);
            world.accruing(entity).expect("its clock runs").accrual
        })
        .collect();
    let ticks = (HERO_TICKS / heroes).max(1);
    let (mut world_ns, mut loop_ns, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let from_ms = now_ms;
        let world_took = measure(ticks, &mut now_ms, |now_ms| assert_eq!(world.tick(now_ms), []));
        now_ms = from_ms;
        let loop_took = measure(ticks, &mut now_ms, |now_ms| assert_eq!(plain(&mut rows, now_ms), 0));
        let each = |took: Duration| nanoseconds(took) / count(ticks * heroes);
        world_ns.push(each(world_took));
        loop_ns.push(each(loop_took));
        ratios.push(each(world_took) / each(loop_took));
    }
    let seen = Seen { heroes, world_ns: median(world_ns), loop_ns: median(loop_ns), ratio: median(ratios) };
    eprintln!("{}", seen.json());
    seen
}

/// What a tick does, without a world: adds rate times time to every row, and looks who is due.
#[inline(never)]
fn plain(rows: &mut [Accrual], now_ms: i64) -> usize {
    let mut due = 0;
    for row in rows {
        row.advance(now_ms);
        due += usize::from(row.until_ms <= now_ms);
    }
    due
}

/// Nanoseconds of a tick of a world in which nobody does anything.
fn resting(catalogue: &Arc<Catalogue>, heroes: usize) -> f64 {
    let mut now_ms = START_MS;
    let mut world = Simulation::new(Arc::clone(catalogue));
    for _ in 0..heroes {
        let (hero, _) = create("Somebody", "UTC", START_MS, catalogue).expect("name and zone are valid");
        let entity = world.insert(hero, now_ms);
        assert_eq!(world.accruing(entity), None, "nothing runs");
    }
    let ticks = 1_000;
    let took = (0..PAIRS).map(|_| {
        let took = measure(ticks, &mut now_ms, |now_ms| assert_eq!(world.tick(now_ms), []));
        nanoseconds(took) / count(ticks)
    });
    median(took.collect())
}

/// How long so many ticks take. One before them brings into the caches what fits there.
fn measure(ticks: usize, now_ms: &mut i64, mut tick: impl FnMut(i64)) -> Duration {
    let mut next = || {
        *now_ms += STEP_MS;
        tick(black_box(*now_ms));
    };
    next();
    let began = now();
    (0..ticks).for_each(|_| next());
    began.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime here whose clock it could be")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn nanoseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn count(number: usize) -> f64 {
    number as f64
}
