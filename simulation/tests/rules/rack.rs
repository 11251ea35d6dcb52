//! The rack of a hero and its presets: rules, section 5. What a rack does is tested with the rack itself.

use simulation::rules::rack::effect;

use crate::script::{CATALOGUE, Play, check_play};

fn patched() -> Play {
    let mut play = Play::new();
    play.run("wait 1m; earn 200; charge 100; assemble gen_pulse; wait 1m; assemble mul_vca; wait 5m; assemble mod_filter; wait 5m");
    play.run("upgrade gen_pulse; place gen_sine 0; place gen_pulse 1; place mul_vca 2");
    play.run("plug gen_sine mul_vca; plug gen_pulse mul_vca; plug mul_vca core");
    play
}

#[test]
fn two_generators_through_an_amplifier() {
    let mut play = patched();
    let rate = effect(&play.hero, &CATALOGUE).rate_ud_per_s;
    // Two generators side by side are a harmony: 3 % more than the rules' 11,212.
    assert_eq!(rate, (4_600 + 6_612) * 1030 / 1000);
    play.run("start 25m; wait 25m; end");
    assert_eq!(play.hero.session, None);
    play.check_invariants();
}

#[test]
fn edits_are_checked() {
    let mut play = patched();
    play.told();
    check_play(
        &mut play,
        "place gen_sine 1; place gen_sine 4; place gen_saw 3; place gen_nothing 3; plug mul_vca gen_sine; plug gen_sine mod_filter;
         remove mod_filter; unplug mod_filter; unplug mul_vca; unplug mul_vca; sell gen_sine; remove gen_sine; sell gen_sine",
        "! cell_taken
         ! no_such_cell
         ! not_owned
         ! unknown_module
         ! inputs_full
         ! not_in_rack
         ! not_in_rack
         ! not_in_rack
         12m rack_changed
         ! in_rack
         12m rack_changed
         12m module_sold gen_sine sale
         = none 85000 mE 60000 mD",
    );
}

#[test]
fn auto_patch_powers_everything() {
    let mut play = Play::new();
    play.run("patch; wait 1m; patch; patch");
    assert!(play.hero.has_achievement(simulation::id::AchievementId::literal("first_patch")));
    assert_eq!(effect(&play.hero, &CATALOGUE).powered.len(), 1);
    play.check_invariants();
}

#[test]
fn edits_in_a_session_count_from_the_next_one() {
    let mut play = Play::new();
    play.run("wait 1m; start 25m; wait 1m; patch; wait 24m; end");
    assert_eq!(play.hero.wallet.dopamine_md, 0);
    play.run("start 5m; wait 5m; end");
    assert_eq!(play.hero.wallet.dopamine_md, 4_000 * 300 * 2 / 1000);
}

#[test]
fn presets_load_at_once_or_after_the_session() {
    let mut play = patched();
    play.told();
    check_play(
        &mut play,
        "save 0; save 3; load 1; remove mul_vca; start 5m; load 0; load 0; wait 5m; end; load 0",
        "12m preset_saved 0
         ! unknown_slot
         ! empty_slot
         12m rack_changed
         12m session_started 5
         12m preset_queued 0
         14m bonus_paid ignition +3000
         14m achievement_unlocked first_spark achievement +10000
         17m day_activated
         17m round_finished
         17m session_ended 5 focus +12000
         17m bonus_paid completion +1200
         17m rack_changed 0
         17m rack_changed 0
         = none 111200 mE 60000 mD",
    );
}

#[test]
fn presets_travel_as_codes() {
    let mut play = patched();
    play.run("save 0");
    let preset = play.hero.presets.kept[0].clone();
    let code = simulation::preset_code::encode(preset.name.as_str(), preset.category, &preset.rack);
    play.run(&format!(r#"{{"import_preset":{{"slot":1,"code":"{code}"}}}}; {{"import_preset":{{"slot":2,"code":"nonsense"}}}}"#));
    assert_eq!(play.hero.presets.kept.len(), 2);
    assert_eq!(play.hero.presets.kept[1].rack, preset.rack);
    play.run(r#"{"delete_preset":{"slot":0}}; {"delete_preset":{"slot":0}}"#);
    assert_eq!(play.hero.presets.kept.len(), 1);
    play.check_invariants();
}

#[test]
fn preset_slots_can_be_bought_twice() {
    let mut play = Play::new();
    play.charge(1_000_000);
    play.run(r#""buy_preset_slot"; "buy_preset_slot"; "buy_preset_slot""#);
    assert_eq!(play.hero.presets.slots_bought, 2);
    assert_eq!(play.hero.wallet.dopamine_md, 800_000);
}
