use super::expression::{self, Matcher, Selector};
use super::{Tree, findings, metrics};
use crate::workspace::Workspace;

const METRICS: &str = "\
| metric | kind | labels | meaning |
|---|---|---|---|
| `ready` | gauge |  | 1 while it takes players. |
| `requests_total` | counter | `route`: me, ws; `status`: 2xx, 5xx | Requests. |
| `request_seconds` | histogram | `route`: me, ws | How long. |
";

#[test]
fn this_checkout_holds() {
    let workspace = Workspace::load().expect("cargo metadata works");
    let tree = Tree::read(&workspace).expect("the files can be read");
    let found = findings(&tree);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(super::dashboards::as_rules(&tree).len() > 1_000);
}

#[test]
fn a_query_names_metrics_and_labels() {
    let query = "sum by (le) (rate(a_bucket{x!~\"1|2\", y=\"}\"}[5m:1m] offset 1h)) / on (z) group_left b:c > bool 0.5e3 or max(d)";
    let named = expression::read(query);
    let matcher = |label: &str, values: &[&str]| Matcher {
        label: label.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let selector = |metric: &str, matchers| Selector { metric: metric.to_owned(), matchers };
    assert_eq!(
        named.selectors,
        [
            selector("a_bucket", vec![matcher("x", &["1", "2"]), matcher("y", &["}"])]),
            selector("b:c", vec![]),
            selector("d", vec![]),
        ]
    );
    assert_eq!(named.groupings, ["le", "z"]);
    assert!(!named.has_nameless);
    assert!(expression::read("{job=\"x\"}").has_nameless);
}

#[track_caller]
fn check_query(query: &str, expected: &[&str]) {
    assert_eq!(metrics::unknown(query, &metrics::parse(METRICS)), expected, "{query}");
}

#[test]
fn a_query_of_what_exists_is_fine() {
    check_query("sum(rate(requests_total{status=\"5xx\", instance=~\"a|b\"}[5m])) > 1", &[]);
    check_query("histogram_quantile(0.99, sum by (le, route) (rate(request_seconds_bucket[5m])))", &[]);
    check_query("request_seconds_sum / request_seconds_count and on (instance) up{job=\"x\"} == 1", &[]);
}

#[test]
fn a_query_of_what_does_not_exist_is_found() {
    check_query("raedy == 0", &["there is no metric raedy"]);
    check_query("request_seconds > 1", &["there is no metric request_seconds"]);
    check_query("requests_total_bucket", &["there is no metric requests_total_bucket"]);
    check_query("requests_total{code=\"5xx\"}", &["requests_total has no label code"]);
    check_query("requests_total{status=~\"5xx|500\"}", &["status of requests_total is never 500"]);
    check_query("sum by (le) (ready)", &["nothing here has a label le"]);
    check_query("{job=\"x\"}", &["braces without the name of a metric before them", "it names no metric"]);
}

const RULES: &str = "\
groups:
  - name: all
    rules:
      - alert: NotReady
        expr: ready == 0
        labels:
          severity: page
        annotations:
          summary: It takes no players
          runbook_url: docs/operations.md#alerts
";
const RULE_TESTS: &str = "\
tests:
  - alert_rule_test:
      - alertname: NotReady
        exp_alerts:
          - exp_labels:
              severity: page
      - alertname: NotReady
        exp_alerts: []
";
const RUNBOOK: &str = "# Operations\n\n## Alerts\n\n| alert | severity | what to do |\n|---|---|---|\n\
    | `NotReady` | page | look at the log, then wait for its end |\n\n## Other\n\n| `Nothing` | | |\n";
const DASHBOARD: &str = r#"{"uid": "a", "title": "A", "schemaVersion": 39, "panels": [{"id": 1, "type": "stat", "title": "Ready",
    "description": "Servers", "datasource": {"uid": "prometheus"}, "fieldConfig": {"defaults": {"unit": "short"}},
    "targets": [{"expr": "sum(ready{instance=~\"$instance\"})"}]}]}"#;
const COMPOSE: &str = "\
services:
  migrate:
    build: ..
    restart: \"no\"
    environment: &environment
      SECRET_KEYS: ${SECRET_KEYS:?make one}
  server:
    build: ..
    environment: *environment
    ports: [\"3001:3001\"]
    networks: [outside]
    depends_on:
      migrate:
        condition: service_completed_successfully
  prometheus:
    image: prom/prometheus:v3.5.0
    ports: [\"127.0.0.1:9090:9090\"]
    volumes: [\"./prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro\", \"metrics:/prometheus\"]
    depends_on:
      server:
        condition: service_healthy
  grafana:
    image: grafana/grafana:12.1.0
    volumes: [\"./grafana/dashboards:/etc/grafana/dashboards:ro\"]
    depends_on: [prometheus]
networks:
  outside:
volumes:
  metrics:
";
const PROMETHEUS: &str = "\
rule_files: [alerts.yml]
scrape_configs:
  - static_configs:
      - targets: [\"server:9464\"]
";
const SOURCES: &str = "datasources:\n  - uid: prometheus\n    url: http://prometheus:9090\n";
const PROVIDERS: &str = "providers:\n  - options:\n      path: /etc/grafana/dashboards\n";

const FILES: [(&str, &str); 10] = [
    (".env.example", "# What is signed.\nSECRET_KEYS=\n"),
    ("docs/metrics.md", METRICS),
    ("docs/operations.md", RUNBOOK),
    ("infrastructure/prometheus/alerts.yml", RULES),
    ("infrastructure/prometheus/alerts_test.yml", RULE_TESTS),
    ("infrastructure/prometheus/prometheus.yml", PROMETHEUS),
    ("infrastructure/grafana/dashboards/a.json", DASHBOARD),
    ("infrastructure/grafana/provisioning/datasources/prometheus.yml", SOURCES),
    ("infrastructure/grafana/provisioning/dashboards/dopamine-hero.yml", PROVIDERS),
    ("infrastructure/compose.yaml", COMPOSE),
];

/// A made-up tree in which one text of one file is another one.
fn with(path: &str, old: &str, new: &str) -> Tree {
    let files = FILES.iter().map(|(found, text)| {
        let changed = if *found == path { text.replace(old, new) } else { (*text).to_owned() };
        assert!(*found != path || changed != *text, "{path} does not have {old}");
        ((*found).to_owned(), changed)
    });
    Tree(files.collect())
}

#[track_caller]
fn check(path: &str, old: &str, new: &str, expected: &str) {
    let found = findings(&with(path, old, new));
    assert!(found.iter().any(|finding| finding.contains(expected)), "{expected} is not among {found:#?}");
}

#[test]
fn a_good_tree_has_no_findings() {
    let tree = Tree(FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    assert_eq!(findings(&tree), Vec::<String>::new());
}

#[test]
fn a_broken_alert_is_found() {
    let rules = "infrastructure/prometheus/alerts.yml";
    check(rules, "ready == 0", "raedy == 0", "NotReady: there is no metric raedy");
    check(rules, "severity: page", "severity: urgent", "the severity of NotReady");
    check(rules, "summary", "sumary", "NotReady has no summary");
    check(rules, "alert: NotReady", "alert: Ready", "nothing says what to do when Ready fires");
    check(rules, "alert: NotReady", "alert: Ready", "there is no alert NotReady");
    check(rules, "severity: page", "severity: ticket", "NotReady is a ticket");
    let tests = "infrastructure/prometheus/alerts_test.yml";
    check(tests, "exp_alerts: []", "exp_alerts: [{}]", "no test shows NotReady not firing");
    check(
        tests,
        "exp_alerts:\n          - exp_labels:\n              severity: page\n",
        "exp_alerts: []\n",
        "NotReady firing",
    );
    check("docs/operations.md", "look at the log, then wait for its end", "wait", "too short");
}

#[test]
fn a_broken_dashboard_is_found() {
    let dashboard = "infrastructure/grafana/dashboards/a.json";
    check(dashboard, "sum(ready", "sum(raedy", "Ready: there is no metric raedy");
    check(dashboard, "{\"uid\": \"a\"", "{\"uid\": \"\"", "needs uid");
    check(dashboard, "\"unit\": \"short\"", "\"unit\": \"\"", "title, description and unit");
    check(dashboard, "\"prometheus\"", "\"other\"", "its source must be");
    check(dashboard, "]}]}", "]}]", "no JSON");
}

#[test]
fn a_broken_compose_file_is_found() {
    let compose = "infrastructure/compose.yaml";
    for moving in ["prom/prometheus", "prom/prometheus:latest", "prom/prometheus:v3", "host:5.0/prometheus"] {
        check(compose, "prom/prometheus:v3.5.0", moving, "names no version");
    }
    check(compose, "SECRET_KEYS: ", "SECRET_KEY: ", "server: .env.example has no SECRET_KEY");
    check(compose, ":?make one", "", "${SECRET_KEYS} may be empty");
    check(compose, "networks: [outside]", "networks: [inside]", "the network inside is not declared");
    check(compose, "    restart: \"no\"\n", "", "waits for the end of migrate, which is started again");
    check(
        compose,
        "depends_on: [prometheus]",
        "depends_on: {prometheus: {condition: service_healthy}}",
        "prometheus has no health check",
    );
    check(compose, "127.0.0.1:9090:9090", "9090:9090", "open to everybody");
    check(
        compose,
        "./prometheus/alerts.yml",
        "./prometheus/alarms.yml",
        "there is nothing at ./prometheus/alarms.yml",
    );
    check(compose, "volumes:\n  metrics:\n", "", "the volume metrics is not declared");
    check(compose, "depends_on: [prometheus]", "depends_on: [prom]", "it depends on prom");
    check(
        compose,
        "/etc/grafana/dashboards:ro",
        "/dashboards:ro",
        "grafana does not get /etc/grafana/dashboards",
    );
    check(
        "infrastructure/prometheus/prometheus.yml",
        "alerts.yml",
        "rules.yml",
        "there is no file rules.yml",
    );
    check("infrastructure/prometheus/prometheus.yml", "server:9464", "hero:9464", "hero:9464 is no service");
}
