//! Brings rows into the read models, for many heroes at once: those that shards have made, or else what the journal's events
//! make. The position is compared in the store, so that any number of these may run at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use persistence::read_model::{WRITE_HEROES_MAX, WRITE_ROWS};
use persistence::{AssemblyState, HeroId, HeroRows, JournalStore, ReadModelStore, Seq, StoreError};
use simulation::hero::Hero;

use super::fresh::FreshRows;
use super::rows::{Changes, Projection};
use crate::journal;

/// Events of one hero that are read for new rows at a time; about as many rows as a write takes.
const EVENTS_PER_READ: u32 = 256;
/// Events asked for at once to bring a hero to where its rows end.
const FOLD_PAGE_ROWS: u32 = 1_000;

/// What one step did.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Events that are in the rows now.
    pub(crate) events: u64,
    /// Heroes that have more, in the order in which they were asked for.
    pub(crate) again: Vec<HeroId>,
    /// Heroes whose events make no rows, and why: only an operator can help.
    pub(crate) aside: Vec<(HeroId, String)>,
    /// How long the modules took that players built and that are in the rows since this step.
    pub(crate) assembled: Vec<Duration>,
}

/// Why a hero cannot be read.
enum Unreadable {
    /// Its events make no rows.
    Damaged(String),
    /// The store is away.
    Store(StoreError),
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { what, .. } => Self::Damaged(what),
            other => Self::Store(other),
        }
    }
}

/// A hero's next rows.
struct Next {
    changes: Changes,
    /// The hero behind them when they came out of the journal; nothing when a shard made them.
    projection: Option<Projection>,
    has_more: bool,
}

/// Brings heroes' read models forward.
pub(crate) struct Follower {
    journal: Arc<dyn JournalStore>,
    models: Arc<dyn ReadModelStore>,
    fresh: FreshRows,
    /// Heroes whose fresh rows do not fit to what is stored: the journal says what is missing. At most as many as a step takes.
    misfits: BTreeSet<HeroId>,
    /// Heroes of the last step that have more, so that a long history is folded once. At most as many as a step takes.
    unfinished: BTreeMap<HeroId, Projection>,
}

impl Follower {
    pub(crate) fn new(
        journal: Arc<dyn JournalStore>,
        models: Arc<dyn ReadModelStore>,
        fresh: FreshRows,
    ) -> Self {
        Self { journal, models, fresh, misfits: BTreeSet::new(), unfinished: BTreeMap::new() }
    }

    /// Heroes that are behind, those after `after`.
    ///
    /// # Errors
    /// Those of a store that is away.
    pub(crate) async fn behind(&self, after: Option<HeroId>, limit: u32) -> Result<Vec<HeroId>, StoreError> {
        Ok(self.models.behind(after, limit).await?.into_iter().map(|it| it.hero).collect())
    }

    /// Makes one write full at most, with the first heroes first.
    ///
    /// # Errors
    /// Those of a store that is away; nothing is lost, the step may be taken again.
    pub(crate) async fn follow(&mut self, heroes: &[HeroId]) -> Result<Step, StoreError> {
        let mut unfinished = std::mem::take(&mut self.unfinished);
        let misfits = std::mem::take(&mut self.misfits);
        let mut step = Step::default();
        let (mut parts, mut sources) = (Vec::new(), Vec::new());
        let mut rows_count = 0;
        for (index, hero) in heroes.iter().copied().enumerate() {
            if rows_count >= WRITE_ROWS || parts.len() == WRITE_HEROES_MAX {
                step.again.extend(heroes.iter().skip(index));
                break;
            }
            let room = WRITE_ROWS - rows_count;
            let (begun, is_misfit) = (unfinished.remove(&hero), misfits.contains(&hero));
            match self.next(hero, begun, is_misfit, room).await {
                Ok(next) if next.changes.to() > next.changes.from() => {
                    let Next { changes, projection, has_more } = next;
                    rows_count += changes.count();
                    parts.push(changes.into_part(hero));
                    sources.push((projection, has_more));
                }
                Ok(_nothing_new) => {}
                Err(Unreadable::Damaged(what)) => step.aside.push((hero, what)),
                Err(Unreadable::Store(error)) => return Err(error),
            }
        }
        // Before those that had no room, which come after them.
        let waiting = std::mem::take(&mut step.again);
        let written = self.write(&parts, &mut step).await?;
        for ((part, (projection, has_more)), is_written) in parts.iter().zip(sources).zip(written) {
            let hero = part.hero;
            if is_written {
                step.events += part.to.0 - part.from.0;
                self.note_assembled(part, &mut step.assembled).await;
            }
            match projection {
                Some(projection) if is_written && has_more => {
                    self.unfinished.insert(hero, projection);
                }
                None if !is_written => {
                    self.misfits.insert(hero);
                }
                _ => {}
            }
            // Somebody else was faster, or there is more.
            if (!is_written || has_more) && step.aside.iter().all(|(aside, _)| *aside != hero) {
                step.again.push(hero);
            }
        }
        step.again.extend(waiting);
        Ok(step)
    }

    /// What a shard has made of a hero's next events, or else what the journal's make.
    async fn next(
        &self,
        hero: HeroId,
        begun: Option<Projection>,
        is_misfit: bool,
        room: usize,
    ) -> Result<Next, Unreadable> {
        if begun.is_none()
            && !is_misfit
            && let Some((changes, has_more)) = self.fresh.take(hero, room)
        {
            return Ok(Next { changes, projection: None, has_more });
        }
        let (mut projection, has_more) = self.read(hero, begun, room).await?;
        let changes = projection.take();
        self.fresh.supersede(hero, changes.to());
        Ok(Next { changes, projection: Some(projection), has_more })
    }

    /// A hero's next events as rows, and whether there are more.
    async fn read(
        &self,
        hero: HeroId,
        unfinished: Option<Projection>,
        room: usize,
    ) -> Result<(Projection, bool), Unreadable> {
        let read_seq = self.models.read_seq(hero).await?;
        let mut projection = match unfinished {
            Some(projection) if projection.seq() == read_seq => projection,
            _ => Projection::new(self.hero_at(hero, read_seq).await?, read_seq),
        };
        let page = self.journal.events(hero, read_seq.next(), EVENTS_PER_READ).await?;
        let is_full = page.len() == EVENTS_PER_READ as usize;
        let mut folded = 0;
        for record in &page {
            if projection.rows_count() >= room {
                break;
            }
            let expected = projection.seq().next();
            folds(|| {
                let timed = event(record, expected)?;
                projection.event(&timed);
                Ok(())
            })?;
            folded += 1;
        }
        Ok((projection, is_full || folded < page.len()))
    }

    /// A hero as it was after an event.
    async fn hero_at(&self, hero: HeroId, seq: Seq) -> Result<Hero, Unreadable> {
        if seq == Seq(0) {
            return Ok(Hero::default());
        }
        // One that is damaged is passed over: the events are the truth.
        let snapshot = self.journal.snapshots(hero, seq, 1).await?.pop().filter(|it| it.is_intact());
        let start = snapshot.and_then(|it| Some((journal::state(&it, None).ok()?.hero, it.seq)));
        let (mut state, mut at) = start.unwrap_or_default();
        while at < seq {
            let page = self.journal.events(hero, at.next(), FOLD_PAGE_ROWS).await?;
            if page.is_empty() {
                return Err(missing(at.next()));
            }
            for record in page.iter().take_while(|record| record.seq <= seq) {
                folds(|| {
                    simulation::apply::apply(&mut state, &event(record, at.next())?);
                    Ok(())
                })?;
                at = record.seq;
            }
            if page.iter().all(|record| record.seq > seq) {
                return Err(missing(at.next()));
            }
        }
        Ok(state)
    }

    /// How long the modules took that are finished in these rows. Their beginning is mostly in rows of long ago.
    async fn note_assembled(&self, part: &HeroRows, assembled: &mut Vec<Duration>) {
        for row in
            part.rows.assemblies.iter().filter(|row| row.counts && row.state == AssemblyState::Assembled)
        {
            let started_at_ms = match row.started_at_ms {
                None => {
                    let read = self.models.assemblies(part.hero, row.job_id.checked_add(1), 1).await;
                    // One fewer is counted when the store is away just now; the rows are there.
                    read.ok().and_then(|rows| rows.first()?.started_at_ms)
                }
                known => known,
            };
            let took_ms = started_at_ms.zip(row.ended_at_ms).map(|(from, until)| until - from);
            assembled.extend(took_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis));
        }
    }

    /// Writes all of it; when the data is refused, hero by hero, so that the offender is found.
    async fn write(&self, parts: &[HeroRows], step: &mut Step) -> Result<Vec<bool>, StoreError> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        match self.models.write_rows(parts).await {
            Err(StoreError::Poison { .. }) => {}
            written => return written,
        }
        let mut written = Vec::with_capacity(parts.len());
        for part in parts {
            match self.models.write_rows(std::slice::from_ref(part)).await {
                Ok(answer) => written.extend(answer),
                Err(StoreError::Poison { what }) => {
                    step.aside.push((part.hero, what));
                    written.push(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

fn event(
    record: &persistence::EventRecord,
    expected: Seq,
) -> Result<simulation::event::TimedEvent, Unreadable> {
    if record.seq != expected {
        return Err(missing(expected));
    }
    journal::event(record, None).map_err(|error| Unreadable::Damaged(error.to_string()))
}

fn missing(seq: Seq) -> Unreadable {
    Unreadable::Damaged(format!("event {} is missing", seq.0))
}

/// A history that breaks the fold is damage like any other; the other heroes are read on.
fn folds(fold: impl FnOnce() -> Result<(), Unreadable>) -> Result<(), Unreadable> {
    let folded = catch_unwind(AssertUnwindSafe(fold));
    folded.unwrap_or_else(|_panic| Err(Unreadable::Damaged("it breaks the fold".to_owned())))
}
