//! The log's file: one thread writes it, and whoever logs never waits for a disk.
//!
//! ```text
//! a line ─try_send▶ queue (bounded, drops are counted) ─▶ thread ─▶ server.log ─at 10 MB▶ .1 ─▶ .2 ─▶ .3 ─▶ .4 ─▶ gone
//! ```
//!
//! A disk that is full or a folder that was deleted costs lines and one complaint on the console, never the server. Both are
//! tried again, and the folder is made again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use super::Escaping;

/// Largest file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 10 * 1000 * 1000;
/// Most files: the one that is written, and four before it.
const FILES_MAX: u32 = 5;
/// Lines that wait for the disk. Full: the line is dropped, and the number of them is told later.
const LINES_MAX: usize = 8_192;
/// Bytes that wait for the disk. Full: as above.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes that are written at once.
const BATCH_BYTES_MAX: usize = 64 * 1024;
/// After a failure the disk is left alone for so long; lines of that time are dropped.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked whether the file is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the end may take.
const END_WITHIN: Duration = Duration::from_secs(2);
/// How long the end waits for room in the queue, each time.
const ROOM_EVERY: Duration = Duration::from_millis(5);

enum Message {
    Line(Vec<u8>),
    /// Everything before it is written; say so.
    End(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicUsize,
    dropped: AtomicU64,
}

/// Takes lines for the file. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    queue: SyncSender<Message>,
    counts: Arc<Counts>,
}

impl Lines {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start(path: &Path) -> io::Result<Lines> {
        Lines::start_with(SizeRotating::new(path, FILE_BYTES_MAX), LINES_MAX)
    }

    fn start_with(file: SizeRotating, lines_max: usize) -> io::Result<Lines> {
        let (queue, lines) = sync_channel(lines_max);
        let counts = Arc::new(Counts::default());
        let worker = Worker { file, counts: Arc::clone(&counts), left_alone_until: None };
        thread::Builder::new().name("log-file".to_owned()).spawn(move || worker.run(&lines))?;
        Ok(Lines { queue, counts })
    }

    fn put(&self, line: &[u8]) {
        let counts = &self.counts;
        let is_room = counts.bytes.fetch_add(line.len(), Ordering::Relaxed) + line.len() <= BYTES_MAX;
        if !is_room || self.queue.try_send(Message::Line(line.to_vec())).is_err() {
            counts.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was logged is written, but not for long.
    pub(super) fn finish(&self) {
        let (done, is_done) = sync_channel(1);
        let give_up = Instant::now() + END_WITHIN;
        let mut end = Message::End(done);
        while let Err(full) = self.queue.try_send(end) {
            if Instant::now() >= give_up {
                return;
            }
            end = match full {
                std::sync::mpsc::TrySendError::Full(end) => end,
                std::sync::mpsc::TrySendError::Disconnected(_) => return,
            };
            thread::sleep(ROOM_EVERY);
        }
        // A disk that hangs keeps nobody from ending.
        let _late = is_done.recv_timeout(END_WITHIN);
    }
}

/// One `write` is one line.
#[derive(Debug)]
pub(super) struct Put<'a>(&'a Lines);

impl Write for Put<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Escaping<Put<'a>>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaping(Put(self))
    }
}

struct Worker {
    file: SizeRotating,
    counts: Arc<Counts>,
    /// After a failure.
    left_alone_until: Option<Instant>,
}

impl Worker {
    fn run(mut self, lines: &Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH_BYTES_MAX);
        while let Ok(message) = lines.recv() {
            let (mut next, mut count, mut ends) = (Some(message), 0, Vec::new());
            while let Some(message) = next.take() {
                match message {
                    Message::Line(line) => {
                        self.counts.bytes.fetch_sub(line.len(), Ordering::Relaxed);
                        batch.extend_from_slice(&line);
                        count += 1;
                    }
                    Message::End(done) => ends.push(done),
                }
                if batch.len() < BATCH_BYTES_MAX && ends.is_empty() {
                    next = lines.try_recv().ok();
                }
            }
            self.write(&batch, count);
            batch.clear();
            for end in ends {
                // Whoever waited may have given up.
                let _gone = end.try_send(());
            }
        }
    }

    fn write(&mut self, batch: &[u8], count: u64) {
        if batch.is_empty() {
            return;
        }
        let now = Instant::now();
        if self.left_alone_until.is_some_and(|until| now < until) {
            self.counts.dropped.fetch_add(count, Ordering::Relaxed);
            return;
        }
        match self.file.write_all(batch) {
            Ok(()) => {
                self.left_alone_until = None;
                let dropped = self.counts.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    tracing::warn!(
                        dropped,
                        "the log's file has a gap: so many lines could not be written in time"
                    );
                }
            }
            Err(error) => {
                self.counts.dropped.fetch_add(count, Ordering::Relaxed);
                let is_new = self.left_alone_until.is_none();
                self.left_alone_until = Some(now + AGAIN_AFTER);
                if is_new {
                    let file = self.file.path.display().to_string();
                    tracing::error!(file, %error, "the log's file cannot be written; the console still has every line");
                }
            }
        }
    }
}

/// A file that is moved aside when it is full; the oldest one goes.
#[derive(Debug)]
pub(super) struct SizeRotating {
    path: PathBuf,
    bytes_max: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Where the last whole line ends.
    bytes: u64,
    /// When it was last looked whether it is still there.
    looked: Instant,
}

impl SizeRotating {
    pub(super) fn new(path: &Path, bytes_max: u64) -> SizeRotating {
        SizeRotating { path: path.to_owned(), bytes_max, open: None }
    }

    /// The open file with room for so many bytes.
    fn with_room(&mut self, bytes: u64) -> io::Result<&mut Open> {
        self.forget_what_is_gone();
        if self.open.as_ref().is_some_and(|open| open.bytes > 0 && open.bytes + bytes > self.bytes_max) {
            self.rotate()?;
        }
        if self.open.is_none() {
            let opened = self.open_again()?;
            let is_full = opened.bytes > 0 && opened.bytes + bytes > self.bytes_max;
            self.open = Some(opened);
            if is_full {
                self.rotate()?;
                self.open = Some(self.open_again()?);
            }
        }
        Ok(self.open.as_mut().expect("opened just now"))
    }

    /// Somebody may have deleted or moved it: what is written to it then is read by nobody.
    fn forget_what_is_gone(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.looked.elapsed() < LOOK_EVERY {
            return;
        }
        open.looked = Instant::now();
        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (there, ours) = (fs::metadata(&self.path).map(id).ok(), open.file.metadata().map(id).ok());
        if there.is_none() || there != ours {
            self.open = None;
        }
    }

    fn open_again(&self) -> io::Result<Open> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let bytes = file.metadata()?.len();
        Ok(Open { file, bytes, looked: Instant::now() })
    }

    /// `.3` becomes `.4` and so on; the file itself becomes `.1`.
    fn rotate(&mut self) -> io::Result<()> {
        self.open = None;
        for number in (0..FILES_MAX - 1).rev() {
            let (from, to) = (self.numbered(number), self.numbered(number + 1));
            match fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

impl Write for SizeRotating {
    /// Whole lines, all of them or none.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let open = self.with_room(lines.len() as u64)?;
        match open.file.write_all(lines) {
            Ok(()) => {
                open.bytes += lines.len() as u64;
                Ok(lines.len())
            }
            Err(error) => {
                // Half a line would spoil the next one too. Without success it is looked at again from the start.
                if open.file.set_len(open.bytes).is_err() {
                    self.open = None;
                }
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
