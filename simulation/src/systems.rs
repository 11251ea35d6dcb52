//! The tick: one explicit chain of systems.

use bevy_ecs::prelude::{Query, Res, ResMut};

use crate::component::{Accrual, Boundaries, Due, Now};

/// Adds what the time since the last tick is worth.
pub(crate) fn accrue(now: Res<Now>, mut heroes: Query<&mut Accrual>) {
    let step_ms = now.step_ms;
    heroes.iter_mut().for_each(|mut accrual| {
        let accrual = accrual.bypass_change_detection();
        accrual.energy_numerator += accrual.energy_per_ms * step_ms;
        accrual.dopamine_numerator += accrual.dopamine_per_ms * step_ms;
    });
}

/// Finds who is due.
pub(crate) fn collect_due(now: Res<Now>, boundaries: Res<Boundaries>, mut due: ResMut<Due>) {
    due.0.clear();
    due.0.extend(boundaries.0.iter().take_while(|(at_ms, _)| now.ticked_ms.is_some_and(|ticked_ms| *at_ms <= ticked_ms)).map(|(_, hero)| *hero));
}
