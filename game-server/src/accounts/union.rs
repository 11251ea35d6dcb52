//! A guest's hero becomes part of an account's.
//!
//! Four steps, each of which may be the last one of a process that dies, and each of which changes nothing the second
//! time: the decision is noted, the guest's hero is handed over, the account's takes it in, the guest's devices act for
//! that one. Whoever finds a decision that is not done does all of it again: the next request, or a server that starts.
//!
//! ```text
//! begin_union ─▶ act(guest, HandOver) ─▶ act(into, UniteGuest) ─▶ finish_union
//!  store          the guest's journal     the account's journal    store
//! ```

use std::{sync::Arc, time::Duration};

use persistence::accounts::{
    Account, AccountEvent, AccountEventKind, AccountId, AccountKey, Device, Union, UnionBegun,
};
use persistence::{HeroId, StoreError};
use serde::Serialize;
use simulation::{
    advance::advance,
    apply::apply,
    catalogue::Catalogue,
    command::Command,
    decide::decide,
    event::{Event, TimedEvent},
    hero::{Estate, Hero},
    id::HeroKey,
    rejection::Rejection,
    rules::{create::create, union::is_played},
};
use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval},
};
use utoipa::ToSchema;

use super::{Accounts, hash};
use crate::{
    acting::{ActFailed, Acted},
    node::Node,
    peek::peek,
    shard::LoadFailed,
};

/// Unions of one account within [`WINDOW_MS`]: enough for a phone, a laptop and a browser at work.
pub const UNIONS_MAX: u32 = 3;
/// See [`UNIONS_MAX`].
pub const WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Unfinished unions that are looked at together; there are as many as servers died in the middle of one.
const UNFINISHED_MAX: u32 = 100;
/// How often a server looks for unions that nobody finished. The first look is at its start.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);

/// One of two heroes, or both together, in the numbers that a player knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Side {
    /// The level.
    pub level: u8,
    /// Energy to spend.
    pub energy_me: i64,
    /// Dopamine to spend.
    pub dopamine_md: i64,
    /// Focused time ever.
    pub focus_ms: i64,
    /// Sessions ever.
    pub sessions: u32,
    /// Active days ever.
    pub active_days: u32,
    /// The streak.
    pub streak_days: u16,
    /// Tasks in the list.
    pub tasks: usize,
    /// Owned modules.
    pub modules: usize,
}

/// What a union brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// The guest's hero, with what runs there ended and credited.
    pub guest: Side,
    /// The account's hero as it is.
    pub account: Side,
    /// The account's hero afterwards.
    pub united: Side,
    /// Tasks that come.
    pub tasks_added: usize,
    /// Tasks of the guest that have no room and stay behind.
    pub tasks_left: usize,
    /// Modules that the account did not own.
    pub modules_added: Vec<String>,
    /// Energy that comes back for what both had.
    pub refunded_me: i64,
    /// Dopamine that comes back for what both had.
    pub refunded_md: i64,
}

/// Why a guest's hero is not united.
#[derive(Debug, thiserror::Error)]
pub enum ClaimFailed {
    /// There is no such account any more.
    #[error("there is no such account")]
    NoAccount,
    /// No device has this token, or it has lost its right.
    #[error("the device token is unknown or was revoked")]
    UnknownGuest,
    /// The device acts for the account's hero already.
    #[error("it is the account's own hero")]
    SameHero,
    /// The hero is another account's, or will be.
    #[error("the hero belongs to an account")]
    AlreadyClaimed,
    /// [`UNIONS_MAX`] in [`WINDOW_MS`].
    #[error("too many unions of this account")]
    TooMany,
    /// A step was not done, or not known to be: the same request again finishes it.
    #[error("the union is not finished")]
    Unfinished(#[source] ActFailed),
    /// A hero cannot be read.
    #[error("a hero cannot be read")]
    Unreadable(#[source] LoadFailed),
    /// The store did not answer: the same request again finishes it.
    #[error("the account store did not answer as hoped")]
    Store(#[from] StoreError),
}

/// Unites guests with accounts.
pub struct Claims {
    node: Arc<Node>,
    accounts: Accounts,
    /// Held from counting an account's unions until the next one is noted: a few queries.
    deciding: Mutex<()>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

impl Claims {
    /// Those of a node.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        let accounts = node.accounts.clone();
        Self { node, accounts, deciding: Mutex::new(()) }
    }

    /// What a union would bring. Changes nothing.
    ///
    /// # Errors
    /// [`ClaimFailed`].
    pub async fn preview(&self, account: AccountId, device_token: &str) -> Result<Preview, ClaimFailed> {
        let (account, device) = self.parties(account, device_token).await?;
        self.refuse_owned(&account, &device).await?;
        if self.is_over_the_limit(&account, device.hero).await? {
            return Err(ClaimFailed::TooMany);
        }
        let (own, guest) = tokio::try_join!(self.read(account.hero), self.read(device.hero))?;
        let now_ms = self.node.clock.now_ms();
        foresee((account.hero, own), (device.hero, guest), now_ms, &self.node.catalogue())
            .map_err(|rejection| ClaimFailed::Unfinished(ActFailed::Rejected(rejection)))
    }

    /// Unites the device's hero with the account's. A second time it says how things are.
    ///
    /// # Errors
    /// [`ClaimFailed`].
    pub async fn claim(&self, account: AccountId, device_token: &str) -> Result<Preview, ClaimFailed> {
        let (account, device) = self.parties(account, device_token).await?;
        match self.refuse_owned(&account, &device).await {
            // The answer was lost, perhaps, and this is the same request again.
            Err(ClaimFailed::SameHero) if self.accounts.store.unions_since(account.account, 0).await? > 0 => {
                let own = self.read(account.hero).await?;
                let own =
                    own.unwrap_or_else(|| unborn(None, self.node.clock.now_ms(), &self.node.catalogue()));
                return Ok(summary(&Hero::default(), &own, &own, &[]));
            }
            other => other?,
        }
        let union = self.decide(&account, device.hero).await?;
        self.finish(&union).await
    }

    /// Finishes what was decided and not done: at the start, and now and then.
    pub async fn keep_finishing(self: Arc<Self>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.finish_all().await;
        }
    }

    /// Finishes every union that was decided and is not done. What does not work now is tried again later.
    pub async fn finish_all(&self) {
        let unfinished = match self.accounts.store.unfinished_unions(UNFINISHED_MAX).await {
            Ok(unfinished) => unfinished,
            Err(error) => return tracing::warn!(%error, "could not look for unfinished unions"),
        };
        for union in unfinished {
            let (guest, into) = (union.guest, union.into);
            match self.finish(&union).await {
                Ok(_united) => tracing::info!(%guest, %into, "a union was finished that had been left"),
                Err(error) => {
                    let cause = anyhow::Error::from(error);
                    tracing::warn!(%guest, %into, error = format!("{cause:#}"), "a union stays unfinished");
                }
            }
        }
    }

    async fn parties(&self, account: AccountId, token: &str) -> Result<(Account, Device), ClaimFailed> {
        let found = self.accounts.store.account(AccountKey::Id(account)).await?;
        let account = found.ok_or(ClaimFailed::NoAccount)?;
        let device = self.accounts.store.device_by_token(hash(token)).await?;
        let device = device.filter(|device| device.revoked_at_ms.is_none());
        Ok((account, device.ok_or(ClaimFailed::UnknownGuest)?))
    }

    /// Only a guest's hero can be claimed.
    async fn refuse_owned(&self, account: &Account, device: &Device) -> Result<(), ClaimFailed> {
        if device.hero == account.hero {
            return Err(ClaimFailed::SameHero);
        }
        let owner = self.accounts.store.account(AccountKey::Hero(device.hero)).await?;
        if device.account.is_some() || owner.is_some() { Err(ClaimFailed::AlreadyClaimed) } else { Ok(()) }
    }

    /// Whether this guest would be one too many; one whose union was decided already is none.
    async fn is_over_the_limit(&self, account: &Account, guest: HeroId) -> Result<bool, ClaimFailed> {
        let since_ms = self.node.clock.now_ms() - WINDOW_MS;
        if self.accounts.store.unions_since(account.account, since_ms).await? < UNIONS_MAX {
            return Ok(false);
        }
        let unfinished = self.accounts.store.unfinished_unions(UNFINISHED_MAX).await?;
        Ok(!unfinished.iter().any(|union| union.guest == guest && union.account == account.account))
    }

    async fn decide(&self, account: &Account, guest: HeroId) -> Result<Union, ClaimFailed> {
        let _turn = self.deciding.lock().await;
        if self.is_over_the_limit(account, guest).await? {
            return Err(ClaimFailed::TooMany);
        }
        let begun_at_ms = self.node.clock.now_ms();
        let (into, account) = (account.hero, account.account);
        let union = Union { guest, into, account, begun_at_ms, finished_at_ms: None };
        match self.accounts.store.begin_union(union).await? {
            UnionBegun::Begun => Ok(union),
            UnionBegun::Again(union) => Ok(union),
            UnionBegun::Elsewhere => Err(ClaimFailed::AlreadyClaimed),
        }
    }

    /// All that follows from the decision.
    async fn finish(&self, union: &Union) -> Result<Preview, ClaimFailed> {
        let Union { guest, into, account, .. } = *union;
        let ended = self.act(guest, Command::HandOver { into: key(into) }, None).await?.hero;
        // A hero that was never played begins where its player is.
        let zone = is_played(&ended).then(|| ended.zone.time_zone.clone());
        let estate = Estate::of(key(guest), ended.clone()).expect("it has just been handed over");
        let Acted { events, before, hero, .. } = self.act(into, Command::UniteGuest { estate }, zone).await?;
        let now_ms = self.node.clock.now_ms();
        self.accounts.store.finish_union(guest, now_ms).await?;
        let event = AccountEvent {
            // There is one of each guest.
            id: guest.0,
            account: Some(account),
            hero: Some(into),
            device: None,
            kind: AccountEventKind::Claimed,
            at_ms: now_ms,
        };
        if let Err(error) = self.accounts.store.note(event).await {
            // The union is done, and its row says so as well.
            tracing::warn!(%guest, %into, %error, "could not note that a guest was claimed");
        }
        tracing::info!(%guest, %into, "a guest was united with an account's hero");
        Ok(summary(&ended, &before, &hero, &events))
    }

    async fn act(&self, hero: HeroId, command: Command, zone: Option<String>) -> Result<Acted, ClaimFailed> {
        match self.node.act_in_zone(hero, command, zone).await {
            Ok(acted) => Ok(acted),
            // It went into another hero: only a row that says so could have been before ours.
            Err(ActFailed::Rejected(Rejection::Claimed)) => Err(ClaimFailed::AlreadyClaimed),
            Err(failed) => Err(ClaimFailed::Unfinished(failed)),
        }
    }

    async fn read(&self, hero: HeroId) -> Result<Option<Hero>, ClaimFailed> {
        let stored =
            peek(&*self.node.store, &self.node.texts, hero).await.map_err(ClaimFailed::Unreadable)?;
        Ok(stored.map(|stored| stored.hero))
    }
}

fn key(hero: HeroId) -> HeroKey {
    HeroKey(*hero.0.as_bytes())
}

/// A hero that is not played yet.
fn unborn(zone: Option<&str>, now_ms: i64, catalogue: &Catalogue) -> Hero {
    let born = create("Hero", zone.unwrap_or("Etc/UTC"), now_ms, catalogue);
    born.map(|(hero, _events)| hero).unwrap_or_default()
}

/// What a union would bring now, by the same rules and without doing anything.
fn foresee(
    (into, own): (HeroId, Option<Hero>),
    (guest_id, guest): (HeroId, Option<Hero>),
    now_ms: i64,
    catalogue: &Catalogue,
) -> Result<Preview, Rejection> {
    let mut guest = guest.unwrap_or_else(|| unborn(None, now_ms, catalogue));
    let zone = is_played(&guest).then_some(guest.zone.time_zone.as_str());
    let mut own = own.unwrap_or_else(|| unborn(zone, now_ms, catalogue));
    for hero in [&mut guest, &mut own] {
        let events = advance(hero, now_ms, catalogue);
        events.iter().for_each(|timed| apply(hero, timed));
    }
    for timed in decide(&guest, &Command::HandOver { into: key(into) }, now_ms, catalogue)? {
        apply(&mut guest, &timed);
    }
    let estate = Estate::of(key(guest_id), guest.clone()).ok_or(Rejection::Claimed)?;
    let events = decide(&own, &Command::UniteGuest { estate }, now_ms, catalogue)?;
    let before = own.clone();
    events.iter().for_each(|timed| apply(&mut own, timed));
    Ok(summary(&guest, &before, &own, &events))
}

/// A union in numbers.
fn summary(guest: &Hero, before: &Hero, united: &Hero, events: &[TimedEvent]) -> Preview {
    let (mut refunded_me, mut refunded_md, mut tasks_added) = (0, 0, 0);
    let mut has_come = false;
    for timed in events {
        match &timed.event {
            Event::GuestUnited { union } => {
                (refunded_me, refunded_md, has_come) = (union.refund_me, union.refund_md, true);
            }
            Event::TasksBrought { tasks } => tasks_added += tasks.len(),
            _ => {}
        }
    }
    let added = united.modules.iter().filter(|module| before.module(module.module_id).is_none());
    Preview {
        guest: side(guest),
        account: side(before),
        united: side(united),
        tasks_added,
        tasks_left: if has_come { guest.tasks.len().saturating_sub(tasks_added) } else { 0 },
        modules_added: added.map(|module| module.module_id.to_string()).collect(),
        refunded_me,
        refunded_md,
    }
}

fn side(hero: &Hero) -> Side {
    // What it had is what it went with.
    let went = hero.handed_over().map(|end| (end.energy_me, end.dopamine_md));
    let (energy_me, dopamine_md) = went.unwrap_or((hero.wallet.energy_me, hero.wallet.dopamine_md));
    Side {
        level: hero.wallet.level,
        energy_me,
        dopamine_md,
        focus_ms: hero.statistics.focus_ms(),
        sessions: hero.statistics.sessions,
        active_days: hero.streak.active_days,
        streak_days: hero.streak.chain.days,
        tasks: hero.tasks.len(),
        modules: hero.modules.len(),
    }
}

#[cfg(test)]
mod tests;
