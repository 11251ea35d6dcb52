//! How often one address may ask for guests and tickets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::error::ApiError;
use crate::admission::AddressKey;
use crate::config::AuthLimit;

/// After so many requests the addresses that have all their requests back are forgotten.
const FORGET_EVERY: u32 = 1_024;

type Limiter =
    RateLimiter<AddressKey, DashMapStateStore<AddressKey>, DefaultClock, StateInformationMiddleware>;

/// One route's limit per address.
pub struct RateLimit {
    limiter: Limiter,
    limit: AuthLimit,
    since_forget: AtomicU32,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RateLimit").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl RateLimit {
    /// The whole allowance may be used at once and comes back evenly over the window.
    pub fn new(limit: AuthLimit) -> RateLimit {
        let burst = std::num::NonZeroU32::new(limit.requests_max).unwrap_or(std::num::NonZeroU32::MIN);
        // Below a nanosecond a request the limit is none; the smallest period stands for it.
        let period = (limit.window / burst.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(period).expect("the period is not zero").allow_burst(burst);
        let limiter = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
        RateLimit { limiter, limit, since_forget: AtomicU32::new(0) }
    }

    /// Counts a request. The headers go with the answer, whatever it is; over the limit, the answer is the error.
    pub fn check(&self, address: AddressKey) -> (HeaderMap, Option<ApiError>) {
        self.forget_sometimes();
        match self.limiter.check_key(&address) {
            Ok(state) => (self.headers(state.remaining_burst_capacity(), Duration::ZERO), None),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let hint = "too many requests from this address; wait as long as Retry-After says";
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate", hint);
                (self.headers(0, wait), Some(error.retry_after(whole_seconds(wait))))
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
    use std::time::Duration;

    use super::RateLimit;
    use crate::admission::AddressKey;
    use crate::config::AuthLimit;

    fn address(last: u8) -> AddressKey {
        AddressKey::from(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn one_address_is_stopped_and_another_is_not() {
        let limit = RateLimit::new(AuthLimit { window: Duration::from_secs(900), requests_max: 3 });
        for remaining in [2, 1, 0] {
            let (headers, error) = limit.check(address(1));
            assert!(error.is_none());
            assert_eq!(headers["ratelimit-remaining"], remaining.to_string());
            assert_eq!(headers["ratelimit-limit"], "3");
        }
        let (headers, error) = limit.check(address(1));
        assert!(error.is_some());
        assert_eq!(headers["ratelimit-reset"], "300", "a third of the window brings one request back");
        assert!(limit.check(address(2)).1.is_none());
    }

    #[test]
    fn a_limit_for_load_tests_is_no_limit() {
        let limit = RateLimit::new(AuthLimit { window: Duration::from_secs(1), requests_max: 1_000_000_000 });
        for _ in 0..5_000 {
            assert!(limit.check(address(1)).1.is_none());
        }
    }
}
