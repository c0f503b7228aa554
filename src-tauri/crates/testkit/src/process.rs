//! A process that ends with its value, and whose output is there to read when something failed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, kill_process, kill_process_group};

use crate::error::{Result, RigError};

pub use rustix::process::Signal;

const POLL: Duration = Duration::from_millis(5);
/// Time to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// Of each output, this much is printed after a failed test.
const TAIL: usize = 4_000;

/// Asks `check` again and again until it gives something.
pub fn until<T>(what: &str, timeout: Duration, mut check: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = check() {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            return Err(RigError::new(format!("{what}: not within {} ms", timeout.as_millis())));
        }
        thread::sleep(POLL);
    }
}

/// A child process in a process group of its own, with its output in files. Dropping it ends the whole group;
/// if the test is failing by then, the end of the output is printed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    started: SystemTime,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to `dir/NAME.out` and `dir/NAME.err`, its input is empty.
    pub fn spawn(name: &str, command: &mut Command, dir: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| RigError::while_doing(format_args!("starting {name}"), error);
        let stdout = dir.join(format!("{name}.out"));
        let stderr = dir.join(format!("{name}.err"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).map_err(failed)?)
            .stderr(File::create(&stderr).map_err(failed)?)
            .process_group(0);
        let started = SystemTime::now();
        let child = command.spawn().map_err(failed)?;
        Ok(Self { name: name.to_owned(), child, started, stdout, stderr })
    }

    /// What it has written so far to its standard output.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has written so far to its standard error.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Its process id, also that of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The moment before it was started.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// True until it ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    pub fn wait(&mut self, timeout: Duration) -> Result<ExitStatus> {
        let name = self.name.clone();
        until(&format!("the end of {name}"), timeout, || self.child.try_wait().ok().flatten())
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid()?, signal)
            .map_err(|error| RigError::while_doing(format_args!("signal to {}", self.name), error))
    }

    /// Ends the group, with SIGKILL if it does not heed SIGTERM.
    pub fn stop(&mut self) {
        let Ok(pid) = self.pid() else { return };
        let _ = kill_process_group(pid, Signal::TERM);
        let ended = self.is_running() && self.wait(GRACE).is_ok();
        // Children of its own may outlive it.
        let _ = kill_process_group(pid, Signal::KILL);
        if !ended {
            let _ = self.child.wait();
        }
    }

    /// Ends the group at once, as a crash would.
    pub fn kill(&mut self) {
        if let Ok(pid) = self.pid() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }

    /// The end of both outputs, for an error message.
    pub fn tail(&self) -> String {
        let mut text = String::new();
        for (kind, output) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
            let start = output.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
            if !output.trim().is_empty() {
                text.push_str(&format!("--- {} {kind}\n{}\n", self.name, output[start..].trim_end()));
            }
        }
        text
    }

    fn pid(&self) -> Result<Pid> {
        i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| RigError::new(format!("{} has no process id", self.name)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            #[expect(clippy::print_stderr, reason = "this is what the reader of a failed test needs")]
            {
                eprint!("{}", self.tail());
            }
        }
    }
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_group_ends_with_the_value() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo $!; wait"]);
        let process = Process::spawn("sh", &mut command, dir.path()).unwrap();
        let grandchild =
            until("its id", Duration::from_secs(5), || process.stdout().trim().parse::<i32>().ok()).unwrap();
        let pid = Pid::from_raw(grandchild).unwrap();
        drop(process);
        let ended = || {
            let state = fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z")).then_some(())
        };
        until("the end of the grandchild", Duration::from_secs(5), ended).unwrap();
        let _ = pid;
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = Process::spawn("nothing", &mut Command::new("/no/such"), dir.path()).unwrap_err();
        assert!(error.to_string().contains("nothing"), "{error}");
    }
}
