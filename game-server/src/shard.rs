//! Owns a part of the heroes: their world, and what of them is not durable yet. One thread each; a hero belongs to the
//! shard that its id hashes to.
//!
//! It never touches a socket or a database: frames go into bounded outboxes, events to the journal writer, loads to the
//! loader's tasks. It decides first (pure), reserves room in the journal, and only then changes the world, so that a
//! refused command has changed nothing. What tells a fact to a client waits until the flush that holds the fact is
//! durable.
//!
//! ```text
//! connections ─Request▶ ┌───────┐ ─events, snapshots▶ journal writer
//! loader, lease ─Control▶ │ shard │ ◀─notices, watermark─┘
//! clock ────────tick▶   └───────┘ ─frames▶ outboxes
//! ```
//!
//! Where nodes share a store, a hero lives where its player last did something. The node that had it before follows it
//! for the devices that are still there, and asks for it back when one of them does something.

mod audit;
mod hero;
mod load;
mod packing;
mod state;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use persistence::HeroId;
use simulation::{command::Command, hero::Hero};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use self::load::News;
pub use self::load::{LoadFailed, Loaded, Loader};
pub use self::state::ShardParts;
pub(crate) use self::state::send_away;
use self::state::{SLICE_HEROES_MAX, Shard, Slice};
use crate::{acting::Act, outbox::Outbox, published::Posted, telemetry::Received};

/// Requests that may wait for a shard: some ticks' worth. Full: the client is told `busy`.
const INBOX_MAX: usize = 8 * 1024;
/// Loaded heroes and orders that may wait; bounded by the loads under way. Full: the loader waits.
const CONTROL_MAX: usize = 256;
/// Requests taken at once, so that a tick is never late by more than this many.
const BATCH_MAX: usize = 256;

/// What a connection asks of the shard of its hero.
#[derive(Debug)]
pub enum Request {
    /// A device came: load its hero if need be, welcome it.
    Attach {
        /// Whose device, from the ticket.
        hero: HeroId,
        /// The device's stream of commands.
        stream_id: u64,
        /// The last event it has seen.
        last_seq: Option<u64>,
        /// Its zone, for a hero that has none yet.
        time_zone: Option<String>,
        /// Where its frames go.
        outbox: Arc<Outbox>,
    },
    /// A device wants something.
    Command {
        /// Whose device, from the ticket.
        hero: HeroId,
        /// Which socket.
        connection_id: u64,
        /// Its place in the device's stream.
        cmd_seq: u64,
        /// What.
        command: Box<Command>,
        /// When its frame was read, and its way if it is followed.
        received: Received,
    },
    /// A device left.
    Detach {
        /// Whose device.
        hero: HeroId,
        /// Which socket.
        connection_id: u64,
    },
    /// The server itself wants something of a hero: see [`crate::node::Node::act`].
    Act {
        /// Which.
        hero: HeroId,
        /// What, and who waits for the answer.
        act: Act,
    },
}

/// What comes from inside the server.
#[derive(Debug)]
enum Control {
    /// A load ended.
    Loaded(HeroId, Result<Box<Loaded>, LoadFailed>),
    /// It is noted, or could not be, that this socket speaks for its stream.
    Speaks(u64, bool),
    /// Another node asks for a hero.
    HandOver(HeroId),
    /// A hero that was asked for is free, or could not be given back.
    GivenBack(HeroId, bool),
    /// A hint says that a hero of another node has come so far.
    Advanced(HeroId, u64),
    /// What became of followed heroes.
    News(Vec<News>),
    /// The heroes that others took while this node was silent; nothing when the store could not say.
    Lost(Option<Vec<HeroId>>),
    /// Operators have published other numbers, or other words.
    Posted(Arc<Posted>),
    /// Copies of some heroes, after this one, are wanted.
    Survey(Option<HeroId>, oneshot::Sender<Slice>),
    /// Take no more commands, write snapshots; answer when everything told to the journal is settled.
    Drain(oneshot::Sender<()>),
}

/// The shard did not take it: its inbox is full or it has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Talks to a shard. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShardHandle {
    inbox: mpsc::Sender<Request>,
    control: mpsc::Sender<Control>,
}

impl ShardHandle {
    /// Hands a request over without waiting.
    ///
    /// # Errors
    /// [`Full`]; the request had no effect.
    pub fn try_send(&self, request: Request) -> Result<(), Full> {
        self.inbox.try_send(request).map_err(|_full_or_stopped| Full)
    }

    /// Requests that wait; full at 8,192.
    #[must_use]
    pub fn inbox_requests(&self) -> usize {
        self.inbox.max_capacity() - self.inbox.capacity()
    }

    /// Another node asks for a hero. A shard that is too busy now is asked again.
    pub fn hand_over(&self, hero: HeroId) {
        let _asked_again = self.control.try_send(Control::HandOver(hero));
    }

    /// Another node's hero has come as far as `seq`, or has no owner now. A shard that is too busy now finds out by
    /// itself.
    pub fn advanced(&self, hero: HeroId, seq: u64) {
        let _found_later = self.control.try_send(Control::Advanced(hero, seq));
    }

    /// Other numbers, or other words, from the next tick on. Waits for room: every shard must have them.
    pub async fn post(&self, posted: Arc<Posted>) {
        // A stopped shard has no players left.
        let _stopped = self.control.send(Control::Posted(posted)).await;
    }

    /// Copies of the heroes of this shard that come after `after`, by id, and the id to go on from, if there are more. A
    /// slice of a few hundred at a time, so that no tick waits for it.
    pub async fn survey(&self, after: Option<HeroId>) -> (Vec<(HeroId, Hero)>, Option<HeroId>) {
        let (answer, answered) = oneshot::channel();
        if self.control.send(Control::Survey(after, answer)).await.is_err() {
            return (Vec::new(), None);
        }
        let slice = answered.await.unwrap_or_default();
        let next = slice.last().map(|(id, _)| *id).filter(|_| slice.len() == SLICE_HEROES_MAX);
        (slice, next)
    }

    /// Tells that a device left. Waits for room: a device must not stay for ever.
    pub async fn detach(&self, hero: HeroId, connection_id: u64) {
        // A stopped shard has no devices left.
        let _stopped = self.inbox.send(Request::Detach { hero, connection_id }).await;
    }

    /// Stops taking commands and waits until everything is durable and told.
    pub async fn drain(&self) {
        let (done_tx, done_rx) = oneshot::channel();
        if self.control.send(Control::Drain(done_tx)).await.is_ok() {
            // A shard that stopped by itself has reported why.
            let _stopped = done_rx.await;
        }
    }
}

/// A shard that is built but does not run yet.
pub struct Built {
    shard: Shard,
    inbox: mpsc::Receiver<Request>,
    control: mpsc::Receiver<Control>,
    tick: Duration,
}

/// Builds a shard and its handle.
#[must_use]
pub fn build(parts: ShardParts, loader: Loader, tick_hz: u32) -> (ShardHandle, Built) {
    let (inbox_tx, inbox) = mpsc::channel(INBOX_MAX);
    let (control_tx, control) = mpsc::channel(CONTROL_MAX);
    let shard = Shard::new(parts, loader.for_shard(control_tx.clone()));
    let tick = Duration::from_secs(1) / tick_hz;
    (ShardHandle { inbox: inbox_tx, control: control_tx }, Built { shard, inbox, control, tick })
}

impl Built {
    /// Runs it on a thread of its own until every handle is gone. `panicked` is told if it breaks (exit 70).
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        self,
        index: usize,
        panicked: impl FnOnce(&str) + Send + 'static,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name(format!("shard-{index}")).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime without I/O needs nothing that can be missing");
            let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.run())));
            if ran.is_err() {
                panicked("a bug, see the panic above");
            }
        })
    }

    /// The run loop.
    pub async fn run(mut self) {
        let mut ticks = interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut subscription = self.shard.subscribe();
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                Some(control) = self.control.recv() => match control {
                    Control::Loaded(hero, loaded) => self.shard.loaded(hero, loaded),
                    Control::Speaks(connection_id, is_noted) => self.shard.speaks(connection_id, is_noted),
                    Control::HandOver(hero) => self.shard.hand_over(hero),
                    Control::GivenBack(hero, is_done) => self.shard.given_back(hero, is_done),
                    Control::Advanced(hero, seq) => self.shard.advanced(hero, seq),
                    Control::News(news) => self.shard.news(news),
                    Control::Lost(lost) => self.shard.lost(lost),
                    Control::Posted(posted) => self.shard.publish_posted(&posted),
                    Control::Survey(after, answer) => self.shard.survey(after, answer),
                    Control::Drain(done) => self.shard.drain(done),
                },
                alive = subscription.changed() => {
                    if !alive {
                        return;
                    }
                    let (notices, watermark) = subscription.take();
                    self.shard.settled(notices, watermark);
                }
                _ = ticks.tick() => {
                    self.shard.tick();
                    // Also when every tick is late and the next one is due already: somebody waits for an answer.
                    for _ in 0..BATCH_MAX {
                        let Ok(request) = self.inbox.try_recv() else { break };
                        self.shard.request(request);
                    }
                }
                taken = self.inbox.recv_many(&mut batch, BATCH_MAX) => {
                    if taken == 0 {
                        return;
                    }
                    for request in batch.drain(..) {
                        self.shard.request(request);
                    }
                }
            }
        }
    }
}
