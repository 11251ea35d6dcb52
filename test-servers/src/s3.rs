//! A store that speaks S3, of one's own.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::guardian::{Guardian, KILL_ALL};
use crate::machine::{Port, kill_all, new_folder, wait_for};

/// Where `cargo xtask test` puts its Python and packages, below the folder of what cargo builds.
const PYTHON: &str = "tools/moto-5.2.1/bin/python";
const ADVICE: &str = "run `cargo xtask test integration` once: it installs moto from PyPI for Python 3";
const SCRIPT: &str = include_str!("s3/server.py");
const BUCKET: &str = "hero-avatars";

/// A store in memory that is gone when this is dropped or the process dies. It checks the signature of every request, and
/// its one key may do with objects of its one bucket what it likes, and nothing else.
#[derive(Debug)]
pub struct S3 {
    folder: PathBuf,
    port: Port,
    key: [String; 2],
    child: Option<Child>,
    _guardian: Guardian,
}

impl S3 {
    /// Whether this machine has the program.
    #[must_use]
    pub fn is_installed() -> bool {
        python().is_some()
    }

    /// A new store that answers, with one empty bucket.
    ///
    /// # Panics
    /// When its program is missing or does not start; the text says what to do.
    #[must_use]
    pub fn start() -> Self {
        let python = python().unwrap_or_else(|| panic!("{PYTHON} is missing below target/: {ADVICE}"));
        let folder = new_folder("s3");
        let guardian = Guardian::start(&format!("{KILL_ALL}rm -rf \"$1\"\n"), &[&folder]);
        let port = Port::reserve();
        let mut child =
            command(&python, &folder, port.number).spawn().expect("Python was there a moment ago");
        let ready = wait_for(|| {
            let ended = child.try_wait().expect("our own child can be waited for");
            if let Some(status) = ended {
                return Some(Err(format!("ended with {status}")));
            }
            key(&folder).map(Ok)
        });
        match ready.unwrap_or_else(|| Err("is not ready after a minute".to_owned())) {
            Ok(key) => Self { folder, port, key, child: Some(child), _guardian: guardian },
            Err(problem) => {
                let log = std::fs::read(folder.join("s3.log")).unwrap_or_default();
                panic!("the S3 server {problem}; its log:\n{}", String::from_utf8_lossy(&log))
            }
        }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number)
    }

    /// Its bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        BUCKET
    }

    /// Id and secret of its key.
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        let [id, secret] = &self.key;
        (id, secret)
    }

    /// The folder with `s3.log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has said so far: a line for each request, among others.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(self.folder.join("s3.log")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// kill -9; it and all objects are gone when this returns.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        kill_all(&self.folder);
        if let Some(mut child) = self.child.take() {
            child.wait().expect("our own child can be waited for");
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // The guardian, dropped next, removes the folder; the process is ours to wait for.
        if let Some(mut child) = self.child.take() {
            let _gone_already = child.kill();
            let _gone_already = child.wait();
        }
    }
}

/// Found from the test that runs: cargo builds it below the same folder.
fn python() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    test.ancestors().map(|folder| folder.join(PYTHON)).find(|file| file.is_file())
}

fn command(python: &Path, folder: &Path, port: u16) -> Command {
    let log = File::create(folder.join("s3.log")).expect("a log can be written to our own folder");
    let mut command = Command::new(python);
    command.args(["-u", "-c", SCRIPT, &port.to_string(), BUCKET]);
    // Nothing of the machine's own settings, keys or proxies.
    command.env_clear().env("HOME", folder);
    // In the folder, where the guardian finds it, and in a group that Ctrl-C does not reach.
    command.current_dir(folder).process_group(0).stdin(Stdio::null());
    command.stdout(log.try_clone().expect("a file can be opened twice")).stderr(log);
    command
}

fn key(folder: &Path) -> Option<[String; 2]> {
    let text = std::fs::read_to_string(folder.join("key")).ok()?;
    let mut lines = text.lines().map(str::to_owned);
    Some([lines.next()?, lines.next()?])
}
