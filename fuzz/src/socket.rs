//! All bytes that one device sends after the upgrade: its frames, its hello with a ticket, its commands.
//!
//! They go to the real connection of a real node, whose time is made up: nothing waits, and the same bytes do the same.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use game_server::accounts::Grant;
use game_server::clock::Clock;
use game_server::config::Config;
use game_server::connection;
use game_server::metrics::Metrics;
use game_server::node::{Identity, Node};
use game_server::store::Stores;
use persistence::{DeviceId, HeroId, MemoryStore};
use protocol::{close, codec};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use uuid::Uuid;

/// Stands for the ticket that this run gets: as long, and nothing that is ever drawn.
const PLACEHOLDER: &[u8; 43] = b"ticket-ticket-ticket-ticket-ticket-ticket-t";
/// Saturday, 2026-08-01, 10:00 UTC.
const BEGIN_MS: i64 = 1_785_578_400_000;
/// A node keeps every hero: after so many runs it is replaced by a new one.
const RUNS_MAX: u128 = 2_000;
/// A device that hears nothing for so long leaves. Longer than a tick and a flush.
const QUIET_MAX: Duration = Duration::from_secs(1);
/// A socket that outlives its device by so long was forgotten.
const END_WITHIN: Duration = Duration::from_secs(20);

struct Lab {
    runtime: Runtime,
    node: Arc<Node>,
    runs: u128,
}

thread_local! {
    static LAB: RefCell<Option<Lab>> = const { RefCell::new(None) };
}

impl Lab {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without I/O needs nothing that can be missing");
        let node = runtime.block_on(async {
            let config = Config::parse(|name| (name == "SHARDS").then(|| "1".to_owned()));
            let (_none_tx, outages) = watch::channel(Arc::default());
            let (node, shards) = Node::build(
                config.expect("it is valid"),
                Clock::fixed(BEGIN_MS),
                Arc::new(Metrics::new()),
                Stores::of(MemoryStore::new()),
                outages,
                Identity::alone(),
            );
            for shard in shards {
                tokio::spawn(shard.run());
            }
            node
        });
        Self { runtime, node, runs: 0 }
    }
}

/// Whatever comes, the connection ends, what it says can be read, and nobody is welcomed without a ticket.
pub fn check(bytes: &[u8]) {
    LAB.with_borrow_mut(|lab| {
        let lab = match lab {
            Some(full) if full.runs >= RUNS_MAX => lab.insert(Lab::new()),
            lab => lab.get_or_insert_with(Lab::new),
        };
        lab.runs += 1;
        let hero = HeroId(Uuid::from_u128(lab.runs));
        lab.runtime.block_on(run(&lab.node, hero, bytes));
    });
}

async fn run(node: &Arc<Node>, hero: HeroId, bytes: &[u8]) {
    let grant = Grant { hero, device: DeviceId(Uuid::nil()) };
    let ticket = node.tickets.issue(grant, node.clock.now_ms());
    let mut bytes = bytes.to_vec();
    let place = bytes.windows(PLACEHOLDER.len()).position(|window| window == PLACEHOLDER);
    if let Some(place) = place {
        bytes.splice(place..place + PLACEHOLDER.len(), ticket.expose().bytes());
    }
    let (ours, theirs) = tokio::io::duplex(1024 * 1024);
    let room = node.admission.enter([127, 0, 0, 1].into()).expect("there is room for one");
    let serving = tokio::spawn(connection::serve(theirs, room, Arc::clone(node)));
    let is_welcome = play(ours, &bytes, serving).await;
    assert!(!is_welcome || place.is_some(), "welcomed without a ticket");
    assert!(!is_welcome || node.tickets.redeem(ticket.expose(), node.clock.now_ms()).is_none(), "twice");
    assert_eq!(node.admission.open(), 0);
    assert_eq!(node.directory.connections(), 0);
    // Unused tickets must not pile up over the runs.
    node.tickets.redeem(ticket.expose(), node.clock.now_ms());
}

/// Sends everything, hears everything; whether there was a welcome.
async fn play(mut ours: DuplexStream, bytes: &[u8], serving: JoinHandle<()>) -> bool {
    // A server that has heard enough may be gone already.
    let _gone = ours.write_all(bytes).await;
    let mut client = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
    let mut is_welcome = false;
    while let Ok(Some(Ok(message))) = timeout(QUIET_MAX, client.next()).await {
        match message {
            Message::Binary(frame) => {
                let message = codec::decode_server(&frame).expect("what the server says can be read");
                is_welcome |= matches!(message, protocol::server::ServerMessage::Welcome(_));
            }
            Message::Close(Some(frame)) => {
                let code = u16::from(frame.code);
                let is_ours = close::ALL.iter().any(|close| close.code == code);
                // An answer repeats the code of the client's own close.
                assert!(is_ours || bytes.windows(2).any(|pair| pair.first().is_some()), "{code}");
            }
            Message::Text(_) | Message::Frame(_) => panic!("a player's socket speaks binary: {message:?}"),
            Message::Ping(_) | Message::Pong(_) | Message::Close(None) => {}
        }
    }
    drop(client);
    timeout(END_WITHIN, serving).await.expect("the socket's task ends").expect("and does not panic");
    is_welcome
}
