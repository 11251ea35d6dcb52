//! `TextKeyStore`: one key for each hero, with which what its player types is encrypted in the journal. Erasing a hero's
//! owner forgets the key ([`crate::AccountStore::erase_account`], [`crate::AccountStore::erase_guest`]).

use crate::accounts::Sealed;
use crate::record::HeroId;
use crate::store::StoreFuture;

/// What is kept for a hero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredTextKey {
    /// Its key; only the application can read it.
    Kept(Sealed),
    /// Its owner was erased: there will never be a key again.
    Forgotten,
}

/// Where the keys of heroes' texts live: in the same database as the journal. Every method may fail because the database
/// is away.
pub trait TextKeyStore: Send + Sync {
    /// What is kept for a hero; nothing before its first key.
    fn text_key(&self, hero: HeroId) -> StoreFuture<'_, Option<StoredTextKey>>;

    /// Keeps `candidate` if nothing is kept for the hero; says what stands.
    fn put_text_key(&self, hero: HeroId, candidate: Sealed) -> StoreFuture<'_, StoredTextKey>;
}
