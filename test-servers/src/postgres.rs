//! A Postgres of one's own.

mod template;

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::guardian::{Guardian, KILL_ALL};
use crate::machine::{Port, kill_all, new_folder, output, wait_for};
use template::Programs;

/// Kills the server hard, frees the few bytes of shared memory by which Postgres guards its folder, removes the folder.
/// `$1` is the folder, `$2` the data; `$told` are the shared memory's ids.
const CLEAN_UP: &str = r#"
told="$told $(sed -n 7p "$2/postmaster.pid" 2>/dev/null | awk '{ print $2 }')"
folder=$1
set -- "$2"
"#;
const CLEAN_UP_END: &str = r#"
for id in $told; do ipcrm -m "$id" 2>/dev/null; done
rm -rf "$folder"
"#;

/// How a server differs from the usual one.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where the data go, for example on a file system that is to fail. It must exist and be empty, and it is not removed.
    pub data_folder: Option<PathBuf>,
    /// More settings, as `name=value`.
    pub settings: Vec<String>,
    /// A program and its arguments, to which the server's command line is appended: `strace …`, `faketime …`.
    pub wrapper: Vec<String>,
    /// Connections that it accepts.
    pub max_connections: u32,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { data_folder: None, settings: Vec::new(), wrapper: Vec::new(), max_connections: 100 }
    }
}

/// A Postgres that is gone when this is dropped or the process dies. What decides about durability is as Postgres sets it
/// by itself: fsync, full_page_writes and synchronous_commit are on.
#[derive(Debug)]
pub struct Postgres {
    options: PostgresOptions,
    programs: Programs,
    folder: PathBuf,
    data: PathBuf,
    port: Port,
    postmaster: u32,
    databases: AtomicU32,
    /// What we started: the server, or the program that wraps it.
    child: Option<Child>,
    guardian: Guardian,
}

impl Postgres {
    /// Whether this machine has the programs.
    #[must_use]
    pub fn is_installed() -> bool {
        template::is_installed()
    }

    /// A new, empty server that answers.
    ///
    /// # Panics
    /// When Postgres is missing or does not start; the text says what to do.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&PostgresOptions::default())
    }

    /// As `start`, with options.
    ///
    /// # Panics
    /// As `start`.
    #[must_use]
    pub fn start_with(options: &PostgresOptions) -> Self {
        let programs = Programs::find();
        let folder = new_folder("postgres");
        let data = options.data_folder.clone().unwrap_or_else(|| folder.join("data"));
        assert!(data.parent().is_some_and(|parent| parent.parent().is_some()), "not in a folder of the root");
        // The end of the script needs the folder that its middle replaced by the data's.
        let script = format!("{CLEAN_UP}{KILL_ALL}set -- \"$folder\"\n{KILL_ALL}{CLEAN_UP_END}");
        let guardian = Guardian::start(&script, &[&folder, &data]);
        programs.own(&folder);
        template::copy(&programs, &data, options.data_folder.is_some());
        let mut server = Self {
            options: options.clone(),
            programs,
            folder,
            data,
            port: Port::reserve(),
            postmaster: 0,
            databases: AtomicU32::new(0),
            child: None,
            guardian,
        };
        server.restart();
        server
    }

    /// The database `postgres` on it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// A new, empty database on it.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.url(), &format!("CREATE DATABASE {name}"));
        self.url_of(&name)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port())
    }

    /// Where it listens, on 127.0.0.1; the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The process id of the postmaster.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.postmaster
    }

    /// The folder with `data/` (unless it is elsewhere) and `postgres.log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that it has logged, over restarts.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(self.folder.join("postgres.log")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// kill -9 of the postmaster and every backend, whatever they do; they are gone when this returns.
    ///
    /// # Panics
    /// When they cannot be killed.
    pub fn kill(&mut self) {
        kill_all(&self.data);
        kill_all(&self.folder);
        if let Some(mut child) = self.child.take() {
            child.wait().expect("our own child can be waited for");
        }
    }

    /// Starts it again with the same port and data (after a kill, or when it ended by itself) and waits until it answers.
    ///
    /// # Panics
    /// When it does not; the text repeats its log.
    pub fn restart(&mut self) {
        self.kill();
        // Nobody is left who could own it. Gone, it shows later that the new server is ready and not the old one was.
        let state = self.data.join("postmaster.pid");
        let _usually_there_is_none = std::fs::remove_file(&state);
        let mut child = self.command().spawn().expect("the program was there a moment ago");
        let ready = wait_for(|| {
            let ended = child.try_wait().expect("our own child can be waited for");
            if let Some(status) = ended {
                return Some(Err(format!("ended with {status}")));
            }
            Ready::read(&state).map(Ok)
        });
        self.child = Some(child);
        match ready.unwrap_or_else(|| Err("is not ready after a minute".to_owned())) {
            Ok(ready) => {
                self.postmaster = ready.postmaster;
                self.guardian.tell(&ready.memory_id);
            }
            Err(problem) => panic!("Postgres {problem}; its log:\n{}", self.log()),
        }
    }

    /// Runs SQL by `psql` and returns the rows, a line each, fields separated by `|`.
    ///
    /// # Panics
    /// When it fails; the text says why.
    pub fn sql(&self, database_url: &str, sql: &str) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        output(
            Command::new(&self.programs.psql)
                .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database_url, "-c", sql])
                .env_clear()
                .env("PATH", path)
                .stdin(Stdio::null()),
        )
    }

    fn command(&self) -> Command {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("postgres.log"))
            .expect("a log can be written to our own folder");
        let mut words = self.options.wrapper.clone();
        words.push(self.programs.postgres.display().to_string());
        let (program, arguments) = words.split_first().expect("the server's program was just pushed");
        let mut command = self.programs.command(Path::new(program));
        command.args(arguments).arg("-D").arg(&self.data);
        let port = format!("port={}", self.port());
        let connections = format!("max_connections={}", self.options.max_connections);
        // Dynamic shared memory as files in the folder goes with the folder.
        let fixed =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "dynamic_shared_memory_type=mmap"];
        let settings = fixed.into_iter().chain([port.as_str(), connections.as_str()]);
        for setting in settings.chain(self.options.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        // In the folder, where the guardian finds it, and in a group that Ctrl-C does not reach.
        command.current_dir(&self.folder).process_group(0).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file can be opened twice")).stderr(log);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The guardian, dropped next, does the rest; here only what is ours alone.
        if let Some(mut child) = self.child.take() {
            let _gone_already = child.kill();
            let _gone_already = child.wait();
        }
    }
}

/// What a server that answers says in `postmaster.pid`.
struct Ready {
    postmaster: u32,
    memory_id: String,
}

impl Ready {
    fn read(state: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(state).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        if lines.get(7)?.trim() != "ready" {
            return None;
        }
        let memory_id = lines.get(6)?.split_whitespace().nth(1)?.to_owned();
        Some(Self { postmaster: lines.first()?.trim().parse().ok()?, memory_id })
    }
}
