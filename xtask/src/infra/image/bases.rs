//! The images that the `Dockerfile` begins with: the real ones where a registry can be reached, else stand-ins made of this
//! machine's Debian, Rust and Node.js.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{Buildah, COPY_TIME_MAX, read_only, said};
use crate::process::output_of;
use crate::step::Reporter;
use crate::workspace::Workspace;

/// Where Docker looks for a name without a host.
const LIBRARY: &str = "docker.io/library";
/// A registry that does not begin to answer within this is not there.
const PULL_TIME_MAX: Duration = Duration::from_secs(5 * 60);
/// The Debian of the bases. Only on the same one, the machine's packages and programs fit.
const SUITE: &str = "bookworm";
/// Marks an image that is none of the real ones, for the next run.
const STAND_IN: &str = "dopamine-hero.stand-in=yes";
/// Stands in for both, for Rust and for Node.js.
const BUILDER: &str = "localhost/builder";
/// What Debian's own slim images leave out.
const NOT_IN_SLIM: [&str; 5] = ["doc", "info", "lintian", "locale", "man"];
/// Where the toolchain is mounted in the stand-in for Rust, and Cargo's own folder.
const RUST_FOLDER: &str = "/usr/local/rust";
const CARGO_FOLDER: &str = "/usr/local/cargo";
/// Where npm is mounted in the stand-in for Node.js.
const NPM_FOLDER: &str = "/usr/local/lib/node_modules/npm";

/// What the build begins with.
pub(super) struct Bases {
    stand_ins: Vec<String>,
    volumes: Vec<String>,
}

impl Bases {
    /// Which are not the real ones, in words.
    pub(super) fn stand_ins(&self) -> String {
        if self.stand_ins.is_empty() { "none".to_owned() } else { self.stand_ins.join(", ") }
    }

    /// What every command of the build sees besides, as `FROM:TO:ro`. It is in no layer.
    pub(super) fn volumes(&self) -> impl Iterator<Item = &str> {
        self.volumes.iter().map(String::as_str)
    }
}

/// Finds, fetches or makes every base.
pub(super) fn provide(workspace: &Workspace, buildah: &Buildah, reporter: &Reporter) -> Result<Bases> {
    let path = workspace.root.join("Dockerfile");
    let file = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bases = Bases { stand_ins: Vec::new(), volumes: machine_settings() };
    for name in named(&file) {
        let image = format!("{LIBRARY}/{name}");
        let is_here = buildah.said(COPY_TIME_MAX, &["inspect", "--type", "image", &image]);
        let is_stand_in = match is_here {
            Ok(text) => text.contains(STAND_IN.split('=').next().unwrap_or(STAND_IN)),
            Err(_) => match buildah.said(PULL_TIME_MAX, &["pull", "--quiet", &image]) {
                Ok(_) => false,
                Err(error) => {
                    reporter.say(&format!(
                        "{name} cannot be fetched, a stand-in is made of this machine: {error:#}"
                    ));
                    make(buildah, name, &image, reporter)?;
                    true
                }
            },
        };
        if is_stand_in {
            bases.volumes.extend(programs(name)?);
            bases.stand_ins.push(name.to_owned());
        }
    }
    Ok(bases)
}

/// The images after `FROM` that are no stage of the same file.
fn named(file: &str) -> Vec<&str> {
    let mut stages = vec!["scratch"];
    let mut images = Vec::new();
    for line in file.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["FROM", image, rest @ ..] = words.as_slice() else { continue };
        if !stages.contains(image) && !images.contains(image) {
            images.push(*image);
        }
        if let ["AS", stage] = rest {
            stages.push(stage);
        }
    }
    // The others are made of Debian's.
    images.sort_by_key(|image| !image.starts_with("debian:"));
    images
}

fn make(buildah: &Buildah, name: &str, image: &str, reporter: &Reporter) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    ensure!(
        release.contains(&format!("VERSION_CODENAME={SUITE}")),
        "a stand-in for {name} can only be made on Debian {SUITE}; let buildah reach {LIBRARY}"
    );
    match name.split(':').next() {
        Some("debian") => debian(buildah, image, reporter),
        Some("rust" | "node") => {
            if buildah.said(COPY_TIME_MAX, &["inspect", "--type", "image", BUILDER]).is_err() {
                builder(buildah, reporter)?;
            }
            buildah.said(COPY_TIME_MAX, &["tag", BUILDER, image]).map(|_| ())
        }
        _ => bail!("nothing here can stand in for {name}; let buildah reach {LIBRARY}"),
    }
}

/// Debian's smallest set of packages, from where this machine has its own.
fn debian(buildah: &Buildah, image: &str, reporter: &Reporter) -> Result<()> {
    let archive = buildah.folder.join("debian.tar");
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--kill-after=30", &COPY_TIME_MAX.as_secs().to_string()]);
    command.args(["mmdebstrap", "--variant=minbase"]);
    command.args(NOT_IN_SLIM.map(|folder| format!("--dpkgopt=path-exclude=/usr/share/{folder}/*")));
    reporter.run(command.arg(SUITE).arg(&archive).args(apt_sources()?))?;
    let container = buildah.said(COPY_TIME_MAX, &["from", "scratch"])?;
    buildah.said(COPY_TIME_MAX, &["add", &container, &archive.display().to_string(), "/"])?;
    commit(buildah, &container, image)?;
    fs::remove_file(&archive).with_context(|| format!("cannot remove {}", archive.display()))
}

/// Debian with a C compiler; Rust and Node.js are this machine's own, mounted while the build runs.
fn builder(buildah: &Buildah, reporter: &Reporter) -> Result<()> {
    let script = format!(
        "apt-get -q update && apt-get -q install -y --no-install-recommends ca-certificates gcc libc6-dev libstdc++6 \
         && ln -s {NPM_FOLDER}/bin/npm-cli.js /usr/local/bin/npm"
    );
    let container = buildah.said(COPY_TIME_MAX, &["from", &format!("{LIBRARY}/debian:{SUITE}-slim")])?;
    reporter.run(&mut buildah.command(COPY_TIME_MAX, &["run", &container, "--", "sh", "-c", &script]))?;
    let path =
        format!("PATH={CARGO_FOLDER}/bin:{RUST_FOLDER}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let home = format!("CARGO_HOME={CARGO_FOLDER}");
    buildah.said(COPY_TIME_MAX, &["config", "--env", &path, "--env", &home, &container])?;
    commit(buildah, &container, BUILDER)
}

fn commit(buildah: &Buildah, container: &str, image: &str) -> Result<()> {
    buildah.said(COPY_TIME_MAX, &["config", "--label", STAND_IN, container])?;
    buildah.said(COPY_TIME_MAX, &["commit", "--quiet", "--rm", container, image]).map(|_| ())
}

/// The machine's own lists of package sources.
fn apt_sources() -> Result<Vec<PathBuf>> {
    let folder = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let is_list = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|ending| ending == "list" || ending == "sources")
    };
    let all = folder.map(|entry| entry.path()).chain([PathBuf::from("/etc/apt/sources.list")]);
    let mut found: Vec<PathBuf> = all.filter(is_list).collect();
    ensure!(!found.is_empty(), "/etc/apt has no sources from which Debian could be fetched");
    found.sort();
    Ok(found)
}

/// The programs that the stand-in lacks.
fn programs(name: &str) -> Result<Vec<String>> {
    let volumes = match name.split(':').next() {
        Some("rust") => {
            let folder =
                output_of("rustc", &["--print", "sysroot"]).context("rustc does not say where it is")?;
            vec![read_only(Path::new(&folder), RUST_FOLDER)]
        }
        Some("node") => {
            let node = said(Command::new("node").args(["--print", "process.execPath"]))?;
            let modules = said(Command::new("npm").args(["root", "--global"]))?;
            let npm = Path::new(&modules).join("npm");
            vec![read_only(Path::new(&node), "/usr/local/bin/node"), read_only(&npm, NPM_FOLDER)]
        }
        _ => Vec::new(),
    };
    volumes
        .into_iter()
        .map(|volume| volume.with_context(|| format!("{name}: its programs are not here")))
        .collect()
}

/// How this machine reaches registries, and whom it believes there.
fn machine_settings() -> Vec<String> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into()));
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let npm = output_of("npm", &["config", "get", "globalconfig"]).unwrap_or_default();
    let settings = [
        read_only(Path::new("/etc/ssl/certs"), "/etc/ssl/certs"),
        read_only(Path::new(&npm), "/usr/local/etc/npmrc"),
        read_only(&home.join(".npmrc"), "/root/.npmrc"),
        read_only(&cargo.join("config.toml"), &format!("{CARGO_FOLDER}/config.toml")),
    ];
    settings.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_what_is_no_stage() {
        let file = "FROM rust:1 AS tools\nRUN x\nFROM tools AS server\nFROM scratch AS list\nFROM node:20 AS web\n\
                    FROM debian:bookworm-slim\nCOPY --from=server a b\nFROM rust:1\n";
        assert_eq!(named(file), ["debian:bookworm-slim", "rust:1", "node:20"]);
    }

    #[test]
    fn something_can_stand_in_for_every_base() {
        let workspace = Workspace::load().unwrap();
        let file = fs::read_to_string(workspace.root.join("Dockerfile")).unwrap();
        let names = named(&file);
        assert_eq!(names.len(), 3, "{names:?}");
        for (name, kind) in names.iter().zip(["debian:", "node:", "rust:"]) {
            assert!(name.starts_with(kind), "{name} is not {kind}…");
        }
    }
}
