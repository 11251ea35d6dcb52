//! "Still you?": rules, section 9. A planned session of more than 90 minutes asks once afterwards, and what its last
//! part earned waits for the answer. Silence is trusted: when the next session starts, or the day ends, it is "yes".

use super::focus::{self, Terms};
use super::session;
use crate::catalogue::Catalogue;
use crate::command::Confirmation;
use crate::draft::Draft;
use crate::event::{Credit, Event};
use crate::hero::{Hero, ToConfirm};
use crate::rejection::{Field, Rejection};

pub(crate) fn answer(draft: &mut Draft<'_>, now_ms: i64, answer: Confirmation) -> Result<(), Rejection> {
    let asked = draft.hero.to_confirm.as_deref().ok_or(Rejection::NothingToConfirm)?;
    let session_id = asked.session.session_id;
    let (credit, completion_me) = match answer {
        Confirmation::Yes => all(asked),
        Confirmation::Until { at_ms } => {
            let (min, max) = (asked.session.started_at_ms, asked.ended_at_ms);
            if !(min..=max).contains(&at_ms) {
                return Err(Rejection::OutOfRange { field: Field::AtMs, min, max });
            }
            credit_until(&draft.hero, asked, at_ms, draft.catalogue)
        }
        // Nothing is earned; the task is named because less focus is linked to it now.
        Confirmation::Discard => (Credit { task_id: asked.session.task_id, ..Credit::default() }, 0),
    };
    draft.emit(now_ms, Event::SessionConfirmed { session_id, answer, credit });
    session::complete(draft, now_ms, completion_me);
    Ok(())
}

/// Everything, and the completion bonus.
fn all(asked: &ToConfirm) -> (Credit, i64) {
    (session::credit(&asked.session, &asked.session.meter), asked.session.completion_me)
}

/// Earned until `at_ms`. What the player did by hand after that proves that it was work: it cannot be denied.
fn credit_until(hero: &Hero, asked: &ToConfirm, at_ms: i64, catalogue: &Catalogue) -> (Credit, i64) {
    let session = &asked.session;
    let end_ms = session.meter.focus_ms - session.acted.focus_ms;
    let ms = (at_ms - session.acted.at_ms).clamp(0, end_ms);
    let meter = focus::advanced(Terms::of(session), &session.acted, hero.today.focus_ms, ms, catalogue);
    let reached = session.target_ms.is_none_or(|target_ms| meter.focus_ms >= target_ms);
    let completion_me = if reached { session.completion_me } else { session.acted_completion_me };
    (session::credit(session, &meter), completion_me)
}

pub(crate) fn due(hero: &Hero, _catalogue: &Catalogue) -> Option<i64> {
    hero.to_confirm.as_ref().map(|_| hero.today.bounds.end_ms)
}

/// Silence: yes.
pub(crate) fn silence(draft: &mut Draft<'_>, at_ms: i64) {
    if let Some(asked) = draft.hero.to_confirm.as_deref() {
        let session_id = asked.session.session_id;
        let (credit, completion_me) = all(asked);
        draft.emit(at_ms, Event::SessionConfirmed { session_id, answer: Confirmation::Yes, credit });
        session::complete(draft, at_ms, completion_me);
    }
}
