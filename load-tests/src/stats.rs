//! Counters that a run shows while it goes on. Only for the eye and the report; the verdict comes from the ledgers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Different refusal codes that are counted; more than the protocol has.
const CODES_MAX: usize = 64;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// More of it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// How much there is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one run.
#[derive(Debug, Default)]
pub struct Stats {
    /// Commands sent, repetitions included.
    pub sent: Count,
    /// Commands acknowledged for the first time.
    pub acknowledged: Count,
    /// Answers that came as `duplicate`.
    pub duplicates: Count,
    /// Acknowledged commands that were said again on purpose.
    pub replayed: Count,
    /// Connections that a bot cut on purpose.
    pub cut: Count,
    /// Commands whose answer was lost with a socket, and that the server had applied.
    pub resumed_applied: Count,
    /// Commands whose answer was lost with a socket, and that the server had not applied.
    pub resumed_open: Count,
    /// Events received.
    pub events: Count,
    /// `going_away` messages.
    pub drained: Count,
    /// Tries to open a socket that came to nothing.
    pub failed_opens: Count,
    /// Sockets that were welcomed.
    pub welcomed: Count,
    /// Acknowledged commands that a server no longer knew.
    pub lost: Count,
    /// Commands that were applied twice.
    pub doubled: Count,
    connected: AtomicU64,
    versions: Mutex<BTreeMap<u32, u64>>,
    refused: Mutex<BTreeMap<String, u64>>,
}

impl Stats {
    /// One more open socket, until the guard is dropped.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Connected {
        self.welcomed.add(1);
        self.connected.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// Open sockets.
    #[must_use]
    pub fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }

    /// A bot was told another version of the catalogue than before.
    pub fn told_version(&self, version: u32) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if versions.len() < CODES_MAX || versions.contains_key(&version) {
            *versions.entry(version).or_default() += 1;
        }
    }

    /// How many times a bot was told this version after another one, or as its first.
    #[must_use]
    pub fn told(&self, version: u32) -> u64 {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(&version).copied().unwrap_or(0)
    }

    /// Counts a refusal by its code.
    pub fn refuse(&self, code: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < CODES_MAX || refused.contains_key(code) {
            *refused.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Refusals by code.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An open socket, for as long as it lives.
#[derive(Debug)]
pub struct Connected(Arc<Stats>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}
