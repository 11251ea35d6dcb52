//! `infra image`: the `Dockerfile`, built and used without Docker. buildah builds the image; the server is started from it as a
//! container engine would start it, as process 1 of a namespace of its own with a root that cannot be written; a bot plays; SIGTERM
//! ends it. What was seen is printed as a table for docs/operations.md.

mod bases;
mod container;
mod figures;
mod stores;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::clock::{Stopwatch, spoken};
use crate::install;
use crate::process::{cargo, output_of, typed};
use crate::signals::StopSignal;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;
use container::{Container, Ports};
use figures::Figures;
use stores::{Postgres, Redis};

/// What the image is called in the storage of this verb.
const IMAGE: &str = "dopamine-hero";
/// Two cores and nothing in the cache take a quarter of an hour.
const BUILD_TIME_MAX: Duration = Duration::from_secs(3 * 60 * 60);
/// Anything else that buildah does copies some hundred megabytes.
const COPY_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// How long the bot plays. It starts, ends and interrupts sessions twice a second, so that some have ended by then.
const PLAY_SECONDS: &str = "20";
/// The server's own deadline for a shutdown, which it must keep.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(7, Output::All);
    let folder = workspace.target.join("image");
    let buildah = Buildah { folder: folder.clone() };
    let mut figures = Figures::default();
    steps.must("buildah, mmdebstrap, Postgres and Redis", |reporter| {
        install::image_tools(reporter)?;
        install::databases(reporter)?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // What an earlier run left, if it was killed.
        buildah.said(COPY_TIME_MAX, &["rm", "--all"]).map(|_| ())
    })?;
    steps.must("bots", |reporter| {
        reporter.run(&mut cargo(workspace, &["build", "--package", "load-tests"]))
    })?;
    let bases = steps.must("bases", |reporter| bases::provide(workspace, &buildah, reporter))?;
    figures.add("stand-ins for bases", bases.stand_ins());
    steps.must("build", |reporter| {
        let watch = Stopwatch::start();
        build(workspace, &buildah, &bases, reporter)?;
        figures.add("built in", spoken(watch.elapsed()));
        Ok(())
    })?;
    steps.must("layers", |_| figures.measure(&buildah))?;
    // So far Ctrl-C ends everything at once. From here on there is something to stop and to clear away.
    let stop = StopSignal::listen()?;
    steps.must("with Postgres and Redis", |reporter| {
        let postgres = Postgres::start(&stop)?;
        let redis = Redis::start(&stop)?;
        let settings = [("DATABASE_URL", postgres.url()), ("REDIS_URL", redis.url())];
        let container = Container::new(&buildah, Ports::free()?, &settings)?;
        container.run_tool("migrate")?;
        play(workspace, &container, "Postgres", &stop, &mut figures, reporter)?;
        let ended = postgres.query("SELECT count(*) FROM focus_sessions WHERE ended_at_ms IS NOT NULL")?;
        ensure!(ended.parse::<u32>().is_ok_and(|count| count > 0), "{ended} sessions were played to the end");
        figures.add("Postgres: sessions that the bot ended", ended);
        Ok(())
    })?;
    steps.must("with a SQLite file", |reporter| {
        let container = Container::new(&buildah, Ports::free()?, &[])?;
        play(workspace, &container, "SQLite", &stop, &mut figures, reporter)
    })?;
    println!("{}", figures.table());
    steps.finish()
}

fn build(workspace: &Workspace, buildah: &Buildah, bases: &bases::Bases, reporter: &Reporter) -> Result<()> {
    let git = |arguments: &[&str]| {
        let root = workspace.root.display().to_string();
        output_of("git", &[&["-C", &root], arguments].concat()).unwrap_or_else(|| "unknown".to_owned())
    };
    let labels = [
        ("VERSION", env!("CARGO_PKG_VERSION").to_owned()),
        ("REVISION", git(&["rev-parse", "HEAD"])),
        ("CREATED", git(&["log", "-1", "--format=%cI"])),
    ];
    // Docker's own format: the other one has no place for a health check.
    let mut command =
        buildah.command(BUILD_TIME_MAX, &["build", "--layers", "--format", "docker", "--tag", IMAGE]);
    for (name, value) in labels {
        command.args(["--build-arg", &format!("{name}={value}")]);
    }
    for volume in bases.volumes() {
        command.args(["--volume", volume]);
    }
    reporter.run(command.arg(&workspace.root))
}

/// Starts the server, lets a bot play, asks the server to stop, and looks at everything that was promised.
fn play(
    workspace: &Workspace,
    container: &Container,
    store: &str,
    stop: &StopSignal,
    figures: &mut Figures,
    reporter: &Reporter,
) -> Result<()> {
    let watch = Stopwatch::start();
    let mut server = container.serve()?;
    let process = server.wait_until_healthy(stop)?;
    figures.add(&format!("{store}: from the start to healthy"), spoken(watch.elapsed()));
    let debug = workspace.server_binary(false);
    let bots = debug.with_file_name("load-tests");
    let url = format!("http://127.0.0.1:{}", container.ports.players);
    let report = workspace.target.join("image/load");
    reporter.run(
        Command::new(bots)
            .args(["focus-day", "--players", "1", "--rate", "2", "--seconds", PLAY_SECONDS, "--url", &url])
            .arg("--report")
            .arg(report),
    )?;
    process.check()?;
    let watch = Stopwatch::start();
    let status = server.stop(stop)?;
    let took = watch.elapsed();
    ensure!(status.success(), "the server ended with {status} after SIGTERM");
    ensure!(took < STOP_TIME_MAX, "the server took {} to end", spoken(took));
    figures.add(&format!("{store}: from SIGTERM to exit code 0"), spoken(took));
    let left = process.all_in_container()?;
    ensure!(left.is_empty(), "processes are left in the container: {}", left.join(", "));
    container.run_tool("verify")
}

/// buildah with a storage of its own below `target/`, so that no image of the machine is touched.
struct Buildah {
    folder: PathBuf,
}

impl Buildah {
    /// It runs as long as `limit` at most, and lets everybody else on the machine go first.
    fn command(&self, limit: Duration, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        // In the foreground, so that Ctrl-C reaches it.
        command.args(["--foreground", "--kill-after=30", &limit.as_secs().to_string()]);
        command.args(["nice", "-n", "10", "buildah", "--root"]).arg(self.folder.join("storage"));
        command.arg("--runroot").arg(self.folder.join("run")).args(arguments);
        // Namespaces and a cgroup for each command of the build would need more rights than a container may have.
        command.env("BUILDAH_ISOLATION", "chroot");
        command
    }

    fn said(&self, limit: Duration, arguments: &[&str]) -> Result<String> {
        said(&mut self.command(limit, arguments))
    }
}

/// Runs a program that must succeed, and returns what it wrote.
fn said(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start `{}`", typed(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}:\n{}", typed(command), output.status, errors.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The file, if it is there, as a mount that cannot be written.
fn read_only(from: &Path, to: &str) -> Option<String> {
    from.exists().then(|| format!("{}:{to}:ro", from.display()))
}
