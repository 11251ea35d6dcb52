//! `dopamine-hero seed`: a few demo players with a month to four months of history, played by the real rules; or many typical ones.
//!
//! Nothing is invented: every event comes from a command at a time of day at which such a player would act, so that the
//! demo heroes pass `verify` like anybody else's.

use std::{borrow::Cow, io::Write, sync::Arc};

use anyhow::Context;
use persistence::{EventRecord, HeroAppend, JournalStore, NodeId, Seq, SnapshotRecord};
use serde_json::json;
use simulation::{
    catalogue::Catalogue,
    command::{Category, Command, FocusMode, Priority},
    event::TimedEvent,
    hero::Hero,
    rules::create::create,
    world::{HeroEntity, Simulation},
};
use uuid::Uuid;

use crate::{
    accounts::{Accounts, Guest},
    journal,
    streams::Streams,
    texts::{TextKey, TextKeys},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Events in one append.
const APPEND_EVENTS: usize = 64;

/// How a demo player lives.
struct Habit {
    name: &'static str,
    time_zone: &'static str,
    /// Days of history before now.
    days: i64,
    /// Minutes after midnight (UTC) and length of each session of a usual day.
    sessions: &'static [(i64, u16, Category)],
    /// Every so many days nothing happens.
    misses_every: i64,
    /// Titles, one task a day.
    tasks: &'static [&'static str],
    /// As many tasks are in the list when the history ends, at least.
    tasks_left: usize,
    /// Builds no more than that.
    modules_max: usize,
}

/// One of many: what figures for "a player" are measured with. Ten tasks, six modules on a patched rack, a month of days.
const TYPICAL: Habit = Habit {
    name: "Robin",
    time_zone: "Europe/Berlin",
    days: 35,
    sessions: &[(8 * 60, 25, Category::Analytical), (16 * 60, 15, Category::Learning)],
    misses_every: 8,
    tasks: &["Write the report", "Answer two letters", "Read ten pages", "Tidy the desk"],
    tasks_left: 10,
    modules_max: 6,
};

const HABITS: [Habit; 3] = [
    Habit {
        name: "Ada",
        time_zone: "Europe/Berlin",
        days: 35,
        sessions: &[
            (8 * 60, 50, Category::Analytical),
            (10 * 60, 50, Category::Creative),
            (15 * 60, 25, Category::Learning),
        ],
        misses_every: 9,
        tasks: &[
            "Outline chapter two",
            "Answer the grant letter",
            "Sort the reading list",
            "Draw the new map",
        ],
        tasks_left: 0,
        modules_max: usize::MAX,
    },
    Habit {
        name: "Bo",
        time_zone: "America/New_York",
        days: 120,
        sessions: &[(14 * 60, 25, Category::Physical), (23 * 60, 20, Category::Learning)],
        misses_every: 5,
        tasks: &["Stretch for ten minutes", "Call the bicycle shop", "Learn twenty words"],
        tasks_left: 0,
        modules_max: usize::MAX,
    },
    Habit {
        name: "Chi",
        time_zone: "Asia/Tokyo",
        days: 95,
        sessions: &[(60, 15, Category::None)],
        misses_every: 3,
        tasks: &["Open the mail", "Water the plants"],
        tasks_left: 0,
        modules_max: usize::MAX,
    },
];

/// The tables that players are put into, and the moment at which their history ends.
pub struct Place<'a> {
    /// Takes the heroes.
    pub store: &'a Arc<dyn JournalStore>,
    /// Takes the devices.
    pub accounts: &'a Accounts,
    /// Encrypts what they typed.
    pub texts: &'a TextKeys,
    /// The numbers of the game.
    pub catalogue: &'a Arc<Catalogue>,
    /// Server UTC.
    pub now_ms: i64,
}

/// Makes the demo players and prints how to play as them.
///
/// # Errors
/// Those of the store and of `out`.
pub async fn run(place: &Place<'_>, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    for habit in &HABITS {
        let player = Player::of(habit, place);
        let guest = player.settle(place).await?;
        let hero = player.hero();
        let (count, energy) = (player.events.len(), hero.wallet.energy_me / 1000);
        writeln!(
            out,
            "{:4} {} {count} events, {energy} E, {} modules",
            habit.name,
            guest.hero,
            hero.modules.len()
        )?;
        writeln!(out, "     device token: {}", guest.device_token.expose())?;
    }
    writeln!(out, "Play as one of them: put its token where docs/protocol.md says `device_token`.")?;
    Ok(())
}

/// Makes so many typical players, all with the same history, and prints a line of JSON for each.
///
/// # Errors
/// Those of the store and of `out`.
pub async fn crowd(place: &Place<'_>, players: u32, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let player = Player::of(&TYPICAL, place);
    let hero = player.hero();
    for _ in 0..players {
        let guest = player.settle(place).await?;
        let line = json!({
            "hero_id": guest.hero.to_string(),
            "device_token": guest.device_token.expose(),
            "seq": player.events.len(),
            "tasks": hero.tasks.len(),
            "modules": hero.modules.len(),
            "days": hero.days.len(),
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

struct Player {
    simulation: Simulation,
    entity: HeroEntity,
    events: Vec<TimedEvent>,
}

impl Player {
    /// Somebody who has lived like that until now.
    fn of(habit: &Habit, place: &Place<'_>) -> Self {
        let mut player = Self::new(Arc::clone(place.catalogue));
        player.play(habit, place.now_ms);
        player
    }

    fn hero(&self) -> Cow<'_, Hero> {
        self.simulation.hero(self.entity)
    }

    /// Puts this history into the store as that of a new guest.
    async fn settle(&self, place: &Place<'_>) -> anyhow::Result<Guest> {
        let store = place.store;
        let guest = place.accounts.create_guest("demo").await.context("could not make a demo guest")?;
        let claim = store.claim(guest.hero, NodeId(Uuid::now_v7())).await?;
        let texts = place.texts.get(guest.hero).await?;
        let records = self.records(&claim, &texts);
        let mut previous = claim.chain;
        for chunk in records.chunks(APPEND_EVENTS) {
            let append =
                HeroAppend { hero: guest.hero, epoch: claim.epoch, previous, events: chunk.to_vec() };
            previous = chunk.last().map_or(previous, |record| record.chain);
            store.append(std::slice::from_ref(&append)).await?;
        }
        let state = journal::encode_state(&self.hero(), &Streams::default(), &texts);
        let snapshot = SnapshotRecord::seal(
            guest.hero,
            Seq(records.len() as u64),
            claim.epoch,
            journal::SCHEMA_VERSION,
            previous,
            state,
            place.now_ms,
        );
        store.snapshot(&[snapshot]).await?;
        store.release(guest.hero, claim.epoch).await?;
        Ok(guest)
    }

    fn new(catalogue: Arc<Catalogue>) -> Self {
        let mut simulation = Simulation::new(catalogue);
        let entity = simulation.insert(Hero::default(), 0);
        Self { simulation, entity, events: Vec::new() }
    }

    fn play(&mut self, habit: &Habit, now_ms: i64) {
        let first_ms = now_ms - now_ms.rem_euclid(DAY_MS) - habit.days * DAY_MS;
        let (_, born) = create(habit.name, habit.time_zone, first_ms, self.simulation.catalogue())
            .expect("the demo's names and zones are valid");
        self.note(born, first_ms);
        for day in 0..habit.days {
            let midnight_ms = first_ms + day * DAY_MS;
            if day % habit.misses_every != habit.misses_every - 1 {
                self.day(habit, day, midnight_ms, now_ms);
            }
        }
        let overdue = self.simulation.overdue(self.entity, now_ms);
        self.note(overdue, now_ms);
        for title in habit.tasks.iter().cycle().take(habit.tasks_left) {
            if self.hero().tasks.len() < habit.tasks_left {
                self.command(&create_task(title), now_ms);
            }
        }
    }

    fn day(&mut self, habit: &Habit, day: i64, midnight_ms: i64, now_ms: i64) {
        let titles = habit.tasks.len();
        let title =
            habit.tasks.get(usize::try_from(day).unwrap_or(0) % titles).copied().unwrap_or("Something small");
        let create = create_task(title);
        let mut task_id = None;
        for (index, (start, minutes, category)) in habit.sessions.iter().enumerate() {
            let start_ms = midnight_ms + start * MINUTE_MS;
            let end_ms = start_ms + (i64::from(*minutes) + 1) * MINUTE_MS;
            if end_ms > now_ms {
                return;
            }
            if index == 0 {
                self.command(&create, start_ms - MINUTE_MS);
                task_id = self.hero().tasks.last().map(|task| task.task_id);
            }
            let mode = FocusMode::Countdown { planned_minutes: *minutes };
            self.command(&Command::StartFocus { mode, category: *category, task_id }, start_ms);
            self.command(&Command::EndFocus, end_ms);
            if let Some(task_id) = task_id.filter(|_| index == 0) {
                self.command(&Command::CompleteTask { task_id, occurrence_on: None }, end_ms + MINUTE_MS);
            }
        }
        self.shop(habit.modules_max, midnight_ms + 23 * 60 * MINUTE_MS + 55 * MINUTE_MS);
    }

    /// Builds the cheapest module that can be had while there is room, and patches everything that is there.
    fn shop(&mut self, modules_max: usize, at_ms: i64) {
        if self.hero().modules.len() + self.hero().assembly.jobs.len() < modules_max {
            self.assemble(at_ms);
        }
        self.command(&Command::AutoPatch, at_ms);
    }

    fn assemble(&mut self, at_ms: i64) {
        let catalogue = Arc::clone(self.simulation.catalogue());
        let mut modules: Vec<_> = catalogue.modules.iter().collect();
        modules.sort_by_key(|module| module.cost_me);
        for module in modules {
            if self.command(&Command::AssembleModule { module_id: module.id }, at_ms) {
                break;
            }
        }
    }

    /// Whether the rules took it.
    fn command(&mut self, command: &Command, at_ms: i64) -> bool {
        let plan = self.simulation.plan(self.entity, command, at_ms);
        self.note(plan.advanced, at_ms);
        match plan.decided {
            Ok(events) => {
                self.note(events, at_ms);
                true
            }
            Err(_rejection) => false,
        }
    }

    fn note(&mut self, events: Vec<TimedEvent>, at_ms: i64) {
        self.simulation.commit(self.entity, &events, at_ms);
        self.events.extend(events);
    }

    fn records(&self, claim: &persistence::Claim, texts: &TextKey) -> Vec<EventRecord> {
        let version = self.simulation.catalogue().version;
        let mut chain = claim.chain;
        let sealed = (claim.last_seq.0 + 1..).zip(&self.events).map(|(seq, timed)| {
            let body = journal::body(timed, None, version, texts);
            let record = EventRecord::seal(claim.hero, claim.epoch, Seq(seq), chain, body);
            chain = record.chain;
            record
        });
        sealed.collect()
    }
}

fn create_task(title: &str) -> Command {
    Command::CreateTask {
        title: title.to_owned(),
        category: Category::None,
        priority: Priority::Medium,
        estimate_minutes: 30,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}
