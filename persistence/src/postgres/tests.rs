//! What only Postgres can show: its settings, its migrations, its errors, its connections.

use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Connection;
use test_servers::Postgres;
use uuid::Uuid;

use super::connection::meaning_of_code;
use super::*;
use crate::record::EventBody;
use crate::record::EventKind;

const HERO: HeroId = HeroId(Uuid::from_u128(1));
const NODE: NodeId = NodeId(Uuid::from_u128(2));

async fn migrated() -> (Postgres, PostgresStore) {
    let server = Postgres::start();
    PostgresStore::migrate(&server.url()).await.unwrap();
    let store = PostgresStore::open(&server.url()).await.unwrap();
    (server, store)
}

fn part(claim: &Claim, events: u64) -> HeroAppend {
    let mut chain = claim.chain;
    let events = (1..=events).map(|number| {
        let body = EventBody {
            command: None,
            kind: EventKind::of("energy_earned"),
            schema_version: 1,
            catalogue_version: 1,
            at_ms: 0,
            payload: vec![7; 40].into(),
        };
        let seq = Seq(claim.last_seq.0 + number);
        let event = EventRecord::seal(claim.hero, claim.epoch, seq, chain, body);
        chain = event.chain;
        event
    });
    HeroAppend { hero: claim.hero, epoch: claim.epoch, previous: claim.chain, events: events.collect() }
}

/// What a caller who repeats the identical call hears in the end.
async fn until_answered(store: &PostgresStore, batch: &[HeroAppend]) -> Vec<Appended> {
    for _ in 0..200 {
        match store.append(batch).await {
            Ok(answers) => return answers,
            Err(StoreError::Ambiguous(_) | StoreError::Unavailable(_) | StoreError::Busy(_)) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("never answered")
}

#[tokio::test]
async fn connections_are_counted() {
    let (server, store) = migrated().await;
    assert_eq!(store.connections(), ConnectionCount { used: 0, max: 13 }, "nobody asks anything");
    let counted = store.server_connections().await.unwrap().expect("there is a server");
    assert_eq!(counted.max, 97, "100, of which 3 are for administrators");
    assert!((1..10).contains(&counted.used), "{counted:?}");
    let held = store.inner.others.take().await.unwrap();
    assert_eq!(store.connections().used, 1);
    let all = [connection::first(&options(&server.url()).unwrap()).await.unwrap()];
    let more = store.server_connections().await.unwrap().expect("there is a server");
    assert!(more.used > counted.used, "{counted:?} {more:?}");
    drop((held, all));
    store.close().await;
    assert!(store.server_connections().await.is_err());
}

#[tokio::test]
async fn tables_are_made_by_migrate_alone() {
    let server = Postgres::start();
    for refused in [
        PostgresStore::open(&server.url()).await.map(drop),
        PostgresStore::open_read_only(&server.url()).await.map(drop),
    ] {
        match refused {
            Err(StoreError::SchemaUnknown { what }) => {
                assert!(what.contains("dopamine-hero migrate"), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
    let status = PostgresStore::migration_status(&server.url()).await.unwrap();
    assert!(status.iter().all(|it| it.known && !it.applied));
    // Many programs start at once: one does the work, all find it done.
    let url = server.url();
    let run = || PostgresStore::migrate(&url);
    let runs = tokio::join!(run(), run(), run(), run());
    for run in [runs.0, runs.1, runs.2, runs.3] {
        assert!(run.unwrap().iter().all(|it| it.known && it.applied));
    }
    let store = PostgresStore::open(&server.url()).await.unwrap();
    let again = PostgresStore::open_read_only(&server.url()).await.unwrap();
    assert_eq!(store.seal_key(), again.seal_key());
    assert_ne!(store.seal_key(), [0; 32]);
    assert!(again.claim(HERO, NODE).await.is_err(), "it only reads");
}

#[tokio::test]
async fn tables_of_a_newer_server_are_left_alone() {
    let (server, _store) = migrated().await;
    server.sql(
        &server.url(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (999, 'from the future', true, '\\x00', 0)",
    );
    for refused in [
        PostgresStore::open(&server.url()).await.map(drop),
        PostgresStore::open_read_only(&server.url()).await.map(drop),
        PostgresStore::migrate(&server.url()).await.map(drop),
    ] {
        match refused {
            Err(StoreError::SchemaUnknown { what }) => assert!(what.contains("newer version"), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let (server, _store) = migrated().await;
    server.sql(&server.url(), "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1");
    let refused = PostgresStore::migrate(&server.url()).await;
    assert!(matches!(refused, Err(StoreError::SchemaUnknown { .. })), "{refused:?}");
}

#[tokio::test]
async fn settings_that_lose_data_are_found_at_every_connect() {
    let (server, store) = migrated().await;
    let claim = store.claim(HERO, NODE).await.unwrap();
    for (weak, strong) in [
        (
            "ALTER DATABASE postgres SET synchronous_commit = off",
            "ALTER DATABASE postgres RESET synchronous_commit",
        ),
        (
            "ALTER DATABASE postgres SET synchronous_commit = local",
            "ALTER DATABASE postgres RESET synchronous_commit",
        ),
        (
            "ALTER DATABASE postgres SET default_transaction_read_only = on",
            "ALTER DATABASE postgres RESET default_transaction_read_only",
        ),
        ("ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM RESET full_page_writes"),
    ] {
        server.sql(&server.url(), weak);
        server.sql(&server.url(), "SELECT pg_reload_conf()");
        let mut refused = PostgresStore::open(&server.url()).await;
        // A reload takes a moment to reach a new session.
        for _ in 0..100 {
            if refused.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            refused = PostgresStore::open(&server.url()).await;
        }
        assert!(matches!(refused, Err(StoreError::Unfit { .. })), "{weak}: {refused:?}");
        // A server that runs meets it when it connects again, acknowledges nothing, and waits.
        store.inner.journal.close_idle();
        let refused = store.append(&[part(&claim, 1)]).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{weak}: {refused:?}");
        let heal = format!("BEGIN; SET LOCAL transaction_read_only = off; {strong}; COMMIT");
        match strong.contains("SYSTEM") {
            true => server.sql(&server.url(), strong),
            false => server.sql(&server.url(), &heal),
        };
        server.sql(&server.url(), "SELECT pg_reload_conf()");
    }
    assert_eq!(until_answered(&store, &[part(&claim, 1)]).await, [Appended::Written]);
}

#[tokio::test]
async fn a_database_that_dies_costs_a_repetition() {
    let (mut server, store) = migrated().await;
    let claim = store.claim(HERO, NODE).await.unwrap();
    let batch = [part(&claim, 3)];
    store.append(&batch).await.unwrap();
    server.kill();
    let away = store.append(&batch).await;
    assert!(matches!(away, Err(StoreError::Ambiguous(_) | StoreError::Unavailable(_))), "{away:?}");
    let away = store.append(&batch).await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "nothing was asked: {away:?}");
    assert!(store.claim(HERO, NODE).await.is_err());
    server.restart();
    assert_eq!(until_answered(&store, &batch).await, [Appended::AlreadyDurable]);
    assert_eq!(store.events(HERO, Seq(1), 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn another_programs_lock_is_given_up_and_named() {
    let (server, store) = migrated().await;
    let claim = store.claim(HERO, NODE).await.unwrap();
    let mut operator = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM hero_head FOR UPDATE").execute(&mut operator).await.unwrap();
    let batch = [part(&claim, 1)];
    let busy = store.append(&batch).await;
    assert!(matches!(busy, Err(StoreError::Busy(_))), "{busy:?}");
    sqlx::raw_sql("COMMIT").execute(&mut operator).await.unwrap();
    assert_eq!(store.append(&batch).await.unwrap(), [Appended::Written]);
}

/// Fault 11: the answer was lost, the old backend still waits, and commits after the repetition has begun.
#[tokio::test]
async fn a_repetition_that_overtakes_its_first_call_finds_out() {
    let (server, store) = migrated().await;
    let claim = store.claim(HERO, NODE).await.unwrap();
    let mut operator = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM hero_head FOR UPDATE").execute(&mut operator).await.unwrap();
    let batch = [part(&claim, 2)];
    // An older process of ours with the same bytes, so that its backend lives on.
    let older = PostgresStore::open(&server.url()).await.unwrap();
    let first = {
        let (older, batch) = (older.clone(), batch.clone());
        tokio::spawn(async move { older.append(&batch).await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%journal_append%'";
    let until_waiting = async |count: &str| {
        while server.sql(&server.url(), waiting) != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until_waiting("1").await;
    let second = {
        let (store, batch) = (store.clone(), batch.clone());
        tokio::spawn(async move { store.append(&batch).await })
    };
    until_waiting("2").await;
    sqlx::raw_sql("COMMIT").execute(&mut operator).await.unwrap();
    let mut answers = vec![first.await.unwrap().unwrap(), second.await.unwrap().unwrap()];
    answers.sort_by_key(|answer| answer[0] == Appended::AlreadyDurable);
    assert_eq!(answers, [[Appended::Written], [Appended::AlreadyDurable]]);
    assert_eq!(store.events(HERO, Seq(1), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_flush_waits_for_none_of_the_others() {
    let (server, store) = migrated().await;
    let claim = store.claim(HERO, NODE).await.unwrap();
    let mut operator = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    store.claim(HeroId(Uuid::from_u128(9)), NODE).await.unwrap();
    let lock = "BEGIN; SELECT * FROM hero_head WHERE epoch = 1 AND last_seq = 0 AND hero_id <> $1 FOR UPDATE";
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock.replace("$1", &format!("'{HERO}'"))))
        .execute(&mut operator)
        .await
        .unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let others: Vec<_> = (0..CONNECTIONS_MAX * 3)
        .map(|_| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                // Every connection beside the journal's waits for the operator's lock.
                let _late = store.claim(HeroId(Uuid::from_u128(9)), NODE).await;
                done.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while server.sql(&server.url(), waiting) != CONNECTIONS_MAX.to_string() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(store.append(&[part(&claim, 1)]).await.unwrap(), [Appended::Written]);
    assert_eq!(done.load(Ordering::Relaxed), 0);
    sqlx::raw_sql("COMMIT").execute(&mut operator).await.unwrap();
    for other in others {
        other.await.unwrap();
    }
}

#[test]
fn errors_of_postgres_mean_what_the_writer_acts_on() {
    use StoreError::{Ambiguous, Busy, Full, Poison, SchemaUnknown, Unavailable};
    for code in ["40001", "40P01", "55P03"] {
        assert!(matches!(meaning_of_code(code), Busy(_)), "{code}");
    }
    for code in ["57P01", "57P02"] {
        assert!(matches!(meaning_of_code(code), Ambiguous(_)), "{code}");
    }
    for code in ["53200", "53300", "57P03", "57014", "25006", "28P01", "42501", "3D000", "58030", "XX001"] {
        assert!(matches!(meaning_of_code(code), Unavailable(_)), "{code}");
    }
    assert!(matches!(meaning_of_code("53100"), Full(_)));
    assert!(matches!(meaning_of_code("23505"), Poison { .. }));
    assert!(matches!(meaning_of_code("22001"), Poison { .. }));
    assert!(matches!(meaning_of_code("42883"), SchemaUnknown { .. }));
}

#[tokio::test]
async fn a_wrong_address_is_said_without_its_password() {
    for url in ["postgres://hero:hunter2@127.0.0.1:1/hero?sslmode=disable", "postgres://hero:hunter2@[::1/x"]
    {
        match PostgresStore::open(url).await {
            Err(StoreError::Unfit { what }) => {
                assert!(what.contains("DATABASE_URL") && !what.contains("hunter2"), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
}
