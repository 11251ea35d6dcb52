use std::collections::BTreeSet;

use protocol::client::Command;
use protocol::codec;
use serde_json::Value;

use super::{EXAMPLES, cases, command, name_of, pack};

fn examples() -> Vec<Value> {
    serde_json::from_str(EXAMPLES).unwrap()
}

#[test]
fn every_example_is_a_good_command() {
    for example in examples() {
        let frame = pack(&command(example.clone()));
        assert!(codec::decode_client(&frame).is_ok(), "{example}");
        assert!(serde_json::from_value::<Command>(example).is_ok());
    }
}

/// The protocol keeps one golden frame of every command.
#[test]
fn every_command_has_an_example() {
    let known: BTreeSet<String> = examples().iter().map(name_of).collect();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden");
    let mut count = 0;
    for file in std::fs::read_dir(golden).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(rest) = name.strip_prefix("client.command.") else { continue };
        let kind = rest.split('.').next().unwrap();
        assert!(known.contains(kind), "{kind} has no example in shapes.rs");
        count += 1;
    }
    assert!(count > 40, "the golden frames have moved");
}

/// The codec alone must refuse all of them; the server's answer is tested against the server.
#[test]
fn every_case_is_refused_by_the_codec() {
    let taken: Vec<String> = cases()
        .unwrap()
        .into_iter()
        .filter(|case| {
            case.frames.iter().any(|frame| codec::decode_client(&frame.clone().into_data()).is_ok())
        })
        .map(|case| case.name)
        .collect();
    assert_eq!(taken, Vec::<String>::new());
}
