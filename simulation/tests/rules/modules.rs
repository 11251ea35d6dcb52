//! What single modules do to sessions, tasks, breaks and shields, and that every achievement can be reached: rules,
//! sections 6 and 7.

use std::collections::BTreeSet;

use simulation::catalogue::Counter;
use simulation::rack::Synergy;
use simulation::rules::rack::effect;

use crate::script::{CATALOGUE, Play};

/// A hero of the highest level who owns these modules; none of them lies on the grid.
fn owner(modules: &[&str]) -> Play {
    let mut play = Play::new();
    play.run("wait 1m; earn 300000; charge 1000000; \"end_vacation\"");
    own(&mut play, modules);
    play
}

fn own(play: &mut Play, modules: &[&str]) {
    for module in modules {
        play.run(&format!("assemble {module}"));
        play.run(&format!("finish {}", play.hero.last_id));
    }
}

/// The starter through one module into the core.
fn through(module: &str) -> Play {
    let mut play = owner(&[module]);
    play.run(&format!("place gen_sine 0; place {module} 1; plug gen_sine {module}; plug {module} core"));
    play
}

/// What the last session earned.
fn focus_me(play: &Play) -> i64 {
    let mut credits = play.journal.iter().rev().filter(|timed| timed.event.kind() == "session_ended");
    credits.next().expect("a session ended").event.energy_me()
}

#[test]
fn an_lfo_starts_the_ramp_at_three_minutes() {
    let mut play = through("mod_lfo");
    play.run("start 10m; wait 10m; end");
    assert_eq!(focus_me(&play), 7 * 2_400 + 3 * 2_640);
}

#[test]
fn a_gate_makes_an_interruption_cost_two_minutes() {
    let mut play = through("mod_gate");
    play.run("start 50m; wait 20m; interrupt; wait 1m; resume; wait 30m; end");
    // The ramp goes on at minute 18; half an hour of the day counts twice.
    assert_eq!(focus_me(&play), 50_400 + 7 * 2_640 + 3 * 2_880 + 20 * 1_440);
}

#[test]
fn noise_is_louder_in_the_first_ten_minutes() {
    let mut play = owner(&["gen_noise"]);
    play.run("place gen_noise 0; plug gen_noise core");
    let before_md = play.hero.wallet.dopamine_md;
    play.run("start 25m; wait 25m; end");
    assert_eq!(play.hero.wallet.dopamine_md - before_md, 2 * (600 * 9 + 900 * 6));
}

#[test]
fn patience_makes_a_break_worth_two() {
    let mut play = through("spc_patience");
    play.run("start 5m; wait 5m; break");
    let before_me = play.hero.wallet.energy_me;
    play.run("wait 4m; unbreak");
    assert_eq!(play.hero.wallet.energy_me - before_me, 2_000);
}

#[test]
fn a_compressor_raises_rewards_of_tasks() {
    let mut play = through("mod_compressor");
    play.run("task 30m");
    let task_id = play.hero.last_id;
    play.run(&format!("start 15m for {task_id}; wait 15m; end; done {task_id}"));
    assert_eq!(play.hero.today.task_energy_me, 6_000);
}

#[test]
fn memory_brings_one_shield_and_room_for_it() {
    let mut play = through("spc_memory");
    assert_eq!(play.hero.streak.chain.shields, 2);
    play.run("remove spc_memory; place spc_memory 1; plug gen_sine spc_memory; plug spc_memory core");
    assert_eq!(play.hero.streak.chain.shields, 2, "once");
    for _ in 0..24 {
        play.run("start 5m; wait 5m; end; wait 23h55m");
    }
    assert_eq!(play.hero.streak.chain.shields, 4);
}

#[test]
fn a_clock_and_focus_speed_up_assembly() {
    let mut play = through("spc_clock");
    play.run("assemble gen_saw; wait 7m59s; start 5m; wait 200ms");
    assert!(play.hero.module(simulation::id::ModuleId::literal("gen_saw")).is_none());
    // 479 s at 1250 and 0.25 s at 5000 are ten minutes of work.
    play.run("wait 50ms");
    assert!(play.hero.module(simulation::id::ModuleId::literal("gen_saw")).is_some());
}

#[test]
fn mastery_of_a_category_counts_from_the_next_session() {
    let mut play = Play::new();
    play.run("start 60m as physical; wait 59m; end; start 5m as physical");
    assert_eq!(play.hero.session.as_ref().map(|session| session.mod_permille), Some(1010), "a streak of 1");
    play.run("wait 5m; end; start 5m as physical");
    assert_eq!(play.hero.session.as_ref().map(|session| session.mod_permille), Some(1020), "and an hour");
    play.run("wait 5m; end; start 5m");
    assert_eq!(play.hero.session.as_ref().map(|session| session.mod_permille), Some(1010));
}

#[test]
fn everything_at_its_best_stays_below_the_cap() {
    let modules: Vec<String> =
        CATALOGUE.modules.iter().map(|spec| spec.id.to_string()).filter(|id| id != "gen_sine").collect();
    let mut play = owner(&modules.iter().map(String::as_str).collect::<Vec<_>>());
    for spec in &CATALOGUE.modules {
        for _ in 0..4 {
            play.run(&format!("upgrade {}", spec.id));
        }
    }
    play.run("patch");
    let best = effect(&play.hero, &CATALOGUE);
    // filter 48, reverb 112, resonator 192, horizon 320, singularity 80, four winds 50.
    assert_eq!((best.energy_permille, best.category_energy_permille), (802, [96; 4]));
    assert_eq!(best.powered.len(), 30, "one cell too few for all");
}

#[test]
fn a_synergy_that_a_larger_grid_brings_goes_into_the_book() {
    let mut play = Play::new();
    play.run("wait 1m; earn 13000; charge 1000; \"end_vacation\"");
    own(&mut play, &["mod_horizon"]);
    // In the corner of 4 x 3 there is one empty cell beside it; the fourth row brings another.
    play.run("place mod_horizon 8; place gen_sine 9; plug gen_sine mod_horizon; plug mod_horizon core");
    assert_eq!((play.hero.wallet.level, play.hero.synergies_found.len()), (26, 0));
    play.run("earn 2200; \"end_vacation\"");
    assert_eq!(play.hero.wallet.level, 28);
    assert_eq!(effect(&play.hero, &CATALOGUE).synergies, [Synergy::QuietSpace]);
    assert_eq!(play.hero.synergies_found, [Synergy::QuietSpace]);
    play.check_invariants();
}

#[test]
fn every_achievement_but_those_of_rooms_can_be_reached() {
    let mut play = Play::new();
    play.run("wait 1m; patch; task 0m; task 0m under 2; task 0m under 2; task 0m under 2; wait 1m; done 3; done 4; done 5");
    play.run("task 30m");
    let frog = play.hero.last_id;
    play.run("wait 7d");
    play.run(&format!("start 30m for {frog}; wait 30m; end; done {frog}"));
    for day in 0..110 {
        let category = ["creative", "analytical", "physical", "learning"][day % 4];
        play.run("task 30m");
        let task_id = play.hero.last_id;
        play.run(&format!(
            "start 60m as {category} for {task_id}; wait 20m; interrupt; wait 1m; resume; wait 10m; done {task_id}; wait 30m; break; wait 5m"
        ));
        let into_day_ms = (play.now_ms - play.start_ms) % 86_400_000;
        play.wait(86_400_000 - into_day_ms);
        if day == 50 {
            play.run("wait 8d");
        }
    }
    play.run("earn 300000; charge 1000000; \"end_vacation\"");
    let modules: Vec<String> =
        CATALOGUE.modules.iter().map(|spec| spec.id.to_string()).filter(|id| id != "gen_sine").collect();
    own(&mut play, &modules.iter().map(String::as_str).collect::<Vec<_>>());
    play.run("patch; save 0; save 1; save 2; load 0; load 1; load 2");
    let reached: BTreeSet<_> =
        play.hero.achievements.iter().map(|unlocked| unlocked.achievement_id.to_string()).collect();
    assert_eq!(reached.len(), play.hero.achievements.len(), "each once");
    for spec in &CATALOGUE.achievements {
        let of_rooms = matches!(spec.counter, Counter::RoomSessions | Counter::RoomsHosted);
        assert_eq!(reached.contains(&spec.id.to_string()), !of_rooms, "{}", spec.id);
    }
    let paid_me: i64 = play
        .journal
        .iter()
        .filter(|timed| timed.event.cause() == Some("achievement"))
        .map(|timed| timed.event.energy_me())
        .sum();
    assert_eq!(paid_me, 870_000, "910 E without the two of rooms");
    play.check_invariants();
}
