use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;
use crate::tests::fake::{FakeRecords, State};

fn entry(number: usize) -> Entry {
    Entry {
        operator: "ada".into(),
        role: Some(Role::Owner),
        action: "player.ban",
        subject: format!("hero {number}"),
        reason: "cheats".into(),
        details: json!({ "number": number }),
        outcome: None,
    }
}

async fn written(rows: usize) -> Arc<FakeRecords> {
    let records = Arc::new(FakeRecords::default());
    let log = Log::new(Arc::clone(&records) as _);
    for number in 1..=rows {
        let of = u64::try_from(number).expect("small") - 1;
        let outcome = (number % 2 == 0).then(|| (of, "done".to_owned()));
        let seq = log.append(Entry { outcome, ..entry(number) }).await.expect("it is written");
        assert_eq!(seq, of + 1);
    }
    records
}

async fn problem(records: &FakeRecords, expect: Option<(u64, [u8; 32])>) -> Option<String> {
    let verdict = verify(records, expect, u64::MAX).await.expect("it can be read").expect("it is short");
    assert_eq!(verdict.is_whole, verdict.problem.is_none());
    verdict.problem
}

#[tokio::test]
async fn an_untouched_log_is_whole() {
    assert_eq!(problem(&FakeRecords::default(), None).await, None, "an empty one too");
    let records = written(1_201).await;
    let verdict = verify(&*records, None, u64::MAX).await.expect("read").expect("short");
    assert_eq!((verdict.is_whole, verdict.rows), (true, 1_201));
    assert_eq!(verify(&*records, None, 1_000).await, Ok(None), "too long to be asked in passing");
}

/// What somebody with the database in hand might do.
type Tamper = fn(&mut State);

#[tokio::test]
async fn every_change_is_found() {
    let tampers: [(&str, Tamper); 21] = [
        ("a time", |state| state.rows[3].at_ms += 1),
        ("a nonce", |state| state.rows[3].nonce[0] ^= 1),
        ("an operator", |state| state.rows[3].operator = "bob".into()),
        ("a role", |state| state.rows[3].role = "viewer".into()),
        ("an action", |state| state.rows[3].action = "player.close".into()),
        ("a subject", |state| state.rows[3].subject.push('x')),
        ("a reason", |state| state.rows[3].reason = String::new()),
        ("details", |state| state.rows[3].details = "{}".into()),
        ("what an outcome is of", |state| state.rows[3].outcome_of = Some(1)),
        ("an outcome", |state| state.rows[3].outcome = Some("failed: x".into())),
        ("a hash", |state| state.rows[3].hash[31] ^= 1),
        ("text moved to the next field", |state| {
            state.rows[3].reason = "heats".into();
            state.rows[3].subject.push('c');
        }),
        ("a missing row", |state| drop(state.rows.remove(3))),
        ("a missing first row", |state| drop(state.rows.remove(0))),
        ("two rows in each other's place", |state| {
            let (three, four) = (state.rows[3].seq, state.rows[4].seq);
            (state.rows[3].seq, state.rows[4].seq) = (four, three);
        }),
        ("a row twice", |state| {
            let row = AuditRecord { seq: 11, ..state.rows[9].clone() };
            state.rows.push(row);
        }),
        ("a cut tail", |state| state.rows.truncate(7)),
        ("a cut tail and a made up end", |state| {
            state.rows.truncate(7);
            let (seq, hash) = (7, state.rows[6].hash);
            state.head = Some(AuditHead { seq, hash, seal: [0; 32] });
        }),
        ("no end", |state| state.head = None),
        ("nothing left but the end", |state| state.rows.clear()),
        ("a changed end", |state| state.head.as_mut().expect("there").hash[0] ^= 1),
    ];
    for (what, tamper) in tampers {
        let records = written(10).await;
        assert_eq!(problem(&records, None).await, None);
        tamper(&mut records.lock());
        let found = problem(&records, None).await;
        assert!(found.is_some(), "{what} was not found");
    }
}

#[tokio::test]
async fn an_old_copy_of_all_of_it_is_told_by_a_line_of_the_server_s_log() {
    let records = written(7).await;
    let old = records.lock().clone();
    let log = Log::new(Arc::clone(&records) as _);
    log.append(entry(8)).await.expect("it is written");
    let line = records.lock().head.map(|head| (head.seq, head.hash)).expect("there");
    assert_eq!(problem(&records, Some(line)).await, None);
    *records.lock() = old;
    assert_eq!(problem(&records, None).await, None, "it is whole by itself");
    let found = problem(&records, Some(line)).await.expect("it is told");
    assert!(found.contains("older copy"), "{found}");
    // A server that runs notices by itself.
    assert!(matches!(log.append(entry(8)).await, Err(Refused::Conflict(_))));
    // And another row in its place is another hash.
    Log::new(Arc::clone(&records) as _).append(entry(9)).await.expect("it is written");
    assert!(problem(&records, Some(line)).await.expect("it is told").contains("another one"));
}

#[tokio::test]
async fn all_of_it_gone_is_noticed_while_there_are_operators() {
    let records = written(3).await;
    records.add("ada", Role::Owner, "correct horse", b"secret");
    {
        let mut state = records.lock();
        state.rows.clear();
        state.head = None;
    }
    assert!(problem(&records, None).await.expect("it is told").contains("empty"));
}

#[tokio::test]
async fn rows_of_many_servers_are_one_line() {
    let records = Arc::new(FakeRecords::default());
    let servers = (0..8).map(|server| {
        let log = Arc::new(Log::new(Arc::clone(&records) as _));
        tokio::spawn(async move {
            for number in 0..20 {
                log.append(entry(server * 100 + number)).await.expect("it is written");
                tokio::task::yield_now().await;
            }
        })
    });
    for server in servers.collect::<Vec<_>>() {
        server.await.expect("no panic");
    }
    assert_eq!(records.lock().rows.len(), 160);
    assert_eq!(problem(&records, None).await, None);
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_row() {
    let records = written(3).await;
    records.unsure.store(1, Ordering::Relaxed);
    let log = Log::new(Arc::clone(&records) as _);
    assert_eq!(log.append(entry(4)).await, Ok(4));
    assert_eq!(log.append(entry(5)).await, Ok(5));
    assert_eq!(records.lock().rows.len(), 5);
    assert_eq!(problem(&records, None).await, None);
}

#[tokio::test]
async fn an_older_secret_still_verifies() {
    let records = written(2).await;
    // As if the newest secret had come later: rows of the second key are good.
    let state = records.lock().clone();
    let mut row = AuditRecord { nonce: [9; 16], ..state.rows[1].clone() };
    let old = [records.audit_keys()[1]];
    let head = chain(&old, state.head, &mut row);
    {
        let mut state = records.lock();
        state.rows.push(row);
        state.head = Some(head);
    }
    assert_eq!(problem(&records, None).await, None);
    let mut row = AuditRecord { nonce: [9; 16], ..state.rows[1].clone() };
    let head = chain(&[[99; 32]], records.lock().head, &mut row);
    {
        let mut state = records.lock();
        state.rows.push(row);
        state.head = Some(head);
    }
    assert!(problem(&records, None).await.is_some(), "but no stranger's");
}

#[tokio::test]
async fn what_is_noted_is_bounded() {
    let records = Arc::new(FakeRecords::default());
    let log = Log::new(Arc::clone(&records) as _);
    let long = Entry { details: json!("x".repeat(DETAILS_BYTES_MAX)), ..entry(1) };
    assert!(matches!(log.append(long).await, Err(Refused::Invalid(_))));
    let outcome = Some((1, "x".repeat(10_000)));
    let long = Entry { outcome, subject: "x".repeat(10_000), ..entry(1) };
    log.append(long).await.expect("it is cut");
    let row = records.lock().rows[0].clone();
    assert!(row.subject.len() <= 200 && row.outcome.is_some_and(|outcome| outcome.len() <= 300));
}
