//! Batches, order, permits, snapshots, drain, on a store that works.

use std::time::Duration;

use persistence::record::GROUP_EVENTS_MAX;
use persistence::writer::{FLUSH_AGE, FLUSH_EVENTS_MAX, QUEUE_EVENTS_MAX};
use persistence::{Drained, JournalStore, Refused, Seq, SnapshotRecord, Ticket};
use tokio::time::Instant;

use crate::bench::Bench;
use crate::history::hero;

#[tokio::test(start_paused = true)]
async fn a_lone_command_is_durable_after_the_flush_age() {
    let mut bench = Bench::new(1).await;
    let started = Instant::now();
    let ticket = bench.submit(1, 2);
    assert_eq!(ticket, Ticket(1));
    bench.settled(ticket).await;
    assert!(started.elapsed() >= FLUSH_AGE && started.elapsed() <= FLUSH_AGE * 2, "{:?}", started.elapsed());
    bench.assert_stored_all(1).await;
    assert_eq!(bench.flushes(), [2]);
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_together_share_a_flush() {
    let mut bench = Bench::new(10).await;
    let mut last = Ticket(0);
    for number in (1..=10).chain(1..=10) {
        last = bench.submit(number, 3);
    }
    bench.settled(last).await;
    assert_eq!(bench.flushes(), [60]);
    for number in 1..=10 {
        bench.assert_stored_all(number).await;
    }
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_flush_starts_at_once_and_never_splits_a_command() {
    let mut bench = Bench::new(20).await;
    let started = Instant::now();
    let mut last = Ticket(0);
    // 50 events each: five fill 250 of 256, the sixth would be split.
    for number in 1..=20 {
        last = bench.submit(number, 50);
    }
    bench.settled(last).await;
    assert_eq!(bench.flushes(), [250, 250, 250, 250]);
    assert!(bench.flushes().iter().all(|events| *events <= FLUSH_EVENTS_MAX));
    assert!(started.elapsed() <= FLUSH_AGE * 2, "{:?}", started.elapsed());
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn only_one_flush_is_in_flight() {
    let mut bench = Bench::new(3).await;
    bench.memory.hold_appends();
    let first = bench.submit(1, 1);
    tokio::time::sleep(FLUSH_AGE * 4).await;
    let second = bench.submit(2, 1);
    let third = bench.submit(3, 1);
    tokio::time::sleep(FLUSH_AGE * 4).await;
    assert_eq!(bench.memory.append_calls(), 1);
    assert_eq!(bench.subscription.take().1, Ticket(0), "nothing is durable yet");
    bench.memory.release_appends();
    bench.settled(first).await;
    bench.settled(third).await;
    assert!(second < third);
    assert_eq!(bench.flushes(), [1, 2]);
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn permits_bound_a_hero() {
    let mut bench = Bench::new(2).await;
    bench.memory.hold_appends();
    bench.submit(1, 60);
    assert_eq!(bench.reserve(1, 5).unwrap_err(), Refused::Busy);
    let permit = bench.reserve(1, 4).unwrap();
    assert_eq!(bench.reserve(1, 1).unwrap_err(), Refused::Busy);
    drop(permit);
    // What was reserved and not needed comes back with the submission.
    let permit = bench.reserve(1, 4).unwrap();
    let group = bench.owners.get_mut(&hero(1)).unwrap().events(1);
    let ticket = bench.journal.submit(permit, group);
    assert!(bench.reserve(1, 3).is_ok());
    assert!(bench.reserve(2, GROUP_EVENTS_MAX).is_ok(), "another hero has its own room");
    bench.memory.release_appends();
    bench.settled(ticket).await;
    assert!(bench.reserve(1, GROUP_EVENTS_MAX).is_ok());
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn permits_bound_the_whole_queue() {
    let bench = Bench::new(0).await;
    let permits: Vec<_> =
        (0..).map_while(|number| bench.journal.try_reserve(hero(number), 64, 64).ok()).collect();
    assert_eq!(permits.len(), QUEUE_EVENTS_MAX / 64);
    assert_eq!(bench.journal.try_reserve(hero(1_000_000), 64, 64).unwrap_err(), Refused::Busy);
    drop(permits);
    let half = 16 * 1024 * 1024;
    let _first = bench.journal.try_reserve(hero(1), 1, half).unwrap();
    let _second = bench.journal.try_reserve(hero(2), 1, half).unwrap();
    assert_eq!(bench.journal.try_reserve(hero(3), 1, 1).unwrap_err(), Refused::Busy);
    assert_eq!(bench.journal.stats().queue_bytes, 2 * half as u64);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_written_after_its_events() {
    let mut bench = Bench::new(1).await;
    bench.memory.hold_appends();
    bench.submit(1, 3);
    let early = bench.owners[&hero(1)].snapshot("early");
    assert!(bench.journal.snapshot(early));
    let ticket = bench.submit(1, 2);
    let late = bench.owners[&hero(1)].snapshot("late");
    assert!(bench.journal.snapshot(late.clone()));
    bench.memory.release_appends();
    bench.settled(ticket).await;
    let memory = bench.memory.clone();
    bench.drain().await;
    let kept: Vec<SnapshotRecord> = memory.snapshots(hero(1), Seq(100), 10).await.unwrap();
    assert_eq!(kept, [late], "of two waiting snapshots the later one is written");
}

#[tokio::test(start_paused = true)]
async fn a_drain_writes_everything_and_refuses_the_rest() {
    let mut bench = Bench::new(3).await;
    bench.memory.hold_appends();
    let before = bench.reserve(1, 1).unwrap();
    bench.submit(1, 1);
    bench.submit(2, 1);
    assert!(bench.journal.snapshot(bench.owners[&hero(2)].snapshot("last words")));
    let journal = bench.journal.clone();
    let drain = tokio::spawn(async move { journal.drain(Duration::from_secs(60)).await });
    while !matches!(bench.reserve(3, 1), Err(Refused::Closed)) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A command that had its permit still gets through.
    let group = bench.owners.get_mut(&hero(1)).unwrap().events(1);
    let _ticket = bench.journal.submit(before, group);
    bench.memory.release_appends();
    assert_eq!(drain.await.unwrap(), Drained::Clean);
    bench.task.await.unwrap().unwrap();
    assert_eq!(bench.memory.head(hero(1)).await.unwrap().unwrap().last_seq, Seq(2));
    assert_eq!(bench.memory.head(hero(2)).await.unwrap().unwrap().snap_seq, Seq(1));
    assert!(bench.subscription.changed().await, "the last watermark");
    assert_eq!(bench.subscription.take().1, Ticket(3));
    assert!(!bench.subscription.changed().await, "then the end");
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_takes_too_long_says_so() {
    let mut bench = Bench::new(2).await;
    bench.memory.hold_appends();
    bench.submit(1, 1);
    bench.submit(2, 1);
    assert_eq!(bench.journal.drain(Duration::from_secs(1)).await, Drained::Late { groups: 2 });
    bench.task.await.unwrap().unwrap();
    assert_eq!(bench.subscription.take().1, Ticket(0), "nothing was acknowledged");
    assert_eq!(bench.journal.drain(Duration::from_secs(1)).await, Drained::Late { groups: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_writer_without_handles_finishes_its_work() {
    let mut bench = Bench::new(1).await;
    bench.submit(1, 4);
    let Bench { journal, task, memory, .. } = bench;
    drop(journal);
    task.await.unwrap().unwrap();
    assert_eq!(memory.head(hero(1)).await.unwrap().unwrap().last_seq, Seq(4));
}
