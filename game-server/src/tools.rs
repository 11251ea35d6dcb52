//! The operator's tools: each opens the store its own way, does one thing and says what it did.

pub mod operators;

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, ensure};
use persistence::HeroId;

use crate::accounts::{Accounts, Keys};
use crate::clock::Clock;
use crate::config::{Config, DatabaseUrl, Environment};
use crate::read_models::rebuild::{self, Which};
use crate::store::{self, OpenFailed, OpenStore};
use crate::texts::TextKeys;
use crate::{export, published, seed, verify};

/// Checks every hero of the store; findings and progress go to `out`.
///
/// # Errors
/// A store that cannot be read.
pub async fn verify(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<verify::Summary> {
    let store = OpenStore::open_read_only(&config.database).await?;
    let stores = store.stores();
    let texts = texts(config, &store)?;
    let summary = verify::run(&*stores.journal, &*stores.read_models, &texts, out).await?;
    store.close().await;
    Ok(summary)
}

/// Writes everything that is kept about one hero.
///
/// # Errors
/// An id that is none, a hero that is not known, a store that cannot be read.
pub async fn export(config: &Config, hero: &str, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let hero = hero_id(hero)?;
    let store = OpenStore::open_read_only(&config.database).await?;
    let texts = texts(config, &store)?;
    let catalogue = published::catalogue_in_force(&*store.stores().catalogues).await?;
    export::run(&*store.stores().journal, &texts, &catalogue, hero, out).await?;
    store.close().await;
    Ok(())
}

/// Makes the read models again from the journal: one hero's, or those of everybody after a hero.
///
/// # Errors
/// An id that is none, a hero that is not known, a store that cannot be written.
pub async fn rebuild_read_models(
    config: &Config,
    hero: Option<&str>,
    after: Option<&str>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let which = match hero {
        Some(hero) => Which::One(hero_id(hero)?),
        None => Which::After(after.map(hero_id).transpose()?),
    };
    ensure!(config.database != DatabaseUrl::Memory, OpenFailed::Forgetful);
    let store = OpenStore::open(&config.database).await?;
    let stores = store.stores().clone();
    let done = rebuild::run(stores.journal, stores.read_models, which, out).await;
    store.close().await;
    let damaged = done?.damaged;
    ensure!(damaged == 0, "{damaged} heroes could not be read: run verify");
    Ok(())
}

/// With what the texts of this store are read.
fn texts(config: &Config, store: &OpenStore) -> anyhow::Result<TextKeys> {
    let stores = store.stores();
    let keys = Keys::open(config, &stores.seal_key)?;
    Ok(TextKeys::new(Arc::clone(&stores.text_keys), keys))
}

fn hero_id(text: &str) -> anyhow::Result<HeroId> {
    text.parse().context("a hero's id looks like 0190c2d4-5b6e-7f80-9a1b-2c3d4e5f6071")
}

/// Brings the tables up to date, or only says where they stand.
///
/// # Errors
/// A store that cannot be opened.
pub async fn migrate(config: &Config, status_only: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let url = &config.database;
    let migrations =
        if status_only { store::migration_status(url).await? } else { store::migrate(url).await? };
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

/// Puts the catalogue inside this program in force. Servers that run follow.
///
/// # Errors
/// A store that cannot be written; a number that belongs to another text; an operator who switched at the same time.
pub async fn use_builtin_catalogue(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let store = OpenStore::open_beside(&config.database).await?;
    let stores = store.stores().clone();
    let done = published::use_builtin(&*stores.catalogues, Clock::system().now_ms()).await;
    store.close().await;
    writeln!(out, "catalogue version {} is in force", done?)?;
    Ok(())
}

/// Adds the demo players, or so many typical ones.
///
/// # Errors
/// Production, or a store that cannot be written.
pub async fn seed(config: &Config, players: Option<u32>, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    ensure!(
        config.environment != Environment::Production,
        "demo players do not belong into production (APP_ENV)"
    );
    ensure!(config.database != DatabaseUrl::Memory, OpenFailed::Forgetful);
    let store = OpenStore::open(&config.database).await?;
    let clock = Clock::system();
    let stores = store.stores().clone();
    let texts = texts(config, &store)?;
    let accounts = Accounts::new(stores.accounts, stores.keys, clock.clone());
    let catalogue = published::catalogue_in_force(&*stores.catalogues).await?;
    let place = seed::Place {
        store: &stores.journal,
        accounts: &accounts,
        texts: &texts,
        catalogue: &catalogue,
        now_ms: clock.now_ms(),
    };
    let done = match players {
        Some(players) => seed::crowd(&place, players, out).await,
        None => seed::run(&place, out).await,
    };
    store.close().await;
    done
}
