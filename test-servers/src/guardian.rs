//! Whoever cleans up when a test can no longer do it itself.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Waits until the pipe of the test closes, however the test ended; keeps the lines that it was told in `$told`.
const WAIT: &str = "trap '' HUP INT QUIT TERM\ntold=\nwhile read -r line; do told=\"$told $line\"; done\n";

/// Shell text for a guardian: kills every process that works in the folder `$1`, and waits until all are gone. A frozen or
/// stuck one is given up after some 20 s.
pub const KILL_ALL: &str = r#"
tries=0
while [ "$tries" -lt 500 ]; do
    pids=$(find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' \( -lname "$1" -o -lname "$1/*" -o -lname "$1 *" \) \
        2>/dev/null | cut -d/ -f3)
    [ -n "$pids" ] || break
    kill -9 $pids 2>/dev/null
    tries=$((tries + 1))
    sleep 0.01
done
"#;

/// A shell that runs a script as soon as this value is dropped or this process has died, whatever it died of.
///
/// It holds the other end of a pipe that only we hold open, in a process group of its own, so that neither Ctrl-C nor a
/// test runner that kills our group reaches it.
#[derive(Debug)]
pub struct Guardian {
    pipe: Option<ChildStdin>,
    shell: Child,
}

impl Guardian {
    /// Starts to wait. The script sees `arguments` as `$1`, `$2`, … and what it was told as `$told`.
    ///
    /// # Panics
    /// When there is no shell.
    #[must_use]
    pub fn start(script: &str, arguments: &[&Path]) -> Self {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("sh")
            .args(["-c", &format!("{WAIT}{script}"), "guardian"])
            .args(arguments)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell can be started");
        Self { pipe: shell.stdin.take(), shell }
    }

    /// Tells it one line, without spaces at its ends.
    ///
    /// # Panics
    /// When somebody has killed the guardian.
    pub fn tell(&mut self, line: &str) {
        let pipe = self.pipe.as_mut().expect("the pipe is closed only when the guardian is dropped");
        writeln!(pipe, "{line}").expect("the guardian of a test server is there");
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Nothing to do about a failure here: a panic while another one runs would hide the first.
        let _ = self.shell.wait();
    }
}
