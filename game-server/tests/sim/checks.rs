//! What clients were told, kept outside of the servers, and what must be true of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use game_server::texts::TextKeys;
use game_server::verify;
use persistence::{EventRecord, HeroId, JournalStore, MemoryStore, Seq};
use protocol::client::Command;
use protocol::server::{CommandResult, Event};
use tokio::sync::Notify;

use crate::trace::Trace;

/// A command in a device's stream.
pub(crate) type Reference = (HeroId, u64, u64);

/// Everything that was promised.
#[derive(Debug)]
pub(crate) struct Ledger {
    trace: Arc<Trace>,
    inner: Mutex<Inner>,
    is_wrong: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    acknowledged: BTreeMap<Reference, (CommandResult, Command)>,
    shown: BTreeMap<(HeroId, u64), Event>,
    wrong: Option<String>,
}

impl Ledger {
    pub(crate) fn new(trace: Arc<Trace>) -> Self {
        Self { trace, inner: Mutex::default(), is_wrong: Notify::new() }
    }

    /// Something must not be. The first one is what counts.
    pub(crate) fn wrong(&self, what: String) {
        self.trace.end(&what);
        self.inner.lock().expect("nobody panics while it is held").wrong.get_or_insert(what);
        self.is_wrong.notify_one();
    }

    /// Waits until something is wrong.
    pub(crate) async fn is_wrong(&self) {
        self.is_wrong.notified().await;
    }

    pub(crate) fn first_wrong(&self) -> Option<String> {
        self.inner.lock().expect("nobody panics while it is held").wrong.clone()
    }

    /// A command was answered; every further answer must be the same.
    pub(crate) fn acknowledged(&self, reference: Reference, result: CommandResult, command: &Command) {
        let mut inner = self.inner.lock().expect("nobody panics while it is held");
        let (first, _) = inner.acknowledged.entry(reference).or_insert_with(|| (result, command.clone()));
        // 0 says that the answer's place is no longer kept.
        if first.seq == 0 {
            *first = result;
        }
        let first = *first;
        if result.seq != 0 && first != result {
            drop(inner);
            self.wrong(format!("{reference:?} was answered {first:?}, and then {result:?}"));
        }
    }

    /// An event was shown to a device; every other device must see the same.
    pub(crate) fn shown(&self, hero: HeroId, event: &Event) {
        let mut inner = self.inner.lock().expect("nobody panics while it is held");
        let first = inner.shown.entry((hero, event.seq)).or_insert_with(|| event.clone()).clone();
        if first != *event {
            drop(inner);
            self.wrong(format!("{hero} was shown {first:?}, and then {event:?}"));
        }
    }

    /// Compares every promise with what is stored.
    pub(crate) async fn compare(&self, memory: &MemoryStore, texts: &TextKeys) -> Result<(), String> {
        let mut out = Vec::new();
        let summary =
            verify::run(memory, memory, texts, &mut out).await.map_err(|error| error.to_string())?;
        if summary.damaged > 0 {
            return Err(String::from_utf8_lossy(&out).into_owned());
        }
        let mut stored: BTreeMap<Reference, EventRecord> = BTreeMap::new();
        let mut events: BTreeMap<(HeroId, u64), EventRecord> = BTreeMap::new();
        for head in memory.heroes(None, 100).await.map_err(|error| error.to_string())? {
            let key = texts.find(head.hero).await.map_err(|error| error.to_string())?;
            for mut event in all(memory, head.hero).await? {
                let key = key.ok_or_else(|| format!("{} has events and no key", head.hero))?;
                let opened = key.open(&event.payload).map_err(|error| error.to_string())?.into_owned();
                event.payload = opened.into();
                if let Some(command) = event.command {
                    let reference = (head.hero, command.stream_id.0, command.cmd_seq.0);
                    if stored.insert(reference, event.clone()).is_some() {
                        return Err(format!("{reference:?} is in the journal twice"));
                    }
                }
                events.insert((head.hero, event.seq.0), event);
            }
        }
        let inner = self.inner.lock().expect("nobody panics while it is held");
        for (reference, (result, command)) in &inner.acknowledged {
            let Some(event) = stored.remove(reference) else {
                return Err(format!(
                    "{reference:?} was acknowledged with {result:?} and is not in the journal"
                ));
            };
            if result.seq != 0 && event.seq.0 != result.seq {
                return Err(format!(
                    "{reference:?} was acknowledged with {result:?} and is at {}",
                    event.seq.0
                ));
            }
            if !is_outcome(command, &event) {
                let kind = event.kind.as_str();
                return Err(format!(
                    "{reference:?} was {command:?}, acknowledged, and the journal has {kind}"
                ));
            }
        }
        if let Some((reference, _)) = stored.first_key_value() {
            return Err(format!("{reference:?} is in the journal, and its device never heard of it"));
        }
        for (place, shown) in &inner.shown {
            let is_there =
                |event: &EventRecord| event.kind.as_str() == shown.kind && event.at_ms == shown.at_ms;
            if !events.get(place).is_some_and(is_there) {
                let found = events.get(place).map(|event| event.kind.as_str());
                return Err(format!("{place:?} was shown as {shown:?}, the journal has {found:?}"));
            }
        }
        Ok(())
    }
}

/// Every event of a hero.
async fn all(memory: &MemoryStore, hero: HeroId) -> Result<Vec<EventRecord>, String> {
    let mut all: Vec<EventRecord> = Vec::new();
    loop {
        let next = Seq(all.len() as u64 + 1);
        let page = memory.events(hero, next, 1_000).await.map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Whether an event can be what a command did first.
fn is_outcome(command: &Command, event: &EventRecord) -> bool {
    let holds = |text: &str| event.payload.windows(text.len()).any(|window| window == text.as_bytes());
    match (command, event.kind.as_str()) {
        (Command::RenameHero { name }, "hero_renamed") => holds(name),
        (Command::CreateTask { title, .. }, "task_created") => holds(title),
        (Command::CompleteTask { .. }, "task_completed" | "nothing_changed")
        | (Command::ReopenTask { .. }, "task_reopened" | "nothing_changed")
        | (Command::StartFocus { .. }, "session_started")
        | (Command::PauseFocus, "session_paused" | "nothing_changed")
        | (Command::ResumeFocus, "session_resumed" | "nothing_changed")
        | (Command::EndFocus, "session_ended" | "session_discarded" | "session_confirmed")
        | (Command::SetDailyGoal { .. }, "daily_goal_set" | "nothing_changed") => true,
        _ => false,
    }
}
