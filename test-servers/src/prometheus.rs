//! A Prometheus of one's own.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::guardian::{Guardian, KILL_ALL};
use crate::machine::{Port, find_program, new_folder, program, wait_for};

const ADVICE: &str = "install Prometheus 2.42 or newer, on Debian by `apt-get install prometheus` (`cargo xtask test` does it)";
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A Prometheus that is gone, with everything it saw, when this is dropped or the process dies.
#[derive(Debug)]
pub struct Prometheus {
    folder: PathBuf,
    port: Port,
    child: Child,
    _guardian: Guardian,
}

impl Prometheus {
    /// Whether this machine has the program.
    #[must_use]
    pub fn is_installed() -> bool {
        find_program("prometheus", &[]).is_some()
    }

    /// A new one that answers. `files` are its configuration, `prometheus.yml`, and what that names.
    ///
    /// # Panics
    /// When Prometheus is missing or does not start; the text says what to do, or repeats its log.
    #[must_use]
    pub fn start(files: &[(&str, &str)]) -> Self {
        let folder = new_folder("prometheus");
        let guardian = Guardian::start(&format!("{KILL_ALL}rm -rf \"$1\"\n"), &[&folder]);
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("our own folder can be written to");
        }
        let port = Port::reserve();
        let child = command(&folder, port.number).spawn().expect("the program was there a moment ago");
        let mut server = Self { folder, port, child, _guardian: guardian };
        let ready = wait_for(|| {
            let ended = server.child.try_wait().expect("our own child can be waited for");
            if let Some(status) = ended {
                return Some(Err(format!("ended with {status}")));
            }
            server.ask("/-/ready").is_ok_and(|answer| answer.starts_with("HTTP/1.0 200")).then_some(Ok(()))
        });
        if let Err(problem) = ready.unwrap_or_else(|| Err("is not ready after a minute".to_owned())) {
            let log = std::fs::read(server.folder.join("prometheus.log")).unwrap_or_default();
            panic!("Prometheus {problem}; its log:\n{}", String::from_utf8_lossy(&log));
        }
        server
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The answer to `GET /api/v1/…`, with these parameters: JSON, also when it is an error.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn api(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let parameters: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let answer = self.ask(&format!("/api/v1/{path}?{}", parameters.join("&")));
        let answer = answer.expect("Prometheus was there a moment ago");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("an answer has a body")
    }

    /// A whole answer. In the version of HTTP that has neither chunks nor connections that stay.
    fn ask(&self, target: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.number))?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // The guardian, dropped next, removes the folder; the process is ours to wait for.
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

fn command(folder: &Path, port: u16) -> Command {
    let log = File::create(folder.join("prometheus.log")).expect("a log can be written to our own folder");
    let mut command = Command::new(program("prometheus", &[], ADVICE));
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    // In the folder, where the guardian finds it, and in a group that Ctrl-C does not reach.
    command.current_dir(folder).process_group(0).stdin(Stdio::null());
    command.stdout(log.try_clone().expect("a file can be opened twice")).stderr(log);
    command
}

/// A text as a parameter of a URL.
fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}
