//! The scan finds what is wrong, and nothing else.

use persistence::scan::{Finding, Scanned, Step, scan};
use persistence::{CommandSeq, HeroId, Seq, StreamId};

use crate::backend::Backend;
use crate::history::{Owner, hero};

/// Two streams, three epochs, snapshots at 6 and 8, nine events.
async fn with_history(backend: &impl Backend) -> Owner {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    for (stream, number) in [(5, 1), (6, 1), (5, 2), (6, 2)] {
        let part = owner.command(stream, number);
        store.append(&[part]).await.unwrap();
        if owner.seq.0 >= 6 {
            store.snapshot(&[owner.snapshot("state")]).await.unwrap();
        }
        let made = owner.made;
        owner = Owner { made, ..Owner::claim(&*store, hero(1)).await };
    }
    owner.write(&*store, 1).await;
    owner
}

async fn steps(backend: &impl Backend) -> (Scanned, Vec<String>) {
    let mut steps = Vec::new();
    let mut fold = |step: Step<'_>| {
        steps.push(match step {
            Step::Event(event) => format!("event {}", event.seq.0),
            Step::Snapshot(snapshot) => format!("snapshot {}", snapshot.seq.0),
        });
        Ok(())
    };
    let scanned = scan(&*backend.journal(), hero(1), &mut fold).await.unwrap().unwrap();
    (scanned, steps)
}

async fn check(backend: &impl Backend, expected: &[Finding]) {
    assert_eq!(steps(backend).await.0.findings, expected);
}

pub(crate) async fn a_clean_history_has_no_findings(backend: impl Backend) {
    with_history(&backend).await;
    let (scanned, steps) = steps(&backend).await;
    assert_eq!(scanned.findings, []);
    assert_eq!((scanned.events_count, scanned.snapshots_count), (9, 2));
    assert_eq!(scanned.head.last_seq, Seq(9));
    let order = [
        "event 1",
        "event 2",
        "event 3",
        "event 4",
        "event 5",
        "event 6",
        "snapshot 6",
        "event 7",
        "event 8",
        "snapshot 8",
        "event 9",
    ];
    assert_eq!(steps, order);
}

pub(crate) async fn a_flipped_byte_is_found(backend: impl Backend) {
    with_history(&backend).await;
    backend.damage_event(hero(1), Seq(4)).await;
    let (scanned, steps) = steps(&backend).await;
    assert_eq!(scanned.findings, [Finding::ChainBroken { seq: Seq(4) }]);
    assert_eq!(steps, ["event 1", "event 2", "event 3"], "the fold sees nothing that cannot be trusted");
}

pub(crate) async fn a_lost_event_is_found(backend: impl Backend) {
    with_history(&backend).await;
    backend.lose_event(hero(1), Seq(4)).await;
    check(&backend, &[Finding::Gap { expected: Seq(4), found: Seq(5) }]).await;
}

pub(crate) async fn a_lost_last_event_is_found(backend: impl Backend) {
    with_history(&backend).await;
    backend.lose_event(hero(1), Seq(9)).await;
    check(&backend, &[Finding::HeadDiffers { head: Seq(9), found: Seq(8) }]).await;
}

pub(crate) async fn a_damaged_snapshot_is_found(backend: impl Backend) {
    with_history(&backend).await;
    backend.damage_snapshot(hero(1), Seq(8)).await;
    check(&backend, &[Finding::SnapshotDamaged { seq: Seq(8) }]).await;
}

pub(crate) async fn a_broken_stream_is_found(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    for number in [1, 3] {
        let part = owner.command(5, number);
        store.append(&[part]).await.unwrap();
    }
    let (stream_id, expected, found) = (StreamId(5), CommandSeq(2), CommandSeq(3));
    check(&backend, &[Finding::StreamBroken { seq: Seq(3), stream_id, expected, found }]).await;
}

pub(crate) async fn what_the_fold_says_is_found(backend: impl Backend) {
    with_history(&backend).await;
    let mut fold = |step: Step<'_>| match step {
        Step::Snapshot(snapshot) if snapshot.seq == Seq(6) => Err("another state".to_owned()),
        _ => Ok(()),
    };
    let scanned = scan(&*backend.journal(), hero(1), &mut fold).await.unwrap().unwrap();
    assert_eq!(scanned.findings, [Finding::Fold { seq: Seq(6), what: "another state".into() }]);
}

pub(crate) async fn an_unknown_hero_is_not_scanned(backend: impl Backend) {
    let nobody: HeroId = hero(404);
    assert_eq!(scan(&*backend.journal(), nobody, &mut |_| Ok(())).await.unwrap(), None);
}
