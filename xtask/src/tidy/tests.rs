//! Each rule is seen to fail on a made-up tree, and the real tree is seen to pass.

use super::*;
use crate::workspace::Edge;

fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into() }
}

fn edge(from: &str, to: &str) -> Edge {
    Edge { from: from.into(), to: to.into() }
}

/// One source file, and the only problem it must have.
#[track_caller]
fn check_source(path: &str, text: &str, expected: Option<(&str, &str)>) {
    let findings = sources::check(&[file(path, text)]);
    match (expected, findings.as_slice()) {
        (None, []) => {}
        (Some((place, problem)), [found]) => {
            assert_eq!(found.place, place);
            assert!(found.problem.contains(problem), "{found}");
        }
        (expected, found) => panic!("expected {expected:?}, found {found:?}"),
    }
}

#[test]
fn this_repository_is_tidy() {
    let workspace = Workspace::load().unwrap();
    let findings: Vec<String> = findings(&workspace).unwrap().iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn the_star_has_no_other_edges() {
    assert_eq!(star::check(&[edge("game-server", "simulation"), edge("load-tests", "protocol")]), []);
    for (from, to) in [
        ("simulation", "protocol"),
        ("persistence", "simulation"),
        ("load-tests", "simulation"),
        ("xtask", "protocol"),
    ] {
        let findings = star::check(&[edge("game-server", "protocol"), edge(from, to)]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, format!("{from} → {to}"));
    }
}

#[test]
fn long_files_are_found_but_not_long_tests() {
    let (fits, long) = ("x\n".repeat(500), "x\n".repeat(501));
    check_source("simulation/src/hero.rs", &fits, None);
    check_source("simulation/src/hero.rs", &long, Some(("simulation/src/hero.rs", "501 lines")));
    check_source("web/player/src/App.tsx", &long, Some(("web/player/src/App.tsx", "501 lines")));
    for test in ["simulation/tests/golden.rs", "simulation/src/hero/tests.rs", "web/sdk/src/clock.test.ts"] {
        check_source(test, &long, None);
    }
    check_source("web/sdk/src/protocol.gen.ts", &long, None);
    check_source("docs/protocol.md", &long, None);
}

#[test]
fn files_are_named_after_their_module() {
    check_source("simulation/src/rules/mod.rs", "", Some(("simulation/src/rules/mod.rs", "name the file")));
    check_source("simulation/src/rules/amod.rs", "", None);
}

#[test]
fn unfinished_work_and_tests_that_do_not_run_are_found() {
    for word in [
        concat!("to", "do!()"),
        concat!("// TO", "DO later"),
        concat!("#[ig", "nore = \"slow\"]"),
        concat!("dbg", "!(x)"),
    ] {
        let text = format!("fn a() {{}}\n{word}\n");
        check_source("protocol/src/lib.rs", &text, Some(("protocol/src/lib.rs:2", "must not stay")));
        check_source("protocol/tests/all.rs", &text, Some(("protocol/tests/all.rs:2", "must not stay")));
    }
    check_source(
        "web/sdk/src/a.test.ts",
        concat!("it.on", "ly('x')"),
        Some(("web/sdk/src/a.test.ts:1", "every other")),
    );
}

#[test]
fn globs_are_not_exported() {
    check_source(
        "protocol/src/lib.rs",
        "pub use crate::types::*;\n",
        Some(("protocol/src/lib.rs:1", "no `*`")),
    );
    check_source("protocol/src/lib.rs", "use super::*;\npub use types::Id;\n", None);
}

#[test]
fn the_lock_file_names_no_host() {
    let bad = "\"resolved\": \"https://registry.example/a.tgz\",\n";
    check_source("web/package-lock.json", bad, Some(("web/package-lock.json", "1 entries")));
    check_source("web/package-lock.json", "\"resolved\": \"sdk\",\n\"link\": true\n", None);
}

#[test]
fn names_in_the_architecture_exist() {
    let text =
        "The rules are in `simulation/src/lib.rs` and `simulation/`.\n\n`game-server/src/{main,clock}.rs`\n";
    let tree = |paths: &[&str]| {
        let mut tree = vec![file("ARCHITECTURE.md", text)];
        tree.extend(paths.iter().map(|path| file(path, "")));
        tree
    };
    let all = ["simulation/src/lib.rs", "game-server/src/main.rs", "game-server/src/clock.rs"];
    assert_eq!(architecture::check(&tree(&all)), []);
    let findings = architecture::check(&tree(&all[..2]));
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        "ARCHITECTURE.md:3: `game-server/src/clock.rs` is named but does not exist"
    );
    assert_eq!(architecture::check(&[])[0].to_string(), "ARCHITECTURE.md: is missing");
}

#[test]
fn what_keeps_code_safe_cannot_be_switched_off() {
    let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n[workspace.lints.clippy]\nunwrap_used = \"warn\"\n\
                [profile.release]\noverflow-checks = true\n";
    let member = "[package]\n\n[lints]\nworkspace = true\n";
    let lib = "#![cfg_attr(not(test), warn(clippy::indexing_slicing))]\n";
    let good =
        [file("Cargo.toml", root), file("protocol/Cargo.toml", member), file("protocol/src/lib.rs", lib)];
    assert_eq!(safety::check(&good), []);
    for (path, text) in [
        ("Cargo.toml", root.replace("forbid", "deny")),
        ("Cargo.toml", root.replace("overflow-checks = true", "overflow-checks = false")),
        ("Cargo.toml", root.replace("unwrap_used", "# unwrap_used")),
        ("protocol/Cargo.toml", member.replace("[lints]", "[package.lints]")),
        ("game-server/src/lib.rs", String::new()),
    ] {
        let findings = safety::check(&[file(path, &text)]);
        assert_eq!(findings.len(), 1, "{path}: {text}");
        assert_eq!(findings[0].place, path);
    }
}
