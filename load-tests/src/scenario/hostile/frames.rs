//! Bytes that are no message, messages at the wrong moment, tickets that open nothing.

use anyhow::{Result, ensure};
use protocol::client::{ClientMessage, Command, CommandFrame, Ping};
use protocol::server::ServerMessage;
use protocol::{close, codec, limit};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::shapes::pack;
use super::{Case, Expected, HostileReport, Target, try_case, until_durable};
use crate::http::{Endpoint, request};
use crate::wire::{Device, Received, Socket};

const MALFORMED: Expected = Expected::Rejected(&["malformed"]);
const DAMAGED: Expected = Expected::Closed(&[close::INVALID_PAYLOAD]);
const REFUSED: Expected = Expected::Closed(&[close::UNAUTHENTICATED]);

fn bytes(name: &str, frame: Vec<u8>, expected: Expected) -> Case {
    Case { name: name.to_owned(), frames: vec![Message::binary(frame)], expected }
}

/// A good ping, with which wrong bytes are made.
fn ping() -> Vec<u8> {
    codec::encode_client(&ClientMessage::Ping(Ping { client_ms: 1 }))
}

/// Wrong bytes on a socket that has said hello.
#[must_use]
pub fn after_hello() -> Vec<Case> {
    let mut cases = damaged();
    cases.extend(sound_but_refused());
    cases.push(Case {
        name: "a text frame".to_owned(),
        frames: vec![Message::text("{\"ping\":{\"client_ms\":1}}")],
        expected: Expected::Closed(&[close::UNSUPPORTED_DATA]),
    });
    cases.push(bytes(
        "one byte over the limit of a frame",
        vec![0xc0; limit::INBOUND_FRAME_BYTES_MAX + 1],
        Expected::Closed(&[close::TOO_BIG]),
    ));
    cases.push(bytes("a frame of 1 MiB", vec![0xc0; 1024 * 1024], Expected::Closed(&[close::TOO_BIG])));
    cases.push(Case {
        name: "a message over the limit, in fragments within it".to_owned(),
        frames: fragments(vec![0xc0; limit::INBOUND_FRAME_BYTES_MAX + 1], 4096),
        expected: Expected::Closed(&[close::TOO_BIG]),
    });
    cases.push(Case {
        name: "a ping in 18 fragments".to_owned(),
        frames: fragments(ping(), 1),
        expected: Expected::Closed(&[close::TOO_BIG]),
    });
    cases.push(Case {
        name: "a message that never ends".to_owned(),
        frames: fragments(ping(), 1).into_iter().take(2).collect(),
        expected: Expected::Closed(&[close::GOING_AWAY]),
    });
    cases
}

/// Bytes that are not one MessagePack value.
fn damaged() -> Vec<Case> {
    let mut trailing = ping();
    trailing.push(0xc0);
    let mut two = ping();
    two.extend(ping());
    let mut truncated = ping();
    truncated.pop();
    let deep = |depth: usize| {
        let mut frame = vec![0x91; depth];
        frame.push(0xc0);
        frame
    };
    let announced = |marker: u8| {
        let mut frame = vec![marker];
        frame.extend(u32::MAX.to_be_bytes());
        frame
    };
    vec![
        bytes("an empty frame", Vec::new(), DAMAGED),
        bytes("a byte behind the value", trailing, DAMAGED),
        bytes("two values in one frame", two, DAMAGED),
        bytes("a cut value", truncated, DAMAGED),
        bytes("the byte that MessagePack never uses", vec![0xc1], DAMAGED),
        bytes("a text that is not UTF-8", vec![0xa2, 0xff, 0xfe], DAMAGED),
        bytes("one list too deep", deep(limit::DEPTH_MAX + 1), DAMAGED),
        bytes("8 KiB of nested lists", vec![0x91; limit::INBOUND_FRAME_BYTES_MAX], DAMAGED),
        bytes("8 KiB of nested maps", [0x81, 0xa0].repeat(limit::INBOUND_FRAME_BYTES_MAX / 2), DAMAGED),
        bytes("a text of 4 GiB, announced", announced(0xdb), DAMAGED),
        bytes("binary data of 4 GiB, announced", announced(0xc6), DAMAGED),
        bytes("a list of 4 billion, announced", announced(0xdd), DAMAGED),
        bytes("a map of 4 billion, announced", announced(0xdf), DAMAGED),
    ]
}

/// Sound MessagePack that no client may send.
fn sound_but_refused() -> Vec<Case> {
    let many: serde_json::Map<String, Value> = (0..257).map(|n| (format!("k{n}"), json!(n))).collect();
    vec![
        bytes(
            "depth at the limit, but no message",
            {
                let mut frame = vec![0x91; limit::DEPTH_MAX - 1];
                frame.push(0xc0);
                frame
            },
            MALFORMED,
        ),
        bytes("binary data", vec![0xc4, 0x02, 0x01, 0x02], MALFORMED),
        bytes("extension data", vec![0xd4, 0x05, 0x00], MALFORMED),
        bytes("a map with a number as key", vec![0x81, 0x01, 0xc0], MALFORMED),
        bytes("a float", pack(&json!(1.5)), MALFORMED),
        bytes("a map with 257 entries", pack(&Value::Object(many)), MALFORMED),
        bytes("a struct as a list", pack(&json!({"ping": [1]})), MALFORMED),
        bytes("a command as a list", pack(&json!({"command": [1, "auto_patch"]})), MALFORMED),
        bytes("a second hello", pack(&hello("x".to_owned())), Expected::Rejected(&["hello_repeated"])),
    ]
}

fn hello(ticket: String) -> Value {
    json!({"hello": {"ticket": ticket, "stream_id": 2, "client": "hostile"}})
}

/// One message in pieces.
fn fragments(message: Vec<u8>, piece_bytes: usize) -> Vec<Message> {
    let pieces: Vec<Vec<u8>> = message.chunks(piece_bytes).map(<[u8]>::to_vec).collect();
    let count = pieces.len();
    pieces
        .into_iter()
        .enumerate()
        .map(|(index, piece)| {
            let kind = if index == 0 { Data::Binary } else { Data::Continue };
            Message::Frame(Frame::message(piece, OpCode::Data(kind), index + 1 == count))
        })
        .collect()
}

/// Whatever comes before a hello ends the socket with 4001.
///
/// # Errors
/// When the server cannot be reached at all.
pub async fn before_hello(endpoint: &Endpoint) -> Result<HostileReport> {
    let device = Device::new_guest(endpoint, None, 1).await?;
    let mut long = hello(device.ticket(endpoint).await?);
    long["hello"]["client"] = json!("x".repeat(limit::CLIENT_CHARS_MAX + 1));
    let mut zero = hello(device.ticket(endpoint).await?);
    zero["hello"]["stream_id"] = json!(0);
    let mut beyond = hello(device.ticket(endpoint).await?);
    beyond["hello"]["stream_id"] = json!(1_u64 << 53);
    let mut unknown = hello(device.ticket(endpoint).await?);
    unknown["hello"]["hero_id"] = json!("00000000-0000-0000-0000-000000000000");
    let mut huge = hello(device.ticket(endpoint).await?);
    huge["hello"]["time_zone"] = json!("x".repeat(limit::HELLO_FRAME_BYTES_MAX));
    let auto_patch = CommandFrame { cmd_seq: 1, body: Command::AutoPatch };
    let cases = vec![
        bytes("a command before hello", codec::encode_client(&ClientMessage::Command(auto_patch)), REFUSED),
        bytes("a ping before hello", ping(), REFUSED),
        bytes("garbage before hello", vec![0xc1, 0xc1], REFUSED),
        bytes("an empty frame before hello", Vec::new(), REFUSED),
        bytes("a hello with a client name that is too long", pack(&long), REFUSED),
        bytes("a hello with stream 0", pack(&zero), REFUSED),
        bytes("a hello with a stream beyond 2^53", pack(&beyond), REFUSED),
        bytes("a hello that names a hero", pack(&unknown), REFUSED),
        bytes("a hello over 1 KiB", pack(&huge), REFUSED),
        bytes("a hello without a ticket", pack(&json!({"hello": {"stream_id": 1, "client": "x"}})), REFUSED),
        Case {
            name: "a text frame before hello".to_owned(),
            frames: vec![Message::text("hello")],
            expected: REFUSED,
        },
        Case { name: "silence for 3 s".to_owned(), frames: Vec::new(), expected: REFUSED },
    ];
    let mut report = HostileReport::default();
    for case in cases {
        report.cases += 1;
        let socket = Socket::connect(endpoint, None).await?;
        if let Err(problem) = try_case(socket, &case).await {
            report.find(format!("{}: {problem:#}", case.name));
        }
    }
    Ok(report)
}

/// Tickets and tokens that open nothing, and what another player's hello can reach.
///
/// # Errors
/// When the server cannot be reached at all.
pub async fn tickets(endpoint: &Endpoint) -> Result<HostileReport> {
    let target = Target::new(endpoint).await?;
    let stranger = Device::new_guest(endpoint, None, target.attacker.stream_id).await?;
    let used = stranger.ticket(endpoint).await?;
    let mut report = HostileReport::default();

    // A hello with another player's stream number opens the own hero at the beginning of an own stream.
    let mut socket = Socket::connect(endpoint, None).await?;
    socket.send(&ClientMessage::Hello(stranger.hello(used.clone(), None))).await?;
    report.cases += 1;
    match socket.receive_soon().await? {
        Received::Message(ServerMessage::Welcome(welcome)) => {
            if welcome.cmd_seq_applied != 0 {
                report.find("a stranger found another player's stream".to_owned());
            }
            if let protocol::server::WelcomeState::Snapshot(hero) = &welcome.state
                && (hero.hero_id != stranger.hero_id || !hero.tasks.is_empty())
            {
                report.find("a stranger saw another player's hero".to_owned());
            }
        }
        other => report.find(format!("a good hello was answered with {other:?}")),
    }
    socket.close().await;

    for (name, ticket) in [
        ("a used ticket", used),
        ("an unknown ticket", "0".repeat(43)),
        ("an empty ticket", String::new()),
        ("a device token as a ticket", stranger.device_token.clone()),
        ("a hero's id as a ticket", stranger.hero_id.clone()),
    ] {
        report.cases += 1;
        let case = bytes(name, pack(&hello(ticket)), REFUSED);
        if let Err(problem) = try_case(Socket::connect(endpoint, None).await?, &case).await {
            report.find(format!("{name}: {problem:#}"));
        }
    }

    for (name, token) in [
        ("no token", None),
        ("an unknown token", Some("dh_unknown".to_owned())),
        ("a hero's id as a token", Some(target.attacker.hero_id.clone())),
        ("a token with a byte more", Some(format!("{}0", stranger.device_token))),
        ("a token of 10 KiB", Some("x".repeat(10 * 1024))),
    ] {
        report.cases += 1;
        let body = json!({});
        let answer = request(endpoint, None, "POST", "/v1/ws-ticket", token.as_deref(), Some(&body)).await?;
        if answer.status != 401 {
            report.find(format!("a ticket with {name} was answered with {}", answer.status));
        }
    }
    target.check(endpoint, &mut report).await?;
    Ok(report)
}

/// Numbers of commands that are old, early or from another device.
///
/// # Errors
/// When the server cannot be reached at all, or refuses what is right.
pub async fn order(endpoint: &Endpoint) -> Result<HostileReport> {
    let device = Device::new_guest(endpoint, None, 7).await?;
    let (mut socket, _) = device.open(endpoint, None).await?;
    let mut report = HostileReport::default();
    let rename = |cmd_seq, name: &str| {
        ClientMessage::Command(CommandFrame { cmd_seq, body: Command::RenameHero { name: name.to_owned() } })
    };
    let mut told = Vec::new();
    for cmd_seq in 1..=3_u64 {
        socket.send(&rename(cmd_seq, &format!("name {cmd_seq}"))).await?;
        told.push(until_durable(&mut socket, cmd_seq).await?);
    }
    for early in [5, 100, limit::INTEGER_MAX] {
        report.cases += 1;
        let case = Case {
            name: format!("command {early} when 4 is next"),
            frames: vec![Message::binary(codec::encode_client(&rename(early, "early")))],
            expected: Expected::Rejected(&["out_of_order"]),
        };
        match try_case(socket, &case).await {
            Ok(Some(open)) => socket = open,
            Ok(None) => anyhow::bail!("the socket was closed after {}", case.name),
            Err(problem) => {
                report.find(format!("{}: {problem:#}", case.name));
                socket = device.open(endpoint, None).await?.0;
            }
        }
    }
    for old in &told {
        report.cases += 1;
        // Another body under an old number is still only the old answer.
        socket.send(&rename(old.cmd_seq, "again")).await?;
        match socket.receive_soon().await? {
            Received::Message(ServerMessage::Duplicate(again)) if again == *old => {}
            other => report.find(format!("command {} said again: {other:?}", old.cmd_seq)),
        }
    }
    // The same numbers from another device are new commands of another stream.
    let sibling = device.sibling(8, None);
    let (mut other, welcome) = sibling.open(endpoint, None).await?;
    ensure!(welcome.cmd_seq_applied == 0, "a new device begins with applied commands");
    report.cases += 1;
    other.send(&rename(1, "the other device")).await?;
    if let Err(problem) = until_durable(&mut other, 1).await {
        report.find(format!("command 1 of a second device: {problem:#}"));
    }
    let (seq, hero) = super::look(endpoint, &sibling).await?;
    let last = told.last().map_or(0, |result| result.seq);
    if hero.profile.name != "the other device" || seq <= last {
        report.find(format!("after old and early commands the hero is called {:?}", hero.profile.name));
    }
    socket.close().await;
    other.close().await;
    Ok(report)
}
