//! The faults a memory store can play.

use std::collections::VecDeque;

use crate::error::StoreError;
use crate::record::EventKind;
use crate::store::HeroAppend;

/// What goes wrong with a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// [`StoreError::Busy`], nothing stored.
    Busy,
    /// [`StoreError::Unavailable`], nothing stored.
    Unavailable,
    /// [`StoreError::Full`], nothing stored.
    Full,
    /// [`StoreError::Poison`], nothing stored.
    Poison,
    /// [`StoreError::Broken`], nothing stored.
    Broken,
    /// Stored, but the answer was lost: [`StoreError::Ambiguous`].
    AmbiguousApplied,
    /// Not stored, and the answer was lost: [`StoreError::Ambiguous`].
    AmbiguousLost,
    /// The answer was lost and the write arrives only when the next one begins: [`StoreError::Ambiguous`].
    AmbiguousLate,
}

/// What a fault does to a write.
pub(super) enum Outcome {
    Refuse(StoreError),
    ApplyAndFail(StoreError),
    FailAndApplyLate(StoreError),
}

impl Fault {
    /// Those a seeded run picks from: the writer must come through all of them by itself.
    const SURVIVABLE: [Fault; 6] = [
        Fault::Busy,
        Fault::Unavailable,
        Fault::Full,
        Fault::AmbiguousApplied,
        Fault::AmbiguousLost,
        Fault::AmbiguousLate,
    ];

    pub(super) fn outcome(&self) -> Outcome {
        let cause = || "an injected fault".into();
        match self {
            Self::Busy => Outcome::Refuse(StoreError::Busy(cause())),
            Self::Unavailable => Outcome::Refuse(StoreError::Unavailable(cause())),
            Self::Full => Outcome::Refuse(StoreError::Full(cause())),
            Self::Poison => Outcome::Refuse(StoreError::Poison { what: "an injected fault".into() }),
            Self::Broken => Outcome::Refuse(StoreError::Broken { what: "an injected fault".into() }),
            Self::AmbiguousApplied => Outcome::ApplyAndFail(StoreError::Ambiguous(cause())),
            Self::AmbiguousLost => Outcome::Refuse(StoreError::Ambiguous(cause())),
            Self::AmbiguousLate => Outcome::FailAndApplyLate(StoreError::Ambiguous(cause())),
        }
    }
}

/// What is going to go wrong.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) next: VecDeque<Fault>,
    pub(super) always: Option<Fault>,
    pub(super) random: Option<(u64, u16)>,
    pub(super) poison: Option<EventKind>,
    pub(super) late: Vec<Vec<HeroAppend>>,
}

impl Script {
    /// The fault of this append.
    pub(super) fn take(&mut self, batch: &[HeroAppend]) -> Option<Fault> {
        if let Some(fault) = self.next.pop_front().or_else(|| self.always.clone()) {
            return Some(fault);
        }
        let mut events = batch.iter().flat_map(|part| &part.events);
        if let Some(kind) = &self.poison
            && events.any(|event| event.kind == *kind)
        {
            return Some(Fault::Poison);
        }
        let (state, permille) = self.random.as_mut()?;
        if crate::jitter::next(state) % 1_000 >= u64::from(*permille) {
            return None;
        }
        let index = crate::jitter::below(state, Fault::SURVIVABLE.len() as u64);
        Fault::SURVIVABLE.get(usize::try_from(index).ok()?).cloned()
    }
}
