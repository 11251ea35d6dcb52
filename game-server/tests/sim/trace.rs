//! Everything that passed a socket or reached the store, with its virtual time: the same seed must give the same.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// Lines kept for a person who looks at a failure; the hash is over all of them.
const LINES_MAX: usize = 400;

/// A hash over all that happened, and the last of it in words.
#[derive(Debug)]
pub(crate) struct Trace {
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    hash: Sha256,
    lines: VecDeque<String>,
    is_over: bool,
    counts: BTreeMap<String, u64>,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), inner: Mutex::default() }
    }

    /// Notes a fact, and the bytes that it came with.
    pub(crate) fn note(&self, what: &str, bytes: &[u8]) {
        let line = format!("{:>9.3} {what}", self.started.elapsed().as_secs_f64());
        let mut inner = self.inner.lock().expect("nobody panics while it is held");
        if inner.is_over {
            return;
        }
        inner.hash.update(line.as_bytes());
        inner.hash.update((bytes.len() as u64).to_le_bytes());
        inner.hash.update(bytes);
        if inner.lines.len() == LINES_MAX {
            inner.lines.pop_front();
        }
        inner.lines.push_back(line);
    }

    /// Counts things of a kind, so that it is seen what a run had to survive.
    pub(crate) fn count(&self, kind: &str) {
        *self
            .inner
            .lock()
            .expect("nobody panics while it is held")
            .counts
            .entry(kind.to_owned())
            .or_default() += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.inner.lock().expect("nobody panics while it is held").counts.clone()
    }

    /// What follows a mistake is not worth reading.
    pub(crate) fn end(&self, why: &str) {
        self.note(why, &[]);
        self.inner.lock().expect("nobody panics while it is held").is_over = true;
    }

    pub(crate) fn hash(&self) -> String {
        data_encoding::HEXLOWER
            .encode(&self.inner.lock().expect("nobody panics while it is held").hash.clone().finalize())
    }

    /// The last of what happened.
    pub(crate) fn tail(&self) -> String {
        let inner = self.inner.lock().expect("nobody panics while it is held");
        inner.lines.iter().fold(String::new(), |all, line| all + line + "\n")
    }
}
