//! Writes the types and constants of this crate as TypeScript, for `web/sdk`.
//!
//! `cargo xtask codegen` runs the test below with `UPDATE=1`; without it, the test compares.

use std::fmt::Write as _;
use std::path::Path;

use ts_rs::{Config, TS};

use crate::{SUBPROTOCOL, client, close, code::RejectCode, limit, server, types};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/sdk/src/protocol.gen.ts");

const HEADER: &str = "\
// Generated from the Rust crate `protocol` by `cargo xtask codegen`. Do not edit.
//
// The wire between a client and the game server; docs/protocol.md explains it. Structs are maps with field names, enums
// are externally tagged. Ignore fields and event kinds that you do not know.
";

fn declare<T: TS>(out: &mut String, config: &Config) {
    out.push('\n');
    if let Some(docs) = T::docs() {
        out.push_str(&docs);
    }
    let _ = writeln!(out, "export {}", T::decl(config));
}

macro_rules! declare_all {
    ($out:expr, $config:expr, $($type:ty),+ $(,)?) => { $( declare::<$type>($out, $config); )+ };
}

fn constants(out: &mut String) {
    let _ = write!(
        out,
        "\n/** The WebSocket subprotocol that both sides must name. */\n\
         export const SUBPROTOCOL = \"{SUBPROTOCOL}\";\n"
    );
    out.push_str("\n/** Why the server closes a socket. */\nexport const CLOSE = {\n");
    for close in close::ALL {
        let _ = writeln!(out, "  {}: {},", close.name, close.code);
    }
    out.push_str("} as const;\n");
    out.push_str(
        "\n/** What a client does about a close code; docs/protocol.md says what each word means. */\n",
    );
    let reactions: std::collections::BTreeSet<&str> =
        close::ALL.iter().map(|close| close.reaction.as_str()).collect();
    let reactions: Vec<String> = reactions.into_iter().map(|name| format!("\"{name}\"")).collect();
    let _ = writeln!(out, "export type CloseReaction = {};", reactions.join(" | "));
    out.push_str("\n/** What a client does about each close code. */\n");
    out.push_str("export const CLOSE_REACTION: Readonly<Record<number, CloseReaction>> = {\n");
    for close in close::ALL {
        let _ = writeln!(out, "  {}: \"{}\",", close.code, close.reaction.as_str());
    }
    out.push_str("};\n");
    out.push_str("\n/** Refusals by the server itself; the rules of the game have more. */\n");
    out.push_str("export const REJECT = {\n");
    for code in RejectCode::ALL {
        let _ = writeln!(out, "  {0}: \"{0}\",", code.as_str());
    }
    out.push_str("} as const;\n");
    out.push_str("\n/** Limits of the wire; docs/protocol.md says what happens beyond each. */\nexport const LIMIT = {\n");
    for (name, value) in LIMITS {
        let _ = writeln!(out, "  {name}: {value},");
    }
    out.push_str("} as const;\n");
}

const LIMITS: &[(&str, u64)] = &[
    ("inbound_frame_bytes_max", limit::INBOUND_FRAME_BYTES_MAX as u64),
    ("hello_frame_bytes_max", limit::HELLO_FRAME_BYTES_MAX as u64),
    ("outbound_frame_bytes_max", limit::OUTBOUND_FRAME_BYTES_MAX as u64),
    ("depth_max", limit::DEPTH_MAX as u64),
    ("items_max", limit::ITEMS_MAX as u64),
    ("string_bytes_max", limit::STRING_BYTES_MAX as u64),
    ("integer_max", limit::INTEGER_MAX),
    ("hello_within_ms", limit::HELLO_WITHIN_MS as u64),
    ("ticket_lifetime_ms", limit::TICKET_LIFETIME_MS as u64),
    ("messages_per_second", limit::MESSAGES_PER_SECOND as u64),
    ("messages_burst", limit::MESSAGES_BURST as u64),
    ("bytes_per_second", limit::BYTES_PER_SECOND as u64),
    ("bytes_burst", limit::BYTES_BURST as u64),
    ("commands_per_second", limit::COMMANDS_PER_SECOND as u64),
    ("commands_burst", limit::COMMANDS_BURST as u64),
    ("pings_per_second", limit::PINGS_PER_SECOND as u64),
    ("streams_max", limit::STREAMS_MAX as u64),
    ("results_per_stream_max", limit::RESULTS_PER_STREAM_MAX as u64),
    ("client_chars_max", limit::CLIENT_CHARS_MAX as u64),
    ("title_chars_max", limit::TITLE_CHARS_MAX as u64),
    ("intention_chars_max", limit::INTENTION_CHARS_MAX as u64),
    ("name_chars_max", limit::NAME_CHARS_MAX as u64),
    ("preset_code_chars_max", limit::PRESET_CODE_CHARS_MAX as u64),
];

fn generate() -> String {
    // Every number stays below 2^53 (the codec refuses larger ones), so `number` is exact.
    let config = Config::new().with_large_int("number");
    let mut out = String::from(HEADER);
    constants(&mut out);
    declare_all!(
        &mut out,
        &config,
        client::ClientMessage,
        client::Hello,
        client::CommandFrame,
        client::Ping,
        client::Command,
        client::Confirmation,
        server::ServerMessage,
        server::Welcome,
        server::WelcomeState,
        server::CommandResult,
        server::Rejected,
        server::Events,
        server::Event,
        server::Pong,
        server::Status,
        server::Notice,
        server::GoingAway,
        types::Progress,
        types::Category,
        types::Priority,
        types::Recurrence,
        types::FocusMode,
        types::Cable,
        types::Hero,
        types::HeroPatch,
        types::Profile,
        types::Wallet,
        types::Focus,
        types::SessionState,
        types::Session,
        types::Break,
        types::ToConfirm,
        types::Today,
        types::Streak,
        types::Task,
        types::OwnedModule,
        types::Assembly,
        types::Job,
        types::Blueprint,
        types::Rack,
        types::Placement,
        types::Presets,
        types::Preset,
        types::Unlocked,
        types::Statistics,
        types::DayTotal,
    );
    // Rust's links mean nothing to a TypeScript editor.
    out.replace("[`", "`").replace("`]", "`")
}

#[test]
fn typescript_is_current() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of `cargo xtask codegen` reaches a test no other way"
    )]
    let update = std::env::var("UPDATE").is_ok();
    let path = Path::new(FILE);
    let wanted = generate();
    if update {
        std::fs::create_dir_all(path.parent().expect("the file lies in a folder")).expect("make the folder");
        std::fs::write(path, &wanted).expect("write the generated file");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "web/sdk/src/protocol.gen.ts is not what the Rust types say: run cargo xtask codegen"
    );
}
