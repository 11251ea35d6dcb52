//! Keys of heroes' texts beside the journal in memory.

use super::{Inner, MemoryStore};
use crate::accounts::Sealed;
use crate::record::HeroId;
use crate::store::StoreFuture;
use crate::text_keys::{StoredTextKey, TextKeyStore};

impl Inner {
    /// As the databases do: the hero's key, and those of the guests that were united with it.
    pub(super) fn forget_texts(&mut self, hero: HeroId) {
        for union in self.accounts.unions.values().filter(|union| union.into == hero) {
            self.text_keys.entry(union.guest).and_modify(|key| *key = StoredTextKey::Forgotten);
        }
        self.text_keys.insert(hero, StoredTextKey::Forgotten);
    }
}

impl TextKeyStore for MemoryStore {
    fn text_key(&self, hero: HeroId) -> StoreFuture<'_, Option<StoredTextKey>> {
        Box::pin(async move { Ok(self.lock().text_keys.get(&hero).cloned()) })
    }

    fn put_text_key(&self, hero: HeroId, candidate: Sealed) -> StoreFuture<'_, StoredTextKey> {
        Box::pin(async move {
            self.write(|inner| {
                let kept = StoredTextKey::Kept(candidate);
                Ok(inner.text_keys.entry(hero).or_insert(kept).clone())
            })
        })
    }
}
