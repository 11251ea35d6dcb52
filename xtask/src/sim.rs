//! `sim`: plays seeds of the simulation of two nodes, more than the tests do.

use anyhow::Result;
use clap::Args;

use crate::process::cargo;
use crate::step::{Output, Steps};
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct SimArguments {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// Every seed that fails is named, with the end of what happened in it.
pub(crate) fn run(workspace: &Workspace, SimArguments { seeds, from }: &SimArguments) -> Result<()> {
    let mut steps = Steps::new(1, Output::All);
    steps.must("simulation", |reporter| {
        let words = ["test", "--workspace", "--test", "sim", "--", "as_many_seeds_as_wanted", "--nocapture"];
        let mut tests = cargo(workspace, &words);
        tests.env("SIM_SEEDS", seeds.to_string()).env("SIM_FROM", from.to_string());
        reporter.run(&mut tests)
    })
}
