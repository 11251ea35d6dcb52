//! The compose file and what it hands to Prometheus and Grafana: everything that is named is there.

use yaml_rust2::Yaml;

use super::{Tree, dashboards, keys, list, text};

const COMPOSE: &str = "infrastructure/compose.yaml";
const PROMETHEUS: &str = "infrastructure/prometheus/prometheus.yml";
const SOURCES: &str = "infrastructure/grafana/provisioning/datasources/prometheus.yml";
const PROVIDERS: &str = "infrastructure/grafana/provisioning/dashboards/dopamine-hero.yml";
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
    let has_version =
        |image: &str| image.rsplit_once(':').is_some_and(|(_, tag)| tag != "latest" && !tag.is_empty());
    match (text(&service["image"]), text(&service["build"])) {
        ("", "") => problems.push("it has neither image nor build".to_owned()),
        (image, "") if !has_version(image) => problems.push(format!("the image {image} names no version")),
        _ => {}
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
    // Either a list, or a map with conditions.
    let needed = list(&service["depends_on"]).iter().map(text).chain(keys(&service["depends_on"]));
    for name in needed.filter(|name| !keys(&compose["services"]).contains(name)) {
        problems.push(format!("it depends on {name}, which is not there"));
    }
    problems
}

/// What is mounted, from where to where.
fn mounts(service: &Yaml) -> impl Iterator<Item = (&str, &str)> {
    list(&service["volumes"]).iter().filter_map(|mount| {
        let mut parts = text(mount).split(':');
        Some((parts.next()?, parts.next()?))
    })
}
