//! Every development task as one verb: `cargo xtask help` lists them.
//!
//! It is compiled first on a fresh clone, so it depends on no crate of the workspace and on few others.

mod bench;
mod clock;
mod codegen;
mod database;
mod dependencies;
mod deploy;
mod dev;
mod doctor;
mod faults;
mod files;
mod infra;
mod install;
mod instructions;
mod process;
mod readiness;
mod release;
mod security;
mod serve;
mod signals;
mod sim;
mod step;
mod suite;
mod tidy;
mod tools;
mod verbs;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Develops Dopamine Hero: `cargo xtask run` plays it, `cargo xtask test` checks all of it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build what is missing, start the server on a SQLite file and print where to play
    Run(serve::RunArguments),
    /// Start the server and the web client and reload each when its sources change
    Dev(dev::DevArguments),
    /// Install what the machine lacks and run every test, or one suite of them
    Test {
        /// Which tests; all of them when left out
        suite: Option<suite::Suite>,
    },
    /// Build the web client and the server, or one of them
    Build {
        /// Which half; both when left out
        part: Option<Part>,
        /// Optimise the server
        #[arg(long)]
        release: bool,
    },
    /// Say what this machine has of what the verbs need, what it lacks, and how to get that
    Doctor,
    /// Work on the server's database
    Db {
        #[command(subcommand)]
        action: database::Action,
    },
    /// Check what watches the server: alerts, dashboards, the compose file
    Infra {
        #[command(subcommand)]
        action: infra::Action,
    },
    /// Say what it costs to run this for so many people, from measured load and a list of prices
    Cost {
        /// `--players N --concurrency PERCENT`, as `dopamine-hero cost` takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Inject faults into real processes and check that nothing is lost: all of them, or the named ones
    Faults(faults::FaultArguments),
    /// Prove what tests are too short for: fuzz targets, the WebSocket conformance suite, a search for leaked secrets
    Security(security::SecurityArguments),
    /// Measure, against a baseline in the same run; optimised, so that the first time compiles for some minutes
    Bench(bench::BenchArguments),
    /// Count the instructions of a command's and a tick's parts; fail above the committed counts
    Instructions(instructions::InstructionArguments),
    /// Play seeds of the simulation: two nodes, one store, and what goes wrong between them
    Sim(sim::SimArguments),
    /// Check style and what we depend on: tidy, rustfmt, clippy, the TypeScript linter, licences
    Lint {
        /// Repair what can be repaired by itself
        #[arg(long)]
        fix: bool,
    },
    /// Ask for known vulnerabilities of crates and npm packages
    Audit,
    /// Format the Rust sources
    Fmt,
    /// Check the types of Rust and TypeScript without building
    Check,
    /// Write the TypeScript types of the protocol from the Rust ones
    Codegen {
        /// Write nothing; fail when the committed file is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Check the rules of the repository: who depends on whom, file sizes, names in ARCHITECTURE.md
    Tidy,
    /// Put an image on the servers of an environment: tables, blue/green, drain
    Deploy(deploy::DeployArguments),
    /// Make the files of a release from the images of a tag
    Release(release::ReleaseArguments),
    /// Do what continuous integration does: lint, every test, the count of instructions, short fuzzing
    Ci,
}

/// One half of the product.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The web client in `web/`
    Web,
    /// The binary `dopamine-hero`
    Server,
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    let workspace = workspace::Workspace::load()?;
    match verb {
        Verb::Run(run) => serve::run(&workspace, &run),
        Verb::Dev(dev) => dev::run(&workspace, &dev),
        Verb::Test { suite } => suite::test(&workspace, suite),
        Verb::Build { part, release } => verbs::build(&workspace, part, release),
        Verb::Doctor => doctor::run(),
        Verb::Db { action } => database::run(&workspace, &action),
        Verb::Infra { action } => infra::run(&workspace, &action),
        Verb::Cost { arguments } => verbs::cost(&workspace, &arguments),
        Verb::Faults(arguments) => faults::run(&workspace, &arguments),
        Verb::Security(arguments) => security::run(&workspace, &arguments),
        Verb::Bench(arguments) => bench::run(&workspace, &arguments),
        Verb::Instructions(arguments) => instructions::run(&workspace, &arguments),
        Verb::Sim(sim) => sim::run(&workspace, &sim),
        Verb::Lint { fix } => verbs::lint(&workspace, fix),
        Verb::Audit => dependencies::audit(&workspace),
        Verb::Fmt => verbs::format(&workspace),
        Verb::Check => verbs::check(&workspace),
        Verb::Codegen { check } => codegen::run(&workspace, check),
        Verb::Tidy => tidy::run(&workspace),
        Verb::Deploy(arguments) => deploy::run(&arguments),
        Verb::Release(arguments) => release::run(&workspace, &arguments),
        Verb::Ci => suite::ci(&workspace),
    }
}

#[cfg(test)]
mod tests;
