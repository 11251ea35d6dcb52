//! The command line of the load programs and fault tests. `load-tests help` explains each.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use load_tests::bench::{self, BenchOptions};
use load_tests::fault;
use load_tests::faults::ServerPlan;
use load_tests::scenario::crowd::CrowdOptions;
use load_tests::scenario::kill::{KillOptions, run as run_kill};
use load_tests::scenario::load::{LoadOptions, Program, run as run_load};
use load_tests::scenario::switch::{Place, SwitchOptions, run as run_switch};
use load_tests::scenario::{hostile, write_report};
use load_tests::security::{self, SecurityOptions};

/// Counts what is allocated, for what hostile frames cost; two counters more in every allocation.
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// Bots that play, measure and check that nothing is lost.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Kills a server of its own with -9 again and again under load; fails if anything acknowledged is lost or doubled.
    Kill(Kill),
    /// Players who connect and then only exist.
    Idle(Load),
    /// Durable commands at a fixed rate, latency from the due moment.
    Commands(Load),
    /// Faults to survive and their proofs, all or the named ones; fails if a promise breaks or a control stays blind.
    Faults(Faults),
    /// What attacks cost everybody else, all measurements or the named ones; fails if a goal is missed.
    Security(Security),
    /// An operator puts other catalogues in force while players play; fails if one is disconnected, a command is lost or
    /// done twice, or somebody does not hear of it.
    CatalogueSwitch(CatalogueSwitch),
    /// What the server costs, one measurement; prints a line of JSON.
    Bench(BenchOptions),
    /// Answers frames; the baseline of a measurement.
    #[command(hide = true)]
    BareEcho,
    /// Every kind of wrong frame; fails if one is not refused as it should be or changes anything.
    Hostile {
        /// The server's binary; it is started on a store of its own.
        #[arg(long)]
        server: PathBuf,
        /// Where the store and the log go.
        #[arg(long, default_value = "target/hostile-test")]
        data: PathBuf,
    },
}

#[derive(Args)]
struct Kill {
    /// The server's binary.
    #[arg(long)]
    server: PathBuf,
    /// How often it is killed.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How many devices play; each fifth is a second device of the hero before it.
    #[arg(long, default_value_t = 50)]
    bots: u32,
    /// Kill moments and wishes follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the store, the log, the ledgers and report.json go; a store in it is replaced.
    #[arg(long, default_value = "target/kill-test")]
    data: PathBuf,
    /// Earliest kill after the server is ready.
    #[arg(long, default_value_t = 50)]
    after_ms_min: u64,
    /// Latest kill after the server is ready.
    #[arg(long, default_value_t = 1500)]
    after_ms_max: u64,
    /// How long the server stays down.
    #[arg(long, default_value_t = 0)]
    restart_ms: u64,
    /// Mean time between two wishes of one bot.
    #[arg(long, default_value_t = 200)]
    wish_ms: u64,
    /// Verify the store after each n-th kill.
    #[arg(long, default_value_t = 1)]
    verify_each: u32,
    /// The control run against a build that acknowledges before it flushes: succeeds only if a loss is found.
    #[arg(long)]
    expect_loss: bool,
}

#[derive(Args)]
struct Faults {
    /// Which cases; all when none is named.
    cases: Vec<String>,
    /// The server's binary.
    #[arg(long, default_value = "target/debug/dopamine-hero")]
    server: PathBuf,
    /// The workspace, where broken builds are made when a control needs one.
    #[arg(long, default_value = ".")]
    workspace: PathBuf,
    /// Where each case has a folder.
    #[arg(long, default_value = "target/faults")]
    data: PathBuf,
    /// Only the short cases, with smaller counts.
    #[arg(long)]
    quick: bool,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the table to this file.
    #[arg(long)]
    table: Option<PathBuf>,
    /// Only list the cases.
    #[arg(long)]
    list: bool,
}

#[derive(Args)]
struct Security {
    /// Which measurements; all when none is named.
    names: Vec<String>,
    /// The server's binary.
    #[arg(long, default_value = "target/debug/dopamine-hero")]
    server: PathBuf,
    /// Where each measurement has a folder.
    #[arg(long, default_value = "target/security")]
    data: PathBuf,
    /// Few rounds: shows that it works, not how much it is.
    #[arg(long)]
    quick: bool,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct CatalogueSwitch {
    /// The server's binary; it is started on a store of its own and examined afterwards.
    #[arg(long, default_value = "target/debug/dopamine-hero")]
    server: PathBuf,
    /// Where the store, the log and report.json go.
    #[arg(long, default_value = "target/switch-test")]
    data: PathBuf,
    /// How many devices play; each fifth is a second device of the hero before it.
    #[arg(long, default_value_t = 1000)]
    players: u32,
    /// Mean time between two wishes of one of them.
    #[arg(long, default_value_t = 5000)]
    wish_ms: u64,
    /// How long is played before, between and after the switches.
    #[arg(long, default_value_t = 5000)]
    pause_ms: u64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A server that runs, instead of one of its own: where players connect.
    #[arg(long, requires_all = ["admin_url", "operator_cookie"])]
    url: Option<String>,
    /// Where its operators log in.
    #[arg(long, requires = "url")]
    admin_url: Option<String>,
    /// The value of the cookie of one of them, who must be an owner.
    #[arg(long, requires = "url")]
    operator_cookie: Option<String>,
}

#[derive(Args)]
struct Load {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:3001")]
    url: String,
    /// How many players.
    #[arg(long)]
    players: u32,
    /// Connects (idle) or commands (commands) per second, over all players.
    #[arg(long)]
    rate: f64,
    /// How long to measure once everybody is connected.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the report to this file.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Cli::parse().scenario {
        Scenario::Kill(arguments) => kill(arguments).await,
        Scenario::Idle(arguments) => load(Program::Idle, arguments).await,
        Scenario::Commands(arguments) => load(Program::Commands, arguments).await,
        Scenario::Faults(arguments) => faults(arguments).await,
        Scenario::Security(arguments) => security(arguments).await,
        Scenario::CatalogueSwitch(arguments) => catalogue_switch(arguments).await,
        Scenario::Bench(options) => {
            println!("{}", bench::run(&options).await?);
            Ok(ExitCode::SUCCESS)
        }
        Scenario::BareEcho => bench::echo::serve().await.map(|()| ExitCode::SUCCESS),
        Scenario::Hostile { server, data } => hostile(&server, &data).await,
    }
}

async fn kill(arguments: Kill) -> Result<ExitCode> {
    let data = std::path::absolute(&arguments.data).context("no such place")?;
    let server = std::path::absolute(&arguments.server).context("no such place")?;
    let mut options = KillOptions {
        kills: arguments.kills,
        crowd: CrowdOptions {
            bots: arguments.bots,
            seed: arguments.seed,
            wish_every_ms: arguments.wish_ms,
            cut_once_in: 150,
        },
        kill_after_ms_min: arguments.after_ms_min,
        kill_after_ms_max: arguments.after_ms_max,
        down_ms: arguments.restart_ms,
        verify_each: arguments.verify_each,
        ..KillOptions::new(server, data.clone())
    };
    if arguments.expect_loss {
        // The broken build refuses to start without this.
        options.environment.push(("I_WANT_TO_LOSE_DATA".to_owned(), "yes".to_owned()));
    }
    let report = run_kill(&options).await?;
    println!("{}", report.summary());
    println!("report: {}", data.join("report.json").display());
    if arguments.expect_loss {
        let words = if report.found_loss() {
            "the loss was found, as it must be with this build"
        } else {
            "NO loss was found: either this build is not the broken one, or this test is blind"
        };
        println!("{words}");
        return Ok(exit_code(report.found_loss()));
    }
    println!("{}", if report.is_clean() { "nothing lost, nothing doubled" } else { "FAILED" });
    Ok(exit_code(report.is_clean()))
}

async fn catalogue_switch(arguments: CatalogueSwitch) -> Result<ExitCode> {
    let data = std::path::absolute(&arguments.data).context("no such place")?;
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let place = match (arguments.url, arguments.admin_url, arguments.operator_cookie) {
        (Some(players), Some(operators), Some(cookie)) => Place::Running { players, operators, cookie },
        _ => {
            let binary = std::path::absolute(&arguments.server).context("no such place")?;
            Place::Own { binary, directory: data.clone() }
        }
    };
    let crowd = CrowdOptions {
        bots: arguments.players,
        seed: arguments.seed,
        wish_every_ms: arguments.wish_ms,
        cut_once_in: 0,
    };
    let pause = Duration::from_millis(arguments.pause_ms);
    let report = run_switch(&SwitchOptions { crowd, pause, place }).await?;
    println!("{}", serde_json::to_string_pretty(&report).context("a report is plain data")?);
    write_report(&data.join("report.json"), &report)?;
    let words = if report.is_clean() { "nobody was disconnected, nothing was lost" } else { "FAILED" };
    println!("{words}");
    Ok(exit_code(report.is_clean()))
}

async fn faults(arguments: Faults) -> Result<ExitCode> {
    if arguments.list {
        for case in fault::CASES {
            println!("{:<10} {}", case.id, case.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let bench = fault::Bench {
        binary: fault::absolute(&arguments.server)?,
        workspace: fault::absolute(&arguments.workspace)?,
        data: fault::absolute(&arguments.data)?,
        quick: arguments.quick,
        seed: arguments.seed,
    };
    let write_table = |rows: &[fault::Row]| match &arguments.table {
        Some(path) => {
            let earlier = std::fs::read_to_string(path).unwrap_or_default();
            let page = fault::table(rows, &earlier, &fault::machine_facts(), "cargo xtask faults");
            std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
        }
        None => Ok(()),
    };
    let rows = fault::run(&bench, &arguments.cases, &write_table).await?;
    let good = rows.iter().all(fault::Row::is_good);
    println!("{}", if good { "every promise held, every control found its loss" } else { "FAILED" });
    Ok(exit_code(good))
}

async fn security(arguments: Security) -> Result<ExitCode> {
    let options = SecurityOptions {
        binary: fault::absolute(&arguments.server)?,
        data: fault::absolute(&arguments.data)?,
        quick: arguments.quick,
        seed: arguments.seed,
    };
    Ok(exit_code(security::run(&options, &arguments.names).await?))
}

async fn hostile(server: &Path, data: &Path) -> Result<ExitCode> {
    let (server, data) = (std::path::absolute(server)?, std::path::absolute(data)?);
    let plan = ServerPlan::new(&server, &data)?.without_socket_limits();
    let running = plan.start().await?;
    let report = hostile::run(&plan.endpoint()).await?;
    println!("{}", report.summary());
    let status = running.stop().await?;
    println!("the server ended with {status}");
    Ok(exit_code(report.is_clean() && status.success()))
}

async fn load(program: Program, arguments: Load) -> Result<ExitCode> {
    let options = LoadOptions {
        program,
        url: arguments.url,
        players: arguments.players,
        rate: arguments.rate,
        seconds: arguments.seconds,
        seed: arguments.seed,
    };
    let report = run_load(&options).await?;
    println!("{}", serde_json::to_string_pretty(&report).context("a report is plain data")?);
    if let Some(path) = arguments.report {
        write_report(&path, &report)?;
    }
    Ok(exit_code(report.failed == 0 && report.unanswered == 0))
}

fn exit_code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
