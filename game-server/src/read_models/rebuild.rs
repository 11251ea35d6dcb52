//! `dopamine-hero rebuild-read-models [HERO]`: forgets the read models and makes them again from the journal.
//!
//! Hero by hero in the order of their ids, so that an interrupted run goes on where it was; a hero that it left half done
//! is finished by the server, like any that is behind.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, ensure};
use persistence::{HeroId, JournalStore, ReadModelStore};
use tokio::time::{Duration, Instant};

use super::follow::Follower;
use super::fresh::FreshRows;

/// Heroes asked for at once.
const PAGE_ROWS: u32 = 500;
/// Heroes that cannot be read and are printed; the rest is only counted.
const SHOWN_MAX: u64 = 100;
/// How often progress is printed.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Whose read models are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// One hero's.
    One(HeroId),
    /// Everybody's whose id is after this one.
    After(Option<HeroId>),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Heroes whose rows are new.
    pub heroes: u64,
    /// Their events.
    pub events: u64,
    /// Heroes whose events make no rows, or not all.
    pub damaged: u64,
}

/// Makes read models again. Progress goes to `out`, a line each.
///
/// # Errors
/// A hero that is not known, a store that is away, and those of `out`. The text says how to go on.
pub async fn run(
    journal: Arc<dyn JournalStore>,
    models: Arc<dyn ReadModelStore>,
    which: Which,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Summary> {
    let follower = Follower::new(Arc::clone(&journal), Arc::clone(&models), FreshRows::default());
    let mut rebuild = Rebuild { models, follower, summary: Summary::default(), out };
    match which {
        Which::One(hero) => {
            let head = journal.head(hero).await?;
            ensure!(head.is_some(), "hero {hero} is not in this store: check the id and DATABASE_URL");
            rebuild.hero(hero).await?;
        }
        Which::After(after) => rebuild.all(&*journal, after).await?,
    }
    let Summary { heroes, events, damaged } = rebuild.summary;
    writeln!(rebuild.out, "{heroes} heroes, {events} events, {damaged} heroes could not be read")?;
    Ok(rebuild.summary)
}

struct Rebuild<'a> {
    models: Arc<dyn ReadModelStore>,
    follower: Follower,
    summary: Summary,
    out: &'a mut (dyn Write + Send),
}

impl Rebuild<'_> {
    async fn all(&mut self, journal: &dyn JournalStore, mut after: Option<HeroId>) -> anyhow::Result<()> {
        let mut printed = Instant::now();
        loop {
            let page = journal.heroes(after, PAGE_ROWS).await?;
            if page.is_empty() {
                return Ok(());
            }
            for head in page {
                let go_on = after.map(|after| format!("; to go on from here: --after {after}"));
                let go_on = go_on.unwrap_or_default();
                self.hero(head.hero)
                    .await
                    .with_context(|| format!("stopped at hero {}{go_on}", head.hero))?;
                after = Some(head.hero);
                if printed.elapsed() >= PROGRESS_EVERY {
                    printed = Instant::now();
                    let Summary { heroes, events, .. } = self.summary;
                    writeln!(self.out, "… {heroes} heroes, {events} events, up to --after {}", head.hero)?;
                }
            }
        }
    }

    /// A running server may follow the same hero meanwhile: then each does a part of it.
    async fn hero(&mut self, hero: HeroId) -> anyhow::Result<()> {
        self.models.reset(hero).await?;
        loop {
            let step = self.follower.follow(&[hero]).await?;
            self.summary.events += step.events;
            if let Some((_, what)) = step.aside.first() {
                self.summary.damaged += 1;
                if self.summary.damaged <= SHOWN_MAX {
                    writeln!(self.out, "hero {hero}: {what}")?;
                }
                return Ok(());
            }
            if step.again.is_empty() {
                self.summary.heroes += 1;
                return Ok(());
            }
        }
    }
}
