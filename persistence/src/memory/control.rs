//! What a test does to a memory store: faults, holds, crashes, damage.

use super::{Gate, MemoryStore, Script};
use crate::memory::Fault;
use crate::record::{HeroId, Seq};

impl MemoryStore {
    /// The next append without a fault gets this one; several queue up.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().script.next.push_back(fault);
    }

    /// Every write gets this fault until [`MemoryStore::heal`].
    pub fn fail_until_healed(&self, fault: Fault) {
        self.lock().script.always = Some(fault);
    }

    /// Out of 1,000 appends this many get a fault, chosen by the seed among those a writer survives.
    pub fn fail_at_random(&self, seed: u64, permille: u16) {
        self.lock().script.random = Some((seed, permille));
    }

    /// Every append that holds an event of this kind is refused as [`StoreError::Poison`].
    pub fn refuse_kind(&self, kind: crate::EventKind) {
        self.lock().script.poison = Some(kind);
    }

    /// Ends every fault.
    pub fn heal(&self) {
        let mut inner = self.lock();
        let late = std::mem::take(&mut inner.script.late);
        inner.script = Script { late, ..Script::default() };
    }

    /// From now on appends wait at their start.
    pub fn hold_appends(&self) {
        self.gate.send_modify(|gate| gate.held = true);
    }

    /// Lets the waiting appends go on.
    pub fn release_appends(&self) {
        self.gate.send_modify(|gate| gate.held = false);
    }

    /// The machine loses power: calls that wait are lost and fail, faults and holds end, rows stay.
    pub fn crash(&self) {
        self.lock().script = Script::default();
        self.gate.send_modify(|gate| *gate = Gate { held: false, crashes: gate.crashes + 1 });
    }

    /// Calls of append so far.
    #[must_use]
    pub fn append_calls(&self) -> u64 {
        self.lock().append_calls
    }

    /// Most appends that ran at the same time.
    #[must_use]
    pub fn in_flight_max(&self) -> u32 {
        self.lock().in_flight_max
    }

    /// Flips a bit of a stored event's payload, or of its chain when there is none. `false` when it is not there.
    pub fn damage_event(&self, hero: HeroId, seq: Seq) -> bool {
        let mut inner = self.lock();
        let Some(event) = inner.heroes.get_mut(&hero).and_then(|rows| rows.events.get_mut(&seq)) else {
            return false;
        };
        let mut payload = event.payload.to_vec();
        match payload.first_mut() {
            Some(byte) => *byte ^= 1,
            None => event.chain.0[0] ^= 1,
        }
        event.payload = payload.into();
        true
    }

    /// Flips a bit of a stored snapshot's hash. `false` when it is not there.
    pub fn damage_snapshot(&self, hero: HeroId, seq: Seq) -> bool {
        let mut inner = self.lock();
        let rows = inner.heroes.get_mut(&hero);
        let Some(snapshot) = rows.and_then(|rows| rows.snapshots.get_mut(&seq)) else { return false };
        snapshot.state_hash[0] ^= 1;
        true
    }

    /// Removes a stored event and leaves the head as it is. `false` when it is not there.
    pub fn lose_event(&self, hero: HeroId, seq: Seq) -> bool {
        self.lock().heroes.get_mut(&hero).is_some_and(|rows| rows.events.remove(&seq).is_some())
    }
}
