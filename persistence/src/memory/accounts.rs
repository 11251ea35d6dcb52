//! Accounts beside the journal in memory.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Inner, MemoryStore, Rows};
use crate::accounts::{
    Account, AccountChange, AccountEvent, AccountEventKind, AccountId, AccountKey, AccountStore, CODES_MAX,
    Changed, Code, CodePurpose, Created, DEVICES_MAX, Device, DeviceId, NewAccount, NewGuest, NewSession,
    Revoke, Revoked, Rotate, Rotation, Sealed, TokenHash, Union, UnionBegun,
};
use crate::error::StoreError;
use crate::record::HeroId;
use crate::store::StoreFuture;

/// What the tables of accounts hold, the devices apart.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    accounts: BTreeMap<AccountId, Account>,
    refresh: BTreeMap<TokenHash, Refresh>,
    codes: BTreeMap<TokenHash, Code>,
    pub(super) unions: BTreeMap<HeroId, Union>,
    events: Vec<AccountEvent>,
    lookup_key: Option<Sealed>,
}

#[derive(Debug)]
struct Refresh {
    device: DeviceId,
    expires_at_ms: i64,
    used_at_ms: Option<i64>,
}

impl Accounts {
    pub(super) fn find(&self, is_it: impl Fn(&Account) -> bool) -> Option<&Account> {
        self.accounts.values().find(|account| is_it(account))
    }

    fn issue(&mut self, token: TokenHash, device: DeviceId, expires_at_ms: i64) -> Result<(), StoreError> {
        let row = Refresh { device, expires_at_ms, used_at_ms: None };
        match self.refresh.insert(token, row) {
            None => Ok(()),
            Some(_) => Err(taken("the token")),
        }
    }
}

fn taken(what: &str) -> StoreError {
    StoreError::Poison { what: format!("{what} exists already") }
}

fn new_device(device: DeviceId, hero: HeroId, name: String, at_ms: i64) -> Device {
    Device {
        device,
        hero,
        account: None,
        token_hash: None,
        name,
        created_at_ms: at_ms,
        last_seen_ms: at_ms,
        revoked_at_ms: None,
    }
}

impl Inner {
    fn live_devices(&mut self, hero: HeroId) -> impl Iterator<Item = &mut Device> {
        self.devices.values_mut().filter(move |it| it.hero == hero && it.revoked_at_ms.is_none())
    }

    fn forget_hero(&mut self, hero: HeroId) -> bool {
        let gone: BTreeSet<DeviceId> =
            self.devices.values().filter(|it| it.hero == hero).map(|it| it.device).collect();
        self.devices.retain(|id, _| !gone.contains(id));
        self.accounts.refresh.retain(|_, refresh| !gone.contains(&refresh.device));
        self.forget_texts(hero);
        self.forget_ban(hero);
        !gone.is_empty()
    }

    fn rotate(&mut self, rotate: Rotate) -> Result<Rotation, StoreError> {
        let Rotate { presented, next, now_ms, grace_ms, expires_at_ms } = rotate;
        let live = self.accounts.refresh.get_mut(&presented).filter(|it| it.expires_at_ms > now_ms);
        let Some(refresh) = live else { return Ok(Rotation::Unknown) };
        let used_at_ms = refresh.used_at_ms;
        let device = self.devices.get_mut(&refresh.device).filter(|it| it.revoked_at_ms.is_none());
        let Some(device) = device else { return Ok(Rotation::Unknown) };
        if used_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) > grace_ms) {
            device.revoked_at_ms = Some(now_ms);
            self.accounts.events.push(AccountEvent {
                id: Uuid::now_v7(),
                account: device.account,
                hero: Some(device.hero),
                device: Some(device.device),
                kind: AccountEventKind::RefreshReused,
                at_ms: now_ms,
            });
            return Ok(Rotation::Reused(device.clone()));
        }
        refresh.used_at_ms.get_or_insert(now_ms);
        device.last_seen_ms = device.last_seen_ms.max(now_ms);
        let device = device.clone();
        self.accounts.issue(next, device.device, expires_at_ms)?;
        Ok(Rotation::Rotated(device))
    }

    fn create_account(&mut self, new: NewAccount) -> Created {
        let accounts = &self.accounts;
        let is_free = self.heroes.contains_key(&new.hero) != new.is_new_hero
            && !accounts.unions.contains_key(&new.hero)
            && accounts.find(|it| it.hero == new.hero).is_none();
        if !is_free {
            return Created::HeroTaken;
        }
        if new.mail.is_some() && accounts.find(|it| it.mail == new.mail).is_some() {
            return Created::MailTaken;
        }
        if new.subject.is_some() && accounts.find(|it| it.subject == new.subject).is_some() {
            return Created::SubjectTaken;
        }
        self.heroes.entry(new.hero).or_insert_with(|| Rows::new(new.hero));
        for device in self.devices.values_mut().filter(|it| it.hero == new.hero) {
            device.account = Some(new.account);
        }
        let account = Account {
            account: new.account,
            hero: new.hero,
            mail: new.mail,
            subject: new.subject,
            password: new.password,
            profile: new.profile,
            avatar: None,
            mail_verified_at_ms: None,
            created_at_ms: new.created_at_ms,
            banned_at_ms: None,
            erase_at_ms: None,
        };
        self.accounts.accounts.insert(account.account, account);
        Created::Done
    }

    fn change_account(&mut self, id: AccountId, change: AccountChange) -> Changed {
        let others = |is_it: &dyn Fn(&Account) -> bool| {
            self.accounts.find(|other| other.account != id && is_it(other)).is_some()
        };
        let is_taken = match &change {
            AccountChange::Mail { mail, .. } => others(&|it| it.mail == Some(*mail)),
            AccountChange::Subject(subject) => others(&|it| it.subject == Some(*subject)),
            _ => false,
        };
        if is_taken {
            return Changed::Taken;
        }
        let Some(account) = self.accounts.accounts.get_mut(&id) else { return Changed::Missing };
        match change {
            AccountChange::Profile(profile) => account.profile = profile,
            AccountChange::Password(password) => account.password = Some(password),
            AccountChange::Mail { mail, profile } => {
                (account.mail, account.profile, account.mail_verified_at_ms) = (Some(mail), profile, None);
            }
            AccountChange::MailVerified(at_ms) => account.mail_verified_at_ms = Some(at_ms),
            AccountChange::Subject(subject) => account.subject = Some(subject),
            AccountChange::Avatar(avatar) => account.avatar = avatar,
            AccountChange::EraseAt(at_ms) => account.erase_at_ms = at_ms,
            AccountChange::BannedAt(at_ms) => account.banned_at_ms = at_ms,
        }
        Changed::Done
    }

    fn begin_union(&mut self, union: Union) -> UnionBegun {
        let Union { guest, into, account, .. } = union;
        if !self.heroes.contains_key(&guest) || self.accounts.find(|it| it.hero == guest).is_some() {
            return UnionBegun::Elsewhere;
        }
        match self.accounts.unions.get(&guest) {
            None => {
                self.accounts.unions.insert(guest, Union { finished_at_ms: None, ..union });
                UnionBegun::Begun
            }
            Some(same) if same.into == into && same.account == account => UnionBegun::Again(*same),
            Some(_) => UnionBegun::Elsewhere,
        }
    }
}

fn first<T>(mut rows: Vec<T>, limit: u32) -> Vec<T> {
    rows.truncate(limit as usize);
    rows
}

impl AccountStore for MemoryStore {
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let NewGuest { hero, device, token_hash, name, created_at_ms } = guest;
                let is_taken = inner.heroes.contains_key(&hero)
                    || inner.devices.contains_key(&device)
                    || inner.devices.values().any(|other| other.token_hash == Some(token_hash));
                if is_taken {
                    return Err(taken("the hero, device or token"));
                }
                inner.heroes.insert(hero, Rows::new(hero));
                let row =
                    Device { token_hash: Some(token_hash), ..new_device(device, hero, name, created_at_ms) };
                inner.devices.insert(device, row);
                Ok(())
            })
        })
    }

    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>> {
        Box::pin(async move {
            Ok(self.lock().devices.values().find(|device| device.token_hash == Some(token_hash)).cloned())
        })
    }

    fn device(&self, device: DeviceId) -> StoreFuture<'_, Option<Device>> {
        Box::pin(async move { Ok(self.lock().devices.get(&device).cloned()) })
    }

    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if let Some(row) = inner.devices.get_mut(&device) {
                    row.last_seen_ms = row.last_seen_ms.max(now_ms);
                }
                Ok(())
            })
        })
    }

    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>> {
        Box::pin(async move {
            let mut devices: Vec<Device> =
                self.lock().live_devices(hero).map(|device| device.clone()).collect();
            devices.sort_by_key(|device| (device.created_at_ms, device.device));
            Ok(first(devices, DEVICES_MAX))
        })
    }

    fn create_account(&self, account: NewAccount) -> StoreFuture<'_, Created> {
        Box::pin(async move { self.write(|inner| Ok(inner.create_account(account))) })
    }

    fn account(&self, key: AccountKey) -> StoreFuture<'_, Option<Account>> {
        Box::pin(async move {
            let inner = self.lock();
            let found = inner.accounts.find(|it| match key {
                AccountKey::Id(id) => it.account == id,
                AccountKey::Hero(hero) => it.hero == hero,
                AccountKey::Mail(mail) => it.mail == Some(mail),
                AccountKey::Subject(subject) => it.subject == Some(subject),
            });
            Ok(found.cloned())
        })
    }

    fn change_account(&self, account: AccountId, change: AccountChange) -> StoreFuture<'_, Changed> {
        Box::pin(async move { self.write(|inner| Ok(inner.change_account(account, change))) })
    }

    fn add_session(&self, session: NewSession) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let NewSession { device, account, hero, name, refresh, created_at_ms, expires_at_ms } =
                    session;
                if inner.devices.contains_key(&device) {
                    return Err(taken("the device"));
                }
                inner.accounts.issue(refresh, device, expires_at_ms)?;
                let mut others: Vec<_> =
                    inner.live_devices(hero).map(|it| (it.last_seen_ms, it.device)).collect();
                others.sort_by_key(|&(seen_ms, device)| (std::cmp::Reverse(seen_ms), device));
                for (_, over) in others.into_iter().skip(DEVICES_MAX as usize - 1) {
                    if let Some(row) = inner.devices.get_mut(&over) {
                        row.revoked_at_ms = Some(created_at_ms);
                    }
                }
                let row = Device { account: Some(account), ..new_device(device, hero, name, created_at_ms) };
                inner.devices.insert(device, row);
                Ok(())
            })
        })
    }

    fn rotate(&self, rotate: Rotate) -> StoreFuture<'_, Rotation> {
        Box::pin(async move { self.write(|inner| inner.rotate(rotate)) })
    }

    fn revoke(&self, hero: HeroId, which: Revoke, now_ms: i64) -> StoreFuture<'_, Vec<DeviceId>> {
        Box::pin(async move {
            self.write(|inner| {
                let meant = |device: DeviceId| match which {
                    Revoke::One(one) => device == one,
                    Revoke::All => true,
                    Revoke::AllBut(kept) => device != kept,
                };
                let devices = inner.live_devices(hero).filter(|it| meant(it.device));
                let revoked = devices.map(|device| {
                    device.revoked_at_ms = Some(now_ms);
                    device.device
                });
                Ok(revoked.collect())
            })
        })
    }

    fn revoked_since(&self, since_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Revoked>> {
        Box::pin(async move {
            let inner = self.lock();
            let revoked = inner.devices.values().filter_map(|it| {
                let at_ms = it.revoked_at_ms.filter(|at_ms| *at_ms >= since_ms)?;
                Some(Revoked { hero: it.hero, device: it.device, at_ms })
            });
            let mut revoked: Vec<_> = revoked.collect();
            revoked.sort_by_key(|it| (it.at_ms, it.device));
            Ok(first(revoked, limit))
        })
    }

    fn put_code(&self, code: Code) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let codes = &mut inner.accounts.codes;
                if codes.insert(code.hash, code).is_some() {
                    return Err(taken("the code"));
                }
                let same = |it: &&Code| (it.account, it.purpose) == (code.account, code.purpose);
                let mut of_account: Vec<_> =
                    codes.values().filter(same).map(|it| (it.expires_at_ms, it.hash)).collect();
                of_account.sort_by_key(|&(expires_at_ms, hash)| (std::cmp::Reverse(expires_at_ms), hash));
                for (_, over) in of_account.into_iter().skip(CODES_MAX as usize) {
                    codes.remove(&over);
                }
                Ok(())
            })
        })
    }

    fn take_code(
        &self,
        hash: TokenHash,
        purpose: CodePurpose,
        now_ms: i64,
    ) -> StoreFuture<'_, Option<AccountId>> {
        Box::pin(async move {
            self.write(|inner| {
                let codes = &mut inner.accounts.codes;
                let is_good = |code: &Code| code.purpose == purpose && code.expires_at_ms > now_ms;
                if !codes.get(&hash).is_some_and(is_good) {
                    return Ok(None);
                }
                Ok(codes.remove(&hash).map(|code| code.account))
            })
        })
    }

    fn begin_union(&self, union: Union) -> StoreFuture<'_, UnionBegun> {
        Box::pin(async move { self.write(|inner| Ok(inner.begin_union(union))) })
    }

    fn finish_union(&self, guest: HeroId, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let union = inner.accounts.unions.get_mut(&guest).filter(|it| it.finished_at_ms.is_none());
                let Some(union) = union else { return Ok(()) };
                union.finished_at_ms = Some(now_ms);
                for device in inner.devices.values_mut().filter(|it| it.hero == guest) {
                    (device.hero, device.account) = (union.into, Some(union.account));
                }
                Ok(())
            })
        })
    }

    fn unfinished_unions(&self, limit: u32) -> StoreFuture<'_, Vec<Union>> {
        Box::pin(async move {
            let inner = self.lock();
            let unfinished = inner.accounts.unions.values().filter(|it| it.finished_at_ms.is_none());
            let mut unfinished: Vec<_> = unfinished.copied().collect();
            unfinished.sort_by_key(|it| (it.begun_at_ms, it.guest));
            Ok(first(unfinished, limit))
        })
    }

    fn unions_since(&self, account: AccountId, since_ms: i64) -> StoreFuture<'_, u32> {
        Box::pin(async move {
            let inner = self.lock();
            let meant = |it: &&Union| it.account == account && it.begun_at_ms >= since_ms;
            Ok(u32::try_from(inner.accounts.unions.values().filter(meant).count()).unwrap_or(u32::MAX))
        })
    }

    fn note(&self, event: AccountEvent) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if inner.accounts.events.iter().all(|it| it.id != event.id) {
                    inner.accounts.events.push(event);
                }
                Ok(())
            })
        })
    }

    fn account_events(&self, hero: HeroId, limit: u32) -> StoreFuture<'_, Vec<AccountEvent>> {
        Box::pin(async move {
            let inner = self.lock();
            let events = inner.accounts.events.iter().filter(|it| it.hero == Some(hero));
            let mut events: Vec<_> = events.cloned().collect();
            events.sort_by_key(|it| std::cmp::Reverse((it.at_ms, it.id)));
            Ok(first(events, limit))
        })
    }

    fn due_erasures(&self, now_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Account>> {
        Box::pin(async move {
            let inner = self.lock();
            let is_due = |it: &&Account| it.erase_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
            let mut due: Vec<_> = inner.accounts.accounts.values().filter(is_due).cloned().collect();
            due.sort_by_key(|it| (it.erase_at_ms, it.account));
            Ok(first(due, limit))
        })
    }

    fn erase_account(&self, account: AccountId, now_ms: i64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let is_due = |it: &Account| it.erase_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
                if !inner.accounts.accounts.get(&account).is_some_and(is_due) {
                    return Ok(false);
                }
                let Some(Account { hero, .. }) = inner.accounts.accounts.remove(&account) else {
                    return Ok(false);
                };
                inner.accounts.codes.retain(|_, code| code.account != account);
                inner.forget_hero(hero);
                inner.accounts.events.push(AccountEvent {
                    id: Uuid::now_v7(),
                    account: Some(account),
                    hero: Some(hero),
                    device: None,
                    kind: AccountEventKind::Erased,
                    at_ms: now_ms,
                });
                Ok(true)
            })
        })
    }

    fn stale_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>> {
        Box::pin(async move { Ok(first(self.lock().stale_guests(before_ms), limit)) })
    }

    fn orphaned_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>> {
        Box::pin(async move { Ok(first(self.lock().orphaned_guests(before_ms), limit)) })
    }

    fn erase_guest(&self, hero: HeroId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let is_guest = inner.accounts.find(|it| it.hero == hero).is_none();
                Ok(is_guest && inner.forget_hero(hero))
            })
        })
    }

    fn prune(&self, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                inner.accounts.refresh.retain(|_, it| it.expires_at_ms > now_ms);
                inner.accounts.codes.retain(|_, it| it.expires_at_ms > now_ms);
                Ok(())
            })
        })
    }

    fn lookup_key(&self, candidate: Sealed) -> StoreFuture<'_, Sealed> {
        Box::pin(
            async move { self.write(|inner| Ok(inner.accounts.lookup_key.get_or_insert(candidate).clone())) },
        )
    }
}
