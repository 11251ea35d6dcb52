//! What the service may cost, and who was told.

use persistence::StoreError;
use persistence::budget::{
    BudgetNotice, CLAIM_LIFE_MS, Month, SECONDS_AT_ONCE_MAX, SIZE_BYTES_MAX, ServerTime,
};

use crate::backend::Backend;

const MONTH: Month = Month(202_611);

fn time(size: &str, seconds: u64, since_ms: i64) -> ServerTime {
    ServerTime { size: size.to_owned(), seconds, since_ms }
}

pub(crate) async fn the_last_budget_counts(backend: impl Backend) {
    assert_eq!(backend.budget().budget_usd().await.unwrap(), None);
    for usd in [500, u32::MAX, 70] {
        backend.budget().set_budget_usd(usd, 1_000).await.unwrap();
        assert_eq!(backend.budget().budget_usd().await.unwrap(), Some(usd));
    }
    let backend = backend.reopen().await;
    assert_eq!(backend.budget().budget_usd().await.unwrap(), Some(70));
    let refused = backend.budget().set_budget_usd(0, 1_000).await;
    assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
}

pub(crate) async fn the_time_of_all_servers_adds_up(backend: impl Backend) {
    let store = backend.budget();
    for (month, size, seconds, now_ms) in [
        (MONTH, "small", 60, 2_000),
        (MONTH, "small", 60, 1_000),
        (MONTH, "large", 500, 3_000),
        (Month(202_612), "small", 7, 9_000),
    ] {
        store.add_server_time(month, size, seconds, now_ms).await.unwrap();
    }
    let both = [time("large", 500, 3_000), time("small", 120, 1_000)];
    let backend = backend.reopen().await;
    let store = backend.budget();
    assert_eq!(store.server_time(MONTH).await.unwrap(), both);
    assert_eq!(store.server_time(Month(202_612)).await.unwrap(), [time("small", 7, 9_000)]);
    assert_eq!(store.server_time(Month(202_510)).await.unwrap(), []);
    let long = "x".repeat(SIZE_BYTES_MAX + 1);
    for (size, seconds) in [("", 1), (long.as_str(), 1), ("small", SECONDS_AT_ONCE_MAX + 1)] {
        let refused = store.add_server_time(MONTH, size, seconds, 0).await;
        assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    }
}

pub(crate) async fn of_many_servers_one_tells(backend: impl Backend) {
    let notice = BudgetNotice { month: MONTH, percent: 50, channel: "mail" };
    let claims = (0..8).map(|_| {
        let store = backend.budget();
        tokio::spawn(async move { store.claim_notice(notice, 1_000).await.unwrap() })
    });
    let mut winners = 0;
    for claim in claims.collect::<Vec<_>>() {
        winners += u32::from(claim.await.unwrap());
    }
    assert_eq!(winners, 1);
    let store = backend.budget();
    assert_eq!(store.told_percents(MONTH).await.unwrap(), [], "it is only claimed");
    store.notice_told(notice, 2_000).await.unwrap();
    assert!(!store.claim_notice(notice, i64::MAX / 2).await.unwrap(), "once a month");
    for other in [
        BudgetNotice { channel: "slack", ..notice },
        BudgetNotice { percent: 80, ..notice },
        BudgetNotice { month: Month(202_612), ..notice },
    ] {
        assert!(store.claim_notice(other, 1_000).await.unwrap(), "{other:?} is another one");
    }
    let backend = backend.reopen().await;
    assert_eq!(backend.budget().told_percents(MONTH).await.unwrap(), [50]);
    assert!(!backend.budget().claim_notice(notice, 9_000).await.unwrap());
}

pub(crate) async fn a_claim_of_the_dead_is_lost(backend: impl Backend) {
    let notice = BudgetNotice { month: MONTH, percent: 100, channel: "slack" };
    let store = backend.budget();
    assert!(store.claim_notice(notice, 1_000).await.unwrap());
    assert!(!store.claim_notice(notice, 1_000 + CLAIM_LIFE_MS - 1).await.unwrap());
    assert!(store.claim_notice(notice, 1_000 + CLAIM_LIFE_MS).await.unwrap());
    assert!(!store.claim_notice(notice, 1_000 + CLAIM_LIFE_MS).await.unwrap(), "it begins anew");
}
