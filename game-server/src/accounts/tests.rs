use std::sync::Arc;

use persistence::accounts::{Rotate, Rotation};
use persistence::{AccountStore, DeviceId, HeroId, MemoryStore};
use tokio::time::Instant;
use uuid::Uuid;

use super::session::{REFRESH_LIFE_MS, Registration};
use super::{
    Accounts, Grant, Keys, PRUNE_EVERY, Secret, TICKET_LIFE_MS, TOKEN_PREFIX, TOKEN_TEXT_CHARS, Tickets,
    clean_device_name, hash,
};
use crate::clock::Clock;

fn accounts() -> (Accounts, Arc<MemoryStore>, Clock) {
    let store = Arc::new(MemoryStore::new());
    let clock = Clock::fixed(1_000_000);
    (Accounts::new(Arc::clone(&store) as Arc<dyn AccountStore>, Keys::random(), clock.clone()), store, clock)
}

fn grant(number: u128) -> Grant {
    Grant { hero: HeroId(Uuid::from_u128(number)), device: DeviceId(Uuid::from_u128(number + 1)) }
}

#[tokio::test]
async fn a_guest_is_recognised_by_its_token_and_only_by_it() {
    let (accounts, store, _) = accounts();
    let guest = accounts.create_guest(" Ada's phone\n").await.expect("the store works");
    assert_eq!(guest.created_at_ms, 1_000_000);
    let token = guest.device_token.expose();
    assert_eq!(token.len(), TOKEN_PREFIX.len() + TOKEN_TEXT_CHARS);
    let (found, account) = accounts.authenticate(token).await.expect("the store works").expect("known");
    assert_eq!((found.hero, account), (guest.hero, None));
    let devices = store.devices(guest.hero).await.expect("the store works");
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].name, "Ada's phone");
    assert_eq!(devices[0].token_hash, Some(hash(token)), "only the hash is stored");

    let mut wrong = token.to_owned();
    wrong.pop();
    for text in ["", "dh_", &wrong, &format!("{token}A"), &token.to_uppercase(), &"dh_".repeat(10_000)] {
        assert_eq!(accounts.authenticate(text).await.expect("the store works"), None);
    }
}

#[tokio::test]
async fn two_guests_never_share_anything() {
    let (accounts, ..) = accounts();
    let first = accounts.create_guest("").await.expect("the store works");
    let second = accounts.create_guest("").await.expect("the store works");
    assert_ne!(first.hero, second.hero);
    assert_ne!(first.device_token, second.device_token);
}

#[tokio::test]
async fn a_device_that_comes_back_is_noted_at_most_once_an_hour() {
    let (accounts, store, clock) = accounts();
    let guest = accounts.create_guest("").await.expect("the store works");
    for (step_ms, last_seen_ms) in [(60_000, 1_000_000), (3_600_000, 4_660_000), (1_000, 4_660_000)] {
        clock.advance(step_ms);
        accounts.authenticate(guest.device_token.expose()).await.expect("the store works").expect("known");
        let devices = store.devices(guest.hero).await.expect("the store works");
        assert_eq!(devices[0].last_seen_ms, last_seen_ms);
    }
}

#[test]
fn a_secret_prints_as_stars() {
    let secret = Secret::random("dh_");
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
}

#[test]
fn a_ticket_opens_one_socket_within_thirty_seconds() {
    let tickets = Tickets::new(Keys::random());
    let first = tickets.issue(grant(1), 0);
    assert_eq!(tickets.redeem(first.expose(), TICKET_LIFE_MS), Some(grant(1)));
    assert_eq!(tickets.redeem(first.expose(), TICKET_LIFE_MS), None, "single-use");
    let late = tickets.issue(grant(1), 0);
    assert_eq!(tickets.redeem(late.expose(), TICKET_LIFE_MS + 1), None);
    assert_eq!(tickets.redeem("", 0), None);
    assert_eq!(tickets.redeem(&"A".repeat(100_000), 0), None);
}

#[test]
fn what_was_taken_is_remembered_as_long_as_it_matters_and_no_more() {
    let tickets = Tickets::with_capacity(Keys::random(), 3);
    let issued: Vec<Secret> = (1..=4).map(|number| tickets.issue(grant(number), 0)).collect();
    for (ticket, number) in issued.iter().zip(1..=3) {
        assert_eq!(tickets.redeem(ticket.expose(), 0), Some(grant(number)));
    }
    assert_eq!(tickets.redeem(issued[3].expose(), 0), None, "rather refused than taken twice");
    let later_ms = TICKET_LIFE_MS + 5_001;
    let next = tickets.issue(grant(5), later_ms);
    assert_eq!(tickets.redeem(next.expose(), later_ms), Some(grant(5)), "those before are over");
}

#[test]
fn a_ticket_opens_a_socket_on_any_server_that_has_the_secret() {
    let keys = Keys::random();
    let (one, other, stranger) =
        (Tickets::new(keys.clone()), Tickets::new(keys), Tickets::new(Keys::random()));
    let ticket = one.issue(grant(1), 10_000);
    assert_eq!(stranger.redeem(ticket.expose(), 10_000), None);
    // The other one's clock is behind.
    assert_eq!(other.redeem(ticket.expose(), 4_999), None);
    assert_eq!(other.redeem(ticket.expose(), 5_000), Some(grant(1)));
    for index in 0..ticket.expose().len() {
        let mut changed = ticket.expose().as_bytes().to_vec();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        assert_eq!(one.redeem(&changed, 10_000), None, "{index}");
    }
    assert_eq!(one.redeem(ticket.expose(), 10_000), Some(grant(1)), "each server takes it once");
}

#[test]
fn a_void_ticket_opens_nothing_and_a_later_one_does() {
    let tickets = Tickets::new(Keys::random());
    let (early, other) = (tickets.issue(grant(1), 0), tickets.issue(grant(2), 0));
    tickets.void(grant(1).hero, 10);
    assert_eq!(tickets.redeem(early.expose(), 10), None);
    assert_eq!(tickets.redeem(other.expose(), 10), Some(grant(2)));
    let late = tickets.issue(grant(1), 11);
    assert_eq!(tickets.redeem(late.expose(), 11), Some(grant(1)));
}

#[test]
fn device_names_are_one_short_line() {
    assert_eq!(clean_device_name("  Laptop\u{0}\u{1b}[2J "), "Laptop[2J");
    assert_eq!(clean_device_name(&"ü".repeat(100)), "ü".repeat(32));
}

#[tokio::test(start_paused = true)]
async fn tokens_past_their_end_are_forgotten_within_the_hour() {
    let (accounts, store, clock) = accounts();
    let wish = Registration {
        mail: "ada@example.org",
        password: "three plain words",
        name: None,
        device_name: "",
        guest: None,
    };
    let session = accounts.register(wish).await.expect("it is made");
    let rotate = |now_ms| Rotate {
        presented: hash(session.refresh_token.expose()),
        next: hash("next"),
        now_ms,
        grace_ms: 0,
        expires_at_ms: i64::MAX,
    };
    let pruning = tokio::spawn(accounts.clone().keep_pruning());
    clock.advance(REFRESH_LIFE_MS);
    let give_up = Instant::now() + 2 * PRUNE_EVERY;
    // As of a moment when it was good, it is known for as long as its row is there.
    while store.rotate(rotate(0)).await.expect("the store works") != Rotation::Unknown {
        assert!(Instant::now() < give_up, "it is still kept");
        tokio::time::sleep(PRUNE_EVERY / 4).await;
    }
    pruning.abort();
}
