//! The server as a process of its own that can be started, killed with -9, asked to stop, and examined afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::http::{Endpoint, request};

/// How long a start may take. A debug build that reads a large store back on a busy machine takes seconds.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often readiness is asked for.
const READY_POLL: Duration = Duration::from_millis(15);
/// How long `verify` and `export` may take.
const EXAMINE_WITHIN: Duration = Duration::from_secs(300);
/// How long it may take to seed thousands of players, with some waits for the disk for each of them.
const SEED_WITHIN: Duration = Duration::from_secs(3600);
/// Ports are taken from below the range that the system gives to outgoing connections, so that no bot's own port can
/// stand in the way of a restart.
const PORTS: std::ops::Range<u16> = 12_000..30_000;
/// How much of the server's log an error repeats.
const LOG_TAIL_CHARS: usize = 2_000;

/// Shortest word that can be a one-time token.
const TOKEN_CHARS_MIN: usize = 20;

/// Problems that are taken from one log.
const LOG_PROBLEMS_MAX: usize = 20;

/// How to run a server: everything that stays the same over its restarts.
#[derive(Clone, Debug)]
pub struct ServerPlan {
    /// The binary.
    pub binary: PathBuf,
    /// Where the store and the log are.
    pub directory: PathBuf,
    /// Port of the players' listener.
    pub port: u16,
    admin_port: u16,
    metrics_port: u16,
    environment: Vec<(String, String)>,
    /// Where the heroes are; a SQLite file in the directory when nothing else is said.
    database: Option<String>,
    /// The one core on which it runs; any when nothing is said.
    core: Option<usize>,
    log_name: String,
}

impl ServerPlan {
    /// A plan with three free ports and limits that a crowd of bots from one machine does not run into.
    ///
    /// # Errors
    /// When the directory cannot be made or no port is free.
    pub fn new(binary: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let mut ports = free_ports()?;
        let mut next = || ports.pop().context("too few free ports");
        let plan = Self {
            binary: binary.to_owned(),
            directory: directory.to_owned(),
            port: next()?,
            admin_port: next()?,
            metrics_port: next()?,
            environment: Vec::new(),
            database: None,
            core: None,
            log_name: "server.log".to_owned(),
        };
        // On a fast machine a crowd's sockets all say hello in the same moment.
        Ok(plan.with("RATE_LIMIT_MAX_REQUESTS", "1000000000").with("UNAUTHENTICATED_PER_ADDRESS_MAX", "1000"))
    }

    /// Sets a variable of the server's environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps the heroes elsewhere: in a file on another disk, in Postgres.
    #[must_use]
    pub fn on_database(mut self, url: &str) -> Self {
        self.database = Some(url.to_owned());
        self
    }

    /// Runs it on one core.
    #[must_use]
    pub fn pinned_to(self, core: usize) -> Self {
        Self { core: Some(core), ..self }
    }

    /// The same with another binary.
    #[must_use]
    pub fn with_binary(mut self, binary: &Path) -> Self {
        self.binary = binary.to_owned();
        self
    }

    /// Another node with the same database and settings, on ports of its own and with a log of its own.
    ///
    /// # Errors
    /// When no port is free.
    pub fn another_node(&self, name: &str) -> Result<Self> {
        let fresh = Self::new(&self.binary, &self.directory)?;
        Ok(Self {
            database: Some(self.database_url()),
            environment: self.environment.clone(),
            log_name: format!("{name}.log"),
            core: self.core,
            ..fresh
        })
    }

    /// What is set beside addresses and the store, as `NAME=VALUE`.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// Lifts the limits of one socket, for tests of what lies behind them.
    #[must_use]
    pub fn without_socket_limits(self) -> Self {
        ["MESSAGES", "BYTES", "COMMANDS", "PINGS"].iter().fold(self, |plan, what| {
            plan.with(&format!("SOCKET_{what}_PER_SECOND"), "1000000000")
                .with(&format!("SOCKET_{what}_BURST"), "1000000000")
        })
    }

    /// Where players connect.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::local(self.port)
    }

    /// Where operators log in.
    #[must_use]
    pub fn admin_endpoint(&self) -> Endpoint {
        Endpoint::local(self.admin_port)
    }

    /// A one-time token for the first operator of a running server.
    ///
    /// # Errors
    /// When the program refuses, or prints nothing that looks like a token.
    pub async fn invite_owner(&self, name: &str) -> Result<String> {
        let output = self.examine(&["admin", "invite", name, "--role", "owner"]).await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("no invitation: {said}{}", String::from_utf8_lossy(&output.stderr));
        }
        let is_token = |word: &&str| {
            word.len() >= TOKEN_CHARS_MIN
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let token = said.split_whitespace().filter(is_token).max_by_key(|word| word.len());
        token.map(str::to_owned).with_context(|| format!("no token in: {said}"))
    }

    /// Where the operator's metrics are.
    #[must_use]
    pub fn metrics_endpoint(&self) -> Endpoint {
        Endpoint::local(self.metrics_port)
    }

    /// The store.
    #[must_use]
    pub fn database_url(&self) -> String {
        let in_directory = || format!("sqlite://{}", self.directory.join("heroes.sqlite").display());
        self.database.clone().unwrap_or_else(in_directory)
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join(&self.log_name)
    }

    /// One number of the running server, as Prometheus sees it.
    ///
    /// # Errors
    /// When the server does not answer or has no such number.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let answer = request(&self.metrics_endpoint(), None, "GET", "/metrics", None, None).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("the server has no metric {name}"))
    }

    fn command(&self) -> Command {
        let mut command = match self.core {
            // It becomes the server itself, so that the process id is the server's.
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command
            .env_clear()
            .env("HOST", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .env("ADMIN_PORT", self.admin_port.to_string())
            .env("METRICS_PORT", self.metrics_port.to_string())
            .env("DATABASE_URL", self.database_url())
            .env("LOG_LEVEL", "warn")
            // By this programs are found, `taskset` too.
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts the server and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends first or takes too long; the error repeats the end of its log.
    pub async fn start(&self) -> Result<Server> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .with_context(|| format!("cannot write {}", self.log_path().display()))?;
        let child = self
            .command()
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        let started = Instant::now();
        let mut server = Server { child, plan: self.clone() };
        let endpoint = self.endpoint();
        loop {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} instead of starting:\n{}", self.log_tail());
            }
            if let Ok(answer) = request(&endpoint, None, "GET", "/ready", None, None).await
                && answer.status == 200
            {
                return Ok(server);
            }
            if started.elapsed() > READY_WITHIN {
                bail!("the server is not ready after {} s:\n{}", READY_WITHIN.as_secs(), self.log_tail());
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// The end of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let skipped = text.chars().count().saturating_sub(LOG_TAIL_CHARS);
        text.chars().skip(skipped).collect()
    }

    /// Lines of the server's log that no fault of ours explains: panics and errors.
    #[must_use]
    pub fn log_problems(&self) -> Vec<String> {
        let text = std::fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.lines().peekable();
        let mut problems = Vec::new();
        while let Some(line) = lines.next() {
            if line.contains("panicked at") {
                problems.push(format!("{line} {}", lines.peek().unwrap_or(&"")));
            } else if line.contains(" ERROR ") {
                problems.push(line.to_owned());
            }
        }
        problems.truncate(LOG_PROBLEMS_MAX);
        problems
    }

    /// Runs `verify` over the store while no server runs. Returns whether it found nothing, and its words.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn verify(&self) -> Result<(bool, String)> {
        let output = self.examine(&["verify"]).await?;
        let mut words = String::from_utf8_lossy(&output.stdout).into_owned();
        words.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok((output.status.success(), words))
    }

    /// Runs `export` for one hero. Returns its JSON.
    ///
    /// # Errors
    /// When it cannot be run or refuses.
    pub async fn export(&self, hero_id: &str) -> Result<Vec<u8>> {
        let output = self.examine(&["export", hero_id]).await?;
        if !output.status.success() {
            bail!("no export of {hero_id}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }

    /// Brings the tables of the store up to date, which a server on Postgres leaves to its operator.
    ///
    /// # Errors
    /// When it cannot be run or refuses.
    pub async fn migrate(&self) -> Result<()> {
        let output = self.examine(&["migrate"]).await?;
        if !output.status.success() {
            bail!("no migration: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Puts so many typical players into the store. Returns a line of JSON for each.
    ///
    /// # Errors
    /// When it cannot be run or refuses.
    pub async fn seed(&self, players: usize) -> Result<Vec<u8>> {
        let output = self.run(&["seed", "--players", &players.to_string()], SEED_WITHIN).await?;
        if !output.status.success() {
            bail!("no players: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }

    /// Starts `migrate` and does not wait for its end.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start_migration(&self) -> Result<Child> {
        let mut command = self.command();
        command.arg("migrate").stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().with_context(|| format!("cannot run {}", self.binary.display()))
    }

    async fn examine(&self, arguments: &[&str]) -> Result<std::process::Output> {
        self.run(arguments, EXAMINE_WITHIN).await
    }

    async fn run(&self, arguments: &[&str], within: Duration) -> Result<std::process::Output> {
        let run = self.command().args(arguments).output();
        tokio::time::timeout(within, run)
            .await
            .with_context(|| format!("{arguments:?} does not end"))?
            .with_context(|| format!("cannot run {} {arguments:?}", self.binary.display()))
    }
}

/// A running server.
pub struct Server {
    child: Child,
    plan: ServerPlan,
}

impl Server {
    /// The process id.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it is run.
    #[must_use]
    pub fn plan(&self) -> &ServerPlan {
        &self.plan
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("the server's process cannot be looked at")
    }

    /// kill -9, and waits until the process is gone.
    ///
    /// # Errors
    /// When it was dead already: a fault test must be the one who kills.
    pub async fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended by itself with {status}:\n{}", self.plan.log_tail());
        }
        self.child.kill().await.context("cannot kill the server")
    }

    /// SIGTERM, as a supervisor sends it.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub async fn ask_to_stop(&mut self) -> Result<()> {
        self.signal("TERM").await
    }

    /// Any signal: `STOP` freezes the process and `CONT` thaws it.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let id = self.id().context("the server had ended by itself")?;
        // The shell's own kill: the standard library has no other signal than SIGKILL.
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().await?;
        if !status.success() {
            bail!("cannot send SIG{name}: {status}");
        }
        Ok(())
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Errors
    /// When it does not within the deadline.
    pub async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        tokio::time::timeout(within, self.child.wait())
            .await
            .with_context(|| format!("the server still runs after {} s", within.as_secs()))?
            .context("cannot wait for the server")
    }

    /// SIGTERM, and the end of the process.
    ///
    /// # Errors
    /// As for its two steps.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.ask_to_stop().await?;
        self.ended(READY_WITHIN).await
    }
}

/// Three ports on which nobody listens. Runs at the same time begin their search far enough from each other.
fn free_ports() -> Result<Vec<u16>> {
    static PLANS: AtomicU32 = AtomicU32::new(0);
    let plan = PLANS.fetch_add(1, Ordering::Relaxed);
    let offset = std::process::id().wrapping_mul(37).wrapping_add(plan.wrapping_mul(4));
    let first = PORTS.start + u16::try_from(offset % u32::from(PORTS.end - PORTS.start)).unwrap_or(0);
    // Held until all three are found, so that no port is found twice.
    let mut listeners = Vec::new();
    for port in (first..PORTS.end).chain(PORTS.start..first) {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            listeners.push((port, listener));
        }
        if listeners.len() == 3 {
            return Ok(listeners.into_iter().map(|(port, _)| port).collect());
        }
    }
    bail!("no three free ports between {} and {}", PORTS.start, PORTS.end)
}
