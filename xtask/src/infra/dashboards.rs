//! Dashboards of Grafana: each query names metrics that exist, and every panel says what it shows and in which unit.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Tree;
use super::metrics::{self, Known};

const FOLDER: &str = "infrastructure/grafana/dashboards/";
/// The source of the numbers, as it is provisioned.
pub(super) const SOURCE_UID: &str = "prometheus";

pub(super) fn check(tree: &Tree, known: &Known) -> Vec<String> {
    let mut findings = Vec::new();
    let mut uids = BTreeSet::new();
    for (path, text) in tree.below(FOLDER, ".json") {
        let mut say = |problem: String| findings.push(format!("{path}: {problem}"));
        let dashboard: Value = match serde_json::from_str(text) {
            Ok(dashboard) => dashboard,
            Err(error) => {
                say(format!("no JSON: {error}"));
                continue;
            }
        };
        let uid = word(&dashboard["uid"]);
        if uid.is_empty() || word(&dashboard["title"]).is_empty() || !dashboard["schemaVersion"].is_u64() {
            say("a dashboard needs uid, title and schemaVersion".to_owned());
        }
        if !uids.insert(uid.to_owned()) {
            say(format!("another dashboard has the uid {uid} too"));
        }
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = word(&panel["title"]);
            if !ids.insert(panel["id"].as_u64()) {
                say(format!("{title}: another panel has this id too"));
            }
            if word(&panel["type"]) == "row" {
                continue;
            }
            if title.is_empty()
                || word(&panel["description"]).is_empty()
                || word(&panel["fieldConfig"]["defaults"]["unit"]).is_empty()
            {
                say(format!("{title}: a panel needs title, description and unit"));
            }
            if word(&panel["datasource"]["uid"]) != SOURCE_UID {
                say(format!("{title}: its source must be {SOURCE_UID}"));
            }
            let queries = queries(panel);
            if queries.is_empty() {
                say(format!("{title}: it asks nothing"));
            }
            for query in queries {
                metrics::unknown(&plain(&query), known)
                    .into_iter()
                    .for_each(|it| say(format!("{title}: {it}")));
            }
        }
        for variable in items(&dashboard["templating"]["list"]) {
            let query = word(&variable["query"]["query"]);
            let selector = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(','));
            match selector {
                Some((selector, _label)) => metrics::unknown(selector, known).into_iter().for_each(&mut say),
                None => say(format!("the variable {} is no label_values(…, …)", word(&variable["name"]))),
            }
        }
    }
    if uids.is_empty() {
        findings.push(format!("{FOLDER}: there are no dashboards"));
    }
    findings
}

/// Every query as a recording rule, for promtool.
pub(super) fn as_rules(tree: &Tree) -> String {
    let mut rules = Vec::new();
    for (_, text) in tree.below(FOLDER, ".json") {
        let dashboard: Value = serde_json::from_str(text).unwrap_or_default();
        for query in panels(&dashboard).flat_map(queries) {
            let record = format!("dashboards:query_{}", rules.len());
            rules.push(serde_json::json!({ "record": record, "expr": plain(&query) }));
        }
    }
    // JSON is YAML.
    serde_json::json!({ "groups": [{ "name": "dashboards", "rules": rules }] }).to_string()
}

/// A query with something in the place of Grafana's variables.
fn plain(query: &str) -> String {
    query.replace("$__rate_interval", "1m").replace("$instance", "hero-1")
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    items(&dashboard["panels"]).iter().flat_map(|panel| std::iter::once(panel).chain(items(&panel["panels"])))
}

fn queries(panel: &Value) -> Vec<String> {
    items(&panel["targets"]).iter().map(|target| word(&target["expr"]).to_owned()).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
