//! What a rack does: one pass over the modules, integers only, the same for every order of placements and cables.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Effect, ModuleKind, ModuleSpec, Rarity};
use crate::id::ModuleId;

use super::{CORE, Cell, Grid, Rack, Synergy, at_level, effect_value};

/// What the powered modules of a rack do together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RackEffect {
    /// Micro-dopamine per second of focus, from `catalogue.rack.early_ms` of a session's focused time on.
    pub rate_ud_per_s: i64,
    /// The same before that. Equal to `rate_ud_per_s` if no module has an early boost; then the session needs no
    /// segment bound.
    pub early_rate_ud_per_s: i64,
    /// Added to the energy modifier of every session; at most `catalogue.rack.energy_max_permille`.
    pub energy_permille: i64,
    /// Added to the energy modifier of sessions of one category, by [`crate::catalogue::Category::index`].
    pub category_energy_permille: [i64; 4],
    /// Added to the factor of task rewards.
    pub task_bonus_permille: i64,
    /// Added to the reward of a break.
    pub break_bonus_me: i64,
    /// Added to the speed of assembly.
    pub assembly_bonus_permille: i64,
    /// Position on the ramp at which a session begins.
    pub ramp_start_ms: i64,
    /// What an interruption takes from the ramp position.
    pub interruption_ramp_loss_ms: i64,
    /// Added to the most shields that a hero can have.
    pub shield_capacity_bonus: i64,
    /// Added to the modifier of a session in a room, under the room's limit.
    pub room_bonus_permille: i64,
    /// What the core adds to everything that arrives, synergies included.
    pub core_bonus_permille: i64,
    /// How far a cable reaches.
    pub reach_cells: u8,
    /// Modules that a generator reaches and that reach the core, ascending by name.
    pub powered: Vec<ModuleId>,
    /// Synergies that work, in the order of the rules.
    pub synergies: Vec<Synergy>,
}

/// A module of the rack that is known and owned.
struct Part<'a> {
    cell: Cell,
    spec: &'a ModuleSpec,
    level: u8,
    /// Position of the next part on the way to the core.
    next: Option<usize>,
    to_core: bool,
    powered: bool,
}

/// What a rack does. `level_of` gives the module level (1 and up) of owned modules; others are gaps.
#[must_use]
pub fn evaluate(
    rack: &Rack,
    grid: Grid,
    level_of: impl Fn(ModuleId) -> Option<u8>,
    catalogue: &Catalogue,
) -> RackEffect {
    let mut parts = parts_of(rack, level_of, catalogue);
    power(&mut parts);
    let mut effect = RackEffect {
        interruption_ramp_loss_ms: catalogue.focus.interruption_ramp_loss_ms,
        reach_cells: rack.reach_cells(catalogue),
        ..RackEffect::default()
    };
    for part in parts.iter().filter(|part| part.powered) {
        effect.powered.push(part.spec.id);
        add_effects(&mut effect, part, catalogue);
    }
    effect.powered.sort_unstable();
    add_synergies(&mut effect, &parts, rack, grid, catalogue);
    effect.energy_permille = effect.energy_permille.min(catalogue.rack.energy_max_permille);
    add_rates(&mut effect, &parts, catalogue);
    effect
}

fn parts_of<'a>(
    rack: &Rack,
    level_of: impl Fn(ModuleId) -> Option<u8>,
    catalogue: &'a Catalogue,
) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(rack.placements.len());
    for placement in &rack.placements {
        if let (Some(spec), Some(level)) =
            (catalogue.module(placement.module_id), level_of(placement.module_id))
        {
            parts.push(Part {
                cell: placement.cell,
                spec,
                level,
                next: None,
                to_core: false,
                powered: false,
            });
        }
    }
    for cable in &rack.cables {
        let to = parts.iter().position(|part| part.spec.id == cable.to);
        if let Some(from) = parts.iter_mut().find(|part| part.spec.id == cable.from) {
            from.next = to;
            from.to_core = cable.to == CORE;
        }
    }
    parts
}

/// The positions on the way from a part to the core, itself first; empty if it does not get there.
fn path_of(parts: &[Part<'_>], start: usize) -> Vec<usize> {
    let mut path = Vec::new();
    let mut at = Some(start);
    while let Some(index) = at {
        // A rack that was checked has no loop; one that was not must not hang.
        let Some(part) = parts.get(index).filter(|_| path.len() < parts.len()) else { return Vec::new() };
        path.push(index);
        if part.to_core {
            return path;
        }
        at = part.next;
    }
    Vec::new()
}

fn power(parts: &mut [Part<'_>]) {
    for start in 0..parts.len() {
        if parts[start].spec.kind == ModuleKind::Generator {
            for index in path_of(parts, start) {
                parts[index].powered = true;
            }
        }
    }
}

fn add_effects(total: &mut RackEffect, part: &Part<'_>, catalogue: &Catalogue) {
    for (position, effect) in part.spec.effects.iter().enumerate() {
        let scaled = |value: i64| at_level(value, position == 0, part.level, catalogue);
        match effect {
            // Rates and path bonuses belong to paths, see `add_rates`; the reach counts without power.
            Effect::Generate { .. }
            | Effect::EarlyBoost { .. }
            | Effect::PathBonus { .. }
            | Effect::CableReach { .. } => {}
            Effect::Energy { bonus_permille } => total.energy_permille += scaled(*bonus_permille),
            Effect::CategoryEnergy { category, bonus_permille } => {
                if let Some(index) = category.index() {
                    total.category_energy_permille[index] += scaled(*bonus_permille);
                }
            }
            Effect::RampStart { position_ms } => {
                total.ramp_start_ms = total.ramp_start_ms.max(scaled(*position_ms))
            }
            Effect::InterruptionRelief { ramp_ms } => {
                let left = total.interruption_ramp_loss_ms - scaled(*ramp_ms);
                total.interruption_ramp_loss_ms = left.max(0);
            }
            Effect::TaskReward { bonus_permille } => total.task_bonus_permille += scaled(*bonus_permille),
            Effect::BreakReward { bonus_me } => total.break_bonus_me += scaled(*bonus_me),
            Effect::AssemblySpeed { bonus_permille } => {
                total.assembly_bonus_permille += scaled(*bonus_permille)
            }
            Effect::ShieldCapacity { shields } => total.shield_capacity_bonus += scaled(*shields),
            Effect::RoomBonus { bonus_permille } => total.room_bonus_permille += scaled(*bonus_permille),
            Effect::Core { bonus_permille } => total.core_bonus_permille += scaled(*bonus_permille),
        }
    }
}

fn add_rates(total: &mut RackEffect, parts: &[Part<'_>], catalogue: &Catalogue) {
    let (mut early, mut late) = (0, 0);
    for (start, part) in parts.iter().enumerate() {
        let rate = effect_value(part.spec, part.level, catalogue, |effect| match effect {
            Effect::Generate { rate_ud_per_s } => Some(*rate_ud_per_s),
            _ => None,
        });
        let Some(rate) = rate.filter(|_| part.powered) else { continue };
        let boost = effect_value(part.spec, part.level, catalogue, |effect| match effect {
            Effect::EarlyBoost { factor_permille } => Some(*factor_permille),
            _ => None,
        });
        let on_the_way: i64 =
            path_of(parts, start).into_iter().map(|index| path_bonus(&parts[index], catalogue)).sum();
        let factor = 1000 + on_the_way.min(catalogue.rack.path_bonus_max_permille);
        late += rate * factor / 1000;
        early += (rate * boost.unwrap_or(1000) / 1000) * factor / 1000;
    }
    total.rate_ud_per_s = late * (1000 + total.core_bonus_permille) / 1000;
    total.early_rate_ud_per_s = early * (1000 + total.core_bonus_permille) / 1000;
}

fn path_bonus(part: &Part<'_>, catalogue: &Catalogue) -> i64 {
    let bonus = effect_value(part.spec, part.level, catalogue, |effect| match effect {
        Effect::PathBonus { bonus_permille } => Some(*bonus_permille),
        _ => None,
    });
    bonus.unwrap_or(0)
}

fn add_synergies(total: &mut RackEffect, parts: &[Part<'_>], rack: &Rack, grid: Grid, catalogue: &Catalogue) {
    let rules = &catalogue.synergies;
    let mut core = 0;
    if full_voice(parts) {
        total.synergies.push(Synergy::FullVoice);
        core += rules.full_voice_permille;
    }
    let pairs = harmony_pairs(parts).min(rules.harmony_pairs_max);
    if pairs > 0 {
        total.synergies.push(Synergy::Harmony);
        core += pairs * rules.harmony_pair_permille;
    }
    if quiet_space(parts, rack, grid, rules.quiet_space_empty_min) {
        total.synergies.push(Synergy::QuietSpace);
        core += rules.quiet_space_permille;
    }
    let powered = || parts.iter().filter(|part| part.powered);
    if Rarity::ALL.iter().all(|rarity| powered().any(|part| part.spec.rarity == *rarity)) {
        total.synergies.push(Synergy::Spectrum);
        core += rules.spectrum_permille;
    }
    if total.category_energy_permille.iter().all(|bonus| *bonus > 0) {
        total.synergies.push(Synergy::FourWinds);
        total.energy_permille += rules.four_winds_energy_permille;
    }
    if in_time(parts, rules.in_time_neighbours_min) {
        total.synergies.push(Synergy::InTime);
        total.assembly_bonus_permille += rules.in_time_assembly_permille;
    }
    total.core_bonus_permille += core.min(rules.core_max_permille);
}

/// Whether a generator's path has a multiplier and, behind it, a modifier.
fn full_voice(parts: &[Part<'_>]) -> bool {
    (0..parts.len()).any(|start| {
        let kinds = path_of(parts, start).into_iter().map(|index| parts[index].spec.kind);
        let mut wanted =
            [ModuleKind::Generator, ModuleKind::Multiplier, ModuleKind::Modifier].into_iter().peekable();
        for kind in kinds {
            if wanted.peek() == Some(&kind) {
                wanted.next();
            }
        }
        wanted.peek().is_none()
    })
}

fn harmony_pairs(parts: &[Part<'_>]) -> i64 {
    let generators = || parts.iter().filter(|part| part.powered && part.spec.kind == ModuleKind::Generator);
    let mut pairs = 0;
    for (position, part) in generators().enumerate() {
        let beside = |other: &&Part<'_>| part.cell.distance(other.cell) == 1 && part.spec.id != other.spec.id;
        pairs += i64::try_from(generators().skip(position + 1).filter(beside).count()).unwrap_or(0);
    }
    pairs
}

fn quiet_space(parts: &[Part<'_>], rack: &Rack, grid: Grid, empty_min: i64) -> bool {
    parts.iter().filter(|part| part.powered && part.spec.rarity == Rarity::Legendary).any(|part| {
        let beside = grid.cells().filter(|cell| part.cell.distance(*cell) == 1);
        let empty = beside.filter(|cell| rack.module_at(*cell).is_none()).count();
        i64::try_from(empty).unwrap_or(0) >= empty_min
    })
}

fn in_time(parts: &[Part<'_>], neighbours_min: i64) -> bool {
    let is_clock = |part: &&Part<'_>| {
        part.powered && part.spec.effects.iter().any(|effect| matches!(effect, Effect::AssemblySpeed { .. }))
    };
    parts.iter().filter(is_clock).any(|clock| {
        let beside = parts.iter().filter(|part| part.powered && part.cell.distance(clock.cell) == 1).count();
        i64::try_from(beside).unwrap_or(0) >= neighbours_min
    })
}
