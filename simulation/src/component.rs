//! What the world keeps for each hero, and for itself.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use bevy_ecs::prelude::{Component, Entity, Resource};

use crate::hero::Hero;
use crate::rules::focus::{DOPAMINE_PARTS, ENERGY_PARTS};

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

/// The hot part, only while a session's clock runs: what the session has earned by `at_ms`, and how fast it earns.
///
/// The rates hold until `until_ms`. A tick never adds beyond it, so that `parts` stay below 2^63 however long a tick is.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The session.
    pub session_id: u32,
    /// The moment for which the sums hold.
    pub at_ms: i64,
    /// The moment until which the rates hold.
    pub until_ms: i64,
    /// Focused time of the session.
    pub focus_ms: i64,
    /// Energy of the session that is settled, day ends included.
    pub energy_me: i64,
    /// Energy beyond that, in 10^-12 mE (see the rules, section 2).
    pub energy_parts: i64,
    /// What is added to it each millisecond.
    pub energy_parts_per_ms: i64,
    /// Dopamine of the session that is settled.
    pub dopamine_md: i64,
    /// Dopamine beyond that, in 10^-9 mD.
    pub dopamine_parts: i64,
    /// What is added to it each millisecond.
    pub dopamine_parts_per_ms: i64,
}

impl Accrual {
    /// Adds the time until `now_ms`, as far as the rates hold.
    pub fn advance(&mut self, now_ms: i64) {
        let ms = (now_ms.min(self.until_ms) - self.at_ms).max(0);
        self.at_ms += ms;
        self.focus_ms += ms;
        self.energy_parts += ms * self.energy_parts_per_ms;
        self.dopamine_parts += ms * self.dopamine_parts_per_ms;
    }

    /// Energy of the session, rounded down.
    #[must_use]
    pub const fn energy_total_me(&self) -> i64 {
        self.energy_me + self.energy_parts / ENERGY_PARTS
    }

    /// Dopamine of the session, rounded down.
    #[must_use]
    pub const fn dopamine_total_md(&self) -> i64 {
        self.dopamine_md + self.dopamine_parts / DOPAMINE_PARTS
    }

    /// How fast energy comes, in millionths of an E a second.
    #[must_use]
    pub const fn energy_rate_ue_per_s(&self) -> i64 {
        // 10^-12 mE a ms are 10^-6 µE a second.
        self.energy_parts_per_ms / 1_000_000
    }

    /// How fast dopamine comes, in millionths of a D a second.
    #[must_use]
    pub const fn dopamine_rate_ud_per_s(&self) -> i64 {
        // 10^-9 mD a ms are 10^-3 µD a second.
        self.dopamine_parts_per_ms / 1000
    }
}

/// The moment up to which everything has accrued.
#[derive(Resource, Debug, Default)]
pub(crate) struct Now {
    /// The moment of the last tick; nothing before the first.
    pub(crate) ticked_ms: Option<i64>,
}

/// Who is due when: the next moment at which a rate changes or time alone makes something happen.
#[derive(Resource, Debug, Default)]
pub(crate) struct Boundaries(pub(crate) BTreeSet<(i64, HeroEntity)>);

/// Who is due now, oldest boundary first.
#[derive(Resource, Debug, Default)]
pub(crate) struct Due(pub(crate) Vec<HeroEntity>);
