//! What can be paid, and levels: rules, section 4.

use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::Event;
use crate::hero::Hero;
use crate::rejection::Rejection;

pub(super) fn afford_me(hero: &Hero, needed_me: i64) -> Result<(), Rejection> {
    if hero.wallet.energy_me >= needed_me { Ok(()) } else { Err(Rejection::NotEnoughEnergy { needed_me }) }
}

pub(super) fn afford_md(hero: &Hero, needed_md: i64) -> Result<(), Rejection> {
    if hero.wallet.dopamine_md >= needed_md {
        Ok(())
    } else {
        Err(Rejection::NotEnoughDopamine { needed_md })
    }
}

/// Experience: all energy ever earned, in whole E.
#[must_use]
pub fn experience(hero: &Hero) -> i64 {
    hero.wallet.lifetime_me.div_euclid(1000)
}

/// Announces the level that the experience gives. A level never falls, not even by a new catalogue.
pub(crate) fn level_up(draft: &mut Draft<'_>, at_ms: i64) {
    let level = level(&draft.hero, draft.catalogue);
    if level > draft.hero.wallet.level {
        draft.emit(at_ms, Event::LevelReached { level });
    }
}

/// The level that the experience gives.
#[must_use]
pub fn level(hero: &Hero, catalogue: &Catalogue) -> u8 {
    catalogue.levels.level_of(experience(hero))
}
