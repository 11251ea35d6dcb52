//! This server and its neighbours.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What runs, and how it is set.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct System {
    /// The program's version.
    pub version: String,
    /// The compiler that made it.
    pub rust_version: String,
    /// The database with its version, without credentials.
    pub database: String,
    /// `development`, `staging` or `production`.
    pub environment: String,
    /// Every variable, in the order of `.env.example`.
    pub settings: Vec<Setting>,
    /// Servers that share the database.
    pub nodes: Vec<Node>,
    /// Every migration.
    pub migrations: Vec<Migration>,
    /// What players are told.
    pub banner: Option<Banner>,
}

/// A server that was asked to drain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Draining {
    /// `draining`, as in the overview's `readiness`.
    pub status: String,
}

impl Draining {
    pub(crate) const STATUS: &str = "draining";

    pub(crate) fn begun() -> Self {
        Self { status: Self::STATUS.to_owned() }
    }
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What is in force; `***` for a secret that is set.
    pub value: String,
    /// Whether it was set, or is the default.
    pub is_default: bool,
    /// What it means.
    pub meaning: String,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Node {
    /// Its id.
    pub node_id: String,
    /// Its name.
    pub name: String,
    /// Whether it is the one that answers.
    pub is_this: bool,
    /// Whether its lease runs.
    pub is_alive: bool,
    /// When it renewed its lease.
    pub renewed_at_ms: Option<i64>,
    /// Its player sockets, where Redis knows.
    pub connections: Option<u64>,
    /// Its heroes, where Redis knows.
    pub heroes: Option<u64>,
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether it was applied.
    pub is_applied: bool,
}

/// What every player is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Banner {
    /// 1 to 200 characters.
    pub text: String,
    /// Until when it shows; nothing: until it is taken back.
    pub until_ms: Option<i64>,
}
