//! How the server was: a reading of its numbers every 5 s, kept for an hour, and one every 2 min, kept for a day. In memory,
//! so that it can be seen while the database is away; a restart begins anew.
//!
//! Percentiles come from counts of the stretch of time and are off by at most 1/16 of themselves.

use std::collections::VecDeque;
use std::time::Duration;

use admin_http::views::{HistoryPoint, Span};
use tokio::time::Instant;

use super::whole;
use crate::machine::Usage;
use crate::metrics::Counts;
use crate::node::Node;

/// Points of the last hour, one at every upkeep; the oldest is forgotten.
const HOUR_POINTS_MAX: usize = 720;
/// Points of the last day; the oldest is forgotten.
const DAY_POINTS_MAX: usize = 720;
/// The readings between two points of the day.
const DAY_EVERY: usize = 24;
/// The readings of the last minute, and the one before them.
const MINUTE_SAMPLES: usize = 13;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What the numbers were at a moment; totals are since the start.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at_ms: i64,
    pub(super) at: Instant,
    pub(super) connections_open: u64,
    pub(super) heroes_in_memory: u64,
    pub(super) focus_sessions_open: u64,
    pub(super) energy_me: u64,
    pub(super) tasks: u64,
    pub(super) modules: u64,
    pub(super) tick: Counts,
    pub(super) ack: Counts,
    pub(super) journal_oldest_age: Duration,
    pub(super) journal_queue_events: u64,
    pub(super) usage: Usage,
}

/// Reads the numbers of a node.
pub(super) fn sample(node: &Node, usage: Usage) -> Sample {
    let metrics = &node.metrics;
    let journal = node.journal.stats();
    Sample {
        at_ms: node.clock.now_ms(),
        at: Instant::now(),
        connections_open: whole(metrics.connections_open.get()),
        heroes_in_memory: whole(metrics.heroes_in_memory.get()),
        focus_sessions_open: whole(metrics.focus_sessions_open.get()),
        energy_me: metrics.energy_generated_me_total.get(),
        tasks: metrics.tasks_completed_total.get(),
        modules: metrics.modules_assembled_total.get(),
        tick: metrics.tick_seconds.counts(),
        ack: metrics.command_ack_seconds.counts(),
        journal_oldest_age: journal.oldest_age,
        journal_queue_events: journal.queue_events,
        usage,
    }
}

/// The last hour and the last day.
#[derive(Debug)]
pub(super) struct History {
    /// At most [`MINUTE_SAMPLES`], oldest first, never empty.
    minute: VecDeque<Sample>,
    hour: VecDeque<HistoryPoint>,
    /// When each point of the hour was, and the energy until then; one more in front, where the first point begins.
    energy: VecDeque<(Instant, u64)>,
    day: VecDeque<HistoryPoint>,
    /// Where the next point of the day begins.
    day_from: Sample,
    until_day: usize,
}

impl History {
    pub(super) fn begin(first: Sample) -> Self {
        Self {
            energy: VecDeque::from([(first.at, first.energy_me)]),
            day_from: first.clone(),
            minute: VecDeque::from([first]),
            hour: VecDeque::new(),
            day: VecDeque::new(),
            until_day: DAY_EVERY,
        }
    }

    /// Adds the next reading.
    pub(super) fn add(&mut self, now: Sample) {
        let before = self.minute.back().unwrap_or(&self.day_from);
        if now.at <= before.at {
            // The first upkeep comes at once; there is no time in between to make a rate of.
            return;
        }
        push(&mut self.hour, point(before, &now), HOUR_POINTS_MAX);
        push(&mut self.energy, (now.at, now.energy_me), HOUR_POINTS_MAX + 1);
        self.until_day -= 1;
        if self.until_day == 0 {
            push(&mut self.day, point(&self.day_from, &now), DAY_POINTS_MAX);
            (self.day_from, self.until_day) = (now.clone(), DAY_EVERY);
        }
        push(&mut self.minute, now, MINUTE_SAMPLES);
    }

    pub(super) fn points(&self, span: Span) -> Vec<HistoryPoint> {
        match span {
            Span::Hour => self.hour.iter().cloned().collect(),
            Span::Day => self.day.iter().cloned().collect(),
        }
    }

    /// The last reading.
    pub(super) fn last(&self) -> &Sample {
        self.minute.back().unwrap_or(&self.day_from)
    }

    /// The last point, once there is one.
    pub(super) fn last_point(&self) -> Option<&HistoryPoint> {
        self.hour.back()
    }

    /// Ticks and acknowledgements of about the last minute, 99th percentiles in ms.
    pub(super) fn minute_p99_ms(&self, tick: &Counts, ack: &Counts) -> (Option<f64>, Option<f64>) {
        let from = self.minute.front().unwrap_or(&self.day_from);
        (p99_ms(&from.tick, tick), p99_ms(&from.ack, ack))
    }

    /// Energy of the last 60 minutes, or since the start.
    pub(super) fn energy_hour_me(&self, now: Instant, energy_me: u64) -> u64 {
        let in_hour = self.energy.iter().find(|(at, _)| now.saturating_duration_since(*at) <= HOUR);
        energy_me.saturating_sub(in_hour.map_or(energy_me, |(_, before)| *before))
    }
}

/// What happened between two readings, and how it was at the later one.
fn point(from: &Sample, now: &Sample) -> HistoryPoint {
    let took = now.at.saturating_duration_since(from.at);
    let energy = per_hour(now.energy_me.saturating_sub(from.energy_me), took);
    HistoryPoint {
        at_ms: now.at_ms,
        connections_open: now.connections_open,
        heroes_in_memory: now.heroes_in_memory,
        focus_sessions_open: now.focus_sessions_open,
        energy_per_hour_me: whole(energy),
        tasks_per_hour: per_hour(now.tasks.saturating_sub(from.tasks), took),
        modules_per_hour: per_hour(now.modules.saturating_sub(from.modules), took),
        tick_p99_ms: p99_ms(&from.tick, &now.tick),
        ack_p99_ms: p99_ms(&from.ack, &now.ack),
        journal_oldest_age_ms: u64::try_from(now.journal_oldest_age.as_millis()).unwrap_or(u64::MAX),
        journal_queue_events: now.journal_queue_events,
        cpu_permille: cpu_permille(now.usage.process_cpu.saturating_sub(from.usage.process_cpu), took),
        memory_bytes: now.usage.process_memory_bytes,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; above 2^53 its last digits do not matter")]
fn per_hour(count: u64, took: Duration) -> f64 {
    if took.is_zero() { 0.0 } else { count as f64 * HOUR.as_secs_f64() / took.as_secs_f64() }
}

fn cpu_permille(used: Duration, took: Duration) -> u32 {
    let permille = used.as_micros().saturating_mul(1_000).checked_div(took.as_micros()).unwrap_or(0);
    u32::try_from(permille).unwrap_or(u32::MAX)
}

fn p99_ms(from: &Counts, now: &Counts) -> Option<f64> {
    now.since(from).p99().map(|seconds| seconds * 1_000.0)
}

fn push<T>(ring: &mut VecDeque<T>, value: T, max: usize) {
    if ring.len() == max {
        ring.pop_front();
    }
    ring.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    const UPKEEP: Duration = Duration::from_secs(5);

    fn sample(metrics: &Metrics, at: Instant, at_ms: i64, process_cpu: Duration) -> Sample {
        Sample {
            at_ms,
            at,
            connections_open: 3,
            heroes_in_memory: 2,
            focus_sessions_open: 1,
            energy_me: metrics.energy_generated_me_total.get(),
            tasks: metrics.tasks_completed_total.get(),
            modules: metrics.modules_assembled_total.get(),
            tick: metrics.tick_seconds.counts(),
            ack: metrics.command_ack_seconds.counts(),
            journal_oldest_age: Duration::from_millis(7),
            journal_queue_events: 4,
            usage: Usage { process_cpu, process_memory_bytes: 1_000, ..Usage::default() },
        }
    }

    /// A history that has readings every 5 s; before each, `play` does something.
    fn played(readings: u32, mut play: impl FnMut(u32, &Metrics)) -> (History, Instant, Metrics) {
        let metrics = Metrics::new();
        let start = Instant::now();
        let mut history = History::begin(sample(&metrics, start, 0, Duration::ZERO));
        let mut now = start;
        for reading in 1..=readings {
            play(reading, &metrics);
            now = start + UPKEEP * reading;
            // Two fifths of a core.
            let process_cpu = Duration::from_secs(2) * reading;
            history.add(sample(&metrics, now, i64::from(reading) * 5_000, process_cpu));
        }
        (history, now, metrics)
    }

    #[test]
    fn a_point_has_the_rates_since_the_point_before() {
        let (history, ..) = played(2, |reading, metrics| {
            metrics.energy_generated_me_total.add(if reading == 1 { 5_000 } else { 10_000 });
            metrics.tasks_completed_total.increment();
            metrics.tick_seconds.record_duration(Duration::from_millis(if reading == 1 { 80 } else { 2 }));
        });
        let points = history.points(Span::Hour);
        let [first, second] = points.as_slice() else { panic!("{points:?}") };
        assert_eq!((first.energy_per_hour_me, second.energy_per_hour_me), (3_600_000, 7_200_000));
        assert_eq!(second.tasks_per_hour, 720.0);
        assert_eq!(second.modules_per_hour, 0.0);
        assert_eq!((second.at_ms, second.cpu_permille, second.memory_bytes), (10_000, 400, 1_000));
        assert_eq!((second.journal_oldest_age_ms, second.journal_queue_events), (7, 4));
        let slow = first.tick_p99_ms.expect("one tick");
        assert!((75.0..=85.0).contains(&slow), "{slow}");
        let fast = second.tick_p99_ms.expect("one tick");
        assert!((1.8..=2.2).contains(&fast), "the slow tick before is not counted again: {fast}");
        assert_eq!(second.ack_p99_ms, None);
    }

    #[test]
    fn rings_are_bounded_and_the_newest_stay() {
        let day = 24 * 60 * 60 / 5;
        let (history, ..) = played(day + 100, |_, _| {});
        let hour = history.points(Span::Hour);
        assert_eq!(hour.len(), HOUR_POINTS_MAX);
        assert_eq!(hour.last().map(|point| point.at_ms), Some(i64::from(day + 100) * 5_000));
        assert_eq!(hour[1].at_ms - hour[0].at_ms, 5_000);
        let days = history.points(Span::Day);
        assert_eq!(days.len(), DAY_POINTS_MAX);
        assert_eq!(days[1].at_ms - days[0].at_ms, 120_000);
        assert_eq!(days[0].cpu_permille, 400);
        assert_eq!((history.minute.len(), history.energy.len()), (MINUTE_SAMPLES, HOUR_POINTS_MAX + 1));
    }

    #[test]
    fn energy_is_of_the_last_hour_and_percentiles_of_the_last_minute() {
        let (history, now, metrics) = played(900, |reading, metrics| {
            metrics.energy_generated_me_total.add(10);
            let slow = reading == 880;
            metrics.command_ack_seconds.record_duration(Duration::from_millis(if slow { 900 } else { 3 }));
        });
        assert_eq!(history.energy_hour_me(now, metrics.energy_generated_me_total.get()), 720 * 10);
        let later = now + Duration::from_secs(1);
        assert_eq!(history.energy_hour_me(later, metrics.energy_generated_me_total.get()), 719 * 10);
        let counts = metrics.command_ack_seconds.counts();
        let (tick, ack) = history.minute_p99_ms(&metrics.tick_seconds.counts(), &counts);
        assert_eq!(tick, None);
        assert!(ack.expect("some") < 3.5, "the slow one is longer ago than a minute");
    }

    #[test]
    fn a_reading_without_time_in_between_makes_no_point() {
        let metrics = Metrics::new();
        let now = Instant::now();
        let mut history = History::begin(sample(&metrics, now, 0, Duration::ZERO));
        history.add(sample(&metrics, now, 0, Duration::ZERO));
        assert!(history.points(Span::Hour).is_empty() && history.last_point().is_none());
    }
}
