//! Heroes that do anything at any time: whatever happens, patches laid over each other are the hero, and the amounts of
//! the lines are the balances.

use protocol::{
    client::{Command, Confirmation},
    types::{self, Cable, Category, FocusMode, Priority, Recurrence},
};
use simulation::{
    advance::advance,
    apply::apply,
    catalogue::Catalogue,
    decide::decide,
    event::{Bonus, Event, TimedEvent},
    hero::Hero,
    rules,
};

use super::client::{lay_over, steady};
use crate::convert;

/// 2026-03-02T08:00:00Z.
const START_MS: i64 = 1_772_438_400_000;
const STEPS: u32 = 400;

/// A small generator of numbers, so that a seed is a whole life.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn number<T: TryFrom<u64>>(&mut self, below: u64) -> T {
        T::try_from(self.roll(below)).ok().expect("the bound fits the type")
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        let index: usize = self.number(all.len() as u64);
        all[index].clone()
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.roll(one_in) == 0
    }
}

fn category(dice: &mut Dice) -> Category {
    use Category::{Analytical, Creative, Learning, None, Physical};
    dice.one_of(&[Creative, Analytical, Physical, Learning, None])
}

fn task_id(dice: &mut Dice, hero: &types::Hero) -> u32 {
    match hero.tasks.len() {
        0 => dice.number(20),
        _ => dice.one_of(&hero.tasks).task_id,
    }
}

fn job_id(dice: &mut Dice, hero: &types::Hero) -> u32 {
    match hero.assembly.jobs.len() {
        0 => dice.number(20),
        _ => dice.one_of(&hero.assembly.jobs).job_id,
    }
}

fn module_id(dice: &mut Dice, hero: &types::Hero, catalogue: &Catalogue) -> String {
    if hero.modules.is_empty() || dice.chance(4) {
        return dice.one_of(&catalogue.modules).id.to_string();
    }
    dice.one_of(&hero.modules).module_id
}

fn anything(dice: &mut Dice, hero: &types::Hero, catalogue: &Catalogue) -> Command {
    match dice.roll(5) {
        0 | 1 => about_focus(dice, hero),
        2 => about_tasks(dice, hero),
        3 => about_modules(dice, hero, catalogue),
        _ => about_the_rest(dice, hero, catalogue),
    }
}

fn about_focus(dice: &mut Dice, hero: &types::Hero) -> Command {
    let linked = dice.chance(2).then(|| task_id(dice, hero));
    match dice.roll(14) {
        0..3 => {
            let planned_minutes = 5 + dice.number::<u16>(120);
            let mode = dice.one_of(&[
                FocusMode::Countdown { planned_minutes },
                FocusMode::Pomodoro { planned_minutes: 5 + planned_minutes % 25, rounds: 3 },
                FocusMode::Flowtime,
            ]);
            Command::StartFocus { mode, category: category(dice), task_id: linked }
        }
        3 => Command::DescribeFocus { task_id: linked, intention: Some("this".into()) },
        4 => Command::PauseFocus,
        5 => Command::ResumeFocus,
        6 => Command::InterruptFocus,
        7 => Command::KeepGoing,
        8 => Command::EndFocus,
        9 => Command::CancelFocus,
        10 => Command::StartBreak,
        11 => Command::EndBreak,
        12 => Command::ConfirmFocus(dice.one_of(&[Confirmation::Yes, Confirmation::Discard])),
        _ => Command::ReportOfflineFocus {
            started_at_ms: hero.today.starts_at_ms + dice.number::<i64>(50_000_000),
            duration_ms: dice.number(5_000_000),
            category: category(dice),
            task_id: linked,
        },
    }
}

fn about_tasks(dice: &mut Dice, hero: &types::Hero) -> Command {
    let repeats = [
        None,
        Some(Recurrence::EveryDays { days: 1 + dice.number::<u16>(5) }),
        Some(Recurrence::Weekdays { weekdays: vec![1, 3, 5] }),
    ];
    let id = task_id(dice, hero);
    let known = hero.tasks.iter().find(|task| task.task_id == id);
    let occurrence_on = known.and_then(|task| task.occurrence_on.clone());
    match dice.roll(7) {
        0 | 1 => Command::CreateTask {
            title: "something".into(),
            category: category(dice),
            priority: dice.one_of(&[Priority::Low, Priority::Medium, Priority::High]),
            estimate_minutes: dice.number(481),
            due_on: dice.one_of(&[None, Some("2026-03-04".into())]),
            recurrence: dice.one_of(&repeats),
            parent_id: dice.chance(3).then_some(id),
        },
        2 => Command::UpdateTask {
            task_id: id,
            title: "something else".into(),
            category: category(dice),
            priority: Priority::High,
            estimate_minutes: dice.number(481),
            due_on: None,
            recurrence: dice.one_of(&repeats),
        },
        3 | 4 => Command::CompleteTask { task_id: id, occurrence_on },
        5 => Command::ReopenTask { task_id: id, occurrence_on },
        _ => Command::DeleteTask { task_id: id },
    }
}

fn about_modules(dice: &mut Dice, hero: &types::Hero, catalogue: &Catalogue) -> Command {
    let module_id = module_id(dice, hero, catalogue);
    match dice.roll(12) {
        0 | 1 => Command::AssembleModule { module_id },
        2 => Command::PinBlueprint { module_id },
        3 => Command::PayBlueprint { amount_me: 1 + dice.number::<i64>(500_000) },
        4 => Command::UnpinBlueprint,
        5 => Command::FinishAssembly { job_id: job_id(dice, hero) },
        6 => Command::CancelAssembly { job_id: job_id(dice, hero) },
        7 => Command::UpgradeModule { module_id },
        8 => Command::SellModule { module_id },
        9 => Command::PlaceModule { module_id, cell: dice.number(31) },
        10 => Command::RemoveModule { module_id },
        _ => Command::AutoPatch,
    }
}

fn about_the_rest(dice: &mut Dice, hero: &types::Hero, catalogue: &Catalogue) -> Command {
    let slot = dice.number(5);
    let zone = dice.one_of(&["Europe/Berlin", "America/New_York", "Pacific/Apia", "UTC"]);
    let cosmetic_id = dice.one_of(&catalogue.cosmetics).id.to_string();
    match dice.roll(15) {
        0 => Command::RenameHero { name: "Åsa".into() },
        1 => Command::SetTimeZone { time_zone: zone.into(), day_start_minutes: dice.number(361) },
        2 => Command::SetDailyGoal { minutes: 5 + dice.number::<u16>(100) },
        3 => Command::SetRestDays { weekdays: vec![1 + dice.number::<u8>(7)] },
        4 => Command::StartVacation { days: 1 + dice.number::<u8>(5) },
        5 => Command::EndVacation,
        6 => {
            let target = module_id(dice, hero, catalogue);
            let to = dice.one_of(&["core".to_owned(), target]);
            Command::ConnectCable(Cable { from: module_id(dice, hero, catalogue), to })
        }
        7 => Command::DisconnectCable { from: module_id(dice, hero, catalogue) },
        8 => Command::SavePreset { slot, name: "kept".into(), category: category(dice) },
        9 => Command::LoadPreset { slot },
        10 => Command::DeletePreset { slot },
        11 => {
            let code =
                hero.presets.presets.first().map_or_else(|| "DH1.".into(), |preset| preset.code.clone());
            Command::ImportPreset { slot, code }
        }
        12 => Command::BuyPresetSlot,
        13 => Command::BuyCosmetic { cosmetic_id },
        _ => Command::EquipCosmetic { cosmetic_id },
    }
}

/// A hero, and a client that has seen one snapshot and patches ever since.
struct Walk<'a> {
    catalogue: &'a Catalogue,
    hero: Hero,
    client: types::Hero,
    energy_me: i64,
    dopamine_md: i64,
}

impl Walk<'_> {
    fn happen(&mut self, events: &[TimedEvent], now_ms: i64, what: &str) {
        for timed in events {
            apply(&mut self.hero, timed);
        }
        let news = convert::events(1, events, &self.hero, self.catalogue, now_ms);
        self.energy_me += news.events.iter().map(|line| line.energy_me).sum::<i64>();
        self.dopamine_md += news.events.iter().map(|line| line.dopamine_md).sum::<i64>();
        lay_over(&mut self.client, news.patch);
        let fresh = convert::hero_view(&self.hero, "h", self.catalogue, now_ms);
        let kinds: Vec<_> = news.events.iter().map(|line| line.kind.as_str()).collect();
        assert_eq!(steady(self.client.clone()), steady(fresh), "{what}: {kinds:?}");
        assert_eq!(
            self.energy_me, self.client.wallet.energy_me,
            "{what}: the lines are the ledger: {kinds:?}"
        );
        assert_eq!(self.dopamine_md, self.client.wallet.dopamine_md, "{what}: {kinds:?}");
    }
}

/// Returns how many commands were applied.
fn walk(seed: u64, catalogue: &Catalogue) -> u32 {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut now_ms = START_MS;
    let (hero, _) =
        rules::create::create("Hero", "Europe/Berlin", now_ms, catalogue).expect("a good name and zone");
    let client = convert::hero_view(&hero, "h", catalogue, now_ms);
    let mut walk = Walk { catalogue, hero, client, energy_me: 0, dopamine_md: 0 };
    // Some are rich, so that every price can be paid and large racks are seen.
    if dice.chance(2) {
        let gift = Event::BonusPaid { bonus: Bonus::DailyGoal, energy_me: dice.number(40_000_000) };
        walk.happen(&[TimedEvent { at_ms: now_ms, event: gift }], now_ms, "a gift");
        let level = advance(&walk.hero, now_ms, catalogue);
        walk.happen(&level, now_ms, "its level");
    }
    let mut applied = 0;
    for step in 0..STEPS {
        now_ms += match dice.roll(20) {
            0 => dice.number::<i64>(200_000_000),
            1..6 => dice.number::<i64>(4_000_000),
            _ => dice.number::<i64>(120_000),
        };
        let what = format!("seed {seed}, step {step}");
        let events = advance(&walk.hero, now_ms, catalogue);
        walk.happen(&events, now_ms, &what);
        let wanted = anything(&mut dice, &walk.client, catalogue);
        let what = format!("{what}, {wanted:?}");
        let command = convert::command(wanted).expect("the walk uses names of the catalogue");
        if let Ok(events) = decide(&walk.hero, &command, now_ms, catalogue) {
            assert!(!events.is_empty(), "{what}: an applied command is an event");
            walk.happen(&events, now_ms, &what);
            applied += 1;
        }
    }
    applied
}

#[test]
fn whatever_happens_patches_are_the_hero() {
    let catalogue = Catalogue::builtin();
    let applied: u32 = (1..=32).map(|seed| walk(seed, &catalogue)).sum();
    assert!(applied > 32 * STEPS / 4, "too much was refused to prove anything: {applied}");
}
