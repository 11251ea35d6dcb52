//! The hero as a client sees it, whole or the sections that changed.

mod focus;
mod module;
mod rack;
mod task;

use protocol::types::{self as wire, HeroPatch};
use simulation::{
    calendar::format_date,
    catalogue::{Catalogue, Category, Effect},
    event::{Event, Sections, TimedEvent},
    hero::{CATEGORY_COUNT, DayRecord, Hero},
    rules::{streak::shields_max, wallet::level},
};

pub use self::focus::progress;

/// Statistics show so many player-days, today included.
const DAYS_MAX: usize = 30;

/// The whole hero, as of `now_ms`.
pub fn hero_view(hero: &Hero, hero_id: &str, catalogue: &Catalogue, now_ms: i64) -> wire::Hero {
    wire::Hero {
        hero_id: hero_id.to_owned(),
        profile: profile(hero),
        wallet: wallet(hero, catalogue),
        focus: focus::focus(hero, catalogue, now_ms),
        today: today(hero),
        streak: streak(hero, catalogue),
        tasks: task::tasks(hero, catalogue, now_ms, |_| true),
        modules: module::modules(hero, catalogue, now_ms),
        assembly: module::assembly(hero, catalogue, now_ms),
        rack: rack::rack(hero, catalogue),
        presets: rack::presets(hero, catalogue),
        achievements: achievements(hero),
        statistics: statistics(hero),
    }
}

/// The sections that `events` touched, as they are in `hero` now.
pub fn patch(hero: &Hero, events: &[TimedEvent], catalogue: &Catalogue, now_ms: i64) -> HeroPatch {
    let mut touched = Sections::NONE;
    for timed in events {
        touched |= timed.event.sections();
    }
    let if_touched = |section: Sections| touched.contains(section).then_some(());
    let (tasks, tasks_removed) = patch_tasks(hero, events, catalogue, now_ms);
    HeroPatch {
        profile: if_touched(Sections::PROFILE).map(|()| profile(hero)),
        wallet: if_touched(Sections::WALLET).map(|()| wallet(hero, catalogue)),
        focus: if_touched(Sections::FOCUS).map(|()| focus::focus(hero, catalogue, now_ms)),
        today: if_touched(Sections::TODAY).map(|()| today(hero)),
        streak: if_touched(Sections::STREAK).map(|()| streak(hero, catalogue)),
        tasks,
        tasks_removed,
        modules: if_touched(Sections::MODULES).map(|()| module::modules(hero, catalogue, now_ms)),
        assembly: if_touched(Sections::ASSEMBLY).map(|()| module::assembly(hero, catalogue, now_ms)),
        rack: if_touched(Sections::RACK).map(|()| rack::rack(hero, catalogue)),
        presets: if_touched(Sections::PRESETS).map(|()| rack::presets(hero, catalogue)),
        achievements: if_touched(Sections::ACHIEVEMENTS).map(|()| achievements(hero)),
        statistics: if_touched(Sections::STATISTICS).map(|()| statistics(hero)),
    }
}

/// Everything that a hero shows of the catalogue's numbers, under these.
pub fn repriced(hero: &Hero, catalogue: &Catalogue, now_ms: i64) -> HeroPatch {
    HeroPatch {
        wallet: Some(wallet(hero, catalogue)),
        focus: Some(focus::focus(hero, catalogue, now_ms)),
        streak: Some(streak(hero, catalogue)),
        tasks: Some(task::tasks(hero, catalogue, now_ms, |_| true)).filter(|tasks| !tasks.is_empty()),
        modules: Some(module::modules(hero, catalogue, now_ms)),
        assembly: Some(module::assembly(hero, catalogue, now_ms)),
        rack: Some(rack::rack(hero, catalogue)),
        presets: Some(rack::presets(hero, catalogue)),
        ..HeroPatch::default()
    }
}

/// The tasks that look different now, and those that are gone.
fn patch_tasks(
    hero: &Hero,
    events: &[TimedEvent],
    catalogue: &Catalogue,
    now_ms: i64,
) -> (Option<Vec<wire::Task>>, Option<Vec<u32>>) {
    // A handful at most, nearly always one or none.
    let mut changed = Vec::new();
    let mut removed = Vec::new();
    let mut all = false;
    for TimedEvent { event, .. } in events {
        changed.extend(event.changed_task_ids());
        removed.extend(event.removed_task_ids());
        match event {
            // Another date is open, and the day's limit begins anew.
            Event::HeroCreated { .. } | Event::DaysEnded { .. } | Event::DayExtended { .. } => all = true,
            Event::TaskCompleted { .. } => all |= near_limit(hero, catalogue),
            // What it had linked waits for an answer.
            Event::SessionEnded { asks: true, .. } => {
                changed.extend(hero.to_confirm.as_deref().and_then(|asked| asked.session.task_id));
            }
            // What it had linked is linked no more.
            Event::SessionDiscarded { .. } => all = true,
            // What a task pays depends on the rack for whoever owns such a module.
            Event::RackChanged { .. } | Event::ModuleUpgraded { .. } => {
                all |= owns_task_module(hero, catalogue)
            }
            // The day's limit moves, and modules have other levels.
            Event::GuestUnited { .. } => all = true,
            _ => {}
        }
    }
    // What a subtask pays depends on its parent and on its siblings.
    let family = |id: &u32| hero.task(*id).and_then(|task| task.parent_id).unwrap_or(*id);
    let mut families: Vec<u32> = changed.iter().chain(&removed).map(family).collect();
    families.sort_unstable();
    let is_family = |id: u32| families.binary_search(&id).is_ok();
    let concerned = |task: &simulation::hero::Task| {
        all || is_family(task.task_id) || task.parent_id.is_some_and(is_family)
    };
    let tasks = task::tasks(hero, catalogue, now_ms, concerned);
    removed.retain(|id| hero.task(*id).is_none());
    removed.sort_unstable();
    removed.dedup();
    ((!tasks.is_empty()).then_some(tasks), (!removed.is_empty()).then_some(removed))
}

/// Whether the limit of a day's energy from tasks may cut what the next task pays.
fn near_limit(hero: &Hero, catalogue: &Catalogue) -> bool {
    let rules = &catalogue.tasks;
    let largest_me =
        (rules.base_me + rules.per_minute_me * rules.estimate_counted_max_min) * rules.high_permille / 1000;
    // Twice as much as the largest task without modules: no rack doubles a reward.
    rules.per_day_max_me - hero.today.task_energy_me < 2 * largest_me
}

fn owns_task_module(hero: &Hero, catalogue: &Catalogue) -> bool {
    let mut specs = hero.modules.iter().filter_map(|module| catalogue.module(module.module_id));
    specs.any(|spec| spec.effects.iter().any(|effect| matches!(effect, Effect::TaskReward { .. })))
}

fn profile(hero: &Hero) -> wire::Profile {
    let next = hero.next_zone.as_deref();
    wire::Profile {
        name: hero.name.to_string(),
        created_at_ms: hero.created_at_ms,
        time_zone: hero.zone.time_zone.clone(),
        day_start_minutes: hero.zone.day_start_minutes,
        next_time_zone: next.map(|zone| zone.time_zone.clone()),
        next_day_start_minutes: next.map(|zone| zone.day_start_minutes),
        daily_goal_minutes: hero.daily_goal_minutes,
        rest_weekdays: (1..=7).filter(|weekday| hero.rest_weekdays & (1 << (weekday - 1)) != 0).collect(),
        vacation_until: hero.vacation_until.map(format_date),
        cosmetics: hero.cosmetics.owned.iter().map(ToString::to_string).collect(),
        equipped: hero.cosmetics.equipped.iter().map(ToString::to_string).collect(),
    }
}

fn wallet(hero: &Hero, catalogue: &Catalogue) -> wire::Wallet {
    let level = level(hero, catalogue);
    wire::Wallet {
        energy_me: hero.wallet.energy_me,
        dopamine_md: hero.wallet.dopamine_md,
        lifetime_energy_me: hero.wallet.lifetime_me,
        level: u16::from(level),
        level_xp: catalogue.levels.xp_of(level),
        next_level_xp: (level < catalogue.levels.level_max).then(|| catalogue.levels.xp_of(level + 1)),
    }
}

fn today(hero: &Hero) -> wire::Today {
    let today = &hero.today;
    wire::Today {
        date: format_date(today.bounds.day_no),
        starts_at_ms: today.bounds.start_ms,
        ends_at_ms: today.bounds.end_ms,
        focus_ms: today.focus_ms,
        goal_reached: today.goal_reached,
        task_energy_me: today.task_energy_me,
        active: today.active,
    }
}

fn streak(hero: &Hero, catalogue: &Catalogue) -> wire::Streak {
    let streak = &hero.streak;
    wire::Streak {
        days: u32::from(streak.chain.days),
        longest_days: u32::from(streak.longest_days),
        active_days: streak.active_days,
        shields: streak.chain.shields,
        shields_max: shields_max(hero, catalogue),
    }
}

fn achievements(hero: &Hero) -> Vec<wire::Unlocked> {
    let line = |unlocked: &simulation::hero::Unlocked| wire::Unlocked {
        achievement_id: unlocked.achievement_id.to_string(),
        at_ms: unlocked.at_ms,
    };
    hero.achievements.iter().map(line).collect()
}

fn statistics(hero: &Hero) -> wire::Statistics {
    let statistics = &hero.statistics;
    let mut focus_minutes_by_category = [0; CATEGORY_COUNT];
    for (minutes, ms) in focus_minutes_by_category.iter_mut().zip(statistics.focus_ms_by_category) {
        *minutes = u32::try_from(ms / 60_000).unwrap_or(u32::MAX);
    }
    let today = DayRecord {
        day_no: hero.today.bounds.day_no,
        focus_ms: u32::try_from(hero.today.focus_ms).unwrap_or(u32::MAX),
        energy_me: u32::try_from(hero.today.energy_me).unwrap_or(u32::MAX),
        tasks_done: hero.today.tasks_done,
        ..DayRecord::default()
    };
    let recent = hero.days.len().saturating_sub(DAYS_MAX - 1);
    let something = |day: &&DayRecord| day.focus_ms > 0 || day.energy_me > 0 || day.tasks_done > 0;
    wire::Statistics {
        focus_ms: statistics.focus_ms(),
        sessions: statistics.sessions,
        tasks_done: statistics.tasks_done,
        comebacks: statistics.comebacks,
        focus_minutes_by_category,
        days: hero.days.iter().skip(recent).chain([&today]).filter(something).map(day_total).collect(),
    }
}

fn day_total(day: &DayRecord) -> wire::DayTotal {
    wire::DayTotal {
        date: format_date(day.day_no),
        focus_ms: i64::from(day.focus_ms),
        energy_me: i64::from(day.energy_me),
        tasks_done: day.tasks_done,
    }
}

fn category(category: Category) -> wire::Category {
    match category {
        Category::Creative => wire::Category::Creative,
        Category::Analytical => wire::Category::Analytical,
        Category::Physical => wire::Category::Physical,
        Category::Learning => wire::Category::Learning,
        Category::None => wire::Category::None,
    }
}
