//! Reads heroes beside the game: ids, pages, folds, and what a failure means to an operator.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use admin_http::Refused;
use persistence::{EventRecord, HeroHead, HeroId, Seq, StoreError};
use serde_json::Value;
use simulation::event::TimedEvent;
use simulation::hero::Hero;
use tokio::time::timeout;
use uuid::Uuid;

use crate::convert;
use crate::journal::{self, StoredHero};
use crate::node::Node;
use crate::operations::NodeOperations;
use crate::shard::LoadFailed;
use crate::texts::TextKey;

/// How long a question about a player may take; a longer one is given up, so that panels never pile up in a database
/// that is slow.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Events asked for at once.
pub(in crate::operations) const PAGE_ROWS: u32 = 500;
/// Most events that one question folds: more is work for the command line.
pub(in crate::operations) const EVENTS_MAX: u64 = 200_000;
/// Snapshots looked at: nearly always the newest holds.
const SNAPSHOTS_MAX: u32 = 3;

/// Gives a question up that takes too long.
pub(in crate::operations) async fn within<T>(
    question: impl Future<Output = Result<T, Refused>>,
) -> Result<T, Refused> {
    timeout(READ_WITHIN, question).await.unwrap_or(Err(Refused::Busy))
}

/// A hero's id.
pub(in crate::operations) fn parse_hero(hero: &str) -> Result<HeroId, Refused> {
    let wrong = || Refused::Invalid("a hero's id looks like 0198f1c2-7d3e-7abc-8def-0123456789ab".to_owned());
    Uuid::try_parse(hero).map(HeroId).map_err(|_| wrong())
}

/// A hero and where its journal stands.
pub(in crate::operations) async fn head_of(node: &Node, hero: &str) -> Result<(HeroId, HeroHead), Refused> {
    let hero = parse_hero(hero)?;
    let head = node.store.head(hero).await.map_err(store_failed)?;
    head.map(|head| (hero, head)).ok_or_else(|| Refused::NotFound(format!("there is no hero {hero}")))
}

/// A hero as its player saw it at the moment of its last event.
pub(in crate::operations) fn view(
    operations: &NodeOperations,
    stored: &Hero,
    hero: HeroId,
) -> Result<Value, Refused> {
    let catalogue = operations.node.catalogue();
    // The rules that make the view meet heroes of any age here.
    let make = || convert::hero_view(stored, &hero.to_string(), &catalogue, stored.latest_ms);
    let view = catch_unwind(AssertUnwindSafe(make)).map_err(|_panic| Refused::Internal)?;
    serde_json::to_value(view).map_err(|_| Refused::Internal)
}

/// The events from `from` to `to`, both included, at most [`PAGE_ROWS`].
pub(in crate::operations) async fn chapter(
    node: &Node,
    hero: HeroId,
    (from, to): (Seq, Seq),
) -> Result<Vec<EventRecord>, StoreError> {
    let count = (to.0 + 1).saturating_sub(from.0);
    let limit = u32::try_from(count).unwrap_or(PAGE_ROWS).min(PAGE_ROWS);
    let mut page = if limit == 0 { Vec::new() } else { node.store.events(hero, from, limit).await? };
    page.retain(|record| record.seq <= to);
    Ok(page)
}

/// A hero as it was after an event: the newest snapshot at or before it that is intact, and the events up to it. Its
/// texts are readable as long as their key exists.
pub(in crate::operations) async fn fold_to(
    node: &Node,
    hero: HeroId,
    to: Seq,
) -> Result<StoredHero, LoadFailed> {
    let texts = node.texts.find_if_configured(hero).await?;
    let snapshots = node.store.snapshots(hero, to, SNAPSHOTS_MAX).await?;
    let newest = snapshots.iter().find(|snapshot| snapshot.is_intact());
    let mut stored = newest.map(|it| journal::state(it, texts.as_ref())).transpose()?.unwrap_or_default();
    let mut next = newest.map_or(Seq(1), |snapshot| snapshot.seq.next());
    while next <= to {
        let page = chapter(node, hero, (next, to)).await?;
        let Some(last) = page.last() else {
            let what = format!("event {} is missing", next.0);
            return Err(StoreError::Corrupt { hero, what }.into());
        };
        next = last.seq.next();
        for record in &page {
            apply(&mut stored, record, texts.as_ref())?;
        }
    }
    Ok(stored)
}

/// Applies one event. A history that breaks the fold must not take the request's task with it.
pub(in crate::operations) fn apply(
    stored: &mut StoredHero,
    record: &EventRecord,
    texts: Option<&TextKey>,
) -> Result<TimedEvent, LoadFailed> {
    let fold = AssertUnwindSafe(|| journal::apply(stored, record, texts));
    catch_unwind(fold).map_or(Err(LoadFailed::Panicked), |folded| Ok(folded?))
}

/// A database that did not answer as hoped.
pub(in crate::operations) fn store_failed(error: StoreError) -> Refused {
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "the database did not answer an operator's question"
    );
    match error {
        StoreError::Busy(_) => Refused::Busy,
        StoreError::Ambiguous(_) => Refused::Unsure,
        StoreError::Unavailable(_) | StoreError::Full(_) => Refused::Away,
        error @ (StoreError::Corrupt { .. } | StoreError::Quarantined { .. }) => {
            Refused::Conflict(format!("{error}; `dopamine-hero verify` says what is wrong"))
        }
        _ => Refused::Internal,
    }
}

/// A hero that cannot be read.
pub(in crate::operations) fn read_failed(failed: LoadFailed) -> Refused {
    match failed {
        LoadFailed::Store(error) => store_failed(error),
        LoadFailed::Erased => Refused::NotFound("this hero was erased".to_owned()),
        failed @ (LoadFailed::Fold(_) | LoadFailed::Panicked) => {
            tracing::error!(
                error = &failed as &dyn std::error::Error,
                "a hero cannot be read for an operator"
            );
            Refused::Conflict(
                "this hero's journal does not fold; `dopamine-hero verify` says what is wrong".to_owned(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_is_a_hero() {
        assert!(parse_hero("0198f1c2-7d3e-7abc-8def-0123456789ab").is_ok());
        for wrong in
            ["", "hero", "0198f1c2", "../0198f1c2-7d3e-7abc-8def-0123456789ab", "'; DROP TABLE device"]
        {
            assert!(matches!(parse_hero(wrong), Err(Refused::Invalid(_))), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_takes_too_long_is_given_up() {
        let asked = within::<()>(std::future::pending()).await;
        assert_eq!(asked, Err(Refused::Busy));
    }
}
