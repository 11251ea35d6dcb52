//! Read models beside the journal in memory.

use std::collections::BTreeMap;

use super::{Inner, MemoryStore};
use crate::read_model::{
    AssemblyRow, AssemblyState, Behind, FocusSessionRow, HeroRows, LedgerRow, LedgerSum, READ_ROWS_MAX,
    ReadModelStore, SessionState, TaskRow, Totals, check_parts,
};
use crate::record::{HeroId, PAGE_ROWS_MAX, Seq};
use crate::store::StoreFuture;

/// The rows of one hero.
#[derive(Debug, Default)]
pub(super) struct Tables {
    read_seq: Seq,
    ledger: BTreeMap<Seq, LedgerRow>,
    sessions: BTreeMap<u32, FocusSessionRow>,
    tasks: BTreeMap<u32, TaskRow>,
    assemblies: BTreeMap<u32, AssemblyRow>,
}

impl Tables {
    fn write(&mut self, part: &HeroRows) -> bool {
        if self.read_seq != part.from {
            return false;
        }
        self.read_seq = part.to;
        let rows = &part.rows;
        self.ledger.extend(rows.ledger.iter().map(|row| (row.seq, row.clone())));
        self.tasks.extend(rows.tasks.iter().map(|row| (row.task_id, row.clone())));
        for row in &rows.sessions {
            let kept = self.sessions.get(&row.session_id).and_then(|earlier| earlier.end_kind.clone());
            let end_kind = row.end_kind.clone().or(kept);
            self.sessions.insert(row.session_id, FocusSessionRow { end_kind, ..row.clone() });
        }
        for row in &rows.assemblies {
            let kept = self.assemblies.get(&row.job_id).and_then(|earlier| earlier.started_at_ms);
            let started_at_ms = row.started_at_ms.or(kept);
            self.assemblies.insert(row.job_id, AssemblyRow { started_at_ms, ..row.clone() });
        }
        true
    }
}

/// The last rows before a key, newest first.
fn page<K: Ord + Copy, R: Clone>(rows: &BTreeMap<K, R>, before: Option<K>, limit: u32) -> Vec<R> {
    use std::ops::Bound::{Excluded, Unbounded};
    let end = before.map_or(Unbounded, Excluded);
    let newest_first = rows.range((Unbounded, end)).rev();
    newest_first.take(limit.min(READ_ROWS_MAX) as usize).map(|(_, row)| row.clone()).collect()
}

impl MemoryStore {
    fn read_page<K: Ord + Copy + Send + 'static, R: Clone + Send + 'static>(
        &self,
        hero: HeroId,
        table: fn(&Tables) -> &BTreeMap<K, R>,
        before: Option<K>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<R>> {
        Box::pin(async move {
            let inner = self.lock();
            let tables = inner.read_models.get(&hero);
            Ok(tables.map(|tables| page(table(tables), before, limit)).unwrap_or_default())
        })
    }
}

impl Inner {
    fn behind(&self, after: Option<HeroId>, limit: u32) -> Vec<Behind> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let all = self.heroes.range((from, Unbounded)).map(|(hero, rows)| Behind {
            hero: *hero,
            read_seq: self.read_models.get(hero).map_or(Seq(0), |tables| tables.read_seq),
            last_seq: rows.head.last_seq,
        });
        all.filter(|it| it.read_seq < it.last_seq).take(limit.min(PAGE_ROWS_MAX) as usize).collect()
    }

    fn totals(&self, since_ms: i64) -> Totals {
        let is_since = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms >= since_ms);
        let mut totals = Totals::default();
        for tables in self.read_models.values() {
            for row in tables.sessions.values() {
                let is_over = matches!(row.state, SessionState::Asks | SessionState::Ended);
                if is_over && is_since(row.ended_at_ms) {
                    totals.sessions += 1;
                    totals.focus_ms += row.focus_ms;
                }
            }
            let earned = tables.ledger.values().filter(|row| row.at_ms >= since_ms);
            totals.energy_me += earned.map(|row| row.earned_me).sum::<i64>();
            totals.tasks_done += tables.tasks.values().filter(|row| is_since(row.done_at_ms)).count() as u64;
            let built = tables.assemblies.values().filter(|row| {
                row.state == AssemblyState::Assembled && row.counts && is_since(row.ended_at_ms)
            });
            totals.modules_assembled += built.count() as u64;
        }
        totals
    }
}

impl ReadModelStore for MemoryStore {
    fn read_seq(&self, hero: HeroId) -> StoreFuture<'_, Seq> {
        Box::pin(
            async move { Ok(self.lock().read_models.get(&hero).map_or(Seq(0), |tables| tables.read_seq)) },
        )
    }

    fn behind(&self, after: Option<HeroId>, limit: u32) -> StoreFuture<'_, Vec<Behind>> {
        Box::pin(async move { Ok(self.lock().behind(after, limit)) })
    }

    fn write_rows<'a>(&'a self, parts: &'a [HeroRows]) -> StoreFuture<'a, Vec<bool>> {
        Box::pin(async move {
            check_parts(parts)?;
            self.write(|inner| {
                let written = parts.iter().map(|part| {
                    let tables = inner.read_models.entry(part.hero).or_default();
                    tables.write(part)
                });
                Ok(written.collect())
            })
        })
    }

    fn reset(&self, hero: HeroId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                inner.read_models.remove(&hero);
                Ok(())
            })
        })
    }

    fn ledger_sum(&self, hero: HeroId) -> StoreFuture<'_, LedgerSum> {
        Box::pin(async move {
            let inner = self.lock();
            let Some(tables) = inner.read_models.get(&hero) else { return Ok(LedgerSum::default()) };
            Ok(LedgerSum {
                read_seq: tables.read_seq,
                energy_me: tables.ledger.values().map(|row| row.energy_me).sum(),
                dopamine_md: tables.ledger.values().map(|row| row.dopamine_md).sum(),
            })
        })
    }

    fn ledger(&self, hero: HeroId, before: Option<Seq>, limit: u32) -> StoreFuture<'_, Vec<LedgerRow>> {
        self.read_page(hero, |tables| &tables.ledger, before, limit)
    }

    fn sessions(
        &self,
        hero: HeroId,
        before: Option<u32>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<FocusSessionRow>> {
        self.read_page(hero, |tables| &tables.sessions, before, limit)
    }

    fn tasks(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<TaskRow>> {
        self.read_page(hero, |tables| &tables.tasks, before, limit)
    }

    fn assemblies(&self, hero: HeroId, before: Option<u32>, limit: u32) -> StoreFuture<'_, Vec<AssemblyRow>> {
        self.read_page(hero, |tables| &tables.assemblies, before, limit)
    }

    fn totals(&self, since_ms: i64) -> StoreFuture<'_, Totals> {
        Box::pin(async move { Ok(self.lock().totals(since_ms)) })
    }
}
