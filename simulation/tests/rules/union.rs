//! A guest's hero becomes part of an account's.

use proptest::prelude::*;

use simulation::advance::{EVENTS_PER_ADVANCE_MAX, advance, next_due_ms};
use simulation::apply::apply;
use simulation::command::Command;
use simulation::decide::decide;
use simulation::event::{Event, GuestUnion, TimedEvent};
use simulation::hero::{DayKind, DayRecord, Estate, GUESTS_KEPT, Hero, SessionState};
use simulation::id::{HeroKey, ModuleId};
use simulation::rejection::Rejection;

use crate::properties::{life, lived};
use crate::script::{CATALOGUE, Play};

const ACCOUNT: HeroKey = HeroKey([1; 16]);
const GUEST: HeroKey = HeroKey([2; 16]);
const OTHER: HeroKey = HeroKey([3; 16]);
/// A payload of the journal, and what a decision may hold.
const EVENT_BYTES_MAX: usize = 16 * 1024;

/// Ends a guest's hero. Says what it leaves.
fn hand_over(guest: &mut Play, key: HeroKey) -> Estate {
    guest.command(&Command::HandOver { into: ACCOUNT }).expect("a hero that lives can be handed over");
    guest.check_invariants();
    Estate::of(key, guest.hero.clone()).expect("it was handed over")
}

/// Takes it in. Says what came.
fn unite(account: &mut Play, estate: &Estate) -> GuestUnion {
    account.catch_up();
    let before = account.hero.clone();
    let first = account.journal.len();
    account.command(&Command::UniteGuest { estate: estate.clone() }).expect("nothing refuses a union");
    account.check_invariants();
    nothing_less(&before, &account.hero);
    let events = &account.journal[first..];
    assert!(events.len() <= EVENTS_PER_ADVANCE_MAX);
    for timed in events {
        let bytes = rmp_serde::to_vec_named(&timed.event).expect("every event can be written").len();
        assert!(bytes <= EVENT_BYTES_MAX, "{} has {bytes} bytes", timed.event.kind());
    }
    let Event::GuestUnited { union } = &events[0].event else { panic!("{:?}", events[0].event) };
    (**union).clone()
}

/// What a union may never take away.
fn nothing_less(before: &Hero, after: &Hero) {
    assert!(after.wallet.energy_me >= before.wallet.energy_me);
    assert!(after.wallet.dopamine_md >= before.wallet.dopamine_md);
    assert!(after.wallet.lifetime_me >= before.wallet.lifetime_me);
    assert!(after.wallet.level >= before.wallet.level);
    for module in &before.modules {
        assert!(after.module(module.module_id).is_some_and(|now| now.level >= module.level), "{module:?}");
    }
    let building = |job: &simulation::hero::Job| {
        after.job(job.job_id).is_some() || after.module(job.module_id).is_some()
    };
    assert!(before.assembly.jobs.iter().all(building));
    let (was, is) = (&before.statistics, &after.statistics);
    let pairs = was.focus_ms_by_category.iter().zip(is.focus_ms_by_category);
    assert!(pairs.into_iter().all(|(was, is)| is >= *was));
    assert!(is.sessions >= was.sessions && is.sparks >= was.sparks && is.tasks_done >= was.tasks_done);
    assert!(is.modules_built >= was.modules_built && is.breaks >= was.breaks && is.welcomes >= was.welcomes);
    assert!(is.categories_in_week >= was.categories_in_week);
    let (was, is) = (&before.streak, &after.streak);
    assert!(is.chain.days >= was.chain.days && is.chain.shields >= was.chain.shields, "{was:?} {is:?}");
    assert!(is.longest_days >= was.longest_days && is.active_days >= was.active_days);
    assert!(is.longest_days >= is.chain.days);
    for task in &before.tasks {
        assert_eq!(after.task(task.task_id), Some(task));
    }
    let kept = |unlocked| after.achievements.contains(unlocked);
    assert!(before.achievements.iter().all(kept));
    assert!(before.synergies_found.iter().all(|found| after.synergies_found.contains(found)));
    assert!(before.presets.kept.iter().all(|preset| after.presets.kept.contains(preset)));
    assert_eq!((&after.rack, &after.zone, &after.name), (&before.rack, &before.zone, &before.name));
    let earned = |hero: &Hero| hero.session.as_deref().map_or(0, |session| session.meter.energy_me);
    assert!(earned(after) >= earned(before));
    let (was, is) = (&before.today, &after.today);
    assert!(is.task_energy_me >= was.task_energy_me && is.ignitions >= was.ignitions);
    assert!(is.focus_ms >= was.focus_ms && is.offline_ms >= was.offline_ms && (is.active || !was.active));
    sound(after);
}

/// What every hero is.
fn sound(hero: &Hero) {
    assert!(hero.days.len() <= 30);
    assert!(hero.days.windows(2).all(|pair| pair[0].day_no + 1 == pair[1].day_no), "days have no gaps");
    assert!(hero.days.windows(2).all(|pair| pair[0].start_minute <= pair[1].start_minute));
    assert!(hero.days.last().is_none_or(|last| last.day_no + 1 == hero.today.bounds.day_no));
    assert!(hero.tasks.windows(2).all(|pair| pair[0].task_id < pair[1].task_id), "tasks are in order");
    assert!(hero.tasks.len() <= 500);
    for task in &hero.tasks {
        assert!(task.task_id <= hero.last_id);
        assert!(task.parent_id.is_none_or(|parent_id| hero.task(parent_id).is_some()), "{task:?}");
    }
    let mut modules: Vec<ModuleId> = hero.modules.iter().map(|module| module.module_id).collect();
    modules.extend(hero.assembly.jobs.iter().map(|job| job.module_id));
    let count = modules.len();
    modules.sort_unstable();
    modules.dedup();
    assert_eq!(modules.len(), count, "one copy of each");
}

#[test]
fn what_runs_is_credited_before_the_end_and_nothing_happens_after_it() {
    let mut guest = Play::new();
    guest.run("task 30m; start 25m for 2; wait 20m");
    let estate = hand_over(&mut guest, GUEST);
    // 20 min of a first session, its ignition and its first spark; no completion: it was not completed.
    assert_eq!(estate.end().energy_me, 24_000 + 26_400 + 3_000 + 10_000);
    let told = guest.told();
    assert!(told.contains("20m session_ended 3 focus"), "{told}");
    assert!(told.contains("hero_handed_over 01010101-0101-0101-0101-010101010101 union -"), "{told}");
    assert_eq!((guest.hero.wallet.energy_me, guest.hero.wallet.dopamine_md), (0, 0), "it went");
    assert_eq!(guest.hero.tasks[0].focus_ms, 20 * 60_000);

    let before = guest.hero.clone();
    guest.run("wait 400d; start 25m; task 5m");
    assert_eq!(guest.hero, before, "time does nothing, and commands are refused");
    assert_eq!(next_due_ms(&guest.hero, &CATALOGUE), None);
    assert!(guest.told().contains("! claimed"));
    let again = decide(&guest.hero, &Command::HandOver { into: ACCOUNT }, guest.now_ms, &CATALOGUE);
    assert!(matches!(
        again.expect("it is true already")[..],
        [TimedEvent { event: Event::NothingChanged, .. }]
    ));
    let elsewhere = decide(&guest.hero, &Command::HandOver { into: OTHER }, guest.now_ms, &CATALOGUE);
    assert_eq!(elsewhere, Err(Rejection::Claimed));
}

#[test]
fn nothing_that_waits_or_rests_is_lost() {
    // A long session asks "still you?" and waits; the pause of another; the break of a third.
    for (script, energy_me) in [
        ("start 120m; wait 121m", 202_800 + 20_280 + 3_000 + 10_000 + 10_000),
        ("start 120m; wait 121m; end", 202_800 + 20_280 + 3_000 + 10_000 + 10_000),
        ("start 25m; wait 10m; pause; wait 30s", 24_000 + 3_000 + 10_000),
        ("start pomodoro 25m x 2; wait 25m; break; wait 4m30s", 63_600 + 6_360 + 3_000 + 10_000 + 1_000),
        ("start flow; wait 20m", 24_000 * 3 / 2 + 3_000 + 10_000),
    ] {
        let mut guest = Play::new();
        guest.run(script);
        let end = *hand_over(&mut guest, GUEST).end();
        assert!(
            guest.hero.session.is_none() && guest.hero.to_confirm.is_none() && guest.hero.on_break.is_none()
        );
        if !script.contains("flow") {
            assert_eq!(end.energy_me, energy_me, "{script}");
        }
        assert_eq!(end.energy_me, guest.hero.wallet.lifetime_me, "nothing was spent: {script}");
    }
}

#[test]
fn an_unplayed_guest_changes_nothing_but_the_mark() {
    for script in ["", "start 25m; wait 25m; end; assemble gen_pulse; wait 3d", "start 50m; wait 20m"] {
        let mut account = Play::new();
        account.run(script);
        let mut guest = Play::at("2026-03-01T12:00:00Z", "Pacific/Auckland");
        guest.now_ms = account.now_ms;
        let estate = hand_over(&mut guest, GUEST);
        account.catch_up();
        let mut before = account.hero.clone();
        // The mark has its moment.
        before.latest_ms = account.now_ms;
        let union = unite(&mut account, &estate);
        assert_eq!((union.energy_me, union.dopamine_md, union.earned_me), (0, 0, 0));
        assert_eq!(union.meter, None);
        assert!(account.hero.has_united(GUEST));
        let kin = account.hero.kin.take();
        assert_eq!(account.hero, before, "{script}");
        assert!(kin.is_some());
    }
}

#[test]
fn a_second_time_is_nothing() {
    let mut guest = Play::new();
    guest.run("start 25m; wait 25m; end");
    let estate = hand_over(&mut guest, GUEST);
    let mut account = Play::new();
    account.now_ms = guest.now_ms;
    unite(&mut account, &estate);
    let before = account.hero.clone();
    account.command(&Command::UniteGuest { estate }).expect("it is true already");
    assert!(matches!(account.journal.last().map(|timed| &timed.event), Some(Event::NothingChanged)));
    assert_eq!(account.hero.wallet, before.wallet);
    assert_eq!(account.hero.statistics, before.statistics);
}

#[test]
fn rewards_that_both_got_count_once_and_copies_are_paid_back() {
    let script = "start 25m; wait 25m; end; assemble gen_pulse; wait 2m; patch";
    let mut guest = Play::new();
    guest.run(script);
    guest.charge(1_000_000);
    guest.run("upgrade gen_pulse; upgrade gen_sine");
    let mut account = Play::new();
    account.run(script);
    let (was, guest_was) = (account.hero.clone(), guest.hero.clone());
    let union = unite(&mut account, &hand_over(&mut guest, GUEST));
    // first_spark, first_build and first_patch: 20 E.
    assert_eq!(union.earned_me, guest_was.wallet.lifetime_me - 20_000);
    // And together they have reached the daily goal.
    let goal_me = 10_000;
    assert_eq!(
        account.hero.wallet.lifetime_me,
        was.wallet.lifetime_me + guest_was.wallet.lifetime_me - 20_000 + goal_me
    );
    // The guest's copies are better: 25 E for the account's pulse come back, the starter was free.
    assert_eq!(union.refund_me, 25_000);
    assert_eq!(union.energy_me, guest_was.wallet.energy_me - 20_000 + 25_000);
    assert_eq!(union.dopamine_md, guest_was.wallet.dopamine_md);
    let levels: Vec<u8> = account.hero.modules.iter().map(|module| module.level).collect();
    assert_eq!(levels, [2, 2]);
    // And the other way round the guest's copies are paid back, upgrades too.
    let mut better = Play::new();
    better.run(script);
    better.charge(1_000_000);
    better.run("upgrade gen_pulse; upgrade gen_pulse");
    let mut plain = Play::new();
    plain.run(script);
    plain.charge(1_000_000);
    plain.run("upgrade gen_pulse");
    let had_md = plain.hero.wallet.dopamine_md;
    let union = unite(&mut better, &hand_over(&mut plain, OTHER));
    assert_eq!((union.refund_me, union.refund_md), (25_000, 40_000));
    assert_eq!(union.dopamine_md, had_md + 40_000);
    assert_eq!(union.modules, []);
}

#[test]
fn what_was_spent_of_a_double_reward_is_not_taken_from_the_account() {
    let mut guest = Play::new();
    guest.run("start 5m; wait 5m; end; assemble gen_pulse; wait 1h");
    // 36,200 earned, 11,200 left, and three rewards of 20,000 that the account has too.
    let mut account = Play::new();
    account.run("start 5m; wait 5m; end; assemble mul_vca; assemble gen_pulse; wait 1h; patch");
    guest.run("patch");
    let spent = guest.hero.wallet;
    guest.earn(-spent.energy_me);
    let before = account.hero.wallet;
    let union = unite(&mut account, &hand_over(&mut guest, GUEST));
    assert_eq!(union.energy_me, 25_000 - 20_000, "the copy's price pays for the rewards");
    assert_eq!(account.hero.wallet.energy_me, before.energy_me + 5_000);
}

#[test]
fn an_assembly_goes_on_or_is_paid_back() {
    let mut guest = Play::new();
    guest.earn(300_000);
    guest.run("wait 1m; assemble gen_noise; wait 4m");
    let mut account = Play::new();
    account.now_ms = guest.now_ms;
    account.catch_up();
    let estate = hand_over(&mut guest, GUEST);
    // Time that passes between the two steps builds nothing.
    account.wait(60_000);
    let union = unite(&mut account, &estate);
    assert_eq!(union.jobs.len(), 1);
    let job = &account.hero.assembly.jobs[0];
    assert_eq!((job.module_id.as_str(), job.done_permille_ms), ("gen_noise", 4 * 60_000 * 1000));
    account.run("wait 5m59s");
    assert_eq!(account.hero.modules.len(), 1);
    account.run("wait 1s");
    assert!(account.hero.module(ModuleId::literal("gen_noise")).is_some());

    // No slot, or the module is there already: everything comes back.
    for script in ["assemble gen_pulse", "assemble gen_noise"] {
        let mut guest = Play::new();
        guest.earn(300_000);
        guest.run("wait 1m; assemble gen_noise; wait 1m");
        let left_me = guest.hero.wallet.energy_me;
        let mut account = Play::new();
        account.earn(300_000);
        account.run("wait 2m");
        account.run(script);
        let union = unite(&mut account, &hand_over(&mut guest, GUEST));
        assert_eq!(
            (union.jobs.len(), union.refund_me, union.energy_me),
            (0, 100_000, left_me + 100_000),
            "{script}"
        );
    }
    // The account was building what the guest has: the module is there, and its price comes back.
    let mut guest = Play::new();
    guest.earn(300_000);
    guest.run("wait 1m; assemble gen_noise; wait 10m");
    let mut account = Play::new();
    account.earn(300_000);
    account.run("wait 5m; assemble gen_noise; wait 6m");
    let union = unite(&mut account, &hand_over(&mut guest, GUEST));
    assert_eq!((union.modules.len(), union.refund_me, account.hero.assembly.jobs.len()), (1, 100_000, 0));
}

#[test]
fn a_blueprint_is_paid_back() {
    let mut guest = Play::new();
    guest.earn(300_000);
    guest.run("pin gen_noise; pay 40");
    let union = unite(&mut Play::new(), &hand_over(&mut guest, GUEST));
    assert_eq!(union.energy_me, 300_000);
}

#[test]
fn tasks_come_with_new_numbers_and_their_subtasks() {
    let mut guest = Play::new();
    guest
        .run("task 30m; task 10m under 2; task 10m under 2; task 5m; done 3; start 10m for 4; wait 10m; end");
    let mut account = Play::new();
    account.run("task 15m; wait 10m");
    let last_id = account.hero.last_id;
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let tasks: Vec<_> = account.hero.tasks.iter().map(|task| (task.task_id, task.parent_id)).collect();
    let new = |number: u32| last_id + number;
    assert_eq!(
        tasks,
        [(2, None), (new(1), None), (new(2), Some(new(1))), (new(3), Some(new(1))), (new(4), None)]
    );
    assert!(account.hero.tasks[2].done_at_ms.is_some() && account.hero.tasks[2].paid);
    assert_eq!(account.hero.tasks[3].focus_ms, 10 * 60_000);
    // A paid one is not paid again, and the next new task has a number of its own.
    account.run(&format!("undo {}; done {}; task 5m", new(2), new(2)));
    assert!(account.journal.iter().rev().take(4).all(|timed| timed.event.energy_me() == 0));
    assert_eq!(account.hero.last_id, new(5));
}

#[test]
fn only_as_many_tasks_come_as_there_is_room_for() {
    let title = "ж".repeat(200);
    let many = |count: usize| {
        let mut play = Play::new();
        for number in 0..count {
            let command = format!(
                r#"{{"create_task":{{"title":"{title}","category":"none","priority":"low","estimate_minutes":5}}}}"#
            );
            play.run(&command);
            if number % 2 == 0 {
                play.run(&format!("wait 1m; done {}", play.hero.last_id));
            }
        }
        play
    };
    let mut guest = many(120);
    let mut account = many(470);
    account.now_ms = account.now_ms.max(guest.now_ms);
    guest.now_ms = account.now_ms;
    let open = guest.hero.tasks.iter().filter(|task| task.done_at_ms.is_none()).count();
    let first = account.hero.tasks.len();
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let came = &account.hero.tasks[first..];
    assert_eq!((account.hero.tasks.len(), open), (500, 60));
    assert!(came.iter().all(|task| task.done_at_ms.is_none()), "open ones first");
    // Into an empty list everything comes that fits into the journal at once.
    let mut empty = Play::new();
    empty.now_ms = guest.now_ms;
    let mut guest = many(120);
    guest.now_ms = empty.now_ms;
    unite(&mut empty, &hand_over(&mut guest, GUEST));
    assert!(empty.hero.tasks.len() > 80, "{}", empty.hero.tasks.len());
}

#[test]
fn days_are_laid_over_each_other() {
    let day = "start 5m; wait 5m; end; wait 23h55m;";
    let idle = "wait 24h;";
    // The guest was there on days 1 to 3, the account on 3 and 5.
    let mut guest = Play::new();
    guest.run(&[day, day, day, idle, idle].concat());
    let mut account = Play::new();
    account.run(&[idle, idle, day, idle, day].concat());
    let (was, guest_was) = (account.hero.streak, guest.hero.streak);
    assert_eq!((was.chain.days, guest_was.chain.days), (2, 1));
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let kinds: Vec<DayKind> = account.hero.days.iter().map(|record| record.kind).collect();
    use DayKind::{Active, Idle};
    assert_eq!(kinds, [Active, Active, Active, Idle, Active]);
    // The fourth day spends the one shield; the fifth goes on.
    assert_eq!((account.hero.streak.chain.days, account.hero.streak.chain.shields), (4, 0));
    assert_eq!(account.hero.streak.active_days, 4, "the third day counts once");
    assert_eq!(account.hero.streak.longest_days, 4);
    assert_eq!(account.hero.days[2].focus_ms, 600_000);
    // The next late day is folded over the united days.
    account.run(day);
    assert_eq!(account.hero.streak.chain.days, 5);
}

#[test]
fn the_days_before_the_account_come_too() {
    let day = "start 5m; wait 5m; end; wait 23h55m;";
    let mut guest = Play::new();
    guest.run(&day.repeat(9));
    let mut account = Play::at("2026-03-11T08:00:00Z", "UTC");
    account.now_ms = guest.now_ms;
    account.catch_up();
    unite(&mut account, &hand_over(&mut guest, GUEST));
    assert_eq!((account.hero.days.len(), account.hero.streak.chain.days), (9, 9));
    assert_eq!((account.hero.streak.active_days, account.hero.streak.chain.shields), (9, 2));
    let starts = |hero: &Hero| hero.days.iter().map(|record| record.start_minute).collect::<Vec<_>>();
    assert_eq!(starts(&account.hero), starts(&guest.hero));
}

#[test]
fn two_short_halves_make_an_active_day() {
    for zone in ["UTC", "Pacific/Auckland", "America/Los_Angeles"] {
        let mut guest = Play::at(crate::script::MONDAY, zone);
        guest.run("start 5m; wait 3m; end");
        let mut account = Play::new();
        account.run("wait 3m; start 5m; wait 3m; end");
        guest.now_ms = account.now_ms;
        assert!(!account.hero.today.active);
        unite(&mut account, &hand_over(&mut guest, GUEST));
        assert!(account.hero.today.active, "{zone}");
        assert_eq!((account.hero.streak.chain.days, account.hero.streak.active_days), (1, 1), "{zone}");
        assert_eq!(account.hero.today.ignitions, 2, "{zone}");
    }
}

#[test]
fn limits_of_the_day_cannot_be_used_twice() {
    let sparks = "start 5m; wait 2m; end;".repeat(3);
    let mut guest = Play::new();
    guest.run(&sparks);
    let mut account = Play::new();
    account.run(&sparks);
    guest.now_ms = account.now_ms;
    unite(&mut account, &hand_over(&mut guest, GUEST));
    assert_eq!(account.hero.today.ignitions, 6);
    account.told();
    account.run("start 5m; wait 2m; end");
    let told = account.told();
    assert!(told.contains("bonus_paid ignition\n"), "the sixth ignition pays nothing: {told}");
    // And the place in the day is that of both.
    assert_eq!(account.hero.today.focus_ms, 14 * 60_000);
}

#[test]
fn a_union_days_later_counts_for_the_day_of_the_hand_over() {
    let mut guest = Play::new();
    guest.run("start 10m; wait 10m; end");
    let estate = hand_over(&mut guest, GUEST);
    let mut account = Play::new();
    account.run("wait 3d");
    unite(&mut account, &estate);
    assert_eq!(account.hero.days[0].kind, DayKind::Active);
    assert_eq!((account.hero.today.focus_ms, account.hero.today.ignitions), (0, 0));
    assert_eq!(account.hero.streak.active_days, 1);
}

#[test]
fn what_an_open_session_has_earned_stays() {
    let mut guest = Play::new();
    guest.run("start 50m; wait 50m; end");
    let mut account = Play::new();
    account.run("wait 25m; start 50m; wait 25m");
    let alone = {
        let mut alone = Play::new();
        alone.run("wait 25m; start 50m; wait 25m; end");
        alone.hero.wallet.lifetime_me
    };
    let lifetime_me = account.hero.wallet.lifetime_me;
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let session = account.hero.session.as_deref().expect("it runs on");
    assert_eq!((session.state, session.meter.focus_ms), (SessionState::Running, 25 * 60_000));
    assert_eq!(lifetime_me + session.meter.energy_me, alone);
    // From now on it earns at the place in the day where both are together.
    let earned_me = session.meter.energy_me;
    account.run("wait 10m; end");
    let credited = account.journal.iter().find_map(|timed| match &timed.event {
        Event::SessionEnded { credit, .. } => Some(credit.energy_me),
        _ => None,
    });
    assert_eq!(
        credited,
        Some(earned_me + 10 * 60 * 20 * 12 / 10 * 750 / 750),
        "1200 ‰ of the ramp, 1000 ‰ of the day"
    );
}

#[test]
fn presets_and_slots_come_where_there_is_room() {
    let mut guest = Play::new();
    guest.charge(1_000_000);
    guest.run("wait 1m; patch; save 0; save 1; load 0; load 1");
    guest.run(r#""buy_preset_slot""#);
    guest.run(r#""buy_preset_slot""#);
    let mut account = Play::new();
    account.charge(1_000_000);
    account.run("save 0; wait 1m");
    account.run(r#""buy_preset_slot""#);
    let union = unite(&mut account, &hand_over(&mut guest, GUEST));
    assert_eq!(
        (union.preset_slots, union.refund_md),
        (1, 100_000),
        "two can be bought, the third is paid back"
    );
    let slots: Vec<u8> = account.hero.presets.kept.iter().map(|preset| preset.slot).collect();
    assert_eq!(slots, [0, 1, 2]);
    assert_eq!(account.hero.presets.slots_used, 0b11);
}

#[test]
fn the_oldest_guests_are_forgotten() {
    let mut account = Play::new();
    for number in 0..=u8::try_from(GUESTS_KEPT).expect("few") {
        let mut guest = Play::new();
        let estate = hand_over(&mut guest, HeroKey([number; 16]));
        unite(&mut account, &estate);
    }
    assert!(!account.hero.has_united(HeroKey([0; 16])) && account.hero.has_united(HeroKey([1; 16])));
}

/// A hero that was never united is written as before there were unions.
#[test]
fn heroes_without_kin_are_written_as_they_were() {
    let mut play = Play::new();
    play.run("start 5m; wait 5m; end");
    let bytes = rmp_serde::to_vec_named(&play.hero).expect("every hero can be written");
    assert!(!bytes.windows(4).any(|window| window == b"\xa3kin"));
}

/// Everything that a union could bring at once fits into a row of the journal.
#[test]
fn the_largest_union_fits_into_the_journal() {
    let mut guest = Play::new();
    guest.earn(100_000_000_000);
    guest.charge(100_000_000_000);
    guest.run("wait 1m");
    for spec in &CATALOGUE.modules {
        guest.run(&format!("assemble {}", spec.id));
        let job = guest.hero.last_id;
        guest.run(&format!("finish {job}; upgrade {}", spec.id));
    }
    for cosmetic in &CATALOGUE.cosmetics {
        guest.run(&format!(r#"{{"buy_cosmetic":{{"cosmetic_id":"{}"}}}}"#, cosmetic.id));
    }
    guest.run("patch; save 0; save 1; save 2; save 3; save 4; save 5; save 6; save 7");
    guest.run(&"start 60m; wait 60m; break; wait 5m; start 50m; wait 50m; end; wait 22h5m;".repeat(30));
    assert!(guest.hero.modules.len() == CATALOGUE.modules.len() && guest.hero.days.len() == 30);
    let mut account = Play::new();
    account.now_ms = guest.now_ms;
    account.catch_up();
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let mut other = Play::new();
    other.run("wait 1d");
    let records: Vec<DayRecord> = account.hero.days.clone();
    assert_eq!(records.len(), 30);
}

/// The minutes of two guests reach the goal that one of them has been paid for.
#[test]
fn a_goal_that_both_reached_pays_once_whoever_comes_first() {
    let mut account = Play::new();
    account.run("start 4m; wait 30m");
    let (mut first, mut second) = (Play::new(), Play::new());
    first.command(&Command::SetDailyGoal { minutes: 42 }).expect("a goal can be set");
    first.run("start 30m; wait 30m");
    second.run("start 30m; wait 30m");
    let estates = [hand_over(&mut first, GUEST), hand_over(&mut second, OTHER)];
    assert_eq!(estates.each_ref().map(|estate| estate.hero().today.goal_reached), [false, true]);
    let united = |order: [usize; 2]| {
        let mut account = at(&account, account.now_ms);
        for index in order {
            unite(&mut account, &estates[index]);
        }
        account.hero.wallet
    };
    // All of them got the first spark.
    let spark_me = 10_000;
    let brought_me: i64 = estates.iter().map(|estate| estate.hero().wallet.lifetime_me).sum();
    assert_eq!(united([1, 0]).lifetime_me, brought_me - spark_me);
    assert_eq!(united([0, 1]), united([1, 0]));
    // On another day it is another goal.
    let mut later = at(&account, account.now_ms + 86_400_000);
    later.run("start 30m; wait 30m");
    let union = unite(&mut later, &estates[1]);
    assert!(later.hero.today.goal_reached);
    assert_eq!(union.earned_me, estates[1].hero().wallet.lifetime_me - spark_me);
}

/// Every value that a hero's energy can be in.
fn worth_me(hero: &Hero) -> i64 {
    let modules: i64 = hero.modules.iter().map(|module| module.paid_me).sum();
    let jobs: i64 = hero.assembly.jobs.iter().map(|job| job.paid_me).sum();
    let pinned = hero.assembly.blueprint.as_deref().map_or(0, |pinned| pinned.paid_me);
    hero.wallet.energy_me + modules + jobs + pinned
}

fn worth_md(hero: &Hero) -> i64 {
    let modules: i64 = hero.modules.iter().map(|module| module.invested_md).sum();
    let slots = i64::from(hero.presets.slots_bought) * CATALOGUE.rack.preset_slot_md;
    hero.wallet.dopamine_md + modules + slots
}

fn at(play: &Play, now_ms: i64) -> Play {
    let mut hero = Play::new();
    hero.hero = play.hero.clone();
    hero.journal = play.journal.clone();
    hero.now_ms = now_ms;
    hero.catch_up();
    hero
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_union_keeps_the_books_and_takes_nothing(own in life(), guests in life(), later_ms in 0_i64..900_000_000) {
        let (account, guest) = (lived(&own), lived(&guests));
        let now_ms = account.now_ms.max(guest.now_ms);
        let (mut account, mut guest) = (at(&account, now_ms + later_ms), at(&guest, now_ms));
        let estate = hand_over(&mut guest, GUEST);
        let (was_me, was_md) = (worth_me(&account.hero), worth_md(&account.hero));
        let lifetime_me = account.hero.wallet.lifetime_me;
        let statistics = account.hero.statistics;
        let first = account.journal.len();
        let union = unite(&mut account, &estate);
        // What both had is there once more: in the wallet, or in what it was paid for.
        let later: i64 = account.journal[first + 1..].iter().map(|timed| timed.event.energy_me()).sum();
        let came_me = worth_me(estate.hero()) + estate.end().energy_me;
        prop_assert!(worth_me(&account.hero) - later <= was_me + came_me);
        let twice_me = estate.hero().wallet.lifetime_me - union.earned_me;
        prop_assert!(twice_me >= 0);
        prop_assert!(worth_me(&account.hero) - later >= was_me + came_me - twice_me);
        prop_assert_eq!(worth_md(&account.hero), was_md + worth_md(estate.hero()) + estate.end().dopamine_md);
        prop_assert!(account.hero.wallet.lifetime_me >= lifetime_me + union.earned_me);
        prop_assert_eq!(
            account.hero.statistics.focus_ms(),
            statistics.focus_ms() + estate.hero().statistics.focus_ms()
        );
        // Again it is nothing, and life goes on.
        let hero = account.hero.clone();
        account.command(&Command::UniteGuest { estate }).expect("it is true already");
        prop_assert_eq!(account.hero.wallet, hero.wallet);
        prop_assert_eq!(&account.hero.modules, &hero.modules);
        account.run("start 25m; wait 3d; task 5m; wait 40d");
        account.check_invariants();
        sound(&account.hero);
    }

    #[test]
    fn an_ended_hero_is_done_with_time(steps in life(), later_ms in 0_i64..90_000_000_000) {
        let mut guest = lived(&steps);
        hand_over(&mut guest, GUEST);
        prop_assert_eq!(advance(&guest.hero, guest.now_ms + later_ms, &CATALOGUE), vec![]);
        prop_assert_eq!(guest.hero.wallet.energy_me, 0);
    }

    #[test]
    fn the_order_of_two_guests_does_not_matter(own in life(), first in life(), second in life()) {
        let (account, first, second) = (lived(&own), lived(&first), lived(&second));
        let now_ms = account.now_ms.max(first.now_ms).max(second.now_ms);
        let estate = |play: &Play, key| hand_over(&mut at(play, now_ms), key);
        let estates = [estate(&first, GUEST), estate(&second, OTHER)];
        let united = |order: [usize; 2]| {
            let mut account = at(&account, now_ms);
            for index in order {
                unite(&mut account, &estates[index]);
            }
            account.hero
        };
        let (one, two) = (united([0, 1]), united([1, 0]));
        prop_assert_eq!(one.wallet.lifetime_me, two.wallet.lifetime_me);
        prop_assert_eq!(one.wallet.level, two.wallet.level);
        prop_assert_eq!(worth_md(&one), worth_md(&two));
        prop_assert_eq!(one.statistics, two.statistics);
        prop_assert_eq!(one.streak.active_days, two.streak.active_days);
        prop_assert_eq!(one.tasks.len(), two.tasks.len());
        let modules = |hero: &Hero| {
            let mut modules: Vec<_> = hero.modules.iter().map(|module| (module.module_id, module.level)).collect();
            modules.sort_unstable();
            modules
        };
        prop_assert_eq!(modules(&one), modules(&two));
        let focus = |hero: &Hero| hero.days.iter().map(|day| (day.day_no, day.focus_ms, day.kind == DayKind::Active)).collect::<Vec<_>>();
        prop_assert_eq!(focus(&one), focus(&two));
        prop_assert_eq!(one.today.focus_ms, two.today.focus_ms);
    }
}

/// Applied to what was journaled, not to what was decided: a replay runs no rule.
#[test]
fn a_replay_gives_the_same_hero() {
    let mut guest = Play::new();
    guest.run("start 25m; wait 25m; end; assemble gen_pulse; task 5m; wait 2d");
    let mut account = Play::new();
    account.run("start 10m; wait 2d");
    unite(&mut account, &hand_over(&mut guest, GUEST));
    let mut replayed = Hero::default();
    account.journal.iter().for_each(|timed| apply(&mut replayed, timed));
    assert_eq!(replayed, account.hero);
}
