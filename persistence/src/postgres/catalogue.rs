//! Versions of the catalogue beside the journal in the same database, and what there is to say about it.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::connection::failed;
use super::{LEASE_MS, PostgresStore, in_time, migrations};
use crate::about::{About, AboutStore, KnownNode, NODES_LISTED_MAX};
use crate::catalogue::sql::catalogue_store;
use crate::record::NodeId;
use crate::store::StoreFuture;

catalogue_store!(PostgresStore, in_time);

impl AboutStore for PostgresStore {
    fn about(&self) -> StoreFuture<'_, About> {
        let nodes = "SELECT node_id, name, lease_until_ms, lease_until_ms > now_ms() AS is_alive
            FROM node ORDER BY name LIMIT $1";
        in_time(async move {
            let mut held = self.inner.others.take().await?;
            let version = sqlx::query("SELECT current_setting('server_version')");
            let version = version.fetch_one(held.connection()).await;
            let version: String = held.checked(version)?.try_get(0).map_err(failed)?;
            let migrations = migrations::status(held.connection()).await;
            let migrations = held.checked(migrations)?;
            let rows = sqlx::query(nodes).bind(i64::from(NODES_LISTED_MAX));
            let rows = rows.fetch_all(held.connection()).await;
            let rows = held.checked(rows)?;
            held.keep();
            let nodes = rows.iter().map(node).collect::<Result<_, _>>().map_err(failed)?;
            Ok(About { kind: format!("PostgreSQL {version}"), migrations, nodes })
        })
    }
}

fn node(row: &PgRow) -> Result<KnownNode, sqlx::Error> {
    let lease_until_ms: i64 = row.try_get("lease_until_ms")?;
    Ok(KnownNode {
        node: NodeId(row.try_get("node_id")?),
        name: row.try_get("name")?,
        is_alive: row.try_get("is_alive")?,
        renewed_at_ms: Some(lease_until_ms - LEASE_MS),
    })
}
