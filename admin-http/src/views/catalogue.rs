//! The game's numbers: versions, and what another one would change.

use serde::Serialize;
use utoipa::ToSchema;

/// Every version that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogueVersions {
    /// The one in force.
    pub in_force: u32,
    /// Newest first. The one inside the program is among them.
    pub versions: Vec<CatalogueVersion>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogueVersion {
    /// Its number, as it says itself.
    pub version: u32,
    /// When it came; nothing for the one inside the program.
    pub uploaded_at_ms: Option<i64>,
    /// Who brought it.
    pub uploaded_by: Option<String>,
    /// Since when it is in force.
    pub in_force_since_ms: Option<i64>,
}

/// A version's text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogueText {
    /// Its number.
    pub version: u32,
    /// RON.
    pub text: String,
}

/// What became of an upload: a version, or everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UploadedCatalogue {
    /// The new version; nothing when there are problems.
    pub version: Option<u32>,
    /// In the order of the text.
    pub problems: Vec<CatalogueProblem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogueProblem {
    /// Line in the text, from 1.
    pub line: u32,
    /// The field.
    pub path: String,
    /// What was expected there, and what was found.
    pub problem: String,
}

/// What a version would change.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DryRun {
    /// The version in force.
    pub from: u32,
    /// The version that was tried.
    pub to: u32,
    /// Fields of the catalogue that differ, at most 500.
    pub changes: Vec<DryRunChange>,
    /// Heroes that were looked at: those in memory on this server, at most 10,000.
    pub heroes: u64,
    /// Of them, those for whom something changes.
    pub heroes_changed: u64,
    /// Heroes that own or build something that the new version does not have; it is refused while there are any.
    pub heroes_broken: u64,
    /// By change of the energy rate, the largest first, at most 100.
    pub examples: Vec<DryRunHero>,
    /// How many heroes have which change of the energy rate, in steps of 50 thousandths from −1000 to +1000; what lies
    /// beyond is counted in the first and last one. 41 counts.
    pub histogram: Vec<u64>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DryRunChange {
    /// Such as `modules[osc_sine].cost_me`.
    pub path: String,
    /// As in force; nothing when it is new.
    pub from: Option<String>,
    /// As tried; nothing when it is gone.
    pub to: Option<String>,
}

/// What would change for one hero, if it focused now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DryRunHero {
    /// The hero.
    pub hero_id: String,
    /// Energy an hour of focus, as in force.
    pub energy_per_hour_from_me: i64,
    /// As tried.
    pub energy_per_hour_to_me: i64,
    /// In words: other prices of what it builds, a level more or less, modules that are gone.
    pub notes: Vec<String>,
}
