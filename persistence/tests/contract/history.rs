//! An owner for tests: makes the events of one hero and remembers what was made.

use persistence::{
    Appended, Chain, Claim, CommandRef, CommandSeq, Epoch, EventBody, EventKind, EventRecord, HeroAppend,
    HeroId, JournalStore, NodeId, Seq, SnapshotRecord, StoreError, StreamId,
};
use uuid::Uuid;

pub(crate) fn hero(number: u128) -> HeroId {
    HeroId(Uuid::from_u128(number))
}

pub(crate) fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

/// One hero as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) hero: HeroId,
    pub(crate) epoch: Epoch,
    pub(crate) seq: Seq,
    pub(crate) chain: Chain,
    pub(crate) made: Vec<EventRecord>,
}

impl Owner {
    pub(crate) fn new(claim: &Claim) -> Self {
        let Claim { hero, epoch, last_seq, chain, .. } = *claim;
        Self { hero, epoch, seq: last_seq, chain, made: Vec::new() }
    }

    pub(crate) async fn claim(store: &dyn JournalStore, hero: HeroId) -> Self {
        Self::new(&store.claim(hero, node(1)).await.unwrap())
    }

    pub(crate) fn body(text: &str) -> EventBody {
        EventBody {
            command: None,
            kind: EventKind::of("energy_earned"),
            schema_version: 1,
            catalogue_version: 7,
            at_ms: 1_700_000_000_000,
            payload: text.to_owned().into(),
        }
    }

    pub(crate) fn event(&mut self, body: EventBody) -> EventRecord {
        let event = EventRecord::seal(self.hero, self.epoch, self.seq.next(), self.chain, body);
        (self.seq, self.chain) = (event.seq, event.chain);
        self.made.push(event.clone());
        event
    }

    pub(crate) fn group(&mut self, bodies: impl IntoIterator<Item = EventBody>) -> HeroAppend {
        let (hero, epoch, previous) = (self.hero, self.epoch, self.chain);
        let events = bodies.into_iter().map(|body| self.event(body)).collect();
        HeroAppend { hero, epoch, previous, events }
    }

    /// `count` events with different payloads.
    pub(crate) fn events(&mut self, count: u64) -> HeroAppend {
        let first = self.seq.0;
        self.group((1..=count).map(|number| Self::body(&format!("event {}", first + number))))
    }

    pub(crate) fn command(&mut self, stream: u64, number: u64) -> HeroAppend {
        let command = Some(CommandRef { stream_id: StreamId(stream), cmd_seq: CommandSeq(number) });
        self.group([EventBody { command, ..Self::body("commanded") }, Self::body("and what followed")])
    }

    pub(crate) async fn write(&mut self, store: &dyn JournalStore, count: u64) {
        let part = self.events(count);
        assert_eq!(store.append(&[part]).await.unwrap(), [Appended::Written]);
    }

    pub(crate) fn snapshot(&self, state: &str) -> SnapshotRecord {
        SnapshotRecord::seal(
            self.hero,
            self.seq,
            self.epoch,
            1,
            self.chain,
            state.to_owned().into(),
            1_700_000_000_000,
        )
    }
}

pub(crate) fn fence_reasons(
    result: Result<Vec<Appended>, StoreError>,
) -> Vec<(HeroId, persistence::FenceReason)> {
    match result {
        Err(StoreError::Fenced { heroes }) => {
            heroes.into_iter().map(|fence| (fence.hero, fence.why)).collect()
        }
        other => panic!("not fenced: {other:?}"),
    }
}
