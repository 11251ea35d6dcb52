//! The world: every hero in memory as one entity, and the tick.
//!
//! A hero is one entity: its cold state in [`HeroCell`], and only while a session's clock runs the hot column
//! [`Accrual`]. A tick adds `rate · dt` to every accruing hero and hands out the heroes whose next boundary has passed;
//! heroes with nothing running cost no tick.
//!
//! Deciding and changing are apart: [`Simulation::plan`] and [`Simulation::overdue`] only look, [`Simulation::commit`]
//! changes. Between them the caller reserves room in the journal, so that a refused command has changed nothing, and a
//! hero that is due but cannot be journaled yet simply stays due.
//!
//! A hero that nobody asks for can be packed: it is bytes then, about a third as large. Whoever reads or changes it does not
//! notice but for the time that it takes.

use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};

use bevy_ecs::{
    prelude::{IntoScheduleConfigs, Schedule, World},
    schedule::{LogLevel, ScheduleBuildSettings, SingleThreadedExecutor},
};

use crate::{
    advance::advance,
    apply::apply,
    catalogue::Catalogue,
    command::Command,
    component::{Accrual, Accruing, Body, Boundaries, Due, HeroCell, Now, Settled},
    decide::decide,
    event::TimedEvent,
    hero::Hero,
    rejection::Rejection,
    rules::accrual::{accrual, next_boundary_ms},
    systems::{accrue, collect_due},
};

pub use crate::component::HeroEntity;

/// What a command would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What time did before the command; it happens even if the command is refused.
    pub advanced: Vec<TimedEvent>,
    /// What the command does: at least one event, the one that names it first.
    pub decided: Result<Vec<TimedEvent>, Rejection>,
}

/// Looks at a hero before and after each event that becomes true.
pub trait Witness {
    /// What the event is about to change.
    fn before(&mut self, hero: &Hero, timed: &TimedEvent);
    /// What it has changed.
    fn after(&mut self, hero: &Hero, timed: &TimedEvent);
}

/// Nobody looks.
impl Witness for () {
    fn before(&mut self, _hero: &Hero, _timed: &TimedEvent) {}
    fn after(&mut self, _hero: &Hero, _timed: &TimedEvent) {}
}

/// How a hero becomes bytes and a hero again. What is packed is unpacked by the same process: the bytes are for no other.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// The bytes of a hero.
    pub pack: fn(&Hero) -> Box<[u8]>,
    /// The same hero out of them.
    pub unpack: fn(&[u8]) -> Hero,
}

/// Many heroes, one clock.
pub struct Simulation {
    world: World,
    tick: Schedule,
    catalogue: Arc<Catalogue>,
    packing: Option<Packing>,
}

impl core::fmt::Debug for Simulation {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Simulation")
            .field("catalogue_version", &self.catalogue.version)
            .finish_non_exhaustive()
    }
}

impl Simulation {
    /// An empty world.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        let mut world = World::new();
        world.init_resource::<Now>();
        world.init_resource::<Boundaries>();
        world.init_resource::<Due>();
        let mut tick = Schedule::default();
        tick.set_executor(SingleThreadedExecutor::new());
        // One explicit chain; an order that is not said is an error.
        tick.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
        tick.add_systems((accrue, collect_due).chain());
        Self { world, tick, catalogue, packing: None }
    }

    /// The same, whose heroes can be packed.
    #[must_use]
    pub fn with_packing(self, packing: Packing) -> Self {
        Self { packing: Some(packing), ..self }
    }

    /// Takes a hero in.
    pub fn insert(&mut self, hero: Hero, now_ms: i64) -> HeroEntity {
        let cell = HeroCell { body: Body::Open(Box::new(hero)), boundary_ms: None, is_engaged: false };
        let entity = HeroEntity(self.world.spawn(cell).id());
        self.refresh(entity, now_ms);
        entity
    }

    /// Lets a hero go.
    pub fn remove(&mut self, entity: HeroEntity) -> Option<Hero> {
        let boundary_ms = self.world.get::<HeroCell>(entity.0)?.boundary_ms;
        self.enter(entity, boundary_ms, None);
        let cell = self.world.entity_mut(entity.0).take::<HeroCell>()?;
        self.world.despawn(entity.0);
        Some(match cell.body {
            Body::Open(hero) => *hero,
            Body::Packed(bytes) => self.unpacked(&bytes),
        })
    }

    /// A hero. A packed one is unpacked for it and stays packed.
    ///
    /// # Panics
    /// When it is not in this world.
    #[must_use]
    pub fn hero(&self, entity: HeroEntity) -> Cow<'_, Hero> {
        match &self.cell(entity).body {
            Body::Open(hero) => Cow::Borrowed(hero),
            Body::Packed(bytes) => Cow::Owned(self.unpacked(bytes)),
        }
    }

    /// Whether a session or a break of it is open.
    ///
    /// # Panics
    /// When it is not in this world.
    #[must_use]
    pub fn is_engaged(&self, entity: HeroEntity) -> bool {
        self.cell(entity).is_engaged
    }

    /// Packs a hero for whom nobody will ask soon. Says whether there was something to do: in a world without a packing there
    /// never is.
    pub fn pack(&mut self, entity: HeroEntity) -> bool {
        let Some(packing) = self.packing else { return false };
        let Some(mut cell) = self.world.get_mut::<HeroCell>(entity.0) else { return false };
        let Body::Open(hero) = &cell.body else { return false };
        cell.body = Body::Packed((packing.pack)(hero));
        true
    }

    /// Unpacks a hero that is asked for now and will be again. Whoever changes one need not.
    pub fn unpack(&mut self, entity: HeroEntity) {
        let Some(HeroCell { body: Body::Packed(bytes), .. }) = self.world.get::<HeroCell>(entity.0) else {
            return;
        };
        let hero = Box::new(self.unpacked(bytes));
        if let Some(mut cell) = self.world.get_mut::<HeroCell>(entity.0) {
            cell.body = Body::Open(hero);
        }
    }

    fn unpacked(&self, bytes: &[u8]) -> Hero {
        (self.packing.expect("nothing is packed in a world without a packing").unpack)(bytes)
    }

    fn cell(&self, entity: HeroEntity) -> &HeroCell {
        self.world.get::<HeroCell>(entity.0).expect("the caller keeps only entities that are in the world")
    }

    /// What the running session has earned up to the last tick; nothing when no clock runs.
    #[must_use]
    pub fn accruing(&self, entity: HeroEntity) -> Option<Accruing> {
        let accrual = *self.world.get::<Accrual>(entity.0)?;
        self.world.get::<Settled>(entity.0).map(|settled| Accruing { accrual, settled: *settled })
    }

    /// Puts another catalogue in force. What an open session earned since its last event is valued anew; what events
    /// have settled stays. Call [`Simulation::refresh`] for each hero afterwards.
    pub fn set_catalogue(&mut self, catalogue: Arc<Catalogue>) {
        self.catalogue = catalogue;
    }

    /// The numbers in force.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What a command would do now. Changes nothing.
    #[must_use]
    pub fn plan(&self, entity: HeroEntity, command: &Command, now_ms: i64) -> Plan {
        let hero = self.hero(entity);
        let advanced = advance(&hero, now_ms, &self.catalogue);
        if advanced.is_empty() {
            return Plan { advanced, decided: decide(&hero, command, now_ms, &self.catalogue) };
        }
        let mut hero = hero.into_owned();
        for timed in &advanced {
            apply(&mut hero, timed);
        }
        let decided = decide(&hero, command, now_ms, &self.catalogue);
        Plan { advanced, decided }
    }

    /// What time alone would do until now. Changes nothing.
    #[must_use]
    pub fn overdue(&self, entity: HeroEntity, now_ms: i64) -> Vec<TimedEvent> {
        advance(&self.hero(entity), now_ms, &self.catalogue)
    }

    /// Makes events true, and looks when the hero is due next.
    pub fn commit(&mut self, entity: HeroEntity, events: &[TimedEvent], now_ms: i64) {
        self.commit_before(entity, events, now_ms, &mut ());
    }

    /// The same before somebody's eyes.
    pub fn commit_before(
        &mut self,
        entity: HeroEntity,
        events: &[TimedEvent],
        now_ms: i64,
        witness: &mut impl Witness,
    ) {
        self.unpack(entity);
        if let Some(mut cell) = self.world.get_mut::<HeroCell>(entity.0)
            && let Body::Open(hero) = &mut cell.body
        {
            for timed in events {
                witness.before(hero, timed);
                apply(hero, timed);
                witness.after(hero, timed);
            }
        }
        self.refresh(entity, now_ms);
    }

    /// Looks at a hero's rates again and when it is due next.
    pub fn refresh(&mut self, entity: HeroEntity, now_ms: i64) {
        let hero = self.hero(entity);
        let rates = accrual(&hero, now_ms, &self.catalogue);
        let boundary_ms = next_boundary_ms(&hero, now_ms, &self.catalogue);
        let is_engaged = hero.session.is_some() || hero.on_break.is_some();
        drop(hero);
        match rates {
            Some(accruing) => {
                self.world.entity_mut(entity.0).insert(accruing);
            }
            None => {
                self.world.entity_mut(entity.0).remove::<Accruing>();
            }
        }
        let before = self.world.get::<HeroCell>(entity.0).and_then(|cell| cell.boundary_ms);
        self.enter(entity, before, boundary_ms);
        if let Some(mut cell) = self.world.get_mut::<HeroCell>(entity.0) {
            (cell.boundary_ms, cell.is_engaged) = (boundary_ms, is_engaged);
        }
    }

    /// Lets time pass. Returns who is due, oldest boundary first: call [`Simulation::overdue`] and then
    /// [`Simulation::commit`] or [`Simulation::refresh`] for each; who is left out is due again next time.
    pub fn tick(&mut self, now_ms: i64) -> Vec<HeroEntity> {
        let mut now = self.world.resource_mut::<Now>();
        // A clock that stepped back stands still.
        now.ticked_ms = Some(now.ticked_ms.map_or(now_ms, |ticked_ms| ticked_ms.max(now_ms)));
        self.tick.run(&mut self.world);
        core::mem::take(&mut self.world.resource_mut::<Due>().0)
    }

    fn enter(&mut self, entity: HeroEntity, before: Option<i64>, after: Option<i64>) {
        if before == after {
            return;
        }
        let mut boundaries = self.world.resource_mut::<Boundaries>();
        if let Some(before) = before {
            boundaries.0.remove(&(before, entity));
        }
        if let Some(after) = after {
            boundaries.0.insert((after, entity));
        }
    }
}
