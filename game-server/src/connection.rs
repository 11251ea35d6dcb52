//! One socket of one device, one task.
//!
//! Owns the WebSocket and its limits. Knows no rule of the game and no database; decides nothing about a hero but whose it
//! is, and that comes from the ticket, never from the client.
//!
//! ```text
//! socket ─frame▶ connection ─Request▶ shard
//!    ▲               │ rejected, pong    │ welcome, durable, events, progress
//!    └───────────────┴── outbox ◀────────┘
//! ```

use std::{io::ErrorKind, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use persistence::HeroId;
use protocol::{
    close,
    code::RejectCode,
    codec, limit,
    server::{Pong, ServerMessage},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{
    Error as SocketError, Message, error::CapacityError, protocol::CloseFrame,
};
use tracing::Instrument;

use crate::{
    admission::Place,
    convert,
    fragments::TooManyFragments,
    metrics::RejectionCode,
    node::Node,
    outbox::{Closing, Outbox},
    rate::{Limiter, Verdict},
    refusal,
    shard::Request,
    socket::{self, Limits, Socket, next_message},
    telemetry::{Received, Way},
};

/// A socket that has not said a valid hello by then is closed with 4001.
const HELLO_WITHIN: Duration = Duration::from_millis(limit::HELLO_WITHIN_MS as u64);
/// Pings and pongs of the WebSocket before hello; more close it with 4001, because no bucket counts them yet.
const CONTROLS_BEFORE_HELLO_MAX: u32 = 8;
/// How often the server pings.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A socket that has sent nothing, not even a pong, for so long is closed: the phone is in a tunnel.
const SILENT_MAX: Duration = Duration::from_secs(25);
/// A socket that takes nothing for so long is closed with 1013.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// How long the other side may take to answer our close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// A socket older than this is asked to come back, so that a stolen one does not live for ever.
const AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// Serves a socket from the answered upgrade to its end.
pub fn serve<S>(stream: S, place: Place, node: Arc<Node>) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // What is needed only at the beginning, only at the end, or only for a moment is in a box of its own: a task is as large
    // as its largest moment for as long as the socket is open. It also keeps room for what it was called with, so it begins
    // with a box, and what is reached through the connection is not kept beside it.
    let greeted = Box::pin(greet(stream, place, Arc::clone(&node)));
    async move {
        let Some((socket, place, Opened { hero, request, outbox })) = greeted.await else { return };
        let entered = node.directory.enter(hero, Arc::clone(&outbox));
        let mut connection = Connection { socket, session: Session::new(&node, hero, outbox), node };
        if connection.node.shard(hero).try_send(request).is_err() {
            let closing = Closing { code: close::OVERLOAD, reason: "too busy for another player right now" };
            return Box::pin(farewell(&mut connection.socket, &closing)).await;
        }
        let connection_id = connection.session.outbox.connection_id;
        let span = tracing::debug_span!("socket", connection_id, %hero);
        let running = async {
            tracing::debug!(client = %place.client(), "connected");
            let ran = AssertUnwindSafe(connection.run()).catch_unwind().await;
            let ending = ran.unwrap_or_else(|_panic| {
                // The panic itself is in the log already, without whose it is.
                let Session { hero, outbox, .. } = &connection.session;
                tracing::error!(outbox.connection_id, %hero, "a connection panicked and is closed");
                Ending::Ours(Closing { code: close::INTERNAL, reason: "a mistake of ours, please come back" })
            });
            tracing::debug!(reason = ending.reason(), "disconnected");
            ending
        };
        let ending = running.instrument(span).await;
        let Connection { socket, session: Session { hero, outbox, .. }, node } = &mut connection;
        if outbox.overflowed() || matches!(ending, Ending::Stuck) {
            node.metrics.slow_clients_closed_total.increment();
        }
        drop(entered);
        Box::pin(node.shard(*hero).detach(*hero, outbox.connection_id)).await;
        match ending {
            Ending::Ours(closing) => Box::pin(farewell(socket, &closing)).await,
            Ending::Theirs => Box::pin(answer_close(socket)).await,
            // Nothing more can be written.
            Ending::Gone | Ending::Stuck => {}
        }
    }
}

/// Opens the socket and waits for a valid hello; closes it when none comes.
async fn greet<S>(stream: S, mut place: Place, node: Arc<Node>) -> Option<(Socket<S>, Place, Opened)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = socket::open(stream, Limits::PLAYER).await;
    let greeted = tokio::select! {
        biased;
        greeted = timeout(HELLO_WITHIN, hello(&mut socket, &node)) => greeted,
        () = place.evicted() => {
            // Not a second for whoever has said nothing: there are many of them.
            let closing = Closing { code: close::OVERLOAD, reason: "others wait; say hello at once" };
            let _gone = timeout(CLOSE_WITHIN, socket.close(Some(close_frame(&closing)))).await;
            return None;
        }
    };
    let closing = match greeted {
        Ok(Ok(opened)) => {
            place.authenticated();
            return Some((socket, place, opened));
        }
        Ok(Err(closing)) => closing,
        Err(_late) => Closing { code: close::UNAUTHENTICATED, reason: "no hello within 3 s" },
    };
    farewell(&mut socket, &closing).await;
    None
}

struct Opened {
    hero: HeroId,
    request: Request,
    outbox: Arc<Outbox>,
}

/// Reads the first frame and turns its ticket into a hero.
async fn hello<S>(socket: &mut Socket<S>, node: &Node) -> Result<Opened, Closing>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let refused = |reason| Closing { code: close::UNAUTHENTICATED, reason };
    let mut controls = 0;
    let frame = loop {
        match socket.next().await {
            Some(Ok(Message::Binary(frame))) => break frame,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) if controls < CONTROLS_BEFORE_HELLO_MAX => {
                controls += 1;
            }
            _ => return Err(refused("the first frame must be a binary hello")),
        }
    };
    if frame.len() > limit::HELLO_FRAME_BYTES_MAX {
        return Err(refused("a hello is at most 1 KiB"));
    }
    let Ok(protocol::client::ClientMessage::Hello(hello)) = codec::decode_client(&frame) else {
        return Err(refused("the first frame must be a valid hello"));
    };
    let Some(grant) = node.tickets.redeem(&hello.ticket, node.clock.now_ms()) else {
        return Err(refused("the ticket is unknown, used or older than 30 s: get a new one"));
    };
    if !(1..=limit::INTEGER_MAX).contains(&hello.stream_id) {
        return Err(refused("stream_id must be 1 to 2^53 - 1"));
    }
    let outbox = Arc::new(Outbox::to_device(node.next_connection_id(), grant.device, node.clock.now_ms()));
    let request = Request::Attach {
        hero: grant.hero,
        stream_id: hello.stream_id,
        last_seq: hello.last_seq,
        time_zone: hello.time_zone,
        outbox: Arc::clone(&outbox),
    };
    Ok(Opened { hero: grant.hero, request, outbox })
}

/// How a connection ended.
enum Ending {
    /// We close, with these words.
    Ours(Closing),
    /// The other side says that it closes.
    Theirs,
    /// It is gone, or sends what is no WebSocket.
    Gone,
    /// The other side takes no bytes.
    Stuck,
}

impl Ending {
    fn reason(&self) -> &'static str {
        match self {
            Self::Ours(closing) => closing.reason,
            Self::Theirs => "left",
            Self::Gone => "is gone",
            Self::Stuck => "takes no bytes",
        }
    }
}

struct Connection<S> {
    socket: Socket<S>,
    session: Session,
    node: Arc<Node>,
}

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn run(&mut self) -> Ending {
        let opened = Instant::now();
        let (mut heard, mut ping_at) = (opened, opened + PING_EVERY);
        // Set anew only when it is over: what it waits for moves away with every frame, and to set it costs a lock.
        let mut look = pin!(sleep_until(ping_at));
        loop {
            // Before the frames: a client that floods is asked whether it is there, and has its age, all the same.
            let now = Instant::now();
            if now >= ping_at {
                ping_at = now + PING_EVERY;
                if now - opened > AGE_MAX {
                    self.session.outbox.send_away(0, "12 hours old, please come back");
                } else if let Err(ending) = Box::pin(self.write([Message::Ping(Bytes::new())])).await {
                    return ending;
                }
            }
            // What a client can flood comes last.
            tokio::select! {
                biased;
                () = self.session.outbox.something() => {
                    let (frames, closing) = self.session.outbox.take();
                    if let Err(ending) = Box::pin(self.write(frames.into_iter().map(Message::Binary))).await {
                        return ending;
                    }
                    if let Some(closing) = closing {
                        return Ending::Ours(closing);
                    }
                }
                frame = next_message(&mut self.socket) => {
                    heard = Instant::now();
                    let closing = match frame {
                        Some(Ok(Message::Binary(frame))) => self.session.frame(&self.node, &frame, heard),
                        Some(Ok(Message::Ping(bytes) | Message::Pong(bytes))) => {
                            self.session.control(bytes.len(), heard)
                        }
                        Some(Ok(Message::Frame(_))) => None,
                        Some(Ok(Message::Text(_))) => {
                            Some(Closing { code: close::UNSUPPORTED_DATA, reason: "binary frames only" })
                        }
                        Some(Err(SocketError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                            Some(Closing { code: close::TOO_BIG, reason: "a frame is at most 8 KiB" })
                        }
                        Some(Err(SocketError::Io(error))) if is_too_many_fragments(&error) => {
                            Some(Closing { code: close::TOO_BIG, reason: "a message has at most 16 fragments" })
                        }
                        Some(Err(SocketError::Io(error))) if error.kind() == ErrorKind::TimedOut => {
                            Some(Closing { code: close::GOING_AWAY, reason: "a message took over 5 s" })
                        }
                        Some(Ok(Message::Close(_))) => return Ending::Theirs,
                        Some(Err(_)) | None => return Ending::Gone,
                    };
                    if let Some(closing) = closing {
                        return Ending::Ours(closing);
                    }
                }
                // After the frames: one that came while we were writing was heard in time.
                () = look.as_mut() => {
                    if heard.elapsed() >= SILENT_MAX {
                        let reason = "nothing heard for 25 s";
                        return Ending::Ours(Closing { code: close::GOING_AWAY, reason });
                    }
                    look.as_mut().reset(ping_at.min(heard + SILENT_MAX));
                }
            }
        }
    }

    /// Writes all frames with one flush, or gives up on a reader that takes nothing.
    async fn write(&mut self, frames: impl IntoIterator<Item = Message>) -> Result<(), Ending> {
        let writing = async {
            for frame in frames {
                socket::feed(&mut self.socket, frame).await?;
            }
            self.socket.flush().await
        };
        match timeout(WRITE_WITHIN, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(Ending::Gone),
            Err(_late) => Err(Ending::Stuck),
        }
    }
}

/// What a connection remembers between frames. Synchronous, so that it is tested as a function.
struct Session {
    hero: HeroId,
    outbox: Arc<Outbox>,
    limiter: Limiter,
}

impl Session {
    fn new(node: &Node, hero: HeroId, outbox: Arc<Outbox>) -> Self {
        Self { hero, outbox, limiter: node.rates.limiter(hero, Instant::now()) }
    }

    /// Handles one binary frame. Says whether and why to close.
    fn frame(&mut self, node: &Node, frame: &[u8], now: Instant) -> Option<Closing> {
        use protocol::client::ClientMessage;

        let message = match codec::decode_client(frame) {
            Ok(message) => message,
            Err(error) => return self.undecodable(node, &error, frame.len(), now),
        };
        let verdict = match &message {
            ClientMessage::Command(_) => self.limiter.command(frame.len(), now),
            ClientMessage::Ping(_) => self.limiter.ping(frame.len(), now),
            ClientMessage::Hello(_) => self.limiter.message(frame.len(), now),
        };
        let cmd_seq =
            if let ClientMessage::Command(command) = &message { Some(command.cmd_seq) } else { None };
        match verdict {
            Verdict::Pass => {}
            Verdict::Wait { retry_after } => {
                self.reject(node, refusal::rate(cmd_seq, retry_after));
                return None;
            }
            Verdict::Close => return Some(Closing { code: close::RATE, reason: "too many messages" }),
        }
        match message {
            ClientMessage::Ping(ping) => {
                let pong = Pong { client_ms: ping.client_ms, server_now_ms: node.clock.now_ms() };
                self.outbox.push(codec::encode_server(&ServerMessage::Pong(pong)));
            }
            ClientMessage::Hello(_) => self.reject(node, RejectCode::HelloRepeated.rejected(None, None)),
            ClientMessage::Command(command) => self.command(node, command, now),
        }
        None
    }

    /// A ping or pong of the WebSocket itself. The library answers it; it costs like any message.
    fn control(&mut self, bytes: usize, now: Instant) -> Option<Closing> {
        let is_flood = matches!(self.limiter.message(bytes, now), Verdict::Close);
        is_flood.then_some(Closing { code: close::RATE, reason: "too many messages" })
    }

    fn command(&mut self, node: &Node, frame: protocol::client::CommandFrame, now: Instant) {
        let cmd_seq = frame.cmd_seq;
        let way = node.traces.begin(self.hero, self.outbox.connection_id, cmd_seq);
        let mut received = Received { at: now, way };
        let command = match convert::command(frame.body) {
            Ok(command) => command,
            Err(rejection) => return self.reject(node, convert::rejected(cmd_seq, &rejection)),
        };
        received.on_way(Way::handed_over);
        let request = Request::Command {
            hero: self.hero,
            connection_id: self.outbox.connection_id,
            cmd_seq,
            command: Box::new(command),
            received,
        };
        if node.shard(self.hero).try_send(request).is_err() {
            self.reject(node, refusal::busy(Some(cmd_seq)));
        }
    }

    fn undecodable(
        &mut self,
        node: &Node,
        error: &codec::DecodeError,
        bytes: usize,
        now: Instant,
    ) -> Option<Closing> {
        if let Some(code) = error.close_code() {
            return Some(Closing { code, reason: error.code() });
        }
        if matches!(self.limiter.message(bytes, now), Verdict::Close) {
            return Some(Closing { code: close::RATE, reason: "too many messages" });
        }
        self.reject(node, error.rejected());
        None
    }

    fn reject(&self, node: &Node, rejected: protocol::server::Rejected) {
        node.metrics.rejected_total.of(RejectionCode::of(&rejected.code)).increment();
        self.outbox.push(codec::encode_server(&ServerMessage::Rejected(rejected)));
    }
}

fn is_too_many_fragments(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooManyFragments>())
}

fn close_frame(closing: &Closing) -> CloseFrame {
    CloseFrame { code: closing.code.into(), reason: closing.reason.into() }
}

async fn farewell<S>(socket: &mut Socket<S>, closing: &Closing)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = close_frame(closing);
    let goodbye = async {
        // The other side may have closed already; then this is its answer.
        let _closed = socket.close(Some(frame)).await;
        socket::read_to_end(socket).await;
    };
    // A side that does not answer is simply dropped.
    let _answered = timeout(CLOSE_WITHIN, goodbye).await;
}

/// The other side has closed; it may wait for our answer.
async fn answer_close<S>(socket: &mut Socket<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _answered = timeout(CLOSE_WITHIN, socket::read_to_end(socket)).await;
}

#[cfg(test)]
mod tests;
