//! `docs/protocol.md` says everything: the parts between `<!-- generated: name -->` and `<!-- end -->` are written from
//! the types, codes and golden frames (`cargo xtask codegen`), the rest by people.

use std::path::{Path, PathBuf};

use protocol::client::{ClientMessage, Command};
use protocol::codec::{Consequence, DecodeErrorKind, encode_client, encode_server};
use protocol::server::{ServerMessage, WelcomeState};
use protocol::types::{Hero, HeroPatch};
use protocol::{close, code::RejectCode};

use crate::reference::{Body, Item, Variant, markdown, plain, read};
use crate::{golden, names, sample};

const CLIENT: &str = include_str!("../../src/client.rs");
const SERVER: &str = include_str!("../../src/server.rs");
const TYPES: &str = concat!(include_str!("../../src/types.rs"), include_str!("../../src/types/workshop.rs"));

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")
}

fn reference(source: &str) -> String {
    read(source).iter().map(markdown).collect::<Vec<_>>().join("\n")
}

fn closes() -> String {
    let mut out = String::from("| code | name | when | what a client does |\n|---|---|---|---|\n");
    for close in close::ALL {
        let meaning = match close.code {
            close::NORMAL => "ended on purpose: the client is done, or this device opened another socket",
            close::GOING_AWAY => "one end goes away; also after 25 s without a sign of life",
            close::UNSUPPORTED_DATA => "a text frame",
            close::INVALID_PAYLOAD => "a frame that is not exactly one sound MessagePack value",
            close::POLICY => "too many sockets of one hero: the oldest one leaves",
            close::TOO_BIG => "a frame over 8 KiB",
            close::INTERNAL => "a mistake of the server; the hero is unharmed",
            close::RESTART => {
                "the server restarts, the socket is 12 h old, or an operator closed it; everything is on disk"
            }
            close::OVERLOAD => "no room, or this socket reads too slowly",
            close::UNAUTHENTICATED => {
                "no `hello` within 3 s, a ticket that is used, expired or wrong, or the login ended"
            }
            close::BANNED => "an operator locked the player out",
            close::MOVED => {
                "another server writes for this hero now, or the hero is part of an account's now"
            }
            close::RATE => "over the limits three times in 10 s",
            other => panic!("say in this table when {other} is used"),
        };
        out.push_str(&format!(
            "| {} | {} | {meaning} | {} (`{}`) |\n",
            close.code,
            close.name,
            reaction(close.reaction),
            close.reaction.as_str()
        ));
    }
    out
}

fn reaction(reaction: close::Reaction) -> &'static str {
    match reaction {
        close::Reaction::Stop => "stay away until the player does something",
        close::Reaction::Backoff => "come back with a growing, jittered delay, 0.5 to 30 s",
        close::Reaction::Now => "come back at once, then with a growing delay",
        close::Reaction::AfterGoingAway => "come back after `going_away.reconnect_after_ms`",
        close::Reaction::NewTicket => {
            "get a new ticket; if that is a 401, log in again and keep queued commands"
        }
        close::Reaction::FixClient => {
            "a mistake of the client: report it, drop the frame, come back after 30 s"
        }
        close::Reaction::SlowDown => "come back after 10 s or more and send slower",
    }
}

fn rejects() -> String {
    let mut out = String::from("| code | what to do |\n|---|---|\n");
    for code in RejectCode::ALL {
        out.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.hint()));
    }
    out
}

fn decode_errors() -> String {
    let mut out = String::from("| what is wrong | what follows |\n|---|---|\n");
    for kind in DecodeErrorKind::ALL {
        let follows = match kind.consequence() {
            Consequence::Close(code) => format!("close {code}"),
            Consequence::Reject => "`rejected{malformed}`, the socket goes on".to_owned(),
        };
        out.push_str(&format!("| `{}` | {follows} |\n", kind.as_str()));
    }
    out
}

/// A frame as its JSON twin on one line and its bytes, 16 a line with their letters.
fn dump(name: &str) -> String {
    let client = sample::client().into_iter().find(|(found, _)| found == name);
    let (json, bytes) = match client {
        Some((_, message)) => (serde_json::to_string(&message), encode_client(&message)),
        None => {
            let all = sample::server();
            let (_, message) =
                all.iter().find(|(found, _)| found == name).expect("a golden frame of that name");
            (serde_json::to_string(message), encode_server(message).to_vec())
        }
    };
    let arrow = if name.starts_with("client") { "client → server" } else { "server → client" };
    let mut out = format!(
        "{arrow}, {} bytes (`protocol/golden/{name}.msgpack`)\n\n```json\n{}\n```\n```text\n",
        bytes.len(),
        json.expect("a JSON form")
    );
    for (index, line) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String =
            line.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        out.push_str(&format!("{:04x}  {:<47}  {letters}\n", index * 16, hex.join(" ")));
    }
    out.push_str("```\n");
    out
}

fn exchange() -> String {
    [
        "client.hello.resume",
        "server.welcome.nothing_new",
        "client.command.start_focus",
        "server.events",
        "server.durable",
        "client.ping",
        "server.pong",
    ]
    .map(dump)
    .join("\n")
}

/// The words of the rules, from their source: this crate depends on no other one.
fn rules(file: &str) -> Vec<Item> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulation/src").join(file);
    read(&std::fs::read_to_string(path).expect("the simulation lies beside this crate"))
}

fn variants_of<'a>(items: &'a [Item], name: &str) -> &'a [Variant] {
    match items.iter().find(|item| item.name == name).map(|item| &item.body) {
        Some(Body::Enum(variants)) => variants,
        _ => panic!("the simulation has no enum {name} any more"),
    }
}

fn rows<'a>(variants: impl Iterator<Item = &'a Variant>) -> String {
    variants.map(|variant| format!("| `{}` | {} |\n", variant.name, plain(&variant.doc))).collect()
}

fn rule_rejections() -> String {
    let items = rules("rejection.rs");
    let own = variants_of(&items, "Rejection").iter().filter(|variant| variant.name != "rack_refused");
    let of_rack = variants_of(&items, "RackReason");
    let table = rows(own) + &rows(of_rack.iter());
    format!("| code | why |\n|---|---|\n{}", table.replace("| `loop` |", "| `cable_loop` |"))
}

fn event_kinds() -> String {
    format!("| kind | what happened |\n|---|---|\n{}", rows(variants_of(&rules("event.rs"), "Event").iter()))
}

/// Replaces what stands between the markers of a block.
fn fill(document: &str, name: &str, content: &str) -> String {
    let start = format!("<!-- generated: {name} -->\n");
    let (head, rest) =
        document.split_once(&start).unwrap_or_else(|| panic!("docs/protocol.md has no block {name}"));
    let (_, tail) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("block {name} has no end"));
    format!("{head}{start}\n{content}\n<!-- end -->{tail}")
}

#[test]
fn the_document_is_current_and_complete() {
    bring_up_to_date();
    names_everything();
}

fn bring_up_to_date() {
    let found = std::fs::read_to_string(path()).expect("docs/protocol.md is there");
    let mut wanted = found.clone();
    for (name, content) in [
        ("client", reference(CLIENT)),
        ("server", reference(SERVER)),
        ("types", reference(TYPES)),
        ("close", closes()),
        ("reject", rejects()),
        ("decode", decode_errors()),
        ("exchange", exchange()),
        ("rules", rule_rejections()),
        ("kinds", event_kinds()),
    ] {
        wanted = fill(&wanted, name, &content);
    }
    if golden::update() {
        std::fs::write(path(), &wanted).expect("write the document");
    } else {
        assert!(found == wanted, "docs/protocol.md is not what the types say: run cargo xtask codegen");
    }
}

fn names_everything() {
    let document = std::fs::read_to_string(path()).expect("docs/protocol.md is there");
    let has = |word: &str| {
        assert!(document.contains(&format!("`{word}`")), "docs/protocol.md does not name {word}")
    };
    names::variants::<ClientMessage>().into_iter().for_each(has);
    names::variants::<ServerMessage>().into_iter().for_each(has);
    names::variants::<WelcomeState>().into_iter().for_each(has);
    for command in names::variants::<Command>() {
        has(command);
        names::variant_fields::<Command>(command).into_iter().for_each(has);
    }
    names::fields::<Hero>().into_iter().for_each(has);
    names::fields::<HeroPatch>().into_iter().for_each(has);
    RejectCode::ALL.map(RejectCode::as_str).into_iter().for_each(has);
    close::ALL.map(|close| close.reaction.as_str()).into_iter().for_each(has);
    for close in close::ALL {
        assert!(document.contains(&format!("| {} |", close.code)), "close code {} is missing", close.code);
    }
}

#[test]
fn the_reference_misses_nothing() {
    let items: Vec<Item> = [CLIENT, SERVER, TYPES].into_iter().flat_map(read).collect();
    let item = |name: &str| &items.iter().find(|item| item.name == name).expect("read from the source").body;
    let Body::Enum(commands) = item("Command") else { panic!("Command is an enum") };
    let found: Vec<&str> = commands.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(found, names::variants::<Command>());
    for command in commands {
        let name = names::variants::<Command>()
            .into_iter()
            .find(|name| *name == command.name)
            .expect("just compared");
        let found: Vec<&str> = command.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(found, names::variant_fields::<Command>(name), "{name}");
    }
    let Body::Struct(hero) = item("Hero") else { panic!("Hero is a struct") };
    let found: Vec<&str> = hero.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(found, names::fields::<Hero>());
}
