//! What happened to a hero: its journal in pages, the hero at any moment, and all of it to take along.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use admin_http::Refused;
use admin_http::views::{HeroAt, Timeline, TimelineEvent};
use futures_util::FutureExt;
use persistence::{CommandRef, EventRecord, HeroId, Seq};
use simulation::event::{Event, TimedEvent};

use super::reading::{apply, chapter, fold_to, head_of, read_failed, store_failed, view, within};
use crate::node::Node;
use crate::operations::NodeOperations;
use crate::{convert, export as document, journal};

/// Most events of a page.
const TIMELINE_MAX: u32 = 200;
/// Most events of a document that the panel makes; it is in memory as a whole. Longer: the command line writes it.
const EXPORT_EVENTS_MAX: u64 = 20_000;
/// Its largest size.
const EXPORT_BYTES_MAX: usize = 32 * 1024 * 1024;

pub(in crate::operations) async fn timeline(
    operations: &NodeOperations,
    hero: &str,
    before: Option<u64>,
    limit: u32,
) -> Result<Timeline, Refused> {
    within(async {
        let node = &operations.node;
        let (hero, head) = head_of(node, hero).await?;
        let last_seq = head.last_seq.0;
        let to = before.unwrap_or(u64::MAX).saturating_sub(1).min(last_seq);
        let limit = u64::from(limit.clamp(1, TIMELINE_MAX));
        let from = to.saturating_sub(limit - 1).max(1);
        let texts = node.texts.find_if_configured(hero).await.map_err(store_failed)?;
        let page = chapter(node, hero, (Seq(from), Seq(to))).await.map_err(store_failed)?;
        let mut events = Vec::with_capacity(page.len());
        for record in page.iter().rev() {
            let timed =
                journal::event(record, texts.as_ref()).map_err(|failed| read_failed(failed.into()))?;
            events.push(line(record, &timed)?);
        }
        Ok(Timeline { last_seq, events, before: (from > 1).then_some(from) })
    })
    .await
}

fn line(record: &EventRecord, timed: &TimedEvent) -> Result<TimelineEvent, Refused> {
    let event = convert::event(record.seq.0, timed);
    let operator = match &timed.event {
        Event::BalanceCorrected { operator, .. } => Some(operator.to_string()),
        _ => None,
    };
    Ok(TimelineEvent {
        seq: event.seq,
        at_ms: event.at_ms,
        kind: event.kind,
        cause: event.cause,
        subject: event.subject,
        energy_me: event.energy_me,
        dopamine_md: event.dopamine_md,
        command: record.command.map(|CommandRef { stream_id, cmd_seq }| (stream_id.0, cmd_seq.0)),
        catalogue_version: record.catalogue_version,
        operator,
        body: serde_json::to_value(&timed.event).map_err(|_| Refused::Internal)?,
    })
}

pub(in crate::operations) async fn hero_at(
    operations: &NodeOperations,
    hero: &str,
    seq: u64,
) -> Result<HeroAt, Refused> {
    within(async {
        let node = &operations.node;
        let (hero, head) = head_of(node, hero).await?;
        let last_seq = head.last_seq.0;
        if !(1..=last_seq).contains(&seq) {
            return Err(Refused::NotFound(format!("this hero's events have the numbers 1 to {last_seq}")));
        }
        let mut stored = fold_to(node, hero, Seq(seq - 1)).await.map_err(read_failed)?;
        let earlier = stored.hero.clone();
        let texts = node.texts.find_if_configured(hero).await.map_err(store_failed)?;
        let page = chapter(node, hero, (Seq(seq), Seq(seq))).await.map_err(store_failed)?;
        let record = page.first().ok_or(Refused::Internal)?;
        let timed = apply(&mut stored, record, texts.as_ref()).map_err(read_failed)?;
        // Before its first event there was no hero to see.
        let changed = if seq == 1 { &[][..] } else { std::slice::from_ref(&timed) };
        let before = convert::patch(&earlier, changed, &node.catalogue(), timed.at_ms);
        Ok(HeroAt {
            seq,
            at_ms: timed.at_ms,
            hero: view(operations, &stored.hero, hero)?,
            before: serde_json::to_value(before).map_err(|_| Refused::Internal)?,
        })
    })
    .await
}

pub(in crate::operations) async fn export(
    operations: &NodeOperations,
    hero: &str,
) -> Result<Vec<u8>, Refused> {
    let node = &operations.node;
    let (hero, head) = head_of(node, hero).await?;
    if head.last_seq.0 == 0 {
        return Err(Refused::NotFound(
            "this hero was never played: there is nothing to take along".to_owned(),
        ));
    }
    if head.last_seq.0 > EXPORT_EVENTS_MAX {
        return Err(too_large(hero));
    }
    let _place = Arc::clone(&operations.desk.exports).try_acquire_owned().map_err(|_full| Refused::Busy)?;
    within(written(node, hero)).await
}

async fn written(node: &Node, hero: HeroId) -> Result<Vec<u8>, Refused> {
    let mut out = Bounded { bytes: Vec::new(), is_full: false };
    let catalogue = node.catalogue();
    let writing = document::run(&*node.store, &node.texts, &catalogue, hero, &mut out);
    // A history that breaks the fold must not take the request's task with it.
    let written = AssertUnwindSafe(writing).catch_unwind().await.map_err(|_panic| Refused::Internal)?;
    match written {
        Ok(()) => Ok(out.bytes),
        Err(_) if out.is_full => Err(too_large(hero)),
        Err(error) => match error.downcast::<persistence::StoreError>() {
            Ok(error) => Err(store_failed(error)),
            Err(error) => {
                tracing::error!(%hero, error = format!("{error:#}"), "a hero cannot be exported for an operator");
                Err(Refused::Conflict("this hero cannot be read; `dopamine-hero verify` says why".to_owned()))
            }
        },
    }
}

fn too_large(hero: HeroId) -> Refused {
    Refused::Invalid(format!(
        "this document would be too large for the panel; `dopamine-hero export {hero}` on the server writes it"
    ))
}

/// Takes bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > EXPORT_BYTES_MAX {
            self.is_full = true;
            return Err(io::Error::other("the document is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_a_largest_size() {
        let mut out = Bounded { bytes: Vec::new(), is_full: false };
        out.write_all(&vec![b' '; EXPORT_BYTES_MAX]).expect("it fits");
        assert!(out.write_all(b" ").is_err());
        assert!(out.is_full);
        assert_eq!(out.bytes.len(), EXPORT_BYTES_MAX);
    }
}
