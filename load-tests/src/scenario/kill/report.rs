//! The report of the fault test: what was done, what was found, and the verdict.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::KillOptions;
use crate::audit::Verdict;
use crate::bot::Bot;
use crate::scenario::write_report;
use crate::stats::Stats;

/// Findings that the report repeats in words.
const FINDINGS_MAX: usize = 100;

/// One life of the server, from ready to kill -9.
#[derive(Clone, Debug, Serialize)]
pub struct Life {
    /// Which kill ended it.
    pub number: u32,
    /// How long after readiness.
    pub after_ms: u64,
    /// Sockets that were open then.
    pub connected: u64,
    /// Commands that were acknowledged in this life.
    pub acknowledged: u64,
    /// How long `verify` took afterwards, if it ran.
    pub verify_ms: Option<u64>,
    /// How long the next start took.
    pub restart_ms: u64,
}

/// The whole run.
#[derive(Clone, Debug, Serialize)]
pub struct KillReport {
    /// The seed.
    pub seed: u64,
    /// kill -9.
    pub kills: u32,
    /// Devices.
    pub bots: u32,
    /// How long all of it took.
    pub elapsed_ms: u64,
    /// The journal against the ledgers.
    pub verdict: Verdict,
    /// `verify` at the end found nothing.
    pub verified: bool,
    /// Commands sent, repetitions included.
    pub sent: u64,
    /// Sockets that were welcomed.
    pub welcomed: u64,
    /// Commands whose answer was lost and that were applied.
    pub resumed_applied: u64,
    /// Commands whose answer was lost and that were not applied, and were repeated.
    pub resumed_open: u64,
    /// Answered commands that were said again on purpose.
    pub replayed: u64,
    /// Connections cut on purpose.
    pub cut: u64,
    /// Answers that came as `duplicate`.
    pub duplicates: u64,
    /// Acknowledged commands that a restarted server did not know.
    pub lost_on_resume: u64,
    /// New answers to commands that had been answered.
    pub acknowledged_twice: u64,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// How sockets ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// How many things were wrong besides the verdict.
    pub findings_count: u64,
    /// The first of them, in words.
    pub findings: Vec<String>,
    /// Each life of the server.
    pub lives: Vec<Life>,
}

impl KillReport {
    /// Nothing lost, nothing doubled, nothing else wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.verdict.is_clean()
            && self.verified
            && self.findings_count == 0
            && self.acknowledged_twice == 0
            && self.lost_on_resume == 0
    }

    /// An acknowledged command or a fact that was shown is missing: what the control run must find.
    #[must_use]
    pub fn found_loss(&self) -> bool {
        self.verdict.lost > 0
    }

    /// The run in a few lines.
    #[must_use]
    pub fn summary(&self) -> String {
        let verdict = &self.verdict;
        let mut lines = vec![
            format!(
                "{} kills, {} devices of {} heroes, seed {}, {} s",
                self.kills,
                self.bots,
                verdict.heroes,
                self.seed,
                self.elapsed_ms / 1000
            ),
            format!(
                "acknowledged {}, of them lost {}, doubled {}; shown facts {}, of them lost {}",
                verdict.acknowledged, verdict.lost, verdict.doubled, verdict.facts, verdict.facts_lost
            ),
            format!(
                "answers lost with the server: {} applied, {} not applied and repeated; {} said again on purpose",
                self.resumed_applied, self.resumed_open, self.replayed
            ),
            format!(
                "journal: {} events, {} gaps, {} wrong balances; verify {}",
                verdict.events,
                verdict.gaps,
                verdict.wallets_wrong,
                if self.verified { "clean" } else { "found problems" }
            ),
            format!("refused {:?}; sockets ended {:?}", self.refused, self.closed),
        ];
        lines.extend(verdict.findings.iter().chain(&self.findings).take(20).map(|text| format!("! {text}")));
        lines.push(format!("{} other findings", self.findings_count));
        lines.join("\n")
    }
}

/// What a run hands over when it is done.
pub(super) struct Done {
    pub(super) stats: Arc<Stats>,
    pub(super) lives: Vec<Life>,
    pub(super) findings: Vec<String>,
    pub(super) verdict: Verdict,
    pub(super) verified: bool,
    pub(super) elapsed: Duration,
}

pub(super) fn build(options: &KillOptions, done: Done, bots: &[Bot]) -> KillReport {
    let Done { stats, lives, findings, verdict, verified, elapsed } = done;
    let mut closed: BTreeMap<u16, u64> = BTreeMap::new();
    for bot in bots {
        for (code, count) in &bot.closed {
            *closed.entry(*code).or_default() += count;
        }
    }
    let said = bots.iter().flat_map(|bot| {
        bot.ledger
            .findings
            .iter()
            .map(|text| format!("{} stream {}: {text}", bot.device.hero_id, bot.device.stream_id))
    });
    let findings_count = u64::try_from(findings.len()).unwrap_or(u64::MAX)
        + bots.iter().map(|bot| bot.ledger.findings_count).sum::<u64>();
    KillReport {
        seed: options.crowd.seed,
        kills: options.kills,
        bots: options.crowd.bots,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        verdict,
        verified,
        sent: stats.sent.get(),
        welcomed: stats.welcomed.get(),
        resumed_applied: stats.resumed_applied.get(),
        resumed_open: stats.resumed_open.get(),
        replayed: stats.replayed.get(),
        cut: stats.cut.get(),
        duplicates: stats.duplicates.get(),
        lost_on_resume: bots.iter().map(|bot| bot.ledger.lost_on_resume).sum(),
        acknowledged_twice: stats.doubled.get(),
        refused: stats.refused(),
        closed,
        findings_count,
        findings: findings.into_iter().chain(said).take(FINDINGS_MAX).collect(),
        lives,
    }
}

/// Writes the report, and every ledger line by line for whoever has to find out what happened.
pub(super) fn write(directory: &Path, report: &KillReport, bots: &[Bot]) -> Result<()> {
    write_report(&directory.join("report.json"), report)?;
    let path = directory.join("ledgers.jsonl");
    let file = std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut file = std::io::BufWriter::new(file);
    for bot in bots {
        for (line, entry) in bot.ledger.entries.iter().enumerate() {
            let line = serde_json::json!({
                "hero_id": bot.device.hero_id,
                "stream_id": bot.device.stream_id,
                "line": line,
                "entry": entry,
            });
            writeln!(file, "{line}")?;
        }
    }
    file.flush().with_context(|| format!("cannot write {}", path.display()))
}
