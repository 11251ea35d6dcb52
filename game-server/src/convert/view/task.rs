//! Tasks.

use protocol::types as wire;
use simulation::{
    calendar::format_date,
    catalogue::Catalogue,
    command::{Priority, Recurrence},
    hero::{Hero, Task},
    rules::{
        recurrence::open_day,
        task::{linked_focus_ms, reward_me},
    },
};

use super::category;

/// The tasks for which `wanted` is true, by number.
pub(super) fn tasks(
    hero: &Hero,
    catalogue: &Catalogue,
    now_ms: i64,
    wanted: impl Fn(&Task) -> bool,
) -> Vec<wire::Task> {
    hero.tasks.iter().filter(|task| wanted(task)).map(|task| one(hero, task, catalogue, now_ms)).collect()
}

fn one(hero: &Hero, task: &Task, catalogue: &Catalogue, now_ms: i64) -> wire::Task {
    let occurrence_day = task.repeat.as_deref().and_then(|repeat| open_day(repeat, hero.today.bounds.day_no));
    // A task that is seconds old pays little; what it will be worth is more to the point.
    let worth_at_ms = now_ms.max(task.created_at_ms + catalogue.tasks.quick_ms);
    wire::Task {
        task_id: task.task_id,
        parent_id: task.parent_id,
        title: task.title.to_string(),
        category: category(task.category),
        priority: match task.priority {
            Priority::Low => wire::Priority::Low,
            Priority::Medium => wire::Priority::Medium,
            Priority::High => wire::Priority::High,
        },
        estimate_minutes: task.estimate_minutes,
        due_on: task.due_day.map(format_date),
        recurrence: task.repeat.as_deref().map(|repeat| match &repeat.rule {
            Recurrence::EveryDays { days } => wire::Recurrence::EveryDays { days: *days },
            Recurrence::Weekdays { weekdays } => wire::Recurrence::Weekdays { weekdays: weekdays.clone() },
        }),
        occurrence_on: occurrence_day.map(format_date),
        created_at_ms: task.created_at_ms,
        done_at_ms: done_at_ms(task, occurrence_day),
        focus_ms: linked_focus_ms(hero, task, now_ms, catalogue),
        reward_me: reward_me(hero, task, worth_at_ms, catalogue),
    }
}

/// A recurring task is done while the occurrence that it shows is.
fn done_at_ms(task: &Task, occurrence_day: Option<i32>) -> Option<i64> {
    let Some(repeat) = task.repeat.as_deref() else { return task.done_at_ms };
    let known = repeat.occurrences.iter().find(|known| Some(known.day_no) == occurrence_day)?;
    known.done_at_ms
}
