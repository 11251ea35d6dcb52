//! Claims, appends, fences.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use persistence::record::{APPEND_EVENTS_MAX, PAYLOAD_BYTES_MAX};
use persistence::{
    Appended, Chain, Epoch, EventBody, FenceReason, HeroAppend, HeroHead, HeroState, JournalStore, Seq,
    StoreError,
};

use crate::backend::Backend;
use crate::history::{Owner, fence_reasons, hero, node};

pub(crate) async fn a_claim_makes_the_hero_and_raises_the_epoch(backend: impl Backend) {
    let store = backend.journal();
    assert_eq!(store.head(hero(1)).await.unwrap(), None);
    let first = store.claim(hero(1), node(1)).await.unwrap();
    assert_eq!((first.epoch, first.last_seq, first.snap_seq), (Epoch(1), Seq(0), Seq(0)));
    assert_eq!(first.chain, Chain::genesis(hero(1)));
    // D2: also by the same node.
    let mut owner = Owner::new(&store.claim(hero(1), node(1)).await.unwrap());
    assert_eq!(owner.epoch, Epoch(2));
    owner.write(&*store, 3).await;
    let third = store.claim(hero(1), node(2)).await.unwrap();
    assert_eq!((third.epoch, third.last_seq, third.chain), (Epoch(3), Seq(3), owner.chain));
    assert_eq!(store.head(hero(1)).await.unwrap().unwrap().state, HeroState::Owned { node: node(2) });
}

pub(crate) async fn the_last_of_many_claims_wins(backend: impl Backend) {
    const CLAIMS_COUNT: u128 = 16;
    let store = backend.journal();
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..CLAIMS_COUNT {
        let store = store.clone();
        claims.spawn(async move { store.claim(hero(1), node(number)).await.unwrap() });
    }
    let claims = claims.join_all().await;
    let epochs: BTreeSet<Epoch> = claims.iter().map(|claim| claim.epoch).collect();
    assert_eq!(epochs.len(), claims.len(), "every claim has its own epoch");
    let mut winners = 0;
    for claim in &claims {
        match store.append(&[Owner::new(claim).events(1)]).await {
            Ok(answer) => {
                assert_eq!(answer, [Appended::Written]);
                assert_eq!(Some(&claim.epoch), epochs.last());
                winners += 1;
            }
            refused => assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Epoch)]),
        }
    }
    assert_eq!(winners, 1);
}

pub(crate) async fn a_stale_epoch_is_fenced_and_nothing_is_stored(backend: impl Backend) {
    let store = backend.journal();
    let mut stale = Owner::claim(&*store, hero(1)).await;
    let mut other = Owner::claim(&*store, hero(2)).await;
    let mut current = Owner::claim(&*store, hero(1)).await;
    let rest = other.events(2);
    let refused = store.append(&[stale.events(1), rest.clone()]).await;
    assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Epoch)]);
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), []);
    assert_eq!(store.events(hero(2), Seq(1), 10).await.unwrap(), []);
    // D10: the rest goes through without it, and the newer owner was never disturbed.
    assert_eq!(store.append(&[rest]).await.unwrap(), [Appended::Written]);
    current.write(&*store, 1).await;
}

pub(crate) async fn a_gap_is_refused(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    owner.write(&*store, 2).await;
    let _lost = owner.events(1);
    let refused = store.append(&[owner.events(1)]).await;
    assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Gap)]);
    assert_eq!(store.head(hero(1)).await.unwrap().unwrap().last_seq, Seq(2));
}

pub(crate) async fn a_resend_is_already_durable(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    let mut other = Owner::claim(&*store, hero(2)).await;
    let batch = [owner.command(5, 1), other.events(3)];
    assert_eq!(store.append(&batch).await.unwrap(), [Appended::Written; 2]);
    assert_eq!(store.append(&batch).await.unwrap(), [Appended::AlreadyDurable; 2]);
    // Also when more was written since, and mixed with something new.
    owner.write(&*store, 1).await;
    let mixed = [batch[0].clone(), other.events(1)];
    assert_eq!(store.append(&mixed).await.unwrap(), [Appended::AlreadyDurable, Appended::Written]);
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), owner.made);
    assert_eq!(store.events(hero(2), Seq(1), 10).await.unwrap(), other.made);
}

pub(crate) async fn other_content_at_the_same_place_is_a_conflict(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    let mut twin = owner.clone();
    owner.write(&*store, 2).await;
    let refused = store.append(&[twin.group([Owner::body("another"), Owner::body("story")])]).await;
    assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Conflict)]);
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), owner.made);
}

pub(crate) async fn an_overlap_is_a_conflict(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    let mut twin = owner.clone();
    owner.write(&*store, 2).await;
    let refused = store.append(&[twin.events(3)]).await;
    assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Conflict)]);
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), owner.made);
}

pub(crate) async fn an_unknown_hero_is_fenced(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    owner.hero = hero(2);
    owner.chain = Chain::genesis(hero(2));
    assert_eq!(fence_reasons(store.append(&[owner.events(1)]).await), [(hero(2), FenceReason::Unknown)]);
}

pub(crate) async fn a_wrong_chain_is_broken(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    owner.write(&*store, 1).await;
    owner.chain = Chain::genesis(hero(9));
    assert_broken(store.append(&[owner.events(1)]).await);
    assert_eq!(store.head(hero(1)).await.unwrap().unwrap().last_seq, Seq(1));
}

pub(crate) async fn a_malformed_batch_is_broken(backend: impl Backend) {
    let store = backend.journal();
    let owner = Owner::claim(&*store, hero(1)).await;
    let with = |change: &dyn Fn(&mut HeroAppend)| {
        let mut part = owner.clone().events(3);
        change(&mut part);
        part
    };
    let large = Owner::body(&"x".repeat(PAYLOAD_BYTES_MAX + 1));
    let bad: Vec<Vec<HeroAppend>> = vec![
        vec![with(&|part| part.events.clear())],
        vec![with(&|part| drop(part.events.remove(1)))],
        vec![with(&|part| part.events.swap(0, 1))],
        vec![with(&|part| part.events[1].payload = "changed".into())],
        vec![with(&|part| part.events[2].epoch = Epoch(9))],
        vec![with(&|part| part.previous = Chain::genesis(hero(3)))],
        vec![with(&|_| ()), with(&|_| ())],
        vec![owner.clone().group([large])],
        vec![owner.clone().events(APPEND_EVENTS_MAX as u64 + 1)],
        vec![owner.clone().command(u64::MAX, 1)],
    ];
    for batch in bad {
        assert_broken(store.append(&batch).await);
    }
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), []);
}

fn assert_broken(result: Result<Vec<Appended>, StoreError>) {
    assert!(matches!(result, Err(StoreError::Broken { .. })), "{result:?}");
}

pub(crate) async fn a_repeated_command_is_poison(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    let mut other = Owner::claim(&*store, hero(2)).await;
    store.append(&[owner.command(5, 1), other.command(5, 1)]).await.unwrap();
    store.append(&[owner.clone().command(5, 2)]).await.unwrap();
    // The same stream number of another hero is another stream; the same command of the same hero is not.
    let mut later = Owner::new(&store.claim(hero(1), node(1)).await.unwrap());
    let refused = store.append(&[other.command(5, 2), later.command(5, 2)]).await;
    assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    assert_eq!(
        store.head(hero(2)).await.unwrap().unwrap().last_seq,
        Seq(2),
        "nothing of the batch is stored"
    );
}

pub(crate) async fn a_released_hero_is_nobodys(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    owner.write(&*store, 1).await;
    // A late release of an earlier owner changes nothing.
    store.release(hero(1), Epoch(0)).await.unwrap();
    owner.write(&*store, 1).await;
    store.release(hero(1), owner.epoch).await.unwrap();
    assert_eq!(store.head(hero(1)).await.unwrap().unwrap().state, HeroState::Free);
    assert_eq!(
        fence_reasons(store.append(&[owner.clone().events(1)]).await),
        [(hero(1), FenceReason::Epoch)]
    );
    let mut next = Owner::claim(&*store, hero(1)).await;
    assert_eq!((next.epoch, next.seq), (Epoch(2), Seq(2)));
    next.write(&*store, 1).await;
}

pub(crate) async fn a_quarantined_hero_is_locked(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    owner.write(&*store, 2).await;
    store.quarantine(hero(1), "it made no sense").await.unwrap();
    store.quarantine(hero(1), "a second reason").await.unwrap();
    store.quarantine(hero(2), "nobody").await.unwrap();
    let refused = store.append(&[owner.clone().events(1)]).await;
    assert_eq!(fence_reasons(refused), [(hero(1), FenceReason::Quarantined)]);
    store.release(hero(1), owner.epoch).await.unwrap();
    let backend = backend.reopen().await;
    let store = backend.journal();
    match store.claim(hero(1), node(2)).await {
        Err(StoreError::Quarantined { hero: found, reason }) => {
            assert_eq!((found, reason.as_str()), (hero(1), "it made no sense"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(store.events(hero(1), Seq(1), 10).await.unwrap(), owner.made, "its events stay");
    assert_eq!(store.head(hero(2)).await.unwrap(), None);
}

pub(crate) async fn a_large_batch_over_many_heroes(backend: impl Backend) {
    let store = backend.journal();
    let mut owners = Vec::new();
    for number in 0..100 {
        owners.push(Owner::claim(&*store, hero(number)).await);
    }
    for counts in [[2, 4, 1], [1, 1, 1], [7, 2, 3]] {
        let batch: Vec<_> =
            owners.iter_mut().zip(counts.iter().cycle()).map(|(owner, count)| owner.events(*count)).collect();
        assert_eq!(store.append(&batch).await.unwrap(), vec![Appended::Written; 100]);
    }
    for owner in &owners {
        assert_eq!(store.events(owner.hero, Seq(1), 100).await.unwrap(), owner.made);
        assert_eq!(store.head(owner.hero).await.unwrap().unwrap().chain, owner.chain);
    }
}

pub(crate) async fn events_and_heroes_come_in_pages(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(3)).await;
    owner.write(&*store, 10).await;
    let page = store.events(hero(3), Seq(4), 3).await.unwrap();
    assert_eq!(page, owner.made[3..6]);
    assert_eq!(store.events(hero(3), Seq(11), 3).await.unwrap(), []);
    for number in [5, 1, 4, 2] {
        store.claim(hero(number), node(1)).await.unwrap();
    }
    let ids = |page: Vec<HeroHead>| page.into_iter().map(|head| head.hero).collect::<Vec<_>>();
    assert_eq!(ids(store.heroes(None, 2).await.unwrap()), [hero(1), hero(2)]);
    assert_eq!(ids(store.heroes(Some(hero(2)), 2).await.unwrap()), [hero(3), hero(4)]);
    assert_eq!(ids(store.heroes(Some(hero(4)), 2).await.unwrap()), [hero(5)]);
    assert_eq!(ids(store.heroes(Some(hero(5)), 2).await.unwrap()), []);
}

pub(crate) async fn the_reader_version_rises(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    for (version, expected) in [(3, 3), (2, 3), (5, 5)] {
        let part = owner.group([EventBody { schema_version: version, ..Owner::body("e") }]);
        store.append(&[part]).await.unwrap();
        assert_eq!(store.head(hero(1)).await.unwrap().unwrap().min_reader, expected);
    }
    assert_eq!(store.claim(hero(1), node(1)).await.unwrap().min_reader, 5);
}

pub(crate) async fn checks_and_probes_pass(backend: impl Backend) {
    let store = backend.journal();
    store.check().await.unwrap();
    for _ in 0..2 {
        store.ping().await.unwrap();
        store.renew(node(1)).await.unwrap();
    }
}

pub(crate) async fn an_abandoned_append_leaves_the_store_usable(backend: impl Backend) {
    let store = backend.journal();
    let mut owner = Owner::claim(&*store, hero(1)).await;
    for polls in 0..6 {
        let batch = [owner.clone().events(2)];
        {
            let mut call = pin!(store.append(&batch));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if call.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // Nobody knows whether it got through; the identical resend decides.
        let answer = resend(&*store, &batch).await;
        assert!(matches!(answer[..], [Appended::Written | Appended::AlreadyDurable]));
        owner.events(2);
    }
    assert_eq!(store.events(hero(1), Seq(1), 100).await.unwrap(), owner.made);
}

async fn resend(store: &dyn JournalStore, batch: &[HeroAppend]) -> Vec<Appended> {
    loop {
        match store.append(batch).await {
            Ok(answer) => return answer,
            Err(StoreError::Busy(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
