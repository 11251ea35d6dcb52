use persistence::store::StoreFuture;
use persistence::{Fault, MemoryStore};
use simulation::hero::{DayRecord, Today};
use tokio::time::timeout;

use super::*;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const NOW_MS: i64 = 1_780_000_000_000;

#[test]
fn a_gap_is_an_outage_from_the_minimum_on() {
    let found = |last_beat_ms| outage(last_beat_ms, NOW_MS, HOUR_MS);
    assert_eq!(found(None), None, "the first start of all");
    assert_eq!(found(Some(NOW_MS)), None);
    assert_eq!(found(Some(NOW_MS - HOUR_MS + 1)), None);
    let hour = Outage { from_ms: NOW_MS - HOUR_MS, until_ms: NOW_MS };
    assert_eq!(found(Some(NOW_MS - HOUR_MS)), Some(hour));
    assert_eq!(found(Some(NOW_MS + HOUR_MS)), None, "a clock that stepped back");
    assert_eq!(outage(Some(i64::MIN), i64::MAX, HOUR_MS).map(|it| it.until_ms), Some(i64::MAX));
    assert_eq!(outage(Some(NOW_MS), NOW_MS, 0), None, "no length is no outage");
}

#[test]
fn only_outages_that_a_hero_may_remember_concern_it() {
    let outage = |from, until| Outage { from_ms: from * HOUR_MS, until_ms: until * HOUR_MS };
    let all = [outage(1, 2), outage(9, 11), outage(30, 40), outage(50, 99)];
    let concerning = |hero: &Hero| concerning(&all, hero, 60 * HOUR_MS).collect::<Vec<_>>();
    let mut hero = Hero { created_at_ms: HOUR_MS, today: Today::default(), ..Hero::default() };
    hero.today.bounds.start_ms = 20 * HOUR_MS;
    assert_eq!(concerning(&hero), all[2..3], "the last one is over in the future");
    hero.days.push(DayRecord { start_minute: 10 * 60, ..DayRecord::default() });
    assert_eq!(concerning(&hero), all[1..3]);
    hero.created_at_ms = 11 * HOUR_MS;
    assert_eq!(concerning(&hero), all[2..3], "it did not live yet");
}

struct Rig {
    store: MemoryStore,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl Rig {
    fn new() -> Self {
        Self { store: MemoryStore::new(), clock: Clock::fixed(NOW_MS), metrics: Arc::new(Metrics::new()) }
    }

    async fn begin(&self) -> Heartbeat {
        let store = Arc::new(self.store.clone());
        let begun = Heartbeat::begin(store, self.clock.clone(), Arc::clone(&self.metrics), HOUR_MS).await;
        begun.expect("the store can be read")
    }

    async fn last_beat_ms(&self) -> Option<i64> {
        self.store.last_beat().await.expect("the store can be read")
    }

    fn found(&self) -> u64 {
        self.metrics.outages_detected_total.get()
    }
}

/// A store that takes beats and no outages.
struct Forgetful(MemoryStore);

impl UptimeStore for Forgetful {
    fn beat(&self, now_ms: i64) -> StoreFuture<'_, ()> {
        self.0.beat(now_ms)
    }

    fn last_beat(&self) -> StoreFuture<'_, Option<i64>> {
        self.0.last_beat()
    }

    fn add_outage(&self, _outage: Outage) -> StoreFuture<'_, ()> {
        Box::pin(async { Err(StoreError::Unavailable("not now".into())) })
    }

    fn outages(&self, since_ms: i64) -> StoreFuture<'_, Vec<Outage>> {
        self.0.outages(since_ms)
    }
}

#[tokio::test]
async fn there_is_no_beat_before_the_outage_is_noted() {
    let rig = Rig::new();
    rig.begin().await;
    rig.clock.advance(2 * HOUR_MS);
    let store = Arc::new(Forgetful(rig.store.clone()));
    let begun = Heartbeat::begin(store, rig.clock.clone(), Arc::clone(&rig.metrics), HOUR_MS).await;
    assert!(begun.expect("the store can be read").outages().borrow().is_empty());
    assert_eq!((rig.found(), rig.last_beat_ms().await), (0, Some(NOW_MS)), "else nobody would find it again");
    rig.clock.advance(MINUTE_MS);
    let found = Outage { from_ms: NOW_MS, until_ms: rig.clock.now_ms() };
    assert_eq!(*rig.begin().await.outages().borrow().to_vec(), [found]);
}

#[tokio::test]
async fn a_start_finds_how_long_the_service_was_away() {
    let rig = Rig::new();
    assert!(rig.begin().await.outages().borrow().is_empty());
    rig.clock.advance(59 * MINUTE_MS);
    assert!(rig.begin().await.outages().borrow().is_empty());
    let from_ms = rig.clock.now_ms();
    rig.clock.advance(HOUR_MS);
    let outage = Outage { from_ms, until_ms: from_ms + HOUR_MS };
    assert_eq!(*rig.begin().await.outages().borrow().to_vec(), [outage]);
    assert_eq!((rig.found(), rig.last_beat_ms().await), (1, Some(rig.clock.now_ms())));
    rig.clock.advance(MINUTE_MS);
    assert_eq!(*rig.begin().await.outages().borrow().to_vec(), [outage], "it is known from now on");
    assert_eq!(rig.found(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_beats_every_minute_and_once_more_at_the_end() {
    let rig = Rig::new();
    let beating = rig.begin().await.start();
    rig.clock.advance(MINUTE_MS);
    let beaten = async {
        while rig.last_beat_ms().await != Some(NOW_MS + MINUTE_MS) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(2 * BEAT_EVERY, beaten).await.expect("it beats");
    rig.clock.advance(5_000);
    beating.stop().await;
    assert_eq!(rig.last_beat_ms().await, Some(rig.clock.now_ms()));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_for_an_hour_was_an_outage() {
    let rig = Rig::new();
    let heartbeat = rig.begin().await;
    let mut outages = heartbeat.outages();
    let beating = heartbeat.start();
    rig.store.fail_until_healed(Fault::Unavailable);
    tokio::time::sleep(2 * BEAT_EVERY).await;
    rig.clock.advance(HOUR_MS);
    tokio::time::sleep(2 * BEAT_EVERY).await;
    assert_eq!(rig.last_beat_ms().await, Some(NOW_MS), "nothing can be noted");
    assert!(outages.borrow().is_empty());
    rig.store.heal();
    let seen = timeout(2 * BEAT_EVERY, outages.changed()).await;
    seen.expect("the next beat finds it").expect("it beats");
    assert_eq!(*outages.borrow().to_vec(), [Outage { from_ms: NOW_MS, until_ms: NOW_MS + HOUR_MS }]);
    assert_eq!(rig.found(), 1);
    beating.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_declares_is_read_within_seconds() {
    let rig = Rig::new();
    let declared = Arc::new(Notify::new());
    let heartbeat = rig.begin().await.reread_when(Arc::clone(&declared));
    let mut outages = heartbeat.outages();
    let beating = heartbeat.start();
    let outage = |hours| Outage { from_ms: NOW_MS - hours * HOUR_MS, until_ms: NOW_MS - HOUR_MS };
    rig.store.add_outage(outage(2)).await.expect("the store is there");
    let seen = timeout(2 * LOOK_EVERY, outages.changed()).await;
    seen.expect("another server's is found").expect("it beats");
    assert_eq!(outages.borrow_and_update().to_vec(), [outage(2)]);
    rig.store.add_outage(outage(3)).await.expect("the store is there");
    declared.notify_one();
    let seen = timeout(Duration::from_millis(1), outages.changed()).await;
    seen.expect("one's own is read at once").expect("it beats");
    assert_eq!(outages.borrow_and_update().len(), 2);
    assert!(timeout(3 * LOOK_EVERY, outages.changed()).await.is_err(), "nothing new is no news");
    assert_eq!(rig.found(), 0, "nobody was away");
    beating.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_written_does_not_stop_the_start() {
    let rig = Rig::new();
    rig.begin().await;
    rig.clock.advance(2 * HOUR_MS);
    rig.store.fail_until_healed(Fault::Full);
    let heartbeat = rig.begin().await;
    let mut outages = heartbeat.outages();
    assert_eq!(rig.found(), 0);
    let beating = heartbeat.start();
    rig.store.heal();
    let seen = timeout(2 * BEAT_EVERY, outages.changed()).await;
    seen.expect("it is made up for").expect("it beats");
    assert_eq!((rig.found(), outages.borrow().len()), (1, 1));
    beating.stop().await;
}
