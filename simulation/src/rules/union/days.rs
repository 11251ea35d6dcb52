//! Days of two heroes laid over each other, date by date, and the streak folded over them.
//!
//! Days that are over keep the bounds of the hero that stays. The guest's last day counts for the day in which its
//! hand-over lies: what it has used of a day's limits is used there.

use alloc::vec::Vec;

use super::super::{day, streak};
use crate::apply::{DAYS_KEPT, minutes_up};
use crate::catalogue::Catalogue;
use crate::hero::{DayKind, DayRecord, Hero, StreakChain, StreakState, Today};

/// Days, streak and limits from now on.
pub(super) struct Days {
    pub(super) today: Today,
    /// Those that are new or look different.
    pub(super) records: Vec<DayRecord>,
    pub(super) streak: StreakState,
    /// Whether both reached the goal of this day.
    pub(super) goal_twice: bool,
}

pub(super) fn unite(hero: &Hero, guest: &Hero, handed_at_ms: i64, catalogue: &Catalogue) -> Days {
    let came = came(hero, guest, handed_at_ms);
    let pairs = laid_over(hero, &came, catalogue);
    let shields_max = streak::shields_max(hero, catalogue);
    let mut fold = Fold::default();
    for pair in &pairs {
        let older = pair.came.filter(|_| fold.is_first()).map(|came| came.before);
        fold.day(pair, older, shields_max, catalogue);
    }
    let before_today = fold.chain.map_or(hero.today.before, |chain| at_least(chain, hero.today.before));
    let today = today(hero, &came, before_today, catalogue);
    let chain = streak::now(before_today, &today, shields_max, catalogue);
    let chain = at_least(chain, hero.streak.chain);
    // Days that both were active count once; those that nobody remembers day by day are added.
    let known: u32 = came.iter().map(|came| came.active_days).sum();
    let gained = pairs.iter().filter(|pair| pair.gains()).count();
    let gained = u32::try_from(gained).unwrap_or(0) + u32::from(today.active && !hero.today.active);
    let last_gained = pairs.iter().filter(|pair| pair.gains()).map(|pair| pair.new.day_no).max();
    let last_active_day = [
        hero.streak.last_active_day,
        guest.streak.last_active_day.map(|day_no| day_no.min(today.bounds.day_no)),
        last_gained,
        today.active.then_some(today.bounds.day_no),
    ];
    let streak = StreakState {
        chain,
        longest_days: hero
            .streak
            .longest_days
            .max(guest.streak.longest_days)
            .max(fold.longest_days)
            .max(chain.days),
        active_days: hero.streak.active_days + gained + guest.streak.active_days.saturating_sub(known),
        last_active_day: last_active_day.into_iter().flatten().max(),
        last_welcome_day: hero.streak.last_welcome_day.max(guest.streak.last_welcome_day),
        memory_shield_given: hero.streak.memory_shield_given || guest.streak.memory_shield_given,
    };
    let used_today = came.iter().find(|came| came.day_no == today.bounds.day_no).and_then(|came| came.used);
    let goal_twice = hero.today.goal_reached && used_today.is_some_and(|used| used.goal_reached);
    Days { today, records: fold.records, streak, goal_twice }
}

/// What the guest did in one player-day of the hero that stays.
#[derive(Clone, Copy)]
struct Came<'a> {
    day_no: i32,
    focus_ms: i64,
    energy_me: i64,
    offline_ms: i64,
    tasks_done: u16,
    kind: DayKind,
    before: StreakChain,
    shields_given: u8,
    /// How many active days of the guest it stands for.
    active_days: u32,
    /// What was used of the day's limits.
    used: Option<&'a Today>,
}

impl<'a> Came<'a> {
    fn over(record: &DayRecord) -> Self {
        Self {
            day_no: record.day_no,
            focus_ms: i64::from(record.focus_ms),
            energy_me: i64::from(record.energy_me),
            offline_ms: i64::from(record.offline_minutes) * 60_000,
            tasks_done: record.tasks_done,
            kind: record.kind,
            before: record.before,
            shields_given: record.shields_given,
            active_days: u32::from(record.kind == DayKind::Active),
            used: None,
        }
    }

    fn last(today: &'a Today, day_no: i32) -> Self {
        Self {
            day_no,
            focus_ms: today.focus_ms,
            energy_me: today.energy_me,
            offline_ms: today.offline_ms,
            tasks_done: today.tasks_done,
            // A day that is not over is not missed.
            kind: if today.active { DayKind::Active } else { DayKind::Rest },
            before: today.before,
            shields_given: today.shields_given,
            active_days: u32::from(today.active),
            used: Some(today),
        }
    }

    fn is_something(&self) -> bool {
        self.kind == DayKind::Active
            || self.before.days > 0
            || self.focus_ms > 0
            || self.energy_me > 0
            || self.tasks_done > 0
    }

    /// Two days of the guest that lie in one day here, because the guest's zone is ahead.
    fn and(&mut self, later: &Self) {
        self.focus_ms += later.focus_ms;
        self.energy_me += later.energy_me;
        self.offline_ms += later.offline_ms;
        self.tasks_done = self.tasks_done.saturating_add(later.tasks_done);
        if later.kind == DayKind::Active {
            self.kind = DayKind::Active;
        }
        self.active_days += later.active_days;
        self.used = self.used.or(later.used);
    }
}

/// The guest's days on the dates of the hero that stays, oldest first: those that it still remembers.
fn came<'a>(hero: &Hero, guest: &'a Hero, handed_at_ms: i64) -> Vec<Came<'a>> {
    let today = hero.today.bounds.day_no;
    let kept = i32::try_from(DAYS_KEPT).unwrap_or(i32::MAX);
    let last_day = day_at(hero, handed_at_ms).unwrap_or(guest.today.bounds.day_no);
    let over = guest.days.iter().map(Came::over);
    let mut days: Vec<Came<'a>> = Vec::new();
    for mut day in over.chain([Came::last(&guest.today, last_day)]) {
        day.day_no = day.day_no.min(today);
        if day.day_no < today - kept {
            continue;
        }
        match days.iter_mut().find(|known| known.day_no == day.day_no) {
            Some(known) => known.and(&day),
            None => days.push(day),
        }
    }
    days.sort_by_key(|day| day.day_no);
    // Before the first day in which something happened nothing came.
    let blank = days.iter().take_while(|day| !day.is_something()).count();
    days.split_off(blank)
}

/// The player-day of a moment, if the hero remembers it.
fn day_at(hero: &Hero, at_ms: i64) -> Option<i32> {
    if at_ms >= hero.today.bounds.start_ms {
        return Some(hero.today.bounds.day_no);
    }
    hero.days.iter().rev().find(|record| record.start_ms() <= at_ms).map(|record| record.day_no)
}

/// A day that is over, as it was and as it is from now on; the streak before it is not looked at yet.
struct Pair<'a> {
    old: Option<&'a DayRecord>,
    came: Option<&'a Came<'a>>,
    new: DayRecord,
}

impl Pair<'_> {
    /// Whether it was not active before.
    fn gains(&self) -> bool {
        self.new.kind == DayKind::Active && self.old.is_none_or(|old| old.kind != DayKind::Active)
    }
}

/// All days that are over, from the first that either remembers, without gaps.
fn laid_over<'a>(hero: &'a Hero, came: &'a [Came<'a>], catalogue: &Catalogue) -> Vec<Pair<'a>> {
    let today = hero.today.bounds;
    let on = |day_no: i32| came.iter().find(|came| came.day_no == day_no);
    let own_first = hero.days.first().map_or(today.day_no, |record| record.day_no);
    let first = came.first().map_or(own_first, |came| came.day_no.min(own_first));
    let own_start = hero.days.first().map_or(day::minute(today.start_ms), |record| record.start_minute);
    let before_own = (first..own_first).map(|day_no| {
        let start_minute = day::minute(day::start_ms_of(&hero.zone, day_no)).min(own_start);
        // In days that neither knows nothing could be missed.
        let blank = DayRecord { day_no, start_minute, kind: DayKind::Rest, ..DayRecord::default() };
        let came = on(day_no);
        let new = came.map_or(blank, |came| {
            let record = DayRecord { kind: came.kind, shields_given: came.shields_given, ..blank };
            with(&record, came, catalogue)
        });
        Pair { old: None, came, new }
    });
    let own = hero.days.iter().map(|old| {
        let came = on(old.day_no);
        Pair { old: Some(old), came, new: came.map_or(*old, |came| with(old, came, catalogue)) }
    });
    before_own.chain(own).collect()
}

/// A day with what the guest did in it.
fn with(record: &DayRecord, came: &Came<'_>, catalogue: &Catalogue) -> DayRecord {
    let focus_ms = i64::from(record.focus_ms) + came.focus_ms;
    let is_active = came.kind == DayKind::Active || focus_ms >= catalogue.streak.active_focus_ms;
    DayRecord {
        focus_ms: day::saturated(focus_ms),
        energy_me: day::saturated(i64::from(record.energy_me) + came.energy_me),
        tasks_done: record.tasks_done.saturating_add(came.tasks_done),
        offline_minutes: record.offline_minutes.saturating_add(minutes_up(came.offline_ms)),
        kind: if is_active { DayKind::Active } else { record.kind },
        ..*record
    }
}

fn today(hero: &Hero, came: &[Came<'_>], before: StreakChain, catalogue: &Catalogue) -> Today {
    let mut today = Today { before, ..hero.today };
    let Some(came) = came.iter().find(|came| came.day_no == today.bounds.day_no) else { return today };
    today.focus_ms += came.focus_ms;
    today.energy_me += came.energy_me;
    today.offline_ms += came.offline_ms;
    today.tasks_done = today.tasks_done.saturating_add(came.tasks_done);
    today.active |= came.kind == DayKind::Active || today.focus_ms >= catalogue.streak.active_focus_ms;
    if let Some(used) = came.used {
        today.task_energy_me += used.task_energy_me;
        today.ignitions = today.ignitions.saturating_add(used.ignitions);
        today.comebacks = today.comebacks.saturating_add(used.comebacks);
        today.breaks = today.breaks.saturating_add(used.breaks);
        today.goal_reached |= used.goal_reached;
    }
    today
}

/// The streak over all days from the first one that changed.
#[derive(Default)]
struct Fold {
    /// After the last day; nothing as long as nothing has changed.
    chain: Option<StreakChain>,
    longest_days: u16,
    records: Vec<DayRecord>,
    days: usize,
}

impl Fold {
    const fn is_first(&self) -> bool {
        self.days == 0
    }

    /// The next day. `older` is the guest's streak before the first day that is remembered.
    fn day(&mut self, pair: &Pair<'_>, older: Option<StreakChain>, shields_max: u8, catalogue: &Catalogue) {
        self.days += 1;
        let before = match (self.chain, pair.old) {
            (Some(chain), Some(old)) => Some(at_least(chain, old.before)),
            (Some(chain), None) => Some(chain),
            (None, None) => Some(older.unwrap_or_default()),
            (None, Some(old)) => match older {
                Some(older) if older.days > old.before.days => Some(at_least(older, old.before)),
                _ => (old.kind != pair.new.kind).then_some(old.before),
            },
        };
        let mut record = pair.new;
        if let Some(before) = before {
            record.before = before;
            let chain = streak::after(before, record.kind, record.shields_given, shields_max, catalogue);
            self.longest_days = self.longest_days.max(before.days).max(chain.days);
            self.chain = Some(chain);
        }
        if pair.old != Some(&record) {
            self.records.push(record);
        }
    }
}

/// Nobody loses by being united.
fn at_least(chain: StreakChain, own: StreakChain) -> StreakChain {
    // Days towards a shield that is there already do not count for the next one.
    let toward_shield = match chain.shields > own.shields {
        true => chain.toward_shield,
        false => chain.toward_shield.max(own.toward_shield),
    };
    StreakChain { days: chain.days.max(own.days), shields: chain.shields.max(own.shields), toward_shield }
}
