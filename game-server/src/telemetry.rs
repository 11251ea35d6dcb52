//! Logs: one line an event, UTC, to standard error.
//!
//! A player's text must not be able to forge a line or to drive an operator's terminal. So nobody logs one, nor a header
//! or a body; and whatever came into a field all the same, control characters are escaped in the finished line. Tokens are
//! of type [`crate::accounts::Secret`] and print as `***`. A panic is a line like any other, and its text is cut.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel};

/// The crates whose events follow `LOG_LEVEL`; libraries stay at warnings.
const OUR_CRATES: [&str; 6] =
    ["dopamine_hero", "game_server", "persistence", "simulation", "protocol", "admin_http"];

/// How much of a panic's text is logged. It may quote what it stumbled over.
const PANIC_CHARS_MAX: usize = 512;

/// Starts logging for this process. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let registry = tracing_subscriber::registry().with(targets(level));
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(EscapingStderr);
    // An error means that logging runs already, as in a test process with several servers.
    let _already_started = match format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("with something that is no text");
    let text: String = text.chars().take(PANIC_CHARS_MAX).collect();
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(thread, backtrace, "panicked at {place}: {text}");
}

/// Libraries that would print whole frames, and the ticket in the first one.
const TELLS_SECRETS: [&str; 2] = ["tungstenite", "tokio_tungstenite"];

/// What is logged at a level.
pub fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => {
            let quiet = TELLS_SECRETS.map(|name| (name, LevelFilter::INFO));
            return Targets::new().with_default(LevelFilter::TRACE).with_targets(quiet);
        }
    };
    let libraries = level.min(LevelFilter::WARN);
    Targets::new().with_default(libraries).with_targets(OUR_CRATES.map(|name| (name, level)))
}

/// Standard error, with control characters escaped.
#[derive(Clone, Copy, Debug)]
struct EscapingStderr;

impl<'a> MakeWriter<'a> for EscapingStderr {
    type Writer = Escaping<io::StderrLock<'a>>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaping(io::stderr().lock())
    }
}

/// Escapes control characters inside of each written line; one `write` is one line, as tracing-subscriber does it.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (body, end) = match line.strip_suffix(b"\n") {
            Some(body) => (body, "\n"),
            None => (line, ""),
        };
        let text = String::from_utf8_lossy(body);
        if text.chars().any(is_unwelcome) {
            let mut escaped = String::with_capacity(text.len() + 16);
            for c in text.chars() {
                match c {
                    '\n' => escaped.push_str("\\n"),
                    '\r' => escaped.push_str("\\r"),
                    // As JSON writes them, so that a line of JSON stays one.
                    c if is_unwelcome(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => escaped.push(c),
                }
            }
            escaped.push_str(end);
            self.0.write_all(escaped.as_bytes())?;
        } else {
            self.0.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What moves a terminal's cursor, begins a line somewhere, or turns the order of letters around.
fn is_unwelcome(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
