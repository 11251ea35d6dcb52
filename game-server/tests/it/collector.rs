//! An HTTP server of the test's own that takes whatever is posted to it: Slack, Sentry, a collector of traces.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Everything that was posted, in the order of coming.
#[derive(Clone, Default)]
struct Posted(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bodies: Vec<Vec<u8>>,
    heads: Vec<String>,
    refusals: usize,
}

pub(crate) struct Collector {
    address: SocketAddr,
    posted: Posted,
    task: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let posted = Posted::default();
        let taken = posted.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(take(stream, taken.clone()));
            }
        });
        Collector { address, posted, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often something was posted, also in vain.
    pub(crate) fn requests(&self) -> usize {
        self.posted.lock().bodies.len()
    }

    /// Answers 500 to so many.
    pub(crate) fn refuse(&self, count: usize) {
        self.posted.lock().refusals = count;
    }

    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.posted.lock().bodies.clone()
    }

    /// The bodies as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.bodies().iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// The heads of the requests.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.posted.lock().heads.clone()
    }

    pub(crate) fn stop(self) {
        self.task.abort();
    }
}

impl Posted {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves one connection until the other side closes it.
async fn take(mut stream: TcpStream, posted: Posted) {
    let mut bytes = Vec::new();
    loop {
        let Some((head, length)) = head(&bytes) else {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        while bytes.len() < head + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let rest = bytes.split_off(head + length);
        let is_refused = {
            let mut state = posted.lock();
            state.heads.push(String::from_utf8_lossy(&bytes[..head]).into_owned());
            state.bodies.push(bytes.split_off(head));
            let is_refused = state.refusals > 0;
            state.refusals = state.refusals.saturating_sub(1);
            is_refused
        };
        bytes = rest;
        let status = if is_refused { "500 Internal Server Error" } else { "200 OK" };
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{{}}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Where the head ends, and how long the body is.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some((end, length.map_or(0, |length| length.trim().parse().expect("a length"))))
}
