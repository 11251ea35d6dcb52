//! The rack, what it does, and the kept ones.

use protocol::types as wire;
use simulation::{
    catalogue::Catalogue,
    hero::{Hero, Preset},
    preset_code,
    rack::Synergy,
    rules::{
        preset::{next_slot_md, slots},
        rack::{effect, grid},
    },
};

use super::category;

pub(super) fn rack(hero: &Hero, catalogue: &Catalogue) -> wire::Rack {
    let grid = grid(hero, catalogue);
    let effect = effect(hero, catalogue);
    let names = |synergies: &[Synergy]| synergies.iter().map(|synergy| synergy.name().to_owned()).collect();
    wire::Rack {
        columns: grid.columns,
        rows: grid.rows,
        reach: effect.reach_cells,
        placements: hero
            .rack
            .placements
            .iter()
            .filter_map(|placement| {
                let cell = grid.index(placement.cell)?;
                Some(wire::Placement { module_id: placement.module_id.to_string(), cell })
            })
            .collect(),
        cables: hero
            .rack
            .cables
            .iter()
            .map(|cable| wire::Cable { from: cable.from.to_string(), to: cable.to.to_string() })
            .collect(),
        powered: effect.powered.iter().map(ToString::to_string).collect(),
        dopamine_rate_ud_per_s: effect.rate_ud_per_s,
        energy_bonus_permille: effect.energy_permille,
        synergies: names(&effect.synergies),
        synergies_found: names(&hero.synergies_found),
    }
}

pub(super) fn presets(hero: &Hero, catalogue: &Catalogue) -> wire::Presets {
    wire::Presets {
        slots: slots(hero, catalogue),
        next_slot_md: next_slot_md(hero, catalogue),
        presets: hero.presets.kept.iter().map(kept).collect(),
        queued_slot: hero.presets.queued_slot,
    }
}

fn kept(preset: &Preset) -> wire::Preset {
    wire::Preset {
        slot: preset.slot,
        name: preset.name.to_string(),
        category: category(preset.category),
        code: preset_code::encode(preset.name.as_str(), preset.category, &preset.rack),
    }
}
