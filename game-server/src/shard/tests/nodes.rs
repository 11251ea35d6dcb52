//! Two nodes on one store: a hero lives where its player last did something, and nobody else writes it.

use persistence::StoreError;

use super::*;
use crate::lease::{self, Keeping, Listener};

/// A hand-over from a living node takes no longer than this, here in paused time.
const HAND_OVER: Duration = Duration::from_secs(1);
/// A dead node's heroes are taken over within this.
const TAKE_OVER: Duration = Duration::from_secs(20);

pub(super) struct Node {
    pub(super) rig: Rig,
    shard: JoinHandle<()>,
    lease: Keeping,
}

struct Ask(ShardHandle);

impl Listener for Ask {
    fn wanted(&self, hero: HeroId) {
        self.0.hand_over(hero);
    }
    fn replaced(&self) {
        panic!("every node here has its own name");
    }
}

impl Node {
    async fn join(store: &Arc<MemoryStore>, clock: &Clock, name: &str) -> Self {
        let journal_store: Arc<dyn JournalStore> = Arc::clone(store) as _;
        let node_id = NodeId(Uuid::now_v7());
        let standing = lease::begin(&journal_store, node_id, name).await.expect("the store is there");
        let (_none_tx, outages) = watch::channel(Arc::default());
        let identity = Identity { node_id, standing: standing.clone() };
        let (rig, shard) = Rig::of(Arc::clone(store), clock.clone(), outages, identity);
        let lease = Keeping::start(journal_store, node_id, standing, Ask(rig.shard.clone()));
        Self { rig, shard, lease }
    }

    /// The process is gone without a word.
    fn die(self) {
        self.shard.abort();
        self.lease.abort();
    }
}

pub(super) async fn two() -> (Arc<MemoryStore>, Node, Node) {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::fixed(NOON_MS));
    let one = Node::join(&store, &clock, "one").await;
    let two = Node::join(&store, &clock, "two").await;
    (store, one, two)
}

async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    assert!(begun.elapsed() <= limit, "{what} took {:?}", begun.elapsed());
    done
}

fn name_in(events: &Events) -> Option<&str> {
    events.patch.profile.as_ref().map(|profile| profile.name.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_hero_moves_to_where_its_player_acts_and_the_others_follow() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    phone.send(1, rename("Ada"));
    let first = phone.durable().await;
    phone.told().await;

    let mut laptop = two.rig.connect(hero(1), 8, None);
    let welcome = within(HAND_OVER, "a hand-over", laptop.welcome()).await;
    assert!(welcome.seq >= first.seq, "nothing is lost on the way");
    laptop.send(1, rename("Bo"));
    laptop.durable().await;
    // The phone's socket stayed, and it sees what the other node wrote.
    let news = phone.events().await;
    assert_eq!((name_in(&news), phone.closed), (Some("Bo"), None));

    phone.send(2, rename("Cy"));
    within(HAND_OVER, "a hand-over by a command", phone.durable()).await;
    assert_eq!(
        name_in(
            &laptop
                .expect("news of Cy", |message| match message {
                    ServerMessage::Events(events) if name_in(&events) == Some("Cy") => Some(*events),
                    _ => None,
                })
                .await
        ),
        Some("Cy")
    );
    // And again, with what both know by now.
    laptop.send(2, rename("Di"));
    laptop.durable().await;
    phone.send(3, rename("Ed"));
    phone.durable().await;
    assert_eq!((phone.closed, laptop.closed), (None, None));
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn news_that_comes_while_a_hero_is_on_its_way_is_told_once() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    laptop.welcome().await;
    // The laptop's node hears no wishes: it writes on until its lease is over.
    two.lease.abort();
    phone.send(1, rename("Ada"));
    laptop.send(1, rename("Bo"));
    laptop.durable().await;
    let mut seqs: Vec<u64> = Vec::new();
    let answer = phone.expect("an answer", |message| match message {
        ServerMessage::Events(events) => {
            seqs.extend(events.events.iter().map(|event| event.seq));
            None
        }
        ServerMessage::Durable(result) => Some(result),
        _ => None,
    });
    let answer = within(TAKE_OVER, "a take-over", answer).await;
    assert!(seqs.contains(&(answer.seq - 1)), "it heard of Bo: {seqs:?}");
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "each event once: {seqs:?}");
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_lets_go_when_all_is_durable_and_not_before() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    phone.told().await;
    store.hold_appends();
    phone.send(1, rename("Ada"));
    let mut laptop = two.rig.connect(hero(1), 8, None);
    assert!(laptop.told().await.is_empty(), "welcomed to a hero whose owner still writes");
    store.release_appends();
    let answer = phone.durable().await;
    assert!(laptop.welcome().await.seq >= answer.seq);
    assert_eq!(phone.closed, None);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_repeat_on_another_node_is_a_duplicate() {
    let (store, mut one, mut two) = two().await;
    let mut device = one.rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    let first = device.durable().await;
    // Its socket broke before it heard; it comes back elsewhere and asks again.
    let mut again = two.rig.connect(hero(1), 7, None);
    assert_eq!(again.welcome().await.cmd_seq_applied, 1);
    again.send(1, rename("Ada"));
    let repeated = again
        .expect("duplicate", |message| match message {
            ServerMessage::Duplicate(result) => Some(result),
            _ => None,
        })
        .await;
    assert_eq!(repeated, first);
    assert_verifies(&store).await;
}

/// A phone's socket hangs, the phone comes back elsewhere and is refused something there; what the first socket still
/// says must not happen any more, or "certainly not applied" was untrue.
#[tokio::test(start_paused = true)]
async fn what_a_ghost_still_says_on_another_node_is_not_heard() {
    let (store, mut one, mut two) = two().await;
    let mut ghost = one.rig.connect(hero(1), 7, None);
    ghost.welcome().await;
    let mut phone = two.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    phone.send(1, rename(""));
    phone.rejected().await;
    ghost.send(1, rename("Ghost"));
    ghost.expect_close(close::NORMAL).await;
    phone.send(1, rename("Ada"));
    phone.durable().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    let welcome = laptop.welcome().await;
    let WelcomeState::Snapshot(view) = welcome.state else { panic!("a first hello gets a snapshot") };
    assert_eq!(view.profile.name, "Ada");
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_nodes_hero_is_taken_over() {
    let (store, mut one, mut two) = two().await;
    let mut device = one.rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.send(1, rename("Ada"));
    let first = device.durable().await;
    one.die();
    let mut device = two.rig.connect(hero(1), 7, None);
    let welcome = within(TAKE_OVER, "a take-over", device.welcome()).await;
    assert_eq!((welcome.cmd_seq_applied, welcome.seq >= first.seq), (1, true));
    device.send(2, rename("Bo"));
    device.durable().await;
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_in_order_frees_its_heroes_at_once() {
    let (_store, mut one, mut two) = two().await;
    let mut device = one.rig.connect(hero(1), 7, None);
    device.welcome().await;
    one.rig.shard.drain().await;
    one.lease.stop().await;
    let mut device = two.rig.connect(hero(1), 7, None);
    within(HAND_OVER, "a claim", device.welcome()).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_frozen_owner_had_not_flushed_reaches_nobody() {
    let (store, mut one, mut two) = two().await;
    let mut device = one.rig.connect(hero(1), 7, None);
    device.welcome().await;
    device.told().await;
    device.frames.clear();
    // Its write hangs, its lease is not renewed: to everybody else it is dead.
    store.hold_appends();
    device.send(1, rename("Ada"));
    assert!(device.told().await.is_empty());
    one.lease.abort();
    let mut other = two.rig.connect(hero(1), 8, None);
    within(TAKE_OVER, "a take-over", other.welcome()).await;
    store.release_appends();
    other.send(1, rename("Bo"));
    other.durable().await;
    let closed = device.expect("a close", |_| None::<()>);
    let _never = timeout(Duration::from_secs(5), closed).await;
    assert_eq!(device.closed, Some(close::MOVED));
    let told = device.frames.iter().any(|frame| {
        matches!(frame, ServerMessage::Durable(_))
            || matches!(frame, ServerMessage::Events(events) if name_in(events) == Some("Ada"))
    });
    assert!(!told, "{:?}", device.frames);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_silent_answers_for_nothing_before_it_has_looked() {
    let (store, mut one, _two) = two().await;
    let mut mine = one.rig.connect(hero(1), 7, None);
    let mut kept = one.rig.connect(hero(2), 7, None);
    mine.welcome().await;
    kept.welcome().await;
    // Cut off from the store's clock, but not from its players.
    store.fail_until_healed(Fault::Unavailable);
    tokio::time::sleep(Duration::from_secs(16)).await;
    kept.send(1, rename("Ada"));
    assert_eq!(kept.rejected().await, "read_only");
    store.heal();
    store.claim(hero(1), NodeId(Uuid::now_v7())).await.expect("the lease is over");
    // The lease is renewed and everything is looked up: what was taken is given up, the rest goes on.
    mine.expect_close(close::MOVED).await;
    loop {
        kept.send(1, rename("Ada"));
        let answer = kept.expect("an answer", |message| match message {
            ServerMessage::Durable(_) => Some(true),
            ServerMessage::Rejected(_) => Some(false),
            _ => None,
        });
        if answer.await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(kept.closed, None);
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_takes_over_what_nobody_owns() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    laptop.welcome().await;
    two.rig.shard.detach(hero(1), laptop.outbox.connection_id).await;
    // The laptop's node forgets it after a while; the phone's takes it without being asked.
    let is_free_or_mine = async || {
        loop {
            let head = store.head(hero(1)).await.expect("the store is there").expect("it was played");
            if head.epoch.0 >= 3 {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    within(Duration::from_secs(90), "taking what is free", is_free_or_mine()).await;
    two.rig.clock.advance(1_000);
    phone.send(1, rename("Ada"));
    within(Duration::from_millis(100), "a command of one's own hero", phone.durable()).await;
    assert!(matches!(store.claim(hero(1), NodeId(Uuid::now_v7())).await, Err(StoreError::Held { .. })));
    assert_eq!(phone.closed, None);
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_does_not_keep_its_hero_from_another_node() {
    let (store, mut one, mut two) = two().await;
    let mut phone = one.rig.connect(hero(1), 7, None);
    phone.welcome().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    let playing_on = async {
        for cmd_seq in 1.. {
            phone.send(cmd_seq, rename(if cmd_seq % 2 == 0 { "Ada" } else { "Bo" }));
            phone.durable().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = playing_on => unreachable!("the phone goes on and on"),
        _welcome = within(2 * HAND_OVER, "a hand-over from a busy device", laptop.welcome()) => {}
    }
    laptop.send(1, rename("Cy"));
    laptop.durable().await;
    assert_verifies(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_comes_back_again_and_again_does_not_keep_its_hero_either() {
    let (store, mut one, mut two) = two().await;
    one.rig.connect(hero(1), 7, None).welcome().await;
    let mut laptop = two.rig.connect(hero(1), 8, None);
    let coming_back = async {
        loop {
            let mut phone = one.rig.connect(hero(1), 7, None);
            tokio::time::sleep(Duration::from_millis(20)).await;
            phone.take();
            one.rig.shard.detach(hero(1), phone.outbox.connection_id).await;
        }
    };
    tokio::select! {
        () = coming_back => {}
        _welcome = within(2 * HAND_OVER, "a hand-over", laptop.welcome()) => {}
    }
    assert_verifies(&store).await;
}
