//! The frame layer of a socket: the WebSocket library within limits of ours. It knows no message of the game.
//!
//! [`crate::connection`] plays on it. `examples/echo.rs` answers with what it hears, for the conformance suite, and is
//! the only one with other limits.

use std::{
    future::{Future, poll_fn},
    io::ErrorKind,
    task::{Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use protocol::limit;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::sleep_until,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as SocketError, Message,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::fragments::{FRAGMENTS_MAX, Watched};

/// Room for one outgoing snapshot and what follows it. Full: the write is an error and the socket closes.
const WRITE_BUFFER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Messages from this size on go past the library's buffer. It grows to its largest message and stays so for as long as the
/// socket is open: with a welcome in it, it would be a third of what a quiet player costs.
const PAST_BUFFER_BYTES_MIN: usize = 1024;

/// Room for what comes in, for as long as the socket is open: some typical commands of 50 to 150 bytes. A frame that is larger
/// is read in pieces of this size, into room that is made for it.
const READ_BUFFER_BYTES: usize = 512;

/// What the other side may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a frame, and of a message out of several. More: an error of the library.
    pub message_bytes_max: usize,
    /// Frames that a message is made of. More: [`crate::fragments::TooManyFragments`].
    pub fragments_max: u32,
    /// A message that is begun is finished within this time. Later: `TimedOut`.
    pub message_within: Duration,
    /// Bytes that wait to be sent. More: an error of the library.
    pub write_buffer_bytes_max: usize,
}

impl Limits {
    /// Those of every player's socket.
    pub const PLAYER: Limits = Limits {
        message_bytes_max: limit::INBOUND_FRAME_BYTES_MAX,
        fragments_max: FRAGMENTS_MAX,
        message_within: Duration::from_secs(5),
        write_buffer_bytes_max: WRITE_BUFFER_BYTES_MAX,
    };

    /// The library's defaults (64 MiB messages, 128 KiB buffers) are never used.
    fn config(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(4 * 1024)
            .max_write_buffer_size(self.write_buffer_bytes_max)
            .max_message_size(Some(self.message_bytes_max))
            .max_frame_size(Some(self.message_bytes_max))
    }
}

/// A socket whose frames are watched.
pub type Socket<S> = WebSocketStream<Watched<S>>;

/// The server's side of a connection whose upgrade is answered.
pub async fn open<S>(stream: S, limits: Limits) -> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    WebSocketStream::from_raw_socket(Watched::new(stream, limits), Role::Server, Some(limits.config())).await
}

/// The next message, or `TimedOut` when one was begun and not finished in time. Nothing is lost when it is dropped.
pub async fn next_message<S>(socket: &mut Socket<S>) -> Option<Result<Message, SocketError>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut late = None;
    poll_fn(|cx| {
        if let Poll::Ready(message) = socket.poll_next_unpin(cx) {
            return Poll::Ready(message);
        }
        // A timer only while there is something to wait for: most sockets are idle most of the time.
        let Some(until) = socket.get_ref().unfinished_until() else { return Poll::Pending };
        let timer = late.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(SocketError::Io(ErrorKind::TimedOut.into()))))
    })
    .await
}

/// Adds a message to what is sent with the next flush; a large one is sent at once, after what was added before it. Whoever drops
/// this before it is done must drop the socket too: half a frame may be on its way.
///
/// # Errors
/// The socket is gone.
pub async fn feed<S>(socket: &mut Socket<S>, message: Message) -> Result<(), SocketError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match message {
        Message::Binary(payload) if payload.len() >= PAST_BUFFER_BYTES_MIN => {
            socket.flush().await?;
            socket.get_mut().write_all(&frame(&payload)).await?;
            Ok(())
        }
        message => socket.feed(message).await,
    }
}

/// One whole frame of a server, which masks nothing (RFC 6455, section 5.2).
fn frame(payload: &Bytes) -> Vec<u8> {
    const WHOLE_BINARY: u8 = 0x82;
    let mut frame = Vec::with_capacity(payload.len() + 10);
    frame.push(WHOLE_BINARY);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        (_, Err(_)) => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// Passes over what still comes. Once both sides have said that they close it ends, and nothing that was sent is lost with a
/// reset; reading is also what sends the answer to a close.
pub async fn read_to_end<S>(socket: &mut Socket<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(_)) = socket.next().await {}
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

    use super::*;

    /// Messages of every kind of length, small ones between large ones, arrive whole and in order.
    #[tokio::test]
    async fn what_goes_past_the_buffer_keeps_its_place() {
        let (server, client) = tokio::io::duplex(3_000);
        let mut server = open(server, Limits::PLAYER).await;
        let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
        let mut client = WebSocketStream::from_raw_socket(client, Role::Client, Some(config)).await;
        let lengths = [0, 1, 125, 126, 1_023, 1_024, 5_000, 7, 65_535, 65_536, 3, 70_001, 1_024, 1_024, 2];
        let message = |index: usize| Bytes::from(vec![u8::try_from(index).expect("few"); lengths[index]]);
        let sending = async {
            for index in 0..lengths.len() {
                feed(&mut server, Message::Binary(message(index))).await.expect("somebody reads");
                if index == 3 {
                    feed(&mut server, Message::Ping(Bytes::from_static(b"there?")))
                        .await
                        .expect("somebody reads");
                }
            }
            server.flush().await.expect("somebody reads");
        };
        let reading = async {
            let mut index = 0;
            while index < lengths.len() {
                match client.next().await.expect("it is open").expect("every frame is one") {
                    Message::Binary(bytes) => {
                        assert_eq!(bytes, message(index), "message {index}");
                        index += 1;
                    }
                    Message::Ping(_) => assert_eq!(index, 4, "it stays where it was"),
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::join!(sending, reading);
    }

    #[tokio::test]
    async fn a_socket_that_is_gone_takes_nothing() {
        let (server, client) = tokio::io::duplex(64);
        let mut server = open(server, Limits::PLAYER).await;
        drop(client);
        let large = Message::Binary(Bytes::from(vec![0; 5_000]));
        assert!(feed(&mut server, large).await.is_err());
    }
}
