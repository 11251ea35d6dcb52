//! Token buckets of one socket, and of one player over all sockets that the player has on this node: whoever opens eight
//! sockets has eight times the sockets and not more commands. Small, so that an idle socket stays cheap.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use persistence::HeroId;
use tokio::time::Instant;

use crate::config::{Rate, SocketLimits};

/// Refusals within [`STRIKES_WITHIN`] that close the connection.
const STRIKES_MAX: u8 = 3;
/// How long a refusal counts as a strike.
const STRIKES_WITHIN: Duration = Duration::from_secs(10);
/// After so many sockets the players who have left and have all their tokens back are forgotten.
const FORGET_EVERY: usize = 1_024;

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

/// What one frame takes.
#[derive(Clone, Copy, Debug)]
struct Cost {
    bytes: usize,
    commands: usize,
    pings: usize,
}

/// What is left of the rates of a socket or a player.
#[derive(Debug)]
struct Buckets {
    messages: Bucket,
    bytes: Bucket,
    commands: Bucket,
    pings: Bucket,
    refilled: Instant,
}

/// The rates of every player on this node.
#[derive(Debug)]
pub struct Players {
    rates: SocketLimits,
    players: DashMap<HeroId, Arc<Player>>,
    entered: AtomicUsize,
}

/// A player on this node, and the rates that hold for each of its sockets and for all of them together.
#[derive(Debug)]
struct Player {
    rates: SocketLimits,
    buckets: Mutex<Buckets>,
}

/// What one socket may still send, alone and as one of its player's.
#[derive(Debug)]
pub struct Limiter {
    socket: Buckets,
    player: Arc<Player>,
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

    fn is_full(self, rate: Rate) -> bool {
        self.millitokens == u64::from(rate.burst) * 1000
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
    fn full(rates: &SocketLimits, now: Instant) -> Self {
        Self {
            messages: Bucket::full(rates.messages),
            bytes: Bucket::full(rates.bytes),
            commands: Bucket::full(rates.commands),
            pings: Bucket::full(rates.pings),
            refilled: now,
        }
    }

    /// How long until all of it is there.
    fn missing(&mut self, rates: &SocketLimits, cost: Cost, now: Instant) -> Duration {
        self.refill(rates, now);
        let waits = [
            self.messages.missing(rates.messages, 1),
            self.bytes.missing(rates.bytes, cost.bytes),
            self.commands.missing(rates.commands, cost.commands),
            self.pings.missing(rates.pings, cost.pings),
        ];
        waits.into_iter().max().unwrap_or_default()
    }

    fn refill(&mut self, rates: &SocketLimits, now: Instant) {
        // Two sockets of a player may look at the clock in one order and come here in the other.
        let elapsed = now.saturating_duration_since(self.refilled);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.refilled += Duration::from_millis(elapsed_ms);
        self.messages.refill(rates.messages, elapsed_ms);
        self.bytes.refill(rates.bytes, elapsed_ms);
        self.commands.refill(rates.commands, elapsed_ms);
        self.pings.refill(rates.pings, elapsed_ms);
    }

    fn take(&mut self, cost: Cost) {
        self.messages.take(1);
        self.bytes.take(cost.bytes);
        self.commands.take(cost.commands);
        self.pings.take(cost.pings);
    }

    fn is_full(&mut self, rates: &SocketLimits, now: Instant) -> bool {
        self.refill(rates, now);
        self.messages.is_full(rates.messages)
            && self.bytes.is_full(rates.bytes)
            && self.commands.is_full(rates.commands)
            && self.pings.is_full(rates.pings)
    }
}

impl Players {
    /// Nobody yet.
    #[must_use]
    pub fn new(rates: SocketLimits) -> Self {
        Self { rates, players: DashMap::new(), entered: AtomicUsize::new(0) }
    }

    /// The limits of a new socket of this player.
    pub fn limiter(&self, hero: HeroId, now: Instant) -> Limiter {
        if self.entered.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.forget(now);
        }
        let buckets = || Buckets::full(&self.rates, now);
        let fresh = || Arc::new(Player { rates: self.rates, buckets: Mutex::new(buckets()) });
        let player = Arc::clone(&self.players.entry(hero).or_insert_with(fresh));
        Limiter { socket: buckets(), player, struck: now, strikes: 0 }
    }

    /// Coming back must not fill a player's buckets, so they are kept until time has filled them.
    fn forget(&self, now: Instant) {
        self.players
            .retain(|_, player| Arc::strong_count(player) > 1 || !player.lock().is_full(&player.rates, now));
    }
}

impl Player {
    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // Nothing can panic while it is held.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limiter {
    /// A frame of no special kind.
    pub fn message(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(Cost { bytes, commands: 0, pings: 0 }, now)
    }

    /// A command.
    pub fn command(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(Cost { bytes, commands: 1, pings: 0 }, now)
    }

    /// A ping.
    pub fn ping(&mut self, bytes: usize, now: Instant) -> Verdict {
        self.spend(Cost { bytes, commands: 0, pings: 1 }, now)
    }

    fn spend(&mut self, cost: Cost, now: Instant) -> Verdict {
        let rates = &self.player.rates;
        let mut player = self.player.lock();
        let wait = self.socket.missing(rates, cost, now).max(player.missing(rates, cost, now));
        if wait.is_zero() {
            player.take(cost);
            self.socket.take(cost);
            return Verdict::Pass;
        }
        drop(player);
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

    fn alone(now: Instant) -> Limiter {
        Players::new(RATES).limiter(HeroId(uuid::Uuid::nil()), now)
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_next_waits_just_long_enough() {
        let start = Instant::now();
        let mut buckets = alone(start);
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
        let mut buckets = alone(start);
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
        let mut buckets = alone(start);
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
        let mut buckets = alone(start);
        for _ in 0..8 {
            assert_eq!(buckets.message(8 * 1024, start), Verdict::Pass);
        }
        let wait = buckets.message(8 * 1024, start);
        assert_eq!(wait, Verdict::Wait { retry_after: Duration::from_millis(500) });
    }

    #[tokio::test(start_paused = true)]
    async fn eight_sockets_of_a_player_send_no_more_commands_than_one() {
        let (start, players) = (Instant::now(), Players::new(RATES));
        let hero = HeroId(uuid::Uuid::from_u128(1));
        let mut passed = 0;
        let mut sockets: Vec<Limiter> = (0..8).map(|_| players.limiter(hero, start)).collect();
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            for socket in &mut sockets {
                // Each keeps to the limits of a socket.
                let sent = (0..10).filter(|_| socket.command(10, now) == Verdict::Pass);
                passed += sent.count();
            }
        }
        assert_eq!(passed, 20 + 9 * 10, "the burst, and what flowed in");
        let other = players.limiter(HeroId(uuid::Uuid::from_u128(2)), start).command(10, start);
        assert_eq!(other, Verdict::Pass, "another player has buckets of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn coming_back_fills_no_bucket_and_who_stays_away_is_forgotten() {
        let (start, players) = (Instant::now(), Players::new(RATES));
        let hero = HeroId(uuid::Uuid::from_u128(1));
        let mut first = players.limiter(hero, start);
        for _ in 0..20 {
            assert_eq!(first.command(10, start), Verdict::Pass);
        }
        drop(first);
        players.forget(start);
        let again = players.limiter(hero, start).command(10, start);
        assert_eq!(again, Verdict::Wait { retry_after: Duration::from_millis(100) });
        players.forget(start + Duration::from_millis(1_999));
        assert_eq!(players.players.len(), 1);
        players.forget(start + Duration::from_secs(2));
        assert!(players.players.is_empty());
    }
}
