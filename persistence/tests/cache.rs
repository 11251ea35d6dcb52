//! The cache against a real Redis that is absent, killed, emptied, stopped, full, old, lying or a cluster: nothing it does
//! is an error, takes long or is believed.

#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use persistence::redis::{
    ADVANCED_HEROES_MAX, Call, HINTS_MAX, HOT_STATE_BYTES_MAX, Lie, NODES_MAX, Outcome, QUEUE_BYTES_MAX,
};
use persistence::{
    Cache, CacheConfig, CacheFact, CacheTask, Chain, Epoch, HeroId, Hint, NodeId, NodePresence, RedisUrl,
    Seq, SnapshotRecord, Whereabouts,
};
use test_servers::Redis;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

const KEY: [u8; 32] = [7; 32];
/// So long a condition may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// No call may take longer, on a busy machine: 50 ms and what the scheduler adds.
const CALL_LIMIT: Duration = Duration::from_millis(250);

fn hero(number: u128) -> HeroId {
    HeroId(Uuid::from_u128(number))
}

fn node_id(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

fn snapshot(hero: HeroId, epoch: u64, seq: u64, state: &[u8]) -> SnapshotRecord {
    let state = Bytes::copy_from_slice(state);
    SnapshotRecord::seal(hero, Seq(seq), Epoch(epoch), 1, Chain::genesis(hero), state, 1_700_000_000_000)
}

/// One node's cache, and what it told.
struct Node {
    cache: Cache,
    task: CacheTask,
    hints: mpsc::Receiver<Hint>,
    facts: Arc<Mutex<Vec<CacheFact>>>,
}

impl Node {
    /// Without waiting for anything.
    fn start(url: &str, number: u128, key: [u8; 32]) -> Self {
        let facts = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&facts);
        let on_fact = Arc::new(move |fact| heard.lock().unwrap().push(fact));
        let config = CacheConfig { node: node_id(number), key, seed: 1, on_fact };
        let (cache, task) = Cache::start(RedisUrl::parse(url).unwrap(), &config);
        let hints = cache.hints();
        Self { cache, task, hints, facts }
    }

    async fn connect(url: &str, number: u128) -> Self {
        let node = Self::start(url, number, KEY);
        node.wait_until_up().await;
        node
    }

    async fn wait_until_up(&self) {
        wait_until("Redis is connected", async || self.cache.is_up()).await;
    }

    fn count(&self, wanted: impl Fn(&CacheFact) -> bool) -> usize {
        self.facts.lock().unwrap().iter().filter(|fact| wanted(fact)).count()
    }

    fn calls(&self, call: Call, outcome: Outcome) -> usize {
        self.count(|fact| matches!(fact, CacheFact::Called { call: c, outcome: o, .. } if (*c, *o) == (call, outcome)))
    }

    fn lies(&self) -> Vec<Lie> {
        let facts = self.facts.lock().unwrap();
        let lie = |fact: &CacheFact| match fact {
            CacheFact::Called { outcome: Outcome::Lied(lie), .. } => Some(*lie),
            _ => None,
        };
        facts.iter().filter_map(lie).collect()
    }

    /// Writes a snapshot until it is there: a busy machine may make single calls late.
    async fn keep(&self, record: &SnapshotRecord) {
        wait_until("the snapshot is there", async || {
            self.cache.put_snapshots(vec![record.clone()]);
            self.cache.get_snapshot(record.hero).await.as_ref() == Some(record)
        })
        .await;
    }

    /// Calls `send` on another node until a hint comes here.
    async fn hear(&mut self, send: impl Fn()) -> Hint {
        let begun = Instant::now();
        loop {
            send();
            if let Ok(hint) = timeout(Duration::from_millis(200), self.hints.recv()).await {
                return hint.expect("the cache keeps the sender");
            }
            assert!(begun.elapsed() < PATIENCE, "no hint came");
        }
    }
}

async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn in_time<T>(call: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let answer = call.await;
    assert!(begun.elapsed() < CALL_LIMIT, "a call took {:?}", begun.elapsed());
    answer
}

fn signal(server: &Redis, name: &str) {
    let kill = format!("kill -{name} {}", server.pid());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn hot(hero: HeroId) -> String {
    format!("dh:hot:{hero}")
}

#[tokio::test]
async fn what_was_written_is_read_and_an_older_one_never_replaces_it() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    assert_eq!(node.cache.get_snapshot(hero(1)).await, None);
    node.keep(&snapshot(hero(1), 2, 200, b"first")).await;
    let newest = snapshot(hero(1), 2, 400, b"newest");
    node.keep(&newest).await;
    for (epoch, seq) in [(2, 399), (1, 9_000), (2, 99)] {
        node.cache.put_snapshots(vec![snapshot(hero(1), epoch, seq, b"older")]);
    }
    // What is sent in order is done in order.
    node.keep(&snapshot(hero(2), 1, 1, b"after")).await;
    assert_eq!(node.cache.get_snapshot(hero(1)).await, Some(newest));
    node.keep(&snapshot(hero(1), 3, 1, b"of a later owner")).await;
    let life: u64 = server.cli(&["TTL", &hot(hero(1))]).trim().parse().unwrap();
    assert!((3_500..=3_600).contains(&life), "{life}");
    assert_eq!(node.lies(), []);
    node.task.stop().await;
}

#[tokio::test]
async fn a_server_without_redis_knows_nothing_and_says_so_at_once() {
    let cache = Cache::none();
    cache.put_snapshots(vec![snapshot(hero(1), 1, 1, b"state")]);
    cache.set_at(hero(1), Epoch(1), 1);
    cache.set_presence(1, 1);
    cache.want(hero(1), node_id(2));
    assert!(!cache.is_up());
    assert_eq!(cache.get_snapshot(hero(1)).await, None);
    assert_eq!(cache.devices_elsewhere(hero(1)).await, None);
    assert_eq!(cache.presence().await, []);
    assert_eq!(cache.count("a", Duration::from_secs(1)).await, None);
    assert!(cache.hints().try_recv().is_err());
}

#[tokio::test]
async fn redis_may_come_later() {
    let mut server = Redis::start();
    server.kill();
    let node = Node::start(&server.url(), 1, KEY);
    wait_until("the first probe has failed", async || {
        node.count(|fact| matches!(fact, CacheFact::Away { .. })) > 0
    })
    .await;
    node.cache.put_snapshots(vec![snapshot(hero(1), 1, 1, b"state")]);
    assert_eq!(in_time(node.cache.get_snapshot(hero(1))).await, None);
    assert_eq!(node.calls(Call::PutSnapshot, Outcome::Away), 1);
    assert_eq!(node.calls(Call::GetSnapshot, Outcome::Away), 1);
    server.restart();
    node.wait_until_up().await;
    assert_eq!(node.count(|fact| *fact == CacheFact::Back), 1);
    node.keep(&snapshot(hero(1), 1, 1, b"state")).await;
    node.task.stop().await;
}

async fn hints_flow_again_after_a_restart(mut server: Redis, url: &str) {
    let (mut one, two) = (Node::connect(url, 1).await, Node::connect(url, 2).await);
    let wanted = Hint::Wanted { hero: hero(5), by: node_id(2) };
    assert_eq!(one.hear(|| two.cache.want(hero(5), node_id(1))).await, wanted);
    server.kill();
    wait_until("both have noticed", async || {
        // Whoever only asks notices too: nothing is left to the luck of a broken socket.
        in_time(one.cache.get_snapshot(hero(1))).await;
        in_time(two.cache.get_snapshot(hero(1))).await;
        !one.cache.is_up() && !two.cache.is_up()
    })
    .await;
    server.restart();
    one.wait_until_up().await;
    two.wait_until_up().await;
    while one.hints.try_recv().is_ok() {}
    assert_eq!(one.hear(|| two.cache.want(hero(5), node_id(1))).await, wanted);
    while one.hints.try_recv().is_ok() {}
    let released = Hint::Released { hero: hero(6), epoch: Epoch(3) };
    assert_eq!(one.hear(|| two.cache.released(hero(6), Epoch(3))).await, released);
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn redis_killed_and_restarted_is_found_again_with_its_subscriptions() {
    let server = Redis::start();
    let url = server.url();
    hints_flow_again_after_a_restart(server, &url).await;
}

#[tokio::test]
async fn a_killed_redis_is_noticed_without_a_call() {
    let mut server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    server.kill();
    wait_until("it is noticed", async || !node.cache.is_up()).await;
    node.task.stop().await;
}

#[tokio::test]
async fn an_emptied_redis_is_filled_again() {
    let server = Redis::start();
    let (mut one, two) = (Node::connect(&server.url(), 1).await, Node::connect(&server.url(), 2).await);
    let record = snapshot(hero(1), 1, 1, b"state");
    one.keep(&record).await;
    server.cli(&["FLUSHALL"]);
    wait_until("it is empty", async || one.cache.get_snapshot(hero(1)).await.is_none()).await;
    one.keep(&record).await;
    assert_eq!(two.cache.presence().await, []);
    // Subscriptions are not data.
    let wanted = Hint::Wanted { hero: hero(5), by: node_id(2) };
    assert_eq!(one.hear(|| two.cache.want(hero(5), node_id(1))).await, wanted);
    assert_eq!(one.lies(), []);
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn a_stalled_redis_costs_50_ms_three_times_and_then_nothing() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    let record = snapshot(hero(1), 1, 1, b"state");
    node.keep(&record).await;
    signal(&server, "STOP");
    let stalled = Instant::now();
    let mut calls = 0_u32;
    let mut waited = Duration::ZERO;
    while stalled.elapsed() < Duration::from_secs(5) {
        let begun = Instant::now();
        assert_eq!(in_time(node.cache.get_snapshot(hero(1))).await, None);
        in_time(node.cache.count("key", Duration::from_secs(60))).await;
        node.cache.put_snapshots(vec![record.clone()]);
        waited += begun.elapsed();
        calls += 1;
        sleep(Duration::from_millis(5)).await;
    }
    assert!(calls > 100, "{calls}");
    assert!(waited < Duration::from_secs(1), "{waited:?} in {calls} rounds");
    assert!(node.count(|fact| matches!(fact, CacheFact::Called { outcome: Outcome::Slow, .. })) >= 3);
    assert!(node.calls(Call::GetSnapshot, Outcome::Away) > 90);
    signal(&server, "CONT");
    node.wait_until_up().await;
    wait_until("it answers", async || node.cache.get_snapshot(hero(1)).await.as_ref() == Some(&record)).await;
    node.task.stop().await;
}

#[tokio::test]
async fn no_lie_is_believed_and_each_is_told_and_cleaned_away() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    let record = snapshot(hero(1), 1, 1, b"state");
    let key = hot(hero(1));
    let stranger = Node::start(&server.url(), 9, [8; 32]);
    stranger.wait_until_up().await;
    let other = snapshot(hero(2), 1, 1, b"other");
    let lies: [(&str, Lie, &dyn Fn()); 8] = [
        ("garbage", Lie::Nonsense, &|| drop(server.cli(&["SET", &key, "garbage"]))),
        ("a number far ahead", Lie::Nonsense, &|| drop(server.cli(&["SET", &key, &"9".repeat(100)]))),
        ("a list", Lie::Nonsense, &|| drop(server.cli(&["RPUSH", &key, "a", "b"]))),
        ("a changed byte", Lie::BadSeal, &|| drop(server.cli(&["SETRANGE", &key, "100", "X"]))),
        ("a changed seq", Lie::BadSeal, &|| drop(server.cli(&["SETRANGE", &key, "39", "8"]))),
        ("a longer state", Lie::BadSeal, &|| drop(server.cli(&["APPEND", &key, "more"]))),
        ("another hero's value", Lie::BadSeal, &|| {
            drop(server.cli(&["COPY", &hot(hero(2)), &key, "REPLACE"]))
        }),
        ("something huge", Lie::TooLarge, &|| drop(server.cli(&["SETRANGE", &key, "20000000", "x"]))),
    ];
    node.keep(&other).await;
    for (name, lie, tell) in lies {
        if name == "a list" {
            server.cli(&["DEL", &key]);
        } else {
            node.keep(&record).await;
        }
        let before = node.lies().len();
        tell();
        wait_until(name, async || {
            assert_eq!(node.cache.get_snapshot(hero(1)).await, None, "{name}");
            node.lies().len() > before
        })
        .await;
        assert_eq!(node.lies()[before], lie, "{name}");
        wait_until("it is deleted", async || server.cli(&["EXISTS", &key]).trim() == "0").await;
    }
    // Whoever has another key, such as another installation on the same Redis.
    stranger.keep(&snapshot(hero(3), 1, 1, b"strange")).await;
    wait_until("it is noticed", async || {
        assert_eq!(node.cache.get_snapshot(hero(3)).await, None);
        node.lies().last() == Some(&Lie::BadSeal)
    })
    .await;
    assert!(node.cache.is_up(), "a liar is asked again: it may be one value only");
    node.task.stop().await;
    stranger.task.stop().await;
}

#[tokio::test]
async fn an_older_copy_is_given_with_its_age_and_a_newer_one_replaces_it() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    let (old, new) = (snapshot(hero(1), 1, 200, b"old"), snapshot(hero(1), 1, 400, b"new"));
    node.keep(&old).await;
    server.cli(&["COPY", &hot(hero(1)), "backup"]);
    node.keep(&new).await;
    server.cli(&["COPY", "backup", &hot(hero(1)), "REPLACE"]);
    // Its position says that 200 events come after it: the loader takes them from the database.
    wait_until("the old one is back", async || node.cache.get_snapshot(hero(1)).await.as_ref() == Some(&old))
        .await;
    node.keep(&new).await;
    node.task.stop().await;
}

#[tokio::test]
async fn a_large_state_is_not_kept_hot() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    node.cache.put_snapshots(vec![snapshot(hero(1), 1, 1, &vec![1; HOT_STATE_BYTES_MAX + 1])]);
    wait_until("it is refused", async || node.calls(Call::PutSnapshot, Outcome::Full) == 1).await;
    assert_eq!(server.cli(&["EXISTS", &hot(hero(1))]).trim(), "0");
    node.keep(&snapshot(hero(1), 1, 1, &vec![1; HOT_STATE_BYTES_MAX])).await;
    node.task.stop().await;
}

#[tokio::test]
async fn a_full_queue_drops_the_newest_and_tells() {
    let server = Redis::start();
    let node = Node::connect(&server.url(), 1).await;
    signal(&server, "STOP");
    // More than the queue holds, before its task can run: this test has one thread.
    let state = vec![1; HOT_STATE_BYTES_MAX];
    let fits = QUEUE_BYTES_MAX / HOT_STATE_BYTES_MAX;
    let records: Vec<_> = (0..fits as u128 + 10).map(|number| snapshot(hero(number), 1, 1, &state)).collect();
    in_time(async { node.cache.put_snapshots(records) }).await;
    let full = node.calls(Call::PutSnapshot, Outcome::Full);
    assert!((10..=12).contains(&full), "{full}");
    signal(&server, "CONT");
    node.wait_until_up().await;
    node.keep(&snapshot(hero(1), 1, 2, b"there is room again")).await;
    node.task.stop().await;
}

#[tokio::test]
async fn every_node_hears_the_others_and_not_itself() {
    let server = Redis::start();
    let (mut one, mut two) = (Node::connect(&server.url(), 1).await, Node::connect(&server.url(), 2).await);
    let heroes: Vec<_> =
        (0..ADVANCED_HEROES_MAX as u128 + 1).map(|number| (hero(number), Epoch(1), Seq(9))).collect();
    two.cache.advanced(&heroes);
    let mut heard = Vec::new();
    for _ in 0..2 {
        match timeout(PATIENCE, one.hints.recv()).await.unwrap() {
            Some(Hint::Advanced { heroes }) => heard.push(heroes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [ADVANCED_HEROES_MAX, 1]);
    assert_eq!(heard.concat(), heroes);
    // One that was sent to `one` alone, and one to both: `two` hears only the second, and nothing of its own.
    one.cache.want(hero(1), node_id(3));
    one.cache.released(hero(2), Epoch(1));
    let released = Hint::Released { hero: hero(2), epoch: Epoch(1) };
    assert_eq!(timeout(PATIENCE, two.hints.recv()).await.unwrap(), Some(released));
    assert!(two.hints.try_recv().is_err());
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn false_hints_are_dropped_and_unread_ones_too() {
    let server = Redis::start();
    let (mut one, two) = (Node::connect(&server.url(), 1).await, Node::connect(&server.url(), 2).await);
    server.cli(&["PUBLISH", "dh:advanced", "garbage"]);
    server.cli(&["PUBLISH", "dh:advanced", &"0".repeat(200)]);
    server.cli(&["PUBLISH", "dh:advanced", &"0".repeat(60_000)]);
    wait_until("all are told", async || one.lies().len() == 3).await;
    assert_eq!(one.lies(), [Lie::Nonsense, Lie::BadSeal, Lie::TooLarge]);
    assert!(one.hints.try_recv().is_err());
    wait_until("the box is full", async || {
        (0..100).for_each(|_| two.cache.released(hero(1), Epoch(1)));
        one.calls(Call::HearHint, Outcome::Full) > 0
    })
    .await;
    let mut unread = 0;
    while one.hints.try_recv().is_ok() {
        unread += 1;
    }
    assert_eq!(unread, HINTS_MAX);
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn where_a_hero_is_played_is_known_elsewhere() {
    let server = Redis::start();
    let (one, two) = (Node::connect(&server.url(), 1).await, Node::connect(&server.url(), 2).await);
    let here = |epoch, devices| Some(Whereabouts { node: node_id(1), epoch: Epoch(epoch), devices });
    wait_until("it is said", async || {
        one.cache.set_at(hero(1), Epoch(2), 3);
        two.cache.devices_elsewhere(hero(1)).await == here(2, 3)
    })
    .await;
    assert_eq!(one.cache.devices_elsewhere(hero(1)).await, None, "here is not elsewhere");
    // A slow old owner does not speak for a newer one.
    two.cache.set_at(hero(1), Epoch(1), 9);
    two.cache.set_at(hero(2), Epoch(1), 1);
    wait_until("both are said", async || one.cache.devices_elsewhere(hero(2)).await.is_some()).await;
    assert_eq!(two.cache.devices_elsewhere(hero(1)).await, here(2, 3));
    one.cache.set_at(hero(1), Epoch(2), 0);
    wait_until("the last one left", async || two.cache.devices_elsewhere(hero(1)).await.is_none()).await;
    let life: u64 = server.cli(&["TTL", &format!("dh:at:{}", hero(1))]).trim().parse().unwrap();
    assert!((1..=60).contains(&life), "{life}");
    one.task.stop().await;
    two.task.stop().await;
}

async fn presence_shows_who_is_there(server: &Redis, url: &str) {
    let (one, two) = (Node::connect(url, 1).await, Node::connect(url, 2).await);
    let wanted = [
        NodePresence { node: node_id(1), sockets: 10, heroes: 8 },
        NodePresence { node: node_id(2), sockets: 20, heroes: 16 },
    ];
    wait_until("both are there", async || {
        one.cache.set_presence(10, 8);
        two.cache.set_presence(20, 16);
        let mut nodes = one.cache.presence().await;
        nodes.sort();
        nodes == wanted
    })
    .await;
    let life: u64 = server.cli(&["TTL", "dh:{nodes}"]).trim().parse().unwrap();
    assert!((1..=15).contains(&life), "{life}");
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn presence_shows_who_is_there_and_is_bounded() {
    let server = Redis::start();
    let url = server.url();
    // Somebody's text under our name is replaced.
    server.cli(&["SET", "dh:{nodes}", "text"]);
    presence_shows_who_is_there(&server, &url).await;
    // Many nodes, some of them long gone.
    let fill = "for i = 1, 3000 do \
                redis.call('ZADD', KEYS[1], ARGV[1] + i, string.format('00000000-0000-0000-0001-%012d', i)) end";
    let soon = server.cli(&["TIME"]).lines().next().unwrap().trim().to_owned();
    server.cli(&["EVAL", fill, "1", "dh:{nodes}", &soon]);
    server.cli(&["ZADD", "dh:{nodes}", "1", "00000000-0000-0000-0002-000000000000"]);
    let node = Node::connect(&url, 3).await;
    node.cache.set_presence(1, 1);
    wait_until("it is cut", async || server.cli(&["ZCARD", "dh:{nodes}"]).trim() == NODES_MAX.to_string())
        .await;
    node.task.stop().await;
}

async fn counters_add_up_over_nodes_and_end(server: &Redis, url: &str) {
    let (one, two) = (Node::connect(url, 1).await, Node::connect(url, 2).await);
    let window = Duration::from_secs(900);
    let mut last = 0;
    for round in 0..10 {
        let node = if round % 2 == 0 { &one } else { &two };
        let Some(counted) = node.cache.count("guests 192.0.2.1", window).await else { continue };
        let count = counted.count;
        assert!((Duration::from_secs(800)..=window).contains(&counted.ends_in), "{counted:?}");
        assert!(count > last && count <= round + 1, "{count} after {last} in round {round}");
        last = count;
    }
    assert!(last > 5, "only {last} of 10 answered");
    assert_eq!(one.cache.count("guests 192.0.2.2", window).await.map_or(1, |it| it.count), 1);
    let keys = server.cli(&["KEYS", "dh:count:*"]);
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(!keys.contains("192"), "nobody reads addresses in Redis: {keys}");
    let short = Duration::from_millis(30);
    wait_until("a window ends", async || {
        let again = (one.cache.count("short", short).await, one.cache.count("short", short).await);
        sleep(short).await;
        again.1.is_some() && one.cache.count("short", short).await.is_some_and(|it| it.count == 1)
    })
    .await;
    one.task.stop().await;
    two.task.stop().await;
}

#[tokio::test]
async fn counters_add_up_over_nodes_and_end_with_their_window() {
    let server = Redis::start();
    let url = server.url();
    counters_add_up_over_nodes_and_end(&server, &url).await;
    // A counter that is no number, and one that would never end.
    let node = Node::connect(&url, 3).await;
    node.cache.count("x", Duration::from_secs(900)).await;
    let keys = server.cli(&["KEYS", "dh:count:*"]);
    for key in keys.lines() {
        server.cli(&["SET", key.trim(), "text"]);
    }
    assert_eq!(node.cache.count("x", Duration::from_secs(900)).await, None);
    wait_until("it counts again", async || {
        node.cache.count("x", Duration::from_secs(900)).await.is_some_and(|it| it.count < 9)
    })
    .await;
    for key in keys.lines() {
        server.cli(&["PERSIST", key.trim()]);
    }
    wait_until("it ends again", async || {
        node.cache.count("x", Duration::from_secs(900)).await;
        let life = |key: &str| server.cli(&["TTL", key.trim()]).trim().parse::<i64>().unwrap();
        keys.lines().any(|key| life(key) > 0)
    })
    .await;
    assert_eq!(node.lies()[0], Lie::Nonsense);
    node.task.stop().await;
}

#[tokio::test]
async fn a_cluster_does_the_same() {
    let server = Redis::start_with(true);
    // Two addresses make it a cluster; that they are the same one is no matter.
    let url = format!("{0},{0}", server.url());
    let node = Node::connect(&url, 1).await;
    node.keep(&snapshot(hero(1), 2, 200, b"state")).await;
    node.cache.put_snapshots(vec![snapshot(hero(1), 1, 900, b"older")]);
    node.keep(&snapshot(hero(2), 1, 1, b"after")).await;
    assert_eq!(node.cache.get_snapshot(hero(1)).await, Some(snapshot(hero(1), 2, 200, b"state")));
    node.task.stop().await;
    presence_shows_who_is_there(&server, &url).await;
    counters_add_up_over_nodes_and_end(&server, &url).await;
    hints_flow_again_after_a_restart(server, &url).await;
}

#[tokio::test]
async fn what_is_queued_at_the_end_still_leaves() {
    let server = Redis::start();
    let (mut one, two) = (Node::connect(&server.url(), 1).await, Node::connect(&server.url(), 2).await);
    for number in 0..50 {
        two.cache.released(hero(number), Epoch(1));
    }
    two.task.stop().await;
    assert!(!two.cache.is_up());
    for number in 0..50 {
        let released = Hint::Released { hero: hero(number), epoch: Epoch(1) };
        assert_eq!(timeout(PATIENCE, one.hints.recv()).await.unwrap(), Some(released));
    }
    one.task.stop().await;
}
