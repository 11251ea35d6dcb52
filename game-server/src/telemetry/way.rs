//! The way of a command as one trace: from the socket over the shard and the flush to its durable answer.
//!
//! A share of the commands is chosen where they come in. Whoever is not chosen, and everybody while nobody collects traces,
//! pays for one comparison. The chosen ones carry their spans along:
//!
//! ```text
//! command ├ socket ┤├ inbox ┤├ decide ┤├──────── flush ────────┤├ durable ┤
//! ```
//!
//! The journal knows no traces: what a shard has handed to it waits here under its hero and place, until the writer tells how
//! far each hero is on the disk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use persistence::{Epoch, HeroId, Seq};
use rand::RngExt;
use tokio::time::Instant;
use tracing::Span;

/// The target of these spans: only collectors of traces listen to it.
pub(super) const TARGET: &str = "way";

/// Commands that wait for their flush at the same time and are followed. Full: the next ones are followed without it.
const WAITING_MAX: usize = 1_024;

/// Chooses commands and follows them. Clones choose from the same share.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Followed>>);

struct Followed {
    share: f64,
    /// Flushes that are waited for, by what must be on the disk.
    flushes: Mutex<BTreeMap<(HeroId, u64), Span>>,
}

impl fmt::Debug for Followed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Followed").field("share", &self.share).finish_non_exhaustive()
    }
}

impl Followed {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(HeroId, u64), Span>> {
        self.flushes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traces {
    /// Nobody is followed.
    pub fn off() -> Traces {
        Traces(None)
    }

    /// This share of the commands is followed, 0 to 1.
    pub fn new(share: f64) -> Traces {
        Traces((share > 0.0).then(|| Arc::new(Followed { share, flushes: Mutex::default() })))
    }

    /// Begins to follow a command, if it is chosen.
    pub fn begin(&self, hero: HeroId, connection_id: u64, cmd_seq: u64) -> Option<Way> {
        let followed = self.0.as_ref()?;
        if !rand::rng().random_bool(followed.share.min(1.0)) {
            return None;
        }
        let root = tracing::info_span!(
            target: TARGET, parent: None, "command",
            %hero, connection_id, cmd_seq, outcome = tracing::field::Empty,
        );
        let step = tracing::info_span!(target: TARGET, parent: &root, "socket");
        let steps = Steps { followed: Arc::clone(followed), root, step, place: None };
        Some(Way(Box::new(steps)))
    }

    /// Everything of these heroes up to here is on the disk.
    pub fn flushed(&self, advanced: &[(HeroId, Epoch, Seq)]) {
        let Some(followed) = &self.0 else { return };
        let mut flushes = followed.lock();
        if flushes.is_empty() {
            return;
        }
        for (hero, _, seq) in advanced {
            while let Some((&place, _)) = flushes.range((*hero, 0)..=(*hero, seq.0)).next() {
                // Dropping the span ends it.
                flushes.remove(&place);
            }
        }
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |followed| followed.lock().len())
    }
}

/// A command that is followed. Dropped, it is followed no further.
pub struct Way(Box<Steps>);

struct Steps {
    followed: Arc<Followed>,
    root: Span,
    /// The step that it is at.
    step: Span,
    /// What must be on the disk.
    place: Option<(HeroId, u64)>,
}

impl fmt::Debug for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Way")
    }
}

impl Way {
    /// It left the connection and waits for its shard.
    pub fn handed_over(&mut self) {
        self.0.step = tracing::info_span!(target: TARGET, parent: &self.0.root, "inbox");
    }

    /// The shard looks at it.
    pub fn deciding(&mut self) {
        self.0.step = tracing::info_span!(target: TARGET, parent: &self.0.root, "decide");
    }

    /// Its events were handed to the journal; `seq` is the last of them.
    pub fn journaled(&mut self, hero: HeroId, seq: u64) {
        let Steps { followed, root, step, place } = &mut *self.0;
        *step = Span::none();
        let mut flushes = followed.lock();
        if flushes.len() < WAITING_MAX {
            *place = Some((hero, seq));
            flushes.insert((hero, seq), tracing::info_span!(target: TARGET, parent: &*root, "flush"));
        }
    }

    /// The shard knows that it is durable, and tells it.
    pub fn durable(&mut self) {
        self.forget_flush();
        self.0.step = tracing::info_span!(target: TARGET, parent: &self.0.root, "durable");
        self.0.root.record("outcome", "durable");
    }

    fn forget_flush(&mut self) {
        if let Some(place) = self.0.place.take() {
            self.0.followed.lock().remove(&place);
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // A hero that was dropped is never flushed.
        self.forget_flush();
    }
}

/// When a command came, and the way that it goes if it is followed.
#[derive(Debug)]
pub struct Received {
    /// When its frame was read, to measure the acknowledgement.
    pub at: Instant,
    /// Its way.
    pub way: Option<Way>,
}

impl From<Instant> for Received {
    fn from(at: Instant) -> Received {
        Received { at, way: None }
    }
}

impl Received {
    /// Does something with its way, if it is followed.
    pub fn on_way(&mut self, step: impl FnOnce(&mut Way)) {
        if let Some(way) = &mut self.way {
            step(way);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use tracing_subscriber::registry::LookupSpan;

    use super::*;

    /// Writes down which spans begin and end.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().expect("nobody panics"))
        }
    }

    impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notes {
        fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
            self.0.lock().expect("nobody panics").push(format!("+{}", attributes.metadata().name()));
        }

        fn on_close(&self, id: Id, context: Context<'_, S>) {
            let name = context.span(&id).map_or("?", |span| span.name());
            self.0.lock().expect("nobody panics").push(format!("-{name}"));
        }
    }

    fn hero(number: u128) -> HeroId {
        HeroId(uuid::Uuid::from_u128(number))
    }

    fn listening() -> (Notes, tracing::subscriber::DefaultGuard) {
        let notes = Notes::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(notes.clone()));
        (notes, guard)
    }

    #[test]
    fn a_command_is_followed_to_the_disk() {
        let (notes, _guard) = listening();
        let traces = Traces::new(1.0);
        let mut way = traces.begin(hero(1), 1, 1).expect("all are followed");
        way.handed_over();
        way.deciding();
        way.journaled(hero(1), 7);
        let begun = ["+command", "+socket", "+inbox", "-socket", "+decide", "-inbox", "-decide", "+flush"];
        assert_eq!(notes.take(), begun);
        traces.flushed(&[(hero(2), Epoch(1), Seq(9)), (hero(1), Epoch(1), Seq(6))]);
        assert_eq!(notes.take(), Vec::<String>::new(), "that was not it");
        traces.flushed(&[(hero(1), Epoch(1), Seq(8))]);
        assert_eq!(notes.take(), ["-flush"]);
        way.durable();
        drop(way);
        assert_eq!(notes.take(), ["+durable", "-durable", "-command"]);
        assert_eq!(traces.waiting(), 0);
    }

    #[test]
    fn a_hero_that_is_never_flushed_leaves_nothing_behind() {
        let (notes, _guard) = listening();
        let traces = Traces::new(1.0);
        let mut ways = Vec::new();
        for number in 0..WAITING_MAX as u128 + 10 {
            let mut way = traces.begin(hero(number), 1, 1).expect("all are followed");
            way.journaled(hero(number), 1);
            ways.push(way);
        }
        assert_eq!(traces.waiting(), WAITING_MAX, "a limit");
        drop(ways);
        assert_eq!(traces.waiting(), 0);
        let notes = notes.take();
        let count = |sign: char| notes.iter().filter(|note| note.starts_with(sign)).count();
        assert_eq!(count('+'), count('-'), "whatever began has ended");
    }

    #[test]
    fn nobody_is_followed_unless_somebody_collects() {
        let (notes, _guard) = listening();
        for traces in [Traces::off(), Traces::default(), Traces::new(0.0)] {
            assert!(traces.begin(hero(1), 1, 1).is_none());
            traces.flushed(&[(hero(1), Epoch(1), Seq(1))]);
        }
        assert_eq!(notes.take(), Vec::<String>::new());
        let some = Traces::new(0.5);
        let chosen = (0..1_000).filter(|_| some.begin(hero(1), 1, 1).is_some()).count();
        assert!((350..650).contains(&chosen), "{chosen}");
    }
}
