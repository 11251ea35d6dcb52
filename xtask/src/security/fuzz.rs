//! `fuzz`: libFuzzer over every target in `fuzz/fuzz_targets/`, on the compiler that everything else is built with.
//!
//! There is no address sanitizer, which needs a nightly compiler: our crates forbid unsafe code, so that what can go wrong
//! is a panic, an overflow, a wrong answer, or a run that takes too long or too much memory. All of these are found
//! without one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use super::Figure;
use crate::install;
use crate::process::{cargo, output_of, run_with_lines};
use crate::step::Reporter;
use crate::workspace::Workspace;

/// One target, and what it may be given.
struct Target {
    name: &'static str,
    bytes_max: u32,
    /// Where its seeds are.
    seeds: &'static str,
}

const TARGETS: [Target; 5] = [
    Target { name: "frames", bytes_max: 8_300, seeds: "protocol/golden" },
    Target { name: "socket", bytes_max: 16_384, seeds: "fuzz/corpus/socket" },
    Target { name: "tokens", bytes_max: 1_200, seeds: "fuzz/corpus/tokens" },
    Target { name: "journal", bytes_max: 16_384, seeds: "fuzz/corpus/journal" },
    Target { name: "environment", bytes_max: 4_096, seeds: "fuzz/corpus/environment" },
];

/// How long each runs, in seconds.
const FULL_S: u32 = 600;
const QUICK_S: u32 = 10;

/// What cargo-fuzz passes too. All of them are known to the stable compiler.
const INSTRUMENTATION: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "--cfg fuzzing",
];

pub(super) fn run(workspace: &Workspace, quick: bool, reporter: &Reporter) -> Result<Vec<Figure>> {
    let programs = build(workspace, reporter)?;
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let mut figures = Vec::new();
    for targets in TARGETS.chunks(at_once) {
        let programs = &programs;
        let ran: Vec<Result<Figure>> = thread::scope(|scope| {
            let start = |target| scope.spawn(move || fuzz(workspace, programs, target, quick));
            let running: Vec<_> = targets.iter().map(start).collect();
            running.into_iter().map(|one| one.join().expect("it returns its error")).collect()
        });
        for (target, figure) in targets.iter().zip(ran) {
            let figure = figure.with_context(|| format!("the target {} found something", target.name))?;
            reporter.say(&format!("{}: {}", figure.what, figure.seen));
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// Builds all targets, in a folder of their own; returns where they are.
fn build(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    install::cxx(reporter)?;
    let description =
        output_of("rustc", &["--version", "--verbose"]).context("rustc does not say its version")?;
    let host = description.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say for which machine it builds")?;
    let target = workspace.target.join("fuzz");
    let mut command = cargo(workspace, &["build", "--release", "--locked", "--bins"]);
    command.arg("--manifest-path").arg(workspace.root.join("fuzz/Cargo.toml"));
    // With a target named, only what runs in it is instrumented, and no macro or build script.
    command.args(["--target", host]).arg("--target-dir").arg(&target);
    command.env("RUSTFLAGS", INSTRUMENTATION.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env("CARGO_INCREMENTAL", "0");
    reporter.run(&mut command)?;
    Ok(target.join(host).join("release"))
}

/// Runs one target: first everything that is committed, then what the fuzzer makes of it.
fn fuzz(workspace: &Workspace, programs: &Path, target: &Target, quick: bool) -> Result<Figure> {
    let name = target.name;
    let seconds = if quick { QUICK_S } else { FULL_S };
    let folder = |kind: &str| -> Result<PathBuf> {
        let folder = workspace.target.join("fuzz").join(kind).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    };
    let artifacts = folder("findings")?;
    let mut command = Command::new(programs.join(name));
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={}", target.bytes_max));
    if quick {
        // What a short run tries is the same each time: what it finds is the fault of a change.
        command.arg("-seed=1");
    }
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // What is new is kept in the first folder, the others are only read.
    command.arg(folder("corpus")?).arg(workspace.root.join(target.seeds));
    let lines = Mutex::new(Vec::new());
    run_with_lines(&mut command, &|line| {
        lines.lock().expect("nobody panics while it is held").push(line.to_owned());
    })?;
    let lines = lines.into_inner().expect("nobody panics while it is held");
    let Some((executions, coverage)) = figures(&lines) else {
        bail!("libFuzzer does not say how it went: {}", lines.join("\n"));
    };
    Ok(Figure::new(
        format!("fuzz target {name}, {seconds} s"),
        format!("{executions} executions, {coverage} edges reached, nothing found"),
    ))
}

/// How many executions, and how many edges they reached.
fn figures(lines: &[String]) -> Option<(u64, u64)> {
    let executions = lines.iter().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    let coverage = lines.iter().rev().find_map(|line| line.split_once(" cov: "))?.1;
    let number = |text: &str| text.split_whitespace().next()?.parse().ok();
    Some((number(executions)?, number(coverage)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_is_read() {
        let lines = [
            "#2\tINITED cov: 31 ft: 32 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#524288\tDONE   cov: 512 ft: 1200 corp: 80/3Kb lim: 40 exec/s: 47662 rss: 41Mb",
            "Done 524288 runs in 11 second(s)",
            "stat::number_of_executed_units: 524288",
        ];
        assert_eq!(figures(&lines.map(str::to_owned)), Some((524_288, 512)));
        assert_eq!(figures(&[]), None);
    }

    #[test]
    fn every_target_is_run_and_has_its_program() {
        let workspace = Workspace::load().unwrap();
        let files = fs::read_dir(workspace.root.join("fuzz/fuzz_targets")).unwrap();
        let mut found: Vec<String> = files
            .map(|file| file.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
            .collect();
        found.sort();
        let mut run: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        run.sort_unstable();
        assert_eq!(found, run);
    }
}
