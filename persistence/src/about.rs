//! `AboutStore`: what operators are told about the database itself.

use crate::migration::MigrationStatus;
use crate::record::NodeId;
use crate::store::StoreFuture;

/// Most nodes that are listed.
pub const NODES_LISTED_MAX: u32 = 64;

/// A database, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Which kind and version, such as `PostgreSQL 15.18`.
    pub kind: String,
    /// Every migration that this program or the database knows, in order.
    pub migrations: Vec<MigrationStatus>,
    /// The nodes that share it, by name, at most [`NODES_LISTED_MAX`]; none of a database that only one uses.
    pub nodes: Vec<KnownNode>,
}

/// A node that the database knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownNode {
    /// Which.
    pub node: NodeId,
    /// What it is called.
    pub name: String,
    /// Whether its lease runs.
    pub is_alive: bool,
    /// When it renewed its lease, by the database's clock; nothing where leases have no clock of the wall.
    pub renewed_at_ms: Option<i64>,
}

/// What says how the database is.
pub trait AboutStore: Send + Sync {
    /// Kind, migrations, nodes.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn about(&self) -> StoreFuture<'_, About>;
}
