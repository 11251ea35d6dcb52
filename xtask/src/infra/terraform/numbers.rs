//! Names and numbers that no tool knows: every variable of a task exists, a drain has its time, sockets are not cut between
//! two pings, what was promised of backups and scaling is so, and the phases are made of what has a price.

use std::collections::{BTreeMap, BTreeSet};

use hcl::Expression;
use serde_json::Value;

use super::super::Tree;
use super::FOLDER;
use super::hcl_file::{HclFile, keys, list, number, plain};

/// Where the client says how often it pings.
pub(super) const CLIENT: &str = "web/sdk/src/connection.ts";
const SERVER: &str = "modules/server/main.tf";
const DATABASE: &str = "modules/database/main.tf";
const BALANCER: &str = "modules/balancer/main.tf";
const ALARMS: &str = "modules/alarms/main.tf";
const HOOK: &str = "modules/deploy/hook.tf";
const PHASES: [&str; 3] = ["phases/phase-1.tfvars", "phases/phase-2.tfvars", "phases/phase-3.tfvars"];
const PRICES: &str = "infrastructure/cost/prices.json";
/// From the first word to a server until it is gone.
const DRAIN_SECONDS_MAX: i64 = 90;
/// Connections of one server, and how many servers there are at most: twice while a deploy runs.
const SERVER_CONNECTIONS: i64 = 13;
const SERVERS_MAX: i64 = 10;
/// A shorter reason is none.
const REASON_LETTERS_MIN: usize = 20;

/// File, way and number that was promised.
const PROMISED: [(&str, &str, i64); 9] = [
    (SERVER, "resource aws_appautoscaling_target this max_capacity", SERVERS_MAX),
    (
        SERVER,
        "resource aws_appautoscaling_policy cpu target_tracking_scaling_policy_configuration target_value",
        70,
    ),
    (
        SERVER,
        "resource aws_appautoscaling_policy cpu target_tracking_scaling_policy_configuration scale_in_cooldown",
        300,
    ),
    (
        SERVER,
        "resource aws_appautoscaling_policy cpu target_tracking_scaling_policy_configuration scale_out_cooldown",
        60,
    ),
    (
        SERVER,
        "resource aws_appautoscaling_policy memory target_tracking_scaling_policy_configuration target_value",
        80,
    ),
    (
        SERVER,
        "resource aws_appautoscaling_policy memory target_tracking_scaling_policy_configuration scale_in_cooldown",
        300,
    ),
    (
        SERVER,
        "resource aws_appautoscaling_policy memory target_tracking_scaling_policy_configuration scale_out_cooldown",
        60,
    ),
    (DATABASE, "resource aws_db_instance this backup_retention_period", 7),
    (DATABASE, "resource aws_db_instance this engine_version", 15),
];
/// What Postgres must not be told otherwise.
const DURABLE: [(&str, &str); 3] = [("fsync", "1"), ("full_page_writes", "1"), ("synchronous_commit", "on")];
/// File, way and text: what protects data.
const PROTECTED: [(&str, &str, &str); 5] = [
    (DATABASE, "resource aws_db_instance this storage_encrypted", "true"),
    (DATABASE, "resource aws_db_instance this deletion_protection", "var.protects_data"),
    (DATABASE, "resource aws_db_instance this skip_final_snapshot", "!var.protects_data"),
    (DATABASE, "resource aws_db_instance this parameter_group_name", "aws_db_parameter_group.this.name"),
    ("environments/production/terraform.tfvars", "protects_data", "true"),
];
/// Dollars a month of the phases.
const BUDGETS: [i64; 3] = [70, 280, 1000];

pub(super) fn findings(tree: &Tree) -> Vec<String> {
    let files = Files::read(tree);
    let mut findings: Vec<String> = files.all().filter_map(|file| file.problem.clone()).collect();
    findings.extend(promised(&files));
    findings.extend(drain(tree, &files));
    findings.extend(database(&files));
    findings.extend(variables(tree, &files));
    findings.extend(phases(tree, &files));
    findings.extend(environments(tree));
    findings.extend(exceptions(tree));
    findings
}

/// Everything that Terraform is told, by path; what is named and missing is empty.
struct Files(BTreeMap<String, HclFile>);

impl Files {
    fn read(tree: &Tree) -> Self {
        let found = [".tf", ".tfvars"].into_iter().flat_map(|ending| tree.below(FOLDER, ending));
        let mut paths: BTreeSet<String> = found.map(|(path, _)| path.to_owned()).collect();
        let named = PROMISED.iter().map(|(path, ..)| path).chain(PROTECTED.iter().map(|(path, ..)| path));
        let named = named.chain(&[SERVER, BALANCER, HOOK, ALARMS, DATABASE]).chain(&PHASES);
        paths.extend(named.map(|path| format!("{FOLDER}/{path}")));
        Self(paths.into_iter().map(|path| (path.clone(), HclFile::read(tree, &path))).collect())
    }

    fn all(&self) -> impl Iterator<Item = &HclFile> {
        self.0.values()
    }

    fn file(&self, path: &str) -> &HclFile {
        self.0.get(&format!("{FOLDER}/{path}")).expect("`read` takes every file that is named here")
    }
}

fn promised(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, way, expected) in PROMISED {
        let found = files.file(path).number(way);
        if found != Some(expected) {
            let found = found.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            findings.push(format!("{FOLDER}/{path}: {way} is {found}, not {expected}"));
        }
    }
    for (path, way, expected) in PROTECTED {
        let found = files.file(path).at(way).map(plain);
        if found.as_deref() != Some(expected) {
            findings.push(format!("{FOLDER}/{path}: {way} is not {expected}"));
        }
    }
    let alarms = files.file(ALARMS);
    let parts: Vec<i64> = list(alarms.at("resource aws_budgets_budget month dynamic notification for_each"))
        .iter()
        .filter_map(number)
        .collect();
    if parts != [50, 80, 100] {
        findings
            .push(format!("{}: the budget is told at {parts:?} and not at 50, 80 and 100 %", alarms.path));
    }
    findings
}

/// Times in milliseconds and seconds that hang together.
fn drain(tree: &Tree, files: &Files) -> Vec<String> {
    let (server, balancer) = (files.file(SERVER), files.file(BALANCER));
    let hook = files.file(HOOK);
    let (Some(deadline_ms), Some(stop), Some(idle), Some(leave), Some(hook), Some(ping_ms)) = (
        server.number_of_key("DRAIN_DEADLINE_MS"),
        server.number_of_key("stopTimeout"),
        balancer.number("resource aws_lb this idle_timeout"),
        balancer.number("resource aws_lb_target_group this deregistration_delay"),
        hook.number("resource aws_lambda_function hook timeout"),
        ping_every_ms(tree.text(CLIENT)),
    ) else {
        return vec![format!(
            "{FOLDER}/: one of DRAIN_DEADLINE_MS, stopTimeout, idle_timeout, deregistration_delay, the hook's timeout and \
             PING_EVERY_MS of {CLIENT} is missing or no number"
        )];
    };
    let mut findings = Vec::new();
    if stop * 1000 < deadline_ms {
        findings.push(format!("stopTimeout is {stop} s: a drain of {deadline_ms} ms would be killed"));
    }
    if leave + stop > DRAIN_SECONDS_MAX || hook > DRAIN_SECONDS_MAX {
        findings.push(format!(
            "a drain may take {DRAIN_SECONDS_MAX} s, not {leave} + {stop} s when ECS stops a server or {hook} s by the hook"
        ));
    }
    if idle * 1000 <= ping_ms {
        findings
            .push(format!("idle_timeout is {idle} s: a socket that pings every {ping_ms} ms would be cut"));
    }
    findings
}

fn ping_every_ms(client: &str) -> Option<i64> {
    let (_, rest) = client.split_once("const PING_EVERY_MS = ")?;
    rest.split_once(';')?.0.replace('_', "").parse().ok()
}

fn database(files: &Files) -> Vec<String> {
    let file = files.file(DATABASE);
    let parameters: Vec<(String, String)> = file
        .blocks("resource", &["aws_db_parameter_group", "this"])
        .flat_map(|group| group.blocks().filter(|block| block.identifier.as_str() == "parameter"))
        .map(|block| {
            let text = |key: &str| {
                let found = block.body.attributes().find(|attribute| attribute.key.as_str() == key);
                found.map(|attribute| plain(&attribute.expr)).unwrap_or_default()
            };
            (text("name"), text("value"))
        })
        .collect();
    let value =
        |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let mut findings = Vec::new();
    for (name, expected) in DURABLE {
        if value(name) != Some(expected) {
            findings.push(format!("{}: the parameter {name} is not {expected}", file.path));
        }
    }
    let needed = 2 * SERVERS_MAX * SERVER_CONNECTIONS;
    if value("max_connections").and_then(|value| value.parse().ok()).unwrap_or(0_i64) < needed {
        findings.push(format!("{}: max_connections is less than the {needed} of a deploy", file.path));
    }
    findings
}

/// Every variable that a task is given is one of the server's.
fn variables(tree: &Tree, files: &Files) -> Vec<String> {
    let known: BTreeSet<&str> = tree
        .text(".env.example")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .collect();
    let mut given: Vec<(String, String)> = Vec::new();
    let server = files.file(SERVER);
    for way in ["locals environment", "locals secrets"] {
        match server.at(way) {
            Some(expression) => {
                keys(expression, &mut |name, _| given.push((server.path.clone(), name.to_owned())))
            }
            None => given.push((server.path.clone(), format!("nothing in `{way}`"))),
        }
    }
    for file in files.all() {
        let secrets = [file.at("operator_secrets"), file.at("variable operator_secrets default")];
        for name in secrets.into_iter().flat_map(list) {
            given.push((file.path.clone(), plain(name)));
        }
        for settings in [file.at("settings"), file.at("variable settings default")].into_iter().flatten() {
            keys(settings, &mut |name, _| given.push((file.path.clone(), name.to_owned())));
        }
    }
    let unknown = given.into_iter().filter(|(_, name)| !known.contains(name.as_str()));
    unknown.map(|(path, name)| format!("{path}: the server knows no variable {name}")).collect()
}

/// The sizes of a phase are on the list of prices, and its budget is the plan's.
fn phases(tree: &Tree, files: &Files) -> Vec<String> {
    let Ok(prices) = serde_json::from_str::<Value>(tree.text(PRICES)) else {
        return vec![format!("{PRICES} is no JSON")];
    };
    let is_listed = |list: &str, name: String| {
        prices[list].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name.as_str()))
    };
    let mut findings = Vec::new();
    for (path, budget) in PHASES.iter().zip(BUDGETS) {
        let file = files.file(path);
        let mut sizes = Vec::new();
        if let Some(expression) = file.at("sizes") {
            keys(expression, &mut |name, value| sizes.push((name.to_owned(), value.clone())));
        }
        let size = |name: &str| sizes.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let count = |name: &str| size(name).and_then(number).unwrap_or(0);
        let text = |name: &str| size(name).map(plain).unwrap_or_default();
        let mut problem = |problem: String| findings.push(format!("{}: {problem}", file.path));
        let (millicores, memory) = (count("server_millicores"), count("server_memory_mib"));
        let is_sold = prices["fargate"]["sizes"].as_array().is_some_and(|all| {
            all.iter().any(|one| one["millicores"] == millicores && one["memory_mib"] == memory)
        });
        if !is_sold {
            problem(format!("{millicores} millicores with {memory} MiB have no price"));
        }
        if !is_listed("databases", format!("RDS Postgres {}", text("database_class"))) {
            problem(format!("the database {} has no price", text("database_class")));
        }
        let has_cache = !matches!(size("cache_class"), Some(Expression::Null));
        if has_cache && !is_listed("caches", format!("ElastiCache {}", text("cache_class"))) {
            problem(format!("the cache {} has no price", text("cache_class")));
        }
        if count("monthly_budget_usd") != budget {
            problem(format!("the plan of this phase is {budget} dollars a month"));
        }
        if !(1..=SERVERS_MAX).contains(&count("servers_min")) {
            problem(format!("there are 1 to {SERVERS_MAX} servers"));
        }
    }
    findings
}

/// Environments are the same but for their variables.
fn environments(tree: &Tree) -> Vec<String> {
    let text = |name: &str, file: &str| tree.text(&format!("{FOLDER}/environments/{name}/{file}")).to_owned();
    let files = ["main.tf", "variables.tf", "outputs.tf", ".terraform.lock.hcl"];
    let differing = files.into_iter().filter(|file| text("staging", file) != text("production", file));
    differing
        .map(|file| format!("{FOLDER}/environments/: {file} differs between staging and production"))
        .collect()
}

/// What checkov is told to overlook has a reason.
fn exceptions(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.below(FOLDER, ".tf") {
        for (index, line) in text.lines().enumerate() {
            let Some((_, exception)) = line.split_once("checkov:skip=") else { continue };
            let reason = exception.split_once(':').map_or("", |(_, reason)| reason.trim());
            if reason.len() < REASON_LETTERS_MIN {
                findings.push(format!("{path}:{}: this exception has no reason", index + 1));
            }
        }
    }
    findings
}
