//! `bench`: programs that measure, each against a baseline in the same run, each printing one line of JSON.

use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::install;
use crate::process::cargo;
use crate::serve;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// What `bench` takes.
#[derive(Args)]
pub(crate) struct BenchArguments {
    /// Which; all of them when left out
    name: Option<Bench>,
}

/// A program that measures.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// Nanoseconds a hero in a tick, against a plain loop over the same rows
    Tick,
    /// CPU time of a durable command, with SQLite and with Postgres, against a bare echo of the same sizes
    Command,
    /// Memory of each connected player
    Memory,
    /// Bytes to and from a focusing player who does nothing
    Wire,
    /// Time from the start to ready, and until 10,000 players have resumed
    Restart,
    /// Events a second into Postgres, against multi-row inserts of the same bytes
    Journal,
}

/// How a benchmark is run.
enum Program {
    /// A bench target of a crate.
    Target(&'static str),
    /// `load-tests bench` with these words, against an optimised server.
    Server(&'static [&'static [&'static str]]),
}

impl Bench {
    fn program(self) -> Program {
        match self {
            Self::Tick => Program::Target("tick"),
            Self::Journal => Program::Target("journal"),
            Self::Command => Program::Server(&[&["command"], &["command", "--postgres"]]),
            Self::Memory => Program::Server(&[&["memory"]]),
            Self::Wire => Program::Server(&[&["wire"]]),
            Self::Restart => Program::Server(&[&["restart"]]),
        }
    }

    fn needs_databases(self) -> bool {
        matches!(self, Self::Command | Self::Journal)
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<()> {
    let benches = arguments.name.map_or(Bench::value_variants().to_vec(), |name| vec![name]);
    let needs_databases = benches.iter().any(|bench| bench.needs_databases());
    let needs_server = benches.iter().any(|bench| matches!(bench.program(), Program::Server(_)));
    let count = benches.len() + usize::from(needs_databases) + usize::from(needs_server);
    let mut steps = Steps::new(count, Output::All);
    if needs_databases {
        steps.must("Postgres and Redis", install::databases)?;
    }
    if needs_server {
        steps.must("an optimised server", |reporter| serve::build(workspace, true, reporter))?;
    }
    for bench in benches {
        let name = bench.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        steps.must(&name, |reporter| match bench.program() {
            // The whole workspace, so that it is built with the features that everything else has.
            Program::Target(target) => {
                reporter.run(&mut cargo(workspace, &["bench", "--workspace", "--bench", target]))
            }
            Program::Server(runs) => runs.iter().try_for_each(|words| server(workspace, words, reporter)),
        })?;
    }
    steps.finish()
}

fn server(workspace: &Workspace, words: &[&str], reporter: &Reporter) -> Result<()> {
    let server = workspace.server_binary(true);
    let Some(folder) = server.parent() else { bail!("{} is in no folder", server.display()) };
    let mut command = Command::new(folder.join("load-tests"));
    command.arg("bench").args(words).arg("--server").arg(&server);
    command.arg("--data").arg(workspace.target.join("bench"));
    reporter.run(&mut command)
}
