//! A decision in the making: a copy of the hero that already has the events so far.

use alloc::vec::Vec;

use crate::apply::apply;
use crate::catalogue::Catalogue;
use crate::event::{Event, TimedEvent};
use crate::hero::Hero;
use crate::rack::RackEffect;
use crate::rules::rack;

/// Rules look at `hero` and emit events; each event is applied to the copy at once, so that the next rule sees it.
pub(crate) struct Draft<'a> {
    /// As it will be.
    pub(crate) hero: Hero,
    /// The numbers.
    pub(crate) catalogue: &'a Catalogue,
    /// What happened so far.
    pub(crate) events: Vec<TimedEvent>,
    /// What the rack does, looked at once until it changes.
    effect: Option<RackEffect>,
    /// The rack changed: what depends on its layout has to be looked at.
    pub(crate) rack_touched: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(hero: &Hero, catalogue: &'a Catalogue) -> Self {
        Self { hero: hero.clone(), catalogue, events: Vec::new(), effect: None, rack_touched: false }
    }

    /// Something happened at `at_ms`.
    pub(crate) fn emit(&mut self, at_ms: i64, event: Event) {
        let timed = TimedEvent { at_ms, event };
        match timed.event {
            // A level may bring cells, and with them room around a module.
            Event::RackChanged { .. } | Event::LevelReached { .. } | Event::HeroCreated { .. } => {
                self.rack_touched = true;
                self.effect = None;
            }
            Event::ModuleUpgraded { .. } | Event::ModuleSold { .. } | Event::GuestUnited { .. } => {
                self.effect = None;
            }
            _ => {}
        }
        apply(&mut self.hero, &timed);
        self.events.push(timed);
    }

    /// What the rack does now.
    pub(crate) fn effect(&mut self) -> &RackEffect {
        self.hero_and_effect().1
    }

    /// The hero, and what its rack does now.
    pub(crate) fn hero_and_effect(&mut self) -> (&Hero, &RackEffect) {
        let (hero, catalogue) = (&self.hero, self.catalogue);
        (hero, self.effect.get_or_insert_with(|| rack::effect(hero, catalogue)))
    }

    /// The number of the next thing that is made.
    pub(crate) fn next_id(&self) -> u32 {
        self.hero.last_id + 1
    }
}
