//! The small verbs, and the checks of style that `lint` and `ci` share.

use std::process::Command;

use anyhow::Result;

use crate::Part;
use crate::dependencies;
use crate::process::{self, cargo, npm};
use crate::serve;
use crate::step::{Output, Steps};
use crate::tidy;
use crate::tools;
use crate::web;
use crate::workspace::Workspace;

pub(crate) fn build(workspace: &Workspace, part: Option<Part>, release: bool) -> Result<()> {
    let parts = part.map_or(vec![Part::Web, Part::Server], |part| vec![part]);
    let mut steps = Steps::new(parts.len(), Output::Brief);
    if parts.contains(&Part::Web) {
        steps.must("web client", |reporter| {
            tools::check_node().and_then(|()| web::build(workspace, reporter))
        })?;
        eprintln!("built web/player/dist and web/admin/dist");
    }
    if parts.contains(&Part::Server) {
        steps.must("server", |reporter| serve::build(workspace, release, reporter))?;
        eprintln!("built {}", workspace.server_binary(release).display());
    }
    Ok(())
}

/// The server's own subcommand; the model is in the server, because the panel shows it too.
pub(crate) fn cost(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut steps = Steps::new(1, Output::Brief);
    steps.must("server", |reporter| serve::build(workspace, false, reporter))?;
    process::run(Command::new(workspace.server_binary(false)).arg("cost").args(arguments))
}

/// How many steps [`lint_steps`] takes.
pub(crate) const LINT_STEP_COUNT: usize = 5;

pub(crate) fn lint(workspace: &Workspace, fix: bool) -> Result<()> {
    let mut steps = Steps::new(LINT_STEP_COUNT, Output::All);
    lint_steps(workspace, fix, &mut steps);
    steps.finish()
}

/// Everything about style, and the licences of what we depend on. With `fix`, what a tool can repair is repaired first.
pub(crate) fn lint_steps(workspace: &Workspace, fix: bool, steps: &mut Steps) {
    steps.try_step("tidy", |_| tidy::run(workspace));
    steps.try_step("format", |reporter| {
        // The fuzz targets are a workspace of their own.
        for mut command in [cargo(workspace, &["fmt", "--all"]), fuzz_format(workspace)] {
            if !fix {
                command.arg("--check");
            }
            reporter.run(&mut command)?;
        }
        Ok(())
    });
    steps.try_step("clippy", |reporter| {
        if fix {
            let repair =
                ["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"];
            reporter.run(&mut cargo(workspace, &repair))?;
        }
        reporter
            .run(&mut cargo(workspace, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    steps.try_step("web lint", |reporter| {
        tools::check_node()?;
        web::install(workspace, reporter)?;
        if fix {
            reporter.run(&mut npm(workspace, &["run", "lint:fix"]))?;
        }
        reporter.run(&mut npm(workspace, &["run", "lint"]))
    });
    steps.try_step("dependencies", |reporter| dependencies::check(workspace, reporter));
}

pub(crate) fn format(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(1, Output::All);
    steps.must("format", |reporter| {
        reporter.run(&mut cargo(workspace, &["fmt", "--all"]))?;
        reporter.run(&mut fuzz_format(workspace))
    })
}

fn fuzz_format(workspace: &Workspace) -> Command {
    let mut command = cargo(workspace, &["fmt", "--manifest-path"]);
    command.arg(workspace.root.join("fuzz/Cargo.toml"));
    command
}

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(2, Output::All);
    steps.try_step("Rust types", |reporter| {
        reporter.run(&mut cargo(workspace, &["check", "--workspace", "--all-targets"]))
    });
    steps.try_step("TypeScript types", |reporter| {
        tools::check_node()?;
        web::install(workspace, reporter)?;
        reporter.run(&mut npm(workspace, &["run", "typecheck"]))
    });
    steps.finish()
}
