//! Bots that play like people, and the scenarios that use them to measure the server and to try to make it lie.
//!
//! - [`bot`]: one faithful client: [`outbox`] (exactly once), [`mirror`] (what it believes), [`ledger`] (what it was
//!   told), [`mind`] (what it wants), [`wire`] and [`http`] (how it talks).
//! - [`faults`]: the server as a process that can be killed; [`proxy`]: a network that can be broken; [`balancer`]:
//!   one address before several servers; [`audit`]: the journal against the ledgers.
//! - [`fault`]: the list of faults to survive, each with its injection and its proof.
//! - [`bench`]: what the server costs: CPU time, memory, bytes, time to start.
//! - [`security`]: what an attack costs everybody else, and what a clock gives away.
//! - [`operator`]: somebody who runs the server, over the operators' listener.
//! - [`scenario`]: what the command line runs.
//!
//! Of the game it depends on `protocol` alone: a bot knows what any client in any language can know.

pub mod audit;
pub mod balancer;
pub mod bench;
pub mod bot;
pub mod fault;
pub mod faults;
pub mod http;
pub mod ledger;
pub mod mind;
pub mod mirror;
pub mod operator;
pub mod outbox;
mod process;
pub mod proxy;
pub mod scenario;
pub mod security;
pub mod stats;
pub mod wire;
