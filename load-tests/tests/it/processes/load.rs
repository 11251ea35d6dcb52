//! The load programs measure what they say: everything that was due is accounted for.

use load_tests::scenario::load::{LoadOptions, LoadReport, Program, run};

use crate::harness::{Scratch, plan};

async fn measured(program: Program, players: u32, rate: f64) -> LoadReport {
    let scratch = Scratch::new("load");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let url = format!("http://{}", plan.endpoint().authority);
    let report = run(&LoadOptions { program, url, players, rate, seconds: 3, seed: 5 }).await.unwrap();
    assert!(server.stop().await.unwrap().success());
    assert_eq!((report.failed, report.connected), (0, u64::from(players)), "{report:#?}");
    assert!(report.closed.is_empty(), "{report:#?}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_all_accounted_for() {
    let report = measured(Program::Commands, 20, 40.0).await;
    assert!(report.due > 60, "{report:#?}");
    assert_eq!(report.due, report.acknowledged + report.not_sent + report.unanswered, "{report:#?}");
    assert_eq!((report.unanswered, report.durable.count), (0, report.acknowledged));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_players_cost_little() {
    let report = measured(Program::Idle, 20, 50.0).await;
    assert_eq!(report.connect.count, 20);
    // One session start each, before the measuring began; then nothing but pings.
    assert!(report.received_bytes_per_player_minute < 10_000.0, "{report:#?}");
}
