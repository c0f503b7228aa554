//! The clocks of processes, and `/proc`.

use std::fs;
use std::time::Duration;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::error::{Result, RigError};

/// Processor time of all threads of a process so far, ended ones included, user and system.
///
/// # Errors
/// The process has ended.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let failed = |error: &dyn std::fmt::Display| {
        RigError::while_doing(format_args!("the clock of process {pid}"), error)
    };
    let process = i32::try_from(pid).map_err(|error| failed(&error))?;
    let clock = clock_getcpuclockid(Pid::from_raw(process)).map_err(|error| failed(&error))?;
    clock.now().map(Duration::from).map_err(|error| failed(&error))
}

/// A process and all that it has started, directly or not, as far as they run.
///
/// # Errors
/// The system tells of no processes.
pub fn family(pid: u32) -> Result<Vec<u32>> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .map_err(|error| RigError::while_doing("/proc", error))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        // Others may end meanwhile.
        .filter_map(|child| Some((child, parent(&read(child, "stat").ok()?)?)))
        .collect();
    let mut family = vec![pid];
    let mut seen = 0;
    while let Some(parent) = family.get(seen).copied() {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        seen += 1;
    }
    Ok(family)
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

/// The name before it may have spaces and brackets of its own.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Process, until};
    use std::{process::Command, time::Instant};

    #[test]
    fn the_name_of_a_process_does_not_shift_its_figures() {
        let stat = "12 (a) b (c) S 7 12 12 0 -1 4194304 1 2 3 4 150 25 8 9 20 0 1 0 77";
        assert_eq!(parent(stat), Some(7));
        assert_eq!(parent("12 (a"), None);
    }

    #[test]
    fn a_family_has_children_and_their_children() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'echo $$; sleep 1000; :' & wait"]);
        let process = Process::spawn("sh", &mut command, dir.path()).unwrap();
        let child =
            until("its id", Duration::from_secs(5), || process.stdout().trim().parse::<u32>().ok()).unwrap();
        let sleeps = |family: &[u32]| family.len() == 3 && family[..2] == [process.id(), child];
        until("all three", Duration::from_secs(5), || sleeps(&family(process.id()).unwrap()).then_some(()))
            .unwrap();
    }

    #[test]
    fn this_process_has_time_and_memory() {
        let own = std::process::id();
        let (before, began) = (cpu_time(own).unwrap(), Instant::now());
        while began.elapsed() < Duration::from_millis(20) {}
        assert!(cpu_time(own).unwrap() > before + Duration::from_millis(2), "finer than the ticks of /proc");
        let memory = memory(own).unwrap();
        assert!(memory.peak >= memory.proportional && memory.proportional > 0, "{memory:?}");
        assert!(cpu_time(u32::MAX).is_err());
    }
}
