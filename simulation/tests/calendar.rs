//! Days in time zones: the vectors of the rules (section 10), and what must hold in every zone.

use proptest::prelude::*;
use simulation::calendar::{
    DAY_MS, UnknownZone, Zone, day_bounds, day_no, format_date, format_rfc3339, parse_date, parse_rfc3339,
    weekday,
};

const HOUR_MS: i64 = 3_600_000;

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("the zone is in the database")
}

fn at(text: &str) -> i64 {
    parse_rfc3339(text).expect("the moment is RFC 3339")
}

/// Checks `moment → date` in a zone.
fn check(zone_name: &str, day_start_minutes: u16, moment: &str, date: &str) {
    let found = format_date(day_no(at(moment), &zone(zone_name), day_start_minutes));
    assert_eq!(found, date, "{moment} in {zone_name} with a day from minute {day_start_minutes} on");
}

/// Checks the length of a day in hours.
fn check_hours(zone_name: &str, day_start_minutes: u16, date: &str, hours: i64) {
    let day = parse_date(date).expect("a date");
    let (start_ms, end_ms) = day_bounds(day, &zone(zone_name), day_start_minutes);
    assert_eq!(end_ms - start_ms, hours * HOUR_MS, "{date} in {zone_name}");
}

#[test]
fn golden_vectors_of_berlin() {
    check("Europe/Berlin", 240, "2026-03-29T01:59:59Z", "2026-03-28");
    check("Europe/Berlin", 240, "2026-03-29T02:00:00Z", "2026-03-29");
    check_hours("Europe/Berlin", 240, "2026-03-28", 23);
    check("Europe/Berlin", 240, "2026-10-25T02:59:59Z", "2026-10-24");
    check("Europe/Berlin", 240, "2026-10-25T03:00:00Z", "2026-10-25");
    check_hours("Europe/Berlin", 240, "2026-10-24", 25);
    check_hours("Europe/Berlin", 240, "2026-10-25", 24);
}

#[test]
fn a_start_of_day_inside_of_the_change_happens_once() {
    // 02:30 does not exist on that day: it begins where the clock jumps from 02:00 to 03:00.
    check("Europe/Berlin", 150, "2026-03-29T00:59:59Z", "2026-03-28");
    check("Europe/Berlin", 150, "2026-03-29T01:00:00Z", "2026-03-29");
    // 02:30 exists twice on that day: it begins at the first one and does not go back.
    check("Europe/Berlin", 150, "2026-10-25T00:29:59Z", "2026-10-24");
    check("Europe/Berlin", 150, "2026-10-25T00:30:00Z", "2026-10-25");
    check("Europe/Berlin", 150, "2026-10-25T01:05:00Z", "2026-10-25");
}

#[test]
fn far_and_odd_zones() {
    check("Asia/Kathmandu", 0, "2026-06-01T18:14:59Z", "2026-06-01");
    check("Asia/Kathmandu", 0, "2026-06-01T18:15:00Z", "2026-06-02");
    check("Pacific/Kiritimati", 0, "2026-06-01T10:00:00Z", "2026-06-02");
    check("Etc/GMT+12", 240, "2026-06-01T15:59:59Z", "2026-05-31");
    // Clocks there change by half an hour.
    check_hours("Australia/Lord_Howe", 0, "2026-01-10", 24);
    let (start_ms, end_ms) =
        day_bounds(parse_date("2026-04-05").expect("a date"), &zone("Australia/Lord_Howe"), 0);
    assert_eq!(end_ms - start_ms, 24 * HOUR_MS + HOUR_MS / 2);
    // Midnight does not exist in Santiago when summer time begins.
    check_hours("America/Santiago", 0, "2026-09-06", 23);
}

#[test]
fn a_date_that_a_zone_skipped_is_short_or_empty() {
    // Samoa crossed the date line: after 2011-12-29 came 2011-12-31.
    check_hours("Pacific/Apia", 0, "2011-12-30", 0);
    check_hours("Pacific/Apia", 240, "2011-12-30", 4);
    check("Pacific/Apia", 0, "2011-12-30T10:00:00Z", "2011-12-31");
}

#[test]
fn a_zone_that_is_kept_is_the_one_that_was_read() {
    let moment = at("2026-07-01T00:30:00Z");
    let read: Vec<_> = Zone::names().map(|name| (name, zone(name))).collect();
    assert!(read.len() > 400);
    for (name, first) in read {
        let again = zone(name);
        assert_eq!((again.name(), first.name()), (name, name));
        assert_eq!(
            day_bounds(day_no(moment, &again, 0), &again, 0),
            day_bounds(day_no(moment, &first, 0), &first, 0)
        );
    }
}

#[test]
fn names_are_canonical_and_wrong_ones_refused() {
    assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
    assert_eq!(Zone::utc(), zone("utc"));
    for wrong in ["", "Mars/Olympus", "Europe/Berlin ", "+02:00", "../../etc/passwd", &"x".repeat(10_000)] {
        assert_eq!(Zone::parse(wrong), Err(UnknownZone), "{wrong}");
    }
    assert!(Zone::names().all(|name| Zone::parse(name).is_ok()));
}

#[test]
fn dates_and_weekdays() {
    assert_eq!(parse_date("1970-01-01"), Some(0));
    assert_eq!(weekday(0), 3, "1970 began on a Thursday");
    assert_eq!(weekday(parse_date("2026-03-29").expect("a date")), 6);
    assert_eq!(weekday(-4), 6);
    for wrong in
        ["", "2026-3-29", "2026-02-29", "20260329", "2026-03-29T", "1899-12-31", "3000-01-01", "２０２６-03"]
    {
        assert_eq!(parse_date(wrong), None, "{wrong}");
    }
}

#[test]
fn moments_as_text() {
    assert_eq!(parse_rfc3339("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(parse_rfc3339("2026-03-29T03:59:59.250+02:00"), Some(at("2026-03-29T01:59:59Z") + 250));
    assert_eq!(format_rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(format_rfc3339(1_500), "1970-01-01T00:00:01.5Z");
    let wrong =
        ["", "2026-03-29", "2026-03-29 01:59:59Z", "2026-03-29T01:59:59", "2026-03-29T25:00:00Z", "now"];
    for wrong in wrong {
        assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
    }
}

#[test]
fn absurd_moments_do_not_panic() {
    let berlin = zone("Europe/Berlin");
    for at_ms in [i64::MIN, -1, 0, i64::MAX] {
        let day = day_no(at_ms, &berlin, 360);
        let (start_ms, end_ms) = day_bounds(day, &berlin, 360);
        assert!(start_ms <= end_ms);
    }
    for day in [i32::MIN, i32::MAX] {
        let (start_ms, end_ms) = day_bounds(day, &berlin, 360);
        assert!(start_ms <= end_ms);
        assert!(!format_date(day).is_empty());
    }
    assert!(!format_rfc3339(i64::MAX).is_empty());
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let mut names: Vec<&str> = Zone::names().collect();
    names.sort_unstable();
    prop::sample::select(names).prop_map(|name| Zone::parse(name).expect("the zone is in the database"))
}

/// From 1970 to 2100.
fn any_day() -> impl Strategy<Value = i32> {
    0..47_482_i32
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn days_touch_and_contain_what_belongs_to_them(
        zone in any_zone(), first in any_day(), day_start in 0..=360_u16,
    ) {
        let mut end_before = day_bounds(first - 1, &zone, day_start).1;
        for day in first..first + 3 {
            let (start_ms, end_ms) = day_bounds(day, &zone, day_start);
            prop_assert_eq!(start_ms, end_before);
            prop_assert!(start_ms <= end_ms);
            prop_assert!(end_ms - start_ms <= 2 * DAY_MS, "a day of more than 48 h");
            if start_ms < end_ms {
                prop_assert_eq!(day_no(start_ms, &zone, day_start), day);
                prop_assert_eq!(day_no(end_ms - 1, &zone, day_start), day);
                prop_assert_eq!(day_no(start_ms.midpoint(end_ms), &zone, day_start), day);
            }
            end_before = end_ms;
        }
    }

    #[test]
    fn day_numbers_never_go_back(
        zone in any_zone(), day in any_day(), offset in 0..DAY_MS, step in 0..DAY_MS, day_start in 0..=360_u16,
    ) {
        let earlier_ms = i64::from(day) * DAY_MS + offset;
        let earlier = day_no(earlier_ms, &zone, day_start);
        let later = day_no(earlier_ms + step, &zone, day_start);
        prop_assert!(earlier <= later && later <= earlier + 2);
    }

    #[test]
    fn dates_and_moments_survive_text(day in -25_000..376_000_i32, at_ms in -2_000_000_000_000..30_000_000_000_000_i64) {
        prop_assert_eq!(parse_date(&format_date(day)), Some(day));
        prop_assert_eq!(parse_rfc3339(&format_rfc3339(at_ms)), Some(at_ms));
        prop_assert_eq!(weekday(day + 7), weekday(day));
    }

    #[test]
    fn no_text_panics(text in ".{0,50}") {
        let _ = (parse_date(&text), parse_rfc3339(&text), Zone::parse(&text));
    }
}
