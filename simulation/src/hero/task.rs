//! Tasks.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::command::{Category, Priority, Recurrence};
use crate::text::PlayerText;

/// A task or a subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The hero's number for it.
    pub task_id: u32,
    /// The parent of a subtask.
    pub parent_id: Option<u32>,
    /// 1 to 200 characters.
    pub title: PlayerText,
    /// What kind of work.
    pub category: Category,
    /// How important.
    pub priority: Priority,
    /// 0 is "no estimate".
    pub estimate_minutes: u16,
    /// Days since 1970-01-01.
    pub due_day: Option<i32>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was done; a recurring task keeps this per occurrence.
    pub done_at_ms: Option<i64>,
    /// It was paid: whatever is undone and redone pays nothing.
    pub paid: bool,
    /// Focus linked to it.
    pub focus_ms: i64,
    /// What its subtasks were paid together.
    pub subtasks_me: i64,
    /// How it repeats.
    pub repeat: Option<Box<Repeat>>,
}

/// How a task repeats, and what became of its last occurrences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// The rule.
    pub rule: Recurrence,
    /// The day from which the rule counts.
    pub from_day: i32,
    /// Focus that backed occurrences which are paid.
    pub focus_used_ms: i64,
    /// Occurrences that were done at least once, oldest first; the last few.
    pub occurrences: Vec<Occurrence>,
}

/// One date of a recurring task. Its id is (task, date), so that two devices make the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Days since 1970-01-01.
    pub day_no: i32,
    /// When it was done; nothing after an undo.
    pub done_at_ms: Option<i64>,
}
