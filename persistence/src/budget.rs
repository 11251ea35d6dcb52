//! `BudgetStore`: what the service may cost a month, how long servers ran, and who was told that a threshold was passed. In
//! the same database as the journal, so that all servers count together and one of them tells.

use crate::error::StoreError;
use crate::store::StoreFuture;

/// A claim to tell a threshold that is older than this and was not told is lost: whoever had it has died.
pub const CLAIM_LIFE_MS: i64 = 10 * 60 * 1000;
/// Most sizes of servers in one month that are read, the longest running ones.
pub const SIZES_MAX: u32 = 64;
/// Longest name of a size.
pub const SIZE_BYTES_MAX: usize = 64;
/// Longest time that is added at once: a server adds what it ran since it added the last time.
pub const SECONDS_AT_ONCE_MAX: u32 = 31 * 24 * 60 * 60;

/// A month of UTC as a number, such as 202611.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(pub u32);

/// How long servers of one size ran in a month, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTime {
    /// The size's name.
    pub size: String,
    /// Seconds of all of them.
    pub seconds: u64,
    /// When the first of them was first counted in this month, server UTC.
    pub since_ms: i64,
}

/// A threshold, and where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BudgetNotice {
    /// Of which month's budget.
    pub month: Month,
    /// Percent of the budget.
    pub percent: u32,
    /// Where it is told, such as `mail`.
    pub channel: &'static str,
}

/// Where the month's money is kept.
pub trait BudgetStore: Send + Sync {
    /// The monthly budget that was set last; `None` when nobody has.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn budget_usd(&self) -> StoreFuture<'_, Option<u32>>;

    /// Sets the monthly budget.
    ///
    /// # Errors
    /// [`StoreError::Poison`] for a budget of nothing; those of a database that is away.
    fn set_budget_usd(&self, budget_usd: u32, now_ms: i64) -> StoreFuture<'_, ()>;

    /// Adds the time that a server ran.
    ///
    /// # Errors
    /// [`StoreError::Poison`] for a name that is too long, or a time; those of a database that is away.
    fn add_server_time<'a>(
        &'a self,
        month: Month,
        size: &'a str,
        seconds: u32,
        now_ms: i64,
    ) -> StoreFuture<'a, ()>;

    /// How long servers ran in a month, the longest running size first, at most [`SIZES_MAX`].
    ///
    /// # Errors
    /// Those of a database that is away.
    fn server_time(&self, month: Month) -> StoreFuture<'_, Vec<ServerTime>>;

    /// Whether the caller is the one who tells. Nobody else is asked to until it is told or [`CLAIM_LIFE_MS`] are over.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn claim_notice(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, bool>;

    /// It was told: nobody tells it again.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn notice_told(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, ()>;

    /// Percents of a month's budget that were told somewhere, rising.
    ///
    /// # Errors
    /// Those of a database that is away.
    fn told_percents(&self, month: Month) -> StoreFuture<'_, Vec<u32>>;
}

/// That a budget can be one.
pub(crate) fn check_budget(budget_usd: u32) -> Result<(), StoreError> {
    if budget_usd > 0 {
        return Ok(());
    }
    Err(StoreError::Poison { what: "a budget is one dollar or more".into() })
}

/// That a time can be counted.
pub(crate) fn check_time(size: &str, seconds: u32) -> Result<(), StoreError> {
    if !size.is_empty() && size.len() <= SIZE_BYTES_MAX && seconds <= SECONDS_AT_ONCE_MAX {
        return Ok(());
    }
    Err(StoreError::Poison { what: "a server of a named size runs for a month at most".into() })
}
