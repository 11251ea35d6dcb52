//! The wire between a client and the game server: every message, every limit, one codec.
//!
//! WebSocket at `/v1/ws`, subprotocol [`SUBPROTOCOL`], binary frames, each one MessagePack value. Structs are maps with
//! field names, enums are externally tagged (`{"command": {...}}`, a unit variant is its bare name). A client ignores
//! fields it does not know; the server refuses them. `docs/protocol.md` says the same for people without Rust.
//!
//! Units are in the names: `_ms` milliseconds (of UTC where it is a point in time), `_me` milli-energy, `_md`
//! milli-dopamine, `_permille` thousandths, `_ud_per_s` micro-dopamine per second, `_ue_per_s` micro-energy per second.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "what comes from outside must not panic"))]

pub mod client;
pub mod close;
pub mod code;
pub mod codec;
pub mod limit;
pub mod server;
pub mod types;
#[cfg(test)]
mod typescript;

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "dopamine-hero.v1.msgpack";
