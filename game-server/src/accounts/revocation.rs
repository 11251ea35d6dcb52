//! Closes the sockets of devices that have lost their right, wherever they lost it, and those that an operator wants closed.
//!
//! Every server looks into the database every two seconds, and at once when it took the right itself; nothing else is
//! needed, so that it works without Redis. What it finds is a little older than needed: a ticket that was issued just before
//! may open a socket just after.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use persistence::support::CloseWish;
use persistence::{AccountStore, StoreError, SupportStore};
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
/// Most wishes to close sockets that it takes at once. More within that time: the later ones come up to a minute later.
const WISHES_MAX: u32 = 10_000;
/// When a client whose socket an operator has closed may come back.
const RECONNECT_AFTER_MS: u32 = 1_000;

/// Tells the task that there is something to look for.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    look: Arc<Notify>,
    /// Wishes of the last minute that were done here; at most [`WISHES_MAX`] and those of this server.
    done: Arc<Mutex<BTreeSet<CloseWish>>>,
}

impl Revocations {
    /// Look now.
    pub fn now(&self) {
        self.look.notify_one();
    }

    /// Closes the sockets of a hero on this server, once: whoever comes back stays. A banned player's are closed again
    /// and again for as long as a ticket from before may open one.
    pub fn close(&self, directory: &Directory, wish: CloseWish) {
        if wish.is_ban {
            directory.for_hero(wish.hero, |outbox| outbox.close(close::BANNED, "this player is banned"));
        } else if self.done().insert(wish) {
            let reason = "an operator closed this socket";
            directory.for_hero(wish.hero, |outbox| outbox.send_away(RECONNECT_AFTER_MS, reason));
        }
    }

    /// Forgets what cannot be found any more.
    fn forget_before(&self, since_ms: i64) {
        self.done().retain(|wish| wish.at_ms >= since_ms);
    }

    fn done(&self) -> MutexGuard<'_, BTreeSet<CloseWish>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until the task is aborted.
pub fn watch(
    revocations: Revocations,
    (accounts, support): (Arc<dyn AccountStore>, Arc<dyn SupportStore>),
    clock: Clock,
    directory: Arc<Directory>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = revocations.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let since_ms = clock.now_ms() - LOOK_BACK_MS;
            // The store's own alarm says that it is away.
            if let Err(error) = look(&revocations, (&*accounts, &*support), since_ms, &directory).await {
                tracing::debug!(%error, "cannot look for devices that lost their right");
            }
        }
    })
}

async fn look(
    revocations: &Revocations,
    (accounts, support): (&dyn AccountStore, &dyn SupportStore),
    since_ms: i64,
    directory: &Directory,
) -> Result<(), StoreError> {
    // In this order, and the wishes are done first: whoever is banned hears that, and not only that a device is out.
    let revoked = accounts.revoked_since(since_ms, REVOKED_MAX).await?;
    for wish in support.close_wishes(since_ms, WISHES_MAX).await? {
        revocations.close(directory, wish);
    }
    revocations.forget_before(since_ms);
    let devices: BTreeSet<_> = revoked.into_iter().map(|it| it.device).collect();
    directory.close_devices(&devices, close::UNAUTHENTICATED, "this device was logged out");
    Ok(())
}
