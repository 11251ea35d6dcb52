//! What `cargo xtask security leaks` needs of these tests: what their servers log at TRACE, what their metrics say, and
//! every secret that comes by, in files of the folder that `LEAKS_DIR` names. Without it nothing is kept.
//!
//! xtask then searches the one for the other.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use game_server::config::LogLevel;
use game_server::telemetry;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Fields of requests and answers that hold a secret, by the kind of it.
const FIELDS: [(&str, &str); 9] = [
    ("device_token", "device_token"),
    ("guest_token", "device_token"),
    ("access_token", "access_token"),
    ("refresh_token", "refresh_token"),
    ("ticket", "ticket"),
    ("code", "mail_code"),
    ("password", "password"),
    ("old", "password"),
    ("new", "password"),
];
/// A shorter password is a word that any log may hold.
const PASSWORD_CHARS_MIN: usize = 12;

#[expect(clippy::disallowed_methods, reason = "xtask's wish reaches a test no other way")]
fn folder() -> Option<PathBuf> {
    std::env::var("LEAKS_DIR").ok().map(PathBuf::from)
}

/// A file of this process.
fn open(what: &str) -> Option<Mutex<File>> {
    let path = folder()?.join(format!("{what}-{}.txt", std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    Some(Mutex::new(file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))))
}

fn write(file: &Mutex<File>, line: &str) {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(file, "{line}").expect("the disk has room");
}

/// From now on everything that servers in this process log is kept, as much of it as with `LOG_LEVEL=trace`.
pub(crate) fn listen() {
    if let Some(file) = open("log") {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file);
        let registry = tracing_subscriber::registry().with(telemetry::targets(LogLevel::Trace)).with(layer);
        // Somebody listens already: an earlier server of this process.
        let _listening = registry.try_init();
    }
}

/// Keeps a secret that somebody was given, or that was configured.
pub(crate) fn secret(kind: &str, text: &str) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let is_word = kind == "password" && text.chars().count() < PASSWORD_CHARS_MIN;
    if let Some(file) = FILE.get_or_init(|| open("secrets"))
        && !is_word
        && !text.is_empty()
        && !text.contains('\n')
    {
        write(file, &format!("{kind}\t{text}"));
    }
}

/// Keeps the secrets of a request or an answer in JSON.
pub(crate) fn body(text: &[u8]) {
    let Ok(Value::Object(fields)) = serde_json::from_slice(text) else { return };
    for (field, kind) in FIELDS {
        // The code of an error is no secret.
        if let Some(text) = fields.get(field).and_then(Value::as_str)
            && (kind != "mail_code" || text.starts_with("dhc_"))
        {
            secret(kind, text);
        }
    }
}

/// Keeps the secret of a cookie, as it is set.
pub(crate) fn cookie(header: &str) {
    if let Some((_, value)) = header.split(';').next().and_then(|pair| pair.split_once('=')) {
        secret("refresh_token", value);
    }
}

/// Keeps what another process has logged.
pub(crate) fn logged(line: &str) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    if let Some(file) = FILE.get_or_init(|| open("process-log")) {
        write(file, line);
    }
}

/// Keeps a scrape of the metrics.
pub(crate) fn metrics(text: &str) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    if let Some(file) = FILE.get_or_init(|| open("metrics")) {
        write(file, text);
    }
}

/// Whether anything is kept.
pub(crate) fn are_wanted() -> bool {
    folder().is_some()
}
