//! Keeps a player out, and lets them in again: an operator's wish.
//!
//! An account says itself that it is banned, and whoever logs in is asked. A guest is nothing but its devices: they lose
//! their right and have it again when the ban is lifted. Both lose their sockets, here at once and on every other server
//! when it looks.

use persistence::accounts::{Account, AccountChange, AccountEventKind, AccountKey, Changed, Revoke};
use persistence::support::CloseWish;
use persistence::{HeroId, StoreError};

use crate::node::Node;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Banned {
    /// It is so now, or was already.
    Done,
    /// There is neither an account nor a guest that plays this hero.
    Nobody,
}

/// Bans whoever plays this hero, or lifts the ban. Asked for again, it changes nothing and closes what is open.
///
/// # Errors
/// Those of a database that is away: ask again.
pub async fn ban(node: &Node, hero: HeroId, is_banned: bool) -> Result<Banned, StoreError> {
    let account = node.accounts.store().account(AccountKey::Hero(hero)).await?;
    let banned = match (&account, is_banned) {
        (Some(account), true) => ban_account(node, account).await?,
        (Some(account), false) => unban_account(node, account).await?,
        (None, true) => ban_guest(node, hero).await?,
        (None, false) => unban_guest(node, hero).await?,
    };
    tracing::info!(%hero, is_banned, ?banned, "an operator decided who may play");
    Ok(banned)
}

async fn ban_account(node: &Node, account: &Account) -> Result<Banned, StoreError> {
    let (accounts, hero) = (&node.accounts, account.hero);
    let now_ms = node.clock.now_ms();
    if account.banned_at_ms.is_none() {
        // First of all, so that whoever logs in at this moment finds it.
        let change = AccountChange::BannedAt(Some(now_ms));
        if accounts.store().change_account(account.account, change).await? != Changed::Done {
            return Ok(Banned::Nobody);
        }
        accounts.note(Some(account.account), Some(hero), None, AccountEventKind::Banned).await;
    }
    let wish = CloseWish { hero, at_ms: now_ms, is_ban: true };
    node.support.close_sockets(wish).await?;
    accounts.store().revoke(hero, Revoke::All, now_ms).await?;
    close_here(node, wish);
    Ok(Banned::Done)
}

async fn unban_account(node: &Node, account: &Account) -> Result<Banned, StoreError> {
    let (accounts, hero) = (&node.accounts, account.hero);
    if account.banned_at_ms.is_some() {
        let change = AccountChange::BannedAt(None);
        if accounts.store().change_account(account.account, change).await? != Changed::Done {
            return Ok(Banned::Nobody);
        }
        accounts.note(Some(account.account), Some(hero), None, AccountEventKind::Unbanned).await;
        forget_wish(node, hero).await?;
    }
    Ok(Banned::Done)
}

async fn ban_guest(node: &Node, hero: HeroId) -> Result<Banned, StoreError> {
    let now_ms = node.clock.now_ms();
    // The wish before the devices, so that no server finds only the devices and says that they were logged out. It
    // closes nothing of a hero that nobody plays.
    let wish = CloseWish { hero, at_ms: now_ms, is_ban: true };
    if node.support.seen_hero(hero).await?.is_none_or(|seen| seen.account.is_some()) {
        return Ok(Banned::Nobody);
    }
    node.support.close_sockets(wish).await?;
    if !node.support.ban_guest(hero, now_ms).await? {
        forget_wish(node, hero).await?;
        return Ok(Banned::Nobody);
    }
    node.accounts.note(None, Some(hero), None, AccountEventKind::Banned).await;
    close_here(node, wish);
    Ok(Banned::Done)
}

async fn unban_guest(node: &Node, hero: HeroId) -> Result<Banned, StoreError> {
    if node.support.unban_guest(hero).await? {
        node.accounts.note(None, Some(hero), None, AccountEventKind::Unbanned).await;
        forget_wish(node, hero).await?;
        return Ok(Banned::Done);
    }
    let seen = node.support.seen_hero(hero).await?;
    Ok(seen.map_or(Banned::Nobody, |_| Banned::Done))
}

/// Whoever may play again must not be closed by what was wished before: a wish of long ago takes its place.
async fn forget_wish(node: &Node, hero: HeroId) -> Result<(), StoreError> {
    node.support.close_sockets(CloseWish { hero, at_ms: 0, is_ban: false }).await
}

fn close_here(node: &Node, wish: CloseWish) {
    node.tickets.void(wish.hero, node.clock.now_ms());
    node.accounts.revocations().close(&node.directory, wish);
    node.accounts.revocations().now();
}
