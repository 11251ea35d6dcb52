//! Finds players.
//!
//! Ids and whole mail addresses are found at once. Names are sealed with a key of each hero, so that no database can look
//! for them: they are read hero by hero, the one seen last first, some hundreds a question, and the answer says where the
//! next question goes on. What was read is remembered for some minutes, so that a second look costs little; it is never
//! believed about a hero that has changed or that nobody owns any more.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admin_http::Refused;
use admin_http::views::{PlayerPage, PlayerRow};
use futures_util::{StreamExt, TryStreamExt, stream};
use persistence::accounts::{Account, AccountKey};
use persistence::support::Seen;
use persistence::{AccountId, DeviceId, HeroHead, HeroId};
use tokio::time::Instant;
use uuid::Uuid;

use super::reading::{fold_to, read_failed, store_failed, within};
use crate::node::Node;
use crate::operations::NodeOperations;

/// Players of one page.
const PAGE_PLAYERS: usize = 50;
/// Longest text that is looked for, in bytes: a mail address.
const QUERY_BYTES_MAX: usize = 254;
/// Heroes whose names one question looks at.
const SCAN_HEROES_MAX: usize = 500;
/// For how long it looks; then it says how far it came.
const SCAN_WITHIN: Duration = Duration::from_secs(2);
/// Heroes asked for at once.
const SCAN_PAGE: u32 = 100;
/// Heroes that are read at the same time: the game's own questions must find a connection.
const READS_AT_ONCE: usize = 4;
/// Names that are remembered, about 100 bytes each. Full: the oldest heroes are forgotten.
const NAMES_MAX: usize = 20_000;
/// For how long.
const NAME_LIFE: Duration = Duration::from_secs(10 * 60);

/// Names that were read lately.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<BTreeMap<HeroId, Known>>);

/// What is known of a hero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Name {
    /// Nothing when it cannot be read.
    name: Option<String>,
    created_at_ms: Option<i64>,
}

#[derive(Debug)]
struct Known {
    /// As of this event: a hero that has gone on since may have another name.
    last_seq: u64,
    read: Instant,
    name: Name,
}

impl Names {
    fn find(&self, head: &HeroHead) -> Option<Name> {
        let names = self.lock();
        let known = names.get(&head.hero)?;
        let is_fresh = known.last_seq == head.last_seq.0 && known.read.elapsed() < NAME_LIFE;
        is_fresh.then(|| known.name.clone())
    }

    fn put(&self, head: &HeroHead, name: Name) {
        let mut names = self.lock();
        if names.len() >= NAMES_MAX && !names.contains_key(&head.hero) {
            names.pop_first();
        }
        names.insert(head.hero, Known { last_seq: head.last_seq.0, read: Instant::now(), name });
    }

    /// Nothing is remembered for longer than [`NAME_LIFE`] while somebody looks.
    fn forget_old(&self) {
        self.lock().retain(|_, known| known.read.elapsed() < NAME_LIFE);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HeroId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(in crate::operations) async fn find_players(
    operations: &NodeOperations,
    query: &str,
    after: Option<&str>,
) -> Result<PlayerPage, Refused> {
    within(find(operations, query.trim(), after)).await
}

async fn find(operations: &NodeOperations, query: &str, after: Option<&str>) -> Result<PlayerPage, Refused> {
    if query.len() > QUERY_BYTES_MAX || query.chars().any(char::is_control) {
        return Err(Refused::Invalid(format!("look for one line of at most {QUERY_BYTES_MAX} bytes")));
    }
    operations.desk.names.forget_old();
    if let Ok(id) = Uuid::try_parse(query) {
        return found(operations, by_id(&operations.node, id).await?).await;
    }
    if query.contains('@') {
        let account = operations.node.accounts.find_by_mail(query).await.map_err(store_failed)?;
        return found(operations, account.map(|account| account.hero)).await;
    }
    let after = after.map(parse_place).transpose()?;
    if query.is_empty() { recent(operations, after).await } else { named(operations, query, after).await }
}

/// The hero of this id, or that of the account of this id.
async fn by_id(node: &Node, id: Uuid) -> Result<Option<HeroId>, Refused> {
    if node.store.head(HeroId(id)).await.map_err(store_failed)?.is_some() {
        return Ok(Some(HeroId(id)));
    }
    let account = node.accounts.store().account(AccountKey::Id(AccountId(id))).await.map_err(store_failed)?;
    Ok(account.map(|account| account.hero))
}

async fn found(operations: &NodeOperations, hero: Option<HeroId>) -> Result<PlayerPage, Refused> {
    let Some(hero) = hero else { return Ok(PlayerPage { players: Vec::new(), next: None }) };
    let node = &operations.node;
    let seen = node.support.seen_hero(hero).await.map_err(store_failed)?;
    let account = node.accounts.store().account(AccountKey::Hero(hero)).await.map_err(store_failed)?;
    let name = match (&seen, &account) {
        // Nobody's any more: what it was called is nobody's business.
        (None, None) => Name::default(),
        _ => names(operations, &[hero]).await?.remove(&hero).unwrap_or_default(),
    };
    let player = complete(node, hero, seen.as_ref(), account.as_ref(), name).await?;
    Ok(PlayerPage { players: vec![player], next: None })
}

/// Whoever was seen last.
async fn recent(operations: &NodeOperations, after: Option<(i64, DeviceId)>) -> Result<PlayerPage, Refused> {
    let limit = u32::try_from(PAGE_PLAYERS).unwrap_or(u32::MAX);
    let seen = operations.node.support.seen(after, limit).await.map_err(store_failed)?;
    let next = (seen.len() == PAGE_PLAYERS).then(|| seen.last().map(place)).flatten();
    let heroes: Vec<HeroId> = seen.iter().map(|seen| seen.hero).collect();
    let mut names = names(operations, &heroes).await?;
    let mut players = Vec::with_capacity(seen.len());
    for seen in &seen {
        players.push(seen_row(operations, seen, names.remove(&seen.hero).unwrap_or_default()).await?);
    }
    Ok(PlayerPage { players, next })
}

/// Whoever's name begins like this, as far as one question goes.
async fn named(
    operations: &NodeOperations,
    query: &str,
    mut after: Option<(i64, DeviceId)>,
) -> Result<PlayerPage, Refused> {
    let wanted = query.to_lowercase();
    let begun = Instant::now();
    let (mut players, mut looked) = (Vec::new(), 0);
    loop {
        let page = operations.node.support.seen(after, SCAN_PAGE).await.map_err(store_failed)?;
        if page.is_empty() {
            return Ok(PlayerPage { players, next: None });
        }
        let heroes: Vec<HeroId> = page.iter().map(|seen| seen.hero).collect();
        let mut names = names(operations, &heroes).await?;
        for seen in &page {
            after = Some(seen.place());
            let name = names.remove(&seen.hero).unwrap_or_default();
            let fits = name.name.as_ref().is_some_and(|name| name.to_lowercase().starts_with(&wanted));
            if fits {
                players.push(seen_row(operations, seen, name).await?);
            }
            if players.len() == PAGE_PLAYERS {
                return Ok(PlayerPage { players, next: Some(place(seen)) });
            }
        }
        looked += page.len();
        if looked >= SCAN_HEROES_MAX || begun.elapsed() >= SCAN_WITHIN {
            return Ok(PlayerPage { players, next: page.last().map(place) });
        }
    }
}

/// What these heroes are called; those that cannot be read have no name.
async fn names(operations: &NodeOperations, heroes: &[HeroId]) -> Result<BTreeMap<HeroId, Name>, Refused> {
    let (node, known) = (&operations.node, &operations.desk.names);
    let heads = node.store.heads(heroes).await.map_err(store_failed)?;
    let read = |head: HeroHead| async move {
        if let Some(name) = known.find(&head) {
            return Ok((head.hero, name));
        }
        let name = match fold_to(node, head.hero, head.last_seq).await {
            // Before its first event it is called nothing.
            Ok(_) if head.last_seq.0 == 0 => Name::default(),
            Ok(stored) => Name {
                name: Some(stored.hero.name.to_string()),
                created_at_ms: Some(stored.hero.created_at_ms),
            },
            Err(failed) if failed.is_damage() => Name::default(),
            Err(failed) => return Err(read_failed(failed)),
        };
        known.put(&head, name.clone());
        Ok((head.hero, name))
    };
    stream::iter(heads).map(read).buffer_unordered(READS_AT_ONCE).try_collect().await
}

async fn seen_row(operations: &NodeOperations, seen: &Seen, name: Name) -> Result<PlayerRow, Refused> {
    let node = &operations.node;
    let account = match seen.account {
        Some(id) => node.accounts.store().account(AccountKey::Id(id)).await.map_err(store_failed)?,
        None => None,
    };
    complete(node, seen.hero, Some(seen), account.as_ref(), name).await
}

async fn complete(
    node: &Node,
    hero: HeroId,
    seen: Option<&Seen>,
    account: Option<&Account>,
    name: Name,
) -> Result<PlayerRow, Refused> {
    // Only where it decides what a guest is.
    let is_doubtful = account.is_none() && seen.is_some_and(|seen| seen.revoked_at_ms.is_some());
    let is_out = is_doubtful && node.accounts.devices(hero).await.map_err(store_failed)?.is_empty();
    Ok(row(node, hero, (seen, account), is_out, (name.name, name.created_at_ms)))
}

/// A player's row. `is_out` says that no device may act.
pub(super) fn row(
    node: &Node,
    hero: HeroId,
    (seen, account): (Option<&Seen>, Option<&Account>),
    is_out: bool,
    (name, created_at_ms): (Option<String>, Option<i64>),
) -> PlayerRow {
    let kind = match (account, seen) {
        (Some(Account { banned_at_ms: Some(_), .. }), _)
        | (None, Some(Seen { guest_banned_at_ms: Some(_), .. })) => "banned",
        (Some(Account { erase_at_ms: Some(_), .. }), _) => "erasing",
        (Some(_), _) => "account",
        // Nobody can reach it any more: it is forgotten within minutes.
        (None, Some(_)) if is_out => "erasing",
        (None, Some(_)) => "guest",
        (None, None) => "unknown",
    };
    let mut connections = 0;
    node.directory.for_hero(hero, |_| connections += 1);
    PlayerRow {
        hero_id: hero.to_string(),
        name,
        kind: kind.to_owned(),
        created_at_ms: account.map(|account| account.created_at_ms).or(created_at_ms),
        last_seen_ms: seen.map(|seen| seen.last_seen_ms),
        connections,
    }
}

/// Where a look goes on, as a text.
fn place(seen: &Seen) -> String {
    let (at_ms, device) = seen.place();
    format!("{at_ms}.{}", device.0.simple())
}

fn parse_place(text: &str) -> Result<(i64, DeviceId), Refused> {
    let parsed = text
        .split_once('.')
        .and_then(|(at_ms, device)| Some((at_ms.parse().ok()?, DeviceId(Uuid::try_parse(device).ok()?))));
    parsed.ok_or_else(|| Refused::Invalid("send the `next` of the page before as it is".to_owned()))
}

#[cfg(test)]
mod tests {
    use persistence::{Chain, Epoch, HeroState, Seq};

    use super::*;

    fn head(number: u128, last_seq: u64) -> HeroHead {
        let hero = HeroId(Uuid::from_u128(number));
        HeroHead {
            hero,
            epoch: Epoch(1),
            last_seq: Seq(last_seq),
            snap_seq: Seq(0),
            chain: Chain::genesis(hero),
            min_reader: 0,
            state: HeroState::Free,
        }
    }

    fn name(name: &str) -> Name {
        Name { name: Some(name.to_owned()), created_at_ms: Some(1) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_known_until_the_hero_changes_and_not_for_long() {
        let names = Names::default();
        names.put(&head(1, 5), name("Ada"));
        assert_eq!(names.find(&head(1, 5)), Some(name("Ada")));
        assert_eq!(names.find(&head(1, 6)), None, "it may have another name");
        tokio::time::advance(NAME_LIFE).await;
        assert_eq!(names.find(&head(1, 5)), None);
        names.forget_old();
        assert!(names.lock().is_empty());
    }

    #[test]
    fn names_are_bounded() {
        let names = Names::default();
        for number in 0..NAMES_MAX as u128 + 10 {
            names.put(&head(number, 1), name("Ada"));
        }
        assert_eq!(names.lock().len(), NAMES_MAX);
        assert_eq!(names.find(&head(0, 1)), None, "the oldest hero left");
    }

    #[test]
    fn a_place_comes_back_as_it_was() {
        let device = DeviceId(Uuid::from_u128(7));
        let text = format!("-5.{}", device.0.simple());
        assert_eq!(parse_place(&text), Ok((-5, device)));
        for wrong in ["", "5", "5.", ".5", "5.xyz", "99999999999999999999.0198f1c27d3e7abc8def0123456789ab"] {
            assert!(parse_place(wrong).is_err(), "{wrong}");
        }
    }
}
