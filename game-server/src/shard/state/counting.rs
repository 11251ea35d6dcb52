//! What is counted of the events that a shard makes.

use std::time::Duration;

use simulation::event::{Event, TimedEvent};

use super::Shard;

impl Shard {
    pub(super) fn count(&self, events: &[TimedEvent]) {
        let metrics = &self.parts.metrics;
        for timed in events {
            // What a guest brings was generated where it was earned.
            if !matches!(timed.event, Event::GuestUnited { .. }) {
                metrics.energy_generated_me_total.add(u64::try_from(timed.event.earned_me()).unwrap_or(0));
            }
            match &timed.event {
                Event::SessionStarted { .. } => metrics.focus_sessions_open.increment(),
                Event::SessionEnded { meter, .. } => {
                    metrics.focus_sessions_open.decrement();
                    metrics.focus_session_seconds.record_duration(milliseconds(meter.focus_ms));
                }
                Event::SessionDiscarded { .. } => metrics.focus_sessions_open.decrement(),
                Event::OfflineFocusCredited { parts, .. } => {
                    let focus_ms = parts.iter().map(|part| part.focus_ms).sum();
                    metrics.focus_session_seconds.record_duration(milliseconds(focus_ms));
                }
                Event::TaskCompleted { first: true, .. } => metrics.tasks_completed_total.increment(),
                Event::ModuleAssembled { counts: true, .. } => metrics.modules_assembled_total.increment(),
                _ => {}
            }
        }
    }
}

fn milliseconds(duration_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(duration_ms).unwrap_or(0))
}
