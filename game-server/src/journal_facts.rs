//! Turns what the journal writer tells into numbers and log lines, and tells the follower of the read models. It runs on
//! the writer's task, so it only counts and never waits.

use std::sync::Arc;

use persistence::Cache;
use persistence::writer::WriterFact;

use crate::metrics::Metrics;
use crate::read_models::ReadModels;
use crate::telemetry::Traces;

/// Most fenced heroes that are named in one log line.
const FENCES_SHOWN_MAX: usize = 4;

/// What the writer calls for every fact.
pub fn listener(
    metrics: Arc<Metrics>,
    cache: Cache,
    read_models: ReadModels,
    traces: Traces,
) -> Arc<dyn Fn(WriterFact) + Send + Sync> {
    Arc::new(move |fact| hear(&metrics, &cache, &read_models, &traces, fact))
}

fn hear(metrics: &Metrics, cache: &Cache, read_models: &ReadModels, traces: &Traces, fact: WriterFact) {
    match fact {
        WriterFact::Flushed { events_count, bytes, advanced, waited, took } => {
            traces.flushed(&advanced);
            cache.advanced(&advanced);
            read_models.advanced(&advanced);
            metrics.journal_flush_seconds.record_duration(took);
            metrics.journal_wait_seconds.record_duration(waited);
            metrics.journal_bytes_total.add(bytes as u64);
            metrics.journal_batch_events.record_count(u32::try_from(events_count).unwrap_or(u32::MAX));
        }
        WriterFact::Retried { what, after } => {
            metrics.journal_retries_total.increment();
            tracing::warn!(what, after_ms = after.as_millis(), "a flush failed and is sent again");
        }
        // The shards count the heroes they drop; here is only said why.
        WriterFact::Fenced(fences) => {
            let shown: Vec<String> = fences
                .iter()
                .take(FENCES_SHOWN_MAX)
                .map(|fence| format!("{} at epoch {} ({})", fence.hero, fence.epoch.0, fence.why))
                .collect();
            tracing::warn!(heroes = fences.len(), first = shown.join(", "), "heroes have another owner");
        }
        WriterFact::Poisoned { hero, what } => {
            metrics.heroes_quarantined_total.increment();
            tracing::error!(%hero, what, "the store refuses this hero's events: it is set aside, nothing stored is lost");
        }
        WriterFact::ReadOnly(read_only) => {
            metrics.journal_read_only.set(i64::from(read_only));
            if read_only {
                tracing::error!("the store is away or full: durable commands are refused until it is back");
            } else {
                tracing::info!("the store is back: durable commands are taken again");
            }
        }
        WriterFact::SnapshotsWritten { kept, took, .. } => {
            metrics.snapshot_seconds.record_duration(took);
            metrics.snapshots_total.add(kept.len() as u64);
            cache.put_snapshots(kept);
        }
        WriterFact::SnapshotsRefused { what } => {
            metrics.snapshots_refused_total.increment();
            tracing::warn!(what, "the store refused snapshots; the events are there, loads take longer");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use persistence::writer::WriterFact;
    use persistence::{Cache, Epoch, HeroId, Seq};

    use super::listener;
    use crate::metrics::Metrics;
    use crate::read_models;
    use crate::telemetry::Traces;

    #[test]
    fn facts_become_numbers() {
        let metrics = Arc::new(Metrics::new());
        let (read_models, _inbox) = read_models::channel();
        let hear = listener(Arc::clone(&metrics), Cache::none(), read_models, Traces::off());
        let millisecond = Duration::from_millis(1);
        hear(WriterFact::Flushed {
            events_count: 3,
            bytes: 900,
            advanced: vec![(HeroId(uuid::Uuid::nil()), Epoch(1), Seq(3))],
            waited: millisecond,
            took: millisecond,
        });
        hear(WriterFact::Retried { what: "locked".into(), after: millisecond });
        hear(WriterFact::ReadOnly(true));
        hear(WriterFact::SnapshotsWritten { kept: Vec::new(), stale_count: 0, took: millisecond });
        hear(WriterFact::SnapshotsRefused { what: "too large".into() });
        hear(WriterFact::Poisoned { hero: HeroId(uuid::Uuid::nil()), what: "too large".into() });
        assert_eq!((metrics.journal_flush_seconds.count(), metrics.journal_batch_events.count()), (1, 1));
        assert_eq!((metrics.journal_retries_total.get(), metrics.snapshots_total.get()), (1, 0));
        assert_eq!((metrics.journal_wait_seconds.count(), metrics.journal_bytes_total.get()), (1, 900));
        assert_eq!((metrics.snapshot_seconds.count(), metrics.snapshots_refused_total.get()), (1, 1));
        assert_eq!(metrics.journal_read_only.get(), 1.0);
        assert_eq!(metrics.heroes_quarantined_total.get(), 1);
    }
}
