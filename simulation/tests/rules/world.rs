//! The world: what ticks add up to is the closed form, whatever their rhythm.

use std::sync::Arc;

use proptest::prelude::*;

use simulation::catalogue::Catalogue;
use simulation::catalogue::Category;
use simulation::command::{Command, FocusMode};
use simulation::event::TimedEvent;
use simulation::rules::focus::certain;
use simulation::world::{HeroEntity, Packing, Simulation};

use crate::script::{CATALOGUE, Play};

fn world() -> Simulation {
    Simulation::new(Arc::new(Catalogue::builtin()))
}

/// A tick and what the server does after it.
fn tick(world: &mut Simulation, now_ms: i64) -> Vec<TimedEvent> {
    let mut happened = Vec::new();
    for entity in world.tick(now_ms) {
        let events = world.overdue(entity, now_ms);
        world.commit(entity, &events, now_ms);
        happened.extend(events);
    }
    happened
}

fn start(world: &mut Simulation, entity: HeroEntity, mode: FocusMode, now_ms: i64) {
    let command = Command::StartFocus { mode, category: Category::None, task_id: None };
    let plan = world.plan(entity, &command, now_ms);
    world.commit(entity, &plan.advanced, now_ms);
    world.commit(entity, &plan.decided.expect("nothing is open"), now_ms);
}

fn patched() -> Play {
    let mut play = Play::new();
    play.run("wait 1m; patch");
    play
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ticks_of_any_length_add_up_to_the_closed_form(
        minutes in 5_u16..181,
        flowtime in proptest::bool::ANY,
        steps in proptest::collection::vec(prop_oneof![1_i64..200, 1_i64..60_000, 1_i64..3_000_000], 1..60),
    ) {
        let play = patched();
        let mut world = world();
        let entity = world.insert(play.hero.clone(), play.now_ms);
        let mode = if flowtime { FocusMode::Flowtime } else { FocusMode::Countdown { planned_minutes: minutes } };
        start(&mut world, entity, mode, play.now_ms);
        let mut alone = world.hero(entity).into_owned();
        let mut now_ms = play.now_ms;
        for step_ms in steps {
            now_ms += step_ms;
            tick(&mut world, now_ms);
            let hero = world.hero(entity);
            if let Some(session) = hero.session.as_deref() {
                let closed = certain(&hero, session, now_ms, &CATALOGUE);
                if let Some(live) = world.accruing(entity) {
                    prop_assert_eq!(live.focus_ms(), closed.focus_ms);
                    prop_assert_eq!(live.energy_me(), closed.energy_me);
                    prop_assert_eq!(live.dopamine_md(), closed.dopamine_md);
                    prop_assert_eq!(live.accrual.energy_parts % 1_000_000_000_000, closed.energy_rest);
                }
            } else {
                prop_assert_eq!(world.accruing(entity), None);
            }
        }
        for timed in simulation::advance::advance(&alone.clone(), now_ms, &CATALOGUE) {
            simulation::apply::apply(&mut alone, &timed);
        }
        prop_assert_eq!(&*world.hero(entity), &alone, "ticking is one jump");
    }
}

#[test]
fn only_those_who_are_due_come_out_of_a_tick() {
    let play = patched();
    let mut world = world();
    let idle = world.insert(play.hero.clone(), play.now_ms);
    let busy = world.insert(play.hero.clone(), play.now_ms);
    start(&mut world, busy, FocusMode::Countdown { planned_minutes: 5 }, play.now_ms);
    assert_eq!(world.accruing(idle), None, "an idle hero has no hot part");
    assert_eq!(world.tick(play.now_ms + 119_999), []);
    assert_eq!(world.tick(play.now_ms + 120_000), [busy], "the ignition");
    assert_eq!(world.tick(play.now_ms + 120_100), [busy], "whoever is not looked after stays due");
    let events = world.overdue(busy, play.now_ms + 120_100);
    assert_eq!(events[0].at_ms, play.now_ms + 120_000, "an event has its own moment");
    world.commit(busy, &events, play.now_ms + 120_100);
    assert_eq!(world.tick(play.now_ms + 120_200), []);
    let hero = world.remove(busy).expect("it was there");
    assert_eq!(hero.wallet.energy_me, play.hero.wallet.energy_me + 13_000);
    assert_eq!(world.tick(play.now_ms + 86_400_000), [idle], "the day is over");
}

#[test]
fn a_tick_after_a_year_is_one_tick() {
    let play = patched();
    let mut world = world();
    let entity = world.insert(play.hero.clone(), play.now_ms);
    start(&mut world, entity, FocusMode::Flowtime, play.now_ms);
    let events = tick(&mut world, play.now_ms + 365 * 86_400_000);
    assert!(events.len() < 20, "{}", events.len());
    assert_eq!(world.tick(play.now_ms + 365 * 86_400_000), []);
    assert_eq!(world.hero(entity).session, None);
}

#[test]
fn a_clock_that_steps_back_ticks_nothing() {
    let play = patched();
    let mut world = world();
    let entity = world.insert(play.hero.clone(), play.now_ms);
    start(&mut world, entity, FocusMode::Flowtime, play.now_ms);
    tick(&mut world, play.now_ms + 60_000);
    let before = world.accruing(entity);
    tick(&mut world, play.now_ms + 30_000);
    assert_eq!(world.accruing(entity), before);
}

#[test]
fn a_plan_changes_nothing() {
    let play = patched();
    let mut world = world();
    let entity = world.insert(play.hero.clone(), play.now_ms);
    let plan = world.plan(entity, &Command::EndFocus, play.now_ms + 86_400_000);
    assert!(plan.decided.is_err());
    assert_eq!(plan.advanced.len(), 1, "the day is over even so");
    assert_eq!(*world.hero(entity), play.hero);
}

fn packing() -> Packing {
    Packing {
        pack: |hero| rmp_serde::to_vec_named(hero).expect("heroes are plain data").into(),
        unpack: |bytes| rmp_serde::from_slice(bytes).expect("it was packed here"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whether_a_hero_is_packed_changes_nothing(
        minutes in 5_u16..181,
        steps in proptest::collection::vec((prop_oneof![1_i64..60_000, 1_i64..3_000_000], 0_u8..4), 1..40),
    ) {
        let play = patched();
        let (mut open, mut packed) = (world(), world().with_packing(packing()));
        let entity = open.insert(play.hero.clone(), play.now_ms);
        prop_assert_eq!(packed.insert(play.hero.clone(), play.now_ms), entity);
        let mut now_ms = play.now_ms;
        for (step_ms, what) in steps {
            prop_assert!(packed.pack(entity), "it was open and is packed now");
            prop_assert!(!packed.pack(entity) && !open.pack(entity), "nothing to do");
            now_ms += step_ms;
            prop_assert_eq!(tick(&mut packed, now_ms), tick(&mut open, now_ms));
            let mode = FocusMode::Countdown { planned_minutes: minutes };
            let command = match what {
                0 => Command::StartFocus { mode, category: Category::None, task_id: None },
                1 => Command::PauseFocus,
                2 => Command::ResumeFocus,
                _ => Command::EndFocus,
            };
            packed.pack(entity);
            let plan = packed.plan(entity, &command, now_ms);
            prop_assert_eq!(&plan, &open.plan(entity, &command, now_ms));
            for world in [&mut open, &mut packed] {
                world.commit(entity, &plan.advanced, now_ms);
                world.commit(entity, plan.decided.as_deref().unwrap_or_default(), now_ms);
            }
            prop_assert_eq!(packed.hero(entity), open.hero(entity));
            prop_assert_eq!(packed.accruing(entity), open.accruing(entity));
            prop_assert_eq!(packed.is_engaged(entity), open.is_engaged(entity));
            let hero = open.hero(entity);
            prop_assert_eq!(open.is_engaged(entity), hero.session.is_some() || hero.on_break.is_some());
        }
        packed.pack(entity);
        prop_assert_eq!(packed.remove(entity), open.remove(entity));
    }
}
