//! What the panel asks of the server: one trait, which the server implements. This crate knows no hero and no database.

use std::future::Future;
use std::pin::Pin;

use crate::views::{
    Balance, Banner, CatalogueText, CatalogueVersions, Corrected, Correction, Cost, DryRun, HeroAt,
    HistoryPoint, Outage, Overview, Player, PlayerPage, Span, System, Timeline, UploadedCatalogue,
};

/// What every question that takes a while returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refused>> + Send + 'a>>;

/// Why a question has no answer, or a wish was not carried out. Unless it says otherwise, nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such thing. What is missing, and how its id looks.
    #[error("{0}")]
    NotFound(String),
    /// The wish makes no sense, or the rules refuse it. Says what to do.
    #[error("{0}")]
    Invalid(String),
    /// Something else happened first. Look again.
    #[error("{0}")]
    Conflict(String),
    /// Too much is going on. Try again soon.
    #[error("too much is going on; try again in a moment")]
    Busy,
    /// The database is away. Try again later.
    #[error("the database does not answer; try again when it is back")]
    Away,
    /// It is not known whether it was done. Look before trying again.
    #[error("it is not known whether it was done; look before you try again")]
    Unsure,
    /// A mistake of ours; the log says more.
    #[error("a mistake of the server; the log says more")]
    Internal,
}

/// Whose wish it is, and where the audit log says so. It goes with the wish into a hero's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The operator's name.
    pub operator: String,
    /// The row of the audit log that was written before.
    pub audit_seq: u64,
    /// Why, in the operator's words, 3 to 200 characters.
    pub reason: String,
}

/// The server behind the panel. `hero` is always a hero's id as text.
pub trait Operations: Send + Sync + 'static {
    // ── overview: cheap, no database, because it is asked while the server is in trouble ──

    /// How the server is now.
    fn overview(&self) -> Overview;
    /// How it was: one point every 5 s of the last hour, or every 2 min of the last day.
    fn history(&self, span: Span) -> Vec<HistoryPoint>;
    /// Configuration in force, nodes, versions, migrations.
    fn system(&self) -> Answer<'_, System>;

    // ── players ──

    /// Players by id (of hero or account), by whole mail address, or by the beginning of a name. `after` is the
    /// `next` of the page before.
    fn find_players<'a>(&'a self, query: &'a str, after: Option<&'a str>) -> Answer<'a, PlayerPage>;
    /// One player: the hero as its player sees it, the account, devices and sockets.
    fn player<'a>(&'a self, hero: &'a str) -> Answer<'a, Player>;
    /// A hero's journal, newest first, what came before `before`, at most `limit` and 200.
    fn timeline<'a>(&'a self, hero: &'a str, before: Option<u64>, limit: u32) -> Answer<'a, Timeline>;
    /// A hero as it was after an event.
    fn hero_at<'a>(&'a self, hero: &'a str, seq: u64) -> Answer<'a, HeroAt>;
    /// Why a balance is what it is.
    fn balance<'a>(&'a self, hero: &'a str) -> Answer<'a, Balance>;
    /// Everything that is kept about a hero, as JSON.
    fn export<'a>(&'a self, hero: &'a str) -> Answer<'a, Vec<u8>>;

    /// Closes one socket, or with none named all of a hero, on whichever server.
    fn close_connections<'a>(
        &'a self,
        actor: Actor,
        hero: &'a str,
        connection: Option<&'a str>,
    ) -> Answer<'a, ()>;
    /// Takes a player the right to log in, or gives it back. Its sockets are closed within 5 s on every server.
    fn ban<'a>(&'a self, actor: Actor, hero: &'a str, is_banned: bool) -> Answer<'a, ()>;
    /// Erases a player after the usual thirty days (a guest at once), or takes that back.
    fn erase<'a>(&'a self, actor: Actor, hero: &'a str, is_wanted: bool) -> Answer<'a, ()>;

    // ── corrections ──

    /// Changes a hero's balances by an event of its own. Asked for again with the same audit row, it changes nothing.
    fn correct<'a>(&'a self, actor: Actor, hero: &'a str, correction: Correction) -> Answer<'a, Corrected>;
    /// What an operator may grant or take alone within 24 hours; above it a second one must agree.
    fn correction_limit(&self) -> Correction;
    /// Declared and found outages, newest first.
    fn outages(&self) -> Answer<'_, Vec<Outage>>;
    /// Says that the service was away: the days it touched become rest days, for all heroes on all servers.
    fn declare_outage(&self, actor: Actor, outage: Outage) -> Answer<'_, ()>;

    // ── catalogue ──

    /// Which versions there are, and which one is in force.
    fn catalogues(&self) -> Answer<'_, CatalogueVersions>;
    /// The text of a version.
    fn catalogue_text(&self, version: u32) -> Answer<'_, CatalogueText>;
    /// Checks a text and keeps it as a version; it is not in force yet.
    fn upload_catalogue<'a>(&'a self, actor: Actor, text: &'a str) -> Answer<'a, UploadedCatalogue>;
    /// What a version would change for the heroes that are here now. Changes nothing.
    fn dry_run(&self, version: u32) -> Answer<'_, DryRun>;
    /// Puts a version in force, between two ticks, on every server; also an older one, to roll back. `in_force` is
    /// the version that the operator saw.
    fn switch_catalogue(&self, actor: Actor, in_force: u32, version: u32) -> Answer<'_, ()>;

    // ── cost ──

    /// Rightsizing, the cost plan and the budget.
    fn cost(&self) -> Answer<'_, Cost>;
    /// Another monthly budget, in whole dollars.
    fn set_budget(&self, actor: Actor, budget_usd: u32) -> Answer<'_, ()>;

    // ── this server ──

    /// Tells every connected player something, on every server, until it is taken back or its time is over.
    fn set_banner(&self, actor: Actor, banner: Option<Banner>) -> Answer<'_, ()>;
    /// Sends everybody away and stops this server, as SIGTERM does. Answers before it stops.
    fn drain(&self, actor: Actor) -> Answer<'_, ()>;
}
