//! What waits to be written to one socket.
//!
//! A shard pushes encoded frames, the connection's task takes them. Neither ever waits for the other: a shard must not be
//! slowed by a reader, and what a reader may keep waiting is limited. Facts are never dropped; over the limit the
//! socket is closed instead, and the client comes back and resumes. Progress is not a fact: only the latest waits.

use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
};

use bytes::Bytes;
use persistence::DeviceId;
use protocol::{
    close, codec,
    server::{GoingAway, ServerMessage},
};

/// Most frames that may wait for one socket. Full: the socket is closed with 1013 and the client resumes.
pub const FRAMES_MAX: usize = 256;
/// Most bytes that may wait for one socket. A single frame may be larger (a snapshot): when nothing waits before it, it
/// is taken, and what follows has the same room.
pub const BYTES_MAX: usize = 256 * 1024;

/// Why and with what last words a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The close code of the WebSocket.
    pub code: u16,
    /// A few plain words for a developer who looks at the socket.
    pub reason: &'static str,
}

/// The bounded queue towards one socket. Shared by its connection and the shard of its hero.
#[derive(Debug)]
pub struct Outbox {
    /// Names the socket in logs and in `welcome`.
    pub connection_id: u64,
    /// The device at the other end.
    pub device: Option<DeviceId>,
    /// Since when, server UTC.
    pub connected_at_ms: i64,
    queue: Mutex<Queue>,
    overflowed: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    facts: VecDeque<Bytes>,
    bytes: usize,
    /// How many of them belong to a first frame that is larger than all the room.
    large_bytes: usize,
    progress: Option<Bytes>,
    closing: Option<Closing>,
    /// Something came since it was last taken.
    is_new: bool,
    /// The connection, while it waits for that. Whoever wakes it takes it out.
    waiting: Option<Waker>,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(connection_id: u64) -> Self {
        Self {
            connection_id,
            device: None,
            connected_at_ms: 0,
            queue: Mutex::default(),
            overflowed: AtomicBool::new(false),
        }
    }

    /// An empty one to this device, which is connected since then.
    #[must_use]
    pub fn to_device(connection_id: u64, device: DeviceId, connected_at_ms: i64) -> Self {
        Self { device: Some(device), connected_at_ms, ..Self::new(connection_id) }
    }

    /// Adds a frame that must arrive. Over the limit the socket is closed with 1013.
    pub fn push(&self, frame: Bytes) {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return;
        }
        let is_first = queue.facts.is_empty();
        let over_bytes = !is_first && queue.bytes - queue.large_bytes + frame.len() > BYTES_MAX;
        if over_bytes || queue.facts.len() >= FRAMES_MAX {
            queue.facts.clear();
            queue.progress = None;
            (queue.bytes, queue.large_bytes) = (0, 0);
            queue.closing =
                Some(Closing { code: close::OVERLOAD, reason: "too slow to read, please resume" });
            self.overflowed.store(true, Ordering::Relaxed);
        } else {
            queue.bytes += frame.len();
            if is_first && frame.len() > BYTES_MAX {
                queue.large_bytes = frame.len();
            }
            queue.facts.push_back(frame);
        }
        wake(queue);
    }

    /// Replaces the waiting progress frame.
    pub fn progress(&self, frame: Bytes) {
        let mut queue = self.lock();
        queue.progress = Some(frame);
        wake(queue);
    }

    /// Closes the socket after what waits has been written. The first reason counts.
    pub fn close(&self, code: u16, reason: &'static str) {
        let mut queue = self.lock();
        queue.closing.get_or_insert(Closing { code, reason });
        wake(queue);
    }

    /// Asks the client to come back after some time, and closes with 1012.
    pub fn send_away(&self, reconnect_after_ms: u32, reason: &'static str) {
        self.push(codec::encode_server(&ServerMessage::GoingAway(GoingAway { reconnect_after_ms })));
        self.close(close::RESTART, reason);
    }

    /// Whether the queue ran over: the client was too slow.
    pub fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Everything that waits, in order, and whether to close afterwards. The room goes with it: an idle socket costs none.
    pub fn take(&self) -> (Vec<Bytes>, Option<Closing>) {
        let mut queue = self.lock();
        let mut frames = Vec::from(mem::take(&mut queue.facts));
        frames.extend(queue.progress.take());
        (queue.bytes, queue.large_bytes, queue.is_new) = (0, 0, false);
        (frames, queue.closing.clone())
    }

    /// Frames and bytes that wait now.
    pub fn waiting(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.facts.len(), queue.bytes)
    }

    /// Waits until something came since it was last taken. Cancel-safe; only one waits at a time.
    pub async fn something(&self) {
        poll_fn(|cx| {
            let mut queue = self.lock();
            if queue.is_new {
                return Poll::Ready(());
            }
            match &mut queue.waiting {
                Some(waiting) => waiting.clone_from(cx.waker()),
                waiting @ None => *waiting = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while the queue is held")
    }
}

/// Something is new: wakes whoever waits, after the lock.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    queue.is_new = true;
    let waiting = queue.waiting.take();
    drop(queue);
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_keep_their_order_and_only_the_latest_progress_waits() {
        let outbox = Outbox::new(1);
        outbox.push(Bytes::from_static(b"a"));
        outbox.progress(Bytes::from_static(b"old"));
        outbox.push(Bytes::from_static(b"b"));
        outbox.progress(Bytes::from_static(b"new"));
        assert_eq!(outbox.waiting(), (2, 2), "progress is no fact");
        assert_eq!(outbox.take(), (vec!["a".into(), "b".into(), "new".into()], None));
        assert_eq!(outbox.take(), (vec![], None));
    }

    #[test]
    fn the_frame_over_the_limit_closes_instead_of_vanishing() {
        let outbox = Outbox::new(1);
        for _ in 0..FRAMES_MAX {
            outbox.push(Bytes::from_static(b"x"));
        }
        assert!(!outbox.overflowed());
        outbox.push(Bytes::from_static(b"x"));
        let (frames, closing) = outbox.take();
        assert!(frames.is_empty(), "a gap must never be written: {} frames", frames.len());
        assert_eq!(closing.map(|closing| closing.code), Some(close::OVERLOAD));
        assert!(outbox.overflowed());
    }

    #[test]
    fn one_large_frame_may_wait_alone() {
        let outbox = Outbox::new(1);
        outbox.push(Bytes::from(vec![0; BYTES_MAX + 1]));
        assert_eq!(outbox.take().1, None);
        outbox.push(Bytes::from(vec![0; BYTES_MAX]));
        outbox.push(Bytes::from_static(b"x"));
        assert_eq!(outbox.take().1.map(|closing| closing.code), Some(close::OVERLOAD));
    }

    #[test]
    fn what_follows_a_large_frame_has_the_usual_room() {
        let outbox = Outbox::new(1);
        outbox.push(Bytes::from(vec![0; 2 * BYTES_MAX]));
        outbox.push(Bytes::from_static(b"status"));
        let (frames, closing) = outbox.take();
        assert_eq!((frames.len(), closing), (2, None));
        outbox.push(Bytes::from(vec![0; 2 * BYTES_MAX]));
        outbox.push(Bytes::from_static(b"status"));
        outbox.push(Bytes::from(vec![0; BYTES_MAX]));
        assert_eq!(outbox.take().1.map(|closing| closing.code), Some(close::OVERLOAD));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_the_first_thing_and_by_the_next() {
        let outbox = std::sync::Arc::new(Outbox::new(1));
        let (told, mut heard) = tokio::sync::mpsc::channel(8);
        let waiting = std::sync::Arc::clone(&outbox);
        tokio::spawn(async move {
            loop {
                waiting.something().await;
                let (frames, closing) = waiting.take();
                told.send((frames.len(), closing.is_some())).await.expect("the test listens");
                if closing.is_some() {
                    return;
                }
            }
        });
        // Each time it waits already.
        for _ in 0..2 {
            tokio::task::yield_now().await;
            outbox.push(Bytes::from_static(b"fact"));
            assert_eq!(heard.recv().await, Some((1, false)));
            tokio::task::yield_now().await;
            outbox.progress(Bytes::from_static(b"progress"));
            assert_eq!(heard.recv().await, Some((1, false)));
        }
        outbox.close(close::RESTART, "drain");
        assert_eq!(heard.recv().await, Some((0, true)));
    }

    #[test]
    fn the_first_reason_to_close_counts() {
        let outbox = Outbox::new(1);
        outbox.push(Bytes::from_static(b"last words"));
        outbox.close(close::RESTART, "drain");
        outbox.close(close::UNAUTHENTICATED, "logout");
        let (frames, closing) = outbox.take();
        assert_eq!(frames.len(), 1);
        assert_eq!(closing.map(|closing| closing.code), Some(close::RESTART));
    }
}
