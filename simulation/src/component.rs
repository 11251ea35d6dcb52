//! What the world keeps for each hero, and for itself.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use bevy_ecs::prelude::{Component, Entity, Resource};

use crate::hero::Hero;

/// A hero in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeroEntity(pub(crate) Entity);

/// The cold part of a hero. Boxed, so that starting and stopping a clock moves a pointer.
#[derive(Component, Debug)]
pub(crate) struct HeroCell {
    pub(crate) hero: Box<Hero>,
    /// What the hero is entered with in [`Boundaries`].
    pub(crate) boundary_ms: Option<i64>,
}

/// The hot part, only while a session's clock runs: what the session has earned and how fast it earns.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accrual {
    /// Energy in 10^-12 mE (see the rules, section 2): `floor(numerator / 10^12)` is in mE.
    pub energy_numerator: i64,
    /// What is added to it each millisecond.
    pub energy_per_ms: i64,
    /// Dopamine in 10^-9 mD.
    pub dopamine_numerator: i64,
    /// What is added to it each millisecond.
    pub dopamine_per_ms: i64,
}

/// The moment up to which everything has accrued.
#[derive(Resource, Debug, Default)]
pub(crate) struct Now {
    /// The moment of the last tick.
    pub(crate) ticked_ms: Option<i64>,
    /// How long the last tick was.
    pub(crate) step_ms: i64,
}

/// Who is due when: the next moment at which a rate changes or time alone makes something happen.
#[derive(Resource, Debug, Default)]
pub(crate) struct Boundaries(pub(crate) BTreeSet<(i64, HeroEntity)>);

/// Who is due now, oldest boundary first.
#[derive(Resource, Debug, Default)]
pub(crate) struct Due(pub(crate) Vec<HeroEntity>);
