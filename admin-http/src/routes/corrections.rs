//! Corrections, the second person above a limit, and outages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::Panel;
use crate::effect::{DONE, Wish, reason};
use crate::error::ApiError;
use crate::operations::{Actor, Refused};
use crate::records::{ApprovalRecord, DecisionRecord};
use crate::request::{Named, Sent, check_id};
use crate::sessions::Caller;
use crate::views::{
    Approval, ApprovalDecision, ApprovalState, Corrected, Correction, CorrectionAsk, Outage, OutageAsk,
};

/// How long a second person may take.
const APPROVAL_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// For so long what somebody did alone counts together, so that a limit is not passed in small steps.
const ALONE_MS: i64 = 24 * 60 * 60 * 1_000;
/// Rows of the audit log that are looked at for it. Where there are more, a second person must agree.
const ALONE_ROWS_MAX: usize = 5_000;
/// Rows that are read at a time.
const PAGE_ROWS: u32 = 500;
/// What an approval is for.
const CORRECTION: &str = "correction";
/// Most characters of a reason that goes into a hero's journal.
const REASON_CHARS_MAX: usize = 200;

/// What one may grant or take alone within 24 hours, all corrections together.
#[utoipa::path(get, path = "/v1/corrections/limit", tag = "corrections", responses((status = 200, description = "Amounts up to these", body = Correction)))]
pub(crate) async fn limit(State(panel): State<Arc<Panel>>) -> Json<Correction> {
    Json(panel.operations.correction_limit())
}

/// Corrects balances, or asks for a second person when it is too much for one.
#[utoipa::path(
    post, path = "/v1/players/{hero}/corrections", tag = "corrections", request_body = CorrectionAsk,
    params(("hero" = String, Path, description = "The hero")),
    responses(
        (status = 200, description = "It is done", body = Corrected),
        (status = 202, description = "A second person must agree", body = Approval),
    )
)]
pub(crate) async fn correct(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(hero): Named<String>,
    Sent(ask): Sent<CorrectionAsk>,
) -> Result<Response, ApiError> {
    check_id(&hero)?;
    let why = reason(&ask.reason)?;
    let correction = amounts(&panel, &hero, &ask).await?;
    let details = serde_json::to_value(correction).expect("a correction is numbers");
    // One at a time: two at once would each find room for itself.
    let _turn = panel.corrections.acquire().await.map_err(|_never_closed| ApiError::internal())?;
    if !is_within(&panel, &caller.name, &correction).await? {
        let wish = Wish { action: "correction.ask", subject: hero.clone(), reason: why, details };
        let approval = ask_for_approval(&panel, &caller, wish, hero, correction).await?;
        return Ok((StatusCode::ACCEPTED, Json(approval)).into_response());
    }
    let wish = Wish { action: CORRECTION, subject: hero.clone(), reason: why, details };
    let corrected = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.correct(actor, &hero, correction).await
    });
    Ok(Json(corrected.await?).into_response())
}

/// What would change: of an event that is taken back, what it gave, so that nobody takes back more than one may.
async fn amounts(panel: &Panel, hero: &str, ask: &CorrectionAsk) -> Result<Correction, ApiError> {
    let asked = Correction { energy_me: ask.energy_me, dopamine_md: ask.dopamine_md, reverts: ask.reverts };
    let Some(seq) = ask.reverts else {
        if (ask.energy_me, ask.dopamine_md) == (0, 0) {
            return Err(ApiError::invalid("a correction changes something: say energy_me or dopamine_md"));
        }
        return Ok(asked);
    };
    let timeline = panel.operations.timeline(hero, Some(seq.saturating_add(1)), 1).await?;
    let event = timeline.events.into_iter().find(|event| event.seq == seq);
    let event = event.ok_or_else(|| Refused::NotFound(format!("this hero has no event {seq}")))?;
    let negated = |amount: i64| amount.checked_neg().ok_or_else(ApiError::internal);
    let back = Correction {
        energy_me: negated(event.energy_me)?,
        dopamine_md: negated(event.dopamine_md)?,
        reverts: Some(seq),
    };
    if asked == back || (ask.energy_me, ask.dopamine_md) == (0, 0) {
        return Ok(back);
    }
    Err(ApiError::invalid("with reverts, the amounts are that event's, negated, or 0"))
}

/// Whether somebody may do this alone, after what they did alone lately.
async fn is_within(panel: &Panel, name: &str, correction: &Correction) -> Result<bool, ApiError> {
    let limit = panel.operations.correction_limit();
    let mut alone = Amounts::default();
    alone.add(correction);
    let since_ms = panel.records.now_ms() - ALONE_MS;
    let (mut before, mut looked) = (None, 0);
    while alone.is_within(&limit) && looked < ALONE_ROWS_MAX {
        let rows = panel.records.audit_page(before, PAGE_ROWS).await?;
        let lately = rows.iter().filter(|(row, _)| row.at_ms >= since_ms);
        for (row, outcome) in lately {
            // One without an outcome may have happened.
            let has_failed = outcome.as_ref().is_some_and(|outcome| outcome != DONE);
            if row.action == CORRECTION && row.operator == name && !has_failed {
                alone.add(&serde_json::from_str(&row.details).map_err(|_damaged| ApiError::internal())?);
            }
        }
        match rows.last() {
            Some((last, _)) if last.at_ms >= since_ms => before = Some(last.seq),
            _ => return Ok(alone.is_within(&limit)),
        }
        looked += rows.len();
    }
    Ok(false)
}

/// What was given and taken, added up without its sign: whoever gives and takes does twice.
#[derive(Default)]
struct Amounts {
    energy_me: u64,
    dopamine_md: u64,
}

impl Amounts {
    fn add(&mut self, correction: &Correction) {
        self.energy_me = self.energy_me.saturating_add(correction.energy_me.unsigned_abs());
        self.dopamine_md = self.dopamine_md.saturating_add(correction.dopamine_md.unsigned_abs());
    }

    fn is_within(&self, limit: &Correction) -> bool {
        self.energy_me <= limit.energy_me.unsigned_abs()
            && self.dopamine_md <= limit.dopamine_md.unsigned_abs()
    }
}

async fn ask_for_approval(
    panel: &Arc<Panel>,
    caller: &Caller,
    wish: Wish,
    hero: String,
    correction: Correction,
) -> Result<Approval, ApiError> {
    let asked = panel.carry_out(caller, wish, move |panel, actor| async move {
        let now_ms = panel.records.now_ms();
        let record = ApprovalRecord {
            id: actor.audit_seq,
            action: CORRECTION.to_owned(),
            subject: hero,
            wish: serde_json::to_string(&correction).expect("a correction is numbers"),
            reason: actor.reason,
            requested_by: actor.operator,
            requested_at_ms: now_ms,
            expires_at_ms: now_ms + APPROVAL_MS,
            decision: None,
            done_at_ms: None,
        };
        panel.records.put_approval(record.clone()).await?;
        view(record, now_ms)
    });
    asked.await
}

fn view(record: ApprovalRecord, now_ms: i64) -> Result<Approval, Refused> {
    let state = match &record.decision {
        Some(decision) if decision.is_approved => ApprovalState::Approved,
        Some(_) => ApprovalState::Refused,
        None if now_ms < record.expires_at_ms => ApprovalState::Open,
        None => ApprovalState::Expired,
    };
    Ok(Approval {
        id: record.id,
        action: record.action,
        hero_id: record.subject,
        correction: serde_json::from_str(&record.wish).map_err(|_damaged| Refused::Internal)?,
        reason: record.reason,
        requested_by: record.requested_by,
        requested_at_ms: record.requested_at_ms,
        state,
        decided_at_ms: record.decision.as_ref().map(|decision| decision.at_ms),
        decided_by: record.decision.map(|decision| decision.by),
        is_done: record.done_at_ms.is_some(),
    })
}

/// Wishes for a second person.
#[utoipa::path(get, path = "/v1/approvals", tag = "corrections", responses((status = 200, description = "Open ones first, at most 100", body = [Approval])))]
pub(crate) async fn approvals(State(panel): State<Arc<Panel>>) -> Result<Json<Vec<Approval>>, ApiError> {
    let now_ms = panel.records.now_ms();
    let records = panel.records.approvals(now_ms).await?;
    let views: Result<Vec<_>, Refused> = records.into_iter().map(|record| view(record, now_ms)).collect();
    Ok(Json(views?))
}

/// A second person's word. One that was approved and not carried out may be approved again: it happens once.
#[utoipa::path(
    post, path = "/v1/approvals/{id}", tag = "corrections", request_body = ApprovalDecision,
    params(("id" = u64, Path, description = "The wish")),
    responses((status = 200, description = "It is decided, and done if it was approved", body = Approval))
)]
pub(crate) async fn decide(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<u64>,
    Sent(ask): Sent<ApprovalDecision>,
) -> Result<Json<Approval>, ApiError> {
    let record = panel.records.approval(id).await?;
    let record = record.ok_or_else(|| Refused::NotFound(format!("there is no wish {id}")))?;
    if record.requested_by == caller.name {
        let hint = "who wishes something cannot approve or refuse it; another operator must";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "own_wish", hint));
    }
    // Checked again where it counts, in the database.
    let current = view(record.clone(), panel.records.now_ms())?;
    let is_again = current.state == ApprovalState::Approved && ask.is_approved && !current.is_done;
    if current.state != ApprovalState::Open && !is_again {
        return Err(Refused::Conflict("this is decided, or its seven days are over".into()).into());
    }
    let wish = Wish {
        action: if ask.is_approved { "correction.approve" } else { "correction.refuse" },
        subject: record.subject.clone(),
        reason: record.reason.clone(),
        details: json!({ "approval": id, "requested_by": record.requested_by, "wish": current.correction }),
    };
    let is_approved = ask.is_approved;
    let decided = panel.carry_out(&caller, wish, move |panel, actor| async move {
        let decision = DecisionRecord {
            is_approved,
            by: actor.operator.clone(),
            at_ms: panel.records.now_ms(),
            audit_seq: actor.audit_seq,
        };
        let is_first = panel.records.decide(id, decision).await?;
        if is_approved {
            approved(&panel, id).await?
        } else {
            refused(is_first)?
        }
        let record = panel.records.approval(id).await?.ok_or(Refused::Internal)?;
        view(record, panel.records.now_ms())
    });
    Ok(Json(decided.await?))
}

fn refused(is_first: bool) -> Result<(), Refused> {
    if is_first { Ok(()) } else { Err(late()) }
}

fn late() -> Refused {
    Refused::Conflict("somebody else was faster, or the seven days are over; look again".into())
}

/// Carries out what stands as approved. Whoever does it, the row that names it is the one of the decision, so that the hero
/// takes it once.
async fn approved(panel: &Panel, id: u64) -> Result<(), Refused> {
    let record = panel.records.approval(id).await?.ok_or(Refused::Internal)?;
    let decision = record.decision.filter(|decision| decision.is_approved).ok_or_else(late)?;
    if record.done_at_ms.is_some() {
        return Err(late());
    }
    let correction = serde_json::from_str(&record.wish).map_err(|_damaged| Refused::Internal)?;
    let actor = Actor {
        reason: with_both(&record.reason, &decision.by),
        operator: record.requested_by,
        audit_seq: decision.audit_seq,
    };
    panel.operations.correct(actor, &record.subject, correction).await?;
    panel.records.finish_approval(id, panel.records.now_ms()).await
}

/// The reason, and who agreed, within the length that a journal takes.
fn with_both(reason: &str, approved_by: &str) -> String {
    let agreed = format!(" (approved by {approved_by})");
    let room = REASON_CHARS_MAX.saturating_sub(agreed.chars().count());
    reason.chars().take(room).chain(agreed.chars()).collect()
}

/// Times in which the service was away.
#[utoipa::path(get, path = "/v1/outages", tag = "corrections", responses((status = 200, description = "Newest first", body = [Outage])))]
pub(crate) async fn outages(State(panel): State<Arc<Panel>>) -> Result<Json<Vec<Outage>>, ApiError> {
    Ok(Json(panel.operations.outages().await?))
}

/// Says that the service was away; the days it touched become rest days.
#[utoipa::path(
    post, path = "/v1/outages", tag = "corrections", request_body = OutageAsk,
    responses((status = 204, description = "It is noted"))
)]
pub(crate) async fn declare_outage(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<OutageAsk>,
) -> Result<StatusCode, ApiError> {
    let OutageAsk { from_ms, until_ms, .. } = ask;
    if from_ms >= until_ms {
        return Err(ApiError::invalid("an outage ends after it begins"));
    }
    let details: Value = json!({ "from_ms": from_ms, "until_ms": until_ms });
    let wish = Wish {
        action: "outage.declare",
        subject: "service".to_owned(),
        reason: reason(&ask.reason)?,
        details,
    };
    let declared = panel.carry_out(&caller, wish, move |panel, actor| async move {
        panel.operations.declare_outage(actor, Outage { from_ms, until_ms }).await
    });
    declared.await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_the_limit_needs_two() {
        let limit = Correction { energy_me: 500, dopamine_md: 50, reverts: None };
        let cases =
            [(500, 50, false), (-500, -50, false), (501, 0, true), (0, -51, true), (i64::MIN, 0, true)];
        for (energy_me, dopamine_md, is_too_much) in cases {
            let correction = Correction { energy_me, dopamine_md, reverts: None };
            let mut alone = Amounts::default();
            alone.add(&correction);
            assert_eq!(!alone.is_within(&limit), is_too_much, "{energy_me} {dopamine_md}");
            alone.add(&correction);
            assert!(!alone.is_within(&limit), "twice is too much");
        }
    }

    #[test]
    fn a_journal_names_both_people_and_no_more_than_it_takes() {
        assert_eq!(with_both("lost by a bug", "bob"), "lost by a bug (approved by bob)");
        let long = with_both(&"ü".repeat(200), "bob");
        assert_eq!(long.chars().count(), REASON_CHARS_MAX);
        assert!(long.ends_with("ü (approved by bob)"));
    }
}
