//! `bench`: programs that measure, each against a baseline in the same run, each printing one line of JSON.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::install;
use crate::process::cargo;
use crate::step::{Output, Steps};
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
    /// Events a second into Postgres, against multi-row inserts of the same bytes
    Journal,
}

pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<()> {
    let names = arguments.name.map_or(Bench::value_variants().to_vec(), |name| vec![name]);
    let mut steps = Steps::new(names.len() + 1, Output::All);
    steps.must("Postgres and Redis", install::databases)?;
    for name in names {
        let program = match name {
            Bench::Journal => "journal",
        };
        // The whole workspace, so that it is built with the features that everything else has.
        steps.must(program, |reporter| {
            reporter.run(&mut cargo(workspace, &["bench", "--workspace", "--bench", program]))
        })?;
    }
    steps.finish()
}
