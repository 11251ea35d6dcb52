//! The journal writer: the actor that brings events to the store and says when they are durable.
//!
//! It owns the queue between shards and store, the one flush in flight and the durable watermark. It never looks into
//! an event, never touches a hero's state, never invents or reorders anything, and never says "durable" before the
//! store did.
//!
//! ```text
//! shard ──try_reserve──▶ Ledger (permits, counted on the shard's thread; refused: nothing has happened)
//! shard ──submit/snapshot──▶ inbox ──▶ State ──Op: append | quarantine | snapshot | ping──▶ JournalStore
//! shard ◀──notices, then watermark── run loop ◀──Effects── State ◀──the store's answer───────┘
//! ```
//!
//! What the store answers and what follows:
//!
//! | answer | what follows |
//! |---|---|
//! | stored, or stored already | durable |
//! | busy | the same again after 1 to 10 ms |
//! | unavailable | the same again after 100 ms to 5 s |
//! | ambiguous | the same again at once, then as unavailable; the answer decides |
//! | full | read-only, the same again after 100 ms to 5 s |
//! | fenced | drop the named heroes, notice, the rest again |
//! | poison | each hero alone; who is refused again is quarantined, notice |
//! | anything else | stop: the process must exit 70 |
//!
//! Read-only begins when the oldest event has waited 5 s or the store is full, and ends after three good flushes; when
//! nothing waits, probes count as flushes.

mod handle;
mod permit;
mod state;
mod stats;
mod subscribers;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{Fence, StoreError};
use crate::record::{Epoch, HeroId};
use crate::store::JournalStore;
pub use handle::{JournalHandle, Subscription};
use permit::Ledger;
pub use permit::Permit;
use state::{Answer, Effects, Event, Op, State};
use stats::Gauges;
pub use stats::{WriterFact, WriterStats};
use subscribers::Subscribers;

/// Events that wait or are in flight, over all heroes (D7): two seconds of a slow store's work. Full: `Busy`.
pub const QUEUE_EVENTS_MAX: usize = 20_000;
/// Bytes that wait or are in flight (D7). Full: `Busy`.
pub const QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Events of one hero that wait or are in flight (D7), so that one player cannot fill the queue. Full: `Busy`.
pub const HERO_EVENTS_MAX: usize = crate::record::GROUP_EVENTS_MAX;
/// Snapshots that wait. Full: the snapshot is dropped; the hero loads from an older one and more events.
pub const SNAPSHOTS_MAX: usize = 4_096;
/// Bytes of snapshots that wait. Full: as above.
pub const SNAPSHOT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Messages on their way to the writer. It cannot fill up: each holds at least one event's or one snapshot's permit.
const INBOX_MAX: usize = QUEUE_EVENTS_MAX + SNAPSHOTS_MAX;
/// Messages taken from the inbox at a time, so that timers and answers get their turn.
const INBOX_BATCH_MAX: usize = 256;
/// Notices a subscriber has not read. They come one per fence or change of mode, and a shard reads them every tick.
/// Full: the writer stops with [`WriterFailed::SubscriberStuck`], because to go on would be to lie.
const NOTICES_MAX: usize = 1_024;
/// A flush starts when its oldest event is this old (D9).
pub const FLUSH_AGE: Duration = Duration::from_millis(5);
/// Most events of a flush (D9): beyond it throughput hardly grows and latency does.
pub const FLUSH_EVENTS_MAX: usize = 256;
/// Bytes at which a flush is full (D9); one group may pass it.
pub const FLUSH_BYTES_MAX: usize = 256 * 1024;
/// The store's answer takes longer: the call is dropped, its outcome unknown.
pub const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Read-only begins when an event has waited this long.
pub const READ_ONLY_AGE: Duration = Duration::from_secs(5);
/// While it drains with nothing to do, the writer looks this often whether the last permits came back.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// Settings of a writer.
#[derive(Clone)]
pub struct WriterConfig {
    /// Seeds the jitter of retries.
    pub seed: u64,
    /// Hears what happens, for metrics and the log. It runs on the writer's task: it must be quick.
    pub on_fact: Arc<dyn Fn(WriterFact) + Send + Sync>,
}

impl WriterConfig {
    /// A writer nobody listens to.
    #[must_use]
    pub fn quiet(seed: u64) -> Self {
        Self { seed, on_fact: Arc::new(|_| ()) }
    }
}

impl std::fmt::Debug for WriterConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterConfig").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// Number of a submitted group, rising in the order of submission over all handles of a writer; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// Why a permit was refused. Nothing has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The hero's or the whole queue is full: try again in a moment.
    Busy,
    /// The store is away or full.
    ReadOnly,
    /// The writer is draining or gone.
    Closed,
}

/// What a subscriber must hear before it believes the watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// These heroes' groups of the named epochs, and older ones, that are not yet settled are not the shard's any more:
    /// drop the hero unless its epoch is newer, claim, load.
    Fenced(Vec<Fence>),
    /// The store refuses this hero's data: quarantined. Its groups up to this epoch that are not yet settled are not
    /// stored.
    Poisoned {
        /// Which hero.
        hero: HeroId,
        /// Up to which epoch.
        epoch: Epoch,
    },
    /// Durable commands are refused (`true`) or taken again (`false`).
    ReadOnly(bool),
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Everything submitted is settled and every snapshot is written.
    Clean,
    /// Time ran out first, or the writer had stopped before.
    Late {
        /// Groups that were not settled. Their commands were never acknowledged.
        groups: usize,
    },
}

/// Why the writer stopped by itself. The process must exit 70 (D15).
#[derive(Debug, thiserror::Error)]
pub enum WriterFailed {
    /// The store is broken.
    #[error("the journal writer stopped")]
    Store(#[from] StoreError),
    /// A subscriber did not read its notices.
    #[error("a subscriber of the journal writer does not read its notices")]
    SubscriberStuck,
}

/// What comes from shards.
#[derive(Debug)]
enum Message {
    Group(state::Group),
    Snapshot(state::Waiting),
}

/// What comes from the owner of the writer.
enum Control {
    Drain { deadline: Instant, reply: oneshot::Sender<Drained> },
}

type Running = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The writer's task.
pub struct JournalWriter {
    store: Arc<dyn JournalStore>,
    state: State,
    started: Instant,
    inbox: mpsc::Receiver<Message>,
    control: mpsc::Receiver<Control>,
    ledger: Arc<Ledger>,
    gauges: Arc<Gauges>,
    subscribers: Arc<Subscribers>,
    on_fact: Arc<dyn Fn(WriterFact) + Send + Sync>,
    running: Option<Running>,
    wake: Option<Instant>,
    drain: Option<(Instant, Option<oneshot::Sender<Drained>>)>,
}

impl std::fmt::Debug for JournalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalWriter").finish_non_exhaustive()
    }
}

impl JournalWriter {
    /// Starts the writer's task; call it inside a runtime. The task ends after a drain, or when every handle is gone
    /// and everything is written, or with the reason why the process must exit.
    pub fn start(
        store: Arc<dyn JournalStore>,
        config: WriterConfig,
    ) -> (JournalHandle, JoinHandle<Result<(), WriterFailed>>) {
        let (inbox_tx, inbox) = mpsc::channel(INBOX_MAX);
        let (control_tx, control) = mpsc::channel(1);
        let started = Instant::now();
        let ledger = Arc::new(Ledger::default());
        let gauges = Arc::new(Gauges::new(started));
        let subscribers = Arc::new(Subscribers::default());
        let handle = JournalHandle::new(
            inbox_tx,
            control_tx,
            Arc::clone(&ledger),
            Arc::clone(&gauges),
            Arc::clone(&subscribers),
        );
        let writer = Self {
            store,
            state: State::new(config.seed),
            started,
            inbox,
            control,
            ledger,
            gauges,
            subscribers,
            on_fact: config.on_fact,
            running: None,
            wake: None,
            drain: None,
        };
        (handle, tokio::spawn(writer.run()))
    }

    async fn run(mut self) -> Result<(), WriterFailed> {
        let mut messages = Vec::new();
        let mut is_inbox_open = true;
        while !self.is_drained() {
            let drain_deadline = self.drain.as_ref().map(|(deadline, _)| *deadline);
            tokio::select! {
                biased;
                () = until(drain_deadline) => break,
                Some(Control::Drain { deadline, reply }) = self.control.recv(), if self.drain.is_none() => {
                    self.ledger.close();
                    self.drain = Some((deadline, Some(reply)));
                    self.handle(Event::Drain)?;
                }
                answer = finished(&mut self.running) => {
                    self.running = None;
                    self.handle(Event::Answered(answer))?;
                }
                () = until(self.wake) => self.handle(Event::Tick)?,
                count = self.inbox.recv_many(&mut messages, INBOX_BATCH_MAX), if is_inbox_open => {
                    is_inbox_open = count > 0;
                    if !is_inbox_open && self.drain.is_none() {
                        // Every handle is gone: write what is here and end.
                        self.drain = Some((Instant::now() + READ_ONLY_AGE, None));
                        self.handle(Event::Drain)?;
                    }
                    self.handle(Event::Received(std::mem::take(&mut messages)))?;
                }
            }
        }
        let drained = match self.is_drained() {
            true => Drained::Clean,
            false => Drained::Late { groups: self.state.groups_count() },
        };
        if let Some((_, Some(reply))) = self.drain.take() {
            // Nobody waits any more: then nobody needs to know.
            reply.send(drained).ok();
        }
        Ok(())
    }

    fn is_drained(&self) -> bool {
        self.drain.is_some() && self.state.is_idle() && self.ledger.is_empty()
    }

    fn handle(&mut self, event: Event) -> Result<(), WriterFailed> {
        let now = self.started.elapsed();
        let effects = self.state.handle(now, event);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Effects) -> Result<(), WriterFailed> {
        let Effects { facts, read_only, notices, watermark, op, wake, failed } = effects;
        facts.into_iter().for_each(|fact| (self.on_fact)(fact));
        if let Some(error) = failed {
            return Err(error.into());
        }
        if let Some(read_only) = read_only {
            self.ledger.set_read_only(read_only);
        }
        self.subscribers.publish(&notices, watermark)?;
        if let Some(op) = op {
            assert!(self.running.is_none(), "one call of the store at a time");
            self.running = Some(start(Arc::clone(&self.store), op));
        }
        self.wake = wake.map(|wake| self.started + wake);
        if self.drain.is_some() && self.state.is_idle() {
            self.wake = Some(Instant::now() + DRAIN_LOOK);
        }
        self.gauges.set_oldest(self.state.oldest());
        Ok(())
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        // However the task ended: nobody gets a permit for a queue that nobody empties.
        self.ledger.close();
        self.subscribers.close();
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn finished(running: &mut Option<Running>) -> Answer {
    match running {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

/// Calls the store. An answer that takes too long is given up: the call is dropped and its outcome unknown.
fn start(store: Arc<dyn JournalStore>, op: Op) -> Running {
    async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let late = || StoreError::Ambiguous(format!("no answer within {} s", ANSWER_WAIT.as_secs()).into());
        timeout(ANSWER_WAIT, call).await.unwrap_or_else(|_| Err(late()))
    }
    Box::pin(async move {
        match op {
            Op::Append(batch) => Answer::Append(in_time(store.append(&batch)).await),
            Op::Quarantine { hero, reason } => {
                Answer::Quarantine(in_time(store.quarantine(hero, &reason)).await)
            }
            Op::Snapshot(snapshots) => Answer::Snapshot(in_time(store.snapshot(&snapshots)).await),
            Op::Ping => Answer::Ping(in_time(store.ping()).await),
        }
    })
}
