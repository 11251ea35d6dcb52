//! Frames that never change by accident: `golden/<name>.msgpack` is what is on the wire, `golden/<name>.json` says the
//! same for people and for the TypeScript test that reads both. `cargo xtask codegen` rewrites them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use protocol::client::{ClientMessage, Command};
use protocol::codec::{
    DecodeError, decode_client, decode_server, encode_client, encode_server, encode_server_into,
};
use protocol::server::{ServerMessage, WelcomeState};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{names, sample};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

pub(crate) fn update() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of `cargo xtask codegen` reaches a test no other way"
    )]
    std::env::var("UPDATE").is_ok()
}

fn check<M: Serialize + DeserializeOwned + PartialEq + Debug>(
    name: &str,
    message: &M,
    frame: &[u8],
    decode: impl Fn(&[u8]) -> Result<M, DecodeError>,
) {
    let bytes_path = folder().join(format!("{name}.msgpack"));
    let json_path = folder().join(format!("{name}.json"));
    let json = serde_json::to_string_pretty(message).expect("every message has a JSON form") + "\n";
    if update() {
        std::fs::create_dir_all(folder()).expect("make the folder");
        std::fs::write(&bytes_path, frame).expect("write the frame");
        std::fs::write(&json_path, &json).expect("write its twin");
    }
    let hint = "run cargo xtask codegen if the change of the wire is meant";
    let golden = std::fs::read(&bytes_path).unwrap_or_else(|error| panic!("{name}.msgpack: {error}; {hint}"));
    assert_eq!(golden, frame, "{name}.msgpack is not what is sent now; {hint}");
    assert_eq!(decode(&golden).as_ref(), Ok(message), "{name}.msgpack reads as something else");
    let twin =
        std::fs::read_to_string(&json_path).unwrap_or_else(|error| panic!("{name}.json: {error}; {hint}"));
    assert_eq!(twin, json, "{name}.json is not what is sent now; {hint}");
    assert_eq!(&serde_json::from_str::<M>(&twin).expect("the twin is a message"), message);
}

#[test]
fn client_frames_are_as_they_were() {
    for (name, message) in sample::client() {
        check(&name, &message, &encode_client(&message), decode_client);
    }
}

#[test]
fn server_frames_are_as_they_were() {
    let mut buffer = Vec::new();
    for (name, message) in sample::server() {
        buffer.clear();
        encode_server_into(&message, &mut buffer);
        assert_eq!(buffer, encode_server(&message));
        check(&name, &message, &buffer, decode_server);
    }
}

fn variant(value: &impl Serialize) -> String {
    match serde_json::to_value(value).expect("every message has a JSON form") {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(map) => map.keys().next().expect("one key").clone(),
        other => panic!("not an enum: {other}"),
    }
}

#[test]
fn every_variant_has_a_golden_frame() {
    let mut client = BTreeSet::new();
    let mut commands = BTreeSet::new();
    for (_, message) in sample::client() {
        client.insert(variant(&message));
        if let ClientMessage::Command(frame) = &message {
            commands.insert(variant(&frame.body));
        }
    }
    let mut server = BTreeSet::new();
    let mut states = BTreeSet::new();
    for (_, message) in sample::server() {
        server.insert(variant(&message));
        if let ServerMessage::Welcome(welcome) = &message {
            states.insert(variant(&welcome.state));
        }
    }
    let all = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(client, all(names::variants::<ClientMessage>()));
    assert_eq!(commands, all(names::variants::<Command>()));
    assert_eq!(server, all(names::variants::<ServerMessage>()));
    assert_eq!(states, all(names::variants::<WelcomeState>()));
}

#[test]
fn no_golden_frame_is_left_over() {
    let known: BTreeSet<String> = sample::client()
        .into_iter()
        .map(|(name, _)| name)
        .chain(sample::server().into_iter().map(|(name, _)| name))
        .flat_map(|name| [format!("{name}.json"), format!("{name}.msgpack")])
        .collect();
    for entry in std::fs::read_dir(folder()).expect("the folder is there") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name), "golden/{name} belongs to no message any more: remove it");
    }
}
