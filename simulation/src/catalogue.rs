//! The catalogue: every number that a designer tunes, as one versioned and validated file.
//!
//! The built-in one is part of the binary. Another one can be put in force while the server runs: it is parsed by
//! [`Catalogue::parse`], which either gives a catalogue that every rule can rely on, or all that is wrong with it.

use alloc::vec::Vec;

use serde::Serialize;

use crate::id::{AchievementId, CosmeticId, ModuleId};

mod check;
mod error;
mod module;
mod rules;
mod source;

pub use error::{CatalogueError, CatalogueErrors};
pub use module::{
    AchievementSpec, Category, CosmeticSlot, CosmeticSpec, Counter, Effect, ModuleKind, ModuleSpec, Rarity,
};
pub use rules::{
    AssemblyRules, BonusRules, Bracket, Brackets, DailyBonus, DayRules, FocusRules, LevelRules, OfflineRules,
    RackLevel, RackRules, SellRules, StreakRules, SynergyRules, TaskRules, UpgradeCost, UpgradeRules,
};

/// Everything that a designer tunes. Serialises to what `GET /v1/catalogue` serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    /// Raised with every change; kept with every event.
    pub version: u32,
    /// Focus sessions.
    pub focus: FocusRules,
    /// Rewards beside focus and tasks.
    pub bonuses: BonusRules,
    /// Tasks.
    pub tasks: TaskRules,
    /// The player-day.
    pub days: DayRules,
    /// Streak and shields.
    pub streak: StreakRules,
    /// Hero levels.
    pub levels: LevelRules,
    /// The rack.
    pub rack: RackRules,
    /// Synergies of the rack.
    pub synergies: SynergyRules,
    /// Assembly.
    pub assembly: AssemblyRules,
    /// Upgrades.
    pub upgrades: UpgradeRules,
    /// Selling.
    pub sell: SellRules,
    /// Sessions that began offline.
    pub offline: OfflineRules,
    /// All modules, in the order in which they are shown.
    pub modules: Vec<ModuleSpec>,
    /// All achievements, in the order in which they are shown.
    pub achievements: Vec<AchievementSpec>,
    /// All cosmetics, in the order in which they are shown.
    pub cosmetics: Vec<CosmeticSpec>,
    /// Where each name is, ascending by name.
    #[serde(skip)]
    index: Index,
}

/// Positions in the lists, ascending by name, so that a lookup is a binary search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Index {
    modules: Vec<(ModuleId, usize)>,
    achievements: Vec<(AchievementId, usize)>,
    cosmetics: Vec<(CosmeticId, usize)>,
}

impl Index {
    fn of<Id: Ord + Copy>(ids: impl Iterator<Item = Id>) -> Vec<(Id, usize)> {
        let mut index: Vec<(Id, usize)> = ids.enumerate().map(|(position, id)| (id, position)).collect();
        index.sort_unstable();
        index
    }

    fn find<Id: Ord + Copy>(index: &[(Id, usize)], id: Id) -> Option<usize> {
        let found = index.binary_search_by_key(&id, |entry| entry.0).ok()?;
        index.get(found).map(|entry| entry.1)
    }
}

impl Catalogue {
    /// The text of the built-in catalogue: also the example for one's own.
    pub const BUILTIN_TEXT: &str = include_str!("../catalogue.ron");

    /// Longest text that is looked at.
    pub const TEXT_BYTES_MAX: usize = 256 * 1024;

    /// The catalogue inside the binary.
    ///
    /// # Panics
    /// If the built-in file is wrong; a test reads it.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(Self::BUILTIN_TEXT).expect("the built-in catalogue is checked by a test")
    }

    /// Reads and checks a catalogue.
    ///
    /// # Errors
    /// Everything that is wrong, each with line, field and what was expected.
    pub fn parse(text: &str) -> Result<Self, CatalogueErrors> {
        source::parse(text)
    }

    /// The module of that name.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> Option<&ModuleSpec> {
        self.modules.get(Index::find(&self.index.modules, id)?)
    }

    /// The achievement of that name.
    #[must_use]
    pub fn achievement(&self, id: AchievementId) -> Option<&AchievementSpec> {
        self.achievements.get(Index::find(&self.index.achievements, id)?)
    }

    /// The cosmetic of that name.
    #[must_use]
    pub fn cosmetic(&self, id: CosmeticId) -> Option<&CosmeticSpec> {
        self.cosmetics.get(Index::find(&self.index.cosmetics, id)?)
    }
}
