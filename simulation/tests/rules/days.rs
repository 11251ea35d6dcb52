//! Player-days and the streak: rules, section 3.

use simulation::calendar;
use simulation::hero::DayKind;

use crate::script::{CATALOGUE, Play, check};

/// A day with five minutes of focus at this hour.
const ACTIVE: &str = "start 5m; wait 5m; end; wait 23h55m;";

fn streak(play: &Play) -> (u16, u8) {
    (play.hero.streak.chain.days, play.hero.streak.chain.shields)
}

#[test]
fn five_minutes_make_a_day_active() {
    check(
        "start 10m; wait 4m59s; wait 1s; cancel; wait 5m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         ! too_late
         10m round_finished
         10m session_ended 2 focus +24000
         10m bonus_paid completion +2400
         = none 39400 mE 0 mD",
    );
}

#[test]
fn short_sessions_add_up() {
    check(
        "start 5m; wait 3m; end; start 5m; wait 3m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         3m session_ended 2 focus +7200
         3m session_started 3
         5m bonus_paid ignition +3000
         5m day_activated
         6m session_ended 3 focus +7200
         = none 30400 mE 0 mD",
    );
}

#[test]
fn a_miss_spends_a_shield_then_halves_the_streak() {
    let mut play = Play::new();
    for _ in 0..5 {
        play.run(ACTIVE);
    }
    assert_eq!(streak(&play), (5, 1));
    play.run("wait 1d");
    assert_eq!(streak(&play), (5, 0));
    play.run("wait 1d");
    assert_eq!(streak(&play), (2, 0));
    play.run("wait 1d");
    assert_eq!(streak(&play), (1, 0));
    play.run("wait 1d");
    assert_eq!(streak(&play), (0, 0));
    assert_eq!(play.hero.streak.longest_days, 5);
    assert_eq!(play.hero.streak.active_days, 5);
    play.check_invariants();
}

#[test]
fn six_active_days_give_a_shield_and_three_are_the_most() {
    let mut play = Play::new();
    for _ in 0..30 {
        play.run(ACTIVE);
    }
    assert_eq!(streak(&play), (30, 3));
}

#[test]
fn rest_days_and_vacation_cost_nothing() {
    let mut play = Play::new();
    play.run(r#"{"set_rest_days":{"weekdays":[2,3]}}"#);
    play.run(ACTIVE);
    play.run("wait 2d");
    assert_eq!(streak(&play), (1, 1), "Tuesday and Wednesday are free");
    play.run(r#"{"start_vacation":{"days":30}}; wait 30d"#);
    assert_eq!(streak(&play), (1, 1));
    play.run("wait 1d");
    assert_eq!(streak(&play), (1, 0));
    play.run(r#"{"set_rest_days":{"weekdays":[1,2,3]}}; {"set_rest_days":{"weekdays":[0]}}; {"start_vacation":{"days":31}}; {"start_vacation":{"days":0}}"#);
    play.check_invariants();
}

#[test]
fn an_outage_gives_the_shield_back() {
    let mut play = Play::new();
    play.run(ACTIVE);
    play.run("wait 1d");
    assert_eq!(streak(&play), (1, 0));
    let from_ms = play.start_ms + 30 * 3_600_000;
    let command = |minutes: i64| {
        format!(r#"{{"declare_outage":{{"from_ms":{from_ms},"until_ms":{}}}}}"#, from_ms + minutes * 60_000)
    };
    play.run(&command(59));
    assert_eq!(streak(&play), (1, 0));
    play.run(&command(60));
    assert_eq!(streak(&play), (1, 1));
    play.check_invariants();
}

#[test]
fn coming_back_after_a_week_pays_once_in_two_weeks() {
    let mut play = Play::new();
    let welcomes =
        |play: &Play| play.journal.iter().filter(|timed| timed.event.cause() == Some("welcome_back")).count();
    play.run(ACTIVE);
    play.run("wait 5d");
    play.run(ACTIVE);
    assert_eq!(welcomes(&play), 0, "six days");
    play.run("wait 6d");
    play.run(ACTIVE);
    assert_eq!(welcomes(&play), 1, "seven days");
    play.run("wait 7d");
    play.run(ACTIVE);
    assert_eq!(welcomes(&play), 1, "within two weeks");
    play.check_invariants();
}

#[test]
fn a_session_over_the_end_of_the_day_is_split_and_counts_for_both() {
    let mut play = Play::at("2026-03-03T03:57:00Z", "UTC");
    play.run("start 25m; wait 25m; end");
    let yesterday = play.hero.days.last().copied().expect("it is over");
    assert_eq!((yesterday.focus_ms, play.hero.today.focus_ms), (180_000, 22 * 60_000));
    assert_eq!((yesterday.kind, play.hero.today.active), (DayKind::Active, true));
    assert_eq!(streak(&play).0, 2);
    play.check_invariants();
}

#[test]
fn the_daily_goal_pays_once() {
    check(
        r#"{"set_daily_goal":{"minutes":4}}; {"set_daily_goal":{"minutes":10}}; start 25m; wait 25m; end; {"set_daily_goal":{"minutes":20}}"#,
        "! out_of_range
         0s daily_goal_set
         0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m bonus_paid daily_goal +10000
         25m round_finished
         25m session_ended 2 focus +63600
         25m bonus_paid completion +6360
         25m level_reached 2
         25m daily_goal_set
         = none 92960 mE 0 mD",
    );
}

#[test]
fn lowering_the_goal_below_what_is_done_pays_at_once() {
    check(
        r#"start 10m; wait 10m; end; {"set_daily_goal":{"minutes":10}}"#,
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m round_finished
         10m session_ended 2 focus +24000
         10m bonus_paid completion +2400
         10m daily_goal_set
         10m bonus_paid daily_goal +10000
         10m level_reached 2
         = none 49400 mE 0 mD",
    );
}

#[test]
fn days_with_a_change_of_clocks_have_23_and_25_hours() {
    for (moment, next, hours) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T02:00:00Z", 23),
        ("2026-10-24T12:00:00Z", "2026-10-25T03:00:00Z", 25),
    ] {
        let play = Play::at(moment, "Europe/Berlin");
        let bounds = play.hero.today.bounds;
        assert_eq!(bounds.end_ms - bounds.start_ms, hours * 3_600_000);
        assert_eq!(calendar::format_rfc3339(bounds.end_ms), next);
    }
}

#[test]
fn a_zone_waits_for_the_end_of_the_day() {
    // Berlin to Auckland: the date jumps ahead; the next day has at least 20 hours and what is skipped is rest.
    let mut play = Play::at("2026-06-10T12:00:00Z", "Europe/Berlin");
    play.run(r#"{"set_time_zone":{"time_zone":"Pacific/Auckland","day_start_minutes":240}}; wait 12h"#);
    assert_eq!(play.hero.zone.time_zone, "Europe/Berlin");
    play.run("wait 4h");
    assert_eq!(play.hero.zone.time_zone, "Pacific/Auckland");
    let bounds = play.hero.today.bounds;
    assert!(bounds.end_ms - bounds.start_ms >= 20 * 3_600_000);
    let numbers: Vec<_> =
        play.hero.days.iter().map(|day| (calendar::format_date(day.day_no), day.kind)).collect();
    assert_eq!(numbers, [("2026-06-10".into(), DayKind::Idle), ("2026-06-11".into(), DayKind::Rest)]);
    assert_eq!(calendar::format_date(bounds.day_no), "2026-06-12");
    play.check_invariants();
}

#[test]
fn a_repeated_date_extends_the_day() {
    let mut play = Play::at("2026-06-10T12:00:00Z", "Pacific/Auckland");
    let before = play.hero.today.bounds;
    play.run(r#"{"set_time_zone":{"time_zone":"America/Los_Angeles","day_start_minutes":240}}; wait 12h"#);
    let after = play.hero.today.bounds;
    assert_eq!((before.day_no, before.start_ms), (after.day_no, after.start_ms));
    assert!(after.end_ms > before.end_ms);
    assert_eq!(play.hero.days.len(), 0);
    play.check_invariants();
}

#[test]
fn a_third_change_of_zone_in_a_week_waits() {
    let mut play = Play::new();
    for (day, zone) in [(1, "Europe/Berlin"), (2, "Europe/Lisbon"), (3, "Europe/Athens")] {
        play.run(&format!(
            r#"{{"set_time_zone":{{"time_zone":"{zone}","day_start_minutes":240}}}}; wait 1d"#
        ));
        assert_eq!(play.hero.zone.time_zone, if day == 3 { "Europe/Lisbon" } else { zone });
    }
    play.run("wait 7d");
    assert_eq!(play.hero.zone.time_zone, "Europe/Athens");
    play.run(r#"{"set_time_zone":{"time_zone":"Mars/Olympus","day_start_minutes":0}}; {"set_time_zone":{"time_zone":"UTC","day_start_minutes":361}}"#);
    play.check_invariants();
}

#[test]
fn seven_days_after_the_first_of_two_changes_a_third_is_made() {
    // The first on the 3rd, the second on the 4th: the third has its day on the 10th, not before and not after.
    let mut play = Play::at("2026-03-02T12:00:00Z", "UTC");
    for zone in ["Europe/Berlin", "Europe/Athens", "Asia/Dubai"] {
        play.run(&format!(
            r#"{{"set_time_zone":{{"time_zone":"{zone}","day_start_minutes":240}}}}; wait 1d"#
        ));
    }
    play.run("wait 4d");
    assert_eq!(calendar::format_date(play.hero.today.bounds.day_no), "2026-03-09");
    assert_eq!(play.hero.zone.time_zone, "Europe/Athens");
    play.run("wait 1d");
    assert_eq!(play.hero.zone.time_zone, "Asia/Dubai");
    // A day that was extended counts as a change on the next.
    let mut play = Play::at("2026-03-02T12:00:00Z", "Asia/Dubai");
    for zone in ["Europe/Athens", "Europe/Berlin", "UTC"] {
        play.run(&format!(
            r#"{{"set_time_zone":{{"time_zone":"{zone}","day_start_minutes":240}}}}; wait 1d"#
        ));
    }
    assert_eq!(play.hero.zone_changes.len(), 2);
    play.run("wait 4d");
    assert_eq!(play.hero.zone.time_zone, "Europe/Berlin");
    play.run("wait 1d");
    assert_eq!(play.hero.zone.time_zone, "UTC");
    play.check_invariants();
}

#[test]
fn a_year_away_is_one_event() {
    let mut play = Play::new();
    play.run("start 25m; wait 25m; end; wait 1d");
    let before = play.journal.len();
    play.run("wait 365d");
    assert_eq!(play.journal.len() - before, 1);
    assert_eq!(play.hero.days.len(), 30);
    assert_eq!(streak(&play), (0, 0));
    assert_eq!(simulation::advance::advance(&play.hero, play.now_ms, &CATALOGUE), []);
    play.check_invariants();
}

#[test]
fn idle_days_pass_together_until_a_job_is_done() {
    // Two hours of building from 03:00 on: the day ends at 04:00, the job at 05:00, and then the other days pass.
    let mut play = Play::at("2026-03-02T02:00:00Z", "UTC");
    play.run("wait 1m; earn 20000; wait 59m; task 0m");
    play.run("assemble gen_granular; wait 3d");
    let kinds: Vec<_> = play.journal.iter().rev().take(5).map(|timed| timed.event.kind()).collect();
    assert_eq!(
        kinds,
        ["days_ended", "achievement_unlocked", "achievement_unlocked", "module_assembled", "days_ended"]
    );
    assert_eq!(play.hero.days.len(), 3);
    play.check_invariants();
}
