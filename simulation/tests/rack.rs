//! The rack: the vectors of the rules, the limits of edits, and what must hold for every rack.

use std::sync::LazyLock;

use proptest::prelude::*;
use simulation::catalogue::{Catalogue, Category};
use simulation::id::ModuleId;
use simulation::preset_code::{self, CODE_CHARS_MAX, PresetCodeError, SharedPreset};
use simulation::rack::{
    CORE, Cable, Cell, Grid, Placement, Rack, RackEffect, RackError, Synergy, auto_patch, evaluate,
};

/// The built-in catalogue, read once.
fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
    &CATALOGUE
}

fn id(name: &str) -> ModuleId {
    ModuleId::new(name).expect("a name")
}

/// The largest grid of the game.
fn wide() -> Grid {
    Grid { columns: 6, rows: 5 }
}

/// Builds a rack from a script: `module@column,row>target`, one word a module; `>target` may be missing.
fn rack(script: &str) -> Rack {
    try_rack(script).unwrap_or_else(|error| panic!("{script:?} is refused: {error}"))
}

fn try_rack(script: &str) -> Result<Rack, RackError> {
    let catalogue = catalogue();
    let mut rack = Rack::default();
    let mut cables = Vec::new();
    for word in script.split_whitespace() {
        let (module, to) = word.split_once('>').map_or((word, None), |(module, to)| (module, Some(to)));
        let (name, place) = module.split_once('@').expect("module@column,row");
        let (column, row) = place.split_once(',').expect("column,row");
        let cell = Cell::new(column.parse().expect("a column"), row.parse().expect("a row")).expect("a cell");
        rack.place(id(name), cell, wide(), catalogue)?;
        cables.extend(to.map(|to| (id(name), id(to))));
    }
    for (from, to) in cables {
        rack.connect(from, to, catalogue)?;
    }
    Ok(rack)
}

/// What the rack of a script does, with the named modules at their level and all others at 1.
fn effect(script: &str, levels: &[(&str, u8)]) -> RackEffect {
    let level_of = |module: ModuleId| {
        Some(levels.iter().find(|(name, _)| module == *name).map_or(1, |(_, level)| *level))
    };
    evaluate(&rack(script), wide(), level_of, catalogue())
}

/// Checks rate and synergies.
fn check(script: &str, levels: &[(&str, u8)], rate_ud_per_s: i64, synergies: &[Synergy]) {
    let effect = effect(script, levels);
    assert_eq!((effect.rate_ud_per_s, effect.synergies.as_slice()), (rate_ud_per_s, synergies), "{script}");
}

#[test]
fn golden_vector() {
    // Apart from each other, so that there is no harmony.
    let levels = [("gen_pulse", 2)];
    check("gen_sine@0,0>mul_vca mul_vca@1,0>core gen_pulse@2,0>mul_vca", &levels, 11_212, &[]);
    let full = "gen_sine@0,0>mul_vca mul_vca@1,0>mod_lfo gen_pulse@2,0>mul_vca mod_lfo@1,1>core";
    check(full, &levels, 12_333, &[Synergy::FullVoice]);
    // 25 minutes of it, twice a second's dopamine in the first 30 minutes of a day: 36,999 mD.
    assert_eq!(12_333_i64 * 1_500_000 * 2_000 / 1_000_000_000, 36_999);
}

#[test]
fn only_powered_modules_work() {
    check("", &[], 0, &[]);
    check("gen_sine@0,0", &[], 0, &[]);
    check("gen_sine@0,0>core", &[], 4_000, &[]);
    check("gen_sine@0,0>mul_vca mul_vca@1,0", &[], 0, &[]);
    let idle = effect("gen_sine@0,0>core mod_filter@0,1>core spc_feedback@2,2>core", &[]);
    assert_eq!((idle.rate_ud_per_s, idle.energy_permille, idle.powered), (4_000, 0, vec![id("gen_sine")]));
    let on = effect("gen_sine@0,0>mod_filter mod_filter@0,1>core", &[("mod_filter", 5)]);
    assert_eq!((on.rate_ud_per_s, on.energy_permille), (4_000, 48));
}

#[test]
fn bonuses_of_a_path_add_up_to_a_limit() {
    // 700 + 400 + 250 = 1350 ‰ at level 1, 2160 at level 5, of which 2000 count.
    let path = "gen_sine@0,0>mul_supernova mul_supernova@1,0>mul_lattice mul_lattice@2,0>mul_drive mul_drive@3,0>core";
    let spectrum = [Synergy::Spectrum];
    // One of each rarity: core 1080.
    check(path, &[], 4_000 * 2_350 / 1_000 * 1_080 / 1_000, &spectrum);
    let levels = [("mul_supernova", 5), ("mul_lattice", 5), ("mul_drive", 5)];
    check(path, &levels, 4_000 * 3 * 1_080 / 1_000, &spectrum);
}

#[test]
fn specials_and_upgrades() {
    let all = effect(
        "gen_noise@0,0>mod_gate mod_gate@1,0>mod_lfo mod_lfo@2,0>mod_compressor mod_compressor@3,0>spc_patience \
         spc_patience@4,0>spc_clock spc_clock@5,0>spc_memory spc_memory@5,1>spc_bus spc_bus@4,1>spc_feedback \
         spc_feedback@3,1>core",
        &[("mod_gate", 2), ("spc_clock", 5), ("mod_lfo", 3)],
    );
    assert_eq!((all.rate_ud_per_s, all.early_rate_ud_per_s), (6_600, 9_900));
    assert_eq!(all.interruption_ramp_loss_ms, 300_000 - 207_000);
    assert_eq!((all.ramp_start_ms, all.task_bonus_permille, all.break_bonus_me), (234_000, 200, 1_000));
    assert_eq!((all.assembly_bonus_permille, all.shield_capacity_bonus), (400, 1));
    assert_eq!((all.reach_cells, all.room_bonus_permille, all.core_bonus_permille), (3, 50, 100));
    // The second effect of a module is not raised by upgrades.
    let singularity =
        effect("gen_sine@0,0>spc_singularity spc_singularity@1,0>core", &[("spc_singularity", 5)]);
    assert_eq!((singularity.energy_permille, singularity.core_bonus_permille), (80, 400 + 80));
    let plain = effect("gen_sine@0,0>core", &[]);
    assert_eq!((plain.interruption_ramp_loss_ms, plain.ramp_start_ms, plain.reach_cells), (300_000, 0, 2));
    assert_eq!(plain.early_rate_ud_per_s, plain.rate_ud_per_s);
}

#[test]
fn synergies() {
    check("gen_sine@0,0>core gen_pulse@1,0>core", &[], 9_000 * 1_030 / 1_000, &[Synergy::Harmony]);
    // Four generators in a square are four pairs, of which three count.
    let square = "gen_sine@0,0>core gen_pulse@1,0>core gen_saw@0,1>core gen_fm@1,1>core";
    check(square, &[], 29_000 * 1_090 / 1_000, &[Synergy::Harmony]);
    // Beside each other, but one is not powered.
    check("gen_sine@0,0>core gen_pulse@1,0", &[], 4_000, &[]);
    check("gen_aurora@0,0>core", &[], 65_000 * 1_080 / 1_000, &[Synergy::QuietSpace]);
    // In a corner with one neighbour, one cell beside it is empty: not enough.
    check("gen_aurora@0,0>core mod_gate@1,0", &[], 65_000, &[]);
    let spectrum = "gen_pulse@0,0>core gen_fm@2,0>core gen_granular@4,0>core gen_aurora@0,2>core";
    let both = [Synergy::QuietSpace, Synergy::Spectrum];
    check(spectrum, &[], 113_000 * 1_160 / 1_000, &both);
    let winds = effect(
        "gen_sine@0,0>mod_env_creative mod_env_creative@1,0>mod_env_analytical mod_env_analytical@2,0>mod_env_physical \
         mod_env_physical@3,0>mod_env_learning mod_env_learning@4,0>core",
        &[],
    );
    assert_eq!((winds.energy_permille, winds.category_energy_permille), (50, [60; 4]));
    assert_eq!(winds.synergies, [Synergy::FourWinds]);
    let time = effect(
        "gen_sine@1,0>spc_clock spc_clock@1,1>mod_gate mod_gate@0,1>mod_lfo mod_lfo@1,2>core gen_pulse@2,1>core",
        &[],
    );
    assert_eq!((time.synergies.as_slice(), time.assembly_bonus_permille), (&[Synergy::InTime][..], 350));
}

#[test]
fn synergies_on_the_core_have_a_limit() {
    // full_voice 100 + harmony 90 + quiet_space 80 + spectrum 80 are 350 ‰, of which 300 count.
    let all = effect(
        "gen_sine@0,0>mul_mixer gen_pulse@1,0>mul_mixer gen_saw@2,0>core gen_fm@3,0>core mul_mixer@1,1>mod_horizon \
         mod_horizon@1,2>mod_resonator mod_resonator@1,3>core",
        &[],
    );
    let expected = [Synergy::FullVoice, Synergy::Harmony, Synergy::QuietSpace, Synergy::Spectrum];
    assert_eq!(all.synergies, expected);
    assert_eq!(all.core_bonus_permille, 300);
}

#[test]
fn the_order_of_a_full_voice_matters() {
    let early = "gen_sine@0,0>mod_gate mod_gate@1,0>mul_vca mul_vca@2,0>core";
    check(early, &[], 4_600, &[]);
    let between = "gen_sine@0,0>mul_vca mul_vca@1,0>spc_patience spc_patience@2,0>mod_gate mod_gate@3,0>core";
    check(between, &[], 4_600 * 1_100 / 1_000, &[Synergy::FullVoice]);
}

#[test]
fn edits_refuse_what_the_rules_forbid() {
    let refused = |script: &str, expected: RackError| assert_eq!(try_rack(script), Err(expected), "{script}");
    refused("gen_sine@0,0 gen_pulse@0,0", RackError::CellTaken);
    refused("gen_sine@6,0", RackError::NoSuchCell);
    refused("gen_sine@0,5", RackError::NoSuchCell);
    refused("gen_sinus@0,0", RackError::NotOwned(id("gen_sinus")));
    refused("gen_sine@0,0>mul_vca", RackError::NotPlaced(id("mul_vca")));
    let (gen_sine, mul_vca) = (id("gen_sine"), id("mul_vca"));
    refused("gen_sine@0,0>mul_vca mul_vca@2,1", RackError::OutOfReach { from: gen_sine, to: mul_vca });
    assert!(try_rack("gen_sine@0,0>mul_vca mul_vca@2,1 spc_bus@5,4").is_ok());
    refused("gen_pulse@0,0>gen_sine gen_sine@1,0", RackError::InputsFull(gen_sine));
    refused(
        "gen_sine@0,0>mul_vca gen_pulse@0,1>mul_vca gen_saw@1,1>mul_vca mul_vca@1,0",
        RackError::InputsFull(mul_vca),
    );
    refused("mod_gate@0,0>mod_gate", RackError::Loop(id("mod_gate")));
    refused("mod_gate@0,0>mod_lfo mod_lfo@1,0>mul_vca mul_vca@1,1>mod_gate", RackError::Loop(mul_vca));
    refused(
        "gen_sine@0,0>core gen_pulse@1,0>core gen_saw@2,0>core gen_noise@3,0>core gen_fm@4,0>core \
         gen_wavetable@5,0>core gen_granular@5,1>core",
        RackError::InputsFull(CORE),
    );
    let catalogue = catalogue();
    let mut rack = rack("gen_sine@0,0>core");
    assert_eq!(rack.remove(mul_vca, catalogue), Err(RackError::NotPlaced(mul_vca)));
    assert_eq!(rack.disconnect(mul_vca), Err(RackError::NotPlaced(mul_vca)));
    assert_eq!((rack.disconnect(gen_sine), rack.disconnect(gen_sine)), (Ok(true), Ok(false)));
}

#[test]
fn moving_unplugs_what_no_longer_reaches() {
    let catalogue = catalogue();
    let place = |rack: &mut Rack, name: &str, column: u8, row: u8| {
        rack.place(id(name), Cell::new(column, row).expect("a cell"), wide(), catalogue)
            .expect("a free cell");
    };
    let mut moved = rack("gen_sine@0,0>mul_vca mul_vca@1,0>core");
    place(&mut moved, "mul_vca", 1, 1);
    assert_eq!(moved.cables.len(), 2);
    place(&mut moved, "mul_vca", 5, 4);
    assert_eq!(moved.cables, [Cable { from: id("mul_vca"), to: CORE }]);
    let mut long = rack("gen_sine@0,0>mul_vca mul_vca@3,0>core spc_bus@5,4");
    long.remove(id("spc_bus"), catalogue).expect("it is on the grid");
    assert_eq!(long.cables, [Cable { from: id("mul_vca"), to: CORE }]);
    // A new cable takes the place of the old one, also when it goes to the same module.
    let mut again = rack("gen_sine@0,0>mod_gate mod_gate@1,0>core");
    again.connect(id("gen_sine"), id("mod_gate"), catalogue).expect("its own input is free for it");
    again.connect(id("gen_sine"), CORE, catalogue).expect("the core has room");
    assert_eq!(again.output_of(id("gen_sine")), Some(CORE));
}

#[test]
fn cells_keep_their_place_when_the_grid_grows() {
    let (small, large) = (Grid { columns: 2, rows: 2 }, Grid { columns: 3, rows: 2 });
    let below = small.cell(2).expect("the first cell of the second row");
    assert_eq!((below.column(), below.row()), (0, 1));
    assert_eq!((small.index(below), large.index(below)), (Some(2), Some(3)));
    assert_eq!((small.cell(4), small.cell(255)), (None, None));
    assert_eq!(small.index(Cell::new(2, 0).expect("a cell")), None);
    assert_eq!((wide().cells().count(), Cell::new(8, 0), Cell::new(0, 8)), (30, None, None));
    assert_eq!(serde_json::to_string(&below).expect("a number"), "8");
    assert!(serde_json::from_str::<Cell>("64").is_err());
}

#[test]
fn auto_patch_powers_the_starter_and_is_stable() {
    let catalogue = catalogue();
    let grid = Grid::at_level(1, catalogue);
    let owned = [(id("gen_sine"), 1)];
    let patched = auto_patch(&owned, &Rack::default(), grid, catalogue);
    assert_eq!(patched, rack("gen_sine@0,0>core"));
    assert_eq!(auto_patch(&owned, &patched, grid, catalogue), patched);
    assert_eq!(auto_patch(&[], &Rack::default(), grid, catalogue), Rack::default());
    // The first three modules of most players make a full voice.
    let owned = ["gen_sine", "gen_pulse", "mul_vca", "mod_filter"].map(|name| (id(name), 1));
    let patched = auto_patch(&owned, &Rack::default(), grid, catalogue);
    let effect = evaluate(&patched, grid, |_| Some(1), catalogue);
    assert_eq!((effect.powered.len(), effect.rate_ud_per_s), (4, 10_350 * 1_130 / 1_000));
    assert_eq!(effect.synergies, [Synergy::FullVoice, Synergy::Harmony]);
}

#[test]
fn auto_patch_of_everything_powers_all_that_fits() {
    let catalogue = catalogue();
    let owned: Vec<(ModuleId, u8)> = catalogue.modules.iter().map(|module| (module.id, 1)).collect();
    for (level, powered_min) in [(1, 4), (5, 6), (10, 9), (18, 12), (28, 16), (40, 20), (55, 25), (75, 30)] {
        let grid = Grid::at_level(level, catalogue);
        let patched = auto_patch(&owned, &Rack::default(), grid, catalogue);
        let effect = evaluate(&patched, grid, |_| Some(1), catalogue);
        assert!(effect.powered.len() >= powered_min, "level {level}: {} powered", effect.powered.len());
    }
}

fn any_owned() -> impl Strategy<Value = Vec<(ModuleId, u8)>> {
    let ids: Vec<ModuleId> = catalogue().modules.iter().map(|module| module.id).collect();
    prop::sample::subsequence(ids, 0..=31)
        .prop_flat_map(|ids| {
            let count = ids.len();
            (Just(ids), prop::collection::vec(1..=5_u8, count))
        })
        .prop_map(|(ids, levels)| ids.into_iter().zip(levels).collect())
}

fn any_grid() -> impl Strategy<Value = Grid> {
    (1..=100_u8).prop_map(|level| Grid::at_level(level, catalogue()))
}

/// A valid rack, made by throwing edits at an empty one.
fn any_rack(grid: Grid, owned: &[(ModuleId, u8)]) -> impl Strategy<Value = Rack> + use<> {
    let mut ids: Vec<ModuleId> = owned.iter().map(|(module, _)| *module).collect();
    ids.push(id("gen_sine"));
    let mut targets = ids.clone();
    targets.extend([CORE; 6]);
    let places = prop::collection::vec((prop::sample::select(ids.clone()), 0..grid.cell_count()), 0..60);
    let cables = prop::collection::vec((prop::sample::select(ids), prop::sample::select(targets)), 0..120);
    (places, cables).prop_map(move |(places, cables)| {
        let catalogue = catalogue();
        let mut rack = Rack::default();
        for (module, index) in places {
            let _ = rack.place(module, grid.cell(index).expect("a cell of the grid"), grid, catalogue);
        }
        for (from, to) in cables {
            let _ = rack.connect(from, to, catalogue);
        }
        rack
    })
}

fn any_scene() -> impl Strategy<Value = (Grid, Vec<(ModuleId, u8)>, Rack)> {
    (any_grid(), any_owned()).prop_flat_map(|(grid, owned)| {
        let rack = any_rack(grid, &owned);
        (Just(grid), Just(owned), rack)
    })
}

fn level_of(owned: &[(ModuleId, u8)]) -> impl Fn(ModuleId) -> Option<u8> {
    |module| owned.iter().find(|(owned, _)| *owned == module).map(|(_, level)| *level)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn edits_keep_a_rack_valid((grid, _owned, rack) in any_scene()) {
        let catalogue = catalogue();
        prop_assert_eq!(rack.validate(|_| true, grid, catalogue), Ok(()));
        prop_assert_eq!(rack.fitted(|_| true, grid, catalogue), rack.clone());
        prop_assert!(rack.placements.is_sorted() && rack.cables.is_sorted());
        let part = rack.fitted(|module| !module.as_str().starts_with("mul"), grid, catalogue);
        prop_assert_eq!(part.validate(|module| !module.as_str().starts_with("mul"), grid, catalogue), Ok(()));
    }

    #[test]
    fn the_order_of_placements_and_cables_means_nothing((grid, owned, rack) in any_scene(), seed in any::<u64>()) {
        let catalogue = catalogue();
        let mut shuffled = rack.clone();
        // A rotation and a reversal of both lists reach many orders.
        let turn = |len: usize| if len == 0 { 0 } else { usize::try_from(seed % 64).unwrap() % len };
        shuffled.placements.rotate_left(turn(rack.placements.len()));
        shuffled.cables.rotate_left(turn(rack.cables.len()));
        if seed % 2 == 0 {
            shuffled.placements.reverse();
            shuffled.cables.reverse();
        }
        let sorted = evaluate(&rack, grid, level_of(&owned), catalogue);
        prop_assert_eq!(evaluate(&shuffled, grid, level_of(&owned), catalogue), sorted);
    }

    #[test]
    fn effects_stay_within_their_limits((grid, owned, rack) in any_scene()) {
        let catalogue = catalogue();
        let effect = evaluate(&rack, grid, level_of(&owned), catalogue);
        prop_assert!((0..=1000).contains(&effect.energy_permille));
        prop_assert!(effect.early_rate_ud_per_s >= effect.rate_ud_per_s && effect.rate_ud_per_s >= 0);
        prop_assert!((0..=300_000).contains(&effect.interruption_ramp_loss_ms));
        prop_assert!(effect.powered.is_sorted() && effect.synergies.is_sorted());
        prop_assert_eq!(effect.rate_ud_per_s > 0, !effect.powered.is_empty());
    }

    #[test]
    fn auto_patch_is_valid_and_never_worse((grid, owned, current) in any_scene()) {
        let catalogue = catalogue();
        let patched = auto_patch(&owned, &current, grid, catalogue);
        let owns = |module: ModuleId| owned.iter().any(|(owned, _)| *owned == module);
        prop_assert_eq!(patched.validate(owns, grid, catalogue), Ok(()));
        prop_assert_eq!(auto_patch(&owned, &patched, grid, catalogue), patched.clone());
        let before = evaluate(&current, grid, level_of(&owned), catalogue);
        let after = evaluate(&patched, grid, level_of(&owned), catalogue);
        prop_assert!(
            after.rate_ud_per_s >= before.rate_ud_per_s || after.energy_permille >= before.energy_permille,
        );
        let generators: Vec<ModuleId> =
            owned.iter().map(|(module, _)| *module).filter(|module| module.as_str().starts_with("gen")).collect();
        if owned.len() <= usize::from(grid.cell_count()) && generators.len() <= 6 && current.placements.is_empty() {
            prop_assert!(generators.iter().all(|generator| after.powered.contains(generator)));
        }
        prop_assert!(generators.is_empty() || after.rate_ud_per_s > 0);
    }

    #[test]
    fn preset_codes_survive_the_round_trip(
        (_grid, _owned, rack) in any_scene(), name in "[^\\p{Cc}]{1,40}", category in 0..5_usize,
    ) {
        let catalogue = catalogue();
        let category = Category::NAMED.get(category).copied().unwrap_or(Category::None);
        let code = preset_code::encode(&name, category, &rack);
        prop_assert!(code.len() <= CODE_CHARS_MAX);
        let decoded = preset_code::decode(&format!(" {code}\n"), catalogue);
        prop_assert_eq!(decoded, Ok(SharedPreset { name, category, rack, left_out: 0 }));
    }

    #[test]
    fn a_slip_in_a_preset_code_is_found((_grid, _owned, rack) in any_scene(), at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let catalogue = catalogue();
        let code = preset_code::encode("Evening", Category::None, &rack);
        let at = at.index(code.len());
        let mut wrong = code.clone();
        wrong.replace_range(at..=at, &letter);
        prop_assert!(wrong == code || preset_code::decode(&wrong, catalogue).is_err());
        wrong.remove(at);
        prop_assert!(preset_code::decode(&wrong, catalogue).is_err());
    }

    #[test]
    fn no_text_panics_as_a_preset_code(text in ".{0,600}", letters in "DH1\\.[A-Za-z0-9_-]{0,508}") {
        let catalogue = catalogue();
        prop_assert!(preset_code::decode(&text, catalogue).is_err());
        prop_assert!(preset_code::decode(&letters, catalogue).is_err());
    }
}

#[test]
fn preset_codes_refuse_clearly() {
    let catalogue = catalogue();
    let check = |text: &str, expected: PresetCodeError| {
        assert_eq!(preset_code::decode(text, catalogue), Err(expected), "{text}");
    };
    check("", PresetCodeError::NotACode);
    check("hello", PresetCodeError::NotACode);
    check("DH.", PresetCodeError::NotACode);
    check("DH2.AAAA", PresetCodeError::UnknownVersion);
    check("DH1.", PresetCodeError::Damaged);
    check("DH1.A", PresetCodeError::Damaged);
    check("DH1.AAAA*AAA", PresetCodeError::Damaged);
    check(&"x".repeat(CODE_CHARS_MAX + 1), PresetCodeError::TooLong);
    let named = |name: &str| preset_code::encode(name, Category::None, &Rack::default());
    check(&named(""), PresetCodeError::Damaged);
    check(&named("two\nlines"), PresetCodeError::Damaged);
}

/// A code is what players keep in notes and chats: the format of version 1 never changes.
#[test]
fn preset_codes_of_version_1_stay_readable() {
    let rack = rack("gen_sine@0,0>mul_vca mul_vca@1,0>mod_filter gen_pulse@2,0>mul_vca mod_filter@1,1>core");
    let code = preset_code::encode("Evening", Category::Creative, &rack);
    assert_eq!(code, "DH1.AQdFdmVuaW5nBAC0T5QDAcl-gAUCpz2CAwloO8QBR8UDeA");
    let decoded = preset_code::decode(&code, catalogue());
    assert_eq!(decoded.map(|preset| preset.rack), Ok(rack));
}

#[test]
fn a_full_grid_with_the_longest_name_fits_into_a_code() {
    let catalogue = catalogue();
    let mut rack = Rack::default();
    for (module, cell) in catalogue.modules.iter().zip(wide().cells()) {
        rack.placements.push(Placement { cell, module_id: module.id });
        rack.cables.push(Cable { from: module.id, to: CORE });
    }
    let code = preset_code::encode(&"\u{1f3b9}".repeat(41), Category::Learning, &rack);
    assert!(code.len() <= CODE_CHARS_MAX, "{} characters", code.len());
    let decoded = preset_code::decode(&code, catalogue).expect("its own code");
    assert_eq!(decoded.name.chars().count(), 40);
    // The core takes six cables; the others are left out, as in any rack that was not checked.
    assert_eq!((decoded.rack.placements.len(), decoded.rack.cables.len(), decoded.left_out), (30, 6, 0));
}

#[test]
fn modules_that_the_catalogue_does_not_know_leave_gaps() {
    let catalogue = catalogue();
    let mut rack = rack("gen_sine@0,0>mul_vca mul_vca@1,0>core");
    rack.placements.push(Placement { cell: Cell::new(3, 3).expect("a cell"), module_id: id("gen_future") });
    rack.placements.sort_unstable();
    let code = preset_code::encode("From the future", Category::None, &rack);
    let decoded = preset_code::decode(&code, catalogue).expect("a code");
    assert_eq!((decoded.rack.placements.len(), decoded.rack.cables.len(), decoded.left_out), (2, 2, 1));
    // A loop cannot be smuggled in: what does not fit is left out.
    let mut looped = self::rack("mod_gate@0,0>mod_lfo mod_lfo@1,0");
    looped.cables.push(Cable { from: id("mod_lfo"), to: id("mod_gate") });
    looped.cables.sort_unstable();
    let effect = evaluate(&looped, wide(), |_| Some(1), catalogue);
    assert!(effect.powered.is_empty());
    let decoded = preset_code::decode(&preset_code::encode("Loop", Category::None, &looped), catalogue);
    assert_eq!(decoded.expect("a code").rack.cables.len(), 1);
}
