//! The tick: one explicit chain of systems.

use bevy_ecs::prelude::{Query, Res, ResMut};
use bevy_ecs::query::With;

use crate::component::{Accrual, Boundaries, Due, HeroCell, Now};

/// Adds what the time since the last tick is worth.
pub(crate) fn accrue(now: Res<Now>, mut heroes: Query<&mut Accrual, With<HeroCell>>) {
    let Some(now_ms) = now.ticked_ms else { return };
    heroes.iter_mut().for_each(|mut accrual| {
        // Nobody watches for changes of this column; the tick is the only one that writes it in bulk.
        bevy_ecs::change_detection::DetectChangesMut::bypass_change_detection(&mut accrual).advance(now_ms);
    });
}

/// Finds who is due.
pub(crate) fn collect_due(now: Res<Now>, boundaries: Res<Boundaries>, mut due: ResMut<Due>) {
    due.0.clear();
    let Some(now_ms) = now.ticked_ms else { return };
    let passed = boundaries.0.iter().take_while(|(at_ms, _)| *at_ms <= now_ms);
    due.0.extend(passed.map(|(_, hero)| *hero));
}
