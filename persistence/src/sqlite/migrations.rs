//! The tables' versions. A migration runs in a transaction: killed midway it has not happened.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, SqlSafeStr};

use super::connection::failed;
use crate::error::StoreError;

/// Every migration, oldest first. One that was released is never edited: the next one changes what it did.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "journal and devices", include_str!("../../migrations/sqlite/0001_journal.sql")),
    (2, "beats and outages", include_str!("../../migrations/sqlite/0002_uptime.sql")),
];

/// Where one migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether this file has it.
    pub applied: bool,
    /// Whether this program knows it.
    pub known: bool,
}

fn migrator(last: i64) -> Migrator {
    let wanted = MIGRATIONS.into_iter().filter(|(version, ..)| *version <= last);
    let migrations = wanted.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Brings the tables up to date; touches nothing when they are of a newer program.
pub(super) async fn run(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    run_to(connection, i64::MAX).await
}

/// As an older program did, whose last migration was `last`.
pub(super) async fn run_to(connection: &mut SqliteConnection, last: i64) -> Result<(), StoreError> {
    require_known(&status(connection).await.map_err(failed)?)?;
    migrator(last).run(connection).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        MigrateError::VersionMismatch(version) => StoreError::SchemaUnknown {
            what: format!(
                "migration {version} in this file is not the one this program knows: the file belongs to another \
                 build. Run that build, or restore a backup"
            ),
        },
        other => StoreError::SchemaUnknown { what: format!("the tables cannot be brought up to date: {other}") },
    })
}

/// Every migration this program or this file knows, in order.
pub(super) async fn status(connection: &mut SqliteConnection) -> Result<Vec<MigrationStatus>, sqlx::Error> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";
    let tables_count: i64 = sqlx::query(sql).fetch_one(&mut *connection).await?.try_get(0)?;
    let mut status: Vec<MigrationStatus> = MIGRATIONS
        .iter()
        .map(|&(version, description, _)| MigrationStatus {
            version,
            description: description.into(),
            applied: false,
            known: true,
        })
        .collect();
    if tables_count == 0 {
        return Ok(status);
    }
    let sql = "SELECT version, description FROM _sqlx_migrations WHERE success ORDER BY version";
    for row in sqlx::query(sql).fetch_all(connection).await? {
        let version: i64 = row.try_get(0)?;
        match status.iter_mut().find(|it| it.version == version) {
            Some(known) => known.applied = true,
            None => {
                let description = row.try_get(1)?;
                status.push(MigrationStatus { version, description, applied: true, known: false });
            }
        }
    }
    Ok(status)
}

fn require_known(status: &[MigrationStatus]) -> Result<(), StoreError> {
    match status.iter().find(|it| !it.known) {
        None => Ok(()),
        Some(MigrationStatus { version, description, .. }) => Err(StoreError::SchemaUnknown {
            what: format!(
                "this file was written by a newer version of the server (migration {version}, {description}). Run \
                 that version, or restore a backup made before the upgrade"
            ),
        }),
    }
}

/// That this program and this file have the same tables.
pub(super) fn require_current(status: &[MigrationStatus]) -> Result<(), StoreError> {
    require_known(status)?;
    match status.iter().find(|it| !it.applied) {
        None => Ok(()),
        Some(MigrationStatus { version, .. }) => Err(StoreError::SchemaUnknown {
            what: format!("this file lacks migration {version}. Start the server or run `db migrate` once"),
        }),
    }
}
