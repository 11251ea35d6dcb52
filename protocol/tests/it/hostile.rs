//! Frames that nobody should send: each with what it is told. Nothing here may be slow or large.

use protocol::codec::{
    Consequence, DecodeError, DecodeErrorKind as Kind, decode_client, decode_server, encode_client,
    encode_server,
};
use protocol::limit;
use serde_json::{Value, json};

use crate::sample;

/// A JSON value as MessagePack, to write hostile frames legibly.
fn pack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("JSON fits into MessagePack")
}

fn refused(frame: &[u8]) -> DecodeError {
    match decode_client(frame) {
        Err(error) => error,
        Ok(message) => panic!("taken for {message:?}"),
    }
}

fn check(name: &str, frame: &[u8], kind: Kind, cmd_seq: Option<u64>) {
    let error = refused(frame);
    assert_eq!((error.kind, error.cmd_seq), (kind, cmd_seq), "{name}: {error}");
    if error.consequence() == Consequence::Reject {
        let rejected = error.rejected();
        assert_eq!((rejected.code.as_str(), rejected.cmd_seq), ("malformed", cmd_seq), "{name}");
        assert!(rejected.hint.len() > 10, "{name}: the hint says nothing: {}", rejected.hint);
    }
}

#[test]
fn damaged_frames_end_the_socket() {
    let ping = pack(&json!({"ping": {"client_ms": 1}}));
    let with = |head: &[u8], tail: &[u8]| [head, tail].concat();
    for (name, frame, kind) in [
        ("nothing", vec![], Kind::Truncated),
        ("two values", with(&ping, &ping), Kind::TrailingBytes),
        ("one byte too many", with(&ping, &[0xc0]), Kind::TrailingBytes),
        ("the unused marker", vec![0x81, 0xc1, 0xc0], Kind::InvalidMarker),
        ("the unused marker alone", vec![0xc1], Kind::InvalidMarker),
        ("a string of 64 MiB", vec![0xdb, 0x04, 0, 0, 0, b'x'], Kind::Truncated),
        ("binary of 64 MiB", vec![0xc6, 0x04, 0, 0, 0, 0], Kind::Truncated),
        ("an extension of 4 GiB", vec![0xc9, 0xff, 0xff, 0xff, 0xff, 0, 0], Kind::Truncated),
        ("a list of 2^32 - 1", vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0], Kind::Truncated),
        ("a map of 2^32 - 1", vec![0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0], Kind::Truncated),
        ("8 KiB of lists in lists", vec![0x91; 8_192], Kind::TooDeep),
        ("8 KiB of maps in maps", vec![0x81; 8_192], Kind::TooDeep),
        ("a map as the key of a map, 8 KiB", [0x81, 0xa0].repeat(4_096), Kind::TooDeep),
        ("text that is not UTF-8", vec![0x81, 0xa2, 0xc3, 0x28, 0xc0], Kind::InvalidText),
    ] {
        let error = refused(&frame);
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert_eq!(error.consequence(), Consequence::Close(1007), "{name}");
        assert!(error.byte <= frame.len(), "{name}");
    }
}

#[test]
fn a_frame_over_the_limit_ends_the_socket_unread() {
    for length in [limit::INBOUND_FRAME_BYTES_MAX + 1, 64 << 20] {
        let error = refused(&vec![0x91; length]);
        assert_eq!((error.kind, error.consequence()), (Kind::TooBig, Consequence::Close(1009)));
    }
}

#[test]
fn sound_frames_that_are_no_message_are_refused_by_number() {
    let command = |body: Value| pack(&json!({"command": {"cmd_seq": 7, "body": body}}));
    let start = |key: &str, value: Value| {
        let mut fields = json!({"mode": "flowtime", "category": "none"});
        fields[key] = value;
        command(json!({"start_focus": fields}))
    };
    for (name, frame, kind) in [
        ("an unknown command", command(json!("win_the_game")), Kind::Shape),
        ("an unknown command with fields", command(json!({"win": {"now": true}})), Kind::Shape),
        ("an unknown field", start("energy_me", json!(1_000_000)), Kind::Shape),
        ("a foreign hero's id", start("hero_id", json!("someone else")), Kind::Shape),
        ("a missing field", command(json!({"start_focus": {"mode": "flowtime"}})), Kind::Shape),
        ("a string for a number", start("task_id", json!("7")), Kind::Shape),
        ("a number for a string", command(json!({"rename_hero": {"name": 7}})), Kind::Shape),
        ("a boolean for a number", start("task_id", json!(true)), Kind::Shape),
        ("an unknown category", start("category", json!("sleeping")), Kind::Shape),
        ("a mode with too much", start("mode", json!({"flowtime": {"planned_minutes": 5}})), Kind::Shape),
        (
            "an unknown field inside",
            start("mode", json!({"countdown": {"planned_minutes": 5, "x": 1}})),
            Kind::Shape,
        ),
        ("two variants at once", command(json!({"end_focus": null, "start_break": null})), Kind::Shape),
        ("garbage for a bare name", command(json!({"pause_focus": {"x": 1}})), Kind::Shape),
        ("a number for a bare name", command(json!({"pause_focus": 5})), Kind::Shape),
        ("a bare name where fields belong", command(json!("start_focus")), Kind::Shape),
        ("nothing for a command", command(json!(null)), Kind::Shape),
        ("a variant's index", command(json!({"0": null})), Kind::Shape),
        ("a variant's bare index", command(json!(2)), Kind::Shape),
        ("a mode's index", start("mode", json!(2)), Kind::Shape),
        ("a category's index", start("category", json!(0)), Kind::Shape),
        ("an answer's index", command(json!({"confirm_focus": 0})), Kind::Shape),
        (
            "an unknown field beside",
            pack(&json!({"command": {"cmd_seq": 7, "body": "end_focus", "x": 1}})),
            Kind::Shape,
        ),
        ("a number over its field", start("task_id", json!(1_u64 << 32)), Kind::Shape),
        ("a number below zero", start("task_id", json!(-1)), Kind::Shape),
        ("a float", start("task_id", json!(1.0)), Kind::Float),
        ("not a number", command(json!({"set_daily_goal": {"minutes": 0.5}})), Kind::Float),
        ("a number over 2^53", start("task_id", json!(1_u64 << 53)), Kind::NumberOutOfRange),
        (
            "a number far below",
            command(json!({"pay_blueprint": {"amount_me": i64::MIN}})),
            Kind::NumberOutOfRange,
        ),
        ("a long string", command(json!({"rename_hero": {"name": "x".repeat(1_025)}})), Kind::StringTooLong),
        ("a long key", start(&"k".repeat(1_025), json!(1)), Kind::StringTooLong),
        ("a long list", command(json!({"set_rest_days": {"weekdays": vec![1; 257]}})), Kind::TooManyItems),
        (
            "fields without names",
            command(json!({"start_focus": ["flowtime", "none", null]})),
            Kind::UnexpectedList,
        ),
        ("a list for a number", start("task_id", json!([7])), Kind::UnexpectedList),
        ("a list of strings", command(json!({"set_rest_days": {"weekdays": ["monday"]}})), Kind::Shape),
        ("a list in a list", command(json!({"set_rest_days": {"weekdays": [[1]]}})), Kind::UnexpectedList),
    ] {
        check(name, &frame, kind, Some(7));
    }
}

#[test]
fn frames_that_are_no_command_are_refused_without_a_number() {
    for (name, frame, kind) in [
        ("a bare number", pack(&json!(5)), Kind::Shape),
        ("nothing", pack(&json!(null)), Kind::Shape),
        ("a bare name", pack(&json!("ping")), Kind::Shape),
        ("an empty map", pack(&json!({})), Kind::Shape),
        ("a list", pack(&json!(["ping", 1])), Kind::Shape),
        ("an unknown message", pack(&json!({"admin": {"energy_me": 1}})), Kind::Shape),
        (
            "a message of the server",
            pack(&json!({"pong": {"client_ms": 1, "server_now_ms": 1}})),
            Kind::Shape,
        ),
        ("two messages", pack(&json!({"ping": {"client_ms": 1}, "hello": {}})), Kind::Shape),
        ("a ping without time", pack(&json!({"ping": {}})), Kind::Shape),
        ("a ping with more", pack(&json!({"ping": {"client_ms": 1, "x": 1}})), Kind::Shape),
        ("a command without a number", pack(&json!({"command": {"body": "end_focus"}})), Kind::Shape),
        ("a stream without a number", hello("stream_id", json!(0)), Kind::NumberOutOfRange),
        ("a long client name", hello("client", json!("c".repeat(65))), Kind::NumberOutOfRange),
        ("an unknown field of hello", hello("admin", json!(true)), Kind::Shape),
        ("a number as a key", vec![0x81, 0x01, 0x02], Kind::KeyNotText),
        ("a map as a key", vec![0x81, 0x80, 0x02], Kind::KeyNotText),
        ("a field twice", twice(), Kind::Shape),
        ("binary", [&[0x81, 0xa4][..], b"ping", &[0xc4, 1, 0]].concat(), Kind::Binary),
        ("a timestamp", [&[0x81, 0xa4][..], b"ping", &[0xd6, 0xff, 0, 0, 0, 0]].concat(), Kind::Binary),
    ] {
        check(name, &frame, kind, None);
    }
    check(
        "the number 0",
        &pack(&json!({"command": {"cmd_seq": 0, "body": "end_focus"}})),
        Kind::NumberOutOfRange,
        Some(0),
    );
}

fn hello(key: &str, value: Value) -> Vec<u8> {
    let mut fields = json!({"ticket": "t", "stream_id": 1, "client": "c"});
    fields[key] = value;
    pack(&json!({"hello": fields}))
}

fn twice() -> Vec<u8> {
    let field = [&[0xa9][..], b"client_ms", &[1]].concat();
    [&[0x81, 0xa4][..], b"ping", &[0x82], &field, &field].concat()
}

#[test]
fn the_number_is_found_behind_the_mistake_too() {
    let body = [&[0xa4][..], b"body", &[0xca, 0, 0, 0, 0]].concat();
    let number = [&[0xa7][..], b"cmd_seq", &[9]].concat();
    let frame = [&[0x81, 0xa7][..], b"command", &[0x82], &body, &number].concat();
    check("a float before the number", &frame, Kind::Float, Some(9));
}

#[test]
fn an_optional_field_may_be_missing_or_nil() {
    let short = pack(&json!({"hello": {"ticket": "t", "stream_id": 1, "client": "c"}}));
    let long = pack(&json!({"hello":
        {"ticket": "t", "stream_id": 1, "client": "c", "last_seq": null, "time_zone": null}}));
    assert_eq!(decode_client(&short), decode_client(&long));
    assert!(decode_client(&short).is_ok());
}

#[test]
fn every_message_with_a_field_of_its_own_invention_is_refused() {
    for (name, message) in sample::client() {
        let mut value = serde_json::to_value(&message).expect("a JSON form");
        let inner =
            value.as_object_mut().and_then(|map| map.values_mut().next()).expect("a map with one key");
        inner["invented"] = json!(1);
        assert_eq!(refused(&pack(&value)).kind, Kind::Shape, "{name}");
        // And one level further in, where there is a further level.
        let mut value = serde_json::to_value(&message).expect("a JSON form");
        if let Some(fields) = value.pointer_mut("/command/body").and_then(Value::as_object_mut)
            && let Some(fields) = fields.values_mut().next().and_then(Value::as_object_mut)
        {
            fields.insert("invented".into(), json!(1));
            assert_eq!(refused(&pack(&value)).kind, Kind::Shape, "{name}");
        }
    }
}

#[test]
fn every_field_with_every_wrong_type_is_refused() {
    let wrong =
        [json!(null), json!(true), json!(-1), json!(1.5), json!("?"), json!([]), json!({}), json!({"?": 1})];
    for (name, message) in sample::client() {
        let value = serde_json::to_value(&message).expect("a JSON form");
        for pointer in leaves(&value, String::new()) {
            for other in &wrong {
                let mut changed = value.clone();
                *changed.pointer_mut(&pointer).expect("just found") = other.clone();
                // A few are right in places, such as nil for something optional; none may do anything but answer.
                if let Ok(taken) = decode_client(&pack(&changed)) {
                    assert_eq!(decode_client(&encode_client(&taken)), Ok(taken), "{name} {pointer}");
                    assert!(
                        !other.is_object() && !other.is_f64() && !other.is_boolean(),
                        "{name} {pointer} {other}"
                    );
                }
            }
        }
    }
}

fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(map) => {
            map.iter().flat_map(|(key, inner)| leaves(inner, format!("{at}/{key}"))).collect()
        }
        _ => vec![at],
    }
}

#[test]
fn a_client_ignores_what_a_newer_server_adds() {
    for (name, message) in sample::server() {
        let mut value = serde_json::to_value(&message).expect("a JSON form");
        let inner =
            value.as_object_mut().and_then(|map| map.values_mut().next()).expect("a map with one key");
        inner["invented"] = json!({"deep": [[1.5, {"x": null}]]});
        assert_eq!(decode_server(&pack(&value)).as_ref(), Ok(&message), "{name}");
    }
    let unknown = decode_server(&pack(&json!({"fanfare": {}}))).expect_err("not known");
    assert_eq!(unknown.kind, Kind::Shape);
}

#[test]
fn a_hint_cannot_hurt_a_log() {
    let nasty = format!("{}\u{1b}[31m\r\n{}", "a".repeat(400), "b".repeat(400));
    let error = refused(&pack(&json!({"command": {"cmd_seq": 1, "body": {nasty: 1}}})));
    assert!(error.hint.chars().count() <= 240);
    assert!(!error.hint.chars().any(char::is_control));
    let error = refused(&pack(&json!({"command": {"cmd_seq": 1, "body": {"\u{1b}[31m\n": 1}}})));
    assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
}

#[test]
fn the_largest_hero_fits_into_a_frame() {
    let mut hero = sample::hero();
    let task = hero.tasks[0].clone();
    hero.tasks = vec![task; 1_000];
    let message = protocol::server::ServerMessage::Events(Box::new(protocol::server::Events {
        events: vec![],
        patch: protocol::types::HeroPatch { tasks: Some(hero.tasks), ..Default::default() },
    }));
    let frame = encode_server(&message);
    assert!(frame.len() <= limit::OUTBOUND_FRAME_BYTES_MAX, "{}", frame.len());
    assert_eq!(decode_server(&frame), Ok(message));
}
