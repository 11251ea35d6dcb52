//! How many sockets may be open, and how many of them may stay unknown.
//!
//! A socket costs memory before its player has proved anything, so unknown ones are few: at most so many of one address,
//! and at most 2 % of all places. When all of these are taken, the one that has been silent for longest makes room: a player
//! says hello at once, so a flood of silent sockets, from however many addresses, pushes out its own.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::metrics::Metrics;

/// Share of all places that unknown sockets may take, in thousandths.
const UNAUTHENTICATED_PERMILLE: usize = 20;

/// Why there was no room. The client comes back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// All places are taken.
    Full,
    /// Too many sockets of this address have not said who they are.
    Unauthenticated,
}

/// Gives out places for sockets.
#[derive(Debug)]
pub struct Admission {
    state: Mutex<State>,
    limits: AdmissionLimits,
    metrics: Arc<Metrics>,
}

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionLimits {
    /// Sockets in all.
    pub connections_max: usize,
    /// Sockets of one address that have not said who they are.
    pub unauthenticated_per_address_max: usize,
}

impl AdmissionLimits {
    /// As configured.
    pub fn from_config(config: &Config) -> AdmissionLimits {
        AdmissionLimits {
            connections_max: config.connections_max,
            unauthenticated_per_address_max: config.unauthenticated_per_address_max,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// In the order in which they came.
    unauthenticated: BTreeMap<u64, Unknown>,
    next: u64,
    per_address: HashMap<AddressKey, usize>,
}

#[derive(Debug)]
struct Unknown {
    address: AddressKey,
    evicted: CancellationToken,
}

/// Addresses that one person has for free count as one: all of a /64 in IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl std::fmt::Display for AddressKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> AddressKey {
        match address.to_canonical() {
            IpAddr::V4(address) => AddressKey(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                AddressKey(IpAddr::V6(Ipv6Addr::from(network)))
            }
        }
    }
}

impl Admission {
    /// With every place free.
    pub fn new(limits: AdmissionLimits, metrics: Arc<Metrics>) -> Arc<Admission> {
        Arc::new(Admission { state: Mutex::default(), limits, metrics })
    }

    /// Takes a place for a socket that has not said who it is.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn enter(self: &Arc<Self>, client: IpAddr) -> Result<Place, NoRoom> {
        let key = AddressKey::from(client);
        let unauthenticated_max = (self.limits.connections_max * UNAUTHENTICATED_PERMILLE / 1000)
            .max(self.limits.unauthenticated_per_address_max);
        let mut state = self.lock();
        let of_address = state.per_address.get(&key).copied().unwrap_or(0);
        let no_room = if state.open >= self.limits.connections_max {
            Some(NoRoom::Full)
        } else if of_address >= self.limits.unauthenticated_per_address_max {
            Some(NoRoom::Unauthenticated)
        } else {
            None
        };
        if let Some(no_room) = no_room {
            drop(state);
            self.metrics.connections_refused_total.increment();
            return Err(no_room);
        }
        if state.unauthenticated.len() >= unauthenticated_max {
            state.evict_the_oldest();
            self.metrics.connections_refused_total.increment();
        }
        let (number, evicted) = (state.next, CancellationToken::new());
        state.open += 1;
        state.next += 1;
        state.unauthenticated.insert(number, Unknown { address: key, evicted: evicted.clone() });
        *state.per_address.entry(key).or_insert(0) += 1;
        self.show(&state);
        Ok(Place { admission: Arc::clone(self), client, number, evicted: Some(evicted) })
    }

    /// Sockets that are open.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    fn show(&self, state: &State) {
        self.metrics.connections_open.set(state.open);
        self.metrics.connections_unauthenticated.set(state.unauthenticated.len());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// It is unknown no more, or gone.
    fn leave(&mut self, number: u64) -> Option<Unknown> {
        let unknown = self.unauthenticated.remove(&number)?;
        if let Some(count) = self.per_address.get_mut(&unknown.address) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&unknown.address);
            }
        }
        Some(unknown)
    }

    fn evict_the_oldest(&mut self) {
        let oldest = self.unauthenticated.first_key_value().map(|(&number, _)| number);
        if let Some(unknown) = oldest.and_then(|number| self.leave(number)) {
            unknown.evicted.cancel();
        }
    }
}

/// One socket's place; free again when dropped.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    client: IpAddr,
    number: u64,
    /// Until it has said who it is.
    evicted: Option<CancellationToken>,
}

impl Place {
    /// Whose socket it is.
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// The socket has said who it is: its place among the unknown ones is free again.
    pub fn authenticated(&mut self) {
        self.evicted = None;
        let mut state = self.admission.lock();
        state.leave(self.number);
        self.admission.show(&state);
    }

    /// Waits until the socket has to make room, because it has not said who it is and others wait.
    pub async fn evicted(&self) {
        match &self.evicted {
            Some(evicted) => evicted.cancelled().await,
            None => pending().await,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        state.leave(self.number);
        state.open -= 1;
        self.admission.show(&state);
    }
}

#[cfg(test)]
mod tests;
