//! Who was seen, and who is kept out.

use super::people::lock_hero;
use super::{End, Statements, Value, Work, each, only};
use crate::accounts::DeviceId;
use crate::error::StoreError;
use crate::record::{HeroId, NodeId};
use crate::rows::{self, Columns};
use crate::support::{CLOSED_KEPT_MS, CloseWish, SEEN_MAX, Seen};

/// The device of each hero that was seen last; of two that were seen together the one with the higher id.
macro_rules! seen_sql {
    ($rest:literal) => {
        concat!(
            "SELECT device.hero_id, device.device_id, device.account_id, device.last_seen_ms, device.revoked_at_ms,
                guest_ban.at_ms AS banned_at_ms
            FROM device LEFT JOIN guest_ban ON guest_ban.hero_id = device.hero_id
            WHERE NOT EXISTS (SELECT 1 FROM device AS later WHERE later.hero_id = device.hero_id
                AND (later.last_seen_ms, later.device_id) > (device.last_seen_ms, device.device_id)) ",
            $rest
        )
    };
}

fn seen(row: &impl Columns) -> Result<Seen, sqlx::Error> {
    Ok(Seen {
        hero: rows::hero_id(row)?,
        device: rows::device_id(row)?,
        account: row.uuid("account_id")?.map(crate::accounts::AccountId),
        last_seen_ms: rows::present(row, "last_seen_ms")?,
        revoked_at_ms: row.integer("revoked_at_ms")?,
        guest_banned_at_ms: row.integer("banned_at_ms")?,
    })
}

pub(crate) struct ReadSeen {
    pub(crate) after: Option<(i64, DeviceId)>,
    pub(crate) limit: u32,
}

impl Work for ReadSeen {
    type Answer = Vec<Seen>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let limit = Value::from(i64::from(self.limit.min(SEEN_MAX)));
        let found = match self.after {
            None => {
                let sql = seen_sql!("ORDER BY device.last_seen_ms DESC, device.device_id DESC LIMIT $1");
                on.rows(sql, &[limit]).await?
            }
            Some((at_ms, device)) => {
                let sql = seen_sql!(
                    "AND (device.last_seen_ms, device.device_id) < ($1, $2)
                    ORDER BY device.last_seen_ms DESC, device.device_id DESC LIMIT $3"
                );
                on.rows(sql, &[at_ms.into(), device.0.into(), limit]).await?
            }
        };
        Ok(End::Keep(each(&found, seen)?))
    }
}

pub(crate) struct SeenHero(pub(crate) HeroId);

impl Work for SeenHero {
    type Answer = Option<Seen>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows(seen_sql!("AND device.hero_id = $1"), &[self.0.0.into()]).await?;
        Ok(End::Keep(only(&found, seen)?))
    }
}

pub(crate) struct BanGuest {
    pub(crate) hero: HeroId,
    pub(crate) now_ms: i64,
}

impl Work for BanGuest {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let Self { hero, now_ms } = self;
        let id = Value::from(hero.0);
        let owned = "SELECT hero_id FROM account WHERE hero_id = $1
            UNION ALL SELECT guest_id FROM hero_union WHERE guest_id = $1";
        let device = "SELECT device_id FROM device WHERE hero_id = $1 LIMIT 1";
        let is_guest = lock_hero(on, hero).await?
            && on.rows(owned, &[id]).await?.is_empty()
            && !on.rows(device, &[id]).await?.is_empty();
        if !is_guest {
            return Ok(End::Undo(false));
        }
        let row = "INSERT INTO guest_ban (hero_id, at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        on.rows(row, &[id, now_ms.into()]).await?;
        // At the moment of the ban, also the second time: it is by this that the devices are known which it concerns.
        let devices = "UPDATE device SET revoked_at_ms = (SELECT at_ms FROM guest_ban WHERE hero_id = $1)
            WHERE hero_id = $1 AND revoked_at_ms IS NULL";
        on.rows(devices, &[id]).await?;
        Ok(End::Keep(true))
    }
}

pub(crate) struct UnbanGuest(pub(crate) HeroId);

impl Work for UnbanGuest {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let id = Value::from(self.0.0);
        let devices = "UPDATE device SET revoked_at_ms = NULL
            WHERE hero_id = $1 AND revoked_at_ms = (SELECT at_ms FROM guest_ban WHERE hero_id = $1)";
        on.rows(devices, &[id]).await?;
        let lifted = on.rows("DELETE FROM guest_ban WHERE hero_id = $1 RETURNING hero_id", &[id]).await?;
        Ok(End::Keep(!lifted.is_empty()))
    }
}

pub(crate) struct CloseSockets(pub(crate) CloseWish);

impl Work for CloseSockets {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        let CloseWish { hero, at_ms, is_ban } = self.0;
        on.rows("DELETE FROM close_wish WHERE at_ms < $1", &[(at_ms - CLOSED_KEPT_MS).into()]).await?;
        let sql = "INSERT INTO close_wish (hero_id, at_ms, is_ban) VALUES ($1, $2, $3)
            ON CONFLICT (hero_id) DO UPDATE SET at_ms = excluded.at_ms, is_ban = excluded.is_ban";
        on.rows(sql, &[hero.0.into(), at_ms.into(), i64::from(is_ban).into()]).await?;
        Ok(End::Keep(()))
    }
}

pub(crate) struct CloseWishes {
    pub(crate) since_ms: i64,
    pub(crate) limit: u32,
}

impl Work for CloseWishes {
    type Answer = Vec<CloseWish>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT * FROM close_wish WHERE at_ms >= $1 ORDER BY at_ms, hero_id LIMIT $2";
        let found = on.rows(sql, &[self.since_ms.into(), i64::from(self.limit).into()]).await?;
        let read = |row: &S::Row| {
            Ok(CloseWish {
                hero: rows::hero_id(row)?,
                at_ms: rows::present(row, "at_ms")?,
                is_ban: rows::present(row, "is_ban")? != 0,
            })
        };
        Ok(End::Keep(each(&found, read)?))
    }
}

pub(crate) struct NodeName(pub(crate) NodeId);

impl Work for NodeName {
    type Answer = Option<String>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let found = on.rows("SELECT name FROM node WHERE node_id = $1", &[self.0.0.into()]).await?;
        Ok(End::Keep(only(&found, |row| row.text("name"))?.flatten()))
    }
}

/// Implements the contract on a store that has `run(work)`.
macro_rules! support_store {
    ($store:ty, $wrap:path) => {
        impl crate::support::SupportStore for $store {
            fn seen(
                &self,
                after: Option<(i64, DeviceId)>,
                limit: u32,
            ) -> StoreFuture<'_, Vec<crate::support::Seen>> {
                $wrap(self.run(sql::ReadSeen { after, limit }))
            }
            fn seen_hero(&self, hero: HeroId) -> StoreFuture<'_, Option<crate::support::Seen>> {
                $wrap(self.run(sql::SeenHero(hero)))
            }
            fn ban_guest(&self, hero: HeroId, now_ms: i64) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::BanGuest { hero, now_ms }))
            }
            fn unban_guest(&self, hero: HeroId) -> StoreFuture<'_, bool> {
                $wrap(self.run(sql::UnbanGuest(hero)))
            }
            fn close_sockets(&self, wish: crate::support::CloseWish) -> StoreFuture<'_, ()> {
                $wrap(self.run(sql::CloseSockets(wish)))
            }
            fn close_wishes(
                &self,
                since_ms: i64,
                limit: u32,
            ) -> StoreFuture<'_, Vec<crate::support::CloseWish>> {
                $wrap(self.run(sql::CloseWishes { since_ms, limit }))
            }
            fn node_name(&self, node: crate::record::NodeId) -> StoreFuture<'_, Option<String>> {
                $wrap(self.run(sql::NodeName(node)))
            }
        }
    };
}
pub(crate) use support_store;
