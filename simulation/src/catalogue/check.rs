//! What every rule may rely on: ranges, orders, references.
//!
//! The bounds are wide. They are there so that no sum or product of the rules can overflow and no table can be
//! empty, not to tell a designer what is fun.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use core::fmt::Display;
use core::ops::RangeInclusive;

use super::module::{AchievementSpec, Category, CosmeticSpec, Effect, ModuleKind, ModuleSpec, Rarity};
use super::rules::{
    AssemblyRules, BonusRules, Brackets, DailyBonus, DayRules, FocusRules, LevelRules, OfflineRules,
    RackLevel, RackRules, SellRules, StreakRules, SynergyRules, TaskRules, UpgradeCost, UpgradeRules,
};
use super::source::Report;
use crate::preset_code::{MODULES_MAX, short_id};
use crate::rack::{CORE, GRID_SIDE_MAX};

/// A factor or a bonus.
const PERMILLE: RangeInclusive<i64> = 0..=10_000;
/// A share of a whole.
const SHARE: RangeInclusive<i64> = 0..=1000;
/// A length of time: up to 366 days.
const SPAN_MS: RangeInclusive<i64> = 0..=31_622_400_000;
/// A length of time that must not be empty.
const SPAN_SOME_MS: RangeInclusive<i64> = 1..=31_622_400_000;
/// A number of things.
const COUNT: RangeInclusive<i64> = 0..=10_000;
/// A number of things of which one is needed.
const COUNT_SOME: RangeInclusive<i64> = 1..=10_000;
/// Milli-energy or milli-dopamine at one time: up to a billion milli.
const AMOUNT: RangeInclusive<i64> = 0..=1_000_000_000;
/// Longest list of entries.
const ENTRIES_MAX: usize = 200;
/// Longest name for people.
const NAME_CHARS_MAX: usize = 40;

/// Checks the named fields against their ranges. The struct is taken apart in full, so that a new field that
/// nobody thought of does not compile.
macro_rules! ranges {
    ($report:expr, $path:expr, $type:ident = $value:expr, [$($other:ident),*], $($field:ident: $range:expr),+ $(,)?) => {
        let $type { $($field,)+ $($other: _,)* } = $value;
        $(in_range($report, &format!("{}.{}", $path, stringify!($field)), i64::from(*$field), &$range);)+
    };
}

fn in_range(report: &mut Report<'_>, path: &str, value: i64, range: &RangeInclusive<i64>) {
    if !range.contains(&value) {
        report.add(path, format!("expected {} to {}, found {value}", range.start(), range.end()));
    }
}

fn ascending(report: &mut Report<'_>, path: &str, field: &str, values: impl Iterator<Item = i64>) {
    let mut before = None;
    for (index, value) in values.enumerate() {
        if let Some(before) = before
            && value <= before
        {
            report.add(
                &format!("{path}[{index}]{field}"),
                format!("expected more than {before}, found {value}"),
            );
        }
        before = Some(value);
    }
}

fn length(report: &mut Report<'_>, path: &str, found: usize, range: &RangeInclusive<usize>) {
    if !range.contains(&found) {
        report.add(path, format!("expected {} to {} entries, found {found}", range.start(), range.end()));
    }
}

fn brackets(report: &mut Report<'_>, path: &str, brackets: &Brackets) {
    length(report, &format!("{path}.steps"), brackets.steps.len(), &(1..=32));
    ascending(report, &format!("{path}.steps"), ".until_ms", brackets.steps.iter().map(|step| step.until_ms));
    for (index, step) in brackets.steps.iter().enumerate() {
        in_range(report, &format!("{path}.steps[{index}].until_ms"), step.until_ms, &SPAN_SOME_MS);
        in_range(report, &format!("{path}.steps[{index}].permille"), step.permille, &PERMILLE);
    }
    in_range(report, &format!("{path}.beyond_permille"), brackets.beyond_permille, &PERMILLE);
}

pub(super) fn version(report: &mut Report<'_>, version: Option<u32>) {
    if version == Some(0) {
        report.add("version", "expected 1 or more, found 0".to_string());
    }
}

pub(super) fn focus(report: &mut Report<'_>, focus: Option<&FocusRules>) {
    let Some(focus) = focus else { return };
    ranges!(report, "focus", FocusRules = focus, [ramp, day, mastery_marks_min],
        base_me_per_s: 1..=10_000,
        modifier_max_permille: 1000..=10_000,
        streak_step_permille: PERMILLE,
        streak_days_max: COUNT,
        mastery_step_permille: PERMILLE,
        room_step_permille: PERMILLE,
        room_max_permille: PERMILLE,
        session_min_ms: SPAN_MS,
        cancel_free_ms: SPAN_MS,
        countdown_min_ms: SPAN_SOME_MS,
        countdown_max_ms: focus.countdown_min_ms.max(1)..=86_400_000,
        countdown_default_ms: focus.countdown_min_ms..=focus.countdown_max_ms.max(focus.countdown_min_ms),
        countdown_first_ms: focus.countdown_min_ms..=focus.countdown_max_ms.max(focus.countdown_min_ms),
        pomodoro_break_ms: SPAN_SOME_MS,
        pomodoro_long_break_ms: SPAN_SOME_MS,
        pomodoro_long_every: COUNT_SOME,
        pomodoro_rounds_max: 1..=100,
        pause_free_ms: SPAN_MS,
        pause_max_ms: SPAN_SOME_MS,
        pauses_total_max_ms: SPAN_SOME_MS,
        interruption_ramp_loss_ms: SPAN_MS,
        comeback_ms: SPAN_MS,
        overtime_max_ms: SPAN_MS,
        flowtime_silence_ms: SPAN_SOME_MS,
        flowtime_grace_ms: 0..=focus.flowtime_silence_ms.max(0),
        trusted_ms: SPAN_MS,
        ignition_ms: SPAN_SOME_MS,
    );
    brackets(report, "focus.ramp", &focus.ramp);
    brackets(report, "focus.day", &focus.day);
    length(report, "focus.mastery_marks_min", focus.mastery_marks_min.len(), &(0..=32));
    ascending(report, "focus.mastery_marks_min", "", focus.mastery_marks_min.iter().copied());
    for (index, mark) in focus.mastery_marks_min.iter().enumerate() {
        in_range(report, &format!("focus.mastery_marks_min[{index}]"), *mark, &(1..=10_000_000));
    }
}

fn daily_bonus(report: &mut Report<'_>, path: &str, bonus: &DailyBonus) {
    ranges!(report, path, DailyBonus = bonus, [], reward_me: AMOUNT, per_day_max: 0..=100);
}

pub(super) fn bonuses(report: &mut Report<'_>, bonuses: Option<&BonusRules>) {
    let Some(bonuses) = bonuses else { return };
    ranges!(report, "bonuses", BonusRules = bonuses, [ignition, comeback, break_taken, daily_goal, room_finish],
        break_taken_permille: SHARE,
        room_finish_within_ms: SPAN_MS,
        completion_permille: PERMILLE,
        completion_flowtime_permille: PERMILLE,
        welcome_back_me: AMOUNT,
        welcome_back_days: COUNT_SOME,
        welcome_back_every_days: COUNT_SOME,
        goal_min_minutes: 1..=1440,
        goal_max_minutes: bonuses.goal_min_minutes.max(1)..=1440,
        goal_default_minutes: bonuses.goal_min_minutes..=bonuses.goal_max_minutes.max(bonuses.goal_min_minutes),
    );
    daily_bonus(report, "bonuses.ignition", &bonuses.ignition);
    daily_bonus(report, "bonuses.comeback", &bonuses.comeback);
    daily_bonus(report, "bonuses.break_taken", &bonuses.break_taken);
    daily_bonus(report, "bonuses.daily_goal", &bonuses.daily_goal);
    daily_bonus(report, "bonuses.room_finish", &bonuses.room_finish);
}

pub(super) fn tasks(report: &mut Report<'_>, tasks: Option<&TaskRules>) {
    let Some(tasks) = tasks else { return };
    ranges!(report, "tasks", TaskRules = tasks, [],
        base_me: AMOUNT,
        per_minute_me: AMOUNT,
        estimate_counted_max_min: 0..=1440,
        estimate_max_min: 0..=1440,
        low_permille: PERMILLE,
        medium_permille: PERMILLE,
        high_permille: PERMILLE,
        backed_permille: PERMILLE,
        unbacked_permille: PERMILLE,
        backing_min_ms: SPAN_MS,
        backing_estimate_permille: PERMILLE,
        subtasks_max: 0..=100,
        subtasks_pay_max_permille: PERMILLE,
        quick_ms: SPAN_MS,
        quick_me: AMOUNT,
        per_day_max_me: AMOUNT,
        title_chars_max: 1..=1000,
        open_max: COUNT_SOME,
        frog_age_days: COUNT,
        split_subtasks_min: COUNT_SOME,
        good_estimate_permille: SHARE,
    );
}

pub(super) fn calendar(
    report: &mut Report<'_>,
    days: Option<&DayRules>,
    streak: Option<&StreakRules>,
    offline: Option<&OfflineRules>,
) {
    if let Some(days) = days {
        ranges!(report, "days", DayRules = days, [],
            start_default_min: 0..=days.start_max_min.max(0),
            start_max_min: 0..=720,
            length_min_ms: 1..=86_400_000,
            changes_max: COUNT_SOME,
            changes_window_days: COUNT_SOME,
        );
    }
    if let Some(streak) = streak {
        ranges!(report, "streak", StreakRules = streak, [],
            active_focus_ms: SPAN_SOME_MS,
            missed_keeps_permille: SHARE,
            rest_weekdays_max: 0..=7,
            vacation_days_max: 0..=366,
            outage_min_ms: SPAN_SOME_MS,
            shields_start: 0..=streak.shields_max.max(0),
            shield_every_active_days: COUNT_SOME,
            shields_max: 0..=100,
        );
    }
    if let Some(offline) = offline {
        ranges!(report, "offline", OfflineRules = offline, [],
            gap_max_ms: SPAN_MS,
            day_max_ms: SPAN_MS,
            late_max_ms: SPAN_MS,
        );
    }
}

pub(super) fn rack(report: &mut Report<'_>, rack: Option<&RackRules>, levels: Option<&LevelRules>) {
    if let Some(levels) = levels {
        ranges!(report, "levels", LevelRules = levels, [], xp_step: 1..=1_000_000, level_max: 1..=250);
    }
    let Some(rack) = rack else { return };
    ranges!(report, "rack", RackRules = rack, [levels, starters],
        core_inputs: 1..=64,
        reach_cells: 1..=14,
        path_bonus_max_permille: PERMILLE,
        energy_max_permille: PERMILLE,
        early_ms: SPAN_MS,
        preset_slot_md: AMOUNT,
        presets_max: 1..=100,
    );
    length(report, "rack.levels", rack.levels.len(), &(1..=64));
    if rack.levels.first().is_some_and(|first| first.hero_level != 1) {
        report.add("rack.levels[0].hero_level", "expected 1 for the first row".to_string());
    }
    ascending(report, "rack.levels", ".hero_level", rack.levels.iter().map(|row| row.hero_level.into()));
    let mut before: Option<&RackLevel> = None;
    for (index, row) in rack.levels.iter().enumerate() {
        let path = format!("rack.levels[{index}]");
        ranges!(report, path, RackLevel = row, [],
            hero_level: 1..=250,
            columns: 1..=i64::from(GRID_SIDE_MAX),
            rows: 1..=i64::from(GRID_SIDE_MAX),
            assembly_slots: 1..=16,
            presets: 0..=i64::from(rack.presets_max),
        );
        if usize::from(row.columns) * usize::from(row.rows) > MODULES_MAX {
            report.add(
                &path,
                format!("expected at most {MODULES_MAX} cells: more do not fit into a preset code"),
            );
        }
        if before.is_some_and(|before| row.columns < before.columns || row.rows < before.rows) {
            report.add(&path, "expected a grid that never shrinks from row to row".to_string());
        }
        before = Some(row);
    }
}

pub(super) fn synergies(report: &mut Report<'_>, synergies: Option<&SynergyRules>) {
    let Some(synergies) = synergies else { return };
    ranges!(report, "synergies", SynergyRules = synergies, [],
        core_max_permille: PERMILLE,
        full_voice_permille: PERMILLE,
        harmony_pair_permille: PERMILLE,
        harmony_pairs_max: 0..=100,
        quiet_space_permille: PERMILLE,
        quiet_space_empty_min: 1..=4,
        spectrum_permille: PERMILLE,
        four_winds_energy_permille: PERMILLE,
        in_time_assembly_permille: PERMILLE,
        in_time_neighbours_min: 1..=4,
    );
}

pub(super) fn assembly(
    report: &mut Report<'_>,
    assembly: Option<&AssemblyRules>,
    upgrades: Option<&UpgradeRules>,
    sell: Option<&SellRules>,
) {
    if let Some(assembly) = assembly {
        ranges!(report, "assembly", AssemblyRules = assembly, [],
            idle_permille: 1..=100_000,
            focus_permille: 1..=100_000,
            finish_now_every_ms: SPAN_SOME_MS,
            finish_now_md: AMOUNT,
        );
    }
    if let Some(sell) = sell {
        ranges!(report, "sell", SellRules = sell, [],
            full_refund_ms: SPAN_MS,
            energy_permille: SHARE,
            dopamine_permille: SHARE,
        );
    }
    let Some(upgrades) = upgrades else { return };
    length(report, "upgrades.factors_permille", upgrades.factors_permille.len(), &(1..=100));
    for (index, factor) in upgrades.factors_permille.iter().enumerate() {
        in_range(report, &format!("upgrades.factors_permille[{index}]"), *factor, &(1000..=10_000));
    }
    if upgrades.factors_permille.first().is_some_and(|first| *first != 1000) {
        report.add("upgrades.factors_permille[0]", "expected 1000 for module level 1".to_string());
    }
    for rarity in Rarity::ALL {
        let entries = upgrades.costs.iter().filter(|costs| costs.rarity == rarity).count();
        if entries != 1 {
            report.add("upgrades.costs", format!("expected one entry for {rarity:?}, found {entries}"));
        }
    }
    for (index, UpgradeCost { rarity: _, steps_md }) in upgrades.costs.iter().enumerate() {
        let path = format!("upgrades.costs[{index}].steps_md");
        let steps = upgrades.factors_permille.len().saturating_sub(1);
        length(report, &path, steps_md.len(), &(steps..=steps));
        for (step, cost) in steps_md.iter().enumerate() {
            in_range(report, &format!("{path}[{step}]"), *cost, &AMOUNT);
        }
    }
}

fn unique<Id: Ord + Copy + Display>(
    report: &mut Report<'_>,
    list: &str,
    entries: impl Iterator<Item = (usize, Id)>,
) {
    let mut seen = BTreeMap::new();
    for (index, id) in entries {
        if let Some(first) = seen.insert(id, index) {
            report.add(
                &format!("{list}[{index}].id"),
                format!("expected a new id, {list}[{first}] is {id} too"),
            );
        }
    }
    length(report, list, seen.len(), &(1..=ENTRIES_MAX));
}

fn display_name(report: &mut Report<'_>, path: &str, name: &str) {
    let chars = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars) || name.chars().any(char::is_control) {
        report.add(&format!("{path}.name"), format!("expected 1 to {NAME_CHARS_MAX} printable characters"));
    }
}

pub(super) fn modules(report: &mut Report<'_>, modules: &[(usize, ModuleSpec)], rack: Option<&RackRules>) {
    unique(report, "modules", modules.iter().map(|(index, module)| (*index, module.id)));
    let mut short_ids = BTreeMap::new();
    for (index, module) in modules {
        if let Some(other) =
            short_ids.insert(short_id(module.id), module.id).filter(|other| *other != module.id)
        {
            let problem = format!("expected another id: in preset codes it would be taken for {other}");
            report.add(&format!("modules[{index}].id"), problem);
        }
        module_spec(report, &format!("modules[{index}]"), module);
    }
    let Some(rack) = rack else { return };
    length(report, "rack.starters", rack.starters.len(), &(0..=8));
    for (index, starter) in rack.starters.iter().enumerate() {
        if !modules.iter().any(|(_, module)| module.id == *starter) {
            let path = format!("rack.starters[{index}]");
            report.add(&path, format!("expected the id of a module, found {starter}"));
        }
    }
}

fn module_spec(report: &mut Report<'_>, path: &str, module: &ModuleSpec) {
    let inputs_of_kind = match module.kind {
        ModuleKind::Generator => 0..=0,
        ModuleKind::Multiplier => 1..=16,
        ModuleKind::Modifier | ModuleKind::Special => 1..=1,
    };
    ranges!(report, path, ModuleSpec = module, [id, name, kind, rarity, effects],
        cost_me: AMOUNT,
        hero_level: 1..=250,
        build_ms: SPAN_MS,
        inputs: inputs_of_kind,
    );
    display_name(report, path, &module.name);
    if module.id == CORE {
        report.add(&format!("{path}.id"), "expected another id: `core` is where the cables end".to_string());
    }
    length(report, &format!("{path}.effects"), module.effects.len(), &(1..=8));
    let primary = format!("{path}.effects[0]");
    match (module.kind, module.effects.first()) {
        (ModuleKind::Generator, Some(Effect::Generate { .. }))
        | (ModuleKind::Multiplier, Some(Effect::PathBonus { .. })) => {}
        (ModuleKind::Generator, Some(_)) => {
            report.add(&primary, "expected generate(..) for a generator".to_string())
        }
        (ModuleKind::Multiplier, Some(_)) => {
            report.add(&primary, "expected path_bonus(..) for a multiplier".to_string())
        }
        (ModuleKind::Modifier | ModuleKind::Special, _) | (_, None) => {}
    }
    for (position, effect) in module.effects.iter().enumerate() {
        effect_values(report, &format!("{path}.effects[{position}]"), module.kind, effect);
    }
}

fn effect_values(report: &mut Report<'_>, path: &str, kind: ModuleKind, effect: &Effect) {
    let (field, value, range) = match effect {
        Effect::Generate { rate_ud_per_s } => ("rate_ud_per_s", *rate_ud_per_s, 1..=1_000_000_000),
        Effect::EarlyBoost { factor_permille } => ("factor_permille", *factor_permille, 1000..=10_000),
        Effect::PathBonus { bonus_permille }
        | Effect::Energy { bonus_permille }
        | Effect::CategoryEnergy { bonus_permille, .. }
        | Effect::TaskReward { bonus_permille }
        | Effect::AssemblySpeed { bonus_permille }
        | Effect::RoomBonus { bonus_permille }
        | Effect::Core { bonus_permille } => ("bonus_permille", *bonus_permille, PERMILLE),
        Effect::RampStart { position_ms } => ("position_ms", *position_ms, SPAN_MS),
        Effect::InterruptionRelief { ramp_ms } => ("ramp_ms", *ramp_ms, SPAN_MS),
        Effect::BreakReward { bonus_me } => ("bonus_me", *bonus_me, AMOUNT),
        Effect::ShieldCapacity { shields } => ("shields", *shields, 0..=100),
        Effect::CableReach { cells } => ("cells", *cells, 1..=14),
    };
    in_range(report, &format!("{path}.{field}"), value, &range);
    if let Effect::CategoryEnergy { category: Category::None, .. } = effect {
        let named = "expected creative, analytical, physical or learning".to_string();
        report.add(&format!("{path}.category"), named);
    }
    let of_generators = matches!(effect, Effect::Generate { .. } | Effect::EarlyBoost { .. });
    if of_generators && kind != ModuleKind::Generator {
        report.add(path, "expected this effect in generators only".to_string());
    }
    if matches!(effect, Effect::PathBonus { .. }) && kind != ModuleKind::Multiplier {
        report.add(path, "expected this effect in multipliers only".to_string());
    }
}

pub(super) fn achievements(report: &mut Report<'_>, achievements: &[(usize, AchievementSpec)]) {
    unique(report, "achievements", achievements.iter().map(|(index, achievement)| (*index, achievement.id)));
    for (index, achievement) in achievements {
        let path = format!("achievements[{index}]");
        let AchievementSpec { id: _, name, counter: _, at_least, reward_me } = achievement;
        display_name(report, &path, name);
        let at_least = i64::try_from(*at_least).unwrap_or(i64::MAX);
        in_range(report, &format!("{path}.at_least"), at_least, &(1..=1_000_000_000));
        in_range(report, &format!("{path}.reward_me"), *reward_me, &AMOUNT);
    }
}

pub(super) fn cosmetics(report: &mut Report<'_>, cosmetics: &[(usize, CosmeticSpec)]) {
    unique(report, "cosmetics", cosmetics.iter().map(|(index, cosmetic)| (*index, cosmetic.id)));
    for (index, cosmetic) in cosmetics {
        let path = format!("cosmetics[{index}]");
        let CosmeticSpec { id: _, name, slot: _, cost_md } = cosmetic;
        display_name(report, &path, name);
        in_range(report, &format!("{path}.cost_md"), *cost_md, &AMOUNT);
    }
}
