//! Alerts: each names metrics that exist, says what it is about, is tested both ways, and has a line in the runbook.

use super::metrics::{self, Known};
use super::{Tree, list, text};

const RULES: &str = "infrastructure/prometheus/alerts.yml";
const TESTS: &str = "infrastructure/prometheus/alerts_test.yml";
const RUNBOOK: &str = "docs/operations.md";
const SEVERITIES: [&str; 2] = ["page", "ticket"];

/// One alert as its rule has it.
struct Alert {
    name: String,
    severity: String,
}

pub(super) fn check(tree: &Tree, known: &Known) -> Vec<String> {
    let mut findings = Vec::new();
    let alerts = read(tree, known, &mut findings);
    tested(tree, &alerts, &mut findings);
    explained(tree, &alerts, &mut findings);
    findings
}

fn read(tree: &Tree, known: &Known, findings: &mut Vec<String>) -> Vec<Alert> {
    let rules = match tree.yaml(RULES) {
        Ok(rules) => rules,
        Err(error) => {
            findings.push(format!("{error:#}"));
            return Vec::new();
        }
    };
    let mut alerts: Vec<Alert> = Vec::new();
    for rule in list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"])) {
        let alert = Alert {
            name: text(&rule["alert"]).to_owned(),
            severity: text(&rule["labels"]["severity"]).to_owned(),
        };
        let name = &alert.name;
        if alerts.iter().any(|earlier| earlier.name == *name) {
            findings.push(format!("{RULES}: {name} is there twice"));
        }
        if !SEVERITIES.contains(&alert.severity.as_str()) {
            findings.push(format!("{RULES}: the severity of {name} must be one of {SEVERITIES:?}"));
        }
        for annotation in ["summary", "runbook_url"] {
            if text(&rule["annotations"][annotation]).is_empty() {
                findings.push(format!("{RULES}: {name} has no {annotation}"));
            }
        }
        let unknown = metrics::unknown(text(&rule["expr"]), known);
        findings.extend(unknown.iter().map(|problem| format!("{RULES}: {name}: {problem}")));
        alerts.push(alert);
    }
    if alerts.is_empty() {
        findings.push(format!("{RULES}: there are no alerts"));
    }
    alerts
}

/// Each alert is seen firing and not firing.
fn tested(tree: &Tree, alerts: &[Alert], findings: &mut Vec<String>) {
    let tests = match tree.yaml(TESTS) {
        Ok(tests) => tests,
        Err(error) => return findings.push(format!("{error:#}")),
    };
    let cases: Vec<_> =
        list(&tests["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"])).collect();
    for Alert { name, .. } in alerts {
        let is_seen = |fires: bool| {
            cases
                .iter()
                .any(|case| text(&case["alertname"]) == name && list(&case["exp_alerts"]).is_empty() != fires)
        };
        for (fires, what) in [(true, "firing"), (false, "not firing")] {
            if !is_seen(fires) {
                findings.push(format!("{TESTS}: no test shows {name} {what}"));
            }
        }
    }
}

/// Each alert has a line in the table of the runbook with the same severity, and each line has its alert.
fn explained(tree: &Tree, alerts: &[Alert], findings: &mut Vec<String>) {
    let runbook = tree.text(RUNBOOK).split("\n## ").find(|section| section.starts_with("Alerts\n"));
    let lines: Vec<Vec<&str>> = runbook
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    for Alert { name, severity } in alerts {
        match lines.iter().find(|line| line.first() == Some(&name.as_str())) {
            None => findings.push(format!("{RUNBOOK}: nothing says what to do when {name} fires")),
            Some(line) if line.get(1) != Some(&severity.as_str()) => {
                findings.push(format!("{RUNBOOK}: {name} is a {severity}"));
            }
            Some(line) if line.last().is_none_or(|advice| advice.len() < 20) => {
                findings.push(format!("{RUNBOOK}: what to do when {name} fires is too short to help"));
            }
            Some(_) => {}
        }
    }
    for name in lines.iter().filter_map(|line| line.first()) {
        if alerts.iter().all(|alert| alert.name != *name) {
            findings.push(format!("{RUNBOOK}: there is no alert {name}"));
        }
    }
}
