//! Rightsizing and money: recommendations only, nothing is ever done by itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The whole page.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Cost {
    /// What this server should be.
    pub rightsizing: Rightsizing,
    /// The plan, with the load that this server was measured to carry.
    pub phases: Vec<Phase>,
    /// The month.
    pub budget: Budget,
    /// When the prices were looked up, such as `2026-11-01`.
    pub prices_of: String,
}

/// What to do with the size of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not measured for long enough to say.
    Unknown,
    /// It fits.
    Keep,
    /// A smaller one will do.
    Downsize,
    /// A larger one is needed.
    Upsize,
}

/// What was measured and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rightsizing {
    /// What to do.
    pub verdict: Verdict,
    /// Why, in a sentence with the figures.
    pub reason: String,
    /// What this server runs on, as far as it can tell.
    pub size: String,
    /// What it should run on.
    pub recommended: String,
    /// Dollars a month that it would save; below zero, cost.
    pub saving_usd: f64,
    /// What was measured.
    pub load: Load,
}

/// Load of this server over the time that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Load {
    /// How long.
    pub measured_ms: i64,
    /// CPU, mean, thousandths of all cores.
    pub cpu_mean_permille: u32,
    /// CPU, 95th percentile.
    pub cpu_p95_permille: u32,
    /// Memory, highest, thousandths of the limit.
    pub memory_max_permille: u32,
    /// Most players at once.
    pub players_max: u64,
    /// Players that one such server carries at 70 % CPU and 80 % memory, from these figures.
    pub players_carried: u64,
}

/// One phase of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Phase {
    /// Users, from.
    pub users_from: u64,
    /// Users, up to.
    pub users_to: u64,
    /// Players at once, at the upper end.
    pub players_at_once: u64,
    /// Servers it takes.
    pub servers: u32,
    /// Each of them.
    pub size: String,
    /// Dollars a month by part: servers, database, redis, load balancer, storage and traffic.
    pub parts: Vec<(String, f64)>,
    /// In all.
    pub total_usd: f64,
    /// What the plan says.
    pub planned_usd: f64,
}

/// The month's money.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Budget {
    /// Dollars for the month.
    pub budget_usd: u32,
    /// Dollars of this month so far, from the servers that ran and the plan's prices.
    pub spent_usd: f64,
    /// Dollars of the whole month, if it goes on like this.
    pub forecast_usd: f64,
    /// Thresholds of the budget that were passed and told: 50, 80, 100.
    pub passed_percent: Vec<u32>,
    /// Where it is told: `mail`, `slack`.
    pub told_to: Vec<String>,
}
