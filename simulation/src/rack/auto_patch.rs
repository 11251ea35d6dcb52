//! Lays out and cables everything that is owned, in one command.
//!
//! The layout follows a snake through the grid (left to right, then right to left): two places that are at most
//! two apart on the snake are at most two apart on the grid, which is the shortest reach of a cable. Along the
//! snake runs one spine, `generator generator multiplier generator multiplier … modifier … core`: the strongest
//! generators come first, so that they pass every multiplier, and the weakest multiplier comes first, because the
//! later generators miss it. Generators that find no input in the spine go straight into the core.
//!
//! When not everything fits, modules are chosen greedily by what they add; ties are broken by name.

use alloc::vec::Vec;

use crate::catalogue::{Catalogue, Effect, ModuleKind, ModuleSpec};
use crate::id::ModuleId;

use super::{CORE, Cable, Cell, Grid, Placement, Rack, RackEffect, effect_value, evaluate};

/// A module that may be placed.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    spec: &'a ModuleSpec,
    /// What the primary effect is worth among modules of its kind.
    strength: i64,
}

/// The best rack that the greedy way finds for the owned modules (id and module level), or `current` if that is
/// better. Depends on nothing else; the result is valid.
#[must_use]
pub fn auto_patch(owned: &[(ModuleId, u8)], current: &Rack, grid: Grid, catalogue: &Catalogue) -> Rack {
    let level_of = |id: ModuleId| owned.iter().find(|(owned, _)| *owned == id).map(|(_, level)| *level);
    let worth = |rack: &Rack| worth_of(&evaluate(rack, grid, level_of, catalogue), catalogue);
    let candidates = candidates_of(owned, catalogue);
    let cells = usize::from(grid.cell_count());

    let chosen = if candidates.len() <= cells {
        candidates
    } else {
        choose(&candidates, cells, |chosen| worth(&lay_out(chosen, grid, catalogue)))
    };
    let kept = current.fitted(|id| level_of(id).is_some(), grid, catalogue);
    let laid_out = lay_out(&chosen, grid, catalogue);
    if worth(&laid_out) > worth(&kept) { laid_out } else { kept }
}

fn candidates_of<'a>(owned: &[(ModuleId, u8)], catalogue: &'a Catalogue) -> Vec<Candidate<'a>> {
    let mut candidates: Vec<Candidate<'a>> = owned
        .iter()
        .filter_map(|(id, level)| {
            let spec = catalogue.module(*id)?;
            let strength = effect_value(spec, *level, catalogue, |effect| match effect {
                Effect::Generate { rate_ud_per_s } => Some(*rate_ud_per_s),
                Effect::PathBonus { bonus_permille } => Some(*bonus_permille),
                _ => None,
            });
            Some(Candidate { spec, strength: strength.unwrap_or(0) })
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.spec.id);
    candidates.dedup_by_key(|candidate| candidate.spec.id);
    candidates
}

/// Adds the candidate that adds most until the grid is full, and gives the best choice on the way. A step may lose
/// (the last empty cell beside a legendary module, say), because the steps behind it can make up for that.
fn choose<'a>(
    candidates: &[Candidate<'a>],
    cells: usize,
    worth: impl Fn(&[Candidate<'a>]) -> i128,
) -> Vec<Candidate<'a>> {
    let mut chosen: Vec<Candidate<'a>> = Vec::new();
    let mut best: (i128, usize) = (0, 0);
    while chosen.len() < cells {
        let mut step: Option<(i128, Candidate<'a>)> = None;
        for candidate in candidates {
            if chosen.iter().any(|other| other.spec.id == candidate.spec.id) {
                continue;
            }
            chosen.push(*candidate);
            let with_it = worth(&chosen);
            chosen.pop();
            if step.as_ref().is_none_or(|(most, _)| with_it > *most) {
                step = Some((with_it, *candidate));
            }
        }
        let Some((with_it, candidate)) = step else { break };
        chosen.push(candidate);
        if with_it > best.0 {
            best = (with_it, chosen.len());
        }
    }
    chosen.truncate(best.1);
    chosen
}

/// What a rack is worth, as one number: its dopamine, times its energy, with a modest price for every power that
/// is neither. Only for comparing racks of the same hero.
fn worth_of(effect: &RackEffect, catalogue: &Catalogue) -> i128 {
    // A session of 25 minutes has 10 early ones.
    let rate = effect.early_rate_ud_per_s * 2 + effect.rate_ud_per_s * 3;
    // A category's bonus works in about one session of four, a task bonus on about a tenth of the income, a
    // milli-energy a break on about a thousandth; 20 s of ramp are worth about a permille and a half.
    let relief = catalogue.focus.interruption_ramp_loss_ms - effect.interruption_ramp_loss_ms;
    let permille = effect.energy_permille
        + effect.category_energy_permille.iter().sum::<i64>() / 4
        + effect.task_bonus_permille / 10
        + effect.break_bonus_me / 50
        + effect.assembly_bonus_permille / 10
        + effect.ramp_start_ms / 9_000
        + relief / 9_000
        + effect.shield_capacity_bonus * 40
        + effect.room_bonus_permille / 5;
    i128::from(rate) * i128::from(1000 + permille)
}

/// The places of the grid in the order of the snake.
fn snake(grid: Grid) -> impl Iterator<Item = Cell> {
    (0..grid.rows).flat_map(move |row| {
        (0..grid.columns).filter_map(move |step| {
            let column = if row % 2 == 0 { step } else { grid.columns - 1 - step };
            Cell::new(column, row)
        })
    })
}

/// Lays out the chosen modules along the snake. Those that find no place or no input are left out.
fn lay_out(chosen: &[Candidate<'_>], grid: Grid, catalogue: &Catalogue) -> Rack {
    let of_kind = |wanted: fn(ModuleKind) -> bool| {
        let mut modules: Vec<Candidate<'_>> =
            chosen.iter().copied().filter(|candidate| wanted(candidate.spec.kind)).collect();
        modules.sort_by_key(|candidate| (candidate.strength, candidate.spec.id));
        modules
    };
    // Weakest first: multipliers are used from the front, generators from the back.
    let mut generators = of_kind(|kind| kind == ModuleKind::Generator);
    let mut spine = of_kind(|kind| kind == ModuleKind::Multiplier);
    // Modifiers come before specials, so that full_voice needs no luck.
    spine.extend(of_kind(|kind| kind == ModuleKind::Modifier));
    spine.extend(of_kind(|kind| kind == ModuleKind::Special));

    let mut layer = Layer { places: snake(grid).collect(), used: 0, rack: Rack::default() };
    let mut core_inputs = catalogue.rack.core_inputs;
    if !generators.is_empty() && !spine.is_empty() {
        layer.lay_spine(&spine, &mut generators);
        core_inputs = core_inputs.saturating_sub(1);
    }
    for _ in 0..core_inputs {
        let Some(generator) = generators.pop() else { break };
        layer.put(generator.spec.id, CORE);
    }
    layer.rack.sort();
    layer.rack
}

/// Puts modules on the places of the snake, one after the other.
struct Layer {
    places: Vec<Cell>,
    used: usize,
    rack: Rack,
}

impl Layer {
    fn put(&mut self, module_id: ModuleId, to: ModuleId) {
        if let Some(cell) = self.places.get(self.used) {
            self.used += 1;
            self.rack.placements.push(Placement { cell: *cell, module_id });
            self.rack.cables.push(Cable { from: module_id, to });
        }
    }

    fn room(&self) -> usize {
        self.places.len() - self.used
    }

    /// Lays the spine with as many generators as find an input within two steps on the snake: two before the
    /// first module, and one in each gap behind a module.
    fn lay_spine(&mut self, spine: &[Candidate<'_>], generators: &mut Vec<Candidate<'_>>) {
        // A spine that ends too early would not reach the core: drop what has no place.
        let spine = &spine[..spine.len().min(self.room().saturating_sub(1))];
        let Some(head) = spine.first() else { return };
        let mut left = spine.len();
        let mut free = usize::from(head.spec.inputs);
        for _ in 0..free.min(2) {
            if self.room() > left
                && let Some(generator) = generators.pop()
            {
                self.put(generator.spec.id, head.spec.id);
                free -= 1;
            }
        }
        for (index, module) in spine.iter().enumerate() {
            let next = spine.get(index + 1);
            self.put(module.spec.id, next.map_or(CORE, |next| next.spec.id));
            left -= 1;
            // The next module's first input is for this one.
            let mut next_free = next.map_or(0, |next| usize::from(next.spec.inputs).saturating_sub(1));
            if self.room() > left && (free > 0 || next_free > 0) {
                let to = if free > 0 { Some(module.spec.id) } else { next.map(|next| next.spec.id) };
                if let (Some(generator), Some(to)) = (generators.last(), to) {
                    self.put(generator.spec.id, to);
                    generators.pop();
                    if free == 0 {
                        next_free -= 1;
                    }
                }
            }
            free = next_free;
        }
    }
}
