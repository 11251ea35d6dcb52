//! `restart`: time from a server's start to ready, and until ten thousand players are back who say where they stopped.
//!
//! The server before it is killed with -9, so that nothing is tidied up. The same is measured with players who have just
//! been made: what is more with typical ones is what their history costs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::crowd::{Crowd, Welcomed, guests, seed};
use super::{BenchOptions, float_of, median, round};
use crate::faults::ServerPlan;
use crate::process::cpu_time;
use crate::wire::Device;

const PLAYERS: usize = 10_000;
/// Restarts; medians count.
const RESTARTS: usize = 3;
/// Sockets above the players': health checks, tickets on their way.
const SPARE_CONNECTIONS: usize = 500;

/// What one restart took.
struct Seen {
    ready: Duration,
    /// From ready until half, and until all, are welcomed.
    half_back: Duration,
    all_back: Duration,
    cpu: Duration,
    resumed: usize,
}

pub(super) async fn run(options: &BenchOptions) -> Result<Value> {
    let players = options.players(PLAYERS, 10);
    let restarts = options.count(RESTARTS, 1);
    let plan = |name| -> Result<ServerPlan> {
        let connections = (players + SPARE_CONNECTIONS).to_string();
        Ok(options.plan(name)?.with("CONNECTIONS_MAX", &connections))
    };
    let control = plan("restart-control")?;
    let server = control.start().await?;
    let fresh = guests(&control.endpoint(), players).await?;
    server.kill().await?;
    let fresh = measure(&control, &fresh, restarts).await?;
    let typical = plan("restart")?;
    let devices = seed(&typical, players).await?;
    let seen = measure(&typical, &devices, restarts).await?;
    let empty = empty_starts(&plan("restart-empty")?, restarts).await?;
    Ok(json!({
        "players": players,
        "restarts": restarts,
        "ready_ms_of_an_empty_store": empty,
        "typical": shown(&seen, players),
        "fresh": shown(&fresh, players),
        "goal": "none is set",
        "note": "players try to come in from the moment of ready, 128 at a time, each with a ticket, an upgrade and a hello",
    }))
}

fn shown(seen: &[Seen], players: usize) -> Value {
    let ms = |of: fn(&Seen) -> Duration| round(median(seen.iter().map(|it| millis(of(it))).collect()));
    json!({
        "ready_ms": ms(|it| it.ready),
        "half_back_ms": ms(|it| it.half_back),
        "all_back_ms": ms(|it| it.all_back),
        "server_cpu_ms": ms(|it| it.cpu),
        "cpu_us_a_player": round(ms(|it| it.cpu) * 1000.0 / float_of(players)),
        "resumed_with_events": seen.iter().map(|it| it.resumed).collect::<Vec<_>>(),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

async fn empty_starts(plan: &ServerPlan, restarts: usize) -> Result<f64> {
    let mut times = Vec::new();
    // The first one makes the tables.
    plan.start().await?.kill().await?;
    for _ in 0..restarts {
        let began = Instant::now();
        let server = plan.start().await?;
        times.push(millis(began.elapsed()));
        server.kill().await?;
    }
    Ok(round(median(times)))
}

async fn measure(plan: &ServerPlan, devices: &[Device], restarts: usize) -> Result<Vec<Seen>> {
    let mut server = plan.start().await?;
    let mut crowd = Crowd::new();
    let mut known = seqs(&crowd.connect(&plan.endpoint(), devices, |_| None).await?, devices.len())?;
    let mut all = Vec::new();
    for _ in 0..restarts {
        drop(crowd);
        server.kill().await?;
        let began = Instant::now();
        server = plan.start().await?;
        let ready_at = Instant::now();
        crowd = Crowd::new();
        let back = crowd.connect(&plan.endpoint(), devices, |index| known.get(index).copied()).await?;
        let cpu = cpu_time(server.id().context("the server runs")?)?;
        known = seqs(&back, devices.len())?;
        let mut times: Vec<Duration> = back.iter().map(|it| it.at - ready_at).collect();
        times.sort_unstable();
        let last = |count: usize| times.get(count.saturating_sub(1)).copied().unwrap_or_default();
        let seen = Seen {
            ready: ready_at - began,
            half_back: last(times.len() / 2),
            all_back: last(times.len()),
            cpu,
            resumed: back.iter().filter(|it| it.resumed).count(),
        };
        eprintln!("ready after {:?}, all back {:?} later, CPU {:?}", seen.ready, seen.all_back, seen.cpu);
        all.push(seen);
    }
    drop(crowd);
    ensure!(server.stop().await?.success(), "the server did not end well: {}", plan.log_tail());
    Ok(all)
}

/// What each player knows.
fn seqs(welcomed: &[Welcomed], players: usize) -> Result<Vec<u64>> {
    let mut seqs = vec![0; players];
    for it in welcomed {
        *seqs.get_mut(it.index).context("nobody else came")? = it.seq;
    }
    Ok(seqs)
}
