//! Who wants to be forgotten is forgotten: an account after thirty days in which it can be undone, a guest at once, and a
//! guest that nobody has played for long.
//!
//! ```text
//! DELETE /v1/me ─▶ erase_at, all others out, nothing is played ──restore──▶ as before
//!                      │ 30 days                     guest: DELETE, or not seen for long
//!                      ▼                                │
//!                  all devices out ◀────────────────────┘
//!                      │ SILENCE_MS: the sockets close, on every server
//!                      ▼
//!                  pictures, then the account and its devices
//! ```
//!
//! Nothing is erased while a socket of its hero may be open anywhere: first all devices lose their right, and the next look
//! erases. A hero that is still in some server's memory then is nobody's: its session ends by the rules, nobody can act for
//! it, and the server forgets it a minute later. Every server looks; each step is safe to be done by several at once, and
//! again.

use std::sync::Arc;
use std::time::Duration;

use persistence::accounts::{
    Account, AccountChange, AccountEventKind, AccountId, AccountKey, Changed, Revoke,
};
use persistence::{AccountStore, HeroId, StoreError};
use protocol::close;
use tokio::time::sleep;

use super::avatar::Avatars;
use super::revocation::LOOK_BACK_MS;
use super::session::{AuthError, Caller};
use super::{Accounts, Grant};
use crate::admission::AddressKey;
use crate::node::Node;

/// For so long an account that is to be erased can be restored.
pub const ERASE_AFTER_MS: i64 = 30 * DAY_MS;
/// Without a password, a login at most so old shows who asks.
pub const FRESH_LOGIN_MS: i64 = 5 * 60 * 1000;
/// From the last device losing its right until nothing can be open any more: other servers look every two seconds for
/// so long a time back, and a ticket lives half as long.
const SILENCE_MS: i64 = LOOK_BACK_MS;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a server looks. The first look is at its start.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);
/// The same when there was something to do: there may be more.
const LOOK_AGAIN: Duration = Duration::from_secs(65);
/// Accounts, and guests, of one look. More wait for the next one.
const BATCH: u32 = 200;
/// Devices that lost their right lately and are looked at. More: accounts wait for the next look.
const REVOKED_MAX: u32 = 10_000;

/// Why an account is not going to be erased.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// It has a password, and none was said.
    #[error("the password is needed")]
    NoPassword,
    /// It has none, and the login is older than [`FRESH_LOGIN_MS`].
    #[error("a fresh login is needed")]
    LoginTooOld,
    /// Its time has come: nothing brings it back.
    #[error("it is too late")]
    TooLate,
    /// As for a login.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<StoreError> for NotErased {
    fn from(error: StoreError) -> Self {
        Self::Auth(error.into())
    }
}

/// What a look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Accounts that are gone now.
    pub accounts: usize,
    /// Guests that are gone now.
    pub guests: usize,
    /// Heroes whose devices lost their right; a later look erases them.
    pub silenced: usize,
}

/// Erases accounts and guests.
#[derive(Debug)]
pub struct Erasing {
    node: Arc<Node>,
    accounts: Accounts,
    avatars: Avatars,
}

impl Erasing {
    /// Of the accounts of a node.
    #[must_use]
    pub fn new(node: Arc<Node>, avatars: Avatars) -> Self {
        let accounts = node.accounts.clone();
        Self { node, accounts, avatars }
    }

    /// An account will be erased; returns when. All devices but the one that asks are logged out, and nothing is played
    /// until it is undone. Asked for again, the date stays.
    ///
    /// # Errors
    /// [`NotErased`]; nothing has changed then, or the store is away and it is safe to ask again.
    pub async fn ask(
        &self,
        caller: Caller,
        account: AccountId,
        password: Option<&str>,
        address: AddressKey,
    ) -> Result<i64, NotErased> {
        let found = self.find(account).await?;
        self.prove(&caller, &found, password, address).await?;
        let Grant { hero, device } = caller.grant;
        let erase_at_ms = match found.erase_at_ms {
            Some(at_ms) => at_ms,
            None => {
                let at_ms = self.node.clock.now_ms() + ERASE_AFTER_MS;
                self.change(account, Some(at_ms)).await?;
                self.accounts
                    .note(Some(account), Some(hero), Some(device), AccountEventKind::EraseAsked)
                    .await;
                at_ms
            }
        };
        self.accounts.revoke(hero, Revoke::AllBut(device), AccountEventKind::DeviceRevoked).await?;
        self.silence(hero);
        self.accounts.mail_erasing(account);
        tracing::info!(%hero, "an account will be erased");
        Ok(erase_at_ms)
    }

    /// An operator's wish, mostly because the owner has written to the team: as [`Erasing::ask`], without a proof and with
    /// all devices logged out. The owner can log in and take it back.
    ///
    /// # Errors
    /// Those of a database that is away, and when the account is gone.
    pub async fn ask_for(node: &Node, account: &Account) -> Result<i64, NotErased> {
        let (accounts, hero) = (&node.accounts, account.hero);
        let erase_at_ms = match account.erase_at_ms {
            Some(at_ms) => at_ms,
            None => {
                let at_ms = node.clock.now_ms() + ERASE_AFTER_MS;
                change(accounts, account.account, Some(at_ms)).await?;
                accounts.note(Some(account.account), Some(hero), None, AccountEventKind::EraseAsked).await;
                at_ms
            }
        };
        accounts.revoke(hero, Revoke::All, AccountEventKind::DeviceRevoked).await?;
        silence(node, hero);
        accounts.mail_erasing(account.account);
        tracing::info!(%hero, "an account will be erased, as an operator wishes");
        Ok(erase_at_ms)
    }

    /// An operator takes it back.
    ///
    /// # Errors
    /// [`NotErased::TooLate`], and those of a database that is away.
    pub async fn restore_for(node: &Node, account: &Account) -> Result<(), NotErased> {
        let Some(at_ms) = account.erase_at_ms else { return Ok(()) };
        if at_ms <= node.clock.now_ms() {
            return Err(NotErased::TooLate);
        }
        change(&node.accounts, account.account, None).await?;
        let (account, hero) = (Some(account.account), Some(account.hero));
        node.accounts.note(account, hero, None, AccountEventKind::EraseUndone).await;
        Ok(())
    }

    /// An operator's wish: as [`Erasing::forget_guest`], also for a banned one.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn forget_guest_for(node: &Node, hero: HeroId) -> Result<(), StoreError> {
        // A banned guest is kept for a while; this one is not wanted any more.
        node.support.unban_guest(hero).await?;
        let revoked = node.accounts.store().revoke(hero, Revoke::All, node.clock.now_ms()).await?;
        if !revoked.is_empty() {
            node.accounts.revocations().now();
        }
        silence(node, hero);
        tracing::info!(%hero, "a guest will be erased, as an operator wishes");
        Ok(())
    }

    /// An account stays after all. One that was not going to be erased stays as it is.
    ///
    /// # Errors
    /// [`NotErased::TooLate`], and those of a database that is away.
    pub async fn restore(&self, caller: Caller, account: AccountId) -> Result<(), NotErased> {
        let found = self.find(account).await?;
        let Some(at_ms) = found.erase_at_ms else { return Ok(()) };
        if at_ms <= self.node.clock.now_ms() {
            return Err(NotErased::TooLate);
        }
        self.change(account, None).await?;
        let Grant { hero, device } = caller.grant;
        self.accounts.note(Some(account), Some(hero), Some(device), AccountEventKind::EraseUndone).await;
        tracing::info!(%hero, "an account stays after all");
        Ok(())
    }

    /// A guest is forgotten: its devices lose their right now, and the next look erases it.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn forget_guest(&self, hero: HeroId) -> Result<(), StoreError> {
        self.revoke_all(hero).await?;
        self.silence(hero);
        tracing::info!(%hero, "a guest will be erased");
        Ok(())
    }

    /// Looks now and then, until the task is aborted.
    pub async fn keep_erasing(self: Arc<Self>) {
        loop {
            let next = match self.look().await {
                Ok(looked) if looked == Looked::default() => LOOK_EVERY,
                Ok(_) => LOOK_AGAIN,
                Err(error) => {
                    tracing::warn!(%error, "could not look for what is to be erased; tried again in minutes");
                    LOOK_EVERY
                }
            };
            sleep(next).await;
        }
    }

    /// Erases what is due, and takes those their right whose turn is next.
    ///
    /// # Errors
    /// Those of a database that is away; what was not done is done by the next look.
    pub async fn look(&self) -> Result<Looked, StoreError> {
        let mut looked = Looked::default();
        self.look_for_accounts(&mut looked).await?;
        self.look_for_orphans(&mut looked).await?;
        self.look_for_stale_guests(&mut looked).await?;
        if looked != Looked::default() {
            let Looked { accounts, guests, silenced } = looked;
            tracing::info!(accounts, guests, silenced, "erased what was due");
        }
        Ok(looked)
    }

    async fn look_for_accounts(&self, looked: &mut Looked) -> Result<(), StoreError> {
        let store = self.store();
        let now_ms = self.node.clock.now_ms();
        let due = store.due_erasures(now_ms, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let lately = store.revoked_since(now_ms - SILENCE_MS, REVOKED_MAX).await?;
        let is_full = lately.len() >= REVOKED_MAX as usize;
        for Account { account, hero, .. } in due {
            if self.revoke_all(hero).await? > 0 {
                looked.silenced += 1;
                continue;
            }
            if is_full || lately.iter().any(|it| it.hero == hero) {
                looked.silenced += 1;
                continue;
            }
            // Pictures first: without the account nobody knows any more that there are some.
            if self.avatars.erase(account).await.is_err() {
                tracing::warn!("an account waits to be erased until the place of its pictures answers");
                continue;
            }
            looked.accounts += usize::from(store.erase_account(account, now_ms).await?);
        }
        Ok(())
    }

    /// Guests that nobody can reach any more: they asked for it, logged out, or were not seen for long.
    async fn look_for_orphans(&self, looked: &mut Looked) -> Result<(), StoreError> {
        let before_ms = self.node.clock.now_ms() - SILENCE_MS;
        for hero in self.store().orphaned_guests(before_ms, BATCH).await? {
            looked.guests += usize::from(self.store().erase_guest(hero).await?);
        }
        Ok(())
    }

    async fn look_for_stale_guests(&self, looked: &mut Looked) -> Result<(), StoreError> {
        let life_days = i64::from(self.node.config.guest_life_days);
        if life_days == 0 {
            return Ok(());
        }
        let before_ms = self.node.clock.now_ms() - life_days * DAY_MS;
        for hero in self.store().stale_guests(before_ms, BATCH).await? {
            let devices = self.store().devices(hero).await?;
            // Who came back in this moment stays.
            if devices.iter().all(|device| device.last_seen_ms < before_ms) {
                self.revoke_all(hero).await?;
                looked.silenced += 1;
            }
        }
        Ok(())
    }

    /// Says nothing to the account's events: that it is erased is all that is to be said.
    async fn revoke_all(&self, hero: HeroId) -> Result<usize, StoreError> {
        let revoked = self.store().revoke(hero, Revoke::All, self.node.clock.now_ms()).await?;
        if !revoked.is_empty() {
            self.accounts.revocations().now();
        }
        Ok(revoked.len())
    }

    /// Ends what is open on this server, also of the device that asks. On others its client has at most a socket of its
    /// own, which lives for some hours and harms nobody but itself.
    fn silence(&self, hero: HeroId) {
        silence(&self.node, hero);
    }

    /// Whoever asks is the owner, and not only somebody with a device of theirs.
    async fn prove(
        &self,
        caller: &Caller,
        account: &Account,
        password: Option<&str>,
        address: AddressKey,
    ) -> Result<(), NotErased> {
        if account.password.is_some() {
            let password = password.ok_or(NotErased::NoPassword)?;
            return Ok(self.accounts.confirm(account.account, password, address).await?);
        }
        let device = self.store().device(caller.grant.device).await?;
        let since_ms = self.node.clock.now_ms() - FRESH_LOGIN_MS;
        // When the device logged in; its access tokens are newer, but a thief of a device has those too.
        match device {
            Some(device) if device.created_at_ms >= since_ms => Ok(()),
            _ => Err(NotErased::LoginTooOld),
        }
    }

    async fn find(&self, account: AccountId) -> Result<Account, NotErased> {
        let found = self.store().account(AccountKey::Id(account)).await?;
        Ok(found.ok_or(AuthError::Unauthenticated)?)
    }

    async fn change(&self, account: AccountId, erase_at_ms: Option<i64>) -> Result<(), NotErased> {
        change(&self.accounts, account, erase_at_ms).await
    }

    fn store(&self) -> &Arc<dyn AccountStore> {
        self.accounts.store()
    }
}

fn silence(node: &Node, hero: HeroId) {
    node.tickets.void(hero, node.clock.now_ms());
    let reason = "this hero is to be erased";
    node.directory.for_hero(hero, |outbox| outbox.close(close::UNAUTHENTICATED, reason));
}

async fn change(accounts: &Accounts, account: AccountId, erase_at_ms: Option<i64>) -> Result<(), NotErased> {
    match accounts.store().change_account(account, AccountChange::EraseAt(erase_at_ms)).await? {
        Changed::Done => Ok(()),
        Changed::Taken | Changed::Missing => Err(AuthError::Unauthenticated.into()),
    }
}
