use protocol::client::Command;
use protocol::server::CommandResult;
use serde_json::{Value, json};

use super::{Export, Verdict, examine, parse};
use crate::ledger::Ledger;

fn hero() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../protocol/golden/server.welcome.snapshot.json");
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut hero = json["welcome"]["state"]["snapshot"].clone();
    hero["wallet"]["energy_me"] = json!(0);
    hero["wallet"]["dopamine_md"] = json!(0);
    hero
}

fn event(seq: u64, command: Option<(u64, u64)>, title: &str) -> Value {
    json!({
        "seq": seq, "at_ms": 5, "kind": "task_created", "cause": null, "energy_me": 0, "dopamine_md": 0,
        "subject": null, "stream_id": command.map(|c| c.0), "cmd_seq": command.map(|c| c.1),
        "body": {"task_created": {"title": title}},
    })
}

fn export(events: &[Value], streams: &[(u64, u64)]) -> Export {
    let streams: Vec<Value> =
        streams.iter().map(|(id, mark)| json!({"stream_id": id, "cmd_seq": mark})).collect();
    let all = json!({
        "hero_id": "h", "last_seq": events.len(), "hero": hero(), "streams": streams, "events": events,
    });
    parse(all.to_string().as_bytes()).unwrap()
}

/// A ledger of commands `a`, `b`, … of stream 9, each with the event at which it was acknowledged, if it was.
fn ledger(acknowledged: &[Option<u64>]) -> Ledger {
    let mut ledger = Ledger::new("h".to_owned(), 9);
    for ((letter, cmd_seq), seq) in ('a'..).zip(1_u64..).zip(acknowledged) {
        let entry = ledger.wish(&Command::AutoPatch, Some(letter.to_string()));
        ledger.sending(entry, cmd_seq);
        if let Some(seq) = seq {
            ledger.acknowledge(entry, &CommandResult { cmd_seq, seq: *seq, created_id: None }, false);
        }
    }
    ledger
}

fn verdict(events: &[Value], streams: &[(u64, u64)], acknowledged: &[Option<u64>]) -> Verdict {
    examine(&export(events, streams), &[&ledger(acknowledged)])
}

#[test]
fn what_is_acknowledged_and_there_is_clean() {
    let events = [event(1, Some((9, 1)), "a"), event(2, None, "bonus"), event(3, Some((9, 2)), "b")];
    let found = verdict(&events, &[(9, 2)], &[Some(1), Some(3)]);
    assert!(found.is_clean(), "{found:?}");
    assert_eq!((found.acknowledged, found.events), (2, 3));
}

#[test]
fn a_missing_acknowledged_command_is_lost() {
    let found = verdict(&[event(1, Some((9, 1)), "a")], &[(9, 1)], &[Some(1), Some(2)]);
    assert_eq!((found.lost, found.doubled), (1, 0));
}

#[test]
fn another_command_in_the_same_place_does_not_hide_a_loss() {
    let found = verdict(&[event(1, Some((9, 1)), "b")], &[(9, 1)], &[Some(1)]);
    assert_eq!(found.lost, 1, "{found:?}");
}

#[test]
fn a_command_that_is_there_twice_is_doubled() {
    let events = [event(1, Some((9, 1)), "a"), event(2, Some((9, 2)), "a")];
    assert_eq!(verdict(&events, &[(9, 2)], &[Some(1)]).doubled, 1);
    let events = [event(1, Some((9, 1)), "a"), event(2, Some((9, 1)), "x")];
    assert_eq!(verdict(&events, &[(9, 1)], &[Some(1)]).doubled, 1);
}

#[test]
fn an_unanswered_command_may_be_there_or_not() {
    let found = verdict(&[event(1, Some((9, 1)), "a")], &[(9, 1)], &[None, None]);
    assert!(found.is_clean(), "{found:?}");
    assert_eq!((found.unanswered_applied, found.unanswered_not_applied), (1, 1));
}

#[test]
fn gaps_wrong_marks_and_wrong_balances_are_found() {
    assert_eq!(verdict(&[event(2, None, "x")], &[], &[]).gaps, 2);
    assert_eq!(verdict(&[event(1, Some((9, 1)), "a")], &[(9, 7)], &[]).gaps, 1);
    let mut paid = event(1, None, "x");
    paid["energy_me"] = json!(5);
    assert_eq!(verdict(&[paid], &[], &[]).wallets_wrong, 1);
}

#[test]
fn a_shown_fact_that_changed_is_lost() {
    let mut ledger = ledger(&[]);
    ledger.fact(&protocol::server::Event {
        seq: 1,
        at_ms: 6,
        kind: "task_created".to_owned(),
        cause: None,
        energy_me: 0,
        dopamine_md: 0,
        subject: None,
        note: None,
    });
    let found = examine(&export(&[event(1, None, "x")], &[]), &[&ledger]);
    assert_eq!(found.facts_lost, 1);
}
