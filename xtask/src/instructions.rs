//! `instructions`: counts the instructions of what every command and every tick costs, and compares them with the counts
//! that are committed.
//!
//! A time depends on the machine and on who else uses it; the number of instructions nearly does not. Each crate has a
//! program that does one case as often as it is told. callgrind runs it for N and for 2 N times, and the difference is
//! the case alone: what the program does before and after is the same in both.
//!
//! Two runs, and two builds in two places, gave the same counts. Another version of the C library moved some by up to 3.5 %,
//! because its allocator and memcpy are counted too. What code looks for in the processor it finds as valgrind shows it:
//! memcpy takes AVX2, SHA-256 takes plain code although most machines can do better, so that the hashes are most of
//! `flush_chain`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::install;
use crate::process::{cargo, output_of, typed};
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// How often a case is done; and then twice as often.
const TIMES: u64 = 20;
/// More than this above the baseline fails.
const TOLERANCE_PERCENT: u64 = 5;
/// The counts that are committed.
const BASELINE: &str = "xtask/instructions.json";
/// The crates that have a program of cases.
const CRATES: [&str; 3] = ["protocol", "simulation", "persistence"];

#[derive(Args)]
pub(crate) struct InstructionArguments {
    /// Write what is counted as the new baseline
    #[arg(long)]
    update: bool,
}

/// Instructions of each case, by its name.
type Counts = BTreeMap<String, u64>;

/// What is committed: counts, and what made the programs that were counted.
#[derive(Debug, PartialEq, Eq)]
struct Baseline {
    compiler: String,
    counts: Counts,
}

pub(crate) fn run(workspace: &Workspace, arguments: &InstructionArguments) -> Result<()> {
    let mut steps = Steps::new(1, Output::All);
    steps.must("instructions", |reporter| {
        if arguments.update { update(workspace, reporter) } else { check(workspace, reporter) }
    })
}

/// Counts and compares: an error when a case has become dearer.
pub(crate) fn check(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let path = workspace.root.join(BASELINE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {BASELINE}"))?;
    let baseline = Baseline::parse(&text).with_context(|| format!("{BASELINE} is not a baseline"))?;
    // Before anything is built: another compiler makes other programs, and nobody would know whose the difference is.
    let compiler = compiler()?;
    if compiler != baseline.compiler {
        bail!(
            "the baseline was counted with {}, this is {compiler}: `cargo xtask instructions --update` counts anew",
            baseline.compiler
        );
    }
    let counts = count_all(workspace, reporter)?;
    reporter.say(&table(&baseline.counts, &counts));
    for line in better(&baseline.counts, &counts) {
        reporter.say(&line);
    }
    let worse = worse(&baseline.counts, &counts);
    if !worse.is_empty() {
        bail!(
            "{}\n`callgrind_annotate {}/CASE` says where; if it has to be, `cargo xtask instructions --update`",
            worse.join("\n"),
            profiles(workspace).display()
        );
    }
    Ok(())
}

fn update(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let baseline = Baseline { compiler: compiler()?, counts: count_all(workspace, reporter)? };
    fs::write(workspace.root.join(BASELINE), baseline.text()?)
        .with_context(|| format!("cannot write {BASELINE}"))?;
    reporter.say(&table(&baseline.counts, &baseline.counts));
    Ok(())
}

impl Baseline {
    fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)?;
        let compiler = value["compiler"].as_str().context("it names no compiler")?.to_owned();
        let counts = value["instructions"].as_object().context("it has no instructions")?;
        let count = |(name, count): (&String, &Value)| {
            let count = count.as_u64().filter(|count| *count > 0);
            Ok((name.clone(), count.with_context(|| format!("{name} is not a count"))?))
        };
        Ok(Self { compiler, counts: counts.iter().map(count).collect::<Result<_>>()? })
    }

    fn text(&self) -> Result<String> {
        let value = json!({ "compiler": self.compiler, "instructions": self.counts });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }
}

/// The version of the compiler and what it compiles for.
fn compiler() -> Result<String> {
    let description =
        output_of("rustc", &["--version", "--verbose"]).context("rustc does not say its version")?;
    let field = |name| description.lines().find_map(|line| line.strip_prefix(name));
    let (release, host) = (field("release: "), field("host: "));
    let (release, host) = release.zip(host).context("rustc says neither its release nor its host")?;
    Ok(format!("rustc {release} for {host}"))
}

/// Where callgrind leaves what it saw.
fn profiles(workspace: &Workspace) -> PathBuf {
    workspace.target.join("callgrind")
}

fn count_all(workspace: &Workspace, reporter: &Reporter) -> Result<Counts> {
    install::valgrind(reporter)?;
    let folder = profiles(workspace);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut counts = Counts::new();
    for program in build(workspace)? {
        let name = program.to_string_lossy();
        let cases = output_of(&name, &[]).with_context(|| format!("{name} does not name its cases"))?;
        for case in cases.lines() {
            let count = count(&program, case, &folder.join(case))?;
            if counts.insert(case.to_owned(), count).is_some() {
                bail!("two cases have the name {case}");
            }
        }
    }
    Ok(counts)
}

/// Builds the programs as they ship, and says where they are. Only these crates, not the whole workspace: nothing else
/// here needs it optimised, and the rest takes many minutes.
fn build(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let words = ["build", "--profile", "instructions", "--bench", "instructions"];
    let mut command = cargo(workspace, &words);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.args(CRATES.iter().flat_map(|name| ["--package", name])).stderr(Stdio::inherit());
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("`{}` ended with {}", typed(&command), output.status);
    }
    let programs = programs(&String::from_utf8_lossy(&output.stdout));
    if programs.len() != CRATES.len() {
        bail!("cargo built {} programs for {} crates", programs.len(), CRATES.len());
    }
    Ok(programs)
}

/// What cargo says that can be executed.
fn programs(messages: &str) -> Vec<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect()
}

/// Instructions of doing a case once. Both runs go at the same time: what else the machine does changes no count.
fn count(program: &Path, case: &str, profile: &Path) -> Result<u64> {
    let run = |times: u64, out: &Path| {
        Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(program)
            .args([case, &times.to_string()])
            // What lies on the stack of a program before it starts moves its memory, and with that some counts.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start valgrind")
    };
    let few = run(TIMES, Path::new("/dev/null"))?;
    let many = run(2 * TIMES, profile)?;
    let [few, many] = [few, many].map(|child| {
        let output = child.wait_with_output().context("cannot wait for valgrind")?;
        let text = String::from_utf8_lossy(&output.stderr);
        let count = collected(&text).filter(|_| output.status.success());
        count.with_context(|| format!("callgrind did not count {case}:\n{text}"))
    });
    let (few, many) = (few?, many?);
    let difference = many.checked_sub(few).filter(|difference| *difference >= TIMES);
    Ok(difference.with_context(|| format!("{case} does nothing: {few} and {many} instructions"))? / TIMES)
}

/// The number in callgrind's line `==123== Collected : 456`.
fn collected(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

/// By how many percent `now` is above the baseline.
#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
fn change_percent(baseline: u64, now: u64) -> f64 {
    (now as f64 / baseline as f64 - 1.0) * 100.0
}

fn table(baseline: &Counts, counts: &Counts) -> String {
    let mut text = format!("{:<24} {:>12} {:>12} {:>9}", "case", "baseline", "now", "change");
    for (case, now) in counts {
        let (before, change) = match baseline.get(case) {
            Some(before) => (before.to_string(), format!("{:+.1} %", change_percent(*before, *now))),
            None => ("-".to_owned(), "new".to_owned()),
        };
        text += &format!("\n{case:<24} {before:>12} {now:>12} {change:>9}");
    }
    text
}

/// What fails, one line each.
fn worse(baseline: &Counts, counts: &Counts) -> Vec<String> {
    let mut lines = Vec::new();
    for (case, now) in counts {
        match baseline.get(case) {
            None => lines.push(format!("{case} has no baseline: add it with --update")),
            Some(before) if now * 100 > before * (100 + TOLERANCE_PERCENT) => {
                let percent = change_percent(*before, *now);
                lines.push(format!("{case} takes {percent:.1} % more instructions than the baseline"));
            }
            Some(_) => {}
        }
    }
    let gone = baseline.keys().filter(|case| !counts.contains_key(*case));
    lines.extend(
        gone.map(|case| format!("{case} is in the baseline and nowhere else: renew it with --update")),
    );
    lines
}

/// What has become so much cheaper that the baseline would no longer notice if that were lost.
fn better(baseline: &Counts, counts: &Counts) -> Vec<String> {
    let cheaper = counts.iter().filter_map(|(case, now)| {
        let before = baseline.get(case)?;
        let percent = -change_percent(*before, *now);
        (now * 100 < before * (100 - TOLERANCE_PERCENT))
            .then(|| format!("{case} is faster than the baseline by {percent:.1} %: renew it with --update"))
    });
    cheaper.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> Counts {
        of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn callgrinds_count_is_read() {
        let text = "==7== Callgrind, a call-graph generating cache profiler\n==7== \n==7== Events    : Ir\n\
                    ==7== Collected : 1234567\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(collected(text), Some(1_234_567));
        assert_eq!(collected("==7== Collected : \n"), None);
        assert_eq!(collected("valgrind: no such program"), None);
    }

    #[test]
    fn programs_are_what_cargo_can_execute() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nnoise\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/instructions-1\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(programs(messages), [PathBuf::from("/t/instructions-1")]);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let written =
            Baseline { compiler: "rustc 1.2.3 for moon".into(), counts: counts(&[("a", 1), ("b", 2)]) };
        assert_eq!(Baseline::parse(&written.text().unwrap()).unwrap(), written);
        for bad in ["", "{}", r#"{"compiler":"x","instructions":{"a":0}}"#, r#"{"instructions":{"a":1}}"#] {
            assert!(Baseline::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn five_percent_more_pass_and_a_little_more_fails() {
        let baseline = counts(&[("a", 1000), ("b", 1000), ("c", 1000)]);
        let now = counts(&[("a", 1050), ("b", 1051), ("c", 100)]);
        assert_eq!(worse(&baseline, &now), ["b takes 5.1 % more instructions than the baseline"]);
    }

    #[test]
    fn a_case_on_one_side_only_fails() {
        let lines = worse(&counts(&[("gone", 1)]), &counts(&[("new", 1)]));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("new has no baseline") && lines[1].starts_with("gone is in the baseline")
        );
    }

    #[test]
    fn what_is_cheaper_asks_for_a_new_baseline_and_fails_nothing() {
        let baseline = counts(&[("a", 1000), ("b", 1000)]);
        let now = counts(&[("a", 949), ("b", 950)]);
        assert_eq!(
            better(&baseline, &now),
            ["a is faster than the baseline by 5.1 %: renew it with --update"]
        );
        assert!(worse(&baseline, &now).is_empty());
    }

    #[test]
    fn the_table_shows_what_changed() {
        let text = table(&counts(&[("a", 200)]), &counts(&[("a", 190), ("b", 7)]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].ends_with("200          190    -5.0 %"), "{text}");
        assert!(lines[2].ends_with("-            7       new"), "{text}");
    }
}
