//! How often somebody may guess a password.
//!
//! Five wrong ones within 15 minutes are free; then each further try waits, twice as long every time. Nobody is locked out
//! by somebody else's guesses: an address from which the account was opened before waits for its own failures alone, and
//! strangers share one wait, which is short. All of it is in memory and bounded; it needs no Redis.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use persistence::accounts::LookupHash;

use crate::admission::AddressKey;

/// Wrong passwords without a wait.
const FREE_FAILURES: u32 = 5;
/// Failures are forgotten after so long without one.
const WINDOW_MS: i64 = 15 * 60 * 1000;
/// The first wait.
const WAIT_MIN_MS: i64 = 1_000;
/// The longest wait of one address with one account.
const WAIT_MAX_MS: i64 = 5 * 60 * 1000;
/// The longest wait that strangers cause for an address that never opened the account.
const STRANGERS_WAIT_MAX_MS: i64 = 30 * 1000;
/// An address that opened the account is known for so long.
const KNOWN_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Most rows of each table. Full: those that are over are forgotten, and if there are none, the oldest half.
const ROWS_MAX: usize = 100_000;

/// Counts failures.
#[derive(Debug, Default)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    of_pair: HashMap<(LookupHash, AddressKey), Failures>,
    of_strangers: HashMap<LookupHash, Failures>,
    known: HashMap<(LookupHash, AddressKey), i64>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Failures {
    /// How long the next try must wait from now on.
    fn wait_ms(self, longest_ms: i64, now_ms: i64) -> i64 {
        if self.count < FREE_FAILURES || self.is_over(now_ms) {
            return 0;
        }
        let doublings = (self.count - FREE_FAILURES).min(20);
        let wait_ms = (WAIT_MIN_MS << doublings).min(longest_ms);
        (self.last_ms + wait_ms - now_ms).max(0)
    }

    fn is_over(self, now_ms: i64) -> bool {
        now_ms - self.last_ms > WINDOW_MS
    }
}

impl Throttle {
    /// How long somebody at this address must wait before the next try, in ms; 0 is now. Counts a try that may be made as
    /// a failure until [`Throttle::succeeded`], so that many at once are not free.
    pub fn begin(&self, account: LookupHash, address: AddressKey, now_ms: i64) -> i64 {
        let mut state = self.lock();
        let is_known = state.known.get(&(account, address)).is_some_and(|at_ms| now_ms - at_ms <= KNOWN_MS);
        let wait = |failures: Option<&Failures>, longest_ms| {
            failures.map_or(0, |failures| failures.wait_ms(longest_ms, now_ms))
        };
        let own = wait(state.of_pair.get(&(account, address)), WAIT_MAX_MS);
        let strangers =
            if is_known { 0 } else { wait(state.of_strangers.get(&account), STRANGERS_WAIT_MAX_MS) };
        let wait_ms = own.max(strangers);
        if wait_ms == 0 {
            count(&mut state.of_pair, (account, address), now_ms);
            if !is_known {
                count(&mut state.of_strangers, account, now_ms);
            }
        }
        wait_ms
    }

    /// The password was right: this address is known, and its failures are forgotten. Those of strangers stay.
    pub fn succeeded(&self, account: LookupHash, address: AddressKey, now_ms: i64) {
        let mut state = self.lock();
        state.of_pair.remove(&(account, address));
        if let Some(failures) = state.of_strangers.get_mut(&account) {
            failures.count = failures.count.saturating_sub(1);
        }
        make_room(&mut state.known, |at_ms| now_ms - at_ms > KNOWN_MS, |at_ms| *at_ms);
        state.known.insert((account, address), now_ms);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count<K: Eq + std::hash::Hash>(rows: &mut HashMap<K, Failures>, key: K, now_ms: i64) {
    make_room(rows, |failures| failures.is_over(now_ms), |failures| failures.last_ms);
    let failures = rows.entry(key).or_insert(Failures { count: 0, last_ms: now_ms });
    if failures.is_over(now_ms) {
        failures.count = 0;
    }
    failures.count = failures.count.saturating_add(1);
    failures.last_ms = now_ms;
}

fn make_room<K: Eq + std::hash::Hash, V>(
    rows: &mut HashMap<K, V>,
    is_over: impl Fn(&V) -> bool,
    age: impl Fn(&V) -> i64,
) {
    if rows.len() < ROWS_MAX {
        return;
    }
    rows.retain(|_, row| !is_over(row));
    if rows.len() >= ROWS_MAX {
        let mut ages: Vec<i64> = rows.values().map(&age).collect();
        let (_, &mut median, _) = ages.select_nth_unstable(ROWS_MAX / 2);
        rows.retain(|_, row| age(row) > median);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const ADA: LookupHash = LookupHash([1; 32]);

    fn address(number: u32) -> AddressKey {
        AddressKey::from(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn five_are_free_and_then_the_wait_doubles() {
        let throttle = Throttle::default();
        let mut now_ms = 0;
        for _ in 0..5 {
            assert_eq!(throttle.begin(ADA, address(1), now_ms), 0);
        }
        throttle.succeeded(ADA, address(9), now_ms);
        for wait_ms in
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]
        {
            assert_eq!(throttle.begin(ADA, address(1), now_ms), wait_ms);
            assert_eq!(
                throttle.begin(ADA, address(1), now_ms + wait_ms - 1),
                1,
                "asking early costs nothing"
            );
            now_ms += wait_ms;
            assert_eq!(throttle.begin(ADA, address(1), now_ms), 0);
        }
        assert_eq!(throttle.begin(ADA, address(1), now_ms + WINDOW_MS + 1), 0, "forgotten");
        assert_eq!(throttle.begin(LookupHash([2; 32]), address(1), now_ms), 0, "another account");
    }

    #[test]
    fn an_attacker_does_not_lock_the_owner_out() {
        let throttle = Throttle::default();
        throttle.begin(ADA, address(1), 0);
        throttle.succeeded(ADA, address(1), 0);
        // Thousands of addresses guess all the time.
        let mut guesses = 0;
        for now_ms in (0..3_600_000).step_by(100) {
            let stranger = address(1_000 + u32::try_from(now_ms / 100).expect("small"));
            if throttle.begin(ADA, stranger, now_ms) == 0 {
                guesses += 1;
            }
        }
        assert!(guesses < 140, "{guesses} guesses in an hour, whatever the number of addresses");
        assert_eq!(throttle.begin(ADA, address(1), 3_600_000), 0, "the owner, at home");
        let away = throttle.begin(ADA, address(2), 3_600_000);
        assert!(away <= STRANGERS_WAIT_MAX_MS, "the owner, elsewhere, waits {away} ms");
    }

    #[test]
    fn a_right_password_forgets_the_wrong_ones() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            for _ in 0..5 {
                assert_eq!(throttle.begin(ADA, address(1), 0), 0);
            }
            throttle.succeeded(ADA, address(1), 0);
        }
    }

    #[test]
    fn the_tables_are_bounded() {
        let throttle = Throttle::default();
        for number in 0..250_000_u32 {
            let mut account = [0; 32];
            account[..4].copy_from_slice(&number.to_be_bytes());
            throttle.begin(LookupHash(account), address(number), i64::from(number));
        }
        let state = throttle.lock();
        assert!(state.of_pair.len() <= ROWS_MAX && state.of_strangers.len() <= ROWS_MAX);
    }
}
