//! The one place that names both the words of the wire and those of the rules.
//!
//! Owns nothing and decides nothing: every number that a client sees is made by a function of `simulation`. A client never
//! runs a rule, so what it needs to draw (prices, rates, what a task would pay) is said here.

mod command;
mod event;
mod rejection;
mod view;

pub use self::{
    command::command,
    event::{event, events},
    rejection::rejected,
    view::{hero_view, patch, progress, repriced},
};

#[cfg(test)]
pub(crate) mod tests;
