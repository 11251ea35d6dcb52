//! Operators, invitations, the audit log, approvals.

use std::sync::Arc;

use persistence::accounts::{Sealed, TokenHash};
use persistence::operators::{
    Acceptance, Accepted, Approval, AuditHead, AuditRecord, Decision, Invitation, Operator, OperatorChanged,
};
use persistence::{OperatorStore, StoreError};
use tokio::task::JoinSet;

use crate::backend::Backend;

fn invitation(number: u8, name: &str, role: &str) -> Invitation {
    Invitation { token: TokenHash([number; 32]), name: name.into(), role: role.into(), expires_at_ms: 5_000 }
}

fn acceptance(number: u8, now_ms: i64) -> Acceptance {
    Acceptance {
        token: TokenHash([number; 32]),
        password: format!("hash {number}"),
        totp: Sealed(vec![number; 60]),
        totp_step: 100,
        now_ms,
    }
}

async fn make(store: &dyn OperatorStore, number: u8, name: &str, role: &str) -> Operator {
    store.put_invitation(invitation(number, name, role), 1_000).await.unwrap();
    match store.accept(acceptance(number, 2_000)).await.unwrap() {
        Accepted::Done(operator) => operator,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_invitation_makes_an_operator_once(backend: impl Backend) {
    let store = backend.operators();
    assert_eq!(store.operators().await.unwrap(), []);
    let wanted = invitation(1, "ada", "owner");
    store.put_invitation(wanted.clone(), 1_000).await.unwrap();
    assert_eq!(store.invitation(wanted.token).await.unwrap(), Some(wanted));
    assert_eq!(store.accept(acceptance(2, 2_000)).await.unwrap(), Accepted::Unknown);
    assert_eq!(store.accept(acceptance(1, 5_000)).await.unwrap(), Accepted::Unknown, "it has ended");
    let at_once: JoinSet<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            async move { store.accept(acceptance(1, 4_999)).await.unwrap() }
        })
        .collect();
    let answers = at_once.join_all().await;
    let done = answers.iter().filter(|answer| matches!(answer, Accepted::Done(_))).count();
    assert_eq!(done, 1, "{answers:?}");
    let expected = Operator {
        name: "ada".into(),
        role: "owner".into(),
        password: "hash 1".into(),
        totp: Sealed(vec![1; 60]),
        totp_step: 100,
        revision: 1,
        created_at_ms: 4_999,
        last_login_ms: Some(4_999),
        disabled_at_ms: None,
    };
    let backend = backend.reopen().await;
    let store = backend.operators();
    assert_eq!(store.operator("ada").await.unwrap().as_ref(), Some(&expected));
    assert_eq!(store.operators().await.unwrap(), [expected]);
    assert_eq!(store.operator("bob").await.unwrap(), None);
}

pub(crate) async fn a_later_invitation_voids_the_earlier_one(backend: impl Backend) {
    let store = backend.operators();
    store.put_invitation(invitation(1, "ada", "owner"), 1_000).await.unwrap();
    store.put_invitation(invitation(2, "ada", "viewer"), 1_000).await.unwrap();
    assert_eq!(store.invitation(TokenHash([1; 32])).await.unwrap(), None);
    store.put_invitation(invitation(3, "bob", "viewer"), 5_001).await.unwrap();
    assert_eq!(store.invitation(TokenHash([2; 32])).await.unwrap(), None, "it ended and is forgotten");
}

pub(crate) async fn an_invitation_replaces_what_an_operator_has_lost(backend: impl Backend) {
    let store = backend.operators();
    make(&*store, 1, "ada", "owner").await;
    make(&*store, 2, "bob", "viewer").await;
    store.change_operator("bob", None, Some(true), 2_500).await.unwrap();
    let bob = make(&*store, 3, "bob", "support").await;
    assert_eq!((bob.role.as_str(), bob.password.as_str(), bob.revision), ("support", "hash 3", 3));
    assert_eq!(bob.disabled_at_ms, None);
    store.put_invitation(invitation(4, "ada", "viewer"), 1_000).await.unwrap();
    assert_eq!(store.accept(acceptance(4, 2_000)).await.unwrap(), Accepted::LastOwner);
    assert_eq!(store.operator("ada").await.unwrap().unwrap().role, "owner");
    assert!(store.invitation(TokenHash([4; 32])).await.unwrap().is_some(), "all or nothing");
}

pub(crate) async fn an_operator_is_changed_and_an_owner_stays(backend: impl Backend) {
    let store = backend.operators();
    assert_eq!(store.change_operator("ada", None, None, 1).await.unwrap(), OperatorChanged::Missing);
    make(&*store, 1, "ada", "owner").await;
    make(&*store, 2, "bob", "viewer").await;
    let last = OperatorChanged::LastOwner;
    assert_eq!(store.change_operator("ada", Some("viewer"), None, 1).await.unwrap(), last);
    assert_eq!(store.change_operator("ada", None, Some(true), 1).await.unwrap(), last);
    assert_eq!(store.operator("ada").await.unwrap().unwrap().revision, 1, "nothing happened");
    let done = OperatorChanged::Done;
    assert_eq!(store.change_operator("bob", Some("owner"), None, 3_000).await.unwrap(), done);
    assert_eq!(store.change_operator("ada", None, Some(true), 3_001).await.unwrap(), done);
    assert_eq!(store.change_operator("ada", None, Some(true), 3_002).await.unwrap(), done);
    let ada = store.operator("ada").await.unwrap().unwrap();
    assert_eq!((ada.disabled_at_ms, ada.revision), (Some(3_001), 3));
    assert_eq!(store.change_operator("bob", Some("viewer"), None, 1).await.unwrap(), last, "ada is disabled");
    assert_eq!(store.change_operator("ada", Some("support"), Some(false), 1).await.unwrap(), done);
    let ada = store.operator("ada").await.unwrap().unwrap();
    assert_eq!((ada.role.as_str(), ada.disabled_at_ms), ("support", None));
}

pub(crate) async fn two_owners_do_not_take_each_other_the_role(backend: impl Backend) {
    let store = backend.operators();
    for round in 0..10 {
        make(&*store, 1, "ada", "owner").await;
        make(&*store, 2, "bob", "owner").await;
        let at_once: JoinSet<_> = ["ada", "bob"]
            .into_iter()
            .map(|name| {
                let store = Arc::clone(&store);
                async move { store.change_operator(name, Some("viewer"), None, 1).await }
            })
            .collect();
        for answer in at_once.join_all().await {
            // Of two that wait for each other, a database may send one away.
            assert!(matches!(answer, Ok(_) | Err(StoreError::Busy(_))), "{answer:?}");
        }
        let operators = store.operators().await.unwrap();
        assert!(operators.iter().any(|it| it.role == "owner"), "round {round}: {operators:?}");
    }
}

pub(crate) async fn a_code_is_used_once(backend: impl Backend) {
    let store = backend.operators();
    make(&*store, 1, "ada", "owner").await;
    for (step, is_first) in [(100, false), (99, false), (101, true), (101, false), (100, false), (103, true)]
    {
        assert_eq!(store.use_code("ada", step, 9_000).await.unwrap(), is_first, "{step}");
    }
    let at_once: JoinSet<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            async move { store.use_code("ada", 200, 9_001).await.unwrap() }
        })
        .collect();
    let used = at_once.join_all().await.into_iter().filter(|is_first| *is_first).count();
    assert_eq!(used, 1);
    assert_eq!(store.operator("ada").await.unwrap().unwrap().last_login_ms, Some(9_001));
    assert!(!store.use_code("bob", 300, 1).await.unwrap());
}

fn row(seq: u64, outcome_of: Option<u64>) -> (AuditRecord, AuditHead) {
    let byte = u8::try_from(seq).unwrap();
    let row = AuditRecord {
        seq,
        at_ms: 1_000,
        nonce: [byte; 16],
        operator: "ada".into(),
        role: "owner".into(),
        action: "player.ban".into(),
        subject: "a hero".into(),
        reason: "ünfair".into(),
        details: "{\"a\":1}".into(),
        outcome_of,
        outcome: outcome_of.map(|of| format!("done {of}")),
        hash: [byte; 32],
    };
    (row, AuditHead { seq, hash: [byte; 32], seal: [byte; 32] })
}

pub(crate) async fn the_audit_log_is_one_line(backend: impl Backend) {
    let store = backend.operators();
    assert_eq!(store.audit_head().await.unwrap(), None);
    let (first, head) = row(1, None);
    assert!(store.append_audit(None, first.clone(), head).await.unwrap());
    assert!(!store.append_audit(None, first.clone(), head).await.unwrap(), "it has begun");
    let (second, next) = row(2, Some(1));
    let other = AuditHead { hash: [9; 32], ..head };
    assert!(!store.append_audit(Some(other), second.clone(), next).await.unwrap(), "another end");
    assert!(!store.append_audit(Some(head), first.clone(), next).await.unwrap(), "a place that is taken");
    assert_eq!(store.audit_head().await.unwrap(), Some(head), "both or neither");
    let at_once: JoinSet<_> = (0..8)
        .map(|_| {
            let (store, second) = (Arc::clone(&store), second.clone());
            async move { store.append_audit(Some(head), second, next).await.unwrap() }
        })
        .collect();
    assert_eq!(at_once.join_all().await.into_iter().filter(|is_stored| *is_stored).count(), 1);
    let backend = backend.reopen().await;
    let store = backend.operators();
    assert_eq!(store.audit_head().await.unwrap(), Some(next));
    assert_eq!(store.audit_after(0, 10).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(store.audit_after(1, 10).await.unwrap(), [second]);
    assert_eq!(store.audit_after(0, 1).await.unwrap(), [first]);
    assert_eq!(store.audit_after(u64::MAX, 1).await.unwrap(), []);
}

pub(crate) async fn rows_are_shown_with_their_outcomes(backend: impl Backend) {
    let store = backend.operators();
    let mut before = None;
    for (seq, outcome_of) in [(1, None), (2, None), (3, Some(1)), (4, None), (5, Some(4))] {
        let (row, head) = row(seq, outcome_of);
        assert!(store.append_audit(before, row, head).await.unwrap());
        before = Some(head);
    }
    let shown = |page: Vec<(AuditRecord, Option<String>)>| -> Vec<(u64, Option<String>)> {
        page.into_iter().map(|(row, outcome)| (row.seq, outcome)).collect()
    };
    let all = [(4, Some("done 4".to_owned())), (2, None), (1, Some("done 1".to_owned()))];
    assert_eq!(shown(store.audit_page(None, 10).await.unwrap()), all);
    assert_eq!(shown(store.audit_page(Some(4), 1).await.unwrap()), all[1..2]);
    assert_eq!(shown(store.audit_page(Some(1), 10).await.unwrap()), []);
}

fn approval(id: u64) -> Approval {
    Approval {
        id,
        action: "correction".into(),
        subject: "a hero".into(),
        wish: "{}".into(),
        reason: "lost".into(),
        requested_by: "ada".into(),
        requested_at_ms: 1_000,
        expires_at_ms: 8_000,
        decision: None,
        done_at_ms: None,
    }
}

pub(crate) async fn a_wish_is_decided_once(backend: impl Backend) {
    let store = backend.operators();
    let decision = |by: &str, at_ms: i64| Decision { is_approved: true, by: by.into(), at_ms, audit_seq: 7 };
    for id in [5, 6, 9] {
        store.put_approval(approval(id)).await.unwrap();
    }
    let again = store.put_approval(approval(5)).await;
    assert!(matches!(again, Err(StoreError::Poison { .. })), "{again:?}");
    assert!(!store.decide(5, decision("bob", 8_000)).await.unwrap(), "it has ended");
    let at_once: JoinSet<_> = ["bob", "eve", "fay"]
        .into_iter()
        .map(|by| {
            let (store, decision) = (Arc::clone(&store), decision(by, 7_999));
            async move { store.decide(5, decision).await.unwrap() }
        })
        .collect();
    assert_eq!(at_once.join_all().await.into_iter().filter(|is_first| *is_first).count(), 1);
    let decided = store.approval(5).await.unwrap().unwrap();
    let stands = decided.decision.clone().unwrap();
    assert_eq!((stands.is_approved, stands.at_ms, stands.audit_seq), (true, 7_999, 7));
    let refusal = Decision { is_approved: false, ..decision("bob", 2_000) };
    assert!(store.decide(6, refusal.clone()).await.unwrap());
    assert_eq!(store.approval(6).await.unwrap().unwrap().decision, Some(refusal));
    assert!(!store.decide(77, decision("bob", 1)).await.unwrap());
    assert_eq!(store.approval(77).await.unwrap(), None);
    for now_ms in [9_000, 9_500] {
        store.finish_approval(5, now_ms).await.unwrap();
    }
    let backend = backend.reopen().await;
    let store = backend.operators();
    let done = Approval { done_at_ms: Some(9_000), ..decided };
    assert_eq!(store.approval(5).await.unwrap(), Some(done));
    let ids = |all: Vec<Approval>| all.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(store.approvals(7_999).await.unwrap()), [9, 6, 5]);
    store.put_approval(Approval { expires_at_ms: 1_500, ..approval(12) }).await.unwrap();
    assert_eq!(ids(store.approvals(7_999).await.unwrap()), [9, 12, 6, 5], "open ones first");
}
