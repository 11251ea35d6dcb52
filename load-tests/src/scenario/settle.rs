//! The end of every fault test, and the checks that hold after every fault: each acknowledged command is in the journal
//! once, without gaps and on one chain, the fold of the journal is the hero that was played, the ledger adds up, the
//! queues are empty, and no client waits for an answer.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::audit::Verdict;
use crate::bot::Bot;
use crate::faults::{Server, ServerPlan};
use crate::scenario::crowd::{Crowd, audit, compare_views};

/// How long the queues may take to empty once nobody asks for anything.
const QUEUES_EMPTY_WITHIN: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was found.
pub struct Settled {
    /// The bots with their books.
    pub bots: Vec<Bot>,
    /// The journal against the books.
    pub verdict: Verdict,
    /// Everything else that was wrong, in words.
    pub findings: Vec<String>,
    /// `verify` found nothing.
    pub verified: bool,
}

impl Settled {
    /// All findings: of the checks, of the bots, of the audit.
    #[must_use]
    pub fn all_findings(&self) -> Vec<String> {
        let said = self
            .bots
            .iter()
            .flat_map(|bot| bot.ledger.findings.iter().map(|text| format!("{}: {text}", bot.device.hero_id)));
        self.findings.iter().cloned().chain(said).chain(self.verdict.findings.iter().cloned()).collect()
    }
}

/// Lets the bots finish, stops the server in order and checks everything. `is_expected` names lines of the server's log
/// that the fault explains.
///
/// # Errors
/// When a check cannot be made. What the checks find is in the result.
pub async fn settle(
    plan: &ServerPlan,
    server: Server,
    crowd: Crowd,
    is_expected: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Settled> {
    settle_nodes(plan, vec![server], crowd, is_expected).await
}

/// As `settle`, for all servers of one database. `plan` is the first one's.
///
/// # Errors
/// As `settle`.
pub async fn settle_nodes(
    plan: &ServerPlan,
    servers: Vec<Server>,
    crowd: Crowd,
    is_expected: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Settled> {
    let mut findings = Vec::new();
    let mut bots = crowd.finish().await?;
    compare_views(&plan.endpoint(), &mut bots).await;
    for server in &servers {
        let empty = wait_for_metric(server.plan(), "journal_queue_events", 0.0, QUEUES_EMPTY_WITHIN).await;
        if let Err(error) = empty {
            findings.push(format!("the queue is not empty at the end: {error:#}"));
        }
    }
    for server in servers {
        let plan = server.plan().clone();
        let status = server.stop().await?;
        if !status.success() {
            findings.push(format!("after SIGTERM the server ended with {status}"));
        }
        let problems = plan.log_problems();
        let unexpected = problems.iter().filter(|line| !is_expected(line));
        findings.extend(unexpected.map(|line| format!("in the server's log: {line}")));
    }
    let (verified, words) = plan.verify().await?;
    if !verified {
        findings.push(format!("verify at the end: {words}"));
    }
    let verdict = audit(plan, &bots).await?;
    Ok(Settled { bots, verdict, findings, verified })
}

/// Waits until a number of the server stands at a value.
///
/// # Errors
/// When it does not in time.
pub async fn wait_for_metric(plan: &ServerPlan, name: &str, value: f64, within: Duration) -> Result<()> {
    let mut last = None;
    let reached = async {
        loop {
            last = plan.metric(name).await.ok();
            if last.is_some_and(|found| (found - value).abs() < f64::EPSILON) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let reached = tokio::time::timeout(within, reached).await;
    reached.with_context(|| format!("{name} stands at {last:?} and not at {value}"))
}
