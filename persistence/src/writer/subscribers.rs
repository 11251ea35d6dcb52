//! Who listens to the writer. Each has channels of its own, so that they wake in the order in which they came: one
//! channel for all wakes them in another order each time, and a run could not be repeated.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::{mpsc, watch};

use super::handle::Subscription;
use super::{NOTICES_MAX, Notice, Ticket, WriterFailed};

/// Those who listen.
#[derive(Debug, Default)]
pub(super) struct Subscribers(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    list: Vec<Subscriber>,
    watermark: Ticket,
    is_closed: bool,
}

#[derive(Debug)]
struct Subscriber {
    notices: mpsc::Sender<Notice>,
    watermark: watch::Sender<Ticket>,
}

impl Subscribers {
    /// One more, who hears everything from now on.
    pub(super) fn enter(&self) -> Subscription {
        let mut inner = self.lock();
        let (notices_tx, notices) = mpsc::channel(NOTICES_MAX);
        let (watermark_tx, watermark) = watch::channel(inner.watermark);
        if !inner.is_closed {
            inner.list.push(Subscriber { notices: notices_tx, watermark: watermark_tx });
        }
        Subscription::new(notices, watermark)
    }

    /// Tells everybody the notices and then the watermark: whoever sees it finds the notices that it relies on.
    ///
    /// # Errors
    /// [`WriterFailed::SubscriberStuck`].
    pub(super) fn publish(&self, notices: &[Notice], watermark: Ticket) -> Result<(), WriterFailed> {
        use mpsc::error::TrySendError::{Closed, Full};
        let mut inner = self.lock();
        for notice in notices {
            let mut is_stuck = false;
            inner.list.retain(|subscriber| match subscriber.notices.try_send(notice.clone()) {
                Ok(()) => true,
                Err(Closed(_)) => false,
                Err(Full(_)) => {
                    is_stuck = true;
                    true
                }
            });
            if is_stuck {
                return Err(WriterFailed::SubscriberStuck);
            }
        }
        if inner.watermark != watermark {
            inner.watermark = watermark;
            // Whoever is gone does not answer.
            inner.list.retain(|subscriber| subscriber.watermark.send(watermark).is_ok());
        }
        Ok(())
    }

    /// The writer is gone.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.is_closed = true;
        inner.list.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
