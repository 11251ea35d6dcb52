//! Heroes that became one: a guest's hero is handed over, and an account's takes in what it leaves.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Hero;
use crate::id::HeroKey;

/// United guests that a hero remembers. A union is over long before so many others have followed it, and the accounts
/// see to it that no guest is united a second time: the oldest may be forgotten.
pub const GUESTS_KEPT: usize = 64;

/// Heroes that became part of this one, or the one that it became part of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kin {
    /// Guests that were united with it, the latest last.
    pub guests: Vec<HeroKey>,
    /// It is over: what it had is another hero's.
    pub handed_over: Option<HandedOver>,
}

/// The end of a guest's hero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// Whose part it became.
    pub into: HeroKey,
    /// When.
    pub at_ms: i64,
    /// The energy that it had.
    pub energy_me: i64,
    /// The dopamine that it had.
    pub dopamine_md: i64,
}

impl Hero {
    /// How it ended, if it was handed over.
    #[must_use]
    pub fn handed_over(&self) -> Option<&HandedOver> {
        self.kin.as_deref()?.handed_over.as_ref()
    }

    /// Whether that guest is part of it.
    #[must_use]
    pub fn has_united(&self, guest: HeroKey) -> bool {
        self.kin.as_deref().is_some_and(|kin| kin.guests.contains(&guest))
    }
}

/// What a guest's hero leaves. It can only be had of one that was handed over, which never changes again: however often
/// it is asked for, it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estate {
    guest: HeroKey,
    end: HandedOver,
    hero: Box<Hero>,
}

impl Estate {
    /// Of this guest's hero; nothing as long as it lives.
    #[must_use]
    pub fn of(guest: HeroKey, hero: Hero) -> Option<Self> {
        let end = *hero.handed_over()?;
        Some(Self { guest, end, hero: Box::new(hero) })
    }

    /// Whose.
    #[must_use]
    pub const fn guest(&self) -> HeroKey {
        self.guest
    }

    /// How it ended.
    #[must_use]
    pub const fn end(&self) -> &HandedOver {
        &self.end
    }

    /// The hero as it was.
    #[must_use]
    pub const fn hero(&self) -> &Hero {
        &self.hero
    }
}
