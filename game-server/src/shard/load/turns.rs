//! Who waits for whom when a hero changes hands.

use std::{sync::Arc, time::Duration};

use dashmap::DashMap;
use persistence::HeroId;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// How long a hero that was given away is left to whoever asked for it, before it is claimed back for a player here: as
/// long as the other one may wait between two claims, and one of them.
const LEFT_ALONE: Duration = Duration::from_millis(600);
/// Loads that wait for another node, woken when a hint says that it has let go.
#[derive(Debug, Default)]
pub(super) struct Waiting(DashMap<HeroId, Arc<Notify>>);

impl Waiting {
    pub(super) async fn wait(&self, hero: HeroId, at_most: Duration) {
        let released = Arc::clone(self.0.entry(hero).or_default().value());
        // Without a hint it is simply tried again.
        let _no_hint = timeout(at_most, released.notified()).await;
        self.0.remove(&hero);
    }

    pub(super) fn wake(&self, hero: HeroId) {
        if let Some(released) = self.0.get(&hero) {
            released.notify_one();
        }
    }
}

/// Heroes that were given away, and until when they are left alone.
#[derive(Debug, Default)]
pub(super) struct Given(DashMap<HeroId, Instant>);

impl Given {
    pub(super) fn note(&self, hero: HeroId) {
        let now = Instant::now();
        // So that it holds no more than the hand-overs of the last moment.
        self.0.retain(|_, until| *until > now);
        self.0.insert(hero, now + LEFT_ALONE);
    }

    /// For how much longer; `None` when it may be claimed.
    pub(super) fn left_alone(&self, hero: HeroId) -> Option<Duration> {
        let until = self.0.get(&hero).map(|until| *until)?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}
