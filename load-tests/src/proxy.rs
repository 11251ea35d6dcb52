//! A TCP proxy that breaks what goes through it: delay, throttle, cut after n bytes, black hole. For the way between a
//! server and its database.
//!
//! Owns its connections and nothing else; knows no protocol. What it does is changed while it runs, and a connection
//! never goes on behind a hole: one that lost bytes is cut when the fault is healed.
//!
//! ```text
//! client ◀─▶ carry ── pump to the server ──▶ server
//!              └───── pump to the client ◀──┘        Handle ─faults, cuts▶ every carry
//! ```

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::stats::Count;

/// What is read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// What one direction of a connection holds back at most; when it is full, nothing more is read and the sender waits.
const HELD_BYTES_MAX: usize = 1024 * 1024;
/// Connections at the same time; one more is closed at once.
const CONNECTIONS_MAX: usize = 1_024;
/// A throttled direction sends so many pieces a second.
const PIECES_PER_SECOND: u64 = 50;

/// How a connection is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Reset: what a crashed machine's peer sees.
    #[default]
    Reset,
    /// An orderly end, in the middle of what was said.
    End,
}

/// Whether bytes go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They do.
    #[default]
    Open,
    /// They wait until the fault is healed, as when a cable is pulled and plugged in again.
    Held,
    /// They are taken and forgotten; the connection is cut when the fault is healed.
    Swallowed,
}

/// What is done to one direction of every connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// How much later each byte arrives.
    pub delay: Duration,
    /// Bytes a second.
    pub bytes_per_second: Option<u64>,
    /// Cut after so many more bytes, counted for each connection from its beginning or from when this was set.
    pub cut_after_bytes: Option<u64>,
    /// Whether bytes go through.
    pub flow: Flow,
}

/// What is done to every connection. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// From the client to the server.
    pub to_server: Direction,
    /// From the server to the client.
    pub to_client: Direction,
    /// How `cut_after_bytes` cuts.
    pub cut: Cut,
}

impl Faults {
    /// Nothing goes through in either direction; new connections are accepted and hear nothing.
    #[must_use]
    pub fn black_hole(flow: Flow) -> Self {
        let direction = Direction { flow, ..Direction::default() };
        Self { to_server: direction, to_client: direction, cut: Cut::default() }
    }
}

/// What went through.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: Count,
    /// Connections that the proxy cut.
    pub cut: Count,
    /// Bytes that were handed to the server.
    pub to_server_bytes: Count,
    /// Bytes that were handed to clients.
    pub to_client_bytes: Count,
}

/// A running proxy; its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
    faults: watch::Sender<Faults>,
    cuts: watch::Sender<Cut>,
    /// Aborts everything when it is dropped.
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and carries everything to `target`.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a proxy")?;
        let address = listener.local_addr()?;
        let (faults, _) = watch::channel(Faults::default());
        let (cuts, _) = watch::channel(Cut::default());
        let counts: Arc<Counts> = Arc::default();
        let mut tasks = JoinSet::new();
        let world =
            World { target, counts: Arc::clone(&counts), faults: faults.subscribe(), cuts: cuts.subscribe() };
        tasks.spawn(listen(listener, world));
        Ok(Self { address, counts, faults, cuts, _tasks: tasks })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went through.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Does this from now on to all connections, old and new.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// Does nothing any more. Connections that lost bytes are cut.
    pub fn heal(&self) {
        self.set(Faults::default());
    }

    /// Cuts every connection there is.
    pub fn cut_all(&self, cut: Cut) {
        self.cuts.send_replace(cut);
    }
}

#[derive(Clone)]
struct World {
    target: SocketAddr,
    counts: Arc<Counts>,
    faults: watch::Receiver<Faults>,
    cuts: watch::Receiver<Cut>,
}

async fn listen(listener: TcpListener, world: World) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if connections.len() < CONNECTIONS_MAX {
                    world.counts.connections.add(1);
                    connections.spawn(carry(client, world.clone()));
                }
            }
        }
    }
}

/// One connection to its end. An error of a socket ends it like a cut: the other side must not wait.
async fn carry(mut client: TcpStream, mut world: World) {
    // Only cuts from now on are meant.
    world.cuts.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(world.target).await else {
        let _gone_already = client.set_zero_linger();
        return;
    };
    for stream in [&client, &server] {
        let _gone_already = stream.set_nodelay(true);
    }
    let cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let counts = &world.counts;
        let ways = [
            Way { direction: |faults| faults.to_server, bytes: &counts.to_server_bytes },
            Way { direction: |faults| faults.to_client, bytes: &counts.to_client_bytes },
        ];
        let [up, down] = ways.map(|way| (way, world.faults.clone()));
        let both = async {
            tokio::try_join!(
                pump(from_client, to_server, up.0, up.1),
                pump(from_server, to_client, down.0, down.1)
            )
        };
        tokio::select! {
            biased;
            changed = world.cuts.changed() => changed.ok().map(|()| *world.cuts.borrow()),
            ended = both => ended.err(),
        }
    };
    if let Some(cut) = cut {
        world.counts.cut.add(1);
        if cut == Cut::Reset {
            for stream in [&client, &server] {
                let _gone_already = stream.set_zero_linger();
            }
        }
    }
}

/// Which direction a pump serves.
struct Way<'a> {
    direction: fn(&Faults) -> Direction,
    bytes: &'a Count,
}

/// Bytes on their way.
#[derive(Default)]
struct Held {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
}

impl Held {
    fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len();
        self.pieces.push_back((Instant::now(), piece.to_vec()));
    }

    /// The first bytes, at most so many.
    fn take(&mut self, most: usize) -> Vec<u8> {
        let Some((_, piece)) = self.pieces.front_mut() else { return Vec::new() };
        let rest = piece.split_off(most.min(piece.len()));
        let first = std::mem::replace(piece, rest);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        self.bytes -= first.len();
        first
    }
}

/// Carries one direction until its end (`Ok`) or a cut (`Err`).
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way<'_>,
    mut faults: watch::Receiver<Faults>,
) -> Result<(), Cut> {
    let mut held = Held::default();
    let (mut ended, mut lost) = (false, false);
    let (mut now, mut cut) = current(&mut faults, &way);
    let mut left = now.cut_after_bytes;
    let mut free_at = Instant::now();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        if left == Some(0) || (lost && now.flow == Flow::Open) {
            return Err(cut);
        }
        if now.flow == Flow::Swallowed {
            lost |= held.bytes > 0;
            held = Held::default();
        }
        if ended && held.pieces.is_empty() {
            // The other direction may go on.
            return to.shutdown().await.map_err(|_| cut);
        }
        let due = held.pieces.front().map(|(came, _)| free_at.max(*came + now.delay));
        tokio::select! {
            biased;
            changed = faults.changed() => {
                // Without a handle there is nobody who waits for anything.
                changed.map_err(|_| Cut::Reset)?;
                (now, cut) = current(&mut faults, &way);
                left = now.cut_after_bytes;
            }
            () = sleep_until(due.unwrap_or(free_at)), if due.is_some() && now.flow == Flow::Open => {
                let piece = held.take(piece_bytes_max(&now, left));
                to.write_all(&piece).await.map_err(|_| cut)?;
                let bytes = piece.len() as u64;
                way.bytes.add(bytes);
                left = left.map(|left| left - bytes);
                free_at = Instant::now() + now.bytes_per_second.map_or(Duration::ZERO, |rate| time_for(bytes, rate));
            }
            read = from.read(&mut buffer), if !ended && held.bytes < HELD_BYTES_MAX && now.flow != Flow::Held => {
                match read_bytes(read, &buffer).map_err(|_| cut)? {
                    [] => ended = true,
                    piece => held.push(piece),
                }
            }
        }
    }
}

fn current(faults: &mut watch::Receiver<Faults>, way: &Way<'_>) -> (Direction, Cut) {
    let faults = faults.borrow_and_update();
    ((way.direction)(&faults), faults.cut)
}

fn read_bytes(read: io::Result<usize>, buffer: &[u8]) -> io::Result<&[u8]> {
    read.map(|count| buffer.get(..count).unwrap_or_default())
}

/// The most that may go in one piece, so that a cut is exact to the byte and a throttle is smooth.
fn piece_bytes_max(direction: &Direction, left: Option<u64>) -> usize {
    let by_rate = direction.bytes_per_second.map_or(u64::MAX, |rate| (rate / PIECES_PER_SECOND).max(1));
    usize::try_from(by_rate.min(left.unwrap_or(u64::MAX))).unwrap_or(usize::MAX)
}

fn time_for(bytes: u64, per_second: u64) -> Duration {
    Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / per_second.max(1))
}

#[cfg(test)]
mod tests;
