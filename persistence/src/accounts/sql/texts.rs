//! Keys of heroes' texts.

use super::{End, Statements, Work, only};
use crate::accounts::Sealed;
use crate::error::StoreError;
use crate::record::HeroId;
use crate::rows;
use crate::text_keys::StoredTextKey;

const FIND: &str = "SELECT key FROM hero_text_key WHERE hero_id = $1";

pub(crate) struct FindTextKey(pub(crate) HeroId);

impl Work for FindTextKey {
    type Answer = Option<StoredTextKey>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows(FIND, &[self.0.0.into()]).await?;
        Ok(End::Keep(only(&found, rows::text_key)?))
    }
}

pub(crate) struct PutTextKey {
    pub(crate) hero: HeroId,
    pub(crate) candidate: Sealed,
}

impl Work for PutTextKey {
    type Answer = StoredTextKey;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<StoredTextKey>, StoreError> {
        let Self { hero, candidate } = self;
        let sql = "INSERT INTO hero_text_key (hero_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        on.rows(sql, &[hero.0.into(), (&candidate.0).into()]).await?;
        let found = on.rows(FIND, &[hero.0.into()]).await?;
        Ok(End::Keep(only(&found, rows::text_key)?.unwrap_or(StoredTextKey::Kept(candidate))))
    }
}

/// Forgets the key of a hero, and those of the guests that were united with it: what they typed is in its history too.
pub(super) async fn forget_texts<S: Statements>(on: &mut S, hero: HeroId) -> Result<(), StoreError> {
    let guests = "UPDATE hero_text_key SET key = NULL
        WHERE hero_id IN (SELECT guest_id FROM hero_union WHERE into_id = $1)";
    on.rows(guests, &[hero.0.into()]).await?;
    let own = "INSERT INTO hero_text_key (hero_id, key) VALUES ($1, NULL)
        ON CONFLICT (hero_id) DO UPDATE SET key = NULL";
    on.rows(own, &[hero.0.into()]).await?;
    Ok(())
}
