//! Operators beside the journal in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::MemoryStore;
use crate::accounts::TokenHash;
use crate::error::StoreError;
use crate::operators::{
    APPROVALS_MAX, AUDIT_ROWS_MAX, Acceptance, Accepted, Approval, AuditHead, AuditRecord, Decision,
    Invitation, OPERATORS_MAX, Operator, OperatorChanged, OperatorStore,
};
use crate::store::StoreFuture;

/// What the tables of operators hold.
#[derive(Debug, Default)]
pub(super) struct Tables {
    operators: BTreeMap<String, Operator>,
    invitations: BTreeMap<TokenHash, Invitation>,
    audit: BTreeMap<u64, AuditRecord>,
    head: Option<AuditHead>,
    approvals: BTreeMap<u64, Approval>,
}

impl Tables {
    fn has_owner(&self) -> bool {
        self.operators.values().any(|operator| operator.role == "owner" && operator.disabled_at_ms.is_none())
    }

    fn change(
        &mut self,
        name: &str,
        role: Option<&str>,
        is_disabled: Option<bool>,
        now_ms: i64,
    ) -> OperatorChanged {
        let had_owner = self.has_owner();
        let Some(operator) = self.operators.get_mut(name) else { return OperatorChanged::Missing };
        let before = operator.clone();
        if let Some(role) = role {
            role.clone_into(&mut operator.role);
        }
        match is_disabled {
            Some(true) => operator.disabled_at_ms = operator.disabled_at_ms.or(Some(now_ms)),
            Some(false) => operator.disabled_at_ms = None,
            None => {}
        }
        operator.revision += 1;
        if had_owner && !self.has_owner() {
            self.operators.insert(name.to_owned(), before);
            return OperatorChanged::LastOwner;
        }
        OperatorChanged::Done
    }

    fn accept(&mut self, new: Acceptance) -> Accepted {
        let invitation = self.invitations.get(&new.token).filter(|it| it.expires_at_ms > new.now_ms);
        let Some(Invitation { name, role, .. }) = invitation.cloned() else { return Accepted::Unknown };
        let had_owner = self.has_owner();
        let before = self.operators.get(&name).cloned();
        if before.is_none() && self.operators.len() >= OPERATORS_MAX as usize {
            return Accepted::Full;
        }
        let operator = Operator {
            name: name.clone(),
            role,
            password: new.password,
            totp: new.totp,
            totp_step: new.totp_step,
            revision: before.as_ref().map_or(0, |it| it.revision) + 1,
            created_at_ms: before.as_ref().map_or(new.now_ms, |it| it.created_at_ms),
            last_login_ms: Some(new.now_ms),
            disabled_at_ms: None,
        };
        self.operators.insert(name.clone(), operator.clone());
        if had_owner && !self.has_owner() {
            self.operators.extend(before.map(|before| (name, before)));
            return Accepted::LastOwner;
        }
        self.invitations.remove(&new.token);
        Accepted::Done(operator)
    }

    fn append(&mut self, before: Option<AuditHead>, row: AuditRecord, head: AuditHead) -> bool {
        let end = |head: Option<AuditHead>| head.map(|head| (head.seq, head.hash));
        if end(self.head) != end(before) || self.audit.contains_key(&row.seq) {
            return false;
        }
        self.audit.insert(row.seq, row);
        self.head = Some(head);
        true
    }

    fn page(&self, before: Option<u64>, limit: u32) -> Vec<(AuditRecord, Option<String>)> {
        let outcome = |of: u64| {
            let told = self.audit.values().find(|row| row.outcome_of == Some(of));
            told.and_then(|row| row.outcome.clone())
        };
        let rows = self.audit.range(..before.unwrap_or(u64::MAX)).rev().map(|(_, row)| row);
        let told = rows.filter(|row| row.outcome_of.is_none()).take(limit.min(AUDIT_ROWS_MAX) as usize);
        told.map(|row| (row.clone(), outcome(row.seq))).collect()
    }
}

impl OperatorStore for MemoryStore {
    fn operators(&self) -> StoreFuture<'_, Vec<Operator>> {
        Box::pin(async move { Ok(self.lock().operators.operators.values().cloned().collect()) })
    }

    fn operator<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Operator>> {
        Box::pin(async move { Ok(self.lock().operators.operators.get(name).cloned()) })
    }

    fn change_operator<'a>(
        &'a self,
        name: &'a str,
        role: Option<&'a str>,
        is_disabled: Option<bool>,
        now_ms: i64,
    ) -> StoreFuture<'a, OperatorChanged> {
        Box::pin(
            async move { self.write(|inner| Ok(inner.operators.change(name, role, is_disabled, now_ms))) },
        )
    }

    fn use_code<'a>(&'a self, name: &'a str, step: i64, now_ms: i64) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let operator = inner.operators.operators.get_mut(name);
                let operator = operator.filter(|it| it.totp_step < step && it.disabled_at_ms.is_none());
                let Some(operator) = operator else { return Ok(false) };
                operator.totp_step = step;
                operator.last_login_ms = Some(now_ms);
                Ok(true)
            })
        })
    }

    fn put_invitation(&self, invitation: Invitation, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let all = &mut inner.operators.invitations;
                all.retain(|_, it| it.name != invitation.name && it.expires_at_ms >= now_ms);
                all.insert(invitation.token, invitation);
                Ok(())
            })
        })
    }

    fn invitation(&self, token: TokenHash) -> StoreFuture<'_, Option<Invitation>> {
        Box::pin(async move { Ok(self.lock().operators.invitations.get(&token).cloned()) })
    }

    fn accept(&self, acceptance: Acceptance) -> StoreFuture<'_, Accepted> {
        Box::pin(async move { self.write(|inner| Ok(inner.operators.accept(acceptance))) })
    }

    fn audit_head(&self) -> StoreFuture<'_, Option<AuditHead>> {
        Box::pin(async move { Ok(self.lock().operators.head) })
    }

    fn append_audit(
        &self,
        before: Option<AuditHead>,
        row: AuditRecord,
        head: AuditHead,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.write(|inner| Ok(inner.operators.append(before, row, head))) })
    }

    fn audit_after(&self, seq: u64, limit: u32) -> StoreFuture<'_, Vec<AuditRecord>> {
        Box::pin(async move {
            let inner = self.lock();
            let after = inner.operators.audit.range((Bound::Excluded(seq), Bound::Unbounded));
            let rows = after.map(|(_, row)| row.clone()).take(limit.min(AUDIT_ROWS_MAX) as usize);
            Ok(rows.collect())
        })
    }

    fn audit_page(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<(AuditRecord, Option<String>)>> {
        Box::pin(async move { Ok(self.lock().operators.page(before, limit)) })
    }

    fn put_approval(&self, approval: Approval) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                let all = &mut inner.operators.approvals;
                if all.contains_key(&approval.id) {
                    return Err(StoreError::Poison { what: "the approval exists already".into() });
                }
                all.insert(approval.id, Approval { decision: None, done_at_ms: None, ..approval });
                Ok(())
            })
        })
    }

    fn approval(&self, id: u64) -> StoreFuture<'_, Option<Approval>> {
        Box::pin(async move { Ok(self.lock().operators.approvals.get(&id).cloned()) })
    }

    fn approvals(&self, now_ms: i64) -> StoreFuture<'_, Vec<Approval>> {
        Box::pin(async move {
            let mut all: Vec<Approval> = self.lock().operators.approvals.values().cloned().collect();
            let is_open = |it: &Approval| it.decision.is_none() && it.expires_at_ms > now_ms;
            all.sort_by_key(|it| (!is_open(it), Reverse(it.id)));
            all.truncate(APPROVALS_MAX as usize);
            Ok(all)
        })
    }

    fn decide(&self, id: u64, decision: Decision) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.write(|inner| {
                let approval = inner.operators.approvals.get_mut(&id);
                let open = approval.filter(|it| it.decision.is_none() && it.expires_at_ms > decision.at_ms);
                let Some(open) = open else { return Ok(false) };
                open.decision = Some(decision);
                Ok(true)
            })
        })
    }

    fn finish_approval(&self, id: u64, now_ms: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.write(|inner| {
                if let Some(approval) = inner.operators.approvals.get_mut(&id) {
                    approval.done_at_ms = approval.done_at_ms.or(Some(now_ms));
                }
                Ok(())
            })
        })
    }
}
