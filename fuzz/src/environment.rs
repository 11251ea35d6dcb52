//! The environment of a server: any value of any variable.
//!
//! A line of the input is a variable and its value. A mark in a value stands for a secret, where there may be one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use game_server::config::{Config, VARIABLES};

/// Where the secret goes.
const MARK: char = '$';
/// What must never be seen again. It looks random enough to be a secret key, and is base64.
const CANARY: &str = "Kn0wnSecretCanaryq83vEiM0RVZneImaq7zN7v8QEjRWeJA=";
/// As much of it as would give it away.
const PART_BYTES: usize = 12;

/// No problem and no printed configuration holds a part of a secret.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut values = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        // A number is as good as a name, and the fuzzer finds it faster.
        let known = name.parse::<usize>().ok().and_then(|index| VARIABLES.get(index % VARIABLES.len()));
        let name = known.map_or(name, |variable| variable.name);
        values.insert(name.to_owned(), with_secret(name, value));
    }
    let mut printed = String::new();
    match Config::parse(|name| values.get(name).cloned()) {
        Ok(config) => {
            write!(printed, "{config:?} {}", config.database).expect("a string takes it");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                write!(printed, "{problem} {problem:?}").expect("a string takes it");
            }
        }
    }
    let part = |at: usize| CANARY.get(at..at + PART_BYTES);
    let told = (0..CANARY.len()).filter_map(part).find(|part| printed.contains(part));
    assert!(told.is_none(), "{told:?} in {printed}");
}

/// Puts the secret where the mark is, if what stands there is one: all of a secret, or whoever logs in to an address.
fn with_secret(name: &str, value: &str) -> String {
    let Some(mark) = value.find(MARK) else { return value.to_owned() };
    // A file may be called anything, and nobody logs in to it.
    let is_file = name == "DATABASE_URL" && value.trim_start().starts_with("sqlite:");
    let is_secret = match name {
        _ if is_file => false,
        "SECRET_KEYS" | "AWS_SECRET_ACCESS_KEY" => true,
        "DATABASE_URL" | "REDIS_URL" | "SMTP_URL" | "S3_ENDPOINT" => {
            // Behind a host an @ means nothing, nor does one in the path of a local socket.
            let (before, after) = value.split_at(mark);
            let before = before.rsplit(',').next().unwrap_or_default();
            let is_login = !before.contains(['?', '#']) && !before.contains("unix");
            let before_host = is_login && first_of(after, &['@', '/', '?', '#', ',']) == Some('@');
            let query = value.find('?').and_then(|at| value.get(at..mark));
            let in_query = query.is_some_and(|query| query.contains("password="));
            before_host || (in_query && value.starts_with("postgres"))
        }
        _ => false,
    };
    if is_secret { value.replacen(MARK, CANARY, 1) } else { value.to_owned() }
}

fn first_of(text: &str, wanted: &[char]) -> Option<char> {
    text.chars().find(|character| wanted.contains(character))
}
