//! How values were spread, fine enough for percentiles of any stretch of time: two readings and their difference.
//!
//! Every doubling is cut into eight parts, so a percentile is off by at most 1/16 of itself, for 1.7 KiB a histogram. Kept
//! from below a microsecond to two minutes; what is outside counts at the nearer end.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of a float below the first three of its fraction: what is left says doubling and part.
const DROPPED_BITS: u32 = 52 - 3;
/// The first part: 2^-20, about a millionth.
const FIRST: u64 = (1023 - 20) << 3;
/// Parts: from 2^-20 up to 2^7.
const PARTS: usize = 27 * 8;

/// Counts of what was seen. Adding is one addition, from any thread.
#[derive(Debug)]
pub(super) struct Spread([AtomicU64; PARTS]);

impl Default for Spread {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Spread {
    pub(super) fn record(&self, value: f64) {
        if let Some(part) = self.0.get(part(value)) {
            part.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts(self.0.iter().map(|part| part.load(Ordering::Relaxed)).collect())
    }
}

fn part(value: f64) -> usize {
    if value.is_nan() || value <= 0.0 {
        return 0;
    }
    let part = (value.to_bits() >> DROPPED_BITS).saturating_sub(FIRST);
    usize::try_from(part).unwrap_or(PARTS).min(PARTS - 1)
}

/// The middle of a part, from which nothing in it is further away than 1/16.
fn middle(part: u64) -> f64 {
    let edge = |part: u64| f64::from_bits((FIRST + part) << DROPPED_BITS);
    f64::midpoint(edge(part), edge(part + 1))
}

/// A reading of a histogram: how often which size was seen until then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Box<[u64]>);

impl Counts {
    /// What came after an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Counts) -> Counts {
        let before = earlier.0.iter().copied().chain(std::iter::repeat(0));
        Counts(self.0.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect())
    }

    /// The size that 99 of 100 do not exceed, off by at most 1/16 of itself; nothing when nothing was seen.
    #[must_use]
    pub fn p99(&self) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        let rank = (total * 99).div_ceil(100);
        let mut seen = 0;
        let found = self.0.iter().zip(0..).find(|(count, _)| {
            seen += **count;
            **count > 0 && seen >= rank
        });
        found.map(|(_, part)| middle(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_off_by_at_most_a_sixteenth() {
        for exact in [0.000_002, 0.000_9, 0.004, 0.017_3, 0.1, 1.0, 1.99, 9.5, 100.0] {
            let spread = Spread::default();
            spread.record(exact);
            let found = spread.counts().p99().expect("one was seen");
            assert!((found / exact - 1.0).abs() <= 1.0 / 16.0, "{exact} was read as {found}");
        }
    }

    #[test]
    fn the_slowest_of_a_hundred_is_the_100th_and_not_the_99th() {
        let spread = Spread::default();
        (0..99).for_each(|_| spread.record(0.001));
        spread.record(5.0);
        assert!(spread.counts().p99().expect("seen") < 0.002);
        spread.record(5.0);
        assert!(spread.counts().p99().expect("seen") > 4.0);
    }

    #[test]
    fn a_stretch_of_time_is_the_difference_of_two_readings() {
        let spread = Spread::default();
        assert_eq!(spread.counts().p99(), None);
        (0..1000).for_each(|_| spread.record(4.0));
        let before = spread.counts();
        assert_eq!(spread.counts().since(&before).p99(), None, "nothing came since");
        spread.record(0.001);
        assert!(spread.counts().since(&before).p99().expect("seen") < 0.002);
        assert!(spread.counts().since(&Counts::default()).p99().expect("seen") > 3.0, "since the start");
    }

    #[test]
    fn what_is_outside_counts_at_the_nearer_end() {
        for (value, expected) in
            [(0.0, 0), (-1.0, 0), (f64::NAN, 0), (1e-12, 0), (1e9, PARTS - 1), (f64::INFINITY, PARTS - 1)]
        {
            assert_eq!(part(value), expected, "{value}");
        }
    }
}
