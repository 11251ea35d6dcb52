//! Checks that folding gives what a snapshot says (D13): some snapshots are rebuilt from the one before and the events
//! between. A difference is a bug in a rule or in the fold; the hero is set aside and its events are kept.

use persistence::{HeroId, JournalStore, Seq, SnapshotRecord, StoreError};

use crate::{
    journal::{self, FoldFailed, StoredHero},
    texts::TextKey,
};

/// Events asked for at once.
const PAGE_ROWS: u32 = 500;

/// Why a snapshot is not what its events fold to.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditFailed {
    /// It could not be checked now.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The events do not fold.
    #[error(transparent)]
    Fold(#[from] FoldFailed),
    /// They fold to something else.
    #[error("the snapshot at seq {0} is not what its events fold to")]
    Differs(u64),
}

/// How many of 100 snapshots are checked; all of them in tests.
const CHECKED_PERCENT: u16 = if cfg!(test) { 100 } else { 1 };

/// Whether a snapshot is one of those that are checked. The hash is as good as a die, and the same for everybody.
pub(super) fn is_chosen(snapshot: &SnapshotRecord) -> bool {
    let [high, low, ..] = snapshot.state_hash;
    u16::from_be_bytes([high, low]) % 100 < CHECKED_PERCENT
}

/// Rebuilds the newest stored snapshot from the one before it.
pub(super) async fn audit(
    store: &dyn JournalStore,
    hero: HeroId,
    texts: &TextKey,
) -> Result<(), AuditFailed> {
    let snapshots = store.snapshots(hero, Seq(u64::MAX), 3).await?;
    let mut intact = snapshots.iter().filter(|snapshot| snapshot.is_intact());
    let Some(newest) = intact.next() else { return Ok(()) };
    let mut stored =
        intact.next().map(|before| journal::state(before, None)).transpose()?.unwrap_or_default();
    let from = snapshots
        .iter()
        .filter(|snapshot| snapshot.is_intact())
        .nth(1)
        .map_or(Seq(1), |before| before.seq.next());
    fold_to(store, hero, &mut stored, from, newest.seq).await?;
    if journal::encode_state(&stored.hero, &stored.streams, texts) == newest.state {
        Ok(())
    } else {
        Err(AuditFailed::Differs(newest.seq.0))
    }
}

async fn fold_to(
    store: &dyn JournalStore,
    hero: HeroId,
    stored: &mut StoredHero,
    mut next: Seq,
    last: Seq,
) -> Result<(), AuditFailed> {
    while next <= last {
        let page = store.events(hero, next, PAGE_ROWS).await?;
        let Some(end) = page.last() else { return Err(AuditFailed::Differs(last.0)) };
        next = end.seq.next();
        for record in page.iter().take_while(|record| record.seq <= last) {
            journal::apply(stored, record, None)?;
        }
    }
    Ok(())
}
