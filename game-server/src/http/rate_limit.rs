//! How often one address may ask for guests and tickets.
//!
//! This server's own count comes first and needs nothing. With Redis, a count over all servers comes after it and can only
//! refuse more: when Redis does not answer, each server counts alone. A count that somebody changed in Redis refuses an
//! address for one window at most, and `redis_refusals_total` shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use persistence::Cache;

use super::error::ApiError;
use crate::admission::AddressKey;
use crate::config::AuthLimit;
use crate::metrics::Metrics;

/// After so many requests the addresses that have all their requests back are forgotten.
const FORGET_EVERY: u32 = 1_024;

type Limiter =
    RateLimiter<AddressKey, DashMapStateStore<AddressKey>, DefaultClock, StateInformationMiddleware>;

/// One route's limit per address.
pub struct RateLimit {
    /// Names the route in the count over all servers.
    name: &'static str,
    limiter: Limiter,
    limit: AuthLimit,
    cache: Cache,
    metrics: Arc<Metrics>,
    since_forget: AtomicU32,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RateLimit").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl RateLimit {
    /// The whole allowance may be used at once and comes back evenly over the window.
    pub fn new(name: &'static str, limit: AuthLimit, cache: Cache, metrics: Arc<Metrics>) -> RateLimit {
        let burst = std::num::NonZeroU32::new(limit.requests_max).unwrap_or(std::num::NonZeroU32::MIN);
        // Below a nanosecond a request the limit is none; the smallest period stands for it.
        let period = (limit.window / burst.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(period).expect("the period is not zero").allow_burst(burst);
        let limiter = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
        RateLimit { name, limiter, limit, cache, metrics, since_forget: AtomicU32::new(0) }
    }

    /// Counts a request. The headers go with the answer, whatever it is; over the limit, the answer is the error.
    pub async fn check(&self, address: AddressKey) -> (HeaderMap, Option<ApiError>) {
        self.forget_sometimes();
        let verdict = match self.check_here(address) {
            Ok(remaining) => self.check_everywhere(address, remaining).await,
            refused => refused,
        };
        match verdict {
            Ok(remaining) => (self.headers(remaining, Duration::ZERO), None),
            Err(wait) => {
                let hint = "too many requests from this address; wait as long as Retry-After says";
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate", hint);
                (self.headers(0, wait), Some(error.retry_after(whole_seconds(wait))))
            }
        }
    }

    /// How many requests are left, or how long to wait for one.
    fn check_here(&self, address: AddressKey) -> Result<u32, Duration> {
        let state = self.limiter.check_key(&address);
        state
            .map(|state| state.remaining_burst_capacity())
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    async fn check_everywhere(&self, address: AddressKey, remaining: u32) -> Result<u32, Duration> {
        let key = format!("{} {address}", self.name);
        let Some(counted) = self.cache.count(&key, self.limit.window).await else { return Ok(remaining) };
        match u64::from(self.limit.requests_max).checked_sub(counted.count) {
            Some(left) => Ok(remaining.min(u32::try_from(left).unwrap_or(u32::MAX))),
            None => {
                self.metrics.redis_refusals_total.increment();
                Err(counted.ends_in)
            }
        }
    }

    fn headers(&self, remaining: u32, wait: Duration) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-limit", HeaderValue::from(self.limit.requests_max));
        headers.insert("ratelimit-remaining", HeaderValue::from(remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(whole_seconds(wait)));
        headers
    }

    fn forget_sometimes(&self) {
        if self.since_forget.fetch_add(1, Ordering::Relaxed) >= FORGET_EVERY {
            self.since_forget.store(0, Ordering::Relaxed);
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use persistence::{Cache, CacheConfig, CacheTask, NodeId, RedisUrl};
    use test_servers::Redis;
    use tokio::time::{Instant, sleep};
    use uuid::Uuid;

    use super::RateLimit;
    use crate::admission::AddressKey;
    use crate::config::AuthLimit;
    use crate::metrics::Metrics;

    fn address(last: u8) -> AddressKey {
        AddressKey::from(IpAddr::from([192, 0, 2, last]))
    }

    fn alone(window_s: u64, requests_max: u32) -> RateLimit {
        let limit = AuthLimit { window: Duration::from_secs(window_s), requests_max };
        RateLimit::new("guests", limit, Cache::none(), Arc::new(Metrics::new()))
    }

    #[tokio::test]
    async fn one_address_is_stopped_and_another_is_not() {
        let limit = alone(900, 3);
        for remaining in [2, 1, 0] {
            let (headers, error) = limit.check(address(1)).await;
            assert!(error.is_none());
            assert_eq!(headers["ratelimit-remaining"], remaining.to_string());
            assert_eq!(headers["ratelimit-limit"], "3");
        }
        let (headers, error) = limit.check(address(1)).await;
        assert!(error.is_some());
        assert_eq!(headers["ratelimit-reset"], "300", "a third of the window brings one request back");
        assert!(limit.check(address(2)).await.1.is_none());
    }

    #[tokio::test]
    async fn a_limit_for_load_tests_is_no_limit() {
        let limit = alone(1, 1_000_000_000);
        for _ in 0..5_000 {
            assert!(limit.check(address(1)).await.1.is_none());
        }
    }

    async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let give_up = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < give_up, "waited in vain until {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn beside_redis(redis: &Redis) -> (RateLimit, CacheTask, Cache, Arc<Metrics>) {
        let config =
            CacheConfig { node: NodeId(Uuid::new_v4()), key: [7; 32], seed: 1, on_fact: Arc::new(|_| ()) };
        let (cache, task) = Cache::start(RedisUrl::parse(&redis.url()).expect("a URL"), &config);
        wait_until("Redis is connected", || cache.is_up()).await;
        let metrics = Arc::new(Metrics::new());
        let limit = AuthLimit { window: Duration::from_secs(900), requests_max: 50 };
        (RateLimit::new("guests", limit, cache.clone(), Arc::clone(&metrics)), task, cache, metrics)
    }

    /// Requests until the first refusal, and what it said.
    async fn requests(limits: &[&RateLimit]) -> (u32, String) {
        for (count, limit) in (0..).zip(limits.iter().cycle()) {
            let (headers, error) = limit.check(address(1)).await;
            if error.is_some() {
                return (count, headers["ratelimit-reset"].to_str().expect("digits").to_owned());
            }
        }
        unreachable!("a cycle does not end")
    }

    #[tokio::test]
    async fn servers_count_together_while_redis_is_there_and_alone_without() {
        let mut redis = Redis::start();
        let (one, one_task, _, one_metrics) = beside_redis(&redis).await;
        let (two, two_task, two_cache, two_metrics) = beside_redis(&redis).await;
        let (count, reset) = requests(&[&one, &two]).await;
        // A busy machine may make single calls late, and then a server counts alone.
        assert!((50..=60).contains(&count), "{count} of 50");
        assert!((850..=900).contains(&reset.parse().expect("seconds")), "{reset}");
        assert!(one_metrics.redis_refusals_total.get() + two_metrics.redis_refusals_total.get() >= 1);
        redis.kill();
        wait_until("it is noticed", || !two_cache.is_up()).await;
        let (more, reset) = requests(&[&two]).await;
        assert!(more >= 20, "this server has answered {count} / 2 of its 50, and then {more}");
        assert!(reset.parse::<u64>().expect("seconds") <= 18, "its own wait for one request: {reset}");
        one_task.stop().await;
        two_task.stop().await;
    }
}
