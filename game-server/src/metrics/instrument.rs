//! Counter, gauge and histogram, with or without labels, and how each is registered.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{CounterFn, GaugeFn, Key, KeyName, Label as KeyLabel, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::label::LabelSet;
use super::spread::{Counts, Spread};

/// Where metrics are registered.
pub struct Registry(pub(super) PrometheusRecorder);

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Registry")
    }
}

/// What a metric can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often which size was seen.
    Histogram,
}

/// A type of metric.
pub trait Instrument: Sized {
    /// What it can do.
    const KIND: Kind;
    /// Its labels and their values.
    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        Vec::new()
    }
    /// Tells the recorder its buckets, if it has some.
    fn bounds(builder: PrometheusBuilder, _name: &'static str) -> PrometheusBuilder {
        builder
    }
    /// Makes it, at zero.
    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self;
}

fn metadata() -> Metadata<'static> {
    Metadata::new("game_server", Level::INFO, Some(module_path!()))
}

fn key(name: &'static str, labels: Vec<(&'static str, &'static str)>) -> Key {
    let labels = labels.into_iter().map(|(name, value)| KeyLabel::from_static_parts(name, value));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}

/// Only rises.
#[derive(Clone, Debug)]
pub struct Counter {
    shown: metrics::Counter,
    /// The same once more, because what is shown cannot be read back.
    value: Arc<AtomicU64>,
}

impl Counter {
    fn new(shown: metrics::Counter) -> Counter {
        // A counter that nobody touched would not be shown at all, and a rate needs its first zero.
        shown.increment(0);
        Counter { shown, value: Arc::default() }
    }

    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Some more.
    pub fn add(&self, amount: u64) {
        self.shown.increment(amount);
        CounterFn::increment(&*self.value, amount);
    }

    /// Follows a count that somebody else keeps; a lower number changes nothing.
    pub fn follow(&self, total: u64) {
        self.shown.absolute(total);
        CounterFn::absolute(&*self.value, total);
    }

    /// What it stands at.
    pub fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

impl Instrument for Counter {
    const KIND: Kind = Kind::Counter;

    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self {
        registry.0.describe_counter(KeyName::from(name), None, SharedString::from(help));
        Counter::new(registry.0.register_counter(&Key::from_static_name(name), &metadata()))
    }
}

/// A counter for each combination of its labels.
#[derive(Clone, Debug)]
pub struct CounterBy<L>(Vec<(L, Counter)>);

impl<L: LabelSet> CounterBy<L> {
    /// The counter of these labels.
    pub fn of(&self, labels: L) -> &Counter {
        let found = self.0.iter().find(|(set, _)| *set == labels);
        &found.expect("every combination is registered at start").1
    }
}

impl<L: LabelSet> Instrument for CounterBy<L> {
    const KIND: Kind = Kind::Counter;

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        L::labels()
    }

    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self {
        registry.0.describe_counter(KeyName::from(name), None, SharedString::from(help));
        let counter = |labels| Counter::new(registry.0.register_counter(&key(name, labels), &metadata()));
        CounterBy(L::all().into_iter().map(|(set, labels)| (set, counter(labels))).collect())
    }
}

/// Goes up and down.
#[derive(Clone, Debug)]
pub struct Gauge {
    shown: metrics::Gauge,
    /// The same once more, as the bits of a float.
    value: Arc<AtomicU64>,
}

impl Gauge {
    /// One more.
    pub fn increment(&self) {
        self.change(1.0);
    }

    /// One less.
    pub fn decrement(&self) {
        self.change(-1.0);
    }

    /// Some more, or less.
    pub fn add(&self, amount: i64) {
        self.change(float(amount));
    }

    /// A new value.
    pub fn set(&self, value: impl TryInto<i64>) {
        self.replace(float(value.try_into().unwrap_or(i64::MAX)));
    }

    /// A new value that is no whole number.
    pub fn set_float(&self, value: f64) {
        self.replace(value);
    }

    /// A new value in seconds.
    pub fn set_duration(&self, duration: Duration) {
        self.replace(duration.as_secs_f64());
    }

    /// What it stands at.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.value.load(Ordering::Relaxed))
    }

    fn change(&self, by: f64) {
        self.shown.increment(by);
        GaugeFn::increment(&*self.value, by);
    }

    fn replace(&self, value: f64) {
        self.shown.set(value);
        GaugeFn::set(&*self.value, value);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is read by people; above 2^53 its last digits do not matter"
)]
fn float(value: i64) -> f64 {
    value as f64
}

impl Instrument for Gauge {
    const KIND: Kind = Kind::Gauge;

    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self {
        registry.0.describe_gauge(KeyName::from(name), None, SharedString::from(help));
        let shown = registry.0.register_gauge(&Key::from_static_name(name), &metadata());
        shown.set(0.0);
        Gauge { shown, value: Arc::default() }
    }
}

/// The buckets of a histogram.
pub trait Bounds: Send + Sync + 'static {
    /// Upper bounds, rising.
    const BOUNDS: &'static [f64];
}

/// From a fast disk to a client's patience.
#[derive(Clone, Copy, Debug)]
pub struct Seconds;

impl Bounds for Seconds {
    const BOUNDS: &'static [f64] =
        &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
}

/// What should take much less than a tick.
#[derive(Clone, Copy, Debug)]
pub struct Fast;

impl Bounds for Fast {
    const BOUNDS: &'static [f64] =
        &[0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
}

/// Up to the size of a flush.
#[derive(Clone, Copy, Debug)]
pub struct EventCounts;

impl Bounds for EventCounts {
    const BOUNDS: &'static [f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
}

/// A player's session.
#[derive(Clone, Copy, Debug)]
pub struct SessionSeconds;

impl Bounds for SessionSeconds {
    const BOUNDS: &'static [f64] = &[
        60.0, 120.0, 300.0, 600.0, 900.0, 1_500.0, 1_800.0, 2_700.0, 3_600.0, 5_400.0, 7_200.0, 10_800.0,
        21_600.0,
    ];
}

/// From a module that is finished at once to one that takes weeks.
#[derive(Clone, Copy, Debug)]
pub struct AssemblySeconds;

impl Bounds for AssemblySeconds {
    const BOUNDS: &'static [f64] = &[
        60.0,
        600.0,
        3_600.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        172_800.0,
        345_600.0,
        604_800.0,
        1_209_600.0,
        2_592_000.0,
    ];
}

/// How often which size was seen.
#[derive(Clone, Debug)]
pub struct Histogram<B> {
    shown: metrics::Histogram,
    count: Arc<AtomicU64>,
    /// The same once more, because what is shown cannot be read back.
    spread: Arc<Spread>,
    bounds: PhantomData<B>,
}

impl<B: Bounds> Histogram<B> {
    /// A duration, in seconds.
    pub fn record_duration(&self, duration: Duration) {
        self.record(duration.as_secs_f64());
    }

    /// A count.
    pub fn record_count(&self, count: u32) {
        self.record(f64::from(count));
    }

    /// How often something was recorded.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// What was seen so far, for percentiles.
    pub fn counts(&self) -> Counts {
        self.spread.counts()
    }

    fn record(&self, value: f64) {
        self.shown.record(value);
        self.spread.record(value);
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

impl<B: Bounds> Instrument for Histogram<B> {
    const KIND: Kind = Kind::Histogram;

    fn bounds(builder: PrometheusBuilder, name: &'static str) -> PrometheusBuilder {
        with_bounds::<B>(builder, name)
    }

    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self {
        registry.0.describe_histogram(KeyName::from(name), None, SharedString::from(help));
        let shown = registry.0.register_histogram(&Key::from_static_name(name), &metadata());
        Histogram { shown, count: Arc::default(), spread: Arc::default(), bounds: PhantomData }
    }
}

/// A histogram for each combination of its labels.
#[derive(Clone, Debug)]
pub struct HistogramBy<L, B> {
    shown: Vec<(L, metrics::Histogram)>,
    bounds: PhantomData<B>,
}

impl<L: LabelSet, B: Bounds> HistogramBy<L, B> {
    /// A duration, in seconds.
    pub fn record_duration(&self, labels: L, duration: Duration) {
        let found = self.shown.iter().find(|(set, _)| *set == labels);
        found.expect("every combination is registered at start").1.record(duration.as_secs_f64());
    }
}

impl<L: LabelSet, B: Bounds> Instrument for HistogramBy<L, B> {
    const KIND: Kind = Kind::Histogram;

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        L::labels()
    }

    fn bounds(builder: PrometheusBuilder, name: &'static str) -> PrometheusBuilder {
        with_bounds::<B>(builder, name)
    }

    fn register(registry: &Registry, name: &'static str, help: &'static str) -> Self {
        registry.0.describe_histogram(KeyName::from(name), None, SharedString::from(help));
        let shown = L::all()
            .into_iter()
            .map(|(set, labels)| (set, registry.0.register_histogram(&key(name, labels), &metadata())));
        HistogramBy { shown: shown.collect(), bounds: PhantomData }
    }
}

fn with_bounds<B: Bounds>(builder: PrometheusBuilder, name: &'static str) -> PrometheusBuilder {
    let matcher = Matcher::Full(name.to_owned());
    builder.set_buckets_for_metric(matcher, B::BOUNDS).expect("bounds are not empty")
}
