//! What a test needs of the machine, and what happens where that is missing.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// What a test needs.
#[derive(Debug, Clone)]
pub struct Needs {
    pub(crate) tools: Vec<&'static str>,
    pub(crate) network: bool,
    pub(crate) timeout: Duration,
}

impl Needs {
    /// These programs, found in `PATH` or in the system's own directories.
    pub fn tools(tools: &[&'static str]) -> Self {
        Self { tools: tools.to_vec(), network: false, timeout: Duration::from_secs(120) }
    }

    /// A network of the test's own, with an address besides loopback: see [`crate::PeerNet`]. All ports are free
    /// there. Where the system refuses that, the machine's network does if it has such an address.
    #[must_use]
    pub fn network(mut self) -> Self {
        self.tools.extend(["unshare", "ip"]);
        self.network = true;
        self
    }

    /// How long the test may take before it counts as hung; 120 s unless said.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The programs that are not installed.
    pub fn missing(&self) -> Vec<&'static str> {
        missing(&self.tools)
    }

    /// True where all of it is there. Prints what is not; panics with that where `CI=true` on Linux.
    pub fn are_met(&self) -> bool {
        require(&self.tools)
    }
}

/// True where all these programs are installed.
///
/// Where one is not, prints that the test is skipped and why.
///
/// # Panics
/// Where one is missing although `CI=true` is set on Linux: the tests must not silently shrink there.
pub fn require(tools: &[&str]) -> bool {
    let missing = missing(tools);
    missing.is_empty() || skip(&format!("not installed: {}", missing.join(", ")))
}

fn missing<'a>(tools: &[&'a str]) -> Vec<&'a str> {
    tools.iter().copied().filter(|tool| find(tool).is_none()).collect()
}

/// Prints the reason and gives false, or panics where nothing may be skipped.
pub(crate) fn skip(reason: &str) -> bool {
    let strict = cfg!(target_os = "linux") && env::var("CI").is_ok_and(|value| value == "true");
    assert!(!strict, "CI=true, but {reason}");
    #[expect(clippy::print_stderr, reason = "the harness has no other way to say that a test is skipped")]
    {
        eprintln!("skipped: {reason}");
    }
    false
}

/// Where a program is. Servers are often in directories that are not in a user's `PATH`.
pub(crate) fn find(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(tool))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_not_found() {
        assert!(find("no-such-program-of-ours").is_none());
    }
}
