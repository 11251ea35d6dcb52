//! Commands from inside the server.

use persistence::{HeroId, Refused};
use protocol::{code::RejectCode, server::Rejected};
use simulation::{event::Event, event::TimedEvent, rejection::Rejection};

use super::{Hold, LOADING_COMMANDS_MAX, Output, Shard};
use crate::{
    acting::{Act, ActFailed, Acted},
    convert,
};

/// Why a command does nothing.
pub(super) enum Unwilling {
    /// The rules refuse it.
    Rules(Rejection),
    /// They break on it.
    Broken,
}

impl Unwilling {
    /// As a player hears it.
    pub(super) fn rejected(&self, cmd_seq: u64) -> Rejected {
        match self {
            Self::Rules(rejection) => convert::rejected(cmd_seq, rejection),
            Self::Broken => RejectCode::Internal.rejected(Some(cmd_seq), None),
        }
    }
}

impl Shard {
    pub(super) fn act(&mut self, id: HeroId, act: Act) {
        if self.draining() {
            return refuse_acts([act], || ActFailed::Busy);
        }
        if self.read_only || !self.is_sure() {
            return refuse_acts([act], || ActFailed::ReadOnly);
        }
        let is_here = self.heroes.get(&id).is_some_and(|resident| resident.hold == Hold::Owner);
        if is_here && !self.loading.contains_key(&id) {
            return self.act_here(id, act);
        }
        match self.want(id) {
            Some(loading) if loading.acts.len() < LOADING_COMMANDS_MAX => loading.acts.push(act),
            _ => refuse_acts([act], || ActFailed::Busy),
        }
    }

    /// Carries it out on a hero of this node.
    pub(super) fn act_here(&mut self, id: HeroId, act: Act) {
        if act.answer.is_closed() {
            // Whoever asked has given up, and nothing has happened.
            return;
        }
        match self.carry_out(id, &act) {
            Ok(acted) => {
                self.tell(id, Output::Acted { hero: id, answer: act.answer, acted: Box::new(acted) })
            }
            Err(failed) => refuse_acts([act], || failed.clone()),
        }
    }

    fn carry_out(&mut self, id: HeroId, act: &Act) -> Result<Acted, ActFailed> {
        if self.draining() || self.heroes.get(&id).is_none_or(|resident| resident.hold != Hold::Owner) {
            return Err(ActFailed::Busy);
        }
        let (advanced, decided) = self.decide(id, &act.command).map_err(|unwilling| match unwilling {
            Unwilling::Rules(rejection) => ActFailed::Rejected(rejection),
            Unwilling::Broken => ActFailed::SetAside,
        })?;
        self.publish_time(id, &advanced).map_err(refused)?;
        let before = self.hero_now(id)?;
        // What was true already is no news; its answer waits for what made it true.
        let is_news = |timed: &TimedEvent| timed.event != Event::NothingChanged;
        let events = if decided.iter().any(is_news) { decided } else { Vec::new() };
        let seq = match events.is_empty() {
            true => self.heroes.get(&id).map_or(0, |resident| resident.seq),
            false => self.publish(id, &events, None).map_err(refused)?,
        };
        Ok(Acted { events, seq, before, hero: self.hero_now(id)? })
    }

    fn hero_now(&self, id: HeroId) -> Result<simulation::hero::Hero, ActFailed> {
        let resident = self.heroes.get(&id).ok_or(ActFailed::Unsure)?;
        Ok(self.simulation.hero(resident.entity).into_owned())
    }

    /// The devices of a hero that was handed over are sent to where it went.
    pub(super) fn leave_if_over(&mut self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        if !resident.devices.is_empty() && self.simulation.hero(resident.entity).handed_over().is_some() {
            self.tell(id, Output::Leave { hero: id });
        }
    }
}

fn refused(refused: Refused) -> ActFailed {
    match refused {
        Refused::Busy => ActFailed::Busy,
        Refused::ReadOnly | Refused::Closed => ActFailed::ReadOnly,
    }
}

/// Tells that nothing has happened.
pub(super) fn refuse_acts(acts: impl IntoIterator<Item = Act>, failed: impl Fn() -> ActFailed) {
    for act in acts {
        // Whoever asked may have given up.
        let _gone = act.answer.send(Err(failed()));
    }
}
