//! Showing up: rules, section 3.
//!
//! Each remembered day holds the streak before it. A day that turns out to have been active after all (an offline
//! session, a session over midnight, an outage) changes its kind, and the streak is folded again from there: a
//! shield comes back, a halved streak is restored.

use alloc::vec::Vec;

use super::rack;
use crate::calendar;
use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::{Bonus, Event};
use crate::hero::{DayKind, DayRecord, Hero, StreakChain, Today};
use crate::rejection::{Field, Rejection};

/// How many shields a hero can hold.
#[must_use]
pub fn shields_max(hero: &Hero, catalogue: &Catalogue) -> u8 {
    let bonus = rack::effect(hero, catalogue).shield_capacity_bonus;
    u8::try_from(catalogue.streak.shields_max + bonus).unwrap_or(u8::MAX)
}

/// The streak after a day. A miss costs a shield only if there is a streak to keep.
pub(super) fn after(
    before: StreakChain,
    kind: DayKind,
    shields_given: u8,
    shields_max: u8,
    catalogue: &Catalogue,
) -> StreakChain {
    let mut chain = before;
    match kind {
        DayKind::Active => {
            chain.days = chain.days.saturating_add(1);
            chain.toward_shield += 1;
            if i64::from(chain.toward_shield) >= catalogue.streak.shield_every_active_days {
                chain.toward_shield = 0;
                // More shields than fit now may come from a module that was taken out: they stay.
                chain.shields = chain.shields.max((chain.shields + 1).min(shields_max));
            }
        }
        DayKind::Rest | DayKind::Outage => {}
        DayKind::Idle if chain.days == 0 => {}
        DayKind::Idle if chain.shields > 0 => chain.shields -= 1,
        DayKind::Idle => {
            let kept = i64::from(chain.days) * catalogue.streak.missed_keeps_permille / 1000;
            chain.days = u16::try_from(kept).unwrap_or(chain.days);
        }
    }
    chain.shields += shields_given;
    chain
}

/// The streak in the middle of today.
pub(super) fn now(before: StreakChain, today: &Today, shields_max: u8, catalogue: &Catalogue) -> StreakChain {
    // Today is not missed before it is over.
    let kind = if today.active { DayKind::Active } else { DayKind::Rest };
    after(before, kind, today.shields_given, shields_max, catalogue)
}

/// The remembered days from the first change on, the streak before today, and the streak now.
struct Refolded {
    records: Vec<DayRecord>,
    before_today: StreakChain,
    chain: StreakChain,
}

/// Changes the kinds of remembered days and folds the streak again. Nothing if no kind changes.
fn refold(
    hero: &Hero,
    catalogue: &Catalogue,
    mut kind_of: impl FnMut(&DayRecord, i64) -> DayKind,
) -> Option<Refolded> {
    let shields_max = shields_max(hero, catalogue);
    let mut records: Vec<DayRecord> = Vec::new();
    for (index, record) in hero.days.iter().enumerate() {
        let end_ms = hero.days.get(index + 1).map_or(hero.today.bounds.start_ms, DayRecord::start_ms);
        let mut record = DayRecord { kind: kind_of(record, end_ms), ..*record };
        if let Some(last) = records.last() {
            record.before = after(last.before, last.kind, last.shields_given, shields_max, catalogue);
            records.push(record);
        } else if hero.days.get(index).is_some_and(|old| old.kind != record.kind) {
            records.push(record);
        }
    }
    let last = records.last()?;
    let before_today = after(last.before, last.kind, last.shields_given, shields_max, catalogue);
    let chain = now(before_today, &hero.today, shields_max, catalogue);
    Some(Refolded { records, before_today, chain })
}

/// Whether a day is remembered and would change by becoming active.
pub(super) fn can_activate(hero: &Hero, day_no: i32) -> bool {
    hero.days.iter().any(|record| record.day_no == day_no && record.kind != DayKind::Active)
}

/// A day counts: today, or one before it that is still remembered.
pub(super) fn activate(draft: &mut Draft<'_>, at_ms: i64, day_no: i32) {
    let hero = &draft.hero;
    let last_active_day = hero.streak.last_active_day;
    if day_no == hero.today.bounds.day_no {
        let today = Today { active: true, ..hero.today };
        let before_today = today.before;
        let chain = now(before_today, &today, shields_max(hero, draft.catalogue), draft.catalogue);
        draft.emit(at_ms, Event::DayActivated { day_no, chain, records: Vec::new(), before_today });
    } else {
        let refolded = refold(hero, draft.catalogue, |record, _| {
            if record.day_no == day_no { DayKind::Active } else { record.kind }
        });
        let Some(Refolded { records, before_today, chain }) = refolded else { return };
        draft.emit(at_ms, Event::DayActivated { day_no, chain, records, before_today });
    }
    welcome_back(draft, at_ms, day_no, last_active_day);
}

fn welcome_back(draft: &mut Draft<'_>, at_ms: i64, day_no: i32, last_active_day: Option<i32>) {
    let rules = &draft.catalogue.bonuses;
    let away =
        last_active_day.is_some_and(|last| i64::from(day_no) - i64::from(last) >= rules.welcome_back_days);
    let recently = draft
        .hero
        .streak
        .last_welcome_day
        .is_some_and(|last| i64::from(day_no) - i64::from(last) < rules.welcome_back_every_days);
    if away && !recently {
        draft.emit(at_ms, Event::BonusPaid { bonus: Bonus::WelcomeBack, energy_me: rules.welcome_back_me });
    }
}

/// The service was away: days that it touched long enough are excused.
pub(crate) fn declare_outage(
    draft: &mut Draft<'_>,
    now_ms: i64,
    from_ms: i64,
    until_ms: i64,
) -> Result<(), Rejection> {
    if from_ms > until_ms || until_ms > now_ms {
        return Err(Rejection::OutOfRange { field: Field::AtMs, min: from_ms, max: now_ms });
    }
    let min_ms = draft.catalogue.streak.outage_min_ms;
    let touched = |start_ms: i64, end_ms: i64| until_ms.min(end_ms) - from_ms.max(start_ms) >= min_ms;
    let hero = &draft.hero;
    let bounds = hero.today.bounds;
    let today = touched(bounds.start_ms, bounds.end_ms);
    let refolded = refold(hero, draft.catalogue, |record, end_ms| {
        if record.kind == DayKind::Idle && touched(record.start_ms(), end_ms) {
            DayKind::Outage
        } else {
            record.kind
        }
    });
    let event = match refolded {
        Some(Refolded { records, before_today, chain }) => {
            Event::OutageDeclared { today, records, before_today, chain }
        }
        None if today && !hero.today.outage => Event::OutageDeclared {
            today,
            records: Vec::new(),
            before_today: hero.today.before,
            chain: hero.streak.chain,
        },
        None => return Ok(()),
    };
    draft.emit(now_ms, event);
    Ok(())
}

/// What a day that ends without having been active was.
pub(super) fn excuse(hero: &Hero, day_no: i32, outage: bool) -> DayKind {
    let resting = hero.rest_weekdays & (1 << calendar::weekday(day_no)) != 0;
    let vacation = hero.vacation_until.is_some_and(|until| day_no <= until);
    if resting || vacation {
        DayKind::Rest
    } else if outage {
        DayKind::Outage
    } else {
        DayKind::Idle
    }
}

/// A module with room for shields brings as many, the first time it is powered.
pub(crate) fn give_shield(draft: &mut Draft<'_>, at_ms: i64) {
    if draft.hero.streak.memory_shield_given {
        return;
    }
    let bonus = u8::try_from(draft.effect().shield_capacity_bonus).unwrap_or(0);
    if bonus > 0 {
        draft.emit(at_ms, Event::ShieldGiven { shields: bonus });
    }
}
