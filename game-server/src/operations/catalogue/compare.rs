//! What differs between two catalogues, field by field.

use admin_http::views::DryRunChange;
use serde_json::Value;
use simulation::catalogue::Catalogue;

/// Most differences that are told.
const CHANGES_MAX: usize = 500;
/// Longest value that is told, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// Every field that differs, in the order of the catalogue, at most [`CHANGES_MAX`].
pub(super) fn changes(from: &Catalogue, to: &Catalogue) -> Vec<DryRunChange> {
    let json =
        |catalogue| serde_json::to_value(catalogue).expect("a catalogue is maps, lists, texts and numbers");
    let mut changes = Vec::new();
    walk(&mut changes, "", Some(&json(from)), Some(&json(to)));
    changes
}

fn walk(changes: &mut Vec<DryRunChange>, path: &str, from: Option<&Value>, to: Option<&Value>) {
    if from == to || changes.len() >= CHANGES_MAX {
        return;
    }
    match (from, to) {
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let gone = from.keys().filter(|name| !to.contains_key(*name));
            for name in to.keys().chain(gone) {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(changes, &inner, from.get(name), to.get(name));
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) => {
            let (from, to) = (named(from), named(to));
            let gone = from.iter().filter(|(name, _)| find(&to, name).is_none());
            for (name, _) in to.iter().chain(gone) {
                walk(changes, &format!("{path}[{name}]"), find(&from, name), find(&to, name));
            }
        }
        _ => changes.push(DryRunChange { path: path.to_owned(), from: from.map(shown), to: to.map(shown) }),
    }
}

/// The entries of a list by what they are called, or by their place where they have no name.
fn named(entries: &[Value]) -> Vec<(String, &Value)> {
    let name = |(index, entry): (usize, &Value)| {
        let id = ["id", "rarity"].iter().find_map(|key| entry.get(key)?.as_str());
        id.map_or_else(|| index.to_string(), str::to_owned)
    };
    entries.iter().enumerate().map(|entry| (name(entry), entry.1)).collect()
}

fn find<'a>(entries: &[(String, &'a Value)], name: &str) -> Option<&'a Value> {
    entries.iter().find(|(found, _)| found == name).map(|(_, value)| *value)
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(VALUE_CHARS_MAX).collect()
}
