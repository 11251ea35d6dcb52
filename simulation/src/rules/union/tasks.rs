//! Tasks of a guest: they come with new numbers, as many as there is room for.

use alloc::vec::Vec;

use crate::catalogue::Catalogue;
use crate::command::Recurrence;
use crate::hero::{Hero, Task};

/// Bytes of tasks in one event, generously counted: an event is kept in one row of the journal.
const EVENT_BYTES_MAX: usize = 10 * 1024;
/// Events of tasks in one union: all events of a decision are journaled together.
const EVENTS_MAX: usize = 16;
/// What a task takes beside its words: its numbers, and the names of its fields.
const TASK_BYTES: usize = 320;
/// What one remembered occurrence takes.
const OCCURRENCE_BYTES: usize = 40;

/// The tasks under their new numbers, in parts. Open ones come first when not all have room; a task comes with all of
/// its subtasks or not at all.
pub(super) fn brought(hero: &Hero, guest: &Hero, catalogue: &Catalogue) -> Vec<Vec<Task>> {
    let taken = taken(hero, guest, catalogue);
    let mut parts: Vec<Vec<Task>> = Vec::new();
    let (mut renumbered, mut bytes): (Vec<(u32, u32)>, usize) = (Vec::new(), EVENT_BYTES_MAX);
    let is_taken = |task: &&Task| taken.contains(&task.parent_id.unwrap_or(task.task_id));
    // By number, so that a parent is always there before its subtasks.
    for (task, new_id) in guest.tasks.iter().filter(is_taken).zip(hero.last_id + 1..) {
        renumbered.push((task.task_id, new_id));
        let parent_id = task.parent_id.and_then(|parent_id| {
            let found = renumbered.binary_search_by_key(&parent_id, |(old_id, _)| *old_id).ok()?;
            renumbered.get(found).map(|(_, new_id)| *new_id)
        });
        let task = Task { task_id: new_id, parent_id, ..task.clone() };
        if bytes + bytes_of(&task) > EVENT_BYTES_MAX {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += bytes_of(&task);
        if let Some(part) = parts.last_mut() {
            part.push(task);
        }
    }
    parts
}

/// The numbers of the guest's tasks that come, without their subtasks'.
fn taken(hero: &Hero, guest: &Hero, catalogue: &Catalogue) -> Vec<u32> {
    let tasks_max = usize::try_from(catalogue.tasks.open_max).unwrap_or(0);
    let mut room = tasks_max.saturating_sub(hero.tasks.len());
    // A part may be left with less room than the next task takes: half of it is the least that is used.
    let mut bytes_left = EVENTS_MAX * EVENT_BYTES_MAX / 2;
    let mut families: Vec<&Task> = guest.tasks.iter().filter(|task| task.parent_id.is_none()).collect();
    families.sort_by_key(|task| task.done_at_ms.is_some());
    let mut taken = Vec::new();
    for head in families {
        let is_of = |task: &&Task| task.parent_id.unwrap_or(task.task_id) == head.task_id;
        let count = guest.tasks.iter().filter(is_of).count();
        let bytes: usize = guest.tasks.iter().filter(is_of).map(bytes_of).sum();
        if count <= room && bytes <= bytes_left {
            room -= count;
            bytes_left -= bytes;
            taken.push(head.task_id);
        }
    }
    taken
}

fn bytes_of(task: &Task) -> usize {
    let repeat = task.repeat.as_deref().map_or(0, |repeat| {
        let rule = match &repeat.rule {
            Recurrence::EveryDays { .. } => 0,
            Recurrence::Weekdays { weekdays } => weekdays.len(),
        };
        TASK_BYTES + rule + repeat.occurrences.len() * OCCURRENCE_BYTES
    });
    TASK_BYTES + task.title.as_str().len() + repeat
}
