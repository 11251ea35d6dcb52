//! A small version of the full fault test (`cargo run -p load-tests -- kill`), for every change.
//!
//! That this test can fail is shown by the control run: the same scenario against a build that acknowledges before it
//! flushes must find losses. See `docs/operations.md` or `cargo run -p load-tests -- help kill`.

use load_tests::scenario::crowd::CrowdOptions;
use load_tests::scenario::kill::{KillOptions, run};

use crate::harness::{Scratch, binary};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_kills_under_fifty_bots_lose_and_double_nothing() {
    let scratch = Scratch::new("kill");
    let options = KillOptions {
        kills: 5,
        crowd: CrowdOptions { bots: 50, seed: 7, wish_every_ms: 200, cut_once_in: 100 },
        kill_after_ms_min: 400,
        kill_after_ms_max: 1_500,
        ..KillOptions::new(binary(), scratch.0.clone())
    };
    let report = run(&options).await.unwrap();
    assert!(report.is_clean(), "{}", report.summary());
    // A run in which nothing happened would prove nothing.
    assert!(report.verdict.acknowledged > 200, "{}", report.summary());
    assert!(report.welcomed > 100, "{}", report.summary());
}
