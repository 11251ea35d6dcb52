//! When the service was there, and when it was not.

use persistence::{Outage, StoreError, uptime::OUTAGES_MAX};

use crate::backend::Backend;

fn outage(from_ms: i64, until_ms: i64) -> Outage {
    Outage { from_ms, until_ms }
}

pub(crate) async fn the_last_beat_is_kept(backend: impl Backend) {
    assert_eq!(backend.uptime().last_beat().await.unwrap(), None);
    for now_ms in [1_000, 61_000] {
        backend.uptime().beat(now_ms).await.unwrap();
    }
    let backend = backend.reopen().await;
    assert_eq!(backend.uptime().last_beat().await.unwrap(), Some(61_000));
}

pub(crate) async fn a_beat_may_go_back(backend: impl Backend) {
    for now_ms in [9_000_000_000_000, 1_000] {
        backend.uptime().beat(now_ms).await.unwrap();
    }
    assert_eq!(backend.uptime().last_beat().await.unwrap(), Some(1_000));
}

pub(crate) async fn outages_are_kept_in_order(backend: impl Backend) {
    assert_eq!(backend.uptime().outages(i64::MIN).await.unwrap(), []);
    for it in [outage(500, 700), outage(100, 200), outage(300, 400)] {
        backend.uptime().add_outage(it).await.unwrap();
    }
    let backend = backend.reopen().await;
    let all = [outage(100, 200), outage(300, 400), outage(500, 700)];
    assert_eq!(backend.uptime().outages(0).await.unwrap(), all);
    assert_eq!(backend.uptime().outages(399).await.unwrap(), all[1..], "it was still going on");
    assert_eq!(backend.uptime().outages(400).await.unwrap(), all[2..], "it was over");
    assert_eq!(backend.uptime().outages(700).await.unwrap(), []);
}

pub(crate) async fn an_outage_grows(backend: impl Backend) {
    for until_ms in [200, 300, 250] {
        backend.uptime().add_outage(outage(100, until_ms)).await.unwrap();
    }
    assert_eq!(backend.uptime().outages(0).await.unwrap(), [outage(100, 300)]);
}

pub(crate) async fn an_outage_without_length_is_refused(backend: impl Backend) {
    for it in [outage(100, 100), outage(100, 99)] {
        let refused = backend.uptime().add_outage(it).await;
        assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    }
    assert_eq!(backend.uptime().outages(0).await.unwrap(), []);
}

pub(crate) async fn the_newest_outages_are_listed(backend: impl Backend) {
    let all: Vec<_> = (0..i64::from(OUTAGES_MAX) + 3).map(|n| outage(n * 10, n * 10 + 5)).collect();
    for it in &all {
        backend.uptime().add_outage(*it).await.unwrap();
    }
    assert_eq!(backend.uptime().outages(i64::MIN).await.unwrap(), all[3..]);
}
