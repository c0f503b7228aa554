//! `/proc`.

use std::fs;
use std::time::Duration;

use crate::error::{Result, RigError};

/// `USER_HZ`, which the kernel's interface fixes on all of our architectures (proc(5)).
const TICKS_A_SECOND: u64 = 100;

/// Processor time of all threads of a process so far, ended ones included, in steps of 10 ms.
///
/// # Errors
/// The process has ended.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let text = read(pid, "stat")?;
    ticks(&text)
        .map(|ticks| Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
        .ok_or_else(|| RigError::new(format!("/proc/{pid}/stat cannot be read: {text}")))
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Pages in memory.
    pub resident: u64,
    /// The most that `resident` ever was.
    pub peak: u64,
    /// `resident`, with what other processes share counted in parts.
    pub proportional: u64,
}

/// What a process holds now.
///
/// # Errors
/// The process has ended.
pub fn memory(pid: u32) -> Result<Memory> {
    let (status, rollup) = (read(pid, "status")?, read(pid, "smaps_rollup")?);
    let find = |text: &str, name: &str| {
        kilobytes(text, name).ok_or_else(|| RigError::new(format!("/proc/{pid} tells no {name}")))
    };
    Ok(Memory {
        resident: find(&status, "VmRSS")?,
        peak: find(&status, "VmHWM")?,
        proportional: find(&rollup, "Pss")?,
    })
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).map_err(|error| RigError::while_doing(path, error))
}

/// The sum of utime and stime. The name before them may have spaces and brackets of its own.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_does_not_shift_its_figures() {
        let stat = "12 (a) b (c) S 1 12 12 0 -1 4194304 1 2 3 4 150 25 8 9 20 0 1 0 77";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("12 (a"), None);
    }

    #[test]
    fn this_process_has_time_and_memory() {
        let own = std::process::id();
        assert!(cpu_time(own).is_ok());
        let memory = memory(own).unwrap();
        assert!(memory.peak >= memory.proportional && memory.proportional > 0, "{memory:?}");
        assert!(cpu_time(u32::MAX).is_err());
    }
}
