//! Latencies with and without something, in turns: without, with, without again. The two without say how far two figures
//! differ although nothing is different.

use std::time::Duration;

use anyhow::{Context, Result};
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::Verdict;

/// Draws of the bootstrap.
const DRAWS: usize = 2_000;

/// Which part of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Without, for the first time.
    Before,
    /// With.
    With,
    /// Without, again.
    After,
}

impl Part {
    /// In their order.
    pub(super) const ALL: [Part; 3] = [Part::Before, Part::With, Part::After];
}

/// Latencies of one round in ms.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    before: Vec<f64>,
    with: Vec<f64>,
    after: Vec<f64>,
}

impl Round {
    pub(super) fn add(&mut self, part: Part, took: Duration) {
        let list = match part {
            Part::Before => &mut self.before,
            Part::With => &mut self.with,
            Part::After => &mut self.after,
        };
        list.push(took.as_secs_f64() * 1000.0);
    }
}

/// What came of all rounds.
#[derive(Debug)]
pub(super) struct Comparison {
    with_ms: f64,
    without_ms: f64,
    /// p99 with, as a multiple of p99 without, over all rounds.
    pub(super) ratio: f64,
    /// The same of each round's second part without against its first.
    noise: Vec<f64>,
    /// The same over all rounds.
    noise_in_all: f64,
    samples: usize,
}

impl Comparison {
    pub(super) fn of(rounds: &[Round]) -> Result<Comparison> {
        let all =
            |list: fn(&Round) -> &[f64]| -> Vec<f64> { rounds.iter().flat_map(list).copied().collect() };
        let (before, with, after) =
            (all(|round| &round.before), all(|round| &round.with), all(|round| &round.after));
        let p99 = |list: &[f64]| quantile(list, 99).context("nothing was measured");
        let (with_ms, without_ms) = (p99(&with)?, p99(&[before.as_slice(), &after].concat())?);
        let of_round = |round: &Round| Ok(p99(&round.after)? / p99(&round.before)?);
        Ok(Comparison {
            with_ms,
            without_ms,
            ratio: with_ms / without_ms,
            noise: rounds.iter().map(of_round).collect::<Result<_>>()?,
            noise_in_all: p99(&after)? / p99(&before)?,
            samples: with.len(),
        })
    }

    /// Whether it is slower by no more than `goal` (0.1 is a tenth). Faster is no harm.
    pub(super) fn verdict(&self, goal: f64) -> Verdict {
        if self.ratio <= 1.0 + goal {
            return Verdict::Met;
        }
        let noise = self.noise_in_all.max(1.0 / self.noise_in_all);
        if self.ratio <= noise { Verdict::Noise } else { Verdict::Missed }
    }

    pub(super) fn words(&self) -> String {
        let (low, high) = self.spread();
        format!(
            "p99 {:.1} ms with, {:.1} ms without, x{:.3}; two identical parts differ by x{:.3} over all rounds, x{low:.3} to \
             x{high:.3} in single ones; {} samples with, {} rounds",
            self.with_ms,
            self.without_ms,
            self.ratio,
            self.noise_in_all,
            self.samples,
            self.noise.len()
        )
    }

    pub(super) fn figures(&self) -> Value {
        json!({
            "with_p99_ms": self.with_ms,
            "without_p99_ms": self.without_ms,
            "ratio": self.ratio,
            "identical_ratio": self.noise_in_all,
            "identical_ratio_of_rounds": self.noise,
            "samples": self.samples,
        })
    }

    fn spread(&self) -> (f64, f64) {
        let fold = |first: f64, of: fn(f64, f64) -> f64| self.noise.iter().copied().fold(first, of);
        (fold(f64::INFINITY, f64::min), fold(0.0, f64::max))
    }
}

/// The smallest value that so many percent of the values do not exceed.
pub(super) fn quantile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// Medians of two lists, and the range in which 95 of 100 bootstrapped differences of medians (second less first) lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Medians {
    pub(super) first: f64,
    pub(super) second: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Medians {
    pub(super) fn of(first: &[f64], second: &[f64], seed: u64) -> Result<Medians> {
        let median = |list: &[f64]| quantile(list, 50).context("nothing was measured");
        let mut random = StdRng::seed_from_u64(seed);
        let mut differences = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            let mut draw = |list: &[f64]| -> Vec<f64> {
                (0..list.len())
                    .filter_map(|_| list.get(random.random_range(0..list.len())).copied())
                    .collect()
            };
            let (one, other) = (draw(first), draw(second));
            differences.push(median(&other)? - median(&one)?);
        }
        differences.sort_by(f64::total_cmp);
        let at = |index: usize| differences.get(index).copied().context("there are draws");
        Ok(Medians {
            first: median(first)?,
            second: median(second)?,
            low: at(DRAWS / 40)?,
            high: at(DRAWS - 1 - DRAWS / 40)?,
        })
    }

    /// How much longer the second takes: 0.01 is a hundredth.
    pub(super) fn excess(&self) -> f64 {
        self.second / self.first - 1.0
    }

    /// Whether no difference can be seen.
    pub(super) fn is_nothing(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(before_ms: u64, with_ms: u64, after_ms: u64) -> Round {
        let mut round = Round::default();
        for (part, ms) in [(Part::Before, before_ms), (Part::With, with_ms), (Part::After, after_ms)] {
            (0..100).for_each(|_| round.add(part, Duration::from_millis(ms)));
        }
        round
    }

    #[test]
    fn a_figure_beyond_its_goal_is_missed_unless_the_same_thing_differs_as_much() {
        let verdict = |round: Round| Comparison::of(&[round]).unwrap().verdict(0.1);
        assert_eq!(verdict(round(100, 110, 100)), Verdict::Met);
        assert_eq!(verdict(round(100, 50, 100)), Verdict::Met);
        assert_eq!(verdict(round(100, 111, 100)), Verdict::Missed);
        assert_eq!(verdict(round(100, 160, 150)), Verdict::Met, "p99 without is that of both its parts");
        assert_eq!(verdict(round(100, 181, 50)), Verdict::Noise);
        assert_eq!(verdict(round(100, 250, 50)), Verdict::Missed);
        assert!(Comparison::of(&[]).is_err());
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 99), Some(198.0));
        assert_eq!(quantile(&values, 50), Some(100.0));
        assert_eq!(quantile(&[], 50), None);
    }

    #[test]
    fn medians_tell_what_differs_from_what_does_not() {
        let list = |shift: f64| -> Vec<f64> { (0..300).map(|i| f64::from(i % 17) + shift).collect() };
        assert!(Medians::of(&list(0.0), &list(0.0), 1).unwrap().is_nothing());
        let other = Medians::of(&list(100.0), &list(103.0), 1).unwrap();
        assert!(!other.is_nothing() && other.low > 0.0 && other.excess() > 0.02);
    }
}
