//! kill -9 at random moments under load, and the proof from outside that nothing acknowledged is lost and nothing is
//! done twice.
//!
//! The bots' ledgers are written before the server is asked and never read from it; the server dies at a moment drawn
//! from the seed; each time its store is verified while it is down; at the end every hero's journal is exported and
//! compared with the ledgers.

mod report;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::bot::Phase;
use crate::faults::{Server, ServerPlan};
use crate::scenario::Progress;
use crate::scenario::crowd::{Crowd, CrowdOptions};
use crate::scenario::settle::settle;
use crate::stats::Stats;
use crate::wire::Device;

pub use report::{KillReport, Life};

/// How to run the fault test.
#[derive(Clone, Debug)]
pub struct KillOptions {
    /// The server's binary.
    pub server: PathBuf,
    /// How often it is killed.
    pub kills: u32,
    /// Who plays. Everything random follows from its seed, except what the machine's timing adds.
    pub crowd: CrowdOptions,
    /// Where the store, the log, the ledgers and the report are; emptied of an old store first.
    pub directory: PathBuf,
    /// The earliest moment of a kill after the server is ready.
    pub kill_after_ms_min: u64,
    /// The latest one.
    pub kill_after_ms_max: u64,
    /// How long the server stays down besides the time of `verify`.
    pub down_ms: u64,
    /// The store is verified after each n-th kill, and at the end in any case.
    pub verify_each: u32,
    /// Where the heroes are, with its tables; a new SQLite file in the directory when nothing else is said.
    pub database: Option<String>,
    /// More of the server's environment.
    pub environment: Vec<(String, String)>,
}

impl KillOptions {
    /// The full fault test.
    #[must_use]
    pub fn new(server: PathBuf, directory: PathBuf) -> Self {
        Self {
            server,
            kills: 100,
            crowd: CrowdOptions { bots: 50, seed: 1, wish_every_ms: 200, cut_once_in: 150 },
            directory,
            kill_after_ms_min: 50,
            kill_after_ms_max: 1_500,
            down_ms: 0,
            verify_each: 1,
            database: None,
            environment: Vec::new(),
        }
    }
}

/// Runs the fault test.
///
/// # Errors
/// When it cannot be run: a server that does not start, a guest that is refused. Losses are not errors; they are in the
/// report.
pub async fn run(options: &KillOptions) -> Result<KillReport> {
    ensure!(options.crowd.bots > 0, "a fault test without bots shows nothing");
    ensure!(options.kill_after_ms_min <= options.kill_after_ms_max, "the earliest kill is after the latest");
    clear_old_run(options)?;
    let plan = ServerPlan::new(&options.server, &options.directory)?.without_socket_limits();
    let plan = options.database.iter().fold(plan, |plan, url| plan.on_database(url));
    let plan = options.environment.iter().fold(plan, |plan, (name, value)| plan.with(name, value));
    let started = Instant::now();
    let server = plan.start().await?;
    let crowd = Crowd::start(&plan.endpoint(), &options.crowd).await?;
    let mut run = Run {
        options,
        stats: Arc::clone(&crowd.stats),
        random: StdRng::seed_from_u64(options.crowd.seed),
        plan,
        lives: Vec::new(),
        findings: Vec::new(),
        newcomers: Vec::new(),
    };
    let server = run.kill_all(server, &crowd).await?;
    run.check_newcomers().await?;
    let settled = settle(&run.plan, server, crowd, &|_| false).await?;
    run.findings.extend(settled.findings);
    let done = report::Done {
        stats: run.stats,
        lives: run.lives,
        findings: run.findings,
        verdict: settled.verdict,
        verified: settled.verified,
        elapsed: started.elapsed(),
    };
    let report = report::build(options, done, &settled.bots);
    report::write(&options.directory, &report, &settled.bots)?;
    Ok(report)
}

/// A store of an earlier run would make the ledgers wrong.
fn clear_old_run(options: &KillOptions) -> Result<()> {
    for name in ["heroes.sqlite", "heroes.sqlite-wal", "heroes.sqlite-shm", "server.log"] {
        let path = options.directory.join(name);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

struct Run<'a> {
    options: &'a KillOptions,
    plan: ServerPlan,
    stats: Arc<Stats>,
    random: StdRng,
    lives: Vec<Life>,
    findings: Vec<String>,
    /// Heroes that were made while the server was about to be killed, and were acknowledged.
    newcomers: Vec<Device>,
}

impl Run<'_> {
    /// All kills, one after the other. Returns the server of the last life.
    async fn kill_all(&mut self, mut server: Server, crowd: &Crowd) -> Result<Server> {
        let progress = Progress::new(u64::from(self.options.kills), "kills");
        for number in 1..=self.options.kills {
            let after_ms =
                self.random.random_range(self.options.kill_after_ms_min..=self.options.kill_after_ms_max);
            let before = self.stats.acknowledged.get();
            let newcomers = tokio::spawn(arrive(self.plan.clone(), number, self.random.random()));
            // The injected fault itself is a moment in time; nothing waits for it.
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let connected = self.stats.connected();
            server.kill().await?;
            crowd.tell(Phase::Down)?;
            let acknowledged = self.stats.acknowledged.get() - before;
            self.newcomers.extend(newcomers.await.context("the arrival of newcomers panicked")?);
            let verify_ms = self.verify_after(number).await?;
            tokio::time::sleep(Duration::from_millis(self.options.down_ms)).await;
            let restarted = Instant::now();
            server = self.plan.start().await?;
            let restart_ms = elapsed_ms(restarted);
            crowd.tell(Phase::Up)?;
            self.lives.push(Life { number, after_ms, connected, acknowledged, verify_ms, restart_ms });
            progress.step(self.line());
        }
        progress.done();
        Ok(server)
    }

    fn line(&self) -> String {
        format!(
            "acks {} lost {} doubled {} repeated {} (of them applied {}) problems {}",
            self.stats.acknowledged.get(),
            self.stats.lost.get(),
            self.stats.doubled.get(),
            self.stats.resumed_applied.get() + self.stats.resumed_open.get(),
            self.stats.resumed_applied.get(),
            self.findings.len()
        )
    }

    async fn verify_after(&mut self, number: u32) -> Result<Option<u64>> {
        if !number.is_multiple_of(self.options.verify_each.max(1)) {
            return Ok(None);
        }
        let started = Instant::now();
        let (clean, words) = self.plan.verify().await?;
        if !clean {
            self.findings.push(format!("verify after kill {number}: {words}"));
        }
        Ok(Some(elapsed_ms(started)))
    }

    /// A hero that was acknowledged exists, also when the server died right after.
    async fn check_newcomers(&mut self) -> Result<()> {
        let endpoint = self.plan.endpoint();
        for device in &self.newcomers {
            if let Err(error) = device.open(&endpoint, None).await {
                self.findings.push(format!("a new hero was acknowledged and is gone: {error:#}"));
            }
        }
        Ok(())
    }
}

/// New players come at any time, also in the last moment before a kill. Ends when the server does.
async fn arrive(plan: ServerPlan, life: u32, seed: u64) -> Vec<Device> {
    /// New heroes in one life of the server.
    const ARRIVALS_MAX: usize = 5;
    let mut random = StdRng::seed_from_u64(seed);
    let mut arrived = Vec::new();
    let endpoint = plan.endpoint();
    let [_, _, high, low] = life.to_be_bytes();
    let source = Some(Ipv4Addr::new(127, 2, high, low));
    while arrived.len() < ARRIVALS_MAX {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        let stream_id = random.random_range(1..=protocol::limit::INTEGER_MAX);
        match Device::new_guest(&endpoint, source, stream_id).await {
            Ok(device) => arrived.push(device),
            Err(_) => break,
        }
    }
    arrived
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
