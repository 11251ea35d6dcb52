//! The store in Postgres, for one node or many.
//!
//! One connection of its own brings the journal there, one autocommit statement a flush; a lane of others claims, loads
//! and does the rest. A call that has no answer by its deadline closes its connection, which is never used again: what
//! it asked for may still happen, and the next call finds out. Safety is the epoch that every append compares; leases
//! only say when a hero may be taken from a node that is silent.

mod accounts;
mod append;
mod array;
mod budget;
mod catalogue;
mod connection;
mod migrations;
mod operators;
mod read_models;
mod snapshot;
#[cfg(test)]
mod tests;
mod uptime;

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::error::StoreError;
use crate::migration::{self, MigrationStatus};
use crate::record::{Chain, Epoch, EventRecord, HeroId, NodeId, PAGE_ROWS_MAX, Seq, SnapshotRecord, int};
use crate::rows;
use crate::store::{
    Appended, Claim, ConnectionCount, HeroAppend, HeroHead, JournalStore, LEASE, SPEAKER_LIFE, SPEAKERS_MAX,
    SnapshotOutcome, Speaker, StoreFuture, WANTED_MAX, check_batch, check_snapshots, claimed,
};
pub use append::append_statement;
use connection::{Lane, Purpose, failed};

/// Connections beside the journal's. A login takes a few short statements; more would only queue in the database.
/// Full: a call waits for its turn until [`CALL_WAIT`].
const CONNECTIONS_MAX: usize = 12;
/// How long a call that is not the journal's may take, waiting for a connection included; the journal writer has its
/// own deadline.
const CALL_WAIT: Duration = Duration::from_secs(5);
/// [`LEASE`] as SQL takes it.
const LEASE_MS: i64 = LEASE.as_secs() as i64 * 1_000;
/// [`SPEAKER_LIFE`] as SQL takes it.
const SPEAKER_LIFE_MS: i64 = SPEAKER_LIFE.as_secs() as i64 * 1_000;

/// Selects heads in the shape that [`rows::head`] reads.
macro_rules! head_sql {
    () => {
        "SELECT head.hero_id, head.epoch, head.last_seq, head.snap_seq, head.min_reader::bigint AS min_reader,
            head.chain, head.node_id, head.state, poison.reason
            FROM hero_head head LEFT JOIN poison_command poison USING (hero_id)"
    };
}
use head_sql;

/// A journal in a Postgres database. Clones share the same connections.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    /// For the journal writer alone: nobody stands before a flush.
    journal: Lane,
    others: Lane,
    seal_key: [u8; 32],
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens a database for writing and checks that it keeps what it confirms and has the tables of this program.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`], [`StoreError::Unfit`]: the process must not start.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        Self::open_with(options).await
    }

    /// Opens a database for reading, also beside running servers. Every write fails.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?.options([("default_transaction_read_only", "on")]);
        Self::open_with(options).await
    }

    async fn open_with(options: PgConnectOptions) -> Result<Self, StoreError> {
        let mut connection = connection::first(&options).await?;
        migration::require_current(&migrations::status(&mut connection).await.map_err(failed)?)?;
        connection::require_fit(&mut connection, connection::is_read_only(&options)).await?;
        let row = sqlx::query("SELECT key FROM seal").fetch_one(&mut connection).await.map_err(failed)?;
        let key: Vec<u8> = row.try_get(0).map_err(failed)?;
        let seal_key = key.try_into().map_err(|_| StoreError::SchemaUnknown {
            what: "the table seal holds no key of 32 bytes: restore it from a backup".into(),
        })?;
        let inner = Inner {
            journal: Lane::new(options.clone(), Purpose::Journal, 1),
            others: Lane::new(options, Purpose::Others, CONNECTIONS_MAX),
            seal_key,
        };
        inner.others.put(connection);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Brings the tables up to date, one program at a time, and returns where every migration stands then.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`], [`StoreError::Unfit`], [`StoreError::Busy`] when another program is at it.
    pub async fn migrate(url: &str) -> Result<Vec<MigrationStatus>, StoreError> {
        let mut connection = connection::first(&options(url)?).await?;
        connection::require_fit(&mut connection, false).await?;
        migrations::run(&mut connection, i64::MAX).await?;
        migrations::status(&mut connection).await.map_err(failed)
    }

    /// Where every migration stands; changes nothing, also beside running servers.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the database cannot be reached.
    pub async fn migration_status(url: &str) -> Result<Vec<MigrationStatus>, StoreError> {
        let mut connection = connection::first(&options(url)?).await?;
        migrations::status(&mut connection).await.map_err(failed)
    }

    /// What all nodes of this database share and no cache knows: it seals what they leave in one.
    #[must_use]
    pub fn seal_key(&self) -> [u8; 32] {
        self.inner.seal_key
    }

    /// Closes the connections. Calls after this fail as unavailable.
    pub async fn close(&self) {
        self.inner.journal.close().await;
        self.inner.others.close().await;
    }

    async fn claim_now(&self, hero: HeroId, node: NodeId) -> Result<Claim, StoreError> {
        let sql = "INSERT INTO hero_head AS head
                (hero_id, epoch, last_seq, snap_seq, min_reader, chain, node_id, state)
            VALUES ($1, 1, 0, 0, 0, $2, $3, 'owned')
            ON CONFLICT (hero_id) DO UPDATE
            SET epoch = head.epoch + 1, node_id = excluded.node_id, state = 'owned', wanted_by = NULL
            WHERE head.state = 'free' OR (head.state = 'owned' AND (head.node_id = $3 OR NOT EXISTS
                (SELECT FROM node WHERE node.node_id = head.node_id AND lease_until_ms > now_ms())))
            RETURNING hero_id, epoch, last_seq, snap_seq, min_reader::bigint AS min_reader, chain, node_id, state,
                NULL::text AS reason";
        let wanted = "UPDATE hero_head SET wanted_by = $2
            WHERE hero_id = $1 AND state = 'owned' AND wanted_by IS DISTINCT FROM $2";
        let genesis = Chain::genesis(hero);
        let mut held = self.inner.others.take().await?;
        let query = sqlx::query(sql).bind(hero.0).bind(&genesis.0[..]).bind(node.0);
        let row = query.fetch_optional(held.connection()).await;
        let row = held.checked(row)?;
        if row.is_none() {
            let asked = sqlx::query(wanted).bind(hero.0).bind(node.0).execute(held.connection()).await;
            held.checked(asked)?;
        }
        held.keep();
        let head = match &row {
            Some(row) => Some(rows::head(row)?),
            None => self.head_now(hero).await?,
        };
        claimed(hero, node, head, row.is_some())
    }

    async fn append_now(&self, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
        check_batch(batch)?;
        let mut held = self.inner.journal.take().await?;
        let answers = append::append(&mut held, batch).await;
        held.keep();
        answers
    }

    async fn snapshot_now(&self, snapshots: &[SnapshotRecord]) -> Result<Vec<SnapshotOutcome>, StoreError> {
        check_snapshots(snapshots)?;
        let mut held = self.inner.journal.take().await?;
        let stored = snapshot::store(held.connection(), snapshots).await;
        let outcomes = held.checked(stored)?;
        held.keep();
        Ok(outcomes)
    }

    async fn head_now(&self, hero: HeroId) -> Result<Option<HeroHead>, StoreError> {
        let sql = concat!(head_sql!(), " WHERE head.hero_id = $1");
        let rows = self.read(sqlx::query(sql).bind(hero.0)).await?;
        rows.first().map(rows::head).transpose()
    }

    /// One statement that reads.
    async fn read(
        &self,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<sqlx::postgres::PgRow>, StoreError> {
        let mut held = self.inner.others.take().await?;
        let rows = query.fetch_all(held.connection()).await;
        let rows = held.checked(rows)?;
        held.keep();
        Ok(rows)
    }

    /// One statement that writes, in a transaction of its own.
    async fn execute(
        &self,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<(), StoreError> {
        self.execute_on(&self.inner.others, query).await
    }

    async fn execute_on(
        &self,
        lane: &Lane,
        query: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<(), StoreError> {
        let mut held = lane.take().await?;
        let done = query.execute(held.connection()).await;
        held.checked(done)?;
        held.keep();
        Ok(())
    }
}

/// Gives a call up after [`CALL_WAIT`]; its connection is closed with it.
fn in_time<'a, T: Send + 'a>(
    call: impl Future<Output = Result<T, StoreError>> + Send + 'a,
) -> StoreFuture<'a, T> {
    Box::pin(async move {
        let late = || StoreError::Unavailable(format!("no answer within {} s", CALL_WAIT.as_secs()).into());
        timeout(CALL_WAIT, call).await.unwrap_or_else(|_| Err(late()))
    })
}

impl JournalStore for PostgresStore {
    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
        in_time(self.claim_now(hero, node))
    }

    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        Box::pin(self.append_now(batch))
    }

    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
        Box::pin(self.snapshot_now(snapshots))
    }

    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
        let sql = "WITH earlier AS (DELETE FROM node WHERE (name = $2 AND node_id <> $1)
                OR lease_until_ms < now_ms() - 86400000)
            INSERT INTO node (node_id, name, lease_until_ms) VALUES ($1, $2, now_ms() + $3)
            ON CONFLICT (node_id) DO UPDATE SET lease_until_ms = excluded.lease_until_ms";
        in_time(self.execute(sqlx::query(sql).bind(node.0).bind(name).bind(LEASE_MS)))
    }

    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
        let sql = "UPDATE node SET lease_until_ms = now_ms() + $2 WHERE node_id = $1 RETURNING node_id";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(node.0).bind(LEASE_MS)).await?;
            Ok(!rows.is_empty())
        })
    }

    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
        in_time(self.execute(sqlx::query("DELETE FROM node WHERE node_id = $1").bind(node.0)))
    }

    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
        let sql = "SELECT hero_id FROM hero_head
            WHERE node_id = $1 AND wanted_by IS NOT NULL AND state = 'owned' LIMIT $2";
        in_time(async move {
            let query = sqlx::query(sql).bind(node.0).bind(i64::from(WANTED_MAX));
            self.read(query).await?.iter().map(rows::hero).collect()
        })
    }

    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
        let sql = "WITH old AS (
                DELETE FROM stream_socket WHERE hero_id = $1 AND stream_id <> $2 AND at_ms < now_ms() - $5)
            INSERT INTO stream_socket (hero_id, stream_id, node_id, connection_id, at_ms)
            VALUES ($1, $2, $3, $4, now_ms())
            ON CONFLICT (hero_id, stream_id) DO UPDATE SET node_id = excluded.node_id,
                connection_id = excluded.connection_id, at_ms = excluded.at_ms";
        let Speaker { stream_id, node, connection_id } = speaker;
        let query = sqlx::query(sql).bind(hero.0).bind(int(stream_id.0)).bind(node.0);
        in_time(self.execute(query.bind(int(connection_id)).bind(SPEAKER_LIFE_MS)))
    }

    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
        let sql = "SELECT stream_id, node_id, connection_id FROM stream_socket
            WHERE hero_id = $1 ORDER BY at_ms DESC LIMIT $2";
        in_time(async move {
            let rows = self.read(sqlx::query(sql).bind(hero.0).bind(i64::from(SPEAKERS_MAX))).await?;
            rows.iter().map(rows::speaker).collect::<Result<_, _>>().map_err(failed)
        })
    }

    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
        let sql = "UPDATE hero_head SET state = 'free', node_id = NULL, wanted_by = NULL
            WHERE hero_id = $1 AND epoch = $2 AND state = 'owned'";
        in_time(self.execute(sqlx::query(sql).bind(hero.0).bind(int(epoch.0))))
    }

    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
        let sql =
            "SELECT hero_id, seq, epoch, stream_id, cmd_seq, kind, schema_version::bigint AS schema_version,
                catalogue_version, at_ms, chain, payload
            FROM hero_event WHERE hero_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
        in_time(async move {
            let limit = i64::from(limit.min(PAGE_ROWS_MAX));
            let query = sqlx::query(sql).bind(hero.0).bind(int(from.0)).bind(limit);
            self.read(query).await?.iter().map(rows::event).collect()
        })
    }

    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
        let sql = "SELECT hero_id, seq, epoch, schema_version::bigint AS schema_version, chain, state_hash, state, at_ms
            FROM hero_snapshot WHERE hero_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT $3";
        in_time(async move {
            let at_most = i64::try_from(at_most.0).unwrap_or(i64::MAX);
            let limit = i64::from(limit.min(PAGE_ROWS_MAX));
            let query = sqlx::query(sql).bind(hero.0).bind(at_most).bind(limit);
            self.read(query).await?.iter().map(rows::snapshot).collect()
        })
    }

    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
        in_time(self.head_now(hero))
    }

    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
        let sql = concat!(head_sql!(), " WHERE head.hero_id = ANY ($1)");
        in_time(async move {
            let ids: Vec<_> = heroes.iter().take(PAGE_ROWS_MAX as usize).map(|hero| hero.0).collect();
            self.read(sqlx::query(sql).bind(ids)).await?.iter().map(rows::head).collect()
        })
    }

    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
        let sql = concat!(
            head_sql!(),
            " WHERE $1::uuid IS NULL OR head.hero_id > $1 ORDER BY head.hero_id LIMIT $2"
        );
        in_time(async move {
            let limit = i64::from(limit.min(PAGE_ROWS_MAX));
            let query = sqlx::query(sql).bind(after.map(|hero| hero.0)).bind(limit);
            self.read(query).await?.iter().map(rows::head).collect()
        })
    }

    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
        let sql =
            "WITH locked AS (UPDATE hero_head SET state = 'quarantined' WHERE hero_id = $1 RETURNING hero_id)
            INSERT INTO poison_command (hero_id, reason, at_ms) SELECT hero_id, $2, now_ms() FROM locked
            ON CONFLICT (hero_id) DO NOTHING";
        in_time(self.execute(sqlx::query(sql).bind(hero.0).bind(reason)))
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        in_time(async move {
            let mut held = self.inner.others.take().await?;
            let status = migrations::status(held.connection()).await;
            let status = held.checked(status)?;
            connection::require_fit(held.connection(), self.inner.others.is_read_only()).await?;
            held.keep();
            migration::require_current(&status)
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO store_probe (id, count) VALUES (1, 1)
            ON CONFLICT (id) DO UPDATE SET count = store_probe.count + 1";
        // As a flush does: it stands for one.
        Box::pin(self.execute_on(&self.inner.journal, sqlx::query(sql)))
    }

    fn connections(&self) -> ConnectionCount {
        let (journal, others) = (self.inner.journal.count(), self.inner.others.count());
        ConnectionCount { used: journal.used + others.used, max: journal.max + others.max }
    }

    fn server_connections(&self) -> StoreFuture<'_, Option<ConnectionCount>> {
        // Everybody may read these counts. What is reserved for administrators is not for programs.
        let sql = "SELECT coalesce((SELECT sum(numbackends) FROM pg_stat_database), 0)::bigint AS used,
            current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                - coalesce(current_setting('reserved_connections', true)::bigint, 0) AS max";
        in_time(async move {
            let rows = self.read(sqlx::query(sql)).await?;
            let number = |name: &str| {
                let found = rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(name).map_err(failed));
                found.map(|number| u64::try_from(number).unwrap_or(0))
            };
            Ok(Some(ConnectionCount { used: number("used")?, max: number("max")? }))
        })
    }
}

/// What a URL says. Its text is never part of an error: it may hold a password.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    PgConnectOptions::from_str(url).map_err(|_| StoreError::Unfit {
        what:
            "DATABASE_URL is no address of a Postgres database: postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                .into(),
    })
}
