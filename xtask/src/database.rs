//! `db`: the server's own subcommands, on the database that `run` uses.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::process;
use crate::readiness;
use crate::serve::{self, Settings};
use crate::step::{Output, Steps};
use crate::workspace::Workspace;

/// What can be done to the database.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Bring the schema up to date
    Migrate,
    /// Fill in sample heroes
    Seed,
    /// Delete the SQLite file and all heroes in it
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Say which migrations are applied
    Status,
}

pub(crate) fn run(workspace: &Workspace, action: &Action) -> Result<()> {
    let settings = Settings::new(workspace, None)?;
    match action {
        Action::Migrate => delegate(workspace, &settings, &["migrate"]),
        Action::Status => delegate(workspace, &settings, &["migrate", "--status"]),
        Action::Seed => delegate(workspace, &settings, &["seed"]),
        Action::Reset { yes } => reset(workspace, &settings, *yes),
    }
}

fn delegate(workspace: &Workspace, settings: &Settings, subcommand: &[&str]) -> Result<()> {
    let mut steps = Steps::new(1, Output::Brief);
    steps.must("server", |reporter| serve::build(workspace, false, reporter))?;
    process::run(settings.command(workspace, false).args(subcommand))
}

fn reset(workspace: &Workspace, settings: &Settings, yes: bool) -> Result<()> {
    let file = workspace.root.join(sqlite_file(settings.get("DATABASE_URL"))?);
    let port = settings.port("PORT")?;
    if readiness::is_taken(port) {
        bail!("something listens on port {port}; stop the server before you delete its database");
    }
    if !file.exists() {
        eprintln!("{} does not exist; nothing to delete", file.display());
        return Ok(());
    }
    if !yes && !confirmed(&file)? {
        bail!("not deleted");
    }
    for path in files_of(&file) {
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
            eprintln!("deleted {}", path.display());
        }
    }
    Ok(())
}

fn confirmed(file: &Path) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("this deletes {}; say --yes to do it without a terminal", file.display());
    }
    eprint!("Delete {} and every hero in it? Type yes: ", file.display());
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// The file behind a SQLite URL. No other database is ever deleted from here.
fn sqlite_file(url: &str) -> Result<PathBuf> {
    let Some(path) = url.strip_prefix("sqlite:") else {
        bail!("DATABASE_URL does not name a SQLite file; only such a file can be deleted by this command");
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    if path.is_empty() || path.starts_with(':') {
        bail!("DATABASE_URL names no file");
    }
    Ok(path.into())
}

/// SQLite keeps up to three files.
fn files_of(file: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_files_can_be_reset() {
        assert_eq!(sqlite_file("sqlite://data/a.sqlite").unwrap(), Path::new("data/a.sqlite"));
        assert_eq!(sqlite_file("sqlite:///tmp/a.sqlite?mode=rwc").unwrap(), Path::new("/tmp/a.sqlite"));
        assert!(sqlite_file("postgres://localhost/heroes").is_err());
        assert!(sqlite_file("sqlite::memory:").is_err());
        assert!(sqlite_file("sqlite://").is_err());
    }

    #[test]
    fn the_write_ahead_log_goes_with_its_file() {
        let names = files_of(Path::new("a.sqlite")).map(|path| path.display().to_string());
        assert_eq!(names, ["a.sqlite", "a.sqlite-wal", "a.sqlite-shm"]);
    }
}
