//! A guest's hero that ends, and what comes of it into another one.

use crate::event::{Event, GuestUnion};
use crate::hero::{DayRecord, GUESTS_KEPT, HandedOver, Hero};
use crate::id::HeroKey;

pub(super) fn apply(hero: &mut Hero, at_ms: i64, event: &Event) {
    match event {
        Event::HeroHandedOver { into, energy_me, dopamine_md } => {
            let (into, energy_me, dopamine_md) = (*into, *energy_me, *dopamine_md);
            hero.kin.get_or_insert_default().handed_over =
                Some(HandedOver { into, at_ms, energy_me, dopamine_md });
        }
        Event::GuestUnited { union } => united(hero, at_ms, union),
        Event::TasksBrought { tasks } => {
            hero.tasks.extend_from_slice(tasks);
            if let Some(last) = tasks.last() {
                hero.last_id = hero.last_id.max(last.task_id);
            }
        }
        _ => {}
    }
}

fn united(hero: &mut Hero, at_ms: i64, union: &GuestUnion) {
    remember(hero, union.guest);
    modules(hero, at_ms, union);
    hero.achievements.extend_from_slice(&union.achievements);
    hero.achievements.sort_by_key(|unlocked| unlocked.at_ms);
    hero.synergies_found.extend_from_slice(&union.synergies);
    hero.cosmetics.owned.extend_from_slice(&union.cosmetics);
    hero.presets.slots_bought += union.preset_slots;
    hero.presets.slots_used |= union.presets_used;
    hero.statistics = union.statistics;
    hero.today = union.today;
    hero.streak = union.streak;
    for record in &union.records {
        upsert(hero, record);
    }
    let surplus = hero.days.len().saturating_sub(super::DAYS_KEPT);
    hero.days.drain(..surplus);
    if let (Some(meter), Some(session)) = (union.meter, hero.session.as_deref_mut()) {
        session.meter = meter;
        session.acted = meter;
        session.acted_completion_me = session.completion_me;
    }
}

fn remember(hero: &mut Hero, guest: HeroKey) {
    let guests = &mut hero.kin.get_or_insert_default().guests;
    if guests.len() == GUESTS_KEPT {
        guests.remove(0);
    }
    guests.push(guest);
}

fn modules(hero: &mut Hero, at_ms: i64, union: &GuestUnion) {
    for module in &union.modules {
        hero.modules.retain(|owned| owned.module_id != module.module_id);
        hero.modules.push(*module);
    }
    if !union.modules.is_empty() {
        hero.modules.sort_by_key(|owned| owned.built_at_ms);
    }
    if union.jobs.is_empty() && union.jobs_ended.is_empty() {
        return;
    }
    super::belongings::settle(hero, at_ms);
    let jobs = &mut hero.assembly.jobs;
    jobs.retain(|job| !union.jobs_ended.contains(&job.job_id));
    jobs.extend_from_slice(&union.jobs);
    hero.last_id = jobs.iter().map(|job| job.job_id).fold(hero.last_id, u32::max);
}

/// Puts a day in its place.
fn upsert(hero: &mut Hero, record: &DayRecord) {
    match hero.days.binary_search_by_key(&record.day_no, |kept| kept.day_no) {
        Ok(index) => {
            if let Some(kept) = hero.days.get_mut(index) {
                *kept = *record;
            }
        }
        Err(index) => hero.days.insert(index, *record),
    }
}
