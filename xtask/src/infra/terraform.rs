//! What runs on AWS: Terraform's own check of format, names and types; checkov for what is careless; the test of the drain and
//! of the deploy. What none of them can know is in [`numbers`]: what the server and the plan say.

mod hcl_file;
mod numbers;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Tree;
use crate::install;
use crate::step::{Reporter, Steps};
use crate::workspace::Workspace;

const FOLDER: &str = "infrastructure/terraform";
/// Folders that Terraform is started in. Staging has the same files as production; [`numbers`] sees to that.
const ROOTS: [&str; 2] = ["bootstrap", "environments/production"];
/// Names a folder with a copy of the providers, for machines that do not reach their registry.
const PROVIDERS_VARIABLE: &str = "TERRAFORM_PROVIDERS";

/// How many steps [`steps`] takes.
pub(super) const STEP_COUNT: usize = 4;

pub(super) fn steps(workspace: &Workspace, steps: &mut Steps) {
    steps.try_step("Terraform: names and numbers", |reporter| {
        let findings = numbers::findings(&read(workspace)?);
        for finding in &findings {
            reporter.say(finding);
        }
        if !findings.is_empty() {
            bail!("{} problems in {FOLDER}/", findings.len());
        }
        Ok(())
    });
    steps.try_step("Terraform: format and types", |reporter| validate(workspace, reporter));
    steps.try_step("Terraform: checkov", |reporter| scan(workspace, reporter));
    steps.try_step("Terraform: drain and deploy", |reporter| {
        let tests = ["modules/deploy/drain/drain.test.mjs", "deploy.test.mjs"];
        let folder = workspace.root.join(FOLDER);
        reporter.run(Command::new("node").arg("--test").args(tests).current_dir(folder))
    });
}

/// The files of `infrastructure/`, and those of the server that must agree with them.
fn read(workspace: &Workspace) -> Result<Tree> {
    let Tree(mut files) = Tree::read(workspace)?;
    for path in [".env.example", numbers::CLIENT] {
        let text = fs::read_to_string(workspace.root.join(path));
        files.push((path.to_owned(), text.with_context(|| format!("cannot read {path}"))?));
    }
    Ok(Tree(files))
}

/// Format and types; what cannot be done here is said and left out, because Terraform and its provider for AWS come from
/// where no package registry is.
fn validate(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let Some(program) = install::terraform() else {
        reporter
            .say("left out: neither terraform nor tofu is on the path, so format and types are not checked");
        return Ok(());
    };
    let folder = workspace.root.join(FOLDER);
    reporter
        .run(Command::new(&program).args(["fmt", "-check", "-diff", "-recursive"]).current_dir(&folder))?;
    for root in ROOTS {
        let data = workspace.target.join("terraform").join(root);
        let terraform = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.args(arguments).current_dir(folder.join(root)).env("TF_DATA_DIR", &data);
            command.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
            command
        };
        let mut init =
            terraform(&["init", "-backend=false", "-input=false", "-lockfile=readonly", "-no-color"]);
        if let Some(copy) = std::env::var_os(PROVIDERS_VARIABLE).filter(|named| !named.is_empty()) {
            init.arg(format!("-plugin-dir={}", Path::new(&copy).display()));
        }
        if let Err(error) = reporter.run(&mut init) {
            reporter.say(&format!(
                "left out: {root} is not validated, because the provider for AWS cannot be had here; \
                 {PROVIDERS_VARIABLE} may name a folder that has it: {error:#}"
            ));
            continue;
        }
        reporter.run(&mut terraform(&["validate", "-no-color"]))?;
    }
    Ok(())
}

/// No finding is left, except those whose reason stands beside the resource.
fn scan(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let program = install::checkov(workspace, reporter)?;
    let mut command = Command::new(program);
    command.args(["--directory", ".", "--framework", "terraform", "--quiet", "--compact", "--skip-download"]);
    command.current_dir(workspace.root.join(Path::new(FOLDER)));
    reporter.run(&mut command)
}
