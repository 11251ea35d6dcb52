//! What `cargo xtask instructions` counts of the wire: the frames of a golden player, made as large as most players are.
//!
//! Without arguments it names its cases; with a case and a number it does that case so many times.

#![expect(clippy::unwrap_used, reason = "a program that measures ends at the first thing that goes wrong")]

use std::hint::black_box;
use std::iter;
use std::mem;
use std::path::Path;

use protocol::codec::{decode_client, decode_server, encode_server};
use protocol::server::{ServerMessage, WelcomeState};

type Case = (&'static str, fn(times: usize));

const CASES: [Case; 5] = [
    ("decode_create_task", |times| decode_case("client.command.create_task", times)),
    ("decode_start_focus", |times| decode_case("client.command.start_focus", times)),
    ("decode_complete_task", |times| decode_case("client.command.complete_task", times)),
    ("encode_welcome", |times| encode_case(&welcome(), times)),
    ("encode_events", |times| encode_case(&message("server.events"), times)),
];

fn main() {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [case, times] = arguments.as_slice() else {
        return CASES.iter().for_each(|(name, _)| println!("{name}"));
    };
    let (_, run) = CASES.iter().find(|(name, _)| name == case).unwrap();
    run(times.parse().unwrap());
}

fn decode_case(name: &str, times: usize) {
    let frame = golden(name);
    for _ in 0..times {
        black_box(decode_client(black_box(&frame)).unwrap());
    }
}

fn encode_case(message: &ServerMessage, times: usize) {
    for _ in 0..times {
        black_box(encode_server(black_box(message)));
    }
}

/// A whole hero with ten tasks, six modules and a month of days.
fn welcome() -> ServerMessage {
    let mut message = message("server.welcome.snapshot");
    let ServerMessage::Welcome(welcome) = &mut message else { panic!("the golden frame is a welcome") };
    let WelcomeState::Snapshot(hero) = &mut welcome.state else { panic!("the golden frame has a snapshot") };
    repeat(&mut hero.tasks, 10);
    repeat(&mut hero.modules, 6);
    repeat(&mut hero.rack.placements, 6);
    repeat(&mut hero.rack.cables, 6);
    repeat(&mut hero.rack.powered, 6);
    repeat(&mut hero.statistics.days, 30);
    message
}

/// What is in the list, again and again, until there is enough of it.
fn repeat<T: Clone>(list: &mut Vec<T>, count: usize) {
    let some = mem::take(list);
    *list = iter::repeat(some).flatten().take(count).collect();
}

fn message(name: &str) -> ServerMessage {
    decode_server(&golden(name)).unwrap()
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    std::fs::read(folder.join(format!("{name}.msgpack"))).unwrap()
}
