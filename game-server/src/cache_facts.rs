//! Turns what the cache tells into numbers and log lines. It runs on whatever task asked, so it only counts.

use std::sync::Arc;

use persistence::redis::{CacheFact, Outcome};

use crate::metrics::{Metrics, RedisCall, RedisOutcome};

/// What the cache calls for every fact.
pub fn listener(metrics: Arc<Metrics>) -> Arc<dyn Fn(CacheFact) + Send + Sync> {
    Arc::new(move |fact| hear(&metrics, fact))
}

fn hear(metrics: &Metrics, fact: CacheFact) {
    match fact {
        CacheFact::Back => {
            metrics.redis_up.set(1);
            tracing::info!("Redis is connected");
        }
        CacheFact::Away { why, after } => {
            metrics.redis_up.set(0);
            metrics.redis_away_total.increment();
            tracing::warn!(why, again_ms = after.as_millis(), "Redis is away; nothing depends on it");
        }
        CacheFact::Called { call, outcome, took } => {
            let (call, label) = (RedisCall::of(call), RedisOutcome::of(outcome));
            let counter = metrics.redis_calls_total.of((call, label));
            counter.increment();
            if !took.is_zero() {
                metrics.redis_call_seconds.record_duration(took);
            }
            // The 1st, 2nd, 4th, 8th …: whoever can write to Redis cannot fill the log.
            let count = counter.get();
            if matches!(outcome, Outcome::Lied(_)) && count.is_power_of_two() {
                tracing::warn!(?call, outcome = ?label, count, "what Redis says was not written by us: it is ignored");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use persistence::redis::{CacheFact, Call, Lie, Outcome};

    use super::listener;
    use crate::metrics::{Metrics, RedisCall, RedisOutcome};

    #[test]
    fn facts_become_numbers() {
        let metrics = Arc::new(Metrics::new());
        let hear = listener(Arc::clone(&metrics));
        hear(CacheFact::Back);
        assert_eq!(metrics.redis_up.get(), 1.0);
        let called = |outcome, ms| CacheFact::Called {
            call: Call::GetSnapshot,
            outcome,
            took: Duration::from_millis(ms),
        };
        hear(called(Outcome::Done, 1));
        hear(called(Outcome::Lied(Lie::BadSeal), 1));
        hear(CacheFact::Away { why: "closed".into(), after: Duration::from_secs(1) });
        hear(called(Outcome::Away, 0));
        hear(called(Outcome::Away, 0));
        assert_eq!((metrics.redis_up.get(), metrics.redis_away_total.get()), (0.0, 1));
        let calls = |outcome| metrics.redis_calls_total.of((RedisCall::GetSnapshot, outcome)).get();
        let counted =
            [RedisOutcome::Done, RedisOutcome::BadSeal, RedisOutcome::Away, RedisOutcome::Slow].map(calls);
        assert_eq!(counted, [1, 1, 2, 0]);
        assert_eq!(metrics.redis_call_seconds.count(), 2, "what was not sent took no time");
    }
}
