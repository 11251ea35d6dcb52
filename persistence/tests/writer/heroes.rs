//! One hero's trouble is not another's: fences and poison.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use persistence::{
    Epoch, EventBody, EventKind, Fault, Fence, FenceReason, HeroState, JournalStore, Notice, Seq,
    SnapshotRecord, StoreError, Subscription, Ticket,
};
use tokio::sync::mpsc;

use crate::bench::Bench;
use crate::history::{Owner, hero, node};

fn fenced(number: u128, epoch: u64, why: FenceReason) -> Notice {
    Notice::Fenced(vec![Fence { hero: hero(number), epoch: Epoch(epoch), why }])
}

#[tokio::test(start_paused = true)]
async fn a_fenced_hero_is_dropped_and_the_rest_goes_on() {
    let mut bench = Bench::new(3).await;
    bench.memory.hold_appends();
    for number in [1, 2, 3] {
        bench.submit(number, 1);
    }
    // These wait behind the flush.
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    bench.submit(2, 1);
    bench.submit(3, 1);
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    bench.memory.claim(hero(2), node(2)).await.unwrap();
    bench.memory.release_appends();
    bench.settled(Ticket(5)).await;
    assert_eq!(bench.notices, [fenced(2, 1, FenceReason::Epoch)], "once, for everything that waited");
    assert_eq!(bench.stored(2).await, 0);
    bench.assert_stored_all(1).await;
    bench.assert_stored_all(3).await;
    // Loaded again it goes on with its new epoch.
    let owner = Owner::claim(&bench.memory, hero(2)).await;
    bench.owners.insert(hero(2), owner);
    let ticket = bench.submit(2, 2);
    bench.settled(ticket).await;
    bench.assert_stored_all(2).await;
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_comes_after_the_fence_is_fenced_too() {
    let mut bench = Bench::new(1).await;
    bench.memory.claim(hero(1), node(2)).await.unwrap();
    let first = bench.submit(1, 1);
    bench.settled(first).await;
    let second = bench.submit(1, 1);
    bench.settled(second).await;
    assert_eq!(bench.notices, [fenced(1, 1, FenceReason::Epoch), fenced(1, 1, FenceReason::Epoch)]);
    assert_eq!(bench.stored(1).await, 0);
    bench.drain().await;
}

/// Looks for notices at the very moment the watermark moves.
struct Witness {
    notices: Mutex<mpsc::Receiver<Notice>>,
    seen: Mutex<Vec<Notice>>,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        self.seen.lock().unwrap().extend(self.notices.lock().unwrap().try_recv());
    }
}

#[tokio::test(start_paused = true)]
async fn a_notice_comes_before_the_watermark_that_covers_it() {
    let mut bench = Bench::new(2).await;
    let Subscription { notices, mut watermark, .. } = bench.journal.subscribe();
    let witness = Arc::new(Witness { notices: Mutex::new(notices), seen: Mutex::default() });
    bench.memory.claim(hero(1), node(2)).await.unwrap();
    let dropped = bench.submit(1, 1);
    {
        let mut moved = pin!(watermark.changed());
        let waker = Waker::from(Arc::clone(&witness));
        assert!(moved.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        bench.settled(dropped).await;
    }
    assert_eq!(*witness.seen.lock().unwrap(), [fenced(1, 1, FenceReason::Epoch)]);
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_owners_groups_survive_the_fence_of_the_old() {
    let mut bench = Bench::new(2).await;
    bench.memory.hold_appends();
    bench.submit(1, 1);
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    // The hero was reloaded while the old owner's event was in flight; both wait for the same writer.
    let owner = Owner::claim(&bench.memory, hero(1)).await;
    bench.owners.insert(hero(1), owner);
    let ticket = bench.submit(1, 2);
    bench.memory.release_appends();
    bench.settled(ticket).await;
    assert_eq!(bench.notices, [fenced(1, 1, FenceReason::Epoch)], "it names the old epoch");
    bench.assert_stored_all(1).await;
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn two_epochs_of_a_hero_never_share_a_flush() {
    let mut bench = Bench::new(1).await;
    bench.submit(1, 1);
    let owner = Owner::claim(&bench.memory, hero(1)).await;
    bench.owners.insert(hero(1), owner);
    let ticket = bench.submit(1, 1);
    bench.settled(ticket).await;
    assert_eq!(bench.notices, [fenced(1, 1, FenceReason::Epoch)]);
    bench.assert_stored_all(1).await;
    bench.drain().await;
}

fn submit_poison(bench: &mut Bench, number: u128) {
    let permit = bench.reserve(number, 1).unwrap();
    let body = EventBody { kind: EventKind::of("poison"), ..Owner::body("bad") };
    let group = bench.owners.get_mut(&hero(number)).unwrap().group([body]);
    let _ticket = bench.journal.submit(permit, group);
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_hero_is_quarantined_and_the_rest_goes_on() {
    let mut bench = Bench::new(5).await;
    bench.memory.refuse_kind(EventKind::of("poison"));
    bench.submit(1, 1);
    submit_poison(&mut bench, 2);
    for number in [2, 3, 4, 5] {
        bench.submit(number, 2);
    }
    let last = bench.submit(3, 1);
    bench.settled(last).await;
    assert_eq!(bench.notices, [Notice::Poisoned { hero: hero(2), epoch: Epoch(1) }]);
    let head = bench.memory.head(hero(2)).await.unwrap().unwrap();
    assert!(matches!(head.state, HeroState::Quarantined { .. }), "{head:?}");
    assert_eq!(head.last_seq, Seq(0));
    for number in [1, 3, 4, 5] {
        bench.assert_stored_all(number).await;
    }
    let refused = bench.memory.claim(hero(2), node(1)).await;
    assert!(matches!(refused, Err(StoreError::Quarantined { .. })), "{refused:?}");
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn faults_in_the_middle_of_the_search_do_not_confuse_it() {
    for fault in
        [Fault::Busy, Fault::AmbiguousApplied, Fault::AmbiguousLost, Fault::AmbiguousLate, Fault::Full]
    {
        let mut bench = Bench::new(3).await;
        // The whole flush is refused, then each hero goes alone: the first meets the fault.
        bench.memory.fail_next(Fault::Poison);
        bench.memory.fail_next(fault);
        bench.memory.refuse_kind(EventKind::of("poison"));
        bench.submit(1, 2);
        submit_poison(&mut bench, 2);
        let last = bench.submit(3, 2);
        bench.settled(last).await;
        let poisoned = |notice: &&Notice| matches!(notice, Notice::Poisoned { .. });
        assert_eq!(bench.notices.iter().filter(poisoned).count(), 1);
        assert_eq!(bench.stored(2).await, 0);
        bench.assert_stored_all(1).await;
        bench.assert_stored_all(3).await;
        bench.drain().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_snapshot_is_told_as_a_fence() {
    let mut bench = Bench::new(1).await;
    let ticket = bench.submit(1, 1);
    bench.settled(ticket).await;
    let snapshot: SnapshotRecord = bench.owners[&hero(1)].snapshot("state of a former owner");
    bench.memory.claim(hero(1), node(2)).await.unwrap();
    assert!(bench.journal.snapshot(snapshot));
    bench.wait_until("told", |bench| bench.notices == [fenced(1, 1, FenceReason::Epoch)]).await;
    bench.drain().await;
}
