//! What an event does to a hero. The only code that changes one; runs no rule and reads no catalogue.

mod belongings;
mod correction;
mod days;
mod focus;
mod tasks;
mod union;

pub(crate) use days::DAYS_KEPT;
pub(crate) use focus::minutes_up;

use crate::event::{Event, TimedEvent};
use crate::hero::{Hero, Today, Zone};

/// A silence longer than this begins a gap, in which an offline session may lie.
const GAP_MS: i64 = 60_000;

/// Changes the hero as the event says. Events come in the order in which they were made.
pub fn apply(hero: &mut Hero, timed: &TimedEvent) {
    let at_ms = timed.at_ms;
    let event = &timed.event;
    hero.latest_ms = hero.latest_ms.max(at_ms);
    if event.is_contact() {
        contact(hero, at_ms);
    }
    pay(hero, event);
    match event {
        Event::HeroCreated { .. } => create(hero, at_ms, event),
        Event::NothingChanged => {}
        Event::SessionStarted { .. }
        | Event::SessionDescribed { .. }
        | Event::SessionPaused { .. }
        | Event::SessionInterrupted { .. }
        | Event::SessionResumed { .. }
        | Event::RoundFinished { .. }
        | Event::SessionContinued { .. }
        | Event::SessionSignalled { .. }
        | Event::SessionEnded { .. }
        | Event::SessionDiscarded { .. }
        | Event::SessionConfirmed { .. }
        | Event::OfflineFocusCredited { .. }
        | Event::BreakStarted { .. }
        | Event::BreakEnded { .. } => focus::apply(hero, at_ms, event),
        Event::BonusPaid { .. }
        | Event::DayActivated { .. }
        | Event::DaysEnded { .. }
        | Event::DayExtended { .. }
        | Event::OutageDeclared { .. }
        | Event::ShieldGiven { .. }
        | Event::ZoneQueued { .. }
        | Event::DailyGoalSet { .. }
        | Event::RestDaysSet { .. }
        | Event::VacationSet { .. } => days::apply(hero, event),
        Event::TaskCreated { .. }
        | Event::TaskUpdated { .. }
        | Event::TaskCompleted { .. }
        | Event::TaskReopened { .. }
        | Event::TaskDeleted { .. } => tasks::apply(hero, at_ms, event),
        Event::HeroRenamed { name } => hero.name.clone_from(name),
        Event::LevelReached { level } => hero.wallet.level = *level,
        Event::AchievementUnlocked { .. }
        | Event::AssemblyStarted { .. }
        | Event::AssemblyPaceChanged { .. }
        | Event::ModuleAssembled { .. }
        | Event::AssemblyCancelled { .. }
        | Event::BlueprintPinned { .. }
        | Event::BlueprintPaid { .. }
        | Event::BlueprintUnpinned { .. }
        | Event::ModuleUpgraded { .. }
        | Event::ModuleSold { .. }
        | Event::RackChanged { .. }
        | Event::SynergyFound { .. }
        | Event::PresetSaved { .. }
        | Event::PresetQueued { .. }
        | Event::PresetUnqueued
        | Event::PresetDeleted { .. }
        | Event::PresetSlotBought { .. }
        | Event::CosmeticBought { .. }
        | Event::CosmeticEquipped { .. } => belongings::apply(hero, at_ms, event),
        Event::BalanceCorrected { audit_seq, reverts, .. } => correction::apply(hero, *audit_seq, *reverts),
        Event::HeroHandedOver { .. } | Event::GuestUnited { .. } | Event::TasksBrought { .. } => {
            union::apply(hero, at_ms, event);
        }
    }
}

fn contact(hero: &mut Hero, at_ms: i64) {
    if at_ms - hero.contact_ms > GAP_MS {
        hero.gap_from_ms = hero.contact_ms;
        hero.gap_offline_ms = 0;
    }
    hero.contact_ms = hero.contact_ms.max(at_ms);
}

/// From when on an offline session that is reported now may lie, and how much of that silence is used up.
pub(crate) fn gap(hero: &Hero, now_ms: i64) -> (i64, i64) {
    if now_ms - hero.contact_ms > GAP_MS {
        (hero.contact_ms, 0)
    } else {
        (hero.gap_from_ms, hero.gap_offline_ms)
    }
}

fn pay(hero: &mut Hero, event: &Event) {
    let earned_me = event.earned_me();
    hero.wallet.energy_me += event.energy_me();
    hero.wallet.dopamine_md += event.dopamine_md();
    hero.wallet.lifetime_me += earned_me;
    hero.today.energy_me += match event {
        Event::OfflineFocusCredited { parts, .. } => {
            let today = hero.today.bounds.day_no;
            parts.iter().filter(|part| part.day_no == today).map(|part| part.energy_me).sum()
        }
        _ => earned_me,
    };
}

fn create(hero: &mut Hero, at_ms: i64, event: &Event) {
    let Event::HeroCreated { name, zone, today, shields, daily_goal_minutes, jobs, speed_permille } = event
    else {
        return;
    };
    hero.name.clone_from(name);
    hero.created_at_ms = at_ms;
    hero.latest_ms = at_ms;
    hero.contact_ms = at_ms;
    hero.gap_from_ms = at_ms;
    hero.focus_known_until_ms = at_ms;
    hero.zone = Zone::clone(zone);
    hero.streak.chain.shields = *shields;
    hero.today = Today { bounds: *today, before: hero.streak.chain, ..Today::default() };
    hero.daily_goal_minutes = *daily_goal_minutes;
    hero.wallet.level = 1;
    hero.assembly.jobs.clone_from(jobs);
    hero.assembly.speed_permille = *speed_permille;
    hero.assembly.anchor_ms = at_ms;
    hero.last_id = jobs.iter().map(|job| job.job_id).max().unwrap_or(0);
}
