//! `dopamine-hero simulate FILE`: a scenario without a server.
//!
//! A scenario is a file of JSON lines in order of time, commands as on the wire:
//!
//! ```json
//! {"at": "2026-03-01T08:00:00Z", "create": {"time_zone": "Europe/Berlin"}}
//! {"at": "2026-03-01T08:00:05Z", "command": {"start_focus": {"mode": "flowtime", "category": "none"}}}
//! {"at": "2026-03-01T08:25:05Z", "command": "end_focus"}
//! {"at": "2026-03-02T08:00:00Z"}
//! ```
//!
//! `create` may only stand in the first line; without it the hero is made there with the zone `Etc/UTC`. A line with a
//! time alone lets time pass. A line with `"guest": "<name>"` is about another hero, which its first line makes, and
//! `{"at": ..., "unite": "<name>"}` makes that guest a part of the hero. Empty lines and lines that begin with `#` are skipped. What comes out is JSON lines too:
//! each event and each refusal with its time, and last the hero as a client sees it.
//!
//! The rules are the same code as in the server, so that a scenario is a proof: it is the designers' tool and drives
//! the golden tests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context;
use protocol::{client::Command, types};
use serde::{Deserialize, Serialize};
use simulation::{
    advance::advance,
    apply::apply,
    calendar::{format_rfc3339, parse_rfc3339},
    catalogue::Catalogue,
    command,
    decide::decide,
    event::TimedEvent,
    hero::{Estate, Hero},
    id::HeroKey,
    rejection::Rejection,
    rules,
};

use crate::convert;

/// Longest scenario: about a hundred thousand commands.
pub const SCENARIO_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Guests in a scenario: as many as an account may take in at once, and some more.
const GUESTS_MAX: usize = 8;
/// The hero's id in what is printed: a scenario has one hero, and the same one each time.
const HERO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Why a scenario could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// There is no line to run.
    #[error(
        "the scenario is empty: expected lines like {{\"at\": \"2026-03-01T08:00:00Z\", \"command\": \"end_focus\"}}"
    )]
    Empty,
    /// The file is too large.
    #[error("the scenario is larger than {SCENARIO_BYTES_MAX} bytes")]
    TooLarge,
    /// The result could not be written.
    #[error("could not write the result")]
    Write(#[from] io::Error),
}

/// A line of a scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: String,
    #[serde(default)]
    command: Option<Command>,
    #[serde(default)]
    create: Option<Create>,
    /// Whose line it is, if not the hero's.
    #[serde(default)]
    guest: Option<String>,
    /// A guest that becomes part of the hero.
    #[serde(default)]
    unite: Option<String>,
}

/// What the first line may say about the hero.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Create {
    name: String,
    time_zone: String,
}

impl Default for Create {
    fn default() -> Self {
        Self { name: "Hero".into(), time_zone: "Etc/UTC".into() }
    }
}

/// An event as it is printed: what is nothing is left out, so that a person can read it.
#[derive(Serialize)]
struct Printed<'a> {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    seq: u64,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    energy_me: i64,
    #[serde(skip_serializing_if = "is_zero")]
    dopamine_md: i64,
}

#[derive(Serialize)]
struct Refused<'a> {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    rejected: &'a str,
    hint: &'a str,
}

#[derive(Serialize)]
struct Last {
    at: String,
    hero: types::Hero,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Runs the scenario in a file with the built-in catalogue.
///
/// # Errors
/// A file that cannot be read, or a line that is wrong.
pub fn run(file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let mut text = String::new();
    // One byte over the limit is enough to see that a file is too large.
    let limit = SCENARIO_BYTES_MAX as u64 + 1;
    File::open(file)
        .and_then(|opened| opened.take(limit).read_to_string(&mut text))
        .with_context(|| format!("cannot read the scenario {}", file.display()))?;
    let mut out = BufWriter::new(out);
    let played = play(&text, &Catalogue::builtin(), &mut out);
    out.flush().context("cannot write the result")?;
    played.with_context(|| file.display().to_string())
}

/// Plays a scenario and writes what happened.
///
/// # Errors
/// A line that is wrong, with its number and what was expected; what came before it has been written.
pub fn play(scenario: &str, catalogue: &Catalogue, out: &mut impl Write) -> Result<(), SimulateError> {
    play_watched(scenario, catalogue, out, &mut |_, _, _| {})
}

/// Is told the hero after each step, what happened in it, and when.
type Watch<'a> = &'a mut dyn FnMut(&Hero, &[TimedEvent], i64);

fn play_watched(
    scenario: &str,
    catalogue: &Catalogue,
    out: &mut impl Write,
    watch: Watch<'_>,
) -> Result<(), SimulateError> {
    if scenario.len() > SCENARIO_BYTES_MAX {
        return Err(SimulateError::TooLarge);
    }
    let mut plays: Option<Plays> = None;
    for (index, text) in scenario.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let wrong = |problem| SimulateError::Line { line: index + 1, problem };
        let line: Line = serde_json::from_str(text).map_err(|error| wrong(expected(&error)))?;
        let at_ms = moment(&line.at).map_err(wrong)?;
        let plays = match &mut plays {
            Some(plays) => {
                plays.check(&line, at_ms).map_err(wrong)?;
                plays
            }
            none => {
                let mut hero = Play::new(None, at_ms);
                let wanted = line.create.as_ref().filter(|_| line.guest.is_none());
                let events = create(wanted, at_ms, catalogue).map_err(wrong)?;
                hero.happened(&events, out, watch)?;
                none.insert(Plays { hero, guests: BTreeMap::new() })
            }
        };
        plays.hero.pass(at_ms, catalogue, out, watch)?;
        if let Some(name) = &line.guest {
            plays.guest(name, &line, at_ms, catalogue, out).map_err(|failed| failed.at(index + 1))?;
        } else if let Some(command) = line.command {
            plays.hero.command(convert::command(command), catalogue, out, watch)?;
        }
        if let Some(name) = &line.unite {
            plays.unite(name, at_ms, catalogue, out, watch).map_err(|failed| failed.at(index + 1))?;
        }
    }
    let play = plays.ok_or(SimulateError::Empty)?.hero;
    let hero = convert::hero_view(&play.hero, HERO_ID, catalogue, play.now_ms);
    print(out, &Last { at: format_rfc3339(play.now_ms), hero })?;
    Ok(())
}

fn create(wanted: Option<&Create>, at_ms: i64, catalogue: &Catalogue) -> Result<Vec<TimedEvent>, String> {
    let default = Create::default();
    let Create { name, time_zone } = wanted.unwrap_or(&default);
    let (_hero, events) = rules::create::create(name, time_zone, at_ms, catalogue).map_err(|no| no.hint())?;
    Ok(events)
}

/// Why a line about a guest does not work.
enum LineFailed {
    Problem(String),
    Write(io::Error),
}

impl From<io::Error> for LineFailed {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl LineFailed {
    fn at(self, line: usize) -> SimulateError {
        match self {
            Self::Problem(problem) => SimulateError::Line { line, problem },
            Self::Write(error) => SimulateError::Write(error),
        }
    }
}

/// All heroes of a scenario.
struct Plays {
    hero: Play,
    guests: BTreeMap<String, Play>,
}

impl Plays {
    /// Whether a line may follow what came before.
    fn check(&self, line: &Line, at_ms: i64) -> Result<(), String> {
        if line.create.is_some() && line.guest.as_ref().is_none_or(|name| self.guests.contains_key(name)) {
            return Err("expected `create` only in the first line: there is a hero already".into());
        }
        if at_ms < self.hero.now_ms {
            return Err(format!(
                "expected a time at or after {}, the line before",
                format_rfc3339(self.hero.now_ms)
            ));
        }
        Ok(())
    }

    /// A line about a guest.
    fn guest(
        &mut self,
        name: &str,
        line: &Line,
        at_ms: i64,
        catalogue: &Catalogue,
        out: &mut impl Write,
    ) -> Result<(), LineFailed> {
        let unwatched: Watch<'_> = &mut |_, _, _| {};
        if !self.guests.contains_key(name) {
            if self.guests.len() == GUESTS_MAX || name.is_empty() || name.len() > HeroKey::BYTES {
                let problem = format!(
                    "expected at most {GUESTS_MAX} guests with names of 1 to {} bytes",
                    HeroKey::BYTES
                );
                return Err(LineFailed::Problem(problem));
            }
            let events = create(line.create.as_ref(), at_ms, catalogue).map_err(LineFailed::Problem)?;
            let mut play = Play::new(Some(name.to_owned()), at_ms);
            play.happened(&events, out, unwatched)?;
            self.guests.insert(name.to_owned(), play);
        }
        let Some(guest) = self.guests.get_mut(name) else { return Ok(()) };
        guest.pass(at_ms, catalogue, out, unwatched)?;
        if let Some(command) = line.command.clone() {
            guest.command(convert::command(command), catalogue, out, unwatched)?;
        }
        Ok(())
    }

    /// A guest becomes part of the hero.
    fn unite(
        &mut self,
        name: &str,
        at_ms: i64,
        catalogue: &Catalogue,
        out: &mut impl Write,
        watch: Watch<'_>,
    ) -> Result<(), LineFailed> {
        let unwatched: Watch<'_> = &mut |_, _, _| {};
        let no_guest = || LineFailed::Problem(format!("expected a guest of an earlier line, found {name:?}"));
        let guest = self.guests.get_mut(name).ok_or_else(no_guest)?;
        guest.pass(at_ms, catalogue, out, unwatched)?;
        let into = HeroKey([0; HeroKey::BYTES]);
        guest.command(Ok(command::Command::HandOver { into }), catalogue, out, unwatched)?;
        let mut key = [0; HeroKey::BYTES];
        key.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
        let estate = Estate::of(HeroKey(key), guest.hero.clone()).ok_or_else(no_guest)?;
        self.hero.command(Ok(command::Command::UniteGuest { estate }), catalogue, out, watch)?;
        Ok(())
    }
}

/// A hero in a scenario.
struct Play {
    /// Nothing for the hero whom the scenario is about.
    guest: Option<String>,
    hero: Hero,
    now_ms: i64,
    seq: u64,
}

impl Play {
    fn new(guest: Option<String>, now_ms: i64) -> Self {
        Self { guest, hero: Hero::default(), now_ms, seq: 0 }
    }

    /// What time alone makes happen until `at_ms`.
    fn pass(
        &mut self,
        at_ms: i64,
        catalogue: &Catalogue,
        out: &mut impl Write,
        watch: Watch<'_>,
    ) -> io::Result<()> {
        self.now_ms = at_ms;
        let events = advance(&self.hero, at_ms, catalogue);
        self.happened(&events, out, watch)
    }

    fn command(
        &mut self,
        command: Result<command::Command, Rejection>,
        catalogue: &Catalogue,
        out: &mut impl Write,
        watch: Watch<'_>,
    ) -> io::Result<()> {
        let decided = command.and_then(|command| decide(&self.hero, &command, self.now_ms, catalogue));
        match decided {
            Ok(events) => self.happened(&events, out, watch),
            Err(rejection) => {
                let rejected = convert::rejected(0, &rejection);
                let at = format_rfc3339(self.now_ms);
                let guest = self.guest.as_deref();
                print(out, &Refused { at, guest, rejected: &rejected.code, hint: &rejected.hint })
            }
        }
    }

    fn happened(&mut self, events: &[TimedEvent], out: &mut impl Write, watch: Watch<'_>) -> io::Result<()> {
        for timed in events {
            apply(&mut self.hero, timed);
            self.seq += 1;
            let line = convert::event(self.seq, timed);
            print(
                out,
                &Printed {
                    at: format_rfc3339(line.at_ms),
                    guest: self.guest.as_deref(),
                    seq: line.seq,
                    kind: line.kind,
                    subject: line.subject,
                    cause: line.cause,
                    energy_me: line.energy_me,
                    dopamine_md: line.dopamine_md,
                },
            )?;
        }
        watch(&self.hero, events, self.now_ms);
        Ok(())
    }
}

fn print(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn moment(text: &str) -> Result<i64, String> {
    parse_rfc3339(text)
        .ok_or_else(|| format!("expected `at` as RFC 3339 such as \"2026-03-01T08:00:00Z\", found {text:?}"))
}

/// serde's words, with the place inside of the line only.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or(&text);
    format!(
        "column {}: {words}; expected {{\"at\": \"<RFC 3339>\", \"command\": <as on the wire, see docs/protocol.md>}}",
        error.column()
    )
}

#[cfg(test)]
pub(crate) mod tests;
