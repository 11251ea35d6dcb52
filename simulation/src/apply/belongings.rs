//! Modules, assembly, rack, presets, cosmetics, achievements.

use alloc::boxed::Box;

use crate::event::Event;
use crate::hero::{Blueprint, Hero, Preset, Unlocked};

pub(super) fn apply(hero: &mut Hero, at_ms: i64, event: &Event) {
    match event {
        Event::AchievementUnlocked { achievement_id, .. } => {
            hero.achievements.push(Unlocked { achievement_id: *achievement_id, at_ms });
        }
        Event::RackChanged { rack, preset_slot } => {
            hero.rack = rack.clone();
            if let Some(slot) = preset_slot {
                hero.presets.queued_slot = None;
                hero.presets.slots_used |= 1_u32.checked_shl(u32::from(*slot)).unwrap_or(0);
            }
        }
        Event::SynergyFound { synergy } => hero.synergies_found.push(*synergy),
        Event::PresetSaved { preset } => save_preset(hero, preset),
        Event::PresetQueued { slot } => hero.presets.queued_slot = Some(*slot),
        Event::PresetUnqueued => hero.presets.queued_slot = None,
        Event::PresetDeleted { slot } => {
            hero.presets.kept.retain(|preset| preset.slot != *slot);
            if hero.presets.queued_slot == Some(*slot) {
                hero.presets.queued_slot = None;
            }
        }
        Event::PresetSlotBought { .. } => hero.presets.slots_bought += 1,
        Event::CosmeticBought { cosmetic_id, .. } => hero.cosmetics.owned.push(*cosmetic_id),
        Event::CosmeticEquipped { cosmetic_id, replaces } => {
            hero.cosmetics.equipped.retain(|worn| Some(*worn) != *replaces);
            hero.cosmetics.equipped.push(*cosmetic_id);
        }
        Event::ModuleUpgraded { module_id, level, cost_md } => {
            if let Some(module) = hero.modules.iter_mut().find(|module| module.module_id == *module_id) {
                module.level = *level;
                module.invested_md += cost_md;
            }
        }
        Event::ModuleSold { module_id, .. } => hero.modules.retain(|module| module.module_id != *module_id),
        _ => assembly(hero, at_ms, event),
    }
}

fn assembly(hero: &mut Hero, at_ms: i64, event: &Event) {
    match event {
        Event::AssemblyStarted { job, from_blueprint, speed_permille, .. } => {
            settle(hero, at_ms);
            hero.assembly.speed_permille = *speed_permille;
            hero.assembly.jobs.push(*job);
            hero.last_id = hero.last_id.max(job.job_id);
            if *from_blueprint {
                hero.assembly.blueprint = None;
            }
        }
        Event::AssemblyPaceChanged { speed_permille } => {
            settle(hero, at_ms);
            hero.assembly.speed_permille = *speed_permille;
        }
        Event::ModuleAssembled { job_id, module, counts, rarity_slot, .. } => {
            settle(hero, at_ms);
            hero.assembly.jobs.retain(|job| job.job_id != *job_id);
            hero.modules.push(*module);
            hero.statistics.modules_built += u32::from(*counts);
            if let Some(owned) =
                rarity_slot.and_then(|slot| hero.statistics.rarities_owned.get_mut(usize::from(slot)))
            {
                *owned = owned.saturating_add(1);
            }
        }
        Event::AssemblyCancelled { job_id, .. } => {
            settle(hero, at_ms);
            hero.assembly.jobs.retain(|job| job.job_id != *job_id);
        }
        Event::BlueprintPinned { module_id } => {
            hero.assembly.blueprint = Some(Box::new(Blueprint { module_id: *module_id, paid_me: 0 }));
        }
        Event::BlueprintPaid { cost_me, .. } => {
            if let Some(blueprint) = hero.assembly.blueprint.as_deref_mut() {
                blueprint.paid_me += cost_me;
            }
        }
        Event::BlueprintUnpinned { .. } => hero.assembly.blueprint = None,
        _ => {}
    }
}

/// Brings all jobs to this moment at the speed they had: arithmetic on facts, no rule.
pub(super) fn settle(hero: &mut Hero, at_ms: i64) {
    let assembly = &mut hero.assembly;
    let ms = (at_ms - assembly.anchor_ms).max(0);
    for job in &mut assembly.jobs {
        job.done_permille_ms += ms * i64::from(assembly.speed_permille);
    }
    assembly.anchor_ms = assembly.anchor_ms.max(at_ms);
}

fn save_preset(hero: &mut Hero, preset: &Preset) {
    let kept = &mut hero.presets.kept;
    match kept.binary_search_by_key(&preset.slot, |kept| kept.slot) {
        Ok(index) => {
            if let Some(slot) = kept.get_mut(index) {
                *slot = preset.clone();
            }
        }
        Err(index) => kept.insert(index, preset.clone()),
    }
}
