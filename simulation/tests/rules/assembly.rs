//! Assembly, upgrades, selling, levels, achievements, cosmetics: rules, sections 4, 6 and 7.

use simulation::rules::assembly::finish_md;

use crate::script::{CATALOGUE, Play, check, check_play};

#[test]
fn the_starter_is_built_in_a_minute_of_idleness() {
    check(
        "wait 59999ms; wait 1ms",
        "1m module_assembled gen_sine
         = none 0 mE 0 mD",
    );
}

#[test]
fn a_job_runs_four_times_as_fast_while_focusing() {
    check(
        "wait 1m; earn 200; assemble gen_pulse; wait 1m; assemble gen_saw; wait 2m; start 5m; wait 1m; interrupt; wait 3m; end; wait 1m",
        "1m module_assembled gen_sine
         1m bonus_paid comeback +200000
         1m assembly_started gen_pulse assembly -25000
         1m level_reached 3
         2m module_assembled gen_pulse
         2m achievement_unlocked first_build achievement +5000
         2m assembly_started gen_saw assembly -80000
         4m session_started 4
         4m assembly_pace_changed
         5m session_paused
         5m assembly_pace_changed
         8m session_ended 4 focus +2400
         9m module_assembled gen_saw
         = none 102400 mE 0 mD",
    );
}

#[test]
fn assembly_has_conditions() {
    check(
        "assemble gen_nothing; assemble gen_pulse; assemble gen_sine; earn 39; assemble mul_vca; assemble gen_pulse",
        "! unknown_module
         ! slot_full
         ! already_owned
         0s bonus_paid comeback +39000
         ! level_too_low
         ! slot_full
         = none 39000 mE 0 mD",
    );
}

#[test]
fn cancelling_gives_everything_back_and_the_starter_stays() {
    check(
        "drop 1; wait 1m; earn 30; assemble gen_pulse; wait 30s; drop 2; drop 2",
        "! starter_job
         1m module_assembled gen_sine
         1m bonus_paid comeback +30000
         1m assembly_started gen_pulse assembly -25000
         1m30s assembly_cancelled gen_pulse refund +25000
         ! unknown_job
         = none 30000 mE 0 mD",
    );
}

#[test]
fn finishing_now_costs_a_dopamine_for_each_half_minute() {
    let mut play = Play::new();
    play.run("wait 1m; earn 205; charge 100; assemble gen_pulse; wait 1m; assemble gen_saw; wait 15s");
    let job = play.hero.job(3).expect("it runs");
    assert_eq!(finish_md(&play.hero, job, play.now_ms, &CATALOGUE), 20_000, "585 s are 20 parts");
    play.told();
    check_play(
        &mut play,
        "finish 3; finish 3",
        "2m15s module_assembled gen_saw finish_now -20000mD
         ! unknown_job
         = none 105000 mE 80000 mD",
    );
}

#[test]
fn a_blueprint_is_paid_in_instalments() {
    check(
        "pay 5; pin gen_pulse; pin gen_pulse; pin gen_sine; earn 20; pay 10; pay 100; unpin; unpin; wait 1m;
         pin gen_pulse; pay 10; earn 10; pay 100",
        "! no_blueprint
         0s blueprint_pinned gen_pulse
         ! already_owned
         0s bonus_paid comeback +20000
         0s blueprint_paid gen_pulse assembly -10000
         ! not_enough_energy
         0s blueprint_unpinned gen_pulse refund +10000
         ! no_blueprint
         1m module_assembled gen_sine
         1m blueprint_pinned gen_pulse
         1m blueprint_paid gen_pulse assembly -10000
         1m bonus_paid comeback +10000
         1m assembly_started gen_pulse assembly -15000
         = none 5000 mE 0 mD",
    );
}

#[test]
fn a_blueprint_shortens_the_price_of_assembly() {
    check(
        "wait 1m; earn 25; pin gen_pulse; pay 10; assemble gen_pulse",
        "1m module_assembled gen_sine
         1m bonus_paid comeback +25000
         1m blueprint_pinned gen_pulse
         1m blueprint_paid gen_pulse assembly -10000
         1m assembly_started gen_pulse assembly -15000
         = none 0 mE 0 mD",
    );
}

#[test]
fn upgrades_cost_by_rarity_and_end_at_five() {
    check(
        "wait 1m; charge 1000; upgrade gen_sine; upgrade gen_sine; upgrade gen_sine; upgrade gen_sine; upgrade gen_sine; upgrade mul_vca",
        "1m module_assembled gen_sine
         1m module_sold gen_none sale +1000000mD
         1m module_upgraded gen_sine upgrade -40000mD
         1m module_upgraded gen_sine upgrade -100000mD
         1m module_upgraded gen_sine upgrade -220000mD
         1m module_upgraded gen_sine upgrade -450000mD
         ! level_max
         ! not_owned
         = none 0 mE 190000 mD",
    );
}

#[test]
fn selling_gives_all_within_a_day_and_three_quarters_later() {
    check(
        "wait 1m; earn 75; charge 40; assemble gen_pulse; wait 1m; upgrade gen_pulse; sell gen_pulse; sell gen_pulse",
        "1m module_assembled gen_sine
         1m bonus_paid comeback +75000
         1m module_sold gen_none sale +40000mD
         1m assembly_started gen_pulse assembly -25000
         1m level_reached 2
         2m module_assembled gen_pulse
         2m achievement_unlocked first_build achievement +5000
         2m module_upgraded gen_pulse upgrade -40000mD
         2m module_sold gen_pulse sale +25000 +40000mD
         ! not_owned
         = none 80000 mE 40000 mD",
    );
    check(
        "wait 1m; earn 75; charge 40; assemble gen_pulse; wait 1m; upgrade gen_pulse; wait 24h; wait 1ms; sell gen_pulse",
        "1m module_assembled gen_sine
         1m bonus_paid comeback +75000
         1m module_sold gen_none sale +40000mD
         1m assembly_started gen_pulse assembly -25000
         1m level_reached 2
         2m module_assembled gen_pulse
         2m achievement_unlocked first_build achievement +5000
         2m module_upgraded gen_pulse upgrade -40000mD
         19h days_ended
         1d2m0.001s module_sold gen_pulse sale +18750 +20000mD
         = none 73750 mE 20000 mD",
    );
}

#[test]
fn levels_follow_experience() {
    let mut play = Play::new();
    for (experience, level) in [
        (39, 1),
        (40, 2),
        (1_799, 9),
        (1_800, 10),
        (48_999, 49),
        (49_000, 50),
        (198_000, 100),
        (1_000_000_000, 100),
    ] {
        play.earn(experience * 1000 - play.hero.wallet.lifetime_me);
        play.run(r#""auto_patch""#);
        assert_eq!(play.hero.wallet.level, level, "{experience}");
    }
}

#[test]
fn cosmetics_are_bought_once_and_worn_one_of_a_kind() {
    let mut play = Play::new();
    let ids: Vec<_> = CATALOGUE.cosmetics.iter().map(|spec| (spec.id, spec.slot)).collect();
    let (first, slot) = ids[0];
    let (second, _) = *ids.iter().skip(1).find(|(_, other)| *other == slot).expect("two of a kind");
    play.charge(100_000_000);
    play.run(&format!(
        r#"{{"equip_cosmetic":{{"cosmetic_id":"{first}"}}}}; {{"buy_cosmetic":{{"cosmetic_id":"{first}"}}}}; {{"buy_cosmetic":{{"cosmetic_id":"{first}"}}}};
           {{"equip_cosmetic":{{"cosmetic_id":"{first}"}}}}; {{"buy_cosmetic":{{"cosmetic_id":"{second}"}}}}; {{"equip_cosmetic":{{"cosmetic_id":"{second}"}}}}"#
    ));
    assert_eq!(play.hero.cosmetics.owned, [first, second]);
    assert_eq!(play.hero.cosmetics.equipped, [second]);
    play.check_invariants();
}

#[test]
fn achievements_are_paid_once() {
    let mut play = Play::new();
    for _ in 0..12 {
        play.run("start 5m; wait 5m; break; wait 5m");
    }
    let names: Vec<_> =
        play.hero.achievements.iter().map(|unlocked| unlocked.achievement_id.to_string()).collect();
    assert_eq!(names, ["first_spark", "sparks_10"]);
    play.check_invariants();
}
