//! Versions of the catalogue: what is kept, what is in force, what players are told.

use persistence::catalogue::{BANNER_CHARS_MAX, CATALOGUE_BYTES_MAX, CATALOGUES_MAX};
use persistence::{
    CatalogueKept, InForce, KeptCatalogue, NewCatalogue, NodeId, Published, StoreError, StoredBanner,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::backend::Backend;

fn new(version: u32, at_ms: i64) -> NewCatalogue {
    NewCatalogue { version, text: format!("(version: {version})"), at_ms, by: "ada".to_owned() }
}

fn in_force(version: u32, since_ms: i64) -> InForce {
    InForce { version, since_ms }
}

async fn versions(backend: &impl Backend) -> Vec<u32> {
    backend.catalogues().catalogues().await.unwrap().iter().map(|kept| kept.version).collect()
}

pub(crate) async fn nothing_is_published_at_first(backend: impl Backend) {
    let store = backend.catalogues();
    assert_eq!(store.published().await.unwrap(), Published::default());
    assert_eq!(store.catalogues().await.unwrap(), []);
    assert_eq!(store.catalogue_text(1).await.unwrap(), None);
}

pub(crate) async fn a_version_is_kept_once(backend: impl Backend) {
    let store = backend.catalogues();
    assert_eq!(store.keep_catalogue(new(2, 100)).await.unwrap(), CatalogueKept::New);
    assert_eq!(store.keep_catalogue(new(2, 200)).await.unwrap(), CatalogueKept::Same);
    let other = NewCatalogue { text: "other".to_owned(), ..new(2, 300) };
    assert_eq!(store.keep_catalogue(other).await.unwrap(), CatalogueKept::Taken);
    assert_eq!(store.keep_catalogue(new(u32::MAX, 400)).await.unwrap(), CatalogueKept::New);
    let backend = backend.reopen().await;
    let store = backend.catalogues();
    let kept = |version, uploaded_at_ms| KeptCatalogue {
        version,
        uploaded_at_ms,
        uploaded_by: "ada".to_owned(),
        in_force_at_ms: None,
    };
    assert_eq!(store.catalogues().await.unwrap(), [kept(u32::MAX, 400), kept(2, 100)]);
    assert_eq!(store.catalogue_text(2).await.unwrap().as_deref(), Some("(version: 2)"));
}

pub(crate) async fn a_switch_compares_what_was_seen(backend: impl Backend) {
    let store = backend.catalogues();
    for version in [2, 3] {
        store.keep_catalogue(new(version, 100)).await.unwrap();
    }
    assert!(!store.put_in_force(None, in_force(9, 1)).await.unwrap(), "it is not kept");
    assert!(!store.put_in_force(Some(3), in_force(2, 1)).await.unwrap(), "nothing was in force");
    assert!(store.put_in_force(None, in_force(2, 500)).await.unwrap());
    assert!(!store.put_in_force(None, in_force(3, 600)).await.unwrap(), "somebody else was first");
    assert_eq!(store.published().await.unwrap().in_force, Some(in_force(2, 500)));
    assert!(store.put_in_force(Some(2), in_force(3, 700)).await.unwrap());
    assert!(store.put_in_force(Some(3), in_force(2, 800)).await.unwrap(), "and back");
    let backend = backend.reopen().await;
    let store = backend.catalogues();
    assert_eq!(store.published().await.unwrap().in_force, Some(in_force(2, 800)));
    let since: Vec<_> =
        store.catalogues().await.unwrap().iter().map(|kept| (kept.version, kept.in_force_at_ms)).collect();
    assert_eq!(since, [(3, Some(700)), (2, Some(800))]);
}

pub(crate) async fn of_many_switches_one_happens(backend: impl Backend) {
    let store = backend.catalogues();
    for version in 1..=8 {
        store.keep_catalogue(new(version, 100)).await.unwrap();
    }
    let mut switches = JoinSet::new();
    for version in 1..=8 {
        let store = backend.catalogues();
        switches.spawn(async move { store.put_in_force(None, in_force(version, 1)).await });
    }
    let done = switches.join_all().await;
    let done: Vec<bool> = done.into_iter().map(Result::unwrap).collect();
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
}

pub(crate) async fn what_was_never_in_force_makes_room(backend: impl Backend) {
    let store = backend.catalogues();
    for number in 0..CATALOGUES_MAX {
        store.keep_catalogue(new(1_000 + number, i64::from(number))).await.unwrap();
    }
    assert!(store.put_in_force(None, in_force(1_000, 1)).await.unwrap());
    assert!(store.put_in_force(Some(1_000), in_force(1_002, 2)).await.unwrap());
    assert_eq!(store.keep_catalogue(new(7, 5_000)).await.unwrap(), CatalogueKept::New);
    assert_eq!(store.keep_catalogue(new(8, 5_000)).await.unwrap(), CatalogueKept::New);
    let kept = versions(&backend).await;
    assert_eq!(kept.len(), CATALOGUES_MAX as usize);
    assert!([1_000, 1_002, 7, 8].iter().all(|version| kept.contains(version)), "{kept:?}");
    assert!(!kept.contains(&1_001) && !kept.contains(&1_003), "the oldest unused ones left: {kept:?}");
}

pub(crate) async fn versions_that_were_in_force_stay(backend: impl Backend) {
    let store = backend.catalogues();
    let mut seen = None;
    for version in 1..=CATALOGUES_MAX {
        store.keep_catalogue(new(version, 100)).await.unwrap();
        assert!(store.put_in_force(seen, in_force(version, 1)).await.unwrap());
        seen = Some(version);
    }
    assert_eq!(store.keep_catalogue(new(5_000, 200)).await.unwrap(), CatalogueKept::Full);
    assert_eq!(versions(&backend).await.len(), CATALOGUES_MAX as usize);
}

pub(crate) async fn what_is_too_long_is_refused(backend: impl Backend) {
    let store = backend.catalogues();
    let long = NewCatalogue { text: "x".repeat(CATALOGUE_BYTES_MAX + 1), ..new(2, 1) };
    let refused = store.keep_catalogue(long).await;
    assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    let longest = NewCatalogue { text: "ö".repeat(CATALOGUE_BYTES_MAX / 2), ..new(2, 1) };
    assert_eq!(store.keep_catalogue(longest).await.unwrap(), CatalogueKept::New);
    let banner = |chars| StoredBanner { text: "ö".repeat(chars), until_ms: None };
    let refused = store.put_banner(Some(banner(BANNER_CHARS_MAX + 1))).await;
    assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    store.put_banner(Some(banner(BANNER_CHARS_MAX))).await.unwrap();
}

pub(crate) async fn the_banner_is_replaced_and_taken_back(backend: impl Backend) {
    let first = StoredBanner { text: "We restart at noon.".to_owned(), until_ms: Some(1_000) };
    let second = StoredBanner { text: "<img src=x onerror=alert(1)>".to_owned(), until_ms: None };
    for banner in [Some(first), Some(second.clone())] {
        backend.catalogues().put_banner(banner.clone()).await.unwrap();
        assert_eq!(backend.catalogues().published().await.unwrap().banner, banner);
    }
    let backend = backend.reopen().await;
    assert_eq!(backend.catalogues().published().await.unwrap().banner, Some(second));
    backend.catalogues().put_banner(None).await.unwrap();
    assert_eq!(backend.catalogues().published().await.unwrap(), Published::default());
}

pub(crate) async fn the_store_says_how_it_is(backend: impl Backend) {
    let node = NodeId(Uuid::from_u128(7));
    backend.journal().join(node, "seven").await.unwrap();
    let about = backend.about().about().await.unwrap();
    assert!(!about.kind.is_empty());
    assert!(about.migrations.iter().all(|it| it.known && it.applied), "{:?}", about.migrations);
    let nodes: Vec<_> = about.nodes.iter().map(|it| (it.node, it.name.as_str(), it.is_alive)).collect();
    assert_eq!(nodes, [(node, "seven", true)]);
    backend.journal().retire(node).await.unwrap();
    assert_eq!(backend.about().about().await.unwrap().nodes, []);
}
