//! Postgres ends: killed, its disk torn out, out of order or full. The servers stay up and wait for it.

use anyhow::Result;
use test_servers::Postgres;
use tokio::task::block_in_place;

use super::Bench;
use super::machine::run;
use crate::faults::ServerPlan;

/// A server of the case's own on a new database that has its tables.
pub(super) async fn plan(bench: &Bench, case: &str, postgres: &Postgres) -> Result<ServerPlan> {
    let plan = bench.plan(case)?.on_database(&postgres.new_database());
    plan.migrate().await?;
    Ok(plan)
}

/// Rows of one statement. A database that ends meanwhile is an error here, and none of a test.
pub(super) fn ask(url: &str, sql: &str) -> Result<String> {
    let arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql];
    Ok(block_in_place(|| run("psql", &arguments))?.trim().to_owned())
}
