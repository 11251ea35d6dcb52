//! `security`: proofs that take longer than a test may. Each step returns figures, which take the place of its older ones in
//! `docs/security.md`, unless it was a quick run.

mod conformance;
mod fuzz;
mod leaks;
mod measure;
mod rest;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::fs;

use crate::process::output_of;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// Where the figures go, and between which lines.
const DOCUMENT: &str = "docs/security.md";
const BEGIN: &str = "<!-- figures -->";
const END: &str = "<!-- /figures -->";

/// What `security` takes.
#[derive(Args)]
pub(crate) struct SecurityArguments {
    /// Which steps (`--list` names them); all when none is named. Their figures in docs/security.md are renewed
    steps: Vec<String>,
    /// Seconds instead of minutes; nothing is written
    #[arg(long)]
    quick: bool,
    /// Only list the steps
    #[arg(long)]
    list: bool,
}

/// Something that was measured or counted.
pub(crate) struct Figure {
    /// What, in a few words.
    pub(crate) what: String,
    /// The number, or whatever was seen.
    pub(crate) seen: String,
    /// It is not what it should be.
    pub(crate) is_missed: bool,
}

impl Figure {
    fn new(what: impl Into<String>, seen: impl Into<String>) -> Figure {
        Figure { what: what.into(), seen: seen.into(), is_missed: false }
    }
}

type Run = fn(&Workspace, bool, &Reporter) -> Result<Vec<Figure>>;

/// One proof.
struct Step {
    name: &'static str,
    about: &'static str,
    run: Run,
}

/// Every proof, in the order in which they run.
const STEPS: [Step; 5] = [
    Step {
        name: "fuzz",
        about: "ten minutes of libFuzzer for each target in fuzz/; --quick: ten seconds",
        run: fuzz::run,
    },
    Step {
        name: "conformance",
        about: "the WebSocket conformance suite against the server's frame layer; needs Python 2.7",
        run: conformance::run,
    },
    Step {
        name: "rest",
        about: "made-up requests to every route of docs/openapi.json, by schemathesis",
        run: rest::run,
    },
    Step {
        name: "measure",
        about: "what attacks cost everybody else: slow connections, slow readers, enumeration, hostile frames",
        run: measure::run,
    },
    Step {
        name: "leaks",
        about: "every secret of the integration tests, searched for in all their logs at TRACE",
        run: leaks::run,
    },
];

pub(crate) fn run(workspace: &Workspace, arguments: &SecurityArguments) -> Result<()> {
    if arguments.list {
        for step in &STEPS {
            println!("{:12} {}", step.name, step.about);
        }
        return Ok(());
    }
    let is_known = |name: &&String| STEPS.iter().any(|step| step.name == name.as_str());
    if let Some(unknown) = arguments.steps.iter().find(|name| !is_known(name)) {
        bail!("there is no step {unknown}; `cargo xtask security --list` names them");
    }
    let is_named =
        |step: &&Step| arguments.steps.is_empty() || arguments.steps.iter().any(|name| name == step.name);
    let named: Vec<&Step> = STEPS.iter().filter(is_named).collect();
    let mut steps = Steps::new(named.len(), Output::All);
    let mut rows = Vec::new();
    for step in &named {
        steps.try_step(step.name, |reporter| {
            let figures = (step.run)(workspace, arguments.quick, reporter)?;
            rows.extend(figures.into_iter().map(|figure| (step.name, figure)));
            Ok(())
        });
    }
    eprintln!();
    for (name, figure) in &rows {
        println!("{name:12} {}: {}", figure.what, figure.seen);
    }
    if !arguments.quick {
        let path = workspace.root.join(DOCUMENT);
        let today = output_of("date", &["-u", "+%F"]).context("the program date does not say the date")?;
        let before = fs::read_to_string(&path).with_context(|| format!("cannot read {DOCUMENT}"))?;
        let after = with_figures(&before, &rows, &today)?;
        fs::write(&path, after).with_context(|| format!("cannot write {DOCUMENT}"))?;
        eprintln!("renewed the figures in {DOCUMENT}");
    }
    steps.finish()?;
    let missed: Vec<&str> =
        rows.iter().filter(|(_, figure)| figure.is_missed).map(|(_, figure)| figure.what.as_str()).collect();
    ensure!(missed.is_empty(), "goals were missed: {}", missed.join(", "));
    Ok(())
}

/// The short form of what needs nothing but the compiler and the tests.
pub(crate) fn quick(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    for step in [fuzz::run, leaks::run] {
        for figure in step(workspace, true, reporter)? {
            reporter.say(&format!("{}: {}", figure.what, figure.seen));
        }
    }
    Ok(())
}

/// The document with these figures instead of those that it has of the same steps.
fn with_figures(document: &str, rows: &[(&str, Figure)], today: &str) -> Result<String> {
    let (before, rest) =
        document.split_once(BEGIN).with_context(|| format!("{DOCUMENT} has no line {BEGIN}"))?;
    let (old, after) = rest.split_once(END).with_context(|| format!("{DOCUMENT} has no line {END}"))?;
    let row = |(name, figure): &(&str, Figure)| {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        format!(
            "| {} | {} | `cargo xtask security {name}` | {today} |\n",
            cell(&figure.what),
            cell(&figure.seen)
        )
    };
    let command = |name: &str| format!("| `cargo xtask security {name}` |");
    let is_kept = |line: &&str| {
        let of = STEPS.iter().map(|step| step.name).find(|name| line.contains(&command(name)));
        of.is_some_and(|name| rows.iter().all(|(renewed, _)| *renewed != name))
    };
    let mut lines: Vec<String> = old.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
    lines.extend(rows.iter().map(row));
    let place = |line: &String| STEPS.iter().position(|step| line.contains(&command(step.name)));
    lines.sort_by_key(place);
    let table: String = lines.concat();
    Ok(format!("{before}{BEGIN}\n| what | seen | command | on |\n|---|---|---|---|\n{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_place_of_the_old_ones_and_nothing_else_changes() {
        let document = format!("# Security\n\n{BEGIN}\nold\n{END}\nmore\n");
        let rows = [("fuzz", Figure::new("a | b", "1\n2"))];
        let once = with_figures(&document, &rows, "2026-01-02").unwrap();
        assert_eq!(
            once,
            format!(
                "# Security\n\n{BEGIN}\n| what | seen | command | on |\n|---|---|---|---|\n\
                 | a \\| b | 1 2 | `cargo xtask security fuzz` | 2026-01-02 |\n{END}\nmore\n"
            )
        );
        assert_eq!(with_figures(&once, &rows, "2026-01-02").unwrap(), once);
        let both = with_figures(&once, &[("leaks", Figure::new("c", "0"))], "2026-01-03").unwrap();
        assert!(both.contains("| a \\| b |") && both.contains("| c | 0 |"), "{both}");
        assert!(with_figures("# Security\n", &rows, "2026-01-02").is_err());
    }

    #[test]
    fn the_document_has_a_place_for_figures() {
        let workspace = Workspace::load().unwrap();
        let document = fs::read_to_string(workspace.root.join(DOCUMENT)).unwrap();
        assert!(with_figures(&document, &[], "2026-01-02").is_ok());
    }
}
