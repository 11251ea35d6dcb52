//! The migrations of a SQLite file.

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::connection::failed;
use crate::error::StoreError;
use crate::migration::{self, MigrationStatus, Source};

/// Every migration, oldest first.
const MIGRATIONS: [Source; 10] = [
    (1, "journal and devices", include_str!("../../migrations/sqlite/0001_journal.sql")),
    (2, "beats and outages", include_str!("../../migrations/sqlite/0002_uptime.sql")),
    (3, "nodes that ask each other", include_str!("../../migrations/sqlite/0003_nodes.sql")),
    (4, "read models", include_str!("../../migrations/sqlite/0004_read_models.sql")),
    (5, "accounts", include_str!("../../migrations/sqlite/0005_accounts.sql")),
    (6, "keys of texts", include_str!("../../migrations/sqlite/0006_text_keys.sql")),
    (7, "operators", include_str!("../../migrations/sqlite/0007_operators.sql")),
    (8, "versions of the catalogue", include_str!("../../migrations/sqlite/0008_catalogue.sql")),
    (9, "budget", include_str!("../../migrations/sqlite/0009_budget.sql")),
    (10, "finding players and keeping them out", include_str!("../../migrations/sqlite/0010_support.sql")),
];

/// Brings the tables up to date; touches nothing when they are of a newer program.
pub(super) async fn run(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    run_to(connection, i64::MAX).await
}

/// As an older program did, whose last migration was `last`.
pub(super) async fn run_to(connection: &mut SqliteConnection, last: i64) -> Result<(), StoreError> {
    migration::require_known(&status(connection).await.map_err(failed)?)?;
    let run = migration::migrator(&MIGRATIONS, last).run(connection).await;
    run.map_err(|error| migration::failed(error, failed))
}

/// Every migration this program or this file knows, in order.
pub(super) async fn status(connection: &mut SqliteConnection) -> Result<Vec<MigrationStatus>, sqlx::Error> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";
    let tables_count: i64 = sqlx::query(sql).fetch_one(&mut *connection).await?.try_get(0)?;
    let mut applied = Vec::new();
    if tables_count > 0 {
        let sql = "SELECT version, description FROM _sqlx_migrations WHERE success ORDER BY version";
        for row in sqlx::query(sql).fetch_all(connection).await? {
            applied.push((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(migration::status(&MIGRATIONS, applied))
}
