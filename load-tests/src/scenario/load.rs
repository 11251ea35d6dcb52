//! Two honest load programs. Open loop: when something is due is decided before, and its latency counts from then, also
//! when the server (or this machine) was too slow to take it in time.
//!
//! - `idle`: players connect at a rate, start a focus session and then only exist; measured are the way from nothing to
//!   `welcome`, the round trip of pings, and the bytes that a quiet player costs.
//! - `commands`: players are connected, then durable commands are due at a rate over all of them; measured is the way
//!   from the due moment to `durable`.

mod player;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::http::Endpoint;
use crate::stats::Count;

/// The longest latency that is told apart, 10 minutes; a longer one counts as this.
const LATENCY_US_MAX: u64 = 600_000_000;
/// Players that connect at the same time, so that the load program does not fall over its own sockets.
const CONNECTS_AT_ONCE_MAX: usize = 256;
/// How fast players connect before a command run, unless said otherwise.
const CONNECTS_PER_SECOND: f64 = 100.0;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Players who only exist.
    Idle,
    /// Players who act.
    Commands,
}

/// How to run a load program.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Which.
    pub program: Program,
    /// `http://host:port` of the server.
    pub url: String,
    /// How many players.
    pub players: u32,
    /// `idle`: connects per second; `commands`: commands per second over all players.
    pub rate: f64,
    /// How long to measure after everybody is connected.
    pub seconds: u64,
    /// Everything random follows from it.
    pub seed: u64,
}

/// Latencies in microseconds.
#[derive(Clone, Debug, Serialize)]
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

/// What a run measured.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Which program.
    pub program: Program,
    /// How many players were asked for.
    pub players: u32,
    /// How many were welcomed.
    pub connected: u64,
    /// The rate that was asked for.
    pub rate_per_second: f64,
    /// How long was measured.
    pub measured_ms: u64,
    /// From the due moment of a connect, over ticket and handshake, to `welcome`.
    pub connect: Latency,
    /// From the due moment of a command to `durable`.
    pub durable: Latency,
    /// Round trip of pings.
    pub ping: Latency,
    /// Commands that became due while measuring.
    pub due: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Commands that were due and never sent, because their player still had too many open.
    pub not_sent: u64,
    /// Commands that were sent and not answered before the end.
    pub unanswered: u64,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// Sockets that the server ended, by close code.
    pub closed: BTreeMap<u16, u64>,
    /// Players that failed, and the first reason.
    pub failed: u64,
    /// The first reason.
    pub first_failure: Option<String>,
    /// Bytes of frames received in the measured time, per player and minute.
    pub received_bytes_per_player_minute: f64,
}

/// What all players write to.
#[derive(Debug)]
pub(crate) struct Meters {
    connect: Mutex<Histogram<u64>>,
    durable: Mutex<Histogram<u64>>,
    ping: Mutex<Histogram<u64>>,
    closed: Mutex<BTreeMap<u16, u64>>,
    failure: Mutex<Option<String>>,
    pub(crate) connected: Count,
    pub(crate) failed: Count,
    pub(crate) due: Count,
    pub(crate) acknowledged: Count,
    pub(crate) not_sent: Count,
    pub(crate) unanswered: Count,
    pub(crate) received_bytes: Count,
    pub(crate) refusals: crate::stats::Stats,
}

/// Which histogram.
#[derive(Clone, Copy)]
pub(crate) enum Meter {
    Connect,
    Durable,
    Ping,
}

impl Meters {
    fn new() -> Result<Self> {
        let histogram = || {
            Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
                .map(Mutex::new)
                .map_err(|error| anyhow::anyhow!("a histogram cannot be made: {error}"))
        };
        Ok(Self {
            connect: histogram()?,
            durable: histogram()?,
            ping: histogram()?,
            closed: Mutex::default(),
            failure: Mutex::default(),
            connected: Count::default(),
            failed: Count::default(),
            due: Count::default(),
            acknowledged: Count::default(),
            not_sent: Count::default(),
            unanswered: Count::default(),
            received_bytes: Count::default(),
            refusals: crate::stats::Stats::default(),
        })
    }

    pub(crate) fn record(&self, meter: Meter, since: Instant) {
        let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(LATENCY_US_MAX).max(1);
        self.histogram(meter).lock().unwrap_or_else(PoisonError::into_inner).saturating_record(us);
    }

    fn histogram(&self, meter: Meter) -> &Mutex<Histogram<u64>> {
        match meter {
            Meter::Connect => &self.connect,
            Meter::Durable => &self.durable,
            Meter::Ping => &self.ping,
        }
    }

    pub(crate) fn closed(&self, code: u16) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    pub(crate) fn fail(&self, error: &anyhow::Error) {
        self.failed.add(1);
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| format!("{error:#}"));
    }

    fn latency(&self, meter: Meter) -> Latency {
        let histogram = self.histogram(meter).lock().unwrap_or_else(PoisonError::into_inner);
        Latency {
            count: histogram.len(),
            p50_us: histogram.value_at_quantile(0.5),
            p90_us: histogram.value_at_quantile(0.9),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
        }
    }
}

/// Runs a load program.
///
/// # Errors
/// When the options make no sense or the server cannot be found; players that fail are counted in the report.
pub async fn run(options: &LoadOptions) -> Result<LoadReport> {
    ensure!(options.players > 0 && options.rate > 0.0, "players and rate must be above 0");
    let endpoint = Endpoint::resolve(&options.url).await?;
    let meters = Arc::new(Meters::new()?);
    let connects_per_second = match options.program {
        Program::Idle => options.rate,
        Program::Commands => CONNECTS_PER_SECOND,
    };
    let (start, started) = tokio::sync::watch::channel(None);
    let permits = Arc::new(tokio::sync::Semaphore::new(CONNECTS_AT_ONCE_MAX));
    let begin = Instant::now();
    let mut players = JoinSet::new();
    for index in 0..options.players {
        let plan = player::Plan {
            index,
            options: options.clone(),
            endpoint: endpoint.clone(),
            connect_due: begin + Duration::from_secs_f64(f64::from(index) / connects_per_second),
            source: Some(source_address(index)),
        };
        let (meters, started, permits) = (Arc::clone(&meters), started.clone(), Arc::clone(&permits));
        players.spawn(async move {
            if let Err(error) = player::play(&plan, &meters, started, &permits).await {
                meters.fail(&error);
            }
        });
    }
    drop(started);
    let measured_from = wait_for_connects(options, &meters).await;
    let received_before = meters.received_bytes.get();
    let ends = measured_from + Duration::from_secs(options.seconds);
    // Nobody left to listen means that every player failed; the report says why.
    let _ = start.send(Some(player::Window { from: measured_from, until: ends }));
    show(options, &meters, ends).await;
    let received = meters.received_bytes.get() - received_before;
    while let Some(player) = players.join_next().await {
        player.context("a player panicked")?;
    }
    Ok(report(options, &meters, measured_from, ends, received))
}

/// All players are connected or have failed.
async fn wait_for_connects(options: &LoadOptions, meters: &Meters) -> Instant {
    let mut line = tokio::time::interval(Duration::from_secs(1));
    while meters.connected.get() + meters.failed.get() < u64::from(options.players) {
        line.tick().await;
        eprintln!("connected {}/{} failed {}", meters.connected.get(), options.players, meters.failed.get());
    }
    Instant::now()
}

/// A line each second until the end.
async fn show(options: &LoadOptions, meters: &Meters, ends: Instant) {
    let mut line = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            biased;
            () = sleep_until(ends) => return,
            _ = line.tick() => {}
        }
        let (latency, what) = match options.program {
            Program::Idle => (meters.latency(Meter::Ping), "ping"),
            Program::Commands => (meters.latency(Meter::Durable), "durable"),
        };
        eprintln!(
            "due {} acknowledged {} refused {:?} {what} p50 {:.1} ms p99 {:.1} ms max {:.1} ms",
            meters.due.get(),
            meters.acknowledged.get(),
            meters.refusals.refused(),
            milliseconds(latency.p50_us),
            milliseconds(latency.p99_us),
            milliseconds(latency.max_us),
        );
    }
}

/// For people only.
#[expect(clippy::cast_precision_loss, reason = "a latency of 10 minutes in microseconds fits 52 bits")]
fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one run fit 52 bits")]
fn report(
    options: &LoadOptions,
    meters: &Meters,
    from: Instant,
    until: Instant,
    received: u64,
) -> LoadReport {
    let measured = until - from;
    let connected = meters.connected.get();
    let player_minutes = connected as f64 * measured.as_secs_f64() / 60.0;
    LoadReport {
        program: options.program,
        players: options.players,
        connected,
        rate_per_second: options.rate,
        measured_ms: u64::try_from(measured.as_millis()).unwrap_or(u64::MAX),
        connect: meters.latency(Meter::Connect),
        durable: meters.latency(Meter::Durable),
        ping: meters.latency(Meter::Ping),
        due: meters.due.get(),
        acknowledged: meters.acknowledged.get(),
        not_sent: meters.not_sent.get(),
        unanswered: meters.unanswered.get(),
        refused: meters.refusals.refused(),
        closed: meters.closed.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        failed: meters.failed.get(),
        first_failure: meters.failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        received_bytes_per_player_minute: if player_minutes > 0.0 {
            received as f64 / player_minutes
        } else {
            0.0
        },
    }
}

/// Players spread over many loopback addresses, so that none runs out of ports.
fn source_address(index: u32) -> Ipv4Addr {
    let [_, _, high, low] = (index + 1).to_be_bytes();
    Ipv4Addr::new(127, 3, high, low)
}
