//! `dopamine-hero seed`: a few demo players with some weeks of history, played by the real rules.
//!
//! Nothing is invented: every event comes from a command at a time of day at which such a player would act, so that the
//! demo heroes pass `verify` like anybody else's.

use std::{io::Write, sync::Arc};

use anyhow::Context;
use persistence::{EventRecord, HeroAppend, JournalStore, NodeId, Seq, SnapshotRecord};
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
    accounts::Accounts,
    journal,
    streams::Streams,
    texts::{TextKey, TextKeys},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Days of history before now.
const DAYS: i64 = 35;
/// Events in one append.
const APPEND_EVENTS: usize = 64;

/// How a demo player lives.
struct Habit {
    name: &'static str,
    time_zone: &'static str,
    /// Minutes after midnight (UTC) and length of each session of a usual day.
    sessions: &'static [(i64, u16, Category)],
    /// Every so many days nothing happens.
    misses_every: i64,
    tasks: &'static [&'static str],
}

const HABITS: [Habit; 3] = [
    Habit {
        name: "Ada",
        time_zone: "Europe/Berlin",
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
    },
    Habit {
        name: "Bo",
        time_zone: "America/New_York",
        sessions: &[(14 * 60, 25, Category::Physical), (23 * 60, 20, Category::Learning)],
        misses_every: 5,
        tasks: &["Stretch for ten minutes", "Call the bicycle shop", "Learn twenty words"],
    },
    Habit {
        name: "Chi",
        time_zone: "Asia/Tokyo",
        sessions: &[(60, 15, Category::None)],
        misses_every: 3,
        tasks: &["Open the mail", "Water the plants"],
    },
];

/// Makes the demo players and prints how to play as them.
///
/// # Errors
/// Those of the store and of `out`.
pub async fn run(
    store: &Arc<dyn JournalStore>,
    accounts: &Accounts,
    texts: &TextKeys,
    catalogue: &Arc<Catalogue>,
    now_ms: i64,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    for habit in &HABITS {
        let guest = accounts.create_guest("demo").await.context("could not make a demo guest")?;
        let claim = store.claim(guest.hero, NodeId(Uuid::now_v7())).await?;
        let texts = texts.get(guest.hero).await?;
        let mut player = Player::new(Arc::clone(catalogue));
        player.play(habit, now_ms);
        let records = player.records(&claim, &texts);
        let count = records.len();
        let mut previous = claim.chain;
        for chunk in records.chunks(APPEND_EVENTS) {
            let append =
                HeroAppend { hero: guest.hero, epoch: claim.epoch, previous, events: chunk.to_vec() };
            previous = chunk.last().map_or(previous, |record| record.chain);
            store.append(std::slice::from_ref(&append)).await?;
        }
        let hero = player.simulation.hero(player.entity);
        let state = journal::encode_state(hero, &Streams::default(), &texts);
        let snapshot = SnapshotRecord::seal(
            guest.hero,
            Seq(count as u64),
            claim.epoch,
            journal::SCHEMA_VERSION,
            previous,
            state,
            now_ms,
        );
        store.snapshot(&[snapshot]).await?;
        store.release(guest.hero, claim.epoch).await?;
        let energy = hero.wallet.energy_me / 1000;
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

struct Player {
    simulation: Simulation,
    entity: HeroEntity,
    events: Vec<TimedEvent>,
}

impl Player {
    fn new(catalogue: Arc<Catalogue>) -> Self {
        let mut simulation = Simulation::new(catalogue);
        let entity = simulation.insert(Hero::default(), 0);
        Self { simulation, entity, events: Vec::new() }
    }

    fn play(&mut self, habit: &Habit, now_ms: i64) {
        let first_ms = now_ms - now_ms.rem_euclid(DAY_MS) - DAYS * DAY_MS;
        let (_, born) = create(habit.name, habit.time_zone, first_ms, self.simulation.catalogue())
            .expect("the demo's names and zones are valid");
        self.note(born, first_ms);
        for day in 0..DAYS {
            let midnight_ms = first_ms + day * DAY_MS;
            if day % habit.misses_every != habit.misses_every - 1 {
                self.day(habit, day, midnight_ms, now_ms);
            }
        }
        let overdue = self.simulation.overdue(self.entity, now_ms);
        self.note(overdue, now_ms);
    }

    fn day(&mut self, habit: &Habit, day: i64, midnight_ms: i64, now_ms: i64) {
        let titles = habit.tasks.len();
        let title =
            habit.tasks.get(usize::try_from(day).unwrap_or(0) % titles).copied().unwrap_or("Something small");
        let create = Command::CreateTask {
            title: title.to_owned(),
            category: Category::None,
            priority: Priority::Medium,
            estimate_minutes: 30,
            due_on: None,
            recurrence: None,
            parent_id: None,
        };
        let mut task_id = None;
        for (index, (start, minutes, category)) in habit.sessions.iter().enumerate() {
            let start_ms = midnight_ms + start * MINUTE_MS;
            let end_ms = start_ms + (i64::from(*minutes) + 1) * MINUTE_MS;
            if end_ms > now_ms {
                return;
            }
            if index == 0 {
                self.command(&create, start_ms - MINUTE_MS);
                task_id = self.simulation.hero(self.entity).tasks.last().map(|task| task.task_id);
            }
            let mode = FocusMode::Countdown { planned_minutes: *minutes };
            self.command(&Command::StartFocus { mode, category: *category, task_id }, start_ms);
            self.command(&Command::EndFocus, end_ms);
            if let Some(task_id) = task_id.filter(|_| index == 0) {
                self.command(&Command::CompleteTask { task_id, occurrence_on: None }, end_ms + MINUTE_MS);
            }
        }
        self.shop(midnight_ms + 23 * 60 * MINUTE_MS + 55 * MINUTE_MS);
    }

    /// Builds the cheapest module that can be had, and patches everything that is there.
    fn shop(&mut self, at_ms: i64) {
        let catalogue = Arc::clone(self.simulation.catalogue());
        let mut modules: Vec<_> = catalogue.modules.iter().collect();
        modules.sort_by_key(|module| module.cost_me);
        for module in modules {
            if self.command(&Command::AssembleModule { module_id: module.id }, at_ms) {
                break;
            }
        }
        self.command(&Command::AutoPatch, at_ms);
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
