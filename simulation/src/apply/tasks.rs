//! Tasks and their occurrences.

use crate::event::Event;
use crate::hero::{Hero, Occurrence, Task};

/// How many done occurrences a recurring task remembers. More than the days back that can be completed, so that no
/// occurrence is paid twice.
pub(crate) const OCCURRENCES_KEPT: usize = 16;

pub(super) fn apply(hero: &mut Hero, at_ms: i64, event: &Event) {
    match event {
        Event::TaskCreated { task } => {
            hero.last_id = hero.last_id.max(task.task_id);
            hero.tasks.push(task.clone());
        }
        Event::TaskUpdated { task } => {
            if let Some(kept) = hero.task_mut(task.task_id) {
                *kept = task.clone();
            }
        }
        Event::TaskCompleted {
            task_id,
            occurrence_day,
            energy_me,
            first,
            backed,
            focus_ms,
            frog,
            estimate_met,
            split,
        } => {
            if *first {
                let counts = &mut hero.statistics;
                counts.tasks_done += 1;
                counts.tasks_backed += u32::from(*backed);
                counts.frogs += u32::from(*frog);
                counts.estimates_met += u32::from(*estimate_met);
                hero.today.tasks_done = hero.today.tasks_done.saturating_add(1);
            }
            hero.statistics.splits += u32::from(*split);
            hero.today.task_energy_me += energy_me;
            let parent_id = hero.task_mut(*task_id).and_then(|task| {
                done(task, at_ms, *occurrence_day, *focus_ms);
                task.parent_id
            });
            if let Some(parent) = parent_id.and_then(|parent_id| hero.task_mut(parent_id)) {
                parent.subtasks_me += energy_me;
            }
        }
        Event::TaskReopened { task_id, occurrence_day } => {
            if let Some(task) = hero.task_mut(*task_id) {
                reopened(task, *occurrence_day);
            }
        }
        Event::TaskDeleted { task_ids, .. } => {
            hero.tasks.retain(|task| !task_ids.contains(&task.task_id));
            if let Some(session) = hero.session.as_deref_mut()
                && session.task_id.is_some_and(|task_id| task_ids.contains(&task_id))
            {
                session.task_id = None;
            }
        }
        _ => {}
    }
}

fn done(task: &mut Task, at_ms: i64, occurrence_day: Option<i32>, focus_ms: i64) {
    let (Some(repeat), Some(day_no)) = (task.repeat.as_deref_mut(), occurrence_day) else {
        task.done_at_ms = Some(at_ms);
        task.paid = true;
        return;
    };
    match repeat.occurrences.binary_search_by_key(&day_no, |occurrence| occurrence.day_no) {
        Ok(index) => {
            if let Some(occurrence) = repeat.occurrences.get_mut(index) {
                occurrence.done_at_ms = Some(at_ms);
            }
        }
        Err(index) => {
            repeat.focus_used_ms += focus_ms;
            repeat.occurrences.insert(index, Occurrence { day_no, done_at_ms: Some(at_ms) });
            let surplus = repeat.occurrences.len().saturating_sub(OCCURRENCES_KEPT);
            repeat.occurrences.drain(..surplus);
        }
    }
}

fn reopened(task: &mut Task, occurrence_day: Option<i32>) {
    match (task.repeat.as_deref_mut(), occurrence_day) {
        (Some(repeat), Some(day_no)) => {
            for occurrence in repeat.occurrences.iter_mut().filter(|occurrence| occurrence.day_no == day_no) {
                occurrence.done_at_ms = None;
            }
        }
        _ => task.done_at_ms = None,
    }
}
