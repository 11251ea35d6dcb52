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
    assert_eq!(written("\u{1b}[2J\r\u{7f}\u{9b}x\n"), "\\u{1b}[2J\\r\\u{7f}\\u{9b}x\n");
    assert_eq!(written("grüße 🎛\n"), "grüße 🎛\n");
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
