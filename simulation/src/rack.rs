//! The rack: what lies on the grid, how it is cabled, and what that does. Rules, section 5.
//!
//! Edits check everything and leave the rack as it was when they refuse. [`evaluate`] is a pure function of what
//! lies where; the order of placements and cables means nothing (both are kept sorted, so that equal racks are
//! equal values).

mod auto_patch;
mod edit;
mod evaluate;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Effect, ModuleSpec, RackLevel};
use crate::id::ModuleId;

pub use auto_patch::auto_patch;
pub use evaluate::{RackEffect, evaluate};

/// Where the cables end. It is off the grid and within reach of every cell; no module has this name.
pub const CORE: ModuleId = ModuleId::literal("core");

/// Columns and rows that a cell's number has room for.
pub const GRID_SIDE_MAX: u8 = 8;

/// A place on the grid. Its number is `row · 8 + column`, so that it stays the same place when the grid grows;
/// clients count row by row in the grid that they see, see [`Grid::cell`] and [`Grid::index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Cell(u8);

impl TryFrom<u8> for Cell {
    type Error = RackError;

    fn try_from(number: u8) -> Result<Self, RackError> {
        Self::from_number(number).ok_or(RackError::NoSuchCell)
    }
}

impl From<Cell> for u8 {
    fn from(cell: Cell) -> Self {
        cell.0
    }
}

impl Cell {
    /// The cell in a column and row; nothing outside of the largest grid.
    #[must_use]
    pub const fn new(column: u8, row: u8) -> Option<Self> {
        if column < GRID_SIDE_MAX && row < GRID_SIDE_MAX {
            Some(Self(row * GRID_SIDE_MAX + column))
        } else {
            None
        }
    }

    /// The cell with a number, see [`Cell`]; nothing outside of the largest grid.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number < GRID_SIDE_MAX * GRID_SIDE_MAX { Some(Self(number)) } else { None }
    }

    /// Its number, see [`Cell`].
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Columns to its left.
    #[must_use]
    pub const fn column(self) -> u8 {
        self.0 % GRID_SIDE_MAX
    }

    /// Rows above it.
    #[must_use]
    pub const fn row(self) -> u8 {
        self.0 / GRID_SIDE_MAX
    }

    /// Steps along the grid's lines to another cell.
    #[must_use]
    pub const fn distance(self, other: Self) -> u8 {
        self.column().abs_diff(other.column()) + self.row().abs_diff(other.row())
    }
}

/// The grid that a hero's level gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Cells in a row.
    pub columns: u8,
    /// Rows.
    pub rows: u8,
}

impl Grid {
    /// The grid of a hero level.
    #[must_use]
    pub fn at_level(hero_level: u8, catalogue: &Catalogue) -> Self {
        let RackLevel { columns, rows, .. } = *catalogue.rack.at_level(hero_level);
        Self { columns, rows }
    }

    /// How many cells there are.
    #[must_use]
    pub const fn cell_count(self) -> u8 {
        self.columns.saturating_mul(self.rows)
    }

    /// The cell with a number as clients count: row by row, from 0 at the top left.
    #[must_use]
    pub const fn cell(self, index: u8) -> Option<Cell> {
        if index >= self.cell_count() {
            return None;
        }
        Cell::new(index % self.columns, index / self.columns)
    }

    /// The number of a cell as clients count; nothing outside of this grid.
    #[must_use]
    pub const fn index(self, cell: Cell) -> Option<u8> {
        if self.contains(cell) { Some(cell.row() * self.columns + cell.column()) } else { None }
    }

    /// Whether the cell is part of this grid.
    #[must_use]
    pub const fn contains(self, cell: Cell) -> bool {
        cell.column() < self.columns && cell.row() < self.rows
    }

    /// All cells, row by row.
    pub fn cells(self) -> impl Iterator<Item = Cell> {
        (0..self.cell_count()).filter_map(move |index| self.cell(index))
    }
}

/// A module on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Where it lies.
    pub cell: Cell,
    /// Which one.
    pub module_id: ModuleId,
}

/// A cable from the output of a module to an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// The module whose output it is.
    pub from: ModuleId,
    /// The module whose input it is, or [`CORE`].
    pub to: ModuleId,
}

/// What lies on the grid and how it is cabled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rack {
    /// Ascending by cell; at most one a cell, at most one of each module.
    pub placements: Vec<Placement>,
    /// Ascending by `from`; at most one from each module.
    pub cables: Vec<Cable>,
}

/// Extra worth of certain layouts. Found ones are kept in the hero's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synergy {
    /// Generator, multiplier and modifier on one path to the core, in this order.
    FullVoice,
    /// Two powered generators side by side.
    Harmony,
    /// A powered legendary module with empty cells beside it.
    QuietSpace,
    /// A powered module of each rarity.
    Spectrum,
    /// A powered module of each category.
    FourWinds,
    /// A powered clock with powered modules beside it.
    InTime,
}

impl Synergy {
    /// All synergies, in the order of the rules.
    pub const ALL: [Self; 6] =
        [Self::FullVoice, Self::Harmony, Self::QuietSpace, Self::Spectrum, Self::FourWinds, Self::InTime];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullVoice => "full_voice",
            Self::Harmony => "harmony",
            Self::QuietSpace => "quiet_space",
            Self::Spectrum => "spectrum",
            Self::FourWinds => "four_winds",
            Self::InTime => "in_time",
        }
    }
}

/// Why an edit or a whole rack is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RackError {
    /// The module is not in the catalogue, or the hero does not own it.
    #[error("{0} is not owned")]
    NotOwned(ModuleId),
    /// The module is not on the grid.
    #[error("{0} is not on the grid")]
    NotPlaced(ModuleId),
    /// The module is on the grid twice.
    #[error("{0} is on the grid twice")]
    PlacedTwice(ModuleId),
    /// The cell is not on the grid of this level.
    #[error("there is no such cell")]
    NoSuchCell,
    /// Another module lies there.
    #[error("another module lies there")]
    CellTaken,
    /// The cable would be too long.
    #[error("the cable from {from} to {to} is too long")]
    OutOfReach {
        /// Where it begins.
        from: ModuleId,
        /// Where it ends.
        to: ModuleId,
    },
    /// The module, or the core, takes no further cable.
    #[error("{0} takes no further cable")]
    InputsFull(ModuleId),
    /// The output has a cable already.
    #[error("the output of {0} has two cables")]
    OutputTaken(ModuleId),
    /// The cable would close a loop.
    #[error("the cable from {0} closes a loop")]
    Loop(ModuleId),
}

impl Rack {
    /// Where a module lies.
    #[must_use]
    pub fn cell_of(&self, module_id: ModuleId) -> Option<Cell> {
        self.placements
            .iter()
            .find(|placement| placement.module_id == module_id)
            .map(|placement| placement.cell)
    }

    /// What lies on a cell.
    #[must_use]
    pub fn module_at(&self, cell: Cell) -> Option<ModuleId> {
        self.placements.iter().find(|placement| placement.cell == cell).map(|placement| placement.module_id)
    }

    /// Where a module's output goes.
    #[must_use]
    pub fn output_of(&self, module_id: ModuleId) -> Option<ModuleId> {
        self.cables.iter().find(|cable| cable.from == module_id).map(|cable| cable.to)
    }

    /// How far a cable reaches, in steps along the grid's lines. A module that raises it does so as soon as it
    /// lies on the grid: if it had to be powered first, unplugging it could break the cables that power it.
    #[must_use]
    pub fn reach_cells(&self, catalogue: &Catalogue) -> u8 {
        let effects = self
            .placements
            .iter()
            .filter_map(|placement| catalogue.module(placement.module_id))
            .flat_map(|module| module.effects.iter());
        effects.fold(catalogue.rack.reach_cells, |reach, effect| match effect {
            Effect::CableReach { cells } => reach.max(u8::try_from(*cells).unwrap_or(u8::MAX)),
            _ => reach,
        })
    }

    fn sort(&mut self) {
        self.placements.sort_unstable();
        self.cables.sort_unstable();
    }
}

/// How many cables may arrive at a module or at the core.
fn inputs_of(target: ModuleId, catalogue: &Catalogue) -> u8 {
    if target == CORE {
        catalogue.rack.core_inputs
    } else {
        catalogue.module(target).map_or(0, |module| module.inputs)
    }
}

/// An effect's number at a module level: the first effect of a module is raised by upgrades, the others are not.
fn at_level(value: i64, primary: bool, module_level: u8, catalogue: &Catalogue) -> i64 {
    if primary { value * catalogue.upgrades.factor_permille(module_level) / 1000 } else { value }
}

/// A module's first effect of one kind, at a module level.
fn effect_value(
    module: &ModuleSpec,
    module_level: u8,
    catalogue: &Catalogue,
    pick: impl Fn(&Effect) -> Option<i64>,
) -> Option<i64> {
    let mut effects = module.effects.iter().enumerate();
    effects.find_map(|(position, effect)| {
        pick(effect).map(|value| at_level(value, position == 0, module_level, catalogue))
    })
}
