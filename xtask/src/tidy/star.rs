//! The crates form a star: rules, wire, store and admin know nothing of each other.

use crate::tidy::Finding;
use crate::workspace::Edge;

/// Every dependency there may be inside the workspace; a new line here needs a decision record.
const ALLOWED: [(&str, &str); 8] = [
    ("game-server", "protocol"),
    ("game-server", "simulation"),
    ("game-server", "persistence"),
    ("game-server", "admin-http"),
    ("load-tests", "protocol"),
    // Servers for tests: programs of the system, nothing of ours.
    ("persistence", "test-servers"),
    ("game-server", "test-servers"),
    ("load-tests", "test-servers"),
];

pub(super) fn check(edges: &[Edge]) -> Vec<Finding> {
    let is_allowed = |edge: &&Edge| ALLOWED.contains(&(edge.from.as_str(), edge.to.as_str()));
    let finding = |edge: &Edge| Finding {
        place: format!("{} → {}", edge.from, edge.to),
        problem: "the star of crates has no such dependency; only game-server joins them".into(),
    };
    edges.iter().filter(|edge| !is_allowed(edge)).map(finding).collect()
}
