//! Another catalogue is put in force in the middle of a life, again and again: nothing breaks, whatever it lacks.

use std::sync::LazyLock;

use proptest::prelude::*;

use simulation::advance::{EVENTS_PER_ADVANCE_MAX, advance};
use simulation::apply::apply;
use simulation::catalogue::Catalogue;
use simulation::decide::decide;
use simulation::hero::Hero;
use simulation::rack::Grid;
use simulation::rules::accrual::{accrual, next_boundary_ms};
use simulation::rules::create::create;
use simulation::rules::{assembly, streak, wallet};

use crate::properties::{Step, life};
use crate::script::{MONDAY, Play};

/// The built-in one; one that lacks most modules, achievements and cosmetics and allows less of everything; one with
/// other numbers.
static CATALOGUES: LazyLock<[Catalogue; 3]> =
    LazyLock::new(|| [Catalogue::builtin(), parse(&poorer()), parse(&other())]);

fn parse(text: &str) -> Catalogue {
    Catalogue::parse(text).unwrap_or_else(|errors| panic!("the test's own catalogue is wrong: {errors}"))
}

/// The built-in text with pieces replaced, each of which must be there.
fn with(pieces: &[(&str, &str)]) -> String {
    let mut text = Catalogue::BUILTIN_TEXT.to_owned();
    for (old, new) in pieces {
        assert!(text.contains(old), "{old:?} is not in the built-in catalogue");
        text = text.replacen(old, new, 1);
    }
    text
}

fn poorer() -> String {
    let text = with(&[
        ("version: 1", "version: 2"),
        ("countdown_max_ms: 10_800_000", "countdown_max_ms: 1_800_000"),
        ("pomodoro_rounds_max: 12", "pomodoro_rounds_max: 2"),
        ("open_max: 500", "open_max: 3"),
        ("shields_max: 3", "shields_max: 1"),
        ("level_max: 100", "level_max: 3"),
        ("presets_max: 12", "presets_max: 3"),
        ("ignition_ms: 120_000", "ignition_ms: 600_000"),
    ]);
    // A rack that never grows, and of each list only what comes first.
    let levels = "        levels: [\n            (hero_level: 1, columns: 2, rows: 2, assembly_slots: 1, presets: 3),\n        ],\n";
    let text = replaced(&text, "        levels: [\n", "        ],\n", levels);
    let text = cut(&text, "            id: \"gen_pulse\"", "    ],\n\n    achievements: [\n");
    let text = cut(&text, "        (id: \"first_build\"", "    ],\n\n    cosmetics: [\n");
    cut(&text, "        (id: \"cable_mint\"", "    ],\n)")
}

fn replaced(text: &str, from: &str, until: &str, with: &str) -> String {
    let start = text.find(from).expect("the piece is there");
    let end = start + text[start..].find(until).expect("its end is there") + until.len();
    format!("{}{with}{}", &text[..start], &text[end..])
}

/// Without what stands from the entry that holds `from` up to `until`.
fn cut(text: &str, from: &str, until: &str) -> String {
    let found = text.find(from).expect("the entry is there");
    let start = if from.starts_with("        (") {
        found
    } else {
        text[..found].rfind("        (").expect("it opens")
    };
    let end = text.find(until).expect("the end of the list is there");
    format!("{}{}", &text[..start], &text[end..])
}

fn other() -> String {
    with(&[
        ("version: 1", "version: 3"),
        ("base_me_per_s: 20", "base_me_per_s: 45"),
        ("(until_ms: 600_000, permille: 1000)", "(until_ms: 90_000, permille: 1300)"),
        ("ignition_ms: 120_000", "ignition_ms: 65_000"),
        ("active_focus_ms: 300_000", "active_focus_ms: 60_000"),
        ("focus_permille: 4000", "focus_permille: 9000"),
        ("goal_min_minutes: 5", "goal_min_minutes: 30"),
        ("pause_max_ms: 900_000", "pause_max_ms: 120_000"),
        ("flowtime_silence_ms: 3_600_000", "flowtime_silence_ms: 1_200_000"),
        ("flowtime_grace_ms: 900_000", "flowtime_grace_ms: 60_000"),
        ("trusted_ms: 5_400_000", "trusted_ms: 600_000"),
        ("xp_step: 20", "xp_step: 2"),
        ("early_ms: 600_000", "early_ms: 60_000"),
    ])
}

fn pass(hero: &mut Hero, now_ms: i64, catalogue: &Catalogue) {
    loop {
        let events = advance(hero, now_ms, catalogue);
        assert!(events.len() <= EVENTS_PER_ADVANCE_MAX);
        if events.is_empty() {
            return;
        }
        for timed in &events {
            assert!(timed.at_ms <= now_ms.max(hero.latest_ms));
            apply(hero, timed);
        }
    }
}

/// What a server asks of a hero beside events.
fn look(hero: &Hero, now_ms: i64, catalogue: &Catalogue) {
    let _rates = accrual(hero, now_ms, catalogue);
    let _due = next_boundary_ms(hero, now_ms, catalogue);
    let _level = wallet::level(hero, catalogue);
    let _shields = streak::shields_max(hero, catalogue);
    let _slots = assembly::slots(hero, catalogue);
    let _grid = Grid::at_level(hero.wallet.level, catalogue);
    for job in &hero.assembly.jobs {
        let _price = assembly::finish_md(hero, job, now_ms, catalogue);
    }
    for module in &hero.modules {
        let _prices = (assembly::upgrade_md(module, catalogue), assembly::sale(module, now_ms, catalogue));
    }
}

fn live(steps: &[Step], which: &[usize]) {
    let rich = {
        let mut play = Play::new();
        play.earn(3_000_000);
        play.charge(5_000_000);
        play
    };
    let (mut hero, mut now_ms) = (rich.hero, rich.now_ms);
    for (index, step) in steps.iter().enumerate() {
        let catalogue = &CATALOGUES[which[index % which.len()]];
        now_ms += step.wait_ms;
        pass(&mut hero, now_ms, catalogue);
        look(&hero, now_ms, catalogue);
        if let Ok(events) = decide(&hero, &step.command, now_ms, catalogue) {
            for timed in &events {
                apply(&mut hero, timed);
            }
        }
        look(&hero, now_ms, catalogue);
        assert!(hero.wallet.energy_me >= 0 && hero.wallet.dopamine_md >= 0, "{:?}", hero.wallet);
    }
    let level = hero.wallet.level;
    pass(&mut hero, now_ms + 400 * 86_400_000, &CATALOGUES[1]);
    assert!(hero.wallet.level >= level, "a level never falls");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_life_under_changing_numbers_breaks_nothing(
        steps in life(),
        which in proptest::collection::vec(0_usize..3, 1..20),
    ) {
        live(&steps, &which);
    }
}

/// A module that is gone is not in the rack any more, as far as its effects go, and can still be sold, taken out and
/// finished; only what needs its numbers is refused.
#[test]
fn what_a_catalogue_lacks_is_kept_and_rests() {
    let mut play = Play::new();
    play.run("wait 10m; earn 500; assemble gen_pulse; wait 10m; patch; assemble gen_saw");
    let poorer = &CATALOGUES[1];
    let (mut hero, now_ms) = (play.hero, play.now_ms);
    assert!(
        hero.modules.iter().any(|module| poorer.module(module.module_id).is_none()),
        "it owns one that is gone"
    );
    assert!(hero.assembly.jobs.iter().any(|job| poorer.module(job.module_id).is_none()), "and builds one");
    let owned = hero.modules.len();
    pass(&mut hero, now_ms + 86_400_000, poorer);
    look(&hero, now_ms + 86_400_000, poorer);
    assert_eq!(hero.modules.len(), owned + 1, "what was paid for is built");
    pass(&mut hero, now_ms + 2 * 86_400_000, &CATALOGUES[0]);
    assert_eq!(hero.modules.len(), owned + 1, "and there after the way back");
}

#[test]
fn the_catalogues_of_this_test_differ_where_they_should() {
    let [whole, poorer, other] = &*CATALOGUES;
    assert_eq!((poorer.modules.len(), poorer.achievements.len(), poorer.cosmetics.len()), (1, 1, 1));
    assert_eq!((whole.version, poorer.version, other.version), (1, 2, 3));
    let now_ms = simulation::calendar::parse_rfc3339(MONDAY).expect("a moment");
    for catalogue in &*CATALOGUES {
        create("Test", "UTC", now_ms, catalogue).expect("a new hero needs nothing that is gone");
    }
}
