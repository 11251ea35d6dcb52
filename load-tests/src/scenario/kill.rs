//! kill -9 at random moments under load, and the proof from outside that nothing acknowledged is lost and nothing is
//! done twice.
//!
//! The bots' ledgers are written before the server is asked and never read from it; the server dies at a moment drawn
//! from the seed; each time its store is verified while it is down; at the end every hero's journal is exported and
//! compared with the ledgers.

mod report;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::audit::{self, Verdict};
use crate::bot::{Bot, Phase, World};
use crate::faults::{Server, ServerPlan};
use crate::ledger::Ledger;
use crate::mind::Mind;
use crate::mirror::lasting;
use crate::scenario::Progress;
use crate::stats::Stats;
use crate::wire::Device;

pub use report::{KillReport, Life};

/// One bot in so many is a second device of the bot before it.
const SIBLING_EACH: u32 = 5;
/// How long all bots together may take to clear what is open at the end.
const FINISH_WITHIN: Duration = Duration::from_secs(180);
/// How often the comparison of a client's view with the server's is repeated when time itself makes events in between.
const COMPARE_ATTEMPTS: u32 = 5;

/// How to run the fault test.
#[derive(Clone, Debug)]
pub struct KillOptions {
    /// The server's binary.
    pub server: PathBuf,
    /// How often it is killed.
    pub kills: u32,
    /// How many devices play.
    pub bots: u32,
    /// Everything random follows from it, except what the machine's timing adds.
    pub seed: u64,
    /// Where the store, the log, the ledgers and the report are; emptied of an old store first.
    pub directory: PathBuf,
    /// The earliest moment of a kill after the server is ready.
    pub kill_after_ms_min: u64,
    /// The latest one.
    pub kill_after_ms_max: u64,
    /// How long the server stays down besides the time of `verify`.
    pub down_ms: u64,
    /// Mean time between two wishes of one bot.
    pub wish_every_ms: u64,
    /// One wish in so many is followed by a cut of the connection.
    pub cut_once_in: u32,
    /// The store is verified after each n-th kill, and at the end in any case.
    pub verify_each: u32,
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
            bots: 50,
            seed: 1,
            directory,
            kill_after_ms_min: 50,
            kill_after_ms_max: 1_500,
            down_ms: 0,
            wish_every_ms: 200,
            cut_once_in: 150,
            verify_each: 1,
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
    ensure!(options.bots > 0, "a fault test without bots shows nothing");
    ensure!(options.kill_after_ms_min <= options.kill_after_ms_max, "the earliest kill is after the latest");
    clear_old_run(options)?;
    let plan = ServerPlan::new(&options.server, &options.directory)?.without_socket_limits();
    let plan = options.environment.iter().fold(plan, |plan, (name, value)| plan.with(name, value));
    let mut run = Run {
        stats: Arc::default(),
        lives: Vec::new(),
        findings: Vec::new(),
        newcomers: Vec::new(),
        random: StdRng::seed_from_u64(options.seed),
        plan,
        options,
    };
    let started = Instant::now();
    let server = run.plan.start().await?;
    let devices = run.devices().await?;
    let (phase, phases) = watch::channel(Phase::Up);
    let mut bots = run.spawn(devices, phases);
    let server = run.kill_all(server, &phase).await?;
    phase.send(Phase::Finish).context("all bots are gone before the end")?;
    let bots = run.gather(&mut bots).await?;
    let bots = run.compare_views(bots).await?;
    run.check_newcomers().await?;
    let status = server.stop().await?;
    if !status.success() {
        run.findings.push(format!("after SIGTERM the server ended with {status}"));
    }
    let (clean, words) = run.plan.verify().await?;
    if !clean {
        run.findings.push(format!("verify at the end: {words}"));
    }
    let verdict = run.audit(&bots).await?;
    let report = run.report(&bots, verdict, clean, started.elapsed());
    report::write(&options.directory, &report, &bots)?;
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
    /// The heroes, before the first kill.
    async fn devices(&mut self) -> Result<Vec<Device>> {
        let endpoint = self.plan.endpoint();
        let mut devices: Vec<Device> = Vec::new();
        for index in 0..self.options.bots {
            let stream_id = self.random.random_range(1..=protocol::limit::INTEGER_MAX);
            let source = Some(source_address(index));
            let device = match devices.last() {
                Some(last) if index % SIBLING_EACH == SIBLING_EACH - 1 => last.sibling(stream_id, source),
                _ => Device::new_guest(&endpoint, source, stream_id).await?,
            };
            devices.push(device);
        }
        Ok(devices)
    }

    fn spawn(&mut self, devices: Vec<Device>, phase: watch::Receiver<Phase>) -> JoinSet<Bot> {
        let world = World {
            endpoint: self.plan.endpoint(),
            phase,
            stats: Arc::clone(&self.stats),
            wish_every_ms: self.options.wish_every_ms,
            cut_once_in: self.options.cut_once_in,
        };
        let mut bots = JoinSet::new();
        for (index, device) in devices.into_iter().enumerate() {
            let mind = Mind::new(self.random.random(), format!("bot{index:03}"));
            let bot = Bot::new(device, mind, Arc::clone(&self.stats));
            bots.spawn(bot.run(world.clone()));
        }
        bots
    }

    /// All kills, one after the other. Returns the server of the last life.
    async fn kill_all(&mut self, mut server: Server, phase: &watch::Sender<Phase>) -> Result<Server> {
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
            phase.send(Phase::Down).context("all bots are gone")?;
            let acknowledged = self.stats.acknowledged.get() - before;
            self.newcomers.extend(newcomers.await.context("the arrival of newcomers panicked")?);
            let verify_ms = self.verify_after(number).await?;
            tokio::time::sleep(Duration::from_millis(self.options.down_ms)).await;
            let restarted = Instant::now();
            server = self.plan.start().await?;
            let restart_ms = elapsed_ms(restarted);
            phase.send(Phase::Up).context("all bots are gone")?;
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

    async fn gather(&mut self, tasks: &mut JoinSet<Bot>) -> Result<Vec<Bot>> {
        let all = async {
            let mut bots = Vec::new();
            while let Some(bot) = tasks.join_next().await {
                bots.push(bot.context("a bot panicked")?);
            }
            anyhow::Ok(bots)
        };
        let mut bots = tokio::time::timeout(FINISH_WITHIN, all).await.context("the bots do not finish")??;
        bots.sort_by_key(|bot| bot.device.source);
        Ok(bots)
    }

    /// What each client believes after all its events and patches is what a fresh snapshot says.
    async fn compare_views(&mut self, bots: Vec<Bot>) -> Result<Vec<Bot>> {
        let endpoint = self.plan.endpoint();
        let mut compared = Vec::new();
        for mut bot in bots {
            let mut agree = false;
            for _ in 0..COMPARE_ATTEMPTS {
                let (socket, welcome) = bot.device.open(&endpoint, bot.mirror.last_seq()).await?;
                bot.on_welcome(&welcome);
                socket.close().await;
                let (socket, fresh) = bot.device.open(&endpoint, None).await?;
                socket.close().await;
                let protocol::server::WelcomeState::Snapshot(hero) = &fresh.state else {
                    bot.ledger.find("a hello without last_seq was answered without a snapshot".to_owned());
                    break;
                };
                if fresh.seq == bot.mirror.seq() {
                    agree = true;
                    if bot.mirror.hero().map(lasting) != Some(lasting(hero)) {
                        bot.ledger.find(difference(bot.mirror.hero(), hero));
                    }
                    break;
                }
            }
            if !agree {
                bot.ledger.find("the hero never stood still long enough to compare it".to_owned());
            }
            compared.push(bot);
        }
        Ok(compared)
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

    async fn audit(&mut self, bots: &[Bot]) -> Result<Verdict> {
        let mut heroes: BTreeMap<&str, Vec<&Ledger>> = BTreeMap::new();
        for bot in bots {
            heroes.entry(&bot.device.hero_id).or_default().push(&bot.ledger);
        }
        let mut verdict = Verdict::default();
        let progress = Progress::new(u64::try_from(heroes.len()).unwrap_or(0), "heroes audited");
        for (hero_id, ledgers) in heroes {
            let export = audit::parse(&self.plan.export(hero_id).await?)?;
            verdict.add(audit::examine(&export, &ledgers));
            progress.step(format!("lost {} doubled {}", verdict.lost, verdict.doubled));
        }
        progress.done();
        Ok(verdict)
    }

    fn report(self, bots: &[Bot], verdict: Verdict, verified: bool, elapsed: Duration) -> KillReport {
        report::build(self.options, &self.stats, self.lives, self.findings, bots, verdict, verified, elapsed)
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

/// An address of its own for each bot, as players have.
fn source_address(index: u32) -> Ipv4Addr {
    let [_, _, high, low] = (index + 1).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

fn difference(mirror: Option<&protocol::types::Hero>, fresh: &protocol::types::Hero) -> String {
    let ours = serde_json::to_value(mirror.map(lasting)).unwrap_or_default();
    let theirs = serde_json::to_value(lasting(fresh)).unwrap_or_default();
    let mut sections = Vec::new();
    if let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) {
        for (name, value) in theirs {
            if ours.get(name) != Some(value) {
                sections.push(format!("{name}: {} instead of {value}", ours.get(name).unwrap_or(&().into())));
            }
        }
    }
    let words = sections.join("; ");
    format!(
        "the patches led to another hero than the snapshot shows: {}",
        words.chars().take(600).collect::<String>()
    )
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
