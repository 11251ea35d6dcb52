//! What we take from others: under which licence, from where, and whether something bad is known about it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::install;
use crate::process::npm;
use crate::step::{Output, Reporter, Steps};
use crate::tools;
use crate::web;
use crate::workspace::Workspace;

const LOCK: &str = "web/package-lock.json";

/// Licences of npm packages that become part of a page: permissive ones, and the one of fonts.
const IN_PAGES: [&str; 7] = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "OFL-1.1"];
/// And of those that only build it: whoever gets the page gets nothing of them.
const IN_BUILDS: [&str; 1] = ["MPL-2.0"];

/// Licences and sources of crates and npm packages; asks nobody, but for crates of other systems that cargo lacks.
pub(crate) fn check(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let lock =
        fs::read_to_string(workspace.root.join(LOCK)).with_context(|| format!("cannot read {LOCK}"))?;
    let findings = foreign_licences(&lock)?;
    for finding in &findings {
        reporter.say(finding);
    }
    if !findings.is_empty() {
        bail!("{} npm packages of {LOCK} have a licence that is not on the list", findings.len());
    }
    deny(workspace, reporter, &["bans", "licenses", "sources"])
}

/// `audit`: known vulnerabilities. Another answer tomorrow for the same sources, so it is no part of `ci`.
pub(crate) fn audit(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(2, Output::All);
    steps.try_step("crates", |reporter| deny(workspace, reporter, &["advisories"]));
    steps.try_step("npm packages", |reporter| {
        tools::check_node()?;
        web::install(workspace, reporter)?;
        reporter.run(&mut npm(workspace, &["audit"]))
    });
    steps.finish()
}

fn deny(workspace: &Workspace, reporter: &Reporter, what: &[&str]) -> Result<()> {
    let program = install::cargo_deny(workspace, reporter)?;
    let mut command = Command::new(program);
    command.current_dir(&workspace.root);
    // Two generations of a crate are told by `cargo tree --duplicates`, not at every check.
    command.args(["--log-level", "error", "check", "--allow", "duplicate"]).args(what);
    reporter.run(&mut command)
}

/// The packages of a lock file whose licence is not on the list for what they are used for.
fn foreign_licences(lock: &str) -> Result<Vec<String>> {
    let lock: Value = serde_json::from_str(lock).with_context(|| format!("{LOCK} is not JSON"))?;
    let packages = lock["packages"].as_object().with_context(|| format!("{LOCK} lists no packages"))?;
    let mut findings = Vec::new();
    for (path, package) in packages {
        // Our own have a path without this folder, and links to them.
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        if package["link"] == true {
            continue;
        }
        let builds_only = package["dev"] == true;
        let licence = package["license"].as_str().unwrap_or("none");
        let is_listed = IN_PAGES.contains(&licence) || builds_only && IN_BUILDS.contains(&licence);
        if !is_listed {
            let part = if builds_only { "the tools" } else { "a page" };
            findings.push(format!("{name} is part of {part} and has the licence {licence}"));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_package(package: &str, expected: &[&str]) {
        let lock = format!(
            r#"{{"packages": {{"": {{"name": "web"}}, "sdk": {{}}, "node_modules/@us/sdk": {{"link": true}}, "node_modules/a/node_modules/b": {package}}}}}"#
        );
        assert_eq!(foreign_licences(&lock).unwrap(), expected);
    }

    #[test]
    fn this_checkout_holds() {
        let workspace = Workspace::load().unwrap();
        let lock = fs::read_to_string(workspace.root.join(LOCK)).unwrap();
        assert_eq!(foreign_licences(&lock).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_licence_that_is_not_on_the_list_is_found() {
        check_package(r#"{"license": "MIT"}"#, &[]);
        check_package(r#"{"license": "MPL-2.0", "dev": true}"#, &[]);
        check_package(r#"{"license": "MPL-2.0"}"#, &["b is part of a page and has the licence MPL-2.0"]);
        check_package(
            r#"{"license": "GPL-3.0", "dev": true}"#,
            &["b is part of the tools and has the licence GPL-3.0"],
        );
        check_package("{}", &["b is part of a page and has the licence none"]);
        assert!(foreign_licences("{}").is_err());
    }
}
