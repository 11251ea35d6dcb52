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

use futures_util::StreamExt;
use protocol::limit;
use tokio::{
    io::{AsyncRead, AsyncWrite},
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
            .read_buffer_size(1024)
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

/// Passes over what still comes. Once both sides have said that they close it ends, and nothing that was sent is lost with a
/// reset; reading is also what sends the answer to a close.
pub async fn read_to_end<S>(socket: &mut Socket<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(_)) = socket.next().await {}
}
