//! A stop of an hour or more breaks no streak: heartbeat, store, shard and rules together.

use protocol::types;

use super::*;
use crate::uptime::Heartbeat;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A server that starts now over what the one before left.
async fn restart(store: &Arc<MemoryStore>, clock: &Clock) -> (Rig, Heartbeat) {
    let minimum_ms = Catalogue::builtin().streak.outage_min_ms;
    let metrics = Arc::new(Metrics::new());
    let uptime = Arc::clone(store) as _;
    let heartbeat = Heartbeat::begin(uptime, clock.clone(), metrics, minimum_ms).await;
    let heartbeat = heartbeat.expect("the store can be read");
    (Rig::at(Arc::clone(store), clock.clone(), heartbeat.outages()), heartbeat)
}

/// A hero with a streak of one day and one shield, on a server that has just stopped.
async fn with_a_streak(store: &Arc<MemoryStore>, clock: &Clock) {
    let (mut rig, heartbeat) = restart(store, clock).await;
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    device.send(1, Command::StartFocus { mode, category: Category::None, task_id: None });
    device.durable().await;
    clock.advance(25 * MINUTE_MS);
    device.send(2, Command::EndFocus);
    device.durable().await;
    rig.shard.drain().await;
    heartbeat.start().stop().await;
}

async fn comes_back(store: &Arc<MemoryStore>, clock: &Clock) -> (types::Hero, Vec<String>) {
    let (mut rig, _heartbeat) = restart(store, clock).await;
    let mut device = rig.connect(hero(1), 7, None);
    let WelcomeState::Snapshot(view) = device.welcome().await.state else {
        panic!("a first hello gets a snapshot")
    };
    rig.shard.drain().await;
    let records = store.events(hero(1), persistence::Seq(1), 500).await.expect("the store is there");
    (*view, records.iter().map(|record| record.kind.as_str().to_owned()).collect())
}

fn declared(kinds: &[String]) -> usize {
    kinds.iter().filter(|kind| *kind == "outage_declared").count()
}

#[tokio::test(start_paused = true)]
async fn a_day_without_the_service_breaks_no_streak() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    with_a_streak(&store, &clock).await;
    clock.advance(2 * DAY_MS);
    let (view, kinds) = comes_back(&store, &clock).await;
    assert_eq!((view.streak.days, view.streak.shields), (1, 1), "no shield was spent");
    assert_eq!(declared(&kinds), 1);
    assert_verifies(&store).await;
    for _ in 0..2 {
        clock.advance(MINUTE_MS);
        let (again, kinds_again) = comes_back(&store, &clock).await;
        assert_eq!(kinds_again, kinds, "a second load journals nothing");
        assert_eq!(again.streak, view.streak);
    }
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_59_minutes_is_no_outage() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    with_a_streak(&store, &clock).await;
    // The service is there for two days in which the player is not, but for 59 minutes.
    let minute = || async {
        let (rig, heartbeat) = restart(&store, &clock).await;
        rig.shard.drain().await;
        heartbeat.start().stop().await;
    };
    for _ in 0..2 * 24 {
        clock.advance(59 * MINUTE_MS);
        minute().await;
        clock.advance(MINUTE_MS);
        minute().await;
    }
    let (view, kinds) = comes_back(&store, &clock).await;
    assert_eq!((view.streak.days, view.streak.shields), (1, 0), "the missed day cost the shield");
    assert_eq!(declared(&kinds), 0);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_found_no_room_is_made_up_for() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    with_a_streak(&store, &clock).await;
    clock.advance(2 * DAY_MS);
    // Somebody took the hero in before the outage was known: its days have ended, and the shield is spent.
    let mut early = Rig::at(Arc::clone(&store), clock.clone(), watch::channel(Arc::default()).1);
    let mut device = early.connect(hero(1), 7, None);
    let WelcomeState::Snapshot(view) = device.welcome().await.state else {
        panic!("a first hello gets a snapshot")
    };
    assert_eq!(view.streak.shields, 0);
    early.shard.drain().await;
    let (view, kinds) = comes_back(&store, &clock).await;
    assert_eq!((view.streak.days, view.streak.shields), (1, 1), "the shield is back");
    assert_eq!(declared(&kinds), 1);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_hero_is_not_told_of_what_was_before_it() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    let (_rig, heartbeat) = restart(&store, &clock).await;
    heartbeat.start().stop().await;
    clock.advance(2 * HOUR_MS);
    for _ in 0..2 {
        let (_view, kinds) = comes_back(&store, &clock).await;
        assert_eq!(declared(&kinds), 0);
    }
}

/// What is declared from now on.
fn declaring() -> (watch::Sender<Arc<[persistence::Outage]>>, Outages) {
    watch::channel(Arc::default())
}

#[tokio::test(start_paused = true)]
async fn a_hero_in_memory_hears_of_an_outage_that_is_declared_later() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    with_a_streak(&store, &clock).await;
    clock.advance(2 * DAY_MS);
    let (declare, outages) = declaring();
    let mut rig = Rig::at(Arc::clone(&store), clock.clone(), outages);
    let mut device = rig.connect(hero(1), 7, None);
    let WelcomeState::Snapshot(view) = device.welcome().await.state else {
        panic!("a first hello gets a snapshot")
    };
    assert_eq!(view.streak.shields, 0);
    // Nothing can be saved: it must not be forgotten.
    store.fail_until_healed(persistence::Fault::Unavailable);
    device.send(3, rename("Ada"));
    device
        .expect("status", |message| match message {
            ServerMessage::Status(status) => status.read_only.then_some(()),
            _ => None,
        })
        .await;
    let outage = persistence::Outage { from_ms: NOON_MS + HOUR_MS, until_ms: NOON_MS + 2 * DAY_MS };
    declare.send_replace([outage].into());
    device.told().await;
    store.heal();
    let streak = device
        .expect("the shield", |message| match message {
            ServerMessage::Events(news) => {
                let is_it = news.events.iter().any(|event| event.kind == "outage_declared");
                is_it.then(|| news.patch.streak.expect("it changed"))
            }
            _ => None,
        })
        .await;
    assert_eq!((streak.days, streak.shields), (1, 1));
    // The same list again is no news.
    let seq = store.head(hero(1)).await.expect("the store is there").expect("it is there").last_seq;
    declare.send_replace([outage].into());
    device.told().await;
    assert_eq!(store.head(hero(1)).await.expect("it is there").expect("it is there").last_seq, seq);
    rig.shard.drain().await;
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn many_heroes_hear_of_it_some_in_each_tick() {
    const HEROES: u128 = 350;
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    let (declare, outages) = declaring();
    let mut rig = Rig::at(Arc::clone(&store), clock.clone(), outages);
    let mut devices = Vec::new();
    for number in 1..=HEROES {
        let mut device = rig.connect(hero(number), 7, None);
        device.welcome().await;
        device.told().await;
        devices.push(device);
    }
    clock.advance(2 * HOUR_MS);
    declare.send_replace([persistence::Outage { from_ms: NOON_MS, until_ms: NOON_MS + 2 * HOUR_MS }].into());
    let mut excused = 0;
    let mut largest = 0;
    while excused < devices.len() {
        // One tick.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut now = 0;
        for device in &mut devices {
            device.take();
            let heard = |message: &ServerMessage| {
                matches!(message, ServerMessage::Events(news)
                    if news.events.iter().any(|event| event.kind == "outage_declared"))
            };
            now += usize::from(device.frames.iter().any(heard));
        }
        largest = largest.max(now - excused);
        excused = now;
    }
    assert!(largest <= 200, "{largest} heroes between two looks: no tick may be held up by all of them");
    rig.shard.drain().await;
    assert_verifies(&store).await;
}
