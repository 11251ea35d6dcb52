//! Players for the panel: who they are, their journals, and what an operator does about them.
//!
//! Everything here reads the database beside the game and is bounded: pages, a most of events, and a time after which
//! the operator is told to try again. Nothing here owns a hero; what changes one goes through [`crate::node::Node::act`].

mod balance;
mod finding;
mod history;
mod keeping;
mod reading;

use std::sync::Arc;

use admin_http::Refused;
use admin_http::views::{AccountFacts, Device, Player, Socket};
use persistence::accounts::{Account, AccountKey};
use persistence::{HeroHead, HeroState};
use tokio::sync::Semaphore;

pub(super) use self::balance::balance;
pub(super) use self::finding::find_players;
use self::finding::{Names, row};
pub(super) use self::history::{export, hero_at, timeline};
pub(super) use self::keeping::{ban, close_connections, erase};
pub(super) use self::reading::{chapter, fold_to, head_of, read_failed, store_failed, view, within};
use super::NodeOperations;

/// Documents made at once: each is in memory as a whole.
const EXPORTS_MAX: usize = 2;

/// What the questions about players share.
#[derive(Debug)]
pub(super) struct Desk {
    names: Names,
    exports: Arc<Semaphore>,
}

impl Default for Desk {
    fn default() -> Self {
        Self { names: Names::default(), exports: Arc::new(Semaphore::new(EXPORTS_MAX)) }
    }
}

pub(super) async fn player(operations: &NodeOperations, hero: &str) -> Result<Player, Refused> {
    within(player_now(operations, hero)).await
}

async fn player_now(operations: &NodeOperations, hero: &str) -> Result<Player, Refused> {
    let node = &operations.node;
    let (hero, head) = head_of(node, hero).await?;
    let seen = node.support.seen_hero(hero).await.map_err(store_failed)?;
    let account = node.accounts.store().account(AccountKey::Hero(hero)).await.map_err(store_failed)?;
    let devices = node.accounts.devices(hero).await.map_err(store_failed)?;
    let is_somebodys = seen.is_some() || account.is_some();
    let last_seq = head.last_seq;
    // A hero that cannot be read is what this page is for: everything else is shown.
    let stored = match last_seq.0 {
        0 => None,
        _ => match fold_to(node, hero, last_seq).await {
            Ok(stored) => Some(stored.hero),
            Err(failed) if failed.is_damage() => None,
            Err(failed) => return Err(read_failed(failed)),
        },
    };
    let name = stored.as_ref().filter(|_| is_somebodys).map(|hero| hero.name.to_string());
    let created_at_ms = stored.as_ref().map(|hero| hero.created_at_ms);
    let mut sockets = Vec::new();
    node.directory.for_hero(hero, |outbox| {
        sockets.push(Socket {
            connection_id: outbox.connection_id.to_string(),
            device_id: outbox.device.map(|device| device.0.to_string()),
            connected_at_ms: outbox.connected_at_ms,
        });
    });
    let owner = owner(operations, &head).await?;
    Ok(Player {
        row: row(node, hero, (seen.as_ref(), account.as_ref()), devices.is_empty(), (name, created_at_ms)),
        last_seq: last_seq.0,
        owner,
        quarantined: match head.state {
            HeroState::Quarantined { reason } => Some(reason),
            HeroState::Free | HeroState::Owned { .. } => None,
        },
        hero: stored.map(|stored| view(operations, &stored, hero)).transpose()?,
        account: match &account {
            Some(account) => Some(facts(operations, account).await?),
            None => None,
        },
        devices: devices.iter().map(device).collect(),
        sockets,
    })
}

/// The server that has a hero in memory, by its name; by its id when it has left without a word.
async fn owner(operations: &NodeOperations, head: &HeroHead) -> Result<Option<String>, Refused> {
    let HeroState::Owned { node: owner } = head.state else { return Ok(None) };
    let node = &operations.node;
    if !node.store.is_shared() {
        return Ok(node.config.node_name.clone());
    }
    let name = node.support.node_name(owner).await.map_err(store_failed)?;
    Ok(Some(name.unwrap_or_else(|| owner.0.to_string())))
}

async fn facts(operations: &NodeOperations, account: &Account) -> Result<AccountFacts, Refused> {
    // It may be erased at this moment; then it is as if it had not been found.
    let (account, profile) = operations.node.accounts.account(account.account).await.map_err(|failed| {
        tracing::warn!(
            error = &failed as &dyn std::error::Error,
            "an account cannot be read for an operator"
        );
        Refused::Away
    })?;
    Ok(AccountFacts {
        account_id: account.account.0.to_string(),
        mail: profile.mail.as_deref().map(masked),
        is_mail_verified: account.mail_verified_at_ms.is_some(),
        banned_at_ms: account.banned_at_ms,
        erase_at_ms: account.erase_at_ms,
        created_at_ms: account.created_at_ms,
    })
}

/// A mail address of which only its owner recognises something: `a…@example.org`.
fn masked(mail: &str) -> String {
    let (name, domain) = mail.rsplit_once('@').unwrap_or((mail, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}…@{domain}")
}

fn device(device: &persistence::Device) -> Device {
    Device {
        device_id: device.device.0.to_string(),
        name: device.name.clone(),
        created_at_ms: device.created_at_ms,
        last_seen_ms: device.last_seen_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_first_letter_and_where_it_is() {
        assert_eq!(masked("ada@example.org"), "a…@example.org");
        assert_eq!(masked("é@example.org"), "é…@example.org");
        assert_eq!(masked("no address"), "n…@", "nothing of it is shown by mistake");
    }
}
