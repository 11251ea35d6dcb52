//! The tables' versions, the same for every database. A migration runs in a transaction: killed midway it has not
//! happened.

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::error::StoreError;

/// A migration as it is written here: number, what it does, SQL. One that was released is never edited: the next one
/// changes what it did.
pub(crate) type Source = (i64, &'static str, &'static str);

/// Where one migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether this store has it.
    pub applied: bool,
    /// Whether this program knows it.
    pub known: bool,
}

/// Runs the migrations up to `last`.
pub(crate) fn migrator(sources: &[Source], last: i64) -> Migrator {
    let wanted = sources.iter().filter(|(version, ..)| *version <= last);
    let migrations = wanted.map(|&(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Every migration this program or the store knows, in order; `applied` is what the store says it has.
pub(crate) fn status(sources: &[Source], applied: Vec<(i64, String)>) -> Vec<MigrationStatus> {
    let known = |&(version, description, _): &Source| MigrationStatus {
        version,
        description: description.into(),
        applied: false,
        known: true,
    };
    let mut status: Vec<MigrationStatus> = sources.iter().map(known).collect();
    for (version, description) in applied {
        match status.iter_mut().find(|it| it.version == version) {
            Some(known) => known.applied = true,
            None => status.push(MigrationStatus { version, description, applied: true, known: false }),
        }
    }
    status
}

/// That the store is not of a newer program.
pub(crate) fn require_known(status: &[MigrationStatus]) -> Result<(), StoreError> {
    match status.iter().find(|it| !it.known) {
        None => Ok(()),
        Some(MigrationStatus { version, description, .. }) => Err(StoreError::SchemaUnknown {
            what: format!(
                "this store was written by a newer version of the server (migration {version}, {description}). Run \
                 that version, or restore a backup made before the upgrade"
            ),
        }),
    }
}

/// That this program and the store have the same tables.
pub(crate) fn require_current(status: &[MigrationStatus]) -> Result<(), StoreError> {
    require_known(status)?;
    match status.iter().find(|it| !it.applied) {
        None => Ok(()),
        Some(MigrationStatus { version, .. }) => Err(StoreError::SchemaUnknown {
            what: format!("this store lacks migration {version}. Run `dopamine-hero migrate` once"),
        }),
    }
}

/// What a failed migration means; `failed` reads an error of the database.
pub(crate) fn failed(error: MigrateError, failed: impl Fn(sqlx::Error) -> StoreError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        MigrateError::VersionMismatch(version) => StoreError::SchemaUnknown {
            what: format!(
                "migration {version} in this store is not the one this program knows: the store belongs to another \
                 build. Run that build, or restore a backup"
            ),
        },
        other => {
            StoreError::SchemaUnknown { what: format!("the tables cannot be brought up to date: {other}") }
        }
    }
}
