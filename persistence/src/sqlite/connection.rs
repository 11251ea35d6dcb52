//! Connections, the one writer, and what SQLite's errors mean for us.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};
use tokio::sync::MutexGuard;

use super::SqliteStore;
use crate::error::StoreError;

/// How long SQLite waits for a lock. We are the only writer, so only a checkpoint or an operator's shell holds one; it
/// is shorter than the writer's deadline, so that the answer is "busy" and not "unknown".
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// A commit is confirmed when it is on the disk. The broken build exists for the power cut test, which must find it.
const SYNCHRONOUS: SqliteSynchronous =
    if cfg!(feature = "broken-sqlite-normal") { SqliteSynchronous::Normal } else { SqliteSynchronous::Full };
/// How SQLite says the same.
pub(super) const SYNCHRONOUS_SHOWN: &str = if cfg!(feature = "broken-sqlite-normal") { "1" } else { "2" };
/// Memory for pages of the connection that writes: 8 MiB, in SQLite's way a negative number of KiB. A full flush changes
/// 500 to 1,000 pages of 4 KiB. What has no room is written into the log before the commit, and once more with it.
const WRITER_CACHE: &str = "-8192";
/// The same of a connection that reads: 512 KiB. It holds the inner pages of what is searched; a hero's own pages are read once,
/// when it is loaded, and the operating system has them.
const READER_CACHE: &str = "-512";
/// Pages in the log after which a commit moves them into the file: 16 MiB. A page that changed several times meanwhile is
/// moved once. All of it is read when a server that was killed starts again: some milliseconds.
const CHECKPOINT_PAGES: &str = "4000";
/// What a statement would undo is kept in memory. Else SQLite makes a file for it as soon as it is more than 64 KiB, which it is
/// with every statement of a full flush.
const UNDO_PLACE: &str = "memory";

impl SqliteStore {
    /// The connection that writes; waits until nobody else uses it.
    pub(super) async fn writer(&self) -> Result<Writer<'_>, StoreError> {
        let inner = &*self.inner;
        let mut slot = inner.writer.lock().await;
        if inner.is_closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        if !inner.may_write {
            return Err(StoreError::Unavailable("the store is opened for reading".into()));
        }
        let connection = match slot.take() {
            Some(connection) => connection,
            None => connect_writer(&inner.path).await.map_err(failed)?,
        };
        Ok(Writer { slot, connection, _turn: None })
    }

    /// The same for whoever is not the journal writer: however many they are, a flush waits for one of them at most.
    pub(super) async fn writer_in_turn(&self) -> Result<Writer<'_>, StoreError> {
        let turn = self.inner.turn.lock().await;
        Ok(Writer { _turn: Some(turn), ..self.writer().await? })
    }
}

/// The writing connection on loan. Whoever does not give it back with [`Writer::keep`], [`Writer::commit`] or
/// [`Writer::roll_back`] closes it: SQLite then ends the statement or rolls the transaction back.
pub(super) struct Writer<'a> {
    slot: MutexGuard<'a, Option<SqliteConnection>>,
    connection: SqliteConnection,
    /// Held by everybody but the journal writer.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Writer<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE").await.map_err(failed)
    }

    /// Undoes what the transaction did so far and begins another.
    pub(super) async fn begin_again(&mut self) -> Result<(), StoreError> {
        self.run("ROLLBACK").await.map_err(failed)?;
        self.begin().await
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await.map_err(failed)?;
        self.keep();
        Ok(())
    }

    pub(super) async fn roll_back(mut self) {
        // When it fails, closing the connection rolls back just as well.
        if self.run("ROLLBACK").await.is_ok() {
            self.keep();
        }
    }

    pub(super) fn keep(mut self) {
        *self.slot = Some(self.connection);
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.connection).await.map(|_| ())
    }
}

pub(super) async fn connect_writer(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SYNCHRONOUS)
        .foreign_keys(true)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", UNDO_PLACE)
        .busy_timeout(LOCK_WAIT);
    options.connect().await
}

pub(super) async fn connect_reader(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    reader_options(path).connect().await
}

pub(super) fn reader_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("cache_size", READER_CACHE)
        .busy_timeout(LOCK_WAIT)
}

/// The value of a setting as text.
pub(super) async fn pragma(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<String, sqlx::Error> {
    let sql = match name {
        "journal_mode" => "SELECT CAST(journal_mode AS TEXT) FROM pragma_journal_mode",
        "synchronous" => "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
        "foreign_keys" => "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
        _ => unreachable!("only the settings above are checked"),
    };
    sqlx::query(sql).fetch_one(connection).await?.try_get(0)
}

/// What an error of SQLite means for the caller.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<i32>().ok());
            meaning(code, database.message().to_owned(), error)
        }
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => StoreError::Unavailable(error.into()),
        // The thread that ran the statement is gone; it may have got through.
        sqlx::Error::WorkerCrashed => StoreError::Ambiguous(error.into()),
        _ => StoreError::Broken { what: error.to_string() },
    }
}

/// By SQLite's extended result codes (sqlite.org/rescode.html). In all cases but the broken ones SQLite has rolled the
/// statement or the transaction back.
fn meaning(code: Option<i32>, message: String, error: sqlx::Error) -> StoreError {
    const IOERR_SHMSIZE: i32 = 4874; // the shared memory file could not grow: the disk is full
    match code {
        Some(IOERR_SHMSIZE) => StoreError::Full(error.into()),
        Some(code) => match code & 0xff {
            5 | 6 | 9 => StoreError::Busy(error.into()), // BUSY, LOCKED, INTERRUPT
            8 | 14 => StoreError::Unavailable(error.into()), // READONLY, CANTOPEN
            13 => StoreError::Full(error.into()),        // FULL
            18..=20 => StoreError::Poison { what: message }, // TOOBIG, CONSTRAINT, MISMATCH
            // IOERR (a failed fsync is one), CORRUPT, NOTADB, NOMEM and what should never occur.
            _ => StoreError::Broken { what: format!("SQLite error {code}: {message}") },
        },
        None => StoreError::Broken { what: message },
    }
}

#[cfg(test)]
pub(super) fn meaning_of_code(code: i32) -> StoreError {
    meaning(Some(code), "message".into(), sqlx::Error::RowNotFound)
}
