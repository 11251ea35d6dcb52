//! Made-up requests to every route of docs/openapi.json, sound and unsound ones, as nobody, a guest and an account: no
//! answer may be a mistake of the server or anything that the document does not say.
//!
//! The limits of requests are raised, so that 429 does not hide everything else; they have tests of their own. What ends
//! the caller's own login has a run of its own, with a new account for each request.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Figure;
use crate::clock::Stopwatch;
use crate::install;
use crate::process::{POLL_INTERVAL, Service};
use crate::readiness;
use crate::serve;
use crate::step::Reporter;
use crate::workspace::Workspace;

const HOOKS: &str = include_str!("rest/hooks.py");
/// It would make an account of its own from what routes are called; `hooks.py` knows better.
const SETTINGS: &str = "[auth]\nauto-signup = false\n";
/// What is looked at in every answer: schemathesis's own checks, then those of `hooks.py`.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
     response_headers_conformance,negative_data_rejection,unsupported_method,allow_header_conformance,\
     security_headers,errors_have_our_shape,no_secret_comes_back";
/// Who asks, as `hooks.py` knows it.
const CALLERS: [&str; 4] = ["nobody", "guest", "account", "fresh"];
/// What ends its caller when it succeeds: by path, and by name where others share the path.
const ENDS_THE_CALLER: [(&str, &str); 2] =
    [("--exclude-path-regex", "^/v1/auth/logout$"), ("--exclude-operation-id", "erase_me")];
/// What succeeds only with what is the caller's own.
const NEEDS_OWN_VALUES: &str = "^/v1/(auth/(logout|refresh)|me(/.*)?|avatars/.*)$";
const EXAMPLES_QUICK: u32 = 10;
const EXAMPLES_FULL: u32 = 150;
/// The same requests each time.
const SEED: &str = "20";
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Secrets shorter than this are not looked for in the log.
const SECRET_CHARS_MIN: usize = 12;

pub(crate) fn run(workspace: &Workspace, quick: bool, reporter: &Reporter) -> Result<Vec<Figure>> {
    let schemathesis = install::schemathesis(workspace, reporter)?;
    serve::build(workspace, false, reporter)?;
    let folder = workspace.target.join("security/rest");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in [("hooks.py", HOOKS), ("schemathesis.toml", SETTINGS)] {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    let (mut server, port) = start(workspace, &folder)?;
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for caller in CALLERS {
        let report = folder.join(format!("{caller}.json"));
        let mut command = Command::new(&schemathesis);
        // Beside the hooks, which are found by their name.
        command.current_dir(&folder).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &folder);
        command.env("REST_URL", format!("http://127.0.0.1:{port}")).env("REST_CALLER", caller);
        command.env("REST_SECRETS", folder.join("secrets"));
        command.args(arguments(workspace, caller, quick, port, &report));
        // What it found stands on the terminal.
        if reporter.run(&mut command).is_err() {
            failed.push(format!("failures as {caller}"));
        }
        figures.push(Figure::new(format!("REST as {caller}"), seen(&report)?));
    }
    let is_alive = server.ended()?.is_none() && readiness::is_ready(port);
    server.stop(|| false)?;
    let (secrets, found) = secrets_in_log(&folder)?;
    let what = "issued tokens and canary passwords in the server's log";
    figures.push(Figure::new(what, format!("{found} of {secrets}")));
    if !is_alive {
        failed.push("the server did not live until the end".to_owned());
    }
    if found > 0 {
        failed.push(format!("{found} secrets are in {}", folder.join("server.log").display()));
    }
    if !failed.is_empty() {
        for Figure { what, seen, .. } in &figures {
            reporter.say(&format!("{what}: {seen}"));
        }
        bail!("{}", failed.join("; "));
    }
    Ok(figures)
}

fn arguments(workspace: &Workspace, caller: &str, quick: bool, port: u16, report: &Path) -> Vec<String> {
    let examples = if quick { EXAMPLES_QUICK } else { EXAMPLES_FULL };
    let document = workspace.root.join("docs/openapi.json");
    let mut words = vec!["run".to_owned(), document.display().to_string()];
    let report = report.display().to_string();
    let which = match caller {
        "fresh" => &[("--include-path-regex", NEEDS_OWN_VALUES)][..],
        _ => &ENDS_THE_CALLER[..],
    };
    which.iter().for_each(|(name, value)| words.extend([(*name).to_owned(), (*value).to_owned()]));
    let url = format!("http://127.0.0.1:{port}");
    let examples = examples.to_string();
    for (name, value) in [
        ("--url", url.as_str()),
        ("--checks", CHECKS),
        // Without those that follow links from one answer to the next request: the document has none.
        ("--phases", "examples,coverage,fuzzing"),
        ("--max-examples", &examples),
        ("--seed", SEED),
        ("--generation-database", "none"),
        ("--request-timeout", "20"),
        ("--warnings", "off"),
        ("--output-sanitize", "false"),
        ("--report-json-path", &report),
    ] {
        words.extend([name.to_owned(), value.to_owned()]);
    }
    // What has little room to be made up is no fault: most routes take nothing.
    words
        .extend(["--suppress-health-check", "all", "--continue-on-failure", "--no-color"].map(str::to_owned));
    words
}

/// A debug server on an empty database.
fn start(workspace: &Workspace, folder: &Path) -> Result<(Service, u16)> {
    let [port, admin, metrics] = free_ports()?;
    let log = File::create(folder.join("server.log")).context("cannot write the server's log")?;
    let mut command = Command::new(workspace.server_binary(false));
    // Nothing of the machine's own settings.
    command.env_clear().current_dir(folder).arg("serve");
    command.env("DATABASE_URL", format!("sqlite://{}", folder.join("heroes.sqlite").display()));
    command.env("PORT", port.to_string()).env("ADMIN_PORT", admin.to_string());
    command.env("METRICS_PORT", metrics.to_string()).env("LOG_LEVEL", "debug");
    command.env("RATE_LIMIT_MAX_REQUESTS", "1000000000").env("RATE_LIMIT_WINDOW_MS", "1000");
    command.stdout(log.try_clone().context("a file can be opened twice")?).stderr(log);
    let mut server = Service::start("the server", &mut command)?;
    let started = Stopwatch::start();
    while !readiness::is_ready(port) {
        if let Some(status) = server.ended()? {
            bail!("the server ended with {status}; {} says why", folder.join("server.log").display());
        }
        if started.elapsed() > READY_WITHIN {
            bail!("the server was not ready within {} s", READY_WITHIN.as_secs());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok((server, port))
}

/// Ports that nobody listens on right now.
fn free_ports() -> Result<[u16; 3]> {
    let bind = || TcpListener::bind("127.0.0.1:0").context("no port is free");
    let listeners = [bind()?, bind()?, bind()?];
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    let [one, two, three] = &listeners;
    Ok([port(one)?, port(two)?, port(three)?])
}

/// The figures of a run.
fn seen(report: &Path) -> Result<String> {
    let text = fs::read_to_string(report).with_context(|| format!("there is no {}", report.display()))?;
    let report: Value = serde_json::from_str(&text).context("the report is not JSON")?;
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let (tested, selected) = (number("/operations/tested"), number("/operations/selected"));
    let (requests, failures) = (number("/test_cases/generated"), number("/test_cases/with_failures"));
    let errors = report["errors"].as_array().map_or(0, Vec::len);
    Ok(format!(
        "{tested} of {selected} operations, {requests} requests, {failures} failures, {errors} errors"
    ))
}

/// How many secrets there were, and how many of them the server has logged.
fn secrets_in_log(folder: &Path) -> Result<(usize, usize)> {
    let read = |name: &str| {
        let path: PathBuf = folder.join(name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (log, secrets) = (read("server.log")?, read("secrets")?);
    let secrets: Vec<&str> = secrets.lines().filter(|secret| secret.len() >= SECRET_CHARS_MIN).collect();
    let found = secrets.iter().filter(|secret| log.contains(**secret)).count();
    Ok((secrets.len(), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_log_is_found() {
        let folder = std::env::temp_dir().join(format!("dopamine-hero-rest-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("secrets"), "dh_aaaaaaaaaaaaa\ndh_bbbbbbbbbbbbb\nshort\n").unwrap();
        fs::write(folder.join("server.log"), "a line with dh_bbbbbbbbbbbbb in it, and short\n").unwrap();
        assert_eq!(secrets_in_log(&folder).unwrap(), (2, 1));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_figures_of_a_report_are_read() {
        let file = std::env::temp_dir().join(format!("dopamine-hero-report-{}.json", std::process::id()));
        let text = r#"{"operations": {"tested": 3, "selected": 4}, "errors": [{}],
            "test_cases": {"generated": 50, "with_failures": 2}}"#;
        fs::write(&file, text).unwrap();
        assert_eq!(seen(&file).unwrap(), "3 of 4 operations, 50 requests, 2 failures, 1 errors");
        fs::remove_file(&file).unwrap();
    }
}
