//! The hero as a client holds it: replaced by snapshots, moved on by events and patches, and never computed. Checks on
//! every frame that what the server says agrees with what it said before.

use protocol::server::{Event, Events, Welcome, WelcomeState};
use protocol::types::{Hero, HeroPatch, Task};

/// What a client knows of its hero.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    hero: Option<Box<Hero>>,
    seq: u64,
}

impl Mirror {
    /// The hero, once the server has shown it.
    #[must_use]
    pub fn hero(&self) -> Option<&Hero> {
        self.hero.as_deref()
    }

    /// The last event that is contained.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What to ask for on a new socket.
    #[must_use]
    pub fn last_seq(&self) -> Option<u64> {
        self.hero.is_some().then_some(self.seq)
    }

    /// Takes a welcome. Returns what does not agree with what was known.
    pub fn welcome(&mut self, welcome: &Welcome) -> Vec<String> {
        match &welcome.state {
            WelcomeState::Snapshot(hero) => {
                let mut findings = Vec::new();
                if let Some(known) = self.hero()
                    && known.hero_id != hero.hero_id
                {
                    findings.push(format!("the snapshot is of {}, not of {}", hero.hero_id, known.hero_id));
                }
                if welcome.seq == self.seq
                    && let Some(known) = self.hero()
                    && (known.wallet.energy_me, known.wallet.dopamine_md)
                        != (hero.wallet.energy_me, hero.wallet.dopamine_md)
                {
                    findings.push(format!("the wallet changed without an event at seq {}", self.seq));
                }
                self.hero = Some(hero.clone());
                self.seq = welcome.seq;
                findings
            }
            WelcomeState::Events(events) => {
                let mut findings = self.events(events);
                if self.seq != welcome.seq {
                    findings.push(format!(
                        "the welcome says seq {} and its events end at {}",
                        welcome.seq, self.seq
                    ));
                    self.seq = welcome.seq;
                }
                findings
            }
        }
    }

    /// Takes events and their patch. Returns what is wrong with them.
    pub fn events(&mut self, events: &Events) -> Vec<String> {
        // Lines that are known already are a repeat, as the protocol allows after a resume.
        if events.events.last().is_some_and(|last| last.seq <= self.seq) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let mut energy_me = 0;
        let mut dopamine_md = 0;
        for event in &events.events {
            if event.seq != self.seq + 1 {
                findings.push(format!("event {} came after event {}", event.seq, self.seq));
            }
            self.seq = event.seq;
            energy_me += event.energy_me;
            dopamine_md += event.dopamine_md;
        }
        let Some(hero) = self.hero.as_deref_mut() else {
            findings.push("events came before any snapshot".to_owned());
            return findings;
        };
        let expected = (hero.wallet.energy_me + energy_me, hero.wallet.dopamine_md + dopamine_md);
        apply_patch(hero, &events.patch);
        let shown = (hero.wallet.energy_me, hero.wallet.dopamine_md);
        if shown != expected {
            findings.push(format!(
                "after event {} the wallet shows {shown:?}, its events add up to {expected:?} ({})",
                self.seq,
                names(&events.events)
            ));
        }
        findings
    }
}

fn names(events: &[Event]) -> String {
    events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// Puts the sections of a patch in the place of the old ones.
fn apply_patch(hero: &mut Hero, patch: &HeroPatch) {
    fn replace<T: Clone>(section: &mut T, new: Option<&T>) {
        if let Some(new) = new {
            section.clone_from(new);
        }
    }
    // Named one by one, so that a section added to the protocol cannot be forgotten here.
    let HeroPatch {
        profile,
        wallet,
        focus,
        today,
        streak,
        tasks,
        tasks_removed,
        modules,
        assembly,
        rack,
        presets,
        achievements,
        statistics,
    } = patch;
    replace(&mut hero.profile, profile.as_ref());
    replace(&mut hero.wallet, wallet.as_ref());
    replace(&mut hero.focus, focus.as_ref());
    replace(&mut hero.today, today.as_ref());
    replace(&mut hero.streak, streak.as_ref());
    replace(&mut hero.modules, modules.as_ref());
    replace(&mut hero.assembly, assembly.as_ref());
    replace(&mut hero.rack, rack.as_ref());
    replace(&mut hero.presets, presets.as_ref());
    replace(&mut hero.achievements, achievements.as_ref());
    replace(&mut hero.statistics, statistics.as_ref());
    for removed in tasks_removed.iter().flatten() {
        hero.tasks.retain(|task| task.task_id != *removed);
    }
    for task in tasks.iter().flatten() {
        match hero.tasks.iter_mut().find(|known| known.task_id == task.task_id) {
            Some(known) => known.clone_from(task),
            None => hero.tasks.push(task.clone()),
        }
    }
}

/// The hero without what changes by time alone, so that two views of the same moment in the journal can be compared.
#[must_use]
pub fn lasting(hero: &Hero) -> Hero {
    let mut hero = hero.clone();
    // Prices and rewards depend on the age of the thing, progress on the clock.
    for task in &mut hero.tasks {
        task.reward_me = 0;
    }
    hero.tasks.sort_by_key(|task: &Task| task.task_id);
    for module in &mut hero.modules {
        module.sell_me = 0;
        module.sell_md = 0;
    }
    for job in &mut hero.assembly.jobs {
        job.finish_md = 0;
        job.done_at_ms = 0;
        job.anchor_ms = 0;
        job.done_ms_at_anchor = 0;
    }
    if let Some(session) = &mut hero.focus.session {
        session.anchor_ms = 0;
        session.focus_ms_at_anchor = 0;
        session.progress = protocol::types::Progress {
            session_id: session.session_id,
            at_ms: 0,
            focus_ms: 0,
            energy_me: 0,
            dopamine_md: 0,
            energy_rate_ue_per_s: 0,
            dopamine_rate_ud_per_s: 0,
            next_boundary_ms: None,
        };
    }
    hero
}

#[cfg(test)]
mod tests;
