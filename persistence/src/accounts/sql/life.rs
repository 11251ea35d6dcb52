//! Unions of heroes, what happened to accounts, and how they end.

use super::people::lock_hero;
use super::texts::forget_texts;
use super::{End, Statements, Work, each, only, unreadable};
use crate::accounts::{Account, AccountEvent, AccountEventKind, AccountId, Sealed, Union, UnionBegun};
use crate::error::StoreError;
use crate::record::HeroId;
use crate::rows::{self, Columns};
use crate::support::BANNED_GUEST_KEPT_MS;

pub(crate) struct BeginUnion(pub(crate) Union);

impl Work for BeginUnion {
    type Answer = UnionBegun;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<UnionBegun>, StoreError> {
        let Union { guest, into, account, begun_at_ms, .. } = self.0;
        if !lock_hero(on, guest).await? {
            return Ok(End::Undo(UnionBegun::Elsewhere));
        }
        let owned = "SELECT account_id FROM account WHERE hero_id = $1";
        if !on.rows(owned, &[guest.0.into()]).await?.is_empty() {
            return Ok(End::Undo(UnionBegun::Elsewhere));
        }
        let row =
            "INSERT INTO hero_union (guest_id, into_id, account_id, begun_at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING guest_id";
        let values = [guest.0.into(), into.0.into(), account.0.into(), begun_at_ms.into()];
        if !on.rows(row, &values).await?.is_empty() {
            return Ok(End::Keep(UnionBegun::Begun));
        }
        let earlier = on.rows("SELECT * FROM hero_union WHERE guest_id = $1", &[guest.0.into()]).await?;
        let same = only(&earlier, rows::union)?.filter(|it| it.into == into && it.account == account);
        Ok(End::Undo(same.map_or(UnionBegun::Elsewhere, UnionBegun::Again)))
    }
}

pub(crate) struct FinishUnion {
    pub(crate) guest: HeroId,
    pub(crate) now_ms: i64,
}

impl Work for FinishUnion {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let done = "UPDATE hero_union SET finished_at_ms = $2 WHERE guest_id = $1 AND finished_at_ms IS NULL
            RETURNING *";
        let done = on.rows(done, &[self.guest.0.into(), self.now_ms.into()]).await?;
        if let Some(union) = only(&done, rows::union)? {
            let devices = "UPDATE device SET hero_id = $2, account_id = $3 WHERE hero_id = $1";
            let values = [self.guest.0.into(), union.into.0.into(), union.account.0.into()];
            on.rows(devices, &values).await?;
        }
        Ok(End::Keep(()))
    }
}

pub(crate) struct UnfinishedUnions(pub(crate) u32);

impl Work for UnfinishedUnions {
    type Answer = Vec<Union>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql =
            "SELECT * FROM hero_union WHERE finished_at_ms IS NULL ORDER BY begun_at_ms, guest_id LIMIT $1";
        let found = on.rows(sql, &[i64::from(self.0).into()]).await?;
        Ok(End::Keep(each(&found, rows::union)?))
    }
}

pub(crate) struct UnionsSince {
    pub(crate) account: AccountId,
    pub(crate) since_ms: i64,
}

impl Work for UnionsSince {
    type Answer = u32;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<u32>, StoreError> {
        let sql = "SELECT count(*) AS unions FROM hero_union WHERE account_id = $1 AND begun_at_ms >= $2";
        let found = on.rows(sql, &[self.account.0.into(), self.since_ms.into()]).await?;
        Ok(End::Keep(only(&found, |row| rows::number(row, "unions"))?.unwrap_or(0)))
    }
}

pub(crate) struct Note(pub(crate) AccountEvent);

impl Work for Note {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let AccountEvent { id, account, hero, device, kind, at_ms } = self.0;
        let sql = "INSERT INTO account_event (event_id, account_id, hero_id, device_id, kind, at_ms)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let values = [
            id.into(),
            account.map(|id| id.0).into(),
            hero.map(|id| id.0).into(),
            device.map(|id| id.0).into(),
            kind.as_str().into(),
            at_ms.into(),
        ];
        on.rows(sql, &values).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct AccountEvents {
    pub(crate) hero: HeroId,
    pub(crate) limit: u32,
}

impl Work for AccountEvents {
    type Answer = Vec<AccountEvent>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql =
            "SELECT * FROM account_event WHERE hero_id = $1 ORDER BY at_ms DESC, event_id DESC LIMIT $2";
        let found = on.rows(sql, &[self.hero.0.into(), i64::from(self.limit).into()]).await?;
        Ok(End::Keep(each(&found, rows::account_event)?.into_iter().flatten().collect()))
    }
}

pub(crate) struct DueErasures {
    pub(crate) now_ms: i64,
    pub(crate) limit: u32,
}

impl Work for DueErasures {
    type Answer = Vec<Account>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM account WHERE erase_at_ms <= $1 ORDER BY erase_at_ms, account_id LIMIT $2";
        let found = on.rows(sql, &[self.now_ms.into(), i64::from(self.limit).into()]).await?;
        Ok(End::Keep(each(&found, rows::account)?))
    }
}

pub(crate) struct EraseAccount {
    pub(crate) account: AccountId,
    pub(crate) now_ms: i64,
}

impl Work for EraseAccount {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        // Not one whose owner has changed his mind meanwhile.
        let sql = "DELETE FROM account WHERE account_id = $1 AND erase_at_ms <= $2 RETURNING hero_id";
        let gone = on.rows(sql, &[self.account.0.into(), self.now_ms.into()]).await?;
        let Some(hero) = only(&gone, rows::hero_id)? else { return Ok(End::Undo(false)) };
        on.rows("DELETE FROM account_code WHERE account_id = $1", &[self.account.0.into()]).await?;
        forget_hero(on, hero).await?;
        let event = AccountEvent {
            id: uuid::Uuid::now_v7(),
            account: Some(self.account),
            hero: Some(hero),
            device: None,
            kind: AccountEventKind::Erased,
            at_ms: self.now_ms,
        };
        Note(event).run(on).await?;
        Ok(End::Keep(true))
    }
}

/// Forgets who may act for a hero, and how to read what was typed for it.
async fn forget_hero<S: Statements>(on: &mut S, hero: HeroId) -> Result<bool, StoreError> {
    let tokens =
        "DELETE FROM refresh_token WHERE device_id IN (SELECT device_id FROM device WHERE hero_id = $1)";
    on.rows(tokens, &[hero.0.into()]).await?;
    forget_texts(on, hero).await?;
    on.rows("DELETE FROM guest_ban WHERE hero_id = $1", &[hero.0.into()]).await?;
    let devices = "DELETE FROM device WHERE hero_id = $1 RETURNING device_id";
    Ok(!on.rows(devices, &[hero.0.into()]).await?.is_empty())
}

pub(crate) struct StaleGuests {
    pub(crate) before_ms: i64,
    pub(crate) limit: u32,
}

impl Work for StaleGuests {
    type Answer = Vec<HeroId>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT hero_id FROM device
            WHERE NOT EXISTS (SELECT 1 FROM account WHERE account.hero_id = device.hero_id)
            GROUP BY hero_id HAVING max(last_seen_ms) < $1 ORDER BY max(last_seen_ms), hero_id LIMIT $2";
        let found = on.rows(sql, &[self.before_ms.into(), i64::from(self.limit).into()]).await?;
        Ok(End::Keep(each(&found, rows::hero_id)?))
    }
}

pub(crate) struct OrphanedGuests {
    pub(crate) before_ms: i64,
    pub(crate) limit: u32,
}

impl Work for OrphanedGuests {
    type Answer = Vec<HeroId>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT hero_id FROM device
            WHERE revoked_at_ms < $1
            AND NOT EXISTS (SELECT 1 FROM account WHERE account.hero_id = device.hero_id)
            AND NOT EXISTS (SELECT 1 FROM hero_union WHERE guest_id = device.hero_id)
            AND NOT EXISTS (SELECT 1 FROM guest_ban WHERE guest_ban.hero_id = device.hero_id AND at_ms >= $3)
            AND NOT EXISTS (SELECT 1 FROM device AS other WHERE other.hero_id = device.hero_id
                AND (other.revoked_at_ms IS NULL OR other.revoked_at_ms >= $1))
            GROUP BY hero_id ORDER BY max(revoked_at_ms), hero_id LIMIT $2";
        // A banned one is kept for a while: the ban may be lifted.
        let banned_ms = self.before_ms.saturating_sub(BANNED_GUEST_KEPT_MS);
        let values = [self.before_ms.into(), i64::from(self.limit).into(), banned_ms.into()];
        let found = on.rows(sql, &values).await?;
        Ok(End::Keep(each(&found, rows::hero_id)?))
    }
}

pub(crate) struct EraseGuest(pub(crate) HeroId);

impl Work for EraseGuest {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let owned = "SELECT account_id FROM account WHERE hero_id = $1";
        if !lock_hero(on, self.0).await? || !on.rows(owned, &[self.0.0.into()]).await?.is_empty() {
            return Ok(End::Undo(false));
        }
        Ok(End::Keep(forget_hero(on, self.0).await?))
    }
}

pub(crate) struct Prune(pub(crate) i64);

impl Work for Prune {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        on.rows("DELETE FROM refresh_token WHERE expires_at_ms <= $1", &[self.0.into()]).await?;
        on.rows("DELETE FROM account_code WHERE expires_at_ms <= $1", &[self.0.into()]).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct LookupKey(pub(crate) Sealed);

impl Work for LookupKey {
    type Answer = Sealed;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Sealed>, StoreError> {
        let sql = "INSERT INTO lookup_key (id, key) VALUES (1, $1) ON CONFLICT DO NOTHING";
        on.rows(sql, &[(&self.0.0).into()]).await?;
        let found = on.rows("SELECT key FROM lookup_key WHERE id = 1", &[]).await?;
        let read = found.first().map(|row| row.bytes("key")).transpose().map_err(unreadable)?;
        Ok(End::Keep(Sealed(read.unwrap_or(self.0.0))))
    }
}
