//! The binary itself: exit codes, signals, running out of file descriptors.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::harness::{Answer, PATIENCE, SECRET, request};
use crate::leaks;

const BINARY: &str = env!("CARGO_BIN_EXE_dopamine-hero");

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("dopamine-hero-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a fresh folder");
        Folder(path)
    }

    fn database_url(&self) -> String {
        format!("sqlite://{}", self.0.join("data/heroes.sqlite").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Only litter if it fails.
        let _litter = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary with an environment that holds nothing but these variables and free ports.
fn command(program: impl AsRef<Path>, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_clear().envs([
        ("PORT", "0"),
        ("ADMIN_PORT", "0"),
        ("METRICS_PORT", "0"),
        ("LOG_FORMAT", "json"),
    ]);
    if leaks::are_wanted() {
        command.env("LOG_LEVEL", "trace");
    }
    for (_, value) in variables.iter().filter(|(name, _)| *name == "SECRET_KEYS") {
        leaks::secret("secret_key", value);
    }
    command.envs(variables.iter().copied()).kill_on_drop(true).stdin(Stdio::null());
    command
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let running = command(BINARY, variables).args(arguments).output();
    let output = timeout(PATIENCE, running).await.expect("it ends").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let ran = Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    leaks::logged(&ran.err);
    ran
}

/// A server process, and where it listens.
struct Process {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// What it said until it was ready.
    said: String,
    players: SocketAddr,
    operators: SocketAddr,
}

impl Process {
    async fn start(mut command: Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (mut said, mut operators) = (String::new(), None);
        let ready = async {
            loop {
                let line = log.next_line().await.expect("text").expect("it is ready before it ends");
                leaks::logged(&line);
                let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let address = |field: &str| json[field].as_str().expect("an address").parse();
                if json["message"] == "listening" && json["name"] == "operators" {
                    operators = Some(address("address").expect("an address"));
                }
                said.push_str(&line);
                if json["message"] == "ready" {
                    return address("players").expect("an address");
                }
            }
        };
        let players = timeout(PATIENCE, ready).await.expect("ready in time");
        Process { child, log, said, players, operators: operators.expect("it said so") }
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().await.expect("kill runs");
        assert!(status.success());
    }

    /// Its exit code and its log.
    async fn end(mut self) -> (Option<i32>, String) {
        let ending = async {
            let mut rest = self.said;
            while let Some(line) = self.log.next_line().await.expect("text") {
                leaks::logged(&line);
                rest.push_str(&line);
                rest.push('\n');
            }
            (self.child.wait().await.expect("it ends").code(), rest)
        };
        timeout(PATIENCE, ending).await.expect("it ends in time")
    }
}

#[tokio::test]
async fn a_wrong_environment_prints_every_problem_and_exits_64() {
    let ran = run(&[], &[("PORT", "high"), ("TICK_HZ", "0"), ("DATABASE_URL", "mysql://a:secret@b/c")]).await;
    assert_eq!(ran.code, Some(64), "{}", ran.err);
    for text in ["3 wrong", "PORT is \"high\"", "TICK_HZ is \"0\"", "mysql://***@b/c"] {
        assert!(ran.err.contains(text), "{text} is missing in {}", ran.err);
    }
    assert!(!ran.err.contains("secret"));
}

#[tokio::test]
async fn the_version_and_the_help_need_no_environment() {
    let ran = run(&["--version"], &[("PORT", "high")]).await;
    assert_eq!((ran.code, ran.out.trim()), (Some(0), concat!("dopamine-hero ", env!("CARGO_PKG_VERSION"))));
    let ran = run(&["--help"], &[]).await;
    for command in
        ["serve", "simulate", "verify", "export", "rebuild-read-models", "migrate", "seed", "healthcheck"]
    {
        assert!(ran.out.contains(&format!("\n  {command} ")), "{command} is missing in {}", ran.out);
    }
    assert_eq!(run(&["dance"], &[]).await.code, Some(2));
}

#[tokio::test]
async fn sigterm_drains_and_exits_zero_and_the_guest_is_still_there() {
    let folder = Folder::new();
    let url = folder.database_url();
    let variables = [("DATABASE_URL", url.as_str()), ("LOG_LEVEL", "trace")];
    let process = Process::start(command(BINARY, &variables)).await;
    let guest = request(process.players, "POST", "/v1/guests", &[], "").await.json();
    let token = guest["device_token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let port = process.players.port().to_string();
    let healthy = run(&["healthcheck"], &[("PORT", &port), variables[0]]).await;
    assert_eq!(healthy.code, Some(0), "{}", healthy.err);
    let answer = request(process.players, "POST", "/v1/ws-ticket", &[("authorization", &bearer)], "").await;
    let ticket = answer.json()["ticket"].as_str().expect("a ticket").to_owned();
    process.signal("TERM").await;
    let (code, log) = process.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("shutting down"), "{log}");
    assert!(!log.contains(&token) && !log.contains(&ticket), "no token is ever logged");

    let sick = run(&["healthcheck"], &[("PORT", &port), variables[0]]).await;
    assert_eq!(sick.code, Some(1), "nobody answers");
    let process = Process::start(command(BINARY, &variables)).await;
    let answer = request(process.players, "POST", "/v1/ws-ticket", &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 200);
    process.signal("INT").await;
    assert_eq!(process.end().await.0, Some(0));
}

const DRAIN_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// As the hook of a deployment asks, which knows the server by its address and has no login.
async fn ask_to_drain(process: &Process, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("host", "hero-1.internal:3002")];
    request(process.operators, "POST", "/v1/drain", &headers, "").await
}

#[tokio::test]
async fn the_token_of_a_deployment_drains_and_exits_zero_and_no_other_does() {
    let folder = Folder::new();
    let url = folder.database_url();
    let variables = [("DATABASE_URL", url.as_str()), ("LOG_LEVEL", "trace")];
    let token = ("ADMIN_DRAIN_TOKEN", DRAIN_TOKEN);
    let process = Process::start(command(BINARY, &[variables[0], variables[1], token])).await;
    let guest = request(process.players, "POST", "/v1/guests", &[], "").await;
    assert_eq!(guest.status, 201);
    for wrong in ["", "0123456789abcdef0123456789abcdee"] {
        let answer = ask_to_drain(&process, wrong).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "wrong_token"), "{}", answer.text());
    }
    let cookie = [("cookie", "__Host-operator=0123456789abcdef0123456789abcdef")];
    let answer = request(process.operators, "POST", "/v1/drain", &cookie, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "csrf"), "a cookie is no token");
    assert_eq!(request(process.players, "GET", "/ready", &[], "").await.status, 200, "nothing has begun");

    let answer = ask_to_drain(&process, DRAIN_TOKEN).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &"draining".into()), "{}", answer.text());
    let (code, log) = process.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("shutting down") && log.contains("deploy hook"), "{log}");
    assert!(!log.contains(DRAIN_TOKEN), "no token is ever logged");
    let audited = run(&["audit", "verify"], &variables).await;
    assert_eq!(audited.code, Some(0), "{}{}", audited.out, audited.err);

    let process = Process::start(command(BINARY, &variables)).await;
    let answer = ask_to_drain(&process, DRAIN_TOKEN).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "wrong_token"), "none is set here");
    process.signal("TERM").await;
    assert_eq!(process.end().await.0, Some(0));
}

#[tokio::test]
async fn a_store_in_use_is_a_clear_error_and_exits_69() {
    let folder = Folder::new();
    let url = folder.database_url();
    let process = Process::start(command(BINARY, &[("DATABASE_URL", &url)])).await;
    let second = run(&[], &[("DATABASE_URL", &url)]).await;
    assert_eq!(second.code, Some(69), "{}", second.err);
    assert!(second.err.contains("heroes.sqlite"), "{}", second.err);
    let rebuild = run(&["rebuild-read-models"], &[("DATABASE_URL", &url)]).await;
    assert_eq!(rebuild.code, Some(1), "{}", rebuild.err);
    assert!(rebuild.err.contains("another server is using"), "{}", rebuild.err);
    process.signal("TERM").await;
    assert_eq!(process.end().await.0, Some(0));
}

#[tokio::test]
async fn the_tools_work_on_a_store() {
    let folder = Folder::new();
    let url = folder.database_url();
    let variables = [("DATABASE_URL", url.as_str())];
    let missing = run(&["verify"], &variables).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("check DATABASE_URL"), "{}", missing.err);
    let migrated = run(&["migrate"], &variables).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.err);
    assert!(migrated.out.contains("applied"), "{}", migrated.out);
    let status = run(&["migrate", "--status"], &variables).await;
    assert_eq!((status.code, status.out), (Some(0), migrated.out));
    let seeded = run(&["seed"], &variables).await;
    assert_eq!(seeded.code, Some(0), "{}", seeded.err);
    let verified = run(&["verify"], &variables).await;
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("3 heroes"), "{}", verified.out);
    let hero = seeded.out.split_whitespace().find(|word| word.len() == 36).expect("a hero's id");
    let rebuilt = run(&["rebuild-read-models"], &variables).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    assert!(rebuilt.out.contains("3 heroes, "), "{}", rebuilt.out);
    let one = run(&["rebuild-read-models", hero], &variables).await;
    assert!(one.out.contains("1 heroes, "), "{}{}", one.out, one.err);
    let rest = run(&["rebuild-read-models", "--after", hero], &variables).await;
    assert!(
        rest.out.contains("2 heroes, "),
        "the first that was made has the lowest id: {}{}",
        rest.out,
        rest.err
    );
    assert_eq!(run(&["rebuild-read-models", "me"], &variables).await.code, Some(1));
    let verified = run(&["verify"], &variables).await;
    assert_eq!(verified.code, Some(0), "the ledgers of the read models are compared: {}", verified.out);
    let exported = run(&["export", hero], &variables).await;
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let json: serde_json::Value = serde_json::from_str(&exported.out).expect("JSON");
    assert_eq!(json["hero_id"], hero);
    assert_eq!(run(&["export", "me"], &variables).await.code, Some(1));
    let production = run(&["seed"], &[("APP_ENV", "production"), SECRET, variables[0]]).await;
    assert_eq!(production.code, Some(1), "no demo players among real ones");
}

#[tokio::test]
async fn many_typical_players_are_seeded_as_lines_of_json() {
    let folder = Folder::new();
    let url = folder.database_url();
    let variables = [("DATABASE_URL", url.as_str())];
    let seeded = run(&["seed", "--players", "2"], &variables).await;
    assert_eq!(seeded.code, Some(0), "{}", seeded.err);
    let lines: Vec<serde_json::Value> =
        seeded.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let counts = [&line["tasks"], &line["modules"], &line["days"]];
        assert_eq!(counts, [10, 6, 30], "what a typical player has: {line}");
        assert!(line["device_token"].as_str().is_some_and(|token| token.starts_with("dh_")), "{line}");
    }
    let verified = run(&["verify"], &variables).await;
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("2 heroes"), "{}", verified.out);
}

#[tokio::test]
async fn running_out_of_file_descriptors_ends_nothing() {
    let mut shell = command("/bin/sh", &[("DATABASE_URL", "memory:"), ("SHARDS", "1")]);
    shell.args(["-c", "ulimit -n 64 && exec \"$0\"", BINARY]);
    let process = Process::start(shell).await;
    let mut flood = Vec::new();
    for _ in 0..128 {
        // The kernel completes these even though the process cannot accept them.
        flood.push(TcpStream::connect(process.players).await.expect("the backlog has room"));
    }
    drop(flood);
    let answer = request(process.players, "GET", "/health", &[], "").await;
    assert_eq!(answer.status, 200, "it accepts again");
    process.signal("TERM").await;
    let (code, log) = process.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("cannot accept connections right now"), "the test did reach the limit: {log}");
}
