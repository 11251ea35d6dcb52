//! The rules, one file each: pure functions over a hero. `decide` and `advance` call them; nothing here knows a clock.

pub mod accrual;
pub(crate) mod achievement;
pub mod assembly;
pub(crate) mod confirm;
pub mod correction;
pub mod create;
pub mod day;
pub mod focus;
pub(crate) mod offline;
pub mod preset;
pub(crate) mod profile;
pub mod rack;
pub mod recurrence;
pub(crate) mod rest;
pub mod session;
pub mod streak;
pub mod task;
mod text;
pub mod timer;
pub mod union;
pub mod wallet;
