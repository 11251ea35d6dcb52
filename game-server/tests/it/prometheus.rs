//! A real Prometheus scrapes a server on which somebody plays, with the configuration, the rules and the queries of
//! `infrastructure/`.

use game_server::clock::Clock;
use game_server::metrics::{Kind, METRICS};
use protocol::client::Command;
use protocol::types::{Category, FocusMode};
use serde_json::Value;
use test_servers::Prometheus;

use crate::harness::{TestServer, wait_until};
use crate::player::{Player, create};

const CONFIGURATION: &str = include_str!("../../../infrastructure/prometheus/prometheus.yml");
const RULES: &str = include_str!("../../../infrastructure/prometheus/alerts.yml");
const DASHBOARDS: [&str; 2] = [
    include_str!("../../../infrastructure/grafana/dashboards/operations.json"),
    include_str!("../../../infrastructure/grafana/dashboards/product.json"),
];
/// A session that is long enough to be credited.
const SESSION_MS: i64 = 25 * 60 * 1_000;

/// The same configuration for this server, in a hurry.
fn configuration(metrics: &str) -> String {
    let changes = [
        ("server:9464", metrics),
        ("scrape_interval: 10s", "scrape_interval: 1s"),
        ("scrape_timeout: 5s", "scrape_timeout: 1s"),
        ("evaluation_interval: 15s", "evaluation_interval: 1s"),
    ];
    changes.iter().fold(CONFIGURATION.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old} is not in the configuration");
        text.replace(old, new)
    })
}

fn ask(prometheus: &Prometheus, path: &str, parameters: &[(&str, &str)]) -> Value {
    let answer = prometheus.api(path, parameters);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].clone()
}

/// The numbers that a query answers with.
fn query(prometheus: &Prometheus, query: &str) -> Vec<f64> {
    let found = ask(prometheus, "query", &[("query", query)]);
    let series = found["result"].as_array().expect("a list").clone();
    let number = |one: &Value| one["value"][1].as_str().and_then(|text| text.parse().ok());
    series.iter().map(|one| number(one).unwrap_or_else(|| panic!("{query}: {one}"))).collect()
}

async fn play(server: &TestServer, clock: &Clock) {
    let (_, token) = server.guest().await;
    let (mut player, ..) = Player::connect(server, &token, 0).await;
    let task = player.command(create("read")).await;
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    player.command(Command::StartFocus { mode, category: Category::None, task_id: None }).await;
    clock.advance(SESSION_MS);
    player.command(Command::EndFocus).await;
    let task_id = task.created_id.expect("a task has an id");
    player.command(Command::CompleteTask { task_id, occurrence_on: None }).await;
    player.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_what_is_played() {
    let clock = Clock::fixed(1_900_000_000_000);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    play(&server, &clock).await;
    let metrics = server.server().metrics_address().to_string();
    let prometheus =
        Prometheus::start(&[("prometheus.yml", &configuration(&metrics)), ("alerts.yml", RULES)]);

    wait_until("the task is scraped", || query(&prometheus, "tasks_completed_total") == [1.0]).await;
    assert_eq!(query(&prometheus, "up{job=\"dopamine-hero\"}"), [1.0]);
    assert_eq!(query(&prometheus, "focus_session_seconds_sum"), [1_500.0]);
    assert_eq!(query(&prometheus, "command_seconds_count{kind=\"complete_task\"}"), [1.0]);
    for more_than_zero in [
        "energy_generated_me_total",
        "hero_load_seconds_count",
        "journal_bytes_total",
        "machine_cpu_cores",
        "process_start_time_seconds",
        "sum(http_request_seconds_bucket{route=\"guests\", le=\"10\"})",
        "histogram_quantile(0.99, sum by (le) (command_ack_seconds_bucket))",
    ] {
        let found = query(&prometheus, more_than_zero);
        assert!(found.iter().all(|number| *number > 0.0) && found.len() == 1, "{more_than_zero}: {found:?}");
    }

    let names = ask(&prometheus, "label/__name__/values", &[]);
    let names: Vec<&str> = names.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    // A histogram is shown from its first value on.
    for metric in METRICS.iter().filter(|metric| metric.kind != Kind::Histogram) {
        assert!(names.contains(&metric.name), "{} was not scraped", metric.name);
    }
    check_rules(&prometheus).await;
    for dashboard in DASHBOARDS {
        check_dashboard(&prometheus, dashboard);
    }
    drop(prometheus);
    server.stop().await;
}

/// Every rule was evaluated on real numbers, and a healthy server calls nobody.
async fn check_rules(prometheus: &Prometheus) {
    let rules = || -> Vec<Value> {
        let groups = ask(prometheus, "rules", &[])["groups"].clone();
        let groups = groups.as_array().expect("a list").clone();
        groups.iter().flat_map(|group| group["rules"].as_array().expect("a list").clone()).collect()
    };
    let is_evaluated = |rule: &Value| rule["health"] != "unknown";
    wait_until("every rule was evaluated", || rules().iter().all(is_evaluated)).await;
    let rules = rules();
    assert_eq!(rules.len(), RULES.matches("- alert: ").count());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert_ne!(rule["state"], "firing", "{rule}");
    }
}

fn check_dashboard(prometheus: &Prometheus, dashboard: &str) {
    let dashboard: Value = serde_json::from_str(dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("a list").clone();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array());
    let mut count = 0;
    for expression in targets.flatten().filter_map(|target| target["expr"].as_str()) {
        let expression = expression.replace("$__rate_interval", "1m").replace("$instance", ".*");
        // Many have nothing to show yet; none may be refused.
        query(prometheus, &expression);
        count += 1;
    }
    assert!(count > 10, "{count} queries");
}
