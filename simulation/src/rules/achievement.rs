//! Achievements: rules, section 7. Each counts something that only grows, or looks at the rack when it changes.

use crate::catalogue::Counter;
use crate::draft::Draft;
use crate::event::Event;

/// What a counter stands at. Counters of the rack are looked at only after it changed, so that an unlock has the
/// moment of the change.
fn count(draft: &mut Draft<'_>, counter: Counter) -> u64 {
    let touched = draft.rack_touched;
    let rarity =
        |slot: usize| u64::from(draft.hero.statistics.rarities_owned.get(slot).copied().unwrap_or(0));
    let statistics = &draft.hero.statistics;
    match counter {
        Counter::Sparks => u64::from(statistics.sparks),
        Counter::ModulesBuilt => u64::from(statistics.modules_built),
        Counter::ModulesPowered if touched => u64::try_from(draft.effect().powered.len()).unwrap_or(u64::MAX),
        Counter::SynergiesAtOnce if touched => {
            u64::try_from(draft.effect().synergies.len()).unwrap_or(u64::MAX)
        }
        // Rooms are not part of the game yet.
        Counter::ModulesPowered | Counter::SynergiesAtOnce | Counter::RoomSessions | Counter::RoomsHosted => {
            0
        }
        Counter::FocusMinutes => u64::try_from(statistics.focus_ms() / 60_000).unwrap_or(0),
        Counter::Returns => u64::from(statistics.comebacks),
        Counter::WelcomeBacks => u64::from(statistics.welcomes),
        Counter::BackedTasksDone => u64::from(statistics.tasks_backed),
        Counter::Frogs => u64::from(statistics.frogs),
        Counter::Splits => u64::from(statistics.splits),
        Counter::Breaks => u64::from(statistics.breaks),
        Counter::ActiveDays => u64::from(draft.hero.streak.active_days),
        Counter::CategoriesInWeek => u64::from(statistics.categories_in_week),
        Counter::RareModules => rarity(0),
        Counter::EpicModules => rarity(1),
        Counter::LegendaryModules => rarity(2),
        Counter::PresetsUsed => u64::from(draft.hero.presets.slots_used.count_ones()),
        Counter::GoodEstimates => u64::from(statistics.estimates_met),
    }
}

/// Unlocks what is reached, in the order of the catalogue.
pub(crate) fn unlock(draft: &mut Draft<'_>, at_ms: i64) {
    for spec in &draft.catalogue.achievements {
        // Most are neither reached nor unlocked, and a number is compared sooner than a name is found.
        if count(draft, spec.counter) >= spec.at_least && !draft.hero.has_achievement(spec.id) {
            let (achievement_id, energy_me) = (spec.id, spec.reward_me);
            draft.emit(at_ms, Event::AchievementUnlocked { achievement_id, energy_me });
        }
    }
}
