//! `dopamine-hero`: the server and the tools of whoever runs it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use game_server::config::{Config, Problem};
use game_server::telemetry;

/// The command line or the environment is wrong (`EX_USAGE`).
const EXIT_USAGE: u8 = 64;

/// A game server for real life: focus makes energy, energy makes modules.
///
/// Everything else is set by environment variables: see .env.example and docs/operations.md.
#[derive(Parser)]
#[command(name = "dopamine-hero", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve,
}

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    let config = match Config::parse(environment) {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    telemetry::start(config.log_level, config.log_format);
    match command {
        Command::Serve => ExitCode::SUCCESS,
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn refuse(problems: &[Problem]) -> ExitCode {
    eprintln!("dopamine-hero: {} wrong in the environment:", problems.len());
    for problem in problems {
        eprintln!("  {problem}");
    }
    eprintln!("Every variable is explained in .env.example.");
    ExitCode::from(EXIT_USAGE)
}
