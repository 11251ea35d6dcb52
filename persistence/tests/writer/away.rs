//! The store is slow, away, full, broken, or does not say what it did.

use std::time::Duration;

use persistence::writer::{ANSWER_WAIT, READ_ONLY_AGE};
use persistence::{Fault, Notice, Refused, StoreError, Ticket, WriterFact, WriterFailed};
use tokio::time::Instant;

use crate::bench::Bench;

#[tokio::test(start_paused = true)]
async fn every_passing_failure_ends_in_one_durable_copy() {
    for fault in [
        Fault::Busy,
        Fault::Unavailable,
        Fault::Full,
        Fault::AmbiguousApplied,
        Fault::AmbiguousLost,
        Fault::AmbiguousLate,
    ] {
        for repeats in 1..=3 {
            let mut bench = Bench::new(3).await;
            (0..repeats).for_each(|_| bench.memory.fail_next(fault.clone()));
            bench.submit(1, 2);
            bench.submit(2, 1);
            let ticket = bench.submit(1, 1);
            bench.settled(ticket).await;
            bench.assert_stored_all(1).await;
            bench.assert_stored_all(2).await;
            assert_eq!(bench.memory.append_calls(), repeats + 1, "{fault:?}");
            let retries =
                bench.facts().iter().filter(|fact| matches!(fact, WriterFact::Retried { .. })).count();
            assert_eq!(retries as u64, repeats);
            if fault != Fault::Full {
                assert_eq!(bench.notices, [], "{fault:?} is nobody else's business");
            }
            bench.drain().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_is_repeated_within_milliseconds() {
    let mut bench = Bench::new(1).await;
    bench.memory.fail_next(Fault::Busy);
    let started = Instant::now();
    let ticket = bench.submit(1, 1);
    bench.settled(ticket).await;
    assert!(started.elapsed() < Duration::from_millis(20), "{:?}", started.elapsed());
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_becomes_read_only_and_heals() {
    let mut bench = Bench::new(2).await;
    bench.memory.fail_until_healed(Fault::Unavailable);
    let started = Instant::now();
    let ticket = bench.submit(1, 1);
    tokio::time::sleep(READ_ONLY_AGE / 2).await;
    let second = bench.submit(2, 1);
    bench.wait_until("read-only", |bench| bench.notices == [Notice::ReadOnly(true)]).await;
    assert!(
        started.elapsed() >= READ_ONLY_AGE && started.elapsed() < READ_ONLY_AGE + Duration::from_millis(50)
    );
    assert!(bench.journal.is_read_only());
    assert_eq!(bench.reserve(1, 1).unwrap_err(), Refused::ReadOnly);
    assert!(bench.journal.stats().oldest_age >= READ_ONLY_AGE);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.subscription.take().1, Ticket(0));
    let calls = bench.memory.append_calls();
    assert!((10..60).contains(&calls), "backoff of 100 ms to 5 s, not {calls} calls in a minute");
    bench.memory.heal();
    bench.settled(second).await;
    assert!(ticket < second);
    // One good flush is not enough; nothing waits, so probes make up for the others.
    assert!(bench.journal.is_read_only());
    bench.wait_until("healed", |bench| bench.notices.last() == Some(&Notice::ReadOnly(false))).await;
    assert!(!bench.journal.is_read_only());
    let ticket = bench.submit(1, 1);
    bench.settled(ticket).await;
    bench.assert_stored_all(1).await;
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_read_only_at_once() {
    let mut bench = Bench::new(1).await;
    bench.memory.fail_until_healed(Fault::Full);
    let started = Instant::now();
    let ticket = bench.submit(1, 1);
    bench.wait_until("read-only", |bench| bench.notices == [Notice::ReadOnly(true)]).await;
    assert!(started.elapsed() < Duration::from_millis(50));
    tokio::time::sleep(Duration::from_secs(30)).await;
    bench.memory.heal();
    bench.settled(ticket).await;
    bench.wait_until("healed", |bench| bench.notices.len() == 2).await;
    bench.assert_stored_all(1).await;
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_given_up() {
    let mut bench = Bench::new(1).await;
    bench.memory.hold_appends();
    let started = Instant::now();
    let ticket = bench.submit(1, 1);
    bench.wait_until("read-only", |bench| bench.notices == [Notice::ReadOnly(true)]).await;
    tokio::time::sleep(ANSWER_WAIT).await;
    assert!(bench.memory.append_calls() >= 2, "the same batch again, on a new call");
    assert_eq!(bench.watermark, Ticket(0));
    bench.memory.release_appends();
    bench.settled(ticket).await;
    assert!(started.elapsed() < ANSWER_WAIT * 3);
    bench.assert_stored_all(1).await;
    bench.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_store_stops_the_writer() {
    let mut bench = Bench::new(1).await;
    bench.memory.fail_next(Fault::Broken);
    bench.submit(1, 1);
    let ended = bench.task.await.unwrap();
    assert!(matches!(ended, Err(WriterFailed::Store(StoreError::Broken { .. }))), "{ended:?}");
    assert!(!bench.subscription.changed().await);
    assert_eq!(bench.subscription.take().1, Ticket(0), "what was not stored was never said to be");
    assert_eq!(bench.journal.try_reserve(crate::history::hero(1), 1, 1).unwrap_err(), Refused::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_does_not_listen_stops_the_writer() {
    let mut bench = Bench::new(1).await;
    for _ in 0..1_100 {
        bench.memory.fail_next(Fault::Full);
        if bench.reserve(1, 1).is_err() {
            break;
        }
        bench.submit(1, 1);
        // Read-only on and off are two notices that nobody reads.
        while bench.journal.stats().queue_events > 0 || bench.journal.is_read_only() {
            if bench.task.is_finished() {
                let ended = bench.task.await.unwrap();
                assert!(matches!(ended, Err(WriterFailed::SubscriberStuck)), "{ended:?}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("the writer went on without its subscriber");
}
