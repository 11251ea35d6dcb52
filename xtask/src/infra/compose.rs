//! The compose file and what it hands to Prometheus and Grafana: everything that is named is there.

use std::collections::BTreeSet;

use yaml_rust2::Yaml;

use super::{Tree, dashboards, keys, list, text};

const COMPOSE: &str = "infrastructure/compose.yaml";
const PROMETHEUS: &str = "infrastructure/prometheus/prometheus.yml";
const SOURCES: &str = "infrastructure/grafana/provisioning/datasources/prometheus.yml";
const PROVIDERS: &str = "infrastructure/grafana/provisioning/dashboards/dopamine-hero.yml";
/// Every variable of the server; a test of its own keeps it so.
const VARIABLES: &str = ".env.example";
/// What players reach; everything else stays on the machine.
const PUBLIC_PORT: &str = "3001:3001";

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut read = |path| match tree.yaml(path) {
        Ok(yaml) => yaml,
        Err(error) => {
            findings.push(format!("{error:#}"));
            Yaml::BadValue
        }
    };
    let (compose, prometheus) = (read(COMPOSE), read(PROMETHEUS));
    let (sources, providers) = (read(SOURCES), read(PROVIDERS));
    let services = keys(&compose["services"]);
    findings.extend(without_advice(tree.text(COMPOSE)).map(|name| {
        format!("{COMPOSE}: ${{{name}}} may be empty; say how to make one: ${{{name}:?make one with …}}")
    }));
    for name in &services {
        let problems = service(tree, &compose, &compose["services"][*name]);
        findings.extend(problems.into_iter().map(|problem| format!("{COMPOSE}: {name}: {problem}")));
    }
    for file in list(&prometheus["rule_files"]).iter().map(text) {
        if !tree.has(&format!("infrastructure/prometheus/{file}")) {
            findings.push(format!("{PROMETHEUS}: there is no file {file}"));
        }
        if !mounts(&compose["services"]["prometheus"]).any(|(_, to)| to == format!("/etc/prometheus/{file}"))
        {
            findings.push(format!("{COMPOSE}: prometheus does not get {file}"));
        }
    }
    let targets = list(&prometheus["scrape_configs"]).iter().flat_map(|job| list(&job["static_configs"]));
    for target in targets.flat_map(|targets| list(&targets["targets"])).map(text) {
        let host = target.split(':').next().unwrap_or_default();
        if host != "localhost" && !services.contains(&host) {
            findings.push(format!("{PROMETHEUS}: {target} is no service of the compose file"));
        }
    }
    let source = &sources["datasources"][0];
    if text(&source["uid"]) != dashboards::SOURCE_UID {
        findings.push(format!("{SOURCES}: dashboards name the source {}", dashboards::SOURCE_UID));
    }
    let host = text(&source["url"]).trim_start_matches("http://").split(':').next().unwrap_or_default();
    if !services.contains(&host) {
        findings.push(format!("{SOURCES}: {host} is no service of the compose file"));
    }
    let folder = text(&providers["providers"][0]["options"]["path"]);
    if !mounts(&compose["services"]["grafana"]).any(|(_, to)| to == folder) {
        findings.push(format!("{COMPOSE}: grafana does not get {folder}, where {PROVIDERS} looks"));
    }
    findings
}

fn service(tree: &Tree, compose: &Yaml, service: &Yaml) -> Vec<String> {
    let mut problems = Vec::new();
    match (text(&service["image"]), text(&service["build"])) {
        ("", "") => problems.push("it has neither image nor build".to_owned()),
        (image, "") if !is_pinned(image) => {
            problems.push(format!("the image {image} names no version such as 1.2 or v1.2.3"));
        }
        (_, "") => {}
        _ => problems.extend(unknown_variables(tree, service)),
    }
    for (from, _) in mounts(service) {
        match from.strip_prefix("./") {
            Some(path) if !tree.has(&format!("infrastructure/{path}")) => {
                problems.push(format!("there is nothing at {from}"));
            }
            None if !keys(&compose["volumes"]).contains(&from) => {
                problems.push(format!("the volume {from} is not declared"))
            }
            _ => {}
        }
    }
    for port in list(&service["ports"]).iter().map(text) {
        if port != PUBLIC_PORT && !port.starts_with("127.0.0.1:") {
            problems.push(format!("port {port} would be open to everybody"));
        }
    }
    for name in list(&service["networks"]).iter().map(text) {
        if !keys(&compose["networks"]).contains(&name) {
            problems.push(format!("the network {name} is not declared"));
        }
    }
    // Either a list, or a map with conditions.
    let needed = list(&service["depends_on"]).iter().map(text).chain(keys(&service["depends_on"]));
    for name in needed {
        let other = &compose["services"][name];
        let condition = text(&service["depends_on"][name]["condition"]);
        if other.is_badvalue() {
            problems.push(format!("it depends on {name}, which is not there"));
        } else if condition == "service_healthy" && !has_health_check(other) {
            problems.push(format!("it waits until {name} is healthy, and {name} has no health check"));
        } else if condition == "service_completed_successfully" && text(&other["restart"]) != "no" {
            problems
                .push(format!("it waits for the end of {name}, which is started again: say restart: \"no\""));
        }
    }
    problems
}

/// Whether a tag says more than a name or a major version, which are others tomorrow.
fn is_pinned(image: &str) -> bool {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag.trim_start_matches('v'));
    let mut numbers = tag.split(['.', '-']).map(|part| part.parse::<u32>());
    !tag.contains('/') && matches!((numbers.next(), numbers.next()), (Some(Ok(_)), Some(Ok(_))))
}

/// Our own image has one; it is in the Dockerfile.
fn has_health_check(service: &Yaml) -> bool {
    !service["healthcheck"].is_badvalue() || !service["build"].is_badvalue()
}

/// What is set for our own program and it does not read.
fn unknown_variables(tree: &Tree, service: &Yaml) -> Vec<String> {
    let known: BTreeSet<&str> =
        tree.text(VARIABLES).lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    let set = keys(&service["environment"]).into_iter();
    set.filter(|name| !known.contains(name)).map(|name| format!("{VARIABLES} has no {name}")).collect()
}

/// The names in `${…}` that are neither asked for with a text nor have a default.
fn without_advice(file: &str) -> impl Iterator<Item = &str> {
    let inside = file.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    inside.filter(|variable| !variable.contains(":?") && !variable.contains(":-"))
}

/// What is mounted, from where to where.
fn mounts(service: &Yaml) -> impl Iterator<Item = (&str, &str)> {
    list(&service["volumes"]).iter().filter_map(|mount| {
        let mut parts = text(mount).split(':');
        Some((parts.next()?, parts.next()?))
    })
}
