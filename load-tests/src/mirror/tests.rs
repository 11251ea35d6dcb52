use protocol::server::{Event, Events};
use protocol::types::{HeroPatch, Wallet};

use super::Mirror;
use crate::scenario::hostile::shapes::name_of;

fn event(seq: u64, energy_me: i64) -> Event {
    Event {
        seq,
        at_ms: 0,
        kind: "task_completed".to_owned(),
        cause: Some("task".to_owned()),
        energy_me,
        dopamine_md: 0,
        subject: None,
        note: None,
    }
}

/// The golden welcome is the one hero of this crate's tests.
fn mirror() -> Mirror {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../protocol/golden/server.welcome.snapshot.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(name_of(&json), "welcome");
    let welcome = serde_json::from_value(json["welcome"].clone()).unwrap();
    let mut mirror = Mirror::default();
    assert_eq!(mirror.welcome(&welcome), Vec::<String>::new());
    mirror
}

fn wallet(mirror: &Mirror, more_me: i64) -> HeroPatch {
    let wallet = mirror.hero().unwrap().wallet;
    let wallet = Wallet { energy_me: wallet.energy_me + more_me, ..wallet };
    HeroPatch { wallet: Some(wallet), ..HeroPatch::default() }
}

#[test]
fn events_that_add_up_are_taken() {
    let mut mirror = mirror();
    let seq = mirror.seq();
    let patch = wallet(&mirror, 700);
    let found = mirror.events(&Events { events: vec![event(seq + 1, 500), event(seq + 2, 200)], patch });
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(mirror.seq(), seq + 2);
}

#[test]
fn a_wallet_that_is_not_the_sum_of_its_events_is_found() {
    let mut mirror = mirror();
    let seq = mirror.seq();
    let patch = wallet(&mirror, 400);
    assert_eq!(mirror.events(&Events { events: vec![event(seq + 1, 500)], patch }).len(), 1);
}

#[test]
fn an_amount_without_a_wallet_is_found() {
    let mut mirror = mirror();
    let events = Events { events: vec![event(mirror.seq() + 1, 500)], patch: HeroPatch::default() };
    assert_eq!(mirror.events(&events).len(), 1);
}

#[test]
fn a_gap_is_found_and_a_repeat_is_skipped() {
    let mut mirror = mirror();
    let seq = mirror.seq();
    let gap = Events { events: vec![event(seq + 2, 0)], patch: HeroPatch::default() };
    assert_eq!(mirror.events(&gap).len(), 1);
    let known = Events { events: vec![event(seq + 1, 9)], patch: HeroPatch::default() };
    assert_eq!(mirror.events(&known), Vec::<String>::new());
    assert_eq!(mirror.seq(), seq + 2);
}
