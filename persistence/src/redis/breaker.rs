//! When Redis is asked and when it is left alone: a state without clock, task or socket.
//!
//! ```text
//!          probe answers                  three failures in a row, or the connection is lost
//! Open ───────────────────▶ Closed ─────────────────────────────────────────────────────▶ Open, until now + wait
//!  └─ probe fails: Open again, waiting twice as long
//! ```
//!
//! Closed: calls go out. Open: calls are answered at once with nothing. The probe is a new connection with its
//! subscriptions, made in the background, so that no call ever pays for it.

use std::time::Duration;

use crate::jitter;

/// So many calls in a row without a good answer open it. One slow answer is a hiccup.
pub(super) const FAILURES_MAX: u32 = 3;
/// The first wait before a probe.
pub(super) const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait, jitter apart: so late a Redis that came back is noticed at the latest.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);
/// Closed for so long, the next wait is the first one again. One that opens sooner has flapped and waits longer.
pub(super) const CALM_AFTER: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open { until: Duration },
    Closed { since: Duration, failures_count: u32 },
}

/// All times are durations since one beginning.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// What the next opening waits, jitter apart.
    wait: Duration,
    jitter: u64,
}

impl Breaker {
    /// Open, with the first probe due at once.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: State::Open { until: Duration::ZERO }, wait: WAIT_MIN, jitter: seed }
    }

    /// When the next probe is due; `None` while closed.
    pub(super) fn probe_at(&self) -> Option<Duration> {
        match self.state {
            State::Open { until } => Some(until),
            State::Closed { .. } => None,
        }
    }

    /// The probe answered.
    pub(super) fn connected(&mut self, now: Duration) {
        self.state = State::Closed { since: now, failures_count: 0 };
    }

    /// A call had its answer.
    pub(super) fn succeeded(&mut self) {
        if let State::Closed { failures_count, .. } = &mut self.state {
            *failures_count = 0;
        }
    }

    /// A call had none. The wait, when this opens it; a late failure of an open one changes nothing.
    pub(super) fn failed(&mut self, now: Duration) -> Option<Duration> {
        let State::Closed { failures_count, .. } = &mut self.state else {
            return None;
        };
        *failures_count += 1;
        (*failures_count >= FAILURES_MAX).then(|| self.open(now))
    }

    /// The connection is gone, or the probe failed. The wait.
    pub(super) fn open(&mut self, now: Duration) -> Duration {
        if let State::Closed { since, .. } = self.state
            && now.saturating_sub(since) >= CALM_AFTER
        {
            self.wait = WAIT_MIN;
        }
        // Up to a quarter more, so that the nodes of a service do not come back in step.
        let quarter_ms = u64::try_from(self.wait.as_millis() / 4).unwrap_or(u64::MAX);
        let wait = self.wait + Duration::from_millis(jitter::below(&mut self.jitter, quarter_ms + 1));
        self.wait = (self.wait * 2).min(WAIT_MAX);
        self.state = State::Open { until: now + wait };
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn closed(seconds: u64) -> Breaker {
        let mut breaker = Breaker::new(1);
        breaker.connected(at(seconds));
        breaker
    }

    #[test]
    fn the_first_probe_is_due_at_once() {
        assert_eq!(Breaker::new(1).probe_at(), Some(Duration::ZERO));
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = closed(0);
        for _ in 0..10 {
            assert_eq!((breaker.failed(at(1)), breaker.failed(at(1))), (None, None));
            breaker.succeeded();
        }
        assert_eq!((breaker.failed(at(2)), breaker.failed(at(2))), (None, None));
        let wait = breaker.failed(at(2)).expect("the third in a row");
        assert_eq!(breaker.probe_at(), Some(at(2) + wait));
    }

    #[test]
    fn a_failed_probe_waits_longer_up_to_the_limit() {
        let mut breaker = Breaker::new(7);
        for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
            let wait = breaker.open(at(100));
            assert!(
                (at(seconds)..=at(seconds) + at(seconds) / 4).contains(&wait),
                "{wait:?} for {seconds} s"
            );
            assert_eq!(breaker.probe_at(), Some(at(100) + wait));
        }
    }

    #[test]
    fn waits_differ_between_nodes() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|seed| Breaker::new(seed).open(at(0))).collect();
        assert!(waits.len() > 50, "{waits:?}");
    }

    #[test]
    fn late_failures_of_an_open_one_change_nothing() {
        let mut breaker = Breaker::new(1);
        let wait = breaker.open(at(0));
        for _ in 0..10 {
            assert_eq!(breaker.failed(at(5)), None);
        }
        breaker.succeeded();
        assert_eq!(breaker.probe_at(), Some(wait));
    }

    #[test]
    fn who_flaps_waits_longer_and_who_was_calm_starts_again() {
        let mut breaker = closed(0);
        assert!(breaker.open(at(10)) < at(2));
        breaker.connected(at(12));
        assert!(breaker.open(at(20)) >= at(2), "open again within 30 s");
        breaker.connected(at(25));
        assert!(breaker.open(at(55)) < at(2), "calm for 30 s");
    }
}
