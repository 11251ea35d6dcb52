//! The golden vectors of the rules, section 10.

use simulation::catalogue::Catalogue;
use simulation::hero::Meter;
use simulation::rules::focus::{Terms, advanced, fresh};

use crate::script::{CATALOGUE, Play, check};

const MINUTE: i64 = 60_000;

fn terms(mod_permille: i64) -> Terms {
    Terms { mod_permille, early_rate_ud_per_s: 12_333, rate_ud_per_s: 12_333 }
}

fn earned(mod_permille: i64, day_before: i64, minutes: i64) -> Meter {
    let catalogue: &Catalogue = &CATALOGUE;
    advanced(terms(mod_permille), &fresh(0, 0), day_before * MINUTE, minutes * MINUTE, catalogue)
}

#[test]
fn a_fresh_day_at_mod_1000() {
    let expected = [(5, 12_000), (10, 24_000), (25, 63_600), (50, 106_800), (90, 166_800), (120, 202_800)];
    for (minutes, energy_me) in expected {
        assert_eq!(earned(1000, 0, minutes).energy_me, energy_me, "{minutes} min");
    }
}

#[test]
fn a_second_session_earns_at_the_position_of_the_day() {
    assert_eq!(earned(1000, 25, 25).energy_me, 37_800);
}

#[test]
fn the_first_half_hour_at_the_cap_of_mod() {
    assert_eq!(earned(2500, 0, 30).energy_me, 195_000);
}

#[test]
fn dopamine_of_a_first_25_minutes() {
    assert_eq!(earned(1000, 0, 25).dopamine_md, 36_999);
}

#[test]
fn an_interruption_at_minute_20_of_50() {
    let mut play = Play::new();
    play.run("start 50m; wait 20m; interrupt");
    let session = play.hero.session.as_deref().expect("it is open");
    assert_eq!(session.meter.ramp_ms, 900_000, "1,200 s became 900 s");
    play.run("wait 5m; resume; wait 30m");
    let session = play.hero.session.as_deref().expect("it waits for an answer");
    assert_eq!(session.meter.energy_me, 105_600);
    assert_eq!(play.journal.iter().filter(|timed| timed.event.cause() == Some("comeback")).count(), 1);
}

#[test]
fn a_first_25_minutes_of_a_new_hero() {
    // 63,600 + 6,360 + 3,000 = 72,960, and 10,000 for the first spark.
    check(
        "start 25m; wait 25m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         25m session_ended 2 focus +63600
         25m bonus_paid completion +6360
         25m level_reached 2
         = none 82960 mE 0 mD",
    );
}

#[test]
fn a_guests_first_five_minutes_buy_the_first_module() {
    // 12,000 + 1,200 + 3,000 + 10,000 = 26,200.
    check(
        "start 5m; wait 5m; end; assemble gen_pulse",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         5m round_finished
         5m session_ended 2 focus +12000
         5m bonus_paid completion +1200
         5m assembly_started gen_pulse assembly -25000
         = none 1200 mE 0 mD",
    );
}
