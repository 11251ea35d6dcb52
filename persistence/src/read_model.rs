//! `ReadModelStore`: what happened, as tables for people: the operators' panel, statistics, an export.
//!
//! Everything here is copied out of the journal by a follower and can be made again from it at any time. The journal
//! stays the truth: nothing in the game reads these rows, and losing them loses nothing. So no row refers to a row of
//! the journal, and the follower's position is kept beside the rows and not in the hero's head.

use crate::error::StoreError;
use crate::record::{EventKind, HeroId, Seq};
use crate::store::StoreFuture;

/// Rows at which one call of [`ReadModelStore::write_rows`] is full; what one event makes may pass it. A flush waits for
/// at most one such call.
pub const WRITE_ROWS: usize = 256;
/// Most rows one call may hold: a full one, and an event that ends every task a hero can have. More is a bug.
pub const WRITE_ROWS_MAX: usize = 1_024;
/// Most heroes one call may hold: their positions are rows too.
pub const WRITE_HEROES_MAX: usize = 64;
/// Most rows a page holds; larger limits are cut to it.
pub const READ_ROWS_MAX: u32 = 200;

/// One change of a hero's balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The event that changed them.
    pub seq: Seq,
    /// When, server UTC.
    pub at_ms: i64,
    /// The event's kind.
    pub kind: EventKind,
    /// Why, in the words of the wire.
    pub cause: Option<String>,
    /// What it was about: a catalogue name, or the number of a task, session, job or preset.
    pub subject: Option<String>,
    /// Change of the energy balance.
    pub energy_me: i64,
    /// The part of it that was earned: neither paid nor given back.
    pub earned_me: i64,
    /// Change of the dopamine balance.
    pub dopamine_md: i64,
}

/// Where a focus session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It runs or pauses.
    Open,
    /// It is over and asks "still you?"; what its last part earned is not credited yet.
    Asks,
    /// It is over and credited.
    Ended,
    /// Too short, or cancelled: as if it had not been.
    Discarded,
}

/// One focus session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FocusSessionRow {
    /// The hero's number for it.
    pub session_id: u32,
    /// Where it stands.
    pub state: SessionState,
    /// How it ended. In a write `None` keeps what is stored.
    pub end_kind: Option<String>,
    /// How its end is found; `offline` when it ran without the server.
    pub mode: String,
    /// The plan, or that of each round.
    pub planned_minutes: Option<u16>,
    /// What kind of work.
    pub category: String,
    /// The task it was for at last.
    pub task_id: Option<u32>,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended, or as of when it was discarded.
    pub ended_at_ms: Option<i64>,
    /// Pauses that counted as an interruption.
    pub interruptions: u16,
    /// Focus credited so far; a session over midnight is credited in parts.
    pub focus_ms: i64,
    /// Energy credited for that focus so far, without bonuses.
    pub energy_me: i64,
    /// Dopamine credited for it so far.
    pub dopamine_md: i64,
}

/// One task or subtask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// The hero's number for it.
    pub task_id: u32,
    /// The parent of a subtask.
    pub parent_id: Option<u32>,
    /// What kind of work.
    pub category: String,
    /// How important.
    pub priority: String,
    /// 0 is "no estimate".
    pub estimate_minutes: u16,
    /// Days since 1970-01-01.
    pub due_day: Option<i32>,
    /// Whether it comes again.
    pub repeats: bool,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was done; of one that repeats, the last time.
    pub done_at_ms: Option<i64>,
    /// When it left the list: deleted, or done days ago.
    pub removed_at_ms: Option<i64>,
    /// Focus linked to it.
    pub focus_ms: i64,
}

/// Where the assembly of a module stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssemblyState {
    /// Being built.
    Running,
    /// The module is there.
    Assembled,
    /// Given up.
    Cancelled,
}

/// One module's assembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssemblyRow {
    /// The hero's number for it.
    pub job_id: u32,
    /// What it makes.
    pub module_id: String,
    /// Where it stands.
    pub state: AssemblyState,
    /// Whether the player built it; the free starters do not count.
    pub counts: bool,
    /// What was paid for it.
    pub paid_me: i64,
    /// What came back when it was given up.
    pub refund_me: i64,
    /// What was paid to have it at once.
    pub finish_md: i64,
    /// Work needed, in ms of idle speed.
    pub work_ms: i64,
    /// When it was begun. In a write `None` keeps what is stored.
    pub started_at_ms: Option<i64>,
    /// When it was there or given up.
    pub ended_at_ms: Option<i64>,
}

/// Rows as they are from now on: whole, so that writing them needs no look at what is there. A row replaces the one of
/// the same number; ledger rows are always new. Each number occurs once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadRows {
    /// By position.
    pub ledger: Vec<LedgerRow>,
    /// By number.
    pub sessions: Vec<FocusSessionRow>,
    /// By number.
    pub tasks: Vec<TaskRow>,
    /// By number.
    pub assemblies: Vec<AssemblyRow>,
}

impl ReadRows {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ledger.len() + self.sessions.len() + self.tasks.len() + self.assemblies.len()
    }
}

/// What the events of one hero after `from` up to `to` make of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeroRows {
    /// Whose.
    pub hero: HeroId,
    /// Where the hero's read models must stand.
    pub from: Seq,
    /// Where they stand afterwards.
    pub to: Seq,
    /// The rows that changed; none is fine too.
    pub rows: ReadRows,
}

/// A hero whose read models are behind its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Which.
    pub hero: HeroId,
    /// How far its events were read; 0 is not at all.
    pub read_seq: Seq,
    /// The last stored event.
    pub last_seq: Seq,
}

/// What the ledger of one hero adds up to, of one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LedgerSum {
    /// How far its events were read.
    pub read_seq: Seq,
    /// Sum of energy.
    pub energy_me: i64,
    /// Sum of dopamine.
    pub dopamine_md: i64,
}

/// What all heroes did since some moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Sessions that ended since, those that still ask included, discarded ones not.
    pub sessions: u64,
    /// Focus credited for them.
    pub focus_ms: i64,
    /// Energy earned since.
    pub energy_me: i64,
    /// Tasks that were done since and are not undone; one that repeats counts once.
    pub tasks_done: u64,
    /// Modules that players had built since.
    pub modules_assembled: u64,
}

/// Where read models live: in the same database as the journal.
pub trait ReadModelStore: Send + Sync {
    /// How far a hero's events were read; 0 is not at all.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn read_seq(&self, hero: HeroId) -> StoreFuture<'_, Seq>;

    /// Heroes whose read models are behind, in the order of their ids, those after `after`, at most `limit` and
    /// [`crate::record::PAGE_ROWS_MAX`].
    ///
    /// # Errors
    /// Those of a database that is away.
    fn behind(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<Behind>>;

    /// Writes rows and moves positions, all in one transaction, comparing and swapping the position of every hero: of
    /// two followers one writes, and a repeated call changes nothing. Answers in the order of the call whether a hero's
    /// rows were written; one whose position was another does not spoil the others.
    ///
    /// # Errors
    /// [`StoreError::Poison`] when the call breaks a limit or the data is refused; those of a database that is away.
    fn write_rows<'a>(&'a self, parts: &'a [HeroRows]) -> StoreFuture<'a, Vec<bool>>;

    /// Forgets a hero's rows, all at once: its read models begin again. Only an operator asks for it.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn reset(&self, hero: HeroId) -> StoreFuture<'_, ()>;

    /// What a hero's ledger adds up to.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn ledger_sum(&self, hero: HeroId) -> StoreFuture<'_, LedgerSum>;

    /// A hero's ledger, newest first, what came before `before`, at most `limit` and [`READ_ROWS_MAX`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a row cannot be read; those of a database that is away.
    fn ledger(&self, hero: HeroId, before: Option<Seq>, limit: u32) -> StoreFuture<'_, Vec<LedgerRow>>;

    /// A hero's sessions, newest first, those with a number below `before`, at most `limit` and [`READ_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`ReadModelStore::ledger`].
    fn sessions(
        &self,
        hero: HeroId,
        before: Option<u32>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<FocusSessionRow>>;

    /// A hero's tasks, also those that left the list, newest first, those with a number below `before`, at most `limit`
    /// and [`READ_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`ReadModelStore::ledger`].
    fn tasks(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<TaskRow>>;

    /// A hero's assemblies, newest first, those with a number below `before`, at most `limit` and [`READ_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`ReadModelStore::ledger`].
    fn assemblies(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<AssemblyRow>>;

    /// What all heroes did since `since_ms`. It reads every row since then: for some days, not for a year.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn totals(&self, since_ms: i64) -> StoreFuture<'_, Totals>;
}

/// Checks a call before it goes to a database. A mistake here is a bug of the follower; the hero is set aside and the
/// game goes on.
///
/// # Errors
/// [`StoreError::Poison`].
pub(crate) fn check_parts(parts: &[HeroRows]) -> Result<(), StoreError> {
    let poison = |what: String| Err(StoreError::Poison { what });
    let rows: usize = parts.iter().map(|part| part.rows.count()).sum();
    if parts.len() > WRITE_HEROES_MAX || rows > WRITE_ROWS_MAX {
        return poison(format!("{rows} rows of {} heroes are too many for one write", parts.len()));
    }
    let mut heroes: Vec<HeroId> = parts.iter().map(|part| part.hero).collect();
    heroes.sort_unstable();
    if !heroes.is_sorted_by(|one, next| one < next) {
        return poison("a hero occurs twice in one write of read models".into());
    }
    for HeroRows { hero, from, to, rows } in parts {
        if to <= from || rows.ledger.iter().any(|row| row.seq <= *from || row.seq > *to) {
            return poison(format!("rows of hero {hero} lie outside of {} to {}", from.0, to.0));
        }
    }
    Ok(())
}

/// The words in which a database keeps an enum, both ways.
macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// As it is stored.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// From how it is stored.
            pub(crate) fn of_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words!(SessionState { Open = "open", Asks = "asks", Ended = "ended", Discarded = "discarded" });
words!(AssemblyState { Running = "running", Assembled = "assembled", Cancelled = "cancelled" });
