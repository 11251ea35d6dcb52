//! The month's money beside the journal in memory.

use std::collections::BTreeMap;

use super::MemoryStore;
use crate::budget::{
    BudgetNotice, BudgetStore, CLAIM_LIFE_MS, Month, SIZES_MAX, ServerTime, check_budget, check_time,
};
use crate::store::StoreFuture;

/// The three tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    budget_usd: Option<u32>,
    times: BTreeMap<(Month, String), (u64, i64)>,
    notices: BTreeMap<BudgetNotice, Notice>,
}

#[derive(Debug)]
struct Notice {
    claimed_at_ms: i64,
    told_at_ms: Option<i64>,
}

impl BudgetStore for MemoryStore {
    fn budget_usd(&self) -> StoreFuture<'_, Option<u32>> {
        Box::pin(async move { Ok(self.lock().budget.budget_usd) })
    }

    fn set_budget_usd(&self, budget_usd: u32, _now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            check_budget(budget_usd)?;
            self.write(|inner| {
                inner.budget.budget_usd = Some(budget_usd);
                Ok(())
            })
        })
    }

    fn add_server_time<'a>(
        &'a self,
        month: Month,
        size: &'a str,
        seconds: u32,
        now_ms: i64,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            check_time(size, seconds)?;
            self.write(|inner| {
                let time = inner.budget.times.entry((month, size.to_owned())).or_insert((0, now_ms));
                time.0 += u64::from(seconds);
                time.1 = time.1.min(now_ms);
                Ok(())
            })
        })
    }

    fn server_time(&self, month: Month) -> StoreFuture<'_, Vec<ServerTime>> {
        Box::pin(async move {
            let inner = self.lock();
            let of_month = inner.budget.times.iter().filter(|((of, _), _)| *of == month);
            let mut times: Vec<ServerTime> = of_month
                .map(|((_, size), &(seconds, since_ms))| ServerTime { size: size.clone(), seconds, since_ms })
                .collect();
            times.sort_by(|a, b| b.seconds.cmp(&a.seconds).then_with(|| a.size.cmp(&b.size)));
            times.truncate(SIZES_MAX as usize);
            Ok(times)
        })
    }

    fn claim_notice(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let notices = &mut inner.budget.notices;
                let is_taken = notices.get(&notice).is_some_and(|it| {
                    it.told_at_ms.is_some() || it.claimed_at_ms > now_ms.saturating_sub(CLAIM_LIFE_MS)
                });
                if !is_taken {
                    notices.insert(notice, Notice { claimed_at_ms: now_ms, told_at_ms: None });
                }
                Ok(!is_taken)
            })
        })
    }

    fn notice_told(&self, notice: BudgetNotice, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if let Some(notice) = inner.budget.notices.get_mut(&notice) {
                    notice.told_at_ms = Some(now_ms);
                }
                Ok(())
            })
        })
    }

    fn told_percents(&self, month: Month) -> StoreFuture<'_, Vec<u32>> {
        Box::pin(async move {
            let inner = self.lock();
            let told = inner
                .budget
                .notices
                .iter()
                .filter(|(notice, state)| notice.month == month && state.told_at_ms.is_some());
            let mut percents: Vec<u32> = told.map(|(notice, _)| notice.percent).collect();
            // They come in order of percent already, one for each channel.
            percents.dedup();
            Ok(percents)
        })
    }
}
