//! What others hold of the writer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::permit::{Ledger, Permit};
use super::state::{Group, Waiting};
use super::stats::{Gauges, WriterStats};
use super::subscribers::Subscribers;
use super::{Control, Drained, Message, Notice, Refused, Ticket};
use crate::record::{HeroId, SnapshotRecord};
use crate::store::HeroAppend;

/// Talks to the writer. Cheap to clone; every call but `drain` is synchronous and may come from any thread.
#[derive(Clone)]
pub struct JournalHandle {
    shared: Arc<Shared>,
}

struct Shared {
    /// One lock for number and queue, so that tickets rise in the order of the inbox.
    intake: Mutex<Intake>,
    control: mpsc::Sender<Control>,
    ledger: Arc<Ledger>,
    gauges: Arc<Gauges>,
    subscribers: Arc<Subscribers>,
}

struct Intake {
    last: Ticket,
    inbox: mpsc::Sender<Message>,
}

impl std::fmt::Debug for JournalHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalHandle").field("stats", &self.stats()).finish()
    }
}

impl JournalHandle {
    pub(super) fn new(
        inbox: mpsc::Sender<Message>,
        control: mpsc::Sender<Control>,
        ledger: Arc<Ledger>,
        gauges: Arc<Gauges>,
        subscribers: Arc<Subscribers>,
    ) -> Self {
        let intake = Mutex::new(Intake { last: Ticket(0), inbox });
        Self { shared: Arc::new(Shared { intake, control, ledger, gauges, subscribers }) }
    }

    /// Reserves room for one command's events (D7). Ask for the most it can make; submitting gives the rest back.
    ///
    /// # Errors
    /// [`Refused`]: nothing has happened.
    ///
    /// # Panics
    /// When `events` is 0 or above [`crate::record::GROUP_EVENTS_MAX`].
    pub fn try_reserve(&self, hero: HeroId, events: usize, bytes: usize) -> Result<Permit, Refused> {
        self.shared.ledger.reserve(hero, events, bytes)
    }

    /// Hands over all events of one command. They are flushed together, after everything submitted before. When the
    /// writer is gone the ticket is never settled; subscribers learn it from [`Subscription::changed`].
    ///
    /// # Panics
    /// When the group does not fit its permit.
    #[must_use]
    pub fn submit(&self, mut permit: Permit, group: HeroAppend) -> Ticket {
        permit.shrink(group.hero, group.events.len(), group.bytes());
        let mut intake = self.lock();
        let ticket = Ticket(intake.last.0 + 1);
        intake.last = ticket;
        self.send(&intake, Message::Group(Group::new(ticket, group, permit)));
        ticket
    }

    /// Hands over a snapshot; it is written after the events submitted before it. Of two waiting snapshots of a hero
    /// the later one is written. `false` when there is no room for it now.
    pub fn snapshot(&self, snapshot: SnapshotRecord) -> bool {
        let Some(permit) = self.shared.ledger.reserve_snapshot(snapshot.state.len()) else { return false };
        let intake = self.lock();
        self.send(&intake, Message::Snapshot(Waiting::new(intake.last, snapshot, permit)));
        true
    }

    /// A new listener. It hears every notice from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.shared.subscribers.enter()
    }

    /// Whether durable commands are refused now.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.shared.ledger.is_read_only()
    }

    /// Where the queue stands.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        let (events, bytes) = self.shared.ledger.used();
        WriterStats {
            queue_events: events as u64,
            queue_bytes: bytes as u64,
            oldest_age: self.shared.gauges.oldest_age(),
            is_read_only: self.is_read_only(),
        }
    }

    /// Refuses new permits, flushes everything, stops the writer.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        let gone = Drained::Late { groups: 0 };
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + deadline;
        if self.shared.control.send(Control::Drain { deadline, reply }).await.is_err() {
            return gone;
        }
        answer.await.unwrap_or(gone)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Intake> {
        self.shared.intake.lock().expect("no code panics while it holds this lock")
    }

    fn send(&self, intake: &Intake, message: Message) {
        use mpsc::error::TrySendError::{Closed, Full};
        match intake.inbox.try_send(message) {
            // Closed: the writer has stopped and its end is on its way to everybody who listens.
            Ok(()) | Err(Closed(_)) => (),
            Err(Full(_)) => unreachable!("the inbox has a place for every permit"),
        }
    }
}

/// What a shard listens to.
#[derive(Debug)]
pub struct Subscription {
    /// Notices, in order.
    pub notices: mpsc::Receiver<Notice>,
    /// Every ticket up to this one is settled: durable, unless a notice sent earlier says otherwise.
    pub watermark: watch::Receiver<Ticket>,
    /// Notices that [`Subscription::changed`] met.
    heard: Vec<Notice>,
}

impl Subscription {
    pub(super) fn new(notices: mpsc::Receiver<Notice>, watermark: watch::Receiver<Ticket>) -> Self {
        Self { notices, watermark, heard: Vec::new() }
    }

    /// The notices so far and the watermark they belong to: no notice that the watermark relies on is missing. Handle
    /// the notices first.
    pub fn take(&mut self) -> (Vec<Notice>, Ticket) {
        // The watermark first: its notices were sent before it, so they are found afterwards.
        let watermark = *self.watermark.borrow_and_update();
        let mut notices = std::mem::take(&mut self.heard);
        while let Ok(notice) = self.notices.try_recv() {
            notices.push(notice);
        }
        (notices, watermark)
    }

    /// Waits for a notice or a higher watermark. `false` when the writer is gone; [`Subscription::take`] still gives
    /// what it said last. May be dropped at any time.
    pub async fn changed(&mut self) -> bool {
        if !self.heard.is_empty() {
            return true;
        }
        tokio::select! {
            biased;
            changed = self.watermark.changed() => changed.is_ok(),
            notice = self.notices.recv() => match notice {
                Some(notice) => {
                    self.heard.push(notice);
                    true
                }
                None => false,
            },
        }
    }
}
