//! What a server reads back from its journal: states and events of whatever version, that may be anything at all.
//!
//! The chain of hashes finds what was changed by accident. This is about the rest: a bug of an older server, or somebody
//! with a database of their own.

use std::panic::{self, AssertUnwindSafe};

use bytes::Bytes;
use game_server::journal::{self, StoredHero};
use game_server::texts::TextKey;
use persistence::{
    Chain, CommandRef, CommandSeq, Epoch, EventKind, EventRecord, HeroId, Seq, SnapshotRecord, StreamId,
};
use uuid::Uuid;

/// Saturday, 2026-08-01, 10:00 UTC.
const AT_MS: i64 = 1_785_578_400_000;
/// Bytes before the state and the event.
const HEAD_BYTES: usize = 5;

/// Whatever decodes can be kept and read again, and applied like a history that a server reads.
pub fn check(bytes: &[u8]) {
    let Some((&[version, moment, stream, high, low], rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return;
    };
    let state_bytes = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (state, event) = rest.split_at(state_bytes);
    // The versions around those that there are.
    let schema_version = u16::from(version % 8);
    let key = TextKey::parse(&[7; 64]).expect("it is as long as a key");
    // With the hero's key, as a server reads, or without, as a verifier may.
    let texts = (version < 128).then_some(&key);
    let snapshot = snapshot(schema_version, state);
    let stored = if state.is_empty() { Ok(StoredHero::default()) } else { journal::state(&snapshot, texts) };
    let Ok(stored) = stored else { return };
    kept(&stored, &key, texts);
    let record = event_record(schema_version, moment, stream, event);
    let Ok(timed) = journal::event(&record, texts) else { return };
    let _told = (timed.event.kind(), timed.event.subject(), timed.event.sections());
    let _tasks = (timed.event.changed_task_ids(), timed.event.removed_task_ids());
    let body = journal::body(&timed, None, 1, &key);
    let again = EventRecord { payload: body.payload, schema_version: body.schema_version, ..record.clone() };
    let read = journal::event(&again, texts).expect("it was just written");
    assert!(texts.is_none() || read == timed, "an event reads as another one");
    let mut applied = stored.clone();
    match guarded(|| journal::apply(&mut applied, &record, texts).map(drop)) {
        Some(Ok(())) => kept(&applied, &key, texts),
        Some(Err(_refused)) => assert!(applied == stored, "refused, and changed all the same"),
        // Damage: what is half done is dropped.
        None => {}
    }
}

/// As a server applies what it reads: an amount that no hero can hold is a panic, and the hero is set aside. The fuzzer's own
/// hook would take it for a finding.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    done.ok()
}

/// A state is written and read as it is; without the key, its texts are the same sealed ones as with it.
fn kept(stored: &StoredHero, key: &TextKey, texts: Option<&TextKey>) {
    let state = journal::encode_state(&stored.hero, &stored.streams, key);
    let written = snapshot(journal::SCHEMA_VERSION, &state);
    let again = journal::state(&written, texts).expect("it was just written");
    assert!(texts.is_none() || again == *stored, "a state reads as another one");
    let twice = journal::encode_state(&again.hero, &again.streams, key);
    assert!(twice == state, "a state is written another way the second time");
}

fn snapshot(schema_version: u16, state: &[u8]) -> SnapshotRecord {
    let state = Bytes::copy_from_slice(state);
    SnapshotRecord::seal(HeroId(Uuid::nil()), Seq(1), Epoch(1), schema_version, Chain([0; 32]), state, AT_MS)
}

fn event_record(schema_version: u16, moment: u8, stream: u8, payload: &[u8]) -> EventRecord {
    let command =
        (stream > 0).then(|| CommandRef { stream_id: StreamId(u64::from(stream)), cmd_seq: CommandSeq(1) });
    let at_ms = match moment {
        0 => AT_MS,
        1 => i64::MAX,
        2 => i64::MIN,
        // Some days around it.
        hours => AT_MS + (i64::from(hours) - 128) * 3_600_000,
    };
    EventRecord {
        hero: HeroId(Uuid::nil()),
        seq: Seq(2),
        epoch: Epoch(1),
        command,
        kind: EventKind::of("fuzzed"),
        schema_version,
        catalogue_version: 1,
        at_ms,
        chain: Chain([0; 32]),
        payload: Bytes::copy_from_slice(payload),
    }
}
