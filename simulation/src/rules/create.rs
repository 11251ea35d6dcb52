//! A new hero.

use alloc::vec::Vec;

use super::profile::{NAME_CHARS_MAX, check_zone};
use super::{day, text};
use crate::catalogue::Catalogue;
use crate::draft::Draft;
use crate::event::{Event, TimedEvent};
use crate::hero::{Hero, Job};
use crate::rejection::{Field, Rejection};

/// Makes a hero and its first events. The starter modules are being built for free; one slot is enough for them.
///
/// # Errors
/// The name or the zone is refused.
pub fn create(
    name: &str,
    time_zone: &str,
    now_ms: i64,
    catalogue: &Catalogue,
) -> Result<(Hero, Vec<TimedEvent>), Rejection> {
    text::check(name, Field::Name, NAME_CHARS_MAX)?;
    let day_start_minutes = u16::try_from(catalogue.days.start_default_min).unwrap_or(0);
    let zone = check_zone(time_zone, day_start_minutes, &catalogue.days)?;
    let jobs = catalogue.rack.starters.iter().filter_map(|id| catalogue.module(*id)).zip(1_u32..).map(
        |(spec, job_id)| Job {
            job_id,
            module_id: spec.id,
            paid_me: 0,
            work_ms: spec.build_ms,
            done_permille_ms: 0,
        },
    );
    let event = Event::HeroCreated {
        name: name.into(),
        today: day::bounds_at(&zone, now_ms),
        zone,
        shields: u8::try_from(catalogue.streak.shields_start).unwrap_or(0),
        daily_goal_minutes: u16::try_from(catalogue.bonuses.goal_default_minutes).unwrap_or(u16::MAX),
        jobs: jobs.collect(),
        speed_permille: u32::try_from(catalogue.assembly.idle_permille).unwrap_or(1000),
    };
    let mut draft = Draft::new(&Hero::default(), catalogue);
    draft.emit(now_ms, event);
    Ok((draft.hero, draft.events))
}
