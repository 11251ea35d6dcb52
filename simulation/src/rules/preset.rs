//! Presets, preset slots and cosmetics: rules, sections 5 and 6.

use super::profile::NAME_CHARS_MAX;
use super::{rack, text, wallet};
use crate::catalogue::{Catalogue, Category};
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::{Hero, Preset};
use crate::id::CosmeticId;
use crate::preset_code;
use crate::rejection::{Field, Rejection};

/// How many presets the hero can keep.
#[must_use]
pub fn slots(hero: &Hero, catalogue: &Catalogue) -> u8 {
    let of_level = catalogue.rack.at_level(hero.wallet.level).presets;
    of_level.saturating_add(hero.presets.slots_bought).min(catalogue.rack.presets_max)
}

/// What one more slot costs; nothing if no more can be bought. As many can be bought as fit beyond those of the
/// highest level, so that a bought slot never turns out to have been for nothing.
#[must_use]
pub fn next_slot_md(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let of_levels = catalogue.rack.levels.last().map_or(0, |row| row.presets);
    let can_buy = catalogue.rack.presets_max.saturating_sub(of_levels);
    (hero.presets.slots_bought < can_buy).then_some(catalogue.rack.preset_slot_md)
}

fn check_slot(draft: &Draft<'_>, slot: u8) -> Result<(), Rejection> {
    if slot < slots(&draft.hero, draft.catalogue) { Ok(()) } else { Err(Rejection::UnknownSlot) }
}

fn kept<'a>(draft: &'a Draft<'_>, slot: u8) -> Result<&'a Preset, Rejection> {
    draft.hero.presets.kept.iter().find(|preset| preset.slot == slot).ok_or(Rejection::EmptySlot)
}

pub(crate) fn save(
    draft: &mut Draft<'_>,
    now_ms: i64,
    slot: u8,
    name: &str,
    category: Category,
) -> Result<(), Rejection> {
    check_slot(draft, slot)?;
    text::check(name, Field::Name, NAME_CHARS_MAX)?;
    let preset = Preset { slot, name: name.into(), category, rack: draft.hero.rack.clone() };
    if kept(draft, slot).ok() != Some(&preset) {
        draft.emit(now_ms, Event::PresetSaved { preset });
    }
    Ok(())
}

pub(crate) fn import(draft: &mut Draft<'_>, now_ms: i64, slot: u8, code: &str) -> Result<(), Rejection> {
    check_slot(draft, slot)?;
    let shared = preset_code::decode(code, draft.catalogue).map_err(|_| Rejection::InvalidCode)?;
    // A shared name passes the same check as a typed one.
    let name = if text::check(&shared.name, Field::Name, NAME_CHARS_MAX).is_ok() {
        shared.name.as_str()
    } else {
        "?"
    };
    let preset = Preset { slot, name: name.into(), category: shared.category, rack: shared.rack };
    draft.emit(now_ms, Event::PresetSaved { preset });
    Ok(())
}

pub(crate) fn delete(draft: &mut Draft<'_>, now_ms: i64, slot: u8) -> Result<(), Rejection> {
    kept(draft, slot)?;
    draft.emit(now_ms, Event::PresetDeleted { slot });
    Ok(())
}

pub(crate) fn load(draft: &mut Draft<'_>, now_ms: i64, slot: u8) -> Result<(), Rejection> {
    kept(draft, slot)?;
    if draft.hero.session.is_none() {
        load_now(draft, now_ms, slot);
    } else if draft.hero.presets.queued_slot != Some(slot) {
        draft.emit(now_ms, Event::PresetQueued { slot });
    }
    Ok(())
}

fn load_now(draft: &mut Draft<'_>, at_ms: i64, slot: u8) {
    let hero = &draft.hero;
    let grid = rack::grid(hero, draft.catalogue);
    let event = match kept(draft, slot) {
        Ok(preset) => {
            let rack =
                preset.rack.fitted(|module_id| hero.module(module_id).is_some(), grid, draft.catalogue);
            Event::RackChanged { rack, preset_slot: Some(slot) }
        }
        Err(_) => Event::PresetUnqueued,
    };
    draft.emit(at_ms, event);
}

/// A preset that waited for the end of the session.
pub(crate) fn load_queued(draft: &mut Draft<'_>, at_ms: i64) {
    if draft.hero.session.is_none()
        && let Some(slot) = draft.hero.presets.queued_slot
    {
        load_now(draft, at_ms, slot);
    }
}

pub(crate) fn buy_slot(draft: &mut Draft<'_>, now_ms: i64) -> Result<(), Rejection> {
    let max = i64::from(slots(&draft.hero, draft.catalogue));
    let cost_md = next_slot_md(&draft.hero, draft.catalogue)
        .ok_or(Rejection::LimitReached { field: Field::PresetSlots, max })?;
    wallet::afford_md(&draft.hero, cost_md)?;
    draft.emit(now_ms, Event::PresetSlotBought { cost_md });
    Ok(())
}

pub(crate) fn buy_cosmetic(
    draft: &mut Draft<'_>,
    now_ms: i64,
    cosmetic_id: CosmeticId,
) -> Result<(), Rejection> {
    let cost_md = draft.catalogue.cosmetic(cosmetic_id).ok_or(Rejection::UnknownCosmetic)?.cost_md;
    if draft.hero.cosmetics.owned.contains(&cosmetic_id) {
        return Ok(());
    }
    wallet::afford_md(&draft.hero, cost_md)?;
    draft.emit(now_ms, Event::CosmeticBought { cosmetic_id, cost_md });
    Ok(())
}

pub(crate) fn equip(draft: &mut Draft<'_>, now_ms: i64, cosmetic_id: CosmeticId) -> Result<(), Rejection> {
    let catalogue = draft.catalogue;
    let slot = catalogue.cosmetic(cosmetic_id).ok_or(Rejection::UnknownCosmetic)?.slot;
    let cosmetics = &draft.hero.cosmetics;
    if !cosmetics.owned.contains(&cosmetic_id) {
        return Err(Rejection::NotOwned);
    }
    if cosmetics.equipped.contains(&cosmetic_id) {
        return Ok(());
    }
    let same_slot = |worn: &CosmeticId| catalogue.cosmetic(*worn).is_some_and(|other| other.slot == slot);
    let replaces = cosmetics.equipped.iter().copied().find(same_slot);
    draft.emit(now_ms, Event::CosmeticEquipped { cosmetic_id, replaces });
    Ok(())
}
