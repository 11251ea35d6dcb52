//! A player's own data, to take along: everything as JSON, and the balances line by line as CSV.
//!
//! A journal may be long, so it is never in memory as a whole: a task of its own reads page by page and hands pieces to
//! the answer. A reader that takes nothing for ten seconds is given up; what it has got does not look whole to it.
//!
//! ```text
//! store ─page of events▶ task ─pieces, at most 2 wait▶ answer ▶ client
//! ```

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use persistence::accounts::AccountEvent;
use persistence::{Device, EventRecord, HeroId, JournalStore, Seq, StoreError};
use serde_json::{Value, json};
use simulation::calendar::format_rfc3339;
use simulation::event::TimedEvent;
use simulation::hero::Hero;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::session::{AuthError, Caller};
use crate::journal::{self, FoldFailed, StoredHero};
use crate::node::Node;
use crate::shard::LoadFailed;
use crate::texts::TextKey;
use crate::{convert, export, peek::peek};

/// Most events of one JSON document; it says where the next one begins.
pub const EVENTS_MAX: u64 = 50_000;
/// Most of what happened to an account that is shown; the newest.
const ACCOUNT_EVENTS_MAX: u32 = 1_000;
/// Events asked for at once.
const PAGE_ROWS: u32 = 500;
/// Bytes at which a piece goes out.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait for the reader. Full: the task waits.
const PIECES_MAX: usize = 2;
/// A reader that takes nothing for so long is given up.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// Documents under way at once. The next one is told to come back.
const DOCUMENTS_MAX: usize = 16;

/// The columns of the ledger; balances are those after the line.
const COLUMNS: [&str; 10] = [
    "time_utc",
    "seq",
    "what",
    "cause",
    "subject",
    "title",
    "energy",
    "dopamine",
    "energy_balance",
    "dopamine_balance",
];

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum NoDocument {
    /// Too many at once.
    #[error("too many documents at once")]
    Busy,
    /// The hero cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LoadFailed),
    /// The account cannot be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<StoreError> for NoDocument {
    fn from(error: StoreError) -> Self {
        Self::Auth(error.into())
    }
}

/// Why a document broke off.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("nobody takes it")]
    NobodyReads,
    #[error("the store did not answer as hoped")]
    Store(#[from] StoreError),
    #[error("the journal cannot be read")]
    Fold(#[from] FoldFailed),
    #[error("the journal broke the fold")]
    Panicked,
    #[error("it cannot be written down")]
    Json(#[from] serde_json::Error),
    #[error("it cannot be written down")]
    Csv(#[from] csv::Error),
}

/// Makes documents.
#[derive(Clone, Debug)]
pub struct OwnData {
    node: Arc<Node>,
    places: Arc<Semaphore>,
}

impl OwnData {
    /// Of the players of a node.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, places: Arc::new(Semaphore::new(DOCUMENTS_MAX)) }
    }

    /// Everything that is kept about whoever calls, as one JSON document; its journal from an event on.
    ///
    /// # Errors
    /// [`NoDocument`].
    pub async fn export(
        &self,
        caller: &Caller,
        from: Seq,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, NoDocument> {
        let place = self.place()?;
        let hero = caller.grant.hero;
        let about = self.about(caller).await?;
        let head = self.node.store.head(hero).await?;
        let last = head.map_or(Seq(0), |head| head.last_seq);
        let (node, texts) = (Arc::clone(&self.node), self.texts(hero).await?);
        Ok(document(place, hero, move |pieces| async move {
            events_json(&*node.store, (hero, texts), &about, (from, last), pieces).await
        }))
    }

    /// Every change of the balances, as lines of CSV.
    ///
    /// # Errors
    /// [`NoDocument`].
    pub async fn ledger(
        &self,
        hero: HeroId,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, NoDocument> {
        let place = self.place()?;
        let head = self.node.store.head(hero).await?;
        let last = head.map_or(Seq(0), |head| head.last_seq);
        let (node, texts) = (Arc::clone(&self.node), self.texts(hero).await?);
        Ok(document(place, hero, move |pieces| async move {
            ledger_csv(&*node.store, (hero, texts), last, pieces).await
        }))
    }

    async fn texts(&self, hero: HeroId) -> Result<Option<TextKey>, NoDocument> {
        Ok(self.node.texts.find(hero).await.map_err(LoadFailed::from)?)
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, NoDocument> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_full| NoDocument::Busy)
    }

    /// All but the journal.
    async fn about(&self, caller: &Caller) -> Result<Value, NoDocument> {
        let (accounts, hero) = (&self.node.accounts, caller.grant.hero);
        let account = match caller.account {
            None => Value::Null,
            Some(id) => {
                let (account, profile) = accounts.account(id).await?;
                json!({
                    "account_id": id.0.to_string(),
                    "mail": profile.mail,
                    "mail_verified_at_ms": account.mail_verified_at_ms,
                    "name": profile.name,
                    "preferences": profile.preferences,
                    "avatar_url": account.avatar.map(|key| format!("/v1/avatars/{key}")),
                    "has_password": account.password.is_some(),
                    "has_other_login": account.subject.is_some(),
                    "created_at_ms": account.created_at_ms,
                    "banned_at_ms": account.banned_at_ms,
                    "erase_at_ms": account.erase_at_ms,
                })
            }
        };
        let devices: Vec<Value> = accounts.devices(hero).await?.iter().map(device).collect();
        let mut noted = accounts.store().account_events(hero, ACCOUNT_EVENTS_MAX + 1).await?;
        let is_cut = noted.len() > ACCOUNT_EVENTS_MAX as usize;
        noted.truncate(ACCOUNT_EVENTS_MAX as usize);
        let noted: Vec<Value> = noted.iter().map(happened).collect();
        let stored = peek(&*self.node.store, &self.node.texts, hero).await?;
        let (view, streams) = match &stored {
            None => (Value::Null, Vec::new()),
            Some(StoredHero { hero: state, streams }) => {
                let view =
                    convert::hero_view(state, &hero.to_string(), &self.node.catalogue(), state.latest_ms);
                let streams = streams.iter().map(|(id, seq)| json!({ "stream_id": id, "cmd_seq": seq }));
                (serde_json::to_value(view).unwrap_or_default(), streams.collect())
            }
        };
        Ok(json!({
            "format": "dopamine-hero/export/1",
            "made_at_ms": self.node.clock.now_ms(),
            "kind": if caller.account.is_some() { "account" } else { "guest" },
            "hero_id": hero.to_string(),
            "account": account,
            "devices": devices,
            "account_events": noted,
            "account_events_cut": is_cut,
            "hero": view,
            "streams": streams,
        }))
    }
}

fn device(device: &Device) -> Value {
    json!({
        "device_id": device.device.0.to_string(),
        "name": device.name,
        "kind": if device.token_hash.is_some() { "guest" } else { "session" },
        "created_at_ms": device.created_at_ms,
        "last_seen_ms": device.last_seen_ms,
    })
}

fn happened(event: &AccountEvent) -> Value {
    json!({
        "kind": event.kind.as_str(),
        "at_ms": event.at_ms,
        "device_id": event.device.map(|id| id.0.to_string()),
    })
}

/// What goes from the task to the answer.
#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// The document is whole. Without it, it is not, however the task ended.
    End,
}

/// Where the task puts what it has written.
struct Pieces {
    written: Vec<u8>,
    sender: mpsc::Sender<Piece>,
}

impl Pieces {
    async fn send_if_large(&mut self) -> Result<(), BrokenOff> {
        if self.written.len() < PIECE_BYTES { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Result<(), BrokenOff> {
        let bytes = std::mem::take(&mut self.written).into();
        self.put(Piece::Bytes(bytes)).await
    }

    /// The document is whole.
    async fn end(mut self) -> Result<(), BrokenOff> {
        self.send().await?;
        self.put(Piece::End).await
    }

    async fn put(&self, piece: Piece) -> Result<(), BrokenOff> {
        let sent = timeout(TAKEN_WITHIN, self.sender.send(piece)).await;
        sent.ok().and_then(Result::ok).ok_or(BrokenOff::NobodyReads)
    }
}

/// Starts the task that writes a document, and reads what it has written.
fn document<F, W>(
    place: OwnedSemaphorePermit,
    hero: HeroId,
    write: F,
) -> impl Stream<Item = io::Result<Bytes>> + Send + use<F, W>
where
    F: FnOnce(Pieces) -> W,
    W: Future<Output = Result<(), BrokenOff>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let written = write(Pieces { written: Vec::new(), sender });
    tokio::spawn(async move {
        let _place = place;
        match written.await {
            Ok(()) => {}
            Err(BrokenOff::NobodyReads) => tracing::debug!(%hero, "a reader of its own data left"),
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::warn!(%hero, error = format!("{error:#}"), "a document of somebody's own data broke off");
            }
        }
    });
    unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Piece::End) => None,
            // The connection breaks, so that half a document is not taken for a whole one.
            None => Some((Err(io::Error::other("the document broke off")), None)),
        }
    })
}

async fn events_json(
    store: &dyn JournalStore,
    (hero, texts): (HeroId, Option<TextKey>),
    about: &Value,
    (from, last): (Seq, Seq),
    mut pieces: Pieces,
) -> Result<(), BrokenOff> {
    serde_json::to_writer(&mut pieces.written, about)?;
    // The document goes on where its map ended.
    let closed = pieces.written.pop();
    debug_assert_eq!(closed, Some(b'}'));
    pieces.written.extend(
        format!(",\"journal\":{{\"last_seq\":{},\"from_seq\":{},\"events\":[", last.0, from.0).bytes(),
    );
    let (mut next, mut count) = (from, 0);
    while next <= last && count < EVENTS_MAX {
        let page = page(store, hero, next, last).await?;
        let Some(end) = page.last() else { break };
        next = end.seq.next();
        for record in &page {
            if count > 0 {
                pieces.written.push(b',');
            }
            count += 1;
            let line = export::line(record, &journal::event(record, texts.as_ref())?)?;
            serde_json::to_writer(&mut pieces.written, &line)?;
            pieces.send_if_large().await?;
        }
    }
    let next = if next <= last { json!(next.0) } else { Value::Null };
    pieces.written.extend(format!("],\"next_seq\":{next}}}}}\n").bytes());
    pieces.end().await
}

async fn ledger_csv(
    store: &dyn JournalStore,
    (hero, texts): (HeroId, Option<TextKey>),
    last: Seq,
    mut pieces: Pieces,
) -> Result<(), BrokenOff> {
    let mut stored = StoredHero::default();
    let mut lines = csv::Writer::from_writer(std::mem::take(&mut pieces.written));
    lines.write_record(COLUMNS)?;
    let mut next = Seq(1);
    while next <= last {
        let page = page(store, hero, next, last).await?;
        let Some(end) = page.last() else { break };
        next = end.seq.next();
        for record in &page {
            let timed = journal::event(record, texts.as_ref())?;
            // Before the event: what it takes off the list still has a title.
            let title = title(&stored.hero, &timed);
            let fold = || journal::apply(&mut stored, record, texts.as_ref()).map(drop);
            // A history that breaks the fold must not take the task with it, and be logged as a panic.
            catch_unwind(AssertUnwindSafe(fold)).map_err(|_panic| BrokenOff::Panicked)??;
            if let Some(line) = ledger_line(record.seq, &timed, &title, &stored.hero) {
                lines.write_record(line)?;
            }
        }
        pieces.written = lines.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        pieces.send_if_large().await?;
        lines = csv::Writer::from_writer(std::mem::take(&mut pieces.written));
    }
    pieces.written = lines.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    pieces.end().await
}

async fn page(
    store: &dyn JournalStore,
    hero: HeroId,
    from: Seq,
    last: Seq,
) -> Result<Vec<EventRecord>, StoreError> {
    let mut page = store.events(hero, from, PAGE_ROWS).await?;
    page.retain(|record| record.seq <= last);
    Ok(page)
}

/// One line; nothing for an event that moves no balance.
fn ledger_line(seq: Seq, timed: &TimedEvent, title: &str, after: &Hero) -> Option<[String; COLUMNS.len()]> {
    let line = convert::event(seq.0, timed);
    if line.energy_me == 0 && line.dopamine_md == 0 {
        return None;
    }
    Some([
        format_rfc3339(line.at_ms),
        line.seq.to_string(),
        harmless(&line.kind),
        harmless(&line.cause.unwrap_or_default()),
        harmless(&line.subject.unwrap_or_default()),
        harmless(title),
        thousandths(line.energy_me),
        thousandths(line.dopamine_md),
        thousandths(after.wallet.energy_me),
        thousandths(after.wallet.dopamine_md),
    ])
}

/// The words for what an event is about: a task's title, what a session is for, or what the team says to it.
fn title(hero: &Hero, timed: &TimedEvent) -> String {
    let kind = timed.event.kind();
    if let Some(note) = timed.event.note() {
        return note.to_string();
    }
    let Some(number) = timed.event.subject().and_then(|subject| subject.parse::<u32>().ok()) else {
        return String::new();
    };
    let of_task = |task_id: u32| hero.task(task_id).map(|task| task.title.to_string());
    let found = if kind.starts_with("task_") {
        of_task(number)
    } else if kind.starts_with("session_") {
        let open = hero.session.as_deref().into_iter();
        let asked = hero.to_confirm.as_deref().map(|asked| &asked.session);
        let session = open.chain(asked).find(|session| session.session_id == number);
        session.and_then(|session| {
            let intention = || session.intention.as_ref().map(ToString::to_string);
            session.task_id.and_then(of_task).or_else(intention)
        })
    } else {
        None
    };
    found.unwrap_or_default()
}

/// A text as a cell. What a spreadsheet would take for a formula, and run, gets an apostrophe before it, which spreadsheets
/// read as "this is text".
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// An amount as people write it, exactly: -12345 is `-12.345`.
fn thousandths(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{sign}{}.{:03}", amount / 1000, amount % 1000)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (amount, text) in
            [(0, "0.000"), (7, "0.007"), (-7, "-0.007"), (-12_345, "-12.345"), (1_000_000, "1000.000")]
        {
            assert_eq!(thousandths(amount), text);
        }
        assert_eq!(thousandths(i64::MIN), "-9223372036854775.808");
    }

    async fn read<W>(write: impl FnOnce(Pieces) -> W) -> Vec<Result<Bytes, io::ErrorKind>>
    where
        W: Future<Output = Result<(), BrokenOff>> + Send + 'static,
    {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a place");
        let pieces = document(place, HeroId(uuid::Uuid::nil()), write);
        pieces.map(|piece| piece.map_err(|error| error.kind())).collect().await
    }

    #[tokio::test]
    async fn half_a_document_does_not_look_whole() {
        let whole = read(|mut pieces| async move {
            pieces.written.extend(b"all");
            pieces.end().await
        });
        assert_eq!(whole.await, [Ok(Bytes::from("all"))]);
        let half = read(|mut pieces| async move {
            pieces.written.extend(b"half");
            pieces.send().await?;
            Err(BrokenOff::Panicked)
        });
        assert_eq!(half.await, [Ok(Bytes::from("half")), Err(io::ErrorKind::Other)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up() {
        let (sender, mut receiver) = mpsc::channel(PIECES_MAX);
        let mut pieces = Pieces { written: vec![0; PIECE_BYTES], sender };
        for _ in 0..PIECES_MAX {
            pieces.send_if_large().await.expect("room");
            pieces.written = vec![0; PIECE_BYTES];
        }
        assert!(matches!(pieces.send_if_large().await, Err(BrokenOff::NobodyReads)));
        assert!(receiver.recv().await.is_some());
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=cmd()", "+1", "-1", "@a", "\t=a", "\r=a", "\n=a"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "a=b", "tea", "1+1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
