//! Postgres ends: killed, its disk torn out, out of order or full. The servers stay up and wait for it.

use anyhow::Result;
use test_servers::Postgres;

use super::Bench;
use crate::faults::ServerPlan;

/// A server of the case's own on a new database that has its tables.
pub(super) async fn plan(bench: &Bench, case: &str, postgres: &Postgres) -> Result<ServerPlan> {
    let plan = bench.plan(case)?.on_database(&postgres.new_database());
    plan.migrate().await?;
    Ok(plan)
}
