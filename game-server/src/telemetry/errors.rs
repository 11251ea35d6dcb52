//! Sentry: errors and panics, and the way of some commands.
//!
//! What leaves the server is chosen, not filtered: the fixed text of a log line, and those of its fields that are named in
//! [`FIELDS`]. A field that nobody named stays here; so does the text of a panic, which may quote what it stumbled over, and
//! the text of an error, which may quote what a database said of a row. Heroes are known by their ids alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sentry::protocol::{Breadcrumb, Event, Level, Value};
use sentry::{ClientInitGuard, ClientOptions, Hub, TransactionContext, TransactionOrSpan};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{self, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::{Listener, OUR_CRATES, PANIC_TARGET, way};
use crate::config::{SentryConfig, TelemetryConfig};

/// Fields that may leave: numbers, ids, and words of closed sets.
const FIELDS: [&str; 20] = [
    "after_ms",
    "channel",
    "cmd_seq",
    "code",
    "connection_id",
    "deadline_ms",
    "dropped",
    "groups",
    "hero",
    "heroes",
    "method",
    "outcome",
    "panics",
    "percent",
    "place",
    "request_id",
    "route",
    "seq",
    "status",
    "thread",
];
/// Most of the lines before an error that go with it.
const BREADCRUMBS_MAX: usize = 30;
/// How long the end may take.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Sentry's client.
pub(super) struct Errors(ClientInitGuard);

impl fmt::Debug for Errors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Errors")
    }
}

impl Errors {
    /// Starts the client. Nothing is sent yet.
    pub(super) fn start(
        sentry: &SentryConfig,
        config: &TelemetryConfig,
    ) -> Result<(Errors, Listener), sentry::types::ParseDsnError> {
        // It fails when there is one already, and then it is the same.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut options = ClientOptions::default();
        options.dsn = Some(sentry.dsn.expose().parse()?);
        options.release = Some(concat!("dopamine-hero@", env!("CARGO_PKG_VERSION")).into());
        options.environment = Some(config.environment.into());
        options.max_breadcrumbs = BREADCRUMBS_MAX;
        options.send_default_pii = false;
        options.shutdown_timeout = END_WITHIN;
        // Of the commands that are followed at all, so many are shown here.
        let share = config.traced_share();
        let mut options = options.traces_sample_rate(share_of(sentry.traces_share, share));
        options.before_send = Some(Arc::new(|event| Some(without_people(event))));
        let guard = sentry::init(options);
        let heard = Targets::new()
            .with_default(LevelFilter::WARN)
            .with_targets(OUR_CRATES.map(|name| (name, LevelFilter::INFO)))
            // What the client says of itself would come back to it.
            .with_targets(
                ["sentry", "reqwest", "hyper", "hyper_util", "rustls"].map(|name| (name, LevelFilter::OFF)),
            )
            .with_target(way::TARGET, LevelFilter::INFO);
        Ok((Errors(guard), Hears.with_filter(heard).boxed()))
    }

    /// Sends what waits.
    pub(super) fn finish(self) {
        self.0.close(Some(END_WITHIN));
    }
}

/// The part of a whole that is a share already.
fn share_of(part: f64, whole: f64) -> f32 {
    // In thousandths, which are finer than anybody sets and need no cast; of nothing it is no part.
    let is_enough = |step: &u16| f64::from(*step) >= part / whole * 1000.0 - 0.5;
    (0..=1000).find(is_enough).map_or(0.0, |step| f32::from(step) / 1000.0)
}

/// Nobody puts a person into an event; this makes sure.
fn without_people(mut event: Event<'static>) -> Event<'static> {
    event.user = None;
    event.request = None;
    event.extra.retain(|name, _| FIELDS.contains(&name.as_str()));
    event
}

/// Turns log lines into events, and the spans of followed commands into transactions.
struct Hears;

/// What is kept beside a span.
struct Kept {
    fields: BTreeMap<String, Value>,
    way: Option<TransactionOrSpan>,
}

impl<S> Layer<S> for Hears
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut chosen = Chosen::default();
        attributes.record(&mut chosen);
        let is_way = attributes.metadata().target() == way::TARGET;
        let way = is_way.then(|| {
            let parent = span.parent();
            let parent = parent.as_ref().map(|parent| parent.extensions());
            let parent = parent.as_ref().and_then(|extensions| extensions.get::<Kept>()?.way.as_ref());
            match parent {
                Some(parent) => TransactionOrSpan::from(parent.start_child(span.name(), span.name())),
                None => sentry::start_transaction(TransactionContext::new(span.name(), "command")).into(),
            }
        });
        if let Some(way) = &way {
            chosen.fields.iter().for_each(|(name, value)| way.set_data(name, value.clone()));
        }
        span.extensions_mut().insert(Kept { fields: chosen.fields, way });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut chosen = Chosen::default();
        values.record(&mut chosen);
        if let Some(kept) = span.extensions_mut().get_mut::<Kept>() {
            if let Some(way) = &kept.way {
                chosen.fields.iter().for_each(|(name, value)| way.set_data(name, value.clone()));
            }
            kept.fields.extend(chosen.fields);
        }
    }

    fn on_close(&self, id: Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        if let Some(Kept { way: Some(way), .. }) = span.extensions_mut().remove::<Kept>() {
            way.finish();
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: layer::Context<'_, S>) {
        let metadata = event.metadata();
        let mut chosen = Chosen::default();
        event.record(&mut chosen);
        let is_panic = metadata.target() == PANIC_TARGET;
        let Chosen { mut fields, mut message } = chosen;
        if is_panic {
            let place = fields.get("place").and_then(Value::as_str).unwrap_or("an unknown place");
            message = format!("panicked at {place}");
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(kept) = span.extensions().get::<Kept>() {
                for (name, value) in &kept.fields {
                    fields.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        let hub = Hub::main();
        if *metadata.level() == tracing::Level::ERROR {
            hub.capture_event(told(metadata.target(), message, fields, is_panic));
        } else {
            let level = if *metadata.level() == tracing::Level::WARN { Level::Warning } else { Level::Info };
            let category = Some(metadata.target().to_owned());
            let data = fields.into_iter().collect();
            hub.add_breadcrumb(Breadcrumb {
                category,
                level,
                message: Some(message),
                data,
                ..Breadcrumb::default()
            });
        }
    }
}

fn told(target: &str, message: String, fields: BTreeMap<String, Value>, is_panic: bool) -> Event<'static> {
    let mut event = Event {
        level: if is_panic { Level::Fatal } else { Level::Error },
        logger: Some(target.to_owned()),
        message: Some(message),
        extra: fields.into_iter().collect(),
        ..Event::default()
    };
    let thread = std::thread::current().name().unwrap_or("without a name").to_owned();
    event.tags.insert("thread".to_owned(), thread);
    if is_panic && let Some(stacktrace) = sentry::integrations::backtrace::current_stacktrace() {
        event.stacktrace = Some(stacktrace);
    }
    event
}

/// The message and the fields that may leave.
#[derive(Default)]
struct Chosen {
    message: String,
    fields: BTreeMap<String, Value>,
}

impl Chosen {
    fn keep(&mut self, field: &Field, value: impl Into<Value>) {
        if FIELDS.contains(&field.name()) {
            self.fields.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Chosen {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.keep(field, format!("{value:?}"));
        }
    }
}
