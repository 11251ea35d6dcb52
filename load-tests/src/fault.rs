//! The faults that nothing acknowledged may be lost to: each a case that injects one into a real server process under
//! load, then checks from outside. The control cases run a build that is broken on purpose and must find the loss.
//!
//! A case is a function; the list of them is [`CASES`]. What a machine cannot do is listed with its reason, never left
//! out in silence.

mod clients;
mod clock;
mod damage;
mod disk;
mod kill;
mod machine;
mod migration;
mod moving;
mod network;
mod nodes;
mod player;
mod postgres;
mod redis;
mod report;
mod surgery;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::Instant;

use crate::faults::ServerPlan;
use crate::scenario::settle::Settled;

pub use machine::facts as machine_facts;
pub use report::{Row, table};

/// The future of a case.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>>;

/// A fault and its proof.
pub struct Case {
    /// Its number in the list of faults, with a letter where one fault has several cases.
    pub id: &'static str,
    /// What goes wrong.
    pub name: &'static str,
    /// What the machine must offer.
    pub needs: &'static [Need],
    /// It is short enough for every change.
    pub quick: bool,
    /// The build is broken on purpose: the case holds only if the loss is found.
    pub is_control: bool,
    run: for<'a> fn(&'a Bench) -> Running<'a>,
}

/// What a machine must offer for a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Mounting file systems, tracing processes, network namespaces.
    Root,
    /// A program on the path.
    Program(&'static str),
    /// Debian's libfaketime.
    Faketime,
    /// The programs of a Postgres server.
    Postgres,
    /// The programs of a Redis server.
    Redis,
}

/// What cases get.
pub struct Bench {
    /// The healthy server.
    pub binary: PathBuf,
    /// The workspace, where broken builds are made.
    pub workspace: PathBuf,
    /// Where each case has a folder.
    pub data: PathBuf,
    /// Smaller counts.
    pub quick: bool,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Bench {
    /// A server on an empty store in a folder of the case's own.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn plan(&self, case: &str) -> Result<ServerPlan> {
        let folder = self.data.join(case);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        Ok(ServerPlan::new(&self.binary, &folder)?.without_socket_limits())
    }

    /// One of two counts.
    #[must_use]
    pub fn count(&self, full: u32, quick: u32) -> u32 {
        if self.quick { quick } else { full }
    }

    /// A build that exists for tests only, compiled when it is needed first. All of them share one target folder, so that
    /// their dependencies are compiled once.
    ///
    /// # Errors
    /// When it does not build.
    pub async fn test_build(&self, feature: &str) -> Result<PathBuf> {
        let target = self.workspace.join("target/controls");
        eprintln!("building the server with {feature} (the first such build takes minutes)");
        let status = Command::new("cargo")
            .args(["build", "-q", "-p", "game-server", "--bin", "dopamine-hero"])
            .args(["--features", &format!("game-server/{feature}"), "--target-dir"])
            .arg(&target)
            .current_dir(&self.workspace)
            .status()
            .await
            .context("cannot run cargo")?;
        ensure!(status.success(), "the server with {feature} does not build");
        let binary = target.join(format!("dopamine-hero-{feature}"));
        std::fs::copy(target.join("debug/dopamine-hero"), &binary)?;
        Ok(binary)
    }
}

/// How a case ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was done to the server, with counts.
    pub injected: String,
    /// What was looked at besides the checks that every case makes, with counts.
    pub checked: String,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Of them lost.
    pub lost: u64,
    /// Commands that happened twice.
    pub doubled: u64,
    /// Everything that is wrong, in words.
    pub findings: Vec<String>,
}

impl Outcome {
    /// From the checks that every case makes.
    #[must_use]
    pub fn of(settled: &Settled, injected: String, checked: String) -> Self {
        let lost_on_resume: u64 = settled.bots.iter().map(|bot| bot.ledger.lost_on_resume).sum();
        let verdict = &settled.verdict;
        let universal = format!(
            "{} events of {} heroes on their chains, {} folds, {} facts",
            verdict.events, verdict.heroes, verdict.folds, verdict.facts
        );
        let checked = if checked.is_empty() { universal } else { format!("{checked}; {universal}") };
        Self {
            injected,
            checked,
            acknowledged: verdict.acknowledged,
            lost: verdict.lost.max(lost_on_resume).max(verdict.facts_lost),
            doubled: verdict.doubled,
            findings: settled.all_findings(),
        }
    }

    /// Notes what is wrong if it is.
    pub fn expect(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.findings.push(otherwise.into());
        }
    }
}

/// All cases, in the order of the list of faults.
pub const CASES: &[&Case] = &[
    &kill::AT_RANDOM,
    &kill::AT_RANDOM_CONTROL,
    &kill::AT_RANDOM_POSTGRES,
    &kill::AT_POINTS,
    &kill::AT_POINTS_POSTGRES,
    &postgres::KILLED,
    &postgres::KILLED_CONTROL,
    &postgres::POWER_CUT,
    &postgres::POWER_CUT_CONTROL,
    &disk::POWER_CUT,
    &disk::POWER_CUT_CONTROL,
    &postgres::FSYNC_FAILS,
    &disk::FSYNC_FAILS,
    &disk::FULL,
    &postgres::FULL,
    &network::CUT,
    &network::BLACK_HOLE,
    &network::OVERTAKEN,
    &network::LOCKED,
    &network::CROWDED,
    &nodes::FROZEN,
    &nodes::FROZEN_CONTROL,
    &moving::CLAIMED_AT_ONCE,
    &moving::HAND_OVER,
    &clock::JUMPS,
    &redis::LIES,
    &damage::PANIC,
    &damage::FLIPPED_BYTE,
    &damage::FLIPPED_BYTE_POSTGRES,
    &damage::FUTURE_SCHEMA,
    &damage::FUTURE_SCHEMA_POSTGRES,
    &kill::ASKED_TO_STOP,
    &clients::SLOW_READERS,
    &clients::REPEATED_FRAMES,
    &migration::CUT_OFF,
];

/// Runs the chosen cases, all when none is chosen, one after the other; `after_each` sees the rows so far, so that a run
/// that is broken off leaves what it saw.
///
/// # Errors
/// When a name is no case's, and those of `after_each`. A case that cannot be run is a row like any other.
pub async fn run(
    context: &Bench,
    chosen: &[String],
    after_each: &dyn Fn(&[Row]) -> Result<()>,
) -> Result<Vec<Row>> {
    let known: BTreeSet<&str> = CASES.iter().map(|case| case.id).collect();
    for id in chosen {
        ensure!(known.contains(id.as_str()), "there is no case {id}; there are {known:?}");
    }
    let mut rows = Vec::new();
    for case in CASES.iter().filter(|case| chosen.is_empty() || chosen.iter().any(|id| id == case.id)) {
        if chosen.is_empty() && context.quick && !case.quick {
            continue;
        }
        eprintln!("case {}: {}", case.id, case.name);
        let began = Instant::now();
        let ended = match machine::missing(case.needs) {
            Some(reason) => Err(reason),
            None => Ok((case.run)(context).await),
        };
        let row = Row::new(case, ended, began.elapsed());
        println!("{row}");
        rows.push(row);
        after_each(&rows)?;
    }
    Ok(rows)
}

/// An absolute path that exists or will.
///
/// # Errors
/// When there is no current folder.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))
}
