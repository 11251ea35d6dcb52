//! `faults`: every fault there is to survive, against real processes; writes `docs/faults.md`.

use anyhow::{Result, bail};
use clap::Args;
use std::process::Command;

use crate::install;
use crate::serve;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// What `faults` takes.
#[derive(Args)]
pub(crate) struct FaultArguments {
    /// Which cases (`--list` names them); all when none is named. Their rows in docs/faults.md are renewed
    cases: Vec<String>,
    /// Only the short cases, with smaller counts
    #[arg(long)]
    quick: bool,
    /// Only list the cases
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &FaultArguments) -> Result<()> {
    let mut steps = Steps::new(3, Output::All);
    steps.must("Postgres, Redis and tools", |reporter| {
        install::databases(reporter)?;
        install::fault_tools(reporter);
        Ok(())
    })?;
    steps.must("server and bots", |reporter| serve::build(workspace, false, reporter))?;
    let mut words: Vec<&str> = arguments.cases.iter().map(String::as_str).collect();
    if arguments.quick {
        words.push("--quick");
    }
    if arguments.list {
        words.push("--list");
    }
    let table = workspace.root.join("docs/faults.md").display().to_string();
    if !arguments.quick && !arguments.list {
        words.extend(["--table", &table]);
    }
    steps.must("faults", |reporter| cases(workspace, &words, reporter))?;
    steps.finish()
}

/// The short cases, on what is built already.
pub(crate) fn quick(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    install::fault_tools(reporter);
    serve::build_with_tests(workspace, reporter)?;
    cases(workspace, &["--quick"], reporter)
}

fn cases(workspace: &Workspace, words: &[&str], reporter: &Reporter) -> Result<()> {
    let server = workspace.server_binary(false);
    let Some(folder) = server.parent() else { bail!("{} is in no folder", server.display()) };
    let mut command = Command::new(folder.join("load-tests"));
    command.arg("faults").args(words).arg("--server").arg(&server).arg("--workspace").arg(&workspace.root);
    command.arg("--data").arg(workspace.target.join("faults"));
    reporter.run(&mut command)
}
