use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Machine, Usage, busy, field};

/// A made-up `/proc` and `/sys/fs/cgroup`.
struct Tree(PathBuf);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(std::env::temp_dir().join(format!("dopamine-hero-machine-{}", uuid::Uuid::new_v4())));
        let machine = [
            ("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n"),
            ("proc/stat", "cpu  100 20 30 99999 888 1 2 3 50 0\ncpu0 1 2 3\n"),
        ];
        for (path, text) in machine.iter().chain(files) {
            let path = tree.0.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
            fs::write(path, text).expect("a file can be written");
        }
        tree
    }

    fn usage(&self) -> Usage {
        Machine::at(&self.0.join("proc"), &self.0.join("groups"), None).usage()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Only litter if it fails.
        let _litter = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn this_process_is_seen() {
    let usage = Machine::of_this_process(Some(std::env::temp_dir())).usage();
    assert!(usage.process_cpu > Duration::ZERO);
    assert!(usage.cores > 0.0);
    assert!(usage.disk_bytes >= usage.disk_free_bytes && usage.disk_bytes > 0, "{usage:?}");
    if cfg!(target_os = "linux") {
        assert!(usage.process_memory_bytes > 100_000, "{usage:?}");
        assert!((3..usage.fds_max).contains(&usage.fds_open), "{usage:?}");
        assert!(
            usage.memory_limit_bytes >= usage.memory_used_bytes && usage.memory_used_bytes > 0,
            "{usage:?}"
        );
        assert!(usage.cpu >= usage.process_cpu, "{usage:?}");
    }
}

#[test]
fn without_a_group_it_is_the_whole_machine() {
    let usage = Tree::new(&[]).usage();
    assert_eq!((usage.memory_used_bytes, usage.memory_limit_bytes), (600 * 1024, 1000 * 1024));
    assert_eq!(usage.cpu, Duration::from_millis(1_560), "idle, waiting and guests are not counted");
    assert_eq!(usage.cpu_throttled, Duration::ZERO);
}

#[test]
fn a_limit_of_version_2_counts_even_when_a_group_above_has_it() {
    let usage = Tree::new(&[
        ("proc/self/cgroup", "0::/pod/server\n"),
        ("groups/pod/memory.max", "500000\n"),
        ("groups/pod/memory.current", "300000\n"),
        ("groups/pod/memory.stat", "anon 1\ninactive_file 100000\n"),
        ("groups/pod/server/memory.max", "max\n"),
        ("groups/pod/server/memory.current", "7\n"),
        ("groups/pod/cpu.max", "50000 100000\n"),
        ("groups/pod/cpu.stat", "usage_usec 4000000\nnr_throttled 3\nthrottled_usec 2000000\n"),
        ("groups/pod/server/cpu.max", "max 100000\n"),
    ])
    .usage();
    assert_eq!((usage.memory_used_bytes, usage.memory_limit_bytes), (200_000, 500_000));
    assert_eq!(usage.cores, 0.5);
    assert_eq!((usage.cpu, usage.cpu_throttled), (Duration::from_secs(4), Duration::from_secs(2)));
}

#[test]
fn a_limit_of_version_1_counts() {
    let usage = Tree::new(&[
        ("proc/self/cgroup", "4:memory:/docker/1\n3:cpuacct:/docker/1\n2:cpu:/docker/1\n0::/\n"),
        ("groups/memory/memory.limit_in_bytes", "500000\n"),
        ("groups/memory/memory.usage_in_bytes", "300000\n"),
        ("groups/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n"),
        ("groups/cpu/docker/1/cpu.cfs_quota_us", "100000\n"),
        ("groups/cpu/docker/1/cpu.cfs_period_us", "100000\n"),
        ("groups/cpu/docker/1/cpu.stat", "nr_throttled 3\nthrottled_time 2000000000\n"),
        ("groups/cpuacct/docker/1/cpuacct.usage", "4000000000\n"),
    ])
    .usage();
    assert_eq!((usage.memory_used_bytes, usage.memory_limit_bytes), (200_000, 500_000));
    assert_eq!(usage.cores, 1.0);
    assert_eq!((usage.cpu, usage.cpu_throttled), (Duration::from_secs(4), Duration::from_secs(2)));
}

#[test]
fn a_group_without_a_limit_is_the_whole_machine() {
    let usage = Tree::new(&[
        ("proc/self/cgroup", "4:memory:/\n2:cpu:/\n0::/\n"),
        ("groups/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("groups/memory/memory.usage_in_bytes", "300000\n"),
        ("groups/cpu/cpu.cfs_quota_us", "-1\n"),
        ("groups/cpu/cpu.cfs_period_us", "100000\n"),
    ])
    .usage();
    assert_eq!((usage.memory_used_bytes, usage.memory_limit_bytes), (600 * 1024, 1000 * 1024));
    assert_eq!(usage.cpu, Duration::from_millis(1_560));
}

#[test]
fn what_is_no_number_is_not_known() {
    assert_eq!(field("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
    assert_eq!(field("Max open files            unlimited    unlimited\n", "Max open files"), None);
    assert_eq!(busy("nonsense"), Duration::ZERO);
    let nothing = Machine::at(Path::new("/nonexistent"), Path::new("/nonexistent"), None).usage();
    assert_eq!((nothing.memory_limit_bytes, nothing.fds_open), (0, 0));
}
