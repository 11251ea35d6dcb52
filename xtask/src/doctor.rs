//! `doctor`: what the verbs need, which of it this machine has, and how to get the rest. Only looks; installs nothing.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::install::{self, on_path};
use crate::process::output_of;
use crate::tools::NODE_VERSION_MIN;

type Version = (u32, u32);

/// Whose absence means what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Without it `cargo xtask run` does not.
    Run,
    /// A verb installs it when it first needs it, and says so where it may not.
    Installed,
    /// Few need it, or only on a certain machine.
    Optional,
}

/// One thing that some verb starts.
struct Tool {
    name: &'static str,
    /// The oldest version that will do; any will when it is left out.
    version_min: Option<Version>,
    need: Need,
    used_for: &'static str,
    how_to_get: &'static str,
    /// Its program, if it is there.
    find: fn() -> Option<PathBuf>,
    /// What makes it say its version.
    asks: &'static [&'static str],
}

const VERSION: &[&str] = &["--version"];
/// As `rustup` is told by rust-toolchain.toml, which is the one list of it.
const RUST: &str = include_str!("../../rust-toolchain.toml");

/// In the order in which somebody new meets them; a line each, so that it reads as a table.
#[rustfmt::skip]
const TOOLS: [Tool; 20] = [
    Tool { name: "Rust", version_min: None, need: Need::Run, used_for: "everything", how_to_get: "rustup from rustup.rs; it fetches the version of rust-toolchain.toml by itself", find: || on_path("rustc"), asks: VERSION },
    Tool { name: "C compiler", version_min: None, need: Need::Run, used_for: "run: SQLite, linking", how_to_get: "apt install gcc", find: || on_path("cc"), asks: VERSION },
    Tool { name: "Node.js", version_min: Some(NODE_VERSION_MIN), need: Need::Run, used_for: "run: the web client", how_to_get: "nodejs.org, or apt install nodejs where it is new enough", find: || on_path("node"), asks: VERSION },
    Tool { name: "npm", version_min: None, need: Need::Run, used_for: "run: the web client", how_to_get: "comes with Node.js; apt install npm", find: || on_path("npm"), asks: VERSION },
    Tool { name: "git", version_min: None, need: Need::Optional, used_for: "clone, commit", how_to_get: "apt install git", find: || on_path("git"), asks: VERSION },
    Tool { name: "cargo-nextest", version_min: None, need: Need::Installed, used_for: "test; else cargo test, slower", how_to_get: "cargo install cargo-nextest --locked", find: || on_path("cargo-nextest"), asks: VERSION },
    Tool { name: "Postgres", version_min: Some((15, 0)), need: Need::Installed, used_for: "test, faults: servers of their own", how_to_get: "apt install postgresql", find: || Some(install::postgres_programs()?.join("postgres")), asks: VERSION },
    Tool { name: "Redis", version_min: Some((7, 0)), need: Need::Installed, used_for: "test, faults: servers of their own", how_to_get: "apt install redis-server", find: || on_path("redis-server"), asks: VERSION },
    Tool { name: "Prometheus", version_min: Some((2, 42)), need: Need::Installed, used_for: "test", how_to_get: "apt install prometheus", find: || on_path("prometheus"), asks: VERSION },
    Tool { name: "promtool", version_min: Some((2, 42)), need: Need::Installed, used_for: "infra check: alerts", how_to_get: "apt install prometheus", find: || on_path("promtool"), asks: VERSION },
    Tool { name: "Chromium", version_min: None, need: Need::Installed, used_for: "test e2e", how_to_get: "apt install chromium, or its path in CHROMIUM", find: browser, asks: VERSION },
    Tool { name: "Python with venv", version_min: None, need: Need::Installed, used_for: "infra check, lint, S3 in tests", how_to_get: "apt install python3-venv", find: python, asks: VERSION },
    Tool { name: "C++ compiler", version_min: None, need: Need::Installed, used_for: "security fuzz", how_to_get: "apt install g++", find: || on_path("c++").or_else(|| on_path("g++")), asks: VERSION },
    Tool { name: "valgrind", version_min: None, need: Need::Installed, used_for: "instructions", how_to_get: "apt install valgrind", find: || on_path("valgrind"), asks: VERSION },
    Tool { name: "buildah", version_min: None, need: Need::Installed, used_for: "the image without Docker", how_to_get: "apt install buildah", find: || on_path("buildah"), asks: VERSION },
    Tool { name: "mmdebstrap", version_min: None, need: Need::Installed, used_for: "the image without Docker", how_to_get: "apt install mmdebstrap", find: || on_path("mmdebstrap"), asks: VERSION },
    Tool { name: "Docker", version_min: None, need: Need::Optional, used_for: "the image, the compose file", how_to_get: "docs.docker.com/engine", find: || on_path("docker"), asks: VERSION },
    Tool { name: "Terraform", version_min: None, need: Need::Optional, used_for: "the machines in AWS", how_to_get: "developer.hashicorp.com/terraform", find: || on_path("terraform"), asks: VERSION },
    Tool { name: "AWS CLI", version_min: None, need: Need::Optional, used_for: "deploy", how_to_get: "aws.amazon.com/cli", find: || on_path("aws"), asks: VERSION },
    Tool { name: "readelf", version_min: None, need: Need::Optional, used_for: "release", how_to_get: "apt install binutils", find: || on_path("readelf"), asks: VERSION },
];

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty());
    named.map(PathBuf::from).or_else(install::find_browser)
}

fn python() -> Option<PathBuf> {
    on_path("python3").filter(|_| install::has_python())
}

/// What was seen of one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    TooOld,
    Missing,
}

pub(crate) fn run() -> Result<()> {
    let rust = pinned_rust(RUST)?;
    let mut lines = vec![["", "tool", "found", "needed", "for", "how to get it"].map(str::to_owned)];
    let mut hindrances = Vec::new();
    for tool in &TOOLS {
        let said = (tool.find)().and_then(|path| output_of(path.to_str()?, tool.asks));
        let version_min = if tool.name == "Rust" { Some(rust) } else { tool.version_min };
        let state = state(said.as_deref(), version_min);
        if state != State::Fine && tool.need == Need::Run {
            hindrances.push(tool.name);
        }
        lines.push(line(tool, said.as_deref(), version_min, state));
    }
    println!("{}", table(&lines));
    if !hindrances.is_empty() {
        bail!("`cargo xtask run` does not work without {}", hindrances.join(", "));
    }
    eprintln!("`cargo xtask run` has what it needs.");
    Ok(())
}

/// `1.95` of `channel = "1.95.0"`.
fn pinned_rust(toolchain: &str) -> Result<Version> {
    let line = toolchain.lines().find(|line| line.starts_with("channel"));
    line.and_then(version).context("rust-toolchain.toml pins no version")
}

fn state(said: Option<&str>, version_min: Option<Version>) -> State {
    match (said, version_min) {
        (None, _) => State::Missing,
        (Some(_), None) => State::Fine,
        (Some(said), Some(least)) if version(said).is_some_and(|found| found >= least) => State::Fine,
        (Some(_), Some(_)) => State::TooOld,
    }
}

/// The first two numbers with a point between them, wherever a program puts them.
fn version(said: &str) -> Option<Version> {
    said.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')).find_map(|word| {
        let mut numbers = word.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

fn line(tool: &Tool, said: Option<&str>, version_min: Option<Version>, state: State) -> [String; 6] {
    let shown = |version: Version| format!("{}.{}", version.0, version.1);
    let found = match said {
        None => "no".to_owned(),
        Some(said) => version(said).map_or("yes".to_owned(), shown),
    };
    let mark = match (state, tool.need) {
        (State::Fine, _) => "ok",
        (_, Need::Run) => "NEEDED",
        (_, Need::Installed) => "later",
        (_, Need::Optional) => "-",
    };
    let how = match (state, tool.need) {
        (State::Fine, _) => String::new(),
        (State::Missing, Need::Installed) => format!("by itself when it can, or {}", tool.how_to_get),
        _ => tool.how_to_get.to_owned(),
    };
    let needed = version_min.map_or("any".to_owned(), shown);
    [mark.to_owned(), tool.name.to_owned(), found, needed, tool.used_for.to_owned(), how]
}

fn table(lines: &[[String; 6]]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let padded = |line: &[String; 6]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(padded).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_programs_put_them() {
        for (said, expected) in [
            ("rustc 1.95.0 (abc 2026-01-01)", (1, 95)),
            ("v20.20.2", (20, 20)),
            ("Redis server v=7.0.15 sha=00000000:0 bits=64", (7, 0)),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
            ("valgrind-3.19.0", (3, 19)),
            ("aws-cli/1.45.11 Python/3.11.7", (1, 45)),
        ] {
            assert_eq!(version(said), Some(expected), "{said}");
        }
        assert_eq!(version("a program"), None);
    }

    #[test]
    fn missing_and_old_ones_are_told_apart() {
        assert_eq!(state(Some("v20.19.0"), Some((20, 19))), State::Fine);
        assert_eq!(state(Some("v20.18.9"), Some((20, 19))), State::TooOld);
        assert_eq!(state(Some("says nothing"), Some((20, 19))), State::TooOld);
        assert_eq!(state(Some("says nothing"), None), State::Fine);
        assert_eq!(state(None, None), State::Missing);
    }

    #[test]
    fn what_is_missing_says_how_to_get_it() {
        let named = |name: &str| TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let missing = |name: &str| line(named(name), None, None, State::Missing);
        let node = missing("Node.js");
        assert!(node[0] == "NEEDED" && node[2] == "no" && node[5].contains("nodejs.org"), "{node:?}");
        let redis = missing("Redis");
        assert!(redis[0] == "later" && redis[5].starts_with("by itself"), "{redis:?}");
        assert_eq!(missing("Terraform")[0], "-");
        let old = line(named("Node.js"), Some("v18.20.4"), Some((20, 19)), State::TooOld);
        assert_eq!([&old[0], &old[2], &old[3]], ["NEEDED", "18.20", "20.19"]);
    }

    #[test]
    fn the_pinned_rust_is_read() {
        assert_eq!(pinned_rust("[toolchain]\nchannel = \"1.95.0\"\n").unwrap(), (1, 95));
        assert!(pinned_rust("[toolchain]\nchannel = \"stable\"\n").is_err());
        assert!(pinned_rust(RUST).is_ok());
    }
}
