//! What the kernel says of a process and the machine.

use std::fmt;
use std::fs;

/// Memory of a process, in megabytes of a million bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now.
    resident: f64,
    /// The most that ever was resident.
    pub(crate) peak: f64,
}

impl Memory {
    /// That of this process. Linux alone tells it so.
    pub(crate) fn of(id: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
            kibibytes * 1024.0 / 1e6
        };
        Self { resident: megabytes("VmRSS:"), peak: megabytes("VmHWM:") }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} MB resident, {:.0} MB at most", self.resident, self.peak)
    }
}

/// How many tasks wanted a processor, over the last minute, and how many processors there are.
pub(crate) fn machine() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let processors = std::thread::available_parallelism().unwrap();
    format!("machine: load {load} on {processors} processors")
}
