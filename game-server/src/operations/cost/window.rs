//! What this server was measured to take over the last seven days: a ring of hours, each with its figures counted into classes,
//! so that a week of readings needs some kilobytes.

use std::collections::VecDeque;
use std::time::Duration;

use admin_http::views::Load;
use tokio::time::Instant;

use super::model::carried;
use crate::machine::Usage;
use crate::operations::whole;

/// Hours that are remembered: a week, the shortest time in which every day of the week was seen.
const HOURS_MAX: usize = 7 * 24;
const HOUR_MS: i64 = 60 * 60 * 1000;
/// Width of a class of processor use, in thousandths.
const CLASS_PERMILLE: u32 = 10;
/// Classes: 0 to 1000 ‰, and one for a reading that says more.
const CLASSES: usize = 102;

/// What the process takes at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// When it was read.
    at: Instant,
    /// Processor time since the process began.
    cpu_time: Duration,
    /// Memory that is resident.
    memory_bytes: u64,
    limits: Limits,
}

/// What the process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Processor time, in thousandths of one core.
    pub(super) cpu_millicores: u32,
    /// Memory; 0 when that is not known.
    pub(super) memory_bytes: u64,
}

impl Limits {
    /// As they are now.
    pub(super) fn of(usage: &Usage) -> Limits {
        let millicores = u32::try_from(whole(usage.cores * 1000.0)).unwrap_or(u32::MAX);
        Limits { cpu_millicores: millicores.max(1), memory_bytes: usage.memory_limit_bytes }
    }
}

impl Reading {
    /// What was just looked up.
    pub(super) fn of(usage: &Usage) -> Reading {
        Reading {
            at: Instant::now(),
            cpu_time: usage.process_cpu,
            memory_bytes: usage.process_memory_bytes,
            limits: Limits::of(usage),
        }
    }

    /// Processor time since an earlier reading, in thousandths of all that the process may take; 0 when no time has passed.
    fn cpu_permille_since(&self, earlier: &Reading) -> u32 {
        let used = self.cpu_time.saturating_sub(earlier.cpu_time).as_micros();
        let passed = self.at.saturating_duration_since(earlier.at).as_micros();
        let could = passed * u128::from(self.limits.cpu_millicores);
        // used / (passed · millicores / 1000), in thousandths.
        (used * 1_000_000)
            .checked_div(could)
            .map_or(0, |permille| u32::try_from(permille).unwrap_or(u32::MAX))
    }

    /// Memory in thousandths of what the process may take; 0 when that is not known.
    fn memory_permille(&self) -> u32 {
        let permille = self.memory_bytes.saturating_mul(1000).checked_div(self.limits.memory_bytes);
        permille.map_or(0, |permille| u32::try_from(permille).unwrap_or(u32::MAX))
    }
}

/// The ring.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The oldest first.
    hours: VecDeque<Hour>,
    last: Option<Reading>,
}

#[derive(Debug)]
struct Hour {
    /// Since 1970.
    number: i64,
    /// Time that was measured within it.
    measured_ms: i64,
    cpu_sum_permille: u64,
    cpu_classes: [u16; CLASSES],
    memory_max_permille: u32,
    players_max: u64,
}

impl Hour {
    fn new(number: i64) -> Hour {
        Hour {
            number,
            measured_ms: 0,
            cpu_sum_permille: 0,
            cpu_classes: [0; CLASSES],
            memory_max_permille: 0,
            players_max: 0,
        }
    }
}

impl Window {
    /// Takes a reading, which counts from the one before.
    pub(super) fn add(&mut self, reading: Reading, players: u64, now_ms: i64) {
        let Some(last) = self.last.replace(reading) else { return };
        let passed = reading.at.saturating_duration_since(last.at);
        let passed_ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        if passed_ms == 0 {
            return;
        }
        let number = now_ms.div_euclid(HOUR_MS);
        if self.hours.back().is_none_or(|hour| hour.number < number) {
            self.hours.push_back(Hour::new(number));
        }
        while self.hours.front().is_some_and(|hour| hour.number <= number - HOURS_MAX as i64) {
            self.hours.pop_front();
        }
        let Some(hour) = self.hours.back_mut() else { return };
        let cpu_permille = reading.cpu_permille_since(&last);
        let class = usize::try_from(cpu_permille / CLASS_PERMILLE).unwrap_or(usize::MAX).min(CLASSES - 1);
        if let Some(count) = hour.cpu_classes.get_mut(class) {
            *count = count.saturating_add(1);
        }
        hour.cpu_sum_permille += u64::from(cpu_permille);
        hour.measured_ms = hour.measured_ms.saturating_add(passed_ms);
        hour.memory_max_permille = hour.memory_max_permille.max(reading.memory_permille());
        hour.players_max = hour.players_max.max(players);
    }

    /// What it comes to.
    pub(super) fn load(&self) -> Load {
        let mut classes = [0_u64; CLASSES];
        let mut load = Load {
            measured_ms: 0,
            cpu_mean_permille: 0,
            cpu_p95_permille: 0,
            memory_max_permille: 0,
            players_max: 0,
            players_carried: 0,
        };
        let mut cpu_sum_permille: u64 = 0;
        for hour in &self.hours {
            load.measured_ms = load.measured_ms.saturating_add(hour.measured_ms);
            load.memory_max_permille = load.memory_max_permille.max(hour.memory_max_permille);
            load.players_max = load.players_max.max(hour.players_max);
            cpu_sum_permille += hour.cpu_sum_permille;
            for (all, count) in classes.iter_mut().zip(&hour.cpu_classes) {
                *all += u64::from(*count);
            }
        }
        let readings: u64 = classes.iter().sum();
        let mean = cpu_sum_permille.checked_div(readings).unwrap_or(0);
        load.cpu_mean_permille = u32::try_from(mean).unwrap_or(u32::MAX);
        load.cpu_p95_permille = percentile_95(&classes, readings);
        load.players_carried = carried(load.players_max, load.cpu_p95_permille, load.memory_max_permille);
        load
    }
}

/// The upper edge of the class that holds the 95th percentile.
fn percentile_95(classes: &[u64; CLASSES], readings: u64) -> u32 {
    if readings == 0 {
        return 0;
    }
    let wanted = (readings * 95).div_ceil(100);
    let mut seen = 0;
    let class = classes.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    let class = u32::try_from(class.unwrap_or(CLASSES - 1)).expect("some hundred classes");
    (class + 1) * CLASS_PERMILLE
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        window: Window,
        reading: Reading,
        now_ms: i64,
    }

    impl Bench {
        fn new() -> Bench {
            let reading = Reading {
                at: Instant::now(),
                cpu_time: Duration::ZERO,
                memory_bytes: 0,
                limits: Limits { cpu_millicores: 1000, memory_bytes: 1000 },
            };
            let mut window = Window::default();
            window.add(reading, 0, 0);
            Bench { window, reading, now_ms: 0 }
        }

        /// So many steps of 5 s at this load.
        fn run(&mut self, steps: u32, cpu_permille: u32, memory_permille: u64, players: u64) {
            for _ in 0..steps {
                self.reading.at += Duration::from_secs(5);
                self.reading.cpu_time += Duration::from_millis(5) * cpu_permille;
                self.reading.memory_bytes = memory_permille;
                self.now_ms += 5_000;
                self.window.add(self.reading, players, self.now_ms);
            }
        }
    }

    #[test]
    fn nothing_measured_is_nothing() {
        let load = Window::default().load();
        assert_eq!((load.measured_ms, load.cpu_p95_permille, load.players_carried), (0, 0, 0));
    }

    #[test]
    fn a_peak_of_less_than_a_twentieth_of_the_time_is_not_the_95th_percentile() {
        let mut bench = Bench::new();
        bench.run(1_000, 105, 300, 40);
        bench.run(40, 905, 600, 70);
        let load = bench.window.load();
        assert_eq!(load.measured_ms, 1_040 * 5_000);
        assert_eq!(load.cpu_p95_permille, 110);
        assert_eq!(load.cpu_mean_permille, 135);
        assert_eq!((load.memory_max_permille, load.players_max), (600, 70));
        assert_eq!(load.players_carried, 70 * 800 / 600);
        bench.run(60, 905, 300, 10);
        assert_eq!(bench.window.load().cpu_p95_permille, 910);
    }

    #[test]
    fn a_week_is_remembered_and_no_more() {
        let mut bench = Bench::new();
        bench.run(720, 900, 900, 900);
        // Eight days at 5 s: a hundred and forty thousand readings in a bounded ring.
        bench.run(8 * 24 * 720, 100, 100, 1);
        let load = bench.window.load();
        assert!(bench.window.hours.len() <= HOURS_MAX);
        assert_eq!((load.cpu_p95_permille, load.memory_max_permille, load.players_max), (110, 100, 1));
        assert!(load.measured_ms <= 7 * 24 * HOUR_MS, "{}", load.measured_ms);
    }

    #[test]
    fn a_clock_that_jumps_leaves_the_figures_whole() {
        let mut bench = Bench::new();
        bench.run(10, 500, 500, 5);
        bench.now_ms -= 10 * HOUR_MS;
        bench.run(10, 500, 500, 5);
        bench.now_ms += 20 * HOUR_MS;
        bench.run(10, 500, 500, 5);
        assert_eq!(bench.window.load().measured_ms, 30 * 5_000);
    }
}
