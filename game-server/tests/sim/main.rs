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

use std::sync::Arc;
use std::time::Duration;

use persistence::{Drained, HeroId};
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
    acknowledged: usize,
    shown: usize,
}

/// Plays one seed. An error says what is wrong, and the end of what happened.
fn play(seed: u64, lie: Lie) -> Result<Played, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut numbers = Numbers::new(seed);
        let world = World::new(lie, &mut numbers);
        let played = run(&world, &mut numbers).await;
        let (acknowledged, shown) = world.ledger.counts();
        match played {
            Ok(()) => Ok(Played { trace: world.trace.hash(), acknowledged, shown }),
            Err(what) => Err(format!("{}\nseed {seed}: {what}", world.trace.tail())),
        }
    })
}

async fn run(world: &Arc<World>, numbers: &mut Numbers) -> Result<(), String> {
    for index in 0..2 {
        world.start(index).await;
    }
    let mut clients = JoinSet::new();
    for hero in 1..=HEROES {
        // Short names in the trace; the low half decides the shard.
        let id = HeroId(uuid::Uuid::from_u128(u128::from(hero) << 112 | u128::from(numbers.next())));
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
    match world.ledger.first_wrong() {
        Some(what) => Err(what),
        None => world.ledger.compare(&world.disk.memory).await,
    }
}

/// Plays seeds in order and stops at the first that fails.
fn all_hold(seeds: std::ops::Range<u64>) {
    let (mut acknowledged, mut shown) = (0, 0);
    for seed in seeds {
        match play(seed, Lie::None) {
            Ok(played) => (acknowledged, shown) = (acknowledged + played.acknowledged, shown + played.shown),
            Err(what) => panic!("{what}"),
        }
    }
    println!("{acknowledged} commands acknowledged, {shown} events shown");
}

#[test]
fn seeds_0_to_49_hold() {
    all_hold(0..50);
}

/// `cargo xtask sim`: as many seeds as wanted, all of them, whatever fails.
#[test]
#[ignore = "as long as one likes: cargo xtask sim --seeds N"]
fn as_many_seeds_as_wanted() {
    let variable = |name| {
        let text = std::env::var_os(name).and_then(|text| text.into_string().ok());
        text.and_then(|text| text.parse::<u64>().ok())
    };
    let (from, seeds) = (variable("SIM_FROM").unwrap_or(0), variable("SIM_SEEDS").unwrap_or(1_000));
    let mut failed = Vec::new();
    for seed in from..from.saturating_add(seeds) {
        match play(seed, Lie::None) {
            Ok(_) => {}
            Err(what) => {
                println!("{what}");
                failed.push(seed);
            }
        }
    }
    assert!(failed.is_empty(), "{} of {seeds} seeds fail: {failed:?}", failed.len());
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..5 {
        assert_eq!(play(seed, Lie::None), play(seed, Lie::None));
    }
}
