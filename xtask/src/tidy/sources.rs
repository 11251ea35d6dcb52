//! Rules about source files: size, names, words that must not stay.

use crate::tidy::{File, Finding};

/// A longer file is two things.
const FILE_LINES_MAX: usize = 500;

/// Words that mean unfinished work or a test that does not run. In two halves, because this file is checked too.
const FORBIDDEN_WORDS: [(&str, &str); 9] = [
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimpl", "emented!("), "unfinished code"),
    (concat!("TO", "DO"), "unfinished work belongs into an issue"),
    (concat!("FIX", "ME"), "unfinished work belongs into an issue"),
    (concat!("dbg", "!("), "left from looking for a bug"),
    (concat!("#[ig", "nore"), "a test that does not run proves nothing"),
    (concat!("test.sk", "ip("), "a test that does not run proves nothing"),
    (concat!("it.sk", "ip("), "a test that does not run proves nothing"),
    (concat!(".on", "ly("), "it keeps every other test from running"),
];

pub(super) fn check(tree: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree {
        if file.path.ends_with("mod.rs") && is_named(&file.path, "mod.rs") {
            findings.push(finding(&file.path, "name the file after its module instead".into()));
        }
        if file.path.ends_with("package-lock.json") {
            findings.extend(registry_hosts(file));
        }
        if !is_source(&file.path) || is_generated(&file.path) {
            continue;
        }
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX && !is_test(&file.path) {
            findings
                .push(finding(&file.path, format!("{lines} lines, more than {FILE_LINES_MAX}: split it")));
        }
        findings.extend(forbidden_words(file));
        if file.path.ends_with(".rs") {
            findings.extend(glob_exports(file));
        }
    }
    findings
}

fn finding(place: &str, problem: String) -> Finding {
    Finding { place: place.into(), problem }
}

fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

fn is_source(path: &str) -> bool {
    [".rs", ".ts", ".tsx"].iter().any(|ending| path.ends_with(ending))
}

fn is_generated(path: &str) -> bool {
    path.ends_with(".gen.ts") || path.ends_with(".d.ts")
}

/// Tests may be as long as what they try.
fn is_test(path: &str) -> bool {
    let in_folder =
        path.split('/').any(|part| ["tests", "test", "golden", "benches", "e2e", "it"].contains(&part));
    in_folder || is_named(path, "tests.rs") || path.contains(".test.ts") || path.contains(".spec.ts")
}

fn forbidden_words(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (word, why) in FORBIDDEN_WORDS {
            if line.contains(word) {
                let place = format!("{}:{}", file.path, index + 1);
                findings.push(finding(&place, format!("`{word}` must not stay: {why}")));
            }
        }
    }
    findings
}

/// `pub use x::*` hides what a module offers.
fn glob_exports(file: &File) -> Vec<Finding> {
    let is_glob = |line: &str| {
        let line = line.trim_start();
        line.starts_with("pub") && line.contains("use ") && line.trim_end().ends_with("::*;")
    };
    let lines = file.text.lines().enumerate().filter(|(_, line)| is_glob(line));
    lines
        .map(|(index, _)| {
            finding(&format!("{}:{}", file.path, index + 1), "name what is exported, no `*`".into())
        })
        .collect()
}

/// A lock file that names download hosts works only where those can be reached.
fn registry_hosts(file: &File) -> Vec<Finding> {
    let names_a_host = |line: &&str| line.contains("\"resolved\"") && line.contains("://");
    let count = file.text.lines().filter(names_a_host).count();
    if count == 0 {
        return Vec::new();
    }
    vec![finding(
        &file.path,
        format!(
            "{count} entries name a download host; `npm install --omit-lockfile-registry-resolved` writes none"
        ),
    )]
}
