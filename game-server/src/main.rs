//! `dopamine-hero`: the server and the tools of whoever runs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use admin_http::views::Role;
use clap::{Parser, Subcommand};
use game_server::clock::Clock;
use game_server::config::{Config, Problem};
use game_server::exit::Exit;
use game_server::operations::cost::table;
use game_server::server::{Server, StartError};
use game_server::store::OpenStore;
use game_server::{healthcheck, simulate, telemetry, tools};
use persistence::Drained;
use tokio::signal::unix::{SignalKind, signal};

/// A game server for real life: focus makes energy, energy makes modules.
///
/// Everything else is set by environment variables: see .env.example and docs/operations.md.
#[derive(Parser)]
#[command(name = "dopamine-hero", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve,
    /// Play a scenario without a server: JSON lines in, JSON lines of events and the hero out
    Simulate {
        /// The scenario
        file: PathBuf,
    },
    /// Check every hero of the store: chain, gaps, snapshots, ledger. Works beside a running server
    Verify,
    /// Print everything that is kept about one hero as JSON. Works beside a running server
    Export {
        /// The hero's id
        hero: String,
    },
    /// Make the read models (the tables for the operators' panel and statistics) again from the journal. With SQLite the
    /// server must not run
    RebuildReadModels {
        /// The hero's id; without it, everybody's are made again
        #[arg(conflicts_with = "after")]
        hero: Option<String>,
        /// Only those after this hero: where an interrupted run said that it was
        #[arg(long)]
        after: Option<String>,
    },
    /// Bring the store's tables up to date
    Migrate {
        /// Only print where each migration stands
        #[arg(long)]
        status: bool,
    },
    /// Add demo players with a month to four months of history; the server must not run
    Seed {
        /// As many typical players (ten tasks, six modules, a month of days) instead, for measurements; prints a line of JSON
        /// for each: hero_id, device_token, seq
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        players: Option<u32>,
    },
    /// Put the catalogue inside this program in force; servers that run follow within seconds
    UseBuiltinCatalogue,
    /// What it costs to run this for so many people: the three phases of the plan, from measured load and a list of prices
    Cost {
        /// Registered players; adds a row for them
        #[arg(long)]
        players: Option<u64>,
        /// Percent of them that are there at once at the busiest time (10 when left out)
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=100))]
        concurrency: Option<u64>,
    },
    /// Ask the server on this machine whether it is ready
    Healthcheck,
    /// Who may use the operators' panel. Works beside a running server
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
    /// What operators did. Works beside a running server
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
}

#[derive(Subcommand)]
enum Admin {
    /// Print a token that makes somebody an operator, once, within 24 hours; so comes the first one. For a name that exists,
    /// it lets that person choose a password and authenticator anew
    Invite {
        /// 1 to 32 of a to z, 0 to 9, point, dash and underscore
        name: String,
        /// viewer, support, operator or owner
        #[arg(long, default_value = "owner", value_parser = role)]
        role: Role,
    },
}

#[derive(Subcommand)]
enum Audit {
    /// Read the whole audit log and say whether anything in it was changed, removed, moved or cut off
    Verify {
        /// A row that must be there, as a line of the server's log names it: SEQ:HASH
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<String>,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "viewer, support, operator or owner".to_owned())
}

fn main() -> ExitCode {
    // Before any client is made. It fails only when there is one already, and then it is the same.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    if let Command::Simulate { file } = &command {
        return finish(simulate::run(file, &mut std::io::stdout().lock()));
    }
    if let Command::Cost { players, concurrency } = command {
        return finish(table::write(players, concurrency, &mut std::io::stdout().lock()));
    }
    let config = match Config::parse(environment) {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    if let Err(exit) = check_broken_build() {
        return exit.into();
    }
    // Before the runtime: it makes clients that have their own.
    let telemetry = telemetry::start(&config.telemetry);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Unavailable, error),
    };
    let exit = runtime.block_on(run(command, config));
    // What still runs is a client that does not read or a tool's last write; nobody waits for it.
    runtime.shutdown_timeout(Duration::from_secs(1));
    telemetry.finish();
    exit
}

async fn run(command: Command, config: Config) -> ExitCode {
    let mut out = std::io::stdout();
    match command {
        Command::Serve => serve(config).await,
        Command::Simulate { .. } | Command::Cost { .. } => ExitCode::SUCCESS,
        Command::Verify => match tools::verify(&config, &mut out).await {
            Ok(summary) if summary.damaged == 0 => ExitCode::SUCCESS,
            Ok(_) => Exit::Damaged.into(),
            Err(error) => fail(Exit::Failed, error),
        },
        Command::Export { hero } => finish(tools::export(&config, &hero, &mut out).await),
        Command::RebuildReadModels { hero, after } => {
            finish(tools::rebuild_read_models(&config, hero.as_deref(), after.as_deref(), &mut out).await)
        }
        Command::Migrate { status } => finish(tools::migrate(&config, status, &mut out).await),
        Command::Seed { players } => finish(tools::seed(&config, players, &mut out).await),
        Command::UseBuiltinCatalogue => finish(tools::use_builtin_catalogue(&config, &mut out).await),
        Command::Healthcheck => finish(healthcheck::run(&config).await),
        Command::Admin { what: Admin::Invite { name, role } } => {
            finish(tools::operators::invite(&config, &name, role, &mut out).await)
        }
        Command::Audit { what: Audit::Verify { expect } } => {
            match tools::operators::verify_audit(&config, expect.as_deref(), &mut out).await {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => Exit::Damaged.into(),
                Err(error) => fail(Exit::Failed, error),
            }
        }
    }
}

async fn serve(config: Config) -> ExitCode {
    let deadline = config.drain_deadline;
    let server = match start(config).await {
        Ok(server) => server,
        Err(error) => return fail(Exit::Unavailable, error),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), players = %server.address(), "ready");
    tokio::select! {
        biased;
        what = server.failed() => {
            tracing::error!(what, "broken; what was acknowledged is safe, a restart goes on from there");
            return Exit::Broken.into();
        }
        () = stop_signal() => {}
        () = server.asked_to_stop() => {}
    }
    tracing::info!(deadline_ms = deadline.as_millis(), "shutting down; a second signal ends at once");
    tokio::select! {
        drained = server.shutdown(deadline) => match drained {
            Drained::Clean => ExitCode::SUCCESS,
            Drained::Late { groups } => {
                tracing::error!(groups, "the deadline ran out; what was acknowledged is safe");
                Exit::Late.into()
            }
        },
        () = stop_signal() => Exit::Interrupted.into(),
    }
}

async fn start(config: Config) -> Result<Server, StartError> {
    let store = OpenStore::open(&config.database).await?;
    #[cfg(feature = "fault-points")]
    let store = match environment("FAULT_POINT") {
        Some(point) => store.dying_at(point.parse().expect("FAULT_POINT says a place and a number")),
        None => store,
    };
    Server::start(config, Clock::system(), store).await
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("a process may listen for SIGTERM");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may listen for SIGINT");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
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
    Exit::Usage.into()
}

fn finish(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(Exit::Failed, error),
    }
}

fn fail(exit: Exit, error: impl Into<anyhow::Error>) -> ExitCode {
    // With {:#}, the causes are printed too.
    eprintln!("dopamine-hero: {:#}", error.into());
    exit.into()
}

/// Builds that exist so that a fault test can be seen to fail, and what each of them does.
const TEST_BUILDS: [(bool, &str, &str); 5] = [
    (
        cfg!(feature = "broken-ack-before-flush"),
        "broken-ack-before-flush",
        "acknowledges commands before they are on disk",
    ),
    (cfg!(feature = "broken-sqlite-normal"), "broken-sqlite-normal", "loses commands in a power cut"),
    (
        cfg!(feature = "broken-postgres-async-commit"),
        "broken-postgres-async-commit",
        "loses commands when Postgres dies",
    ),
    (cfg!(feature = "broken-fence-off"), "broken-fence-off", "lets two servers write one hero"),
    (cfg!(feature = "fault-points"), "fault-points", "kills itself where FAULT_POINT tells it to"),
];

/// None of them must ever hold a player's hero by accident.
fn check_broken_build() -> Result<(), Exit> {
    for (_, feature, what) in TEST_BUILDS.iter().filter(|(is_on, ..)| *is_on) {
        if environment("I_WANT_TO_LOSE_DATA").as_deref() != Some("yes") {
            eprintln!("dopamine-hero: this build {what} ({feature}).");
            eprintln!("It exists for one test and starts only with I_WANT_TO_LOSE_DATA=yes.");
            return Err(Exit::Usage);
        }
        eprintln!("***** WARNING: this build {what}. For fault tests only. *****");
    }
    Ok(())
}
