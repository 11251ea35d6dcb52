//! Tickets: a word of this service to itself about who opens a socket. They are signed, because a balancer sends the socket to
//! any of several servers, whichever gave the ticket. Each server takes a ticket once; which ones it took is in its memory only.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use persistence::{DeviceId, HeroId};
use rand::Rng;
use ring::hmac::{self, HMAC_SHA256};
use uuid::Uuid;

use super::keys::Keys;
use super::{Grant, Secret};

/// How long a ticket may wait for its socket.
pub const TICKET_LIFE_MS: i64 = 30_000;
/// Most tickets of one life that a server remembers to have taken. Full: it takes no more until the oldest are over.
pub const TICKETS_MAX: usize = 262_144;
/// How far the clocks of two servers may be apart.
const SKEW_MS: i64 = 5_000;
/// What is signed: hero, device, when, and bytes that no two tickets share.
const SIGNED_BYTES: usize = 16 + 16 + 8 + NUMBER_BYTES;
const NUMBER_BYTES: usize = 16;
/// The signature.
const TAG_BYTES: usize = 32;

/// Makes tickets and takes them. Clones share what was taken.
#[derive(Clone, Debug)]
pub struct Tickets {
    keys: Keys,
    taken: Arc<Mutex<Taken>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Taken {
    numbers: HashSet<[u8; NUMBER_BYTES]>,
    /// In the order of being taken.
    order: VecDeque<(i64, [u8; NUMBER_BYTES])>,
    /// Heroes whose tickets up to a moment are void.
    void: HashMap<HeroId, i64>,
}

/// What a ticket says.
struct Ticket {
    grant: Grant,
    issued_at_ms: i64,
    number: [u8; NUMBER_BYTES],
}

impl Tickets {
    /// Of whoever has these keys.
    pub fn new(keys: Keys) -> Tickets {
        Tickets::with_capacity(keys, TICKETS_MAX)
    }

    pub(super) fn with_capacity(keys: Keys, capacity: usize) -> Tickets {
        Tickets { keys, taken: Arc::default(), capacity }
    }

    /// A ticket for one socket within the next 30 s.
    pub fn issue(&self, grant: Grant, now_ms: i64) -> Secret {
        let mut number = [0; NUMBER_BYTES];
        rand::rng().fill_bytes(&mut number);
        let parts = [&grant.hero.0.as_bytes()[..], grant.device.0.as_bytes(), &now_ms.to_be_bytes(), &number];
        let signed = parts.concat();
        let key = hmac::Key::new(HMAC_SHA256, &self.keys.current().tickets);
        let tag = hmac::sign(&key, &signed);
        Secret::of(BASE64URL_NOPAD.encode(&[&signed, tag.as_ref()].concat()))
    }

    /// Takes a ticket: the first caller here within its life gets the grant, everybody else nothing.
    pub fn redeem(&self, ticket: &str, now_ms: i64) -> Option<Grant> {
        let Ticket { grant, issued_at_ms, number } = self.read(ticket)?;
        let is_fresh = (-SKEW_MS..=TICKET_LIFE_MS).contains(&now_ms.saturating_sub(issued_at_ms));
        let mut taken = self.lock();
        taken.forget_old(now_ms);
        let is_void = taken.void.get(&grant.hero).is_some_and(|void_ms| issued_at_ms <= *void_ms);
        if !is_fresh || is_void || taken.order.len() >= self.capacity || !taken.numbers.insert(number) {
            return None;
        }
        taken.order.push_back((now_ms, number));
        Some(grant)
    }

    /// No ticket of this hero that was made before opens a socket here any more.
    pub fn void(&self, hero: HeroId, now_ms: i64) {
        let mut taken = self.lock();
        taken.forget_old(now_ms);
        taken.void.insert(hero, now_ms);
    }

    /// What a ticket says, if we wrote it.
    fn read(&self, ticket: &str) -> Option<Ticket> {
        if ticket.len() != BASE64URL_NOPAD.encode_len(SIGNED_BYTES + TAG_BYTES) {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(ticket.as_bytes()).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED_BYTES)?;
        let is_ours = |key: &[u8]| hmac::verify(&hmac::Key::new(HMAC_SHA256, key), signed, tag).is_ok();
        self.keys.verifier(|derived| is_ours(&derived.tickets))?;
        let (hero, rest) = signed.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (issued_at_ms, number) = rest.split_first_chunk()?;
        Some(Ticket {
            grant: Grant {
                hero: HeroId(Uuid::from_bytes(*hero)),
                device: DeviceId(Uuid::from_bytes(*device)),
            },
            issued_at_ms: i64::from_be_bytes(*issued_at_ms),
            number: number.try_into().ok()?,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Forgets what a ticket that is still good cannot meet.
    fn forget_old(&mut self, now_ms: i64) {
        let is_over = |at_ms: i64| now_ms.saturating_sub(at_ms) > TICKET_LIFE_MS + SKEW_MS;
        while let Some((_, number)) = self.order.pop_front_if(|(at_ms, _)| is_over(*at_ms)) {
            self.numbers.remove(&number);
        }
        self.void.retain(|_, at_ms| !is_over(*at_ms));
    }
}
