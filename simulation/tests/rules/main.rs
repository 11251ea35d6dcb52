//! The rules as scripts: what a player does, and the journal that comes of it. One file a section of the rules.

mod assembly;
mod correction;
mod days;
mod economy;
mod golden;
mod modules;
mod offline;
mod properties;
mod rack;
mod script;
mod session;
mod switch;
mod tasks;
mod union;
mod world;
