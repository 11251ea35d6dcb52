//! `tidy`: the rules of the repository that no compiler knows.
//!
//! Each rule is a function from what it looks at to what is wrong with it, so that each is tested on a made-up tree.

mod architecture;
mod safety;
mod sources;
mod star;

use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::workspace::Workspace;

/// The endings of the files whose text is looked at.
const TEXT_ENDINGS: [&str; 6] = [".rs", ".ts", ".tsx", ".md", "package-lock.json", "Cargo.toml"];

/// One file of the checkout; `text` is empty where no rule looks inside.
struct File {
    path: String,
    text: String,
}

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// The file, with a line where there is one, or the dependency.
    place: String,
    problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}

/// Prints every finding; an error when there is one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let findings = findings(workspace)?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy found {} problems", findings.len());
    }
    Ok(())
}

fn findings(workspace: &Workspace) -> Result<Vec<Finding>> {
    let tree = read_tree(workspace)?;
    let mut findings = star::check(&workspace.edges);
    findings.extend(sources::check(&tree));
    findings.extend(architecture::check(&tree));
    findings.extend(safety::check(&tree));
    Ok(findings)
}

fn read_tree(workspace: &Workspace) -> Result<Vec<File>> {
    let mut tree = Vec::new();
    for path in files::sources(&workspace.root)? {
        let wanted = TEXT_ENDINGS.iter().any(|ending| path.ends_with(ending));
        let text = if wanted {
            fs::read_to_string(workspace.root.join(&path)).with_context(|| format!("cannot read {path}"))?
        } else {
            String::new()
        };
        tree.push(File { path, text });
    }
    Ok(tree)
}

#[cfg(test)]
mod tests;
