//! Every file and folder that ARCHITECTURE.md names is there.

use std::collections::BTreeSet;

use crate::tidy::{File, Finding};

/// The document that must not drift away from the tree.
const DOCUMENT: &str = "ARCHITECTURE.md";
/// Endings by which a name without a folder is recognised as a file.
const FILE_ENDINGS: [&str; 13] = [
    ".rs",
    ".md",
    ".toml",
    ".ron",
    ".ts",
    ".tsx",
    ".json",
    ".yaml",
    ".yml",
    ".sql",
    ".msgpack",
    ".scenario",
    ".example",
];

pub(super) fn check(tree: &[File]) -> Vec<Finding> {
    let Some(document) = tree.iter().find(|file| file.path == DOCUMENT) else {
        return vec![Finding { place: DOCUMENT.into(), problem: "is missing".into() }];
    };
    let known = known_paths(tree);
    let mut findings = Vec::new();
    for (line, path) in named_paths(&document.text) {
        if !known.contains(path.trim_end_matches('/')) {
            let place = format!("{DOCUMENT}:{line}");
            findings.push(Finding { place, problem: format!("`{path}` is named but does not exist") });
        }
    }
    findings
}

/// All files, and all folders above them.
fn known_paths(tree: &[File]) -> BTreeSet<&str> {
    let mut known = BTreeSet::new();
    for file in tree {
        known.insert(file.path.as_str());
        for (index, _) in file.path.match_indices('/') {
            known.insert(&file.path[..index]);
        }
    }
    known
}

/// The paths in a text and the line each stands on: spans in backticks that look like a path, and the first word of
/// each line in a block that is marked as a `tree`.
fn named_paths(text: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(mark) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(mark.trim()) };
        } else if fence == Some("tree") {
            let first = line.split_whitespace().next().unwrap_or_default();
            paths.extend(expand(first).into_iter().map(|path| (index + 1, path)));
        } else if fence.is_none() {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| looks_like_path(span));
            paths.extend(spans.flat_map(expand).map(|path| (index + 1, path)));
        }
    }
    paths.retain(|(_, path)| !path.is_empty());
    paths
}

/// `a/b.rs`, `a/` and `b.toml` do; `/v1/ws`, `http://x`, `T::<A>` and `cargo xtask run` do not.
fn looks_like_path(span: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-{},".contains(letter);
    if span.starts_with('/') || span.starts_with("./") || !span.chars().all(plain) {
        return false;
    }
    span.contains('/')
        || FILE_ENDINGS.iter().any(|ending| span.ends_with(ending) && span.len() > ending.len())
}

/// `src/{a,b}.rs` names two files.
fn expand(span: &str) -> Vec<String> {
    let Some((before, rest)) = span.split_once('{') else { return vec![span.to_owned()] };
    let Some((inside, after)) = rest.split_once('}') else { return vec![span.to_owned()] };
    inside.split(',').flat_map(|choice| expand(&format!("{before}{choice}{after}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        for path in ["simulation/src/lib.rs", "web/", "Cargo.toml", "a/{b,c}.rs", ".ci/run", ".env.example"] {
            assert!(looks_like_path(path), "{path}");
        }
        for other in
            ["/v1/ws", "http://localhost:3001/", "decide", "cargo xtask run", "Option<(A, B)>", ".rs", "a::b"]
        {
            assert!(!looks_like_path(other), "{other}");
        }
    }

    #[test]
    fn braces_name_several_files() {
        assert_eq!(expand("src/{a,b}.{rs,ts}"), ["src/a.rs", "src/a.ts", "src/b.rs", "src/b.ts"]);
        assert_eq!(expand("src/a.rs"), ["src/a.rs"]);
    }

    #[test]
    fn only_blocks_marked_as_a_tree_are_read() {
        let text =
            "see `a/b.rs`\n```tree\nc/  what c is\n```\n```text\nd/e -> f/g\n```\n`h.md` and `x y/z`\n";
        let expected = [(1, "a/b.rs"), (3, "c/"), (8, "h.md")].map(|(line, path)| (line, path.to_owned()));
        assert_eq!(named_paths(text), expected);
    }
}
