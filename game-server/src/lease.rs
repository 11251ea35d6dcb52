//! Owns this node's lease: says to the store that the node lives, and hears which of its heroes other nodes ask for.
//!
//! It never decides who may write a hero: that is the epoch, which the store compares at every append (D1, D2). The
//! lease only lets others take the heroes of a node that is silent (D3), and lets this node notice that it was silent
//! for so long that they may have (D4): a process that was frozen must not show what it believes before it has asked.
//!
//! ```text
//!             ┌───────┐ ─join, renew, wanted▶ store
//! shutdown ──▶│ lease │ ─wanted heroes▶ shards
//!             └───────┘ ─Standing▶ shards (read at every command)
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use persistence::{HeroId, JournalStore, NodeId, StoreError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the lease is renewed: twice may fail before it is doubted.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How soon a renewal that failed is tried again, so that a store that was away for a moment leaves no doubt behind.
const RENEW_AGAIN: Duration = Duration::from_millis(500);
/// A node whose last renewal was sent longer ago no longer knows what it owns; shorter than the lease itself.
const DOUBT_AFTER: Duration = Duration::from_secs(10);
/// How often the store is asked which heroes are wanted: half of it is what a hand-over costs where nothing is faster.
const WANTED_EVERY: Duration = Duration::from_millis(200);

/// How sure this node is of what it owns. Clones show the same.
#[derive(Clone, Debug)]
pub struct Standing {
    started: Instant,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// When the last renewal that succeeded was sent, in milliseconds since `started`.
    sent_ms: AtomicU64,
    /// How often this node was silent for too long.
    gaps: AtomicU64,
}

impl Standing {
    /// Of a node whose store is its own: nobody can take anything from it.
    #[must_use]
    pub fn alone() -> Self {
        Self { started: Instant::now(), shared: None }
    }

    fn shared() -> Self {
        Self { started: Instant::now(), shared: Some(Arc::default()) }
    }

    /// Whether the lease is fresh enough to answer for what is in memory.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.age() <= DOUBT_AFTER
    }

    /// How often the lease was in doubt so far: who sees it rise looks again at what it owns.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.gaps.load(Ordering::Acquire))
    }

    /// How long ago the last renewal that succeeded was sent.
    #[must_use]
    pub fn age(&self) -> Duration {
        let Some(shared) = &self.shared else { return Duration::ZERO };
        let sent = Duration::from_millis(shared.sent_ms.load(Ordering::Acquire));
        self.started.elapsed().saturating_sub(sent)
    }

    /// Notes a renewal that was sent at `sent` and succeeded.
    fn renewed(&self, sent: Instant) {
        let Some(shared) = &self.shared else { return };
        // The gap first: nobody may find the lease fresh and not see that it was not.
        if !self.is_sure() {
            shared.gaps.fetch_add(1, Ordering::AcqRel);
        }
        let sent_ms = u64::try_from((sent - self.started).as_millis()).unwrap_or(u64::MAX);
        shared.sent_ms.store(sent_ms, Ordering::Release);
    }
}

/// What the keeper tells.
pub trait Listener: Send + Sync + 'static {
    /// Another node has a player of this hero.
    fn wanted(&self, hero: HeroId);
    /// Another process took over this node's name: this one is over.
    fn replaced(&self);
}

/// Begins a node's lease. A store that only one process uses needs none.
///
/// # Errors
/// Those of a store that is away.
pub async fn begin(store: &Arc<dyn JournalStore>, node: NodeId, name: &str) -> Result<Standing, StoreError> {
    if !store.is_shared() {
        return Ok(Standing::alone());
    }
    let standing = Standing::shared();
    store.join(node, name).await?;
    Ok(standing)
}

/// A lease that is being kept.
#[derive(Debug)]
pub struct Keeping {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Keeping {
    /// Keeps the lease until it is told to stop, or dropped.
    pub fn start(
        store: Arc<dyn JournalStore>,
        node: NodeId,
        standing: Standing,
        listener: impl Listener,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { store, node, standing, listener };
        Self { stop, task: tokio::spawn(keeper.run(stopped)) }
    }

    /// Stops renewing without a word, as a process that dies does.
    #[cfg(test)]
    pub(crate) fn abort(&self) {
        self.task.abort();
    }

    /// Ends the lease: what the node still owns may be taken at once.
    pub async fn stop(self) {
        // A keeper that is gone already has said why.
        let _gone = self.stop.send(());
        let _panicked = self.task.await;
    }
}

enum Renewed {
    Yes,
    Failed,
    /// The store does not know this node any more.
    Unknown,
}

struct Keeper<L> {
    store: Arc<dyn JournalStore>,
    node: NodeId,
    standing: Standing,
    listener: L,
}

impl<L: Listener> Keeper<L> {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        if self.standing.shared.is_none() {
            return;
        }
        let mut renewals = interval(RENEW_EVERY);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(WANTED_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                _ = renewals.tick() => match self.renew().await {
                    Renewed::Yes => {}
                    Renewed::Failed => renewals.reset_after(RENEW_AGAIN),
                    Renewed::Unknown => return self.listener.replaced(),
                },
                _ = looks.tick() => self.look().await,
            }
        }
        if let Err(error) = self.store.retire(self.node).await {
            // The lease ends by itself, only later.
            tracing::warn!(%error, "could not end the lease");
        }
    }

    async fn renew(&self) -> Renewed {
        let sent = Instant::now();
        match self.store.renew(self.node).await {
            Ok(true) => {
                self.standing.renewed(sent);
                Renewed::Yes
            }
            Ok(false) => Renewed::Unknown,
            Err(error) => {
                let age_ms = self.standing.age().as_millis();
                tracing::warn!(error = &error as &dyn std::error::Error, age_ms, "could not renew the lease");
                Renewed::Failed
            }
        }
    }

    async fn look(&self) {
        match self.store.wanted(self.node).await {
            Ok(wanted) => wanted.into_iter().for_each(|hero| self.listener.wanted(hero)),
            // The renewal says what is wrong with the store.
            Err(error) => tracing::debug!(%error, "could not look for wanted heroes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use persistence::{Fault, MemoryStore};
    use uuid::Uuid;

    use super::*;

    const NODE: NodeId = NodeId(Uuid::from_u128(1));
    const OTHER: NodeId = NodeId(Uuid::from_u128(2));
    const HERO: HeroId = HeroId(Uuid::from_u128(3));

    #[derive(Clone, Default)]
    struct Heard {
        wanted: Arc<Mutex<Vec<HeroId>>>,
        replaced: Arc<AtomicBool>,
    }

    impl Listener for Heard {
        fn wanted(&self, hero: HeroId) {
            self.wanted.lock().expect("nobody panics").push(hero);
        }
        fn replaced(&self) {
            self.replaced.store(true, Ordering::Relaxed);
        }
    }

    async fn keep(memory: &MemoryStore) -> (Standing, Keeping, Heard) {
        let store: Arc<dyn JournalStore> = Arc::new(memory.clone());
        let standing = begin(&store, NODE, "one").await.expect("the store is there");
        let heard = Heard::default();
        let keeping = Keeping::start(store, NODE, standing.clone(), heard.clone());
        (standing, keeping, heard)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_kept_until_it_is_given_up() {
        let memory = MemoryStore::new();
        let (standing, keeping, _) = keep(&memory).await;
        memory.claim(HERO, NODE).await.expect("free");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(standing.is_sure() && standing.gaps() == 0);
        assert!(matches!(memory.claim(HERO, OTHER).await, Err(StoreError::Held { .. })));
        keeping.stop().await;
        memory.claim(HERO, OTHER).await.expect("the node has left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_cannot_renew_doubts_before_others_may_take() {
        let memory = MemoryStore::new();
        let (standing, _keeping, _) = keep(&memory).await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        memory.fail_until_healed(Fault::Unavailable);
        while standing.is_sure() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        memory.heal();
        memory.claim(HERO, NODE).await.expect("free");
        assert!(matches!(memory.claim(HERO, OTHER).await, Err(StoreError::Held { .. })), "the lease runs");
        while !standing.is_sure() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(standing.gaps(), 1, "and it is remembered that it did not know");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_was_away_for_a_moment_leaves_no_doubt() {
        let memory = MemoryStore::new();
        let (standing, _keeping, _) = keep(&memory).await;
        // Away from just before a renewal until just before the next would be due.
        tokio::time::sleep(Duration::from_millis(4_900)).await;
        memory.fail_until_healed(Fault::Unavailable);
        tokio::time::sleep(Duration::from_millis(4_200)).await;
        memory.heal();
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert!(standing.age() < Duration::from_secs(2), "{:?}", standing.age());
        assert_eq!(standing.gaps(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn wishes_of_other_nodes_are_heard_and_a_successor_too() {
        let memory = MemoryStore::new();
        let (_standing, _keeping, heard) = keep(&memory).await;
        memory.claim(HERO, NODE).await.expect("free");
        assert!(memory.claim(HERO, OTHER).await.is_err());
        while heard.wanted.lock().expect("nobody panics").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        memory.join(OTHER, "one").await.expect("the store is there");
        while !heard.replaced.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        memory.claim(HERO, OTHER).await.expect("it took over the name");
    }
}
