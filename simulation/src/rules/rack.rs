//! The hero's rack: edits, and what follows from them. Rules, section 5.

use alloc::vec::Vec;

use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::Hero;
use crate::id::ModuleId;
use crate::rack::{self, Grid, Rack, RackEffect, auto_patch};
use crate::rejection::{RackReason, Rejection};

/// The hero's grid.
#[must_use]
pub fn grid(hero: &Hero, catalogue: &Catalogue) -> Grid {
    Grid::at_level(hero.wallet.level, catalogue)
}

/// What the hero's rack does.
#[must_use]
pub fn effect(hero: &Hero, catalogue: &Catalogue) -> RackEffect {
    let level_of = |module_id: ModuleId| hero.module(module_id).map(|module| module.level);
    rack::evaluate(&hero.rack, grid(hero, catalogue), level_of, catalogue)
}

fn owned(draft: &Draft<'_>, module_id: ModuleId) -> Result<(), Rejection> {
    draft.catalogue.module(module_id).ok_or(Rejection::UnknownModule)?;
    draft.hero.module(module_id).map(|_| ()).ok_or(Rejection::NotOwned)
}

fn change(draft: &mut Draft<'_>, now_ms: i64, rack: Rack) {
    if rack != draft.hero.rack {
        draft.emit(now_ms, Event::RackChanged { rack, preset_slot: None });
    }
}

pub(crate) fn place(
    draft: &mut Draft<'_>,
    now_ms: i64,
    module_id: ModuleId,
    cell: u8,
) -> Result<(), Rejection> {
    owned(draft, module_id)?;
    let grid = grid(&draft.hero, draft.catalogue);
    let cell = grid.cell(cell).ok_or(Rejection::RackRefused(RackReason::NoSuchCell))?;
    let mut rack = draft.hero.rack.clone();
    rack.place(module_id, cell, grid, draft.catalogue)?;
    change(draft, now_ms, rack);
    Ok(())
}

pub(crate) fn remove(draft: &mut Draft<'_>, now_ms: i64, module_id: ModuleId) -> Result<(), Rejection> {
    let mut rack = draft.hero.rack.clone();
    rack.remove(module_id, draft.catalogue)?;
    change(draft, now_ms, rack);
    Ok(())
}

pub(crate) fn connect(
    draft: &mut Draft<'_>,
    now_ms: i64,
    from: ModuleId,
    to: ModuleId,
) -> Result<(), Rejection> {
    let mut rack = draft.hero.rack.clone();
    rack.connect(from, to, draft.catalogue)?;
    change(draft, now_ms, rack);
    Ok(())
}

pub(crate) fn disconnect(draft: &mut Draft<'_>, now_ms: i64, from: ModuleId) -> Result<(), Rejection> {
    let mut rack = draft.hero.rack.clone();
    rack.disconnect(from)?;
    change(draft, now_ms, rack);
    Ok(())
}

pub(crate) fn auto(draft: &mut Draft<'_>, now_ms: i64) {
    let owned: Vec<(ModuleId, u8)> =
        draft.hero.modules.iter().map(|module| (module.module_id, module.level)).collect();
    let rack = auto_patch(&owned, &draft.hero.rack, grid(&draft.hero, draft.catalogue), draft.catalogue);
    change(draft, now_ms, rack);
}

/// Synergies that work for the first time go into the book.
pub(crate) fn find_synergies(draft: &mut Draft<'_>, at_ms: i64) {
    let working = draft.effect().synergies.clone();
    for synergy in working {
        if !draft.hero.synergies_found.contains(&synergy) {
            draft.emit(at_ms, Event::SynergyFound { synergy });
        }
    }
}
