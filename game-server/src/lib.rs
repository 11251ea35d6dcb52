//! The server: connections, shards, the journal writer, and what an operator needs around them.
//!
//! The binary `dopamine-hero` is a thin `main.rs` over this library, so that tests run the real server in process.

pub mod accounts;
pub mod admission;
mod assets;
pub mod clock;
pub mod config;
pub mod http;
pub mod listener;
pub mod metrics;
pub mod telemetry;
