//! What builds, checks and delivers the server: GitHub's workflows, their shell scripts, the Dockerfile.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::files;
use crate::install;
use crate::step::Reporter;
use crate::workspace::Workspace;

const WORKFLOWS: &str = ".github/workflows";

/// actionlint knows the language of workflows and reads their scripts with shellcheck; zizmor knows how workflows are
/// attacked: actions without a digest, too many permissions, texts of strangers in scripts.
pub(super) fn check(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let linters = install::linters(workspace, reporter)?;
    let lint = |program: &str| {
        let mut command = Command::new(linters.join(program));
        command.current_dir(&workspace.root).env("NO_COLOR", "1");
        command
    };
    let workflows = workflows(&workspace.root)?;
    reporter.run(lint("actionlint").arg("-shellcheck").arg(linters.join("shellcheck")).args(&workflows))?;
    reporter.run(lint("zizmor").args(["--offline", "--no-progress", "--persona", "pedantic", ".github"]))?;
    reporter.run(lint("shellcheck").arg(".ci/run"))?;
    reporter.run(lint("hadolint").args(["--failure-threshold", "warning", "Dockerfile"]))
}

/// Named one by one: without names, actionlint looks for a Git repository first.
fn workflows(root: &Path) -> Result<Vec<String>> {
    let names = files::sources(&root.join(WORKFLOWS))?;
    Ok(names.into_iter().map(|name| format!("{WORKFLOWS}/{name}")).collect())
}
