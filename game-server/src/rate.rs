//! Token buckets of one connection: small, so that an idle socket stays cheap.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Rate, SocketLimits};

/// Refusals within [`STRIKES_WITHIN`] that close the connection.
const STRIKES_MAX: u8 = 3;
/// How long a refusal counts as a strike.
const STRIKES_WITHIN: Duration = Duration::from_secs(10);

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass.
    Pass,
    /// Refuse it; the same frame passes after this time.
    Wait {
        /// Until enough tokens are back.
        retry_after: Duration,
    },
    /// It did not stop: close with 4008.
    Close,
}

/// What is left of a connection's rates.
#[derive(Debug)]
pub struct Buckets {
    rates: SocketLimits,
    messages: Bucket,
    bytes: Bucket,
    commands: Bucket,
    pings: Bucket,
    refilled: Instant,
    struck: Instant,
    strikes: u8,
}

/// Thousandths of tokens, so that a refill every few milliseconds loses nothing.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    millitokens: u64,
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        Self { millitokens: u64::from(rate.burst) * 1000 }
    }

    fn refill(&mut self, rate: Rate, elapsed_ms: u64) {
        let gained = elapsed_ms.saturating_mul(u64::from(rate.per_second));
        self.millitokens = self.millitokens.saturating_add(gained).min(u64::from(rate.burst) * 1000);
    }

    /// How long until `tokens` are there.
    fn missing(self, rate: Rate, tokens: usize) -> Duration {
        let wanted = (tokens as u64).saturating_mul(1000);
        let missing = wanted.saturating_sub(self.millitokens);
        Duration::from_millis(missing.div_ceil(u64::from(rate.per_second.max(1))))
    }

    fn take(&mut self, tokens: usize) {
        self.millitokens -= tokens as u64 * 1000;
    }
}

impl Buckets {
    /// Full buckets.
    #[must_use]
    pub fn new(rates: SocketLimits, now: Instant) -> Self {
        Self {
            rates,
            messages: Bucket::full(rates.messages),
            bytes: Bucket::full(rates.bytes),
            commands: Bucket::full(rates.commands),
            pings: Bucket::full(rates.pings),
            refilled: now,
            struck: now,
            strikes: 0,
        }
    }

    /// A frame of no special kind.
    pub fn message(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(bytes, 0, 0, now)
    }

    /// A command.
    pub fn command(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(bytes, 1, 0, now)
    }

    /// A ping.
    pub fn ping(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(bytes, 0, 1, now)
    }

    fn spend(&mut self, bytes: usize, commands: usize, pings: usize, now: Instant) -> Verdict {
        let elapsed_ms = u64::try_from((now - self.refilled).as_millis()).unwrap_or(u64::MAX);
        self.refilled += Duration::from_millis(elapsed_ms);
        let costs = [
            (&mut self.messages, self.rates.messages, 1),
            (&mut self.bytes, self.rates.bytes, bytes),
            (&mut self.commands, self.rates.commands, commands),
            (&mut self.pings, self.rates.pings, pings),
        ];
        let mut wait = Duration::ZERO;
        for (bucket, rate, tokens) in costs {
            bucket.refill(rate, elapsed_ms);
            wait = wait.max(bucket.missing(rate, tokens));
        }
        if wait.is_zero() {
            self.messages.take(1);
            self.bytes.take(bytes);
            self.commands.take(commands);
            self.pings.take(pings);
            return Verdict::Pass;
        }
        if now - self.struck > STRIKES_WITHIN {
            self.strikes = 0;
        }
        if self.strikes == 0 {
            self.struck = now;
        }
        self.strikes += 1;
        if self.strikes >= STRIKES_MAX { Verdict::Close } else { Verdict::Wait { retry_after: wait } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: SocketLimits = SocketLimits {
        messages: Rate { per_second: 30, burst: 60 },
        bytes: Rate { per_second: 16 * 1024, burst: 64 * 1024 },
        commands: Rate { per_second: 10, burst: 20 },
        pings: Rate { per_second: 2, burst: 4 },
    };

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_next_waits_just_long_enough() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATES, start);
        for _ in 0..20 {
            assert_eq!(buckets.command(10, start), Verdict::Pass);
        }
        let Verdict::Wait { retry_after } = buckets.command(10, start) else { panic!("must wait") };
        assert_eq!(retry_after, Duration::from_millis(100));
        assert_eq!(buckets.command(10, start + retry_after), Verdict::Pass);
    }

    #[tokio::test(start_paused = true)]
    async fn three_strikes_in_ten_seconds_close() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATES, start);
        for _ in 0..4 {
            assert_eq!(buckets.ping(10, start), Verdict::Pass);
        }
        assert!(matches!(buckets.ping(10, start), Verdict::Wait { .. }));
        assert!(matches!(buckets.ping(10, start), Verdict::Wait { .. }));
        assert_eq!(buckets.ping(10, start), Verdict::Close);
    }

    #[tokio::test(start_paused = true)]
    async fn old_strikes_are_forgotten() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATES, start);
        for round in 0..5 {
            let now = start + Duration::from_secs(11 * round);
            for _ in 0..4 {
                assert_eq!(buckets.ping(10, now), Verdict::Pass);
            }
            assert!(matches!(buckets.ping(10, now), Verdict::Wait { .. }));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_count_too() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATES, start);
        for _ in 0..8 {
            assert_eq!(buckets.message(8 * 1024, start), Verdict::Pass);
        }
        let wait = buckets.message(8 * 1024, start);
        assert_eq!(wait, Verdict::Wait { retry_after: Duration::from_millis(500) });
    }
}
