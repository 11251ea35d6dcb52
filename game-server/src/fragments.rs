//! Watches the frames of a socket as their bytes come in: how many fragments a message has, and since when one has been
//! unfinished. The WebSocket library joins fragments by itself and would take any number of them, for ever.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::socket::Limits;

/// Most frames that one message may be made of.
pub const FRAGMENTS_MAX: u32 = 16;

/// A message has more fragments than it may have, [`FRAGMENTS_MAX`] for players.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a message has too many fragments")]
pub struct TooManyFragments;

/// A socket whose incoming frames are watched.
#[derive(Debug)]
pub struct Watched<S> {
    socket: S,
    scanner: Scanner,
    message_within: Duration,
}

impl<S> Watched<S> {
    /// Watches a socket from its first frame on.
    pub fn new(socket: S, limits: Limits) -> Self {
        Self { socket, scanner: Scanner::new(limits.fragments_max), message_within: limits.message_within }
    }

    /// When a message that has been begun and not finished is late.
    pub fn unfinished_until(&self) -> Option<Instant> {
        self.scanner.unfinished_since.map(|since| since + self.message_within)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        let bytes = buf.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.scanner.scan(bytes, Instant::now()).map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// Follows frame headers (RFC 6455, section 5.2) and skips payloads. What is not a frame is the library's to refuse.
#[derive(Debug)]
struct Scanner {
    /// Most frames of a message.
    fragments_max: u32,
    /// The header so far; enough of it to know its length.
    header: [u8; 10],
    header_bytes: u8,
    /// Bytes of header (the mask) and payload still to skip.
    skip: u64,
    /// Frames of the message that is not finished.
    fragments: u32,
    unfinished_since: Option<Instant>,
}

impl Scanner {
    fn new(fragments_max: u32) -> Self {
        Self {
            fragments_max,
            header: [0; 10],
            header_bytes: 0,
            skip: 0,
            fragments: 0,
            unfinished_since: None,
        }
    }

    fn scan(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), TooManyFragments> {
        while let Some((&byte, rest)) = bytes.split_first() {
            self.unfinished_since.get_or_insert(now);
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(skipped..).unwrap_or_default();
                self.skip -= skipped as u64;
            } else {
                bytes = rest;
                if let Some(place) = self.header.get_mut(usize::from(self.header_bytes)) {
                    *place = byte;
                }
                self.header_bytes += 1;
                let Some(skip) = self.after_header() else { continue };
                self.skip = skip;
                self.begin_frame()?;
            }
            if self.skip == 0 {
                self.end_frame();
            }
        }
        Ok(())
    }

    /// How many bytes of the frame follow, once the header is here.
    fn after_header(&self) -> Option<u64> {
        let [_, second, a, b, c, d, e, f, g, h] = self.header;
        let mask: u64 = if second & 0x80 == 0 { 0 } else { 4 };
        let (wanted, payload) = match second & 0x7f {
            126 => (4, u64::from(u16::from_be_bytes([a, b]))),
            127 => (10, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            short => (2, u64::from(short)),
        };
        (self.header_bytes == wanted).then(|| payload.saturating_add(mask))
    }

    fn begin_frame(&mut self) -> Result<(), TooManyFragments> {
        if self.is_control() {
            return Ok(());
        }
        if self.fragments == self.fragments_max {
            return Err(TooManyFragments);
        }
        self.fragments += 1;
        Ok(())
    }

    fn end_frame(&mut self) {
        let [first, ..] = self.header;
        if !self.is_control() && first & 0x80 != 0 {
            self.fragments = 0;
        }
        self.header_bytes = 0;
        if self.fragments == 0 {
            self.unfinished_since = None;
        }
    }

    /// Pings and the like may come between the fragments of a message and count for none.
    fn is_control(&self) -> bool {
        let [first, ..] = self.header;
        first & 0x08 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINARY: u8 = 2;
    const CONTINUE: u8 = 0;
    const PING: u8 = 9;
    const FIN: u8 = 0x80;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(0x80 | u8::try_from(payload).unwrap()),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        // The mask, and a payload that looks like headers.
        bytes.extend(vec![0x82; payload + 4]);
        bytes
    }

    fn message(fragments: usize, payload: usize) -> Vec<u8> {
        let frames = (0..fragments).map(|index| {
            let fin = if index + 1 == fragments { FIN } else { 0 };
            frame(fin | if index == 0 { BINARY } else { CONTINUE }, payload)
        });
        frames.flatten().collect()
    }

    #[tokio::test(start_paused = true)]
    async fn sixteen_fragments_pass_and_seventeen_do_not() {
        for piece in [1, 2, 7, 1000] {
            for payload in [0, 5, 125, 126, 70_000] {
                let mut scanner = Scanner::new(FRAGMENTS_MAX);
                for chunk in message(16, payload).repeat(2).chunks(piece) {
                    scanner.scan(chunk, Instant::now()).unwrap();
                }
                assert_eq!(scanner.unfinished_since, None, "payload {payload} in pieces of {piece}");
                let refused = message(17, payload)
                    .chunks(piece)
                    .any(|chunk| scanner.scan(chunk, Instant::now()).is_err());
                assert!(refused, "payload {payload} in pieces of {piece}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pings_between_fragments_count_for_none_and_finish_nothing() {
        let mut scanner = Scanner::new(FRAGMENTS_MAX);
        let began = Instant::now();
        scanner.scan(&frame(BINARY, 3), began).unwrap();
        let later = began + std::time::Duration::from_secs(4);
        for _ in 0..100 {
            scanner.scan(&frame(FIN | PING, 2), later).unwrap();
        }
        assert_eq!(scanner.unfinished_since, Some(began));
        scanner.scan(&frame(FIN | CONTINUE, 3), later).unwrap();
        assert_eq!(scanner.unfinished_since, None);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_header_is_unfinished_too() {
        let mut scanner = Scanner::new(FRAGMENTS_MAX);
        let began = Instant::now();
        scanner.scan(&[FIN | BINARY], began).unwrap();
        assert_eq!(scanner.unfinished_since, Some(began));
    }
}
