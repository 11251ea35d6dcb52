//! Steps with a number, a name and a time, and a summary of how each ended.

use std::fmt;
use std::io::IsTerminal;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::{Stopwatch, spoken};
use crate::process;

/// How the output of programs is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// One moving line; all of it only when the program fails. Falls back to `All` without a terminal.
    Brief,
    /// As the program writes it.
    All,
}

/// A list of steps that is worked through.
pub(crate) struct Steps {
    count: usize,
    output: Output,
    done: Vec<Done>,
}

/// One step that is over.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    name: String,
    time: Duration,
    outcome: Outcome,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// A step cannot be done here, which is nobody's mistake; the text says what is missing.
#[derive(Debug)]
pub(crate) struct Skipped(pub(crate) String);

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

impl Steps {
    /// `count` is how many steps will come, for the `[2/4]` in front.
    pub(crate) fn new(count: usize, output: Output) -> Self {
        let output = if std::io::stderr().is_terminal() { output } else { Output::All };
        Self { count, output, done: Vec::new() }
    }

    /// Does one step, and stops the whole at a failure.
    pub(crate) fn must<T>(&mut self, name: &str, work: impl FnOnce(&Reporter) -> Result<T>) -> Result<T> {
        let place = format!("[{}/{}] {name}", self.done.len() + 1, self.count);
        let reporter = Reporter::new(&place, self.output);
        let watch = Stopwatch::start();
        let result = work(&reporter);
        let time = watch.elapsed();
        let outcome = match &result {
            Ok(_) => Outcome::Passed,
            Err(error) if error.is::<Skipped>() => Outcome::Skipped(error.to_string()),
            Err(error) => Outcome::Failed(last_line(&error.to_string(), &error.root_cause().to_string())),
        };
        let word = match outcome {
            Outcome::Passed => "",
            Outcome::Failed(_) => "FAILED after ",
            Outcome::Skipped(_) => "skipped after ",
        };
        reporter.finish(&format!("{place} … {word}{}", spoken(time)));
        self.done.push(Done { name: name.into(), time, outcome });
        result
    }

    /// Does one step; a failure is printed and kept for the summary, and the next step comes all the same.
    pub(crate) fn try_step(&mut self, name: &str, work: impl FnOnce(&Reporter) -> Result<()>) -> bool {
        match self.must(name, work) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("error: {error:#}");
                false
            }
        }
    }

    /// Notes that a step is not done, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        eprintln!("[{}/{}] {name} … skipped: {why}", self.done.len() + 1, self.count);
        self.done.push(Done {
            name: name.into(),
            time: Duration::ZERO,
            outcome: Outcome::Skipped(why.into()),
        });
    }

    /// Prints how each step ended; an error if one failed or was skipped.
    pub(crate) fn finish(self) -> Result<()> {
        eprintln!("\n{}", summary(&self.done));
        let bad = self.done.iter().filter(|step| step.outcome != Outcome::Passed).count();
        if bad > 0 {
            return Err(anyhow!("{bad} of {} steps did not pass", self.done.len()));
        }
        Ok(())
    }
}

/// The last line of the outer message, or of its cause when the outer one is only kept output.
fn last_line(outer: &str, cause: &str) -> String {
    let text = if outer.lines().count() > 1 { cause } else { outer };
    text.lines().last().unwrap_or_default().to_owned()
}

fn summary(done: &[Done]) -> String {
    let width = done.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    let line = |step: &Done| {
        let name = &step.name;
        let time = spoken(step.time);
        match &step.outcome {
            Outcome::Passed => format!("passed   {name:width$}  {time:>12}"),
            Outcome::Failed(why) => format!("FAILED   {name:width$}  {time:>12}  {why}"),
            Outcome::Skipped(why) => format!("SKIPPED  {name:width$}  {:>12}  {why}", ""),
        }
    };
    done.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a step tells the person who waits.
pub(crate) struct Reporter {
    bar: Option<ProgressBar>,
}

impl Reporter {
    fn new(place: &str, output: Output) -> Self {
        if output == Output::All {
            eprintln!("{place} …");
            return Self { bar: None };
        }
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}");
        let bar = ProgressBar::new_spinner().with_style(style.expect("the template is fixed and valid"));
        bar.set_prefix(place.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar) }
    }

    /// Runs a program; what it writes is shown as this step shows things.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        match &self.bar {
            Some(bar) => process::run_with_lines(command, &|line| bar.set_message(line.to_owned())),
            None => process::run(command),
        }
    }

    /// Says one thing that stays on the terminal.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// From here on the terminal belongs to a program that this step leaves running.
    pub(crate) fn make_way(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn finish(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_every_step_and_reason() {
        let mut steps = Steps::new(4, Output::All);
        assert!(steps.try_step("one", |_| Ok(())));
        assert!(!steps.try_step("two", |_| Err(anyhow!("it broke"))));
        steps.skip("three", "two failed");
        assert!(!steps.try_step("four", |_| Err(Skipped("no tool".into()).into())));
        let text = summary(&steps.done);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("passed   one"), "{text}");
        assert!(lines[1].starts_with("FAILED   two") && lines[1].ends_with("it broke"), "{text}");
        assert!(lines[2].starts_with("SKIPPED  three") && lines[2].ends_with("two failed"), "{text}");
        assert!(lines[3].starts_with("SKIPPED  four") && lines[3].ends_with("no tool"), "{text}");
        assert_eq!(steps.finish().unwrap_err().to_string(), "3 of 4 steps did not pass");
    }

    #[test]
    fn must_stops_at_a_failure() {
        let mut steps = Steps::new(1, Output::All);
        let result: Result<()> =
            steps.must("one", |reporter| reporter.run(Command::new("sh").args(["-c", "exit 4"])));
        assert!(result.unwrap_err().to_string().contains("exit status: 4"));
    }
}
