//! When a failed call may be repeated.

use std::time::Duration;

use crate::jitter;

/// Longest wait after a lost race.
const SHORT_MAX: Duration = Duration::from_millis(10);
/// First and longest wait for a store that is away.
const LONG_MIN: Duration = Duration::from_millis(100);
const LONG_MAX: Duration = Duration::from_secs(5);

/// Failures in a row and the time before which nothing is tried.
#[derive(Debug)]
pub(super) struct Backoff {
    jitter: u64,
    failures: u32,
    blocked_until: Option<Duration>,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { jitter: seed, failures: 0, blocked_until: None }
    }

    pub(super) fn blocked_until(&self) -> Option<Duration> {
        self.blocked_until
    }

    /// Whether the last call was good.
    pub(super) fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
        self.blocked_until = None;
    }

    /// 1 to 10 ms: somebody else will be done by then.
    pub(super) fn short(&mut self, now: Duration) -> Duration {
        let spread_us = jitter::below(&mut self.jitter, 9_000);
        self.block(now, (Duration::from_millis(1) + Duration::from_micros(spread_us)).min(SHORT_MAX))
    }

    /// 100 ms, doubled with every failure up to 5 s, less up to a quarter, so that nodes do not come back in step.
    pub(super) fn long(&mut self, now: Duration) -> Duration {
        let wait = LONG_MIN.saturating_mul(1 << self.failures.min(10)).min(LONG_MAX);
        let less_permille = u32::try_from(jitter::below(&mut self.jitter, 250)).expect("below 250");
        self.block(now, wait - wait * less_permille / 1_000)
    }

    fn block(&mut self, now: Duration, wait: Duration) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.blocked_until = Some(now + wait);
        wait
    }
}
