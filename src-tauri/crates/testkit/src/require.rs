//! What a test needs of the machine, and what happens where that is missing.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a test needs.
#[derive(Debug, Clone)]
pub struct Needs {
    pub(crate) tools: Vec<&'static str>,
    /// Parts of them that are not there.
    absent: Vec<&'static str>,
    pub(crate) network: bool,
    pub(crate) alone: bool,
    pub(crate) timeout: Duration,
}

impl Needs {
    /// These programs, found in `PATH` or in the system's own directories.
    pub fn tools(tools: &[&'static str]) -> Self {
        let (absent, timeout) = (Vec::new(), Duration::from_secs(120));
        Self { tools: tools.to_vec(), absent, network: false, alone: false, timeout }
    }

    /// Also what does not come with these programs but in a package of its own, by a name for people.
    #[must_use]
    pub fn part(mut self, name: &'static str, is_there: bool) -> Self {
        self.absent.extend((!is_there).then_some(name));
        self
    }

    /// A network of the test's own, with an address besides loopback: see [`crate::PeerNet`]. All ports are free
    /// there. Where the system refuses that, the machine's network does if it has such an address.
    #[must_use]
    pub fn network(mut self) -> Self {
        self.tools.extend(["unshare", "ip"]);
        self.network = true;
        self
    }

    /// These programs, too.
    #[must_use]
    pub fn and(mut self, tools: &[&'static str]) -> Self {
        self.tools.extend_from_slice(tools);
        self
    }

    /// No other room beside it: for what compares the time that media takes with a limit, of which others' browsers and encoders
    /// would take their part where the machine has few cores. Time that it waits for its turn does not count.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// How long the test may take before it counts as hung; 120 s unless said.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is not installed.
    pub fn missing(&self) -> Vec<&'static str> {
        missing(&self.tools).into_iter().chain(self.absent.iter().copied()).collect()
    }

    /// True where all of it is there. Prints what is not; panics with that where `CI=true` on Linux.
    pub fn are_met(&self) -> bool {
        are_there(&self.missing())
    }
}

/// True where all these programs are installed.
///
/// Where one is not, prints that the test is skipped and why.
///
/// # Panics
/// Where one is missing although `CI=true` is set on Linux: the tests must not silently shrink there.
pub fn require(tools: &[&str]) -> bool {
    are_there(&missing(tools))
}

fn are_there(missing: &[&str]) -> bool {
    missing.is_empty() || skip(&format!("not installed: {}", missing.join(", ")))
}

fn missing<'a>(tools: &[&'a str]) -> Vec<&'a str> {
    tools.iter().filter_map(|tool| if find(tool).is_none() { Some(*tool) } else { lacks(tool) }).collect()
}

/// What a program is of no use to tests without, though it does not come with it.
fn lacks(tool: &str) -> Option<&'static str> {
    (tool == "kamailio" && !has_modules_of_kamailio())
        .then_some("Kamailio's modules for TLS, WebSocket, outbound, presence and SQLite")
}

fn has_modules_of_kamailio() -> bool {
    let arch = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    let folders = [&arch, "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib"];
    let modules = ["tls", "websocket", "outbound", "presence_dialoginfo", "db_sqlite"];
    let has = |folder: &Path, module: &&str| folder.join(module).with_extension("so").exists();
    let mut folders = folders.iter().map(|folder| Path::new(folder).join("kamailio/modules"));
    folders.any(|folder| modules.iter().all(|module| has(&folder, module)))
}

/// Prints the reason for which a test cannot be run here, and gives false.
///
/// # Panics
/// With the reason where `CI=true` is set on Linux: nothing may be skipped there.
pub fn skip(reason: &str) -> bool {
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

    #[test]
    fn a_part_that_is_absent_is_missing_as_a_program_is() {
        let needs = Needs::tools(&["no-such-program-of-ours"]).part("this", true).part("that", false);
        assert_eq!(needs.missing(), ["no-such-program-of-ours", "that"]);
    }
}
