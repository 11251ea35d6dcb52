//! Thousands of typical players: how they come into a store, and how they connect and stay.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use protocol::server::WelcomeState;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::empty;
use crate::faults::ServerPlan;
use crate::http::Endpoint;
use crate::wire::{Device, Received};

/// Players on their way in at the same time, so that this program does not stumble over its own sockets.
const CONNECTS_AT_ONCE_MAX: usize = 128;
/// How often a player tries to come in.
const ATTEMPTS_MAX: u32 = 20;
/// How long it waits between two of them.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// A file system without a disk: seeding waits for the disk some times for each player.
const MEMORY_FOLDER: &str = "/dev/shm";
/// The store of a plan, its log, and the secret that opens what players typed.
const STORE_FILES: [&str; 3] = ["heroes.sqlite", "heroes.sqlite-wal", "heroes.sqlite.secret"];

/// As `dopamine-hero seed` prints it.
#[derive(Deserialize)]
struct Seeded {
    hero_id: String,
    device_token: String,
    tasks: usize,
    modules: usize,
    days: usize,
}

/// Puts so many typical players into the plan's store.
pub(super) async fn seed(plan: &ServerPlan, players: usize) -> Result<Vec<Device>> {
    eprintln!("seeding {players} players");
    let scratch = Scratch::new(&plan.directory)?;
    let place = ServerPlan::new(&plan.binary, &scratch.0)?;
    let lines = place.seed(players).await?;
    for name in STORE_FILES {
        let from = scratch.0.join(name);
        if from.exists() {
            let to = plan.directory.join(name);
            std::fs::copy(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    let lines = String::from_utf8(lines).context("JSON is UTF-8")?;
    let mut devices = Vec::with_capacity(players);
    for (index, line) in lines.lines().enumerate() {
        let seeded: Seeded = serde_json::from_str(line).context("a line of seed")?;
        let typical = (10, 6, 30);
        ensure!((seeded.tasks, seeded.modules, seeded.days) == typical, "not a typical hero: {line}");
        let (hero_id, device_token) = (seeded.hero_id, seeded.device_token);
        devices.push(Device { hero_id, device_token, stream_id: 1, source: Some(source(index)) });
    }
    ensure!(devices.len() == players, "{} of {players} players were seeded", devices.len());
    Ok(devices)
}

/// A folder that is gone when nobody uses it any more.
struct Scratch(PathBuf);

impl Scratch {
    fn new(beside: &Path) -> Result<Self> {
        let memory = Path::new(MEMORY_FOLDER);
        let parent = if memory.is_dir() { memory } else { beside };
        let folder = parent.join(format!("dopamine-hero-bench-{}", std::process::id()));
        empty(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} stays behind: {error}", self.0.display());
        }
    }
}

/// Every player has an address of its own, as in life: the limits of addresses see what they would see there.
pub(super) fn source(index: usize) -> Ipv4Addr {
    let [.., high, low] = index.saturating_add(1).to_be_bytes();
    Ipv4Addr::new(127, 9, high, low)
}

/// How somebody was welcomed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Welcomed {
    pub(super) index: usize,
    pub(super) at: Instant,
    pub(super) seq: u64,
    /// With what was missed, not with everything.
    pub(super) resumed: bool,
}

/// Players who are connected and only listen; all are gone when this is dropped.
pub(super) struct Crowd {
    listening: JoinSet<Result<()>>,
}

impl Crowd {
    pub(super) fn new() -> Self {
        Self { listening: JoinSet::new() }
    }

    /// Lets more come in, and waits until all are welcomed. `last_seq` says for each what it knows already.
    pub(super) async fn connect(
        &mut self,
        endpoint: &Endpoint,
        devices: &[Device],
        last_seq: impl Fn(usize) -> Option<u64>,
    ) -> Result<Vec<Welcomed>> {
        let permits = Arc::new(Semaphore::new(CONNECTS_AT_ONCE_MAX));
        let (tx, mut rx) = mpsc::channel(CONNECTS_AT_ONCE_MAX);
        for (index, device) in devices.iter().cloned().enumerate() {
            let (permits, tx, endpoint) = (Arc::clone(&permits), tx.clone(), endpoint.clone());
            let last_seq = last_seq(index);
            self.listening.spawn(async move {
                let permit = permits.acquire_owned().await?;
                let (mut socket, welcome) = come_in(&endpoint, &device, last_seq).await?;
                drop(permit);
                let resumed = matches!(welcome.state, WelcomeState::Events(_));
                tx.send(Welcomed { index, at: Instant::now(), seq: welcome.seq, resumed }).await?;
                drop((tx, welcome, device, endpoint));
                loop {
                    if let Received::Closed(code) = socket.receive().await? {
                        bail!("a player was closed with {code}");
                    }
                }
            });
        }
        drop(tx);
        let mut all = Vec::with_capacity(devices.len());
        while all.len() < devices.len() {
            tokio::select! {
                biased;
                Some(ended) = self.listening.join_next() => {
                    ended??;
                    bail!("a player does not end by itself");
                }
                welcomed = rx.recv() => all.push(welcomed.context("everybody is still there")?),
            }
        }
        Ok(all)
    }
}

async fn come_in(
    endpoint: &Endpoint,
    device: &Device,
    last_seq: Option<u64>,
) -> Result<(crate::wire::Socket, protocol::server::Welcome)> {
    for _ in 1..ATTEMPTS_MAX {
        if let Ok(opened) = device.open(endpoint, last_seq).await {
            return Ok(opened);
        }
        sleep(RETRY_AFTER).await;
    }
    device.open(endpoint, last_seq).await
}

/// Makes new guests who have never played.
pub(super) async fn guests(endpoint: &Endpoint, players: usize) -> Result<Vec<Device>> {
    let permits = Arc::new(Semaphore::new(CONNECTS_AT_ONCE_MAX));
    let mut tasks = JoinSet::new();
    for index in 0..players {
        let (permits, endpoint) = (Arc::clone(&permits), endpoint.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            Device::new_guest(&endpoint, Some(source(index)), 1).await
        });
    }
    let mut devices = Vec::with_capacity(players);
    while let Some(device) = tasks.join_next().await {
        devices.push(device??);
    }
    Ok(devices)
}
