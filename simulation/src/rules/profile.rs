//! Name, zone, goal, rest days, vacation: rules, sections 2 and 3.

use alloc::string::ToString;

use super::text;
use crate::calendar;
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::Zone;
use crate::rejection::{Field, Rejection};

/// Longest name in characters.
pub(super) const NAME_CHARS_MAX: usize = 40;

pub(crate) fn rename(draft: &mut Draft<'_>, now_ms: i64, name: &str) -> Result<(), Rejection> {
    text::check(name, Field::Name, NAME_CHARS_MAX)?;
    if draft.hero.name != *name {
        draft.emit(now_ms, Event::HeroRenamed { name: name.into() });
    }
    Ok(())
}

/// The zone as it is stored.
pub(super) fn check_zone(
    time_zone: &str,
    day_start_minutes: u16,
    draft_rules: &crate::catalogue::DayRules,
) -> Result<Zone, Rejection> {
    let found = calendar::Zone::parse(time_zone).map_err(|_| Rejection::UnknownTimeZone)?;
    if i64::from(day_start_minutes) > draft_rules.start_max_min {
        let max = draft_rules.start_max_min;
        return Err(Rejection::OutOfRange { field: Field::DayStartMinutes, min: 0, max });
    }
    Ok(Zone { time_zone: found.name().to_string(), day_start_minutes })
}

/// Takes effect when the day ends.
pub(crate) fn set_zone(
    draft: &mut Draft<'_>,
    now_ms: i64,
    time_zone: &str,
    day_start_minutes: u16,
) -> Result<(), Rejection> {
    let zone = check_zone(time_zone, day_start_minutes, &draft.catalogue.days)?;
    let zone = (zone != draft.hero.zone).then_some(zone);
    if draft.hero.next_zone.as_deref() != zone.as_ref() {
        draft.emit(now_ms, Event::ZoneQueued { zone });
    }
    Ok(())
}

pub(crate) fn set_goal(draft: &mut Draft<'_>, now_ms: i64, minutes: u16) -> Result<(), Rejection> {
    let (min, max) = (draft.catalogue.bonuses.goal_min_minutes, draft.catalogue.bonuses.goal_max_minutes);
    if !(min..=max).contains(&i64::from(minutes)) {
        return Err(Rejection::OutOfRange { field: Field::Minutes, min, max });
    }
    if draft.hero.daily_goal_minutes != minutes {
        draft.emit(now_ms, Event::DailyGoalSet { minutes });
    }
    Ok(())
}

pub(crate) fn set_rest_days(draft: &mut Draft<'_>, now_ms: i64, weekdays: &[u8]) -> Result<(), Rejection> {
    let weekdays = text::weekday_bits(weekdays, draft.catalogue.streak.rest_weekdays_max)?;
    if draft.hero.rest_weekdays != weekdays {
        draft.emit(now_ms, Event::RestDaysSet { weekdays });
    }
    Ok(())
}

pub(crate) fn start_vacation(draft: &mut Draft<'_>, now_ms: i64, days: u8) -> Result<(), Rejection> {
    let max = draft.catalogue.streak.vacation_days_max;
    if !(1..=max).contains(&i64::from(days)) {
        return Err(Rejection::OutOfRange { field: Field::Days, min: 1, max });
    }
    let until_day = Some(draft.hero.today.bounds.day_no + i32::from(days) - 1);
    if draft.hero.vacation_until != until_day {
        draft.emit(now_ms, Event::VacationSet { until_day });
    }
    Ok(())
}

pub(crate) fn end_vacation(draft: &mut Draft<'_>, now_ms: i64) {
    if draft.hero.vacation_until.is_some() {
        draft.emit(now_ms, Event::VacationSet { until_day: None });
    }
}
