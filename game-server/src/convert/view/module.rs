//! Owned modules and what is being built.

use protocol::types as wire;
use simulation::{
    catalogue::Catalogue,
    hero::{Assembly, Hero, Job, OwnedModule},
};

use super::level;

pub(super) fn modules(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> Vec<wire::OwnedModule> {
    hero.modules.iter().map(|module| owned(module, catalogue, now_ms)).collect()
}

fn owned(module: &OwnedModule, catalogue: &Catalogue, now_ms: i64) -> wire::OwnedModule {
    let refund = refund(module, now_ms, catalogue);
    wire::OwnedModule {
        module_id: module.module_id.to_string(),
        level: module.level,
        upgrade_md: catalogue
            .module(module.module_id)
            .and_then(|spec| catalogue.upgrades.cost_md(spec.rarity, module.level)),
        sell_me: refund.energy_me,
        sell_md: refund.dopamine_md,
    }
}

pub(super) fn assembly(hero: &Hero, catalogue: &Catalogue) -> wire::Assembly {
    let assembly = &hero.assembly;
    wire::Assembly {
        slots: catalogue.rack.at_level(level(hero, catalogue)).assembly_slots,
        jobs: assembly.jobs.iter().map(|job| running(assembly, job, catalogue)).collect(),
        blueprint: assembly.blueprint.as_deref().map(|blueprint| wire::Blueprint {
            module_id: blueprint.module_id.to_string(),
            paid_me: blueprint.paid_me,
            price_me: catalogue.module(blueprint.module_id).map_or(blueprint.paid_me, |spec| spec.cost_me),
        }),
    }
}
