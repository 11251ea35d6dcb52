//! What an operator changes: balances and outages, each by an event of its own.

use admin_http::views::{Corrected, Correction, Outage};
use admin_http::{Actor, Refused};
use persistence::uptime::OUTAGES_MAX;
use persistence::{EventRecord, HeroId, Seq};
use simulation::command::Command;
use simulation::event::Event;
use simulation::rejection::Rejection;
use simulation::rules::correction::AMOUNT_MAX;

use super::NodeOperations;
use super::players::{chapter, fold_to, head_of, read_failed, store_failed, within};
use crate::acting::{ActFailed, Acted};
use crate::journal;
use crate::node::Node;

/// Events in which an earlier correction is looked for; who has more corrects with amounts.
const LOOK_BACK_EVENTS: u64 = 50_000;
/// Events asked for at once.
const PAGE_ROWS: u64 = 500;
/// Longest outage that can be declared: a hero remembers no more days.
const OUTAGE_MAX_MS: i64 = 31 * 24 * 60 * 60 * 1000;
/// How it is called in the journal.
const KIND: &str = "balance_corrected";

pub(super) async fn correct(
    operations: &NodeOperations,
    actor: Actor,
    hero: &str,
    correction: Correction,
) -> Result<Corrected, Refused> {
    let node = &operations.node;
    let (hero, head) = head_of(node, hero).await?;
    check_amounts(correction)?;
    if let Some(reverts) = correction.reverts {
        let done = within(look_up(node, hero, (Seq(reverts), head.last_seq), correction)).await?;
        if let Some((seq, audit_seq)) = done {
            return match audit_seq == actor.audit_seq {
                true => within(answer_of(node, hero, seq)).await,
                false => Err(already(reverts, Some(seq))),
            };
        }
    }
    let Correction { energy_me, dopamine_md, reverts } = correction;
    let Actor { operator, audit_seq, reason } = actor;
    let command = Command::CorrectBalance { energy_me, dopamine_md, operator, audit_seq, reason, reverts };
    let Acted { events, seq, before, .. } = match node.act(hero, command).await {
        Ok(acted) => acted,
        Err(ActFailed::Rejected(rejection)) => return refused(node, hero, &rejection, correction).await,
        Err(failed) => return Err(not_done(&failed)),
    };
    if events.is_empty() {
        // It was done before. The answer is the same one, whatever has happened since.
        return within(async {
            let from = Seq(seq.saturating_sub(LOOK_BACK_EVENTS).max(1));
            let done = find_last(node, hero, (from, Seq(seq)), |event| {
                matches!(event, Event::BalanceCorrected { audit_seq: done, .. } if *done == audit_seq)
            });
            match done.await? {
                Some((seq, _)) => answer_of(node, hero, seq).await,
                None => Err(Refused::Unsure),
            }
        })
        .await;
    }
    let wallet = before.wallet;
    tracing::info!(%hero, seq, energy_me, dopamine_md, "an operator corrected the balances");
    Ok(Corrected {
        seq,
        energy_me: wallet.energy_me + energy_me,
        dopamine_md: wallet.dopamine_md + dopamine_md,
    })
}

fn check_amounts(Correction { energy_me, dopamine_md, .. }: Correction) -> Result<(), Refused> {
    if (energy_me, dopamine_md) == (0, 0) {
        return Err(Refused::Invalid("nothing would change: send an amount".to_owned()));
    }
    if [energy_me, dopamine_md].iter().any(|amount| !(-AMOUNT_MAX..=AMOUNT_MAX).contains(amount)) {
        return Err(Refused::Invalid(format!("an amount is from -{AMOUNT_MAX} to {AMOUNT_MAX} thousandths")));
    }
    Ok(())
}

/// Looks at the event that is to be taken back: whether it can be, with these amounts, and whether it was already, by
/// which event for which row of the audit log. Two operators who ask at the same moment both find nothing here; the
/// rules decide between them.
async fn look_up(
    node: &Node,
    hero: HeroId,
    (reverts, last): (Seq, Seq),
    correction: Correction,
) -> Result<Option<(Seq, u64)>, Refused> {
    if reverts.0 == 0 || reverts > last {
        return Err(Refused::NotFound(format!("this hero's events have the numbers 1 to {}", last.0)));
    }
    if last.0 - reverts.0 > LOOK_BACK_EVENTS {
        let hint =
            "so much has happened since that it cannot be taken back; correct the balances with amounts";
        return Err(Refused::Invalid(hint.to_owned()));
    }
    let page = chapter(node, hero, (reverts, reverts)).await.map_err(store_failed)?;
    let record = page.first().ok_or(Refused::Internal)?;
    let event = event(record)?;
    let (energy_me, dopamine_md) = (-event.energy_me(), -event.dopamine_md());
    if (energy_me, dopamine_md) == (0, 0) {
        return Err(Refused::Invalid(format!("event {} moved no balance", reverts.0)));
    }
    if (energy_me, dopamine_md) != (correction.energy_me, correction.dopamine_md) {
        return Err(Refused::Invalid(format!(
            "taking event {} back needs energy_me {energy_me} and dopamine_md {dopamine_md}",
            reverts.0
        )));
    }
    let wanted = Some(reverts.0);
    find_last(
        node,
        hero,
        (reverts.next(), last),
        |event| matches!(event, Event::BalanceCorrected { reverts, .. } if *reverts == wanted),
    )
    .await
}

/// The last correction of this kind between two events, and the row of the audit log that asked for it.
async fn find_last(
    node: &Node,
    hero: HeroId,
    (from, to): (Seq, Seq),
    is_it: impl Fn(&Event) -> bool,
) -> Result<Option<(Seq, u64)>, Refused> {
    let mut end = to.0;
    while end >= from.0 && end > 0 {
        let begin = end.saturating_sub(PAGE_ROWS - 1).max(from.0);
        let page = chapter(node, hero, (Seq(begin), Seq(end))).await.map_err(store_failed)?;
        for record in page.iter().rev().filter(|record| record.kind.as_str() == KIND) {
            let event = event(record)?;
            if let Event::BalanceCorrected { audit_seq, .. } = &event
                && is_it(&event)
            {
                return Ok(Some((record.seq, *audit_seq)));
            }
        }
        end = begin - 1;
    }
    Ok(None)
}

fn event(record: &EventRecord) -> Result<Event, Refused> {
    // Its words are not needed.
    Ok(journal::event(record, None).map_err(|failed| read_failed(failed.into()))?.event)
}

/// What a correction answered when it was done.
async fn answer_of(node: &Node, hero: HeroId, seq: Seq) -> Result<Corrected, Refused> {
    let wallet = fold_to(node, hero, seq).await.map_err(read_failed)?.hero.wallet;
    Ok(Corrected { seq: seq.0, energy_me: wallet.energy_me, dopamine_md: wallet.dopamine_md })
}

async fn refused(
    node: &Node,
    hero: HeroId,
    rejection: &Rejection,
    correction: Correction,
) -> Result<Corrected, Refused> {
    Err(match rejection {
        Rejection::NotEnoughEnergy { needed_me } => {
            too_little(node, hero, "energy", *needed_me, |wallet| wallet.energy_me).await?
        }
        Rejection::NotEnoughDopamine { needed_md } => {
            too_little(node, hero, "dopamine", *needed_md, |wallet| wallet.dopamine_md).await?
        }
        Rejection::AlreadyReverted => already(correction.reverts.unwrap_or_default(), None),
        Rejection::Claimed => {
            let hint = "this hero became part of an account's hero; correct that one";
            Refused::Conflict(hint.to_owned())
        }
        other => Refused::Invalid(other.hint()),
    })
}

/// Says by how much a balance would fall below nothing.
async fn too_little(
    node: &Node,
    hero: HeroId,
    what: &str,
    needed: i64,
    balance: impl Fn(&simulation::hero::Wallet) -> i64,
) -> Result<Refused, Refused> {
    let (_, head) = head_of(node, &hero.to_string()).await?;
    let wallet = fold_to(node, hero, head.last_seq).await.map_err(read_failed)?.hero.wallet;
    let has = balance(&wallet);
    let short = needed.saturating_sub(has);
    Ok(Refused::Invalid(format!(
        "{what} would fall below nothing by {} (the hero has {}, {} were to be taken); take less",
        amount(short),
        amount(has),
        amount(needed)
    )))
}

/// Thousandths as people write them.
fn amount(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let whole = thousandths.unsigned_abs();
    format!("{sign}{}.{:03}", whole / 1000, whole % 1000)
}

fn already(reverts: u64, by: Option<Seq>) -> Refused {
    let by = by.map(|seq| format!(" by event {}", seq.0)).unwrap_or_default();
    Refused::Conflict(format!("event {reverts} was taken back already{by}"))
}

fn not_done(failed: &ActFailed) -> Refused {
    match failed {
        ActFailed::Busy => Refused::Busy,
        ActFailed::ReadOnly => Refused::Away,
        ActFailed::Unsure => Refused::Unsure,
        ActFailed::SetAside => Refused::Conflict(
            "this hero is set aside for repair, or was erased; nothing was changed".to_owned(),
        ),
        ActFailed::Rejected(rejection) => Refused::Invalid(rejection.hint()),
    }
}

/// The newest outages, newest first.
pub(super) async fn outages(operations: &NodeOperations) -> Result<Vec<Outage>, Refused> {
    within(async {
        let known = operations.node.uptime.outages(i64::MIN).await.map_err(store_failed)?;
        let newest_first = known.into_iter().rev();
        Ok(newest_first.map(|it| Outage { from_ms: it.from_ms, until_ms: it.until_ms }).collect())
    })
    .await
}

pub(super) async fn declare_outage(
    operations: &NodeOperations,
    actor: Actor,
    outage: Outage,
) -> Result<(), Refused> {
    let node = &operations.node;
    let now_ms = node.clock.now_ms();
    check_outage(outage, now_ms, node.catalogue().streak.outage_min_ms)?;
    let Outage { from_ms, until_ms } = outage;
    let lately = node.uptime.outages(now_ms.saturating_sub(OUTAGE_MAX_MS)).await.map_err(store_failed)?;
    let is_new = lately.iter().all(|known| known.from_ms != from_ms);
    if is_new && lately.len() >= OUTAGES_MAX as usize {
        let hint = "so many outages within a month push each other out; declare one that covers several";
        return Err(Refused::Conflict(hint.to_owned()));
    }
    node.uptime.add_outage(persistence::Outage { from_ms, until_ms }).await.map_err(store_failed)?;
    node.outage_declared.notify_one();
    tracing::warn!(from_ms, until_ms, operator = actor.operator, "an operator declared an outage");
    Ok(())
}

fn check_outage(Outage { from_ms, until_ms }: Outage, now_ms: i64, minimum_ms: i64) -> Result<(), Refused> {
    let invalid = |hint: String| Err(Refused::Invalid(hint));
    let Some(length_ms) = until_ms.checked_sub(from_ms) else {
        return invalid("these are no moments".to_owned());
    };
    if until_ms > now_ms {
        return invalid("an outage is over when it is declared: until_ms lies in the future".to_owned());
    }
    if length_ms < minimum_ms {
        let minutes = minimum_ms / 60_000;
        return invalid(format!(
            "an outage of less than {minutes} minutes costs nobody a day: none is needed"
        ));
    }
    if length_ms > OUTAGE_MAX_MS {
        return invalid("an outage is at most 31 days long: no hero remembers more".to_owned());
    }
    Ok(())
}

/// What an operator may grant or take alone within 24 hours: 500 energy, 50 dopamine.
pub(super) fn correction_limit(_operations: &NodeOperations) -> Correction {
    Correction { energy_me: 500_000, dopamine_md: 50_000, reverts: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1000;
    const NOW_MS: i64 = 1_780_000_000_000;

    #[test]
    fn an_outage_is_over_and_has_a_length() {
        let check = |from_ms, until_ms| check_outage(Outage { from_ms, until_ms }, NOW_MS, HOUR_MS);
        assert_eq!(check(NOW_MS - HOUR_MS, NOW_MS), Ok(()));
        assert_eq!(check(NOW_MS - OUTAGE_MAX_MS, NOW_MS), Ok(()));
        for (from_ms, until_ms, word) in [
            (NOW_MS - HOUR_MS, NOW_MS + 1, "future"),
            (NOW_MS - OUTAGE_MAX_MS - 1, NOW_MS, "31 days"),
            (NOW_MS - HOUR_MS + 1, NOW_MS, "60 minutes"),
            (NOW_MS, NOW_MS - HOUR_MS, "60 minutes"),
            (i64::MIN, NOW_MS, "no moments"),
        ] {
            let Err(Refused::Invalid(hint)) = check(from_ms, until_ms) else {
                panic!("{from_ms} {until_ms}")
            };
            assert!(hint.contains(word), "{hint}");
        }
    }

    #[test]
    fn amounts_are_bounded_and_not_nothing() {
        let check = |energy_me, dopamine_md| {
            check_amounts(Correction { energy_me, dopamine_md, reverts: None }).is_ok()
        };
        assert!(check(1, 0) && check(0, -1) && check(AMOUNT_MAX, -AMOUNT_MAX));
        assert!(!check(0, 0) && !check(AMOUNT_MAX + 1, 0) && !check(0, i64::MIN));
    }
}
