//! The journal writer against the store with faults, in paused time.

#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test")]

#[path = "writer/away.rs"]
mod away;
#[path = "writer/bench.rs"]
mod bench;
#[path = "writer/chaos.rs"]
mod chaos;
#[path = "writer/flushing.rs"]
mod flushing;
#[path = "contract/folder.rs"]
mod folder;
#[path = "writer/heroes.rs"]
mod heroes;
#[path = "contract/history.rs"]
#[allow(dead_code, reason = "shared with the contract, which uses more of it")]
mod history;
#[path = "writer/on_disk.rs"]
mod on_disk;
