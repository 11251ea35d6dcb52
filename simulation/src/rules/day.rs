//! Player-days: thresholds inside them, and how one becomes the next. Rules, section 3.

use alloc::vec::Vec;

use super::{focus, session, streak, timer};
use crate::apply::{DAYS_KEPT, minutes_up};
use crate::calendar;
use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::{Bonus, Credit, DayCredit, Event};
use crate::hero::{DayBounds, DayKind, DayRecord, Hero, SessionState, StreakChain, Today, Zone};

/// Tasks that were done stay in the list for so long after the end of their day.
const DONE_TASK_KEPT_MS: i64 = 3 * calendar::DAY_MS;

/// Days are not walked one by one further back than this when nothing can happen in them.
const DAYS_WALKED: i32 = 40;

/// When the focus of today reaches `focus_ms`. A session counts from its first minute on, because a shorter one is
/// discarded.
fn threshold_due(hero: &Hero, focus_ms: i64, catalogue: &Catalogue) -> Option<i64> {
    let missing_ms = focus_ms - hero.today.focus_ms;
    if missing_ms <= 0 {
        return Some(hero.latest_ms);
    }
    let session = hero.session.as_deref()?;
    let meter = &session.meter;
    let at_focus_ms = meter.focus_ms + (missing_ms - meter.day_focus_ms).max(0);
    timer::reached_or(session, at_focus_ms.max(catalogue.focus.session_min_ms), hero, catalogue)
}

pub(crate) fn active_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    if hero.today.active { None } else { threshold_due(hero, catalogue.streak.active_focus_ms, catalogue) }
}

pub(crate) fn activate(draft: &mut Draft<'_>, at_ms: i64) {
    let day_no = draft.hero.today.bounds.day_no;
    streak::activate(draft, at_ms, day_no);
}

/// A session also counts as activity for the day it began in.
pub(crate) fn started_day_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let session = hero.session.as_deref()?;
    let before_today = session.started_day_no != hero.today.bounds.day_no;
    if !before_today || session.started_day_counted || !streak::can_activate(hero, session.started_day_no) {
        return None;
    }
    let focus_ms = catalogue.streak.active_focus_ms.max(catalogue.focus.session_min_ms);
    timer::reached_or(session, focus_ms, hero, catalogue)
}

pub(crate) fn activate_started_day(draft: &mut Draft<'_>, at_ms: i64) {
    if let Some(day_no) = draft.hero.session.as_deref().map(|session| session.started_day_no) {
        streak::activate(draft, at_ms, day_no);
    }
}

pub(crate) fn goal_due(hero: &Hero, catalogue: &Catalogue) -> Option<i64> {
    let goal_ms = i64::from(hero.daily_goal_minutes) * 60_000;
    if hero.today.goal_reached { None } else { threshold_due(hero, goal_ms, catalogue) }
}

pub(crate) fn reach_goal(draft: &mut Draft<'_>, at_ms: i64) {
    let energy_me = draft.catalogue.bonuses.daily_goal.reward_me;
    draft.emit(at_ms, Event::BonusPaid { bonus: Bonus::DailyGoal, energy_me });
}

pub(crate) fn end_due(hero: &Hero, _catalogue: &Catalogue) -> Option<i64> {
    Some(hero.today.bounds.end_ms)
}

/// Ends the current day, and with it all days until `limit_ms` in which nothing can happen.
pub(crate) fn end(draft: &mut Draft<'_>, limit_ms: i64) {
    let at_ms = draft.hero.today.bounds.end_ms;
    let hero = &draft.hero;
    let zone = next_zone(hero, draft.catalogue);
    let mut calendar = PlayerCalendar::new(zone.as_ref().unwrap_or(&hero.zone));
    let (next, skipped) = match calendar.next(hero.today.bounds, draft.catalogue) {
        Next::Same(today) => {
            let zone = zone.unwrap_or_else(|| hero.zone.clone());
            draft.emit(at_ms, Event::DayExtended { today, zone });
            return;
        }
        Next::Day { next, skipped } => (next, skipped),
    };
    let credit = day_credit(hero, at_ms, draft.catalogue);
    let mut run = Run::new(hero, draft.catalogue);
    run.close_today(hero, credit.as_ref());
    run.rest(skipped, at_ms);
    let mut next = next;
    // With a session open, or a change waiting, one day at a time.
    if hero.session.is_none() && hero.next_zone.is_none() {
        while next.end_ms <= limit_ms {
            next = run.pass(hero, next, limit_ms, &mut calendar);
        }
    }
    let archived_task_ids = archived(hero, next.start_ms);
    let (records, chain) = run.done();
    // The moment of the last of them: a call that is split in between ends in the same state.
    draft.emit(next.start_ms, Event::DaysEnded { credit, records, chain, next, zone, archived_task_ids });
}

/// The days that a run of days leaves behind.
struct Run<'a> {
    catalogue: &'a Catalogue,
    shields_max: u8,
    chain: StreakChain,
    records: Vec<DayRecord>,
}

impl<'a> Run<'a> {
    fn new(hero: &Hero, catalogue: &'a Catalogue) -> Self {
        let shields_max = streak::shields_max(hero, catalogue);
        Self { catalogue, shields_max, chain: hero.today.before, records: Vec::new() }
    }

    fn push(&mut self, mut record: DayRecord) {
        record.before = self.chain;
        self.chain =
            streak::after(self.chain, record.kind, record.shields_given, self.shields_max, self.catalogue);
        if self.records.len() == DAYS_KEPT {
            self.records.remove(0);
        }
        self.records.push(record);
    }

    fn close_today(&mut self, hero: &Hero, credit: Option<&DayCredit>) {
        let Today { bounds, active, outage, .. } = hero.today;
        let credit = credit.map(|day| day.credit).unwrap_or_default();
        let kind = if active { DayKind::Active } else { streak::excuse(hero, bounds.day_no, outage) };
        self.push(DayRecord {
            day_no: bounds.day_no,
            start_minute: minute(bounds.start_ms),
            focus_ms: saturated(hero.today.focus_ms + credit.day_focus_ms),
            energy_me: saturated(hero.today.energy_me + credit.energy_me),
            tasks_done: hero.today.tasks_done,
            offline_minutes: minutes_up(hero.today.offline_ms),
            before: StreakChain::default(),
            shields_given: hero.today.shields_given,
            kind,
        });
    }

    /// Numbers that a change of zone skipped are rest days of no length.
    fn rest(&mut self, days: impl Iterator<Item = i32>, at_ms: i64) {
        for day_no in days {
            let kind = DayKind::Rest;
            self.push(DayRecord { day_no, start_minute: minute(at_ms), kind, ..DayRecord::default() });
        }
    }

    /// A day in which nothing happened. Returns the one after it.
    fn pass(
        &mut self,
        hero: &Hero,
        day: DayBounds,
        limit_ms: i64,
        calendar: &mut PlayerCalendar,
    ) -> DayBounds {
        let kind = streak::excuse(hero, day.day_no, false);
        let start_minute = minute(day.start_ms);
        self.push(DayRecord { day_no: day.day_no, start_minute, kind, ..DayRecord::default() });
        let mut day_no = day.day_no + 1;
        if self.chain.days == 0 {
            // Nothing can be lost any more: only the last days are worth a record.
            day_no = day_no.max(calendar.day_no(limit_ms) - DAYS_WALKED);
            if day_no > day.day_no + 1 {
                self.records.clear();
            }
        }
        calendar.bounds(day_no)
    }

    fn done(self) -> (Vec<DayRecord>, StreakChain) {
        (self.records, self.chain)
    }
}

pub(super) fn minute(at_ms: i64) -> u32 {
    u32::try_from(at_ms.div_euclid(60_000)).unwrap_or(0)
}

pub(super) fn saturated(amount: i64) -> u32 {
    u32::try_from(amount.max(0)).unwrap_or(u32::MAX)
}

/// What an open session credits at the end of a day, and where it goes on.
fn day_credit(hero: &Hero, at_ms: i64, catalogue: &Catalogue) -> Option<DayCredit> {
    let open = hero.session.as_deref()?;
    let mut meter = focus::certain(hero, open, at_ms, catalogue);
    let mut credit = Credit::default();
    if meter.focus_ms >= catalogue.focus.session_min_ms {
        credit = Credit { task_id: None, task_focus_ms: 0, ..session::credit(open, &meter) };
    }
    meter.day_focus_ms = 0;
    if open.state != SessionState::Running && meter == open.meter && credit == Credit::default() {
        return None;
    }
    Some(DayCredit { credit, meter })
}

/// The zone that takes effect now, if one waits and not too many did in the last days.
fn next_zone(hero: &Hero, catalogue: &Catalogue) -> Option<Zone> {
    let next = hero.next_zone.as_deref()?;
    // The change would be made in the day after today, which is the last of the window.
    let since = i64::from(hero.today.bounds.day_no) + 1 - catalogue.days.changes_window_days;
    let recent = hero.zone_changes.iter().filter(|day| i64::from(**day) > since).count();
    (i64::try_from(recent).unwrap_or(i64::MAX) < catalogue.days.changes_max).then(|| next.clone())
}

/// Done tasks, with their subtasks, that leave the list when a day begins.
fn archived(hero: &Hero, day_start_ms: i64) -> Vec<u32> {
    let old =
        |done_at_ms: Option<i64>| done_at_ms.is_some_and(|at_ms| at_ms + DONE_TASK_KEPT_MS <= day_start_ms);
    let linked = hero.session.as_deref().and_then(|session| session.task_id);
    let leaves = |task_id: u32| {
        let task = hero.task(task_id);
        task.is_some_and(|task| task.parent_id.is_none() && old(task.done_at_ms)) && linked != Some(task_id)
    };
    let ids = hero.tasks.iter().filter(|task| leaves(task.parent_id.unwrap_or(task.task_id)));
    ids.map(|task| task.task_id).collect()
}

enum Next {
    /// The date comes again: the day goes on.
    Same(DayBounds),
    /// Another date, after some that were skipped.
    Day { next: DayBounds, skipped: core::ops::Range<i32> },
}

/// Player-days in one zone.
struct PlayerCalendar {
    zone: calendar::Zone,
    day_start_minutes: u16,
}

impl PlayerCalendar {
    fn new(zone: &Zone) -> Self {
        // A zone is checked when it is chosen; if the database ever loses one, the hero goes on in UTC.
        let found = calendar::Zone::parse(&zone.time_zone).unwrap_or_else(|_| calendar::Zone::utc());
        Self { zone: found, day_start_minutes: zone.day_start_minutes }
    }

    fn day_no(&self, at_ms: i64) -> i32 {
        calendar::day_no(at_ms, &self.zone, self.day_start_minutes)
    }

    fn bounds(&self, day_no: i32) -> DayBounds {
        let (start_ms, end_ms) = calendar::day_bounds(day_no, &self.zone, self.day_start_minutes);
        DayBounds { day_no, start_ms, end_ms }
    }

    /// The day after `today`, which may have been another zone's.
    fn next(&mut self, today: DayBounds, catalogue: &Catalogue) -> Next {
        let at_ms = today.end_ms;
        let mut day_no = self.day_no(at_ms);
        let mut end_ms = self.bounds(day_no).end_ms;
        if day_no <= today.day_no {
            let end_ms = self.bounds(today.day_no).end_ms;
            return Next::Same(DayBounds { end_ms, ..today });
        }
        if end_ms - at_ms < catalogue.days.length_min_ms {
            day_no += 1;
            end_ms = self.bounds(day_no).end_ms;
        }
        let next = DayBounds { day_no, start_ms: at_ms, end_ms };
        Next::Day { next, skipped: today.day_no + 1..day_no }
    }
}

/// The first moment of a player-day in a zone.
pub(super) fn start_ms_of(zone: &Zone, day_no: i32) -> i64 {
    PlayerCalendar::new(zone).bounds(day_no).start_ms
}

/// The date of the player-day of a moment in a zone.
pub(super) fn day_no_at(zone: &Zone, at_ms: i64) -> i32 {
    PlayerCalendar::new(zone).day_no(at_ms)
}

/// The player-day of a moment in a zone.
#[must_use]
pub fn bounds_at(zone: &Zone, at_ms: i64) -> DayBounds {
    let calendar = PlayerCalendar::new(zone);
    calendar.bounds(calendar.day_no(at_ms))
}
