//! Guests, accounts, and the codes that are mailed to them.

use super::{End, Statements, Value, Work, only};
use crate::accounts::{
    Account, AccountChange, AccountId, AccountKey, CODES_MAX, Changed, Code, CodePurpose, Created,
    NewAccount, NewGuest, TokenHash,
};
use crate::error::StoreError;
use crate::record::{Chain, HeroId};
use crate::rows;

pub(crate) struct CreateGuest(pub(crate) NewGuest);

impl Work for CreateGuest {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let NewGuest { hero, device, token_hash, name, created_at_ms } = self.0;
        insert_hero(on, hero).await?;
        let sql = "INSERT INTO device (device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms)
            VALUES ($1, $2, $3, $4, $5, $5)";
        let values = [
            device.0.into(),
            hero.0.into(),
            (&token_hash.0).into(),
            name.as_str().into(),
            created_at_ms.into(),
        ];
        on.rows(sql, &values).await?;
        Ok(End::Keep(()))
    }
}

async fn insert_hero<S: Statements>(on: &mut S, hero: HeroId) -> Result<(), StoreError> {
    let sql = "INSERT INTO hero_head (hero_id, epoch, last_seq, snap_seq, min_reader, chain, state)
        VALUES ($1, 0, 0, 0, 0, $2, 'free')";
    let genesis = Chain::genesis(hero);
    on.rows(sql, &[hero.0.into(), (&genesis.0).into()]).await?;
    Ok(())
}

/// Makes everybody wait who wants to make somebody's hero of this one. Says whether it exists.
pub(super) async fn lock_hero<S: Statements>(on: &mut S, hero: HeroId) -> Result<bool, StoreError> {
    let sql = "UPDATE hero_head SET state = state WHERE hero_id = $1 RETURNING hero_id";
    Ok(!on.rows(sql, &[hero.0.into()]).await?.is_empty())
}

pub(crate) struct CreateAccount(pub(crate) NewAccount);

impl Work for CreateAccount {
    type Answer = Created;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Created>, StoreError> {
        let new = self.0;
        let hero = new.hero;
        if new.is_new_hero {
            insert_hero(on, hero).await?;
        } else {
            let promised = "SELECT guest_id FROM hero_union WHERE guest_id = $1";
            if !lock_hero(on, hero).await? || !on.rows(promised, &[hero.0.into()]).await?.is_empty() {
                return Ok(End::Undo(Created::HeroTaken));
            }
        }
        let row = "INSERT INTO account (account_id, hero_id, mail, subject, password, profile, created_at_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING account_id";
        let mail = new.mail.as_ref().map(|hash| &hash.0);
        let subject = new.subject.as_ref().map(|hash| &hash.0);
        let values = [
            new.account.0.into(),
            hero.0.into(),
            mail.into(),
            subject.into(),
            new.password.as_deref().into(),
            (&new.profile.0).into(),
            new.created_at_ms.into(),
        ];
        if on.rows(row, &values).await?.is_empty() {
            let same_mail = on.rows("SELECT account_id FROM account WHERE mail = $1", &[mail.into()]).await?;
            let same_hero = "SELECT account_id FROM account WHERE hero_id = $1";
            let same_hero = on.rows(same_hero, &[hero.0.into()]).await?;
            return Ok(End::Undo(match (same_hero.is_empty(), same_mail.is_empty()) {
                (false, _) => Created::HeroTaken,
                (true, false) => Created::MailTaken,
                (true, true) => Created::SubjectTaken,
            }));
        }
        let devices = "UPDATE device SET account_id = $1 WHERE hero_id = $2";
        on.rows(devices, &[new.account.0.into(), hero.0.into()]).await?;
        Ok(End::Keep(Created::Done))
    }
}

pub(crate) struct FindAccount(pub(crate) AccountKey);

impl Work for FindAccount {
    type Answer = Option<Account>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let (sql, value): (_, Value<'_>) = match &self.0 {
            AccountKey::Id(id) => ("SELECT * FROM account WHERE account_id = $1", id.0.into()),
            AccountKey::Hero(hero) => ("SELECT * FROM account WHERE hero_id = $1", hero.0.into()),
            AccountKey::Mail(hash) => ("SELECT * FROM account WHERE mail = $1", (&hash.0).into()),
            AccountKey::Subject(hash) => ("SELECT * FROM account WHERE subject = $1", (&hash.0).into()),
        };
        let found = on.rows(sql, &[value]).await?;
        Ok(End::Keep(only(&found, rows::account)?))
    }
}

pub(crate) struct ChangeAccount {
    pub(crate) account: AccountId,
    pub(crate) change: AccountChange,
}

impl Work for ChangeAccount {
    type Answer = Changed;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Changed>, StoreError> {
        let id = self.account.0.into();
        let (sql, values): (_, Vec<Value<'_>>) = match &self.change {
            AccountChange::Profile(profile) => {
                ("UPDATE account SET profile = $2 WHERE account_id = $1", vec![id, (&profile.0).into()])
            }
            AccountChange::Password(hash) => {
                ("UPDATE account SET password = $2 WHERE account_id = $1", vec![id, hash.as_str().into()])
            }
            AccountChange::Mail { mail, profile } => (
                "UPDATE account SET mail = $2, profile = $3, mail_verified_at_ms = NULL WHERE account_id = $1",
                vec![id, (&mail.0).into(), (&profile.0).into()],
            ),
            AccountChange::MailVerified(at_ms) => (
                "UPDATE account SET mail_verified_at_ms = $2 WHERE account_id = $1",
                vec![id, (*at_ms).into()],
            ),
            AccountChange::Subject(subject) => {
                ("UPDATE account SET subject = $2 WHERE account_id = $1", vec![id, (&subject.0).into()])
            }
            AccountChange::Avatar(avatar) => {
                ("UPDATE account SET avatar = $2 WHERE account_id = $1", vec![id, avatar.as_deref().into()])
            }
            AccountChange::EraseAt(at_ms) => {
                ("UPDATE account SET erase_at_ms = $2 WHERE account_id = $1", vec![id, (*at_ms).into()])
            }
            AccountChange::BannedAt(at_ms) => {
                ("UPDATE account SET banned_at_ms = $2 WHERE account_id = $1", vec![id, (*at_ms).into()])
            }
        };
        let (taken, key): (_, Option<&[u8; 32]>) = match &self.change {
            AccountChange::Mail { mail, .. } => {
                ("SELECT account_id FROM account WHERE mail = $1 AND account_id <> $2", Some(&mail.0))
            }
            AccountChange::Subject(subject) => {
                ("SELECT account_id FROM account WHERE subject = $1 AND account_id <> $2", Some(&subject.0))
            }
            _ => ("", None),
        };
        if let Some(key) = key
            && !on.rows(taken, &[key.into(), id]).await?.is_empty()
        {
            return Ok(End::Undo(Changed::Taken));
        }
        let exists = "SELECT account_id FROM account WHERE account_id = $1";
        if on.rows(exists, &[id]).await?.is_empty() {
            return Ok(End::Undo(Changed::Missing));
        }
        // Who took the same key just now makes the database refuse this one.
        match on.rows(sql, &values).await {
            Err(StoreError::Poison { .. }) if key.is_some() => Ok(End::Undo(Changed::Taken)),
            Err(error) => Err(error),
            Ok(_) => Ok(End::Keep(Changed::Done)),
        }
    }
}

pub(crate) struct PutCode(pub(crate) Code);

impl Work for PutCode {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let Code { hash, account, purpose, expires_at_ms } = self.0;
        let purpose = purpose.as_str();
        let row = "INSERT INTO account_code (code_hash, account_id, purpose, expires_at_ms) VALUES ($1, $2, $3, $4)";
        on.rows(row, &[(&hash.0).into(), account.0.into(), purpose.into(), expires_at_ms.into()]).await?;
        let over = "DELETE FROM account_code WHERE account_id = $1 AND purpose = $2 AND code_hash NOT IN (
            SELECT code_hash FROM account_code WHERE account_id = $1 AND purpose = $2
                ORDER BY expires_at_ms DESC, code_hash LIMIT $3)";
        on.rows(over, &[account.0.into(), purpose.into(), i64::from(CODES_MAX).into()]).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct TakeCode {
    pub(crate) hash: TokenHash,
    pub(crate) purpose: CodePurpose,
    pub(crate) now_ms: i64,
}

impl Work for TakeCode {
    type Answer = Option<AccountId>;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "DELETE FROM account_code WHERE code_hash = $1 AND purpose = $2 AND expires_at_ms > $3
            RETURNING account_id";
        let values = [(&self.hash.0).into(), self.purpose.as_str().into(), self.now_ms.into()];
        let taken = on.rows(sql, &values).await?;
        Ok(End::Keep(only(&taken, rows::account_id)?))
    }
}
