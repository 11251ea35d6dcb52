use std::sync::Arc;

use persistence::{AccountStore, MemoryStore};
use proptest::prelude::*;
use simulation::event::Event;
use simulation::text::PlayerText;
use uuid::Uuid;

use super::*;

const CANARY: &str = "Call the clinic about the results";

fn hero() -> HeroId {
    HeroId(Uuid::from_u128(7))
}

fn renamed(name: &str) -> Vec<u8> {
    rmp_serde::to_vec_named(&Event::HeroRenamed { name: name.into() }).expect("events are plain data")
}

fn name_in(bytes: &[u8]) -> PlayerText {
    match rmp_serde::from_slice(bytes).expect("it is an event") {
        Event::HeroRenamed { name } => name,
        other => panic!("{other:?}"),
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_sealed_text_says_nothing_and_opens_with_its_key_alone() {
    let (key, other) = (TextKey::random(), TextKey::random());
    let plain = renamed(CANARY);
    assert!(holds(&plain, CANARY));
    let sealed = key.seal(plain.clone());
    assert!(!holds(&sealed, CANARY));
    assert!(matches!(name_in(&sealed), PlayerText::Sealed(_)));
    assert_eq!(name_in(&sealed).as_str(), "(unreadable)");
    assert_eq!(key.open(&sealed).as_deref(), Ok(&*plain));
    assert_eq!(other.open(&sealed), Err(TextDamaged));
    // What is not sealed opens to itself: rows of schema version 1, and values without a text.
    assert_eq!(key.open(&plain).as_deref(), Ok(&*plain));
}

#[test]
fn a_text_is_sealed_the_same_way_each_time_and_not_twice() {
    let key = TextKey::random();
    let sealed = key.seal(renamed(CANARY));
    assert_eq!(key.seal(renamed(CANARY)), sealed);
    assert_eq!(key.seal(sealed.clone()), sealed, "what is sealed stays as it is");
    // Through the type and back: a fold without the key keeps the bytes.
    let folded: Event = rmp_serde::from_slice(&sealed).expect("it is an event");
    assert_eq!(rmp_serde::to_vec_named(&folded).expect("events are plain data"), sealed);
}

#[test]
fn a_changed_byte_of_a_sealed_text_is_noticed() {
    let key = TextKey::random();
    let sealed = key.seal(renamed(CANARY));
    let text = sealed.len() - (NONCE_LEN + CANARY.len() + 16)..sealed.len();
    for at in text {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(key.open(&changed), Err(TextDamaged), "byte {at}");
    }
}

#[test]
fn events_of_schema_version_1_are_read_still() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Before {
        HeroRenamed { name: &'static str },
    }
    let bytes = rmp_serde::to_vec_named(&Before::HeroRenamed { name: "Ada" }).expect("it is plain data");
    assert_eq!(name_in(&bytes), "Ada");
}

proptest! {
    #[test]
    fn every_text_comes_back(name in "\\PC{0,300}") {
        let key = TextKey::random();
        let sealed = key.seal(renamed(&name));
        prop_assert_eq!(name_in(&key.open(&sealed).expect("it is its key")), name.as_str());
    }

    /// Bytes that are no MessagePack are refused or left as they are; nothing panics.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _refused_or_not = TextKey::random().open(&bytes);
    }
}

#[tokio::test]
async fn a_key_is_made_once_and_never_again_after_it_was_forgotten() {
    let store = Arc::new(MemoryStore::new());
    let keys = TextKeys::new(Arc::clone(&store) as _, Keys::random());
    assert_eq!(keys.find(hero()).await.expect("the store is there"), None);
    let key = keys.get(hero()).await.expect("the store is there");
    assert_eq!(keys.get(hero()).await.expect("the store is there"), key);
    assert_eq!(keys.find(hero()).await.expect("the store is there"), Some(key));
    let strange = TextKeys::new(Arc::clone(&store) as _, Keys::random());
    assert!(matches!(strange.find(hero()).await, Err(KeyFailed::Secret(_))));

    store.erase_guest(hero()).await.expect("the store is there");
    assert_eq!(keys.find(hero()).await.expect("the store is there"), None);
    assert!(matches!(keys.get(hero()).await, Err(KeyFailed::Erased)));
}
