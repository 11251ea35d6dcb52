use std::io::Write;

use tracing::{Level, level_filters::LevelFilter};

use super::{Escaping, targets};
use crate::config::LogLevel;

fn written(line: &str) -> String {
    let mut bytes = Vec::new();
    Escaping(&mut bytes).write_all(line.as_bytes()).expect("memory takes it");
    String::from_utf8(bytes).expect("still text")
}

#[test]
fn a_players_text_cannot_forge_a_line_or_drive_a_terminal() {
    assert_eq!(written("name=Ada\n"), "name=Ada\n");
    assert_eq!(written("name=Ada\nERROR all lost\n"), "name=Ada\\nERROR all lost\n");
    assert_eq!(written("\u{1b}[2J\r\u{7f}\u{9b}x\n"), "\\u001b[2J\\r\\u007f\\u009bx\n");
    assert_eq!(written("abc\u{202e}cba\u{2028}ERROR\n"), "abc\\u202ecba\\u2028ERROR\n");
    assert_eq!(written("grüße 🎛\n"), "grüße 🎛\n");
}

#[test]
fn a_line_of_json_stays_one_whatever_is_in_its_fields() {
    let field = (0..0x3000).filter_map(char::from_u32).collect::<String>();
    let line = written(&format!("{}\n", serde_json::json!({ "field": field })));
    assert_eq!(line.lines().count(), 1);
    assert!(!line.trim_end().chars().any(char::is_control));
    let json: serde_json::Value = serde_json::from_str(&line).expect("still JSON");
    assert_eq!(json["field"], field);
}

#[test]
fn libraries_are_quieter_than_we_are() {
    let debug = targets(LogLevel::Debug);
    assert!(debug.would_enable("game_server::shard", &Level::DEBUG));
    assert!(!debug.would_enable("sqlx::query", &Level::INFO));
    assert!(targets(LogLevel::Error).would_enable("hyper", &Level::ERROR));
    assert!(!targets(LogLevel::Error).would_enable("hyper", &Level::WARN));
    assert_eq!(targets(LogLevel::Trace).default_level(), Some(LevelFilter::TRACE));
}
