//! The least that a WebSocket server of this kind can cost: it answers every frame with one of the size that the frame asks
//! for, and does nothing else.
//!
//! One frame for each question, also where the game answers with two. Like the rest of this program it counts its allocations,
//! which is two atomic additions for each of a handful.

use std::io::Read;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// What it answers with, cut to size.
const ZEROS: &[u8] = &[0; ANSWER_BYTES_MAX];
/// The longest answer; one that asks for more gets this.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// As small as the server's.
const READ_BUFFER_BYTES: usize = 1024;
/// Begin of a frame: the size of the answer.
pub(super) const HEAD_BYTES: usize = 4;

/// A frame that asks for an answer.
pub(super) fn question(bytes: usize, answer_bytes: usize) -> Vec<u8> {
    let mut frame = u32::try_from(answer_bytes).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    frame.resize(bytes.max(HEAD_BYTES), 0);
    frame
}

/// Serves on a free port, which it prints, until its standard input ends.
///
/// # Errors
/// When there is no port.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
    println!("{}", listener.local_addr()?.port());
    // Whoever started it holds the other end: it never outlives a run that was killed.
    std::thread::spawn(|| {
        let _ended = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        // Somebody who leaves is no error.
        tokio::spawn(async move { answer(stream).await.ok() });
    }
}

async fn answer(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?;
    while let Some(message) = socket.next().await {
        if let Message::Binary(frame) = message? {
            let wanted = frame.first_chunk().map_or(0, |head: &[u8; HEAD_BYTES]| u32::from_be_bytes(*head));
            let size = usize::try_from(wanted).unwrap_or(usize::MAX).min(ANSWER_BYTES_MAX);
            let zeros = tokio_tungstenite::tungstenite::Bytes::from_static(ZEROS);
            socket.send(Message::Binary(zeros.slice(..size))).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_has_the_size_that_was_asked_for() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { answer(listener.accept().await.unwrap().0).await });
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let url = format!("ws://127.0.0.1:{port}/");
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        for (asked, given) in [(0, 0), (7, 7), (300, 300), (ANSWER_BYTES_MAX + 1, ANSWER_BYTES_MAX)] {
            socket.send(Message::binary(question(90, asked))).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().len(), given);
        }
    }
}
