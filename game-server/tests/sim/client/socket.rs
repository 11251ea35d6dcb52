//! One socket of a device, from its ticket to its end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::client::{ClientMessage, CommandFrame, Hello, Ping};
use protocol::codec;
use protocol::server::ServerMessage;
use tokio::io::DuplexStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::Client;

/// A node that says nothing for so long is given up.
const SILENT_MAX: Duration = Duration::from_secs(25);
/// A hello without a welcome for so long is given up: a hand-over from a dead node fits in.
const WELCOME_WITHIN: Duration = Duration::from_secs(30);
const PING_EVERY: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<DuplexStream>;

/// The socket is over; the device comes back.
pub(super) struct Over;

impl Client {
    /// Opens a socket and plays on it to its end.
    pub(super) async fn connect(&mut self) -> Result<(), Over> {
        let Some((ticket, stream)) = self.world.open(self.node, self.hero, &mut self.numbers) else {
            return Err(Over);
        };
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let hello = |ticket| {
            ClientMessage::Hello(Hello {
                ticket,
                stream_id: self.stream_id,
                last_seq: self.last_seq,
                client: "simulation".to_owned(),
                time_zone: None,
            })
        };
        self.note(">", &codec::encode_client(&hello(String::new())), "hello");
        let frame = codec::encode_client(&hello(ticket));
        socket.send(Message::Binary(frame.into())).await.map_err(|_| Over)?;
        match timeout(WELCOME_WITHIN, self.receive(&mut socket)).await.map_err(|_| Over)?? {
            ServerMessage::Welcome(welcome) => self.welcomed(&welcome),
            // The node began to drain just now.
            ServerMessage::GoingAway(_) => return Err(Over),
            other => {
                self.wrong(&format!("heard {other:?} before its welcome"));
                return Err(Over);
            }
        }
        self.stay(&mut socket).await
    }

    async fn stay(&mut self, socket: &mut Socket) -> Result<(), Over> {
        let mut heard = Instant::now();
        let mut pinged = Instant::now();
        let mut acts_at = Instant::now();
        let leaves_at = Instant::now() + self.numbers.millis(1_000, 40_000);
        loop {
            let now = Instant::now();
            let is_finishing = self.world.is_finishing();
            if (is_finishing && self.unanswered.is_empty()) || (!is_finishing && now >= leaves_at) {
                // Some say goodbye, some are simply gone.
                if self.numbers.percent(50) {
                    let _gone = timeout(Duration::from_secs(1), socket.close(None)).await;
                }
                return Ok(());
            }
            if now >= acts_at {
                if !is_finishing {
                    self.act();
                    if self.numbers.percent(8)
                        && let Some((number, command)) = self.repeated()
                    {
                        self.send(socket, CommandFrame { cmd_seq: number, body: command }).await?;
                    }
                }
                acts_at = now + self.numbers.millis(100, 2_500);
            }
            while let Some((cmd_seq, body)) = self.due(now) {
                self.send(socket, CommandFrame { cmd_seq, body }).await?;
            }
            if now - pinged >= PING_EVERY {
                pinged = now;
                let frame = codec::encode_client(&ClientMessage::Ping(Ping { client_ms: 1 }));
                self.write(socket, frame, "ping").await?;
            }
            let look_at = acts_at.min(now + Duration::from_millis(150)).max(now + Duration::from_millis(1));
            tokio::select! {
                biased;
                message = self.receive(socket) => {
                    heard = Instant::now();
                    let message = message?;
                    self.heard(message);
                }
                () = sleep_until(look_at) => if now - heard > SILENT_MAX {
                    return Err(Over);
                },
            }
        }
    }

    async fn send(&mut self, socket: &mut Socket, frame: CommandFrame) -> Result<(), Over> {
        let what = format!("{} {:?}", frame.cmd_seq, frame.body);
        self.write(socket, codec::encode_client(&ClientMessage::Command(frame)), &what).await
    }

    async fn write(&self, socket: &mut Socket, frame: Vec<u8>, what: &str) -> Result<(), Over> {
        self.note(">", &frame, what);
        let sent = timeout(SILENT_MAX, socket.send(Message::Binary(frame.into()))).await;
        sent.map_err(|_| Over)?.map_err(|_| Over)
    }

    /// The next message. Nothing is lost when it is dropped.
    async fn receive(&self, socket: &mut Socket) -> Result<ServerMessage, Over> {
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(frame))) => {
                    let message = codec::decode_server(&frame).map_err(|error| {
                        self.wrong(&format!("cannot read a frame: {error}"));
                        Over
                    })?;
                    self.note("<", &frame, &brief(&message));
                    return Ok(message);
                }
                Some(Ok(Message::Close(close))) => {
                    let code = close.as_ref().map_or(0, |close| u16::from(close.code));
                    self.world.trace.count(&format!("close {code}"));
                    let words = close.map(|close| format!("{} {}", close.code, close.reason));
                    self.note("<", &[], &format!("close {}", words.unwrap_or_default()));
                    // Reading on answers the close.
                    let _end = timeout(Duration::from_secs(1), socket.next()).await;
                    return Err(Over);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Over),
            }
        }
    }

    fn note(&self, way: &str, frame: &[u8], what: &str) {
        self.world.trace.note(&format!("{}@{} {way} {what}", self.name, self.node), frame);
    }
}

/// A message in a few words.
fn brief(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Welcome(welcome) => {
            format!("welcome seq {} applied {}", welcome.seq, welcome.cmd_seq_applied)
        }
        ServerMessage::Events(events) => {
            let kinds: Vec<_> =
                events.events.iter().map(|event| format!("{} {}", event.seq, event.kind)).collect();
            format!("events {}", kinds.join(", "))
        }
        ServerMessage::Rejected(rejected) => format!("rejected {:?} {}", rejected.cmd_seq, rejected.code),
        ServerMessage::Progress(_) => "progress".to_owned(),
        other => format!("{other:?}"),
    }
}
