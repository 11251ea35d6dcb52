//! `memory`: what each connected player adds to the resident memory of the server, all in, with a typical hero.
//!
//! What the server has before anybody comes is subtracted. How much of it is the socket is seen on a server of its own, where
//! everybody comes a second time with another device of the same hero.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::crowd::{Crowd, seed};
use super::{BenchOptions, float, float_of, round};
use crate::faults::ServerPlan;
use crate::process::Memory;
use crate::wire::Device;

/// Connected players, one figure for each. A process may open 20,000 files on many machines.
const PLAYERS: [usize; 2] = [10_000, 19_000];
const PLAYERS_QUICK: [usize; 2] = [5, 10];
const KIB_MAX: f64 = 6.0;
/// Memory that has not changed by more than [`STILL_KIB`] for so long is what the players need.
const STILL_FOR: Duration = Duration::from_secs(5);
const STILL_KIB: u64 = 256;
/// Longer is not waited; then the figure is what is there.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// Sockets above the players': health checks, tickets on their way.
const SPARE_CONNECTIONS: usize = 500;

pub(super) async fn run(options: &BenchOptions) -> Result<Value> {
    let most = options.players(PLAYERS[1], PLAYERS_QUICK[1]);
    let players = match options.players {
        Some(_) => [most / 2, most],
        None => [options.count(PLAYERS[0], PLAYERS_QUICK[0]), most],
    };
    let plan = options.plan("memory")?;
    let plan = plan.with("CONNECTIONS_MAX", &(most + SPARE_CONNECTIONS).to_string());
    let devices = seed(&plan, most).await?;
    let (base, all) = all_in(&plan, &devices, &players).await?;
    let (hero_and_socket, second_socket) = split(&plan, &devices[..most / 2]).await?;
    let worst = all.iter().map(|seen| seen.1).fold(0.0, f64::max);
    let shown: Vec<Value> = all
        .iter()
        .map(|(memory, kib, anonymous_kib, count)| {
            json!({ "players": count, "rss_mib": mib(*memory), "kib_each": kib, "anonymous_kib_each": anonymous_kib })
        })
        .collect();
    Ok(json!({
        "connected": shown,
        "rss_mib_before": mib(base),
        "kib_each": worst,
        "goal": format!("kib_each <= {KIB_MAX}"),
        "is_met": worst <= KIB_MAX,
        "split_kib": {
            "players": most / 2,
            "idle_socket": second_socket,
            "hero": round(hero_and_socket - second_socket),
        },
    }))
}

/// Resident memory with each number of players: all, KiB each, of that anonymous, players.
type Seen = (Memory, f64, f64, usize);

async fn all_in(plan: &ServerPlan, devices: &[Device], counts: &[usize]) -> Result<(Memory, Vec<Seen>)> {
    let server = plan.start().await?;
    let id = server.id().context("the server runs")?;
    let base = settled(id).await?;
    let mut crowd = Crowd::new();
    let (mut connected, mut all) = (0, Vec::new());
    for &count in counts {
        crowd.connect(&plan.endpoint(), &devices[connected..count], |_| None).await?;
        connected = count;
        let memory = settled(id).await?;
        let each = |of: fn(&Memory) -> u64| round((float(of(&memory)) - float(of(&base))) / float_of(count));
        let (kib, anonymous_kib) = (each(|it| it.rss_kib), each(|it| it.anonymous_kib));
        eprintln!("{count} players: {kib} KiB each, {anonymous_kib} of it anonymous");
        all.push((memory, kib, anonymous_kib, count));
    }
    drop(crowd);
    ensure!(server.stop().await?.success(), "the server did not end well: {}", plan.log_tail());
    Ok((base, all))
}

/// KiB of a player with its first socket, and of a second socket.
async fn split(plan: &ServerPlan, devices: &[Device]) -> Result<(f64, f64)> {
    let server = plan.start().await?;
    let id = server.id().context("the server runs")?;
    let base = settled(id).await?;
    let mut crowd = Crowd::new();
    crowd.connect(&plan.endpoint(), devices, |_| None).await?;
    let first = settled(id).await?;
    let second_devices: Vec<Device> = devices.iter().map(|device| device.sibling(2, device.source)).collect();
    crowd.connect(&plan.endpoint(), &second_devices, |_| None).await?;
    let second = settled(id).await?;
    drop(crowd);
    ensure!(server.stop().await?.success(), "the server did not end well: {}", plan.log_tail());
    let each = |more: Memory, less: Memory| {
        round((float(more.rss_kib) - float(less.rss_kib)) / float_of(devices.len()))
    };
    Ok((each(first, base), each(second, first)))
}

/// Memory when it does not change any more.
async fn settled(id: u32) -> Result<Memory> {
    let began = Instant::now();
    let (mut last, mut since) = (Memory::of(id)?, began);
    while since.elapsed() < STILL_FOR && began.elapsed() < SETTLES_WITHIN {
        sleep(Duration::from_millis(200)).await;
        let now = Memory::of(id)?;
        if now.rss_kib.abs_diff(last.rss_kib) > STILL_KIB {
            (last, since) = (now, Instant::now());
        }
    }
    Memory::of(id)
}

fn mib(memory: Memory) -> f64 {
    round(float(memory.rss_kib) / 1024.0)
}
