//! Modules: owned, being built, in the rack, and in kept racks.

use serde::{Deserialize, Serialize};

use super::Category;

/// A cable from a module's output to an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// The module whose output it is.
    pub from: String,
    /// The module whose input it is, or `core`.
    pub to: String,
}

/// An owned module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OwnedModule {
    /// Catalogue id.
    pub module_id: String,
    /// 1 to 5.
    pub level: u8,
    /// Price of the next level; nothing at 5.
    pub upgrade_md: Option<i64>,
    /// What selling gives now.
    pub sell_me: i64,
    /// What selling gives now.
    pub sell_md: i64,
}

/// What is being built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Assembly {
    /// Jobs at the same time.
    pub slots: u8,
    /// Running jobs.
    pub jobs: Vec<Job>,
    /// A blueprint that is being paid for.
    pub blueprint: Option<Blueprint>,
}

/// A running job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Job {
    /// The hero's number for it.
    pub job_id: u32,
    /// What it makes.
    pub module_id: String,
    /// Server time for which `done_ms_at_anchor` holds.
    pub anchor_ms: i64,
    /// Work done at the anchor, in ms of idle speed.
    pub done_ms_at_anchor: i64,
    /// Work needed, in ms of idle speed.
    pub work_ms: i64,
    /// Speed now: 1000 idle, 4000 while focusing, more with a clock.
    pub speed_permille: u32,
    /// When it is done at the speed of now.
    pub done_at_ms: i64,
    /// What finishing it now costs.
    pub finish_md: i64,
}

/// A blueprint that is being paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Blueprint {
    /// What it will make.
    pub module_id: String,
    /// Paid so far.
    pub paid_me: i64,
    /// The price.
    pub price_me: i64,
}

/// The rack and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rack {
    /// Cells in a row.
    pub columns: u8,
    /// Rows.
    pub rows: u8,
    /// How far a cable reaches.
    pub reach: u8,
    /// What lies where.
    pub placements: Vec<Placement>,
    /// What is plugged into what.
    pub cables: Vec<Cable>,
    /// Modules that a generator reaches and that reach the core.
    pub powered: Vec<String>,
    /// Dopamine while focusing (of the next session).
    pub dopamine_rate_ud_per_s: i64,
    /// Added to the energy of a session.
    pub energy_bonus_permille: i64,
    /// Found ones that work now.
    pub synergies: Vec<String>,
    /// All that were ever found.
    pub synergies_found: Vec<String>,
}

/// A module on the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Placement {
    /// Which module.
    pub module_id: String,
    /// Row-major index, 0 at the top left.
    pub cell: u8,
}

/// Kept racks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Presets {
    /// How many there may be.
    pub slots: u8,
    /// Price of one more slot; nothing when no more can be bought.
    pub next_slot_md: Option<i64>,
    /// The kept ones.
    pub presets: Vec<Preset>,
    /// Will be loaded when the session ends.
    pub queued_slot: Option<u8>,
}

/// A kept rack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preset {
    /// Its number.
    pub slot: u8,
    /// Its name.
    pub name: String,
    /// What it is meant for.
    pub category: Category,
    /// The short code to share it.
    pub code: String,
}
