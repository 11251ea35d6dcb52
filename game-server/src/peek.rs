//! Reads a hero as it is kept, without owning it: what a preview or a copy for its player needs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use persistence::{HeroId, JournalStore, Seq, SnapshotRecord};

use crate::{
    journal::{self, StoredHero},
    shard::LoadFailed,
    texts::TextKeys,
};

/// Events asked for at once.
const PAGE_ROWS: u32 = 500;
/// Snapshots looked at: nearly always the newest holds.
const SNAPSHOTS_MAX: u32 = 3;

/// A hero with everything that is durable of it; nothing when it was never played.
///
/// # Errors
/// [`LoadFailed`].
pub async fn peek(
    store: &dyn JournalStore,
    texts: &TextKeys,
    hero: HeroId,
) -> Result<Option<StoredHero>, LoadFailed> {
    if store.head(hero).await?.is_none_or(|head| head.last_seq.0 == 0) {
        return Ok(None);
    }
    let texts = texts.find(hero).await?;
    let snapshots = store.snapshots(hero, Seq(u64::MAX), SNAPSHOTS_MAX).await?;
    let newest = snapshots.iter().find(|snapshot| snapshot.is_intact());
    let mut stored = newest.map(|it| journal::state(it, texts.as_ref())).transpose()?.unwrap_or_default();
    let mut next = newest.map_or(Seq(1), |snapshot: &SnapshotRecord| snapshot.seq.next());
    loop {
        let page = store.events(hero, next, PAGE_ROWS).await?;
        let Some(last) = page.last() else { return Ok(Some(stored)) };
        next = last.seq.next();
        let fold = || {
            page.iter().try_for_each(|record| journal::apply(&mut stored, record, texts.as_ref()).map(drop))
        };
        // A history that breaks the fold must not take the request's task with it.
        match catch_unwind(AssertUnwindSafe(fold)) {
            Ok(folded) => folded?,
            Err(_panic) => return Err(LoadFailed::Panicked),
        }
    }
}
