//! Copies of what happened, and the position that says how far they go.

use persistence::read_model::{READ_ROWS_MAX, WRITE_HEROES_MAX, WRITE_ROWS_MAX};
use persistence::{
    AssemblyRow, AssemblyState, Behind, EventKind, FocusSessionRow, HeroRows, LedgerRow, LedgerSum, ReadRows,
    Seq, SessionState, StoreError, TaskRow, Totals,
};

use crate::backend::Backend;
use crate::history::{Owner, hero};

fn line(seq: u64) -> LedgerRow {
    LedgerRow {
        seq: Seq(seq),
        at_ms: 1_000 * i64::try_from(seq).unwrap(),
        kind: EventKind::of("bonus_paid"),
        cause: Some("ignition".into()),
        subject: None,
        energy_me: 3_000,
        earned_me: 3_000,
        dopamine_md: -7,
    }
}

fn session(session_id: u32) -> FocusSessionRow {
    FocusSessionRow {
        session_id,
        state: SessionState::Open,
        end_kind: None,
        mode: "countdown".into(),
        planned_minutes: Some(25),
        category: "creative".into(),
        task_id: Some(9),
        started_at_ms: 1_000,
        ended_at_ms: None,
        interruptions: 0,
        focus_ms: 0,
        energy_me: 0,
        dopamine_md: 0,
    }
}

fn task(task_id: u32) -> TaskRow {
    TaskRow {
        task_id,
        parent_id: None,
        category: "Crème brûlée, „heute“ 🍮".into(),
        priority: "high".into(),
        estimate_minutes: 30,
        due_day: Some(-3),
        repeats: true,
        created_at_ms: -5,
        done_at_ms: None,
        removed_at_ms: None,
        focus_ms: 0,
    }
}

fn assembly(job_id: u32) -> AssemblyRow {
    AssemblyRow {
        job_id,
        module_id: "gen_sine".into(),
        state: AssemblyState::Running,
        counts: true,
        paid_me: 26_000,
        refund_me: 0,
        finish_md: 0,
        work_ms: 60_000,
        started_at_ms: Some(4_000),
        ended_at_ms: None,
    }
}

fn part(number: u128, from: u64, to: u64, rows: ReadRows) -> HeroRows {
    HeroRows { hero: hero(number), from: Seq(from), to: Seq(to), rows }
}

fn lines(from: u64, to: u64) -> ReadRows {
    ReadRows { ledger: (from..=to).map(line).collect(), ..ReadRows::default() }
}

pub(crate) async fn rows_are_read_as_they_were_written(backend: impl Backend) {
    let store = backend.read_models();
    assert_eq!(store.read_seq(hero(1)).await.unwrap(), Seq(0));
    assert_eq!(store.ledger_sum(hero(1)).await.unwrap(), LedgerSum::default());
    let bare = LedgerRow { cause: None, subject: Some("gen_sine".into()), ..line(3) };
    let offline = FocusSessionRow {
        state: SessionState::Ended,
        end_kind: Some("banked".into()),
        planned_minutes: None,
        task_id: None,
        ended_at_ms: Some(2_000),
        interruptions: 2,
        ..session(6)
    };
    let done =
        TaskRow { parent_id: Some(4), due_day: None, repeats: false, done_at_ms: Some(7_000), ..task(8) };
    let built =
        AssemblyRow { state: AssemblyState::Assembled, counts: false, ended_at_ms: Some(9), ..assembly(2) };
    let rows = ReadRows {
        ledger: vec![line(1), bare],
        sessions: vec![session(5), offline],
        tasks: vec![task(7), done],
        assemblies: vec![assembly(1), built],
    };
    assert_eq!(store.write_rows(&[part(1, 0, 4, rows.clone())]).await.unwrap(), [true]);
    let backend = backend.reopen().await;
    let store = backend.read_models();
    let newest_first = ReadRows {
        ledger: store.ledger(hero(1), None, 10).await.unwrap(),
        sessions: store.sessions(hero(1), None, 10).await.unwrap(),
        tasks: store.tasks(hero(1), None, 10).await.unwrap(),
        assemblies: store.assemblies(hero(1), None, 10).await.unwrap(),
    };
    assert_eq!(newest_first, reversed(rows));
    let sum = LedgerSum { read_seq: Seq(4), energy_me: 6_000, dopamine_md: -14 };
    assert_eq!(store.ledger_sum(hero(1)).await.unwrap(), sum);
    assert_eq!(store.ledger(hero(2), None, 10).await.unwrap(), [], "nobody else's");
}

fn reversed(mut rows: ReadRows) -> ReadRows {
    rows.ledger.reverse();
    rows.sessions.reverse();
    rows.tasks.reverse();
    rows.assemblies.reverse();
    rows
}

pub(crate) async fn a_later_row_replaces_and_keeps_what_it_does_not_know(backend: impl Backend) {
    let store = backend.read_models();
    let asks = FocusSessionRow {
        state: SessionState::Asks,
        end_kind: Some("auto".into()),
        ended_at_ms: Some(6_000),
        ..session(5)
    };
    let first = ReadRows {
        sessions: vec![asks.clone()],
        tasks: vec![task(7)],
        assemblies: vec![assembly(1)],
        ..ReadRows::default()
    };
    let confirmed =
        FocusSessionRow { state: SessionState::Ended, end_kind: None, energy_me: 8, focus_ms: 3, ..asks };
    let removed = TaskRow { removed_at_ms: Some(3), priority: "low".into(), ..task(7) };
    let cancelled = AssemblyRow {
        state: AssemblyState::Cancelled,
        refund_me: 5,
        started_at_ms: None,
        ended_at_ms: Some(8_000),
        ..assembly(1)
    };
    let second = ReadRows {
        sessions: vec![confirmed.clone()],
        tasks: vec![removed.clone()],
        assemblies: vec![cancelled.clone()],
        ..ReadRows::default()
    };
    assert_eq!(store.write_rows(&[part(1, 0, 3, first)]).await.unwrap(), [true]);
    assert_eq!(store.write_rows(&[part(1, 3, 4, second)]).await.unwrap(), [true]);
    let kept = FocusSessionRow { end_kind: Some("auto".into()), ..confirmed };
    assert_eq!(store.sessions(hero(1), None, 10).await.unwrap(), [kept]);
    assert_eq!(store.tasks(hero(1), None, 10).await.unwrap(), [removed]);
    let kept = AssemblyRow { started_at_ms: Some(4_000), ..cancelled };
    assert_eq!(store.assemblies(hero(1), None, 10).await.unwrap(), [kept]);
}

pub(crate) async fn a_position_is_compared_and_swapped(backend: impl Backend) {
    let store = backend.read_models();
    let first = part(1, 0, 2, lines(1, 2));
    assert_eq!(store.write_rows(std::slice::from_ref(&first)).await.unwrap(), [true]);
    // The same again, an overlap, and a gap; and somebody whose position fits is not held up.
    let parts = [
        part(2, 0, 1, lines(1, 1)),
        part(3, 5, 6, lines(6, 6)),
        part(1, 3, 4, lines(4, 4)),
        part(4, 0, 9, ReadRows::default()),
    ];
    assert_eq!(store.write_rows(&[first]).await.unwrap(), [false]);
    assert_eq!(store.write_rows(&[part(1, 1, 3, lines(2, 3))]).await.unwrap(), [false]);
    assert_eq!(store.write_rows(&parts).await.unwrap(), [true, false, false, true]);
    assert_eq!(store.ledger(hero(1), None, 10).await.unwrap(), [line(2), line(1)]);
    assert_eq!(store.ledger(hero(3), None, 10).await.unwrap(), []);
    for (number, read_seq) in [(1, 2), (2, 1), (3, 0), (4, 9)] {
        assert_eq!(store.read_seq(hero(number)).await.unwrap(), Seq(read_seq), "hero {number}");
    }
    assert_eq!(store.write_rows(&[part(1, 2, 3, lines(3, 3))]).await.unwrap(), [true]);
}

pub(crate) async fn of_two_followers_one_writes(backend: impl Backend) {
    for round in 0..8 {
        let mut followers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = backend.read_models();
            let parts = [
                part(1, round, round + 1, lines(round + 1, round + 1)),
                part(2, round, round + 1, lines(round + 1, round + 1)),
            ];
            followers.spawn(async move {
                loop {
                    match store.write_rows(&parts).await {
                        Err(StoreError::Busy(_)) => tokio::task::yield_now().await,
                        written => return written.unwrap(),
                    }
                }
            });
        }
        let written = followers.join_all().await;
        for index in 0..2 {
            assert_eq!(written.iter().filter(|it| it[index]).count(), 1, "round {round}: {written:?}");
        }
    }
    let store = backend.read_models();
    let sum = LedgerSum { read_seq: Seq(8), energy_me: 24_000, dopamine_md: -56 };
    for number in [1, 2] {
        assert_eq!(store.ledger_sum(hero(number)).await.unwrap(), sum, "no row is lost or doubled");
    }
}

pub(crate) async fn malformed_writes_are_refused(backend: impl Backend) {
    let store = backend.read_models();
    let heroes = |count: usize| -> Vec<HeroRows> {
        (1..=count).map(|number| part(number as u128, 0, 1, ReadRows::default())).collect()
    };
    let rows = u64::try_from(WRITE_ROWS_MAX).unwrap();
    let malformed = [
        vec![part(1, 1, 1, ReadRows::default())],
        vec![part(1, 0, 2, lines(3, 3))],
        vec![part(1, 1, 2, lines(1, 2))],
        vec![part(1, 0, 1, lines(1, 1)), part(1, 1, 2, lines(2, 2))],
        vec![part(1, 0, rows + 1, lines(1, rows + 1))],
        heroes(WRITE_HEROES_MAX + 1),
    ];
    for parts in malformed {
        let refused = store.write_rows(&parts).await;
        assert!(matches!(refused, Err(StoreError::Poison { .. })), "{refused:?}");
    }
    assert_eq!(store.read_seq(hero(1)).await.unwrap(), Seq(0));
    assert_eq!(store.write_rows(&heroes(WRITE_HEROES_MAX)).await.unwrap(), [true; WRITE_HEROES_MAX]);
    assert_eq!(store.write_rows(&[part(1, 1, rows + 1, lines(2, rows + 1))]).await.unwrap(), [true]);
    assert_eq!(store.write_rows(&[]).await.unwrap(), [true; 0]);
}

pub(crate) async fn pages_are_cut_newest_first(backend: impl Backend) {
    let store = backend.read_models();
    let count = u64::from(READ_ROWS_MAX) + 5;
    let ids = || 1..=READ_ROWS_MAX + 5;
    store.write_rows(&[part(1, 0, count, lines(1, count))]).await.unwrap();
    let rows = ReadRows {
        sessions: ids().map(session).collect(),
        tasks: ids().map(task).collect(),
        assemblies: ids().map(assembly).collect(),
        ..ReadRows::default()
    };
    store.write_rows(&[part(1, count, count + 1, rows)]).await.unwrap();
    let all = store.ledger(hero(1), None, u32::MAX).await.unwrap();
    let seqs: Vec<u64> = all.iter().map(|row| row.seq.0).collect();
    assert_eq!(seqs, (6..=count).rev().collect::<Vec<_>>(), "one page, the newest");
    let rest = store.ledger(hero(1), Some(Seq(6)), 3).await.unwrap();
    assert_eq!(rest, [line(5), line(4), line(3)]);
    assert_eq!(store.ledger(hero(1), Some(Seq(1)), 3).await.unwrap(), []);
    assert_eq!(store.sessions(hero(1), None, u32::MAX).await.unwrap().len(), READ_ROWS_MAX as usize);
    assert_eq!(store.sessions(hero(1), Some(3), 9).await.unwrap(), [session(2), session(1)]);
    assert_eq!(store.tasks(hero(1), Some(3), 1).await.unwrap(), [task(2)]);
    assert_eq!(store.assemblies(hero(1), Some(2), 9).await.unwrap(), [assembly(1)]);
}

pub(crate) async fn heroes_that_are_behind_are_found(backend: impl Backend) {
    let (journal, store) = (backend.journal(), backend.read_models());
    let mut owners = Vec::new();
    for number in 1..=4 {
        owners.push(Owner::claim(&*journal, hero(number)).await);
    }
    assert_eq!(store.behind(None, 10).await.unwrap(), [], "nothing happened yet");
    for (owner, events) in owners.iter_mut().zip([3, 0, 5, 1]) {
        if events > 0 {
            owner.write(&*journal, events).await;
        }
    }
    store.write_rows(&[part(3, 0, 2, ReadRows::default()), part(4, 0, 1, lines(1, 1))]).await.unwrap();
    let behind = |number: u128, read: u64, last: u64| Behind {
        hero: hero(number),
        read_seq: Seq(read),
        last_seq: Seq(last),
    };
    let all = [behind(1, 0, 3), behind(3, 2, 5)];
    assert_eq!(store.behind(None, 10).await.unwrap(), all);
    assert_eq!(store.behind(None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.behind(Some(hero(1)), 10).await.unwrap(), all[1..]);
    assert_eq!(store.behind(Some(hero(3)), 10).await.unwrap(), []);
}

pub(crate) async fn a_reset_begins_again_and_touches_nobody_else(backend: impl Backend) {
    let store = backend.read_models();
    let rows = || ReadRows {
        ledger: vec![line(1)],
        sessions: vec![session(5)],
        tasks: vec![task(7)],
        assemblies: vec![assembly(1)],
    };
    store.write_rows(&[part(1, 0, 2, rows()), part(2, 0, 2, rows())]).await.unwrap();
    store.reset(hero(1)).await.unwrap();
    store.reset(hero(3)).await.unwrap();
    assert_eq!(store.ledger_sum(hero(1)).await.unwrap(), LedgerSum::default());
    assert_eq!(store.sessions(hero(1), None, 9).await.unwrap(), []);
    assert_eq!(store.tasks(hero(1), None, 9).await.unwrap(), []);
    assert_eq!(store.assemblies(hero(1), None, 9).await.unwrap(), []);
    assert_eq!(store.write_rows(&[part(1, 2, 3, ReadRows::default())]).await.unwrap(), [false]);
    assert_eq!(store.write_rows(&[part(1, 0, 1, lines(1, 1))]).await.unwrap(), [true]);
    assert_eq!(store.tasks(hero(2), None, 9).await.unwrap(), [task(7)]);
    assert_eq!(store.read_seq(hero(2)).await.unwrap(), Seq(2));
}

pub(crate) async fn totals_count_what_was_since(backend: impl Backend) {
    let store = backend.read_models();
    assert_eq!(store.totals(0).await.unwrap(), Totals::default());
    let ended = |session_id, state, at_ms| FocusSessionRow {
        state,
        ended_at_ms: Some(at_ms),
        focus_ms: 60_000,
        ..session(session_id)
    };
    let done = |task_id, at_ms| TaskRow { done_at_ms: Some(at_ms), ..task(task_id) };
    let built =
        |job_id, state, counts| AssemblyRow { state, counts, ended_at_ms: Some(5_000), ..assembly(job_id) };
    let paid = LedgerRow { energy_me: -26_000, earned_me: 0, ..line(6) };
    let rows = ReadRows {
        ledger: vec![line(4), line(5), paid],
        sessions: vec![
            ended(1, SessionState::Ended, 4_999),
            ended(2, SessionState::Ended, 5_000),
            ended(3, SessionState::Asks, 6_000),
            ended(4, SessionState::Discarded, 6_000),
            session(5),
        ],
        tasks: vec![done(1, 4_999), done(2, 5_000), task(3)],
        assemblies: vec![
            built(1, AssemblyState::Assembled, true),
            built(2, AssemblyState::Assembled, false),
            built(3, AssemblyState::Cancelled, true),
            assembly(4),
        ],
    };
    store.write_rows(&[part(1, 0, 6, rows.clone()), part(2, 0, 6, rows)]).await.unwrap();
    let totals =
        Totals { sessions: 4, focus_ms: 240_000, energy_me: 6_000, tasks_done: 2, modules_assembled: 2 };
    assert_eq!(store.totals(5_000).await.unwrap(), totals);
    assert_eq!(store.totals(7_000).await.unwrap(), Totals::default());
}
