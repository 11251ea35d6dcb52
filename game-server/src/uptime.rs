//! Owns the question whether the service was away: a beat once a minute says that it is there, and a gap between two
//! beats that is long enough was an outage. So a planned stop, a crash, a machine that slept and a store that could not
//! be written are all found by the same comparison, at the first beat afterwards.
//!
//! It never touches a hero: it keeps the list of outages that the shards read when they take a hero in, and again when it
//! changes (rules, section 3). What an operator declares comes into the list at once here and within seconds on other
//! servers. The task is small because a lost beat is harmless: the next one comes in a minute.
//!
//! ```text
//! clock ─minute▶ ┌───────────┐ ─beat, outage▶ store
//! shutdown ────▶ │ heartbeat │
//!                └───────────┘ ─outages (watch)▶ shards
//! ```

use std::sync::Arc;
use std::time::Duration;

use persistence::{Outage, StoreError, UptimeStore};
use simulation::calendar::format_rfc3339;
use simulation::hero::Hero;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::clock::Clock;
use crate::metrics::Metrics;

/// How often the service says that it is there: a crash makes an outage look longer by up to this much.
const BEAT_EVERY: Duration = Duration::from_secs(60);

/// How often it looks whether an operator has declared an outage on another server.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The newest outages, oldest first; at most [`persistence::uptime::OUTAGES_MAX`].
pub type Outages = watch::Receiver<Arc<[Outage]>>;

/// What a service that was last there at `last_beat_ms` has missed, if it is long enough to matter. A clock that
/// stepped back has missed nothing.
#[must_use]
pub fn outage(last_beat_ms: Option<i64>, now_ms: i64, minimum_ms: i64) -> Option<Outage> {
    let from_ms = last_beat_ms?;
    let is_long = now_ms > from_ms && now_ms.saturating_sub(from_ms) >= minimum_ms;
    is_long.then_some(Outage { from_ms, until_ms: now_ms })
}

/// The outages that may touch a day which this hero remembers, and which it lived through. One that is over only in the
/// future was noted by a clock that was ahead.
pub fn concerning(outages: &[Outage], hero: &Hero, now_ms: i64) -> impl Iterator<Item = Outage> {
    let oldest_ms = hero.days.first().map_or(hero.today.bounds.start_ms, |day| day.start_ms());
    let since_ms = oldest_ms.max(hero.created_at_ms);
    outages.iter().copied().filter(move |outage| outage.until_ms > since_ms && outage.until_ms <= now_ms)
}

/// Says that the service is there, and finds out when it was not.
pub struct Heartbeat {
    store: Arc<dyn UptimeStore>,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// A gap from this length on is an outage.
    minimum_ms: i64,
    last_beat_ms: Option<i64>,
    outages: watch::Sender<Arc<[Outage]>>,
    /// Somebody has declared one here.
    declared: Arc<Notify>,
}

impl Heartbeat {
    /// Finds out how long the service was away, and makes the first beat.
    ///
    /// # Errors
    /// Those of a store that cannot be read. One that cannot be written is tried again at the next beat.
    pub async fn begin(
        store: Arc<dyn UptimeStore>,
        clock: Clock,
        metrics: Arc<Metrics>,
        minimum_ms: i64,
    ) -> Result<Heartbeat, StoreError> {
        let last_beat_ms = store.last_beat().await?;
        let outages = watch::Sender::new(store.outages(i64::MIN).await?.into());
        let declared = Arc::default();
        let mut heartbeat = Heartbeat { store, clock, metrics, minimum_ms, last_beat_ms, outages, declared };
        heartbeat.beat().await;
        Ok(heartbeat)
    }

    /// The outages, now and later.
    pub fn outages(&self) -> Outages {
        self.outages.subscribe()
    }

    /// Reads the outages again at once when this is notified; every [`LOOK_EVERY`] it does so anyway.
    #[must_use]
    pub fn reread_when(self, declared: Arc<Notify>) -> Heartbeat {
        Heartbeat { declared, ..self }
    }

    /// Beats until it is stopped.
    pub fn start(self) -> Beating {
        let (stop, stopped) = oneshot::channel();
        Beating { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut beats = interval_at(Instant::now() + BEAT_EVERY, BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let declared = Arc::clone(&self.declared);
        loop {
            tokio::select! {
                biased;
                // Also when whoever could stop it is gone.
                _ = &mut stopped => return self.beat().await,
                _ = beats.tick() => self.beat().await,
                () = declared.notified() => self.look().await,
                _ = looks.tick() => self.look().await,
            }
        }
    }

    /// Reads the outages again. Who failed looks again soon.
    async fn look(&self) {
        match self.store.outages(i64::MIN).await {
            Ok(outages) => {
                self.outages.send_if_modified(|known| {
                    let is_new = **known != *outages;
                    if is_new {
                        *known = outages.into();
                    }
                    is_new
                });
            }
            Err(error) => tracing::debug!(%error, "could not look for declared outages"),
        }
    }

    /// One beat. While the store is away there is none, so that the first one afterwards sees how long it was.
    async fn beat(&mut self) {
        if let Err(error) = self.try_beat().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not note that the service is there"
            );
        }
    }

    async fn try_beat(&mut self) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let Some(found) = outage(self.last_beat_ms, now_ms, self.minimum_ms) else {
            return self.note(now_ms).await;
        };
        // The beat comes last: whoever fails or dies before it finds the outage again, a little longer.
        self.store.add_outage(found).await?;
        let outages = self.store.outages(i64::MIN).await?;
        self.note(now_ms).await?;
        self.outages.send_replace(outages.into());
        self.metrics.outages_detected_total.increment();
        let (from, until) = (format_rfc3339(found.from_ms), format_rfc3339(found.until_ms));
        tracing::warn!(from, until, "the service was away; the days it touched break no streak");
        Ok(())
    }

    async fn note(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.store.beat(now_ms).await?;
        self.last_beat_ms = Some(now_ms);
        Ok(())
    }
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Heartbeat").field("last_beat_ms", &self.last_beat_ms).finish_non_exhaustive()
    }
}

/// A heartbeat that runs.
#[derive(Debug)]
pub struct Beating {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Beating {
    /// Stops it with a last beat, so that a planned stop begins now.
    pub async fn stop(self) {
        // Fails only when the task is gone, and then there is nothing to stop.
        let _gone = self.stop.send(());
        if let Err(panic) = self.task.await {
            tracing::error!(%panic, "the heartbeat broke");
        }
    }
}

#[cfg(test)]
mod tests;
