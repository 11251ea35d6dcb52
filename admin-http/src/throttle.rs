//! How often somebody may guess. Five wrong tries within 15 min are free; then each further one waits, twice as long
//! every time. Nobody is locked out by somebody else's guesses: an address from which the operator came in before waits
//! for its own failures alone, and what strangers cause for a name is short. In memory, of this server, and bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Wrong tries without a wait.
const FREE_FAILURES: u32 = 5;
/// Failures are forgotten after so long without one.
const WINDOW_MS: i64 = 15 * 60 * 1_000;
/// The first wait.
const WAIT_MIN_MS: i64 = 1_000;
/// The longest wait of an address.
const ADDRESS_WAIT_MAX_MS: i64 = 5 * 60 * 1_000;
/// The longest wait for a name, for an address that it never came from.
const NAME_WAIT_MAX_MS: i64 = 30 * 1_000;
/// Most rows of each table. Full: the oldest makes room.
const ROWS_MAX: usize = 10_000;

/// Counts failures.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    of_address: HashMap<Network, Failures>,
    of_name: HashMap<String, Failures>,
    /// Where operators came in from, and when.
    known: HashMap<(String, Network), Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_ms: i64,
}

/// Whoever has an IPv6 address has 2^64 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Network([u8; 16], bool);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Network(address.to_ipv6_mapped().octets(), true),
            IpAddr::V6(address) => {
                Network((u128::from(address) & !u128::from(u64::MAX)).to_be_bytes(), false)
            }
        }
    }
}

impl Failures {
    fn wait_ms(self, longest_ms: i64, now_ms: i64) -> i64 {
        if self.count < FREE_FAILURES || now_ms - self.last_ms > WINDOW_MS {
            return 0;
        }
        let doublings = (self.count - FREE_FAILURES).min(20);
        (self.last_ms + (WAIT_MIN_MS << doublings).min(longest_ms) - now_ms).max(0)
    }
}

impl Throttle {
    /// How long a try must wait, in ms; 0 is now. One that may be made counts as a failure until
    /// [`Throttle::succeeded`], so that many at once are not free.
    pub(crate) fn begin(&self, name: &str, address: IpAddr, now_ms: i64) -> i64 {
        let network = Network::from(address);
        let mut state = self.lock();
        let is_known = state.known.contains_key(&(name.to_owned(), network));
        let wait = |failures: Option<&Failures>, longest_ms| {
            failures.map_or(0, |failures| failures.wait_ms(longest_ms, now_ms))
        };
        let of_name = if is_known { 0 } else { wait(state.of_name.get(name), NAME_WAIT_MAX_MS) };
        let wait_ms = wait(state.of_address.get(&network), ADDRESS_WAIT_MAX_MS).max(of_name);
        if wait_ms == 0 {
            count(&mut state.of_address, network, now_ms);
            if !is_known {
                count(&mut state.of_name, name.to_owned(), now_ms);
            }
        }
        wait_ms
    }

    /// It was right: this address is known, and its failures are forgotten. Those of strangers stay.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr, now_ms: i64) {
        let network = Network::from(address);
        let mut state = self.lock();
        state.of_address.remove(&network);
        if let Some(failures) = state.of_name.get_mut(name) {
            failures.count = failures.count.saturating_sub(1);
        }
        count(&mut state.known, (name.to_owned(), network), now_ms);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count<K: Clone + Eq + Hash>(rows: &mut HashMap<K, Failures>, key: K, now_ms: i64) {
    if rows.len() >= ROWS_MAX && !rows.contains_key(&key) {
        let oldest = rows.iter().min_by_key(|(_, failures)| failures.last_ms).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            rows.remove(&oldest);
        }
    }
    let failures = rows.entry(key).or_insert(Failures { count: 0, last_ms: now_ms });
    if now_ms - failures.last_ms > WINDOW_MS {
        failures.count = 0;
    }
    failures.count = failures.count.saturating_add(1);
    failures.last_ms = now_ms;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn five_are_free_and_then_the_wait_doubles() {
        let throttle = Throttle::default();
        let mut now_ms = 0;
        for _ in 0..5 {
            assert_eq!(throttle.begin("ada", address(1), now_ms), 0);
        }
        for wait_ms in
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]
        {
            assert_eq!(throttle.begin("ada", address(1), now_ms), wait_ms);
            assert_eq!(throttle.begin("bob", address(1), now_ms + wait_ms - 1), 1, "whatever the name");
            now_ms += wait_ms;
            assert_eq!(throttle.begin("ada", address(1), now_ms), 0);
        }
        assert_eq!(throttle.begin("ada", address(1), now_ms + WINDOW_MS + 1), 0, "forgotten");
    }

    #[test]
    fn a_name_that_many_guess_waits_and_its_owner_does_not() {
        let throttle = Throttle::default();
        assert_eq!(throttle.begin("ada", address(1), 0), 0);
        throttle.succeeded("ada", address(1), 0);
        let mut guesses = 0;
        for now_ms in (0..3_600_000).step_by(100) {
            let stranger = address(1_000 + u32::try_from(now_ms / 100).expect("small"));
            if throttle.begin("ada", stranger, now_ms) == 0 {
                guesses += 1;
            }
        }
        assert!(guesses < 140, "{guesses} guesses in an hour, whatever the number of addresses");
        assert_eq!(throttle.begin("ada", address(1), 3_600_000), 0, "where she always is");
        assert!(throttle.begin("ada", address(2), 3_600_000) <= NAME_WAIT_MAX_MS, "and elsewhere soon");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let throttle = Throttle::default();
        for last in 0..5_u128 {
            let address = IpAddr::from((0x2001_0db8_u128 << 96 | last).to_be_bytes());
            assert_eq!(throttle.begin(&format!("name{last}"), address, 0), 0);
        }
        let next = IpAddr::from((0x2001_0db8_u128 << 96 | 0xffff).to_be_bytes());
        assert_eq!(throttle.begin("another", next, 0), 1_000);
    }

    #[test]
    fn the_tables_are_bounded() {
        let throttle = Throttle::default();
        for number in 0..10_100_u32 {
            throttle.begin(&format!("name{number}"), address(number), i64::from(number));
        }
        let state = throttle.lock();
        assert_eq!((state.of_address.len(), state.of_name.len()), (ROWS_MAX, ROWS_MAX));
    }
}
