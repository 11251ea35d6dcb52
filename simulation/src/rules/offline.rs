//! Sessions that ran without the server: rules, section 9. What is certain is accepted, the rest is shown as refused.

use alloc::vec::Vec;

use super::focus::{self, Terms};
use super::{rack, session, streak};
use crate::apply::gap;
use crate::catalogue::{Catalogue, Category};
use crate::draft::Draft;
use crate::event::{Bonus, Event, OfflinePart};
use crate::hero::{DayKind, DayRecord, Hero};
use crate::rejection::{Field, Rejection};

/// The longest report that is looked at.
const REPORT_MAX_MS: i64 = 86_400_000;

/// A player-day, as far as an offline session needs it.
struct Day {
    day_no: i32,
    start_ms: i64,
    end_ms: i64,
    focus_ms: i64,
    offline_ms: i64,
}

fn days(hero: &Hero) -> Vec<Day> {
    let ends = hero.days.iter().skip(1).map(DayRecord::start_ms).chain([hero.today.bounds.start_ms]);
    let mut days: Vec<Day> = hero
        .days
        .iter()
        .zip(ends)
        .map(|(record, end_ms)| Day {
            day_no: record.day_no,
            start_ms: record.start_ms(),
            end_ms,
            focus_ms: i64::from(record.focus_ms),
            offline_ms: i64::from(record.offline_minutes) * 60_000,
        })
        .collect();
    let waiting_ms = hero.to_confirm.as_deref().map_or(0, |asked| asked.session.meter.day_focus_ms);
    days.push(Day {
        day_no: hero.today.bounds.day_no,
        start_ms: hero.today.bounds.start_ms,
        end_ms: hero.today.bounds.end_ms,
        focus_ms: hero.day_focus_ms() + waiting_ms,
        offline_ms: hero.today.offline_ms,
    });
    days
}

/// The part of the reported interval that lies after the last contact and before now, and overlaps nothing known.
fn accepted(
    hero: &Hero,
    now_ms: i64,
    started_at_ms: i64,
    duration_ms: i64,
    catalogue: &Catalogue,
) -> (i64, i64) {
    let rules = &catalogue.offline;
    let (gap_from_ms, used_ms) = gap(hero, now_ms);
    let from_ms =
        started_at_ms.max(gap_from_ms).max(hero.focus_known_until_ms).max(now_ms - rules.late_max_ms);
    let open_ms = hero.session.as_deref().map_or(i64::MAX, |session| session.started_at_ms);
    let until_ms = (started_at_ms + duration_ms).min(now_ms).min(open_ms);
    (from_ms, until_ms.min(from_ms + (rules.gap_max_ms - used_ms).max(0)))
}

pub(crate) fn report(
    draft: &mut Draft<'_>,
    now_ms: i64,
    started_at_ms: i64,
    duration_ms: i64,
    category: Category,
    task_id: Option<u32>,
) -> Result<(), Rejection> {
    let rules = &draft.catalogue.focus;
    if !(rules.session_min_ms..=REPORT_MAX_MS).contains(&duration_ms) {
        let (field, min) = (Field::DurationMs, rules.session_min_ms);
        return Err(Rejection::OutOfRange { field, min, max: REPORT_MAX_MS });
    }
    if !(0..=now_ms).contains(&started_at_ms) {
        return Err(Rejection::OutOfRange { field: Field::StartedAtMs, min: 0, max: now_ms });
    }
    session::check_task(&draft.hero, task_id)?;
    let within_ms = draft.catalogue.offline.late_max_ms;
    if started_at_ms + duration_ms < now_ms - within_ms {
        return Err(Rejection::TooLate { within_ms });
    }
    let (from_ms, until_ms) = accepted(&draft.hero, now_ms, started_at_ms, duration_ms, draft.catalogue);
    let parts = meter(&draft.hero, from_ms, until_ms, category, draft.catalogue);
    let total_ms: i64 = parts.iter().map(|part| part.focus_ms).sum();
    if total_ms < rules.session_min_ms {
        return Err(Rejection::OfflineRefused);
    }
    let spark = total_ms >= rules.ignition_ms;
    let first_day = parts.first().map(|part| part.day_no);
    let touched: Vec<i32> = parts.iter().map(|part| part.day_no).collect();
    let event = Event::OfflineFocusCredited {
        session_id: draft.next_id(),
        started_at_ms: from_ms,
        ended_at_ms: until_ms,
        category,
        task_id,
        parts,
        refused_ms: duration_ms - total_ms,
        spark,
    };
    draft.emit(now_ms, event);
    if spark && draft.hero.session.is_none() {
        let bonus = draft.catalogue.bonuses.ignition;
        if i64::from(draft.hero.today.ignitions) < bonus.per_day_max {
            draft.emit(now_ms, Event::BonusPaid { bonus: Bonus::Ignition, energy_me: bonus.reward_me });
        }
    }
    let active_ms = draft.catalogue.streak.active_focus_ms;
    for day_no in touched {
        let record = draft.hero.days.iter().find(|record| record.day_no == day_no).copied();
        // The whole session counts for the day it began in.
        let counts = record.is_some_and(|record| {
            record.kind != DayKind::Active
                && (i64::from(record.focus_ms) >= active_ms
                    || (first_day == Some(day_no) && total_ms >= active_ms))
        });
        if counts {
            streak::activate(draft, now_ms, day_no);
        }
    }
    let today = draft.hero.today;
    if first_day == Some(today.bounds.day_no) && !today.active && total_ms >= active_ms {
        streak::activate(draft, now_ms, today.bounds.day_no);
    }
    Ok(())
}

/// What the interval gives, day by day: the same metering as online, with the rack and streak of now.
fn meter(
    hero: &Hero,
    from_ms: i64,
    until_ms: i64,
    category: Category,
    catalogue: &Catalogue,
) -> Vec<OfflinePart> {
    let effect = rack::effect(hero, catalogue);
    let terms = Terms {
        mod_permille: session::mod_permille(hero, category, catalogue),
        early_rate_ud_per_s: effect.early_rate_ud_per_s,
        rate_ud_per_s: effect.rate_ud_per_s,
    };
    let mut meter = focus::fresh(from_ms, effect.ramp_start_ms);
    let mut parts = Vec::new();
    for day in days(hero) {
        let ms = until_ms.min(day.end_ms) - from_ms.max(day.start_ms);
        let ms = ms.min(catalogue.offline.day_max_ms - day.offline_ms);
        if ms <= 0 {
            continue;
        }
        let before = meter;
        meter = focus::advanced(terms, &meter, day.focus_ms, ms, catalogue);
        parts.push(OfflinePart {
            day_no: day.day_no,
            focus_ms: ms,
            energy_me: meter.energy_me - before.energy_me,
            dopamine_md: meter.dopamine_md - before.dopamine_md,
        });
        meter.day_focus_ms = 0;
    }
    parts
}
