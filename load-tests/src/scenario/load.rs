//! Load programs. Open loop: when something is due is decided before, and its latency counts from then, also when the
//! server (or this machine) was too slow to take it in time.
//!
//! ```text
//! arrivals ─▶ player (one task each) ─commands─▶ server ◀─CPU, memory─ target (a server of its own, or a running one)
//!               │ habits: what next                                       │
//!               └──────latencies──────▶ meters ─second by second─▶ report (JSON) ─▶ page (HTML)
//! ```

mod habits;
mod meters;
mod page;
mod player;
mod report;
mod target;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep_until};

use meters::Meters;
use player::{Plan, Window};
pub use report::{Latency, LoadReport, Second};
use target::Running;
pub use target::Target;

use super::Progress;
use crate::process;

/// Players that connect at the same time, so that the load program does not fall over its own sockets.
const CONNECTS_AT_ONCE_MAX: usize = 256;
/// Files that a run needs beside a socket for each player.
const FILES_BESIDE: u64 = 200;
/// How long the players may take to arrive beyond the time that was planned for it.
const ARRIVE_WITHIN: Duration = Duration::from_secs(300);
/// In a storm everybody loses the connection at the same moment, so many times within the measured time.
const STORMS: u32 = 3;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// Players who connect, start a session and then only exist.
    Idle,
    /// A believable mix: sessions, pauses, tasks, assemblies, phones that lose their connection.
    FocusDay,
    /// Durable commands as fast as asked.
    Commands,
    /// Everybody loses the connection at the same moment, three times, and comes back at once.
    ReconnectStorm,
    /// Every tenth player has a second device that never reads, while the others play.
    SlowReaders,
    /// The server is asked to stop while everybody plays, and starts again.
    Deploy,
}

/// How to run a load program.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Which.
    pub program: Program,
    /// Where the server is, or how it is started.
    pub target: Target,
    /// How many players.
    pub players: u32,
    /// Commands that become due a second, over all players.
    pub rate: f64,
    /// Players that arrive a second.
    pub arrivals: f64,
    /// How long to measure after everybody has arrived.
    pub seconds: u64,
    /// Everything random follows from it, and from which addresses the players come.
    pub seed: u64,
}

/// Runs a load program.
///
/// # Errors
/// When the options make no sense or the server cannot be found; players that fail are counted in the report.
pub async fn run(options: &LoadOptions) -> Result<LoadReport> {
    ensure!(options.players > 0 && options.seconds > 0, "players and seconds must be above 0");
    ensure!(
        options.rate >= 0.0 && options.arrivals > 0.0,
        "a rate is not below 0, and arrivals are above it"
    );
    raise_file_limit(options)?;
    let mut running = options.target.open().await?;
    let meters = Arc::new(Meters::new()?);
    let (start, started) = watch::channel(None);
    let permits = Arc::new(Semaphore::new(CONNECTS_AT_ONCE_MAX));
    let begin = Instant::now();
    let mut players = JoinSet::new();
    for index in 0..options.players {
        let plan = Plan {
            index,
            program: options.program,
            seed: options.seed,
            every: (options.rate > 0.0).then(|| f64::from(options.players) / options.rate),
            endpoint: running.endpoint().clone(),
            arrives: begin + Duration::from_secs_f64(f64::from(index) / options.arrivals),
            source: Some(source_address(options.seed, index)),
        };
        let (meters, started, permits) = (Arc::clone(&meters), started.clone(), Arc::clone(&permits));
        players.spawn(async move {
            if let Err(error) = player::play(&plan, &meters, started, &permits).await {
                meters.fail(&error);
            }
        });
    }
    drop(started);
    let from = arrive(options, &meters, &mut running).await?;
    let until = from + Duration::from_secs(options.seconds);
    // Nobody left to listen means that every player failed; the report says why.
    let _nobody = start.send(Some(Window { from, until, storms: storms(options, from) }));
    let series = measure(options, &meters, &mut running, until).await?;
    while let Some(player) = players.join_next().await {
        player.context("a player panicked")?;
    }
    let mut report = LoadReport::of(options, &meters, &running, series);
    report.server = running.close().await?;
    Ok(report)
}

/// Writes `report.json` and `report.html` into a folder.
///
/// # Errors
/// When they cannot be written.
pub fn write(folder: &Path, report: &LoadReport) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    super::write_report(&folder.join("report.json"), report)?;
    let page = folder.join("report.html");
    std::fs::write(&page, page::draw(report)?).with_context(|| format!("cannot write {}", page.display()))
}

/// Every socket is a file: of this process and, as it is inherited, of a server that it starts.
fn raise_file_limit(options: &LoadOptions) -> Result<()> {
    let needed = u64::from(options.players) * 11 / 10 + FILES_BESIDE;
    let hard = process::raise_file_limit()?;
    if needed > hard {
        bail!(
            "{} players need {needed} open files and this process may have {hard}: raise it (ulimit -Hn {needed}, as root), or \
             run several of these programs, each with its share of the players and a --seed of its own",
            options.players
        );
    }
    Ok(())
}

/// Waits until everybody has arrived or failed; the moment.
async fn arrive(options: &LoadOptions, meters: &Meters, running: &mut Running) -> Result<Instant> {
    let planned = Duration::from_secs_f64(f64::from(options.players) / options.arrivals);
    let give_up = Instant::now() + planned + ARRIVE_WITHIN;
    let progress = Progress::new(u64::from(options.players), "players");
    let mut shown = 0;
    loop {
        let there = meters.arrived();
        for _ in shown..there {
            progress.step(format!("{} failed", meters.failed.get()));
        }
        shown = there;
        if there >= u64::from(options.players) {
            break;
        }
        ensure!(
            Instant::now() < give_up,
            "only {there} of {} players arrived in time: {}",
            options.players,
            meters.first_failure().unwrap_or_else(|| "nobody says why".to_owned())
        );
        running.check().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    progress.done();
    Ok(Instant::now())
}

/// Shows and keeps a line each second until the end; what a program does to the server is done on the way.
async fn measure(
    options: &LoadOptions,
    meters: &Meters,
    running: &mut Running,
    until: Instant,
) -> Result<Vec<Second>> {
    meters.begin();
    let begun = Instant::now();
    let progress = Progress::new(options.seconds, "s");
    let mut lines = interval_at(begun + Duration::from_secs(1), Duration::from_secs(1));
    let mut usage = running.usage();
    let mut series = Vec::new();
    let deploys_at = begun + Duration::from_secs(options.seconds) / 3;
    let mut deploying = options.program == Program::Deploy;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(until) => break,
            () = sleep_until(deploys_at), if deploying => {
                deploying = false;
                running.replace();
                continue;
            }
            _ = lines.tick() => {}
        }
        running.check().await?;
        let now = running.usage();
        let at_s = series.len() as u64 + 1;
        let second = meters.second(at_s, running.took(usage, now));
        usage = now;
        progress.step(second.words());
        series.push(second);
    }
    progress.done();
    Ok(series)
}

fn storms(options: &LoadOptions, from: Instant) -> Arc<[Instant]> {
    let count = if options.program == Program::ReconnectStorm { STORMS } else { 0 };
    let every = Duration::from_secs(options.seconds) / (STORMS + 1);
    (1..=count).map(|number| from + every * number).collect()
}

/// Players spread over many loopback addresses, so that none runs out of ports, and no two runs share them.
fn source_address(seed: u64, index: u32) -> Ipv4Addr {
    let [_, _, high, low] = (index + 1).to_be_bytes();
    let run = u8::try_from(seed % 200).unwrap_or(0);
    Ipv4Addr::new(127, 3 + run, high, low)
}
