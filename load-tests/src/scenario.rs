//! What the command line runs. Each scenario is a function from options to a report, so that tests call the same code.

pub mod crowd;
pub mod headline;
pub mod hostile;
pub mod kill;
pub mod load;
pub mod rolling;
pub mod settle;
pub mod switch;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How often a progress line without a terminal is printed at most, in steps of a run.
const PLAIN_STEPS: u64 = 10;

/// Progress on a terminal as a bar, elsewhere as a line now and then.
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    length: u64,
}

impl Progress {
    /// A run of so many steps.
    #[must_use]
    pub fn new(length: u64, unit: &str) -> Self {
        let bar = ProgressBar::new(length);
        if let Ok(style) =
            ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {unit} {{elapsed}} {{msg}}"))
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, plain: !std::io::stderr().is_terminal(), length }
    }

    /// One step is done.
    pub fn step(&self, message: String) {
        self.bar.inc(1);
        let position = self.bar.position();
        if self.plain
            && (position.is_multiple_of((self.length / PLAIN_STEPS).max(1)) || position == self.length)
        {
            eprintln!("{position}/{} {message}", self.length);
        }
        self.bar.set_message(message);
    }

    /// The run is over.
    pub fn done(self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a report as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_report<T: Serialize>(path: &Path, report: &T) -> Result<()> {
    let json = serde_json::to_vec_pretty(report).context("a report is plain data")?;
    std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}
