//! Starting other programs: with their output on the terminal, or kept until something fails.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clock::Stopwatch;
use crate::workspace::{Workspace, cargo_program};

/// Lines of a failed program that are shown; older ones are dropped.
const KEPT_LINES_MAX: usize = 400;
/// How long a program may take to stop after SIGTERM before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(40);
/// How often we look whether a program has ended.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A cargo command at the root of the workspace.
///
/// The variables that the outer `cargo run` sets about xtask itself are removed: build scripts that watch them would
/// otherwise run again each time one changes between xtask and a cargo called by hand.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(arguments).current_dir(&workspace.root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_xtask =
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix));
        if about_xtask || text == "CARGO_CRATE_NAME" || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(&name);
        }
    }
    command
}

/// An npm command in the npm workspace.
pub(crate) fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(workspace.web());
    command
}

/// The command as one would type it.
pub(crate) fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs with the output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", typed(command)))?;
    expect_success(command, status)
}

/// Runs and hands each line of output to `line` as it comes; the error carries the last lines.
pub(crate) fn run_with_lines(command: &mut Command, line: &(dyn Fn(&str) + Sync)) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", typed(command)))?;
    let kept = Arc::new(Mutex::new(VecDeque::new()));
    thread::scope(|scope| {
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ];
        for pipe in pipes.into_iter().flatten() {
            let kept = Arc::clone(&kept);
            scope.spawn(move || read_lines(pipe, &kept, line));
        }
    });
    let status = child.wait().context("cannot wait for a program")?;
    expect_success(command, status).with_context(|| {
        let kept = kept.lock().expect("no reader panics while it holds the lock");
        kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    })
}

fn read_lines(pipe: Box<dyn Read + Send>, kept: &Mutex<VecDeque<String>>, line: &(dyn Fn(&str) + Sync)) {
    for text in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&text).trim_end().to_owned();
        line(&text);
        let mut kept = kept.lock().expect("no reader panics while it holds the lock");
        if kept.len() == KEPT_LINES_MAX {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}

/// Runs and returns what it printed, or nothing when it is not there or fails.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn expect_success(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", typed(command));
    }
    Ok(())
}

/// A program that runs beside us, in a process group of its own: Ctrl-C reaches only xtask, which then stops the
/// program in order and waits for it. Dropping it stops it.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    over: bool,
}

impl Service {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{}`", typed(command)))?;
        Ok(Self { name, child, over: false })
    }

    /// The process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait().with_context(|| format!("cannot look after {}", self.name))?;
        self.over |= status.is_some();
        Ok(status)
    }

    /// Sends a signal (`TERM`, `KILL`) to the whole group.
    pub(crate) fn signal(&self, signal: &str) {
        if !self.over {
            // The shell's own `kill`: xtask forbids unsafe code, and not every Debian has the program.
            let script = format!("kill -{signal} -{}", self.child.id());
            let _gone_already = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        }
    }

    /// Asks it to stop and waits until it has; kills it when it takes too long or `impatient` says so.
    pub(crate) fn stop(&mut self, impatient: impl Fn() -> bool) -> Result<ExitStatus> {
        self.signal("TERM");
        let asked = Stopwatch::start();
        let mut killed = false;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if !killed && (impatient() || asked.elapsed() > STOP_PATIENCE) {
                eprintln!(
                    "{} has not stopped after {} s and is killed",
                    self.name,
                    asked.elapsed().as_secs()
                );
                self.signal("KILL");
                killed = true;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !self.over {
            let _best_effort = self.stop(|| false);
        }
    }
}

#[cfg(test)]
mod tests;
