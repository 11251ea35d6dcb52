//! Beats and outages beside the journal in memory.

use super::MemoryStore;
use crate::store::StoreFuture;
use crate::uptime::{OUTAGES_MAX, Outage, UptimeStore};

impl UptimeStore for MemoryStore {
    fn beat(&self, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                inner.last_beat_ms = Some(now_ms);
                Ok(())
            })
        })
    }

    fn last_beat(&self) -> StoreFuture<'_, Option<i64>> {
        Box::pin(async move { Ok(self.lock().last_beat_ms) })
    }

    fn add_outage(&self, outage: Outage) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            outage.check()?;
            self.write(|inner| {
                let until_ms = inner.outages.entry(outage.from_ms).or_insert(outage.until_ms);
                *until_ms = outage.until_ms.max(*until_ms);
                Ok(())
            })
        })
    }

    fn outages(&self, since_ms: i64) -> StoreFuture<'_, Vec<Outage>> {
        Box::pin(async move {
            let inner = self.lock();
            let newest_first =
                inner.outages.iter().rev().map(|(&from_ms, &until_ms)| Outage { from_ms, until_ms });
            let mut outages: Vec<_> =
                newest_first.filter(|it| it.until_ms > since_ms).take(OUTAGES_MAX as usize).collect();
            outages.reverse();
            Ok(outages)
        })
    }
}
