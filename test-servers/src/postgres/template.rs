//! The programs of Postgres, and an initialised data folder that is made once for a machine and then copied.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::{find_program, home, output, program};

const ADVICE: &str =
    "install Postgres 15 or newer, on Debian by `apt-get install postgresql` (`cargo xtask test` does it)";

/// Postgres as it is installed.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) postgres: PathBuf,
    pub(super) psql: PathBuf,
    initdb: PathBuf,
    /// Whom it runs as when we are root, whom it refuses: user and group.
    owner: Option<(u32, u32)>,
}

impl Programs {
    pub(super) fn find() -> Self {
        let folders = debian_folders();
        let is_root = output(Command::new("id").arg("-u")) == "0";
        let number = |option: &str| {
            let id = Command::new("id").args([option, "postgres"]).output().ok()?;
            String::from_utf8_lossy(&id.stdout).trim().parse::<u32>().ok()
        };
        let owner = is_root.then(|| {
            number("-u").zip(number("-g")).unwrap_or_else(|| {
                panic!("Postgres does not run as root, and there is no user postgres: {ADVICE}")
            })
        });
        Self {
            postgres: program("postgres", &folders, ADVICE),
            psql: program("psql", &folders, ADVICE),
            initdb: program("initdb", &folders, ADVICE),
            owner,
        }
    }

    /// A command that runs as the owner of the data.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// Gives a folder to the owner of the data.
    pub(super) fn own(&self, folder: &Path) {
        if let Some((user, group)) = self.owner {
            std::os::unix::fs::chown(folder, Some(user), Some(group))
                .unwrap_or_else(|error| panic!("cannot give {} away: {error}", folder.display()));
        }
    }
}

pub(super) fn is_installed() -> bool {
    find_program("initdb", &debian_folders()).is_some()
}

/// Where Debian puts each version, newest first.
fn debian_folders() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.iter().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))).collect()
}

/// Fills `data` as `initdb` would. A folder that was given from outside is also brought to its disk: a power cut must not
/// take what no server has written.
pub(super) fn copy(programs: &Programs, data: &Path, is_foreign: bool) {
    let template = template(programs);
    if is_foreign {
        programs.own(data);
    } else {
        output(programs.command(Path::new("mkdir")).args(["-m", "700"]).arg(data));
    }
    output(
        programs.command(Path::new("cp")).args(["-a", "--reflink=auto"]).arg(template.join(".")).arg(data),
    );
    if is_foreign {
        output(Command::new("sync").arg("-f").arg(data));
    }
}

/// Made by whoever comes first; others wait for the lock. It is renamed into place, so that it is whole or not there.
fn template(programs: &Programs) -> PathBuf {
    let version = output(Command::new(&programs.postgres).arg("--version"));
    let version = version.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let template = home().join(format!("template-{version}"));
    let lock = File::create(home().join("template.lock")).expect("a lock can be made in our own folder");
    lock.lock().expect("a file of ours can be locked");
    if !template.exists() {
        let half_done = home().join(format!("template-{version}.new"));
        let _usually_there_is_none = std::fs::remove_dir_all(&half_done);
        std::fs::create_dir(&half_done).expect("a folder can be made in our own folder");
        programs.own(&half_done);
        output(
            programs
                .command(&programs.initdb)
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
                .args(["--data-checksums", "--no-sync", "--no-instructions", "-D"])
                .arg(&half_done)
                .current_dir("/"),
        );
        std::fs::rename(&half_done, &template).expect("a folder of ours can be renamed");
    }
    template
}
