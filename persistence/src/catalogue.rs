//! `CatalogueStore`: versions of the game's numbers, which of them is in force, and what players are told. In the same
//! database as the journal, so that every server of it follows, and a restored backup has the numbers it was played with.

pub(crate) mod sql;

use crate::error::StoreError;
use crate::store::StoreFuture;

/// Most versions that are kept. Full: the one that came first of those that were never in force makes room.
pub const CATALOGUES_MAX: u32 = 100;
/// Longest text of a version.
pub const CATALOGUE_BYTES_MAX: usize = 256 * 1024;
/// Longest text of a banner, in characters.
pub const BANNER_CHARS_MAX: usize = 200;

/// A version that somebody brings. What it says is the application's business; here it is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCatalogue {
    /// Its number.
    pub version: u32,
    /// At most [`CATALOGUE_BYTES_MAX`].
    pub text: String,
    /// When it came.
    pub at_ms: i64,
    /// Who brought it.
    pub by: String,
}

impl NewCatalogue {
    /// That it is not too long.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.text.len() <= CATALOGUE_BYTES_MAX {
            return Ok(());
        }
        Err(StoreError::Poison { what: format!("a catalogue has at most {CATALOGUE_BYTES_MAX} bytes") })
    }
}

/// What became of a version that was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueKept {
    /// It is kept.
    New,
    /// It was kept already, word for word.
    Same,
    /// Its number belongs to another text; that one stays.
    Taken,
    /// There are [`CATALOGUES_MAX`], and all of them were in force once.
    Full,
}

/// A version that is kept, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCatalogue {
    /// Its number.
    pub version: u32,
    /// When it came.
    pub uploaded_at_ms: i64,
    /// Who brought it.
    pub uploaded_by: String,
    /// When it was last put in force.
    pub in_force_at_ms: Option<i64>,
}

/// The version in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// Its number.
    pub version: u32,
    /// Since when.
    pub since_ms: i64,
}

/// What every player is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBanner {
    /// At most [`BANNER_CHARS_MAX`] characters.
    pub text: String,
    /// Until when; nothing: until it is taken back.
    pub until_ms: Option<i64>,
}

impl StoredBanner {
    /// That it is not too long.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.text.chars().count() <= BANNER_CHARS_MAX {
            return Ok(());
        }
        Err(StoreError::Poison { what: format!("a banner has at most {BANNER_CHARS_MAX} characters") })
    }
}

/// What every server of this database follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The version in force; nothing: the one inside the program.
    pub in_force: Option<InForce>,
    /// What players are told.
    pub banner: Option<StoredBanner>,
}

/// Where versions of the catalogue are kept. Every method may fail because the database is away.
pub trait CatalogueStore: Send + Sync {
    /// What every server follows. Cheap: it is asked every two seconds.
    fn published(&self) -> StoreFuture<'_, Published>;

    /// Every version that is kept, the newest first.
    fn catalogues(&self) -> StoreFuture<'_, Vec<KeptCatalogue>>;

    /// The text of a version.
    fn catalogue_text(&self, version: u32) -> StoreFuture<'_, Option<String>>;

    /// Keeps a version if its number is free. The version in force never makes room for another one.
    ///
    /// # Errors
    /// [`StoreError::Poison`] when it is too long.
    fn keep_catalogue(&self, new: NewCatalogue) -> StoreFuture<'_, CatalogueKept>;

    /// Puts a version that is kept in force, if `seen` still is. Says whether it did.
    fn put_in_force(&self, seen: Option<u32>, next: InForce) -> StoreFuture<'_, bool>;

    /// Replaces what players are told.
    ///
    /// # Errors
    /// [`StoreError::Poison`] when it is too long.
    fn put_banner(&self, banner: Option<StoredBanner>) -> StoreFuture<'_, ()>;
}
