//! What only SQLite can show: its file, its lock, its settings, its errors.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::connection::{connect_writer, meaning_of_code};
use super::migrations::run_to;
use super::*;
use crate::record::{CommandRef, EventBody, EventKind};
use crate::uptime::UptimeStore;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("dopamine-hero-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("hero.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

const HERO: HeroId = HeroId(Uuid::from_u128(1));
const NODE: NodeId = NodeId(Uuid::from_u128(2));

fn part(claim: &Claim, events: u64, payload_bytes: usize) -> HeroAppend {
    let mut chain = claim.chain;
    let events = (1..=events).map(|number| {
        let body = EventBody {
            command: None::<CommandRef>,
            kind: EventKind::of("energy_earned"),
            schema_version: 1,
            catalogue_version: 1,
            at_ms: 0,
            payload: vec![7; payload_bytes].into(),
        };
        let seq = Seq(claim.last_seq.0 + number);
        let event = EventRecord::seal(claim.hero, claim.epoch, seq, chain, body);
        chain = event.chain;
        event
    });
    HeroAppend { hero: claim.hero, epoch: claim.epoch, previous: claim.chain, events: events.collect() }
}

async fn run(store: &SqliteStore, sql: &str) {
    let mut writer = store.writer().await.unwrap();
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(writer.connection()).await.unwrap();
    writer.keep();
}

#[tokio::test]
async fn a_second_server_is_told_who_has_the_file() {
    let folder = Folder::new();
    let first = SqliteStore::open(&folder.file()).await.unwrap();
    match SqliteStore::open(&folder.file()).await {
        Err(StoreError::InUse { what }) => assert!(what.contains("another server is using"), "{what}"),
        other => panic!("{other:?}"),
    }
    first.close().await;
    let second = SqliteStore::open(&folder.file()).await.unwrap();
    assert!(matches!(first.ping().await, Err(StoreError::Unavailable(_))), "closed is closed");
    assert!(matches!(first.heroes(None, 1).await, Err(StoreError::Unavailable(_))));
    // Dropped without a word, as by a panic: the lock goes with the process's handle.
    drop(second);
    SqliteStore::open(&folder.file()).await.unwrap();
}

#[tokio::test]
async fn a_reader_works_beside_the_server_and_cannot_write() {
    let folder = Folder::new();
    let server = SqliteStore::open(&folder.file()).await.unwrap();
    let reader = SqliteStore::open_read_only(&folder.file()).await.unwrap();
    let claim = server.claim(HERO, NODE).await.unwrap();
    server.append(&[part(&claim, 3, 10)]).await.unwrap();
    assert_eq!(reader.events(HERO, Seq(1), 10).await.unwrap().len(), 3);
    assert!(matches!(reader.claim(HERO, NODE).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(reader.ping().await, Err(StoreError::Unavailable(_))));
    let status = SqliteStore::migration_status(&folder.file()).await.unwrap();
    assert!(status.iter().all(|it| it.applied && it.known));
}

#[tokio::test]
async fn a_reader_works_on_what_a_killed_server_left() {
    let (folder, after) = (Folder::new(), Folder::new());
    let server = SqliteStore::open(&folder.file()).await.unwrap();
    let claim = server.claim(HERO, NODE).await.unwrap();
    server.append(&[part(&claim, 3, 10)]).await.unwrap();
    for suffix in ["", "-wal"] {
        let name = |folder: &Folder| format!("{}{suffix}", folder.file().display());
        std::fs::copy(name(&folder), name(&after)).unwrap();
    }
    let reader = SqliteStore::open_read_only(&after.file()).await.unwrap();
    assert_eq!(reader.events(HERO, Seq(1), 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_missing_file_is_made_by_the_server_only() {
    let folder = Folder::new();
    assert!(matches!(SqliteStore::open_read_only(&folder.file()).await, Err(StoreError::Unfit { .. })));
    assert!(matches!(SqliteStore::migration_status(&folder.file()).await, Err(StoreError::Unfit { .. })));
    let status = SqliteStore::migrate(&folder.file()).await.unwrap();
    assert!(!status.is_empty() && status.iter().all(|it| it.applied && it.known));
    let nowhere = folder.0.join("no").join("such").join("folder.sqlite");
    assert!(matches!(SqliteStore::open(&nowhere).await, Err(StoreError::Unfit { .. })));
    std::fs::write(folder.0.join("text.sqlite"), "this is no database, but a long enough text ".repeat(100))
        .unwrap();
    let text = SqliteStore::open(&folder.0.join("text.sqlite")).await;
    assert!(matches!(text, Err(StoreError::Unfit { .. })), "{text:?}");
}

#[tokio::test]
async fn tables_of_a_newer_server_are_left_alone() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    run(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (999, 'from the future', true, x'00', 0)",
    )
    .await;
    store.close().await;
    for refused in [
        SqliteStore::open(&folder.file()).await.map(drop),
        SqliteStore::open_read_only(&folder.file()).await.map(drop),
        SqliteStore::migrate(&folder.file()).await.map(drop),
    ] {
        match refused {
            Err(StoreError::SchemaUnknown { what }) => assert!(what.contains("newer version"), "{what}"),
            other => panic!("{other:?}"),
        }
    }
    let status = SqliteStore::migration_status(&folder.file()).await.unwrap();
    let last = status.last().unwrap();
    assert_eq!((last.version, last.applied, last.known), (999, true, false));
}

#[tokio::test]
async fn a_file_of_an_older_server_is_upgraded_and_keeps_what_it_holds() {
    let folder = Folder::new();
    let mut old = connect_writer(&folder.file()).await.unwrap();
    run_to(&mut old, 1).await.unwrap();
    let genesis = Chain::genesis(HERO);
    sqlx::query("INSERT INTO hero_head VALUES (?, 3, 0, 0, 0, ?, NULL, 'free')")
        .bind(HERO.0)
        .bind(&genesis.0[..])
        .execute(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();
    let status = SqliteStore::migration_status(&folder.file()).await.unwrap();
    assert!(status.len() > 1 && status.iter().all(|it| it.applied == (it.version == 1)), "{status:?}");
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    assert_eq!(store.head(HERO).await.unwrap().unwrap().epoch, Epoch(3));
    assert_eq!(store.last_beat().await.unwrap(), None, "nobody knows how long it was away");
    store.beat(1_000).await.unwrap();
    store.close().await;
    let status = SqliteStore::migration_status(&folder.file()).await.unwrap();
    assert!(status.iter().all(|it| it.applied && it.known));
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    run(&store, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    store.close().await;
    let refused = SqliteStore::open(&folder.file()).await;
    assert!(matches!(refused, Err(StoreError::SchemaUnknown { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_file_without_tables_is_not_verified() {
    let folder = Folder::new();
    let connection = connect_writer(&folder.file()).await.unwrap();
    connection.close().await.unwrap();
    match SqliteStore::open_read_only(&folder.file()).await {
        Err(StoreError::SchemaUnknown { what }) => assert!(what.contains("dopamine-hero migrate"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn weak_settings_are_found() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    for (weak, strong) in [
        ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"),
        ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
    ] {
        store.check().await.unwrap();
        run(&store, weak).await;
        match store.check().await {
            Err(StoreError::Unfit { what }) => assert!(what.contains("is needed"), "{what}"),
            other => panic!("{weak}: {other:?}"),
        }
        run(&store, strong).await;
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_heals() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    let claim = store.claim(HERO, NODE).await.unwrap();
    // SQLite's own limit answers exactly as a disk without space does.
    run(&store, "PRAGMA max_page_count = 30").await;
    let large = [part(&claim, 60, 10_000)];
    let full = store.append(&large).await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    assert_eq!(store.events(HERO, Seq(1), 10).await.unwrap(), []);
    run(&store, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(store.append(&large).await.unwrap(), [Appended::Written]);
}

#[tokio::test]
async fn another_writers_lock_is_waited_for() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    let claim = store.claim(HERO, NODE).await.unwrap();
    let mut operator = connect_writer(&folder.file()).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut operator).await.unwrap();
    let batch = [part(&claim, 1, 10)];
    let busy = store.append(&batch).await;
    assert!(matches!(busy, Err(StoreError::Busy(_))), "{busy:?}");
    sqlx::query("COMMIT").execute(&mut operator).await.unwrap();
    assert_eq!(store.append(&batch).await.unwrap(), [Appended::Written]);
}

#[test]
fn errors_of_sqlite_mean_what_the_writer_acts_on() {
    use StoreError::{Broken, Busy, Full, Poison, Unavailable};
    // Codes from sqlite.org/rescode.html.
    assert!(matches!(meaning_of_code(5), Busy(_)));
    assert!(matches!(meaning_of_code(517), Busy(_)));
    assert!(matches!(meaning_of_code(13), Full(_)));
    assert!(matches!(meaning_of_code(14), Unavailable(_)));
    assert!(matches!(meaning_of_code(2067), Poison { .. }));
    // D15: a failed fsync, write or read, a damaged file.
    for code in [1034, 1290, 778, 266, 11, 26, 7] {
        assert!(matches!(meaning_of_code(code), Broken { .. }), "{code}");
    }
}

#[tokio::test]
async fn a_flush_waits_for_one_other_write_at_most() {
    const OTHERS: usize = 300;
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file()).await.unwrap();
    let claim = store.claim(HERO, NODE).await.unwrap();
    let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let busy = store.writer().await.unwrap();
    let others: Vec<_> = (0..OTHERS)
        .map(|number| {
            let (store, begun, done) = (store.clone(), Arc::clone(&begun), Arc::clone(&done));
            tokio::spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                let hero = HeroId(Uuid::from_u128(1_000 + number as u128));
                store.release(hero, Epoch(1)).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    // One thread runs all of this: a task that has begun has come as far as the lock.
    while begun.load(Ordering::Relaxed) < OTHERS {
        tokio::task::yield_now().await;
    }
    let flush = {
        let (store, begun, done) = (store.clone(), Arc::clone(&begun), Arc::clone(&done));
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            store.append(&[part(&claim, 1, 10)]).await.unwrap();
            done.load(Ordering::Relaxed)
        })
    };
    while begun.load(Ordering::Relaxed) <= OTHERS {
        tokio::task::yield_now().await;
    }
    busy.keep();
    let before = flush.await.unwrap();
    assert!(before <= 1, "{before} others were served before the flush");
    for other in others {
        other.await.unwrap();
    }
}
