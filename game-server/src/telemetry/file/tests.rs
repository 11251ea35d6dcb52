use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::{BYTES_MAX, Lines, SizeRotating};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("log-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&path).expect("folders can be made");
        Folder(path)
    }

    fn log(&self) -> PathBuf {
        self.0.join("logs/server.log")
    }

    fn texts(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.0.join("logs")).map(|entries| entries.flatten().collect::<Vec<_>>());
        let mut texts: Vec<_> = entries
            .unwrap_or_default()
            .iter()
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).expect("text");
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect();
        texts.sort();
        texts
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn line(number: usize) -> Vec<u8> {
    format!("line {number:04}\n").into_bytes()
}

#[test]
fn five_files_hold_the_newest_lines_and_none_is_larger() {
    let folder = Folder::new();
    let mut file = SizeRotating::new(&folder.log(), 100);
    for number in 0..100 {
        file.write_all(&line(number)).expect("the disk has room");
    }
    let texts = folder.texts();
    let names: Vec<&str> = texts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["server.log", "server.log.1", "server.log.2", "server.log.3", "server.log.4"]);
    assert!(texts.iter().all(|(_, text)| text.len() <= 100), "{texts:?}");
    let newest_last: String = texts.iter().rev().map(|(_, text)| text.as_str()).collect();
    let expected: String = (50..100).map(|number| String::from_utf8(line(number)).expect("text")).collect();
    assert_eq!(newest_last, expected);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let folder = Folder::new();
    for number in 0..15 {
        SizeRotating::new(&folder.log(), 100).write_all(&line(number)).expect("the disk has room");
    }
    let sizes: Vec<usize> = folder.texts().iter().map(|(_, text)| text.len()).collect();
    assert_eq!(sizes, [50, 100]);
}

#[test]
fn a_line_longer_than_a_file_gets_one_of_its_own() {
    let folder = Folder::new();
    let mut file = SizeRotating::new(&folder.log(), 100);
    for bytes in [10, 500, 10] {
        file.write_all(&vec![b'x'; bytes]).expect("the disk has room");
    }
    let sizes: Vec<usize> = folder.texts().iter().map(|(_, text)| text.len()).collect();
    assert_eq!(sizes, [10, 500, 10]);
}

#[test]
fn a_deleted_folder_is_made_again() {
    let folder = Folder::new();
    let mut file = SizeRotating::new(&folder.log(), 1_000);
    file.write_all(&line(1)).expect("the disk has room");
    fs::remove_dir_all(folder.0.join("logs")).expect("it is there");
    // As if a second had passed.
    file.open.as_mut().expect("open").looked -= super::LOOK_EVERY;
    file.write_all(&line(2)).expect("it is made again");
    assert_eq!(folder.texts(), [("server.log".to_owned(), "line 0002\n".to_owned())]);
}

#[test]
fn everything_is_written_at_the_end() {
    let folder = Folder::new();
    let lines = Lines::start(&folder.log()).expect("a thread");
    for number in 0..5_000 {
        lines.put(&line(number));
    }
    lines.finish();
    let texts = folder.texts();
    let written = texts.iter().map(|(_, text)| text.lines().count()).sum::<usize>();
    assert_eq!(written as u64 + lines.counts.dropped.load(Ordering::Relaxed), 5_000);
    assert_eq!(lines.counts.bytes.load(Ordering::Relaxed), 0);
    assert!(texts[0].1.starts_with("line 0000\n"));
}

#[test]
fn a_disk_that_takes_nothing_costs_lines_and_nothing_else() {
    // /dev/full is a disk without room.
    let lines = Lines::start(std::path::Path::new("/dev/full")).expect("a thread");
    for number in 0..100 {
        lines.put(&line(number));
    }
    lines.finish();
    assert_eq!(lines.counts.dropped.load(Ordering::Relaxed), 100);
    assert_eq!(lines.counts.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn whoever_logs_never_waits_for_a_full_queue() {
    let folder = Folder::new();
    // A file in the way of the folder: nothing can be written.
    fs::write(folder.0.join("logs"), "in the way").expect("the disk has room");
    let lines = Lines::start_with(SizeRotating::new(&folder.log(), 1_000), 4).expect("a thread");
    lines.put(&vec![b'x'; BYTES_MAX + 1]);
    assert_eq!(lines.counts.dropped.load(Ordering::Relaxed), 1, "more than the queue may hold");
    for number in 0..10_000 {
        lines.put(&line(number));
    }
    lines.finish();
    assert_eq!(lines.counts.dropped.load(Ordering::Relaxed), 10_001);
    fs::remove_file(folder.0.join("logs")).expect("it is there");
    // The disk is left alone for a second first.
    let give_up = tokio::time::Instant::now() + 20 * super::AGAIN_AFTER;
    while folder.texts().is_empty() {
        assert!(tokio::time::Instant::now() < give_up, "it is tried again");
        lines.put(&line(7));
        lines.finish();
    }
    assert_eq!(folder.texts(), [("server.log".to_owned(), "line 0007\n".to_owned())]);
}
