//! The journal of a hero, as `export` shows it, against the ledgers of its devices.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use protocol::types::Hero;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::{Acknowledgement, Ledger};
use crate::mirror::lasting;

/// Findings that an audit keeps in words.
const FINDINGS_MAX: usize = 50;

/// What `export HERO` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Export {
    /// The hero.
    pub hero_id: String,
    /// Its last event.
    pub last_seq: u64,
    /// The hero as clients see it.
    pub hero: Hero,
    /// How far each device's stream was applied.
    pub streams: Vec<ExportedStream>,
    /// The whole journal.
    pub events: Vec<ExportedEvent>,
}

/// One stream of an export.
#[derive(Clone, Debug, Deserialize)]
pub struct ExportedStream {
    /// Its name.
    pub stream_id: u64,
    /// The last applied number.
    pub cmd_seq: u64,
}

/// One event of an export.
#[derive(Clone, Debug, Deserialize)]
pub struct ExportedEvent {
    /// Its place.
    pub seq: u64,
    /// When it happened.
    pub at_ms: i64,
    /// What.
    pub kind: String,
    /// Change of the energy balance.
    pub energy_me: i64,
    /// Change of the dopamine balance.
    pub dopamine_md: i64,
    /// The stream of the command that caused it; only on the first event of a command.
    pub stream_id: Option<u64>,
    /// The number of that command.
    pub cmd_seq: Option<u64>,
    /// The event with everything in it.
    pub body: Value,
}

/// What was found for one hero, or the sum over many.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Heroes examined.
    pub heroes: u64,
    /// Events in their journals.
    pub events: u64,
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged commands that the journal does not have at the acknowledged place.
    pub lost: u64,
    /// Commands that the journal has more than once.
    pub doubled: u64,
    /// Refused commands that the journal has all the same.
    pub refused_but_applied: u64,
    /// Commands without an answer that were applied, which is allowed.
    pub unanswered_applied: u64,
    /// Commands without an answer that were not applied, which is allowed.
    pub unanswered_not_applied: u64,
    /// Facts that a client was shown and the journal does not have.
    pub facts_lost: u64,
    /// Facts that were compared.
    pub facts: u64,
    /// Journals with a gap.
    pub gaps: u64,
    /// Balances that are not the sum of their events.
    pub wallets_wrong: u64,
    /// Heroes as clients saw them that were compared with the fold of their journal.
    pub folds: u64,
    /// Folds that are another hero.
    pub folds_wrong: u64,
    /// Everything that is wrong, in words.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether an acknowledged command or fact is missing.
    #[must_use]
    pub fn something_is_lost(&self) -> bool {
        self.lost + self.facts_lost > 0
    }

    /// Whether nothing at all is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost
            + self.doubled
            + self.refused_but_applied
            + self.facts_lost
            + self.gaps
            + self.wallets_wrong
            + self.folds_wrong
            == 0
    }

    /// Adds another verdict.
    pub fn add(&mut self, other: Self) {
        self.heroes += other.heroes;
        self.events += other.events;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.refused_but_applied += other.refused_but_applied;
        self.unanswered_applied += other.unanswered_applied;
        self.unanswered_not_applied += other.unanswered_not_applied;
        self.facts_lost += other.facts_lost;
        self.facts += other.facts;
        self.gaps += other.gaps;
        self.wallets_wrong += other.wallets_wrong;
        self.folds += other.folds;
        self.folds_wrong += other.folds_wrong;
        for finding in other.findings {
            self.say(finding);
        }
    }

    /// What the journal folds to, against what a client saw of the living hero at the same event.
    pub fn compare_fold(&mut self, lived: Option<&Hero>, folded: &Hero, hero_id: &str) {
        self.folds += 1;
        if lived.map(lasting) != Some(lasting(folded)) {
            self.folds_wrong += 1;
            self.say(format!("{hero_id}: the journal folds to another hero than the one that was played"));
        }
    }

    fn say(&mut self, finding: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Reads an export.
///
/// # Errors
/// When it is not one.
pub fn parse(json: &[u8]) -> Result<Export> {
    serde_json::from_slice(json).context("the export is not what it should be")
}

/// Compares one hero's journal with the ledgers of all its devices.
#[must_use]
pub fn examine(export: &Export, ledgers: &[&Ledger]) -> Verdict {
    let mut verdict = Verdict {
        heroes: 1,
        events: u64::try_from(export.events.len()).unwrap_or(u64::MAX),
        ..Verdict::default()
    };
    check_gaps(export, &mut verdict);
    check_wallet(export, &mut verdict);
    check_streams(export, &mut verdict);
    let journal = Journal::of(export);
    for ledger in ledgers {
        check_commands(ledger, &journal, &mut verdict);
        check_facts(ledger, export, &mut verdict);
    }
    verdict
}

/// The verdict on a hero whose journal cannot be read: all that was acknowledged is lost.
#[must_use]
pub fn unreadable(why: &str, ledgers: &[&Ledger]) -> Verdict {
    let acknowledged: usize = ledgers.iter().map(|ledger| ledger.acknowledged_count()).sum();
    let acknowledged = u64::try_from(acknowledged).unwrap_or(u64::MAX);
    Verdict {
        heroes: 1,
        acknowledged,
        lost: acknowledged,
        findings: vec![format!("{acknowledged} acknowledged commands are gone: {why}")],
        ..Verdict::default()
    }
}

/// The journal by what is looked for in it.
struct Journal {
    /// First events of commands by their place: (stream, number).
    commands: BTreeMap<u64, (u64, u64)>,
    /// How often each marker stands in the first event of a command, and in which.
    texts: BTreeMap<String, Vec<u64>>,
}

impl Journal {
    fn of(export: &Export) -> Self {
        let mut commands = BTreeMap::new();
        let mut texts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for event in &export.events {
            if let (Some(stream_id), Some(cmd_seq)) = (event.stream_id, event.cmd_seq) {
                commands.insert(event.seq, (stream_id, cmd_seq));
                let mut found = BTreeSet::new();
                collect_texts(&event.body, &mut found);
                for text in found {
                    texts.entry(text).or_default().push(event.seq);
                }
            }
        }
        Self { commands, texts }
    }
}

fn collect_texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect_texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_gaps(export: &Export, verdict: &mut Verdict) {
    let mut expected = 1;
    for event in &export.events {
        if event.seq != expected {
            verdict.gaps += 1;
            verdict.say(format!("{}: event {} where {expected} should be", export.hero_id, event.seq));
        }
        expected = event.seq + 1;
    }
    if expected != export.last_seq + 1 {
        verdict.gaps += 1;
        verdict.say(format!(
            "{}: {} events, but the last is {}",
            export.hero_id,
            expected - 1,
            export.last_seq
        ));
    }
}

fn check_wallet(export: &Export, verdict: &mut Verdict) {
    let energy_me: i64 = export.events.iter().map(|event| event.energy_me).sum();
    let dopamine_md: i64 = export.events.iter().map(|event| event.dopamine_md).sum();
    let wallet = &export.hero.wallet;
    if (wallet.energy_me, wallet.dopamine_md) != (energy_me, dopamine_md) {
        verdict.wallets_wrong += 1;
        verdict.say(format!(
            "{}: the wallet holds {} mE and {} mD, its events add up to {energy_me} and {dopamine_md}",
            export.hero_id, wallet.energy_me, wallet.dopamine_md
        ));
    }
}

/// Each (stream, number) stands in the journal once, and the marks agree with it.
fn check_streams(export: &Export, verdict: &mut Verdict) {
    let mut seen = BTreeSet::new();
    let mut highest: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &export.events {
        if let (Some(stream_id), Some(cmd_seq)) = (event.stream_id, event.cmd_seq) {
            if !seen.insert((stream_id, cmd_seq)) {
                verdict.doubled += 1;
                verdict.say(format!("{}: command {cmd_seq} of stream {stream_id} twice", export.hero_id));
            }
            let mark = highest.entry(stream_id).or_default();
            *mark = (*mark).max(cmd_seq);
        }
    }
    for stream in &export.streams {
        let mark = highest.get(&stream.stream_id).copied().unwrap_or(0);
        if mark != stream.cmd_seq {
            verdict.gaps += 1;
            verdict.say(format!(
                "{}: stream {} stands at {}, its events at {mark}",
                export.hero_id, stream.stream_id, stream.cmd_seq
            ));
        }
    }
}

fn check_commands(ledger: &Ledger, journal: &Journal, verdict: &mut Verdict) {
    for entry in &ledger.entries {
        let places = entry.marker.as_ref().and_then(|marker| journal.texts.get(marker));
        let times = places.map_or(0, Vec::len);
        let name = || {
            format!("{}: {} {}", ledger.hero_id, entry.kind, entry.marker.as_deref().unwrap_or("(no marker)"))
        };
        if times > 1 {
            verdict.doubled += 1;
            verdict.say(format!("{} stands in the journal {times} times", name()));
        }
        match (&entry.acknowledged, &entry.refused) {
            (Some(acknowledged), _) => {
                verdict.acknowledged += 1;
                let marked_place = entry.marker.as_ref().map(|_| places.and_then(|places| places.first()));
                if let Some(problem) = missing(ledger, acknowledged, journal, marked_place) {
                    verdict.lost += 1;
                    verdict.say(format!("{}: {problem}", name()));
                }
            }
            (None, Some(code)) if times > 0 => {
                verdict.refused_but_applied += 1;
                verdict.say(format!("{} was refused as {code} and applied", name()));
            }
            (None, Some(_)) => {}
            (None, None) if times > 0 => verdict.unanswered_applied += 1,
            (None, None) => verdict.unanswered_not_applied += 1,
        }
    }
}

/// Why an acknowledged command is not where it was said to be. `marked_place` is where the marker of the command was
/// found, for a command that has one.
fn missing(
    ledger: &Ledger,
    acknowledged: &Acknowledgement,
    journal: &Journal,
    marked_place: Option<Option<&u64>>,
) -> Option<String> {
    let Acknowledgement { cmd_seq, seq, .. } = *acknowledged;
    match journal.commands.get(&seq) {
        None => return Some(format!("acknowledged at event {seq}, which is no command's")),
        Some(found) if *found != (ledger.stream_id, cmd_seq) => {
            return Some(format!(
                "acknowledged as command {cmd_seq} at event {seq}, which belongs to command {} of stream {}",
                found.1, found.0
            ));
        }
        Some(_) => {}
    }
    match marked_place {
        Some(None) => Some(format!("acknowledged at event {seq}, but its words are nowhere")),
        Some(Some(place)) if *place != seq => {
            Some(format!("acknowledged at event {seq}, but its words stand at {place}"))
        }
        _ => None,
    }
}

/// What a client was shown as durable is in the journal, word for word.
fn check_facts(ledger: &Ledger, export: &Export, verdict: &mut Verdict) {
    for fact in &ledger.facts {
        verdict.facts += 1;
        let index = usize::try_from(fact.seq.saturating_sub(1)).unwrap_or(usize::MAX);
        let same = export.events.get(index).is_some_and(|event| {
            (event.seq, event.at_ms, event.energy_me, event.dopamine_md)
                == (fact.seq, fact.at_ms, fact.energy_me, fact.dopamine_md)
                && event.kind == fact.kind
        });
        if !same {
            verdict.facts_lost += 1;
            verdict.say(format!(
                "{}: event {} ({}) was shown and is not in the journal",
                ledger.hero_id, fact.seq, fact.kind
            ));
        }
    }
}

#[cfg(test)]
mod tests;
