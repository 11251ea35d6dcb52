//! The server, started from the image as a container engine would: its user, command, environment and health check are those of
//! the image, it is process 1 in a namespace of its own, its root cannot be written, and it can get no more rights.
//!
//! Network and cgroup stay the machine's: the first so that bots reach it, the second because that is the engine's business.

use std::fs;
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Buildah, COPY_TIME_MAX, IMAGE, said};
use crate::clock::Stopwatch;
use crate::process::{POLL_INTERVAL, Service, output_of};
use crate::signals::StopSignal;

/// The only folder of the image that may be written.
const STATE: &str = "var/lib/dopamine-hero";
/// Who the server is.
const USER: u32 = 10_001;
/// A server on an empty database is there after a second or two.
const HEALTHY_TIME_MAX: Duration = Duration::from_secs(60);
/// A tool that works on a few events of one hero.
const TOOL_SECONDS_MAX: &str = "60";
/// Makes the root of the container and becomes its process 1. `$1` is the root, `$2` the volume, `$3` the user; the command follows.
/// All mounts go with the namespace.
const START: &str = r#"
set -eu
root=$1 volume=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$volume" "$root/var/lib/dopamine-hero"
mount -o remount,bind,ro "$root"
if touch "$root/written" 2>/dev/null; then
    echo "the root can be written" >&2
    exit 1
fi
exec chroot --userspec="$user" "$root" "$@"
"#;

/// Below the range that the system gives to outgoing connections, and apart from those of tests.
const PORTS: Range<u16> = 22_000..24_000;

/// Where one server listens.
pub(super) struct Ports {
    pub(super) players: u16,
    operators: u16,
    metrics: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        let [players, operators, metrics] = free_ports()?;
        Ok(Self { players, operators, metrics })
    }
}

/// Ports that nobody uses at this moment.
pub(super) fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT]> {
    // Each is held until all are found, else one would be found twice.
    let mut held = PORTS.filter_map(|port| Some((port, TcpListener::bind(("0.0.0.0", port)).ok()?)));
    let found: Vec<_> = held.by_ref().take(COUNT).collect();
    let ports: Vec<u16> = found.iter().map(|(port, _)| *port).collect();
    ports.try_into().ok().with_context(|| format!("{COUNT} ports from {} on are not free", PORTS.start))
}

/// The image's files, and a volume.
pub(super) struct Container<'a> {
    buildah: &'a Buildah,
    id: String,
    root: PathBuf,
    volume: PathBuf,
    user: String,
    variables: Vec<(String, String)>,
    entrypoint: Vec<String>,
    arguments: Vec<String>,
    health: Vec<String>,
    pub(super) ports: Ports,
}

impl<'a> Container<'a> {
    /// With these variables on top of the image's.
    pub(super) fn new(buildah: &'a Buildah, ports: Ports, settings: &[(&str, String)]) -> Result<Self> {
        let config = config(buildah)?;
        let user = config["User"].as_str().unwrap_or_default().to_owned();
        ensure!(user == format!("{USER}:{USER}"), "the image's user is {user:?}");
        let secret =
            output_of("sh", &["-c", "head -c 32 /dev/urandom | base64"]).context("no random secret")?;
        let mut variables: Vec<(String, String)> =
            words(&config["Env"]).iter().filter_map(|text| text.split_once('=')).map(owned).collect();
        let ours = [
            ("SECRET_KEYS", secret),
            ("PORT", ports.players.to_string()),
            ("ADMIN_PORT", ports.operators.to_string()),
            ("METRICS_PORT", ports.metrics.to_string()),
        ];
        variables
            .extend(ours.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), value.clone())));
        let health = words(&config["Healthcheck"]["Test"]);
        ensure!(
            health.first().is_some_and(|kind| kind == "CMD"),
            "the health check is not a command: {health:?}"
        );
        let id = buildah.said(COPY_TIME_MAX, &["from", "--pull-never", IMAGE])?;
        let mut container = Self {
            buildah,
            id,
            root: PathBuf::new(),
            volume: buildah.folder.join("volume"),
            user,
            variables,
            entrypoint: words(&config["Entrypoint"]),
            arguments: words(&config["Cmd"]),
            health: health.into_iter().skip(1).collect(),
            ports,
        };
        // From here on the container is removed, whatever happens.
        container.root = buildah.said(COPY_TIME_MAX, &["mount", &container.id])?.into();
        container.fill_volume()?;
        Ok(container)
    }

    /// An engine fills an empty volume with what the image has there.
    fn fill_volume(&self) -> Result<()> {
        let inside =
            fs::metadata(self.root.join(STATE)).with_context(|| format!("the image has no /{STATE}"))?;
        let (owner, mode) = (inside.uid(), inside.mode() & 0o777);
        ensure!((owner, mode) == (USER, 0o700), "/{STATE} belongs to {owner}, with the mode {mode:o}");
        let above = fs::metadata(self.root.join("var/lib")).context("the image has no /var/lib")?;
        ensure!(above.uid() == 0, "/var/lib belongs to {}", above.uid());
        let _usually_there_is_none = fs::remove_dir_all(&self.volume);
        fs::create_dir_all(&self.volume).context("cannot make a volume")?;
        fs::set_permissions(&self.volume, fs::Permissions::from_mode(mode))
            .context("cannot make a volume")?;
        chown(&self.volume, Some(USER), Some(USER)).context("cannot give the volume away")
    }

    /// The program with other arguments, to its end.
    pub(super) fn run_tool(&self, tool: &str) -> Result<()> {
        let mut command = Command::new("timeout");
        command.args(["--foreground", "--kill-after=5", TOOL_SECONDS_MAX, "setpriv"]);
        said(self.in_namespaces(&mut command, &[tool.to_owned()])).map(|_| ())
    }

    /// What the image starts by itself.
    pub(super) fn serve(&self) -> Result<Server<'_>> {
        let mut command = Command::new("setpriv");
        let service = Service::start("the server", self.in_namespaces(&mut command, &self.arguments))?;
        Ok(Server { container: self, service })
    }

    fn in_namespaces<'b>(&self, command: &'b mut Command, arguments: &[String]) -> &'b mut Command {
        command.args(["--no-new-privs", "unshare", "--mount", "--pid", "--fork", "--kill-child"]);
        command.args(["sh", "-c", START, "start"]).arg(&self.root).arg(&self.volume).arg(&self.user);
        command.args(&self.entrypoint).args(arguments).current_dir("/");
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)))
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.buildah.said(COPY_TIME_MAX, &["rm", &self.id]) {
            eprintln!("the next run removes the container {}: {error:#}", self.id);
        }
        let _next_run_empties_it = fs::remove_dir_all(&self.volume);
    }
}

/// A server that runs.
pub(super) struct Server<'a> {
    container: &'a Container<'a>,
    service: Service,
}

impl Server<'_> {
    /// Asks the image's own health check again and again, in the container.
    pub(super) fn wait_until_healthy(&mut self, stop: &StopSignal) -> Result<Process> {
        let watch = Stopwatch::start();
        loop {
            if let Some(status) = self.service.ended()? {
                bail!("the server ended with {status} before it was healthy; its reason is above");
            }
            ensure!(!stop.take(), "stopped before the server was healthy");
            ensure!(
                watch.elapsed() < HEALTHY_TIME_MAX,
                "the server is not healthy after {} s",
                HEALTHY_TIME_MAX.as_secs()
            );
            if let Some(process) = Process::below(self.service.id())
                && self.is_healthy(&process)
            {
                return Ok(process);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn is_healthy(&self, process: &Process) -> bool {
        let mut command = Command::new("nsenter");
        let user = USER.to_string();
        command.args(["--target", &process.id, "--mount", "--pid", "--root", "--wd"]);
        command.args(["--setuid", &user, "--setgid", &user]).args(&self.container.health);
        command.env_clear().envs(self.container.variables.iter().map(|(name, value)| (name, value)));
        said(&mut command).is_ok()
    }

    /// Sends SIGTERM, as an engine does, and waits.
    pub(super) fn stop(&mut self, stop: &StopSignal) -> Result<ExitStatus> {
        self.service.stop(|| stop.take())
    }
}

/// Process 1 of the container, as the machine sees it.
pub(super) struct Process {
    id: String,
    /// What names its namespace of processes.
    namespace: PathBuf,
}

impl Process {
    /// The child of a process, once it is the server and no longer what made its root.
    fn below(parent: u32) -> Option<Self> {
        let id = children(&parent.to_string())?;
        let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
        let namespace = fs::read_link(format!("/proc/{id}/ns/pid")).ok()?;
        (name.trim() == "dopamine-hero").then_some(Self { id, namespace })
    }

    /// It is process 1, nobody special, and has neither children nor zombies.
    pub(super) fn check(&self) -> Result<()> {
        let path = format!("/proc/{}/status", self.id);
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let user = USER.to_string();
        let expected = [
            ("NSpid:", "1"),
            ("Uid:", &user),
            ("Gid:", &user),
            ("CapPrm:", "0000000000000000"),
            ("CapEff:", "0000000000000000"),
            ("NoNewPrivs:", "1"),
        ];
        for (name, value) in expected {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            ensure!(
                line.split_whitespace().next_back() == Some(value),
                "process 1 has {line:?}, not {value}"
            );
        }
        let children = children(&self.id).unwrap_or_default();
        ensure!(children.is_empty(), "process 1 has started others: {children}");
        let all = self.all_in_container()?;
        ensure!(all == [self.id.as_str()], "in the container run {}, not only {}", all.join(", "), self.id);
        Ok(())
    }

    /// The ids of everything that runs in its container.
    pub(super) fn all_in_container(&self) -> Result<Vec<String>> {
        let processes = fs::read_dir("/proc").context("there is no /proc")?.flatten();
        let is_inside = |process: &fs::DirEntry| {
            fs::read_link(process.path().join("ns/pid")).is_ok_and(|namespace| namespace == self.namespace)
        };
        Ok(processes
            .filter(is_inside)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect())
    }
}

/// The ids of what a process has started, also of zombies, separated by spaces.
fn children(id: &str) -> Option<String> {
    let tasks = fs::read_dir(Path::new("/proc").join(id).join("task")).ok()?.flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    Some(lists.collect::<String>().trim().to_owned())
}

/// What the image says about how to start it.
fn config(buildah: &Buildah) -> Result<Value> {
    let text = buildah.said(COPY_TIME_MAX, &["inspect", "--type", "image", IMAGE])?;
    let mut all: Value =
        serde_json::from_str(&text).context("buildah's description of the image is no JSON")?;
    Ok(all["Docker"]["config"].take())
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
