//! Tickets: they live in memory only, because a restart closes the sockets anyway and a new ticket costs one request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use persistence::HeroId;

use super::{Grant, Secret, TOKEN_BYTES};

/// How long a ticket may wait for its socket.
pub const TICKET_LIFE_MS: i64 = 30_000;
/// Most tickets that wait. Full: the oldest is void, and its client asks for another one.
pub const TICKETS_MAX: usize = 65_536;

/// Single-use tickets of this node. Clones share them.
#[derive(Clone, Debug)]
pub struct Tickets {
    waiting: Arc<Mutex<Waiting>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    grants: HashMap<String, Issued>,
    /// In the order of issue; it may name tickets that were used since.
    order: VecDeque<(i64, String)>,
}

#[derive(Debug)]
struct Issued {
    grant: Grant,
    issued_at_ms: i64,
}

impl Default for Tickets {
    fn default() -> Self {
        Tickets::new(TICKETS_MAX)
    }
}

impl Tickets {
    pub(super) fn new(capacity: usize) -> Tickets {
        Tickets { waiting: Arc::default(), capacity }
    }

    /// A ticket for one socket within the next 30 s.
    pub fn issue(&self, grant: Grant, now_ms: i64) -> Secret {
        let ticket = Secret::random("");
        let mut waiting = self.lock();
        waiting.forget_old(now_ms);
        while waiting.order.len() >= self.capacity {
            waiting.forget_oldest();
        }
        waiting.order.push_back((now_ms, ticket.expose().to_owned()));
        waiting.grants.insert(ticket.expose().to_owned(), Issued { grant, issued_at_ms: now_ms });
        ticket
    }

    /// Takes a ticket: the first caller within its life gets the grant, everybody else nothing.
    pub fn redeem(&self, ticket: &str, now_ms: i64) -> Option<Grant> {
        // A lookup by hash reveals at most how long the text is: a guess of 256 bits gains nothing from it.
        if ticket.len() > 2 * TOKEN_BYTES {
            return None;
        }
        let issued = self.lock().grants.remove(ticket)?;
        let fresh = now_ms.saturating_sub(issued.issued_at_ms) <= TICKET_LIFE_MS;
        fresh.then_some(issued.grant)
    }

    /// No ticket of this hero opens a socket any more.
    pub fn void(&self, hero: HeroId) {
        self.lock().grants.retain(|_, issued| issued.grant.hero != hero);
    }

    /// How many tickets wait, used ones whose time is not over included.
    pub fn waiting(&self) -> usize {
        self.lock().order.len()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn forget_old(&mut self, now_ms: i64) {
        while self.order.front().is_some_and(|(at_ms, _)| now_ms.saturating_sub(*at_ms) > TICKET_LIFE_MS) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, ticket)) = self.order.pop_front() {
            self.grants.remove(&ticket);
        }
    }
}
