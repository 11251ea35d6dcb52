//! How many players a small machine carries: servers that share one core and 1 GiB of memory, players and Postgres on
//! another core.
//!
//! ```text
//! core 0: server 1..n ◀──── core 1: Postgres, one process of players for each server
//! ```
//! Where a process may open only so many files, several servers divide the players among them, as they would behind a
//! balancer. Each process of players is this program with `focus-day`, and writes a report of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use test_servers::{Postgres, PostgresOptions};
use tokio::process::{Child, Command};

use super::load::LoadReport;
use crate::faults::{Server, ServerPlan};

/// The core of the servers, and that of everybody else.
const SERVER_CORE: usize = 0;
const PLAYER_CORE: usize = 1;
/// What all servers together may take.
const MEMORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Acknowledgements: 99 of 100 are not above.
const P99_US_MAX: u64 = 50_000;
/// How long the players may need beyond arriving and measuring.
const BESIDE: Duration = Duration::from_secs(400);
/// Connections of one server to Postgres, and some for whoever looks.
const CONNECTIONS_EACH: u32 = 20;

/// How to run it.
#[derive(Clone, Debug)]
pub struct HeadlineOptions {
    /// Over all servers.
    pub players: u32,
    /// How many servers share the core.
    pub servers: u32,
    /// Commands that become due a second, over all players.
    pub rate: f64,
    /// Players that arrive a second, over all servers.
    pub arrivals: f64,
    /// How long to measure.
    pub seconds: u64,
    /// The server's program.
    pub binary: PathBuf,
    /// For reports and logs.
    pub folder: PathBuf,
}

/// What was seen.
#[derive(Clone, Debug, Serialize)]
pub struct HeadlineReport {
    /// Players that were connected.
    pub players: u64,
    /// Servers that shared one core.
    pub servers: u32,
    /// Commands that became due.
    pub due: u64,
    /// Acknowledgements: the worst 99th percentile of all processes of players.
    pub p50_us: u64,
    /// As above.
    pub p99_us: u64,
    /// As above.
    pub p999_us: u64,
    /// Commands that the servers could not take at first.
    pub errors: u64,
    /// Acknowledged commands that were gone.
    pub lost: u64,
    /// Players that failed.
    pub failed: u64,
    /// Commands without an answer.
    pub unanswered: u64,
    /// All servers together, the largest sum of one second.
    pub memory_bytes_max: u64,
    /// All servers together, on the average, in thousandths of the core.
    pub cpu_permille: u64,
    /// Whether `verify` found the database whole.
    pub is_verified: bool,
    /// Acknowledgements within 50 ms, no errors, nothing lost, within 1 GiB.
    pub is_met: bool,
}

/// Runs it.
///
/// # Errors
/// When the machine has no second core, or something does not start or end.
pub async fn run(options: &HeadlineOptions) -> Result<HeadlineReport> {
    ensure!(options.servers > 0 && options.players >= options.servers, "players and servers must be above 0");
    ensure!(num_cores() > PLAYER_CORE, "this needs two cores: one for the servers, one for everybody else");
    std::fs::create_dir_all(&options.folder).context("the folder cannot be made")?;
    let postgres = Postgres::start_with(&PostgresOptions {
        wrapper: ["taskset", "--cpu-list", &PLAYER_CORE.to_string()].map(str::to_owned).to_vec(),
        max_connections: 20 + options.servers * CONNECTIONS_EACH,
        ..PostgresOptions::default()
    });
    let first = ServerPlan::new(&options.binary, &options.folder)?
        .on_database(&postgres.url())
        .pinned_to(SERVER_CORE)
        .with("CONNECTIONS_MAX", "19500")
        .with("SHARDS", "1");
    first.migrate().await?;
    let mut servers: Vec<Server> = Vec::new();
    let mut players: Vec<(Child, PathBuf)> = Vec::new();
    for number in 1..=options.servers {
        let plan = match number {
            1 => first.clone(),
            _ => first.another_node(&format!("server-{number}"))?,
        };
        let plan = plan.with("NODE_NAME", &format!("server-{number}"));
        servers.push(plan.start().await?);
    }
    for (number, server) in (1..=options.servers).zip(&servers) {
        let folder = options.folder.join(format!("players-{number}"));
        players.push((start_players(options, number, server, &folder)?, folder));
    }
    let reports = ended(options, players).await?;
    for server in servers {
        let (plan, status) = (server.plan().clone(), server.stop().await?);
        ensure!(status.success(), "a server ended with {status}:\n{}", plan.log_tail());
    }
    let (is_verified, words) = first.verify().await?;
    if !is_verified {
        eprintln!("{words}");
    }
    Ok(added_up(options.servers, &reports, is_verified))
}

fn num_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// This program once more, with its share of the players.
fn start_players(options: &HeadlineOptions, number: u32, server: &Server, folder: &Path) -> Result<Child> {
    std::fs::create_dir_all(folder).context("the folder cannot be made")?;
    let share = f64::from(options.servers);
    // The first ones take what is left over.
    let players = options.players / options.servers + u32::from(number <= options.players % options.servers);
    let log = std::fs::File::create(folder.join("players.log")).context("a log cannot be written")?;
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &PLAYER_CORE.to_string()])
        .arg(std::env::current_exe().context("this program has no path")?)
        .arg("focus-day")
        .args(["--url", &format!("http://{}", server.plan().endpoint().authority)])
        .args(["--pid", &server.id().context("the server runs")?.to_string()])
        .args(["--players", &players.to_string(), "--rate", &(options.rate / share).to_string()])
        .args(["--arrivals", &(options.arrivals / share).to_string()])
        .args(["--seconds", &options.seconds.to_string(), "--seed", &number.to_string()])
        .arg("--report")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("a log cannot be written")?)
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().context("taskset cannot be run: install util-linux")
}

async fn ended(options: &HeadlineOptions, players: Vec<(Child, PathBuf)>) -> Result<Vec<LoadReport>> {
    let arriving = Duration::from_secs_f64(f64::from(options.players) / options.arrivals);
    let within = arriving + Duration::from_secs(options.seconds) + BESIDE;
    let mut reports = Vec::new();
    for (mut child, folder) in players {
        // Progress is in each folder's players.log; it is read here once it is over.
        let status =
            tokio::time::timeout(within, child.wait()).await.context("the players never ended")??;
        let path = folder.join("report.json");
        let Ok(json) = std::fs::read(&path) else {
            bail!(
                "players ended with {status} and left no report; see {}",
                folder.join("players.log").display()
            );
        };
        reports
            .push(serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))?);
    }
    Ok(reports)
}

fn added_up(servers: u32, reports: &[LoadReport], is_verified: bool) -> HeadlineReport {
    let sum = |value: fn(&LoadReport) -> u64| reports.iter().map(value).sum::<u64>();
    let worst = |value: fn(&LoadReport) -> u64| reports.iter().map(value).max().unwrap_or(0);
    let seconds = reports.iter().map(|report| report.series.len()).min().unwrap_or(0);
    let in_second = |index: usize, value: fn(&super::load::Second) -> Option<u64>| -> u64 {
        reports.iter().filter_map(|report| report.series.get(index).and_then(value)).sum()
    };
    let memory_bytes_max =
        (0..seconds).map(|index| in_second(index, |second| second.server_memory_bytes)).max().unwrap_or(0);
    let cpu: u64 = (0..seconds).map(|index| in_second(index, |second| second.server_cpu_permille)).sum();
    let mut report = HeadlineReport {
        players: sum(|report| report.connected),
        servers,
        due: sum(|report| report.due),
        p50_us: worst(|report| report.durable.p50_us),
        p99_us: worst(|report| report.durable.p99_us),
        p999_us: worst(|report| report.durable.p999_us),
        errors: sum(|report| report.errors),
        lost: sum(|report| report.lost),
        failed: sum(|report| report.failed),
        unanswered: sum(|report| report.unanswered),
        memory_bytes_max,
        cpu_permille: cpu / u64::try_from(seconds).unwrap_or(1).max(1),
        is_verified,
        is_met: false,
    };
    report.is_met = is_verified
        && report.p99_us <= P99_US_MAX
        && report.memory_bytes_max <= MEMORY_BYTES_MAX
        && [report.errors, report.lost, report.failed, report.unanswered].iter().all(|count| *count == 0);
    report
}
