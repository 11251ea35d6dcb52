//! Tasks: rules, section 1.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::recurrence::{self, OCCURRENCE_DAYS_BACK};
use super::{focus, rack, text};
use crate::catalogue::{Catalogue, Category};
use crate::command::{Priority, Recurrence};
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::{Hero, Repeat, Task};
use crate::rejection::{Field, Rejection};

/// What a player writes about a task.
pub(crate) struct Words<'a> {
    pub(crate) title: &'a str,
    pub(crate) category: Category,
    pub(crate) priority: Priority,
    pub(crate) estimate_minutes: u16,
    pub(crate) due_on: Option<&'a String>,
    pub(crate) recurrence: Option<&'a Recurrence>,
}

impl Words<'_> {
    /// Checks everything; gives the due day.
    fn check(&self, catalogue: &Catalogue) -> Result<Option<i32>, Rejection> {
        let rules = &catalogue.tasks;
        text::check(self.title, Field::Title, usize::try_from(rules.title_chars_max).unwrap_or(0))?;
        if i64::from(self.estimate_minutes) > rules.estimate_max_min {
            let max = rules.estimate_max_min;
            return Err(Rejection::OutOfRange { field: Field::EstimateMinutes, min: 0, max });
        }
        if let Some(rule) = self.recurrence {
            recurrence::check(rule)?;
        }
        text::day(self.due_on)
    }
}

pub(crate) fn create(
    draft: &mut Draft<'_>,
    now_ms: i64,
    words: &Words<'_>,
    parent_id: Option<u32>,
) -> Result<(), Rejection> {
    let due_day = words.check(draft.catalogue)?;
    let rules = &draft.catalogue.tasks;
    if let Some(parent_id) = parent_id {
        let parent = draft.hero.task(parent_id).ok_or(Rejection::UnknownTask)?;
        if parent.parent_id.is_some() || words.recurrence.is_some() {
            return Err(Rejection::NotAParent);
        }
        limit(subtasks(&draft.hero, parent_id).count(), rules.subtasks_max, Field::Subtasks)?;
    }
    limit(draft.hero.tasks.len(), rules.open_max, Field::Tasks)?;
    let today = draft.hero.today.bounds.day_no;
    let task = Task {
        task_id: draft.next_id(),
        parent_id,
        title: words.title.into(),
        category: words.category,
        priority: words.priority,
        estimate_minutes: words.estimate_minutes,
        due_day,
        created_at_ms: now_ms,
        done_at_ms: None,
        paid: false,
        focus_ms: 0,
        subtasks_me: 0,
        repeat: words.recurrence.map(|rule| repeat(rule, due_day.unwrap_or(today), 0, Vec::new())),
    };
    draft.emit(now_ms, Event::TaskCreated { task });
    Ok(())
}

fn limit(count: usize, max: i64, field: Field) -> Result<(), Rejection> {
    if i64::try_from(count).unwrap_or(i64::MAX) >= max {
        Err(Rejection::LimitReached { field, max })
    } else {
        Ok(())
    }
}

fn repeat(
    rule: &Recurrence,
    from_day: i32,
    focus_used_ms: i64,
    occurrences: Vec<crate::hero::Occurrence>,
) -> Box<Repeat> {
    Box::new(Repeat { rule: rule.clone(), from_day, focus_used_ms, occurrences })
}

/// The subtasks of a task.
pub fn subtasks(hero: &Hero, parent_id: u32) -> impl Iterator<Item = &Task> {
    hero.tasks.iter().filter(move |task| task.parent_id == Some(parent_id))
}

pub(crate) fn update(
    draft: &mut Draft<'_>,
    now_ms: i64,
    task_id: u32,
    words: &Words<'_>,
) -> Result<(), Rejection> {
    let old = draft.hero.task(task_id).ok_or(Rejection::UnknownTask)?;
    let due_day = words.check(draft.catalogue)?;
    if old.parent_id.is_some() && words.recurrence.is_some() {
        return Err(Rejection::NotAParent);
    }
    let mut task = old.clone();
    task.title = words.title.into();
    task.category = words.category;
    task.priority = words.priority;
    task.estimate_minutes = words.estimate_minutes;
    task.due_day = due_day;
    let today = draft.hero.today.bounds.day_no;
    task.repeat = match (words.recurrence, old.repeat.as_deref()) {
        (None, kept) => {
            // A date that was paid is not paid again by taking the rule away, nor by bringing it back.
            task.paid |= kept.is_some_and(|kept| !kept.occurrences.is_empty());
            None
        }
        (Some(rule), None) => {
            let paid = if old.paid { recurrence::paid_until(today) } else { Vec::new() };
            // From now on each date is open or done, not the task; a done one would leave the list.
            task.done_at_ms = None;
            Some(repeat(rule, due_day.unwrap_or(today), task.focus_ms, paid))
        }
        (Some(rule), Some(kept)) => {
            let from_day = due_day.unwrap_or(kept.from_day);
            Some(repeat(rule, from_day, kept.focus_used_ms, kept.occurrences.clone()))
        }
    };
    if task != *old {
        draft.emit(now_ms, Event::TaskUpdated { task });
    }
    Ok(())
}

pub(crate) fn delete(draft: &mut Draft<'_>, now_ms: i64, task_id: u32) -> Result<(), Rejection> {
    let parent_id = draft.hero.task(task_id).ok_or(Rejection::UnknownTask)?.parent_id;
    let mut task_ids = alloc::vec![task_id];
    task_ids.extend(subtasks(&draft.hero, task_id).map(|task| task.task_id));
    draft.emit(now_ms, Event::TaskDeleted { task_ids, parent_id });
    Ok(())
}

/// Which occurrence a command means: a date for a recurring task, nothing for another.
fn occurrence(hero: &Hero, task: &Task, occurrence_on: Option<&String>) -> Result<Option<i32>, Rejection> {
    let asked = text::day(occurrence_on)?;
    let today = hero.today.bounds.day_no;
    match (task.repeat.as_deref(), asked) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Rejection::NoSuchOccurrence),
        (Some(repeat), None) => {
            recurrence::open_day(repeat, today).map(Some).ok_or(Rejection::NoSuchOccurrence)
        }
        (Some(repeat), Some(day_no)) => {
            let near = (today - OCCURRENCE_DAYS_BACK..=today).contains(&day_no);
            if near && recurrence::falls_on(repeat, day_no) {
                Ok(Some(day_no))
            } else {
                Err(Rejection::NoSuchOccurrence)
            }
        }
    }
}

fn is_done(task: &Task, occurrence_day: Option<i32>) -> bool {
    match (task.repeat.as_deref(), occurrence_day) {
        (Some(repeat), Some(day_no)) => {
            repeat.occurrences.iter().any(|known| known.day_no == day_no && known.done_at_ms.is_some())
        }
        _ => task.done_at_ms.is_some(),
    }
}

pub(crate) fn complete(
    draft: &mut Draft<'_>,
    now_ms: i64,
    task_id: u32,
    occurrence_on: Option<&String>,
) -> Result<(), Rejection> {
    let hero = &draft.hero;
    let task = hero.task(task_id).ok_or(Rejection::UnknownTask)?;
    let occurrence_day = occurrence(hero, task, occurrence_on)?;
    if is_done(task, occurrence_day) {
        return Ok(());
    }
    let price = Price::of(hero, task, occurrence_day, now_ms, draft.catalogue);
    let rules = &draft.catalogue.tasks;
    let age_days = hero.today.bounds.day_no - super::day::day_no_at(&hero.zone, task.created_at_ms);
    let estimate_ms = i64::from(task.estimate_minutes) * 60_000;
    let off_ms = (price.focus_ms - estimate_ms).abs();
    let met = task.estimate_minutes > 0 && off_ms * 1000 <= estimate_ms * rules.good_estimate_permille;
    let event = Event::TaskCompleted {
        task_id,
        occurrence_day,
        energy_me: price.reward_me,
        first: price.first,
        backed: price.backed,
        focus_ms: price.focus_ms,
        frog: price.backed && i64::from(age_days) >= rules.frog_age_days,
        estimate_met: price.backed && met,
        // A subtask that was reopened and is done again may be the one that was missing; it counts once.
        split: (price.first || hero.statistics.splits == 0) && splits(hero, task, rules.split_subtasks_min),
    };
    draft.emit(now_ms, event);
    Ok(())
}

/// Whether finishing this subtask leaves none of its siblings open, and they are enough.
fn splits(hero: &Hero, task: &Task, subtasks_min: i64) -> bool {
    let Some(parent_id) = task.parent_id else { return false };
    let count = i64::try_from(subtasks(hero, parent_id).count()).unwrap_or(0);
    let mut others = subtasks(hero, parent_id).filter(|other| other.task_id != task.task_id);
    count >= subtasks_min && others.all(|other| other.done_at_ms.is_some())
}

pub(crate) fn reopen(
    draft: &mut Draft<'_>,
    now_ms: i64,
    task_id: u32,
    occurrence_on: Option<&String>,
) -> Result<(), Rejection> {
    let task = draft.hero.task(task_id).ok_or(Rejection::UnknownTask)?;
    let occurrence_day = occurrence(&draft.hero, task, occurrence_on)?;
    if is_done(task, occurrence_day) {
        draft.emit(now_ms, Event::TaskReopened { task_id, occurrence_day });
    }
    Ok(())
}

/// What finishing a task now is worth.
struct Price {
    reward_me: i64,
    first: bool,
    backed: bool,
    focus_ms: i64,
}

impl Price {
    fn of(hero: &Hero, task: &Task, occurrence_day: Option<i32>, now_ms: i64, catalogue: &Catalogue) -> Self {
        let rules = &catalogue.tasks;
        let first = match (task.repeat.as_deref(), occurrence_day) {
            (Some(repeat), Some(day_no)) => repeat.occurrences.iter().all(|known| known.day_no != day_no),
            _ => !task.paid,
        };
        let focus_ms = linked_focus_ms(hero, task, now_ms, catalogue);
        let share_ms =
            focus::share(i64::from(task.estimate_minutes) * 60_000, rules.backing_estimate_permille);
        let backed = focus_ms >= rules.backing_min_ms.max(share_ms);
        let bonus_permille = rack::effect(hero, catalogue).task_bonus_permille;
        let mut reward_me = if now_ms - task.created_at_ms < rules.quick_ms {
            rules.quick_me
        } else {
            formula(task, backed, bonus_permille, catalogue)
        };
        if let Some(parent) = task.parent_id.and_then(|parent_id| hero.task(parent_id)) {
            let whole_me = formula(parent, true, bonus_permille, catalogue);
            let together_me = focus::share(whole_me, rules.subtasks_pay_max_permille);
            reward_me = reward_me.min((together_me - parent.subtasks_me).max(0));
        }
        reward_me = reward_me.min((rules.per_day_max_me - hero.today.task_energy_me).max(0));
        Self { reward_me: if first { reward_me } else { 0 }, first, backed, focus_ms }
    }
}

/// The formula of section 1, rounded down once.
fn formula(task: &Task, backed: bool, bonus_permille: i64, catalogue: &Catalogue) -> i64 {
    let rules = &catalogue.tasks;
    let minutes = i64::from(task.estimate_minutes).min(rules.estimate_counted_max_min);
    let priority = match task.priority {
        Priority::Low => rules.low_permille,
        Priority::Medium => rules.medium_permille,
        Priority::High => rules.high_permille,
    };
    let backing = if backed { rules.backed_permille } else { rules.unbacked_permille };
    let product = i128::from(rules.base_me + rules.per_minute_me * minutes)
        * i128::from(priority)
        * i128::from(backing)
        * i128::from(1000 + bonus_permille);
    i64::try_from(product / 1_000_000_000).expect("a reward is of the size of its base")
}

/// Focus linked to a task until now: its own, that of its subtasks, the open session's, and that of a session which
/// waits for "still you?". Focus that has backed an
/// earlier occurrence does not count again.
#[must_use]
pub fn linked_focus_ms(hero: &Hero, task: &Task, now_ms: i64, catalogue: &Catalogue) -> i64 {
    let own_ms = task.focus_ms - task.repeat.as_deref().map_or(0, |repeat| repeat.focus_used_ms);
    let of_subtasks_ms: i64 = subtasks(hero, task.task_id).map(|subtask| subtask.focus_ms).sum();
    let linked = |task_id: Option<u32>| {
        let linked = task_id.and_then(|task_id| hero.task(task_id));
        linked.is_some_and(|linked| linked.task_id == task.task_id || linked.parent_id == Some(task.task_id))
    };
    let session_ms = hero.session.as_deref().map_or(0, |session| {
        let meter = focus::certain(hero, session, now_ms, catalogue);
        if linked(session.task_id) { (meter.focus_ms - session.task_from_ms).max(0) } else { 0 }
    });
    // Silence will be "yes": what waits for an answer is trusted.
    let waiting_ms = hero.to_confirm.as_deref().map_or(0, |asked| {
        let focus_ms = asked.session.meter.focus_ms - asked.session.task_from_ms;
        if linked(asked.session.task_id) { focus_ms.max(0) } else { 0 }
    });
    (own_ms + of_subtasks_ms + session_ms + waiting_ms).max(0)
}

/// What finishing a task now would pay.
#[must_use]
pub fn reward_me(hero: &Hero, task: &Task, now_ms: i64, catalogue: &Catalogue) -> i64 {
    let today = hero.today.bounds.day_no;
    let occurrence_day = task.repeat.as_deref().and_then(|repeat| recurrence::open_day(repeat, today));
    Price::of(hero, task, occurrence_day, now_ms, catalogue).reward_me
}
