//! Each message with each field wrong in each way. The cases are derived from one good example of each command, so that
//! a new command is attacked as soon as it has an example, and a test fails until it has one.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{Case, Expected};

/// One good command of each kind, with every field filled.
pub const EXAMPLES: &str = r#"[
    {"start_focus": {"mode": {"pomodoro": {"planned_minutes": 25, "rounds": 4}}, "category": "creative", "task_id": 1}},
    {"describe_focus": {"task_id": 1, "intention": "the first page"}},
    "pause_focus", "resume_focus", "interrupt_focus", "keep_going", "end_focus", "cancel_focus", "start_break", "end_break",
    {"confirm_focus": {"until": {"at_ms": 1772352000000}}},
    {"report_offline_focus": {"started_at_ms": 1772350500000, "duration_ms": 60000, "category": "none", "task_id": 1}},
    {"create_task": {"title": "t", "category": "none", "priority": "low", "estimate_minutes": 1, "due_on": "2026-03-02",
        "recurrence": {"weekdays": {"weekdays": [1]}}, "parent_id": 1}},
    {"update_task": {"task_id": 1, "title": "t", "category": "none", "priority": "low", "estimate_minutes": 1,
        "due_on": "2026-03-02", "recurrence": {"every_days": {"days": 2}}}},
    {"complete_task": {"task_id": 1, "occurrence_on": "2026-03-02"}},
    {"reopen_task": {"task_id": 1, "occurrence_on": "2026-03-02"}},
    {"delete_task": {"task_id": 1}},
    {"rename_hero": {"name": "n"}},
    {"set_time_zone": {"time_zone": "Europe/Berlin", "day_start_minutes": 240}},
    {"set_daily_goal": {"minutes": 30}},
    {"set_rest_days": {"weekdays": [6]}},
    {"start_vacation": {"days": 3}}, "end_vacation",
    {"assemble_module": {"module_id": "gen_pulse"}},
    {"pin_blueprint": {"module_id": "gen_pulse"}},
    {"pay_blueprint": {"amount_me": 1}}, "unpin_blueprint",
    {"finish_assembly": {"job_id": 1}},
    {"cancel_assembly": {"job_id": 1}},
    {"upgrade_module": {"module_id": "gen_pulse"}},
    {"sell_module": {"module_id": "gen_pulse"}},
    {"place_module": {"module_id": "gen_pulse", "cell": 0}},
    {"remove_module": {"module_id": "gen_pulse"}},
    {"connect_cable": {"from": "gen_sine", "to": "core"}},
    {"disconnect_cable": {"from": "gen_sine"}}, "auto_patch",
    {"save_preset": {"slot": 0, "name": "n", "category": "none"}},
    {"load_preset": {"slot": 0}},
    {"delete_preset": {"slot": 0}},
    {"import_preset": {"slot": 0, "code": "c"}}, "buy_preset_slot",
    {"buy_cosmetic": {"cosmetic_id": "c"}},
    {"equip_cosmetic": {"cosmetic_id": "c"}}
]"#;

/// Fields that may be left out, by command (`""` for all).
const OPTIONAL: [(&str, &str); 10] = [
    ("start_focus", "task_id"),
    ("describe_focus", "task_id"),
    ("describe_focus", "intention"),
    ("report_offline_focus", "task_id"),
    ("", "due_on"),
    ("", "recurrence"),
    ("", "parent_id"),
    ("", "occurrence_on"),
    ("hello", "last_seq"),
    ("hello", "time_zone"),
];

/// The answer to a frame that is sound but no message.
const MALFORMED: Expected = Expected::Rejected(&["malformed"]);

/// Every derived case.
///
/// # Errors
/// When an example is no JSON: a mistake in this file.
pub fn cases() -> Result<Vec<Case>> {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).context("the examples are no JSON")?;
    let mut cases = Vec::new();
    for body in &examples {
        let kind = name_of(body);
        for (what, wrong) in wrong_values(&kind, body) {
            cases.push(case(format!("{kind}: {what}"), &command(wrong)));
        }
    }
    for (what, wrong) in wrong_envelopes() {
        cases.push(case(what, &wrong));
    }
    Ok(cases)
}

/// A command that is wrong in its envelope, and the other messages.
fn wrong_envelopes() -> Vec<(String, Value)> {
    let mut wrong: Vec<(String, Value)> = Vec::new();
    for cmd_seq in
        [json!("1"), json!(-1), json!(0), json!(1.0), json!(9_007_199_254_740_992_u64), json!(u64::MAX)]
    {
        let value = json!({"command": {"cmd_seq": cmd_seq, "body": "auto_patch"}});
        wrong.push((format!("cmd_seq is {cmd_seq}"), value));
    }
    wrong.push(("no cmd_seq".to_owned(), json!({"command": {"body": "auto_patch"}})));
    wrong.push(("no body".to_owned(), json!({"command": {"cmd_seq": 1}})));
    wrong.push((
        "an unknown field beside cmd_seq".to_owned(),
        json!({
            "command": {"cmd_seq": 1, "body": "auto_patch", "hero_id": "00000000-0000-0000-0000-000000000000"}
        }),
    ));
    for (what, value) in wrong_values("ping", &json!({"ping": {"client_ms": 1}})) {
        wrong.push((format!("ping: {what}"), value));
    }
    for (what, value) in [
        ("an unknown message", json!({"fly": {}})),
        ("a message of the server", json!({"durable": {"cmd_seq": 1, "seq": 1, "created_id": null}})),
        (
            "two messages in one",
            json!({"ping": {"client_ms": 1}, "command": {"cmd_seq": 1, "body": "auto_patch"}}),
        ),
        ("no message in it", json!({})),
        ("a bare name", json!("ping")),
        ("nil", Value::Null),
        ("a number", json!(7)),
        ("a list", json!([{"ping": {"client_ms": 1}}])),
        ("a command by its position", json!({"command": {"cmd_seq": 1, "body": 2}})),
        ("an unknown command", json!({"command": {"cmd_seq": 1, "body": "give_me_energy"}})),
        (
            "a command with content where none belongs",
            json!({"command": {"cmd_seq": 1, "body": {"end_focus": {"x": 1}}}}),
        ),
    ] {
        wrong.push((what.to_owned(), value));
    }
    wrong
}

/// Every way in which one value deep inside of an example can be wrong.
fn wrong_values(kind: &str, example: &Value) -> Vec<(String, Value)> {
    let mut wrong = Vec::new();
    let mut path = Vec::new();
    visit(kind, example, &mut path, &mut |path, what, value| {
        wrong.push((format!("{} {what}", path.join(".")), with(example, path, value)));
    });
    wrong
}

/// Walks an example and calls `found` with each wrong replacement of each place; `None` removes the place.
fn visit(
    kind: &str,
    value: &Value,
    path: &mut Vec<String>,
    found: &mut impl FnMut(&[String], &str, Option<Value>),
) {
    // The outermost map is the choice of the command itself, which the envelopes attack.
    let is_root = path.is_empty();
    let optional = path.last().is_some_and(|field| is_optional(kind, field));
    if !is_root {
        for (what, wrong) in replacements(value) {
            if !(optional && wrong.is_null()) {
                found(path, what, Some(wrong));
            }
        }
    }
    match value {
        Value::Object(fields) => {
            // A map with one key whose content is a map, or that stands for a choice, gets its unknown field one level
            // further in; for a choice a second key is just as wrong.
            let mut grown = fields.clone();
            grown.insert("unknown_field".to_owned(), json!(1));
            if !is_root {
                found(path, "has an unknown field", Some(Value::Object(grown)));
            }
            for (name, inner) in fields {
                path.push(name.clone());
                if !is_root && !is_optional(kind, name) {
                    found(path, "is missing", None);
                }
                visit(kind, inner, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                found(path, "has 257 entries", Some(Value::Array(vec![first.clone(); 257])));
                found(path, "has an entry of a wrong type", Some(json!(["x"])));
            }
        }
        Value::String(_) => {
            found(path, "is longer than 1 KiB", Some(Value::String("x".repeat(1025))));
        }
        Value::Number(_) => {
            found(path, "is beyond 2^53", Some(json!(9_007_199_254_740_992_u64)));
            found(path, "is a float", Some(json!(1.5)));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Values of other types.
fn replacements(value: &Value) -> Vec<(&'static str, Value)> {
    let all = [
        ("is nil", Value::Null),
        ("is a boolean", json!(true)),
        ("is a number", json!(0)),
        ("is a text", json!("no such thing")),
        ("is a list", json!([1])),
        ("is a map", json!({"a": 1})),
    ];
    // A text in the place of a text, or a number in the place of a number, is a question for the rules.
    all.into_iter()
        .filter(|(_, other)| std::mem::discriminant(other) != std::mem::discriminant(value))
        .collect()
}

fn is_optional(kind: &str, field: &str) -> bool {
    OPTIONAL.iter().any(|(of, name)| (of.is_empty() || *of == kind) && *name == field)
}

/// The example with one place replaced or removed.
fn with(example: &Value, path: &[String], value: Option<Value>) -> Value {
    let Some((first, rest)) = path.split_first() else { return value.unwrap_or(Value::Null) };
    let Value::Object(fields) = example else { return example.clone() };
    let mut fields: Map<String, Value> = fields.clone();
    match (rest.is_empty(), value) {
        (true, None) => {
            fields.remove(first);
        }
        (true, Some(value)) => {
            fields.insert(first.clone(), value);
        }
        (false, value) => {
            let inner = fields.get(first).cloned().unwrap_or_default();
            fields.insert(first.clone(), with(&inner, rest, value));
        }
    }
    Value::Object(fields)
}

fn command(body: Value) -> Value {
    json!({"command": {"cmd_seq": 1, "body": body}})
}

/// The name of a message or command.
#[must_use]
pub fn name_of(body: &Value) -> String {
    match body {
        Value::String(name) => name.clone(),
        Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn case(name: String, value: &Value) -> Case {
    Case { name, frames: vec![Message::binary(pack(value))], expected: MALFORMED }
}

/// Any JSON as MessagePack.
#[must_use]
pub fn pack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("JSON has nothing that MessagePack cannot hold")
}

#[cfg(test)]
mod tests;
