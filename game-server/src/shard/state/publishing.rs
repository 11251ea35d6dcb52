//! What operators publish comes between two ticks: another catalogue, words for every player. From then on the rules use
//! the new numbers. The rates that a running session shows, and when a hero is due next, follow in a round over all
//! heroes, a part of it each tick; until then a hero may be looked at too late, which changes no amount.

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use persistence::HeroId;
use protocol::codec;
use protocol::server::{Events, Notice, ServerMessage};
use simulation::hero::Hero;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Hold, Output, Shard};
use crate::convert;
use crate::published::Posted;

/// Heroes after which a round looks at the time.
const STEP_HEROES: usize = 32;
/// Heroes of a round in one tick, where the time stands still.
const TICK_HEROES_MAX: usize = 8_192;
/// The part of a tick's period that a round may take: 4 is a quarter. Half of it and more is the ticks' own.
const TICK_SHARE: u32 = 4;
/// Most heroes of one slice of a survey: copying them takes about as long as a small tick.
pub(in crate::shard) const SLICE_HEROES_MAX: usize = 256;

/// A slice of a survey: heroes of which this node is the writer, ascending by id.
pub(in crate::shard) type Slice = Vec<(HeroId, Hero)>;

/// A walk over all heroes, by id.
#[derive(Debug)]
pub(super) struct Round {
    after: Option<HeroId>,
    /// The numbers are other ones, not only the words.
    is_repriced: bool,
}

impl Shard {
    pub(in crate::shard) fn publish_posted(&mut self, posted: &Posted) {
        let is_repriced = posted.catalogue != self.parts.catalogue;
        if !is_repriced && posted.notice == self.notice {
            return;
        }
        if is_repriced {
            self.parts.catalogue = Arc::clone(&posted.catalogue);
            self.simulation.set_catalogue(Arc::clone(&posted.catalogue));
        }
        self.notice.clone_from(&posted.notice);
        // What an earlier round has not reached yet is done by this one.
        let is_repriced = is_repriced || self.round.as_ref().is_some_and(|round| round.is_repriced);
        self.round = Some(Round { after: None, is_repriced });
    }

    /// What players are told now.
    pub(super) fn notice_now(&self) -> Option<&Notice> {
        let now_ms = self.parts.clock.now_ms();
        self.notice.as_ref().filter(|notice| notice.until_ms.is_none_or(|until_ms| until_ms > now_ms))
    }

    /// Goes on with a round for a part of a tick.
    pub(super) fn go_round(&mut self) {
        let Some(mut round) = self.round.take() else { return };
        let started = Instant::now();
        let share = Duration::from_secs(1) / self.parts.tick_hz / TICK_SHARE;
        for _ in 0..TICK_HEROES_MAX / STEP_HEROES {
            let from = round.after.map_or(Bound::Unbounded, Bound::Excluded);
            let heroes = self.heroes.range((from, Bound::Unbounded));
            let step: Vec<HeroId> = heroes.map(|(id, _)| *id).take(STEP_HEROES).collect();
            for id in &step {
                if round.is_repriced {
                    self.reprice(*id);
                }
                self.tell_status(*id);
            }
            let Some(last) = step.last() else { return };
            round.after = Some(*last);
            if started.elapsed() >= share {
                break;
            }
        }
        self.round = Some(round);
    }

    /// A hero under other numbers: its rates, when it is due, and what its devices show of prices and limits.
    fn reprice(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let (entity, is_watched) = (resident.entity, !resident.devices.is_empty());
        let (now_ms, catalogue) = (self.parts.clock.now_ms(), Arc::clone(&self.parts.catalogue));
        let simulation = &mut self.simulation;
        let reprice = || {
            simulation.refresh(entity, now_ms);
            let hero = simulation.hero(entity);
            is_watched.then(|| convert::repriced(&hero, &catalogue, now_ms))
        };
        match catch_unwind(AssertUnwindSafe(reprice)) {
            Ok(None) => {}
            Ok(Some(patch)) => {
                let news = Events { events: Vec::new(), patch };
                let frame = codec::encode_server(&ServerMessage::Events(Box::new(news)));
                self.tell(id, Output::Repriced { hero: id, frame });
            }
            Err(_panic) => self.panicked(id),
        }
    }

    /// Copies of some heroes, from after one id on: what rules would do with them is tried elsewhere. Fewer than
    /// [`SLICE_HEROES_MAX`] are the last ones.
    pub(in crate::shard) fn survey(&self, after: Option<HeroId>, answer: oneshot::Sender<Slice>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let owned =
            self.heroes.range((from, Bound::Unbounded)).filter(|(_, hero)| hero.hold != Hold::Follower);
        let copies = owned
            .take(SLICE_HEROES_MAX)
            .map(|(id, resident)| (*id, self.simulation.hero(resident.entity).into_owned()));
        // Whoever asked may have given up.
        let _gone = answer.send(copies.collect());
    }
}
