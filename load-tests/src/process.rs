//! What the system says of a process: its CPU time, its memory, and on which core it runs.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::process::Command;

/// Linux counts CPU time for programs in hundredths of a second, on every machine.
const TICKS_PER_SECOND: u64 = 100;

/// Core of the server that is measured.
pub(crate) const SERVER_CORE: usize = 0;

/// Core of everything else; the same if there is only one.
pub(crate) fn client_core() -> usize {
    std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1)
}

/// Lets this process, and what it starts, open as many files as the system allows: every socket is one. Returns how many.
pub(crate) fn raise_file_limit() -> Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("the limit of files is not known")?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("the limit of files cannot be raised")?;
    }
    Ok(hard)
}

/// CPU time so far, user and system, of all threads.
pub(crate) fn cpu_time(id: u32) -> Result<Duration> {
    parse_cpu_time(&read(id, "stat")?)
}

fn parse_cpu_time(stat: &str) -> Result<Duration> {
    // The second field is the program's name, in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    // Fields 14 and 15; the rest begins with field 3.
    let times = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let times = times.collect::<Result<Vec<u64>, _>>().context("a time that is no number")?;
    let [user, system] = times.as_slice() else { bail!("no times in stat") };
    Ok(Duration::from_millis((user + system) * (1000 / TICKS_PER_SECOND)))
}

/// Resident memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) rss_kib: u64,
    /// Of that, what comes from no file.
    pub(crate) anonymous_kib: u64,
}

impl Memory {
    pub(crate) fn of(id: u32) -> Result<Self> {
        Self::parse(&read(id, "status")?)
    }

    fn parse(status: &str) -> Result<Self> {
        let kib = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.with_context(|| format!("no {name}"))?.trim().parse().context("a number of kB")
        };
        Ok(Self { rss_kib: kib("VmRSS")?, anonymous_kib: kib("RssAnon")? })
    }
}

fn read(id: u32, name: &str) -> Result<String> {
    let path = format!("/proc/{id}/{name}");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

/// Keeps this process, and what it starts from now on, on one core.
pub(crate) async fn pin_this_process(core: usize) -> Result<()> {
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", &core.to_string(), &std::process::id().to_string()]);
    let output = command.output().await.context("taskset (of util-linux) is needed")?;
    if !output.status.success() {
        bail!("cannot stay on core {core}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let stat = "17 (a) b) 3 (c) S 1 17 17 0 -1 4194560 900 0 3 0 250 50 7 9 20 0 5 0 99 1 2 3";
        assert_eq!(parse_cpu_time(stat).unwrap(), Duration::from_secs(3));
        for wrong in ["", "17 (x) S 1 2", "17 (x) S 1 17 17 0 -1 4194560 900 0 3 0 a b 7"] {
            assert!(parse_cpu_time(wrong).is_err(), "{wrong}");
        }
        assert!(cpu_time(std::process::id()).is_ok());
    }

    #[test]
    fn memory_is_read_in_kib() {
        let status = "VmHWM:\t   900 kB\nVmRSS:\t   812 kB\nRssAnon:\t   300 kB\nThreads:\t2\n";
        let memory = Memory::parse(status).unwrap();
        assert_eq!(memory, Memory { rss_kib: 812, anonymous_kib: 300 });
        assert!(Memory::parse("VmRSS: much").is_err());
        assert!(Memory::of(std::process::id()).unwrap().rss_kib > 0);
    }
}
