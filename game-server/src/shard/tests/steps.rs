//! A shard without its loop, one step at a time: the test says when something is durable.

use persistence::{
    AccountStore, Cache, Chain, Claim, EventBody, EventKind, EventRecord, HeroAppend, HeroState,
    JournalHandle, Seq, Ticket,
};
use simulation::event::{Bonus, Event};
use tokio::sync::mpsc;

use super::*;
use crate::{
    lease::Standing,
    shard::{Control, state::Shard},
};

struct Steps {
    store: Arc<MemoryStore>,
    clock: Clock,
    shard: Shard,
    control: mpsc::Receiver<Control>,
    journal: JournalHandle,
    metrics: Arc<Metrics>,
    next_connection_id: u64,
}

impl Steps {
    fn start() -> Self {
        let store = Arc::new(MemoryStore::private());
        let clock = Clock::fixed(NOON_MS);
        let journal_store: Arc<dyn JournalStore> = Arc::clone(&store) as _;
        let (journal, _writer) = JournalWriter::start(Arc::clone(&journal_store), WriterConfig::quiet(7));
        let metrics = Arc::new(Metrics::new());
        let (_none_tx, outages) = watch::channel(Arc::default());
        let parts = ShardParts {
            catalogue: Arc::new(Catalogue::builtin()),
            journal: journal.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            tick_hz: 10,
            outages,
            standing: Standing::alone(),
            cache: Cache::none(),
            fresh_rows: crate::read_models::FreshRows::default(),
        };
        let (control_tx, control) = mpsc::channel(16);
        let node_id = NodeId(Uuid::now_v7());
        let loader = Loader::new(journal_store, texts(&store), node_id, Cache::none(), Handle::current());
        let shard = Shard::new(parts, loader.for_shard(control_tx));
        Self { store, clock, shard, control, journal, metrics, next_connection_id: 1 }
    }

    /// A device says hello; its frames are looked at in the box.
    fn attach(&mut self, hero: HeroId, stream_id: u64) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(self.next_connection_id));
        self.next_connection_id += 1;
        let attach =
            Request::Attach { hero, stream_id, last_seq: None, time_zone: None, outbox: Arc::clone(&outbox) };
        self.shard.request(attach);
        outbox
    }

    async fn load(&mut self) {
        let loading = timeout(Duration::from_secs(60), self.control.recv());
        match loading.await.expect("a load ends").expect("the shard holds the other end") {
            Control::Loaded(hero, loaded) => self.shard.loaded(hero, loaded),
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn command(&mut self, hero: HeroId, outbox: &Outbox, cmd_seq: u64, command: Command) {
        let connection_id = outbox.connection_id;
        let (command, received) = (Box::new(command), Instant::now().into());
        self.shard.request(Request::Command { hero, connection_id, cmd_seq, command, received });
    }

    /// The housekeeping looks so many times, each with its tick.
    async fn looks(&mut self, count: usize) {
        for _ in 0..count {
            tokio::time::advance(Duration::from_secs(1)).await;
            self.shard.tick();
        }
    }

    /// Everything up to this ticket is durable.
    fn durable(&mut self, ticket: u64) {
        self.shard.settled(Vec::new(), Ticket(ticket));
    }
}

fn taken(outbox: &Outbox) -> (Vec<ServerMessage>, Option<u16>) {
    let (frames, closing) = outbox.take();
    let frames =
        frames.iter().map(|frame| codec::decode_server(frame).expect("the server sends sound frames"));
    (frames.collect(), closing.map(|closing| closing.code))
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_hero_keeps_its_order_between_the_tickets_of_others() {
    let mut steps = Steps::start();
    let (first, other) = (steps.attach(hero(1), 7), steps.attach(hero(2), 7));
    steps.load().await;
    steps.load().await;
    steps.durable(2);
    steps.command(hero(1), &first, 1, rename("Ada"));
    steps.command(hero(2), &other, 1, rename("Bo"));
    // The device comes back on another socket while its command is on its way, behind the other hero's.
    let again = steps.attach(hero(1), 7);
    steps.durable(3);
    steps.command(hero(1), &again, 1, rename("Ada"));
    let (frames, _) = taken(&again);
    assert!(matches!(frames.first(), Some(ServerMessage::Welcome(_))), "{frames:?}");
    assert!(frames.iter().any(|frame| matches!(frame, ServerMessage::Duplicate(_))), "{frames:?}");
    let (frames, _) = taken(&other);
    assert!(
        !frames.iter().any(|frame| matches!(frame, ServerMessage::Durable(_))),
        "not durable yet: {frames:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hero_is_packed_while_nobody_asks_for_it() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    steps.durable(1);
    assert_eq!(steps.shard.is_packed(hero(1)), Some(true), "its device has only looked");
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    steps.command(hero(1), &outbox, 1, Command::StartFocus { mode, category: Category::None, task_id: None });
    steps.durable(2);
    assert_eq!(steps.shard.is_packed(hero(1)), Some(false));
    steps.looks(2).await;
    assert_eq!(steps.shard.is_packed(hero(1)), Some(false), "a player who does one thing does another");
    steps.command(hero(1), &outbox, 2, rename("Ada"));
    steps.durable(3);
    steps.looks(2).await;
    assert_eq!(steps.shard.is_packed(hero(1)), Some(false), "it was asked for again");
    steps.looks(1).await;
    assert_eq!(steps.shard.is_packed(hero(1)), Some(true), "its clock runs without it");
    // Another device looks, and leaves it packed.
    let other = steps.attach(hero(1), 8);
    let (frames, _) = taken(&other);
    let Some(ServerMessage::Welcome(welcome)) = frames.first() else { panic!("no welcome: {frames:?}") };
    let WelcomeState::Snapshot(view) = &welcome.state else { panic!("not a whole hero: {welcome:?}") };
    assert_eq!((&*view.profile.name, view.focus.session.is_some()), ("Ada", true));
    assert_eq!(steps.shard.is_packed(hero(1)), Some(true));
    // Time does something: the ignition after two minutes.
    taken(&outbox);
    steps.clock.advance(120_000);
    steps.looks(1).await;
    steps.durable(4);
    let (frames, _) = taken(&outbox);
    assert!(frames.iter().any(|frame| matches!(frame, ServerMessage::Events(_))), "{frames:?}");
    steps.looks(3).await;
    assert_eq!(steps.shard.is_packed(hero(1)), Some(true));
}

#[tokio::test(start_paused = true)]
async fn repeats_of_what_is_not_durable_do_not_pile_up() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    steps.durable(1);
    steps.command(hero(1), &outbox, 1, rename("Ada"));
    for _ in 0..64 {
        steps.command(hero(1), &outbox, 1, rename("Ada"));
    }
    assert_eq!(taken(&outbox).1, None, "a client may ask again a few times");
    for _ in 0..1_000 {
        steps.command(hero(1), &outbox, 1, rename("Ada"));
    }
    assert_eq!(taken(&outbox).1, Some(close::OVERLOAD));
}

#[tokio::test(start_paused = true)]
async fn repeats_that_are_answered_make_room_for_others() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    steps.durable(1);
    let mut answered = 0;
    for cmd_seq in 1..=500 {
        // The hero is busy: there is always something that is not durable yet.
        steps.command(hero(1), &outbox, cmd_seq, rename("Ada"));
        steps.command(hero(1), &outbox, cmd_seq, rename("Ada"));
        steps.durable(cmd_seq);
        let (frames, closing) = taken(&outbox);
        assert_eq!(closing, None, "one repeat waits at command {cmd_seq}");
        answered += frames.iter().filter(|frame| matches!(frame, ServerMessage::Duplicate(_))).count();
        while steps.journal.stats().queue_events > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(answered, 499, "all but the last, which is not durable");
}

#[tokio::test(start_paused = true)]
async fn a_device_of_a_hero_that_the_rules_cannot_handle_is_not_left_waiting() {
    let mut steps = Steps::start();
    let devices = [steps.attach(hero(1), 7), steps.attach(hero(1), 8), steps.attach(hero(1), 9)];
    let Some(Control::Loaded(id, Ok(mut loaded))) = steps.control.recv().await else { panic!("it loads") };
    loaded.claim.last_seq = Seq(1);
    // Its daily goal is reached, and paying for that is more than a number holds.
    loaded.stored.hero.wallet.energy_me = i64::MAX;
    steps.shard.loaded(id, Ok(loaded));
    for device in devices {
        assert_eq!(taken(&device).1, Some(close::INTERNAL), "socket {}", device.connection_id);
    }
}

#[tokio::test(start_paused = true)]
async fn an_erased_hero_is_nobodys_and_its_devices_are_sent_to_log_in() {
    let mut steps = Steps::start();
    steps.store.erase_guest(hero(1)).await.expect("the store is there");
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    assert_eq!(taken(&outbox).1, Some(close::UNAUTHENTICATED));
    let head = steps.store.head(hero(1)).await.expect("the store is there").expect("it was claimed");
    assert_eq!((head.state, head.last_seq), (HeroState::Free, Seq(0)), "given back, with nothing written");
}

#[tokio::test(start_paused = true)]
async fn a_history_that_breaks_the_fold_closes_its_devices() {
    let mut steps = Steps::start();
    let claim = steps.store.claim(hero(1), NodeId(Uuid::now_v7())).await.expect("the store is there");
    steps.store.append(&[too_rich(&claim)]).await.expect("the store cannot read it");
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    assert_eq!(taken(&outbox).1, Some(close::INTERNAL));
    let again = steps.attach(hero(1), 7);
    steps.load().await;
    assert_eq!(taken(&again).1, Some(close::INTERNAL), "it is set aside");
    let mut report = Vec::new();
    let summary = verify::run(&*steps.store, &*steps.store, &texts(&steps.store), &mut report)
        .await
        .expect("the store is there");
    assert_eq!(summary.damaged, 1, "{}", String::from_utf8_lossy(&report));
}

/// More energy than a number holds: applying it is a panic.
fn too_rich(claim: &Claim) -> HeroAppend {
    let mut chain: Chain = claim.chain;
    let events = (1..=2).map(|seq| {
        let event = Event::BonusPaid { bonus: Bonus::DailyGoal, energy_me: i64::MAX };
        let body = EventBody {
            command: None,
            kind: EventKind::of("bonus_paid"),
            schema_version: journal::SCHEMA_VERSION,
            catalogue_version: 1,
            at_ms: NOON_MS,
            payload: rmp_serde::to_vec_named(&event).expect("events are plain data").into(),
        };
        let record = EventRecord::seal(claim.hero, claim.epoch, Seq(seq), chain, body);
        chain = record.chain;
        record
    });
    let events = events.collect();
    HeroAppend { hero: claim.hero, epoch: claim.epoch, previous: claim.chain, events }
}

#[tokio::test(start_paused = true)]
async fn time_stands_still_while_a_shard_drains() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    steps.durable(1);
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    steps.command(hero(1), &outbox, 1, Command::StartFocus { mode, category: Category::None, task_id: None });
    let (done_tx, mut done) = tokio::sync::oneshot::channel();
    steps.shard.drain(done_tx);
    steps.clock.advance(30 * 60 * 1000);
    steps.shard.tick();
    assert!(done.try_recv().is_err(), "the start of the session is not durable yet");
    steps.durable(2);
    assert!(done.try_recv().is_ok(), "nothing else may keep it waiting");
    let (frames, code) = taken(&outbox);
    assert!(frames.iter().any(|frame| matches!(frame, ServerMessage::Durable(_))), "{frames:?}");
    assert_eq!(code, Some(close::RESTART));
}

#[tokio::test(start_paused = true)]
async fn a_hero_that_cannot_be_journaled_is_tried_again_when_it_can() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    steps.command(hero(1), &outbox, 1, Command::StartFocus { mode, category: Category::None, task_id: None });
    steps.durable(2);
    steps.store.fail_until_healed(Fault::Full);
    steps.command(hero(1), &outbox, 2, rename("Ada"));
    while !steps.journal.is_read_only() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    steps.shard.settled(vec![persistence::Notice::ReadOnly(true)], Ticket(2));
    steps.clock.advance(30 * 60 * 1000);
    for _ in 0..10 {
        steps.shard.tick();
    }
    assert_eq!(steps.metrics.focus_sessions_open.get(), 1.0);
    steps.store.heal();
    while steps.journal.is_read_only() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    steps.shard.settled(vec![persistence::Notice::ReadOnly(false)], Ticket(3));
    steps.shard.tick();
    assert_eq!(steps.metrics.focus_sessions_open.get(), 0.0, "the session's end is journaled now");
}

#[tokio::test(start_paused = true)]
async fn a_hero_that_was_loaded_with_many_events_is_due_for_a_snapshot() {
    let mut steps = Steps::start();
    let outbox = steps.attach(hero(1), 7);
    steps.load().await;
    for cmd_seq in 1..=250 {
        steps.command(hero(1), &outbox, cmd_seq, rename("Ada"));
        // In the journal before the next one, so that there is always room.
        while steps.journal.stats().queue_events > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    // Another server loads it, and nothing happens there.
    let journal_store = Arc::clone(&steps.store);
    let mut rig = Rig::over(journal_store);
    let mut device = rig.connect(hero(1), 8, None);
    device.welcome().await;
    device.told().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let head = rig.store.head(hero(1)).await.expect("the store is there").expect("it is known");
    assert_eq!(head.snap_seq, head.last_seq);
}
