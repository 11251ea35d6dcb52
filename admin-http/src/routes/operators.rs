//! Who the operators are, and what they did.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::Panel;
use crate::audit::{self, Entry};
use crate::digest::sha256;
use crate::effect::Wish;
use crate::error::ApiError;
use crate::operations::Refused;
use crate::records::{InvitationRecord, OperatorRecord, Records};
use crate::request::{Asked, Named, Sent, check_id};
use crate::sessions::Caller;
use crate::views::{AuditPage, AuditVerdict, Invitation, InvitationAsk, Operator, OperatorChange, Role};

/// Who whoever has a shell on the machine is in the audit log.
pub const COMMAND_LINE: &str = "command line";
/// How long an invitation is good.
const INVITATION_MS: i64 = 24 * 60 * 60 * 1_000;
/// Longest name of an operator.
const NAME_BYTES_MAX: usize = 32;
/// Rows of a page of the audit log.
const PAGE_ROWS: u32 = 50;
/// Most of them.
const PAGE_ROWS_MAX: u32 = 200;
/// Rows that are verified while a browser waits; what is longer is verified on the machine.
const VERIFIED_ROWS_MAX: u64 = 100_000;

/// Whether an operator may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_sign)
}

fn check_name(name: &str) -> Result<(), Refused> {
    if is_name(name) {
        return Ok(());
    }
    Err(Refused::Invalid("a name is 1 to 32 of a to z, 0 to 9, point, dash and underscore".into()))
}

/// Everybody.
#[utoipa::path(get, path = "/v1/operators", tag = "operators", responses((status = 200, description = "By name", body = [Operator])))]
pub(crate) async fn list(State(panel): State<Arc<Panel>>) -> Result<Json<Vec<Operator>>, ApiError> {
    let operators = panel.records.operators().await?;
    Ok(Json(operators.into_iter().map(view).collect()))
}

fn view(record: OperatorRecord) -> Operator {
    Operator {
        name: record.name,
        role: record.role,
        created_at_ms: record.created_at_ms,
        last_login_ms: record.last_login_ms,
        is_disabled: record.is_disabled,
    }
}

/// Invites somebody, also one who is there and has lost password or authenticator.
#[utoipa::path(
    post, path = "/v1/operators/invitations", tag = "operators", request_body = InvitationAsk,
    responses((status = 200, description = "Shown only now", body = Invitation))
)]
pub(crate) async fn send_invitation(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Sent(ask): Sent<InvitationAsk>,
) -> Result<Json<Invitation>, ApiError> {
    check_name(&ask.name)?;
    let wish = Wish {
        action: "operator.invite",
        subject: ask.name.clone(),
        reason: String::new(),
        details: json!({ "role": ask.role }),
    };
    let made = panel.carry_out(&caller, wish, move |panel, _actor| async move {
        make(&*panel.records, &ask.name, ask.role).await
    });
    Ok(Json(made.await?))
}

/// Invites somebody from the command line; so comes the first operator.
///
/// # Errors
/// A name that is none, and those of a database that is away.
pub async fn invite(records: Arc<dyn Records>, name: &str, role: Role) -> Result<Invitation, Refused> {
    check_name(name)?;
    let entry = Entry {
        operator: COMMAND_LINE.to_owned(),
        role: None,
        action: "operator.invite",
        subject: name.to_owned(),
        reason: String::new(),
        details: json!({ "role": role }),
        outcome: None,
    };
    let log = audit::Log::new(Arc::clone(&records));
    let audit_seq = log.append(entry.clone()).await?;
    let made = make(&*records, name, role).await;
    let outcome = made.as_ref().map_or_else(|refused| format!("failed: {refused}"), |_| "done".to_owned());
    // The invitation is good all the same; the row without an outcome tells of it.
    let _untold =
        log.append(Entry { details: Value::Null, outcome: Some((audit_seq, outcome)), ..entry }).await;
    made
}

async fn make(records: &dyn Records, name: &str, role: Role) -> Result<Invitation, Refused> {
    let mut random = [0; 32];
    records.fill_random(&mut random);
    let token = format!("invite_{}", BASE64URL_NOPAD.encode(&random));
    let expires_at_ms = records.now_ms() + INVITATION_MS;
    let token_hash = sha256(token.as_bytes());
    records
        .put_invitation(InvitationRecord { token_hash, name: name.to_owned(), role, expires_at_ms })
        .await?;
    Ok(Invitation { token, expires_at_ms })
}

/// Changes what an operator may do; its logins end.
#[utoipa::path(
    post, path = "/v1/operators/{name}", tag = "operators", request_body = OperatorChange,
    params(("name" = String, Path, description = "The operator")),
    responses((status = 204, description = "It is so now"))
)]
pub(crate) async fn change(
    State(panel): State<Arc<Panel>>,
    Extension(caller): Extension<Caller>,
    Named(name): Named<String>,
    Sent(ask): Sent<OperatorChange>,
) -> Result<StatusCode, ApiError> {
    check_id(&name)?;
    if ask.role.is_none() && ask.is_disabled.is_none() {
        return Err(ApiError::invalid("say role or is_disabled"));
    }
    let wish = Wish {
        action: "operator.change",
        subject: name.clone(),
        reason: String::new(),
        details: json!({ "role": ask.role, "is_disabled": ask.is_disabled }),
    };
    let changed = panel.carry_out(&caller, wish, move |panel, _actor| async move {
        panel.records.change_operator(&name, ask.role, ask.is_disabled).await?;
        panel.sessions.end_of(&name);
        Ok(())
    });
    changed.await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Rows before this one; without it, the newest.
    before: Option<u64>,
    /// How many, at most 200.
    limit: Option<u32>,
}

/// What was done.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "Newest first", body = AuditPage))
)]
pub(crate) async fn audit(
    State(panel): State<Arc<Panel>>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    let limit = query.limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS_MAX);
    let rows = panel.records.audit_page(query.before, limit).await?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
    let before = rows.last().map(|(row, _)| row.seq).filter(|seq| is_full && *seq > 1);
    Ok(Json(AuditPage {
        rows: rows.into_iter().map(|(row, outcome)| audit::view(row, outcome)).collect(),
        before,
    }))
}

/// Reads the whole audit log and says whether it is as it was written.
#[utoipa::path(get, path = "/v1/audit/verify", tag = "audit", responses((status = 200, description = "Whether it is whole", body = AuditVerdict)))]
pub(crate) async fn verify(State(panel): State<Arc<Panel>>) -> Result<Json<AuditVerdict>, ApiError> {
    let _place = panel.verifications.try_acquire().map_err(|_full| Refused::Busy)?;
    let verdict = audit::verify(&*panel.records, None, VERIFIED_ROWS_MAX).await?;
    let long = || {
        ApiError::invalid("the log is too long to verify here; run dopamine-hero audit verify on the machine")
    };
    verdict.map(Json).ok_or_else(long)
}
