//! Loads and snapshots.

use persistence::{Chain, Loaded, Seq, SnapshotOutcome, SnapshotRecord, StoreError, load_hot};

use crate::backend::Backend;
use crate::history::{Owner, hero, node};

/// Ten events, snapshots at 2, 5 and 8.
async fn with_snapshots(backend: &impl Backend) -> (Owner, Vec<SnapshotRecord>) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    let mut snapshots = Vec::new();
    for count in [2, 3, 3] {
        owner.write(&*store, count).await;
        snapshots.push(owner.snapshot(&format!("state at {}", owner.seq.0)));
    }
    owner.write(&*store, 2).await;
    assert_eq!(store.snapshot(&snapshots).await.unwrap(), [SnapshotOutcome::Kept; 3]);
    (owner, snapshots)
}

async fn load(backend: &impl Backend) -> Result<Loaded, StoreError> {
    let store = backend.journal();
    let claim = store.claim(hero(1), node(2)).await.unwrap();
    store.load(&claim).await
}

async fn assert_corrupt(backend: &impl Backend) {
    match load(backend).await {
        Err(StoreError::Corrupt { hero: found, .. }) => assert_eq!(found, hero(1)),
        other => panic!("not corrupt: {other:?}"),
    }
}

pub(crate) async fn a_new_hero_loads_empty(backend: impl Backend) {
    let expected = Loaded { snapshot: None, tail: Vec::new(), damaged_snapshots: Vec::new() };
    assert_eq!(load(&backend).await.unwrap(), expected);
}

pub(crate) async fn a_hero_loads_from_snapshot_and_tail(backend: impl Backend) {
    let (owner, snapshots) = with_snapshots(&backend).await;
    let loaded = load(&backend).await.unwrap();
    assert_eq!(loaded.snapshot.as_ref(), snapshots.last());
    assert_eq!(loaded.tail, owner.made[8..]);
    assert_eq!(loaded.damaged_snapshots, []);
    // A snapshot of the very last event leaves no tail.
    let mut owner = Owner::claim(&*backend.journal(), hero(1)).await;
    owner.write(&*backend.journal(), 1).await;
    backend.journal().snapshot(&[owner.snapshot("state of now")]).await.unwrap();
    let loaded = load(&backend).await.unwrap();
    assert_eq!((loaded.snapshot.unwrap().seq, loaded.tail.len()), (Seq(11), 0));
}

pub(crate) async fn a_stale_snapshot_is_refused(backend: impl Backend) {
    let (mut owner, _) = with_snapshots(&backend).await;
    let store = backend.journal();
    let ahead = {
        let mut ahead = owner.clone();
        ahead.events(1);
        ahead.snapshot("state of tomorrow")
    };
    let off_chain = {
        let mut twin = owner.clone();
        twin.chain.0[0] ^= 1;
        twin.snapshot("state of a twin")
    };
    let good = owner.snapshot("state");
    let unknown = SnapshotRecord::seal(hero(7), Seq(1), owner.epoch, 1, owner.chain, "state".into(), 0);
    use SnapshotOutcome::{Kept, Stale};
    assert_eq!(
        store.snapshot(&[ahead, off_chain, good, unknown]).await.unwrap(),
        [Stale, Stale, Kept, Stale]
    );
    owner.write(&*store, 1).await;
    let late = owner.snapshot("state of a former owner");
    store.claim(hero(1), node(2)).await.unwrap();
    assert_eq!(store.snapshot(&[late]).await.unwrap(), [Stale]);
    assert_eq!(load(&backend).await.unwrap().snapshot.unwrap().seq, Seq(10));
    let mut wrong = owner.snapshot("state");
    wrong.state = "changed".into();
    assert!(matches!(store.snapshot(&[wrong]).await, Err(StoreError::Broken { .. })));
}

pub(crate) async fn a_snapshot_may_follow_the_release(backend: impl Backend) {
    let (owner, _) = with_snapshots(&backend).await;
    let store = backend.journal();
    let snapshot = owner.snapshot("state at the logout");
    store.release(hero(1), owner.epoch).await.unwrap();
    assert_eq!(store.snapshot(std::slice::from_ref(&snapshot)).await.unwrap(), [SnapshotOutcome::Kept]);
    assert_eq!(load(&backend).await.unwrap().snapshot, Some(snapshot.clone()));
    // The next owner has come: too late. And never for a locked hero.
    assert_eq!(store.snapshot(&[snapshot]).await.unwrap(), [SnapshotOutcome::Stale]);
    let next = Owner::claim(&*store, hero(1)).await;
    store.quarantine(hero(1), "locked").await.unwrap();
    assert_eq!(store.snapshot(&[next.snapshot("state")]).await.unwrap(), [SnapshotOutcome::Stale]);
}

pub(crate) async fn the_last_three_snapshots_are_kept(backend: impl Backend) {
    let (mut owner, _) = with_snapshots(&backend).await;
    let store = backend.journal();
    for _ in 0..3 {
        owner.write(&*store, 1).await;
        store.snapshot(&[owner.snapshot("state")]).await.unwrap();
    }
    let positions = |list: Vec<SnapshotRecord>| list.iter().map(|it| it.seq.0).collect::<Vec<_>>();
    assert_eq!(positions(store.snapshots(hero(1), Seq(100), 10).await.unwrap()), [13, 12, 11]);
    // "The newest ones" is asked for with the largest position there is, on every store.
    assert_eq!(positions(store.snapshots(hero(1), Seq(u64::MAX), 2).await.unwrap()), [13, 12]);
    assert_eq!(positions(store.snapshots(hero(1), Seq(12), 1).await.unwrap()), [12]);
    assert_eq!(store.claim(hero(1), node(1)).await.unwrap().snap_seq, Seq(13));
    assert_eq!(store.events(hero(1), Seq(1), 100).await.unwrap().len(), 13, "events are never deleted");
}

pub(crate) async fn a_damaged_snapshot_falls_back_to_the_older(backend: impl Backend) {
    let (owner, snapshots) = with_snapshots(&backend).await;
    backend.damage_snapshot(hero(1), Seq(8)).await;
    let loaded = load(&backend).await.unwrap();
    assert_eq!(loaded.snapshot.as_ref(), snapshots.get(1));
    assert_eq!(loaded.tail, owner.made[5..]);
    assert_eq!(loaded.damaged_snapshots, [Seq(8)]);
}

pub(crate) async fn damaged_snapshots_fall_back_to_all_events(backend: impl Backend) {
    let (owner, _) = with_snapshots(&backend).await;
    for seq in [2, 5, 8] {
        backend.damage_snapshot(hero(1), Seq(seq)).await;
    }
    let loaded = load(&backend).await.unwrap();
    assert_eq!(loaded.snapshot, None);
    assert_eq!(loaded.tail, owner.made);
    assert_eq!(loaded.damaged_snapshots, [Seq(8), Seq(5), Seq(2)]);
}

pub(crate) async fn a_damaged_event_is_corrupt(backend: impl Backend) {
    with_snapshots(&backend).await;
    backend.damage_event(hero(1), Seq(9)).await;
    assert_corrupt(&backend).await;
}

pub(crate) async fn a_lost_event_is_corrupt(backend: impl Backend) {
    with_snapshots(&backend).await;
    backend.lose_event(hero(1), Seq(10)).await;
    assert_corrupt(&backend).await;
    backend.lose_event(hero(1), Seq(9)).await;
    assert_corrupt(&backend).await;
}

pub(crate) async fn damage_below_the_snapshot_does_not_stop_a_load(backend: impl Backend) {
    let (owner, snapshots) = with_snapshots(&backend).await;
    backend.damage_event(hero(1), Seq(3)).await;
    let loaded = load(&backend).await.unwrap();
    assert_eq!((loaded.snapshot.as_ref(), &loaded.tail[..]), (snapshots.last(), &owner.made[8..]));
    // But the way past the damage is closed.
    backend.damage_snapshot(hero(1), Seq(8)).await;
    assert!(load(&backend).await.is_ok());
    backend.damage_snapshot(hero(1), Seq(5)).await;
    assert_corrupt(&backend).await;
}

pub(crate) async fn a_stale_claim_loads_its_own_past(backend: impl Backend) {
    let (owner, _) = with_snapshots(&backend).await;
    let store = backend.journal();
    let stale = store.claim(hero(1), node(1)).await.unwrap();
    let mut next = Owner::claim(&*store, hero(1)).await;
    next.write(&*store, 5).await;
    store.snapshot(&[next.snapshot("state")]).await.unwrap();
    let loaded = store.load(&stale).await.unwrap();
    assert_eq!(loaded.tail.last(), owner.made.last());
}

pub(crate) async fn reopening_keeps_everything(backend: impl Backend) {
    let (owner, _) = with_snapshots(&backend).await;
    let before = backend.journal().heroes(None, 10).await.unwrap();
    let backend = backend.reopen().await;
    let store = backend.journal();
    assert_eq!(store.heroes(None, 10).await.unwrap(), before);
    assert_eq!(store.events(hero(1), Seq(1), 100).await.unwrap(), owner.made);
    let mut next = Owner::claim(&*store, hero(1)).await;
    assert_eq!((next.epoch.0, next.seq, next.chain), (owner.epoch.0 + 1, owner.seq, owner.chain));
    next.write(&*store, 1).await;
    let backend = backend.reopen().await;
    assert_eq!(load(&backend).await.unwrap().tail.len(), 3);
}

pub(crate) async fn a_hot_snapshot_is_used_when_it_fits_and_never_believed(backend: impl Backend) {
    let store = backend.journal();
    let (mut owner, snapshots) = with_snapshots(&backend).await;
    let newest = owner.snapshot("state at 10");
    owner.write(&*store, 3).await;
    let ahead = owner.snapshot("state at 13, which another owner will never reach");
    let claim = store.claim(hero(1), node(2)).await.unwrap();
    let load = async |hot: &SnapshotRecord| load_hot(&*store, &claim, hot.clone()).await.unwrap();
    let loaded = load(&newest).await.expect("it fits");
    assert_eq!(loaded.snapshot, Some(newest.clone()));
    assert_eq!(loaded.tail, owner.made[10..], "what is newer comes from the store");
    let loaded = load(&ahead).await.expect("it is exactly where the store is");
    assert_eq!((loaded.snapshot, loaded.tail.len()), (Some(ahead.clone()), 0));
    let off = |change: &dyn Fn(&mut SnapshotRecord)| {
        let mut record = newest.clone();
        change(&mut record);
        let SnapshotRecord { hero, seq, epoch, schema_version, chain, state, at_ms, .. } = record;
        SnapshotRecord::seal(hero, seq, epoch, schema_version, chain, state, at_ms)
    };
    for useless in [
        snapshots[1].clone(),
        off(&|record| record.hero = hero(2)),
        off(&|record| record.chain = Chain::genesis(hero(1))),
        off(&|record| record.seq = Seq(9)),
        off(&|record| record.seq = Seq(14)),
        off(&|record| record.schema_version = 99),
        SnapshotRecord { state: "changed".into(), ..newest.clone() },
    ] {
        assert_eq!(load(&useless).await, None, "{useless:?}");
    }
}
