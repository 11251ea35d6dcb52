//! The operator's tools: each opens the store its own way, does one thing and says what it did.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use persistence::{HeroId, SqliteStore};
use simulation::catalogue::Catalogue;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{Config, DatabaseUrl, Environment};
use crate::server::OpenStore;
use crate::{export, seed, verify};

/// Checks every hero of the store; findings and progress go to `out`.
///
/// # Errors
/// A store that cannot be read.
pub async fn verify(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<verify::Summary> {
    let store = open_read_only(config).await?;
    let summary = verify::run(&store, out).await?;
    store.close().await;
    Ok(summary)
}

/// Writes everything that is kept about one hero.
///
/// # Errors
/// An id that is none, a hero that is not known, a store that cannot be read.
pub async fn export(config: &Config, hero: &str, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let hero: HeroId = hero.parse().context("a hero's id looks like 0190c2d4-5b6e-7f80-9a1b-2c3d4e5f6071")?;
    let store = open_read_only(config).await?;
    export::run(&store, &Catalogue::builtin(), hero, out).await?;
    store.close().await;
    Ok(())
}

/// Brings the tables up to date, or only says where they stand.
///
/// # Errors
/// A store that cannot be opened.
pub async fn migrate(config: &Config, status_only: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let path = sqlite_path(config)?;
    let migrations = if status_only {
        ensure!(
            path.exists(),
            "there is no store at {} yet; the server makes it when it starts",
            path.display()
        );
        SqliteStore::migration_status(path).await?
    } else {
        crate::server::make_folder_of(path)?;
        SqliteStore::migrate(path).await?
    };
    for migration in migrations {
        let state = match (migration.applied, migration.known) {
            (true, true) => "applied",
            (false, _) => "pending",
            (true, false) => "applied by a newer program",
        };
        writeln!(out, "{:>4}  {state:<8}  {}", migration.version, migration.description)?;
    }
    Ok(())
}

/// Adds demo players.
///
/// # Errors
/// Production, or a store that cannot be written.
pub async fn seed(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    ensure!(
        config.environment != Environment::Production,
        "demo players do not belong into production (APP_ENV)"
    );
    sqlite_path(config)?;
    let store = OpenStore::open(&config.database).await?;
    let clock = Clock::system();
    let stores = store.stores().clone();
    let accounts = Accounts::new(stores.accounts, clock.clone());
    let catalogue = Arc::new(Catalogue::builtin());
    let done = seed::run(&stores.journal, &accounts, &catalogue, clock.now_ms(), out).await;
    store.close().await;
    done
}

async fn open_read_only(config: &Config) -> anyhow::Result<SqliteStore> {
    let path = sqlite_path(config)?;
    ensure!(path.exists(), "there is no store at {}: check DATABASE_URL", path.display());
    Ok(SqliteStore::open_read_only(path).await?)
}

fn sqlite_path(config: &Config) -> anyhow::Result<&Path> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => Ok(path),
        DatabaseUrl::Memory => bail!("DATABASE_URL is memory:, where nothing is kept; name a sqlite:// file"),
    }
}
