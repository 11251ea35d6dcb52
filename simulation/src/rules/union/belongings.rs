//! What a guest owns. There is one copy of each thing: of two, the better one stays and the other is paid back.

use alloc::vec::Vec;

use crate::catalogue::Catalogue;
use crate::hero::{Estate, Hero, Job, OwnedModule, Preset, Unlocked};
use crate::id::{CosmeticId, ModuleId};
use crate::rack::Synergy;
use crate::rules::assembly;

/// What was paid for second copies and comes back.
#[derive(Clone, Copy, Default)]
pub(super) struct Refunds {
    guest_me: i64,
    guest_md: i64,
    own_me: i64,
    own_md: i64,
}

impl Refunds {
    pub(super) const fn energy_me(self) -> i64 {
        self.guest_me + self.own_me
    }

    pub(super) const fn dopamine_md(self) -> i64 {
        self.guest_md + self.own_md
    }
}

/// What comes.
#[derive(Default)]
pub(super) struct Came {
    pub(super) energy_me: i64,
    pub(super) dopamine_md: i64,
    pub(super) earned_me: i64,
    pub(super) refunds: Refunds,
    pub(super) modules: Vec<OwnedModule>,
    pub(super) jobs: Vec<Job>,
    pub(super) jobs_ended: Vec<u32>,
    pub(super) achievements: Vec<Unlocked>,
    pub(super) synergies: Vec<Synergy>,
    pub(super) cosmetics: Vec<CosmeticId>,
    pub(super) preset_slots: u8,
    pub(super) presets: Vec<Preset>,
}

/// `goal_twice`: both were paid for the goal of the same day.
pub(super) fn unite(hero: &Hero, estate: &Estate, goal_twice: bool, catalogue: &Catalogue) -> Came {
    let guest = estate.hero();
    let mut came = Came::default();
    let goal_me = if goal_twice { catalogue.bonuses.daily_goal.reward_me } else { 0 };
    let twice_me = came.achievements(hero, guest, catalogue) + goal_me;
    came.earned_me = (guest.wallet.lifetime_me - twice_me).max(0);
    let experience = (hero.wallet.lifetime_me + came.earned_me).div_euclid(1000);
    // The level that follows at once: its slots are there for what comes.
    let level = catalogue.levels.level_of(experience).max(hero.wallet.level);
    came.modules(hero, guest);
    came.jobs(hero, estate, catalogue.rack.at_level(level).assembly_slots);
    came.refunds.guest_me += guest.assembly.blueprint.as_deref().map_or(0, |pinned| pinned.paid_me);
    came.synergies.extend(guest.synergies_found.iter().filter(|found| !hero.synergies_found.contains(found)));
    came.cosmetics(hero, guest, catalogue);
    came.presets(hero, guest, level, catalogue);
    let Refunds { guest_me, guest_md, own_me, own_md } = came.refunds;
    // A reward that both got counts once. What the guest has spent of it already is not taken from anybody.
    came.energy_me = (estate.end().energy_me + guest_me - twice_me).max(0) + own_me;
    came.dopamine_md = estate.end().dopamine_md + guest_md + own_md;
    came
}

/// Which of two copies is the better one. The first of two equal ones stays.
fn worth(module: &OwnedModule) -> (u8, i64, i64) {
    (module.level, module.paid_me, module.invested_md)
}

/// A starter as every hero gets it: nobody brings another one.
fn is_untouched(module: &OwnedModule) -> bool {
    module.paid_me == 0 && module.level == 1
}

impl Came {
    /// Says what the rewards are worth that both got.
    fn achievements(&mut self, hero: &Hero, guest: &Hero, catalogue: &Catalogue) -> i64 {
        let (twice, new): (Vec<Unlocked>, Vec<Unlocked>) =
            guest.achievements.iter().partition(|unlocked| hero.has_achievement(unlocked.achievement_id));
        self.achievements = new;
        let specs = twice.iter().filter_map(|unlocked| catalogue.achievement(unlocked.achievement_id));
        specs.map(|spec| spec.reward_me).sum()
    }

    fn modules(&mut self, hero: &Hero, guest: &Hero) {
        for module in guest.modules.iter().filter(|module| !is_untouched(module)) {
            match hero.module(module.module_id) {
                None => {
                    self.modules.push(*module);
                    // It was being built here.
                    let jobs = hero.assembly.jobs.iter().filter(|job| job.module_id == module.module_id);
                    for job in jobs {
                        self.jobs_ended.push(job.job_id);
                        self.refunds.own_me += job.paid_me;
                    }
                }
                Some(own) if worth(module) > worth(own) => {
                    self.modules.push(*module);
                    self.refunds.own_me += own.paid_me;
                    self.refunds.own_md += own.invested_md;
                }
                Some(_) => {
                    self.refunds.guest_me += module.paid_me;
                    self.refunds.guest_md += module.invested_md;
                }
            }
        }
    }

    /// Assemblies go on here where there is a slot; else everything paid comes back.
    fn jobs(&mut self, hero: &Hero, estate: &Estate, slots: u8) {
        let guest = estate.hero();
        let stay = hero.assembly.jobs.iter().filter(|job| !self.jobs_ended.contains(&job.job_id));
        let building: Vec<ModuleId> = stay.map(|job| job.module_id).collect();
        let mut free = usize::from(slots).saturating_sub(building.len());
        let mut job_id = hero.last_id;
        // The starter's is free, and every hero has its own.
        for job in guest.assembly.jobs.iter().filter(|job| job.paid_me > 0) {
            let is_known = hero.module(job.module_id).is_some() || building.contains(&job.module_id);
            if is_known || free == 0 {
                self.refunds.guest_me += job.paid_me;
                continue;
            }
            free -= 1;
            job_id += 1;
            let done_permille_ms = assembly::done_permille_ms(guest, job, estate.end().at_ms);
            self.jobs.push(Job { job_id, done_permille_ms, ..*job });
        }
    }

    fn cosmetics(&mut self, hero: &Hero, guest: &Hero, catalogue: &Catalogue) {
        for cosmetic_id in &guest.cosmetics.owned {
            if hero.cosmetics.owned.contains(cosmetic_id) {
                self.refunds.guest_md += catalogue.cosmetic(*cosmetic_id).map_or(0, |spec| spec.cost_md);
            } else {
                self.cosmetics.push(*cosmetic_id);
            }
        }
    }

    /// Presets lie down on empty slots, under their new numbers. Bought slots come as far as there may be so many.
    fn presets(&mut self, hero: &Hero, guest: &Hero, level: u8, catalogue: &Catalogue) {
        let rules = &catalogue.rack;
        let of_levels = rules.levels.last().map_or(0, |row| row.presets);
        let can_have = rules.presets_max.saturating_sub(of_levels).saturating_sub(hero.presets.slots_bought);
        self.preset_slots = guest.presets.slots_bought.min(can_have);
        let surplus = guest.presets.slots_bought - self.preset_slots;
        self.refunds.guest_md += i64::from(surplus) * rules.preset_slot_md;
        let bought = hero.presets.slots_bought.saturating_add(self.preset_slots);
        let slots = rules.at_level(level).presets.saturating_add(bought).min(rules.presets_max);
        let is_taken = |slot: &u8| hero.presets.kept.iter().any(|kept| kept.slot == *slot);
        let mut free = (0..slots).filter(|slot| !is_taken(slot));
        for preset in &guest.presets.kept {
            let is_same = |kept: &Preset| Preset { slot: preset.slot, ..kept.clone() } == *preset;
            if hero.presets.kept.iter().any(is_same) {
                continue;
            }
            let Some(slot) = free.next() else { break };
            self.presets.push(Preset { slot, ..preset.clone() });
        }
    }
}
