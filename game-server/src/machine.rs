//! What this process uses, and what it may use: from `/proc`, its control group and the file system of its data.
//!
//! On other systems than Linux most of it is not known and shown as zero. Nothing here waits: these files are the
//! kernel's memory.

mod group;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::group::Group;

/// Ticks a second in which `/proc/stat` counts, whatever the kernel's own are (proc(5), `USER_HZ`).
const STAT_TICKS_PER_SECOND: u64 = 100;

/// Looks up what is used.
#[derive(Debug)]
pub struct Machine {
    proc: PathBuf,
    group: Group,
    /// A folder on the disk that must not fill up.
    data: Option<PathBuf>,
    /// Cores that the system lets this process run on.
    cores: f64,
}

/// What was used at a moment. Zero is what is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// CPU time of this process since its start.
    pub process_cpu: Duration,
    /// Its memory that is in RAM.
    pub process_memory_bytes: u64,
    /// Its open file descriptors.
    pub fds_open: u64,
    /// How many it may have.
    pub fds_max: u64,
    /// Cores that it may use, parts of them too.
    pub cores: f64,
    /// CPU time of all that shares these cores.
    pub cpu: Duration,
    /// How long the limit of CPU held it back.
    pub cpu_throttled: Duration,
    /// Memory used by all that shares the limit.
    pub memory_used_bytes: u64,
    /// Memory that they may use.
    pub memory_limit_bytes: u64,
    /// Size of the file system of the data.
    pub disk_bytes: u64,
    /// What is free of it.
    pub disk_free_bytes: u64,
}

impl Machine {
    /// This process; `data` is a folder on the disk that must not fill up.
    #[must_use]
    pub fn of_this_process(data: Option<PathBuf>) -> Self {
        Self::at(Path::new("/proc"), Path::new("/sys/fs/cgroup"), data)
    }

    fn at(proc: &Path, groups: &Path, data: Option<PathBuf>) -> Self {
        let cores = count(std::thread::available_parallelism().map_or(1, usize::from));
        Self { proc: proc.to_owned(), group: Group::find(proc, groups), data, cores }
    }

    /// What is used now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let memory = read(&self.proc.join("meminfo"));
        let of_memory = |name| field(&memory, name).unwrap_or(0) * 1024;
        let (total, available) = (of_memory("MemTotal:"), of_memory("MemAvailable:"));
        let whole = (total.saturating_sub(available), total);
        let (memory_used_bytes, memory_limit_bytes) = self.group.memory(total).unwrap_or(whole);
        let stat = read(&self.proc.join("stat"));
        let whole = (self.cores, busy(&stat), Duration::ZERO);
        let (cores, cpu, cpu_throttled) = self.group.cpu(machine_cores(&stat)).unwrap_or(whole);
        let (disk_bytes, disk_free_bytes) = self.data.as_deref().and_then(disk).unwrap_or_default();
        Usage {
            process_cpu: process_cpu(),
            process_memory_bytes: field(&read(&self.proc.join("self/status")), "VmRSS:").unwrap_or(0) * 1024,
            fds_open: open_fds(&self.proc.join("self/fd")),
            fds_max: field(&read(&self.proc.join("self/limits")), "Max open files").unwrap_or(0),
            cores,
            cpu,
            cpu_throttled,
            memory_used_bytes,
            memory_limit_bytes,
            disk_bytes,
            disk_free_bytes,
        }
    }
}

/// A small file of the kernel's; empty when there is none.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// CPU time of the whole machine that was used, from the first line of `/proc/stat`: user, nice, system, idle, waiting for
/// disks, interrupts (two kinds), stolen. What guests use is part of user.
fn busy(stat: &str) -> Duration {
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, interrupts @ ..] = ticks.as_slice() else {
        return Duration::ZERO;
    };
    let used = user + nice + system + interrupts.iter().sum::<u64>();
    Duration::from_millis(used * 1_000 / STAT_TICKS_PER_SECOND)
}

/// Cores of the whole machine: after the first line of `/proc/stat`, each has one of its own.
fn machine_cores(stat: &str) -> f64 {
    count(stat.lines().skip(1).take_while(|line| line.starts_with("cpu")).count())
}

fn count(cores: usize) -> f64 {
    f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

fn process_cpu() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// The kernel says the number as the folder's size from 6.2 on; before, it must be counted.
fn open_fds(folder: &Path) -> u64 {
    let size = fs::metadata(folder).map_or(0, |folder| folder.len());
    if size > 0 {
        return size;
    }
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

/// Size of the file system that holds a folder, and what a program without privileges has left of it.
#[expect(clippy::useless_conversion, reason = "these types are narrower on some systems")]
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disk = nix::sys::statvfs::statvfs(folder).ok()?;
    let block = u64::try_from(disk.fragment_size()).ok()?;
    let bytes = |blocks| Some(u64::try_from(blocks).ok()?.saturating_mul(block));
    Some((bytes(disk.blocks())?, bytes(disk.blocks_available())?))
}
