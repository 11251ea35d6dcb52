//! `test` and `ci`: every test there is, by suite, with a summary at the end.

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;

use crate::faults;
use crate::infra;
use crate::install;
use crate::instructions;
use crate::process::{cargo, npm};
use crate::security;
use crate::serve;
use crate::step::{Output, Reporter, Steps};
use crate::tidy;
use crate::tools;
use crate::verbs;
use crate::web;
use crate::workspace::Workspace;

/// A group of tests that can be run alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Tests inside one crate or one TypeScript module
    Unit,
    /// Rust tests against whole parts: stores, the real server, golden files
    Integration,
    /// A real Chromium against the real server
    E2e,
    /// All Rust tests, and which lines they reached
    Coverage,
}

/// How many steps [`every_test`] takes.
const TEST_STEP_COUNT: usize = 11;

pub(crate) fn test(workspace: &Workspace, suite: Option<Suite>) -> Result<()> {
    let mut steps = match suite {
        None => Steps::new(TEST_STEP_COUNT + infra::STEP_COUNT + 1, Output::All),
        Some(Suite::Unit) => Steps::new(4, Output::All),
        Some(Suite::Integration) => Steps::new(5, Output::All),
        Some(Suite::E2e) => Steps::new(4, Output::All),
        Some(Suite::Coverage) => Steps::new(5, Output::All),
    };
    match suite {
        None => {
            steps.try_step("tidy", |_| tidy::run(workspace));
            infra::steps(workspace, &mut steps);
            every_test(workspace, &mut steps);
        }
        Some(Suite::Unit) => {
            let runner = Runner::find(workspace, &mut steps);
            steps.try_step("Rust unit tests", |reporter| {
                runner.run(workspace, &["--lib", "--bins"], reporter)
            });
            if packages(workspace, &mut steps) {
                steps.try_step("TypeScript tests", |reporter| script(workspace, "test", reporter));
            } else {
                steps.skip("TypeScript tests", NO_PACKAGES);
            }
        }
        Some(Suite::Integration) => {
            let runner = Runner::find(workspace, &mut steps);
            steps.try_step("Prometheus", install::prometheus);
            servers(workspace, &mut steps);
            steps.try_step("Rust integration tests", |reporter| {
                runner.run(workspace, &["--test", "*"], reporter)
            });
        }
        Some(Suite::E2e) => {
            let ready = packages(workspace, &mut steps);
            browser_tests(workspace, ready, &mut steps);
        }
        Some(Suite::Coverage) => {
            steps.try_step("Prometheus", install::prometheus);
            servers(workspace, &mut steps);
            coverage(workspace, &mut steps);
        }
    }
    steps.finish()
}

pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(verbs::LINT_STEP_COUNT + infra::STEP_COUNT + TEST_STEP_COUNT + 2, Output::All);
    verbs::lint_steps(workspace, false, &mut steps);
    infra::steps(workspace, &mut steps);
    every_test(workspace, &mut steps);
    steps.try_step("instructions", |reporter| instructions::check(workspace, reporter));
    steps.try_step("short fuzzing, leaks", |reporter| security::quick(workspace, reporter));
    steps.finish()
}

const NO_PACKAGES: &str = "the npm packages are not installed";

fn every_test(workspace: &Workspace, steps: &mut Steps) {
    let ready = packages(workspace, steps);
    let runner = Runner::find(workspace, steps);
    servers(workspace, steps);
    steps.try_step("Rust tests", |reporter| runner.run(workspace, &[], reporter));
    steps.try_step("short fault cases", |reporter| faults::quick(workspace, reporter));
    if ready {
        steps.try_step("TypeScript types", |reporter| script(workspace, "typecheck", reporter));
        steps.try_step("TypeScript tests", |reporter| script(workspace, "test", reporter));
    } else {
        steps.skip("TypeScript types", NO_PACKAGES);
        steps.skip("TypeScript tests", NO_PACKAGES);
    }
    browser_tests(workspace, ready, steps);
}

/// Node.js and the npm packages.
fn packages(workspace: &Workspace, steps: &mut Steps) -> bool {
    steps.try_step("npm packages", |reporter| {
        tools::check_node()?;
        web::install(workspace, reporter)
    })
}

/// Without them the tests that need them fail and say what is missing; the others still run.
fn servers(workspace: &Workspace, steps: &mut Steps) {
    steps.try_step("Postgres and Redis", install::databases);
    steps.try_step("S3 server", |reporter| install::s3(workspace, reporter));
}

fn script(workspace: &Workspace, name: &str, reporter: &Reporter) -> Result<()> {
    reporter.run(&mut npm(workspace, &["run", name]))
}

/// Three steps: the browser, the builds, the tests.
fn browser_tests(workspace: &Workspace, ready: bool, steps: &mut Steps) {
    const TESTS: &str = "browser tests";
    let mut browser = Err(anyhow!("not looked for yet"));
    let found = steps.try_step("browser", |reporter| {
        browser = install::browser(reporter);
        browser.as_ref().map(|_| ()).map_err(|error| anyhow!("{error:#}"))
    });
    let built = ready
        && steps.try_step("web client and server", |reporter| {
            web::build(workspace, reporter)?;
            serve::build_with_tests(workspace, reporter)
        });
    if !ready {
        steps.skip("web client and server", NO_PACKAGES);
    }
    match browser {
        Ok(browser) if found && built => {
            steps.try_step(TESTS, |reporter| {
                let mut command = npm(workspace, &["run", "e2e"]);
                command.env("CHROMIUM", &browser);
                command.env("DOPAMINE_HERO_BIN", workspace.server_binary(false));
                reporter.run(&mut command)
            });
        }
        _ => steps.skip(TESTS, "something they need is missing, see above"),
    }
}

fn coverage(workspace: &Workspace, steps: &mut Steps) {
    let mut variables = Vec::new();
    let ready = steps.try_step("coverage tools", |reporter| {
        variables = install::coverage(workspace, reporter)?;
        if !install::nextest(workspace, reporter) {
            bail!("coverage runs the tests with cargo-nextest, which is missing");
        }
        Ok(())
    });
    if !ready {
        steps.skip("Rust tests with coverage", "its tools are missing");
        return;
    }
    steps.try_step("Rust tests with coverage", |reporter| {
        let mut tests = cargo(workspace, &["llvm-cov", "nextest", "--workspace", "--html"]);
        reporter.run(tests.envs(variables.clone()))?;
        let mut report = cargo(workspace, &["llvm-cov", "report"]);
        reporter.run(report.envs(variables.clone()))?;
        reporter
            .say(&format!("line by line: {}", workspace.target.join("llvm-cov/html/index.html").display()));
        Ok(())
    });
}

/// What runs Rust tests on this machine.
#[derive(Clone, Copy)]
enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    fn find(workspace: &Workspace, steps: &mut Steps) -> Self {
        let mut runner = Self::CargoTest;
        steps.try_step("test runner", |reporter| {
            if install::nextest(workspace, reporter) {
                runner = Self::Nextest;
            } else {
                reporter.say("going on with cargo test");
            }
            Ok(())
        });
        runner
    }

    /// Always the whole workspace, so that every suite shares one build.
    fn run(self, workspace: &Workspace, targets: &[&str], reporter: &Reporter) -> Result<()> {
        let words: &[&str] = match self {
            Self::Nextest => &["nextest", "run", "--workspace"],
            Self::CargoTest => &["test", "--workspace", "--no-fail-fast"],
        };
        let arguments: Vec<&str> = words.iter().chain(targets).copied().collect();
        reporter.run(&mut cargo(workspace, &arguments))
    }
}
