//! Rightsizing, the cost plan, and the month's budget. It recommends and tells; it never does anything to a server.
//!
//! Owns what was measured of this server, and one task that adds this server's time to the month's and tells when a part of the
//! budget is spent: once a month for each part, by whichever server of many comes first.

mod model;
mod notices;
pub mod table;
mod window;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admin_http::views::{Budget, Cost};
use admin_http::{Actor, Refused};
use persistence::StoreError;
use persistence::budget::{BudgetNotice, BudgetStore, Month, SECONDS_AT_ONCE_MAX, ServerTime};
use simulation::calendar::{Zone, day_no, format_date, parse_date};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::model::{AT_ONCE_PERCENT, Capacity, Installation, Prices, cents};
use self::notices::Channels;
use self::window::{Limits, Reading, Window};
use super::NodeOperations;
use crate::clock::Clock;
use crate::config::{BUDGET_USD_MAX, Config, DatabaseUrl};
use crate::machine::{Machine, Usage};

/// How often a server adds its time and looks at the budget. What it ran since is lost when it dies.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// Parts of the budget that are told, in percent.
const THRESHOLDS_PERCENT: [u32; 3] = [50, 80, 100];
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What one server knows of its cost.
pub struct Costs {
    store: Arc<dyn BudgetStore>,
    clock: Clock,
    prices: Prices,
    capacity: Capacity,
    installation: Installation,
    /// What holds until somebody sets another budget.
    default_usd: u32,
    environment: &'static str,
    channels: Channels,
    limits: Limits,
    window: Mutex<Window>,
    counted: Mutex<Instant>,
    /// What this server has told.
    told: Mutex<BTreeSet<BudgetNotice>>,
    look: Notify,
}

/// The money of a month at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Money {
    spent_usd: f64,
    forecast_usd: f64,
}

impl Costs {
    /// Of a server that starts now.
    ///
    /// # Errors
    /// When there can be no HTTPS, because the system has no certificates.
    pub fn new(config: &Config, store: Arc<dyn BudgetStore>, clock: Clock) -> Result<Costs, reqwest::Error> {
        let installation = Installation {
            has_database: matches!(config.database, DatabaseUrl::Postgres(_)),
            has_redis: config.redis.is_some(),
            has_balancer: !config.trusted_proxies.is_empty(),
        };
        Ok(Costs {
            store,
            clock,
            prices: Prices::embedded(),
            capacity: Capacity::embedded(),
            installation,
            default_usd: config.budget.monthly_usd,
            environment: config.telemetry.environment,
            channels: Channels::open(config)?,
            limits: Limits::of(&Machine::of_this_process(None).usage()),
            window: Mutex::default(),
            counted: Mutex::new(Instant::now()),
            told: Mutex::default(),
            look: Notify::new(),
        })
    }

    /// Takes a reading of the machine; called every [`crate::metrics::UPKEEP_EVERY`].
    pub(super) fn sample(&self, usage: &Usage, players: u64) {
        lock(&self.window).add(Reading::of(usage), players, self.clock.now_ms());
    }

    /// Adds this server's time and tells what is to be told, until the task is aborted.
    pub fn keep(self: Arc<Costs>) -> JoinHandle<()> {
        tokio::spawn(async move {
            let mut ticks = interval(COUNT_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = self.look.notified() => {}
                }
                if let Err(error) = self.step().await {
                    let error = anyhow::Error::from(error);
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the month's cost could not be counted; tried again"
                    );
                }
            }
        })
    }

    /// One look: counts, and tells.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn step(&self) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let span = MonthSpan::at(now_ms);
        self.count(span.month, now_ms).await?;
        let (budget_usd, times) = (self.budget_usd().await?, self.store.server_time(span.month).await?);
        let money = self.money(span, now_ms, &times);
        for percent in THRESHOLDS_PERCENT {
            if money.spent_usd >= f64::from(budget_usd) * f64::from(percent) / 100.0 {
                self.tell(span, percent, money, budget_usd).await?;
            }
        }
        Ok(())
    }

    async fn count(&self, month: Month, now_ms: i64) -> Result<(), StoreError> {
        let since = *lock(&self.counted);
        let seconds = u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX).min(SECONDS_AT_ONCE_MAX);
        let size = self.size().name();
        self.store.add_server_time(month, &size, seconds, now_ms).await?;
        // Only now: what could not be written is added the next time. Parts of a second stay.
        *lock(&self.counted) = since + Duration::from_secs(seconds.into());
        Ok(())
    }

    fn size(&self) -> model::Size {
        self.prices.size_for(self.limits.cpu_millicores, self.limits.memory_bytes)
    }

    async fn budget_usd(&self) -> Result<u32, StoreError> {
        Ok(self.store.budget_usd().await?.unwrap_or(self.default_usd))
    }

    /// What the month costs, from how long servers ran and what belongs to them.
    fn money(&self, span: MonthSpan, now_ms: i64, times: &[ServerTime]) -> Money {
        let hour_usd =
            |time: &ServerTime| self.prices.size_named(&time.size).map_or(0.0, |size| size.hour_usd);
        let servers_usd: f64 = times.iter().map(|time| time.seconds as f64 / 3600.0 * hour_usd(time)).sum();
        let since_ms = times.iter().map(|time| time.since_ms).min().unwrap_or(now_ms);
        let since_ms = since_ms.clamp(span.start_ms, now_ms.max(span.start_ms));
        let (passed_ms, whole_ms) = (now_ms - since_ms, (span.end_ms - since_ms).max(1));
        let seconds: u64 = times.iter().map(|time| time.seconds).sum();
        // So many ran at once, on the average; each of them had as many players as this one, at the most.
        let passed_s = u64::try_from(passed_ms / 1000).unwrap_or(0).max(1);
        let servers = seconds.div_ceil(passed_s).max(1);
        let players = lock(&self.window).load().players_max.saturating_mul(servers);
        let month_usd = model::fixed_month_usd(&self.prices, self.installation, players);
        let fixed_usd = |ms: i64| month_usd * ms as f64 / (span.end_ms - span.start_ms) as f64;
        let servers_whole_usd = if passed_ms >= HOUR_MS {
            servers_usd * whole_ms as f64 / passed_ms as f64
        } else {
            // An hour of one server is worth more than the noise of a minute.
            self.size().hour_usd * whole_ms as f64 / HOUR_MS as f64
        };
        Money {
            spent_usd: cents(servers_usd + fixed_usd(passed_ms)),
            forecast_usd: cents(servers_whole_usd + fixed_usd(whole_ms)),
        }
    }

    /// Tells everywhere that a part of the budget is spent, unless it was told already or somebody else is at it. What could
    /// not be told is tried again when the claim is over.
    async fn tell(
        &self,
        span: MonthSpan,
        percent: u32,
        money: Money,
        budget_usd: u32,
    ) -> Result<(), StoreError> {
        for channel in self.channels.names() {
            let notice = BudgetNotice { month: span.month, percent, channel };
            if lock(&self.told).contains(&notice) {
                continue;
            }
            if !self.store.claim_notice(notice, self.clock.now_ms()).await? {
                continue;
            }
            let text = notices::text(self.environment, span.name(), percent, money, budget_usd);
            if self.channels.tell(channel, &text).await {
                self.store.notice_told(notice, self.clock.now_ms()).await?;
                let mut told = lock(&self.told);
                // Those of earlier months are of no use.
                told.retain(|it| it.month == span.month);
                told.insert(notice);
                tracing::info!(percent, channel, "a part of the month's budget is spent; it was told");
            }
        }
        Ok(())
    }

    async fn view(&self) -> Result<Cost, StoreError> {
        let now_ms = self.clock.now_ms();
        let span = MonthSpan::at(now_ms);
        let load = lock(&self.window).load();
        let Limits { cpu_millicores, memory_bytes } = self.limits;
        let rightsizing = model::rightsize(&self.prices, cpu_millicores, memory_bytes, load);
        let times = self.store.server_time(span.month).await?;
        let Money { spent_usd, forecast_usd } = self.money(span, now_ms, &times);
        let budget = Budget {
            budget_usd: self.budget_usd().await?,
            spent_usd,
            forecast_usd,
            passed_percent: self.store.told_percents(span.month).await?,
            told_to: self.channels.names().map(str::to_owned).collect(),
        };
        let phases = model::phases(&self.prices, &self.capacity, AT_ONCE_PERCENT);
        let prices_of = format!("{} ({})", self.prices.as_of, self.prices.source);
        Ok(Cost { rightsizing, phases, budget, prices_of })
    }
}

impl std::fmt::Debug for Costs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Costs").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A month of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MonthSpan {
    month: Month,
    start_ms: i64,
    end_ms: i64,
}

impl MonthSpan {
    /// The one that holds a moment.
    fn at(now_ms: i64) -> MonthSpan {
        let date = format_date(day_no(now_ms, &Zone::utc(), 0));
        let mut parts = date.split('-').map(|part| part.parse::<u32>().unwrap_or(1));
        let (year, month) = (parts.next().unwrap_or(1970), parts.next().unwrap_or(1));
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let start_ms = |year: u32, month: u32| {
            let day = parse_date(&format!("{year:04}-{month:02}-01")).map(i64::from);
            day.map_or(now_ms, |day| day * DAY_MS)
        };
        let month_number = Month(year * 100 + month);
        MonthSpan {
            month: month_number,
            start_ms: start_ms(year, month),
            end_ms: start_ms(next_year, next_month),
        }
    }

    /// As people write it.
    fn name(self) -> String {
        format!("{:04}-{:02}", self.month.0 / 100, self.month.0 % 100)
    }
}

pub(super) async fn cost(operations: &NodeOperations) -> Result<Cost, Refused> {
    operations.costs.view().await.map_err(refused)
}

pub(super) async fn set_budget(
    operations: &NodeOperations,
    actor: Actor,
    budget_usd: u32,
) -> Result<(), Refused> {
    if !(1..=BUDGET_USD_MAX).contains(&budget_usd) {
        return Err(Refused::Invalid(format!("a budget is 1 to {BUDGET_USD_MAX} dollars a month")));
    }
    let costs = &operations.costs;
    costs.store.set_budget_usd(budget_usd, costs.clock.now_ms()).await.map_err(refused)?;
    tracing::info!(budget_usd, audit_seq = actor.audit_seq, "the monthly budget was set");
    // What the new budget means is told now, not in a minute.
    costs.look.notify_one();
    Ok(())
}

fn refused(error: StoreError) -> Refused {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = format!("{error:#}"), "the month's cost cannot be read or written");
    Refused::Away
}

#[cfg(test)]
mod tests;
