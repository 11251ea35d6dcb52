//! The fault tests against the real binary, each with a server process of its own. They are grouped under `processes`,
//! so that the test runner lets only one of them at a time have the machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod harness;
mod liar;
mod processes;
