//! Records in memory, which can be away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::operations::{Answer, Refused};
use crate::records::{
    ApprovalRecord, AuditHead, AuditRecord, DecisionRecord, InvitationRecord, NewOperator, OperatorRecord,
    Records,
};
use crate::views::Role;

pub(crate) struct FakeRecords {
    pub(crate) state: Mutex<State>,
    pub(crate) is_away: AtomicBool,
    /// Appends that are stored and answered as if nobody knew.
    pub(crate) unsure: AtomicU64,
    now_ms: AtomicI64,
    random: AtomicU64,
}

#[derive(Default, Clone)]
pub(crate) struct State {
    pub(crate) operators: BTreeMap<String, OperatorRecord>,
    steps: BTreeMap<String, i64>,
    invitations: BTreeMap<[u8; 32], InvitationRecord>,
    pub(crate) rows: Vec<AuditRecord>,
    pub(crate) head: Option<AuditHead>,
    approvals: BTreeMap<u64, ApprovalRecord>,
}

impl Default for FakeRecords {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            is_away: AtomicBool::new(false),
            unsure: AtomicU64::new(0),
            now_ms: AtomicI64::new(1_800_000_000_000),
            random: AtomicU64::new(1),
        }
    }
}

impl FakeRecords {
    pub(crate) fn now(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    pub(crate) fn add(&self, name: &str, role: Role, password: &str, secret: &[u8]) {
        let operator = OperatorRecord {
            name: name.into(),
            role,
            password: hash(password),
            totp_secret: secret.to_vec(),
            revision: 1,
            created_at_ms: self.now(),
            last_login_ms: None,
            is_disabled: false,
        };
        self.lock().operators.insert(name.into(), operator);
    }

    /// Actions of the log with what came of them.
    pub(crate) fn told(&self) -> Vec<(String, Option<String>)> {
        let state = self.lock();
        let first = state.rows.iter().filter(|row| row.outcome_of.is_none());
        first.map(|row| (row.action.clone(), state.outcome(row.seq))).collect()
    }

    fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, Refused>,
    ) -> Answer<'_, T> {
        let answer =
            if self.is_away.load(Ordering::Relaxed) { Err(Refused::Away) } else { work(&mut self.lock()) };
        Box::pin(async move { answer })
    }
}

impl State {
    fn outcome(&self, of: u64) -> Option<String> {
        self.rows.iter().find(|row| row.outcome_of == Some(of)).and_then(|row| row.outcome.clone())
    }

    fn owners(&self) -> usize {
        self.operators.values().filter(|it| it.role == Role::Owner && !it.is_disabled).count()
    }
}

fn hash(password: &str) -> String {
    format!("hash of {password}")
}

impl Records for FakeRecords {
    fn now_ms(&self) -> i64 {
        self.now()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        // Never the same twice; a test guesses nothing.
        for chunk in bytes.chunks_mut(8) {
            let next = self.random.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }

    fn weak_password(&self, password: &str, _name: &str) -> Option<&'static str> {
        (password.len() < 8).then_some("at least 8 characters")
    }

    fn hash_password(&self, password: String) -> Answer<'_, String> {
        Box::pin(async move { Ok(hash(&password)) })
    }

    fn verify_password(&self, password: String, stored: Option<String>) -> Answer<'_, bool> {
        Box::pin(async move { Ok(stored == Some(hash(&password))) })
    }

    fn operators(&self) -> Answer<'_, Vec<OperatorRecord>> {
        self.answer(|state| Ok(state.operators.values().cloned().collect()))
    }

    fn operator<'a>(&'a self, name: &'a str) -> Answer<'a, Option<OperatorRecord>> {
        self.answer(|state| Ok(state.operators.get(name).cloned()))
    }

    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        role: Option<Role>,
        is_disabled: Option<bool>,
    ) -> Answer<'a, ()> {
        self.answer(|state| {
            let mut operator =
                state.operators.get(name).cloned().ok_or_else(|| Refused::NotFound("nobody".into()))?;
            operator.role = role.unwrap_or(operator.role);
            operator.is_disabled = is_disabled.unwrap_or(operator.is_disabled);
            operator.revision += 1;
            let before = state.operators.insert(name.into(), operator);
            if state.owners() == 0 {
                state.operators.extend(before.map(|before| (name.to_owned(), before)));
                return Err(Refused::Conflict("no owner would be left".into()));
            }
            Ok(())
        })
    }

    fn use_code<'a>(&'a self, name: &'a str, step: i64, _now_ms: i64) -> Answer<'a, bool> {
        self.answer(|state| {
            let last = state.steps.entry(name.into()).or_insert(0);
            let is_first = *last < step;
            *last = step.max(*last);
            Ok(is_first)
        })
    }

    fn put_invitation(&self, invitation: InvitationRecord) -> Answer<'_, ()> {
        self.answer(|state| {
            state.invitations.insert(invitation.token_hash, invitation);
            Ok(())
        })
    }

    fn invitation(&self, token_hash: [u8; 32]) -> Answer<'_, Option<InvitationRecord>> {
        self.answer(|state| Ok(state.invitations.get(&token_hash).cloned()))
    }

    fn accept(&self, new: NewOperator) -> Answer<'_, Option<OperatorRecord>> {
        self.answer(|state| {
            let Some(invitation) = state.invitations.remove(&new.token_hash) else { return Ok(None) };
            let revision = state.operators.get(&invitation.name).map_or(0, |it| it.revision) + 1;
            let operator = OperatorRecord {
                name: invitation.name.clone(),
                role: invitation.role,
                password: new.password,
                totp_secret: new.totp_secret,
                revision,
                created_at_ms: new.now_ms,
                last_login_ms: Some(new.now_ms),
                is_disabled: false,
            };
            state.steps.insert(invitation.name.clone(), new.totp_step);
            state.operators.insert(invitation.name, operator.clone());
            Ok(Some(operator))
        })
    }

    fn audit_keys(&self) -> Vec<[u8; 32]> {
        vec![[7; 32], [8; 32]]
    }

    fn audit_head(&self) -> Answer<'_, Option<AuditHead>> {
        self.answer(|state| Ok(state.head))
    }

    fn append_audit(&self, before: Option<AuditHead>, row: AuditRecord, head: AuditHead) -> Answer<'_, bool> {
        let unsure = self.unsure.load(Ordering::Relaxed) > 0;
        self.answer(|state| {
            if state.head != before || state.rows.iter().any(|it| it.seq == row.seq) {
                return Ok(false);
            }
            state.rows.push(row);
            state.head = Some(head);
            if unsure {
                self.unsure.fetch_sub(1, Ordering::Relaxed);
                return Err(Refused::Unsure);
            }
            Ok(true)
        })
    }

    fn audit_after(&self, seq: u64, limit: u32) -> Answer<'_, Vec<AuditRecord>> {
        self.answer(|state| {
            let mut rows: Vec<_> = state.rows.iter().filter(|row| row.seq > seq).cloned().collect();
            rows.sort_by_key(|row| row.seq);
            rows.truncate(limit as usize);
            Ok(rows)
        })
    }

    fn audit_page(&self, before: Option<u64>, limit: u32) -> Answer<'_, Vec<(AuditRecord, Option<String>)>> {
        self.answer(|state| {
            let rows = state.rows.iter().rev().filter(|row| row.outcome_of.is_none());
            let rows = rows.filter(|row| before.is_none_or(|before| row.seq < before));
            Ok(rows.take(limit as usize).map(|row| (row.clone(), state.outcome(row.seq))).collect())
        })
    }

    fn put_approval(&self, approval: ApprovalRecord) -> Answer<'_, ()> {
        self.answer(|state| {
            state.approvals.insert(approval.id, approval);
            Ok(())
        })
    }

    fn approval(&self, id: u64) -> Answer<'_, Option<ApprovalRecord>> {
        self.answer(|state| Ok(state.approvals.get(&id).cloned()))
    }

    fn approvals(&self, _now_ms: i64) -> Answer<'_, Vec<ApprovalRecord>> {
        self.answer(|state| Ok(state.approvals.values().rev().cloned().collect()))
    }

    fn decide(&self, id: u64, decision: DecisionRecord) -> Answer<'_, bool> {
        self.answer(|state| {
            let approval = state.approvals.get_mut(&id);
            let open = approval.filter(|it| it.decision.is_none() && it.expires_at_ms > decision.at_ms);
            Ok(open.map(|open| open.decision = Some(decision)).is_some())
        })
    }

    fn finish_approval(&self, id: u64, now_ms: i64) -> Answer<'_, ()> {
        self.answer(|state| {
            state.approvals.get_mut(&id).expect("it is there").done_at_ms = Some(now_ms);
            Ok(())
        })
    }
}
