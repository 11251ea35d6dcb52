//! Keys of heroes' texts: kept once, forgotten with their owner, never made again.

use std::sync::Arc;

use persistence::accounts::{AccountChange, Sealed};
use persistence::{HeroId, StoredTextKey, TextKeyStore};
use tokio::task::JoinSet;

use crate::backend::Backend;
use crate::history::hero;
use crate::owners::{guest, id, new, union};

fn kept(byte: u8) -> StoredTextKey {
    StoredTextKey::Kept(Sealed(vec![byte; 100]))
}

async fn put(keys: &dyn TextKeyStore, of: HeroId, byte: u8) -> StoredTextKey {
    keys.put_text_key(of, Sealed(vec![byte; 100])).await.unwrap()
}

pub(crate) async fn the_first_key_of_a_hero_stays(backend: impl Backend) {
    let keys = backend.text_keys();
    assert_eq!(keys.text_key(hero(1)).await.unwrap(), None);
    let at_once: JoinSet<_> = (1..=8)
        .map(|byte| {
            let keys = Arc::clone(&keys);
            async move { put(&*keys, hero(1), byte).await }
        })
        .collect();
    let answers = at_once.join_all().await;
    let stands = keys.text_key(hero(1)).await.unwrap().expect("it is kept");
    assert!(answers.iter().all(|answer| *answer == stands), "{answers:?}");
    assert_eq!(put(&*keys, hero(2), 20).await, kept(20), "each hero has its own");
    let backend = backend.reopen().await;
    assert_eq!(backend.text_keys().text_key(hero(1)).await.unwrap(), Some(stands));
}

pub(crate) async fn an_erased_owners_texts_are_forgotten(backend: impl Backend) {
    let (accounts, keys) = (backend.accounts(), backend.text_keys());
    for number in [1, 2] {
        accounts.create_account(new(number)).await.unwrap();
    }
    for number in [5, 6] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    accounts.begin_union(union(5, 1, 2_000)).await.unwrap();
    accounts.finish_union(hero(5), 2_001).await.unwrap();
    accounts.begin_union(union(6, 2, 2_000)).await.unwrap();
    accounts.finish_union(hero(6), 2_001).await.unwrap();
    for number in [1, 2, 5, 6] {
        put(&*keys, hero(number.into()), number).await;
    }
    accounts.change_account(id(1), AccountChange::EraseAt(Some(5_000))).await.unwrap();
    accounts.erase_account(id(1), 4_999).await.unwrap();
    assert_eq!(keys.text_key(hero(1)).await.unwrap(), Some(kept(1)), "one ms early");
    assert!(accounts.erase_account(id(1), 5_000).await.unwrap());
    for (number, what) in [(1_u128, "its own hero"), (5, "the guest that came to it")] {
        let of = hero(number);
        assert_eq!(keys.text_key(of).await.unwrap(), Some(StoredTextKey::Forgotten), "{what}");
        assert_eq!(put(&*keys, of, 99).await, StoredTextKey::Forgotten, "{what}: never again");
    }
    for number in [2_u8, 6] {
        assert_eq!(keys.text_key(hero(number.into())).await.unwrap(), Some(kept(number)), "another's");
    }
    let backend = backend.reopen().await;
    let found = backend.text_keys().text_key(hero(1)).await.unwrap();
    assert_eq!(found, Some(StoredTextKey::Forgotten));
}

pub(crate) async fn an_erased_guests_texts_are_forgotten(backend: impl Backend) {
    let (accounts, keys) = (backend.accounts(), backend.text_keys());
    for number in [1, 2] {
        accounts.create_guest(guest(number)).await.unwrap();
    }
    put(&*keys, hero(1), 1).await;
    assert!(accounts.erase_guest(hero(1)).await.unwrap());
    assert!(accounts.erase_guest(hero(2)).await.unwrap());
    for number in [1, 2] {
        let of = hero(number);
        assert_eq!(keys.text_key(of).await.unwrap(), Some(StoredTextKey::Forgotten));
        assert_eq!(put(&*keys, of, 99).await, StoredTextKey::Forgotten, "never again");
    }
}
