//! Logs: one line an event, UTC, to standard error.
//!
//! A player's text must not be able to forge a line or to drive an operator's terminal, so control characters are
//! escaped in the finished line, whatever field they came from. Tokens are of type [`crate::accounts::Secret`] and print
//! as `***`; nobody logs a header or a body.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel};

/// The crates whose events follow `LOG_LEVEL`; libraries stay at warnings.
const OUR_CRATES: [&str; 6] =
    ["dopamine_hero", "game_server", "persistence", "simulation", "protocol", "admin_http"];

/// Starts logging for this process. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let registry = tracing_subscriber::registry().with(targets(level));
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(EscapingStderr);
    // An error means that logging runs already, as in a test process with several servers.
    let _already_started = match format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
}

fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => return Targets::new().with_default(LevelFilter::TRACE),
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
        if text.chars().any(char::is_control) {
            let mut escaped = String::with_capacity(text.len() + 16);
            for c in text.chars() {
                if c.is_control() { escaped.extend(c.escape_default()) } else { escaped.push(c) }
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

#[cfg(test)]
mod tests;
