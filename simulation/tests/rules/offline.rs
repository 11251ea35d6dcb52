//! Sessions that ran without the server: rules, section 9.

use crate::script::{Play, check_play};

fn report(play: &Play, from: i64, minutes: i64) -> String {
    let started_at_ms = play.start_ms + from * 60_000;
    let duration_ms = minutes * 60_000;
    format!(
        r#"{{"report_offline_focus":{{"started_at_ms":{started_at_ms},"duration_ms":{duration_ms},"category":"none"}}}}"#
    )
}

#[test]
fn a_gap_takes_a_session_and_shows_what_it_refuses() {
    let mut play = Play::new();
    let script = format!("wait 3h; {}; {}", report(&play, 60, 25), report(&play, 70, 30));
    check_play(
        &mut play,
        &script,
        "1m module_assembled gen_sine
         3h offline_focus_credited 2 focus +63600
         3h bonus_paid ignition +3000
         3h day_activated
         3h level_reached 2
         3h achievement_unlocked first_spark achievement +10000
         3h offline_focus_credited 3 focus +24846
         3h bonus_paid ignition +3000
         3h bonus_paid daily_goal +10000
         = none 114446 mE 0 mD",
    );
}

#[test]
fn nothing_before_the_last_contact_and_nothing_after_now() {
    let mut play = Play::new();
    play.run("wait 1h; task 0m; wait 1h");
    let script = format!("{}; {}; {}", report(&play, 30, 30), report(&play, 130, 30), report(&play, 110, 30));
    play.told();
    check_play(
        &mut play,
        &script,
        "! offline_refused
         ! out_of_range
         2h offline_focus_credited 3 focus +24000
         2h bonus_paid ignition +3000
         2h day_activated
         2h achievement_unlocked first_spark achievement +10000
         = none 37000 mE 0 mD",
    );
}

#[test]
fn four_hours_a_gap() {
    let mut play = Play::new();
    let script = format!("wait 9h; {}", report(&play, 10, 300));
    check_play(
        &mut play,
        &script,
        "1m module_assembled gen_sine
         9h offline_focus_credited 2 focus +256800
         9h bonus_paid ignition +3000
         9h day_activated
         9h level_reached 4
         9h achievement_unlocked first_spark achievement +10000
         9h bonus_paid daily_goal +10000
         = none 279800 mE 0 mD",
    );
    assert_eq!(play.hero.today.offline_ms, 4 * 3_600_000);
}

#[test]
fn an_offline_session_restores_the_days_it_touches() {
    // Three active days, two days offline: the shield is spent, then the streak halved. Then the phone comes back.
    let mut play = Play::new();
    for _ in 0..3 {
        play.run("start 5m; wait 5m; end; wait 23h55m");
    }
    play.run("wait 2d");
    assert_eq!((play.hero.streak.chain.days, play.hero.streak.chain.shields), (1, 0));
    let day = 24 * 60;
    let script = format!("{}; {}", report(&play, 3 * day + 60, 25), report(&play, 4 * day + 60, 25));
    play.told();
    check_play(
        &mut play,
        &script,
        "5d offline_focus_credited 5 focus +64236
         5d bonus_paid ignition +3000
         5d day_activated
         5d level_reached 3
         5d offline_focus_credited 6 focus +66144
         5d bonus_paid ignition +3000
         5d day_activated
         = none 195376 mE 0 mD",
    );
    assert_eq!((play.hero.streak.chain.days, play.hero.streak.chain.shields), (5, 1));
}

#[test]
fn after_72_hours_it_is_too_late() {
    let mut play = Play::new();
    let script = format!("wait 4d; {}", report(&play, 60, 25));
    check_play(
        &mut play,
        &script,
        "1m module_assembled gen_sine
         3d19h days_ended
         ! too_late
         = none 0 mE 0 mD",
    );
}

#[test]
fn six_hours_a_day_are_six_hours() {
    // Two silences of a day that is over by the time both are reported: three hours each.
    let mut play = Play::new();
    let first = report(&play, 10, 180);
    let second = report(&play, 300, 180);
    play.run(&format!("wait 4h; {first}; wait 21h; {second}"));
    let yesterday = play.hero.days.last().copied().expect("it is over");
    assert_eq!(yesterday.focus_ms, 6 * 3_600_000);
    assert_eq!(yesterday.offline_minutes, 360);
    let mut play = Play::new();
    let first = report(&play, 10, 180);
    let mut odd: String = report(&play, 300, 120);
    odd = odd.replace("\"duration_ms\":7200000", "\"duration_ms\":7200001");
    play.run(&format!("wait 4h; {first}; wait 21h; {odd}"));
    assert_eq!(play.hero.days.last().map(|day| day.offline_minutes), Some(301), "rounded up");
}
