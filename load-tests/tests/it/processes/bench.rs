//! The measurements work: with few players, for a moment, on a server that is not optimised. Their figures mean nothing.

use load_tests::bench::{Bench, BenchOptions, run};
use serde_json::Value;

use crate::harness::{Scratch, binary};

/// One line, which has these fields with numbers above zero.
async fn check(name: Bench, fields: &[&str]) {
    let scratch = Scratch::new(&format!("bench-{name:?}"));
    let options = BenchOptions {
        name,
        server: binary(),
        data: scratch.0.clone(),
        postgres: false,
        against: None,
        players: None,
        quick: true,
    };
    let line = run(&options).await.unwrap();
    for field in fields {
        let number = line.pointer(field).and_then(Value::as_f64);
        assert!(number.is_some_and(|number| number > 0.0), "{field} in {line}");
    }
    assert!(line["goal"].is_string(), "{line}");
}

/// As a program: it starts itself as the echo, and keeps itself on one core.
#[test]
fn commands_of_a_few_players() {
    let (scratch, server) = (Scratch::new("bench-command"), binary());
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_load-tests"));
    program.args(["bench", "command", "--quick", "--server"]).arg(&server).arg("--against").arg(&server);
    let output = program.arg("--data").arg(&scratch.0).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counted =
        ["/commands_per_s", "/echo_per_s", "/events_a_command", "/latency_ms/p50", "/against/per_s_ratio"];
    for field in counted {
        let number = line.pointer(field).and_then(Value::as_f64);
        assert!(number.is_some_and(|number| number > 0.0), "{field} in {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_a_few_players() {
    let fields = ["/rss_mib_before", "/connected/1/rss_mib", "/connected/1/players", "/split_kib/players"];
    check(Bench::Memory, &fields).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_a_few_players() {
    check(Bench::Wire, &["/players", "/window_s"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_with_a_few_players() {
    let fields =
        ["/ready_ms_of_an_empty_store", "/typical/ready_ms", "/typical/all_back_ms", "/fresh/all_back_ms"];
    check(Bench::Restart, &fields).await;
}
