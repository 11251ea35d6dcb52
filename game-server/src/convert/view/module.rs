//! Owned modules and what is being built.

use protocol::types as wire;
use simulation::{
    catalogue::Catalogue,
    hero::{Hero, Job, OwnedModule},
    rules::assembly::{done_at_ms, finish_md, sale, slots, upgrade_md},
};

pub(super) fn modules(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> Vec<wire::OwnedModule> {
    hero.modules.iter().map(|module| owned(module, catalogue, now_ms)).collect()
}

fn owned(module: &OwnedModule, catalogue: &Catalogue, now_ms: i64) -> wire::OwnedModule {
    let (sell_me, sell_md) = sale(module, now_ms, catalogue);
    wire::OwnedModule {
        module_id: module.module_id.to_string(),
        level: module.level,
        upgrade_md: upgrade_md(module, catalogue),
        sell_me,
        sell_md,
    }
}

pub(super) fn assembly(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> wire::Assembly {
    let assembly = &hero.assembly;
    wire::Assembly {
        slots: slots(hero, catalogue),
        jobs: assembly.jobs.iter().map(|job| running(hero, job, catalogue, now_ms)).collect(),
        blueprint: assembly.blueprint.as_deref().map(|blueprint| wire::Blueprint {
            module_id: blueprint.module_id.to_string(),
            paid_me: blueprint.paid_me,
            price_me: catalogue.module(blueprint.module_id).map_or(blueprint.paid_me, |spec| spec.cost_me),
        }),
    }
}

fn running(hero: &Hero, job: &Job, catalogue: &Catalogue, now_ms: i64) -> wire::Job {
    wire::Job {
        job_id: job.job_id,
        module_id: job.module_id.to_string(),
        anchor_ms: hero.assembly.anchor_ms,
        done_ms_at_anchor: job.done_permille_ms / 1000,
        work_ms: job.work_ms,
        speed_permille: hero.assembly.speed_permille,
        done_at_ms: done_at_ms(hero, job),
        finish_md: finish_md(hero, job, now_ms, catalogue),
    }
}
