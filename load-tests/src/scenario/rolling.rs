//! A new version on Friday, with several servers: two of them share a Postgres behind a balancer, players play, and one
//! server after the other is drained and replaced on the same place: the first as a supervisor does it (SIGTERM), the second as
//! the hook of a deployment does (`POST /v1/drain` with its token).
//!
//! ```text
//! bots ─▶ balancer ─┬▶ server a ──┐
//!                   └▶ server b ──┴▶ Postgres
//! ```
//! Fails when an acknowledged command is lost or done twice, a player does not come back, the players are away for too long,
//! or a server ends too late or with another exit code than 0. The bots are the faithful ones of the fault tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Serialize;
use test_servers::{Postgres, PostgresOptions};
use tokio::time::Instant;

use super::crowd::{Crowd, CrowdOptions, Habit};
use super::settle::{Settled, settle_nodes};
use super::{Progress, write_report};
use crate::balancer::Balancer;
use crate::bot::Silence;
use crate::fault::absolute;
use crate::faults::{Server, ServerPlan};
use crate::http::request;
use crate::ledger::Absence;
use crate::process;

/// A server that is asked to end has ended within this.
const EXIT_WITHIN: Duration = Duration::from_secs(90);
/// Of 1,000 players that were sent away so many must be back.
const RESUMED_PERMILLE_MIN: u64 = 999;
/// 99 of 100 players are not away for longer.
const GAP_P99_MAX: Duration = Duration::from_secs(5);
/// How long everybody may take to arrive, and to be back after a drain, on a machine that plays all the players too.
const ARRIVE_WITHIN: Duration = Duration::from_secs(300);
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether everybody is there.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Files for each player: its socket, and both sides of the balancer's.
const FILES_EACH: u64 = 3;
/// Files of the run itself.
const FILES_BESIDE: u64 = 300;
/// Connections of two servers to Postgres, of their successors, and of the tools that look afterwards.
const CONNECTIONS: u32 = 120;
/// Findings that a report repeats.
const FINDINGS_MAX: usize = 50;

/// What `rolling-deploy` takes.
#[derive(Args, Clone, Debug)]
pub struct RollingOptions {
    /// How many devices play; each fifth is a second device of the hero before it.
    #[arg(long, default_value_t = 1000)]
    pub players: u32,
    /// The server's binary.
    #[arg(long, default_value = "target/release/dopamine-hero")]
    pub server: PathBuf,
    /// Where the logs and report.json go.
    #[arg(long, default_value = "target/rolling-deploy")]
    pub data: PathBuf,
    /// Mean time between two wishes of one player.
    #[arg(long, default_value_t = 2000)]
    pub wish_ms: u64,
    /// How long is played before, between and after the drains.
    #[arg(long, default_value_t = 5000)]
    pub pause_ms: u64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The control run: kill -9 instead of every drain. It must fail, and find losses with a build that acknowledges before
    /// it flushes.
    #[arg(long)]
    pub kill: bool,
}

/// How a server is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// As a supervisor does it.
    Sigterm,
    /// As the hook of a deployment does it.
    AdminDrain,
    /// As no deployment should.
    Kill,
}

/// One server that was replaced.
#[derive(Clone, Debug, Serialize)]
pub struct Drain {
    /// How.
    pub way: Way,
    /// From being asked to the end of its process.
    pub ended_ms: u64,
    /// What it ended with; nothing after a signal.
    pub exit_code: Option<i32>,
    /// From being asked until everybody was connected again.
    pub everybody_back_ms: u64,
    /// Players who lost their socket.
    pub sent_away: u64,
    /// Of them, those who were welcomed again with everything they had been told.
    pub resumed: u64,
    /// Their time without a server, from the last frame of the old one to the welcome of the new one: the middle one.
    pub gap_p50_ms: u64,
    /// 99 of 100 are not above.
    pub gap_p99_ms: u64,
    /// The longest.
    pub gap_max_ms: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RollingReport {
    /// Devices that played.
    pub players: u32,
    /// Each replacement.
    pub drains: Vec<Drain>,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged and gone.
    pub lost: u64,
    /// Done twice.
    pub doubled: u64,
    /// Refusals by code; those of the rules are part of play.
    pub refused: BTreeMap<String, u64>,
    /// Tries to connect that came to nothing.
    pub failed_opens: u64,
    /// Sockets that servers ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// `verify` found nothing.
    pub verified: bool,
    /// Everything that was wrong, in words.
    pub findings: Vec<String>,
}

impl RollingReport {
    /// Nothing was lost, everybody came back, and every server ended as it should.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let came_back = |drain: &Drain| drain.resumed * 1_000 >= drain.sent_away * RESUMED_PERMILLE_MIN;
        self.verified
            && self.findings.is_empty()
            && (self.lost, self.doubled) == (0, 0)
            && self.drains.iter().all(|drain| drain.exit_code == Some(0) && came_back(drain))
    }

    /// Nobody was away for too long. A question of the machine too.
    #[must_use]
    pub fn is_in_time(&self) -> bool {
        self.drains.iter().all(|drain| {
            let [ended, gap] = [drain.ended_ms, drain.gap_p99_ms].map(Duration::from_millis);
            ended <= EXIT_WITHIN && gap <= GAP_P99_MAX
        })
    }
}

/// Runs it, writes the report, and says whether all is well.
///
/// # Errors
/// As [`run`].
pub async fn command(options: &RollingOptions) -> Result<bool> {
    let report = run(options).await?;
    println!("{}", serde_json::to_string_pretty(&report).context("a report is plain data")?);
    write_report(&options.data.join("report.json"), &report)?;
    let is_good = report.is_clean() && report.is_in_time();
    println!("{}", if is_good { "nothing lost, everybody came back in time" } else { "FAILED" });
    Ok(is_good)
}

/// Runs it.
///
/// # Errors
/// When it cannot be run. What was wrong is in the report.
pub async fn run(options: &RollingOptions) -> Result<RollingReport> {
    ensure!(options.players > 0, "a drain without players shows nothing");
    let (needed, allowed) =
        (u64::from(options.players) * FILES_EACH + FILES_BESIDE, process::raise_file_limit()?);
    ensure!(needed <= allowed, "this needs {needed} open files and may have {allowed}: raise ulimit -Hn");
    let postgres =
        Postgres::start_with(&PostgresOptions { max_connections: CONNECTIONS, ..PostgresOptions::default() });
    let token = format!("{:032x}", rand::random::<u128>());
    let plan = ServerPlan::new(&absolute(&options.server)?, &absolute(&options.data)?)?
        .on_database(&postgres.url())
        .without_socket_limits()
        .with("ADMIN_DRAIN_TOKEN", &token);
    // A build that is broken on purpose does not start without this.
    let plan = if options.kill { plan.with("I_WANT_TO_LOSE_DATA", "yes") } else { plan };
    clear(&plan.directory)?;
    plan.migrate().await?;
    let plans = [plan.clone().with("NODE_NAME", "a"), plan.another_node("b")?.with("NODE_NAME", "b")];
    let mut servers = Vec::new();
    for plan in &plans {
        servers.push(plan.start().await?);
    }
    let balancer = Balancer::start(plans.iter().map(ServerPlan::endpoint).collect()).await?;
    let crowd = Crowd::start_on(
        std::slice::from_ref(balancer.endpoint()),
        &CrowdOptions {
            bots: options.players,
            seed: options.seed,
            wish_every_ms: options.wish_ms,
            cut_once_in: 0,
        },
        |_| Habit { first_node: 0, silence: Silence::REPORTED },
    )
    .await?;
    let everybody = u64::from(options.players);
    are_there(&crowd, everybody, ARRIVE_WITHIN).await.context("not everybody arrived")?;
    let mut drains = Vec::new();
    let ways = if options.kill { [Way::Kill, Way::Kill] } else { [Way::Sigterm, Way::AdminDrain] };
    let progress = Progress::new(ways.len() as u64, "servers");
    for way in ways {
        tokio::time::sleep(Duration::from_millis(options.pause_ms)).await;
        // The longest there goes first; its successor comes last.
        let (drain, successor) = replace(servers.remove(0), way, &token, &crowd, everybody).await?;
        progress.step(format!("{way:?}: ended after {} ms", drain.drain.ended_ms));
        drains.push(drain);
        servers.push(successor);
    }
    progress.done();
    tokio::time::sleep(Duration::from_millis(options.pause_ms)).await;
    let stats = std::sync::Arc::clone(&crowd.stats);
    let settled = settle_nodes(&plans[0], servers, crowd, &|_| false).await?;
    let mut report = report(options, drains, &settled);
    report.acknowledged = stats.acknowledged.get();
    report.lost += stats.lost.get();
    report.doubled += stats.doubled.get();
    report.refused = stats.refused();
    report.failed_opens = stats.failed_opens.get();
    Ok(report)
}

/// What an earlier run logged is no finding of this one.
fn clear(directory: &Path) -> Result<()> {
    for name in ["server.log", "b.log"] {
        let path = directory.join(name);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// One replacement, and when it was: what the bots remember of it is looked up at the end.
struct Replaced {
    drain: Drain,
    asked: Instant,
    back: Instant,
}

async fn replace(
    mut server: Server,
    way: Way,
    token: &str,
    crowd: &Crowd,
    everybody: u64,
) -> Result<(Replaced, Server)> {
    let plan = server.plan().clone();
    let asked = Instant::now();
    match way {
        Way::Sigterm => server.ask_to_stop().await?,
        Way::AdminDrain => ask_to_drain(&plan, token).await?,
        Way::Kill => server.signal("KILL").await?,
    }
    let status = server.ended(EXIT_WITHIN).await?;
    let ended_ms = milliseconds(asked.elapsed());
    let successor = plan.start().await?;
    are_there(crowd, everybody, BACK_WITHIN).await.context("not everybody came back")?;
    let back = Instant::now();
    let drain = Drain {
        way,
        ended_ms,
        exit_code: status.code(),
        everybody_back_ms: milliseconds(back - asked),
        sent_away: 0,
        resumed: 0,
        gap_p50_ms: 0,
        gap_p99_ms: 0,
        gap_max_ms: 0,
    };
    Ok((Replaced { drain, asked, back }, successor))
}

/// As a program asks: with the token, no cookie and no page.
async fn ask_to_drain(plan: &ServerPlan, token: &str) -> Result<()> {
    let answer = request(&plan.admin_endpoint(), None, "POST", "/v1/drain", Some(token), None).await?;
    if answer.status != 202 {
        bail!("POST /v1/drain: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(())
}

async fn are_there(crowd: &Crowd, everybody: u64, within: Duration) -> Result<()> {
    let all = async {
        while crowd.stats.connected() < everybody {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(within, all).await;
    waited.with_context(|| format!("{} of {everybody} players are connected", crowd.stats.connected()))
}

fn report(options: &RollingOptions, replaced: Vec<Replaced>, settled: &Settled) -> RollingReport {
    let mut findings = settled.all_findings();
    let mut closed: BTreeMap<u16, u64> = BTreeMap::new();
    for (code, count) in settled.bots.iter().flat_map(|bot| &bot.closed) {
        *closed.entry(*code).or_default() += count;
    }
    let absences: Vec<&Absence> = settled.bots.iter().flat_map(|bot| &bot.absences).collect();
    let mut explained = 0;
    let mut drains = Vec::new();
    for Replaced { drain, asked, back } in replaced {
        let within = |absence: &&&Absence| (asked..=back).contains(&absence.closed);
        let here: Vec<&Absence> = absences.iter().filter(within).copied().collect();
        explained += here.len();
        let mut gaps: Vec<u64> = here
            .iter()
            .filter_map(|absence| Some(milliseconds(absence.until?.duration_since(absence.since))))
            .collect();
        gaps.sort_unstable();
        if here.is_empty() {
            findings.push(format!("nobody was at the server that was replaced by {:?}", drain.way));
        }
        drains.push(Drain {
            sent_away: here.len() as u64,
            resumed: here.iter().filter(|absence| absence.is_whole).count() as u64,
            gap_p50_ms: quantile(&gaps, 50),
            gap_p99_ms: quantile(&gaps, 99),
            gap_max_ms: quantile(&gaps, 100),
            ..drain
        });
    }
    if explained < absences.len() {
        findings.push(format!("{} sockets were closed by no drain", absences.len() - explained));
    }
    findings.truncate(FINDINGS_MAX);
    RollingReport {
        players: options.players,
        drains,
        acknowledged: 0,
        lost: settled.verdict.lost,
        doubled: settled.verdict.doubled,
        refused: BTreeMap::new(),
        failed_opens: 0,
        closed,
        verified: settled.verified,
        findings,
    }
}

/// Of sorted numbers; of none it is 0.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let index = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(index).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let numbers: Vec<u64> = (1..=200).collect();
        assert_eq!([50, 99, 100].map(|percent| quantile(&numbers, percent)), [100, 198, 200]);
        assert_eq!((quantile(&[7], 50), quantile(&[], 99)), (7, 0));
    }
}
