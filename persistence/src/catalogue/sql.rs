//! Versions of the catalogue in SQL, the same text for every database.

use super::{CATALOGUES_MAX, CatalogueKept, InForce, KeptCatalogue, NewCatalogue, Published, StoredBanner};
use crate::accounts::sql::{End, Statements, Work};
use crate::error::StoreError;
use crate::rows::{Columns, number, present};

fn unreadable(error: sqlx::Error) -> StoreError {
    StoreError::Broken { what: format!("a row of the catalogue cannot be read: {error}") }
}

fn version(version: u32) -> crate::accounts::sql::Value<'static> {
    i64::from(version).into()
}

pub(crate) struct ReadPublished;

impl Work for ReadPublished {
    type Answer = Published;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Published>, StoreError> {
        let sql = "SELECT version, since_ms, banner_text, banner_until_ms FROM published WHERE id = 1";
        let rows = on.rows(sql, &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Broken {
            what: "the table published has lost its row: restore it from a backup".into(),
        })?;
        Ok(End::Keep(published(row).map_err(unreadable)?))
    }
}

fn published(row: &impl Columns) -> Result<Published, sqlx::Error> {
    let in_force = match row.integer("version")? {
        Some(_) => Some(InForce { version: number(row, "version")?, since_ms: present(row, "since_ms")? }),
        None => None,
    };
    let until_ms = row.integer("banner_until_ms")?;
    let banner = row.text("banner_text")?.map(|text| StoredBanner { text, until_ms });
    Ok(Published { in_force, banner })
}

pub(crate) struct ListCatalogues;

impl Work for ListCatalogues {
    type Answer = Vec<KeptCatalogue>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        let sql = "SELECT version, uploaded_at_ms, uploaded_by, in_force_at_ms FROM catalogue
            ORDER BY uploaded_at_ms DESC, version DESC LIMIT $1";
        let rows = on.rows(sql, &[version(CATALOGUES_MAX)]).await?;
        let kept = rows.iter().map(|row| {
            Ok(KeptCatalogue {
                version: number(row, "version")?,
                uploaded_at_ms: present(row, "uploaded_at_ms")?,
                uploaded_by: row.text("uploaded_by")?.unwrap_or_default(),
                in_force_at_ms: row.integer("in_force_at_ms")?,
            })
        });
        Ok(End::Keep(kept.collect::<Result<_, _>>().map_err(unreadable)?))
    }
}

pub(crate) struct ReadText(pub(crate) u32);

impl Work for ReadText {
    type Answer = Option<String>;
    const WRITES: bool = false;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<Self::Answer>, StoreError> {
        Ok(End::Keep(text(on, self.0).await?))
    }
}

async fn text<S: Statements>(on: &mut S, number: u32) -> Result<Option<String>, StoreError> {
    let rows = on.rows("SELECT text FROM catalogue WHERE version = $1", &[version(number)]).await?;
    rows.first().map_or(Ok(None), |row| row.text("text")).map_err(unreadable)
}

pub(crate) struct Keep(pub(crate) NewCatalogue);

impl Work for Keep {
    type Answer = CatalogueKept;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<CatalogueKept>, StoreError> {
        let Self(new) = self;
        new.check()?;
        // Who comes second waits here, and then counts what the first one kept.
        on.rows("UPDATE published SET version = version WHERE id = 1", &[]).await?;
        if let Some(kept) = text(on, new.version).await? {
            let is_same = kept == new.text;
            return Ok(End::Undo(if is_same { CatalogueKept::Same } else { CatalogueKept::Taken }));
        }
        let count = on.rows("SELECT count(*) AS count FROM catalogue", &[]).await?;
        let count = count.first().map_or(Ok(0), |row| present(row, "count")).map_err(unreadable)?;
        if count >= i64::from(CATALOGUES_MAX) {
            let oldest = "DELETE FROM catalogue WHERE version = (SELECT version FROM catalogue
                WHERE in_force_at_ms IS NULL ORDER BY uploaded_at_ms, version LIMIT 1) RETURNING version";
            if on.rows(oldest, &[]).await?.is_empty() {
                return Ok(End::Undo(CatalogueKept::Full));
            }
        }
        let sql =
            "INSERT INTO catalogue (version, text, uploaded_at_ms, uploaded_by) VALUES ($1, $2, $3, $4)";
        let values =
            [version(new.version), new.text.as_str().into(), new.at_ms.into(), new.by.as_str().into()];
        on.rows(sql, &values).await?;
        Ok(End::Keep(CatalogueKept::New))
    }
}

pub(crate) struct PutInForce {
    pub(crate) seen: Option<u32>,
    pub(crate) next: InForce,
}

impl Work for PutInForce {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<bool>, StoreError> {
        let Self { seen, next } = self;
        let sql = "UPDATE published SET version = $2, since_ms = $3 WHERE id = 1
            AND version IS NOT DISTINCT FROM $1 AND EXISTS (SELECT 1 FROM catalogue WHERE version = $2)
            RETURNING version";
        let values = [seen.map(i64::from).into(), version(next.version), next.since_ms.into()];
        if on.rows(sql, &values).await?.is_empty() {
            return Ok(End::Undo(false));
        }
        let since = "UPDATE catalogue SET in_force_at_ms = $2 WHERE version = $1";
        on.rows(since, &[version(next.version), next.since_ms.into()]).await?;
        Ok(End::Keep(true))
    }
}

pub(crate) struct PutBanner(pub(crate) Option<StoredBanner>);

impl Work for PutBanner {
    type Answer = ();
    const WRITES: bool = true;

    async fn run<S: Statements>(self, on: &mut S) -> Result<End<()>, StoreError> {
        if let Some(banner) = &self.0 {
            banner.check()?;
        }
        let (text, until_ms) = (self.0.as_ref().map(|banner| banner.text.as_str()), self.0.as_ref());
        let sql = "UPDATE published SET banner_text = $1, banner_until_ms = $2 WHERE id = 1";
        on.rows(sql, &[text.into(), until_ms.and_then(|banner| banner.until_ms).into()]).await?;
        Ok(End::Keep(()))
    }
}

/// Implements the contract on a store that has `run(work)`.
macro_rules! catalogue_store {
    ($store:ty, $wrap:path) => {
        impl crate::catalogue::CatalogueStore for $store {
            fn published(&self) -> crate::StoreFuture<'_, crate::catalogue::Published> {
                $wrap(self.run(crate::catalogue::sql::ReadPublished))
            }
            fn catalogues(&self) -> crate::StoreFuture<'_, Vec<crate::catalogue::KeptCatalogue>> {
                $wrap(self.run(crate::catalogue::sql::ListCatalogues))
            }
            fn catalogue_text(&self, version: u32) -> crate::StoreFuture<'_, Option<String>> {
                $wrap(self.run(crate::catalogue::sql::ReadText(version)))
            }
            fn keep_catalogue(
                &self,
                new: crate::catalogue::NewCatalogue,
            ) -> crate::StoreFuture<'_, crate::catalogue::CatalogueKept> {
                $wrap(self.run(crate::catalogue::sql::Keep(new)))
            }
            fn put_in_force(
                &self,
                seen: Option<u32>,
                next: crate::catalogue::InForce,
            ) -> crate::StoreFuture<'_, bool> {
                $wrap(self.run(crate::catalogue::sql::PutInForce { seen, next }))
            }
            fn put_banner(
                &self,
                banner: Option<crate::catalogue::StoredBanner>,
            ) -> crate::StoreFuture<'_, ()> {
                $wrap(self.run(crate::catalogue::sql::PutBanner(banner)))
            }
        }
    };
}
pub(crate) use catalogue_store;
