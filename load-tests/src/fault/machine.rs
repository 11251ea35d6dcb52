//! What faults need from the machine: programs, a disk that can be torn out, a clock that jumps.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use test_servers::{Guardian, KILL_ALL, Postgres, Redis};

use super::Need;

/// libfaketime for programs with threads, where Debian puts it.
pub(super) const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/// Shuts a mounted ext4 down without writing anything more: what a power cut does to it (`EXT4_IOC_SHUTDOWN`, `NOLOGFLUSH`).
const SHUT_DOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// What the machine lacks, in words.
pub(super) fn missing(needs: &[Need]) -> Option<String> {
    needs.iter().find_map(|need| match need {
        Need::Root => (run("id", &["-u"]).ok()?.trim() != "0").then(|| "needs root".to_owned()),
        Need::Program(name) => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let is_there = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
            (!is_there).then(|| format!("needs the program {name}"))
        }
        Need::Postgres => (!Postgres::is_installed()).then(|| "needs the programs of Postgres".to_owned()),
        Need::Redis => (!Redis::is_installed()).then(|| "needs the programs of Redis".to_owned()),
        Need::Faketime => (!Path::new(FAKETIME).is_file()).then(|| "needs libfaketime".to_owned()),
    })
}

/// Runs a program to its end and returns what it said.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} {arguments:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The machine in one line, for the table.
#[must_use]
pub fn facts() -> String {
    let say =
        |program: &str, arguments: &[&str]| run(program, arguments).unwrap_or_default().trim().to_owned();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory_kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    format!("{}, {} cores, {} GiB", say("uname", &["-srm"]), say("nproc", &[]), memory_kib / 1024 / 1024)
}

/// An ext4 of its own in a file. It is unmounted when this is dropped or the process dies.
pub(super) struct Disk {
    image: PathBuf,
    mount: PathBuf,
    _guardian: Guardian,
}

impl Disk {
    /// A new disk of so many MiB, mounted at `folder/disk`. Whatever works in `folder` is killed at the end.
    pub(super) fn new(folder: &Path, mebibytes: u32) -> Result<Self> {
        let (image, mount) = (folder.join("disk.image"), folder.join("disk"));
        std::fs::create_dir_all(&mount)?;
        let script = format!("{KILL_ALL}umount -l \"$2\"; rm -f \"$3\"\n");
        let guardian = Guardian::start(&script, &[folder, &mount, &image]);
        let disk = Self { image, mount, _guardian: guardian };
        let image = disk.image.display().to_string();
        run("truncate", &["-s", &format!("{mebibytes}M"), &image])?;
        run("mkfs.ext4", &["-q", "-F", "-m", "0", &image])?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub(super) fn path(&self) -> &Path {
        &self.mount
    }

    /// The power goes: nothing that is not on the disk will ever be.
    pub(super) fn cut_power(&self) -> Result<()> {
        run("python3", &["-c", SHUT_DOWN, &self.mount.display().to_string()]).map(|_| ())
    }

    /// The power is back: what is on the disk is read from the disk.
    pub(super) fn power_on(&self) -> Result<()> {
        run("umount", &[&self.mount.display().to_string()])?;
        self.mount()
    }

    fn mount(&self) -> Result<()> {
        let (image, mount) = (self.image.display().to_string(), self.mount.display().to_string());
        run("mount", &["-o", "loop", &image, &mount]).map(|_| ())
    }
}
