//! `conformance`: Autobahn's WebSocket test suite against `game-server/examples/echo.rs`, which is the server's listener,
//! upgrade and frame layer with limits that the suite fits into.
//!
//! The suite needs Python 2.7. It is installed into a folder of its own, and nothing of the machine changes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Figure;
use crate::process::{cargo, output_of};
use crate::step::{Reporter, Skipped};
use crate::workspace::Workspace;

/// In the folder's names, so that other versions are other folders.
const SUITE: &str = "autobahntestsuite==25.10.1";
const VIRTUALENV: &str = "virtualenv==20.15.1";
/// What our server is called in the report.
const AGENT: &str = "dopamine-hero";
/// Frames, pings, reserved bits, opcodes, fragments, UTF-8, close, limits and performance, automatic fragments, and the
/// compression that we do not offer.
const CASES: [&str; 12] =
    ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.1.*", "12.2.*", "13.1.*"];
/// Text that is no UTF-8, in a frame of which only a part has come: the suite would like to see the socket closed before the
/// rest of the frame comes. Our library looks at text when its frame is whole, which RFC 6455 allows (section 8.1 says
/// "fail", not when), and a player's socket takes no text at all.
const NON_STRICT: [&str; 2] = ["6.4.3", "6.4.4"];
/// Without large messages.
const QUICK_CASES: [&str; 7] = ["1.*", "2.*", "3.*", "4.*", "5.*", "7.*", "10.*"];

pub(super) fn run(workspace: &Workspace, quick: bool, reporter: &Reporter) -> Result<Vec<Figure>> {
    let suite = install(workspace, reporter)?;
    // The whole workspace, so that it is built with the features that everything else has.
    reporter.run(&mut cargo(workspace, &["build", "--workspace", "--example", "echo"]))?;
    let echo = Echo::start(&workspace.target.join("debug/examples/echo"))?;
    let folder = workspace.target.join("conformance");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let cases: &[&str] = if quick { &QUICK_CASES } else { &CASES };
    let server = json!({
        "agent": AGENT,
        "url": format!("ws://{}/v1/ws", echo.address),
        "protocols": ["dopamine-hero.v1.msgpack"],
    });
    let specification = json!({
        "outdir": folder.join("reports"),
        "servers": [server],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let path = folder.join("specification.json");
    fs::write(&path, specification.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    reporter.run(Command::new(suite).args(["-m", "fuzzingclient", "-s"]).arg(&path).current_dir(&folder))?;
    drop(echo);
    let index = fs::read(folder.join("reports/index.json")).context("the suite has written no report")?;
    let counts = Counts::of(&serde_json::from_slice(&index).context("the report is not JSON")?)?;
    if !counts.bad.is_empty() {
        bail!("{} cases are not as they should be:\n{}", counts.bad.len(), counts.bad.join("\n"));
    }
    Ok(vec![Figure::new("Autobahn's WebSocket suite", counts.to_string())])
}

/// The suite's program, in an environment of its own.
fn install(workspace: &Workspace, reporter: &Reporter) -> Result<PathBuf> {
    /// Written last: a folder without it is one whose installation was broken off.
    const COMPLETE: &str = "complete";
    let folder = workspace.target.join("tools").join(SUITE.replace("==", "-"));
    let program = folder.join("bin/wstest");
    if folder.join(COMPLETE).is_file() {
        return Ok(program);
    }
    let Some(python) = python() else {
        let why =
            "Python 2.7 is missing, and the suite runs on nothing newer: `pyenv install 2.7.18` brings one";
        return Err(Skipped(why.into()).into());
    };
    let maker = workspace.target.join("tools").join(VIRTUALENV.replace("==", "-"));
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut make = Command::new(&python);
    reporter.run(make.args(quiet).arg("--target").arg(&maker).arg(VIRTUALENV))?;
    let mut venv = Command::new(&python);
    reporter.run(venv.env("PYTHONPATH", &maker).args(["-m", "virtualenv", "--quiet"]).arg(&folder))?;
    let mut packages = Command::new(folder.join("bin/python"));
    reporter.run(packages.args(quiet).arg(SUITE))?;
    fs::write(folder.join(COMPLETE), "").with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(program)
}

/// A Python 2.7 with pip: on the path, or one of pyenv's.
fn python() -> Option<PathBuf> {
    let has_pip = |python: &Path| output_of(&python.to_string_lossy(), &["-m", "pip", "--version"]).is_some();
    let on_path = Some(PathBuf::from("python2.7"));
    let version = output_of("pyenv", &["versions", "--bare"]).unwrap_or_default();
    let version = version.lines().find(|version| version.starts_with("2.7.")).map(str::to_owned);
    let prefix = version.and_then(|version| output_of("pyenv", &["prefix", &version]));
    let of_pyenv = prefix.map(|prefix| Path::new(&prefix).join("bin/python2.7"));
    of_pyenv.into_iter().chain(on_path).find(|python| has_pip(python))
}

/// The echo server; ended when dropped.
struct Echo {
    child: Child,
    address: String,
}

impl Echo {
    fn start(program: &Path) -> Result<Echo> {
        let mut child = Command::new(program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut address = String::new();
        let out = child.stdout.take().context("its output is piped")?;
        let said = BufReader::new(out).read_line(&mut address);
        let echo = Echo { child, address: address.trim().to_owned() };
        if said.context("the echo server says nothing")? == 0 {
            bail!("the echo server has ended");
        }
        Ok(echo)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// How many cases went how.
struct Counts {
    by_behaviour: BTreeMap<String, usize>,
    /// What nobody may look away from, with its case.
    bad: Vec<String>,
}

impl Counts {
    fn of(report: &Value) -> Result<Counts> {
        let cases = report[AGENT].as_object().context("the report does not know our server")?;
        let mut counts = Counts { by_behaviour: BTreeMap::new(), bad: Vec::new() };
        for (case, result) in cases {
            let text = |name: &str| result[name].as_str().unwrap_or("nothing").to_owned();
            let (behaviour, close) = (text("behavior"), text("behaviorClose"));
            let is_good = |word: &String| ["OK", "INFORMATIONAL", "UNIMPLEMENTED"].contains(&word.as_str());
            let is_explained = behaviour == "NON-STRICT" && NON_STRICT.contains(&case.as_str());
            let is_good = (is_good(&behaviour) || is_explained) && is_good(&close);
            if !is_good {
                counts.bad.push(format!("{case}: {behaviour}, close {close}"));
            }
            *counts.by_behaviour.entry(behaviour).or_default() += 1;
        }
        if counts.by_behaviour.is_empty() {
            bail!("the report holds no case");
        }
        Ok(counts)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |name: &str| self.by_behaviour.get(name).copied().unwrap_or(0);
        write!(
            formatter,
            "{} ok, {} informational, {} non-strict as explained, 0 failed; {} about compression, which we do not offer",
            of("OK"),
            of("INFORMATIONAL"),
            of("NON-STRICT"),
            of("UNIMPLEMENTED")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_it_should_be_is_named() {
        let case = |behaviour: &str, close: &str| json!({ "behavior": behaviour, "behaviorClose": close });
        let report = json!({ AGENT: {
            "1.1.1": case("OK", "OK"),
            "7.1.6": case("INFORMATIONAL", "INFORMATIONAL"),
            "12.1.1": case("UNIMPLEMENTED", "OK"),
            "6.4.3": case("NON-STRICT", "OK"),
        }});
        let counts = Counts::of(&report).unwrap();
        assert_eq!(counts.bad, Vec::<String>::new());
        assert!(counts.to_string().starts_with("1 ok, 1 informational, 1 non-strict"));
        for (behaviour, close) in
            [("NON-STRICT", "OK"), ("FAILED", "OK"), ("OK", "UNCLEAN"), ("OK", "WRONG CODE")]
        {
            let counts = Counts::of(&json!({ AGENT: { "1.1.1": case(behaviour, close) }})).unwrap();
            assert_eq!(counts.bad, [format!("1.1.1: {behaviour}, close {close}")]);
        }
        assert!(Counts::of(&json!({})).is_err());
        assert!(Counts::of(&json!({ AGENT: {} })).is_err());
    }
}
