//! Logs, errors and traces: one line an event, UTC, to standard error, and to a file, Sentry and a collector of traces where
//! they are configured.
//!
//! A player's text must not be able to forge a line or to drive an operator's terminal. So nobody logs one, nor a header
//! or a body; and whatever came into a field all the same, control characters are escaped in the finished line. Tokens are
//! of type [`crate::accounts::Secret`] and print as `***`. A panic is a line like any other, and its text is cut.
//!
//! Whose line it is stands in its fields or in the spans around it: `request_id` (and `hero`) of an HTTP request,
//! `connection_id` and `hero` of a socket. The spans of sockets and commands are there from `LOG_LEVEL=debug` on, because
//! there are many of them; what is logged of them below that names the hero itself.

mod errors;
mod file;
mod traces;
mod way;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel, TelemetryConfig};
use errors::Errors;
use file::Lines;
use traces::Collector;
pub use way::{Received, Traces, Way};

/// The crates whose events follow `LOG_LEVEL`; libraries stay at warnings.
const OUR_CRATES: [&str; 6] =
    ["dopamine_hero", "game_server", "persistence", "simulation", "protocol", "admin_http"];

/// The target of a panic's line.
const PANIC_TARGET: &str = "game_server::panic";
/// How much of a panic's text is logged. It may quote what it stumbled over.
const PANIC_CHARS_MAX: usize = 512;

/// Something that hears what is logged.
type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// Logging that runs. Ended with [`Telemetry::finish`], nothing of it is lost.
#[derive(Debug, Default)]
#[must_use = "what waits for the disk and the network is lost without finish()"]
pub struct Telemetry {
    file: Option<Lines>,
    errors: Option<Errors>,
    collector: Option<Collector>,
}

/// Starts logging for this process. A second call changes nothing. Not from inside of a runtime: clients are made that have
/// their own.
pub fn start(config: &TelemetryConfig) -> Telemetry {
    let mut listeners: Vec<Listener> = Vec::new();
    let console = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(EscapingStderr);
    listeners.push(match config.format {
        LogFormat::Text => console.with_filter(targets(config.level)).boxed(),
        LogFormat::Json => console.json().flatten_event(true).with_filter(targets(config.level)).boxed(),
    });
    // Nobody hears a complaint before there is a console.
    let mut complaints = Vec::new();
    let mut telemetry = Telemetry::default();
    if let Some(path) = &config.file {
        match Lines::start(path) {
            Ok(lines) => {
                let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines.clone());
                let layer = layer.json().flatten_event(true).with_filter(targets(config.level));
                listeners.push(layer.boxed());
                telemetry.file = Some(lines);
            }
            Err(error) => complaints.push(format!("LOG_FILE is not written: {error}")),
        }
    }
    if let Some(sentry) = &config.sentry {
        match Errors::start(sentry, config) {
            Ok((errors, layer)) => {
                listeners.push(layer);
                telemetry.errors = Some(errors);
            }
            Err(error) => complaints.push(format!("Sentry is not told of errors: {error}")),
        }
    }
    if let Some(otlp) = &config.otlp {
        match Collector::start(otlp, config) {
            Ok((collector, layer)) => {
                listeners.push(layer);
                telemetry.collector = Some(collector);
            }
            Err(error) => complaints.push(format!("no traces are collected: {error}")),
        }
    }
    // An error means that logging runs already, as in a test process with several servers.
    let _already_started = tracing_subscriber::registry().with(listeners).try_init();
    std::panic::set_hook(Box::new(log_panic));
    for complaint in complaints {
        tracing::error!(complaint, "a part of telemetry does not work; the server goes on without it");
    }
    telemetry
}

impl Telemetry {
    /// Waits until what was logged is written and sent; some seconds at the most.
    pub fn finish(self) {
        if let Some(collector) = self.collector {
            collector.finish();
        }
        if let Some(errors) = self.errors {
            errors.finish();
        }
        // Last: the others may have complained.
        if let Some(file) = self.file {
            file.finish();
        }
    }
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("with something that is no text");
    let text: String = text.chars().take(PANIC_CHARS_MAX).collect();
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(target: PANIC_TARGET, thread, backtrace, place, "panicked at {place}: {text}");
}

/// Libraries that would print whole frames, and the ticket in the first one.
const TELLS_SECRETS: [&str; 2] = ["tungstenite", "tokio_tungstenite"];
/// Libraries that warn of every batch that a collector did not take; their errors say it too.
const TALKATIVE: [&str; 3] = ["opentelemetry", "opentelemetry_sdk", "opentelemetry-otlp"];

/// What is logged at a level.
pub fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => {
            let quiet = TELLS_SECRETS.map(|name| (name, LevelFilter::INFO));
            let targets = Targets::new().with_default(LevelFilter::TRACE).with_targets(quiet);
            return targets.with_target(way::TARGET, LevelFilter::OFF);
        }
    };
    let libraries = level.min(LevelFilter::WARN);
    Targets::new()
        .with_default(libraries)
        .with_targets(OUR_CRATES.map(|name| (name, level)))
        .with_targets(TALKATIVE.map(|name| (name, LevelFilter::ERROR)))
        .with_target(way::TARGET, LevelFilter::OFF)
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
