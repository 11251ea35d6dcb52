//! A way through the network that can be closed for a while, or for ever.

use std::sync::Mutex;

use tokio::sync::Notify;

/// How a road is just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Nothing passes, nothing is lost.
    Stalled,
    /// For ever; the other side notices.
    Severed,
}

/// A road. Those who wait go on in the order in which they came, which `tokio::sync::watch` does not promise.
#[derive(Debug)]
pub(crate) struct Road {
    way: Mutex<Way>,
    changed: Notify,
}

impl Road {
    pub(crate) fn open() -> Self {
        Self { way: Mutex::new(Way::Open), changed: Notify::new() }
    }

    /// What is severed stays so.
    pub(crate) fn set(&self, way: Way) {
        let mut now = self.way.lock().expect("nobody panics while it is held");
        if *now != Way::Severed {
            *now = way;
            self.changed.notify_waiters();
        }
    }

    pub(crate) fn is_severed(&self) -> bool {
        *self.way.lock().expect("nobody panics while it is held") == Way::Severed
    }

    /// Waits while nothing passes. `false` when nothing ever will.
    pub(crate) async fn passes(&self) -> bool {
        self.until(|way| way != Way::Stalled).await == Way::Open
    }

    pub(crate) async fn severed(&self) {
        self.until(|way| way == Way::Severed).await;
    }

    async fn until(&self, is_wanted: impl Fn(Way) -> bool) -> Way {
        loop {
            // Made first: a change after the look wakes it.
            let changed = self.changed.notified();
            let way = *self.way.lock().expect("nobody panics while it is held");
            if is_wanted(way) {
                return way;
            }
            changed.await;
        }
    }
}
