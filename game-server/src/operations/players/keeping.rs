//! What an operator does about a player: sockets, bans, and being forgotten.
//!
//! The wish is carried out by a task of its own: a panel that is closed in the middle must not leave half of it.

use std::sync::Arc;

use admin_http::{Actor, Refused};
use persistence::HeroId;
use persistence::accounts::AccountKey;
use persistence::support::CloseWish;

use super::reading::{head_of, store_failed};
use crate::accounts::banning::{self, Banned};
use crate::accounts::erasing::{Erasing, NotErased};
use crate::accounts::session::AuthError;
use crate::node::Node;
use crate::operations::NodeOperations;

/// When a client whose one socket an operator has closed may come back.
const RECONNECT_AFTER_MS: u32 = 1_000;

pub(in crate::operations) async fn close_connections(
    operations: &NodeOperations,
    actor: Actor,
    hero: &str,
    connection: Option<&str>,
) -> Result<(), Refused> {
    let (hero, _) = head_of(&operations.node, hero).await?;
    let node = Arc::clone(&operations.node);
    match connection {
        None => carried_out(actor, hero, async move { close_all(&node, hero).await }).await,
        Some(connection) => close_one(&node, hero, connection),
    }
}

async fn close_all(node: &Node, hero: HeroId) -> Result<(), Refused> {
    let wish = CloseWish { hero, at_ms: node.clock.now_ms(), is_ban: false };
    node.support.close_sockets(wish).await.map_err(store_failed)?;
    node.accounts.revocations().close(&node.directory, wish);
    Ok(())
}

/// Sockets have numbers of their server's own: one of another server cannot be named here.
fn close_one(node: &Node, hero: HeroId, connection: &str) -> Result<(), Refused> {
    let number = connection.parse::<u64>();
    let number = number.map_err(|_| Refused::Invalid("a connection's id is a number".to_owned()))?;
    let mut is_here = false;
    node.directory.for_hero(hero, |outbox| {
        if outbox.connection_id == number {
            is_here = true;
            outbox.send_away(RECONNECT_AFTER_MS, "an operator closed this socket");
        }
    });
    if is_here {
        return Ok(());
    }
    let hint = "this server has no such socket of this hero; name none to close all of them, on every server";
    Err(Refused::NotFound(hint.to_owned()))
}

pub(in crate::operations) async fn ban(
    operations: &NodeOperations,
    actor: Actor,
    hero: &str,
    is_banned: bool,
) -> Result<(), Refused> {
    let (hero, _) = head_of(&operations.node, hero).await?;
    let node = Arc::clone(&operations.node);
    carried_out(actor, hero, async move {
        match banning::ban(&node, hero, is_banned).await.map_err(store_failed)? {
            Banned::Done => Ok(()),
            Banned::Nobody => Err(nobody()),
        }
    })
    .await
}

pub(in crate::operations) async fn erase(
    operations: &NodeOperations,
    actor: Actor,
    hero: &str,
    is_wanted: bool,
) -> Result<(), Refused> {
    let (hero, _) = head_of(&operations.node, hero).await?;
    let node = Arc::clone(&operations.node);
    carried_out(actor, hero, async move { erase_now(&node, hero, is_wanted).await }).await
}

async fn erase_now(node: &Node, hero: HeroId, is_wanted: bool) -> Result<(), Refused> {
    let account = node.accounts.store().account(AccountKey::Hero(hero)).await.map_err(store_failed)?;
    match (account, is_wanted) {
        (Some(account), true) => Erasing::ask_for(node, &account).await.map(drop).map_err(not_erased),
        (Some(account), false) => Erasing::restore_for(node, &account).await.map_err(not_erased),
        (None, true) => {
            let seen = node.support.seen_hero(hero).await.map_err(store_failed)?;
            // The devices of a guest that became part of an account act for that account's hero.
            seen.ok_or_else(nobody)?;
            Erasing::forget_guest_for(node, hero).await.map_err(store_failed)
        }
        (None, false) => {
            Err(Refused::Conflict("a guest is forgotten at once; that cannot be taken back".to_owned()))
        }
    }
}

fn not_erased(error: NotErased) -> Refused {
    match error {
        NotErased::TooLate => Refused::Conflict("its time has come: this account is being erased".to_owned()),
        NotErased::Auth(AuthError::Store(error)) => store_failed(error),
        NotErased::Auth(_) | NotErased::NoPassword | NotErased::LoginTooOld => {
            Refused::Conflict("the account is gone".to_owned())
        }
    }
}

fn nobody() -> Refused {
    let hint = "nobody plays this hero: it was erased, or became part of another one";
    Refused::NotFound(hint.to_owned())
}

async fn carried_out(
    actor: Actor,
    hero: HeroId,
    wish: impl Future<Output = Result<(), Refused>> + Send + 'static,
) -> Result<(), Refused> {
    tracing::info!(%hero, operator = actor.operator, audit_seq = actor.audit_seq, "an operator's wish");
    // It goes on when whoever asked is gone.
    tokio::spawn(wish).await.unwrap_or(Err(Refused::Internal))
}
