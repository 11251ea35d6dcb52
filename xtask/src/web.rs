//! The npm workspace: its dependencies and the two built pages, each only when something changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files;
use crate::process::npm;
use crate::step::Reporter;
use crate::workspace::Workspace;

/// What a build makes: the page of players and the page of operators.
const BUILT: [&str; 2] = ["player/dist/index.html", "admin/dist/index.html"];

/// Installs the locked dependencies unless that was done for this very lock file.
pub(crate) fn install(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    let web = workspace.web();
    let lock =
        fs::read_to_string(web.join("package-lock.json")).context("cannot read web/package-lock.json")?;
    // The note lives inside the folder it speaks of: whoever deletes the folder deletes the note.
    let note = web.join("node_modules/.installed-lock");
    if files::noted(&note).as_deref() == Some(&lock) {
        return Ok(());
    }
    reporter.run(&mut npm(workspace, &["ci", "--no-audit", "--no-fund"]))?;
    files::note(&note, &lock)
}

/// Installs, and builds both pages unless what stands in their `dist` came from the sources as they are.
pub(crate) fn build(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    install(workspace, reporter)?;
    let web = workspace.web();
    let note = web.join("node_modules/.built-sources");
    let sources = files::fingerprint(&web, goes_into_the_build)?;
    let built = BUILT.map(|page| web.join(page));
    if is_current(&built, &note, &sources) {
        return Ok(());
    }
    reporter.run(&mut npm(workspace, &["run", "build"]))?;
    files::note(&note, &sources)
}

fn is_current(built: &[PathBuf], note: &Path, sources: &str) -> bool {
    built.iter().all(|page| page.exists()) && files::noted(note).as_deref() == Some(sources)
}

/// Tests are in the same folders and change nothing that a player gets.
fn goes_into_the_build(path: &str) -> bool {
    let is_test = path.contains(".test.")
        || path.starts_with("e2e/")
        || path.contains("/e2e/")
        || path.contains("/tests/");
    !is_test && !path.ends_with(".md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_make_a_new_build() {
        assert!(goes_into_the_build("player/src/App.tsx"));
        assert!(goes_into_the_build("package-lock.json"));
        assert!(!goes_into_the_build("player/src/clock.test.ts"));
        assert!(!goes_into_the_build("e2e/first-session.ts"));
    }

    #[test]
    fn a_build_is_current_only_while_it_exists_and_its_sources_are_the_same() {
        let folder = std::env::temp_dir().join(format!("xtask-web-{}", std::process::id()));
        let (built, note) = ([folder.join("player.html"), folder.join("admin.html")], folder.join("note"));
        assert!(!is_current(&built, &note, "1"));
        files::note(&note, "1").unwrap();
        assert!(!is_current(&built, &note, "1"), "noted but deleted since");
        files::note(&built[0], "<html>").unwrap();
        assert!(!is_current(&built, &note, "1"), "one of the two is missing");
        files::note(&built[1], "<html>").unwrap();
        assert!(is_current(&built, &note, "1"));
        assert!(!is_current(&built, &note, "2"), "the sources changed");
        fs::remove_dir_all(folder).unwrap();
    }
}
