//! Outages and the heroes in memory: what the service missed is excused when a hero is taken in, and when an outage becomes
//! known later.

use std::sync::Arc;

use persistence::{HeroId, Outage};
use simulation::{command::Command, event::Event};

use super::{Hold, Shard};
use crate::uptime;

/// Heroes told of an outage in one tick: some milliseconds. The others wait for the next one; a thousand need a second.
const EXCUSED_PER_TICK_MAX: usize = 100;

impl Shard {
    /// Tells some of the heroes in memory of outages that were declared since they were taken in. One without room in
    /// the journal waits for the next tick, and all others behind it.
    pub(super) fn excuse_some(&mut self, now_ms: i64) {
        // Nobody declares anything any more when the sender is gone.
        if self.parts.outages.has_changed().unwrap_or(false) {
            self.parts.outages.mark_unchanged();
            self.to_excuse = self.owned().map(|(id, _)| id).collect();
        }
        if self.read_only {
            return;
        }
        for _ in 0..EXCUSED_PER_TICK_MAX {
            let Some(id) = self.to_excuse.pop_front() else { return };
            // Who has left is told where it comes to.
            let is_here = self.heroes.get(&id).is_some_and(|resident| resident.hold == Hold::Owner);
            if is_here && !self.excuse(id, now_ms) {
                return self.to_excuse.push_front(id);
            }
        }
    }

    /// Days in which the service was away break no streak (rules, section 3). Every outage that a remembered day may
    /// have seen is declared at each load: the rules find nothing to change the second time, and an outage that found
    /// no room in the journal, or was noted only later, is made up for. Says whether there was room.
    pub(super) fn excuse(&mut self, id: HeroId, now_ms: i64) -> bool {
        let outages = Arc::clone(&self.parts.outages.borrow());
        let Some(resident) = self.heroes.get(&id) else { return true };
        let hero = self.simulation.hero(resident.entity);
        if hero.handed_over().is_some() {
            return true;
        }
        let concerning: Vec<_> = uptime::concerning(&outages, &hero, now_ms).collect();
        for Outage { from_ms, until_ms } in concerning {
            // A refusal can only be a panic of the rules; the hero may be gone then.
            let Ok((advanced, decided)) = self.decide(id, &Command::DeclareOutage { from_ms, until_ms })
            else {
                return true;
            };
            if self.publish_time(id, &advanced).is_err() {
                return false;
            }
            let is_news = decided.first().is_some_and(|timed| timed.event != Event::NothingChanged);
            if is_news && self.publish(id, &decided, None).is_err() {
                return false;
            }
        }
        true
    }
}
