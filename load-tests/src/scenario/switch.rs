//! Another catalogue while players play: an operator uploads two versions, switches to them and back, and tells everybody
//! something meanwhile. Nobody may be disconnected, every command is acknowledged once and kept, every player hears of
//! every version, and what a client believes after all of it is what a new one is shown.
//!
//! The bots are the faithful ones of the fault tests, with their ledgers; nothing is cut or killed here, so that every
//! socket that ends is a finding.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::bot::Bot;
use crate::faults::{Server, ServerPlan};
use crate::http::Endpoint;
use crate::operator::Operator;
use crate::scenario::Progress;
use crate::scenario::crowd::{Crowd, CrowdOptions, compare_views};
use crate::scenario::settle::settle;

/// How long everybody may take to hear of a version: five seconds for other servers, and the rest for a busy machine that
/// plays all the players too.
const HEARD_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether everybody has.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Findings that a report repeats.
const FINDINGS_MAX: usize = 50;

/// How to run it.
#[derive(Clone, Debug)]
pub struct SwitchOptions {
    /// Who plays.
    pub crowd: CrowdOptions,
    /// How long is played before the first switch, between two, and after the last.
    pub pause: Duration,
    /// Which server.
    pub place: Place,
}

/// Which server.
#[derive(Clone, Debug)]
pub enum Place {
    /// One of its own, which is examined afterwards.
    Own {
        /// The server's binary.
        binary: PathBuf,
        /// Where the store and the log go; a store in it is replaced.
        directory: PathBuf,
    },
    /// One that runs; its store is not looked at.
    Running {
        /// Where players connect.
        players: String,
        /// Where operators log in.
        operators: String,
        /// The value of an operator's cookie.
        cookie: String,
    },
}

/// One switch.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// From this version.
    pub from: u32,
    /// To this one.
    pub to: u32,
    /// How long the operator waited for the answer.
    pub answered_ms: u64,
    /// How long it took until every player had heard of it.
    pub everybody_ms: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct SwitchReport {
    /// Devices that played.
    pub players: u32,
    /// Each switch.
    pub steps: Vec<Step>,
    /// Heroes of the dry run before the first of them.
    pub dry_run_heroes: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged and gone.
    pub lost: u64,
    /// Done twice.
    pub doubled: u64,
    /// Refusals by code; those of the rules are part of play.
    pub refused: BTreeMap<String, u64>,
    /// Sockets that were opened.
    pub sockets: u64,
    /// Sockets that the server ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// Ticks that took longer than their period, of all; nothing for a server of somebody else.
    pub tick_overruns: Option<(f64, f64)>,
    /// `verify` found nothing; nothing for a server of somebody else.
    pub verified: Option<bool>,
    /// Everything that was wrong, in words.
    pub findings: Vec<String>,
}

impl SwitchReport {
    /// Nobody was disconnected, nothing was lost, everybody heard.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.lost == 0 && self.doubled == 0 && self.verified != Some(false)
    }
}

/// Runs it.
///
/// # Errors
/// When it cannot be run. What was wrong is in the report.
pub async fn run(options: &SwitchOptions) -> Result<SwitchReport> {
    ensure!(options.crowd.bots > 0, "a switch without players shows nothing");
    ensure!(options.crowd.cut_once_in == 0, "nobody cuts a connection here");
    match &options.place {
        Place::Own { binary, directory } => {
            clear(directory)?;
            let plan = ServerPlan::new(binary, directory)?.without_socket_limits();
            let server = plan.start().await?;
            let token = plan.invite_owner("owner").await?;
            let operator = Operator::first(plan.admin_endpoint(), &token).await?;
            on_own(options, &plan, server, &operator).await
        }
        Place::Running { players, operators, cookie } => {
            let operator = Operator::signed_in(Endpoint::resolve(operators).await?, cookie).await?;
            let endpoint = Endpoint::resolve(players).await?;
            let crowd = Crowd::start(&endpoint, &options.crowd).await?;
            let switched = switch(options, &crowd, &operator).await?;
            let (stats, mut bots) = (std::sync::Arc::clone(&crowd.stats), crowd.finish().await?);
            compare_views(&endpoint, &mut bots).await;
            Ok(report(options, switched, &stats, &bots))
        }
    }
}

async fn on_own(
    options: &SwitchOptions,
    plan: &ServerPlan,
    server: Server,
    operator: &Operator,
) -> Result<SwitchReport> {
    let crowd = Crowd::start(&plan.endpoint(), &options.crowd).await?;
    let switched = switch(options, &crowd, operator).await?;
    let ticks = (plan.metric("tick_overruns_total").await?, plan.metric("tick_seconds_count").await?);
    let stats = std::sync::Arc::clone(&crowd.stats);
    let settled = settle(plan, server, crowd, &|_| false).await?;
    let mut report = report(options, switched, &stats, &settled.bots);
    report.lost += settled.verdict.lost;
    report.doubled += settled.verdict.doubled;
    report.tick_overruns = Some(ticks);
    report.verified = Some(settled.verified);
    report.findings.extend(settled.all_findings());
    report.findings.truncate(FINDINGS_MAX);
    Ok(report)
}

/// A store of an earlier run has an operator already.
fn clear(directory: &std::path::Path) -> Result<()> {
    for name in ["heroes.sqlite", "heroes.sqlite-wal", "heroes.sqlite-shm", "server.log"] {
        let path = directory.join(name);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// What the operator did, and when everybody had heard of it.
struct Switched {
    steps: Vec<Step>,
    dry_run_heroes: u64,
    findings: Vec<String>,
    /// The last version.
    version: u32,
}

async fn switch(options: &SwitchOptions, crowd: &Crowd, operator: &Operator) -> Result<Switched> {
    let bots = u64::from(options.crowd.bots);
    let listed = operator.get("/v1/catalogue").await?;
    let first = version_of(&listed["in_force"])?;
    let versions = listed["versions"].as_array().context("no list of versions")?;
    let highest = versions.iter().filter_map(|kept| version_of(&kept["version"]).ok()).max().unwrap_or(first);
    let text = operator.get(&format!("/v1/catalogue/{first}")).await?;
    let text = text["text"].as_str().context("the version has no text")?;
    let (second, third) = (highest + 1, highest + 2);
    for (version, base) in [(second, 25), (third, 15)] {
        let wish = json!({ "reason": "a test under load", "text": with_numbers(text, version, base)? });
        let uploaded = operator.post("/v1/catalogue", &wish).await?;
        ensure!(version_of(&uploaded["version"])? == version, "the upload has problems: {uploaded}");
    }
    let mut done = Switched { steps: Vec::new(), dry_run_heroes: 0, findings: Vec::new(), version: first };
    done.hear(crowd, first, bots).await;
    let progress = Progress::new(4, "switches");
    for to in [second, third, second, first] {
        tokio::time::sleep(options.pause).await;
        if done.steps.is_empty() {
            let tried = operator.get(&format!("/v1/catalogue/{to}/dry-run")).await?;
            done.dry_run_heroes = tried["heroes"].as_u64().unwrap_or(0);
            banner(operator, Some("New numbers in a moment. Timers go on.")).await?;
        }
        let from = done.version;
        // Each bot counts a version once each time that it is told of it after another one.
        let expected = crowd.stats.told(to) + bots;
        let started = Instant::now();
        let wish = json!({ "reason": "a test under load", "in_force": from, "version": to });
        operator.post("/v1/catalogue/switch", &wish).await?;
        let answered_ms = elapsed_ms(started);
        done.hear(crowd, to, expected).await;
        done.steps.push(Step { from, to, answered_ms, everybody_ms: elapsed_ms(started) });
        done.version = to;
        progress.step(format!("{from} → {to}, acknowledged {}", crowd.stats.acknowledged.get()));
    }
    progress.done();
    banner(operator, None).await?;
    tokio::time::sleep(options.pause).await;
    Ok(done)
}

impl Switched {
    /// Waits until everybody has heard of a version.
    async fn hear(&mut self, crowd: &Crowd, version: u32, expected: u64) {
        let give_up = Instant::now() + HEARD_WITHIN;
        while crowd.stats.told(version) < expected {
            if Instant::now() > give_up {
                let missing = expected - crowd.stats.told(version);
                self.findings.push(format!("{missing} players never heard of version {version}"));
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn banner(operator: &Operator, text: Option<&str>) -> Result<()> {
    let banner = text.map(|text| json!({ "text": text, "until_ms": null }));
    operator.post("/v1/banner", &json!({ "reason": "a test under load", "banner": banner })).await?;
    Ok(())
}

fn version_of(value: &Value) -> Result<u32> {
    let version = value.as_u64().and_then(|version| u32::try_from(version).ok());
    version.with_context(|| format!("no version: {value}"))
}

/// A catalogue's text with another number and another energy per second.
fn with_numbers(text: &str, version: u32, base_me_per_s: u32) -> Result<String> {
    let mut replaced = 0;
    let lines = text.lines().map(|line| {
        for (field, value) in [("version:", version), ("base_me_per_s:", base_me_per_s)] {
            if line.trim_start().starts_with(field) {
                replaced += 1;
                return format!("{field} {value},");
            }
        }
        line.to_owned()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    ensure!(replaced == 2, "the text is not laid out as the built-in catalogue");
    Ok(text)
}

fn report(
    options: &SwitchOptions,
    switched: Switched,
    stats: &crate::stats::Stats,
    bots: &[Bot],
) -> SwitchReport {
    let mut findings = switched.findings;
    let mut closed: BTreeMap<u16, u64> = BTreeMap::new();
    for bot in bots {
        for (code, count) in &bot.closed {
            *closed.entry(*code).or_default() += count;
        }
        if bot.catalogue_version != switched.version {
            findings.push(format!("a player ended with version {}", bot.catalogue_version));
        }
    }
    if !closed.is_empty() {
        findings.push(format!("sockets were closed: {closed:?}"));
    }
    let sockets = stats.welcomed.get();
    if sockets != u64::from(options.crowd.bots) {
        findings.push(format!(
            "{} players opened {sockets} sockets: somebody was disconnected",
            options.crowd.bots
        ));
    }
    let said = bots.iter().flat_map(|bot| &bot.ledger.findings);
    if matches!(options.place, Place::Running { .. }) {
        findings.extend(said.cloned());
    }
    findings.truncate(FINDINGS_MAX);
    SwitchReport {
        players: options.crowd.bots,
        steps: switched.steps,
        dry_run_heroes: switched.dry_run_heroes,
        acknowledged: stats.acknowledged.get(),
        lost: stats.lost.get(),
        doubled: stats.doubled.get(),
        refused: stats.refused(),
        sockets,
        closed,
        tick_overruns: None,
        verified: None,
        findings,
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::with_numbers;

    #[test]
    fn other_numbers_are_put_in() {
        let text = "(\n    version: 1,\n    focus: (\n        base_me_per_s: 20,\n    ),\n)";
        let other = with_numbers(text, 7, 25).unwrap();
        assert!(other.contains("version: 7,") && other.contains("base_me_per_s: 25,"), "{other}");
        assert!(with_numbers("version: 1", 2, 3).is_err());
    }
}
