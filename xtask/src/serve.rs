//! `run`: from a fresh clone to a page to play on.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::clock::Stopwatch;
use crate::process::{POLL_INTERVAL, Service, cargo};
use crate::readiness;
use crate::signals::StopSignal;
use crate::step::{Output, Reporter, Steps};
use crate::tools;
use crate::web;
use crate::workspace::Workspace;

/// A server that replays a long journal may take a while; one that takes longer than this has a problem.
const READY_TIME_MAX: Duration = Duration::from_secs(120);

/// What `run` takes.
#[derive(Args)]
pub(crate) struct RunArguments {
    /// The player's port; admin and metrics take the two after it, so that several servers can run
    #[arg(long)]
    port: Option<u16>,
    /// Build the optimised server (slow the first time)
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &RunArguments) -> Result<()> {
    let settings = Settings::new(workspace, arguments.port)?;
    let mut steps = Steps::new(4, Output::Brief);
    steps.must("tools", |_| tools::check_compiler().and_then(|()| tools::check_node()))?;
    steps.must("web client", |reporter| web::build(workspace, reporter))?;
    steps.must("server (the first time takes minutes)", |reporter| {
        build(workspace, arguments.release, reporter)
    })?;
    let stop = StopSignal::listen()?;
    let mut server =
        steps.must("start", |reporter| start(workspace, reporter, &settings, &stop, arguments.release))?;
    eprintln!("{}", banner(&settings));

    loop {
        if let Some(status) = server.ended()? {
            bail!("the server ended by itself with {status}; its last words are above");
        }
        if stop.take() {
            break;
        }
        thread::sleep(POLL_INTERVAL);
    }
    eprintln!("\nStopping: the server saves everything first (Ctrl-C again stops it at once) …");
    let status = server.stop(|| stop.take())?;
    if !status.success() {
        bail!("the server ended with {status}");
    }
    eprintln!("Stopped. Nothing is lost; `cargo xtask run` goes on where you were.");
    Ok(())
}

/// Builds the server and the bots. Every verb builds them with these very arguments, because other arguments mean other
/// features of common crates, and cargo would compile those again. xtask itself is running and stays as it is.
pub(crate) fn build(workspace: &Workspace, release: bool, reporter: &Reporter) -> Result<()> {
    let mut arguments = vec!["build", "--workspace", "--exclude", "xtask", "--bins"];
    if release {
        arguments.push("--release");
    }
    reporter.run(&mut cargo(workspace, &arguments))
}

/// Builds the programs as the tests have built them. Tests switch on features of libraries; with others, half of the libraries
/// would be compiled a second time, for minutes.
pub(crate) fn build_with_tests(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    reporter.run(&mut cargo(workspace, &["build", "--workspace", "--bins", "--tests"]))
}

/// Starts the server and waits until it takes players.
pub(crate) fn start(
    workspace: &Workspace,
    reporter: &Reporter,
    settings: &Settings,
    stop: &StopSignal,
    release: bool,
) -> Result<Service> {
    reporter.make_way();
    for port in [settings.port("PORT")?, settings.port("ADMIN_PORT")?, settings.port("METRICS_PORT")?] {
        if readiness::is_taken(port) {
            bail!("port {port} is taken by another program; stop that, or choose other ports with --port");
        }
    }
    let port = settings.port("PORT")?;
    let mut server = Service::start("the server", settings.command(workspace, release).arg("serve"))?;
    let started = Stopwatch::start();
    while !readiness::is_ready(port) {
        if let Some(status) = server.ended()? {
            bail!("the server ended with {status} before it was ready; its reason is above");
        }
        if stop.take() {
            bail!("stopped before the server was ready");
        }
        if started.elapsed() > READY_TIME_MAX {
            bail!("the server was not ready on port {port} within {} s", READY_TIME_MAX.as_secs());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(server)
}

fn banner(settings: &Settings) -> String {
    let port = settings.get("PORT");
    let database = settings.get("DATABASE_URL");
    format!(
        "\n  Dopamine Hero is running.\n\n    Play   http://localhost:{port}/\n    Data   {database}\n    Stop   Ctrl-C\n"
    )
}

/// The environment the server gets: what this shell has set, else values that fit a developer.
pub(crate) struct Settings {
    values: BTreeMap<String, String>,
}

impl Settings {
    pub(crate) fn new(workspace: &Workspace, port: Option<u16>) -> Result<Self> {
        fs::create_dir_all(workspace.root.join("data")).context("cannot make the folder data")?;
        let mut values = BTreeMap::from(
            [
                ("PORT", "3001"),
                ("ADMIN_PORT", "3002"),
                ("METRICS_PORT", "9464"),
                ("DATABASE_URL", "sqlite://data/dopamine-hero.sqlite"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && values.contains_key(name)
            {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(port) = port {
            for (offset, name) in ["PORT", "ADMIN_PORT", "METRICS_PORT"].into_iter().enumerate() {
                values.insert(name.to_owned(), (usize::from(port) + offset).to_string());
            }
        }
        Ok(Self { values })
    }

    /// One more variable, unless this shell has set it.
    pub(crate) fn with_default(mut self, name: &str, value: &str) -> Self {
        if std::env::var_os(name).is_none() {
            self.values.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub(crate) fn port(&self, name: &str) -> Result<u16> {
        let text = self.get(name);
        text.parse().with_context(|| format!("{name} is {text:?}, not a port (1 to 65535)"))
    }

    /// The server's program with these settings; the caller adds the subcommand.
    pub(crate) fn command(&self, workspace: &Workspace, release: bool) -> Command {
        let mut command = Command::new(workspace.server_binary(release));
        command.current_dir(&workspace.root).envs(&self.values);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_says_where_to_play_and_how_to_stop() {
        let values = BTreeMap::from([("PORT".to_owned(), "4001".to_owned())]);
        let text = banner(&Settings { values });
        assert!(text.contains("http://localhost:4001/") && text.contains("Ctrl-C"), "{text}");
    }
}
