//! Tasks: rules, section 1.

use simulation::rules::task::reward_me;

use crate::script::{CATALOGUE, Play, check, check_play};

#[test]
fn rewards_follow_the_formula() {
    // (script of the task, minutes of linked focus, reward)
    let examples = [
        ("task 30m", 15, 5_000),
        ("task 60m priority high", 30, 9_600),
        ("task 120m priority high", 60, 16_800),
        ("task 30m", 0, 2_000),
        ("task 0m", 0, 800),
        ("task 30m", 14, 2_000),
        ("task 480m", 60, 14_000 * 400 / 1000),
    ];
    for (task, minutes, expected_me) in examples {
        let mut play = Play::new();
        play.run(task);
        if minutes > 0 {
            play.run(&format!("start 180m for 2; wait {minutes}m; end"));
        } else {
            play.run("wait 1m");
        }
        let task = play.hero.task(2).expect("it is there");
        assert_eq!(reward_me(&play.hero, task, play.now_ms, &CATALOGUE), expected_me, "{task:?}");
        let before_me = play.hero.wallet.energy_me;
        play.run("done 2");
        assert_eq!(play.hero.wallet.energy_me - before_me, expected_me);
    }
}

#[test]
fn focus_of_the_open_session_backs_a_task() {
    check(
        "task 10m; start 25m for 2; wait 5m; done 2",
        "0s task_created 2
         0s session_started 3
         0s assembly_pace_changed
         15s module_assembled gen_sine
         2m bonus_paid ignition +3000
         2m achievement_unlocked first_spark achievement +10000
         5m day_activated
         5m task_completed 2 task +3000
         = running 16000 mE 0 mD",
    );
}

#[test]
fn a_task_is_paid_once() {
    check(
        "task 30m; wait 2m; done 2; done 2; undo 2; undo 2; done 2",
        "0s task_created 2
         1m module_assembled gen_sine
         2m task_completed 2 task +2000
         2m task_reopened 2
         2m task_completed 2 task
         = none 2000 mE 0 mD",
    );
}

#[test]
fn a_task_done_within_a_minute_pays_half_an_energy() {
    check(
        "task 120m priority high; wait 59s; done 2",
        "0s task_created 2
         59s task_completed 2 task +500
         = none 500 mE 0 mD",
    );
}

#[test]
fn tasks_pay_60_a_day_and_count_beyond() {
    let mut play = Play::new();
    for _ in 0..12 {
        play.run("task 120m priority high");
    }
    play.run("wait 1h");
    for task_id in 2..14 {
        play.run(&format!("done {task_id}"));
    }
    assert_eq!(play.hero.today.task_energy_me, 60_000);
    assert_eq!(play.hero.statistics.tasks_done, 12);
    play.check_invariants();
}

#[test]
fn subtasks_pay_together_one_and_a_half_of_their_parent() {
    check(
        "task 0m; task 60m under 2; task 60m under 2; task 60m under 2; wait 2m; done 3; done 4; done 5; done 2",
        "0s task_created 2
         0s task_created 3
         0s task_created 4
         0s task_created 5
         1m module_assembled gen_sine
         2m task_completed 3 task +3000
         2m task_completed 4 task
         2m task_completed 5 task
         2m achievement_unlocked splitter achievement +10000
         2m task_completed 2 task +800
         = none 13800 mE 0 mD",
    );
}

#[test]
fn subtasks_have_one_level_and_a_limit() {
    let mut play = Play::new();
    play.run("task 0m; task 0m under 2; task 0m under 3; task 0m under 99");
    for _ in 0..20 {
        play.run("task 0m under 2");
    }
    assert_eq!(play.hero.tasks.len(), 21, "a parent and twenty");
    play.run("delete 2");
    assert_eq!(play.hero.tasks.len(), 0);
}

#[test]
fn a_recurring_task_is_paid_once_a_date() {
    let mut play = Play::new();
    check_play(
        &mut play,
        r#"{"create_task":{"title":"Stretch","category":"physical","priority":"medium","estimate_minutes":0,"recurrence":{"every_days":{"days":1}}}};
           wait 5m; done 2; undo 2; done 2; wait 1d; done 2 on 2026-03-02; done 2; done 2 on 2026-03-04; done 2 on 2026-02-28"#,
        "0s task_created 2
         1m module_assembled gen_sine
         5m task_completed 2 task +800
         5m task_reopened 2
         5m task_completed 2 task
         19h days_ended
         1d5m task_completed 2 task +800
         ! no_such_occurrence
         ! no_such_occurrence
         = none 1600 mE 0 mD",
    );
}

#[test]
fn weekdays_recur() {
    check(
        r#"{"create_task":{"title":"Call","category":"none","priority":"medium","estimate_minutes":0,"recurrence":{"weekdays":{"weekdays":[3]}}}};
           wait 5m; done 2; wait 3d; done 2 on 2026-03-05; done 2"#,
        "0s task_created 2
         1m module_assembled gen_sine
         ! no_such_occurrence
         2d19h days_ended
         ! no_such_occurrence
         3d5m task_completed 2 task +800
         = none 800 mE 0 mD",
    );
}

#[test]
fn words_have_limits() {
    let long = "x".repeat(201);
    for (title, minutes, due) in [
        ("", 0, "2026-03-02"),
        (" ", 0, "2026-03-02"),
        ("a\\u0007", 0, "2026-03-02"),
        (long.as_str(), 0, "2026-03-02"),
        ("a", 481, "2026-03-02"),
        ("a", 0, "2026-02-30"),
        ("a", 0, "tomorrow"),
    ] {
        let mut play = Play::new();
        play.run(&format!(r#"{{"create_task":{{"title":"{title}","category":"none","priority":"low","estimate_minutes":{minutes},"due_on":"{due}"}}}}"#));
        assert!(play.hero.tasks.is_empty(), "{title:?} {minutes} {due}");
    }
}

#[test]
fn an_old_task_with_focus_is_a_frog_and_a_good_estimate_counts() {
    let mut play = Play::new();
    play.run("task 30m; wait 7d; start 30m for 2; wait 30m; end; done 2");
    let statistics = play.hero.statistics;
    assert_eq!((statistics.frogs, statistics.estimates_met, statistics.tasks_backed), (1, 1, 1));
    play.check_invariants();
}

#[test]
fn done_tasks_leave_the_list_after_three_days() {
    let mut play = Play::new();
    play.run("task 0m; task 0m; wait 2m; done 2; wait 3d");
    assert_eq!(play.hero.tasks.len(), 2);
    play.run("wait 1d");
    assert_eq!(play.hero.tasks.iter().map(|task| task.task_id).collect::<Vec<_>>(), [3]);
    play.check_invariants();
}

fn rule(task_id: u32, recurrence: &str) -> String {
    format!(
        r#"{{"update_task":{{"task_id":{task_id},"title":"Stretch","category":"none","priority":"medium","estimate_minutes":0{recurrence}}}}}"#
    )
}

const DAILY: &str = r#","recurrence":{"every_days":{"days":1}}"#;

#[test]
fn taking_the_rule_away_and_back_pays_no_date_twice() {
    let mut play = Play::new();
    play.run(&format!("task 0m; {}; wait 2m; done 2", rule(2, DAILY)));
    assert_eq!(play.hero.today.task_energy_me, 800);
    play.run(&format!("{}; {}; done 2", rule(2, ""), rule(2, DAILY)));
    assert_eq!(play.hero.today.task_energy_me, 800, "the date was paid");
    play.run(&format!("{}; done 2", rule(2, "")));
    assert_eq!(play.hero.today.task_energy_me, 800, "and so was the task");
    play.run(&format!("{}; wait 1d; done 2", rule(2, DAILY)));
    assert_eq!(play.hero.today.task_energy_me, 800, "the next date is a new one");
    play.run("wait 9d");
    assert!(play.hero.task(2).is_some(), "what recurs stays in the list");
    play.check_invariants();
}

#[test]
fn focus_of_an_open_session_backs_one_date_only() {
    let mut play = Play::new();
    play.run(&format!("task 0m; {}; start 25m for 2; wait 22m; done 2; wait 3m; end", rule(2, DAILY)));
    assert_eq!(play.hero.today.task_energy_me, 2_000, "backed");
    play.run("wait 1d; done 2");
    assert_eq!(play.hero.today.task_energy_me, 800, "the last three minutes are too few");
    play.run("wait 1d; start 5m for 2; wait 5m; end; done 2");
    assert_eq!(play.hero.today.task_energy_me, 2_000, "backed again");
    play.check_invariants();
}

#[test]
fn focus_of_a_subtask_backs_one_date_only() {
    let mut play = Play::new();
    play.run(&format!(
        "task 0m; {}; task 0m under 2; start 25m for 3; wait 25m; end; done 2",
        rule(2, DAILY)
    ));
    assert_eq!(play.hero.today.task_energy_me, 2_000);
    play.run("wait 1d; done 2");
    assert_eq!(play.hero.today.task_energy_me, 800);
    play.check_invariants();
}

#[test]
fn focus_that_waits_for_an_answer_backs_its_task() {
    let mut play = Play::new();
    play.run("task 120m priority high; start 120m for 2; wait 120m; end; done 2");
    assert!(play.hero.to_confirm.is_some(), "still you?");
    assert_eq!(play.hero.today.task_energy_me, 16_800);
    play.run("discard");
    let told = play.journal.last().map(|timed| timed.event.changed_task_ids());
    assert_eq!(told, Some(vec![2]), "what is linked to it changed");
    play.check_invariants();
}

#[test]
fn a_subtask_that_was_reopened_does_not_spoil_the_split() {
    let mut play = Play::new();
    play.run("task 0m; task 0m under 2; task 0m under 2; task 0m under 2; wait 2m");
    play.run("done 3; done 4; undo 3; done 5");
    assert_eq!(play.hero.statistics.splits, 0);
    play.run("done 3");
    assert_eq!(play.hero.statistics.splits, 1);
    play.run("undo 3; done 3");
    assert_eq!(play.hero.statistics.splits, 1, "once");
    play.check_invariants();
}
