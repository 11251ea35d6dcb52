//! Claims on real nodes over one store, in paused time: in one go, cut off anywhere, twice at once, from another node.

use std::time::Duration;

use persistence::accounts::{Created, NewAccount, Sealed};
use persistence::{AccountStore, Fault, JournalStore, MemoryStore, NodeId, ReadModelStore};
use protocol::close;
use simulation::command::{Category, FocusMode, Priority};
use simulation::id::ModuleId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::*;
use crate::accounts::Keys;
use crate::clock::Clock;
use crate::config::Config;
use crate::lease::{self, Keeping};
use crate::metrics::Metrics;
use crate::node::{Identity, Wishes};
use crate::outbox::Outbox;
use crate::shard::Request;
use crate::store::Stores;
use crate::texts::TextKeys;
use crate::verify;

const NOON_MS: i64 = 1_780_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// The store and the time of all nodes.
struct World {
    store: MemoryStore,
    keys: Keys,
    clock: Clock,
}

/// A process: its shards run on the test's own runtime, so that time is paused for them too.
struct Process {
    node: Arc<Node>,
    claims: Arc<Claims>,
    lease: Keeping,
    shards: Vec<JoinHandle<()>>,
}

impl World {
    fn new() -> World {
        World { store: MemoryStore::new(), keys: Keys::random(), clock: Clock::fixed(NOON_MS) }
    }

    async fn process(&self, name: &str) -> Process {
        let stores = Stores { keys: self.keys.clone(), ..Stores::of(self.store.clone()) };
        let node_id = NodeId(Uuid::now_v7());
        let standing = lease::begin(&stores.journal, node_id, name).await.expect("the store is there");
        let config = Config::parse(|_| None).expect("the defaults are valid");
        let (_none_tx, outages) = watch::channel(Arc::default());
        let identity = Identity { node_id, standing: standing.clone() };
        let (clock, metrics) = (self.clock.clone(), Arc::new(Metrics::new()));
        let journal = Arc::clone(&stores.journal);
        let (node, built) = Node::build(config, clock, metrics, stores, outages, identity);
        let shards = built.into_iter().map(|shard| tokio::spawn(shard.run())).collect();
        let lease = Keeping::start(journal, node_id, standing, Wishes(Arc::clone(&node)));
        Process { claims: Arc::new(Claims::new(Arc::clone(&node))), node, lease, shards }
    }

    async fn account(&self) -> AccountId {
        let account = AccountId(Uuid::now_v7());
        let new = NewAccount {
            account,
            hero: HeroId(Uuid::now_v7()),
            is_new_hero: true,
            mail: None,
            subject: None,
            password: None,
            profile: Sealed(Vec::new()),
            created_at_ms: NOON_MS,
        };
        assert_eq!(self.store.create_account(new).await.expect("the store is there"), Created::Done);
        account
    }

    async fn hero_of(&self, account: AccountId) -> HeroId {
        let found = self.store.account(AccountKey::Id(account)).await.expect("the store is there");
        found.expect("it was made").hero
    }

    fn texts(&self) -> TextKeys {
        TextKeys::new(Arc::new(self.store.clone()), self.keys.clone())
    }

    /// A hero as it is kept.
    async fn hero(&self, id: HeroId) -> Hero {
        peek(&self.store, &self.texts(), id).await.expect("it can be read").expect("it was played").hero
    }

    async fn acts_for(&self, token: &str) -> HeroId {
        let device = self.store.device_by_token(hash(token)).await.expect("the store is there");
        device.expect("the device stays").hero
    }

    async fn verifies(&self) {
        let (store, models): (&dyn JournalStore, &dyn ReadModelStore) = (&self.store, &self.store);
        let mut out = Vec::new();
        let summary = verify::run(store, models, &self.texts(), &mut out).await.expect("the store is there");
        assert_eq!(summary.damaged, 0, "{}", String::from_utf8_lossy(&out));
    }

    async fn unfinished(&self) -> usize {
        self.store.unfinished_unions(100).await.expect("the store is there").len()
    }
}

impl Process {
    /// It is gone without a word.
    fn die(self) {
        self.shards.iter().for_each(JoinHandle::abort);
        self.lease.abort();
    }

    async fn act(&self, hero: HeroId, command: Command) {
        self.node.act(hero, command).await.expect("the rules allow it");
    }

    /// A guest with a session of this many minutes behind it, a task, and a module in the making.
    async fn guest(&self, world: &World, minutes: u16) -> (HeroId, String) {
        let guest = self.node.accounts.create_guest("phone").await.expect("the store is there");
        self.play(world, guest.hero, minutes).await;
        (guest.hero, guest.device_token.expose().to_owned())
    }

    async fn play(&self, world: &World, hero: HeroId, minutes: u16) {
        self.act(hero, task()).await;
        self.focus(hero, minutes).await;
        world.clock.advance(i64::from(minutes) * MINUTE_MS);
        self.act(hero, Command::EndFocus).await;
        self.act(hero, Command::AssembleModule { module_id: ModuleId::literal("gen_pulse") }).await;
    }

    async fn focus(&self, hero: HeroId, planned_minutes: u16) {
        let mode = FocusMode::Countdown { planned_minutes };
        self.act(hero, Command::StartFocus { mode, category: Category::None, task_id: None }).await;
    }

    /// A device that is connected to a hero.
    fn connect(&self, hero: HeroId, stream_id: u64) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(self.node.next_connection_id()));
        let attach =
            Request::Attach { hero, stream_id, last_seq: None, time_zone: None, outbox: Arc::clone(&outbox) };
        self.node.shard(hero).try_send(attach).expect("the inbox has room");
        outbox
    }
}

fn task() -> Command {
    titled("Pack".to_owned())
}

fn titled(title: String) -> Command {
    Command::CreateTask {
        title,
        category: Category::None,
        priority: Priority::Medium,
        estimate_minutes: 30,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}

async fn closes(outbox: &Outbox) -> u16 {
    let closing = async {
        loop {
            if let Some(closing) = outbox.take().1 {
                return closing.code;
            }
            outbox.something().await;
        }
    };
    timeout(Duration::from_secs(60), closing).await.expect("it closes within a minute")
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_claimed_as_the_preview_said() {
    let world = World::new();
    let here = world.process("one").await;
    let (guest, token) = here.guest(&world, 25).await;
    let account = world.account().await;
    let hero = world.hero_of(account).await;
    here.play(&world, hero, 50).await;
    // What runs on the guest is ended by the claim.
    here.focus(guest, 25).await;
    world.clock.advance(10 * MINUTE_MS);

    let before = (world.hero(guest).await, world.hero(hero).await);
    let preview = here.claims.preview(account, &token).await.expect("it can be claimed");
    assert_eq!(before, (world.hero(guest).await, world.hero(hero).await), "a preview changes nothing");
    assert_eq!(world.unfinished().await, 0);
    let phone = here.connect(guest, 7);
    let united = here.claims.claim(account, &token).await.expect("it is claimed");
    assert_eq!(united, preview);
    assert_eq!((united.tasks_added, united.tasks_left, united.refunded_me), (1, 0, 25_000));
    assert_eq!(united.guest.focus_ms, 35 * MINUTE_MS);
    assert_eq!(united.united.focus_ms, 85 * MINUTE_MS);
    // first_spark is counted once.
    let lifetime_me = |hero: &Hero| hero.wallet.lifetime_me;
    let (ended, now) = (world.hero(guest).await, world.hero(hero).await);
    assert!(ended.session.is_none() && ended.wallet.energy_me == 0);
    assert!(lifetime_me(&now) >= lifetime_me(&before.1) + lifetime_me(&ended) - 20_000);

    assert_eq!(closes(&phone).await, close::MOVED);
    assert_eq!(world.acts_for(&token).await, hero, "the phone comes back to the account's hero");
    let notes = world.store.account_events(hero, 10).await.expect("the store is there");
    assert_eq!(notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [AccountEventKind::Claimed]);
    assert_eq!(world.unfinished().await, 0);
    world.verifies().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_claim_says_how_things_are() {
    let world = World::new();
    let here = world.process("one").await;
    let (_, token) = here.guest(&world, 25).await;
    let account = world.account().await;
    let hero = world.hero_of(account).await;
    let united = here.claims.claim(account, &token).await.expect("it is claimed");
    let now = world.hero(hero).await;
    let again = here.claims.claim(account, &token).await.expect("it is the same request");
    assert_eq!((&again.united, &again.account), (&united.united, &united.united));
    assert_eq!((again.tasks_added, again.refunded_me), (0, 0));
    assert_eq!(world.hero(hero).await, now);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_never_played_begins_where_its_guest_is() {
    let world = World::new();
    let here = world.process("one").await;
    let (guest, token) = here.guest(&world, 25).await;
    here.act(guest, Command::SetTimeZone { time_zone: "Asia/Tokyo".to_owned(), day_start_minutes: 240 })
        .await;
    world.clock.advance(24 * 60 * MINUTE_MS);
    let account = world.account().await;
    let preview = here.claims.preview(account, &token).await.expect("it can be claimed");
    let united = here.claims.claim(account, &token).await.expect("it is claimed");
    assert_eq!(united, preview);
    let hero = world.hero(world.hero_of(account).await).await;
    assert_eq!(hero.zone.time_zone, "Asia/Tokyo");
    assert_eq!((hero.streak.active_days, hero.statistics.sessions, hero.tasks.len()), (1, 1, 1));
    world.verifies().await;
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_long_tasks_fit_into_one_write() {
    let world = World::new();
    let here = world.process("one").await;
    let (guest, token) = here.guest(&world, 5).await;
    for number in 0..450 {
        here.act(guest, titled(format!("{number:03}{}", "ж".repeat(197)))).await;
    }
    let account = world.account().await;
    let preview = here.claims.preview(account, &token).await.expect("it can be claimed");
    let united = here.claims.claim(account, &token).await.expect("it is claimed");
    assert_eq!(united, preview);
    assert_eq!((united.tasks_added + united.tasks_left, united.guest.tasks), (451, 451));
    assert!(united.tasks_added > 100, "{}", united.tasks_added);
    let hero = world.hero(world.hero_of(account).await).await;
    assert_eq!(hero.tasks.len(), united.tasks_added);
    world.verifies().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_guests_is_refused_and_unchanged() {
    let world = World::new();
    let here = world.process("one").await;
    let (account, other) = (world.account().await, world.account().await);
    let refused = |failed: Result<Preview, ClaimFailed>| failed.expect_err("it is refused").to_string();
    let unknown = format!("dh_{}", "A".repeat(43));
    let claim = async |account, token: &str| refused(here.claims.claim(account, token).await);
    assert_eq!(claim(account, &unknown).await, ClaimFailed::UnknownGuest.to_string());
    let nobody = AccountId(Uuid::now_v7());
    assert_eq!(claim(nobody, &unknown).await, ClaimFailed::NoAccount.to_string());

    // A guest who has registered: one's own hero, and somebody's.
    let (hero, token) = here.guest(&world, 5).await;
    let registered = NewAccount {
        account: AccountId(Uuid::now_v7()),
        hero,
        is_new_hero: false,
        mail: None,
        subject: None,
        password: None,
        profile: Sealed(Vec::new()),
        created_at_ms: NOON_MS,
    };
    let owner = registered.account;
    assert_eq!(world.store.create_account(registered).await.expect("the store is there"), Created::Done);
    let before = world.hero(hero).await;
    for preview in [true, false] {
        let ask = async |account| match preview {
            true => refused(here.claims.preview(account, &token).await),
            false => refused(here.claims.claim(account, &token).await),
        };
        assert_eq!(ask(owner).await, ClaimFailed::SameHero.to_string());
        assert_eq!(ask(account).await, ClaimFailed::AlreadyClaimed.to_string());
    }
    assert_eq!(world.hero(hero).await, before);

    // A guest who was claimed by somebody else, before and while it happens.
    let (guest, token) = here.guest(&world, 5).await;
    let into = world.hero_of(other).await;
    let decided = Union { guest, into, account: other, begun_at_ms: NOON_MS, finished_at_ms: None };
    world.store.begin_union(decided).await.expect("the store is there");
    assert_eq!(claim(account, &token).await, ClaimFailed::AlreadyClaimed.to_string());
    here.claims.claim(other, &token).await.expect("it is the other's");
    assert_eq!(claim(account, &token).await, ClaimFailed::AlreadyClaimed.to_string());
    world.verifies().await;
}

#[tokio::test(start_paused = true)]
async fn three_in_thirty_days_are_enough() {
    let world = World::new();
    let here = world.process("one").await;
    let account = world.account().await;
    for _ in 0..UNIONS_MAX {
        let (_, token) = here.guest(&world, 5).await;
        here.claims.claim(account, &token).await.expect("it is claimed");
    }
    let (guest, token) = here.guest(&world, 5).await;
    let before = world.hero(guest).await;
    assert!(matches!(here.claims.preview(account, &token).await, Err(ClaimFailed::TooMany)));
    assert!(matches!(here.claims.claim(account, &token).await, Err(ClaimFailed::TooMany)));
    assert_eq!(world.hero(guest).await, before);
    world.clock.advance(WINDOW_MS);
    here.claims.claim(account, &token).await.expect("it is claimed a month later");
    world.verifies().await;
}

#[tokio::test(start_paused = true)]
async fn many_claims_at_once_are_three() {
    let world = World::new();
    let here = world.process("one").await;
    let account = world.account().await;
    let mut claims = Vec::new();
    for _ in 0..8 {
        let (_, token) = here.guest(&world, 5).await;
        let service = Arc::clone(&here.claims);
        claims.push(tokio::spawn(async move { service.claim(account, &token).await.is_ok() }));
    }
    let mut done = 0;
    for claim in claims {
        done += u32::from(claim.await.expect("it ends"));
    }
    assert_eq!(done, UNIONS_MAX);
    assert_eq!(world.hero(world.hero_of(account).await).await.statistics.sessions, UNIONS_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_guest_on_another_node_comes_and_its_sockets_leave() {
    let world = World::new();
    let (one, two) = (world.process("one").await, world.process("two").await);
    let (guest, token) = one.guest(&world, 25).await;
    let account = world.account().await;
    let hero = world.hero_of(account).await;
    one.play(&world, hero, 25).await;
    let (phone, laptop) = (one.connect(guest, 7), one.connect(hero, 8));
    sleep(Duration::from_secs(1)).await;
    let united = two.claims.claim(account, &token).await.expect("both heroes come");
    assert_eq!(united.united.sessions, 2);
    assert_eq!(closes(&phone).await, close::MOVED);
    sleep(Duration::from_secs(5)).await;
    assert!(laptop.take().1.is_none(), "the account's own devices stay");
    // And the node that had them takes the united hero back for the phone.
    let again = one.connect(world.acts_for(&token).await, 7);
    sleep(Duration::from_secs(5)).await;
    assert!(again.take().1.is_none());
    world.verifies().await;
}

/// What a union may never do, whatever happened on the way: everything is there, and once.
async fn is_united_once(world: &World, guest: HeroId, hero: HeroId, expected: &Hero) {
    let (ended, now) = (world.hero(guest).await, world.hero(hero).await);
    assert!(ended.handed_over().is_some());
    assert_eq!((ended.wallet.energy_me, ended.wallet.dopamine_md), (0, 0));
    assert_eq!(now.wallet, expected.wallet);
    assert_eq!(now.statistics, expected.statistics);
    assert_eq!((now.streak, now.tasks.len()), (expected.streak, expected.tasks.len()));
    let modules = |hero: &Hero| hero.modules.iter().map(|module| module.module_id).collect::<Vec<_>>();
    assert_eq!(modules(&now), modules(expected));
    world.verifies().await;
}

/// Two players who did the same; the account's hero of one of them is united in peace.
async fn expected() -> Hero {
    let world = World::new();
    let here = world.process("one").await;
    let (account, token, _, hero) = parties(&world, &here).await;
    here.claims.claim(account, &token).await.expect("it is claimed");
    world.hero(hero).await
}

async fn parties(world: &World, here: &Process) -> (AccountId, String, HeroId, HeroId) {
    let (guest, token) = here.guest(world, 25).await;
    let account = world.account().await;
    let hero = world.hero_of(account).await;
    here.play(world, hero, 50).await;
    here.focus(guest, 25).await;
    world.clock.advance(10 * MINUTE_MS);
    (account, token, guest, hero)
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_cut_off_between_any_two_steps_is_finished() {
    let expected = expected().await;
    for steps in 0..4 {
        for is_asked_again in [true, false] {
            let world = World::new();
            let here = world.process("one").await;
            let (account, token, guest, hero) = parties(&world, &here).await;
            let union = Union { guest, into: hero, account, begun_at_ms: NOON_MS, finished_at_ms: None };
            world.store.begin_union(union).await.expect("the store is there");
            if steps > 0 {
                here.act(guest, Command::HandOver { into: key(hero) }).await;
            }
            if steps > 1 {
                let estate = Estate::of(key(guest), world.hero(guest).await).expect("it was handed over");
                here.act(hero, Command::UniteGuest { estate }).await;
            }
            if steps > 2 {
                world.store.finish_union(guest, NOON_MS).await.expect("the store is there");
            }
            here.die();
            let next = world.process("two").await;
            if is_asked_again {
                let united = next.claims.claim(account, &token).await.expect("it is finished");
                assert_eq!(united.united.sessions, expected.statistics.sessions);
            } else {
                next.claims.finish_all().await;
            }
            assert_eq!(world.unfinished().await, 0, "after {steps} steps");
            assert_eq!(world.acts_for(&token).await, hero, "after {steps} steps");
            is_united_once(&world, guest, hero, &expected).await;
            // Whoever comes later finds nothing to do.
            next.claims.finish_all().await;
            next.claims.claim(account, &token).await.expect("it is done");
            is_united_once(&world, guest, hero, &expected).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_moment_of_a_claim() {
    let expected = expected().await;
    let mut cut_off = 0;
    for moments in 0..90 {
        let world = World::new();
        let here = world.process("one").await;
        let (account, token, guest, hero) = parties(&world, &here).await;
        let claim = {
            let (claims, token) = (Arc::clone(&here.claims), token.clone());
            tokio::spawn(async move { claims.claim(account, &token).await.is_ok() })
        };
        sleep(Duration::from_millis(moments / 3)).await;
        for _ in 0..4 * (moments % 3) {
            tokio::task::yield_now().await;
        }
        cut_off += u32::from(!claim.is_finished());
        claim.abort();
        here.die();
        let next = world.process("two").await;
        next.claims.claim(account, &token).await.unwrap_or_else(|error| panic!("{moments}: {error:?}"));
        is_united_once(&world, guest, hero, &expected).await;
        assert_eq!(world.unfinished().await, 0);
    }
    assert!((10..80).contains(&cut_off), "{cut_off} of them were cut off, the others were done before");
}

#[tokio::test(start_paused = true)]
async fn two_nodes_that_claim_at_once_unite_once() {
    let expected = expected().await;
    let world = World::new();
    let (one, two) = (world.process("one").await, world.process("two").await);
    let (account, token, guest, hero) = parties(&world, &one).await;
    for _ in 0..3 {
        let claims = [&one, &two, &one, &two].map(|process| process.claims.claim(account, &token));
        let [first, second, third, fourth] = claims;
        let answers = tokio::join!(first, second, third, fourth);
        for answer in [answers.0, answers.1, answers.2, answers.3] {
            answer.expect("every one of them is answered");
        }
    }
    is_united_once(&world, guest, hero, &expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_in_between_leaves_a_claim_that_can_be_finished() {
    let expected = expected().await;
    for fault in [Fault::AmbiguousApplied, Fault::AmbiguousLost, Fault::AmbiguousLate, Fault::Busy] {
        for calls_before in 0..3 {
            let world = World::new();
            let here = world.process("one").await;
            let (account, token, guest, hero) = parties(&world, &here).await;
            let calls = world.store.append_calls();
            let claiming = async {
                let claimed = here.claims.claim(account, &token).await;
                claimed.is_ok()
            };
            let failing = async {
                while world.store.append_calls() < calls + calls_before {
                    sleep(Duration::from_millis(1)).await;
                }
                world.store.fail_next(fault.clone());
                std::future::pending::<()>().await;
            };
            tokio::select! {
                _done = claiming => {}
                () = failing => {}
            }
            world.store.heal();
            let claim = here.claims.claim(account, &token).await;
            claim.unwrap_or_else(|error| panic!("{fault:?} after {calls_before}: {error:?}"));
            is_united_once(&world, guest, hero, &expected).await;
        }
    }
}
