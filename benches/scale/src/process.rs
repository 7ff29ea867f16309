//! What the operating system says of this process and of the machine.

use crate::Failure;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use std::time::Duration;

/// Memory of a process by its own status file.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// The part that is no file's: heap and stacks.
    pub(crate) anonymous: u64,
}

/// Open descriptors by kind.
#[derive(Clone, Copy, Default)]
pub(crate) struct Descriptors {
    pub(crate) all: usize,
    pub(crate) sockets: usize,
    /// Lock files of the store, one for each account in use.
    pub(crate) locks: usize,
}

pub(crate) fn memory(process: &str) -> Result<Memory, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib * 1024)
            .ok_or_else(|| Failure(format!("no {name} in the status of process {process}")))
    };
    Ok(Memory {
        resident: field("VmRSS:")?,
        anonymous: field("RssAnon:")?,
    })
}

pub(crate) fn descriptors() -> Result<Descriptors, Failure> {
    let mut counted = Descriptors::default();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Ok(target) = std::fs::read_link(entry?.path()) else {
            // The descriptor of this very listing.
            continue;
        };
        let target = target.to_string_lossy();
        counted.all += 1;
        counted.sockets += usize::from(target.starts_with("socket:"));
        counted.locks += usize::from(target.contains("locks/"));
    }
    Ok(counted)
}

/// CPU time of this process so far: in user mode, in the kernel.
pub(crate) fn cpu() -> Result<(Duration, Duration), Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let time = |value: nix::sys::time::TimeVal| {
        Duration::new(
            value.tv_sec().try_into().unwrap_or_default(),
            (value.tv_usec() * 1000).try_into().unwrap_or_default(),
        )
    };
    Ok((time(usage.user_time()), time(usage.system_time())))
}

/// Allows this process and its children so many descriptors. Says how many it is if they are fewer.
pub(crate) fn allow_descriptors(wanted: u64) -> Result<u64, Failure> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(soft);
    }
    if hard < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).is_ok() {
        return Ok(wanted);
    }
    let allowed = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, allowed, hard)?;
    Ok(allowed)
}

/// Cores, memory and load of the machine, in one line.
pub(crate) fn environment() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let load = read("/proc/loadavg");
    let load: Vec<_> = load.split_whitespace().take(3).collect();
    let memory = read("/proc/meminfo");
    let available = memory
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemAvailable:")?
                .split_whitespace()
                .next()
        })
        .and_then(|kib| kib.parse::<u64>().ok())
        .map_or_else(String::new, |kib| {
            format!(", {} MiB of memory free", kib / 1024)
        });
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown processor");
    format!(
        "{cores} cores ({model}), load average {}{available}",
        load.join(" ")
    )
}
