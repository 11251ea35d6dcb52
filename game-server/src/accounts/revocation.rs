//! Closes the sockets of devices that have lost their right, wherever they lost it.
//!
//! Every server looks into the database every two seconds, and at once when it took the right itself; nothing else is
//! needed, so that it works without Redis. What it finds is a little older than needed: a ticket that was issued just before
//! may open a socket just after.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use persistence::AccountStore;
use protocol::close;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::directory::Directory;

/// How often a server looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How far back it looks: longer than a ticket lives, and clocks of servers differ.
pub(super) const LOOK_BACK_MS: i64 = 60_000;
/// Most devices it takes at once. More within that time: the earliest come first, the others up to a minute later.
const REVOKED_MAX: u32 = 10_000;

/// Tells the task that there is something to look for.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<Notify>);

impl Revocations {
    /// Look now.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Looks until the task is aborted.
pub fn watch(
    revocations: Revocations,
    store: Arc<dyn AccountStore>,
    clock: Clock,
    directory: Arc<Directory>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = revocations.0.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match store.revoked_since(clock.now_ms() - LOOK_BACK_MS, REVOKED_MAX).await {
                Ok(revoked) => {
                    let devices: BTreeSet<_> = revoked.into_iter().map(|it| it.device).collect();
                    directory.close_devices(&devices, close::UNAUTHENTICATED, "this device was logged out");
                }
                // The store's own alarm says that it is away.
                Err(error) => tracing::debug!(%error, "cannot look for devices that lost their right"),
            }
        }
    })
}
