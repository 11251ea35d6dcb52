//! How a claim becomes a hero: newest snapshot that holds, plus the tail, both checked (D5). The same for every store.

use crate::error::StoreError;
use crate::record::{Chain, EventRecord, PAGE_ROWS_MAX, Seq, SnapshotRecord, TAIL_EVENTS_MAX};
use crate::store::{Claim, JournalStore, Loaded};

/// Loads what a claim owns, from a state that a cache had: `None` when that is of no use, because it is damaged, from
/// another history or older than the store's own.
///
/// # Errors
/// Those of a database that is away.
pub async fn load_hot(
    store: &dyn JournalStore,
    claim: &Claim,
    hot: SnapshotRecord,
) -> Result<Option<Loaded>, StoreError> {
    let is_of_use = hot.hero == claim.hero
        && hot.is_intact()
        && (claim.snap_seq..=claim.last_seq).contains(&hot.seq)
        && hot.schema_version <= claim.min_reader;
    if !is_of_use {
        return Ok(None);
    }
    match tail(store, claim, (hot.seq, hot.chain)).await {
        Ok(tail) => Ok(Some(Loaded { snapshot: Some(hot), tail, damaged_snapshots: Vec::new() })),
        // It says more about the cache than about the hero.
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Loads what a claim owns.
pub(crate) async fn load<S: JournalStore + ?Sized>(store: &S, claim: &Claim) -> Result<Loaded, StoreError> {
    let (snapshot, damaged_snapshots) = newest_snapshot(store, claim).await?;
    let start = snapshot.as_ref().map_or((Seq(0), Chain::genesis(claim.hero)), |it| (it.seq, it.chain));
    let tail = tail(store, claim, start).await?;
    Ok(Loaded { snapshot, tail, damaged_snapshots })
}

/// The newest snapshot whose hash fits its content and whose chain is that of the event at its position, and the
/// positions of those passed over.
async fn newest_snapshot<S: JournalStore + ?Sized>(
    store: &S,
    claim: &Claim,
) -> Result<(Option<SnapshotRecord>, Vec<Seq>), StoreError> {
    let mut damaged = Vec::new();
    let mut at_most = claim.last_seq;
    // Not all at once: nearly always the first one holds, and states are large.
    while let Some(snapshot) = store.snapshots(claim.hero, at_most, 1).await?.pop() {
        if snapshot.seq < claim.snap_seq && damaged.is_empty() {
            damaged.push(claim.snap_seq);
        }
        if snapshot.is_intact() && is_on_chain(store, &snapshot).await? {
            return Ok((Some(snapshot), damaged));
        }
        damaged.push(snapshot.seq);
        if snapshot.seq.0 == 0 {
            break;
        }
        at_most = Seq(snapshot.seq.0 - 1);
    }
    if claim.snap_seq.0 > 0 && damaged.is_empty() {
        damaged.push(claim.snap_seq);
    }
    Ok((None, damaged))
}

async fn is_on_chain<S: JournalStore + ?Sized>(
    store: &S,
    snapshot: &SnapshotRecord,
) -> Result<bool, StoreError> {
    let event = store.events(snapshot.hero, snapshot.seq, 1).await?.pop();
    Ok(event.is_some_and(|event| event.seq == snapshot.seq && event.chain == snapshot.chain))
}

/// Every event after `start` up to the claim's last one; anything else than a gap-free, chained row of them is damage.
async fn tail<S: JournalStore + ?Sized>(
    store: &S,
    claim: &Claim,
    start: (Seq, Chain),
) -> Result<Vec<EventRecord>, StoreError> {
    let corrupt = |what: String| Err(StoreError::Corrupt { hero: claim.hero, what });
    let (mut seq, mut chain) = start;
    let length = claim.last_seq.0.saturating_sub(seq.0);
    if length > TAIL_EVENTS_MAX {
        return corrupt(format!("no snapshot holds within {TAIL_EVENTS_MAX} events of the last one"));
    }
    let mut tail = Vec::new();
    while seq < claim.last_seq {
        let page = store.events(claim.hero, seq.next(), PAGE_ROWS_MAX).await?;
        if page.is_empty() {
            return corrupt(format!("event {} is missing", seq.next().0));
        }
        for event in page {
            if seq == claim.last_seq {
                break;
            }
            if event.seq != seq.next() {
                return corrupt(format!("event {} is missing", seq.next().0));
            }
            if event.chain != event.chain_after(chain) {
                return corrupt(format!("event {} does not follow the chain", event.seq.0));
            }
            (seq, chain) = (event.seq, event.chain);
            tail.push(event);
        }
    }
    if chain != claim.chain {
        return corrupt(format!("the chain at event {} is not that of the head", claim.last_seq.0));
    }
    Ok(tail)
}
