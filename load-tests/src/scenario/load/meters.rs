//! What all players of a run write to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::report::{Latency, Second};
use crate::stats::{Count, Stats};

/// The longest latency that is told apart, 10 minutes; a longer one counts as this.
const LATENCY_US_MAX: u64 = 600_000_000;

/// Refusals because the server cannot take anything now. `out_of_order` only follows another refusal.
const FOR_LOAD: [&str; 5] = ["busy", "rate", "read_only", "quarantined", "internal"];

/// Which latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meter {
    /// From the due moment of an arrival, over guest, ticket and handshake, to `welcome`.
    Arrive,
    /// From the due moment of a command to `durable`.
    Durable,
    /// Round trip of a ping.
    Ping,
    /// From the loss of a connection to the next `welcome`.
    Return,
}

/// What all players write to.
#[derive(Debug)]
pub(super) struct Meters {
    arrive: Mutex<Histogram<u64>>,
    durable: Mutex<Histogram<u64>>,
    /// Of this second only.
    lately: Mutex<Histogram<u64>>,
    ping: Mutex<Histogram<u64>>,
    back: Mutex<Histogram<u64>>,
    closed: Mutex<BTreeMap<u16, u64>>,
    failure: Mutex<Option<String>>,
    last: Mutex<Totals>,
    /// Received and sent before measuring began.
    bytes_before: Mutex<(u64, u64)>,
    pub(super) connected: Count,
    pub(super) disconnected: Count,
    pub(super) returned: Count,
    pub(super) welcomed: Count,
    pub(super) failed: Count,
    pub(super) due: Count,
    pub(super) acknowledged: Count,
    /// By a rule of the game, for good.
    pub(super) refused: Count,
    /// Devices that do not read and were cut off.
    pub(super) deaf_closed: Count,
    pub(super) not_sent: Count,
    pub(super) unanswered: Count,
    pub(super) lost: Count,
    pub(super) received_bytes: Count,
    pub(super) sent_bytes: Count,
    pub(super) refusals: Stats,
}

/// Counts at the end of a second.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    due: u64,
    acknowledged: u64,
    errors: u64,
}

impl Meters {
    pub(super) fn new() -> Result<Self> {
        let histogram = || {
            Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
                .map(Mutex::new)
                .map_err(|error| anyhow!("a histogram cannot be made: {error}"))
        };
        Ok(Self {
            arrive: histogram()?,
            durable: histogram()?,
            lately: histogram()?,
            ping: histogram()?,
            back: histogram()?,
            closed: Mutex::default(),
            failure: Mutex::default(),
            last: Mutex::default(),
            bytes_before: Mutex::default(),
            connected: Count::default(),
            disconnected: Count::default(),
            returned: Count::default(),
            refused: Count::default(),
            deaf_closed: Count::default(),
            welcomed: Count::default(),
            failed: Count::default(),
            due: Count::default(),
            acknowledged: Count::default(),
            not_sent: Count::default(),
            unanswered: Count::default(),
            lost: Count::default(),
            received_bytes: Count::default(),
            sent_bytes: Count::default(),
            refusals: Stats::default(),
        })
    }

    /// Measuring begins: what was before is forgotten, but for the arrivals.
    pub(super) fn begin(&self) {
        for histogram in [&self.durable, &self.lately, &self.ping, &self.back] {
            lock(histogram).reset();
        }
        *lock(&self.bytes_before) = (self.received_bytes.get(), self.sent_bytes.get());
        *lock(&self.last) = self.totals();
    }

    pub(super) fn record(&self, meter: Meter, since: Instant) {
        let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(LATENCY_US_MAX).max(1);
        lock(self.histogram(meter)).saturating_record(us);
        if meter == Meter::Durable {
            lock(&self.lately).saturating_record(us);
        }
    }

    fn histogram(&self, meter: Meter) -> &Mutex<Histogram<u64>> {
        match meter {
            Meter::Arrive => &self.arrive,
            Meter::Durable => &self.durable,
            Meter::Ping => &self.ping,
            Meter::Return => &self.back,
        }
    }

    pub(super) fn latency(&self, meter: Meter) -> Latency {
        Latency::of(&lock(self.histogram(meter)))
    }

    /// Bytes received and sent since measuring began.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let (received, sent) = *lock(&self.bytes_before);
        (self.received_bytes.get() - received, self.sent_bytes.get() - sent)
    }

    pub(super) fn closed(&self, code: u16) {
        *lock(&self.closed).entry(code).or_default() += 1;
    }

    pub(super) fn closed_by_code(&self) -> BTreeMap<u16, u64> {
        lock(&self.closed).clone()
    }

    pub(super) fn fail(&self, error: &anyhow::Error) {
        self.failed.add(1);
        lock(&self.failure).get_or_insert_with(|| format!("{error:#}"));
    }

    pub(super) fn first_failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// Players that were welcomed once, or never will be.
    pub(super) fn arrived(&self) -> u64 {
        self.connected.get() + self.failed.get()
    }

    /// Refusals that say nothing about the command: the server could not take it.
    pub(super) fn errors(&self) -> u64 {
        let refused = self.refusals.refused();
        FOR_LOAD.iter().filter_map(|code| refused.get(*code)).sum()
    }

    fn totals(&self) -> Totals {
        Totals { due: self.due.get(), acknowledged: self.acknowledged.get(), errors: self.errors() }
    }

    /// What happened since it was asked the last time.
    pub(super) fn second(&self, at_s: u64, server: Option<(u64, u64)>) -> Second {
        let now = self.totals();
        let before = std::mem::replace(&mut *lock(&self.last), now);
        let mut lately = lock(&self.lately);
        let latency = Latency::of(&lately);
        lately.reset();
        Second {
            at_s,
            connected: (self.connected.get() + self.returned.get()).saturating_sub(self.disconnected.get()),
            due: now.due - before.due,
            acknowledged: now.acknowledged - before.acknowledged,
            errors: now.errors - before.errors,
            p50_us: latency.p50_us,
            p99_us: latency.p99_us,
            max_us: latency.max_us,
            server_cpu_permille: server.map(|(permille, _)| permille),
            server_memory_bytes: server.map(|(_, bytes)| bytes),
        }
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
