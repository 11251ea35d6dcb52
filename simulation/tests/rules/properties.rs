//! Properties that hold for every hero and every split of time.

use proptest::prelude::*;

use simulation::advance::{EVENTS_PER_ADVANCE_MAX, advance};
use simulation::apply::apply;
use simulation::catalogue::Category;
use simulation::command::{Command, Confirmation, FocusMode, Priority, Recurrence};
use simulation::decide::decide;
use simulation::hero::Hero;
use simulation::id::{CosmeticId, ModuleId};
use simulation::rules::focus::{Terms, advanced, fresh};

use crate::script::{CATALOGUE, Play};

/// One step of a random life: some time, then a command.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) wait_ms: i64,
    pub(crate) command: Command,
}

fn module() -> impl Strategy<Value = ModuleId> {
    let ids: Vec<ModuleId> = CATALOGUE
        .modules
        .iter()
        .map(|spec| spec.id)
        .chain([ModuleId::literal("core"), ModuleId::literal("gen_none")])
        .collect();
    // The first modules come up most, so that they get built and patched.
    prop_oneof![3 => proptest::sample::select(ids[..5].to_vec()), 2 => proptest::sample::select(ids)]
}

fn category() -> impl Strategy<Value = Category> {
    proptest::sample::select(vec![
        Category::Creative,
        Category::Analytical,
        Category::Physical,
        Category::Learning,
        Category::None,
    ])
}

fn focus() -> impl Strategy<Value = Command> {
    let mode = prop_oneof![
        (4_u16..182).prop_map(|planned_minutes| FocusMode::Countdown { planned_minutes }),
        (5_u16..60, 0_u8..5)
            .prop_map(|(planned_minutes, rounds)| FocusMode::Pomodoro { planned_minutes, rounds }),
        Just(FocusMode::Flowtime),
    ];
    prop_oneof![
        6 => (mode, category(), proptest::option::of(1_u32..12))
            .prop_map(|(mode, category, task_id)| Command::StartFocus { mode, category, task_id }),
        1 => proptest::option::of(1_u32..12).prop_map(|task_id| Command::DescribeFocus { task_id, intention: Some("that".into()) }),
        2 => Just(Command::PauseFocus),
        2 => Just(Command::ResumeFocus),
        2 => Just(Command::InterruptFocus),
        2 => Just(Command::KeepGoing),
        4 => Just(Command::EndFocus),
        1 => Just(Command::CancelFocus),
        2 => Just(Command::StartBreak),
        1 => Just(Command::EndBreak),
        1 => Just(Command::ConfirmFocus(Confirmation::Yes)),
        1 => Just(Command::ConfirmFocus(Confirmation::Discard)),
        1 => (1_772_000_000_000_i64..1_775_000_000_000).prop_map(|at_ms| Command::ConfirmFocus(Confirmation::Until { at_ms })),
    ]
}

fn task() -> impl Strategy<Value = Command> {
    let create = (category(), 0_u16..500, proptest::option::of(1_u32..12), proptest::bool::weighted(0.2))
        .prop_map(|(category, estimate_minutes, parent_id, recurs)| Command::CreateTask {
            title: "Task".into(),
            category,
            priority: Priority::High,
            estimate_minutes,
            due_on: None,
            recurrence: recurs.then_some(Recurrence::EveryDays { days: 1 }),
            parent_id: if recurs { None } else { parent_id.filter(|id| id % 3 == 0) },
        });
    prop_oneof![
        3 => create,
        3 => (1_u32..12).prop_map(|task_id| Command::CompleteTask { task_id, occurrence_on: None }),
        1 => (1_u32..12).prop_map(|task_id| Command::ReopenTask { task_id, occurrence_on: None }),
        1 => (1_u32..12).prop_map(|task_id| Command::DeleteTask { task_id }),
    ]
}

fn belongings() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => module().prop_map(|module_id| Command::AssembleModule { module_id }),
        1 => module().prop_map(|module_id| Command::PinBlueprint { module_id }),
        1 => (0_i64..40_000).prop_map(|amount_me| Command::PayBlueprint { amount_me }),
        1 => Just(Command::UnpinBlueprint),
        1 => (1_u32..12).prop_map(|job_id| Command::FinishAssembly { job_id }),
        1 => (1_u32..12).prop_map(|job_id| Command::CancelAssembly { job_id }),
        2 => module().prop_map(|module_id| Command::UpgradeModule { module_id }),
        1 => module().prop_map(|module_id| Command::SellModule { module_id }),
        2 => (module(), 0_u8..6).prop_map(|(module_id, cell)| Command::PlaceModule { module_id, cell }),
        1 => module().prop_map(|module_id| Command::RemoveModule { module_id }),
        2 => (module(), module()).prop_map(|(from, to)| Command::ConnectCable { from, to }),
        1 => module().prop_map(|from| Command::DisconnectCable { from }),
        4 => Just(Command::AutoPatch),
        1 => (0_u8..4).prop_map(|slot| Command::SavePreset { slot, name: "Kept".into(), category: Category::None }),
        1 => (0_u8..4).prop_map(|slot| Command::LoadPreset { slot }),
        1 => (0_u8..4).prop_map(|slot| Command::DeletePreset { slot }),
        1 => Just(Command::BuyPresetSlot),
        1 => Just(Command::BuyCosmetic { cosmetic_id: CosmeticId::literal("none") }),
    ]
}

fn profile() -> impl Strategy<Value = Command> {
    let zone = proptest::sample::select(vec![
        "Europe/Berlin",
        "Pacific/Auckland",
        "America/Los_Angeles",
        "Pacific/Kiritimati",
        "Asia/Kolkata",
        "Mars/Base",
    ]);
    prop_oneof![
        2 => (zone, 0_u16..400).prop_map(|(zone, day_start_minutes)| Command::SetTimeZone { time_zone: zone.into(), day_start_minutes }),
        1 => (0_u16..300).prop_map(|minutes| Command::SetDailyGoal { minutes }),
        1 => proptest::collection::vec(0_u8..9, 0..4).prop_map(|weekdays| Command::SetRestDays { weekdays }),
        1 => (0_u8..40).prop_map(|days| Command::StartVacation { days }),
        1 => Just(Command::EndVacation),
        1 => (0_i64..3_000_000_000).prop_map(|back_ms| Command::DeclareOutage { from_ms: 1_775_000_000_000 - back_ms, until_ms: 1_775_000_000_000 - back_ms / 2 }),
        2 => (1_772_400_000_000_i64..1_774_000_000_000, 0_i64..20_000_000, category())
            .prop_map(|(started_at_ms, duration_ms, category)| Command::ReportOfflineFocus { started_at_ms, duration_ms, category, task_id: None }),
    ]
}

fn correction() -> impl Strategy<Value = Command> {
    let amount = || prop_oneof![Just(0_i64), -60_000_i64..60_000];
    (amount(), amount(), 0_u64..40, proptest::option::of(1_u64..40)).prop_map(
        |(energy_me, dopamine_md, audit_seq, reverts)| Command::CorrectBalance {
            energy_me,
            dopamine_md,
            operator: "ada".into(),
            audit_seq,
            reason: "By mistake".into(),
            reverts,
        },
    )
}

fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => 0_i64..5_000,
        4 => 0_i64..400_000,
        4 => 0_i64..4_000_000,
        1 => 0_i64..90_000_000,
        1 => (1_i64..10).prop_map(|minutes| minutes * 300_000),
        1 => (1_i64..400).prop_map(|days| days * 86_400_000),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let command =
        prop_oneof![10 => focus(), 4 => task(), 8 => belongings(), 4 => profile(), 1 => correction()];
    (wait(), command).prop_map(|(wait_ms, command)| Step { wait_ms, command })
}

pub(crate) fn life() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..60)
}

pub(crate) fn lived(steps: &[Step]) -> Play {
    let mut play = Play::new();
    play.earn(300_000);
    play.charge(500_000);
    for step in steps {
        play.wait(step.wait_ms);
        let before = play.hero.clone();
        if play.command(&step.command).is_err() {
            assert_eq!(play.hero, before, "a refused command changes nothing");
        }
    }
    play
}

fn advanced_hero(hero: &Hero, now_ms: i64) -> Hero {
    let mut hero = hero.clone();
    let events = advance(&hero, now_ms, &CATALOGUE);
    assert!(events.len() <= EVENTS_PER_ADVANCE_MAX - 24, "{} events are close to the limit", events.len());
    for timed in &events {
        assert!(timed.at_ms <= now_ms);
        apply(&mut hero, timed);
    }
    hero
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_of_focus_sums_to_the_whole(
        mod_permille in 1000_i64..2501,
        rate in 0_i64..400_000,
        day_before in 0_i64..40_000_000,
        splits in proptest::collection::vec(0_i64..3_000_000, 1..20),
    ) {
        let terms = Terms { mod_permille, early_rate_ud_per_s: rate * 3 / 2, rate_ud_per_s: rate };
        let total = splits.iter().sum();
        let whole = advanced(terms, &fresh(0, 0), day_before, total, &CATALOGUE);
        let mut parts = fresh(0, 0);
        for ms in splits {
            parts = advanced(terms, &parts, day_before, ms, &CATALOGUE);
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn a_life_keeps_its_books(steps in life()) {
        lived(&steps).check_invariants();
    }

    #[test]
    fn advance_composes(steps in life(), first_ms in wait(), second_ms in wait(), splits in 1_i64..5) {
        let play = lived(&steps);
        let end_ms = play.now_ms + first_ms + second_ms;
        let whole = advanced_hero(&play.hero, end_ms);
        let mut parts = advanced_hero(&play.hero, play.now_ms + first_ms);
        for split in 1..=splits {
            parts = advanced_hero(&parts, play.now_ms + first_ms + second_ms * split / splits);
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn a_command_twice_is_the_command_once_or_refused(steps in life(), command in focus()) {
        // Exactly-once is the server's; the rules only see to it that a repeat never pays twice by surprise.
        let mut play = lived(&steps);
        if matches!(command, Command::PauseFocus | Command::ResumeFocus | Command::InterruptFocus) && play.command(&command).is_ok() {
            let before = play.hero.wallet;
            let again = decide(&play.hero, &command, play.now_ms, &CATALOGUE);
            prop_assert!(again.is_ok_and(|events| events.iter().all(|timed| timed.event.energy_me() == 0)));
            prop_assert_eq!(before, play.hero.wallet);
        }
    }

    #[test]
    fn a_clock_that_steps_back_stands_still(steps in life(), back_ms in 0_i64..10_000_000, command in focus()) {
        let play = lived(&steps);
        prop_assert_eq!(advance(&play.hero, play.now_ms - back_ms, &CATALOGUE), vec![]);
        if let Ok(events) = decide(&play.hero, &command, play.now_ms - back_ms, &CATALOGUE) {
            prop_assert!(events.iter().all(|timed| timed.at_ms >= play.hero.latest_ms));
        }
    }
}

#[test]
fn a_hero_is_small() {
    let mut play = Play::new();
    play.earn(2_000_000);
    play.charge(500_000);
    for day in 0..30 {
        play.run("start 25m; wait 25m; end");
        let module = CATALOGUE.modules[day % 8].id;
        play.run(&format!("assemble {module}; wait 23h35m; patch"));
    }
    for _ in 0..10 {
        play.run("task 30m");
    }
    assert!(play.hero.modules.len() >= 6 && play.hero.days.len() == 30 && play.hero.tasks.len() == 10);
    assert!(size_of::<Hero>() <= 1024, "{} bytes", size_of::<Hero>());
    let bytes = heap_bytes(&play.hero) + size_of::<Hero>();
    assert!(bytes <= 4096, "{bytes} bytes");
}

/// What a hero's lists hold, without the slack of their growth.
fn heap_bytes(hero: &Hero) -> usize {
    hero.days.len() * size_of_val(&hero.days[0])
        + hero.tasks.iter().map(|task| size_of_val(task) + task.title.as_str().len()).sum::<usize>()
        + hero.modules.len() * size_of_val(&hero.modules[0])
        + hero.rack.placements.iter().map(size_of_val).sum::<usize>()
        + hero.rack.cables.iter().map(size_of_val).sum::<usize>()
        + hero.achievements.iter().map(size_of_val).sum::<usize>()
}
