//! What an account shows and changes of its hero: the time zone and the start of the day.
//!
//! They are the hero's, not the account's, so that the rules of days see them; they are changed like by a player's
//! command.

use std::sync::Arc;

use persistence::HeroId;
use simulation::command::Command;
use simulation::hero::{Hero, Zone};

use crate::{acting::ActFailed, node::Node, peek::peek, shard::LoadFailed};

/// Where a hero is that was never played.
const ZONE_AT_FIRST: &str = "Etc/UTC";

/// The settings of heroes.
#[derive(Clone, Debug)]
pub struct Settings(Arc<Node>);

impl Settings {
    /// Of the heroes of a node.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        Self(node)
    }

    /// The zone as it was chosen last; it may be in force only from the end of the day on.
    ///
    /// # Errors
    /// [`LoadFailed`].
    pub async fn zone(&self, hero: HeroId) -> Result<Zone, LoadFailed> {
        let stored = peek(&*self.0.store, &self.0.texts, hero).await?;
        Ok(stored.map_or_else(|| self.at_first(), |stored| chosen(&stored.hero)))
    }

    /// Chooses another zone, or another start of the day, or both. Says what is chosen then.
    ///
    /// # Errors
    /// [`ActFailed`].
    pub async fn set_zone(
        &self,
        hero: HeroId,
        time_zone: String,
        day_start_minutes: u16,
    ) -> Result<Zone, ActFailed> {
        // A hero that was never played begins there.
        let first = Some(time_zone.clone());
        let command = Command::SetTimeZone { time_zone, day_start_minutes };
        let acted = self.0.act_in_zone(hero, command, first).await?;
        Ok(chosen(&acted.hero))
    }

    fn at_first(&self) -> Zone {
        let day_start_minutes = u16::try_from(self.0.catalogue().days.start_default_min).unwrap_or(0);
        Zone { time_zone: ZONE_AT_FIRST.to_owned(), day_start_minutes }
    }
}

fn chosen(hero: &Hero) -> Zone {
    hero.next_zone.as_deref().unwrap_or(&hero.zone).clone()
}
