use std::time::Duration;

use super::{CommandKind, CommandOutcome, Kind, METRICS, Metrics, RejectionCode, Route, StatusClass};

#[test]
fn every_metric_is_shown_from_the_start() {
    let text = Metrics::new().render();
    for metric in METRICS.iter().filter(|metric| metric.kind != Kind::Histogram) {
        assert!(text.contains(&format!("\n{}", metric.name)), "{} is missing in:\n{text}", metric.name);
    }
}

#[test]
fn numbers_arrive_under_their_names_and_labels() {
    let metrics = Metrics::new();
    metrics.connections_open.increment();
    metrics.connections_open.increment();
    metrics.connections_open.decrement();
    metrics.commands_total.of(CommandOutcome::Durable).increment();
    metrics.rejected_total.of(RejectionCode::of("read_only")).increment();
    metrics.rejected_total.of(RejectionCode::of("too_expensive")).increment();
    metrics.command_ack_seconds.record_duration(Duration::from_millis(7));
    metrics.journal_batch_events.record_count(3);
    metrics.journal_retries_total.follow(5);
    metrics.http_requests_total.of((Route::Guests, StatusClass::of(201))).increment();
    metrics.command_seconds.record_duration(CommandKind::EndFocus, Duration::from_millis(3));
    metrics.machine_cpu_cores.set_float(1.5);
    metrics.run_upkeep();
    let text = metrics.render();
    for line in [
        "connections_open 1",
        "commands_total{outcome=\"durable\"} 1",
        "commands_total{outcome=\"duplicate\"} 0",
        "rejected_total{code=\"read_only\"} 1",
        "rejected_total{code=\"rules\"} 1",
        "command_ack_seconds_bucket{le=\"0.005\"} 0",
        "command_ack_seconds_bucket{le=\"0.01\"} 1",
        "journal_batch_events_bucket{le=\"4\"} 1",
        "journal_retries_total 5",
        "http_requests_total{route=\"guests\",status=\"2xx\"} 1",
        "command_seconds_bucket{kind=\"end_focus\",le=\"0.001\"} 0",
        "command_seconds_bucket{kind=\"end_focus\",le=\"0.005\"} 1",
        "command_seconds_count{kind=\"end_focus\"} 1",
        "machine_cpu_cores 1.5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
    }
}

#[test]
fn two_servers_in_one_process_do_not_add_up() {
    let (first, second) = (Metrics::new(), Metrics::new());
    first.guests_created_total.increment();
    assert!(first.render().contains("guests_created_total 1"));
    assert!(second.render().contains("guests_created_total 0"));
}

#[test]
fn every_refusal_of_the_server_has_its_own_label() {
    for code in protocol::code::RejectCode::ALL {
        assert_ne!(RejectionCode::of(code.as_str()), RejectionCode::Rules, "{}", code.as_str());
    }
}

#[test]
fn names_follow_the_rules() {
    for metric in METRICS {
        assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        assert!(metric.help.ends_with('.'), "{}", metric.name);
    }
}

fn document() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         `GET /metrics` on `METRICS_PORT`, in the text format of Prometheus. This page is generated from the table in\n\
         `game-server/src/metrics.rs`: `UPDATE=1 cargo nextest run -p game-server metrics` writes it. What to do when a\n\
         number looks wrong is in [operations.md](operations.md).\n\n\
         | metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in METRICS {
        let labels: Vec<String> = (metric.labels)()
            .iter()
            .map(|(name, values)| format!("`{name}`: {}", values.join(", ")))
            .collect();
        let kind = format!("{:?}", metric.kind).to_lowercase();
        text.push_str(&format!("| `{}` | {kind} | {} | {} |\n", metric.name, labels.join("; "), metric.help));
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites the file instead of comparing it")]
fn the_document_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, document()).expect("the file can be written");
    }
    assert_eq!(
        std::fs::read_to_string(path).expect("docs/metrics.md exists"),
        document(),
        "run with UPDATE=1"
    );
}
