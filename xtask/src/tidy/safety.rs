//! What makes the compiler refuse careless code is switched on, for every crate of the workspace.

use crate::tidy::{File, Finding};

/// Lines that the root `Cargo.toml` must have. Another value there would switch something off for all crates.
const ROOT_LINES: [(&str, &str); 3] = [
    ("unsafe_code = \"forbid\"", "no crate of ours is unsafe"),
    ("unwrap_used = \"warn\"", "an input must not be able to panic"),
    ("overflow-checks = true", "an amount must not wrap around in a release"),
];

/// Crates that read what strangers send: there an index that is out of range is a lint too.
const INPUT_CRATES: [&str; 4] = ["protocol", "persistence", "game-server", "admin-http"];

pub(super) fn check(tree: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree {
        if file.path == "Cargo.toml" {
            let is_missing = |line: &str| !file.text.lines().any(|found| found.trim() == line);
            let missing = ROOT_LINES.iter().filter(|(line, _)| is_missing(line));
            findings.extend(missing.map(|(line, why)| finding(file, format!("`{line}` is missing: {why}"))));
        } else if is_member(&file.path) && !file.text.contains("[lints]\nworkspace = true\n") {
            findings.push(finding(file, "a crate takes the lints of the workspace".into()));
        }
        let is_input = |name: &str| file.path.strip_prefix(name) == Some("/src/lib.rs");
        if INPUT_CRATES.iter().any(|name| is_input(name)) && !file.text.contains("clippy::indexing_slicing") {
            findings.push(finding(file, "this crate reads input and must warn of indexing_slicing".into()));
        }
    }
    findings
}

/// The fuzz targets are a workspace of their own: a macro of the fuzzer is unsafe.
fn is_member(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/")
}

fn finding(file: &File, problem: String) -> Finding {
    Finding { place: file.path.clone(), problem }
}
