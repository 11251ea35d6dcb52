//! Brings heroes from the store into a shard, outside its thread: claim first, then load (D5), then fold.

mod turns;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use persistence::{
    Cache, Claim, Epoch, EventRecord, HeroId, HeroState, JournalStore, NodeId, Seq, SnapshotRecord, Speaker,
    StoreError, StreamId, load_hot, record::PAGE_ROWS_MAX,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep},
};

use self::turns::{Given, Waiting};
use super::{
    Control,
    audit::{AuditFailed, audit},
};
use crate::{
    journal::{self, StoredHero},
    texts::{KeyFailed, TextKey, TextKeys},
};

/// Loads at the same time on a node: enough to keep a store busy, not enough to starve the journal.
const LOADS_MAX: usize = 64;

/// How long another node may take to let a hero go: a dead one's lease ends within it.
const HAND_OVER_WAIT: Duration = Duration::from_secs(25);
/// First and longest wait between two claims of a hero that another node holds.
const CLAIM_AGAIN_MIN: Duration = Duration::from_millis(10);
const CLAIM_AGAIN_MAX: Duration = Duration::from_millis(500);
/// Events of a followed hero that are fetched at once; more come with the next look.
const NEWS_EVENTS_MAX: u32 = 256;

/// A hero that this node owns now.
#[derive(Debug)]
pub struct Loaded {
    /// The ownership.
    pub claim: Claim,
    /// Encrypts and opens what its player types.
    pub texts: TextKey,
    /// The hero and its streams; an empty one before its first event.
    pub stored: StoredHero,
    /// The last event a snapshot contains.
    pub snapshot_seq: u64,
    /// The events after the one that the shard had; nothing when they are too many, or when it had none.
    pub(super) missed: Option<Vec<EventRecord>>,
    /// Streams for which sockets of other nodes speak.
    pub(super) elsewhere: Vec<u64>,
    /// How long another node had to be waited for.
    pub(super) waited: Option<Duration>,
    /// How long all of it took.
    pub(super) took: Duration,
}

/// What became of a hero that this node follows.
#[derive(Debug)]
pub(super) struct News {
    pub(super) hero: HeroId,
    /// The next events, at most [`NEWS_EVENTS_MAX`].
    pub(super) events: Vec<EventRecord>,
    /// Nobody owns it.
    pub(super) is_free: bool,
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
    /// Its owner was erased: nobody plays it any more.
    #[error("the hero was erased")]
    Erased,
    /// The events break the fold: a bug, see the panic in the log.
    #[error("its events broke the fold")]
    Panicked,
}

impl From<KeyFailed> for LoadFailed {
    fn from(failed: KeyFailed) -> Self {
        match failed {
            KeyFailed::Store(error) => Self::Store(error),
            KeyFailed::Secret(_) => Self::Store(StoreError::Unavailable(failed.to_string().into())),
            KeyFailed::Erased => Self::Erased,
        }
    }
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
    texts: TextKeys,
    node: NodeId,
    permits: Arc<Semaphore>,
    cache: Cache,
    waiting: Arc<Waiting>,
    given: Arc<Given>,
    runtime: Handle,
}

impl Loader {
    /// A loader whose tasks run on `runtime`. The cache may make it faster and is never believed.
    #[must_use]
    pub fn new(
        store: Arc<dyn JournalStore>,
        texts: TextKeys,
        node: NodeId,
        cache: Cache,
        runtime: Handle,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(LOADS_MAX));
        Self { store, texts, node, permits, cache, waiting: Arc::default(), given: Arc::default(), runtime }
    }

    /// A hint says that a hero has no owner now.
    pub fn released(&self, hero: HeroId) {
        self.waiting.wake(hero);
    }

    pub(super) fn for_shard(self, control: mpsc::Sender<Control>) -> ShardLoader {
        ShardLoader { loader: self, control, releases: Arc::new(Semaphore::new(1)) }
    }

    /// Claims and loads a hero. Another node that holds it is asked, and waited for; `have` is the last event that the
    /// shard knows already.
    async fn load(&self, hero: HeroId, have: Option<u64>) -> Result<Box<Loaded>, LoadFailed> {
        let started = Instant::now();
        self.leave_to_asker(hero).await;
        let (mut again, mut was_held) = (CLAIM_AGAIN_MIN, false);
        loop {
            match self.attempt(hero, have).await {
                Err(LoadFailed::Store(error @ (StoreError::Held { .. } | StoreError::Busy(_))))
                    if started.elapsed() < HAND_OVER_WAIT =>
                {
                    if let StoreError::Held { node, .. } = error {
                        was_held = true;
                        self.cache.want(hero, node);
                    }
                    self.waiting.wait(hero, again).await;
                    again = (again * 2).min(CLAIM_AGAIN_MAX);
                }
                Ok(mut loaded) => {
                    loaded.took = started.elapsed();
                    loaded.waited = was_held.then_some(loaded.took);
                    return Ok(loaded);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A hero that was just given to another node is there before it is asked back: a busy player here would else win
    /// every race for it, and the player there would never get it.
    async fn leave_to_asker(&self, hero: HeroId) {
        let mut again = CLAIM_AGAIN_MIN;
        while let Some(left) = self.given.left_alone(hero) {
            match self.store.head(hero).await {
                Ok(Some(head)) if head.state == HeroState::Free => sleep(again.min(left)).await,
                // Somebody has it. What else is wrong, the claim finds too.
                _ => return,
            }
            again *= 2;
        }
    }

    async fn attempt(&self, hero: HeroId, have: Option<u64>) -> Result<Box<Loaded>, LoadFailed> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        // Side by side, so that a slow cache costs nothing.
        let ask_early = async {
            if let Some(elsewhere) = self.cache.devices_elsewhere(hero).await {
                self.cache.want(hero, elsewhere.node);
            }
        };
        let (claim, texts, hot, ()) = tokio::join!(
            self.store.claim(hero, self.node),
            self.texts.get(hero),
            self.cache.get_snapshot(hero),
            ask_early
        );
        let claim = claim?;
        let texts = match texts {
            Ok(texts) => texts,
            Err(failed) => {
                self.store.release(hero, claim.epoch).await?;
                return Err(failed.into());
            }
        };
        if claim.min_reader > journal::SCHEMA_VERSION {
            // A newer server may have it: give it back as it was.
            self.store.release(hero, claim.epoch).await?;
            return Err(journal::FoldFailed::TooNew { seq: claim.last_seq.0, found: claim.min_reader }.into());
        }
        // After the claim: whoever is noted before this node can act on the hero is found.
        let elsewhere = self.elsewhere(hero).await?;
        let (stored, snapshot_seq, tail) = match self.load_cached(&claim, &texts, hot).await? {
            Some((stored, tail)) => (stored, claim.snap_seq.0, tail),
            None => self.load_stored(&claim, &texts).await?,
        };
        let missed = match have {
            Some(have) => self.missed(&claim, have, tail).await?,
            None => None,
        };
        let (waited, took) = (None, Duration::ZERO);
        Ok(Box::new(Loaded { claim, texts, stored, snapshot_seq, missed, elsewhere, waited, took }))
    }

    async fn elsewhere(&self, hero: HeroId) -> Result<Vec<u64>, StoreError> {
        if !self.store.is_shared() {
            return Ok(Vec::new());
        }
        let speakers = self.store.speakers(hero).await?;
        let elsewhere = speakers.iter().filter(|speaker| speaker.node != self.node);
        Ok(elsewhere.map(|speaker| speaker.stream_id.0).collect())
    }

    /// A hero from the state that the cache had, and what the store has after it. `None` when that leads nowhere: then
    /// the cache is wrong and the store is asked for all of it.
    async fn load_cached(
        &self,
        claim: &Claim,
        texts: &TextKey,
        hot: Option<SnapshotRecord>,
    ) -> Result<Option<(StoredHero, Vec<EventRecord>)>, StoreError> {
        let Some(hot) = hot else { return Ok(None) };
        let Some(loaded) = load_hot(&*self.store, claim, hot).await? else { return Ok(None) };
        Ok(fold(&loaded, texts).ok().map(|stored| (stored, loaded.tail)))
    }

    async fn load_stored(
        &self,
        claim: &Claim,
        texts: &TextKey,
    ) -> Result<(StoredHero, u64, Vec<EventRecord>), LoadFailed> {
        let hero = claim.hero;
        let loaded = self.store.load(claim).await?;
        if !loaded.damaged_snapshots.is_empty() {
            tracing::error!(%hero, damaged = ?loaded.damaged_snapshots, "snapshots are damaged, older ones were used");
        }
        let snapshot_seq = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.seq.0);
        match fold(&loaded, texts) {
            Ok(stored) => Ok((stored, snapshot_seq, loaded.tail)),
            Err(error) => {
                // The events stay; an operator decides. Failing to note it is no reason to go on with the hero.
                if let Err(noting) = self.store.quarantine(hero, &error.to_string()).await {
                    tracing::error!(%hero, %noting, "could not quarantine");
                }
                Err(error)
            }
        }
    }

    /// The events after `have`, unless they are too many to be news.
    async fn missed(
        &self,
        claim: &Claim,
        have: u64,
        tail: Vec<EventRecord>,
    ) -> Result<Option<Vec<EventRecord>>, StoreError> {
        let Some(count) = claim.last_seq.0.checked_sub(have) else { return Ok(None) };
        if count > u64::from(NEWS_EVENTS_MAX) {
            return Ok(None);
        }
        let after = Seq(have).next();
        if count == 0 || tail.first().is_some_and(|first| first.seq <= after) {
            return Ok(Some(tail.into_iter().filter(|event| event.seq >= after).collect()));
        }
        self.store.events(claim.hero, after, NEWS_EVENTS_MAX).await.map(Some)
    }

    /// Looks what became of heroes that other nodes own.
    async fn news(&self, followed: &[(HeroId, u64)]) -> Result<Vec<News>, StoreError> {
        let heroes: Vec<HeroId> = followed.iter().map(|(hero, _)| *hero).collect();
        let mut news = Vec::new();
        for head in self.store.heads(&heroes).await? {
            let Some((hero, seq)) = followed.iter().find(|(hero, _)| *hero == head.hero).copied() else {
                continue;
            };
            let is_free = head.state == HeroState::Free;
            let events = match head.last_seq.0 > seq {
                true => self.store.events(hero, Seq(seq).next(), NEWS_EVENTS_MAX).await?,
                false => Vec::new(),
            };
            if is_free || !events.is_empty() {
                news.push(News { hero, events, is_free });
            }
        }
        Ok(news)
    }

    /// Those of these heroes that are no longer this node's.
    async fn lost(&self, owned: &[(HeroId, Epoch)]) -> Result<Vec<HeroId>, StoreError> {
        let mut lost = Vec::new();
        for part in owned.chunks(PAGE_ROWS_MAX as usize) {
            let heroes: Vec<HeroId> = part.iter().map(|(hero, _)| *hero).collect();
            let heads = self.store.heads(&heroes).await?;
            let is_mine = |(hero, epoch): &(HeroId, Epoch)| {
                heads.iter().any(|head| head.hero == *hero && head.epoch == *epoch)
            };
            lost.extend(part.iter().filter(|pair| !is_mine(pair)).map(|(hero, _)| *hero));
        }
        Ok(lost)
    }
}

/// Folds what was loaded. A panic must not take the answer with it: somebody waits.
fn fold(loaded: &persistence::Loaded, texts: &TextKey) -> Result<StoredHero, LoadFailed> {
    let fold = || journal::fold(loaded.snapshot.as_ref(), &loaded.tail, Some(texts));
    let folded = catch_unwind(AssertUnwindSafe(fold));
    folded.map_or(Err(LoadFailed::Panicked), |folded| Ok(folded?))
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
    pub(super) fn start(&self, hero: HeroId, have: Option<u64>) {
        let loader = self.loader.clone();
        self.tell(async move { Control::Loaded(hero, loader.load(hero, have).await) });
    }

    /// Whether it must be noted, for other nodes, which socket speaks for a stream.
    pub(super) fn is_shared(&self) -> bool {
        self.loader.store.is_shared()
    }

    /// Notes that a socket of this node speaks for its stream.
    pub(super) fn speak(&self, hero: HeroId, stream_id: u64, connection_id: u64) {
        let (store, node) = (Arc::clone(&self.loader.store), self.loader.node);
        self.tell(async move {
            let speaker = Speaker { stream_id: StreamId(stream_id), node, connection_id };
            let noted = store.speak(hero, speaker).await;
            if let Err(error) = &noted {
                tracing::warn!(%hero, %error, "could not note who speaks for a stream");
            }
            Control::Speaks(connection_id, noted.is_ok())
        });
    }

    /// Gives a hero to whoever asked for it, with a snapshot so that it is loaded fast.
    pub(super) fn give_back(&self, hero: HeroId, epoch: Epoch, snapshot: Option<SnapshotRecord>) {
        let Loader { store, cache, given, .. } = self.loader.clone();
        self.tell(async move {
            if let Some(snapshot) = snapshot {
                match store.snapshot(std::slice::from_ref(&snapshot)).await {
                    Ok(_) => cache.put_snapshots(vec![snapshot]),
                    // Its events are there; the next owner reads some more of them.
                    Err(error) => tracing::debug!(%hero, %error, "no snapshot before a hand-over"),
                }
            }
            let released = store.release(hero, epoch).await;
            match &released {
                Ok(()) => {
                    given.note(hero);
                    cache.released(hero, epoch);
                }
                Err(error) => tracing::warn!(%hero, %error, "could not give a hero back"),
            }
            Control::GivenBack(hero, released.is_ok())
        });
    }

    /// Looks for news of followed heroes.
    pub(super) fn look(&self, followed: Vec<(HeroId, u64)>) {
        let loader = self.loader.clone();
        self.tell(async move {
            let news = loader.news(&followed).await;
            Control::News(news.unwrap_or_else(|error| {
                tracing::debug!(%error, "no news of followed heroes");
                Vec::new()
            }))
        });
    }

    /// Looks which heroes are still this node's.
    pub(super) fn look_after_a_gap(&self, owned: Vec<(HeroId, Epoch)>) {
        let loader = self.loader.clone();
        self.tell(async move {
            let lost = loader.lost(&owned).await;
            if let Err(error) = &lost {
                tracing::warn!(%error, "could not look which heroes are still here");
            }
            Control::Lost(lost.ok())
        });
    }

    fn tell(&self, work: impl Future<Output = Control> + Send + 'static) {
        let control = self.control.clone();
        self.loader.runtime.spawn(async move {
            let done = work.await;
            // A stopped shard needs no answer.
            let _stopped = control.send(done).await;
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
    pub(super) fn audit(&self, hero: HeroId, texts: TextKey) {
        let store = Arc::clone(&self.loader.store);
        self.loader.runtime.spawn(async move {
            match audit(&*store, hero, &texts).await {
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
