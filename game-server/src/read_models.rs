//! Owns how far the read models are behind the journal: hears which heroes have new events, and brings their rows into
//! the tables that people look at. It never slows the journal: it reads on other connections, writes in the turn of
//! everybody who is not the journal writer, rests three times as long as it worked, and waits while the store is away.
//! It never touches a hero, and nothing in the game waits for it or reads what it writes.
//!
//! ```text
//! shards ─rows, not durable yet────────────────────────────▶ FreshRows
//! journal writer ─heard▶ ┌───────┐                              │ (else: events, snapshots of the journal's tables)
//!                        │ State │ ─Work: follow | sweep▶ Follower ─rows▶ read models
//! timer ─────────tick──▶ └───────┘ ◀────────what came of it───┘
//! ```
//!
//! Why rows are made by shards: decision 19.
//!
//! It forgets without loss: what it did not hear, or had no room for, a sweep finds, because each hero's position is kept
//! beside the rows. A sweep runs at the start too, so that neither a crash nor a drain needs to wait for it. It ends with
//! the journal writer.

mod follow;
mod fresh;
pub mod rebuild;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use persistence::read_model::WRITE_HEROES_MAX;
use persistence::{Epoch, HeroId, JournalHandle, JournalStore, ReadModelStore, Seq, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::metrics::Metrics;
use follow::{Follower, Step};
pub use fresh::FreshRows;
pub(crate) use rows::Changes;

/// Flushes that were not heard yet; each names at most 512 heroes. Full: it is forgotten, and a sweep finds its heroes.
const INBOX_MAX: usize = 256;
/// Heroes that wait: more than are active within a second anywhere. Full: the rest is forgotten, and a sweep finds it.
const WAITING_MAX: usize = 65_536;
/// Heroes that are set aside until the next start. Full: one more is tried again with each of its events.
const ASIDE_MAX: usize = 1_024;
/// Heroes of one step.
const HEROES_PER_STEP: usize = WRITE_HEROES_MAX;
/// Heroes that a sweep takes at a time.
const SWEEP_PAGE_ROWS: u32 = 256;
/// How long news is collected: a command makes several events, and a player several commands.
const COLLECT: Duration = Duration::from_secs(1);
/// Rest after a step, in lengths of the step: the store and the processor belong to the game.
const RESTS: u32 = 3;
/// Wait after a failure, doubled each time.
const BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Tells the follower what is durable. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadModels {
    inbox: mpsc::Sender<Vec<HeroId>>,
    missed: Arc<AtomicBool>,
    fresh: FreshRows,
}

/// The other end of [`ReadModels`].
#[derive(Debug)]
pub struct Inbox {
    heard: mpsc::Receiver<Vec<HeroId>>,
    missed: Arc<AtomicBool>,
    fresh: FreshRows,
}

/// A handle, and what the follower hears through it.
#[must_use]
pub fn channel() -> (ReadModels, Inbox) {
    let (inbox, heard) = mpsc::channel(INBOX_MAX);
    let missed = Arc::new(AtomicBool::new(false));
    let fresh = FreshRows::default();
    (ReadModels { inbox, missed: Arc::clone(&missed), fresh: fresh.clone() }, Inbox { heard, missed, fresh })
}

impl ReadModels {
    /// These heroes have new events. Never waits.
    pub fn advanced(&self, heroes: &[(HeroId, Epoch, Seq)]) {
        self.fresh.durable(heroes);
        let heroes = heroes.iter().map(|(hero, ..)| *hero).collect();
        if let Err(mpsc::error::TrySendError::Full(_)) = self.inbox.try_send(heroes) {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Where shards leave their rows.
    #[must_use]
    pub fn fresh(&self) -> FreshRows {
        self.fresh.clone()
    }
}

/// Starts the follower. It ends when nobody can tell it anything any more.
pub fn start(
    inbox: Inbox,
    journal: JournalHandle,
    store: Arc<dyn JournalStore>,
    models: Arc<dyn ReadModelStore>,
    metrics: Arc<Metrics>,
) -> JoinHandle<()> {
    let follower = Follower::new(store, models, inbox.fresh.clone());
    let actor = Actor {
        inbox,
        journal,
        metrics,
        state: State::default(),
        started: Instant::now(),
        idle: Some(follower),
        running: None,
        wake: None,
    };
    tokio::spawn(actor.run())
}

/// What can happen to the follower.
#[derive(Debug)]
enum Event {
    /// These heroes have new events.
    Heard(Vec<HeroId>),
    /// Some were not heard.
    Missed,
    /// The time asked for has come.
    Tick {
        /// The store is away or full.
        is_read_only: bool,
    },
    /// A step is done.
    Followed {
        /// How long it took.
        took: Duration,
        /// What came of it.
        step: Step,
    },
    /// A page of a sweep.
    Swept(Vec<HeroId>),
    /// The store did not do it.
    Failed(Work),
}

/// What the run loop must do; one thing at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    Follow(Vec<HeroId>),
    /// Look for heroes that are behind, after this one.
    Sweep(Option<HeroId>),
}

/// Everything the follower knows.
#[derive(Debug)]
struct State {
    /// Who waits, first come first served, and who is in there.
    queue: VecDeque<HeroId>,
    waiting: BTreeSet<HeroId>,
    /// Who cannot be followed.
    aside: BTreeSet<HeroId>,
    /// The last hero that a sweep has seen, while one runs.
    sweep: Option<Option<HeroId>>,
    /// Heroes that a step works on.
    running_count: usize,
    is_running: bool,
    next_at: Option<Duration>,
    failures: u32,
}

impl Default for State {
    /// Begins with a sweep.
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            waiting: BTreeSet::new(),
            aside: BTreeSet::new(),
            sweep: Some(None),
            running_count: 0,
            is_running: false,
            next_at: Some(COLLECT),
            failures: 0,
        }
    }
}

impl State {
    /// Takes an event at a time that never goes back; what is to be done now.
    fn handle(&mut self, now: Duration, event: Event) -> Option<Work> {
        match event {
            Event::Heard(heroes) => {
                self.wait(heroes);
                self.wake_in(now, COLLECT);
            }
            Event::Missed => {
                self.sweep = Some(None);
                self.wake_in(now, COLLECT);
            }
            Event::Tick { is_read_only: true } => self.next_at = Some(now + COLLECT),
            Event::Tick { is_read_only: false } => return self.work(now),
            Event::Followed { took, step } => self.followed(now, took, step),
            Event::Swept(heroes) => {
                self.done();
                self.failures = 0;
                self.sweep = heroes.last().map(|last| Some(*last));
                self.wait(heroes);
                self.plan(now, Duration::ZERO);
            }
            Event::Failed(work) => {
                self.done();
                if let Work::Follow(heroes) = work {
                    self.first(heroes);
                }
                let wait = BACKOFF.saturating_mul(1 << self.failures.min(8)).min(BACKOFF_MAX);
                self.failures += 1;
                self.next_at = Some(now + wait);
            }
        }
        None
    }

    /// When to send [`Event::Tick`], if nothing else happens.
    fn wake(&self) -> Option<Duration> {
        self.next_at.filter(|_| !self.is_running)
    }

    /// Heroes that are known to be behind.
    fn lag(&self) -> usize {
        self.waiting.len() + self.running_count + self.aside.len()
    }

    fn work(&mut self, now: Duration) -> Option<Work> {
        if self.is_running || self.next_at.is_none_or(|at| at > now) {
            return None;
        }
        self.next_at = None;
        let count = self.queue.len().min(HEROES_PER_STEP);
        let heroes: Vec<HeroId> = self.queue.drain(..count).collect();
        for hero in &heroes {
            self.waiting.remove(hero);
        }
        let work = match (heroes.is_empty(), self.sweep) {
            (false, _) => Work::Follow(heroes),
            (true, Some(after)) => Work::Sweep(after),
            (true, None) => return None,
        };
        self.is_running = true;
        self.running_count = count;
        Some(work)
    }

    fn followed(&mut self, now: Duration, took: Duration, step: Step) {
        self.done();
        self.failures = 0;
        for (hero, _) in step.aside {
            if self.aside.len() < ASIDE_MAX {
                self.aside.insert(hero);
            }
        }
        let has_more = !step.again.is_empty() || self.sweep.is_some() || self.queue.len() >= HEROES_PER_STEP;
        self.first(step.again);
        let rest = took * RESTS;
        self.plan(now, if has_more { rest } else { rest.max(COLLECT) });
    }

    fn done(&mut self) {
        self.is_running = false;
        self.running_count = 0;
    }

    fn plan(&mut self, now: Duration, wait: Duration) {
        let has_more = !self.queue.is_empty() || self.sweep.is_some();
        self.next_at = has_more.then_some(now + wait);
    }

    fn wake_in(&mut self, now: Duration, wait: Duration) {
        if !self.is_running && self.next_at.is_none() {
            self.plan(now, wait);
        }
    }

    /// At the end of the queue.
    fn wait(&mut self, heroes: Vec<HeroId>) {
        for hero in heroes {
            if self.aside.contains(&hero) || self.waiting.contains(&hero) {
                continue;
            }
            if self.waiting.len() == WAITING_MAX {
                self.sweep = Some(None);
                return;
            }
            self.waiting.insert(hero);
            self.queue.push_back(hero);
        }
    }

    /// At the front of the queue, so that what was begun is finished. They had a place there a moment ago.
    fn first(&mut self, heroes: Vec<HeroId>) {
        for hero in heroes.into_iter().rev() {
            if self.waiting.insert(hero) {
                self.queue.push_front(hero);
            }
        }
    }
}

/// What work came to, and the worker.
type Done = (Follower, Result<Came, (Work, StoreError)>);
type Running = Pin<Box<dyn Future<Output = Done> + Send>>;

enum Came {
    Followed(Step),
    Swept(Vec<HeroId>),
}

struct Actor {
    inbox: Inbox,
    journal: JournalHandle,
    metrics: Arc<Metrics>,
    state: State,
    started: Instant,
    /// The worker, while it does nothing.
    idle: Option<Follower>,
    running: Option<(Instant, Running)>,
    wake: Option<Instant>,
}

impl Actor {
    async fn run(mut self) {
        self.handle(Event::Heard(Vec::new()));
        loop {
            tokio::select! {
                biased;
                (took, (follower, came)) = finished(&mut self.running) => {
                    self.running = None;
                    self.idle = Some(follower);
                    self.came(took, came);
                }
                () = until(self.wake) => {
                    let is_read_only = self.journal.is_read_only();
                    self.handle(Event::Tick { is_read_only });
                }
                heard = self.inbox.heard.recv() => {
                    // The journal writer has ended, and with it what could be followed. A step that runs is given up:
                    // whether it was written, its position says.
                    let Some(heroes) = heard else { return };
                    self.handle(Event::Heard(heroes));
                    if self.inbox.missed.swap(false, Ordering::Relaxed) {
                        self.handle(Event::Missed);
                    }
                }
            }
        }
    }

    fn came(&mut self, took: Duration, came: Result<Came, (Work, StoreError)>) {
        match came {
            Ok(Came::Followed(step)) => {
                self.metrics.read_models_events_total.add(step.events);
                step.assembled
                    .iter()
                    .for_each(|took| self.metrics.module_assembly_seconds.record_duration(*took));
                for (hero, what) in &step.aside {
                    tracing::error!(%hero, what, "its events make no rows: its read models stand still, run verify");
                }
                self.handle(Event::Followed { took, step });
            }
            Ok(Came::Swept(heroes)) => self.handle(Event::Swept(heroes)),
            Err((work, error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the read models wait for the store; nothing is lost");
                self.handle(Event::Failed(work));
            }
        }
    }

    fn handle(&mut self, event: Event) {
        let work = self.state.handle(self.started.elapsed(), event);
        if let Some(work) = work {
            let follower = self.idle.take().expect("one thing is done at a time");
            self.running = Some((Instant::now(), Box::pin(carry_out(follower, work))));
        }
        self.wake = self.state.wake().map(|wake| self.started + wake);
        self.metrics.read_models_lag_heroes.set(self.state.lag() as u64);
    }
}

async fn carry_out(mut follower: Follower, work: Work) -> Done {
    let came = match &work {
        Work::Follow(heroes) => follower.follow(heroes).await.map(Came::Followed),
        Work::Sweep(after) => follower.behind(*after, SWEEP_PAGE_ROWS).await.map(Came::Swept),
    };
    (follower, came.map_err(|error| (work, error)))
}

async fn finished(running: &mut Option<(Instant, Running)>) -> (Duration, Done) {
    match running {
        Some((since, running)) => {
            let done = running.await;
            (since.elapsed(), done)
        }
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
