//! Nodes that share a store: leases, asking, letting go.

use persistence::{Claim, Epoch, HeroState, NodeId, Speaker, StoreError, StreamId};

use crate::backend::Backend;
use crate::history::{Owner, fence_reasons, hero, node};

fn held_by(result: Result<Claim, StoreError>) -> NodeId {
    match result {
        Err(StoreError::Held { node, .. }) => node,
        other => panic!("not held: {other:?}"),
    }
}

pub(crate) async fn a_hero_of_a_living_node_is_asked_for(backend: impl Backend) {
    let store = backend.journal();
    store.join(node(1), "one").await.unwrap();
    store.join(node(2), "two").await.unwrap();
    let mut owner = Owner::new(&store.claim(hero(1), node(1)).await.unwrap());
    store.claim(hero(2), node(1)).await.unwrap();
    assert_eq!(store.wanted(node(1)).await.unwrap(), []);
    assert_eq!(held_by(store.claim(hero(1), node(2)).await), node(1));
    assert_eq!(held_by(store.claim(hero(1), node(2)).await), node(1), "asking twice changes nothing");
    assert_eq!(store.wanted(node(1)).await.unwrap(), [hero(1)]);
    assert_eq!(store.wanted(node(2)).await.unwrap(), []);
    // Being asked disturbs nobody: the owner writes what it has, and lets go.
    owner.write(&*store, 2).await;
    store.release(hero(1), owner.epoch).await.unwrap();
    assert_eq!(store.wanted(node(1)).await.unwrap(), []);
    let next = store.claim(hero(1), node(2)).await.unwrap();
    assert_eq!((next.epoch, next.last_seq), (Epoch(2), owner.seq));
    assert_eq!(store.head(hero(1)).await.unwrap().unwrap().state, HeroState::Owned { node: node(2) });
    assert_eq!(store.wanted(node(2)).await.unwrap(), [], "the wish is fulfilled");
}

pub(crate) async fn an_owner_claims_its_own_hero_again(backend: impl Backend) {
    let store = backend.journal();
    store.join(node(1), "one").await.unwrap();
    let stale = Owner::new(&store.claim(hero(1), node(1)).await.unwrap());
    assert_eq!(store.claim(hero(1), node(1)).await.unwrap().epoch, Epoch(2));
    let refused = store.append(&[stale.clone().events(1)]).await;
    assert_eq!(fence_reasons(refused).len(), 1, "D2: also the same node's older epoch is over");
}

pub(crate) async fn a_node_that_left_holds_nothing(backend: impl Backend) {
    let store = backend.journal();
    store.join(node(1), "one").await.unwrap();
    assert!(store.renew(node(1)).await.unwrap());
    store.claim(hero(1), node(1)).await.unwrap();
    assert_eq!(held_by(store.claim(hero(1), node(2)).await), node(1));
    store.retire(node(1)).await.unwrap();
    assert_eq!(store.claim(hero(1), node(2)).await.unwrap().epoch, Epoch(2));
    // A renewal that was on its way brings nobody back.
    assert!(!store.renew(node(1)).await.unwrap());
    store.claim(hero(2), node(1)).await.unwrap();
    assert_eq!(store.claim(hero(2), node(2)).await.unwrap().epoch, Epoch(2));
}

pub(crate) async fn a_node_of_the_same_name_takes_over(backend: impl Backend) {
    let store = backend.journal();
    store.join(node(1), "one").await.unwrap();
    store.join(node(2), "two").await.unwrap();
    store.claim(hero(1), node(1)).await.unwrap();
    store.claim(hero(2), node(2)).await.unwrap();
    store.join(node(3), "one").await.unwrap();
    assert_eq!(store.claim(hero(1), node(3)).await.unwrap().epoch, Epoch(2));
    assert_eq!(held_by(store.claim(hero(2), node(3)).await), node(2), "another name's lease stands");
    assert!(!store.renew(node(1)).await.unwrap(), "the earlier one learns that it is over");
}

pub(crate) async fn heads_come_together(backend: impl Backend) {
    let store = backend.journal();
    for number in 1..=3 {
        let mut owner = Owner::claim(&*store, hero(number)).await;
        owner.write(&*store, u64::try_from(number).unwrap()).await;
    }
    let mut heads = store.heads(&[hero(3), hero(1), hero(9)]).await.unwrap();
    heads.sort_unstable_by_key(|head| head.hero);
    let seqs: Vec<_> = heads.iter().map(|head| (head.hero, head.last_seq.0)).collect();
    assert_eq!(seqs, [(hero(1), 1), (hero(3), 3)]);
    assert_eq!(store.heads(&[]).await.unwrap(), []);
}

pub(crate) async fn the_socket_opened_last_speaks_for_its_stream(backend: impl Backend) {
    let store = backend.journal();
    Owner::claim(&*store, hero(1)).await;
    let speaker = |stream, number, connection_id| Speaker {
        stream_id: StreamId(stream),
        node: node(number),
        connection_id,
    };
    assert_eq!(store.speakers(hero(1)).await.unwrap(), []);
    for said in [speaker(7, 1, 3), speaker(8, 1, 4), speaker(7, 2, 1)] {
        store.speak(hero(1), said).await.unwrap();
    }
    let mut speakers = store.speakers(hero(1)).await.unwrap();
    speakers.sort_unstable();
    assert_eq!(speakers, [speaker(7, 2, 1), speaker(8, 1, 4)]);
    assert_eq!(store.speakers(hero(2)).await.unwrap(), []);
}
