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
use load_tests::scenario::headline::{HeadlineOptions, run as run_headline};
use load_tests::scenario::kill::{KillOptions, run as run_kill};
use load_tests::scenario::load::{self, LoadOptions, Program, Target};
use load_tests::scenario::rolling::{self, RollingOptions};
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
    /// Load programs: players who are measured.
    #[command(flatten)]
    Load(LoadProgram),
    /// Many players in a focus day on one core and 1 GiB: several servers on one Postgres share that core, the players and
    /// Postgres have another one. Fails when acknowledgements, errors or memory miss the goal.
    Headline(Headline),
    /// Two servers on one Postgres behind a balancer are drained and replaced one after the other while players play; fails if
    /// anything acknowledged is lost or doubled, a player does not come back in time, or a server ends wrongly.
    RollingDeploy(RollingOptions),
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

/// A scenario of the load program.
#[derive(Subcommand)]
enum LoadProgram {
    /// Players who connect, start a session and then only exist.
    Idle(Load),
    /// A believable mix: sessions, pauses, tasks, assemblies, phones that lose their connection.
    FocusDay(Load),
    /// Durable commands as fast as asked; latency counts from the moment that each is due.
    Commands(Load),
    /// Everybody loses the connection at the same moment, three times, and comes back at once.
    ReconnectStorm(Load),
    /// Every tenth player has a second device that never reads, and writes much; how the others fare.
    SlowReaders(Load),
    /// The server is asked to stop while everybody plays, and starts again.
    Deploy(Load),
}

#[derive(Args)]
struct Load {
    /// How many players.
    #[arg(long)]
    players: u32,
    /// Commands that become due a second, over all players; left out, each has one in 30 s, and in `idle` none.
    #[arg(long)]
    rate: Option<f64>,
    /// Players that arrive a second.
    #[arg(long, default_value_t = 200.0)]
    arrivals: f64,
    /// How long to measure once everybody has arrived.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// A server that runs, such as http://127.0.0.1:3001; else one is started.
    #[arg(long)]
    url: Option<String>,
    /// The process of that server, if it is on this machine: then its CPU and memory are shown.
    #[arg(long, requires = "url")]
    pid: Option<u32>,
    /// The program of the server that is started.
    #[arg(long, default_value = "target/release/dopamine-hero", conflicts_with = "url")]
    server: PathBuf,
    /// Its database, such as postgres://…; left out, a SQLite file in the folder of the report.
    #[arg(long, conflicts_with = "url")]
    database: Option<String>,
    /// More variables for it, as NAME=VALUE.
    #[arg(long = "set", value_name = "NAME=VALUE", conflicts_with = "url", value_parser = variable)]
    set: Vec<(String, String)>,
    /// Everything random follows from it, and from which loopback addresses players come: runs at the same time need
    /// different ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for report.json and report.html, and for the store of a server that is started.
    #[arg(long, default_value = "target/load")]
    report: PathBuf,
}

#[derive(Args)]
struct Headline {
    /// How many players, over all servers.
    #[arg(long, default_value_t = 50_000)]
    players: u32,
    /// How many servers share the core: each may have some 19,000 files open here.
    #[arg(long, default_value_t = 3)]
    servers: u32,
    /// Commands that become due a second, over all players; left out, each has one in 30 s.
    #[arg(long)]
    rate: Option<f64>,
    /// Players that arrive a second.
    #[arg(long, default_value_t = 150.0)]
    arrivals: f64,
    /// How long to measure once everybody has arrived.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// The server's program.
    #[arg(long, default_value = "target/release/dopamine-hero")]
    server: PathBuf,
    /// The folder for the reports.
    #[arg(long, default_value = "target/headline")]
    report: PathBuf,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Cli::parse().scenario {
        Scenario::Kill(arguments) => kill(arguments).await,
        Scenario::Load(program) => match program {
            LoadProgram::Idle(arguments) => load(Program::Idle, arguments).await,
            LoadProgram::FocusDay(arguments) => load(Program::FocusDay, arguments).await,
            LoadProgram::Commands(arguments) => load(Program::Commands, arguments).await,
            LoadProgram::ReconnectStorm(arguments) => load(Program::ReconnectStorm, arguments).await,
            LoadProgram::SlowReaders(arguments) => load(Program::SlowReaders, arguments).await,
            LoadProgram::Deploy(arguments) => load(Program::Deploy, arguments).await,
        },
        Scenario::Headline(arguments) => headline(arguments).await,
        Scenario::RollingDeploy(options) => rolling::command(&options).await.map(exit_code),
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

async fn headline(arguments: Headline) -> Result<ExitCode> {
    let options = HeadlineOptions {
        players: arguments.players,
        servers: arguments.servers,
        rate: arguments.rate.unwrap_or(f64::from(arguments.players) / 30.0),
        arrivals: arguments.arrivals,
        seconds: arguments.seconds,
        binary: fault::absolute(&arguments.server)?,
        folder: std::path::absolute(&arguments.report).context("no such place")?,
    };
    let report = run_headline(&options).await?;
    println!("{}", serde_json::to_string(&report).context("a report is plain data")?);
    println!("{}", if report.is_met { "the goal is met" } else { "the goal is MISSED" });
    Ok(exit_code(report.is_met))
}

async fn load(program: Program, arguments: Load) -> Result<ExitCode> {
    let folder = std::path::absolute(&arguments.report).context("no such place")?;
    let target = match arguments.url {
        Some(url) => Target::Running { url, pid: arguments.pid },
        None => Target::Own {
            binary: fault::absolute(&arguments.server)?,
            directory: folder.clone(),
            database: arguments.database,
            environment: arguments.set,
        },
    };
    let one_in_30_s = if program == Program::Idle { 0.0 } else { f64::from(arguments.players) / 30.0 };
    let options = LoadOptions {
        program,
        target,
        players: arguments.players,
        rate: arguments.rate.unwrap_or(one_in_30_s),
        arrivals: arguments.arrivals,
        seconds: arguments.seconds,
        seed: arguments.seed,
    };
    let report = load::run(&options).await?;
    load::write(&folder, &report)?;
    println!("{}", report.summary());
    println!("report: {}", folder.join("report.html").display());
    println!("{}", if report.is_clean() { "nothing lost, nobody failed" } else { "FAILED" });
    Ok(exit_code(report.is_clean()))
}

fn exit_code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
