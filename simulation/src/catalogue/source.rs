//! From text to catalogue.
//!
//! A scan finds where every field and entry stands. Then each section, and each entry of the long lists, is read
//! on its own, so that one mistake does not hide the others, and every complaint can name its line.

mod tree;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use self::tree::{Node, Shape};
use super::check;
use super::error::{CatalogueError, CatalogueErrors};
use super::{Catalogue, Index};

/// Names of all sections, in the order of the built-in file.
const SECTIONS: [&str; 16] = [
    "version",
    "focus",
    "bonuses",
    "tasks",
    "days",
    "streak",
    "levels",
    "rack",
    "synergies",
    "assembly",
    "upgrades",
    "sell",
    "offline",
    "modules",
    "achievements",
    "cosmetics",
];

/// Collects what is wrong, and knows the lines.
pub(super) struct Report<'text> {
    text: &'text str,
    root: Node<'text>,
    errors: Vec<CatalogueError>,
}

impl Report<'_> {
    /// Adds a complaint about the field at `path`.
    pub(super) fn add(&mut self, path: &str, problem: String) {
        let line = self.root.nearest(path).line;
        self.push(line, path.to_string(), problem);
    }

    fn push(&mut self, line: usize, path: String, problem: String) {
        if self.errors.len() < CatalogueErrors::COUNT_MAX {
            self.errors.push(CatalogueError { line, path, problem });
        }
    }

    /// Reads one value, or reports why it cannot be read.
    fn read<T: DeserializeOwned>(&mut self, path: &str, node: &Node<'_>) -> Option<T> {
        let part = self.text.get(node.start..node.end).unwrap_or_default();
        match ron::from_str(part) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = node.line + error.span.start.line - 1;
                let inside = tree::offset_of(part, error.span.start.line, error.span.start.col);
                let at = node.start + inside;
                if let ron::Error::MissingStructField { field, .. } = &error.code {
                    // The reader stands at the end of the struct, perhaps right behind its last field.
                    let of =
                        self.root.path_at(at.saturating_sub(1), true).unwrap_or_else(|| path.to_string());
                    self.push(
                        line,
                        format!("{of}.{field}"),
                        "expected this field, it is missing".to_string(),
                    );
                    return None;
                }
                let path = self.root.path_at(at, false).unwrap_or_else(|| path.to_string());
                self.push(line, path, error.code.to_string());
                None
            }
        }
    }

    fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        match self.root.field(name).cloned() {
            Some(node) => self.read(name, &node),
            None => {
                self.push(
                    self.root.line,
                    name.to_string(),
                    "expected this section, it is missing".to_string(),
                );
                None
            }
        }
    }

    /// Reads a list entry by entry. Gives the entries that could be read, each with its position in the text.
    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<(usize, T)> {
        let Some(node) = self.root.field(name).cloned() else {
            self.push(self.root.line, name.to_string(), "expected this list, it is missing".to_string());
            return Vec::new();
        };
        let Shape::Items(items) = &node.shape else {
            self.push(node.line, name.to_string(), "expected a list in [ ]".to_string());
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(entry) = self.read(&format!("{name}[{index}]"), item) {
                entries.push((index, entry));
            }
        }
        entries
    }

    fn check_names(&mut self) {
        let Shape::Fields(fields) = &self.root.shape else {
            let line = self.root.line;
            self.push(line, "catalogue".to_string(), "expected ( name: value, ... )".to_string());
            return;
        };
        let mut problems = Vec::new();
        for (index, (name, node)) in fields.iter().enumerate() {
            if !SECTIONS.contains(name) {
                problems.push((node.line, *name, format!("expected one of {}", SECTIONS.join(", "))));
            } else if fields.iter().take(index).any(|(earlier, _)| earlier == name) {
                problems.push((node.line, *name, "expected each section once".to_string()));
            }
        }
        for (line, name, problem) in problems {
            self.push(line, name.to_string(), problem);
        }
    }

    fn finish(mut self) -> CatalogueErrors {
        self.errors.sort_by_key(|error| error.line);
        CatalogueErrors(self.errors)
    }
}

fn strip<T>(entries: Vec<(usize, T)>) -> Vec<T> {
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// A text that is no catalogue at all.
fn unreadable(line: usize, problem: String) -> CatalogueErrors {
    CatalogueErrors(vec![CatalogueError { line, path: "catalogue".to_string(), problem }])
}

/// See [`Catalogue::parse`].
pub(super) fn parse(text: &str) -> Result<Catalogue, CatalogueErrors> {
    if text.len() > Catalogue::TEXT_BYTES_MAX {
        return Err(unreadable(1, format!("expected at most {} bytes", Catalogue::TEXT_BYTES_MAX)));
    }
    let root = tree::scan(text).map_err(|(line, problem)| unreadable(line, problem))?;
    let mut report = Report { text, root, errors: Vec::new() };
    report.check_names();

    let version = report.section("version");
    let focus = report.section("focus");
    let bonuses = report.section("bonuses");
    let tasks = report.section("tasks");
    let days = report.section("days");
    let streak = report.section("streak");
    let levels = report.section("levels");
    let rack = report.section("rack");
    let synergies = report.section("synergies");
    let assembly = report.section("assembly");
    let upgrades = report.section("upgrades");
    let sell = report.section("sell");
    let offline = report.section("offline");
    let modules = report.list("modules");
    let achievements = report.list("achievements");
    let cosmetics = report.list("cosmetics");

    check::focus(&mut report, focus.as_ref());
    check::bonuses(&mut report, bonuses.as_ref());
    check::tasks(&mut report, tasks.as_ref());
    check::calendar(&mut report, days.as_ref(), streak.as_ref(), offline.as_ref());
    check::rack(&mut report, rack.as_ref(), levels.as_ref());
    check::synergies(&mut report, synergies.as_ref());
    check::assembly(&mut report, assembly.as_ref(), upgrades.as_ref(), sell.as_ref());
    check::modules(&mut report, &modules, rack.as_ref());
    check::achievements(&mut report, &achievements);
    check::cosmetics(&mut report, &cosmetics);
    check::version(&mut report, version);

    let whole = (|| {
        let (modules, achievements, cosmetics) = (strip(modules), strip(achievements), strip(cosmetics));
        let index = Index {
            modules: Index::of(modules.iter().map(|module| module.id)),
            achievements: Index::of(achievements.iter().map(|achievement| achievement.id)),
            cosmetics: Index::of(cosmetics.iter().map(|cosmetic| cosmetic.id)),
        };
        Some(Catalogue {
            version: version?,
            focus: focus?,
            bonuses: bonuses?,
            tasks: tasks?,
            days: days?,
            streak: streak?,
            levels: levels?,
            rack: rack?,
            synergies: synergies?,
            assembly: assembly?,
            upgrades: upgrades?,
            sell: sell?,
            offline: offline?,
            modules,
            achievements,
            cosmetics,
            index,
        })
    })();
    match whole {
        Some(catalogue) if report.errors.is_empty() => Ok(catalogue),
        _ => Err(report.finish()),
    }
}
