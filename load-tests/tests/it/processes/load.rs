//! The load programs measure what they say: everything that was due is accounted for.

use load_tests::scenario::load::{self, LoadOptions, LoadReport, Program, Target};

use crate::harness::{Scratch, binary};

async fn measured(program: Program, players: u32, rate: f64, seconds: u64) -> LoadReport {
    let scratch = Scratch::new("load");
    let directory = scratch.0.clone();
    let target = Target::Own {
        binary: binary(),
        directory: directory.clone(),
        database: None,
        environment: Vec::new(),
    };
    let options = LoadOptions { program, target, players, rate, arrivals: 50.0, seconds, seed: 5 };
    let report = load::run(&options).await.unwrap();
    assert_eq!((report.failed, report.connected), (0, u64::from(players)), "{report:#?}");
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!(report.server.is_verified, Some(true));
    let settled = report.acknowledged + report.refused_by_rule + report.not_sent + report.unanswered;
    assert_eq!(report.due, settled, "everything that was due is accounted for: {report:#?}");
    load::write(&directory, &report).unwrap();
    let page = std::fs::read_to_string(directory.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("Players connected"), "{page}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_all_accounted_for() {
    let report = measured(Program::Commands, 20, 40.0, 3).await;
    assert!(report.due > 60, "{report:#?}");
    assert_eq!((report.refused_by_rule, report.durable.count), (0, report.acknowledged));
    assert!(report.closed.is_empty(), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_players_cost_little() {
    let report = measured(Program::Idle, 20, 0.0, 3).await;
    assert_eq!((report.arrive.count, report.due), (20, 0));
    // One session start each, before the measuring began; then nothing but pings.
    assert!(report.received_bytes_per_player_s < 160.0, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_focus_is_played_and_nothing_of_it_is_lost() {
    let report = measured(Program::FocusDay, 20, 40.0, 3).await;
    assert!(report.acknowledged > 40, "{report:#?}");
    assert_eq!(report.errors, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_brings_everybody_back_three_times() {
    let report = measured(Program::ReconnectStorm, 20, 20.0, 4).await;
    assert_eq!((report.welcomed_again, report.back.count), (60, 60), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_sends_everybody_away_and_loses_nothing() {
    let report = measured(Program::Deploy, 20, 20.0, 6).await;
    assert!(report.welcomed_again >= 20, "{report:#?}");
    assert_eq!(report.closed.into_iter().collect::<Vec<_>>(), [(1012, 20)]);
}
