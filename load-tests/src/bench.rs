//! Measurements of what the server costs, each against its goal and where there is one against a baseline in the same run. One
//! line of JSON each; progress goes to standard error.
//!
//! Each is a program, not a test: it needs a quiet machine and an optimised server.

mod command;
mod counted;
mod crowd;
pub mod echo;
mod line;
mod memory;
mod restart;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::fault::absolute;
use crate::faults::ServerPlan;

/// What `bench` takes.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// Which.
    pub name: Bench,
    /// The server's binary.
    #[arg(long)]
    pub server: PathBuf,
    /// Where the store and the log go; what is in it is replaced.
    #[arg(long, default_value = "target/bench")]
    pub data: PathBuf,
    /// `command`: keep the heroes in a Postgres of its own instead of SQLite.
    #[arg(long)]
    pub postgres: bool,
    /// `command`: another build of the server, which takes turns with the first one. What two runs say cannot be compared.
    #[arg(long)]
    pub against: Option<PathBuf>,
    /// So many players, or connections, instead of what the goal is set for.
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..))]
    pub players: Option<u16>,
    /// Few players and short: shows that it works, not how much it is.
    #[arg(long)]
    pub quick: bool,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bench {
    /// CPU time from a command's frame to its durable acknowledgement, against a bare echo of the same sizes
    Command,
    /// Memory of each connected player
    Memory,
    /// Bytes to and from a focusing player who does nothing
    Wire,
    /// Time from the start to ready, and until everybody has resumed
    Restart,
}

impl BenchOptions {
    /// A folder of its own, empty.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = absolute(&self.data)?.join(name);
        empty(&folder)?;
        Ok(folder)
    }

    /// A server on an empty store in an empty folder.
    fn plan(&self, name: &str) -> Result<ServerPlan> {
        self.plan_of(&self.server, name)
    }

    /// The same of another build.
    fn plan_of(&self, server: &Path, name: &str) -> Result<ServerPlan> {
        ServerPlan::new(&absolute(server)?, &self.folder(name)?)
    }

    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    fn players(&self, full: usize, quick: usize) -> usize {
        self.players.map_or(self.count(full, quick), usize::from)
    }
}

/// Runs one and returns its line.
///
/// # Errors
/// When it cannot be made.
pub async fn run(options: &BenchOptions) -> Result<Value> {
    let (name, mut line) = match options.name {
        Bench::Command => ("command", command::run(options).await?),
        Bench::Memory => ("memory", memory::run(options).await?),
        Bench::Wire => ("wire", wire::run(options).await?),
        Bench::Restart => ("restart", restart::run(options).await?),
    };
    let fields = line.as_object_mut().context("every line is an object")?;
    fields.insert("bench".to_owned(), json!(name));
    fields.insert("quick".to_owned(), json!(options.quick));
    fields.insert("debug_build".to_owned(), json!(cfg!(debug_assertions)));
    Ok(line)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// The middle one; 0 of none.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// Two digits behind the point: what is behind them is noise.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts, bytes and times of a run fit 52 bits")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The same for counts of things in memory.
fn float_of(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}
