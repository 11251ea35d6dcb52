//! The rules of the game: pure functions over a hero, and the ECS world that ticks every hero.
#![no_std]

extern crate alloc;

pub mod advance;
pub mod apply;
pub mod calendar;
pub mod catalogue;
pub mod command;
pub mod component;
pub mod decide;
mod draft;
pub mod event;
pub mod hero;
pub mod id;
#[cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "it reads what players type"))]
pub mod preset_code;
pub mod rack;
pub mod rejection;
pub mod rules;
mod systems;
pub mod text;
pub mod world;
