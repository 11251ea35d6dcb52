//! A deterministic simulation: two real nodes, from the sockets to the journal writer, on one store in memory, in paused
//! time on one thread, with everything that goes wrong drawn from a seed.
//!
//! Clients know the protocol and nothing else. What they were promised is kept outside of the servers and compared with
//! what is stored at the end. A failure names its seed; the same seed plays the same run:
//! `cargo xtask sim --seeds 1 --from SEED`.

mod checks;
mod client;
mod faults;
mod line;
mod numbers;
mod pipe;
mod road;
mod trace;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use persistence::{Drained, HeroId};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use client::Client;
use line::Lie;
use numbers::Numbers;
use world::World;

/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(60);
/// Once everything is mended, every command has its answer within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(300);
const HEROES: u64 = 2;
const DEVICES_MAX: u64 = 2;

/// What a run that went well looked like.
#[derive(Debug, PartialEq, Eq)]
struct Played {
    /// Over everything that passed a socket or reached the store.
    trace: String,
    counts: BTreeMap<String, u64>,
}

/// Plays one seed. An error says what is wrong, and the end of what happened.
fn play(seed: u64, lie: Lie) -> Result<Played, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without I/O needs nothing that can be missing").block_on(async {
        let mut numbers = Numbers::new(seed);
        let world = World::new(lie, &mut numbers);
        match run(&world, &mut numbers).await {
            Ok(()) => Ok(Played { trace: world.trace.hash(), counts: world.trace.counts() }),
            Err(what) => Err(format!("{}\nseed {seed}: {what}", world.trace.tail())),
        }
    })
}

async fn run(world: &Arc<World>, numbers: &mut Numbers) -> Result<(), String> {
    tokio::select! {
        biased;
        // What follows a mistake proves nothing.
        () = world.ledger.is_wrong() => {}
        () = to_the_end(world, numbers) => {}
    }
    match world.ledger.first_wrong() {
        Some(what) => Err(what),
        None => world.ledger.compare(&world.disk.memory, &world.texts()).await,
    }
}

/// Trouble, then answers for everybody, then both nodes stop.
async fn to_the_end(world: &Arc<World>, numbers: &mut Numbers) {
    for index in 0..2 {
        world.start(index).await;
    }
    let mut clients = JoinSet::new();
    for hero in 1..=HEROES {
        // Short names in the trace; the low half decides the shard.
        let id = HeroId(uuid::Uuid::from_u128((u128::from(hero) << 112) | u128::from(numbers.next())));
        for device in 1..=numbers.between(1, DEVICES_MAX) {
            let client = Client::new(Arc::clone(world), format!("{hero}.{device}"), id, numbers.fork());
            clients.spawn(client.play());
        }
    }
    faults::run(Arc::clone(world), numbers.fork(), TROUBLE).await;
    world.trace.note("all is mended", &[]);
    world.finish();
    let all = async { while clients.join_next().await.is_some_and(|ended| ended.is_ok()) {} };
    if tokio::time::timeout(ANSWERS_WITHIN, all).await.is_err() || !clients.is_empty() {
        world.ledger.wrong("a client has no answer, or panicked".to_owned());
    }
    for index in 0..2 {
        let drained = world.stop(index).await;
        if drained != Some(Drained::Clean) {
            world.ledger.wrong(format!("node {index} drained with {drained:?}"));
        }
    }
    world.end_sockets().await;
}

/// What each of the tests below must have met, or it proves little.
const MET: [&str; 12] = [
    "durable",
    "duplicate",
    "event",
    "written before",
    "fenced",
    "failed",
    "busy",
    "read_only",
    "out_of_order",
    "no_session",
    "close 1012",
    "close 1013",
];

/// Plays seeds in order and stops at the first that fails.
fn all_hold(seeds: std::ops::Range<u64>) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds {
        match play(seed, Lie::None) {
            Ok(played) => add(&mut counts, played.counts),
            Err(what) => panic!("{what}"),
        }
    }
    let missing: Vec<_> = MET.iter().filter(|kind| !counts.contains_key(**kind)).collect();
    assert!(missing.is_empty(), "these seeds never met {missing:?}: {counts:?}");
}

fn add(counts: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (kind, count) in more {
        *counts.entry(kind).or_default() += count;
    }
}

#[test]
fn seeds_0_to_49_hold() {
    all_hold(0..50);
}

#[test]
fn seeds_50_to_99_hold() {
    all_hold(50..100);
}

#[test]
fn seeds_100_to_149_hold() {
    all_hold(100..150);
}

#[test]
fn seeds_150_to_199_hold() {
    all_hold(150..200);
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..10 {
        assert_eq!(play(seed, Lie::None), play(seed, Lie::None));
    }
}

/// How many of some seeds notice what the disk does wrong.
fn caught(lie: Lie, seeds: u64) -> usize {
    let caught: Vec<String> = (0..seeds).filter_map(|seed| play(seed, lie).err()).collect();
    for what in &caught {
        println!("{}", what.lines().last().unwrap_or_default());
    }
    caught.len()
}

#[test]
fn a_disk_that_confirms_before_it_stores_is_caught() {
    let caught = caught(Lie::ConfirmsEarly, 20);
    assert!(caught >= 10, "in {caught} of 20 seeds");
}

#[test]
fn a_disk_that_lets_former_owners_believe_is_caught() {
    let caught = caught(Lie::ConfirmsStrangers, 40);
    // Only a node that was taken for dead, and whose players are still there, can believe it.
    assert!(caught >= 2, "in {caught} of 40 seeds");
}

#[test]
fn a_disk_that_drops_a_write_is_caught() {
    let caught = caught(Lie::DropsSome, 20);
    assert!(caught >= 10, "in {caught} of 20 seeds");
}

/// A few more, or with `cargo xtask sim` as many as wanted: all of them, whatever fails.
#[test]
fn as_many_seeds_as_wanted_hold() {
    let variable = |name| {
        let text = std::env::var_os(name).and_then(|text| text.into_string().ok());
        text.and_then(|text| text.parse::<u64>().ok())
    };
    let (from, seeds) = (variable("SIM_FROM").unwrap_or(200), variable("SIM_SEEDS").unwrap_or(10));
    let (mut failed, mut counts, mut traces) = (Vec::new(), BTreeMap::new(), Vec::new());
    for seed in from..from.saturating_add(seeds) {
        match play(seed, Lie::None) {
            Ok(played) => {
                add(&mut counts, played.counts);
                traces.push(played.trace);
            }
            Err(what) => {
                println!("{what}");
                failed.push(seed);
            }
        }
    }
    println!("{seeds} seeds from {from}, met: {counts:?}");
    println!("all traces: {}", data_encoding::HEXLOWER.encode(&Sha256::digest(traces.concat())));
    assert!(failed.is_empty(), "{} of {seeds} seeds fail: {failed:?}", failed.len());
}
