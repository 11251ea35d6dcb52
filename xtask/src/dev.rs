//! `dev`: server and web client, each renewed when its sources change.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::files;
use crate::process::{Service, npm};
use crate::serve::{self, Settings};
use crate::signals::StopSignal;
use crate::step::{Output, Steps};
use crate::tools;
use crate::web;
use crate::workspace::Workspace;

/// How often the sources are looked at. Looking costs a few milliseconds; an editor saves less often.
const LOOK_INTERVAL: Duration = Duration::from_millis(400);
/// The crates the server is made of.
const SERVER_FOLDERS: [&str; 5] = ["protocol", "simulation", "persistence", "admin-http", "game-server"];
/// Where the page comes from while developing; the server must let its sockets in.
const PAGE_ORIGINS: &str = "http://localhost:5173,http://127.0.0.1:5173";

/// What `dev` takes.
#[derive(Args)]
pub(crate) struct DevArguments {
    /// The server's port; the web client's own server passes game traffic on to it
    #[arg(long)]
    port: Option<u16>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &DevArguments) -> Result<()> {
    let settings = Settings::new(workspace, arguments.port)?.with_default("ALLOWED_ORIGINS", PAGE_ORIGINS);
    let mut steps = Steps::new(4, Output::Brief);
    steps.must("tools", |_| tools::check_compiler().and_then(|()| tools::check_node()))?;
    steps.must("npm packages", |reporter| web::install(workspace, reporter))?;
    let mut seen = Moments::of(workspace)?;
    steps
        .must("server (the first time takes minutes)", |reporter| serve::build(workspace, false, reporter))?;
    let stop = StopSignal::listen()?;
    let mut server =
        Some(steps.must("start", |reporter| serve::start(workspace, reporter, &settings, &stop, false))?);
    let mut command = npm(workspace, &["run", "dev"]);
    let server_url = format!("http://127.0.0.1:{}", settings.get("PORT"));
    let mut vite =
        Service::start("the web client's server", command.env("DOPAMINE_HERO_SERVER", &server_url))?;
    eprintln!(
        "\nPlay at the address the web client's server prints. Rust changes rebuild the server. Stop: Ctrl-C\n"
    );

    while !stop.take() {
        if let Some(status) = vite.ended()? {
            bail!("the web client's server ended by itself with {status}");
        }
        if let Some(status) = server.as_mut().map(Service::ended).transpose()?.flatten() {
            eprintln!("the server ended with {status}; it is started again after the next change");
            server = None;
        }
        let now = Moments::of(workspace)?;
        if let Some(path) = now.changed_since(&seen) {
            seen = now;
            eprintln!("\n{path} changed");
            server = renew(workspace, &settings, &stop, server)?;
        }
        thread::sleep(LOOK_INTERVAL);
    }
    eprintln!("\nStopping …");
    vite.stop(|| stop.take())?;
    if let Some(mut server) = server {
        server.stop(|| stop.take())?;
    }
    Ok(())
}

/// Builds, and only when that worked lets the old server go and starts the new one.
fn renew(
    workspace: &Workspace,
    settings: &Settings,
    stop: &StopSignal,
    old: Option<Service>,
) -> Result<Option<Service>> {
    let mut steps = Steps::new(2, Output::Brief);
    if !steps.try_step("server", |reporter| serve::build(workspace, false, reporter)) {
        return Ok(old);
    }
    if let Some(mut old) = old {
        old.stop(|| stop.take())?;
    }
    match steps.must("restart", |reporter| serve::start(workspace, reporter, settings, stop, false)) {
        Ok(server) => Ok(Some(server)),
        Err(error) => {
            eprintln!("{error:#}");
            Ok(None)
        }
    }
}

/// When each source of the server was last written.
#[derive(PartialEq, Eq)]
struct Moments(BTreeMap<String, SystemTime>);

impl Moments {
    fn of(workspace: &Workspace) -> Result<Self> {
        let mut moments = BTreeMap::new();
        for folder in SERVER_FOLDERS {
            let folder_path = workspace.root.join(folder);
            for path in files::sources(&folder_path)? {
                let file: PathBuf = folder_path.join(&path);
                // A file that an editor has just replaced may be gone for a moment: the next look sees it.
                if let Ok(metadata) = fs::metadata(&file) {
                    let written = metadata.modified().context("this file system keeps no times")?;
                    moments.insert(format!("{folder}/{path}"), written);
                }
            }
        }
        Ok(Self(moments))
    }

    /// A path that is new, gone or written since.
    fn changed_since(&self, before: &Self) -> Option<String> {
        let differs = |path: &&String| self.0.get(*path) != before.0.get(*path);
        self.0.keys().find(differs).or_else(|| before.0.keys().find(differs)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(entries: &[(&str, u64)]) -> Moments {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Moments(entries.iter().map(|(path, seconds)| ((*path).to_owned(), at(*seconds))).collect())
    }

    #[test]
    fn new_gone_and_written_files_are_changes() {
        let before = moments(&[("a", 1), ("b", 1)]);
        assert_eq!(moments(&[("a", 1), ("b", 1)]).changed_since(&before), None);
        assert_eq!(moments(&[("a", 1), ("b", 2)]).changed_since(&before).as_deref(), Some("b"));
        assert_eq!(moments(&[("a", 1)]).changed_since(&before).as_deref(), Some("b"));
        assert_eq!(moments(&[("a", 1), ("b", 1), ("c", 1)]).changed_since(&before).as_deref(), Some("c"));
    }
}
