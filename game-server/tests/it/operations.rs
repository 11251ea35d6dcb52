//! What operators ask of a running server and do to it, through the trait that the panel uses.

mod corrections;
mod outages;
mod players;

use admin_http::{Actor, Operations};

use crate::harness::TestServer;

/// The server as the panel sees it.
fn desk(server: &TestServer) -> &dyn Operations {
    &**server.server().operations()
}

/// Somebody of the team, whose wish has this row in the audit log.
fn ada(audit_seq: u64) -> Actor {
    Actor { operator: "ada".to_owned(), audit_seq, reason: "Sorry for the lost hour".to_owned() }
}
