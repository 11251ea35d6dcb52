//! The cache: what Redis may know, and nothing of it is truth (D16).
//!
//! It owns the connection to Redis, the queue of what is written there, and the subscriptions. It never says "saved",
//! never returns an error, never makes anybody wait longer than 50 ms, and nothing it says is believed without the
//! database: Redis that is empty, absent, slow, full, restored from an old copy or lying costs time and nothing else.
//!
//! ```text
//! shard, connection ──put, set, hint──▶ queue (bounded) ──▶ actor ──one at a time──▶ Redis
//! loader, routes ────get, count──────────────── 50 ms ─────────────────────────────▶ Redis
//! listener ◀──hints (bounded)── connection's task ◀──────────────── messages ─────── Redis
//! actor ──probe: a new connection with its subscriptions──▶ Redis, when the breaker says so
//! ```
//!
//! | what | under | lives |
//! |---|---|---|
//! | hot snapshot of a hero | `dh:hot:HERO` | 1 h |
//! | where a hero is played | `dh:at:HERO` | 60 s |
//! | a node is there | `dh:{nodes}`, `dh:{nodes}:NODE` | 15 s |
//! | soft counter | `dh:count:PSEUDONYM` | its window |
//! | hints | channels `dh:node:NODE`, `dh:advanced` | the moment |
//!
//! Everything but counters is sealed: see `seal.rs`. Of two values of one hero the one with the larger (epoch, seq)
//! stays, so that a slow old owner does not write over a newer one.

mod breaker;
mod fact;
mod link;
mod seal;
mod shared;
mod value;

use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, Value, cmd};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use uuid::Uuid;

pub use fact::{CacheFact, Call, Lie, Outcome};
pub use link::{BadRedisUrl, RedisUrl};
use link::{CONNECT_WAIT, Link};
use shared::Shared;
pub use value::{ADVANCED_HEROES_MAX, Counted, HOT_STATE_BYTES_MAX, Hint, NodePresence, Whereabouts};
use value::{SMALL_BYTES_MAX, SNAPSHOT_BYTES_MAX};

use crate::record::{Epoch, HeroId, NodeId, Seq, SnapshotRecord};

/// Longest wait for an answer: what is not there by then is not there.
pub const CALL_WAIT: Duration = Duration::from_millis(50);
/// Writes and hints that wait. Full: the new one is dropped and told; a lost one costs time.
pub const QUEUE_MAX: usize = 4_096;
/// Bytes that wait, mostly states of hot snapshots. Full: as above.
pub const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Hints that came and were not read yet. Full: the new one is dropped and told.
pub const HINTS_MAX: usize = 1_024;
/// Most nodes that [`Cache::presence`] lists: those that spoke last.
pub const NODES_MAX: usize = 1_000;
/// Longest name of a counter, in bytes; a longer one is cut, which only makes it count for more.
pub const COUNTER_BYTES_MAX: usize = 256;
/// How long a hot snapshot stays.
const HOT_LIFE: Duration = Duration::from_secs(60 * 60);
/// How long it is known where a hero is played; who plays it says so again before.
pub const AT_LIFE: Duration = Duration::from_secs(60);
/// How long a node counts as there after it spoke.
pub const PRESENCE_LIFE: Duration = Duration::from_secs(15);
/// What is still in the queue when the cache is stopped has so long to leave.
const STOP_WAIT: Duration = Duration::from_millis(500);
/// What an operation takes in the queue beside a state.
const OP_BYTES: usize = 64;

/// Writes a sealed value unless a newer one is there. Whatever else is there is no value of ours and is replaced.
const PUT: &str = "
local old = redis.pcall('GETRANGE', KEYS[1], 0, 39)
if type(old) == 'string' and #old == 40 and not string.find(old, '%D') and old > string.sub(ARGV[1], 1, 40) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1";

/// Raises a counter and sees to its end, in one round trip.
const COUNT: &str = "
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > tonumber(ARGV[1]) then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}";

/// Says that a node is there, by the clock of Redis, and forgets those that are gone.
const PRESENT: &str = "
local now = tonumber(redis.call('TIME')[1])
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1";

/// Settings of a cache.
#[derive(Clone)]
pub struct CacheConfig {
    /// Which node this is.
    pub node: NodeId,
    /// Seals every value; the same on all nodes, and not in Redis.
    pub key: [u8; 32],
    /// Seeds the jitter of the breaker.
    pub seed: u64,
    /// Hears what happens, for metrics and the log. It runs on whatever task made the call: it must be quick.
    pub on_fact: Arc<dyn Fn(CacheFact) + Send + Sync>,
}

impl std::fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheConfig")
            .field("node", &self.node)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The handle: cheap to clone. No method returns an error; what Redis does not say in time it does not say.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("is_up", &self.is_up()).finish_non_exhaustive()
    }
}

impl Cache {
    /// Starts the cache's task; call it inside a runtime. It connects in the background: until then, and whenever Redis
    /// is away, every method answers at once with nothing.
    #[must_use]
    pub fn start(url: RedisUrl, config: &CacheConfig) -> (Self, CacheTask) {
        let (cache, queue) = Self::new(config);
        let (stop, stopped) = oneshot::channel();
        let actor = Actor { url, shared: Arc::clone(&cache.shared), queue };
        (cache, CacheTask { stop, task: tokio::spawn(actor.run(stopped)) })
    }

    /// The cache of a server without Redis: it never knows anything.
    #[must_use]
    pub fn none() -> Self {
        let node = NodeId(Uuid::nil());
        Self::new(&CacheConfig { node, key: [0; 32], seed: 0, on_fact: Arc::new(|_| ()) }).0
    }

    fn new(config: &CacheConfig) -> (Self, mpsc::Receiver<Item>) {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
        (Self { shared: Arc::new(Shared::new(config)), queue, room }, receiver)
    }

    /// Whether Redis is connected and answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.shared.is_up()
    }

    /// Keeps states where the next owner finds them quickly. Each is written unless a newer one is there.
    pub fn put_snapshots(&self, snapshots: Vec<SnapshotRecord>) {
        for snapshot in snapshots {
            if snapshot.state.len() > HOT_STATE_BYTES_MAX {
                self.shared.tell(Call::PutSnapshot, Outcome::Full);
            } else {
                self.enqueue(Op::Snapshot(snapshot));
            }
        }
    }

    /// A hero's last known state, of any age: whoever loads it compares it with the database.
    pub async fn get_snapshot(&self, hero: HeroId) -> Option<SnapshotRecord> {
        let key = value::hot(hero);
        let range = get_range(&key, SNAPSHOT_BYTES_MAX);
        let decode = |value| {
            self.unseal(&key, value, SNAPSHOT_BYTES_MAX, |opened| value::decode_snapshot(hero, opened))
        };
        let answer = self.shared.ask(Call::GetSnapshot, |_| range, decode).await;
        self.believe(answer, key)
    }

    /// Says how many devices play this hero here. Say it again before [`AT_LIFE`] is over, and when the last one left.
    pub fn set_at(&self, hero: HeroId, epoch: Epoch, devices: u32) {
        self.enqueue(Op::At { hero, epoch, devices });
    }

    /// Where else this hero is played; `None` when nobody said so.
    pub async fn devices_elsewhere(&self, hero: HeroId) -> Option<Whereabouts> {
        let key = value::at(hero);
        let range = get_range(&key, SMALL_BYTES_MAX);
        let decode = |value| self.unseal(&key, value, SMALL_BYTES_MAX, value::decode_at);
        let answer = self.shared.ask(Call::GetAt, |_| range, decode).await;
        self.believe(answer, key).filter(|it| it.node != self.shared.me && it.devices > 0)
    }

    /// Says that this node is there. Say it every 5 s: it is also how a connection that died silently is noticed.
    pub fn set_presence(&self, sockets: u64, heroes: u64) {
        self.enqueue(Op::Presence { sockets, heroes });
    }

    /// The nodes that are there, at most [`NODES_MAX`], for the operators' overview.
    pub async fn presence(&self) -> Vec<NodePresence> {
        self.try_presence().await.unwrap_or_default()
    }

    async fn try_presence(&self) -> Option<Vec<NodePresence>> {
        let newest = cmd("ZREVRANGE").arg(value::NODES).arg(0).arg(NODES_MAX - 1).to_owned();
        let nodes = self.shared.ask(Call::GetPresence, |_| newest, decode_nodes).await.ok()??;
        let keys: Vec<String> = nodes.iter().map(|node| value::presence(*node)).collect();
        let mget = cmd("MGET").arg(&keys).to_owned();
        let decode = |values| {
            let Value::Array(values) = values else { return Err(Lie::Nonsense) };
            let mut found = Vec::with_capacity(nodes.len());
            for ((node, key), value) in nodes.iter().zip(&keys).zip(values) {
                found.extend(
                    self.unseal(key, value, SMALL_BYTES_MAX, |opened| value::decode_presence(*node, opened))?,
                );
            }
            Ok(Some(found))
        };
        self.shared.ask(Call::GetPresence, |_| mget, decode).await.ok()?
    }

    /// Counts one more of `key`, over all nodes, in a window that begins with the first; how many that makes. `None`
    /// when Redis does not say: then the caller's own count must do.
    pub async fn count(&self, key: &str, window: Duration) -> Option<Counted> {
        let key = key.get(..key.floor_char_boundary(COUNTER_BYTES_MAX)).unwrap_or(key);
        let key = value::counter(&self.shared.sealer.pseudonym(key));
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
        let eval = cmd("EVAL").arg(COUNT).arg(1).arg(&key).arg(window_ms).to_owned();
        let answer = self.shared.ask(Call::Count, |_| eval, decode_counted).await;
        self.believe(answer, key)
    }

    /// Asks the owner of a hero to give it back, because its player is here.
    pub fn want(&self, hero: HeroId, owner: NodeId) {
        let hint = Hint::Wanted { hero, by: self.shared.me };
        self.enqueue(Op::Hint { channel: value::node_channel(owner), hint });
    }

    /// Tells everybody that these heroes have new events in the database.
    pub fn advanced(&self, heroes: &[(HeroId, Epoch, Seq)]) {
        for heroes in heroes.chunks(ADVANCED_HEROES_MAX) {
            let hint = Hint::Advanced { heroes: heroes.to_vec() };
            self.enqueue(Op::Hint { channel: value::EVERYBODY.to_owned(), hint });
        }
    }

    /// Tells everybody that a hero has no owner now.
    pub fn released(&self, hero: HeroId, epoch: Epoch) {
        let hint = Hint::Released { hero, epoch };
        self.enqueue(Op::Hint { channel: value::EVERYBODY.to_owned(), hint });
    }

    /// The hints of other nodes from now on, at most [`HINTS_MAX`] unread ones. There is one listener: a second call
    /// takes them from the first. A lost hint only costs time, so poll the database as well.
    #[must_use]
    pub fn hints(&self) -> mpsc::Receiver<Hint> {
        let (sender, receiver) = mpsc::channel(HINTS_MAX);
        *self.shared.hints.lock().expect("no code panics while it holds this lock") = Some(sender);
        receiver
    }

    fn enqueue(&self, op: Op) {
        let call = op.call();
        if !self.is_up() {
            return self.shared.tell(call, Outcome::Away);
        }
        let bytes = u32::try_from(op.bytes()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        let is_sent = room.is_ok_and(|room| self.queue.try_send(Item { op, _room: room }).is_ok());
        if !is_sent {
            self.shared.tell(call, Outcome::Full);
        }
    }

    /// What stands under `key`, checked: nothing, or ours, or a lie.
    fn unseal<T>(
        &self,
        key: &str,
        value: Value,
        bytes_max: usize,
        decode: impl FnOnce(&seal::Opened<'_>) -> Result<T, Lie>,
    ) -> Result<Option<T>, Lie> {
        let value = match value {
            Value::Nil => return Ok(None),
            Value::BulkString(value) if value.is_empty() => return Ok(None),
            Value::BulkString(value) => value,
            _ => return Err(Lie::Nonsense),
        };
        if value.len() > bytes_max {
            return Err(Lie::TooLarge);
        }
        decode(&self.shared.sealer.open(key, &value)?).map(Some)
    }

    /// What was found, if anything. What lied is deleted, so that the next value of ours finds its place free.
    fn believe<T>(&self, answer: Result<Option<T>, Outcome>, key: String) -> Option<T> {
        match answer {
            Ok(found) => found,
            Err(outcome) => {
                if matches!(outcome, Outcome::Lied(_)) {
                    self.enqueue(Op::Forget(key));
                }
                None
            }
        }
    }
}

/// Reads a value, but not more of it than the largest of ours and a byte: what is there may be anything.
fn get_range(key: &str, bytes_max: usize) -> Cmd {
    cmd("GETRANGE").arg(key).arg(0).arg(bytes_max).to_owned()
}

fn decode_nodes(value: Value) -> Result<Option<Vec<NodeId>>, Lie> {
    let Value::Array(members) = value else { return Err(Lie::Nonsense) };
    if members.len() > NODES_MAX {
        return Err(Lie::TooLarge);
    }
    let node = |member: &Value| match member {
        Value::BulkString(text) => Uuid::try_parse_ascii(text).map(NodeId).map_err(|_| Lie::Nonsense),
        _ => Err(Lie::Nonsense),
    };
    let nodes = members.iter().map(node).collect::<Result<Vec<_>, _>>()?;
    // No node is an empty list, and an empty list of keys is no command.
    Ok((!nodes.is_empty()).then_some(nodes))
}

fn decode_counted(value: Value) -> Result<Option<Counted>, Lie> {
    let Value::Array(numbers) = value else { return Err(Lie::Nonsense) };
    let [Value::Int(count), Value::Int(left_ms)] = numbers.as_slice() else { return Err(Lie::Nonsense) };
    let (Ok(count), Ok(left_ms)) = (u64::try_from(*count), u64::try_from(*left_ms)) else {
        return Err(Lie::Nonsense);
    };
    Ok(Some(Counted { count, ends_in: Duration::from_millis(left_ms) }))
}

/// What waits in the queue, with the room it takes there.
struct Item {
    op: Op,
    _room: OwnedSemaphorePermit,
}

enum Op {
    Snapshot(SnapshotRecord),
    At { hero: HeroId, epoch: Epoch, devices: u32 },
    Presence { sockets: u64, heroes: u64 },
    Hint { channel: String, hint: Hint },
    Forget(String),
}

impl Op {
    fn call(&self) -> Call {
        match self {
            Self::Snapshot(_) => Call::PutSnapshot,
            Self::At { .. } => Call::PutAt,
            Self::Presence { .. } => Call::PutPresence,
            Self::Hint { .. } => Call::SendHint,
            Self::Forget(_) => Call::Forget,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Snapshot(snapshot) => OP_BYTES + snapshot.state.len(),
            Self::Hint { hint: Hint::Advanced { heroes }, .. } => OP_BYTES + size_of_val(heroes.as_slice()),
            _ => OP_BYTES,
        }
    }
}

/// A cache that runs.
#[derive(Debug)]
pub struct CacheTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl CacheTask {
    /// Sends what is in the queue, within half a second, and hangs up. Handles answer with nothing from then on.
    pub async fn stop(self) {
        // Fails only when the task is gone, and then there is nothing to stop.
        let _gone = self.stop.send(());
        if let Err(error) = self.task.await {
            assert!(!error.is_panic(), "the cache's task has no reason to panic: {error}");
        }
    }
}

/// Connects, and writes what is in the queue, one by one: a later word about a hero must not overtake an earlier one.
struct Actor {
    url: RedisUrl,
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Item>,
}

impl Actor {
    async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            biased;
            // Also when whoever could stop it is gone.
            _ = stopped => {}
            () = self.work() => {}
        }
        self.queue.close();
        let rest = async {
            while let Some(item) = self.queue.recv().await {
                self.carry_out(item.op).await;
            }
        };
        // What is late now was only a hint.
        let _late = timeout(STOP_WAIT, rest).await;
        self.shared.hang_up();
    }

    /// Until every handle is gone.
    async fn work(&mut self) {
        loop {
            let probe_at = self.shared.probe_at();
            tokio::select! {
                biased;
                () = self.shared.opened.notified() => {}
                () = until(probe_at) => self.probe().await,
                item = self.queue.recv() => match item {
                    Some(item) => self.carry_out(item.op).await,
                    None => return,
                },
            }
        }
    }

    async fn probe(&self) {
        let on_push = shared::listener(Arc::downgrade(&self.shared), self.shared.connecting());
        let made = timeout(CONNECT_WAIT, Link::connect(&self.url, self.shared.me, on_push)).await;
        self.shared.connected(match made {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_elapsed) => Err(format!("no connection within {} s", CONNECT_WAIT.as_secs())),
        });
    }

    async fn carry_out(&self, op: Op) {
        let call = op.call();
        // However it ends, it is told.
        let _told = self.shared.ask(call, |link| self.command(link, op), |_| Ok(Some(()))).await;
    }

    fn command(&self, link: &Link, op: Op) -> Cmd {
        let (me, sealer) = (self.shared.me, &self.shared.sealer);
        match op {
            Op::Snapshot(record) => {
                let (key, body) = (value::hot(record.hero), value::encode_snapshot(&record));
                put(&key, &sealer.seal(&key, record.epoch, record.seq, &body), HOT_LIFE)
            }
            Op::At { hero, epoch, devices } => {
                let (key, body) = (value::at(hero), value::encode_at(me, devices));
                put(&key, &sealer.seal(&key, epoch, Seq(0), &body), AT_LIFE)
            }
            Op::Presence { sockets, heroes } => {
                let (key, body) = (value::presence(me), value::encode_presence(sockets, heroes));
                let sealed = sealer.seal(&key, Epoch(0), Seq(0), &body);
                let mut eval = cmd("EVAL");
                eval.arg(PRESENT).arg(2).arg(value::NODES).arg(key);
                eval.arg(me.0.to_string()).arg(sealed).arg(PRESENCE_LIFE.as_secs()).arg(NODES_MAX);
                eval
            }
            Op::Hint { channel, hint } => {
                let body = value::encode_hint(me, hint);
                link.publish(&channel, &sealer.seal(&channel, Epoch(0), Seq(0), &body))
            }
            Op::Forget(key) => cmd("DEL").arg(key).to_owned(),
        }
    }
}

fn put(key: &str, sealed: &[u8], life: Duration) -> Cmd {
    cmd("EVAL").arg(PUT).arg(1).arg(key).arg(sealed).arg(life.as_secs()).to_owned()
}

async fn until(instant: Option<tokio::time::Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
