//! `infra check`: what watches the server is checked before it is needed. Prometheus' own tools test the configuration, the
//! rules and the rules' tests; what they cannot know is checked here: that every metric in a rule or a dashboard exists,
//! that every alert has a line in the runbook and tests of both kinds, that the compose file mounts what is there. The workflows
//! and the Dockerfile are read by the linters that are made for them.

mod alerts;
mod compose;
mod dashboards;
mod expression;
mod image;
mod metrics;
mod pipeline;
mod terraform;
#[cfg(test)]
mod tests;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use yaml_rust2::{Yaml, YamlLoader};

use crate::files;
use crate::install;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

const FOLDER: &str = "infrastructure";

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Check rules, their tests, dashboards, the compose file, workflows and the Dockerfile; installs what that needs
    Check,
    /// Build the image of the Dockerfile without Docker, start it and play with it; takes a quarter of an hour, and root
    Image,
}

/// How many steps [`steps`] takes.
pub(crate) const STEP_COUNT: usize = 3 + terraform::STEP_COUNT;

pub(crate) fn run(workspace: &Workspace, action: &Action) -> Result<()> {
    match action {
        Action::Check => {
            let mut all = Steps::new(STEP_COUNT, Output::All);
            steps(workspace, &mut all);
            all.finish()
        }
        Action::Image => image::run(workspace),
    }
}

pub(crate) fn steps(workspace: &Workspace, steps: &mut Steps) {
    const CHECK: &str = "alerts and dashboards";
    if steps.try_step("Prometheus", install::prometheus) {
        steps.try_step(CHECK, |reporter| check(workspace, reporter));
    } else {
        steps.skip(CHECK, "promtool is missing");
    }
    steps.try_step("workflows and Dockerfile", |reporter| pipeline::check(workspace, reporter));
    terraform::steps(workspace, steps);
}

fn check(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let tree = Tree::read(workspace)?;
    let findings = findings(&tree);
    for finding in &findings {
        reporter.say(finding);
    }
    if !findings.is_empty() {
        bail!("{} problems in {FOLDER}/", findings.len());
    }
    let promtool = |arguments: &[&str]| {
        reporter.run(Command::new("promtool").args(arguments).current_dir(workspace.root.join(FOLDER)))
    };
    promtool(&["check", "config", "prometheus/prometheus.yml"])?;
    promtool(&["test", "rules", "prometheus/alerts_test.yml"])?;
    // promtool reads no dashboards, but it reads rules: so their queries become some.
    let rules = workspace.target.join("dashboards-as-rules.yml");
    fs::write(&rules, dashboards::as_rules(&tree))
        .with_context(|| format!("cannot write {}", rules.display()))?;
    reporter.run(Command::new("promtool").args(["check", "rules"]).arg(&rules))
}

/// The files that this is about.
pub(crate) struct Tree(Vec<(String, String)>);

impl Tree {
    fn read(workspace: &Workspace) -> Result<Self> {
        let mut found = Vec::new();
        let below = files::sources(&workspace.root.join(FOLDER))?;
        let paths = below.into_iter().map(|path| format!("{FOLDER}/{path}"));
        for path in paths.chain([".env.example", "docs/metrics.md", "docs/operations.md"].map(str::to_owned))
        {
            let text = fs::read_to_string(workspace.root.join(&path));
            found.push((path.clone(), text.with_context(|| format!("cannot read {path}"))?));
        }
        Ok(Self(found))
    }

    /// The text of a file; an empty one when it is not there, in which much is missing.
    fn text(&self, path: &str) -> &str {
        self.0.iter().find(|(found, _)| found == path).map_or("", |(_, text)| text)
    }

    /// Whether there is such a file or folder.
    fn has(&self, path: &str) -> bool {
        self.0
            .iter()
            .any(|(found, _)| found == path || found.starts_with(&format!("{}/", path.trim_end_matches('/'))))
    }

    fn below<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted =
            self.0.iter().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending));
        wanted.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn yaml(&self, path: &str) -> Result<Yaml> {
        let documents =
            YamlLoader::load_from_str(self.text(path)).with_context(|| format!("{path} is no YAML"))?;
        documents.into_iter().next().ok_or_else(|| anyhow!("{path} is missing or empty"))
    }
}

/// Everything that is wrong, each with its file.
fn findings(tree: &Tree) -> Vec<String> {
    let known = metrics::parse(tree.text("docs/metrics.md"));
    let mut findings = alerts::check(tree, &known);
    findings.extend(dashboards::check(tree, &known));
    findings.extend(compose::check(tree));
    findings
}

/// The elements of a list; none when it is no list.
fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().map_or(&[], Vec::as_slice)
}

/// A text; empty when it is none.
fn text(yaml: &Yaml) -> &str {
    yaml.as_str().unwrap_or_default()
}

/// The names of a map; none when it is no map.
fn keys(yaml: &Yaml) -> Vec<&str> {
    yaml.as_hash().map_or_else(Vec::new, |map| map.keys().map(text).collect())
}
