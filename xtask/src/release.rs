//! `release`: archives of the program out of the images that were built and checked, so that what is downloaded is what runs
//! in the image. Each has the program, how to set it up and the licence; beside them what is inside, and checksums.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::process::output_of;
use crate::step::{Output, Reporter, Steps};
use crate::workspace::Workspace;

/// Our name of a processor, and how readelf calls it.
const PROCESSORS: [(&str, &str); 2] = [("x86_64", "X86-64"), ("arm64", "AArch64")];
/// The newest glibc that the program may ask for: Debian 12, Ubuntu 22.04 and RHEL 9 have it.
const GLIBC_MAX: (u32, u32) = (2, 34);
/// Where the image has them.
const PROGRAM: &str = "usr/local/bin/dopamine-hero";
const PARTS: &str = "usr/share/doc/dopamine-hero";
/// What is in an archive beside the program.
const BESIDE: [&str; 3] = ["LICENSE", "README.md", ".env.example"];

/// What `release` takes.
#[derive(Args)]
pub(crate) struct ReleaseArguments {
    /// The release's tag, `v` and the version of the workspace
    tag: String,
    /// A folder with the files of the images, in a folder for each processor: x86_64, arm64
    images: PathBuf,
    /// An empty folder for the files of the release, made if it is missing
    out: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, arguments: &ReleaseArguments) -> Result<()> {
    // All crates have the workspace's version.
    let version = env!("CARGO_PKG_VERSION");
    ensure!(
        arguments.tag == format!("v{version}"),
        "the tag is {}, the version in Cargo.toml {version}: one of them is wrong",
        arguments.tag
    );
    fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make {}", arguments.out.display()))?;
    ensure!(
        arguments.out.read_dir().is_ok_and(|mut files| files.next().is_none()),
        "{} is not empty",
        arguments.out.display()
    );
    let mut steps = Steps::new(PROCESSORS.len() + 1, Output::All);
    for (processor, machine) in PROCESSORS {
        steps.must(processor, |reporter| {
            let image = arguments.images.join(processor);
            check_program(&image.join(PROGRAM), machine, reporter)?;
            let name = format!("dopamine-hero-{version}-linux-{processor}");
            pack(workspace, &image, &arguments.out, &name, reporter)
        })?;
    }
    steps.must("checksums", |reporter| {
        let script = "sha256sum -- * > SHA256SUMS";
        reporter.run(Command::new("sh").args(["-c", script]).current_dir(&arguments.out))
    })?;
    steps.finish()
}

/// That it is for this processor, and starts on the systems that we promise.
fn check_program(program: &Path, machine: &str, reporter: &Reporter) -> Result<()> {
    let path = program.to_str().with_context(|| format!("{} is no text", program.display()))?;
    let described = output_of("readelf", &["--wide", "--file-header", "--version-info", path])
        .with_context(|| format!("readelf cannot read {path}; on Debian it is in the package binutils"))?;
    let glibc = newest_glibc(&described).with_context(|| format!("{path} asks for no glibc"))?;
    ensure!(
        described.lines().any(|line| line.trim().starts_with("Machine:") && line.contains(machine)),
        "{path} is not for {machine}"
    );
    let (major, minor) = glibc;
    reporter.say(&format!("it asks for glibc {major}.{minor}"));
    if glibc > GLIBC_MAX {
        let (major_max, minor_max) = GLIBC_MAX;
        bail!(
            "{path} asks for glibc {major}.{minor}; we promise that it starts with {major_max}.{minor_max}"
        );
    }
    Ok(())
}

/// The highest of `Name: GLIBC_2.34` in what readelf prints.
fn newest_glibc(described: &str) -> Option<(u32, u32)> {
    let versions = described.split("GLIBC_").skip(1).filter_map(|rest| {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    versions.max()
}

fn pack(workspace: &Workspace, image: &Path, out: &Path, name: &str, reporter: &Reporter) -> Result<()> {
    let folder = workspace.target.join("release-archive").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = |from: PathBuf, to: PathBuf| {
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display())).map(|_| ())
    };
    copy(image.join(PROGRAM), folder.join("dopamine-hero"))?;
    for file in BESIDE {
        copy(workspace.root.join(file), folder.join(file))?;
    }
    let parts = image.join(PARTS);
    let mut count = 0;
    for entry in fs::read_dir(&parts).with_context(|| format!("cannot list {}", parts.display()))? {
        let entry = entry?;
        let file = entry.file_name();
        copy(entry.path(), folder.join(&file))?;
        copy(entry.path(), out.join(format!("{name}.{}", file.to_string_lossy())))?;
        count += 1;
    }
    ensure!(count > 0, "{} lists no parts of the program", parts.display());
    // The same files make the same archive.
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "--use-compress-program=gzip -n",
    ]);
    tar.arg("--create").arg("--file").arg(std::path::absolute(out)?.join(format!("{name}.tar.gz")));
    reporter.run(tar.arg("--directory").arg(workspace.target.join("release-archive")).arg(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_is_found() {
        let described = "Machine: Advanced Micro Devices X86-64\n  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 7\n  \
                         0x0020:   Name: GLIBC_2.34  Flags: none\n  0x0030: Name: GLIBC_2.2.5\n Name: GCC_4.2.0";
        assert_eq!(newest_glibc(described), Some((2, 34)));
        assert_eq!(newest_glibc("Name: GCC_3.0 GLIBC_PRIVATE"), None);
    }
}
