//! What the machine offers: programs, folders, free ports, patience.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Below the range that the system gives to outgoing connections, and apart from the one that game servers in tests use.
const PORTS: std::ops::Range<u16> = 30_000..32_700;
/// How often we look whether something has happened.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// A server that is not there after this many looks (60 s) will never be: even a long crash recovery takes less.
const POLLS_MAX: u32 = 12_000;

/// A port that is ours until this is dropped or the process ends.
///
/// What is held is the same port at another loopback address, where no server of ours listens: so the server can bind its
/// own, and let go of it in a restart, while no other test takes it.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    _held: TcpListener,
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let count = PORTS.end - PORTS.start;
        let offset = u16::try_from(std::process::id() % u32::from(count)).unwrap_or(0);
        for step in 0..count {
            let number = PORTS.start + (offset + step) % count;
            let Ok(held) = TcpListener::bind(("127.0.0.77", number)) else { continue };
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _held: held };
            }
        }
        panic!("no free port between {} and {}", PORTS.start, PORTS.end);
    }
}

/// The folder of all test servers of this user: the templates stay in it, the rest goes.
pub(crate) fn home() -> PathBuf {
    let user = output(Command::new("id").arg("-u"));
    let home = std::env::temp_dir().join(format!("dopamine-hero-test-servers-{user}"));
    std::fs::create_dir_all(&home).unwrap_or_else(|error| panic!("cannot make {}: {error}", home.display()));
    home
}

/// A new folder for one server.
pub(crate) fn new_folder(name: &str) -> PathBuf {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder = home().join(format!("{name}-{}-{number}", std::process::id()));
    // Left by a machine that crashed, and the process id came round again.
    let _nothing_there = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
    folder
}

/// The program in one of the folders, or on the path.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The same; nothing goes on without it.
pub(crate) fn program(name: &str, folders: &[PathBuf], advice: &str) -> PathBuf {
    find_program(name, folders).unwrap_or_else(|| panic!("the program {name} is missing: {advice}"))
}

/// Runs a program that must succeed, and returns what it said.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Looks again and again until something is there; `None` when it never comes.
pub(crate) fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..POLLS_MAX {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    None
}

/// Kills every process that works in the folder, at once, and waits until they are gone.
pub(crate) fn kill_all(folder: &Path) {
    output(Command::new("sh").args(["-c", crate::guardian::KILL_ALL, "kill"]).arg(folder).current_dir("/"));
}
