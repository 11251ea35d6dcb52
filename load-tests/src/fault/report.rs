//! What a run says: a line for each case, and the table for the documentation.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::{CASES, Case, Outcome};

/// Findings that are printed of one case.
const FINDINGS_SHOWN_MAX: usize = 10;

/// How a case ended, as it is shown.
#[derive(Clone, Debug)]
pub struct Row {
    id: &'static str,
    name: &'static str,
    is_control: bool,
    result: Ended,
    elapsed: Duration,
}

#[derive(Clone, Debug)]
enum Ended {
    Ran(Outcome),
    /// It could not be brought to its end, which is a failure.
    Broke(String),
    /// The machine cannot do it, which is none.
    NotHere(String),
}

impl Row {
    pub(super) fn new(case: &Case, ended: Result<Result<Outcome>, String>, elapsed: Duration) -> Self {
        let result = match ended {
            Err(reason) => Ended::NotHere(reason),
            Ok(Err(error)) => Ended::Broke(format!("{error:#}")),
            Ok(Ok(outcome)) => Ended::Ran(outcome),
        };
        Self { id: case.id, name: case.name, is_control: case.is_control, result, elapsed }
    }

    /// Whether the promise held; for a control, whether the loss was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match &self.result {
            Ended::Ran(outcome) if self.is_control => outcome.lost > 0,
            Ended::Ran(outcome) => outcome.lost + outcome.doubled == 0 && outcome.findings.is_empty(),
            Ended::Broke(_) => false,
            Ended::NotHere(_) => true,
        }
    }

    fn verdict(&self) -> String {
        match &self.result {
            Ended::Ran(outcome) if self.is_control && outcome.lost > 0 => {
                format!("control: {} lost of {} acknowledged, found", outcome.lost, outcome.acknowledged)
            }
            Ended::Ran(outcome) if self.is_control => {
                format!("BLIND: none of {} acknowledged seen lost", outcome.acknowledged)
            }
            Ended::Ran(outcome) => {
                let word = if self.is_good() { "held" } else { "FAILED" };
                let Outcome { acknowledged, lost, doubled, .. } = outcome;
                format!("{word}: {acknowledged} acknowledged, {lost} lost, {doubled} doubled")
            }
            Ended::Broke(error) => format!("FAILED: {error}"),
            Ended::NotHere(reason) => format!("not on this machine: {reason}"),
        }
    }

    fn words(&self) -> (&str, &str) {
        match &self.result {
            Ended::Ran(outcome) => (&outcome.injected, &outcome.checked),
            _ => ("", ""),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (injected, checked) = self.words();
        writeln!(formatter, "{:>4} {} ({} s)", self.id, self.name, self.elapsed.as_secs())?;
        if !injected.is_empty() {
            writeln!(formatter, "     injected: {injected}\n     checked: {checked}")?;
        }
        write!(formatter, "     {}", self.verdict())?;
        if let Ended::Ran(outcome) = &self.result
            && !self.is_control
        {
            for finding in outcome.findings.iter().take(FINDINGS_SHOWN_MAX) {
                write!(formatter, "\n     ! {finding}")?;
            }
        }
        Ok(())
    }
}

/// The page `docs/faults.md`: the rows of this run, and of the cases that it did not run those that `earlier`, the page as
/// it was, has of the same program.
#[must_use]
pub fn table(rows: &[Row], earlier: &str, machine: &str, command: &str) -> String {
    let mut page = format!(
        "# Faults\n\nWritten by `{command}`; do not edit. Each case injects a fault into real processes under load and then \
         checks\nfrom outside: every acknowledged command is in the journal once, no gap, epochs never fall, the chain \
         holds, the fold\nof the journal is the hero that was played, the ledger adds up, the queues are empty, no client \
         is without an answer.\nA control is a build that is broken on purpose, so that the case can be seen to find the \
         loss. A run of some cases renews\ntheir rows.\n\nMachine: {machine}\n\n| case | fault | injected | checked | \
         verdict | s |\n|---|---|---|---|---|---|\n"
    );
    let (mut count, mut acknowledged, mut seconds) = (0, 0, 0);
    for case in CASES {
        let is_of_case = |line: &&str| line.starts_with(&format!("| {} |", case.id));
        let renewed = rows.iter().find(|row| row.id == case.id).map(Row::line);
        let kept = || earlier.lines().find(is_of_case).map(str::to_owned);
        let Some(line) = renewed.or_else(kept) else { continue };
        count += 1;
        if !case.is_control {
            acknowledged += number_before(&line, " acknowledged").unwrap_or(0);
        }
        seconds += number_before(&line, " |").unwrap_or(0);
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{line}");
    }
    let _ = writeln!(
        page,
        "\n{count} of {} cases. All but the controls: {acknowledged} commands acknowledged, in {seconds} s of cases.",
        CASES.len()
    );
    page
}

/// The last number in a line that stands before some words.
fn number_before(line: &str, words: &str) -> Option<u64> {
    let before = &line.get(..line.rfind(words)?)?;
    let digits = before.rfind(|letter: char| !letter.is_ascii_digit()).map_or(0, |index| index + 1);
    before.get(digits..)?.parse().ok()
}

impl Row {
    fn line(&self) -> String {
        let (injected, checked) = self.words();
        let cells = [self.id, self.name, injected, checked, &self.verdict()];
        let cells = cells.map(|cell| cell.replace(['|', '\n'], " "));
        format!("| {} | {} |", cells.join(" | "), self.elapsed.as_secs())
    }
}
