//! Why a balance is what it is: every change, added up by cause.
//!
//! The sums come from the journal itself, event by event, and are compared with the hero as it is loaded (from its snapshot) and
//! with the ledger of the read models where that is up to date: three ways that share little.

use std::collections::{BTreeMap, VecDeque};

use admin_http::Refused;
use admin_http::views::{Balance, BalanceLine, CauseSum};
use persistence::{HeroId, Seq};
use simulation::event::TimedEvent;
use simulation::hero::Wallet;

use super::reading::{EVENTS_MAX, chapter, fold_to, head_of, read_failed, store_failed, within};
use crate::node::Node;
use crate::operations::NodeOperations;
use crate::{convert, journal};

/// Changes that are shown.
const LINES_MAX: usize = 100;
/// What moves a balance and has no cause of its own.
const OTHER: &str = "other";

/// Adds up.
#[derive(Debug, Default)]
struct Sums {
    energy_me: i64,
    dopamine_md: i64,
    causes: BTreeMap<String, CauseSum>,
    /// The newest last.
    lines: VecDeque<BalanceLine>,
}

impl Sums {
    fn add(&mut self, seq: Seq, timed: &TimedEvent) {
        let event = convert::event(seq.0, timed);
        let (energy_me, dopamine_md) = (event.energy_me, event.dopamine_md);
        if energy_me == 0 && dopamine_md == 0 {
            return;
        }
        self.energy_me += energy_me;
        self.dopamine_md += dopamine_md;
        let cause = event.cause.clone().unwrap_or_else(|| OTHER.to_owned());
        let sum = self.causes.entry(cause.clone()).or_insert(CauseSum {
            cause,
            count: 0,
            energy_me: 0,
            dopamine_md: 0,
        });
        sum.count += 1;
        sum.energy_me += energy_me;
        sum.dopamine_md += dopamine_md;
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(BalanceLine {
            seq: event.seq,
            at_ms: event.at_ms,
            kind: event.kind,
            cause: event.cause,
            subject: event.subject,
            energy_me,
            dopamine_md,
            energy_balance_me: self.energy_me,
            dopamine_balance_md: self.dopamine_md,
        });
    }

    fn answer(self, wallet: Wallet, is_ledger_right: bool) -> Balance {
        let mut causes: Vec<CauseSum> = self.causes.into_values().collect();
        causes.sort_by_key(|sum| std::cmp::Reverse((sum.energy_me.abs(), sum.dopamine_md.abs())));
        Balance {
            energy_me: wallet.energy_me,
            dopamine_md: wallet.dopamine_md,
            causes,
            lines: self.lines.into_iter().rev().collect(),
            adds_up: is_ledger_right
                && (self.energy_me, self.dopamine_md) == (wallet.energy_me, wallet.dopamine_md),
        }
    }
}

pub(in crate::operations) async fn balance(
    operations: &NodeOperations,
    hero: &str,
) -> Result<Balance, Refused> {
    within(async {
        let node = &operations.node;
        let (hero, head) = head_of(node, hero).await?;
        let last = head.last_seq;
        if last.0 > EVENTS_MAX {
            let hint = "this journal is too long to be added up here; `dopamine-hero verify` adds it up";
            return Err(Refused::Invalid(hint.to_owned()));
        }
        let sums = added_up(node, hero, last).await?;
        let wallet = fold_to(node, hero, last).await.map_err(read_failed)?.hero.wallet;
        let ledger = node.read_models.ledger_sum(hero).await.map_err(store_failed)?;
        let is_right = (ledger.energy_me, ledger.dopamine_md) == (wallet.energy_me, wallet.dopamine_md);
        Ok(sums.answer(wallet, ledger.read_seq != last || is_right))
    })
    .await
}

async fn added_up(node: &Node, hero: HeroId, last: Seq) -> Result<Sums, Refused> {
    let mut sums = Sums::default();
    let mut next = Seq(1);
    while next <= last {
        let page = chapter(node, hero, (next, last)).await.map_err(store_failed)?;
        let Some(end) = page.last() else { break };
        next = end.seq.next();
        for record in &page {
            // Amounts need no text and no fold.
            let timed = journal::event(record, None).map_err(|failed| read_failed(failed.into()))?;
            sums.add(record.seq, &timed);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use simulation::event::{Bonus, Event};

    use super::*;

    fn paid(energy_me: i64) -> TimedEvent {
        TimedEvent { at_ms: 1, event: Event::BonusPaid { bonus: Bonus::Ignition, energy_me } }
    }

    fn wallet(energy_me: i64) -> Wallet {
        Wallet { energy_me, ..Wallet::default() }
    }

    #[test]
    fn every_change_is_in_a_cause_and_the_last_ones_are_shown() {
        let mut sums = Sums::default();
        for seq in 1..=150 {
            sums.add(Seq(seq), &paid(1_000));
        }
        sums.add(
            Seq(151),
            &TimedEvent {
                at_ms: 2,
                event: Event::BlueprintPaid {
                    module_id: simulation::id::ModuleId::literal("gen_sine"),
                    cost_me: 40_000,
                },
            },
        );
        sums.add(Seq(152), &TimedEvent { at_ms: 2, event: Event::NothingChanged });
        let balance = sums.answer(wallet(110_000), true);
        assert!(balance.adds_up);
        let causes: Vec<_> =
            balance.causes.iter().map(|sum| (sum.cause.as_str(), sum.count, sum.energy_me)).collect();
        assert_eq!(causes, [("ignition", 150, 150_000), ("assembly", 1, -40_000)]);
        assert_eq!(balance.lines.len(), LINES_MAX);
        let newest = &balance.lines[0];
        assert_eq!((newest.seq, newest.energy_me, newest.energy_balance_me), (151, -40_000, 110_000));
        assert_eq!((balance.lines[99].seq, balance.lines[99].energy_balance_me), (52, 52_000));
    }

    #[test]
    fn what_does_not_add_up_is_said() {
        let mut sums = Sums::default();
        sums.add(Seq(1), &paid(1_000));
        assert!(!sums.answer(wallet(1_001), true).adds_up, "the hero says something else");
        assert!(!Sums::default().answer(wallet(0), false).adds_up, "the ledger does");
    }
}
