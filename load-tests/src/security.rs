//! Measurements of what security promises in figures: what an attack costs everybody else, and what a clock gives away.
//!
//! Each is a program, not a test: it needs a quiet machine. Where two things are compared, both are measured in the same run
//! in turns, and so is one of them against itself: that says how far two figures differ for no reason.

mod compare;
mod enumeration;
mod hostile_cost;
mod slow_reader;
mod slowloris;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::faults::ServerPlan;

/// How to measure.
#[derive(Clone, Debug)]
pub struct SecurityOptions {
    /// The server's binary.
    pub binary: PathBuf,
    /// Where each measurement has a folder.
    pub data: PathBuf,
    /// Fewer rounds: shows that it works, not how much it is.
    pub quick: bool,
    /// Everything random follows from it.
    pub seed: u64,
}

impl SecurityOptions {
    /// A server on an empty store of its own.
    fn plan(&self, name: &str) -> Result<ServerPlan> {
        let folder = self.data.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        ServerPlan::new(&self.binary, &folder)
    }

    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

/// What came of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is met.
    Met,
    /// The figure is beyond it, and so are two figures of the same thing: this machine is too noisy to say.
    Noise,
    /// It is missed.
    Missed,
}

/// One figure and its goal.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// What was measured.
    pub name: String,
    /// What it should be.
    pub goal: &'static str,
    /// What was seen, in words.
    pub seen: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Whether the programs were built without optimisation.
    pub debug_build: bool,
    /// The figures.
    pub figures: serde_json::Value,
}

impl Measurement {
    fn new(
        name: &str,
        goal: &'static str,
        seen: String,
        verdict: Verdict,
        figures: serde_json::Value,
    ) -> Self {
        Self { name: name.to_owned(), goal, seen, verdict, debug_build: cfg!(debug_assertions), figures }
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Vec<Measurement>>> + 'a>>;

/// A name, and what is run for it.
type Program = (&'static str, for<'a> fn(&'a SecurityOptions) -> Running<'a>);

/// All measurements.
const PROGRAMS: [Program; 4] = [
    ("slowloris", |options| Box::pin(slowloris::run(options))),
    ("slow-reader", |options| Box::pin(slow_reader::run(options))),
    ("enumeration", |options| Box::pin(enumeration::run(options))),
    ("hostile-cost", |options| Box::pin(hostile_cost::run(options))),
];

/// Runs the named measurements, all when none is named, and prints a line in words and a line of JSON for each. Says
/// whether no goal was missed.
///
/// # Errors
/// When a name is no measurement's, or one cannot be made.
pub async fn run(options: &SecurityOptions, names: &[String]) -> Result<bool> {
    let known: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
    for name in names {
        ensure!(known.contains(&name.as_str()), "there is no measurement {name}; there are {known:?}");
    }
    if cfg!(debug_assertions) {
        eprintln!("a debug build: its figures are no promise for an optimised one");
    }
    let mut good = true;
    for (name, program) in PROGRAMS {
        if !names.is_empty() && !names.iter().any(|it| it == name) {
            continue;
        }
        eprintln!("measuring {name}");
        for found in program(options).await.with_context(|| name)? {
            let verdict = match found.verdict {
                Verdict::Met => "met",
                Verdict::Noise => "too noisy to say",
                Verdict::Missed => "MISSED",
            };
            let build = if found.debug_build { ", debug build" } else { "" };
            println!("{}: {} (goal: {}; {verdict}{build})", found.name, found.seen, found.goal);
            println!("{}", serde_json::to_string(&found).context("a measurement is plain data")?);
            good &= found.verdict != Verdict::Missed;
        }
    }
    Ok(good)
}
