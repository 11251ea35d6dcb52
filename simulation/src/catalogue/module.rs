//! What the catalogue says about modules, achievements and cosmetics.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{AchievementId, CosmeticId, ModuleId};

/// What a task or a session is about. Categories have no price of their own; modules and mastery look at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Making something.
    Creative,
    /// Thinking something through.
    Analytical,
    /// Moving.
    Physical,
    /// Learning something.
    Learning,
    /// Not said.
    #[default]
    None,
}

impl Category {
    /// The four categories that a module can belong to, in the order of [`Category::index`].
    pub const NAMED: [Self; 4] = [Self::Creative, Self::Analytical, Self::Physical, Self::Learning];

    /// The place of a named category in arrays of four; nothing for [`Category::None`].
    #[must_use]
    pub const fn index(self) -> Option<usize> {
        match self {
            Self::Creative => Some(0),
            Self::Analytical => Some(1),
            Self::Physical => Some(2),
            Self::Learning => Some(3),
            Self::None => None,
        }
    }
}

/// What a module does with the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    /// Begins a path; has no input.
    Generator,
    /// Raises the generators whose path goes through it.
    Multiplier,
    /// Passes the signal on and changes how energy is earned.
    Modifier,
    /// Passes the signal on and changes something else.
    Special,
}

/// How rare a module is: it decides what upgrades cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rarity {
    /// Within a few sessions.
    Common,
    /// Within days.
    Rare,
    /// Within weeks.
    Epic,
    /// Within months.
    Legendary,
}

impl Rarity {
    /// All rarities, from common to legendary.
    pub const ALL: [Self; 4] = [Self::Common, Self::Rare, Self::Epic, Self::Legendary];
}

/// One thing that a powered module does, at module level 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A generator's rate.
    Generate {
        /// Micro-dopamine per second of focus.
        rate_ud_per_s: i64,
    },
    /// Multiplies the generator's rate while the focused time of a session is below `rack.early_ms`.
    EarlyBoost {
        /// 1500 is one and a half times the rate.
        factor_permille: i64,
    },
    /// Added to the path bonus of every generator whose path goes through the module.
    PathBonus {
        /// Added permille.
        bonus_permille: i64,
    },
    /// Added to the energy modifier of every session.
    Energy {
        /// Added permille.
        bonus_permille: i64,
    },
    /// Added to the energy modifier of sessions of one category.
    CategoryEnergy {
        /// Which sessions.
        category: Category,
        /// Added permille.
        bonus_permille: i64,
    },
    /// Sessions begin further up the ramp.
    RampStart {
        /// Position on the ramp.
        position_ms: i64,
    },
    /// An interruption costs less of the ramp.
    InterruptionRelief {
        /// Taken off `focus.interruption_ramp_loss_ms`.
        ramp_ms: i64,
    },
    /// Tasks pay more.
    TaskReward {
        /// Added permille.
        bonus_permille: i64,
    },
    /// Breaks pay more.
    BreakReward {
        /// Added milli-energy a break.
        bonus_me: i64,
    },
    /// Assembly runs faster.
    AssemblySpeed {
        /// Added permille.
        bonus_permille: i64,
    },
    /// Room for more shields (and that many shields at once when it is powered for the first time).
    ShieldCapacity {
        /// Added shields.
        shields: i64,
    },
    /// Cables reach further as soon as the module lies on the grid, powered or not.
    CableReach {
        /// Manhattan distance in cells.
        cells: i64,
    },
    /// Sessions in a room are worth more to this hero.
    RoomBonus {
        /// Added permille.
        bonus_permille: i64,
    },
    /// The core raises everything that arrives.
    Core {
        /// Added permille.
        bonus_permille: i64,
    },
}

/// One module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleSpec {
    /// Its name in saves and on the wire.
    pub id: ModuleId,
    /// Its name for people, 1 to 40 characters.
    pub name: String,
    /// What it does with the signal.
    pub kind: ModuleKind,
    /// How rare it is.
    pub rarity: Rarity,
    /// What assembling it costs.
    pub cost_me: i64,
    /// The hero level that it needs.
    pub hero_level: u8,
    /// Time to assemble when idle.
    pub build_ms: i64,
    /// How many cables may arrive.
    pub inputs: u8,
    /// What it does. The first one is the primary effect, the one that upgrades raise.
    pub effects: Vec<Effect>,
}

/// What an achievement counts. All of them only ever grow, except those that say "at once", which are looked at
/// when they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Sessions that ignited (2 minutes of focus).
    Sparks,
    /// Modules that the player assembled, sold ones too; the starter is none.
    ModulesBuilt,
    /// Modules that are powered at once.
    ModulesPowered,
    /// Focused minutes.
    FocusMinutes,
    /// Returns in time after an interruption.
    Returns,
    /// Returns after days away.
    WelcomeBacks,
    /// Backed tasks done.
    BackedTasksDone,
    /// Old tasks done with focus.
    Frogs,
    /// Tasks with enough subtasks, all done.
    Splits,
    /// Breaks taken.
    Breaks,
    /// Active days in total.
    ActiveDays,
    /// Named categories with focus within one week, the most so far.
    CategoriesInWeek,
    /// Rare modules owned so far.
    RareModules,
    /// Epic modules owned so far.
    EpicModules,
    /// Legendary modules owned so far.
    LegendaryModules,
    /// Synergies that work at once.
    SynergiesAtOnce,
    /// Sessions in a room.
    RoomSessions,
    /// Room sessions as the host.
    RoomsHosted,
    /// Different preset slots that were loaded.
    PresetsUsed,
    /// Backed tasks whose estimate was close.
    GoodEstimates,
}

/// One achievement: `counter` has reached `at_least`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AchievementSpec {
    /// Its name in saves and on the wire.
    pub id: AchievementId,
    /// Its name for people, 1 to 40 characters.
    pub name: String,
    /// What is counted.
    pub counter: Counter,
    /// How much of it is needed.
    pub at_least: u64,
    /// What it pays, once.
    pub reward_me: i64,
}

/// What a cosmetic is put on. At most one of each slot is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CosmeticSlot {
    /// Colour of the cables.
    Cable,
    /// Look of the rack.
    Skin,
}

/// One skin or cable colour. Cosmetics change nothing but looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosmeticSpec {
    /// Its name in saves and on the wire.
    pub id: CosmeticId,
    /// Its name for people, 1 to 40 characters.
    pub name: String,
    /// What it is put on.
    pub slot: CosmeticSlot,
    /// What it costs.
    pub cost_md: i64,
}
