//! What the team grants and takes: an event of its own, which is neither earned nor experience.
//!
//! A hero remembers which rows of the audit log it has seen and which events were taken back, so that of two operators
//! who do the same one does it, and whoever asks again changes nothing.

use crate::draft::Draft;
use crate::event::Event;
use crate::rejection::{Field, Rejection};

use super::text;

/// Most energy, and most dopamine, of one correction: 10 million, in thousandths. It keeps every sum far from the ends
/// of its type.
pub const AMOUNT_MAX: i64 = 10_000_000_000;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;
/// Longest name of an operator, in characters.
pub const OPERATOR_CHARS_MAX: usize = 64;

/// Who corrects, and why.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) operator: &'a str,
    pub(crate) audit_seq: u64,
    pub(crate) reason: &'a str,
}

/// Changes the balances, once for a row of the audit log.
pub(crate) fn correct(
    draft: &mut Draft<'_>,
    now_ms: i64,
    (energy_me, dopamine_md): (i64, i64),
    By { operator, audit_seq, reason }: By<'_>,
    reverts: Option<u64>,
) -> Result<(), Rejection> {
    let done = &draft.hero.corrections;
    if done.iter().any(|it| it.audit_seq == audit_seq) {
        return Ok(());
    }
    if reverts.is_some() && done.iter().any(|it| it.reverts == reverts) {
        return Err(Rejection::AlreadyReverted);
    }
    for (amount, field) in [(energy_me, Field::AmountMe), (dopamine_md, Field::AmountMd)] {
        if !(-AMOUNT_MAX..=AMOUNT_MAX).contains(&amount) {
            return Err(Rejection::OutOfRange { field, min: -AMOUNT_MAX, max: AMOUNT_MAX });
        }
    }
    if (energy_me, dopamine_md) == (0, 0) {
        return Err(Rejection::OutOfRange { field: Field::AmountMe, min: 1, max: AMOUNT_MAX });
    }
    text::check(reason, Field::Reason, REASON_CHARS_MAX)?;
    text::check(operator, Field::Operator, OPERATOR_CHARS_MAX)?;
    let wallet = draft.hero.wallet;
    if wallet.energy_me + energy_me < 0 {
        return Err(Rejection::NotEnoughEnergy { needed_me: -energy_me });
    }
    if wallet.dopamine_md + dopamine_md < 0 {
        return Err(Rejection::NotEnoughDopamine { needed_md: -dopamine_md });
    }
    let event = Event::BalanceCorrected {
        energy_me,
        dopamine_md,
        operator: operator.into(),
        audit_seq,
        reason: reason.into(),
        reverts,
    };
    draft.emit(now_ms, event);
    Ok(())
}
