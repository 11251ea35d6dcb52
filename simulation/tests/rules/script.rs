//! A small language for tests: commands separated by `;`, and `wait`. A line that begins with `{` is a command as it
//! is on the wire.

use std::fmt::Write as _;
use std::sync::LazyLock;

use simulation::advance::{EVENTS_PER_ADVANCE_MAX, advance};
use simulation::apply::apply;
use simulation::calendar;
use simulation::catalogue::{Catalogue, Category};
use simulation::command::{Command, Confirmation, FocusMode, Priority};
use simulation::decide::decide;
use simulation::event::{Bonus, Event, TimedEvent};
use simulation::hero::{Hero, SessionState};
use simulation::id::ModuleId;
use simulation::rejection::Rejection;
use simulation::rules::create::create;

/// The catalogue of all tests.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

/// A Monday, nine in the morning in UTC.
pub(crate) const MONDAY: &str = "2026-03-02T09:00:00Z";

/// A player and a journal.
pub(crate) struct Play {
    pub(crate) hero: Hero,
    pub(crate) now_ms: i64,
    pub(crate) start_ms: i64,
    pub(crate) journal: Vec<TimedEvent>,
    lines: Vec<String>,
}

impl Play {
    pub(crate) fn new() -> Self {
        Self::at(MONDAY, "UTC")
    }

    pub(crate) fn at(moment: &str, zone: &str) -> Self {
        let now_ms = calendar::parse_rfc3339(moment).expect("a test names a real moment");
        let (hero, journal) = create("Test", zone, now_ms, &CATALOGUE).expect("a test names a real zone");
        Self { hero, now_ms, start_ms: now_ms, journal, lines: Vec::new() }
    }

    fn take(&mut self, events: Vec<TimedEvent>) {
        for timed in events {
            apply(&mut self.hero, &timed);
            self.lines.push(line(&timed, self.start_ms));
            self.journal.push(timed);
        }
    }

    /// Lets time do what it does until now.
    pub(crate) fn catch_up(&mut self) {
        let events = advance(&self.hero, self.now_ms, &CATALOGUE);
        assert!(events.len() <= EVENTS_PER_ADVANCE_MAX);
        self.take(events);
        let more = advance(&self.hero, self.now_ms, &CATALOGUE);
        assert_eq!(more, [], "a call leaves nothing over");
    }

    pub(crate) fn wait(&mut self, ms: i64) {
        self.now_ms += ms;
        self.catch_up();
    }

    pub(crate) fn command(&mut self, command: &Command) -> Result<(), Rejection> {
        self.catch_up();
        match decide(&self.hero, command, self.now_ms, &CATALOGUE) {
            Ok(events) => {
                assert!(!events.is_empty(), "a decision is never empty");
                self.take(events);
                Ok(())
            }
            Err(rejection) => {
                assert!(!rejection.hint().is_empty(), "{} has no hint", rejection.code());
                self.lines.push(format!("! {}", rejection.code()));
                Err(rejection)
            }
        }
    }

    /// Puts energy into the wallet as a bonus, which raises the level too.
    pub(crate) fn earn(&mut self, energy_me: i64) {
        let event = Event::BonusPaid { bonus: Bonus::Comeback, energy_me };
        self.take(vec![TimedEvent { at_ms: self.now_ms, event }]);
        self.hero.today.comebacks = 0;
    }

    /// Puts dopamine into the wallet.
    pub(crate) fn charge(&mut self, refund_md: i64) {
        let module_id = ModuleId::literal("gen_none");
        let event = Event::ModuleSold { module_id, refund_me: 0, refund_md };
        self.take(vec![TimedEvent { at_ms: self.now_ms, event }]);
    }

    /// Runs a script.
    pub(crate) fn run(&mut self, script: &str) {
        for step in script.split(';').map(str::trim).filter(|step| !step.is_empty()) {
            if let Some(time) = step.strip_prefix("wait ") {
                self.wait(duration_ms(time));
            } else if let Some(amount) = step.strip_prefix("earn ") {
                self.earn(amount.parse::<i64>().expect("whole E") * 1000);
            } else if let Some(amount) = step.strip_prefix("charge ") {
                self.charge(amount.parse::<i64>().expect("whole D") * 1000);
            } else {
                let command = command_of(step);
                let before = self.hero.clone();
                if self.command(&command).is_err() {
                    let mut caught_up = before;
                    for timed in advance(&caught_up.clone(), self.now_ms, &CATALOGUE) {
                        apply(&mut caught_up, &timed);
                    }
                    assert_eq!(self.hero, caught_up, "a refused command changes nothing");
                }
            }
        }
    }

    /// What the journal says since the last call, without the noise of NothingChanged.
    pub(crate) fn told(&mut self) -> String {
        let mut told = std::mem::take(&mut self.lines).join("\n");
        let state = match self.hero.session.as_deref().map(|session| session.state) {
            None => "none",
            Some(SessionState::Running) => "running",
            Some(SessionState::Paused { .. }) => "paused",
            Some(SessionState::Interrupted { .. }) => "interrupted",
            Some(SessionState::Overtime { .. }) => "overtime",
            Some(SessionState::Resting) => "resting",
            Some(SessionState::Waiting { .. }) => "waiting",
        };
        let wallet = self.hero.wallet;
        let _ = write!(told, "\n= {state} {} mE {} mD", wallet.energy_me, wallet.dopamine_md);
        told
    }

    /// What must be true of every journal.
    pub(crate) fn check_invariants(&self) {
        let energy_me: i64 = self.journal.iter().map(|timed| timed.event.energy_me()).sum();
        let dopamine_md: i64 = self.journal.iter().map(|timed| timed.event.dopamine_md()).sum();
        assert_eq!(energy_me, self.hero.wallet.energy_me, "ledger and balance of energy");
        assert_eq!(dopamine_md, self.hero.wallet.dopamine_md, "ledger and balance of dopamine");
        assert!(energy_me >= 0 && dopamine_md >= 0, "a balance is never negative");
        assert!(self.journal.is_sorted_by_key(|timed| timed.at_ms), "events are in the order of time");
        let mut replayed = Hero::default();
        for timed in &self.journal {
            let bytes = rmp_serde::to_vec_named(timed).expect("every event can be written");
            apply(&mut replayed, &rmp_serde::from_slice(&bytes).expect("and read back"));
        }
        let bytes = rmp_serde::to_vec_named(&self.hero).expect("every hero can be written");
        let read: Hero = rmp_serde::from_slice(&bytes).expect("and read back");
        assert_eq!(read, self.hero);
        // The test's own payments do not count as comebacks.
        replayed.today.comebacks = self.hero.today.comebacks;
        assert_eq!(replayed, self.hero, "a replay gives the same hero");
    }
}

/// Runs a script on a new hero and compares its journal.
#[track_caller]
pub(crate) fn check(script: &str, expected: &str) {
    check_play(&mut Play::new(), script, expected);
}

#[track_caller]
pub(crate) fn check_play(play: &mut Play, script: &str, expected: &str) {
    play.run(script);
    play.check_invariants();
    let told = play.told();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let told: Vec<&str> = told.lines().filter(|line| !line.contains("nothing_changed")).collect();
    assert_eq!(told, expected, "\n{}\n", told.join("\n"));
}

fn line(timed: &TimedEvent, start_ms: i64) -> String {
    let mut line = format!("{} {}", elapsed(timed.at_ms - start_ms), timed.event.kind());
    if let Some(subject) = timed.event.subject() {
        let _ = write!(line, " {subject}");
    }
    if let Some(cause) = timed.event.cause() {
        let _ = write!(line, " {cause}");
    }
    if timed.event.energy_me() != 0 {
        let _ = write!(line, " {:+}", timed.event.energy_me());
    }
    if timed.event.dopamine_md() != 0 {
        let _ = write!(line, " {:+}mD", timed.event.dopamine_md());
    }
    line
}

/// `1d2h3m4s`, without what is zero; milliseconds as `.5`.
fn elapsed(ms: i64) -> String {
    let mut text = String::new();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")] {
        let count = if unit == "d" { ms / unit_ms } else { ms / unit_ms % if unit == "h" { 24 } else { 60 } };
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    let (seconds, rest_ms) = (ms / 1000 % 60, ms % 1000);
    if rest_ms > 0 {
        let _ = write!(text, "{seconds}.{rest_ms:03}s");
    } else if seconds > 0 || text.is_empty() {
        let _ = write!(text, "{seconds}s");
    }
    text
}

/// `90m`, `1h30m`, `10s`, `2d`, `5ms`.
pub(crate) fn duration_ms(text: &str) -> i64 {
    let (mut total, mut number) = (0, 0);
    let mut rest = text.trim();
    while let Some(next) = rest.chars().next() {
        if let Some(digit) = next.to_digit(10) {
            number = number * 10 + i64::from(digit);
            rest = &rest[1..];
            continue;
        }
        let (unit_ms, used) = match next {
            'm' if rest.starts_with("ms") => (1, 2),
            'd' => (86_400_000, 1),
            'h' => (3_600_000, 1),
            'm' => (60_000, 1),
            's' => (1000, 1),
            other => panic!("no unit: {other}"),
        };
        total += number * unit_ms;
        number = 0;
        rest = &rest[used..];
    }
    total
}

fn minutes(text: &str) -> u16 {
    u16::try_from(duration_ms(text) / 60_000).expect("few minutes")
}

fn category(word: Option<&str>) -> Category {
    match word {
        Some("creative") => Category::Creative,
        Some("analytical") => Category::Analytical,
        Some("physical") => Category::Physical,
        Some("learning") => Category::Learning,
        _ => Category::None,
    }
}

fn number<T: std::str::FromStr>(word: Option<&str>) -> Option<T> {
    word.and_then(|word| word.parse().ok())
}

fn command_of(step: &str) -> Command {
    if step.starts_with('{') || step.starts_with('"') {
        return serde_json::from_str(step).unwrap_or_else(|error| panic!("{step}: {error}"));
    }
    let words: Vec<&str> = step.split_whitespace().collect();
    let word = |index: usize| words.get(index).copied();
    let module = |index: usize| word(index).and_then(|word| ModuleId::new(word).ok()).expect("a module");
    let after =
        |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1).copied());
    match words[0] {
        "start" => {
            let mode = match word(1) {
                Some("flow") => FocusMode::Flowtime,
                Some("pomodoro") => FocusMode::Pomodoro {
                    planned_minutes: minutes(words[2]),
                    rounds: number(after("x")).expect("rounds"),
                },
                _ => FocusMode::Countdown { planned_minutes: minutes(words[1]) },
            };
            Command::StartFocus { mode, category: category(after("as")), task_id: number(after("for")) }
        }
        "describe" => Command::DescribeFocus { task_id: number(word(1)), intention: None },
        "pause" => Command::PauseFocus,
        "resume" => Command::ResumeFocus,
        "interrupt" => Command::InterruptFocus,
        "go" => Command::KeepGoing,
        "end" => Command::EndFocus,
        "cancel" => Command::CancelFocus,
        "break" => Command::StartBreak,
        "unbreak" => Command::EndBreak,
        "yes" => Command::ConfirmFocus(Confirmation::Yes),
        "discard" => Command::ConfirmFocus(Confirmation::Discard),
        "task" => Command::CreateTask {
            title: "Task".into(),
            category: Category::None,
            priority: match after("priority") {
                Some("low") => Priority::Low,
                Some("high") => Priority::High,
                _ => Priority::Medium,
            },
            estimate_minutes: word(1).map_or(0, minutes),
            due_on: None,
            recurrence: None,
            parent_id: number(after("under")),
        },
        "done" => Command::CompleteTask {
            task_id: number(word(1)).expect("a task"),
            occurrence_on: after("on").map(Into::into),
        },
        "undo" => Command::ReopenTask {
            task_id: number(word(1)).expect("a task"),
            occurrence_on: after("on").map(Into::into),
        },
        "delete" => Command::DeleteTask { task_id: number(word(1)).expect("a task") },
        "assemble" => Command::AssembleModule { module_id: module(1) },
        "pin" => Command::PinBlueprint { module_id: module(1) },
        "pay" => Command::PayBlueprint { amount_me: number::<i64>(word(1)).expect("whole E") * 1000 },
        "unpin" => Command::UnpinBlueprint,
        "finish" => Command::FinishAssembly { job_id: number(word(1)).expect("a job") },
        "drop" => Command::CancelAssembly { job_id: number(word(1)).expect("a job") },
        "upgrade" => Command::UpgradeModule { module_id: module(1) },
        "sell" => Command::SellModule { module_id: module(1) },
        "place" => Command::PlaceModule { module_id: module(1), cell: number(word(2)).expect("a cell") },
        "remove" => Command::RemoveModule { module_id: module(1) },
        "plug" => Command::ConnectCable { from: module(1), to: module(2) },
        "unplug" => Command::DisconnectCable { from: module(1) },
        "patch" => Command::AutoPatch,
        "save" => Command::SavePreset {
            slot: number(word(1)).expect("a slot"),
            name: "Kept".into(),
            category: Category::None,
        },
        "load" => Command::LoadPreset { slot: number(word(1)).expect("a slot") },
        other => panic!("no such step: {other}"),
    }
}
