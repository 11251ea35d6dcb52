//! What attacks cost everybody else, as `load-tests security` measures it.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Figure;
use crate::serve;
use crate::step::Reporter;
use crate::workspace::Workspace;

/// All measurements, on an optimised build: a debug one costs so much that it is all one sees.
pub(crate) fn run(workspace: &Workspace, quick: bool, reporter: &Reporter) -> Result<Vec<Figure>> {
    serve::build(workspace, true, reporter)?;
    let server = workspace.server_binary(true);
    let Some(folder) = server.parent() else { bail!("{} is in no folder", server.display()) };
    let mut command = Command::new(folder.join("load-tests"));
    command.arg("security").arg("--server").arg(&server);
    command.arg("--data").arg(workspace.target.join("security"));
    if quick {
        command.arg("--quick");
    }
    reporter.make_way();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {}", folder.join("load-tests").display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<Figure> = text.lines().filter_map(figure).collect();
    if !output.status.success() && figures.iter().all(|figure| !figure.is_missed) {
        let words: Vec<String> = figures.iter().map(|it| format!("{}: {}", it.what, it.seen)).collect();
        bail!("a measurement was not made; these were:\n{}", words.join("\n"));
    }
    Ok(figures)
}

/// Of a line of JSON; other lines are for people.
fn figure(line: &str) -> Option<Figure> {
    let found: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| found.get(name)?.as_str().map(str::to_owned);
    let build = if found.get("debug_build")?.as_bool()? { ", debug build" } else { "" };
    let seen = format!("{} (goal: {}; {}{build})", text("seen")?, text("goal")?, text("verdict")?);
    Some(Figure { what: text("name")?, seen, is_missed: text("verdict")? == "missed" })
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn a_line_of_json_is_a_figure_and_others_are_not() {
        let line =
            r#"{"name":"a","goal":"below 1","seen":"2","verdict":"missed","debug_build":true,"figures":{}}"#;
        let found = figure(line).unwrap();
        assert_eq!(
            (found.what.as_str(), found.seen.as_str()),
            ("a", "2 (goal: below 1; missed, debug build)")
        );
        for other in ["", "a: 2 (goal: below 1; MISSED)", "{}", "[1]"] {
            assert!(figure(other).is_none(), "{other}");
        }
    }
}
