//! What another catalogue would change for the heroes in memory. Shards give copies in slices, and everything else
//! happens beside them: the rules themselves are asked, on the copies, under both catalogues.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use admin_http::Refused;
use admin_http::views::DryRunHero;
use persistence::HeroId;
use simulation::apply::apply;
use simulation::catalogue::Catalogue;
use simulation::command::{Category, Command, FocusMode};
use simulation::decide::decide;
use simulation::hero::Hero;
use simulation::rack::Grid;
use simulation::rules::accrual::accrual;
use simulation::rules::{assembly, streak, wallet};

use crate::node::Node;

/// Most heroes that a dry run looks at.
const HEROES_MAX: u64 = 10_000;
/// Most heroes that are shown.
const EXAMPLES_MAX: usize = 100;
/// Most words about one of them.
const NOTES_MAX: usize = 12;
/// Counts of the histogram: the middle one is for no change.
const BUCKETS: usize = 41;
/// How much each of them covers, in thousandths.
const BUCKET_PERMILLE: i64 = 50;
/// How long the focus lasts for which energy is compared.
const HOUR_MS: i64 = 3_600_000;
/// Most names of things that are gone, over all heroes.
const GONE_MAX: usize = 100;

/// What a dry run found.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) heroes: u64,
    pub(super) heroes_changed: u64,
    pub(super) heroes_broken: u64,
    pub(super) examples: Vec<DryRunHero>,
    pub(super) histogram: Vec<u64>,
}

/// Tries another catalogue on the heroes of every shard, as many of each, until there are enough.
pub(super) async fn try_heroes(
    node: &Node,
    from: Arc<Catalogue>,
    to: Arc<Catalogue>,
) -> Result<Tried, Refused> {
    let mut tried = Tried {
        heroes: 0,
        heroes_changed: 0,
        heroes_broken: 0,
        examples: Vec::new(),
        histogram: vec![0; BUCKETS],
    };
    let mut open: Vec<_> = node.shards().iter().map(|shard| (shard, None)).collect();
    while tried.heroes < HEROES_MAX && !open.is_empty() {
        let mut next = Vec::new();
        for (shard, after) in open {
            let (mut slice, rest) = shard.survey(after).await;
            slice.truncate(usize::try_from(HEROES_MAX - tried.heroes).unwrap_or(0));
            let (from, to, now_ms) = (Arc::clone(&from), Arc::clone(&to), node.clock.now_ms());
            let differences = tokio::task::spawn_blocking(move || {
                let try_one = |(id, hero): &(HeroId, Hero)| try_hero(*id, hero, now_ms, &from, &to);
                slice.iter().filter_map(try_one).collect::<Vec<_>>()
            });
            let differences = differences.await.map_err(|_panicked| Refused::Internal)?;
            differences.into_iter().for_each(|difference| tried.add(difference));
            next.extend(rest.map(|id| (shard, Some(id))));
        }
        open = next;
    }
    Ok(tried)
}

impl Tried {
    fn add(&mut self, Difference { hero, is_broken }: Difference) {
        self.heroes += 1;
        self.heroes_broken += u64::from(is_broken);
        let (from_me, to_me) = (hero.energy_per_hour_from_me, hero.energy_per_hour_to_me);
        if let Some(count) = self.histogram.get_mut(bucket(from_me, to_me)) {
            *count += 1;
        }
        if from_me == to_me && hero.notes.is_empty() {
            return;
        }
        self.heroes_changed += 1;
        let change =
            |hero: &DryRunHero| (hero.energy_per_hour_to_me - hero.energy_per_hour_from_me).unsigned_abs();
        let place = self.examples.partition_point(|example| change(example) >= change(&hero));
        if place < EXAMPLES_MAX {
            self.examples.insert(place, hero);
            self.examples.truncate(EXAMPLES_MAX);
        }
    }
}

/// Where a change of the energy rate is counted.
fn bucket(from_me: i64, to_me: i64) -> usize {
    let middle = i64::try_from(BUCKETS / 2).expect("a small number");
    let permille = match from_me {
        0 => (to_me - from_me).signum() * 1_000,
        _ => (to_me - from_me).saturating_mul(1_000) / from_me,
    };
    // To the nearest: half a step belongs to the one further out.
    let steps = (permille.abs() + BUCKET_PERMILLE / 2) / BUCKET_PERMILLE * permille.signum();
    usize::try_from(steps.clamp(-middle, middle) + middle).expect("not below the first")
}

/// What changes for one hero.
struct Difference {
    hero: DryRunHero,
    is_broken: bool,
}

/// Nothing for a hero that is over: it became part of another one.
fn try_hero(id: HeroId, hero: &Hero, now_ms: i64, from: &Catalogue, to: &Catalogue) -> Option<Difference> {
    if hero.handed_over().is_some() {
        return None;
    }
    let gone = gone(hero, to);
    let try_it = || {
        let notes = notes(hero, from, to);
        (energy_per_hour_me(hero, now_ms, from), energy_per_hour_me(hero, now_ms, to), notes)
    };
    let tried = catch_unwind(AssertUnwindSafe(try_it));
    let is_broken = !gone.is_empty() || tried.is_err();
    let (from_me, to_me, found) = tried
        .unwrap_or_else(|_panic| (0, 0, vec!["the rules break on it: a mistake of the program".to_owned()]));
    let gone = gone.into_iter().map(|name| format!("{name} is gone"));
    let notes = gone.chain(found).take(NOTES_MAX).collect();
    let hero = DryRunHero {
        hero_id: id.to_string(),
        energy_per_hour_from_me: from_me,
        energy_per_hour_to_me: to_me,
        notes,
    };
    Some(Difference { hero, is_broken })
}

/// Energy of an hour of focus that began now, with nothing else open.
fn energy_per_hour_me(hero: &Hero, now_ms: i64, catalogue: &Catalogue) -> i64 {
    let mut hero = hero.clone();
    // What runs counts for the day, and is over.
    hero.today.focus_ms = hero.day_focus_ms();
    (hero.session, hero.on_break, hero.to_confirm) = (None, None, None);
    let shortest_ms = catalogue.focus.countdown_min_ms;
    let planned_ms = HOUR_MS.clamp(shortest_ms, catalogue.focus.countdown_max_ms.max(shortest_ms));
    let planned_minutes = u16::try_from(planned_ms / 60_000).unwrap_or(u16::MAX);
    let mode = FocusMode::Countdown { planned_minutes };
    let start = Command::StartFocus { mode, category: Category::None, task_id: None };
    let Ok(events) = decide(&hero, &start, now_ms, catalogue) else { return 0 };
    events.iter().for_each(|timed| apply(&mut hero, timed));
    let begun_ms = hero.latest_ms.max(now_ms);
    accrual(&hero, begun_ms + HOUR_MS, catalogue).map_or(0, |accruing| accruing.energy_me())
}

/// What changes beside the rate, in words.
fn notes(hero: &Hero, from: &Catalogue, to: &Catalogue) -> Vec<String> {
    let mut notes = Vec::new();
    let mut compare = |what: &str, from: i64, to: i64| {
        if from != to {
            notes.push(format!("{what} {from} → {to}"));
        }
    };
    let level = |catalogue| i64::from(wallet::level(hero, catalogue));
    compare("level", level(from), level(to));
    let slots = |catalogue| i64::from(assembly::slots(hero, catalogue));
    compare("assembly slots", slots(from), slots(to));
    let shields = |catalogue| i64::from(streak::shields_max(hero, catalogue));
    compare("shields at most", shields(from), shields(to));
    let cells = |catalogue| i64::from(Grid::at_level(hero.wallet.level, catalogue).cell_count());
    compare("cells of the rack", cells(from), cells(to));
    if let Some(blueprint) = hero.assembly.blueprint.as_deref() {
        let price = |catalogue: &Catalogue| catalogue.module(blueprint.module_id).map(|spec| spec.cost_me);
        if let (Some(from_me), Some(to_me)) = (price(from), price(to)) {
            compare(&format!("price of {} in mE", blueprint.module_id), from_me, to_me);
        }
    }
    let outside = hero.rack.placements.iter();
    let grid = Grid::at_level(hero.wallet.level, to);
    let outside = outside.filter(|placement| !grid.contains(placement.cell)).count();
    if outside > 0 {
        notes.push(format!("{outside} modules lie outside of the smaller rack"));
    }
    notes
}

/// What a hero owns or builds that a catalogue does not have.
fn gone(hero: &Hero, catalogue: &Catalogue) -> BTreeSet<String> {
    let owned = hero.modules.iter().map(|module| module.module_id);
    let built = hero.assembly.jobs.iter().map(|job| job.module_id);
    let wanted = hero.assembly.blueprint.iter().map(|blueprint| blueprint.module_id);
    let modules = owned.chain(built).chain(wanted).filter(|id| catalogue.module(*id).is_none());
    let cosmetics = hero.cosmetics.owned.iter().filter(|id| catalogue.cosmetic(**id).is_none());
    modules.map(|id| id.to_string()).chain(cosmetics.map(ToString::to_string)).collect()
}

/// Heroes that a catalogue would leave without something.
#[derive(Debug, Default)]
pub(super) struct Broken {
    pub(super) heroes: u64,
    /// What it does not have, of all of them.
    pub(super) modules: BTreeSet<String>,
}

/// Looks at every hero in memory.
pub(super) async fn find_broken(node: &Node, to: &Catalogue) -> Broken {
    let mut broken = Broken::default();
    for shard in node.shards() {
        let mut after = None;
        loop {
            let (slice, next) = shard.survey(after).await;
            for (_, hero) in slice.iter().filter(|(_, hero)| hero.handed_over().is_none()) {
                let gone = gone(hero, to);
                broken.heroes += u64::from(!gone.is_empty());
                broken.modules.extend(gone);
                while broken.modules.len() > GONE_MAX {
                    broken.modules.pop_last();
                }
            }
            match next {
                Some(_) => after = next,
                None => break,
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn a_change_is_counted_at_the_nearest_step() {
        for (from_me, to_me, expected) in [
            (1_000, 1_000, 20),
            (0, 0, 20),
            (0, 5, 40),
            (1_000, 1_024, 20),
            (1_000, 1_025, 21),
            (1_000, 976, 20),
            (1_000, 975, 19),
            (1_000, 1_500, 30),
            (1_000, 0, 0),
            (1_000, 9_000, 40),
        ] {
            assert_eq!(bucket(from_me, to_me), expected, "{from_me} → {to_me}");
        }
    }
}
