//! What is checked about whatever the fuzzer makes up, one module for each target in `fuzz_targets/`.
//!
//! A check panics when something is wrong; the fuzzer keeps the bytes that did it. Every build here has debug
//! assertions and overflow checks.
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod environment;
pub mod frames;
pub mod journal;
pub mod socket;
pub mod tokens;
