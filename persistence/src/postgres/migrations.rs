//! The migrations of a Postgres database. They run under an advisory lock, so that of many programs that start at once
//! one does the work and the others find it done.

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::connection::failed;
use crate::error::StoreError;
use crate::migration::{self, MigrationStatus, Source};

/// Every migration, oldest first.
const MIGRATIONS: [Source; 8] = [
    (1, "journal, devices and nodes", include_str!("../../migrations/postgres/0001_journal.sql")),
    (2, "read models", include_str!("../../migrations/postgres/0002_read_models.sql")),
    (3, "accounts", include_str!("../../migrations/postgres/0003_accounts.sql")),
    (4, "keys of texts", include_str!("../../migrations/postgres/0004_text_keys.sql")),
    (5, "operators", include_str!("../../migrations/postgres/0005_operators.sql")),
    (6, "versions of the catalogue", include_str!("../../migrations/postgres/0006_catalogue.sql")),
    (7, "budget", include_str!("../../migrations/postgres/0007_budget.sql")),
    (8, "finding players and keeping them out", include_str!("../../migrations/postgres/0008_support.sql")),
];

/// Brings the tables up to date as far as `last`; touches nothing when they are of a newer program.
pub(super) async fn run(connection: &mut PgConnection, last: i64) -> Result<(), StoreError> {
    migration::require_known(&status(connection).await.map_err(failed)?)?;
    // A migration may take long; what it waits for may not, or everybody would wait behind it.
    sqlx::query("SET statement_timeout = 0").execute(&mut *connection).await.map_err(failed)?;
    sqlx::query("SET lock_timeout = '10s'").execute(&mut *connection).await.map_err(failed)?;
    let run = migration::migrator(&MIGRATIONS, last).run(connection).await;
    run.map_err(|error| match migration::failed(error, failed) {
        StoreError::Busy(cause) => StoreError::Unfit {
            what: format!(
                "another program holds the migration's locks ({cause}). Wait until it is done, run it again"
            ),
        },
        other => other,
    })
}

/// Every migration this program or this database knows, in order.
pub(super) async fn status(connection: &mut PgConnection) -> Result<Vec<MigrationStatus>, sqlx::Error> {
    let sql = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let is_there: bool = sqlx::query(sql).fetch_one(&mut *connection).await?.try_get(0)?;
    let mut applied = Vec::new();
    if is_there {
        let sql = "SELECT version, description FROM _sqlx_migrations WHERE success ORDER BY version";
        for row in sqlx::query(sql).fetch_all(connection).await? {
            applied.push((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(migration::status(&MIGRATIONS, applied))
}
