//! A Redis of one's own.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::guardian::{Guardian, KILL_ALL};
use crate::machine::{Port, find_program, kill_all, new_folder, output, program, wait_for};

const ADVICE: &str =
    "install Redis 7 or newer, on Debian by `apt-get install redis-server` (`cargo xtask test` does it)";
/// How long one look for an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// A Redis that is gone when this is dropped or the process dies. It writes nothing by itself; after `SAVE` a restart finds
/// what was saved.
#[derive(Debug)]
pub struct Redis {
    folder: PathBuf,
    port: Port,
    /// The second port of a server that is a cluster of one node.
    bus: Option<Port>,
    child: Option<Child>,
    _guardian: Guardian,
}

impl Redis {
    /// Whether this machine has the programs.
    #[must_use]
    pub fn is_installed() -> bool {
        find_program("redis-server", &[]).is_some()
    }

    /// A new, empty server that answers.
    ///
    /// # Panics
    /// When Redis is missing or does not start; the text says what to do.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// As `start`; with `cluster`, a cluster of one node that has all slots.
    ///
    /// # Panics
    /// As `start`.
    #[must_use]
    pub fn start_with(cluster: bool) -> Self {
        let folder = new_folder("redis");
        let guardian = Guardian::start(&format!("{KILL_ALL}rm -rf \"$1\"\n"), &[&folder]);
        let mut server = Self {
            folder,
            port: Port::reserve(),
            bus: cluster.then(Port::reserve),
            child: None,
            _guardian: guardian,
        };
        server.restart();
        if cluster {
            server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
            server.wait_for_cluster();
        }
        server
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Where it listens, on 127.0.0.1; the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it was killed and not started again.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server was killed and has no process").id()
    }

    /// The folder with `redis.log` and, after `SAVE`, `dump.rdb`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// kill -9; it is gone when this returns.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        kill_all(&self.folder);
        if let Some(mut child) = self.child.take() {
            child.wait().expect("our own child can be waited for");
        }
    }

    /// Starts it again on the same port and folder and waits until it answers.
    ///
    /// # Panics
    /// When it does not; the text repeats its log.
    pub fn restart(&mut self) {
        self.kill();
        let mut child = self.command().spawn().expect("the program was there a moment ago");
        let ready = wait_for(|| {
            let ended = child.try_wait().expect("our own child can be waited for");
            if let Some(status) = ended {
                return Some(Err(format!("ended with {status}")));
            }
            self.answers().then_some(Ok(()))
        });
        self.child = Some(child);
        if let Err(problem) = ready.unwrap_or_else(|| Err("does not answer after a minute".to_owned())) {
            let log = std::fs::read(self.folder.join("redis.log")).unwrap_or_default();
            panic!("Redis {problem}; its log:\n{}", String::from_utf8_lossy(&log));
        }
        if self.bus.is_some() && self.folder.join("nodes.conf").is_file() && self.has_slots() {
            self.wait_for_cluster();
        }
    }

    /// Runs one command by `redis-cli` and returns its answer.
    ///
    /// # Panics
    /// When it fails; the text says why.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port().to_string();
        let program = program("redis-cli", &[], ADVICE);
        output(Command::new(program).args(["-e", "-p", &port]).args(arguments).stdin(Stdio::null()))
    }

    fn command(&self) -> Command {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("redis.log"))
            .expect("a log can be written to our own folder");
        let mut command = Command::new(program("redis-server", &[], ADVICE));
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--port",
        ]);
        command.arg(self.port().to_string());
        if let Some(bus) = &self.bus {
            command.args([
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-port",
            ]);
            command.arg(bus.number.to_string());
        }
        // In the folder, where the guardian finds it, and in a group that Ctrl-C does not reach.
        command.current_dir(&self.folder).process_group(0).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file can be opened twice")).stderr(log);
        command
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port()))?;
            stream.set_read_timeout(Some(ANSWER_WITHIN))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer)?;
            Ok(answer.starts_with("+PONG"))
        };
        ask().unwrap_or(false)
    }

    fn has_slots(&self) -> bool {
        self.cli(&["CLUSTER", "INFO"]).contains("cluster_slots_assigned:16384")
    }

    fn wait_for_cluster(&self) {
        let is_up = || self.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok").then_some(());
        wait_for(is_up).expect("a cluster of one node comes up by itself");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // The guardian, dropped next, removes the folder; the process is ours to wait for.
        if let Some(mut child) = self.child.take() {
            let _gone_already = child.kill();
            let _gone_already = child.wait();
        }
    }
}
