//! Many heroes at the same moment: what is done for them is spread, so that no tick is late for it.

use persistence::HeroState;

use super::*;
use crate::shard::state::{FORGOTTEN_PER_LOOK_MAX, SNAPSHOTS_PER_LOOK_MAX};

/// The most heroes that reach a state between two looks, until all have reached it.
async fn most_at_once(
    rig: &Rig,
    heroes: u128,
    mut is_reached: impl FnMut(&persistence::HeroHead) -> bool,
) -> usize {
    let (mut before, mut most) = (0, 0);
    for _second in 0..300 {
        let mut reached = 0;
        for number in 0..heroes {
            let head = rig.store.head(hero(number)).await.expect("the store is there").expect("it is known");
            reached += usize::from(is_reached(&head));
        }
        most = most.max(reached - before);
        before = reached;
        if reached == usize::try_from(heroes).expect("few") {
            return most;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("only {before} of {heroes} in five minutes");
}

#[tokio::test(start_paused = true)]
async fn heroes_that_changed_together_are_saved_and_forgotten_in_parts() {
    const HEROES: u128 = 700;
    let mut rig = Rig::start();
    let mut devices: Vec<_> = (0..HEROES).map(|number| rig.connect(hero(number), 7, None)).collect();
    for device in &mut devices {
        device.welcome().await;
    }
    // Each was born a moment ago and is due for its first snapshot in the same second.
    let saved = most_at_once(&rig, HEROES, |head| head.snap_seq == head.last_seq).await;
    assert!(saved <= SNAPSHOTS_PER_LOOK_MAX, "{saved} snapshots in one tick");
    for device in &devices {
        rig.shard.detach(device.hero, device.outbox.connection_id).await;
    }
    let forgotten = most_at_once(&rig, HEROES, |head| head.state == HeroState::Free).await;
    assert!(forgotten <= FORGOTTEN_PER_LOOK_MAX, "{forgotten} heroes were forgotten in one tick");
    assert_verifies(&rig.store).await;
}
