//! Versions of the catalogue beside the journal in the same file, and what there is to say about it.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::connection::failed;
use super::{LEASE_MS, SqliteStore, migrations, now_ms};
use crate::about::{About, AboutStore, KnownNode, NODES_LISTED_MAX};
use crate::catalogue::sql::catalogue_store;
use crate::record::NodeId;
use crate::store::StoreFuture;

catalogue_store!(SqliteStore, Box::pin);

impl AboutStore for SqliteStore {
    fn about(&self) -> StoreFuture<'_, About> {
        let nodes = concat!(
            "SELECT node_id, name, lease_until_ms, lease_until_ms > ",
            now_ms!(),
            " AS is_alive FROM node ORDER BY name LIMIT ?"
        );
        Box::pin(async move {
            let mut reader = self.inner.readers.acquire().await.map_err(failed)?;
            let version = sqlx::query("SELECT sqlite_version()").fetch_one(&mut *reader).await;
            let version: String = version.and_then(|row| row.try_get(0)).map_err(failed)?;
            let migrations = migrations::status(&mut reader).await.map_err(failed)?;
            let nodes = sqlx::query(nodes).bind(NODES_LISTED_MAX).fetch_all(&mut *reader).await;
            let nodes = nodes.map_err(failed)?.iter().map(node).collect::<Result<_, _>>().map_err(failed)?;
            Ok(About { kind: format!("SQLite {version}"), migrations, nodes })
        })
    }
}

fn node(row: &SqliteRow) -> Result<KnownNode, sqlx::Error> {
    let lease_until_ms: i64 = row.try_get("lease_until_ms")?;
    Ok(KnownNode {
        node: NodeId(row.try_get("node_id")?),
        name: row.try_get("name")?,
        is_alive: row.try_get("is_alive")?,
        renewed_at_ms: Some(lease_until_ms - LEASE_MS),
    })
}
