//! What goes wrong in a run, when and for how long: all of it drawn from the seed.

use std::sync::Arc;
use std::time::Duration;

use persistence::Fault;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::numbers::Numbers;
use crate::road::Way;
use crate::world::World;

const HOUR_MS: i64 = 3_600_000;
/// What a store may answer for a while. Never `Broken`: a node gives itself up then, as it should.
const OUTAGES: [Fault; 6] = [
    Fault::Busy,
    Fault::Unavailable,
    Fault::Full,
    Fault::AmbiguousApplied,
    Fault::AmbiguousLost,
    Fault::AmbiguousLate,
];

/// Breaks things until the time is over, then mends all of them.
pub(crate) async fn run(world: Arc<World>, mut numbers: Numbers, length: Duration) {
    let ends = Instant::now() + length;
    let mut mending = JoinSet::new();
    while Instant::now() < ends {
        sleep(numbers.millis(200, 6_000)).await;
        one(&world, &mut numbers, &mut mending);
    }
    while mending.join_next().await.is_some() {}
    world.disk.memory.heal();
    world.disk.writes.set(Way::Open);
    for index in 0..2 {
        world.set_ways(index, Way::Open, Way::Open);
        if !world.is_running(index) {
            world.start(index).await;
        }
    }
}

/// One more thing goes wrong, and is mended after a while.
fn one(world: &Arc<World>, numbers: &mut Numbers, mending: &mut JoinSet<()>) {
    let (index, kind) = (numbers.index(2), numbers.between(0, 11));
    let world = Arc::clone(world);
    let memory = world.disk.memory.clone();
    match kind {
        0 | 1 => {
            let (seed, permille) =
                (numbers.next(), u16::try_from(numbers.between(50, 400)).expect("it is small"));
            world.trace.note(&format!("the store fails {permille} of 1000"), &[]);
            memory.fail_at_random(seed, permille);
            mend(mending, numbers.millis(1_000, 10_000), move || memory.heal());
        }
        2 => {
            world.trace.note("the store holds writes", &[]);
            world.disk.writes.set(Way::Stalled);
            mend(mending, numbers.millis(200, 8_000), move || world.disk.writes.set(Way::Open));
        }
        3 => {
            let fault = OUTAGES[numbers.index(OUTAGES.len())].clone();
            world.trace.note(&format!("the store answers {fault:?}"), &[]);
            memory.fail_until_healed(fault);
            mend(mending, numbers.millis(500, 20_000), move || memory.heal());
        }
        4 | 5 => {
            if world.kill(index) {
                let after = numbers.millis(100, 25_000);
                mending.spawn(async move {
                    sleep(after).await;
                    world.start(index).await;
                });
            }
        }
        6 => {
            let after = numbers.millis(100, 10_000);
            mending.spawn(async move {
                if world.stop(index).await.is_some() {
                    sleep(after).await;
                    world.start(index).await;
                }
            });
        }
        7 | 8 => {
            world.set_ways(index, Way::Stalled, Way::Stalled);
            let thaws = numbers.millis(5_000, 40_000);
            mend(mending, thaws, move || world.set_ways(index, Way::Open, Way::Open));
        }
        9 => {
            world.set_ways(index, Way::Stalled, Way::Open);
            let ends = numbers.millis(1_000, 40_000);
            mend(mending, ends, move || world.set_ways(index, Way::Open, Way::Open));
        }
        10 => world.cut_sockets(index),
        _ => world.step_clock(index, if numbers.percent(50) { HOUR_MS } else { -HOUR_MS }),
    }
}

fn mend(mending: &mut JoinSet<()>, after: Duration, how: impl FnOnce() + Send + 'static) {
    mending.spawn(async move {
        sleep(after).await;
        how();
    });
}
