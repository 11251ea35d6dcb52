//! A shard over the in-memory store, in paused time: what is told, when, and what a crash may un-make.

mod acting;
mod crowd;
mod nodes;
mod outage;
mod publishing;
mod steps;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use persistence::{
    Cache, Fault, HeroId, JournalStore, JournalWriter, MemoryStore, NodeId, SnapshotRecord, WriterConfig,
};
use protocol::{
    close, codec,
    server::{CommandResult, Events, ServerMessage, Welcome, WelcomeState},
};
use simulation::{
    catalogue::Catalogue,
    command::{Category, Command, FocusMode},
};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{
    Loader, Request, ShardHandle, ShardParts,
    audit::{self, AuditFailed},
    build,
};
use crate::{
    accounts::Keys, clock::Clock, journal, metrics::Metrics, node::Identity, outbox::Outbox, texts::TextKeys,
    uptime::Outages, verify,
};

const NOON_MS: i64 = 1_780_000_000_000;

struct Rig {
    store: Arc<MemoryStore>,
    clock: Clock,
    shard: ShardHandle,
    next_connection_id: u64,
}

impl Rig {
    fn start() -> Self {
        Self::over(Arc::new(MemoryStore::private()))
    }

    fn over(store: Arc<MemoryStore>) -> Self {
        let (_none_tx, none) = watch::channel(Arc::default());
        Self::at(store, Clock::fixed(NOON_MS), none)
    }

    fn at(store: Arc<MemoryStore>, clock: Clock, outages: Outages) -> Self {
        Self::of(store, clock, outages, Identity::alone()).0
    }

    /// Also the task that is the shard, so that it can die.
    fn of(
        store: Arc<MemoryStore>,
        clock: Clock,
        outages: Outages,
        Identity { node_id, standing }: Identity,
    ) -> (Self, JoinHandle<()>) {
        let journal_store: Arc<dyn JournalStore> = Arc::clone(&store) as _;
        let (journal, _writer) = JournalWriter::start(Arc::clone(&journal_store), WriterConfig::quiet(7));
        let parts = ShardParts {
            catalogue: Arc::new(Catalogue::builtin()),
            journal,
            clock: clock.clone(),
            metrics: Arc::new(Metrics::new()),
            tick_hz: 10,
            outages,
            standing,
            cache: Cache::none(),
            fresh_rows: crate::read_models::FreshRows::default(),
        };
        let loader = Loader::new(journal_store, texts(&store), node_id, Cache::none(), Handle::current());
        let (shard, built) = build(parts, loader, 10);
        let task = tokio::spawn(built.run());
        (Self { store, clock, shard, next_connection_id: 1 }, task)
    }

    fn connect(&mut self, hero: HeroId, stream_id: u64, last_seq: Option<u64>) -> Device {
        let outbox = Arc::new(Outbox::new(self.next_connection_id));
        self.next_connection_id += 1;
        let time_zone = Some("Europe/Berlin".to_owned());
        let attach = Request::Attach { hero, stream_id, last_seq, time_zone, outbox: Arc::clone(&outbox) };
        self.shard.try_send(attach).expect("the inbox has room");
        Device { hero, shard: self.shard.clone(), outbox, frames: Vec::new(), closed: None }
    }
}

struct Device {
    hero: HeroId,
    shard: ShardHandle,
    outbox: Arc<Outbox>,
    frames: Vec<ServerMessage>,
    closed: Option<u16>,
}

impl Device {
    fn send(&self, cmd_seq: u64, command: Command) {
        let request = Request::Command {
            hero: self.hero,
            connection_id: self.outbox.connection_id,
            cmd_seq,
            command: Box::new(command),
            received: Instant::now().into(),
        };
        self.shard.try_send(request).expect("the inbox has room");
    }

    fn take(&mut self) {
        let (frames, closing) = self.outbox.take();
        if let Some(closing) = closing {
            self.closed = Some(closing.code);
        }
        let decoded =
            frames.iter().map(|frame| codec::decode_server(frame).expect("the server sends sound frames"));
        self.frames.extend(decoded);
    }

    /// The first message that `pick` picks, waiting for it; the ones before it are dropped.
    async fn expect<T>(&mut self, what: &str, mut pick: impl FnMut(ServerMessage) -> Option<T>) -> T {
        let found = timeout(Duration::from_secs(60), async {
            loop {
                self.take();
                while !self.frames.is_empty() {
                    if let Some(found) = pick(self.frames.remove(0)) {
                        return found;
                    }
                }
                self.outbox.something().await;
            }
        });
        found.await.unwrap_or_else(|_late| panic!("no {what} within a minute, closed: {:?}", self.closed))
    }

    async fn welcome(&mut self) -> Welcome {
        self.expect("welcome", |message| match message {
            ServerMessage::Welcome(welcome) => Some(*welcome),
            _ => None,
        })
        .await
    }

    async fn durable(&mut self) -> CommandResult {
        self.expect("durable", |message| match message {
            ServerMessage::Durable(result) => Some(result),
            _ => None,
        })
        .await
    }

    async fn events(&mut self) -> Events {
        self.expect("events", |message| match message {
            ServerMessage::Events(events) => Some(*events),
            _ => None,
        })
        .await
    }

    async fn rejected(&mut self) -> String {
        self.expect("rejected", |message| match message {
            ServerMessage::Rejected(rejected) => Some(rejected.code),
            _ => None,
        })
        .await
    }

    /// Waits until the socket is told to close.
    async fn expect_close(&mut self, code: u16) {
        let closing = async {
            loop {
                self.take();
                if self.closed.is_some() {
                    return;
                }
                self.outbox.something().await;
            }
        };
        timeout(Duration::from_secs(60), closing).await.expect("it closes within a minute");
        assert_eq!(self.closed, Some(code));
    }

    /// What has come by now, without waiting for more than a few ticks.
    async fn told(&mut self) -> &[ServerMessage] {
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.take();
        &self.frames
    }
}

fn hero(number: u128) -> HeroId {
    HeroId(Uuid::from_u128(number))
}

/// The keys of all heroes here; one secret for all tests.
fn texts(store: &MemoryStore) -> TextKeys {
    static KEYS: LazyLock<Keys> = LazyLock::new(Keys::random);
    TextKeys::new(Arc::new(store.clone()), KEYS.clone())
}

fn rename(name: &str) -> Command {
    Command::RenameHero { name: name.to_owned() }
}

async fn assert_verifies(store: &MemoryStore) {
    let mut report = Vec::new();
    let summary = verify::run(store, store, &texts(store), &mut report).await.expect("the store is there");
    assert_eq!(summary.damaged, 0, "{}", String::from_utf8_lossy(&report));
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_waits_for_the_flush_that_holds_it() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.told().await;
    device.frames.clear();
    rig.store.hold_appends();
    device.send(1, rename("Ada"));
    assert!(device.told().await.is_empty(), "told before it was durable: {:?}", device.frames);
    rig.store.release_appends();
    assert_eq!(device.durable().await.cmd_seq, 1);
}

#[tokio::test(start_paused = true)]
async fn a_crash_unmakes_only_what_nobody_was_told() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    let first = device.durable().await;
    device.frames.clear();
    rig.store.hold_appends();
    device.send(2, rename("Bo"));
    device.told().await;
    rig.store.crash();

    let mut rig = Rig::over(Arc::clone(&rig.store));
    let mut device = rig.connect(hero(1), 7, None);
    let welcome = device.welcome().await;
    assert_eq!(welcome.cmd_seq_applied, 1, "the second command was never acknowledged");
    assert!(welcome.seq >= first.seq);
    let WelcomeState::Snapshot(view) = welcome.state else { panic!("a first hello gets a snapshot") };
    assert_eq!(view.profile.name, "Ada");
    device.send(2, rename("Bo"));
    assert_eq!(device.durable().await.cmd_seq, 2);
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_answered_and_not_applied_again() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    let first = device.durable().await;
    device.send(1, rename("Ada"));
    let repeat = device
        .expect("duplicate", |message| match message {
            ServerMessage::Duplicate(result) => Some(result),
            _ => None,
        })
        .await;
    assert_eq!(repeat, first);
    device.send(3, rename("Bo"));
    assert_eq!(device.rejected().await, "out_of_order");
    device.send(2, rename("Bo"));
    assert_eq!(device.durable().await.cmd_seq, 2);
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_changes_nothing_and_keeps_its_number() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    let before = device.welcome().await.seq;
    device.send(1, Command::EndFocus);
    assert_eq!(device.rejected().await, "no_session");
    device.send(1, rename("Ada"));
    let result = device.durable().await;
    assert_eq!((result.cmd_seq, result.seq), (1, before + 1));
}

#[tokio::test(start_paused = true)]
async fn every_device_of_a_hero_hears_the_same_events_once() {
    let mut rig = Rig::start();
    let mut phone = rig.connect(hero(1), 7, None);
    let seq = phone.welcome().await.seq;
    let mut laptop = rig.connect(hero(1), 8, None);
    assert_eq!(laptop.welcome().await.other_devices, 1);
    phone.send(1, rename("Ada"));
    let (on_phone, on_laptop) = (phone.events().await, laptop.events().await);
    assert_eq!(on_phone, on_laptop);
    assert_eq!(on_phone.events[0].seq, seq + 1);
    assert_eq!(on_phone.patch.profile.as_ref().map(|profile| profile.name.as_str()), Some("Ada"));
    laptop.send(1, rename("Bo"));
    assert_eq!(phone.events().await.events[0].seq, seq + 2);
}

#[tokio::test(start_paused = true)]
async fn a_resume_brings_just_the_missing_events_or_says_that_it_is_a_snapshot() {
    let mut rig = Rig::start();
    let mut phone = rig.connect(hero(1), 7, None);
    let seq = phone.welcome().await.seq;
    for cmd_seq in 1..=3 {
        phone.send(cmd_seq, rename(&format!("Ada {cmd_seq}")));
        phone.durable().await;
    }
    let mut again = rig.connect(hero(1), 9, Some(seq + 1));
    let WelcomeState::Events(missed) = again.welcome().await.state else { panic!("two events are missing") };
    assert_eq!(missed.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [seq + 2, seq + 3]);
    assert_eq!(missed.patch.profile.map(|profile| profile.name), Some("Ada 3".to_owned()));
    for cmd_seq in 4..=40 {
        phone.send(cmd_seq, rename(&format!("Ada {cmd_seq}")));
        phone.durable().await;
    }
    let mut late = rig.connect(hero(1), 10, Some(seq + 1));
    assert!(matches!(late.welcome().await.state, WelcomeState::Snapshot(_)));
    let mut ahead = rig.connect(hero(1), 11, Some(seq + 1000));
    assert!(
        matches!(ahead.welcome().await.state, WelcomeState::Snapshot(_)),
        "a client from another world starts over"
    );
}

#[tokio::test(start_paused = true)]
async fn another_owner_fences_and_nothing_of_ours_is_told() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.told().await;
    device.frames.clear();
    let stolen = rig.store.claim(hero(1), NodeId(Uuid::now_v7())).await.expect("the store is there");
    device.send(1, rename("Ada"));
    let told = device.told().await;
    assert!(
        !told.iter().any(|message| matches!(message, ServerMessage::Durable(_) | ServerMessage::Events(_)))
    );
    assert_eq!(device.closed, Some(close::MOVED));
    let head = rig.store.head(hero(1)).await.expect("the store is there").expect("the hero is known");
    assert_eq!(head.last_seq, stolen.last_seq);
}

#[tokio::test(start_paused = true)]
async fn a_hero_that_nobody_watches_is_saved_and_forgotten() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    device.durable().await;
    rig.shard.detach(hero(1), device.outbox.connection_id).await;
    let saved = async {
        loop {
            let head = rig.store.head(hero(1)).await.expect("the store is there").expect("the hero is known");
            if head.state == persistence::HeroState::Free && head.snap_seq == head.last_seq {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_secs(300), saved).await.expect("it is released in time");
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_answers_everybody_and_closes_with_1012() {
    let mut rig = Rig::start();
    let mut devices: Vec<_> = (0..20).map(|number| rig.connect(hero(number), 7, None)).collect();
    for device in &mut devices {
        device.welcome().await;
        device.send(1, rename("Ada"));
    }
    // The commands are in the inbox before the drain is asked for, but the drain overtakes them: each is answered.
    rig.shard.drain().await;
    for device in &mut devices {
        let answered = device
            .expect("answer", |message| match message {
                ServerMessage::Durable(_) | ServerMessage::Rejected(_) => Some(()),
                ServerMessage::GoingAway(_) => Some(()),
                _ => None,
            })
            .await;
        assert_eq!(answered, ());
        device.take();
        assert_eq!(device.closed, Some(close::RESTART));
    }
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_by_itself_and_is_credited_once() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    device.send(1, Command::StartFocus { mode, category: Category::None, task_id: None });
    device.durable().await;
    rig.clock.advance(30 * 60 * 1000);
    let ended = device
        .expect("end of the session", |message| match message {
            ServerMessage::Events(events) => {
                events.events.iter().any(|event| event.kind == "session_ended").then_some(events.events)
            }
            _ => None,
        })
        .await;
    let paid = |cause: &str| -> Vec<i64> {
        let lines = ended.iter().filter(|event| event.cause.as_deref() == Some(cause));
        lines.map(|event| event.energy_me).collect()
    };
    assert_eq!((paid("focus"), paid("completion")), (vec![12_000], vec![1_200]));
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_refuses_untouched_and_comes_back() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    device.durable().await;
    rig.store.fail_until_healed(Fault::Unavailable);
    device.send(2, rename("Bo"));
    let read_only = |wanted| {
        move |message| match message {
            ServerMessage::Status(status) if status.read_only == wanted => Some(()),
            _ => None,
        }
    };
    device.expect("read-only", read_only(true)).await;
    device.send(3, rename("Chi"));
    assert_eq!(device.rejected().await, "read_only");
    rig.store.heal();
    assert_eq!(device.durable().await.cmd_seq, 2, "what was taken before the outage is kept");
    device.expect("the way back", read_only(false)).await;
    device.send(3, rename("Chi"));
    assert_eq!(device.durable().await.cmd_seq, 3);
    assert_verifies(&rig.store).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_its_events_do_not_fold_to_is_found() {
    let mut rig = Rig::start();
    let mut device = rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    device.durable().await;
    let claim = rig.store.claim(hero(1), NodeId(Uuid::now_v7())).await.expect("the store is there");
    let lie = journal::StoredHero::default();
    let key = texts(&rig.store).find(hero(1)).await.expect("the store is there").expect("it was played");
    let state = journal::encode_state(&lie.hero, &lie.streams, &key);
    let (seq, chain) = (claim.last_seq, claim.chain);
    let snapshot =
        SnapshotRecord::seal(hero(1), seq, claim.epoch, journal::SCHEMA_VERSION, chain, state, NOON_MS);
    rig.store.snapshot(&[snapshot]).await.expect("the store takes what it cannot read");
    let found = audit::audit(&*rig.store, hero(1), &key).await;
    assert!(matches!(found, Err(AuditFailed::Differs(at)) if at == seq.0), "{found:?}");
}
