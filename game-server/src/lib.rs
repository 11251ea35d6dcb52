//! The server: connections, shards, the journal writer, and what an operator needs around them.
//!
//! The binary `dopamine-hero` is a thin `main.rs` over this library, so that tests run the real server in process.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "what comes from outside must not panic"))]

pub mod accounts;
pub mod acting;
pub mod admission;
mod assets;
pub mod cache_facts;
pub mod clock;
pub mod config;
pub mod connection;
pub mod convert;
pub mod directory;
pub mod exit;
pub mod export;
#[cfg(feature = "fault-points")]
pub mod fault_points;
pub mod fragments;
pub mod healthcheck;
pub mod hints;
pub mod http;
pub mod journal;
pub mod journal_facts;
pub mod lease;
pub mod listener;
pub mod machine;
pub mod metrics;
pub mod node;
pub mod operations;
pub mod outbox;
pub mod peek;
pub mod published;
pub mod rate;
pub mod read_models;
pub mod refusal;
pub mod seed;
pub mod server;
pub mod shard;
pub mod simulate;
pub mod socket;
pub mod store;
pub mod streams;
pub mod telemetry;
pub mod texts;
pub mod tools;
pub mod uptime;
pub mod verify;
