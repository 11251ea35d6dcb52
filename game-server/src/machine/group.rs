//! The limits of the control group that this process is in: both versions, and a limit of a group above counts too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{field, read};

/// Where the control group's files are; nothing where there is none.
#[derive(Debug, Default)]
pub(super) struct Group {
    cpu: Option<Place>,
    memory: Option<Place>,
    /// Where version 1 counts CPU time.
    accounting: Option<Place>,
}

/// A group, and the top of its tree.
#[derive(Clone, Debug)]
struct Place {
    folder: PathBuf,
    top: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Group {
    pub(super) fn find(proc: &Path, groups: &Path) -> Self {
        let lines = read(&proc.join("self/cgroup"));
        let place = |controller| Place::find(&lines, groups, controller);
        Self { cpu: place("cpu"), memory: place("memory"), accounting: place("cpuacct") }
    }

    /// Bytes used and the limit, if there is one below the machine's memory.
    pub(super) fn memory(&self, machine_bytes: u64) -> Option<(u64, u64)> {
        let place = self.memory.as_ref()?;
        let [limit_file, used_file, cache] = match place.version {
            Version::One => ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            Version::Two => ["memory.max", "memory.current", "inactive_file "],
        };
        let limits = place.upwards().filter_map(|folder| Some((number(&folder, limit_file)?, folder)));
        let (limit, folder) = limits.min_by_key(|(limit, _)| *limit)?;
        if limit >= machine_bytes && machine_bytes > 0 {
            return None;
        }
        // Pages of files that nobody reads are given back before anybody is refused memory.
        let cache = field(&read(&folder.join("memory.stat")), cache).unwrap_or(0);
        Some((number(&folder, used_file)?.saturating_sub(cache), limit))
    }

    /// Cores, CPU time used and time held back, if there is a limit below the machine's cores.
    pub(super) fn cpu(&self, machine_cores: f64) -> Option<(f64, Duration, Duration)> {
        let place = self.cpu.as_ref()?;
        let limits = place.upwards().filter_map(|folder| Some((place.version.cores(&folder)?, folder)));
        let (cores, folder) = limits.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
        if cores > machine_cores {
            return None;
        }
        let stat = read(&folder.join("cpu.stat"));
        let (used, throttled) = match place.version {
            Version::Two => (
                Duration::from_micros(field(&stat, "usage_usec ")?),
                Duration::from_micros(field(&stat, "throttled_usec ").unwrap_or(0)),
            ),
            Version::One => {
                let counted = self.accounting.as_ref()?;
                let same_group = counted.top.join(folder.strip_prefix(&place.top).ok()?);
                (
                    Duration::from_nanos(number(&same_group, "cpuacct.usage")?),
                    Duration::from_nanos(field(&stat, "throttled_time ").unwrap_or(0)),
                )
            }
        };
        Some((cores, used, throttled))
    }
}

impl Version {
    /// The limit of CPU of one group.
    fn cores(self, folder: &Path) -> Option<f64> {
        let (quota, period) = match self {
            Version::Two => {
                let text = read(&folder.join("cpu.max"));
                let mut words = text.split_whitespace();
                (words.next()?.parse().ok()?, words.next()?.parse().ok()?)
            }
            Version::One => (number(folder, "cpu.cfs_quota_us")?, number(folder, "cpu.cfs_period_us")?),
        };
        (period > 0)
            .then(|| Duration::from_micros(quota).as_secs_f64() / Duration::from_micros(period).as_secs_f64())
    }
}

impl Place {
    /// The group of a controller: in a tree of its own (version 1), or in the common one.
    fn find(lines: &str, groups: &Path, controller: &str) -> Option<Self> {
        let groups_of = lines.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            Some((parts.next()?, parts.next()?))
        });
        let mut groups_of = groups_of.filter_map(|(controllers, path)| {
            let (top, version) = match controllers {
                "" => (groups.to_owned(), Version::Two),
                _ if controllers.split(',').any(|name| name == controller) => {
                    (groups.join(controller), Version::One)
                }
                _ => return None,
            };
            // Inside a container the path may be the one that the machine sees; what is mounted is the group itself.
            let inside = top.join(path.trim_start_matches('/'));
            let folder = if inside.is_dir() { inside } else { top.clone() };
            folder.is_dir().then_some(Self { folder, top, version })
        });
        let first = groups_of.next()?;
        // Where both versions are mounted, a controller is in the tree that names it.
        Some(if first.version == Version::One { first } else { groups_of.next().unwrap_or(first) })
    }

    /// The group and those above it.
    fn upwards(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.folder.ancestors().take_while(|folder| folder.starts_with(&self.top)).map(Path::to_owned)
    }
}

/// A file that holds one number; `max` and `-1` are none.
fn number(folder: &Path, file: &str) -> Option<u64> {
    read(&folder.join(file)).trim().parse().ok()
}
