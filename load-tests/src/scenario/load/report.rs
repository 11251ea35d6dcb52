//! What a run measured, as JSON has it.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::meters::{Meter, Meters};
use super::target::{Running, ServerFacts};
use super::{LoadOptions, Program};

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// The middle one.
    pub p50_us: u64,
    /// 90 of 100 are not above.
    pub p90_us: u64,
    /// 99 of 100 are not above.
    pub p99_us: u64,
    /// 999 of 1,000 are not above.
    pub p999_us: u64,
    /// The worst.
    pub max_us: u64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        Self {
            count: histogram.len(),
            p50_us: histogram.value_at_quantile(0.5),
            p90_us: histogram.value_at_quantile(0.9),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
        }
    }
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Second {
    /// The end of it, from the beginning of the measured time.
    pub at_s: u64,
    /// Players that were connected then.
    pub connected: u64,
    /// Commands that became due.
    pub due: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Commands that the server could not take.
    pub errors: u64,
    /// Acknowledgements of this second: the middle one, in microseconds.
    pub p50_us: u64,
    /// 99 of 100 are not above.
    pub p99_us: u64,
    /// The worst.
    pub max_us: u64,
    /// CPU of the server, in thousandths of a core.
    pub server_cpu_permille: Option<u64>,
    /// Memory of the server that is in RAM.
    pub server_memory_bytes: Option<u64>,
}

impl Second {
    /// For whoever looks on.
    pub(super) fn words(&self) -> String {
        let server = match (self.server_cpu_permille, self.server_memory_bytes) {
            (Some(cpu), Some(memory)) => format!(", server {} % CPU, {} MiB", cpu / 10, memory >> 20),
            _ => String::new(),
        };
        format!(
            "{} connected, {} due, {} acknowledged, {} refused for load, p50 {:.1} ms, p99 {:.1} ms{server}",
            self.connected,
            self.due,
            self.acknowledged,
            self.errors,
            milliseconds(self.p50_us),
            milliseconds(self.p99_us)
        )
    }
}

/// For people only.
#[expect(clippy::cast_precision_loss, reason = "a latency of 10 minutes in microseconds fits 52 bits")]
pub(super) fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// What a run measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadReport {
    /// Which program.
    pub program: Program,
    /// Everything random followed from it.
    pub seed: u64,
    /// How many players were asked for.
    pub players: u32,
    /// How many were welcomed.
    pub connected: u64,
    /// Commands a second that were asked for, over all players.
    pub rate_per_second: f64,
    /// How long was measured.
    pub measured_s: u64,
    /// From the due moment of an arrival, over guest, ticket and handshake, to `welcome`.
    pub arrive: Latency,
    /// From the due moment of a command to `durable`.
    pub durable: Latency,
    /// Round trip of pings.
    pub ping: Latency,
    /// From the loss of a connection to the next `welcome`.
    pub back: Latency,
    /// Commands that became due while measuring.
    pub due: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Commands that a rule of the game refused for good.
    pub refused_by_rule: u64,
    /// Commands that were due and never sent, because their player still had too many open.
    pub not_sent: u64,
    /// Commands that were sent and not answered before the end.
    pub unanswered: u64,
    /// Acknowledged commands that the server no longer knew when their player came back.
    pub lost: u64,
    /// Commands that the server could not take at first: `busy`, `rate`, `read_only` and their like.
    pub errors: u64,
    /// All refusals by code, those of play too, such as a module that is not affordable yet.
    pub refused: BTreeMap<String, u64>,
    /// Sockets that the server ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// Devices that never read and were cut off.
    pub deaf_closed: u64,
    /// Sockets that were welcomed while measuring, first ones not counted.
    pub welcomed_again: u64,
    /// Players that failed.
    pub failed: u64,
    /// The first reason.
    pub first_failure: Option<String>,
    /// Bytes of frames from the server, for each player and second.
    pub received_bytes_per_player_s: f64,
    /// Bytes of frames to the server.
    pub sent_bytes_per_player_s: f64,
    /// Where and how the server ran.
    pub server: ServerFacts,
    /// Second by second.
    pub series: Vec<Second>,
}

impl LoadReport {
    #[expect(clippy::cast_precision_loss, reason = "bytes of one run fit 52 bits")]
    pub(super) fn of(options: &LoadOptions, meters: &Meters, running: &Running, series: Vec<Second>) -> Self {
        let connected = meters.connected.get();
        let (received_bytes, sent_bytes) = meters.bytes();
        let player_seconds = (connected * options.seconds).max(1) as f64;
        Self {
            program: options.program,
            seed: options.seed,
            players: options.players,
            connected,
            rate_per_second: options.rate,
            measured_s: options.seconds,
            arrive: meters.latency(Meter::Arrive),
            durable: meters.latency(Meter::Durable),
            ping: meters.latency(Meter::Ping),
            back: meters.latency(Meter::Return),
            due: meters.due.get(),
            acknowledged: meters.acknowledged.get(),
            refused_by_rule: meters.refused.get(),
            not_sent: meters.not_sent.get(),
            unanswered: meters.unanswered.get(),
            lost: meters.lost.get(),
            errors: meters.errors(),
            refused: meters.refusals.refused(),
            closed: meters.closed_by_code(),
            deaf_closed: meters.deaf_closed.get(),
            welcomed_again: meters.welcomed.get().saturating_sub(connected),
            failed: meters.failed.get(),
            first_failure: meters.first_failure(),
            received_bytes_per_player_s: received_bytes as f64 / player_seconds,
            sent_bytes_per_player_s: sent_bytes as f64 / player_seconds,
            server: running.facts().clone(),
            series,
        }
    }

    /// Nothing was lost, nobody failed, and everything that was sent was answered.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0
            && self.failed == 0
            && self.unanswered == 0
            && self.server.is_verified != Some(false)
            && self.server.problems.is_empty()
    }

    /// For whoever looks on.
    #[must_use]
    pub fn summary(&self) -> String {
        let back = match self.back.count {
            0 => String::new(),
            _ => format!(" (p99 {:.1} ms after the loss)", milliseconds(self.back.p99_us)),
        };
        format!(
            "{} of {} players, {} commands due in {} s, {} acknowledged (p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms), \
             {} refused for load, {} not sent, {} unanswered, {} lost, {} came back{}, {} failed{}",
            self.connected,
            self.players,
            self.due,
            self.measured_s,
            self.acknowledged,
            milliseconds(self.durable.p50_us),
            milliseconds(self.durable.p99_us),
            milliseconds(self.durable.p999_us),
            milliseconds(self.durable.max_us),
            self.errors,
            self.not_sent,
            self.unanswered,
            self.lost,
            self.welcomed_again,
            back,
            self.failed,
            self.first_failure.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
        )
    }
}
