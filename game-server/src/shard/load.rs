//! Brings heroes from the store into a shard, outside its thread: claim first, then load (D5), then fold.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use persistence::{Claim, Epoch, HeroId, JournalStore, NodeId, StoreError};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use super::{
    Control,
    audit::{AuditFailed, audit},
};
use crate::journal::{self, StoredHero};

/// Loads at the same time on a node: enough to keep a store busy, not enough to starve the journal.
const LOADS_MAX: usize = 64;

/// A hero that this node owns now.
#[derive(Debug)]
pub struct Loaded {
    /// The ownership.
    pub claim: Claim,
    /// The hero and its streams; an empty one before its first event.
    pub stored: StoredHero,
    /// The last event a snapshot contains.
    pub snapshot_seq: u64,
}

/// Why a hero could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailed {
    /// The store did not answer, or its answer makes no sense.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The events do not fold to a hero.
    #[error(transparent)]
    Fold(#[from] journal::FoldFailed),
    /// The events break the fold: a bug, see the panic in the log.
    #[error("its events broke the fold")]
    Panicked,
}

impl LoadFailed {
    /// Whether the hero itself is damaged; else trying again can help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Fold(_)
                | Self::Panicked
                | Self::Store(StoreError::Corrupt { .. } | StoreError::Quarantined { .. })
        )
    }
}

/// Loads heroes for all shards of a node.
#[derive(Clone)]
pub struct Loader {
    store: Arc<dyn JournalStore>,
    node: NodeId,
    permits: Arc<Semaphore>,
    runtime: Handle,
}

impl Loader {
    /// A loader whose tasks run on `runtime`.
    #[must_use]
    pub fn new(store: Arc<dyn JournalStore>, node: NodeId, runtime: Handle) -> Self {
        Self { store, node, permits: Arc::new(Semaphore::new(LOADS_MAX)), runtime }
    }

    pub(super) fn for_shard(self, control: mpsc::Sender<Control>) -> ShardLoader {
        ShardLoader { loader: self, control, releases: Arc::new(Semaphore::new(1)) }
    }

    async fn load(&self, hero: HeroId) -> Result<Box<Loaded>, LoadFailed> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let claim = self.store.claim(hero, self.node).await?;
        if claim.min_reader > journal::SCHEMA_VERSION {
            // A newer server may have it: give it back as it was.
            self.store.release(hero, claim.epoch).await?;
            return Err(journal::FoldFailed::TooNew { seq: claim.last_seq.0, found: claim.min_reader }.into());
        }
        let loaded = self.store.load(&claim).await?;
        if !loaded.damaged_snapshots.is_empty() {
            tracing::error!(%hero, damaged = ?loaded.damaged_snapshots, "snapshots are damaged, older ones were used");
        }
        let snapshot_seq = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.seq.0);
        // A panic must not take the answer with it: somebody waits.
        let fold = || journal::fold(loaded.snapshot.as_ref(), &loaded.tail);
        let folded = catch_unwind(AssertUnwindSafe(fold));
        let stored = match folded.map_or(Err(LoadFailed::Panicked), |folded| Ok(folded?)) {
            Ok(stored) => stored,
            Err(error) => {
                // The events stay; an operator decides. Failing to note it is no reason to go on with the hero.
                if let Err(noting) = self.store.quarantine(hero, &error.to_string()).await {
                    tracing::error!(%hero, %noting, "could not quarantine");
                }
                return Err(error);
            }
        };
        Ok(Box::new(Loaded { claim, stored, snapshot_seq }))
    }
}

/// A loader that answers to one shard.
pub(super) struct ShardLoader {
    loader: Loader,
    control: mpsc::Sender<Control>,
    /// One crowd of heroes at a time is given back.
    releases: Arc<Semaphore>,
}

impl ShardLoader {
    /// Starts a load; its end arrives as a control message.
    pub(super) fn start(&self, hero: HeroId) {
        let (loader, control) = (self.loader.clone(), self.control.clone());
        self.loader.runtime.spawn(async move {
            let loaded = loader.load(hero).await;
            // A stopped shard needs no heroes.
            let _stopped = control.send(Control::Loaded(hero, loaded)).await;
        });
    }

    /// Leave to give a crowd of heroes back; nothing while one is on its way.
    pub(super) fn release_turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.releases).try_acquire_owned().ok()
    }

    /// Gives heroes back, one after the other. `turn` ends with the last.
    pub(super) fn release(&self, heroes: Vec<(HeroId, Epoch)>, turn: Option<OwnedSemaphorePermit>) {
        let store = Arc::clone(&self.loader.store);
        self.loader.runtime.spawn(async move {
            for (hero, epoch) in heroes {
                if let Err(error) = store.release(hero, epoch).await {
                    // The next claim fences us all the same.
                    tracing::debug!(%hero, %error, "could not release");
                }
            }
            drop(turn);
        });
    }

    /// Checks the newest stored snapshot of a hero.
    pub(super) fn audit(&self, hero: HeroId) {
        let store = Arc::clone(&self.loader.store);
        self.loader.runtime.spawn(async move {
            match audit(&*store, hero).await {
                Ok(()) => {}
                Err(AuditFailed::Store(error)) => {
                    tracing::debug!(%hero, %error, "a snapshot could not be checked")
                }
                Err(difference) => {
                    tracing::error!(%hero, %difference, "a snapshot is wrong, the hero is set aside");
                    if let Err(error) = store.quarantine(hero, &difference.to_string()).await {
                        tracing::error!(%hero, %error, "could not quarantine");
                    }
                }
            }
        });
    }

    /// Locks a hero that the rules cannot handle.
    pub(super) fn quarantine(&self, hero: HeroId, reason: String) {
        let store = Arc::clone(&self.loader.store);
        self.loader.runtime.spawn(async move {
            if let Err(error) = store.quarantine(hero, &reason).await {
                tracing::error!(%hero, %error, "could not quarantine");
            }
        });
    }
}
