//! One socket of one device: connect, send, receive. Knows frames and nothing of what they mean.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use protocol::SUBPROTOCOL;
use protocol::client::{ClientMessage, Hello};
use protocol::codec;
use protocol::server::{ServerMessage, Welcome};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::http::{Endpoint, connect, request};

/// How long a server may take for any one answer before a bot calls it missing. Far above the 5 s after which a server
/// must refuse by itself, so that a loaded test machine does not fail a healthy server.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How the bots introduce themselves.
pub const CLIENT_NAME: &str = "load-tests/1";
/// Read buffer of one socket: thousands of bots share one process.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Write buffer of one socket.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// What a bot holds back at most when the server does not read: more than the largest wrong frame of the tests.
const WRITE_BUFFER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A receive buffer as small as the system allows, so that the kernel hides little.
const NARROW_BUFFER_BYTES: u32 = 2_048;
/// Segments as small as on the worst line: by them the server's kernel decides how much it keeps for a device, and with those
/// of the loopback that would be MiB.
const NARROW_SEGMENT_BYTES: u32 = 536;

/// Who a device is.
#[derive(Clone, Debug)]
pub struct Device {
    /// The hero it plays.
    pub hero_id: String,
    /// The secret that `POST /v1/guests` gave.
    pub device_token: String,
    /// Its command stream, drawn once.
    pub stream_id: u64,
    /// The loopback address it comes from.
    pub source: Option<Ipv4Addr>,
}

impl Device {
    /// Makes a new hero with this device.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn new_guest(endpoint: &Endpoint, source: Option<Ipv4Addr>, stream_id: u64) -> Result<Self> {
        let answer =
            request(endpoint, source, "POST", "/v1/guests", None, Some(&serde_json::json!({}))).await?;
        if !(200..300).contains(&answer.status) {
            bail!("no guest: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        let body = answer.json()?;
        let field = |name: &str| -> Result<String> {
            Ok(body
                .get(name)
                .and_then(|value| value.as_str())
                .with_context(|| format!("the new guest has no {name}"))?
                .to_owned())
        };
        Ok(Self { hero_id: field("hero_id")?, device_token: field("device_token")?, stream_id, source })
    }

    /// Another device of the same hero.
    #[must_use]
    pub fn sibling(&self, stream_id: u64, source: Option<Ipv4Addr>) -> Self {
        Self { stream_id, source, ..self.clone() }
    }

    /// As [`Device::open`], with room for next to nothing on the way here: whoever does not read it is noticed soon.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn open_narrow(&self, endpoint: &Endpoint) -> Result<Socket> {
        let ticket = self.ticket(endpoint).await?;
        let tcp = TcpSocket::new_v4()?;
        tcp.set_recv_buffer_size(NARROW_BUFFER_BYTES)?;
        SockRef::from(&tcp).set_tcp_mss(NARROW_SEGMENT_BYTES)?;
        let source = self.source.context("a narrow socket comes from an address of its own")?;
        tcp.bind(SocketAddr::from((source, 0)))?;
        let mut socket = Socket::upgrade(endpoint, tcp.connect(endpoint.address).await?).await?;
        socket.send(&ClientMessage::Hello(self.hello(ticket, None))).await?;
        match socket.receive_soon().await? {
            Received::Message(_) => Ok(socket),
            Received::Closed(code) => bail!("closed with {code}"),
        }
    }

    /// A single-use ticket for one socket.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub async fn ticket(&self, endpoint: &Endpoint) -> Result<String> {
        let answer = request(
            endpoint,
            self.source,
            "POST",
            "/v1/ws-ticket",
            Some(&self.device_token),
            Some(&serde_json::json!({})),
        )
        .await?;
        if !(200..300).contains(&answer.status) {
            bail!("no ticket: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        let body = answer.json()?;
        Ok(body.get("ticket").and_then(|value| value.as_str()).context("the ticket is missing")?.to_owned())
    }

    /// A socket that has said hello and was welcomed.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn open(&self, endpoint: &Endpoint, last_seq: Option<u64>) -> Result<(Socket, Welcome)> {
        let ticket = self.ticket(endpoint).await?;
        let mut socket = Socket::connect(endpoint, self.source).await?;
        let welcome = socket.greet(self.hello(ticket, last_seq)).await?;
        Ok((socket, welcome))
    }

    /// The first frame of a socket.
    #[must_use]
    pub fn hello(&self, ticket: String, last_seq: Option<u64>) -> Hello {
        Hello {
            ticket,
            stream_id: self.stream_id,
            last_seq,
            client: CLIENT_NAME.to_owned(),
            time_zone: Some("Europe/Berlin".to_owned()),
        }
    }
}

/// What came from the server.
#[derive(Clone, Debug)]
pub enum Received {
    /// A frame.
    Message(ServerMessage),
    /// The server closed the socket and said why; 1006 means that it just went away.
    Closed(u16),
}

/// A socket after the WebSocket handshake.
pub struct Socket<S = TcpStream> {
    stream: WebSocketStream<S>,
    /// Bytes of frames received, for the load report.
    pub received_bytes: u64,
    /// Bytes of frames sent.
    pub sent_bytes: u64,
    /// Pings of the server, each answered with a pong by the library.
    pub pings: u64,
    /// Messages that came between `hello` and `welcome`, where none belongs.
    pub before_welcome: u64,
}

impl Socket {
    /// Connects and names the subprotocol; says no hello.
    ///
    /// # Errors
    /// When the connection or the upgrade is refused.
    pub async fn connect(endpoint: &Endpoint, source: Option<Ipv4Addr>) -> Result<Self> {
        let stream = connect(endpoint, source).await?;
        Self::upgrade(endpoint, stream).await
    }

    /// The connection itself, for bytes that are no frames.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// The WebSocket handshake on a connection that is there already.
    ///
    /// # Errors
    /// When the upgrade is refused.
    pub async fn upgrade(endpoint: &Endpoint, stream: S) -> Result<Self> {
        let mut request = format!("ws://{}/v1/ws", endpoint.authority).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            .max_message_size(Some(protocol::limit::OUTBOUND_FRAME_BYTES_MAX))
            .max_frame_size(Some(protocol::limit::OUTBOUND_FRAME_BYTES_MAX));
        let handshake = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let (stream, _response) = tokio::time::timeout(ANSWER_WITHIN, handshake)
            .await
            .context("the WebSocket handshake hangs")?
            .context("the WebSocket handshake was refused")?;
        Ok(Self { stream, received_bytes: 0, sent_bytes: 0, pings: 0, before_welcome: 0 })
    }

    /// The frames, for a program that cannot afford to read them all.
    #[must_use]
    pub fn into_frames(self) -> WebSocketStream<S> {
        self.stream
    }

    /// Says hello with a ticket.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn greet(&mut self, hello: Hello) -> Result<Welcome> {
        self.send(&ClientMessage::Hello(hello)).await?;
        loop {
            match self.receive_soon().await? {
                Received::Message(ServerMessage::Welcome(welcome)) => return Ok(*welcome),
                // Wrong, but no reason to give up a whole run: whoever opened the socket reports it.
                Received::Message(ServerMessage::Progress(_) | ServerMessage::Status(_)) => {
                    self.before_welcome += 1;
                }
                other => bail!("hello was answered with {other:?}"),
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn send(&mut self, message: &ClientMessage) -> Result<()> {
        let frame = codec::encode_client(message);
        self.sent_bytes += u64::try_from(frame.len()).unwrap_or(u64::MAX);
        self.send_raw(Message::binary(frame)).await
    }

    /// Sends any frame, also a wrong one.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn send_raw(&mut self, message: Message) -> Result<()> {
        self.stream.send(message).await.context("the socket is gone")
    }

    /// The next message, or how the socket ended. Cancel-safe.
    ///
    /// # Errors
    /// When a frame is not a message of the protocol: a mistake of the server.
    pub async fn receive(&mut self) -> Result<Received> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.received_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    let message = codec::decode_server(&bytes).map_err(|error| {
                        anyhow!("a frame of {} bytes is no message: {error}", bytes.len())
                    })?;
                    return Ok(Received::Message(message));
                }
                Some(Ok(Message::Text(_))) => bail!("the server sent a text frame"),
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Received::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Some(Ok(Message::Ping(_))) => self.pings += 1,
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(SocketError::Utf8(_) | SocketError::Capacity(_))) => {
                    bail!("the server sent a frame that breaks the limits")
                }
                Some(Err(_)) | None => return Ok(Received::Closed(1006)),
            }
        }
    }

    /// As `receive`, but a server that stays silent is an error.
    ///
    /// # Errors
    /// When nothing comes in time, or a frame is no message.
    pub async fn receive_soon(&mut self) -> Result<Received> {
        tokio::time::timeout(ANSWER_WITHIN, self.receive()).await.context("no answer from the server")?
    }

    /// Says goodbye properly and waits until the server has answered it.
    pub async fn close(mut self) {
        if self.stream.close(None).await.is_ok() {
            let gone = async { while let Some(Ok(_)) = self.stream.next().await {} };
            // A server that does not answer a close is found by other tests; here it must only not hang a bot.
            let _ = tokio::time::timeout(ANSWER_WITHIN, gone).await;
        }
    }
}
