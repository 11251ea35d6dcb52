//! Checks of what players type.

use alloc::string::String;

use crate::calendar;
use crate::rejection::{Field, Rejection};

/// A text of 1 to `chars_max` characters, at least one of them visible, none of them a control character.
pub(super) fn check(text: &str, field: Field, chars_max: usize) -> Result<(), Rejection> {
    let fits = text.chars().count() <= chars_max;
    if !fits || text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(Rejection::InvalidText {
            field,
            chars_max: i64::try_from(chars_max).unwrap_or(i64::MAX),
        });
    }
    Ok(())
}

/// A date, if there is one.
pub(super) fn day(text: Option<&String>) -> Result<Option<i32>, Rejection> {
    text.map(|text| calendar::parse_date(text).ok_or(Rejection::InvalidDate)).transpose()
}

/// Weekdays (1 is Monday) as bits (bit 0 is Monday), each once.
pub(super) fn weekday_bits(weekdays: &[u8], max: i64) -> Result<u8, Rejection> {
    let refused = Rejection::OutOfRange { field: Field::Weekdays, min: 1, max: 7 };
    let mut bits = 0_u8;
    for weekday in weekdays {
        if !(1..=7).contains(weekday) {
            return Err(refused);
        }
        bits |= 1 << (weekday - 1);
    }
    if i64::from(bits.count_ones()) > max || weekdays.len() > 7 {
        return Err(Rejection::LimitReached { field: Field::Weekdays, max });
    }
    Ok(bits)
}
