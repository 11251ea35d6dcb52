//! The metrics that exist, from `docs/metrics.md`, which a test of the server compares with its table.

use std::collections::BTreeMap;

use super::expression::{self, Selector};

/// Labels that Prometheus itself gives to everything it scrapes.
const OF_EVERYTHING: [&str; 2] = ["instance", "job"];

/// A metric: its kind, its labels and their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metric {
    kind: String,
    labels: BTreeMap<String, Vec<String>>,
}

pub(super) type Known = BTreeMap<String, Metric>;

/// The table of the document, and what Prometheus makes itself.
pub(super) fn parse(document: &str) -> Known {
    let mut known = Known::new();
    for line in document.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, ..] = cells.as_slice() else { continue };
        let labels = labels.split("; ").filter_map(|label| {
            let (name, values) = label.split_once(": ")?;
            Some((name.trim_matches('`').to_owned(), values.split(", ").map(str::to_owned).collect()))
        });
        let metric = Metric { kind: (*kind).to_owned(), labels: labels.collect() };
        known.insert(name.trim_matches('`').to_owned(), metric);
    }
    let states = ["pending", "firing"].map(str::to_owned).to_vec();
    let labels = BTreeMap::from([("alertstate".to_owned(), states)]);
    known.insert("ALERTS".to_owned(), Metric { kind: "gauge".to_owned(), labels });
    known.insert("up".to_owned(), Metric { kind: "gauge".to_owned(), labels: BTreeMap::new() });
    known
}

/// What a query names that does not exist.
pub(super) fn unknown(query: &str, known: &Known) -> Vec<String> {
    let named = expression::read(query);
    let mut findings = Vec::new();
    let mut labels: Vec<&str> = OF_EVERYTHING.to_vec();
    for Selector { metric, matchers } in &named.selectors {
        let Some((found, is_bucket)) = find(metric, known) else {
            findings.push(format!("there is no metric {metric}"));
            continue;
        };
        labels.extend(found.labels.keys().map(String::as_str));
        labels.extend(is_bucket.then_some("le"));
        for matcher in matchers {
            let label = matcher.label.as_str();
            if OF_EVERYTHING.contains(&label) || is_bucket && label == "le" {
                continue;
            }
            let Some(values) = found.labels.get(label) else {
                findings.push(format!("{metric} has no label {label}"));
                continue;
            };
            let strange = matcher.values.iter().filter(|value| !values.contains(value));
            findings.extend(strange.map(|value| format!("{label} of {metric} is never {value}")));
        }
    }
    let strange = named.groupings.iter().filter(|label| !labels.contains(&label.as_str()));
    findings.extend(strange.map(|label| format!("nothing here has a label {label}")));
    if named.has_nameless {
        findings.push("braces without the name of a metric before them".to_owned());
    }
    if named.selectors.is_empty() {
        findings.push("it names no metric".to_owned());
    }
    findings
}

/// A metric by a name in a query, and whether it is the buckets of a histogram. A histogram's own name is no series.
fn find<'a>(name: &str, known: &'a Known) -> Option<(&'a Metric, bool)> {
    if let Some(metric) = known.get(name) {
        return (metric.kind != "histogram").then_some((metric, false));
    }
    ["_bucket", "_sum", "_count"].iter().find_map(|ending| {
        let metric = known.get(name.strip_suffix(ending)?)?;
        (metric.kind == "histogram").then_some((metric, *ending == "_bucket"))
    })
}
