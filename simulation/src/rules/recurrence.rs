//! On which dates a recurring task falls: rules, section 1.

use alloc::vec::Vec;

use super::text;
use crate::calendar;
use crate::command::Recurrence;
use crate::hero::{Occurrence, Repeat};
use crate::rejection::{Field, Rejection};

/// An occurrence can be completed for so many days. Fewer than the done occurrences that are remembered, so that
/// none is paid twice.
pub(super) const OCCURRENCE_DAYS_BACK: i32 = 7;

/// Longest period.
const DAYS_MAX: u16 = 365;

pub(super) fn check(rule: &Recurrence) -> Result<(), Rejection> {
    match rule {
        Recurrence::EveryDays { days } if (1..=DAYS_MAX).contains(days) => Ok(()),
        Recurrence::EveryDays { .. } => {
            Err(Rejection::OutOfRange { field: Field::Days, min: 1, max: i64::from(DAYS_MAX) })
        }
        Recurrence::Weekdays { weekdays } => match text::weekday_bits(weekdays, 7)? {
            0 => Err(Rejection::OutOfRange { field: Field::Weekdays, min: 1, max: 7 }),
            _ => Ok(()),
        },
    }
}

/// Whether the rule has an occurrence on that day.
pub(super) fn falls_on(repeat: &Repeat, day_no: i32) -> bool {
    if day_no < repeat.from_day {
        return false;
    }
    match &repeat.rule {
        Recurrence::EveryDays { days } => (day_no - repeat.from_day) % i32::from((*days).max(1)) == 0,
        Recurrence::Weekdays { weekdays } => weekdays.contains(&(calendar::weekday(day_no) + 1)),
    }
}

/// The occurrence that is open today: the latest one until today.
#[must_use]
pub fn open_day(repeat: &Repeat, today: i32) -> Option<i32> {
    (today - OCCURRENCE_DAYS_BACK..=today).rev().find(|day_no| falls_on(repeat, *day_no))
}

/// The dates that could be completed until today, all of them paid: for a rule that comes to a task which was paid.
pub(super) fn paid_until(today: i32) -> Vec<Occurrence> {
    (today - OCCURRENCE_DAYS_BACK..=today).map(|day_no| Occurrence { day_no, done_at_ms: None }).collect()
}
