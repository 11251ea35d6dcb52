//! Focus sessions: rules, section 2.

use crate::script::{Play, check, check_play};

#[test]
fn a_countdown_completes_when_the_player_answers_the_chime() {
    check(
        "start 25m; wait 26m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         26m session_ended 2 focus +63600
         26m bonus_paid completion +6360
         26m level_reached 2
         = none 82960 mE 0 mD",
    );
}

#[test]
fn silence_closes_a_countdown_as_of_its_planned_end() {
    check(
        "start 25m; wait 1h",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         40m session_ended 2 focus +63600
         40m bonus_paid completion +6360
         40m level_reached 2
         = none 82960 mE 0 mD",
    );
}

#[test]
fn keep_going_counts_the_overtime_and_opens_the_end() {
    check(
        "start 25m; wait 30m; go; wait 5m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         30m session_continued
         30m bonus_paid daily_goal +10000
         35m session_ended 2 focus +85200
         35m bonus_paid completion +6360
         35m level_reached 2
         = none 114560 mE 0 mD",
    );
}

#[test]
fn a_session_that_is_kept_going_and_forgotten_closes_15_minutes_after_the_last_sign() {
    check(
        "start 25m; wait 30m; go; wait 3h",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         30m session_continued
         30m bonus_paid daily_goal +10000
         1h30m session_ended 2 focus +99600
         1h30m bonus_paid completion +6360
         1h30m level_reached 3
         = none 128960 mE 0 mD",
    );
}

#[test]
fn less_than_a_minute_is_discarded_silently() {
    check(
        "start 25m; wait 59999ms; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         59.999s session_discarded 2
         = none 0 mE 0 mD",
    );
}

#[test]
fn a_minute_is_kept() {
    check(
        "start 25m; wait 1m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         1m session_ended 2 focus +2400
         = none 2400 mE 0 mD",
    );
}

#[test]
fn cancelling_is_free_for_ten_seconds() {
    check(
        "start 25m; wait 10s; cancel; start 25m; wait 10001ms; cancel",
        "0s session_started 2
         0s assembly_pace_changed
         10s session_discarded 2
         10s assembly_pace_changed
         10s session_started 3
         10s assembly_pace_changed
         15s module_assembled gen_sine
         ! too_late
         = running 0 mE 0 mD",
    );
}

#[test]
fn a_short_pause_costs_nothing() {
    check(
        "start 25m; wait 10m; pause; pause; wait 59s; resume; resume; wait 15m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m session_paused
         10m59s session_resumed
         25m59s round_finished
         25m59s session_ended 2 focus +63600
         25m59s bonus_paid completion +6360
         25m59s level_reached 2
         = none 82960 mE 0 mD",
    );
}

#[test]
fn a_pause_of_more_than_a_minute_is_an_interruption() {
    check(
        "start 25m; wait 10m; pause; wait 5m; resume; wait 15m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m session_paused
         11m session_interrupted
         15m session_resumed
         15m bonus_paid comeback +1000
         30m round_finished
         30m session_ended 2 focus +62400
         30m bonus_paid completion +6240
         30m level_reached 2
         = none 82640 mE 0 mD",
    );
}

#[test]
fn the_button_is_an_interruption_at_once_and_15_minutes_bank_the_session() {
    check(
        "start 25m; wait 10m; interrupt; wait 15m",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m session_paused
         25m session_ended 2 focus +24000
         = none 37000 mE 0 mD",
    );
}

#[test]
fn pauses_of_45_minutes_in_total_bank_the_session() {
    check(
        "start 180m; wait 10m; interrupt; wait 14m; resume; wait 10m; interrupt; wait 14m; resume; wait 10m;
         interrupt; wait 14m; resume; wait 10m; interrupt; wait 3m",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         10m session_paused
         24m session_resumed
         24m bonus_paid comeback +1000
         34m session_paused
         48m session_resumed
         48m bonus_paid comeback +1000
         58m bonus_paid daily_goal +10000
         58m session_paused
         1h12m session_resumed
         1h12m bonus_paid comeback +1000
         1h22m session_paused
         1h25m session_ended 2 focus +88800
         1h25m level_reached 2
         = none 114800 mE 0 mD",
    );
}

#[test]
fn six_comebacks_a_day_are_paid() {
    let mut play = Play::new();
    play.run("start flow; wait 10m");
    for _ in 0..8 {
        play.run("interrupt; wait 1s; resume; wait 1m");
    }
    let paid = play.journal.iter().filter(|timed| timed.event.cause() == Some("comeback")).count();
    assert_eq!((paid, play.hero.statistics.comebacks), (6, 8));
}

#[test]
fn five_ignitions_a_day_are_paid() {
    let mut play = Play::new();
    for _ in 0..7 {
        play.run("start 5m; wait 2m; end");
    }
    let paid: i64 = play
        .journal
        .iter()
        .filter(|timed| timed.event.cause() == Some("ignition"))
        .map(|timed| timed.event.energy_me())
        .sum();
    assert_eq!((paid, play.hero.statistics.sparks), (15_000, 7));
    play.check_invariants();
}

#[test]
fn flowtime_pays_five_percent_when_the_player_ends_it() {
    check(
        "start flow; wait 50m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         50m session_ended 2 focus +106800
         50m bonus_paid completion +5340
         50m level_reached 3
         50m bonus_paid daily_goal +10000
         = none 135140 mE 0 mD",
    );
}

#[test]
fn flowtime_without_a_sign_closes_and_pays_no_completion() {
    check(
        "start flow; wait 3h",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         1h session_ended 2 focus +37200
         1h level_reached 2
         = none 50200 mE 0 mD",
    );
}

#[test]
fn signs_keep_flowtime_alive() {
    check(
        "start flow; wait 50m; go; wait 50m; go; wait 20m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         50m session_signalled
         50m bonus_paid daily_goal +10000
         1h40m session_signalled
         2h session_ended 2 focus +202800
         2h bonus_paid completion +10140
         2h level_reached 3
         = none 235940 mE 0 mD",
    );
}

#[test]
fn a_pomodoro_has_rounds_and_breaks() {
    check(
        "start pomodoro 25m x 2; wait 25m; break; wait 5m; wait 2m; resume; wait 25m; end",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         25m round_finished
         25m break_started
         30m break_ended break +1000
         32m session_continued
         37m bonus_paid daily_goal +10000
         57m round_finished
         57m session_ended 2 focus +106800
         57m bonus_paid completion +10680
         57m level_reached 3
         = none 141480 mE 0 mD",
    );
}

#[test]
fn a_pomodoro_break_that_ends_early_begins_the_next_round() {
    check(
        "start pomodoro 5m x 2; wait 5m; break; wait 4m; unbreak; wait 5m; break; wait 1m; unbreak",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         5m round_finished
         5m break_started
         9m break_ended break +1000
         14m round_finished
         14m session_ended 2 focus +24000
         14m bonus_paid completion +2400
         14m break_started
         14m level_reached 2
         15m break_ended break
         = none 40400 mE 0 mD",
    );
}

#[test]
fn a_pomodoro_that_is_left_banks_its_rounds() {
    check(
        "start pomodoro 5m x 3; wait 5m; break; wait 1h",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         5m round_finished
         5m break_started
         10m break_ended break +1000
         25m session_ended 2 focus +12000
         25m bonus_paid completion +1200
         = none 27200 mE 0 mD",
    );
}

#[test]
fn every_fourth_break_is_long() {
    let mut play = Play::new();
    play.run("start pomodoro 5m x 5");
    let mut breaks = Vec::new();
    for _ in 0..4 {
        play.run("wait 5m; break");
        breaks.push(play.hero.on_break.expect("it runs").planned_ms / 60_000);
        play.run("unbreak");
    }
    assert_eq!(breaks, [5, 5, 5, 15]);
}

#[test]
fn a_break_after_a_session_pays_once() {
    check(
        "break; start 5m; break; wait 5m; end; break; break; wait 10m; break",
        "! no_break_due
         0s session_started 2
         0s assembly_pace_changed
         ! session_open
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         5m round_finished
         5m session_ended 2 focus +12000
         5m bonus_paid completion +1200
         5m break_started
         10m break_ended break +1000
         ! no_break_due
         = none 27200 mE 0 mD",
    );
}

#[test]
fn one_session_at_a_time() {
    check(
        "start 5m; start 5m; end; pause; resume; end; interrupt; go; cancel",
        "0s session_started 2
         0s assembly_pace_changed
         ! session_open
         0s session_discarded 2
         0s assembly_pace_changed
         ! no_session
         ! no_session
         ! no_session
         ! no_session
         ! no_session
         ! no_session
         = none 0 mE 0 mD",
    );
}

#[test]
fn plans_have_limits() {
    check(
        "start 4m; start 181m; start pomodoro 25m x 0; start pomodoro 25m x 13; start 5m for 77",
        "! out_of_range
         ! out_of_range
         ! out_of_range
         ! out_of_range
         ! unknown_task
         = none 0 mE 0 mD",
    );
}

#[test]
fn a_long_plan_asks_still_you_and_yes_pays() {
    check(
        "start 120m; wait 120m; end; wait 10m; yes; yes",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         30m bonus_paid daily_goal +10000
         2h round_finished
         2h session_ended 2 focus
         2h10m session_confirmed 2 focus +202800
         2h10m bonus_paid completion +20280
         2h10m level_reached 4
         ! nothing_to_confirm
         = none 246080 mE 0 mD",
    );
}

#[test]
fn only_until_pays_until_then() {
    let mut play = Play::new();
    let until_ms = play.start_ms + 100 * 60_000;
    let script = format!(
        r#"start 120m; wait 120m; end; wait 10m; {{"confirm_focus":{{"until":{{"at_ms":{until_ms}}}}}}}"#
    );
    check_play(
        &mut play,
        &script,
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         30m bonus_paid daily_goal +10000
         2h round_finished
         2h session_ended 2 focus
         2h10m session_confirmed 2 focus +178800
         2h10m level_reached 3
         = none 201800 mE 0 mD",
    );
}

#[test]
fn discard_pays_nothing_of_what_waited() {
    check(
        "start 120m; wait 120m; end; discard",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         30m bonus_paid daily_goal +10000
         2h round_finished
         2h session_ended 2 focus
         2h session_confirmed 2 focus
         = none 23000 mE 0 mD",
    );
}

#[test]
fn silence_is_yes_when_the_next_session_starts() {
    check(
        "start 120m; wait 120m; end; wait 1h; start 5m",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         30m bonus_paid daily_goal +10000
         2h round_finished
         2h session_ended 2 focus
         3h session_started 3
         3h session_confirmed 2 focus +202800
         3h bonus_paid completion +20280
         3h level_reached 4
         = running 246080 mE 0 mD",
    );
}

#[test]
fn silence_is_yes_when_the_day_ends() {
    check(
        "start 120m; wait 120m; end; wait 20h",
        "0s session_started 2
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         30m bonus_paid daily_goal +10000
         2h round_finished
         2h session_ended 2 focus
         19h session_confirmed 2 focus +202800
         19h bonus_paid completion +20280
         19h level_reached 4
         19h days_ended
         = none 246080 mE 0 mD",
    );
}

#[test]
fn the_link_to_a_task_can_move() {
    let mut play = Play::new();
    play.run("task 30m; task 30m; start 25m for 2; wait 10m; describe 3; wait 15m; end");
    let focus = |task_id| play.hero.task(task_id).expect("it is there").focus_ms / 60_000;
    assert_eq!((focus(2), focus(3)), (10, 15));
    play.check_invariants();
}
