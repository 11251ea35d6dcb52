//! The only place that asks the machine what time it is.
//!
//! Server time is milliseconds of UTC and never runs backwards: the clock adds up the steps of the wall clock, and a
//! step below zero counts as zero. After a wall clock that was set back an hour, server time goes on from where it was
//! and stays an hour ahead until the next start; the other choice, standing still for an hour, would take an hour of
//! focus from everybody.
//!
//! Durations for timeouts come from `tokio::time::Instant`, which tests can pause.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Server time. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    source: Source,
    last_wall_ms: i64,
    now_ms: i64,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Manual { wall_ms: i64 },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock::new(Source::System)
    }

    /// A clock that stands at `now_ms` until [`Clock::advance`] moves it. For tests and scenarios.
    pub fn fixed(now_ms: i64) -> Clock {
        Clock::new(Source::Manual { wall_ms: now_ms })
    }

    fn new(source: Source) -> Clock {
        let wall_ms = source.wall_ms();
        Clock { state: Arc::new(Mutex::new(State { source, last_wall_ms: wall_ms, now_ms: wall_ms })) }
    }

    /// Milliseconds of UTC since 1970, never less than any earlier answer.
    pub fn now_ms(&self) -> i64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wall_ms = state.source.wall_ms();
        let step_ms = wall_ms.saturating_sub(state.last_wall_ms).max(0);
        state.last_wall_ms = wall_ms;
        state.now_ms = state.now_ms.saturating_add(step_ms);
        state.now_ms
    }

    /// Moves a fixed clock's wall time by `step_ms`, backwards too; has no effect on the machine's clock.
    pub fn advance(&self, step_ms: i64) {
        // Read first: a step must count from what was the time before it, also if nobody asked for that.
        self.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Source::Manual { wall_ms } = &mut state.source {
            *wall_ms = wall_ms.saturating_add(step_ms);
        }
    }
}

impl Source {
    fn wall_ms(self) -> i64 {
        match self {
            Source::System => system_wall_ms(),
            Source::Manual { wall_ms } => wall_ms,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's wall clock")]
fn system_wall_ms() -> i64 {
    // A machine that believes it is before 1970, or past the year 292 million, gets the nearest end of the scale.
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since_epoch) => i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests;
