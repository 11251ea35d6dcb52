//! What the world keeps for each hero, and for itself.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use bevy_ecs::prelude::{Bundle, Component, Entity, Resource};

use crate::hero::Hero;
use crate::rules::focus::{DOPAMINE_PARTS, ENERGY_PARTS};

/// A hero in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeroEntity(pub(crate) Entity);

/// The cold part of a hero.
#[derive(Component, Debug)]
pub(crate) struct HeroCell {
    pub(crate) body: Body,
    /// What the hero is entered with in [`Boundaries`].
    pub(crate) boundary_ms: Option<i64>,
    /// A session or a break is open. Noted here, because it is asked every second of heroes that are packed.
    pub(crate) is_engaged: bool,
}

/// A hero as it lies in memory. Two words, so that starting and stopping a clock moves little.
#[derive(Debug)]
pub(crate) enum Body {
    /// As the rules read it.
    Open(Box<Hero>),
    /// As bytes, while nobody asks for it.
    Packed(Box<[u8]>),
}

/// The hot part, only while a session's clock runs: its clock, and the energy that has come since the rates were looked at. A tick
/// reads and writes this column and no other, so that a million heroes are still a stream of 32 bytes each.
///
/// The rates hold until `until_ms`. A tick never adds beyond it, so that sums stay below 2^63 however long a tick is.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The moment for which the sum holds.
    pub at_ms: i64,
    /// The moment until which the rates hold.
    pub until_ms: i64,
    /// Energy beyond what is settled, in 10^-12 mE (see the rules, section 2).
    pub energy_parts: i64,
    /// What is added to it each millisecond.
    pub energy_parts_per_ms: i64,
}

impl Accrual {
    /// Adds the time until `now_ms`, as far as the rates hold.
    pub fn advance(&mut self, now_ms: i64) {
        let ms = (now_ms.min(self.until_ms) - self.at_ms).max(0);
        self.at_ms += ms;
        self.energy_parts += ms * self.energy_parts_per_ms;
    }
}

/// The cold part of it: what the session had earned when its rates were looked at, and what follows from the clock alone.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// When that was.
    pub at_ms: i64,
    /// Focused time of the session.
    pub focus_ms: i64,
    /// Energy of the session, day ends included.
    pub energy_me: i64,
    /// Dopamine of the session.
    pub dopamine_md: i64,
    /// Dopamine beyond that, in 10^-9 mD.
    pub dopamine_parts: i64,
    /// What comes to it each millisecond.
    pub dopamine_parts_per_ms: i64,
}

/// A session whose clock runs.
#[derive(Bundle, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accruing {
    /// What a tick changes.
    pub accrual: Accrual,
    /// What it leaves alone.
    pub settled: Settled,
}

impl Accruing {
    /// Focused time of the session.
    #[must_use]
    pub const fn focus_ms(&self) -> i64 {
        self.settled.focus_ms + self.ticked_ms()
    }

    /// Energy of the session, rounded down.
    #[must_use]
    pub const fn energy_me(&self) -> i64 {
        self.settled.energy_me + self.accrual.energy_parts / ENERGY_PARTS
    }

    /// Dopamine of the session, rounded down.
    #[must_use]
    pub const fn dopamine_md(&self) -> i64 {
        let parts = self.settled.dopamine_parts + self.ticked_ms() * self.settled.dopamine_parts_per_ms;
        self.settled.dopamine_md + parts / DOPAMINE_PARTS
    }

    /// Time since the rates were looked at.
    const fn ticked_ms(&self) -> i64 {
        self.accrual.at_ms - self.settled.at_ms
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
