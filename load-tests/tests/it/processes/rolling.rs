//! The short version of `cargo run --release -p load-tests -- rolling-deploy`: what is counted, and not how long it takes.

use load_tests::scenario::rolling::{RollingOptions, run};

use crate::harness::{Scratch, binary};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_are_drained_in_turn_and_nobody_loses_anything() {
    let scratch = Scratch::new("rolling");
    let options = RollingOptions {
        players: 60,
        server: binary(),
        data: scratch.0.clone(),
        wish_ms: 500,
        pause_ms: 2_000,
        seed: 3,
        kill: false,
    };
    let report = run(&options).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    // A run in which nothing happened would prove nothing.
    assert!(report.drains.iter().all(|drain| drain.sent_away >= 10), "{report:#?}");
    assert!(report.acknowledged > 200, "{report:#?}");
}
