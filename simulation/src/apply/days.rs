//! Days, streak, zones and the bonuses that are counted by day.

use crate::event::{Bonus, DayCredit, Event};
use crate::hero::{DayBounds, DayKind, DayRecord, Hero, StreakChain, Today, Zone};

/// How many player-days a hero remembers.
pub(crate) const DAYS_KEPT: usize = 30;

pub(super) fn apply(hero: &mut Hero, event: &Event) {
    match event {
        Event::BonusPaid { bonus, energy_me } => bonus_paid(hero, *bonus, *energy_me),
        Event::DayActivated { day_no, chain, records, before_today } => {
            upsert(hero, records);
            if *day_no == hero.today.bounds.day_no {
                hero.today.active = true;
            } else if let Some(session) = hero.session.as_deref_mut()
                && session.started_day_no == *day_no
            {
                session.started_day_counted = true;
            }
            hero.today.before = *before_today;
            hero.streak.active_days += 1;
            hero.streak.last_active_day =
                Some(hero.streak.last_active_day.map_or(*day_no, |last| last.max(*day_no)));
            set_chain(hero, *chain);
            for record in records {
                hero.streak.longest_days = hero.streak.longest_days.max(record.before.days);
            }
            hero.streak.longest_days = hero.streak.longest_days.max(before_today.days);
        }
        Event::DaysEnded { credit, records, chain, next, zone, archived_task_ids } => {
            if let Some(day) = credit {
                credit_day(hero, day);
            }
            days_ended(hero, records, *chain, *next);
            if let Some(zone) = zone {
                zone_changed(hero, zone, hero.today.bounds.day_no);
            }
            hero.tasks.retain(|task| !archived_task_ids.contains(&task.task_id));
        }
        Event::DayExtended { today, zone } => {
            hero.today.bounds = *today;
            // It was made where the next day would have begun.
            zone_changed(hero, zone, today.day_no + 1);
        }
        Event::OutageDeclared { today, records, before_today, chain } => {
            upsert(hero, records);
            hero.today.outage |= *today;
            hero.today.before = *before_today;
            set_chain(hero, *chain);
        }
        Event::ShieldGiven { shields } => {
            hero.streak.memory_shield_given = true;
            hero.streak.chain.shields += shields;
            hero.today.shields_given += shields;
        }
        Event::ZoneQueued { zone } => hero.next_zone = zone.clone().map(alloc::boxed::Box::new),
        Event::DailyGoalSet { minutes } => hero.daily_goal_minutes = *minutes,
        Event::RestDaysSet { weekdays } => hero.rest_weekdays = *weekdays,
        Event::VacationSet { until_day } => hero.vacation_until = *until_day,
        _ => {}
    }
}

fn bonus_paid(hero: &mut Hero, bonus: Bonus, energy_me: i64) {
    let paid = u8::from(energy_me > 0);
    match bonus {
        Bonus::Ignition => {
            hero.today.ignitions = hero.today.ignitions.saturating_add(paid);
            if let Some(session) = hero.session.as_deref_mut()
                && !session.ignited
            {
                session.ignited = true;
                hero.statistics.sparks += 1;
            }
        }
        Bonus::Completion => {}
        Bonus::Comeback => hero.today.comebacks = hero.today.comebacks.saturating_add(paid),
        Bonus::DailyGoal => hero.today.goal_reached = true,
        Bonus::WelcomeBack => {
            hero.streak.last_welcome_day = Some(hero.today.bounds.day_no);
            hero.statistics.welcomes += 1;
        }
    }
}

fn set_chain(hero: &mut Hero, chain: StreakChain) {
    hero.streak.chain = chain;
    hero.streak.longest_days = hero.streak.longest_days.max(chain.days);
}

/// Replaces the remembered days of the same number.
fn upsert(hero: &mut Hero, records: &[DayRecord]) {
    for record in records {
        if let Some(kept) = hero.days.iter_mut().find(|kept| kept.day_no == record.day_no) {
            *kept = *record;
        }
    }
}

fn credit_day(hero: &mut Hero, day: &DayCredit) {
    let Some(session) = hero.session.as_deref_mut() else { return };
    session.meter = day.meter;
    session.acted = day.meter;
    session.acted_completion_me = session.completion_me;
    session.credited_focus_ms += day.credit.focus_ms;
    session.credited_me += day.credit.energy_me;
    session.credited_md += day.credit.dopamine_md;
    let category = session.category;
    super::focus::credit_focus(hero, &day.credit, category);
}

fn days_ended(hero: &mut Hero, records: &[DayRecord], chain: StreakChain, next: DayBounds) {
    hero.days.extend_from_slice(records);
    let surplus = hero.days.len().saturating_sub(DAYS_KEPT);
    hero.days.drain(..surplus);
    if let Some(session) = hero.session.as_deref_mut()
        && records.iter().any(|day| day.day_no == session.started_day_no && day.kind == DayKind::Active)
    {
        session.started_day_counted = true;
    }
    set_chain(hero, chain);
    hero.today = Today { bounds: next, before: chain, ..Today::default() };
    if hero.vacation_until.is_some_and(|until| until < next.day_no) {
        hero.vacation_until = None;
    }
}

fn zone_changed(hero: &mut Hero, zone: &Zone, day_no: i32) {
    hero.zone = zone.clone();
    hero.next_zone = None;
    hero.zone_changes.push(day_no);
    let surplus = hero.zone_changes.len().saturating_sub(2);
    hero.zone_changes.drain(..surplus);
}
