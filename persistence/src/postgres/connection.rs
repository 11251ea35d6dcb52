//! Connections: how they are made, lent and given up, and what Postgres' errors mean for us.

use std::sync::Mutex;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::error::StoreError;
use crate::store::ConnectionCount;

/// The oldest Postgres that is known to keep what it confirms with these statements.
const SERVER_VERSION_MIN: i32 = 150_000;
/// How long a connection may take to be there; shorter than any call's deadline.
const CONNECT_WAIT: Duration = Duration::from_secs(4);
/// A connection that nobody used for so long is asked whether it lives before it is lent.
const RESTED_AFTER: Duration = Duration::from_secs(1);
/// How long it may take to say so.
const PING_WAIT: Duration = Duration::from_millis(500);

/// Values of `synchronous_commit` with which a confirmed commit is on the disk. The broken build exists for the tests that
/// kill Postgres and cut its power, which must find it.
const COMMITS_KEPT: [&str; 2] = if IS_BROKEN { ["off", "off"] } else { ["on", "remote_apply"] };
const IS_BROKEN: bool = cfg!(feature = "broken-postgres-async-commit");

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The journal writer's.
    Journal,
    /// Everybody else's.
    Others,
}

/// A lane of connections, at most so many. One is taken out while a call uses it; a call that fails or is dropped midway
/// does not put it back, so that nobody meets a half-done statement or somebody else's answer.
#[derive(Debug)]
pub(super) struct Lane {
    options: PgConnectOptions,
    /// With the moment since when.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
    places: Semaphore,
    connections_max: usize,
}

impl Lane {
    pub(super) fn new(options: PgConnectOptions, purpose: Purpose, connections_max: usize) -> Self {
        let options = for_purpose(options, purpose);
        Self { options, idle: Mutex::default(), places: Semaphore::new(connections_max), connections_max }
    }

    /// A connection, an idle one or a new one; waits for its turn.
    pub(super) async fn take(&self) -> Result<Held<'_>, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closed".into());
        let place = self.places.acquire().await.map_err(closed)?;
        let connection = match self.idle().await {
            Some(connection) => connection,
            None => connect(&self.options).await?,
        };
        Ok(Held { lane: self, connection, is_good: true, _place: place })
    }

    /// An idle connection that leads somewhere. One that has rested is asked first, so that a database that was started
    /// anew meanwhile costs a round trip and no call.
    async fn idle(&self) -> Option<PgConnection> {
        let (mut connection, since) = self.lock().pop()?;
        if since.elapsed() <= RESTED_AFTER {
            return Some(connection);
        }
        match timeout(PING_WAIT, connection.ping()).await {
            Ok(Ok(())) => Some(connection),
            Ok(Err(_)) | Err(_) => {
                // The others lead to the same database.
                self.lock().clear();
                None
            }
        }
    }

    /// Connections on loan, and the most of them.
    pub(super) fn count(&self) -> ConnectionCount {
        let used = self.connections_max.saturating_sub(self.places.available_permits());
        ConnectionCount { used: used as u64, max: self.connections_max as u64 }
    }

    /// Gives a connection that was made elsewhere.
    pub(super) fn put(&self, connection: PgConnection) {
        self.lock().push((connection, Instant::now()));
    }

    /// Ends every connection in order; calls that wait fail.
    pub(super) async fn close(&self) {
        self.places.close();
        let idle = std::mem::take(&mut *self.lock());
        for (connection, _) in idle {
            // Every confirmed write is durable already; saying goodbye only spares the database a line in its log.
            let _gone = timeout(CONNECT_WAIT, connection.close()).await;
        }
    }

    pub(super) fn is_read_only(&self) -> bool {
        is_read_only(&self.options)
    }

    #[cfg(test)]
    pub(super) fn close_idle(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().expect("no code panics while it holds this lock")
    }
}

/// A connection on loan. Whoever does not [`Held::keep`] it closes it.
pub(super) struct Held<'a> {
    lane: &'a Lane,
    connection: PgConnection,
    is_good: bool,
    _place: SemaphorePermit<'a>,
}

impl Held<'_> {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// What a statement answered. A connection that failed is never used again, nor are the idle ones beside it: they
    /// lead to the same database.
    pub(super) fn checked<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        answer.map_err(|error| {
            if !is_alive_after(&error) {
                self.is_good = false;
                self.lane.lock().clear();
            }
            failed(error)
        })
    }

    /// Gives it back, unless it failed.
    pub(super) fn keep(self) {
        if self.is_good {
            self.lane.put(self.connection);
        }
    }
}

/// The settings of a session. Locks and statements give up before the caller does, and a backend whose client is gone
/// notices, so that nothing of ours holds a lock for long.
fn for_purpose(options: PgConnectOptions, purpose: Purpose) -> PgConnectOptions {
    let name = match purpose {
        Purpose::Journal => "dopamine-hero journal",
        Purpose::Others => "dopamine-hero",
    };
    let options = if IS_BROKEN { options.options([("synchronous_commit", "off")]) } else { options };
    options
        .application_name(name)
        .options([
            ("lock_timeout", "2s"),
            ("statement_timeout", "4500ms"),
            ("idle_in_transaction_session_timeout", "5s"),
            ("client_connection_check_interval", "1s"),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
        ])
        // What a statement was is nothing for a log, and slow ones are measured.
        .disable_statement_logging()
}

pub(super) fn is_read_only(options: &PgConnectOptions) -> bool {
    options.get_options().is_some_and(|options| options.contains("default_transaction_read_only=on"))
}

/// Connects and checks that this server keeps what it confirms: after a fail-over it may be another one.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let connecting = async {
        let mut connection = options.connect().await.map_err(unreachable)?;
        require_fit(&mut connection, is_read_only(options)).await.map_err(|error| match error {
            StoreError::Unfit { what } => StoreError::Unavailable(what.into()),
            other => other,
        })?;
        Ok(connection)
    };
    let late = || {
        StoreError::Unavailable(
            format!("the database does not answer within {} s", CONNECT_WAIT.as_secs()).into(),
        )
    };
    timeout(CONNECT_WAIT, connecting).await.unwrap_or_else(|_| Err(late()))
}

/// The first connection of a process: whatever stands in its way is the operator's to mend.
pub(super) async fn first(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let unfit = |why: String| StoreError::Unfit {
        what: format!(
            "cannot reach the database at {}:{}: {why}. Check DATABASE_URL and that Postgres runs",
            options.get_host(),
            options.get_port()
        ),
    };
    let options = for_purpose(options.clone(), Purpose::Others);
    match timeout(CONNECT_WAIT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unfit(error.to_string())),
        Err(_late) => Err(unfit(format!("no answer within {} s", CONNECT_WAIT.as_secs()))),
    }
}

/// D14: what must be so for a confirmed write to be there after a power cut.
pub(super) async fn require_fit(connection: &mut PgConnection, reads_only: bool) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('fsync'),
        current_setting('full_page_writes'), current_setting('synchronous_commit'),
        current_setting('transaction_read_only')";
    let row = sqlx::query(sql).fetch_one(connection).await.map_err(failed)?;
    let read = || -> Result<_, sqlx::Error> {
        let text = |index: usize| row.try_get::<String, _>(index);
        Ok((row.try_get::<i32, _>(0)?, [text(1)?, text(2)?, text(3)?, text(4)?]))
    };
    let (version, [fsync, full_page_writes, synchronous_commit, read_only]) = read().map_err(failed)?;
    let unfit = |what: String| Err(StoreError::Unfit { what });
    if version < SERVER_VERSION_MIN {
        return unfit(format!("Postgres 15 or newer is needed, this one is {}", version / 10_000));
    }
    if reads_only {
        return Ok(());
    }
    let settings = [
        ("fsync", fsync, ["on", "on"]),
        ("full_page_writes", full_page_writes, ["on", "on"]),
        ("synchronous_commit", synchronous_commit, COMMITS_KEPT),
    ];
    for (name, found, wanted) in settings {
        if !wanted.contains(&found.as_str()) {
            return unfit(format!(
                "Postgres runs with {name} = {found} where on is needed: a power cut would take what was confirmed. \
                 Set it in postgresql.conf, and for this role and database"
            ));
        }
    }
    if read_only == "on" {
        return unfit(
            "this Postgres takes no writes: it is a standby, or the role or database is read-only".into(),
        );
    }
    Ok(())
}

/// Whether the connection can be used after this error: Postgres refused a statement, and nothing else happened.
fn is_alive_after(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else {
        return matches!(error, sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. });
    };
    let severity = database.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
    matches!(severity, Some(PgSeverity::Error))
}

/// What a failed statement means for the caller.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            meaning(&code, database.message().to_owned(), error)
        }
        // Bytes were sent, and nobody knows how far they came.
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            StoreError::Ambiguous(error.into())
        }
        _ => StoreError::Broken { what: error.to_string() },
    }
}

/// What a failed attempt to connect means: nothing was asked yet.
fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// By Postgres' error codes (its manual, appendix A).
fn meaning(code: &str, message: String, error: sqlx::Error) -> StoreError {
    match code {
        // Serialization failure, deadlock, lock not available: nothing is stored, somebody else was faster.
        "40001" | "40P01" | "55P03" => StoreError::Busy(error.into()),
        "53100" => StoreError::Full(error.into()),
        // The server was told to stop while the statement ran: it may have got through.
        "57P01" | "57P02" | "57P05" => StoreError::Ambiguous(error.into()),
        _ => match code.get(..2).unwrap_or_default() {
            "22" | "23" => StoreError::Poison { what: format!("{code}: {message}") },
            // Undefined table, column or function: these are not our tables any more.
            "42" if code != "42501" => StoreError::SchemaUnknown {
                what: format!(
                    "the tables are not those of this program ({message}). Run `dopamine-hero migrate`"
                ),
            },
            // 25006 read-only, 53… no resources, 57… cancelled, starting or stopping, 28… and 42501 no permission, 3D…
            // no such database, 58… and XX… an error inside: nothing is stored, somebody has to look.
            _ => StoreError::Unavailable(error.into()),
        },
    }
}

#[cfg(test)]
pub(super) fn meaning_of_code(code: &str) -> StoreError {
    meaning(code, "message".into(), sqlx::Error::RowNotFound)
}
