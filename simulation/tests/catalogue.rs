//! The built-in catalogue says what the rules say, and a wrong catalogue is refused with everything that is wrong.

use proptest::prelude::*;
use simulation::catalogue::{Catalogue, CatalogueErrors, Effect, ModuleKind, Rarity};
use simulation::id::{AchievementId, CosmeticId, ModuleId, NameError};

fn builtin() -> Catalogue {
    match Catalogue::parse(Catalogue::BUILTIN_TEXT) {
        Ok(catalogue) => catalogue,
        Err(errors) => panic!("the built-in catalogue is refused:\n{errors}"),
    }
}

/// The built-in text with one piece replaced, which must be there exactly once.
fn with(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old:?} is not there exactly once");
    text.replacen(old, new, 1)
}

fn errors_of(text: &str) -> Vec<String> {
    let errors = Catalogue::parse(text).expect_err("this catalogue is wrong");
    errors.0.iter().map(ToString::to_string).collect()
}

/// Replaces one piece and checks the one complaint: the line of the replacement, the path, and part of the problem.
fn check(old: &str, new: &str, path: &str, problem: &str) {
    let text = with(Catalogue::BUILTIN_TEXT, old, new);
    let errors = Catalogue::parse(&text).expect_err("this catalogue is wrong");
    let [error] = errors.0.as_slice() else { panic!("expected one complaint, found\n{errors}") };
    let at = Catalogue::BUILTIN_TEXT.find(old).expect("the piece is in the text");
    let line = text[..at].matches('\n').count() + 1;
    assert_eq!((error.line, error.path.as_str()), (line, path), "{error}");
    assert!(error.problem.contains(problem), "{error}");
}

#[test]
fn builtin_has_the_modules_of_the_rules() {
    let catalogue = builtin();
    assert_eq!(catalogue.modules.len(), 31);
    let cost = |rarity: Rarity| {
        catalogue
            .modules
            .iter()
            .filter(|module| module.rarity == rarity)
            .map(|module| module.cost_me)
            .sum::<i64>()
    };
    assert_eq!(Rarity::ALL.map(cost), [795_000, 3_020_000, 10_600_000, 23_500_000]);
    let count = |kind: ModuleKind| catalogue.modules.iter().filter(|module| module.kind == kind).count();
    let kinds = [ModuleKind::Generator, ModuleKind::Multiplier, ModuleKind::Modifier, ModuleKind::Special];
    assert_eq!(kinds.map(count), [8, 6, 11, 6]);
    let gate = catalogue.module(ModuleId::literal("mod_gate")).expect("a module of the rules");
    let [Effect::InterruptionRelief { ramp_ms }] = gate.effects[..] else {
        panic!("mod_gate does something else")
    };
    assert_eq!(catalogue.focus.interruption_ramp_loss_ms - ramp_ms, 120_000);
}

#[test]
fn builtin_has_the_sums_of_the_rules() {
    let catalogue = builtin();
    assert_eq!(catalogue.achievements.len(), 29);
    assert_eq!(catalogue.achievements.iter().map(|achievement| achievement.reward_me).sum::<i64>(), 910_000);
    let upgrades: i64 = catalogue
        .modules
        .iter()
        .flat_map(|module| (1..5).map(|level| (module.rarity, level)))
        .filter_map(|(rarity, level)| catalogue.upgrades.cost_md(rarity, level))
        .sum();
    assert_eq!(upgrades, 161_190_000);
    assert_eq!(catalogue.upgrades.cost_md(Rarity::Common, 5), None);
    assert_eq!(catalogue.upgrades.cost_md(Rarity::Common, 0), None);
    assert_eq!((catalogue.upgrades.level_max(), catalogue.upgrades.factor_permille(5)), (5, 1600));
    assert!(catalogue.cosmetics.iter().all(|cosmetic| (200_000..=5_000_000).contains(&cosmetic.cost_md)));
}

#[test]
fn brackets_levels_and_grids() {
    let catalogue = builtin();
    assert_eq!(catalogue.focus.ramp.at(0), (1000, Some(600_000)));
    assert_eq!(catalogue.focus.ramp.at(599_999), (1000, Some(600_000)));
    assert_eq!(catalogue.focus.ramp.at(600_000), (1100, Some(1_500_000)));
    assert_eq!(catalogue.focus.day.at(36_000_000), (0, None));
    let levels = catalogue.levels;
    let vectors = [
        (0, 1),
        (39, 1),
        (40, 2),
        (1_799, 9),
        (1_800, 10),
        (48_999, 49),
        (49_000, 50),
        (198_000, 100),
        (1_000_000_000, 100),
        (i64::MAX, 100),
        (-1, 1),
    ];
    for (xp, level) in vectors {
        assert_eq!(levels.level_of(xp), level, "{xp} XP");
    }
    for level in 2..=100 {
        let xp = levels.xp_of(level);
        assert_eq!((levels.level_of(xp - 1), levels.level_of(xp)), (level - 1, level));
    }
    let grid = |level: u8| {
        let row = catalogue.rack.at_level(level);
        (row.columns, row.rows, row.assembly_slots, row.presets)
    };
    assert_eq!([1, 5, 9, 10].map(grid), [(2, 2, 1, 3), (3, 2, 1, 3), (3, 2, 2, 3), (3, 3, 2, 4)]);
    assert_eq!([19, 20, 40, 100].map(grid), [(4, 3, 2, 4), (4, 3, 3, 4), (5, 4, 4, 7), (6, 5, 4, 10)]);
    assert_eq!(grid(0), grid(1));
}

#[test]
fn lookups_find_every_entry_and_nothing_else() {
    let catalogue = builtin();
    for module in &catalogue.modules {
        assert_eq!(catalogue.module(module.id), Some(module));
    }
    for achievement in &catalogue.achievements {
        assert_eq!(catalogue.achievement(achievement.id), Some(achievement));
    }
    for cosmetic in &catalogue.cosmetics {
        assert_eq!(catalogue.cosmetic(cosmetic.id), Some(cosmetic));
    }
    assert_eq!(catalogue.module(ModuleId::literal("core")), None);
    assert_eq!(catalogue.achievement(AchievementId::literal("gen_sine")), None);
    assert_eq!(catalogue.cosmetic(CosmeticId::literal("gen_sine")), None);
}

#[test]
fn it_is_served_as_json() {
    let json = serde_json::to_value(builtin()).expect("a catalogue is plain data");
    assert_eq!(json["version"], 1);
    assert_eq!(json["modules"][0]["id"], "gen_sine");
    assert_eq!(json["modules"][0]["effects"][0]["generate"]["rate_ud_per_s"], 4000);
    assert_eq!(json["focus"]["ramp"]["steps"][1]["permille"], 1100);
    assert!(json.get("index").is_none());
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    check("base_me_per_s: 20,", "base_me_per_s: \"twenty\",", "focus.base_me_per_s", "nteger");
    check(
        "rarity: common, steps_md",
        "rarity: comon, steps_md",
        "upgrades.costs[0].rarity",
        "`common`, `rare`",
    );
    check(
        "id: \"mul_vca\", name: \"VCA\"",
        "id: \"Mul VCA\", name: \"VCA\"",
        "modules[8].id",
        "a name of 1 to 24 characters out of a-z, 0-9 and _",
    );
    check("xp_step: 20", "xp_step: 99999999999999999999", "levels.xp_step", "");
}

#[test]
fn a_wrong_or_missing_field_is_named() {
    check("xp_step: 20", "xp_steps: 20", "levels.xp_steps", "expected either `xp_step` or `level_max`");
    check(
        "levels: (xp_step: 20, level_max: 100)",
        "levels: (xp_step: 20)",
        "levels.level_max",
        "it is missing",
    );
    check(
        "(until_ms: 600_000, permille: 1000)",
        "(until_ms: 600_000)",
        "focus.ramp.steps[0].permille",
        "missing",
    );
    check("at_least: 6000, reward_me: 100_000", "at_least: 6000", "achievements[7].reward_me", "missing");
    let renamed = errors_of(&with(Catalogue::BUILTIN_TEXT, "    sell: (", "    sale: ("));
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    assert_eq!(renamed[0], "line 4, sell: expected this section, it is missing");
    assert!(renamed[1].contains("sale: expected one of version, focus"), "{renamed:?}");
    let text = with(Catalogue::BUILTIN_TEXT, "    version: 1,\n", "");
    assert_eq!(errors_of(&text), ["line 4, version: expected this section, it is missing"]);
    check("    version: 1,", "    version: 1, version: 2,", "version", "once");
}

#[test]
fn broken_notation_is_named() {
    let check = |text: &str, expected: &str| assert_eq!(errors_of(text), [expected]);
    check("", "line 1, catalogue: expected a value, found the end");
    check("(\n  focus: (\n", "line 2, catalogue: expected a closing `)` for this bracket");
    check("(\n focus: \"abc\n)", "line 2, catalogue: expected a closing \"");
    check("(\n version: 1\n focus: ()\n)", "line 3, catalogue: expected `,` or `)`, found `f`");
    check("(version: 1) x", "line 1, catalogue: expected nothing after the closing bracket");
    check("( /* no end", "line 1, catalogue: expected */ after /*");
    check(&"(".repeat(50_000), "line 1, catalogue: expected fewer brackets inside of each other, found `(`");
    check(&" ".repeat(Catalogue::TEXT_BYTES_MAX + 1), "line 1, catalogue: expected at most 262144 bytes");
}

#[test]
fn values_out_of_range_are_named() {
    check("base_me_per_s: 20,", "base_me_per_s: 0,", "focus.base_me_per_s", "expected 1 to 10000, found 0");
    check("    version: 1,", "    version: 0,", "version", "expected 1 or more");
    check(
        "countdown_default_ms: 1_500_000",
        "countdown_default_ms: 1_000",
        "focus.countdown_default_ms",
        "300000 to",
    );
    check(
        "ignition: (reward_me: 3_000",
        "ignition: (reward_me: -1",
        "bonuses.ignition.reward_me",
        "found -1",
    );
    check("cost_me: 5_500_000", "cost_me: -5", "modules[24].cost_me", "expected 0 to");
    check("inputs: 4", "inputs: 0", "modules[13].inputs", "expected 1 to 16, found 0");
    check("name: \"FM\"", "name: \"\"", "modules[4].name", "expected 1 to 40 printable characters");
    check(
        "(category: creative, ",
        "(category: none, ",
        "modules[15].effects[0].category",
        "creative, analytical",
    );
    check(
        "rate_ud_per_s: 65_000",
        "rate_ud_per_s: 0",
        "modules[7].effects[0].rate_ud_per_s",
        "expected 1 to",
    );
    check("at_least: 6000", "at_least: 0", "achievements[7].at_least", "expected 1 to");
}

#[test]
fn tables_out_of_order_are_named() {
    check("until_ms: 1_500_000", "until_ms: 600_000", "focus.ramp.steps[1].until_ms", "more than 600000");
    check(
        "[60, 300, 900,",
        "[60, 300, 300,",
        "focus.mastery_marks_min[2]",
        "expected more than 300, found 300",
    );
    check("(hero_level: 5, ", "(hero_level: 1, ", "rack.levels[1].hero_level", "expected more than 1");
    check(
        "(hero_level: 1, ",
        "(hero_level: 2, ",
        "rack.levels[0].hero_level",
        "expected 1 for the first row",
    );
    check("hero_level: 18, columns: 4", "hero_level: 18, columns: 2", "rack.levels[4]", "never shrinks");
    check("columns: 6, rows: 5", "columns: 8, rows: 8", "rack.levels[9]", "expected at most 40 cells");
    check("[1000, 1150,", "[1100, 1150,", "upgrades.factors_permille[0]", "expected 1000 for module level 1");
    let doubled = errors_of(&with(Catalogue::BUILTIN_TEXT, "(rarity: epic, ", "(rarity: rare, "));
    let expected = ["expected one entry for Rare, found 2", "expected one entry for Epic, found 0"];
    assert!(doubled.iter().zip(expected).all(|(error, expected)| error.ends_with(expected)), "{doubled:?}");
    assert_eq!(doubled.len(), 2);
}

#[test]
fn names_and_references_are_checked() {
    check(
        "id: \"gen_pulse\"",
        "id: \"gen_sine\" ",
        "modules[1].id",
        "expected a new id, modules[0] is gen_sine too",
    );
    check("starters: [\"gen_sine\"]", "starters: [\"gen_sin\"]", "rack.starters[0]", "found gen_sin");
    check("id: \"mod_gate\"", "id: \"core\"", "modules[20].id", "`core` is where the cables end");
    check("id: \"rester\"", "id: \"frog\"", "achievements[14].id", "achievements[12] is frog too");
    check(
        "effects: [generate(rate_ud_per_s: 4000)]",
        "effects: []",
        "modules[0].effects",
        "expected 1 to 8 entries",
    );
    check(
        "effects: [core(bonus_permille: 100)]",
        "effects: [path_bonus(bonus_permille: 100)]",
        "modules[29].effects[0]",
        "expected this effect in multipliers only",
    );
}

#[test]
fn all_that_is_wrong_is_reported_in_the_order_of_the_text() {
    let mut text = Catalogue::BUILTIN_TEXT.to_string();
    for (old, new) in [
        ("base_me_per_s: 20,", "base_me_per_s: 0,"),
        ("xp_step: 20", "xp_step: []"),
        ("reach_cells: 2", "reach_cells: 99"),
        ("kind: generator, rarity: epic", "kind: generaptor, rarity: epic"),
        ("cost_me: 5_500_000", "cost_me: -5"),
        ("reward_me: 120_000", "reward_me: many"),
    ] {
        text = with(&text, old, new);
    }
    let errors = Catalogue::parse(&text).expect_err("this catalogue is wrong");
    let paths: Vec<&str> = errors.0.iter().map(|error| error.path.as_str()).collect();
    let expected = [
        "focus.base_me_per_s",
        "levels.xp_step",
        "rack.reach_cells",
        "modules[6].kind",
        "modules[24].cost_me",
        "achievements[17].reward_me",
    ];
    assert_eq!(paths, expected, "{errors}");
    assert!(errors.0.is_sorted_by_key(|error| error.line));
    assert!(errors.to_string().lines().count() == 6);
}

#[test]
fn ids_are_short_lowercase_names() {
    assert_eq!(ModuleId::new("gen_sine").map(|id| id.to_string()), Ok("gen_sine".to_string()));
    assert_eq!(ModuleId::new(""), Err(NameError::Empty));
    assert_eq!(ModuleId::new(&"a".repeat(24)).map(|id| id.as_str().len()), Ok(24));
    assert_eq!(ModuleId::new(&"a".repeat(25)), Err(NameError::TooLong));
    for wrong in ["Gen", "gen sine", "gen-sine", "gén", "a\0"] {
        assert_eq!(ModuleId::new(wrong), Err(NameError::Character), "{wrong:?}");
    }
    let json = serde_json::to_string(&ModuleId::literal("gen_sine")).expect("an id is a string");
    assert_eq!(json, "\"gen_sine\"");
    assert!(serde_json::from_str::<ModuleId>("\"Gen\"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_order_of_ids_is_the_order_of_their_text(a in "[a-z0-9_]{1,24}", b in "[a-z0-9_]{1,24}") {
        let (a_id, b_id) = (ModuleId::new(&a).unwrap(), ModuleId::new(&b).unwrap());
        prop_assert_eq!(a_id.cmp(&b_id), a.cmp(&b));
        prop_assert_eq!(serde_json::from_str::<ModuleId>(&serde_json::to_string(&a_id).unwrap()).unwrap(), a_id);
    }

    #[test]
    fn no_text_panics(text in "[(){}\\[\\]:,\"a-z0-9 /*\n\\\\é-]{0,80}") {
        let errors = Catalogue::parse(&text).unwrap_err();
        prop_assert!(!errors.0.is_empty());
    }

    #[test]
    fn no_damage_to_the_builtin_text_panics(at in 0..Catalogue::BUILTIN_TEXT.len(), len in 0..40_usize, new in "[(){}\\[\\]:,\"a-z0-9 -]{0,3}") {
        let mut text = Catalogue::BUILTIN_TEXT.to_string();
        text.replace_range(at..(at + len).min(Catalogue::BUILTIN_TEXT.len()), &new);
        if let Err(CatalogueErrors(errors)) = Catalogue::parse(&text) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| (1..=text.lines().count() + 1).contains(&error.line)));
        }
    }
}
