//! `UptimeStore`: when the service was last there, and when it was not. In the same database as the journal, so that it
//! is restored from the same backup.

use crate::error::StoreError;
use crate::store::StoreFuture;

/// Most outages [`UptimeStore::outages`] returns: the newest. One lasts an hour or more, so that these are more than
/// anybody remembers.
pub const OUTAGES_MAX: u32 = 64;

/// A stretch of time in which the service was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outage {
    /// When it was last known to be there, server UTC.
    pub from_ms: i64,
    /// When it was back, server UTC; later than `from_ms`.
    pub until_ms: i64,
}

impl Outage {
    /// That it ends after it begins.
    pub(crate) fn check(self) -> Result<(), StoreError> {
        if self.from_ms < self.until_ms {
            return Ok(());
        }
        Err(StoreError::Poison { what: "an outage ends after it begins".into() })
    }
}

/// Where the service notes that it is there.
pub trait UptimeStore: Send + Sync {
    /// The service is there. The last call counts, also one of an earlier time: a clock that was ahead once must not
    /// hide every outage until it is right again.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn beat(&self, now_ms: i64) -> StoreFuture<'_, ()>;

    /// The time of the last beat; `None` before the first.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn last_beat(&self) -> StoreFuture<'_, Option<i64>>;

    /// Notes an outage. One that begins at the same moment as a noted one is the same, and lasts until the later end: a
    /// process that dies between this and its first beat finds it again, longer.
    ///
    /// # Errors
    /// [`StoreError::Poison`] when it does not end after it begins; those of a database that is away.
    fn add_outage(&self, outage: Outage) -> StoreFuture<'_, ()>;

    /// The outages that ended after `since_ms`, oldest first, at most [`OUTAGES_MAX`], the newest ones.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn outages(&self, since_ms: i64) -> StoreFuture<'_, Vec<Outage>>;
}
