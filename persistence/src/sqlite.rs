//! The store in one SQLite file.
//!
//! One connection writes, one transaction a call; a small pool reads beside it. WAL with `synchronous = FULL`, always:
//! with NORMAL a power cut took hundreds of confirmed commits. One process owns the file: it holds an operating system
//! lock on `<file>.lock`, which a killed process cannot leave behind.

mod accounts;
mod append;
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

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use tokio::sync::Mutex;

use crate::error::StoreError;
use crate::migration::{self, MigrationStatus};
use crate::record::{Chain, Epoch, EventRecord, HeroId, NodeId, PAGE_ROWS_MAX, Seq, SnapshotRecord, int};
use crate::rows;
use crate::store::{
    Appended, Claim, HeroAppend, HeroHead, JournalStore, LEASE, SPEAKERS_MAX, SnapshotOutcome, Speaker,
    StoreFuture, WANTED_MAX, check_batch, check_snapshots, claimed,
};
use connection::failed;

/// Connections that read. Reads are short (a load, a page of a scan); more would only compete for the same two cores.
/// Full: a read waits for [`READER_WAIT`], then fails as unavailable.
const READERS_MAX: u32 = 4;
/// How long a read waits for a connection.
const READER_WAIT: Duration = Duration::from_secs(5);
/// [`LEASE`] as SQL takes it.
const LEASE_MS: i64 = LEASE.as_secs() as i64 * 1_000;
/// Milliseconds of UTC by the database's clock.
macro_rules! now_ms {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}

/// Selects heads in the shape that [`rows::head`] reads.
macro_rules! head_sql {
    () => {
        "SELECT head.hero_id, head.epoch, head.last_seq, head.snap_seq, head.min_reader, head.chain, head.node_id,
            head.state, poison.reason FROM hero_head head LEFT JOIN poison_command poison USING (hero_id)"
    };
}
use head_sql;
use now_ms;

/// A journal in a SQLite file. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Taken out while a call uses it; a call that fails or is dropped midway does not put it back, so that nobody
    /// meets a half-done transaction.
    writer: Mutex<Option<SqliteConnection>>,
    /// Where everybody but the journal writer waits before waiting for `writer`, so that of a thousand claims and
    /// releases only one stands before a flush.
    turn: Mutex<()>,
    readers: SqlitePool,
    /// `None` unless this process owns the file.
    lock: Option<File>,
    may_write: bool,
    is_closed: AtomicBool,
}

impl SqliteStore {
    /// Opens the file for writing: makes it when it is missing, brings its tables up to date, checks its settings, and
    /// keeps every other process from writing it.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::SchemaUnknown`], [`StoreError::Unfit`]: the process must not start.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let mut writer = connection::connect_writer(path).await.map_err(|error| unfit(path, &error))?;
        migrations::run(&mut writer).await?;
        // Whoever has the lock is the only node: the lease of one that was killed stands in nobody's way.
        sqlx::query("DELETE FROM node").execute(&mut writer).await.map_err(failed)?;
        let store = Self::with(path, Some(writer), Some(lock), true);
        store.check().await?;
        Ok(store)
    }

    /// Opens an existing file for a tool that writes beside the process that owns it. It must not touch the journal,
    /// whose writer is alone with it; the other tables are compared and swapped in transactions.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`], [`StoreError::Unfit`].
    pub async fn open_beside(path: &Path) -> Result<Self, StoreError> {
        migration::require_current(&Self::migration_status(path).await?)?;
        let store = Self::with(path, None, None, true);
        store.check().await?;
        Ok(store)
    }

    /// Opens an existing file for reading, also beside a running server. Every write fails.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`], [`StoreError::Unfit`].
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        migration::require_current(&Self::migration_status(path).await?)?;
        Ok(Self::with(path, None, None, false))
    }

    /// Brings the tables up to date and returns where every migration stands then.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn migrate(path: &Path) -> Result<Vec<MigrationStatus>, StoreError> {
        let store = Self::open(path).await?;
        store.close().await;
        Self::migration_status(path).await
    }

    /// Where every migration stands; changes nothing, also beside a running server.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the file cannot be read.
    pub async fn migration_status(path: &Path) -> Result<Vec<MigrationStatus>, StoreError> {
        let mut reader = connection::connect_reader(path).await.map_err(|error| unfit(path, &error))?;
        let status = migrations::status(&mut reader).await.map_err(|error| unfit(path, &error))?;
        // The answer is already here; a connection that cannot be closed in order is dropped.
        reader.close().await.ok();
        Ok(status)
    }

    /// Closes the connections and gives the file free. Calls after this fail as unavailable.
    pub async fn close(&self) {
        self.inner.is_closed.store(true, Ordering::Release);
        self.inner.readers.close().await;
        if let Some(writer) = self.inner.writer.lock().await.take() {
            // Every confirmed write is durable already; closing only tidies the log file up.
            writer.close().await.ok();
        }
        if let Some(lock) = &self.inner.lock {
            // Fails only when the file is not locked.
            lock.unlock().ok();
        }
    }

    fn with(path: &Path, writer: Option<SqliteConnection>, lock: Option<File>, may_write: bool) -> Self {
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(READER_WAIT)
            .connect_lazy_with(connection::reader_options(path));
        let inner = Inner {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            turn: Mutex::new(()),
            readers,
            lock,
            may_write,
            is_closed: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    async fn check_now(&self) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        // What must be so, and how SQLite says it.
        let synchronous = ("synchronous", connection::SYNCHRONOUS_SHOWN);
        for (pragma, wanted) in [("journal_mode", "wal"), synchronous, ("foreign_keys", "1")] {
            let found = connection::pragma(writer.connection(), pragma).await.map_err(failed)?;
            if found != wanted {
                let what = format!(
                    "{}: SQLite runs with {pragma} = {found} where {wanted} is needed. Put the file on a local disk \
                     that supports locks and shared memory",
                    self.inner.path.display()
                );
                return Err(StoreError::Unfit { what });
            }
        }
        let status = migrations::status(writer.connection()).await.map_err(failed)?;
        writer.keep();
        migration::require_current(&status)
    }

    async fn claim_now(&self, hero: HeroId, node: NodeId) -> Result<Claim, StoreError> {
        let sql = concat!(
            "INSERT INTO hero_head (hero_id, epoch, last_seq, snap_seq, min_reader, chain, node_id, state)
            VALUES (?1, 1, 0, 0, 0, ?2, ?3, 'owned')
            ON CONFLICT (hero_id) DO UPDATE
            SET epoch = epoch + 1, node_id = excluded.node_id, state = 'owned', wanted_by = NULL
            WHERE state = 'free' OR (state = 'owned' AND (node_id = ?3 OR NOT EXISTS
                (SELECT 1 FROM node WHERE node.node_id = hero_head.node_id AND lease_until_ms > ",
            now_ms!(),
            "))) RETURNING hero_id, epoch, last_seq, snap_seq, min_reader, chain, node_id, state, NULL AS reason"
        );
        let wanted = "UPDATE hero_head SET wanted_by = ?2
            WHERE hero_id = ?1 AND state = 'owned' AND wanted_by IS NOT ?2";
        let genesis = Chain::genesis(hero);
        let mut writer = self.writer_in_turn().await?;
        // fetch_all, not fetch_one: SQLite commits when the statement has run to its end.
        let rows = sqlx::query(sql)
            .bind(hero.0)
            .bind(&genesis.0[..])
            .bind(node.0)
            .fetch_all(writer.connection())
            .await
            .map_err(failed)?;
        if rows.is_empty() {
            let query = sqlx::query(wanted).bind(hero.0).bind(node.0);
            query.execute(writer.connection()).await.map_err(failed)?;
        }
        writer.keep();
        let head = match rows.first() {
            Some(row) => Some(rows::head(row)?),
            None => self.head_now(hero).await?,
        };
        claimed(hero, node, head, !rows.is_empty())
    }

    async fn append_now(&self, batch: &[HeroAppend]) -> Result<Vec<Appended>, StoreError> {
        check_batch(batch)?;
        let mut writer = self.writer().await?;
        writer.begin().await?;
        let appended = match append::append_next(writer.connection(), batch).await {
            Ok(true) => Ok(vec![Appended::Written; batch.len()]),
            Ok(false) => {
                writer.begin_again().await?;
                append::append(writer.connection(), batch).await
            }
            Err(error) => Err(error),
        };
        match appended {
            Ok(answers) => writer.commit().await.map(|()| answers),
            Err(error) => {
                writer.roll_back().await;
                Err(error)
            }
        }
    }

    async fn snapshot_now(&self, snapshots: &[SnapshotRecord]) -> Result<Vec<SnapshotOutcome>, StoreError> {
        check_snapshots(snapshots)?;
        let mut writer = self.writer().await?;
        writer.begin().await?;
        match snapshot::store(writer.connection(), snapshots).await {
            Ok(answers) => writer.commit().await.map(|()| answers),
            Err(error) => {
                writer.roll_back().await;
                Err(failed(error))
            }
        }
    }

    async fn quarantine_now(&self, hero: HeroId, reason: &str) -> Result<(), StoreError> {
        const STEPS: [&str; 2] = [
            concat!(
                "INSERT INTO poison_command (hero_id, reason, at_ms) SELECT hero_id, ?2, ",
                now_ms!(),
                " FROM hero_head WHERE hero_id = ?1 ON CONFLICT (hero_id) DO NOTHING"
            ),
            "UPDATE hero_head SET state = 'quarantined' WHERE hero_id = ?1 AND ?2 IS NOT NULL",
        ];
        let mut writer = self.writer().await?;
        writer.begin().await?;
        for sql in STEPS {
            sqlx::query(sql).bind(hero.0).bind(reason).execute(writer.connection()).await.map_err(failed)?;
        }
        writer.commit().await
    }

    async fn head_now(&self, hero: HeroId) -> Result<Option<HeroHead>, StoreError> {
        let sql = concat!(head_sql!(), " WHERE head.hero_id = ?");
        let row = sqlx::query(sql).bind(hero.0).fetch_optional(&self.inner.readers).await.map_err(failed)?;
        row.as_ref().map(rows::head).transpose()
    }

    /// One write without a transaction of its own.
    async fn execute(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer_in_turn().await?;
        query.execute(writer.connection()).await.map_err(failed)?;
        writer.keep();
        Ok(())
    }
}

impl JournalStore for SqliteStore {
    fn is_shared(&self) -> bool {
        // One process owns the file.
        false
    }

    fn claim(&self, hero: HeroId, node: NodeId) -> StoreFuture<'_, Claim> {
        Box::pin(self.claim_now(hero, node))
    }

    fn append<'a>(&'a self, batch: &'a [HeroAppend]) -> StoreFuture<'a, Vec<Appended>> {
        Box::pin(self.append_now(batch))
    }

    fn snapshot<'a>(&'a self, snapshots: &'a [SnapshotRecord]) -> StoreFuture<'a, Vec<SnapshotOutcome>> {
        Box::pin(self.snapshot_now(snapshots))
    }

    fn join<'a>(&'a self, node: NodeId, name: &'a str) -> StoreFuture<'a, ()> {
        let sql = concat!(
            "INSERT INTO node (node_id, name, lease_until_ms) VALUES (?1, ?2, ",
            now_ms!(),
            " + ?3) ON CONFLICT (node_id) DO UPDATE SET lease_until_ms = excluded.lease_until_ms"
        );
        Box::pin(async move {
            let earlier = sqlx::query("DELETE FROM node WHERE name = ?").bind(name);
            self.execute(earlier).await?;
            self.execute(sqlx::query(sql).bind(node.0).bind(name).bind(LEASE_MS)).await
        })
    }

    fn renew(&self, node: NodeId) -> StoreFuture<'_, bool> {
        let sql = concat!("UPDATE node SET lease_until_ms = ", now_ms!(), " + ?2 WHERE node_id = ?1");
        Box::pin(async move {
            let mut writer = self.writer_in_turn().await?;
            let query = sqlx::query(sql).bind(node.0).bind(LEASE_MS);
            let done = query.execute(writer.connection()).await.map_err(failed)?;
            writer.keep();
            Ok(done.rows_affected() == 1)
        })
    }

    fn retire(&self, node: NodeId) -> StoreFuture<'_, ()> {
        Box::pin(self.execute(sqlx::query("DELETE FROM node WHERE node_id = ?").bind(node.0)))
    }

    fn wanted(&self, node: NodeId) -> StoreFuture<'_, Vec<HeroId>> {
        let sql = "SELECT hero_id FROM hero_head
            WHERE node_id = ? AND state = 'owned' AND wanted_by IS NOT NULL LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(node.0).bind(WANTED_MAX);
            query.fetch_all(&self.inner.readers).await.map_err(failed)?.iter().map(rows::hero).collect()
        })
    }

    fn speak(&self, hero: HeroId, speaker: Speaker) -> StoreFuture<'_, ()> {
        let sql = concat!(
            "INSERT INTO stream_socket (hero_id, stream_id, node_id, connection_id, at_ms) VALUES (?1, ?2, ?3, ?4, ",
            now_ms!(),
            ") ON CONFLICT (hero_id, stream_id) DO UPDATE SET node_id = excluded.node_id,
                connection_id = excluded.connection_id, at_ms = excluded.at_ms"
        );
        let Speaker { stream_id, node, connection_id } = speaker;
        let query = sqlx::query(sql).bind(hero.0).bind(int(stream_id.0)).bind(node.0);
        Box::pin(self.execute(query.bind(int(connection_id))))
    }

    fn speakers(&self, hero: HeroId) -> StoreFuture<'_, Vec<Speaker>> {
        let sql = "SELECT stream_id, node_id, connection_id FROM stream_socket
            WHERE hero_id = ? ORDER BY at_ms DESC LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(hero.0).bind(SPEAKERS_MAX);
            let rows = query.fetch_all(&self.inner.readers).await.map_err(failed)?;
            rows.iter().map(rows::speaker).collect::<Result<_, _>>().map_err(failed)
        })
    }

    fn release(&self, hero: HeroId, epoch: Epoch) -> StoreFuture<'_, ()> {
        let sql = "UPDATE hero_head SET state = 'free', node_id = NULL, wanted_by = NULL
            WHERE hero_id = ? AND epoch = ? AND state = 'owned'";
        Box::pin(self.execute(sqlx::query(sql).bind(hero.0).bind(int(epoch.0))))
    }

    fn events(&self, hero: HeroId, from: Seq, limit: u32) -> StoreFuture<'_, Vec<EventRecord>> {
        let sql =
            "SELECT hero_id, seq, epoch, stream_id, cmd_seq, kind, schema_version, catalogue_version, at_ms,
            chain, payload FROM hero_event WHERE hero_id = ? AND seq >= ? ORDER BY seq LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql).bind(hero.0).bind(int(from.0)).bind(limit.min(PAGE_ROWS_MAX));
            query.fetch_all(&self.inner.readers).await.map_err(failed)?.iter().map(rows::event).collect()
        })
    }

    fn snapshots(&self, hero: HeroId, at_most: Seq, limit: u32) -> StoreFuture<'_, Vec<SnapshotRecord>> {
        let sql =
            "SELECT hero_id, seq, epoch, schema_version, chain, state_hash, state, at_ms FROM hero_snapshot
            WHERE hero_id = ? AND seq <= ? ORDER BY seq DESC LIMIT ?";
        Box::pin(async move {
            let query = sqlx::query(sql)
                .bind(hero.0)
                .bind(i64::try_from(at_most.0).unwrap_or(i64::MAX))
                .bind(limit.min(PAGE_ROWS_MAX));
            query.fetch_all(&self.inner.readers).await.map_err(failed)?.iter().map(rows::snapshot).collect()
        })
    }

    fn head(&self, hero: HeroId) -> StoreFuture<'_, Option<HeroHead>> {
        Box::pin(self.head_now(hero))
    }

    fn heads<'a>(&'a self, heroes: &'a [HeroId]) -> StoreFuture<'a, Vec<HeroHead>> {
        Box::pin(async move {
            let mut heads = Vec::new();
            for hero in heroes.iter().take(PAGE_ROWS_MAX as usize) {
                heads.extend(self.head_now(*hero).await?);
            }
            Ok(heads)
        })
    }

    fn heroes(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<HeroHead>> {
        let sql = concat!(head_sql!(), " WHERE head.hero_id > ? ORDER BY head.hero_id LIMIT ?");
        Box::pin(async move {
            // The empty id sorts before every other.
            let after = after.map(|hero| hero.0.as_bytes().to_vec()).unwrap_or_default();
            let query = sqlx::query(sql).bind(after).bind(limit.min(PAGE_ROWS_MAX));
            query.fetch_all(&self.inner.readers).await.map_err(failed)?.iter().map(rows::head).collect()
        })
    }

    fn quarantine<'a>(&'a self, hero: HeroId, reason: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(self.quarantine_now(hero, reason))
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.check_now())
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        let sql = "INSERT INTO store_probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1";
        Box::pin(async move {
            // As a flush does: it stands for one.
            let mut writer = self.writer().await?;
            sqlx::query(sql).execute(writer.connection()).await.map_err(failed)?;
            writer.keep();
            Ok(())
        })
    }
}

/// Takes the lock that says "this process writes the file".
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let open = File::options().create(true).truncate(false).write(true).open(&lock_path);
    let file = open.map_err(|error| StoreError::Unfit {
        what: format!(
            "cannot make {}: {error}. Check that the folder exists and is writable",
            lock_path.display()
        ),
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            what: format!("another server is using {}. Stop it first, or name another file", path.display()),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::Unfit {
            what: format!("cannot lock {}: {error}. Put the file on a local disk", lock_path.display()),
        }),
    }
}

fn unfit(path: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::Unfit { what: format!("cannot open {} as a SQLite file: {error}", path.display()) }
}
