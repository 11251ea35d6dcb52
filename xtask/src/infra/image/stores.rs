//! A Postgres and a Redis for one run, from the programs of the machine. xtask depends on no crate of the workspace, so it does in
//! a few lines what `test-servers/` does thoroughly.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::container::free_ports;
use super::said;
use crate::clock::Stopwatch;
use crate::install;
use crate::process::{POLL_INTERVAL, Service, output_of};
use crate::readiness;
use crate::signals::StopSignal;

/// A store that is empty is there within a second or two.
const READY_TIME_MAX: Duration = Duration::from_secs(60);

/// A folder that is removed with what runs in it.
struct Folder(PathBuf);

impl Folder {
    /// Not below the checkout: the user of Postgres may not be able to go there.
    fn new(name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("dopamine-hero-image-{name}-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// Stops when it is dropped; its folder goes after it.
pub(super) struct Postgres {
    _service: Service,
    programs: PathBuf,
    port: u16,
    _folder: Folder,
}

impl Postgres {
    pub(super) fn start(stop: &StopSignal) -> Result<Self> {
        let programs = install::postgres_programs().context("Postgres is not installed")?;
        let id = |option| output_of("id", &[option, "postgres"])?.parse::<u32>().ok();
        let owner =
            id("-u").zip(id("-g")).context("there is no user postgres, whom Postgres could run as")?;
        let folder = Folder::new("postgres")?;
        chown(&folder.0, Some(owner.0), Some(owner.1)).context("cannot give a folder to postgres")?;
        let command = |program: &str| {
            let mut command = Command::new(programs.join(program));
            command.uid(owner.0).gid(owner.1).env("LC_ALL", "C").current_dir(&folder.0);
            command
        };
        let data = folder.0.join("data");
        let options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"];
        said(command("initdb").args(options).arg("-D").arg(&data))?;
        let [port] = free_ports()?;
        let log = fs::File::create(folder.0.join("log")).context("cannot make a log")?;
        let mut server = command("postgres");
        server.arg("-D").arg(&data).args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        server.args(["-c", &format!("port={port}")]).stderr(log);
        let service = Service::start("Postgres", &mut server)?;
        let mut postgres = Self { _service: service, programs, port, _folder: folder };
        wait_until(stop, &mut postgres._service, || {
            let port = port.to_string();
            let mut ask = Command::new(postgres.programs.join("pg_isready"));
            ask.args(["--quiet", "--host=127.0.0.1", "--port", &port]);
            said(&mut ask).is_ok()
        })?;
        Ok(postgres)
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// One row of one column.
    pub(super) fn query(&self, sql: &str) -> Result<String> {
        let psql = self.programs.join("psql");
        said(Command::new(psql).args(["-X", "-q", "-A", "-t", "-d", &self.url(), "-c", sql]))
    }
}

/// Stops when it is dropped.
pub(super) struct Redis {
    _service: Service,
    port: u16,
    _folder: Folder,
}

impl Redis {
    pub(super) fn start(stop: &StopSignal) -> Result<Self> {
        let folder = Folder::new("redis")?;
        let [port] = free_ports()?;
        let mut server = Command::new("redis-server");
        server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        server.arg("--logfile").arg(folder.0.join("log")).current_dir(&folder.0);
        let mut service = Service::start("Redis", &mut server)?;
        wait_until(stop, &mut service, || readiness::is_taken(port))?;
        Ok(Self { _service: service, port, _folder: folder })
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }
}

fn wait_until(stop: &StopSignal, service: &mut Service, is_ready: impl Fn() -> bool) -> Result<()> {
    let watch = Stopwatch::start();
    while !is_ready() {
        if let Some(status) = service.ended()? {
            bail!("a store ended with {status} before it was ready");
        }
        ensure!(!stop.take(), "stopped before a store was ready");
        ensure!(
            watch.elapsed() < READY_TIME_MAX,
            "a store is not ready after {} s",
            READY_TIME_MAX.as_secs()
        );
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
